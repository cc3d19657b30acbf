// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.34;

import {console2} from "forge-std/console2.sol";
import {FixedPointMathLib} from "solady/utils/FixedPointMathLib.sol";

import {IPriceOracle} from "../../contracts/interfaces/IPriceOracle.sol";
import {LiquidationGrant, Refusal} from "../../contracts/interfaces/ILiquidationPolicy.sol";
import {AccountHealth, LiquidationResult} from "../../contracts/interfaces/ILendingPool.sol";
import {SystemFixture} from "../system/SystemFixture.sol";

/// @dev How the liquidation of one account went: what its owner paid in bonuses, and what the delay was worth to him.
struct Sold {
    uint256 volume;
    uint256 bonus;
    uint256 delayValue;
}

/// @dev The default deployment at the depth of most scenarios, x/C of 2 to 2.5: 5,000 ether a side in a real Uniswap v3 pool (0.3%
/// fee), 2,000 ether of a crowd's collateral and up to 500 of an attack's. Ether at 2,000, gas at 1 gwei.
///
/// Costs and gains are in debt tokens, WAD, and everything uncertain is put in the attacker's favour: gas at 1 gwei, no cost of
/// capital, nobody else acting unless the attack needs it. What delay is worth to a borrower is a free option on all that is
/// delayed, 0.4 s sqrt(T) of its volume at a volatility s of 100% a year (protocol.md section 5).
abstract contract AdversaryFixture is SystemFixture {
    uint256 internal constant WAD = 1e18;
    uint256 internal constant BLOCK = 12;
    uint256 internal constant FAIR = 2000e18;
    uint256 internal constant CROWD = 2000e18;
    /// @dev What `SystemFixture` provides to the venue.
    uint128 internal constant LIQUIDITY = 223_606e18;

    address internal attacker = makeAddr("attacker");
    address internal crowd = makeAddr("crowd");

    /// @dev What the attacker's own trades took from him, base units; negative is received.
    int256 private _collateralSpent;
    int256 private _debtSpent;

    function setUp() public virtual override {
        super.setUp();
        _openCrowd();
        _fund(keeper, 0, 10_000_000e18);
        _fund(attacker, 1000e18, 10_000_000e18);
    }

    /// @dev HF = 2,000 * 2,000 * 0.83 / 2,000,000 = 1.66: out of everybody's reach.
    function _openCrowd() internal virtual {
        _openFor(crowd, CROWD, 2_000_000e18);
    }

    // -- acting

    /// @dev From 1,830, in two reports that are no jump each. What was opened at 1,550 a unit has HF = 0.83 * 1,620 / 1,550 = 0.867, and
    /// HF_hard is 0.8715.
    function _fallIntoTheHardZone(address account) internal {
        _setFeed(1720e8);
        _nextBlock();
        _setFeed(1620e8);
        _assertHard(account);
    }

    function _assertHard(address account) internal view {
        AccountHealth memory health = lending.accountHealth(account);
        assertLe(health.healthFast, health.healthHard, "not in the hard zone");
    }

    function _fund(address account, uint256 collateralAmount, uint256 debtAmount) internal {
        collateral.mint(account, collateralAmount);
        debt.mint(account, debtAmount);
        vm.startPrank(account);
        collateral.approve(system.pool, type(uint256).max);
        debt.approve(system.pool, type(uint256).max);
        vm.stopPrank();
    }

    function _openFor(address account, uint256 collateralAmount, uint256 debtAmount) internal {
        _fund(account, collateralAmount, 0);
        _open(account, collateralAmount, debtAmount);
    }

    /// @dev The attacker trades until the venue's price (WAD) is `price`.
    function _trade(uint256 price) internal {
        (uint160 root,,,,,,) = pool.slot0();
        uint160 target = _root(price * 1e18);
        if (root == target) return;
        (int256 amount0, int256 amount1) = pool.swap(address(this), target < root, type(int128).max, target, "");
        _collateralSpent += amount0;
        _debtSpent += amount1;
    }

    /// @dev Others trade the venue back to `price`: what the attacker bought stays with him.
    function _arbitrage(uint256 price) internal {
        (uint160 root,,,,,,) = pool.slot0();
        if (root != _root(price * 1e18)) _moveTo(price * 1e18);
    }

    /// @dev What all trades since the last call lost, with what was bought or sold valued at `price`.
    function _tradingLoss(uint256 price) internal returns (uint256 loss) {
        int256 value = _collateralSpent * int256(price) / int256(WAD) + _debtSpent;
        (_collateralSpent, _debtSpent) = (0, 0);
        assertGe(value, 0, "trading back and forth earned");
        return uint256(value);
    }

    function _nextBlock() internal {
        _pass(BLOCK);
    }

    // -- measuring

    /// @dev Of `gas` used, at the base fee and ether at `price`.
    function _gasCost(uint256 gas, uint256 price) internal view returns (uint256) {
        return gas * block.basefee * price / WAD;
    }

    /// @dev 0.4 sqrt(T / a year) of the volume.
    function _delayValue(uint256 volume, uint256 elapsed) internal pure returns (uint256) {
        return volume * FixedPointMathLib.sqrt(elapsed * 1e36 / 365 days) * 4 / 10 / WAD;
    }

    function _price() internal view returns (uint256) {
        return IPriceOracle(system.oracles[0]).peek().fast / 1e18;
    }

    /// @dev What damped calls may take of a full bucket at once: 70% of two depths, or of a thirtieth of all collateral where the venue is
    /// thinner than that.
    function _bucketVolume() internal view returns (uint256) {
        uint256 posted = lending.collateralState(0).total * _price() / WAD;
        return FixedPointMathLib.max(2 * IPriceOracle(system.oracles[0]).depth(), posted / 30) * 7 / 10;
    }

    /// @dev All but `percent` of the venue's liquidity leaves, and its averages forget it.
    function _thin(uint128 percent) internal {
        pool.burn(FULL_LOW, FULL_HIGH, LIQUIDITY * (100 - percent) / 100);
        _pass(10 minutes);
        _setFeed(int256(FAIR / 1e10));
    }

    function _refusal(address account) internal view returns (Refusal) {
        (, LiquidationGrant memory grant) = lending.quoteLiquidation(account, 0, type(uint256).max);
        return grant.refusal;
    }

    /// @dev The keeper takes what it is granted of `account`, `elapsed` seconds after it could first have been liquidated.
    function _sell(address account, uint256 elapsed, Sold memory sold) internal returns (bool granted) {
        vm.prank(keeper);
        try lending.liquidate(account, 0, type(uint256).max, "") returns (LiquidationResult memory result) {
            sold.volume += result.repaid;
            sold.bonus += result.seized * _price() / WAD - result.repaid;
            sold.delayValue += _delayValue(result.repaid, elapsed);
            return true;
        } catch {
            return false;
        }
    }

    // -- reporting

    function _report(string memory attack, uint256 cost, uint256 gain) internal pure {
        console2.log(string.concat(attack, ": cost ", _text(cost), ", gain ", _text(gain)));
    }

    function _figure(string memory what, uint256 amount) internal pure {
        console2.log(string.concat(what, ": ", _text(amount)));
    }

    /// @dev Debt tokens with two decimals.
    function _text(uint256 amount) internal pure returns (string memory) {
        uint256 cents = amount % WAD / 1e16;
        return string.concat(vm.toString(amount / WAD), cents < 10 ? ".0" : ".", vm.toString(cents));
    }
}

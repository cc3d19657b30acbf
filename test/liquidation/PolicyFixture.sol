// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.34;

import {Test} from "forge-std/Test.sol";
import {
    ILiquidationPolicy,
    LiquidationGrant,
    LiquidationRequest,
    Refusal
} from "../../contracts/interfaces/ILiquidationPolicy.sol";
import {DampedParameters, DampedParametersLib} from "../../contracts/liquidation/DampedParameters.sol";
import {TurnMode} from "../../contracts/libraries/TurnSampler.sol";
import {BucketMode} from "../../contracts/libraries/VolumeBucket.sol";
import {DepthOracleMock} from "../mocks/DepthOracleMock.sol";

/// @notice Plays the pool for one collateral: keeps the market, forms requests, applies grants.
/// @dev The market: a collateral of 18 decimals at 1,250 in a debt token of 6 (so 1.25e27), LT 80%, bmax 5%, sigma 5%. Then
/// HF_hard = 0.8 * 1.05 * 1.05 = 0.882. The usual account holds 1 unit and owes 1,020: HF = 1000/1020 = 0.980392156862745098.
abstract contract PolicyFixture is Test {
    uint256 internal constant LT = 0.8e18;
    uint256 internal constant HARD = 0.882e18;
    uint256 internal constant PRICE = 1.25e27;
    address internal constant ALICE = address(0xA11CE);

    struct Position {
        uint256 debt;
        uint256 collateral;
    }

    struct Market {
        uint256 price;
        uint256 cumulative;
        uint256 confirmed;
        uint256 total;
        uint256 dust;
        uint256 threshold;
        uint256 maxBonus;
        uint256 hard;
        uint256 since;
    }

    Market internal market;
    DepthOracleMock internal oracle;

    function setUp() public virtual {
        vm.warp(1_700_000_000);
        vm.roll(1000);
        oracle = new DepthOracleMock();
        market = Market({
            price: PRICE,
            cumulative: 0,
            confirmed: 0,
            total: 120e18,
            dust: 0,
            threshold: LT,
            maxBonus: 0.05e18,
            hard: HARD,
            since: block.timestamp
        });
    }

    // -- the market

    /// @dev Lets time pass at the price in force.
    function _wait(uint256 duration) internal {
        vm.warp(vm.getBlockTimestamp() + duration);
        vm.roll(vm.getBlockNumber() + (duration + 11) / 12);
        market.cumulative += market.price * duration;
    }

    function _position() internal pure returns (Position memory) {
        return Position(1020e6, 1e18);
    }

    function _health(Position memory p, uint256 price) internal view returns (uint256) {
        if (p.debt == 0) return type(uint256).max;
        return (p.collateral * price / 1e36) * market.threshold / p.debt;
    }

    function _request(Position memory p, uint256 asked) internal view returns (LiquidationRequest memory r) {
        r.account = ALICE;
        r.asked = asked;
        r.debt = p.debt;
        r.collateral = p.collateral;
        r.price = market.price;
        r.priceCumulative = market.cumulative;
        r.collateralValue = p.collateral * market.price / 1e36;
        r.healthFast = _health(p, market.price);
        r.healthConfirmed = market.confirmed == 0 ? r.healthFast : _health(p, market.confirmed);
        r.healthHard = market.hard;
        r.liquidationThreshold = market.threshold;
        r.maxBonus = market.maxBonus;
        r.totalCollateral = market.total;
        r.minDebt = market.dust;
        r.oracle = address(oracle);
    }

    /// @dev A position with health factor `health` at the market's price, up to rounding: 1 unit, debt = 1000 / HF.
    function _positionAt(uint256 health) internal view returns (Position memory) {
        return Position((market.price * market.threshold / 1e36) * 1e18 / health, 1e18);
    }

    function _apply(Position memory p, LiquidationGrant memory g) internal pure {
        p.debt -= g.repay;
        p.collateral -= g.seize;
    }

    /// @dev Quotes and commits, and demands that both say the same.
    function _commit(ILiquidationPolicy policy, LiquidationRequest memory r)
        internal
        returns (LiquidationGrant memory g)
    {
        LiquidationGrant memory quoted = policy.quote(address(this), r);
        g = policy.commit(r);
        assertEq(abi.encode(quoted), abi.encode(g), "quote differs from commit");
    }

    function _assertRefused(LiquidationGrant memory g, Refusal refusal) internal pure {
        assertEq(uint256(g.refusal), uint256(refusal), "refusal");
        assertEq(g.repay, 0, "repay");
        assertEq(g.seize, 0, "seize");
        assertEq(g.bonus, 0, "bonus");
    }

    function _assertGrant(LiquidationGrant memory g, uint256 repay, uint256 seize, uint256 bonus) internal pure {
        assertEq(uint256(g.refusal), uint256(Refusal.None), "refusal");
        assertEq(g.repay, repay, "repay");
        assertEq(g.seize, seize, "seize");
        assertEq(g.bonus, bonus, "bonus");
    }

    // -- policies

    /// @dev Every damper off: what remains is the auction and the target.
    function _bare() internal pure returns (DampedParameters memory p) {
        p = DampedParametersLib.defaults();
        p.confirmation = false;
        p.obeysPause = false;
        p.turnMode = TurnMode.Off;
        p.bucketMode = BucketMode.Off;
    }
}

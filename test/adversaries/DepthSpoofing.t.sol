// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.34;

import {LiquidationGrant} from "../../contracts/interfaces/ILiquidationPolicy.sol";
import {DampedPolicy} from "../../contracts/liquidation/DampedPolicy.sol";
import {AdversaryFixture} from "./AdversaryFixture.sol";

/// @dev A liquidator shows liquidity and takes it away again, so that the bucket believes in a deeper market and passes more at
/// once. What that gains him is what he earns in one block by selling on the venue what he takes, at the end of an auction, more
/// than he would have earned.
contract DepthSpoofingTest is AdversaryFixture {
    int24 private constant SPACING = 60;
    /// @dev Fifteen times the liquidity that there is, all that 16 averages let count: within 0.6% it takes a fortieth of the pool's
    /// worth.
    uint128 private constant SHOWN = 15 * LIQUIDITY;

    DampedPolicy private policy;
    uint256 private usualCap;
    uint256 private usualProfit;

    function setUp() public override {
        super.setUp();
        policy = DampedPolicy(system.policy);
        _openFor(borrower, 490e18, 759_500e18);
        for (uint256 i; i < 3; ++i) {
            policy.recordDepth(system.pool, 0);
            _pass(61);
        }
        uint256 state = vm.snapshotState();
        (uint256 profit, uint256 cap) = _profit();
        vm.revertToState(state);
        (usualProfit, usualCap) = (profit, cap);
    }

    /// Within a block, or between two records, liquidity counts nothing.
    function test_showInOneBlock_GainsNothing() public {
        uint256 cost = _show(0);
        _pass(15 minutes);
        cost += _show(0);
        _assertNothingGained("show depth in one block, twice", cost);
    }

    /// One record that shows it is not believed.
    function test_showOnce_GainsNothing() public {
        uint256 cost = _show(61);
        _assertNothingGained("show depth for a minute", cost);
    }

    /// Two in a row are believed for the time between them, a quarter at most: for gas and a fortieth of the pool in capital for two
    /// minutes the bucket would pass four times as much at once. That pays, though no more than the venue takes. The bound is 1 + 15 / 4
    /// times the depth, by the limit of 16 averages; here the limit of 16 floors (27% of all collateral) holds it to 4.1 times.
    function test_showTwice_GainIsBounded() public {
        uint256 cost = _show(61);
        _pass(14 minutes);
        cost += _show(61);
        (uint256 profit, uint256 cap) = _profit();
        _report("show depth twice, a quarter of an hour apart", cost, profit - usualProfit);
        _figure("the bucket's cap before", usualCap);
        _figure("the bucket's cap after", cap);
        _figure("profit in one block before", usualProfit);
        assertGt(profit - usualProfit, cost);
        assertGt(cap, usualCap * 4, "shows nothing");
        assertLt(cap, usualCap * 41 / 10);
        // He takes no more than what the bonus pays for on the venue that there is.
        assertLt(profit, 2 * usualProfit);
    }

    /// Each show vouches for the next: what limits a row of them is 16 floors, a cap of 53% of all collateral. What he earns in one block
    /// stays what the venue takes.
    function test_showFourTimes_GainIsBounded() public {
        uint256 cost = _show(61);
        for (uint256 i; i < 3; ++i) {
            _pass(14 minutes);
            cost += _show(61);
        }
        (uint256 profit, uint256 cap) = _profit();
        _report("show depth four times, a quarter of an hour apart", cost, profit - usualProfit);
        _figure("the bucket's cap after four", cap);
        assertGt(cap, usualCap * 7, "shows nothing");
        assertLt(cap, uint256(32) * 2490e18 * 2000 / 60);
        assertLt(profit, 2 * usualProfit);
    }

    /// One call by anybody between the two, when the liquidity is away, voids both.
    function test_showTwice_OneHonestRecordVoidsIt() public {
        uint256 cost = _show(61);
        _pass(7 minutes);
        policy.recordDepth(system.pool, 0);
        _pass(7 minutes);
        cost += _show(61);
        _assertNothingGained("show depth twice, one honest record between", cost);
    }

    function _assertNothingGained(string memory attack, uint256 cost) private {
        (uint256 profit, uint256 cap) = _profit();
        _report(attack, cost, profit > usualProfit ? profit - usualProfit : 0);
        assertLe(cap, usualCap * 1001 / 1000);
        assertApproxEqRel(profit, usualProfit, 0.002e18);
    }

    /// @dev Adds liquidity in the range of the price, records `elapsed` seconds later, and takes it out. The gas of it.
    function _show(uint256 elapsed) private returns (uint256 cost) {
        (, int24 tick,,,,,) = pool.slot0();
        int24 low = (tick / SPACING) * SPACING;
        uint256 gas = gasleft();
        _provide(low, low + SPACING, SHOWN);
        _pass(elapsed);
        policy.recordDepth(system.pool, 0);
        pool.burn(low, low + SPACING, SHOWN);
        cost = _gasCost(gas - gasleft(), FAIR);
        _setFeed(2000e8);
    }

    /// @dev After a fall and the whole auction, in one block: the most that any size earns, sold on the venue.
    function _profit() private returns (uint256 profit, uint256 cap) {
        _fallTo(1830);
        lending.flag(borrower, 0);
        _pass(20 minutes);
        _setFeed(1830e8);
        (, cap,) = policy.bucketOf(system.pool, 0);
        (, LiquidationGrant memory grant) = lending.quoteLiquidation(borrower, 0, type(uint256).max);
        for (uint256 i = 1; i <= 20; ++i) {
            uint256 state = vm.snapshotState();
            vm.prank(attacker);
            uint256 earned = liquidator.liquidate(borrower, grant.repay * i / 20, 0);
            if (earned > profit) profit = earned;
            vm.revertToState(state);
        }
    }
}

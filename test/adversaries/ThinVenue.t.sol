// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.34;

import {LiquidationResult} from "../../contracts/interfaces/ILendingPool.sol";
import {Refusal} from "../../contracts/interfaces/ILiquidationPolicy.sol";
import {SystemPlan} from "../../script/SystemPlan.sol";
import {VenueAttackFixture} from "./OracleManipulation.t.sol";

/// @dev The attacks whose cost is that of moving the venue, where it is thinner. Cost falls with depth, and the gain only as far as
/// the bucket does, which passes 70% of a thirtieth of all collateral at least.
contract ThinVenueTest is VenueAttackFixture {
    /// @dev Percent of 5,000 ether, beside 2,400: x/C 0.75, 0.52 (`manipulator` has 0.5) and 0.10 (as `toxic-short` has it). Beside the 2,100
    /// of who holds back 0.60 and 0.12.
    uint128 private constant THREE_QUARTERS = 36;
    uint128 private constant HALF = 25;
    uint128 private constant TENTH = 5;

    // -- holding back one's own liquidation by keeping the venue up

    function test_pumpToHoldBack_AtHalfCostsMoreThanTheDelay() public {
        uint256[3] memory healths = [uint256(0.98e18), 0.99e18, 0.995e18];
        for (uint256 i; i < healths.length; ++i) {
            for (uint256 blocks = 1; blocks <= 2; ++blocks) {
                (uint256 cost, uint256 gain) = _holdBack(HALF, healths[i], blocks);
                assertGt(cost, gain);
            }
        }
    }

    /// The nearer to 1 the cheaper: at a tenth it pays from 0.995 on, and from 0.98 on it does not. What it buys stays 7 basis points of what
    /// the bucket would have passed.
    function test_pumpToHoldBack_AtATenthPaysNearOne() public {
        (uint256 cost, uint256 gain) = _holdBack(TENTH, 0.98e18, 2);
        assertGt(cost, gain);
        (cost, gain) = _holdBack(TENTH, 0.995e18, 1);
        assertLt(cost, gain);
        (cost, gain) = _holdBack(TENTH, 0.995e18, 2);
        assertLt(cost, gain);
    }

    function _holdBack(uint128 percent, uint256 health, uint256 blocks) private returns (uint256 cost, uint256 gain) {
        uint256 state = vm.snapshotState();
        _thin(percent);
        (cost, gain) = _pumpToHoldBack(health, blocks);
        assertLt(gain, _bucketVolume() * 7 / 10_000);
        vm.revertToState(state);
    }

    // -- confirming a feed that is wrong by itself, against arbitrage

    /// At x/C 0.75, where depth is three quarters of a percent of all collateral, it costs more than it gains over one block and two.
    function test_dumpToConfirm_AtThreeQuartersCostsMore() public {
        for (uint256 blocks = 1; blocks <= 2; ++blocks) {
            _confirm(THREE_QUARTERS, 285, 0.99e18, blocks, false);
            _confirm(THREE_QUARTERS, 500, 0.99e18, blocks, false);
            _confirm(THREE_QUARTERS, 500, 0.975e18, blocks, false);
        }
    }

    /// Over one block, and over two with 5% and an account worth 4.2% more than what would break it, it costs more than it gains.
    function test_dumpToConfirm_AtHalfCostsMoreOverOneBlock() public {
        _confirm(HALF, 285, 0.99e18, 1, false);
        _confirm(HALF, 500, 0.99e18, 1, false);
        _confirm(HALF, 500, 0.975e18, 1, false);
        _confirm(HALF, 500, 0.99e18, 2, false);
    }

    /// Over two blocks it pays at half, and at a tenth over one as well. The bound of each attack is a full bucket.
    function test_dumpToConfirm_OnAThinVenueGainIsBounded() public {
        _confirm(HALF, 285, 0.99e18, 2, true);
        _confirm(HALF, 500, 0.975e18, 2, true);
        for (uint256 blocks = 1; blocks <= 2; ++blocks) {
            _confirm(TENTH, 285, 0.99e18, blocks, true);
            _confirm(TENTH, 500, 0.99e18, blocks, true);
            _confirm(TENTH, 500, 0.975e18, blocks, true);
        }
    }

    function _confirm(uint128 percent, uint256 misset, uint256 health, uint256 blocks, bool pays) private {
        uint256 state = vm.snapshotState();
        _thin(percent);
        (uint256 cost, uint256 gain, uint256 most) = _dumpToConfirm(misset, health, blocks, false);
        if (pays) assertGt(gain, cost);
        else assertGt(cost, gain);
        assertLe(gain, most);
        vm.revertToState(state);
    }
}

/// @dev The parameter that makes it dearer: a venue with less depth than three quarters of a percent of all collateral is not asked.
contract ThinVenueWithMinDepthTest is VenueAttackFixture {
    /// @dev All collateral is 4.8 million.
    function _plan(SystemPlan memory plan) internal pure override returns (SystemPlan memory) {
        plan.collaterals[0].venueMinDepth = 36_000e18;
        return plan;
    }

    /// One at half confirms nothing, however far it is moved.
    function test_dumpToConfirm_BelowItConfirmsNothing() public {
        _thin(25);
        _openFor(borrower, 400e18, 640_000e18 - 1e9);
        _setFeed(1908e8);
        assertEq(uint256(_refusal(borrower)), uint256(Refusal.Unconfirmed), "not held back");
        _trade(FAIR / 2);
        for (uint256 i; i < 5; ++i) {
            _nextBlock();
            assertEq(uint256(_refusal(borrower)), uint256(Refusal.Unconfirmed));
        }
    }

    /// The depth that is compared is an average over the minute. Whoever provides a range of his own in the blocks in which he does not push
    /// lifts it above the parameter, takes the range away before he pushes, and gains as if there were none. The bound is the bucket.
    function test_dumpToConfirm_OwnLiquidityLiftsTheVenueAboveIt() public {
        _thin(25);
        _openFor(borrower, 400e18, 640_000e18 - 1e9);
        uint256 health = 0.99e18;
        uint256 price = health * 640_000 / 332;
        uint256 market = price * 10_000 / 9715;
        _arbitrage(market);
        _pass(2 * _window());
        _setFeed(int256(price / 1e10));
        uint256 pushed = market * _power(price * WAD / health * 9999 / 10_000 * WAD / market, 2.5e18) / WAD;
        (, int24 tick,,,,,) = pool.slot0();
        int24 low = tick / 60 * 60 - 60;
        _provide(low, low + 180, LIQUIDITY);
        _pass(3 * BLOCK);
        pool.burn(low, low + 180, LIQUIDITY);
        for (uint256 i; i < 2; ++i) {
            _trade(pushed);
            _nextBlock();
            _arbitrage(market);
        }
        uint256 most = _bucketVolume();
        vm.prank(attacker);
        LiquidationResult memory result = lending.liquidate(borrower, 0, type(uint256).max, "");
        uint256 cost = _tradingLoss(market);
        uint256 gain = result.seized * market / WAD - result.repaid;
        _report("confirm a feed at -285 bp on a thin venue, with liquidity of one's own", cost, gain);
        assertGt(gain, cost);
        assertLe(gain, most * 10_100 / 9715 - most + WAD);
    }
}

// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.34;

import {TwapOracle} from "../../contracts/oracle/TwapOracle.sol";
import {Prices, PriceStatus} from "../../contracts/types/Price.sol";
import {FeedMock} from "../mocks/FeedMock.sol";
import {TwapOracleTestBase} from "./TwapOracleTestBase.sol";

contract TwapOracleTest is TwapOracleTestBase {
    // -- warm-up

    function test_peek_DegradedUntilOneWindowAfterDeployment() public {
        Prices memory prices = oracle.peek();
        assertEq(prices.fast, PRICE_2000);
        assertEq(prices.slow, PRICE_2000);
        assertEq(prices.confirm, PRICE_2000);
        assertEq(prices.cumulative, 0);
        _assertStatus(PriceStatus.Degraded);
        _at(WINDOW - 1);
        _assertStatus(PriceStatus.Degraded);
        _at(WINDOW);
        _assertStatus(PriceStatus.Ok);
    }

    // -- T9: a step of -s is seen by the mean over W as P0 (1 - s t / W); a margin m < s after W m / s

    function test_update_StepResponseIsLinear() public {
        _warm();
        feed.set(1800e8); // s = 10%, not more than the step limit
        _skip(12);
        oracle.update();
        uint256 from = block.timestamp;
        // t = 450: 2000 (1 - 0.1 * 450 / 1800) = 1950. t = 900 (m = 5%): 1900. t = 1800: 1800.
        vm.warp(from + 450);
        feed.set(1800e8);
        (uint256 fast, uint256 slow, PriceStatus status) = oracle.update();
        assertEq(fast, 1.8e27);
        assertEq(slow, 1.95e27);
        assertEq(uint256(status), uint256(PriceStatus.Ok));
        vm.warp(from + 899);
        assertGt(oracle.peek().slow, 1.9e27);
        vm.warp(from + 900);
        assertEq(oracle.peek().slow, 1.9e27);
        vm.warp(from + 1800);
        assertEq(oracle.peek().slow, 1.8e27);
        vm.warp(from + 3000);
        assertEq(oracle.peek().slow, 1.8e27);
    }

    /// @dev A step in the middle of the stretch between two checkpoints is smeared over it: with the checkpoint 900 s
    /// before the step, the mean is exact until the checkpoint moves (t = 900: 1900) and then lags by at most a quarter of
    /// the step. At t = 1350 the window holds 1,350 s before the checkpoint, taken at its mean of 1,900, and 450 s at 1,800:
    /// 1,875, where an exact mean would be 1,850.
    function test_update_StepBetweenCheckpointsLagsByAtMostAQuarter() public {
        _warm();
        _skip(900);
        feed.set(1800e8);
        oracle.update();
        uint256 from = block.timestamp;
        vm.warp(from + 900);
        feed.set(1800.00000001e8); // another price, so that it is recorded
        (, uint256 slow,) = oracle.update();
        assertEq(slow, 1.9e27);
        vm.warp(from + 1350);
        assertApproxEqAbs(oracle.peek().slow, 1.875e27, 1e18);
        vm.warp(from + 2700);
        assertApproxEqAbs(oracle.peek().slow, 1.8e27, 1e19);
    }

    // -- a print is credited with the time after it, never with the time before

    function test_update_PrintOwnsNoTimeInItsOwnSecond() public {
        _warm();
        _skip(WINDOW); // nobody has recorded for a whole window
        feed.set(1900e8);
        (uint256 fast, uint256 slow,) = oracle.update();
        assertEq(fast, 1.9e27);
        assertEq(slow, PRICE_2000);
    }

    function test_update_PrintWeighsNoMoreThanItsTime() public {
        _warm();
        _skip(60);
        feed.set(1000e8); // a wrong print, in force for 36 s = W / 50
        oracle.update();
        _skip(36);
        feed.set(2000e8);
        // 2000 - 1000 / 50 = 1980, now and (at 2,000 since) until the print leaves the window.
        (, uint256 slow,) = oracle.update();
        assertEq(slow, 1.98e27);
        _skip(600);
        assertEq(oracle.peek().slow, 1.98e27);
    }

    // -- cumulative

    function test_update_CumulativeIsTheIntegralOfTheFastPrice() public {
        // 3,600 s at 2,000, then 100 s at 1,900, then 50 s at 2,100: 7.2e6 + 1.9e5 + 1.05e5 = 7,495,000.
        _at(3600);
        feed.set(1900e8);
        oracle.update();
        _skip(100);
        feed.set(2100e8);
        oracle.update();
        _skip(50);
        assertEq(oracle.updateForLiquidation().cumulative, 7_495_000 * 1e24);
        (, uint256 recordedAt, uint256 cumulative,,,,) = oracle.records();
        // The price is unchanged and the record young, so nothing was written: 7.2e6 + 1.9e5 stand there.
        assertEq(recordedAt, start + 3700);
        assertEq(cumulative, 7_390_000 * 1e24);
    }

    // -- jumps

    function test_update_JumpDegradesUntilConfirmed() public {
        _warm();
        _skip(12);
        feed.set(1799e8); // -10.05%
        uint256 from = block.timestamp;
        vm.expectEmit(address(oracle));
        emit TwapOracle.JumpRecorded(PRICE_2000, 1.799e27, from + DELAY);
        (uint256 fast,, PriceStatus status) = oracle.update();
        assertEq(fast, 1.799e27); // never clamped
        assertEq(uint256(status), uint256(PriceStatus.Degraded));
        _assertStatus(PriceStatus.Degraded); // not cleared in the same block by a second reading
        vm.warp(from + 100);
        feed.set(1790e8); // a move within the step neither clears nor prolongs it
        oracle.update();
        (,,, uint256 unconfirmedUntil,,,) = oracle.records();
        assertEq(unconfirmedUntil, from + DELAY);
        vm.warp(from + DELAY - 1);
        _assertStatus(PriceStatus.Degraded);
        vm.warp(from + DELAY);
        _assertStatus(PriceStatus.Ok);
    }

    function test_update_MoveOfExactlyTheStepIsNoJump() public {
        _warm();
        _skip(12);
        feed.set(2200e8);
        (,, PriceStatus status) = oracle.update();
        assertEq(uint256(status), uint256(PriceStatus.Ok));
        _skip(12);
        feed.set(2420.00000001e8);
        (,, status) = oracle.update();
        assertEq(uint256(status), uint256(PriceStatus.Degraded));
    }

    function test_update_JumpBackStartsTheDelayAgain() public {
        _warm();
        feed.set(1000e8);
        _skip(12);
        oracle.update();
        _skip(200);
        feed.set(2000e8);
        oracle.update();
        _skip(DELAY - 1);
        _assertStatus(PriceStatus.Degraded);
        _skip(1);
        _assertStatus(PriceStatus.Ok);
    }

    /// @dev Nobody who does not command the feed can hold the status open: recording ever so often changes nothing.
    function test_update_RecordingOftenDoesNotProlongAJump() public {
        _warm();
        _skip(12);
        feed.set(1000e8);
        oracle.update();
        uint256 from = block.timestamp;
        for (uint256 i = 1; i <= 10; ++i) {
            vm.warp(from + i * 30);
            feed.set(i % 2 == 0 ? int256(1000e8) : int256(1099e8)); // within the step, every time
            (,, PriceStatus status) = oracle.update();
            assertEq(uint256(status), uint256(i < 10 ? PriceStatus.Degraded : PriceStatus.Ok));
        }
    }

    function test_update_JumpWithinTheSecondOfARecordIsRecordedByTheNextBlock() public {
        _warm();
        feed.set(1000e8);
        (uint256 fast,, PriceStatus status) = oracle.update();
        assertEq(fast, 1e27);
        assertEq(uint256(status), uint256(PriceStatus.Degraded));
        (uint256 recorded,,,,,,) = oracle.records();
        assertEq(recorded, PRICE_2000);
        _skip(12);
        oracle.update();
        (,,, uint256 unconfirmedUntil,,,) = oracle.records();
        assertEq(unconfirmedUntil, block.timestamp + DELAY);
    }

    // -- a missing feed

    function test_peek_SlowPriceStandsInForAMissingFeed() public {
        _warm();
        feed.set(1900e8);
        _skip(12);
        oracle.update();
        feed.setBehaviour(FeedMock.Behaviour.Revert);
        _skip(900);
        Prices memory prices = oracle.peek();
        assertEq(prices.slow, 1.95e27); // half a window at 2,000, half at 1,900
        assertEq(prices.fast, 1.95e27);
        _assertStatus(PriceStatus.Degraded);
    }

    function test_peek_DownAfterTheStandInLimitAndBackWithTheFeed() public {
        _warm();
        venue.set(3e27, 1);
        feed.setBehaviour(FeedMock.Behaviour.Revert);
        _skip(STAND_IN_LIMIT);
        _assertStatus(PriceStatus.Degraded);
        _skip(1);
        Prices memory prices = oracle.updateForLiquidation();
        assertEq(uint256(prices.status), uint256(PriceStatus.Down));
        assertEq(prices.fast, 0);
        assertEq(prices.slow, 0);
        assertEq(prices.confirm, 0);
        assertEq(prices.cumulative, (2 * WINDOW + STAND_IN_LIMIT + 1) * PRICE_2000);
        feed.setBehaviour(FeedMock.Behaviour.Answer);
        feed.set(2000e8);
        _assertStatus(PriceStatus.Ok);
    }

    /// @dev An unchanged price is recorded once a window, so that the stand-in limit runs from a time near its last sight.
    function test_update_UnchangedPriceIsRecordedOnceAWindow() public {
        _warm();
        (, uint256 before,,,,,) = oracle.records();
        _skip(WINDOW - 1);
        feed.set(2000e8);
        oracle.update();
        (, uint256 recordedAt,,,,,) = oracle.records();
        assertEq(recordedAt, before);
        _skip(1);
        oracle.update();
        (, recordedAt,,,,,) = oracle.records();
        assertEq(recordedAt, before + WINDOW);
    }

    // -- the confirming venue

    function test_updateForLiquidation_ConfirmsByTheVenue() public {
        _warm();
        venue.set(1.7e27, 5e12);
        assertEq(oracle.updateForLiquidation().confirm, 1.7e27);
        assertEq(oracle.depth(), 5e12);
    }

    function test_updateForLiquidation_FallsBackToSlow() public {
        _warm();
        venue.set(0, 0);
        assertEq(oracle.updateForLiquidation().confirm, PRICE_2000);
        venue.set(1.7e27, 5e12);
        venue.misbehave(true, false);
        assertEq(oracle.updateForLiquidation().confirm, PRICE_2000);
        assertEq(oracle.depth(), 0);
        venue.misbehave(false, true);
        uint256 before = gasleft();
        assertEq(oracle.updateForLiquidation().confirm, PRICE_2000);
        assertLt(before - gasleft(), 350_000);
    }

    // -- one reading

    function testFuzz_peek_EqualsUpdateForLiquidation(uint256 seed) public {
        for (uint256 i; i < 24; ++i) {
            uint256 random = uint256(keccak256(abi.encode(seed, i)));
            _skip(random % 4 == 0 ? (random >> 8) % 9000 : (random >> 8) % 400);
            if (random % 3 != 0) feed.set(int256(1500e8 + (random >> 32) % 700e8));
            feed.setBehaviour(random % 7 == 0 ? FeedMock.Behaviour.Revert : FeedMock.Behaviour.Answer);
            venue.set(random % 5 == 0 ? 0 : 1.9e27, 0);
            Prices memory before = oracle.peek();
            Prices memory prices = oracle.updateForLiquidation();
            _assertSame(before, prices);
            _assertSame(oracle.peek(), prices);
            (uint256 fast, uint256 slow, PriceStatus status) = oracle.update();
            assertEq(fast, prices.fast);
            assertEq(slow, prices.slow);
            assertEq(uint256(status), uint256(prices.status));
        }
    }
}

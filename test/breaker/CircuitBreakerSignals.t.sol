// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.34;

import {Conditions, Velocity} from "../../contracts/breaker/BreakerRecords.sol";
import {BreakerLevel} from "../../contracts/interfaces/ICircuitBreaker.sol";
import {BreakerTestBase} from "./BreakerTestBase.sol";

/// @dev What is recorded, when, and by whom.
contract CircuitBreakerSignalsTest is BreakerTestBase {
    function test_observe_FirstInitialises() public {
        _assertLevel(_observe(PRICE), BreakerLevel.Normal);
        Conditions memory c = breaker.conditionsOf(pool);
        assertEq(c.shortFee, 10 gwei);
        assertEq(c.longFee, 10 gwei);
        assertEq(c.fee, 10 gwei);
        assertEq(c.missedShare, 0);
        assertEq(c.time, vm.getBlockTimestamp());
        Velocity memory v = breaker.velocityOf(pool, 0);
        assertApproxEqRel(uint256(v.anchor) << v.anchorShift, PRICE, 1e4);
        assertEq(v.anchorTime, vm.getBlockTimestamp());
        assertEq(v.recent, v.anchor);
    }

    /// 10 -> 1,000 gwei between two records: the short average takes the lower (no change), the long one the higher:
    /// 10e9 + 990e9 * 60/86460 = 10,687,022,900 (rounded down).
    /// Another minute at 1,000: short 10e9 + 990e9 * 60/360 = 175e9; long + (1e12 - 10,687,022,900) * 60/86460 = 11,373,569,032.
    function test_poke_FeeAveragesByHand() public {
        _poke();
        vm.fee(1000 gwei);
        _seconds(60);
        _poke();
        Conditions memory c = breaker.conditionsOf(pool);
        assertEq(c.shortFee, 10 gwei);
        assertEq(c.longFee, 10_687_022_900);
        _seconds(60);
        _poke();
        c = breaker.conditionsOf(pool);
        assertEq(c.shortFee, 175 gwei);
        assertEq(c.longFee, 11_373_569_032);
        assertEq(c.feeStreak, 1); // 175 >= 8 * 11.37
    }

    /// A dear block after hours of silence, and a silence after one dear record, do not stand for the hours.
    function test_poke_OneBlockDoesNotOwnASilence() public {
        _poke();
        _seconds(6 hours);
        vm.fee(5000 gwei);
        _poke();
        assertEq(breaker.conditionsOf(pool).shortFee, 10 gwei);
        _seconds(6 hours);
        vm.fee(10 gwei);
        _poke();
        assertEq(breaker.conditionsOf(pool).shortFee, 10 gwei);
        assertEq(breaker.conditionsOf(pool).feeStreak, 0);
    }

    function test_poke_LongSilenceThenOrdinaryFeesAreCalm() public {
        _poke();
        vm.fee(200 gwei);
        for (uint256 i = 0; i < 10; ++i) {
            _seconds(3 days);
            _assertLevel(_poke(), BreakerLevel.Normal);
        }
    }

    function test_poke_BaseFeeBeyondTheFieldSaturates() public {
        vm.fee(type(uint64).max);
        _poke();
        assertEq(breaker.conditionsOf(pool).fee, type(uint48).max);
        _seconds(60);
        _assertLevel(_poke(), BreakerLevel.Normal);
        assertEq(breaker.conditionsOf(pool).shortFee, type(uint48).max);
    }

    function test_poke_BaseFeeZeroNeverTrips() public {
        vm.fee(0);
        for (uint256 i = 0; i < 20; ++i) {
            _assertLevel(_poke(), BreakerLevel.Normal);
            _seconds(60);
        }
        assertEq(breaker.conditionsOf(pool).feeStreak, 0);
    }

    /// From 0 to 19 gwei is any multiple of the day's fee, and below the floor.
    function test_poke_BelowTheFloorNeverTrips() public {
        vm.fee(0);
        _poke();
        vm.fee(19 gwei);
        for (uint256 i = 0; i < 100; ++i) {
            _seconds(60);
            _assertLevel(_poke(), BreakerLevel.Normal);
        }
        assertEq(breaker.conditionsOf(pool).feeStreak, 0);
    }

    function test_poke_ManyCallsInABlockRecordOnce() public {
        _poke();
        _pass(10, 4);
        vm.fee(500 gwei);
        _poke();
        bytes32 recorded = keccak256(abi.encode(breaker.conditionsOf(pool)));
        vm.fee(50_000 gwei);
        for (uint256 i = 0; i < 10; ++i) {
            _poke();
            _observe(0);
        }
        assertEq(keccak256(abi.encode(breaker.conditionsOf(pool))), recorded);
    }

    /// One record in 60 s while calm, one in 12 s once a signal is on.
    function test_poke_IntervalShortensInAlert() public {
        _poke();
        _pass(4, 4);
        _poke();
        assertEq(breaker.conditionsOf(pool).time, vm.getBlockTimestamp() - 48);
        _pass(6, 0);
        _poke();
        Conditions memory c = breaker.conditionsOf(pool);
        assertEq(c.time, vm.getBlockTimestamp());
        assertEq(c.missedShare, 6000); // 10 slots, 4 blocks
        assertEq(c.lateStreak, 1);
        _pass(1, 1);
        _poke();
        c = breaker.conditionsOf(pool);
        assertEq(c.time, vm.getBlockTimestamp());
        assertEq(c.missedShare, 5400);
        assertEq(c.lateStreak, 2);
    }

    /// Two observations of a signal, then ten minutes of silence: the streak starts again.
    function test_poke_StreakNeedsObservationsNearEachOther() public {
        _poke();
        _pass(10, 5);
        _poke();
        _pass(10, 5);
        _poke();
        assertEq(breaker.conditionsOf(pool).lateStreak, 2);
        _pass(50, 25);
        _assertLevel(_poke(), BreakerLevel.Normal);
        assertEq(breaker.conditionsOf(pool).lateStreak, 1);
    }

    function test_observe_VelocityStreakNeedsObservationsNearEachOther() public {
        _observe(PRICE);
        _seconds(12);
        _observe(PRICE / 2);
        _seconds(12);
        _observe(PRICE / 2);
        assertEq(breaker.velocityOf(pool, 0).streak, 2);
        _seconds(600);
        // From 1,000 to 100 in 10 minutes: a move of 90% counts as 45% in five.
        _assertLevel(_observe(PRICE / 20), BreakerLevel.Normal);
        assertEq(breaker.velocityOf(pool, 0).streak, 1);
    }

    /// Whoever pokes first in every block does not keep prices from being recorded.
    function test_observe_PokesDoNotHidePrices() public {
        _observe(PRICE);
        for (uint256 i = 0; i < 3; ++i) {
            _seconds(12);
            _poke();
            _observe(PRICE * 9 / 10);
        }
        _assertLevel(breaker.levelOf(pool), BreakerLevel.Stressed);
    }

    function test_observe_ManyPricesInABlockCountOnce() public {
        _observe(PRICE);
        _seconds(12);
        for (uint256 i = 0; i < 10; ++i) {
            _assertLevel(_observe(PRICE / 2), BreakerLevel.Normal);
        }
        assertEq(breaker.velocityOf(pool, 0).streak, 1);
    }

    /// A price read in the block of the first one is not yet a move.
    function test_observe_NoMoveWithinOneBlock() public {
        _observe(PRICE);
        _observe(PRICE * 100);
        Velocity memory v = breaker.velocityOf(pool, 0);
        assertEq(v.streak, 0);
        assertApproxEqRel(uint256(v.recent) << v.recentShift, PRICE, 1e4);
    }

    /// 1.6% every 30 s is 16% in five minutes: no single step is a tenth, the anchor between 150 and 300 s old sees it.
    function test_observe_SlowSlideIsSeen() public {
        uint256 price = PRICE;
        BreakerLevel worst;
        for (uint256 i = 0; i < 20; ++i) {
            BreakerLevel level = _observe(price);
            if (level > worst) worst = level;
            price = price * 984 / 1000;
            _pass(5, 5);
            _observe(price);
            price = price * 984 / 1000;
        }
        assertGe(uint256(worst), uint256(BreakerLevel.Stressed));
    }

    /// 1% a minute is 5% in five minutes.
    function test_observe_OrdinarySlideIsNot() public {
        uint256 price = PRICE;
        for (uint256 i = 0; i < 60; ++i) {
            _assertLevel(_observe(price), BreakerLevel.Normal);
            price = price * 99 / 100;
            _seconds(60);
        }
    }

    /// A calm price writes nothing but its anchors: recent is renewed every half window.
    function test_observe_AnchorRotatesEachHalfWindow() public {
        _observe(PRICE);
        uint256 start = vm.getBlockTimestamp();
        _seconds(144);
        _observe(PRICE);
        assertEq(breaker.velocityOf(pool, 0).recentTime, start);
        _seconds(12);
        _observe(PRICE * 101 / 100);
        Velocity memory v = breaker.velocityOf(pool, 0);
        assertEq(v.anchorTime, start);
        assertEq(v.recentTime, start + 156);
        _seconds(156);
        _observe(PRICE);
        v = breaker.velocityOf(pool, 0);
        assertEq(v.anchorTime, start + 156);
        assertEq(v.recentTime, start + 312);
        assertApproxEqRel(uint256(v.anchor) << v.anchorShift, PRICE * 101 / 100, 1e4);
    }

    function test_observe_ZeroPriceRecordsNoPrice() public {
        _observe(0);
        assertEq(breaker.velocityOf(pool, 0).anchorTime, 0);
        assertEq(breaker.conditionsOf(pool).time, vm.getBlockTimestamp());
    }

    /// A stranger's prices are the stranger's own.
    function test_observe_StateBelongsToTheCaller() public {
        _observe(PRICE);
        address stranger = makeAddr("stranger");
        for (uint256 i = 0; i < 10; ++i) {
            vm.prank(stranger);
            breaker.observe(0, i == 0 ? PRICE : PRICE / 2);
            _seconds(12);
        }
        assertGt(uint256(breaker.levelOf(stranger)), 0);
        _assertLevel(breaker.levelOf(pool), BreakerLevel.Normal);
        assertEq(breaker.velocityOf(pool, 0).streak, 0);
    }

    function test_observe_CollateralsAreIndependent() public {
        for (uint256 i = 0; i < 6; ++i) {
            vm.startPrank(pool);
            breaker.observe(0, PRICE);
            breaker.observe(1, PRICE / 1e12 * (i % 2 + 1));
            vm.stopPrank();
            _seconds(12);
        }
        assertEq(breaker.velocityOf(pool, 0).streak, 0);
        assertGt(breaker.velocityOf(pool, 1).anchorTime, 0);
    }

    function testFuzz_observe_NeverRevertsAndLevelOfAgrees(
        uint256[8] memory prices,
        uint64[8] memory fees,
        uint32[8] memory gaps
    ) public {
        for (uint256 i = 0; i < 8; ++i) {
            _observe(prices[i]);
            _poke();
            vm.fee(fees[i]);
            vm.warp(vm.getBlockTimestamp() + gaps[i] % 1e7);
            vm.roll(vm.getBlockNumber() + gaps[i] % 977);
        }
    }
}

// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.34;

import {Test} from "forge-std/Test.sol";
import {Bucket, DepthObservation, VolumeBucket} from "../../contracts/libraries/VolumeBucket.sol";

contract VolumeBucketTest is Test {
    using VolumeBucket for Bucket;

    uint256 private constant RHO = 0.5e18;
    uint256 private constant MEMORY = 1 hours;

    function setUp() public {
        // a whole minute
        vm.warp(1_700_000_040);
    }

    /// @dev What came before, as the policy keeps it beside the bucket.
    DepthObservation private seen;

    function _new(uint256 reading, uint256 floor) private returns (Bucket memory bucket) {
        DepthObservation memory none;
        seen = bucket.observe(none, reading, floor, RHO, MEMORY);
    }

    /// @dev A bucket past its opening, whose last observation confirms any reading, at `floor`.
    function _averaging(uint256 reading, uint256 floor) private returns (Bucket memory bucket) {
        bucket = _new(reading, floor);
        seen.opening = false;
        seen.reading = type(uint104).max;
    }

    /// @dev What the policy does with it.
    function _advance(Bucket memory bucket, uint256 reading, uint256 floor) private {
        if (bucket.mayObserve() && bucket.isDue(seen)) seen = bucket.observe(seen, reading, floor, RHO, MEMORY);
        else bucket.refill(RHO);
    }

    function _wait(uint256 duration) private {
        vm.warp(vm.getBlockTimestamp() + duration);
    }

    /// @dev C = 1,200,000: C 60 / (0.5 * 14,400) = C / 120 = 10,000.
    function test_depthFloor_IsTheDepthThatRefillsAllInThePeriod() public pure {
        uint256 floor = VolumeBucket.depthFloor(1_200_000, RHO, 4 hours);
        // C is first divided by T, rounded down: floor(1,200,000 / 14,400) = 83, 83 * 120 = 9,960
        assertEq(floor, 9960);
        assertEq(VolumeBucket.depthFloor(1_440_000e6, RHO, 4 hours), 12_000e6);
        // its refill is C / T: 12,000e6 * 0.5 / 60 = 100e6 a second = 1,440,000e6 / 14,400
        Bucket memory bucket;
        bucket.depth = 12_000e6;
        assertEq(bucket.refillRateWad(RHO), 100e6 * 1e18);
        // nothing to protect: still 1, so that no cap is 0
        assertEq(VolumeBucket.depthFloor(0, RHO, 4 hours), 1);
    }

    function test_advance_StartsFull() public {
        Bucket memory bucket = _new(5000, 1000);
        assertEq(bucket.depth, 5000);
        assertEq(bucket.level, 10_000);
        assertEq(bucket.capOf(), 10_000);
        assertEq(bucket.fullnessDown(), 1e18);
        assertEq(bucket.updatedAt, 1_700_000_040);
    }

    function test_advance_HoldsReadingsBetweenOneFloorAndSixteen() public {
        assertEq(_new(0, 1000).depth, 1000);
        assertEq(_new(999, 1000).depth, 1000);
        assertEq(_new(16_000, 1000).depth, 16_000);
        assertEq(_new(type(uint256).max, 1000).depth, 16_000);
    }

    function test_availableDown_IsTheLevelAboveTheReserve() public {
        Bucket memory bucket = _new(5000, 1000);
        assertEq(bucket.availableDown(0.3e18), 7000);
        bucket.charge(6999);
        assertEq(bucket.availableDown(0.3e18), 1);
        bucket.charge(1);
        assertEq(bucket.availableDown(0.3e18), 0);
        bucket.charge(1);
        assertEq(bucket.availableDown(0.3e18), 0);
        // the reserve rounds up: 0.3 * 2 = 0.6, up 1
        assertEq(_new(1, 1).availableDown(0.3e18), 1);
    }

    function test_charge_NeverGoesBelowZero() public {
        Bucket memory bucket = _new(5000, 1000);
        bucket.charge(10_001);
        assertEq(bucket.level, 0);
        bucket.charge(type(uint256).max);
        assertEq(bucket.level, 0);
    }

    /// @dev depth 6,000: 0.5 * 6,000 / 60 = 50 a second, cap 12,000, so empty to full in 240 s.
    function test_advance_RefillsLinearlyUpToTheCap() public {
        Bucket memory bucket = _new(6000, 6000);
        bucket.charge(12_000);
        _wait(30);
        _advance(bucket, 6000, 6000);
        assertEq(bucket.level, 1500);
        assertEq(bucket.fullnessDown(), 0.125e18);
        _wait(210);
        _advance(bucket, 6000, 6000);
        assertEq(bucket.level, 12_000);
        _wait(1 days);
        _advance(bucket, 6000, 6000);
        assertEq(bucket.level, 12_000);
    }

    function test_advance_RoundsRefillDown() public {
        Bucket memory bucket = _new(119, 119);
        bucket.charge(1000);
        _wait(1);
        // 0.5 * 119 / 60 = 0.99
        _advance(bucket, 119, 119);
        assertEq(bucket.level, 0);
    }

    /// @dev A second between a big reading and the next update refills at the rate stored before it.
    /// @dev Otherwise the first sale after a quiet day would leave a day to refill from, and the block takes two bursts.
    function test_advance_CountsTheTimeThatAFullBucketLetPass() public {
        Bucket memory bucket = _averaging(5000, 1000);
        _wait(1 days);
        _advance(bucket, 5000, 1000);
        _wait(30);
        bucket.refill(RHO);
        assertEq(bucket.updatedAt, vm.getBlockTimestamp());
        bucket.charge(7000);
        bucket.refill(RHO);
        assertEq(bucket.level, 3000);
    }

    function test_advance_RefillsAtTheRateOfTheLastUpdate() public {
        Bucket memory bucket = _averaging(6000, 1000);
        bucket.charge(12_000);
        _wait(60);
        _advance(bucket, 16_000, 1000);
        assertEq(bucket.level, 3000, "50 a second, not more");
        // 6,000 + (16,000 - 6,000) * 60 / 3,600 = 6,166.67, up
        assertEq(bucket.depth, 6167);
    }

    function test_advance_GivesNoWeightAtOnce() public {
        Bucket memory bucket = _averaging(6000, 1000);
        _advance(bucket, 16_000, 1000);
        assertEq(bucket.depth, 6000);
        _wait(59);
        assertFalse(bucket.mayObserve());
        _advance(bucket, 16_000, 1000);
        assertEq(bucket.depth, 6000, "one reading a minute");
        // the boundary of the minute, though the last update was a second ago
        _wait(1);
        assertTrue(bucket.mayObserve());
        _advance(bucket, 16_000, 1000);
        assertEq(bucket.depth, 6167);
    }

    /// @dev Two seconds on either side of a full minute are not a minute: 40 s after it they are. 100 s then weigh:
    /// 6,000 + 10,000 * 100 / 3,600 = 6,277.8, up.
    function test_advance_KeepsAMinuteBetweenObservations() public {
        _wait(59);
        Bucket memory bucket = _averaging(6000, 1000);
        _wait(2);
        assertTrue(bucket.mayObserve());
        assertFalse(bucket.isDue(seen));
        _advance(bucket, 16_000, 1000);
        assertEq(bucket.depth, 6000);
        _wait(57);
        assertFalse(bucket.isDue(seen));
        _wait(41);
        _advance(bucket, 16_000, 1000);
        assertEq(bucket.depth, 6278);
    }

    /// @dev However long the silence, a reading weighs at most a quarter: 6,000 -> 6,000 + 10,000 / 4 = 8,500, and down
    /// 6,000 - 5,000 / 4 = 4,750.
    function test_advance_GivesOneReadingAQuarterAtMost() public {
        Bucket memory bucket = _averaging(6000, 1000);
        _wait(30 days);
        _advance(bucket, type(uint256).max, 1000);
        assertEq(bucket.depth, 8500);
        bucket = _averaging(6000, 1000);
        _wait(30 days);
        _advance(bucket, 0, 1000);
        assertEq(bucket.depth, 4750);
    }

    function test_advance_CutsTheLevelToAFallingCap() public {
        Bucket memory bucket = _averaging(6000, 1000);
        _wait(1 days);
        _advance(bucket, 0, 1000);
        assertEq(bucket.level, 9500);
        assertEq(bucket.capOf(), 9500);
    }

    // -- what one transaction shows

    /// @dev 41 times the collateral and any depth for one transaction: nothing, after whatever silence. The honest
    /// observation that follows counts as itself: min(41 floors, 1 floor).
    function test_observe_OneInflatedObservationMovesNothing() public {
        Bucket memory bucket = _new(6000, 1000);
        _wait(1 minutes);
        _advance(bucket, 6000, 1000);
        _wait(7 days);
        _advance(bucket, type(uint256).max, 41_000);
        assertEq(bucket.depth, 6000);
        assertEq(bucket.level, 12_000);
        _wait(1 minutes);
        _advance(bucket, 6000, 1000);
        assertEq(bucket.depth, 6000);
    }

    /// @dev Two in a row, each with whatever it takes, are believed, for the weight of the time between them and at most at
    /// 16 averages: 6,000 + 15 * 6,000 * 60 / 3,600 = 7,500, a quarter.
    function test_observe_TwoInflatedObservationsAMinuteApartMoveAQuarter() public {
        Bucket memory bucket = _new(6000, 1000);
        _wait(1 minutes);
        _advance(bucket, 6000, 1000);
        _wait(7 days);
        _advance(bucket, type(uint256).max, 1e12);
        assertEq(bucket.depth, 6000);
        _wait(1 minutes);
        _advance(bucket, type(uint256).max, 1e12);
        assertEq(bucket.depth, 7500);
    }

    /// @dev One low observation counts twice, as itself and against its successor: 6,000 - 5,000 * 60 / 3,600 = 5,916.67, up;
    /// then 5,917 - 4,917 / 60 = 5,835.05, up.
    function test_observe_OneLowObservationCountsTwiceAndNoMore() public {
        Bucket memory bucket = _averaging(6000, 1000);
        seen.reading = 6000;
        _wait(1 minutes);
        _advance(bucket, 0, 1000);
        assertEq(bucket.depth, 5917);
        _wait(1 minutes);
        _advance(bucket, 6000, 1000);
        assertEq(bucket.depth, 5836);
        _wait(1 minutes);
        _advance(bucket, 6000, 1000);
        // 5,836 + 164 / 60 = 5,838.7
        assertEq(bucket.depth, 5839);
    }

    /// @dev The bucket opens at its first observation alone. The second puts in its place what both show; the fullness,
    /// 90,000 of 120,000, is kept.
    function test_observe_TheSecondObservationCorrectsTheOpening() public {
        Bucket memory bucket = _new(60_000, 41_000);
        assertEq(bucket.depth, 60_000);
        // 500 a second refill 30,000 of the 60,000 taken
        bucket.charge(60_000);
        _wait(60);
        _advance(bucket, 6000, 1000);
        assertEq(bucket.depth, 6000);
        assertEq(bucket.level, 9000);
        assertFalse(seen.opening);
        // upwards too
        bucket = _new(0, 1000);
        _wait(60);
        _advance(bucket, 6000, 1000);
        assertEq(bucket.depth, 1000, "the first saw no venue");
        _wait(60);
        _advance(bucket, 6000, 1000);
        // 1,000 + 5,000 / 60, up
        assertEq(bucket.depth, 1084);
    }

    /// @dev Opened in an empty market, which then grows to a floor of 1e12: a reading a minute has the average at half of it in
    /// less than three hours, and is never stuck.
    function test_observe_RecoversFromAnEmptyMarket() public {
        Bucket memory bucket = _new(0, 1);
        _wait(60);
        _advance(bucket, 0, 1);
        assertEq(bucket.depth, 1);
        _wait(30 days);
        uint256 readings;
        for (; bucket.depth < 0.5e12; ++readings) {
            _advance(bucket, 1e12, 1e12);
            _wait(60);
        }
        assertLt(readings, 180);
        assertGt(readings, 60);
    }

    /// @dev Tenfold, after a silence: the first observation is only remembered, the others close 1/60 of the gap each.
    /// (59/60)^41 = 0.502, (59/60)^42 = 0.494: half of it after 43 readings.
    function test_observe_HalvesTheGapOfATenfoldMarketInThreeQuartersOfAnHour() public {
        Bucket memory bucket = _new(0, 1e12);
        _wait(60);
        _advance(bucket, 0, 1e12);
        _wait(30 days);
        uint256 readings;
        for (; bucket.depth < 5.5e12; ++readings) {
            _advance(bucket, 0, 1e13);
            _wait(60);
        }
        assertEq(readings, 43);
    }

    function test_advance_SaturatesAtItsWidth() public {
        Bucket memory bucket = _new(type(uint256).max, type(uint256).max);
        assertEq(bucket.depth, type(uint104).max);
        assertEq(bucket.level, uint256(type(uint104).max) * 2);
        bucket.charge(type(uint128).max);
        _wait(1 days);
        _advance(bucket, type(uint256).max, type(uint256).max);
        assertEq(bucket.level, uint256(type(uint104).max) * 2);
    }

    function test_advance_SurvivesTheWrapOfItsClock() public {
        vm.warp(uint256(type(uint32).max) - 29);
        Bucket memory bucket = _new(6000, 6000);
        bucket.charge(12_000);
        _wait(60);
        _advance(bucket, 6000, 6000);
        assertEq(bucket.level, 3000);
        assertEq(bucket.updatedAt, 30);
    }

    function testFuzz_advance_MoreOftenNeverFillsMore(uint256 depth, uint256 parts, uint256 step) public {
        depth = bound(depth, 1, 1e30);
        parts = bound(parts, 1, 20);
        step = bound(step, 1, 120);
        Bucket memory often = _new(depth, depth);
        often.charge(type(uint256).max);
        Bucket memory once = _new(depth, depth);
        once.charge(type(uint256).max);
        for (uint256 i; i < parts; ++i) {
            _wait(step);
            _advance(often, depth, depth);
        }
        _advance(once, depth, depth);
        assertLe(often.level, once.level);
        assertEq(often.depth, depth);
    }

    /// @dev Whatever a venue answers and whenever: the depth stays within the floors it was shown and grows by at most a
    /// quarter of 16 floors a reading.
    function testFuzz_advance_KeepsDepthWithinTheFloors(uint256[12] memory readings, uint256[12] memory waits) public {
        Bucket memory bucket = _new(readings[0], 1e12);
        for (uint256 i; i < 12; ++i) {
            _wait(bound(waits[i], 0, 2 hours));
            uint256 before = bucket.depth;
            _advance(bucket, readings[i], 1e12);
            assertGe(bucket.depth, 1e12 - 1);
            assertLe(bucket.depth, 16e12);
            assertLe(bucket.depth, before + 4e12);
            assertLe(bucket.level, bucket.capOf());
        }
    }
}

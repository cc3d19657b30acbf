// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.34;

import {Test} from "forge-std/Test.sol";
import {Bucket, VolumeBucket} from "../../contracts/libraries/VolumeBucket.sol";

contract VolumeBucketTest is Test {
    using VolumeBucket for Bucket;

    uint256 private constant RHO = 0.5e18;
    uint256 private constant MEMORY = 1 hours;

    function setUp() public {
        // a whole minute
        vm.warp(1_700_000_040);
    }

    function _new(uint256 reading, uint256 floor) private view returns (Bucket memory bucket) {
        bucket.advance(reading, floor, RHO, MEMORY);
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

    function test_advance_StartsFull() public view {
        Bucket memory bucket = _new(5000, 1000);
        assertEq(bucket.depth, 5000);
        assertEq(bucket.level, 10_000);
        assertEq(bucket.capOf(), 10_000);
        assertEq(bucket.fullnessDown(), 1e18);
        assertEq(bucket.updatedAt, 1_700_000_040);
    }

    function test_advance_HoldsReadingsBetweenOneFloorAndSixteen() public view {
        assertEq(_new(0, 1000).depth, 1000);
        assertEq(_new(999, 1000).depth, 1000);
        assertEq(_new(16_000, 1000).depth, 16_000);
        assertEq(_new(type(uint256).max, 1000).depth, 16_000);
    }

    function test_availableDown_IsTheLevelAboveTheReserve() public view {
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

    function test_charge_NeverGoesBelowZero() public view {
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
        bucket.advance(6000, 6000, RHO, MEMORY);
        assertEq(bucket.level, 1500);
        assertEq(bucket.fullnessDown(), 0.125e18);
        _wait(210);
        bucket.advance(6000, 6000, RHO, MEMORY);
        assertEq(bucket.level, 12_000);
        _wait(1 days);
        bucket.advance(6000, 6000, RHO, MEMORY);
        assertEq(bucket.level, 12_000);
    }

    function test_advance_RoundsRefillDown() public {
        Bucket memory bucket = _new(119, 119);
        bucket.charge(1000);
        _wait(1);
        // 0.5 * 119 / 60 = 0.99
        bucket.advance(119, 119, RHO, MEMORY);
        assertEq(bucket.level, 0);
    }

    /// @dev A second between a big reading and the next update refills at the rate stored before it.
    function test_advance_RefillsAtTheRateOfTheLastUpdate() public {
        Bucket memory bucket = _new(6000, 1000);
        bucket.charge(12_000);
        _wait(60);
        bucket.advance(16_000, 1000, RHO, MEMORY);
        assertEq(bucket.level, 3000, "50 a second, not more");
        // 6,000 + (16,000 - 6,000) * 60 / 3,600 = 6,166
        assertEq(bucket.depth, 6166);
    }

    function test_advance_GivesNoWeightAtOnce() public {
        Bucket memory bucket = _new(6000, 1000);
        bucket.advance(16_000, 1000, RHO, MEMORY);
        assertEq(bucket.depth, 6000);
        _wait(59);
        assertFalse(bucket.wantsReading());
        bucket.advance(16_000, 1000, RHO, MEMORY);
        assertEq(bucket.depth, 6000, "one reading a minute");
        // the boundary of the minute, though the last update was a second ago
        _wait(1);
        assertTrue(bucket.wantsReading());
        bucket.advance(16_000, 1000, RHO, MEMORY);
        assertEq(bucket.depth, 6166);
    }

    /// @dev However long the silence, a reading weighs at most a quarter: 6,000 -> 6,000 + 10,000 / 4 = 8,500, and down
    /// 6,000 - 5,000 / 4 = 4,750.
    function test_advance_GivesOneReadingAQuarterAtMost() public {
        Bucket memory bucket = _new(6000, 1000);
        _wait(30 days);
        bucket.advance(type(uint256).max, 1000, RHO, MEMORY);
        assertEq(bucket.depth, 8500);
        bucket = _new(6000, 1000);
        _wait(30 days);
        bucket.advance(0, 1000, RHO, MEMORY);
        assertEq(bucket.depth, 4750);
    }

    function test_advance_CutsTheLevelToAFallingCap() public {
        Bucket memory bucket = _new(6000, 1000);
        _wait(1 days);
        bucket.advance(0, 1000, RHO, MEMORY);
        assertEq(bucket.level, 9500);
        assertEq(bucket.capOf(), 9500);
    }

    function test_advance_SaturatesAtItsWidth() public {
        Bucket memory bucket = _new(type(uint256).max, type(uint256).max);
        assertEq(bucket.depth, uint256(type(uint112).max) / 2);
        assertEq(bucket.level, uint256(type(uint112).max) - 1);
        bucket.charge(type(uint128).max);
        _wait(1 days);
        bucket.advance(type(uint256).max, type(uint256).max, RHO, MEMORY);
        assertEq(bucket.level, uint256(type(uint112).max) - 1);
    }

    function test_advance_SurvivesTheWrapOfItsClock() public {
        vm.warp(uint256(type(uint32).max) - 29);
        Bucket memory bucket = _new(6000, 6000);
        bucket.charge(12_000);
        _wait(60);
        bucket.advance(6000, 6000, RHO, MEMORY);
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
            often.advance(depth, depth, RHO, MEMORY);
        }
        once.advance(depth, depth, RHO, MEMORY);
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
            bucket.advance(readings[i], 1e12, RHO, MEMORY);
            assertGe(bucket.depth, 1e12 - 1);
            assertLe(bucket.depth, 16e12);
            assertLe(bucket.depth, before + 4e12);
            assertLe(bucket.level, bucket.capOf());
        }
    }
}

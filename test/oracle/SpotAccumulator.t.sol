// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.34;

import {Test} from "forge-std/Test.sol";
import {SpotAccumulator} from "../../contracts/oracle/SpotAccumulator.sol";
import {SpotSourceMock} from "../mocks/SpotSourceMock.sol";

contract SpotAccumulatorTest is Test {
    uint256 private constant PRICE = 2e27;
    uint256 private constant DEPTH = 200_000e6;

    SpotSourceMock private spot;
    SpotAccumulator private accumulator;

    function setUp() public {
        vm.warp(1_700_000_000);
        spot = new SpotSourceMock(PRICE, DEPTH);
        accumulator = new SpotAccumulator(spot, 60, 15, 1000e6);
    }

    function _record(uint256 price) private {
        vm.warp(block.timestamp + 12);
        _falsify(price);
    }

    /// @dev Moves the spot price, records, moves it back: one transaction.
    function _falsify(uint256 price) private {
        (uint256 before, uint256 depth) = (spot.spotPrice(), spot.spotDepth());
        spot.set(price, depth);
        accumulator.record();
        spot.set(before, depth);
    }

    function _cover() private {
        for (uint256 i; i < 6; ++i) {
            _record(PRICE);
        }
        assertEq(accumulator.averagePrice(), PRICE);
    }

    // -- when it answers

    function test_averagePrice_AnswersOnceAnUnbrokenRunCoversTheWindow() public {
        vm.warp(block.timestamp + 1000);
        accumulator.record();
        for (uint256 i; i < 4; ++i) {
            _record(PRICE);
            assertEq(accumulator.averagePrice(), 0);
        }
        _record(PRICE); // 60 s after the first
        assertEq(accumulator.averagePrice(), PRICE);
        vm.warp(block.timestamp + 15);
        assertEq(accumulator.averagePrice(), PRICE);
        vm.warp(block.timestamp + 1);
        assertEq(accumulator.averagePrice(), 0);
    }

    function test_record_AGapBreaksTheRun() public {
        _cover();
        vm.warp(block.timestamp + 16);
        accumulator.record();
        assertEq(accumulator.averagePrice(), 0);
        for (uint256 i; i < 4; ++i) {
            _record(PRICE);
            assertEq(accumulator.averagePrice(), 0);
        }
        _record(PRICE);
        assertEq(accumulator.averagePrice(), PRICE);
    }

    /// @dev Samples at 1,800 from now on. The first interval has the median of (2000, 2000, 1800), every later one 1,800:
    /// after 60 s, 12 s at 2,000 and 48 s at 1,800 make 1,840; 12 s later it is 1,800 (the checkpoint moved just then, so
    /// that the window before it counts as its mean: after n further intervals, ((5 - n) 1840 + n 1800) / 5).
    function test_averagePrice_FollowsATrueFallOneSampleLate() public {
        for (uint256 i; i < 5; ++i) {
            _record(PRICE);
        }
        spot.set(1.8e27, DEPTH);
        for (uint256 i; i < 5; ++i) {
            _record(1.8e27);
        }
        assertEq(accumulator.averagePrice(), 1.84e27);
        _record(1.8e27);
        assertEq(accumulator.averagePrice(), 1.832e27);
        for (uint256 i; i < 4; ++i) {
            _record(1.8e27);
        }
        assertEq(accumulator.averagePrice(), 1.8e27);
    }

    // -- attacks

    function testFuzz_record_OneFalseSampleMovesNothing(uint256 price, uint8 after_) public {
        price = bound(price, 1e22, 1e30);
        _cover();
        _record(price);
        assertEq(accumulator.averagePrice(), PRICE);
        for (uint256 i; i < after_ % 10; ++i) {
            _record(PRICE);
            assertEq(accumulator.averagePrice(), PRICE);
        }
    }

    /// @dev Two false samples in a row own the time between them, at the lesser of the two: 12 s of 60 at +1%, not at +900%.
    function test_record_TwoFalseSamplesMoveAsFarAsTheLesser() public {
        _cover();
        _record(PRICE * 10);
        _record(PRICE * 101 / 100);
        assertEq(accumulator.averagePrice(), PRICE + PRICE / 100 * 12 / 60);
    }

    function test_record_FirstSampleOfASecondCounts() public {
        _cover();
        _record(PRICE);
        _falsify(PRICE * 2);
        _record(PRICE);
        _falsify(PRICE * 2);
        assertEq(accumulator.averagePrice(), PRICE);
    }

    /// @dev What is recorded right before and right after a long silence owns none of it.
    function test_record_SilenceIsNeverCredited() public {
        _cover();
        vm.warp(block.timestamp + 1);
        _falsify(PRICE * 3);
        vm.warp(block.timestamp + 59);
        _falsify(PRICE * 3);
        assertEq(accumulator.averagePrice(), 0);
        for (uint256 i; i < 5; ++i) {
            _record(PRICE);
        }
        assertEq(accumulator.averagePrice(), PRICE);
    }

    /// @dev The new price after a silence needs two samples, and then has all of the run.
    function test_record_TheFirstSampleAfterASilenceCounts() public {
        _cover();
        vm.warp(block.timestamp + 1000);
        spot.set(1.8e27, DEPTH);
        accumulator.record();
        for (uint256 i; i < 5; ++i) {
            _record(1.8e27);
        }
        assertEq(accumulator.averagePrice(), 1.8e27);
    }

    function test_depth_IsTheLeastOfThree() public {
        assertEq(accumulator.depth(), 0); // nothing sampled yet
        _cover();
        assertEq(accumulator.depth(), DEPTH);
        spot.set(PRICE, DEPTH * 9);
        assertEq(accumulator.depth(), DEPTH);
        _record(PRICE);
        assertEq(accumulator.depth(), DEPTH);
        spot.set(PRICE, DEPTH / 2);
        assertEq(accumulator.depth(), DEPTH / 2);
        spot.set(PRICE, type(uint256).max);
        _record(PRICE);
        _record(PRICE);
        assertEq(accumulator.depth(), type(uint128).max);
    }

    function test_averagePrice_NotAnsweredWithoutDepth() public {
        _cover();
        spot.set(PRICE, 999e6);
        _record(PRICE);
        assertEq(accumulator.averagePrice(), 0);
        spot.set(PRICE, 1000e6);
        _record(PRICE);
        assertEq(accumulator.averagePrice(), 0);
        _record(PRICE);
        assertEq(accumulator.averagePrice(), PRICE);
    }

    // -- bounds

    function test_RevertWhen_TheSpotPriceIsOutOfRange() public {
        vm.warp(block.timestamp + 1);
        spot.set(0, DEPTH);
        vm.expectRevert(abi.encodeWithSelector(SpotAccumulator.SpotOutOfRange.selector, 0));
        accumulator.record();
        spot.set(type(uint256).max, DEPTH);
        vm.expectRevert(abi.encodeWithSelector(SpotAccumulator.SpotOutOfRange.selector, type(uint256).max));
        accumulator.record();
        spot.set(0, 0);
        vm.expectRevert(abi.encodeWithSelector(SpotAccumulator.SpotOutOfRange.selector, 0));
        new SpotAccumulator(spot, 60, 15, 0);
    }

    function test_RevertWhen_TheWindowIsInvalid() public {
        uint32[2][4] memory invalid = [[uint32(0), 15], [uint32(60), 0], [uint32(60), 31], [uint32(1 days + 1), 15]];
        for (uint256 i; i < 4; ++i) {
            vm.expectRevert(
                abi.encodeWithSelector(SpotAccumulator.InvalidWindow.selector, invalid[i][0], invalid[i][1])
            );
            this.deploy(invalid[i][0], invalid[i][1]);
        }
    }

    /// @dev Between the lowest and the highest sample, whatever the samples and their times.
    function testFuzz_averagePrice_WithinTheSamples(uint256 seed) public {
        (uint256 low, uint256 high) = (PRICE, PRICE);
        for (uint256 i; i < 40; ++i) {
            uint256 random = uint256(keccak256(abi.encode(seed, i)));
            uint256 price = bound(random, 1e25, 1e29);
            if (price < low) low = price;
            if (price > high) high = price;
            vm.warp(block.timestamp + 1 + (random >> 200) % 16);
            _falsify(price);
            uint256 average = accumulator.averagePrice();
            if (average == 0) continue;
            assertGe(average + 3 * accumulator.PRICE_UNIT(), low);
            assertLe(average, high);
        }
    }

    /// @dev Called from outside: a failed deployment reverts the frame it is in, and what follows in a test would never run.
    function deploy(uint32 window, uint32 interval) external {
        new SpotAccumulator(spot, window, interval, 0);
    }
}

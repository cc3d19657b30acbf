// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.34;

import {Test} from "forge-std/Test.sol";
import {BonusClock, Flag} from "../../contracts/libraries/BonusClock.sol";

contract BonusClockTest is Test {
    uint256 private constant PRICE = 1.25e27;

    function setUp() public {
        vm.warp(1_700_000_000);
    }

    function _wait(uint256 duration) private {
        vm.warp(vm.getBlockTimestamp() + duration);
    }

    function test_read_BeginsWithoutAFlag() public view {
        Flag memory none;
        (uint256 elapsed, bool restarts) = BonusClock.read(none, 0.9e18, PRICE, 5);
        assertEq(elapsed, 0);
        assertTrue(restarts);
    }

    function test_read_KeepsAFlagOfThisSecond() public view {
        (uint256 elapsed, bool restarts) = BonusClock.read(BonusClock.begin(7e36), 0.9e18, PRICE, 7e36);
        assertEq(elapsed, 0);
        assertFalse(restarts);
    }

    /// @dev HF = 0.98 at 1.25e27; HF = 1 at 1.25e27 / 0.98 = 1.27551...e27. An average below counts, above it does not.
    function test_read_CountsWhileTheAveragePriceIsUnhealthy() public {
        Flag memory flag = BonusClock.begin(7e36);
        _wait(100);
        (uint256 elapsed, bool restarts) = BonusClock.read(flag, 0.98e18, PRICE, 7e36 + 100 * 1.2755e27);
        assertEq(elapsed, 100);
        assertFalse(restarts);
        (elapsed, restarts) = BonusClock.read(flag, 0.98e18, PRICE, 7e36 + 100 * 1.2756e27);
        assertEq(elapsed, 0);
        assertTrue(restarts);
    }

    function test_read_SurvivesTheWrapOfTheAccumulator() public {
        uint256 start = type(uint256).max - 1e20;
        Flag memory flag = BonusClock.begin(start);
        _wait(100);
        uint256 later;
        unchecked {
            later = start + 100 * PRICE;
        }
        (uint256 elapsed, bool restarts) = BonusClock.read(flag, 0.98e18, PRICE, later);
        assertEq(elapsed, 100);
        assertFalse(restarts);
    }

    function test_read_HoldsAtTheLargestPrices() public {
        Flag memory flag = BonusClock.begin(0);
        _wait(1000);
        (uint256 elapsed, bool restarts) = BonusClock.read(flag, 0.98e18, 1e72, 1000 * 1e72);
        assertEq(elapsed, 1000);
        assertFalse(restarts);
        // an average 1e72 times the price overflows nothing
        (, restarts) = BonusClock.read(flag, 0.98e18, 1, 1000 * 1e72);
        assertTrue(restarts);
        (, restarts) = BonusClock.read(flag, 1, 1e54, 1000 * 1e71);
        assertFalse(restarts, "HF 1e-18 * 1e17 is unhealthy");
        // a worthless position is unhealthy at any price
        (elapsed, restarts) = BonusClock.read(flag, 0, 1, 1000 * 1e72);
        assertEq(elapsed, 1000);
        assertFalse(restarts);
    }

    /// @dev At prices from 1e15 the dropped bits move a minute's average by at most 2^41 / 60 = 3.7e10: a tenth of a percent
    /// above the threshold is told from below it.
    function testFuzz_read_IsExactUpToTheDroppedBits(uint256 price, uint256 start, uint256 duration) public {
        price = bound(price, 1e15, 1e60);
        start = bound(start, 0, 1e70);
        duration = bound(duration, 60, 30 days);
        Flag memory flag = BonusClock.begin(start);
        _wait(duration);
        (uint256 elapsed,) = BonusClock.read(flag, 0.99e18, price, start + price * duration);
        assertEq(elapsed, duration);
        (, bool restarts) = BonusClock.read(flag, 1e18 - 1e12, price, start + (price + price / 1000) * duration);
        assertTrue(restarts);
    }
}

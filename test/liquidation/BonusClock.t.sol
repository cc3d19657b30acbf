// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.34;

import {Test} from "forge-std/Test.sol";
import {BonusClock, ClockReading, Flag} from "../../contracts/libraries/BonusClock.sol";

contract BonusClockTest is Test {
    uint256 private constant PRICE = 1.25e27;
    uint256 private constant TAU = 20 minutes;

    function setUp() public {
        vm.warp(1_700_000_000);
    }

    function _wait(uint256 duration) private {
        vm.warp(vm.getBlockTimestamp() + duration);
    }

    function _begin(uint256 cumulative) private view returns (Flag memory) {
        Flag memory none;
        ClockReading memory reading = BonusClock.read(none, 0.9e18, PRICE, cumulative, TAU);
        assertTrue(reading.changed);
        return reading.flag;
    }

    function _read(Flag memory flag, uint256 health, uint256 price, uint256 cumulative)
        private
        view
        returns (uint256 elapsed, bool restarts)
    {
        ClockReading memory reading = BonusClock.read(flag, health, price, cumulative, TAU);
        restarts = reading.changed && reading.flag.since == vm.getBlockTimestamp();
        elapsed = reading.elapsed;
    }

    function test_read_BeginsWithoutAFlag() public view {
        Flag memory none;
        ClockReading memory reading = BonusClock.read(none, 0.9e18, PRICE, 5 << 40, TAU);
        assertEq(reading.elapsed, 0);
        assertTrue(reading.changed);
        assertEq(reading.flag.since, 1_700_000_000);
        assertEq(reading.flag.cumulative, 5);
    }

    function test_read_KeepsAFlagOfThisSecond() public view {
        Flag memory flag = _begin(7e36);
        ClockReading memory reading = BonusClock.read(flag, 0.9e18, PRICE, 7e36, TAU);
        assertEq(reading.elapsed, 0);
        assertFalse(reading.changed);
        assertEq(abi.encode(reading.flag), abi.encode(flag));
    }

    /// @dev HF = 0.98 at 1.25e27; HF = 1 at 1.25e27 / 0.98 = 1.27551...e27. An average below counts, above it does not.
    function test_read_CountsWhileTheAveragePriceIsUnhealthy() public {
        Flag memory flag = _begin(7e36);
        _wait(100);
        (uint256 elapsed, bool restarts) = _read(flag, 0.98e18, PRICE, 7e36 + 100 * 1.2755e27);
        assertEq(elapsed, 100);
        assertFalse(restarts);
        (elapsed, restarts) = _read(flag, 0.98e18, PRICE, 7e36 + 100 * 1.2756e27);
        assertEq(elapsed, 0);
        assertTrue(restarts);
    }

    function test_read_SurvivesTheWrapOfTheAccumulator() public {
        uint256 start = type(uint256).max - 1e20;
        Flag memory flag = _begin(start);
        _wait(100);
        uint256 later;
        unchecked {
            later = start + 100 * PRICE;
        }
        (uint256 elapsed, bool restarts) = _read(flag, 0.98e18, PRICE, later);
        assertEq(elapsed, 100);
        assertFalse(restarts);
    }

    function test_read_HoldsAtTheLargestPrices() public {
        Flag memory flag = _begin(0);
        _wait(1000);
        (uint256 elapsed, bool restarts) = _read(flag, 0.98e18, 1e72, 1000 * 1e72);
        assertEq(elapsed, 1000);
        assertFalse(restarts);
        // an average 1e72 times the price overflows nothing
        (, restarts) = _read(flag, 0.98e18, 1, 1000 * 1e72);
        assertTrue(restarts);
        (, restarts) = _read(flag, 1, 1e54, 1000 * 1e71);
        assertFalse(restarts, "HF 1e-18 * 1e17 is unhealthy");
        // a worthless position is unhealthy at any price
        (elapsed, restarts) = _read(flag, 0, 1, 1000 * 1e72);
        assertEq(elapsed, 1000);
        assertFalse(restarts);
    }

    /// @dev 4 tau = 80 minutes: found earlier, the flag stays; found then, it is moved up to tau = 20 minutes ago, at the
    /// average price: of 1.2e27 here.
    function test_read_MovesAnOldFlagUp() public {
        Flag memory flag = _begin(7e36);
        _wait(80 minutes - 1);
        ClockReading memory reading = BonusClock.read(flag, 0.98e18, PRICE, 7e36 + 4799 * 1.2e27, TAU);
        assertEq(reading.elapsed, 4799);
        assertFalse(reading.changed);
        _wait(1);
        reading = BonusClock.read(flag, 0.98e18, PRICE, 7e36 + 4800 * 1.2e27, TAU);
        assertEq(reading.elapsed, 4800);
        assertTrue(reading.changed);
        assertEq(reading.flag.since, vm.getBlockTimestamp() - 1200);
        assertApproxEqAbs(reading.flag.cumulative, (7e36 + 3600 * 1.2e27) >> 40, 1);
        // its clock goes on where it was, for the bonus: at the end
        reading = BonusClock.read(reading.flag, 0.98e18, PRICE, 7e36 + 4800 * 1.2e27, TAU);
        assertEq(reading.elapsed, 1200);
        assertFalse(reading.changed);
    }

    /// @dev 12 tau = 4 hours.
    function test_read_RestartsWhenAFlagExpires() public {
        Flag memory flag = _begin(7e36);
        _wait(4 hours);
        (uint256 elapsed, bool restarts) = _read(flag, 0.98e18, PRICE, 7e36 + 14_400 * PRICE);
        assertEq(elapsed, 4 hours);
        assertFalse(restarts);
        _wait(1);
        (elapsed, restarts) = _read(flag, 0.98e18, PRICE, 7e36 + 14_401 * PRICE);
        assertEq(elapsed, 0);
        assertTrue(restarts);
    }

    /// @dev With a call every eight auctions at least, over a wrap of the accumulator too, a clock at a constant price never
    /// restarts: one that is not moved up is younger than 4 tau, so younger than 12 at the next call.
    function testFuzz_read_KeepsAClockThatIsMovedUp(uint256 price, uint256 start, uint256[8] memory waits) public {
        price = bound(price, 1e15, 1e60);
        start = bound(start, 0, type(uint256).max);
        Flag memory flag = _begin(start);
        for (uint256 i; i < 8; ++i) {
            uint256 duration = bound(waits[i], 60, 8 * TAU);
            _wait(duration);
            unchecked {
                start += price * duration;
            }
            ClockReading memory reading = BonusClock.read(flag, 0.99e18, price, start, TAU);
            assertGe(reading.elapsed, duration);
            assertTrue(!reading.changed || reading.flag.since == vm.getBlockTimestamp() - TAU);
            flag = reading.flag;
        }
    }

    /// @dev At prices from 1e15 the dropped bits move a minute's average by at most 2^41 / 60 = 3.7e10: a tenth of a percent
    /// above the threshold is told from below it.
    function testFuzz_read_IsExactUpToTheDroppedBits(uint256 price, uint256 start, uint256 duration) public {
        price = bound(price, 1e15, 1e60);
        start = bound(start, 0, 1e70);
        duration = bound(duration, 60, 12 * TAU);
        Flag memory flag = _begin(start);
        _wait(duration);
        (uint256 elapsed,) = _read(flag, 0.99e18, price, start + price * duration);
        assertEq(elapsed, duration);
        (, bool restarts) = _read(flag, 1e18 - 1e12, price, start + (price + price / 1000) * duration);
        assertTrue(restarts);
    }
}

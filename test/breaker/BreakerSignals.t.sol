// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.34;

import {Test} from "forge-std/Test.sol";
import {BreakerSignals} from "../../contracts/breaker/BreakerSignals.sol";

contract BreakerSignalsTest is Test {
    /// 100 + 300 * 300/(300 + 300) = 250; 400 - 300 * 100/400 = 325.
    function test_average_ByHand() public pure {
        assertEq(BreakerSignals.average(100, 400, 300, 300), 250);
        assertEq(BreakerSignals.average(400, 100, 100, 300), 325);
        assertEq(BreakerSignals.average(0, 0, 100, 300), 0);
    }

    function testFuzz_average_NoWeightAtZero(uint128 value, uint128 sample, uint32 window) public pure {
        assertEq(BreakerSignals.average(value, sample, 0, uint256(window) + 1), value);
    }

    function testFuzz_average_BetweenOldAndSample(uint128 value, uint128 sample, uint64 elapsed, uint32 window)
        public
        pure
    {
        uint256 next = BreakerSignals.average(value, sample, elapsed, uint256(window) + 1);
        assertGe(next, value < sample ? value : sample);
        assertLe(next, value < sample ? sample : value);
    }

    /// A thousand windows of silence leave a thousandth of the old value.
    function test_average_LongSilenceForgets() public pure {
        assertEq(BreakerSignals.average(1001e9, 0, 300_000, 300), 1e9);
    }

    /// 25 steps of 12 s over a window of 300 s: (1/1.04)^25 = 0.37512 of the difference is left, e^-1 = 0.36788 in the limit.
    function test_average_SmallStepsFollowTheExponential() public pure {
        uint256 value = 1e18;
        for (uint256 i = 0; i < 25; ++i) {
            value = BreakerSignals.average(value, 0, 12, 300);
        }
        assertApproxEqAbs(value, 0.375116802254e18, 1e8);
    }

    /// Four missed slots and a block: 4 of 10. Then a block in time: 9/10 of that.
    function test_missedShare_FourInTen() public pure {
        assertEq(BreakerSignals.missedShare(0, 5, 1, 10), 4000);
        assertEq(BreakerSignals.missedShare(4000, 1, 1, 10), 3600);
        assertEq(BreakerSignals.missedShare(4000, 2, 1, 10), 4200); // (4000 * 8 + 10000) / 10
    }

    /// From a whole window on only the new slots count: 5 of 20 are missing.
    function test_missedShare_LongerThanWindow() public pure {
        assertEq(BreakerSignals.missedShare(9000, 20, 15, 10), 2500);
        assertEq(BreakerSignals.missedShare(9000, 10, 10, 10), 0);
        assertEq(BreakerSignals.missedShare(0, 1 << 63, 0, 10), 10_000);
    }

    function test_missedShare_MoreBlocksThanSlots() public pure {
        assertEq(BreakerSignals.missedShare(3000, 1, 40, 10), 2700);
    }

    function test_missedShare_NoTimeChangesNothing() public pure {
        assertEq(BreakerSignals.missedShare(3000, 0, 0, 10), 3000);
    }

    function testFuzz_missedShare_IsAShare(uint16 share, uint64 slots, uint256 blocks, uint8 window) public pure {
        uint256 next =
            BreakerSignals.missedShare(bound(share, 0, 10_000), slots, blocks, bound(uint256(window), 1, 100));
        assertLe(next, 10_000);
    }

    /// 100 -> 90 and 100 -> 110 are 1,000 bp; in twice the window half of that, within the window all of it.
    function test_velocity_ByHand() public pure {
        assertEq(BreakerSignals.velocity(90, 100, 0, 300, 300), 1000);
        assertEq(BreakerSignals.velocity(110, 100, 0, 1, 300), 1000);
        assertEq(BreakerSignals.velocity(90, 100, 0, 600, 300), 500);
        assertEq(BreakerSignals.velocity(100, 100, 0, 600, 300), 0);
        assertEq(BreakerSignals.velocity(0, 100, 0, 300, 300), 10_000);
    }

    function test_velocity_HostilePrices() public pure {
        assertGt(BreakerSignals.velocity(type(uint256).max, 1, 0, 1, 3600), 1e20);
        assertLt(BreakerSignals.velocity(type(uint256).max, 1, 0, 1, 3600), 1 << 128);
        (uint256 mantissa, uint256 shift) = BreakerSignals.compress(type(uint256).max);
        assertEq(BreakerSignals.velocity(type(uint256).max, mantissa, shift, 1, 300), 0);
        assertEq(BreakerSignals.velocity(1, mantissa, shift, 1, 300), 10_000);
    }

    function testFuzz_velocity_MeasuresTenPercent(uint256 price) public pure {
        price = bound(price, 1e4, type(uint256).max / 20);
        (uint256 mantissa, uint256 shift) = BreakerSignals.compress(price);
        assertApproxEqAbs(BreakerSignals.velocity(price / 10 * 9, mantissa, shift, 300, 300), 1000, 10);
        assertApproxEqAbs(BreakerSignals.velocity(price / 10 * 11, mantissa, shift, 300, 300), 1000, 10);
    }

    function testFuzz_compress_RoundsDownByLittle(uint256 price) public pure {
        (uint256 mantissa, uint256 shift) = BreakerSignals.compress(price);
        assertLt(mantissa, 1 << 48);
        assertLe(shift, 208);
        uint256 back = mantissa << shift;
        assertLe(back, price);
        assertLe(price - back, price >> 47);
        if (price != 0) assertGt(mantissa, 0);
    }

    /// On at the limit, on down to 0.8 of it, off below; a new streak needs the whole limit again.
    function test_streak_Hysteresis() public pure {
        assertEq(BreakerSignals.streak(0, 99, 100), 0);
        assertEq(BreakerSignals.streak(0, 100, 100), 1);
        assertEq(BreakerSignals.streak(1, 80, 100), 2);
        assertEq(BreakerSignals.streak(2, 79, 100), 0);
        assertEq(BreakerSignals.streak(14, 100, 100), 15);
        assertEq(BreakerSignals.streak(15, 100, 100), 15);
    }
}

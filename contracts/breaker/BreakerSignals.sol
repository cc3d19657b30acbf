// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {BASIS_POINTS} from "../types/Constants.sol";
import {FixedPointMathLib} from "solady/utils/FixedPointMathLib.sol";

/// @title What a circuit breaker measures
/// @dev No function has any weight for a time of 0, and none reverts.
library BreakerSignals {
    /// @notice The longest streak that is told apart from a longer one.
    uint256 internal constant MAX_STREAK = 15;

    /// @notice The next value of an average with time constant `window`:
    ///
    ///     previous + (sample - previous) * elapsed / (window + elapsed)
    ///
    /// @dev The implicit Euler step of the exponential average: no weight at 0, all of it after a long silence, never past
    /// the sample. Steps that are small against the window follow 1 - e^(-t/window); one long step weighs less (1/2
    /// instead of 0.63 after one window), so seldom observed breakers are slower to trip.
    /// @param previous At most 2^128.
    /// @param sample At most 2^128.
    /// @param elapsed Seconds, at most 2^64.
    function average(uint256 previous, uint256 sample, uint256 elapsed, uint256 window)
        internal
        pure
        returns (uint256)
    {
        unchecked {
            if (sample >= previous) return previous + (sample - previous) * elapsed / (window + elapsed);
            return previous - (previous - sample) * elapsed / (window + elapsed);
        }
    }

    /// @notice The share of slots missed over the last `window` slots, basis points, after `blocks` blocks in `slots` slots:
    /// the new slots as they were, and in the place of the older ones the old share, thinned in proportion.
    /// @dev More blocks than slots count as none missed.
    /// @param slots Slots since the last observation; below 2^64.
    /// @param window Not 0.
    function missedShare(uint256 share, uint256 slots, uint256 blocks, uint256 window) internal pure returns (uint256) {
        unchecked {
            uint256 missed = slots > blocks ? (slots - blocks) * BASIS_POINTS : 0;
            if (slots >= window) return missed / slots;
            return (share * (window - slots) + missed) / window;
        }
    }

    /// @notice The move of a price from an anchor, basis points of the anchor within `window`: a move that took longer than
    /// the window counts in proportion.
    /// @param price Any scale, the anchor's too.
    /// @param mantissa The anchor is mantissa * 2^shift, as `compress` made it; not 0.
    /// @param age Seconds since the anchor.
    function velocity(uint256 price, uint256 mantissa, uint256 shift, uint256 age, uint256 window)
        internal
        pure
        returns (uint256)
    {
        unchecked {
            // Anything from 2^64 on is a rise by a factor of at least 2^16.
            price = FixedPointMathLib.min(price >> shift, type(uint64).max);
            uint256 move = FixedPointMathLib.dist(price, mantissa) * BASIS_POINTS / mantissa;
            return age > window ? move * window / age : move;
        }
    }

    /// @notice A price in 56 bits, rounded down by less than 2^-47 of it.
    /// @return mantissa Below 2^48; 0 only for 0.
    /// @return shift The power of two that it counts.
    function compress(uint256 price) internal pure returns (uint256 mantissa, uint256 shift) {
        unchecked {
            if (price >> 48 != 0) shift = FixedPointMathLib.log2(price) - 47;
            mantissa = price >> shift;
        }
    }

    /// @notice The number of consecutive observations with a signal on: it goes on at `limit` and off below 0.8 of it.
    /// @param value At most 2^128, as is `limit`.
    function streak(uint256 before, uint256 value, uint256 limit) internal pure returns (uint256) {
        unchecked {
            bool on = before == 0 ? value >= limit : value * 10 >= limit * 8;
            if (!on) return 0;
            return before < MAX_STREAK ? before + 1 : MAX_STREAK;
        }
    }
}

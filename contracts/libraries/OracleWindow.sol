// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

/// @notice A price, a time, the price's integral up to that time, and 16 bits for the owner's use, in one slot.
/// From the lowest bit: price 88, time 32, cumulative 120, mark 16.
/// @dev A cumulative is at most 2^88 * 2^32, so it cannot overflow while the time does not; times count from the owner's
/// deployment, so they last 136 years.
type Observation is uint256;

using OracleWindow for Observation global;

/// @title A time-weighted average over a fixed window, from two slots
/// @notice `latest` is the price in force since its time. `checkpoint` is an earlier time: its `price` is the mean over the
/// window that ended there, its `cumulative` the integral up to there. What lies before the checkpoint is known by its mean
/// only, and the window reaches into it by as much as it is short: hence a mean over exactly one window, at any time.
///
/// A price in force for d seconds never weighs more than d / window. Between checkpoint and latest, a stretch of length
/// s >= i contributes its mean for i seconds, so a second of it weighs i / (s * window) <= 1 / window; before the
/// checkpoint the same holds by induction, times (window - age) / window.
///
/// The owner must move the checkpoint when it records at an age of one window or more (`needsCheckpoint`); then `latest` and
/// `checkpoint` lie less than one window apart, and nothing older than three windows enters a mean.
library OracleWindow {
    uint256 internal constant MAX_PRICE = type(uint88).max;
    uint256 private constant TIME_OFFSET = 88;
    uint256 private constant CUMULATIVE_OFFSET = 120;
    uint256 private constant MARK_OFFSET = 240;

    /// @dev The caller ensures that every field fits.
    function pack(uint256 price_, uint256 time_, uint256 cumulative_, uint256 mark_)
        internal
        pure
        returns (Observation)
    {
        return Observation.wrap(
            price_ | (time_ << TIME_OFFSET) | (cumulative_ << CUMULATIVE_OFFSET) | (mark_ << MARK_OFFSET)
        );
    }

    /// @notice The price in force since `time`; of a checkpoint, the mean over the window that ended at `time`.
    function price(Observation self) internal pure returns (uint256) {
        return Observation.unwrap(self) & type(uint88).max;
    }

    /// @notice Seconds since the owner's deployment.
    function time(Observation self) internal pure returns (uint256) {
        return (Observation.unwrap(self) >> TIME_OFFSET) & type(uint32).max;
    }

    /// @notice The integral of the price up to `time`, in price * seconds.
    function cumulative(Observation self) internal pure returns (uint256) {
        return (Observation.unwrap(self) >> CUMULATIVE_OFFSET) & type(uint120).max;
    }

    /// @notice The owner's 16 bits.
    function mark(Observation self) internal pure returns (uint256) {
        return Observation.unwrap(self) >> MARK_OFFSET;
    }

    /// @notice The integral of the price up to `now_`, at or after `time`.
    function cumulativeAt(Observation self, uint256 now_) internal pure returns (uint256) {
        unchecked {
            return self.cumulative() + self.price() * (now_ - self.time());
        }
    }

    /// @notice The mean price over the `window` seconds that end at `now_`. Rounded down, by less than two units.
    /// @dev Needs checkpoint.time <= latest.time <= now_, and both less than `window` apart. No product exceeds 2^152.
    function mean(Observation latest, Observation checkpoint, uint256 now_, uint256 window)
        internal
        pure
        returns (uint256)
    {
        unchecked {
            uint256 gap = now_ - latest.time();
            if (gap >= window) return latest.price();
            uint256 sum = latest.price() * gap;
            uint256 between = latest.cumulative() - checkpoint.cumulative();
            uint256 age = now_ - checkpoint.time();
            if (age > window) {
                // The window begins between the two: take its share of what lies between, at the mean. The divisor is
                // positive because gap < window < age.
                sum += between * (window - gap) / (age - gap);
            } else {
                sum += between + checkpoint.price() * (window - age);
            }
            return sum / window;
        }
    }

    /// @notice Whether a record at `now_` must move the checkpoint to `now_`, with the mean at `now_` as its price.
    function needsCheckpoint(Observation checkpoint, uint256 now_, uint256 window) internal pure returns (bool) {
        unchecked {
            return now_ - checkpoint.time() >= window;
        }
    }
}

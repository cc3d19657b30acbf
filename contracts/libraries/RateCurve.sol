// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {RateParameters} from "../interfaces/IRateModel.sol";
import {WAD} from "../types/Constants.sol";
import {FixedPointMathLib} from "solady/utils/FixedPointMathLib.sol";

/// @notice What `RateCurve` needs of `RateParameters`, in two words: a pool keeps them as two immutables, reads each with one
/// PUSH32, and passes them without touching memory. Made by `RateCurve.pack`.
/// @dev Bits 0-63 target utilisation, 64-127 low multiplier, 128-255 high multiplier; WAD.
type RateShape is uint256;

/// @notice How the rate at target moves.
/// @dev Bits 0-47 smallest and 48-95 largest log rate (int48, scaled by 1e12), 96-255 adaptation speed (WAD per second).
type RateDrift is uint256;

/// @title The borrow-rate curve, kinked or adaptive
/// @notice With u the utilisation and t its target, the error is
///
///     e = (u - t) / (1 - t) above the target, (u - t) / t below it                        in [-1, 1]
///
/// The rate is `rateAtTarget` times a multiplier, straight from `low` (e = -1) through 1 (e = 0) to `high` (e = 1):
///
///     m = 1 + (high - 1) e above the target, 1 + (1 - low) e below it
///
/// Over `elapsed` seconds at constant utilisation the logarithm of `rateAtTarget` moves by x = speed * e * elapsed and stops
/// at its bounds. The average of `rateAtTarget` is the trapezoidal rule on the start, the middle and the end:
///
///     average = (r(0) + 2 r(1/2) + r(1)) / 4,   r(s) = exp(clamp(log + s x, min, max))
///
/// (Formulas: Morpho's AdaptiveCurveIRM, as published in its documentation.) Speed 0 is a kinked curve.
/// @dev Accuracy: `average` is within 1e-9 relative plus half a unit (5e-19 per second, 1.6e-11 a year) of the same formulas
/// in real numbers. Logs are rounded to the nearest 1e-12, so a step errs by at most 5e-13 and neither direction is favoured.
/// A step below 5e-13 does not move the log: at 50 a year and 12 seconds, that is a utilisation within 2.6e-8 of the target.
///
/// Between bounds the rule overstates the mean of the exponential by the factor (x/4) coth(x/4) <= 1 + x^2/48: 1.0004 for
/// a day at full error and 50 a year. Accruing more often takes that margin off the charge, and no more.
library RateCurve {
    /// @notice The highest rate that a curve may reach anywhere, WAD per second: 1,000% a year.
    uint256 internal constant MAX_RATE = 10e18 / uint256(365 days);

    /// @notice The fastest adaptation, WAD per second: 1,000 a year, a factor of e in 8.8 hours.
    uint256 internal constant MAX_ADAPTATION_SPEED = 1000e18 / uint256(365 days);

    /// @dev From the log's scale, 1e12, to WAD.
    int256 private constant LOG_TO_WAD = 1e6;

    /// @dev ln(1e18) in WAD, to nearest: added to a WAD logarithm it makes the exponential come out scaled by 1e36, where
    /// rates of 1e-9 per second keep 27 digits.
    int256 private constant LN_WAD = 41_446_531_673_892_822_312;

    /// @notice The target is not strictly between 0 and 1.
    error TargetUtilisationOutOfRange(uint256 targetUtilisation);
    /// @notice The low multiplier is above 1 or the high one below 1.
    error MultipliersOutOfRange(uint256 lowMultiplier, uint256 highMultiplier);
    /// @notice Not 0 < minimum <= initial <= maximum.
    error RateBoundsInvalid(uint256 minRateAtTarget, uint256 initialRateAtTarget, uint256 maxRateAtTarget);
    /// @notice The curve would reach more than `MAX_RATE` at full utilisation.
    error RateTooHigh(uint256 maxRateAtTarget, uint256 highMultiplier);
    /// @notice Above `MAX_ADAPTATION_SPEED`.
    error AdaptationTooFast(uint256 adaptationSpeed);

    /// @notice Validates parameters and packs what `average` needs of them.
    function pack(RateParameters memory p) internal pure returns (RateShape shape, RateDrift drift) {
        if (p.targetUtilisation == 0 || p.targetUtilisation >= WAD) {
            revert TargetUtilisationOutOfRange(p.targetUtilisation);
        }
        if (p.lowMultiplier > WAD || p.highMultiplier < WAD) {
            revert MultipliersOutOfRange(p.lowMultiplier, p.highMultiplier);
        }
        if (
            p.minRateAtTarget == 0 || p.minRateAtTarget > p.initialRateAtTarget
                || p.initialRateAtTarget > p.maxRateAtTarget
        ) revert RateBoundsInvalid(p.minRateAtTarget, p.initialRateAtTarget, p.maxRateAtTarget);
        // Also bounds the multiplier to 128 bits, and every logarithm to (-41.5, -14.9).
        if (p.highMultiplier > MAX_RATE * WAD / p.maxRateAtTarget) {
            revert RateTooHigh(p.maxRateAtTarget, p.highMultiplier);
        }
        if (p.adaptationSpeed > MAX_ADAPTATION_SPEED) revert AdaptationTooFast(p.adaptationSpeed);

        shape = RateShape.wrap(p.targetUtilisation | p.lowMultiplier << 64 | p.highMultiplier << 128);
        drift = RateDrift.wrap(
            uint256(uint48(int48(logOf(p.minRateAtTarget)))) | uint256(uint48(int48(logOf(p.maxRateAtTarget)))) << 48
                | p.adaptationSpeed << 96
        );
    }

    /// @notice The average borrow rate over `elapsed` seconds at constant utilisation, and the log rate at their end.
    /// @param utilisation WAD; above 1 counts as 1.
    /// @param logRateAtTarget ln(rate at target per second), scaled by 1e12: `logOf` the initial rate, then always what this
    /// function returned.
    /// @param elapsed Seconds; capped at 2^64 - 1. 0 gives the rate of this moment.
    /// @return rate WAD per second, to nearest.
    /// @return newLogRateAtTarget Scaled by 1e12, to nearest, within the bounds.
    function average(RateShape shape, RateDrift drift, uint256 utilisation, int256 logRateAtTarget, uint256 elapsed)
        internal
        pure
        returns (uint256 rate, int256 newLogRateAtTarget)
    {
        unchecked {
            int256 deviation = _deviation(shape, utilisation);
            uint256 meanAtTarget;
            (meanAtTarget, newLogRateAtTarget) = _adapt(drift, deviation, logRateAtTarget, elapsed);
            // At most MAX_RATE * 1e18 * 1e18, by `pack`.
            rate = (meanAtTarget * _multiplier(shape, deviation) + 5e35) / 1e36;
        }
    }

    /// @notice ln(rate), scaled by 1e12, to nearest.
    /// @param rate WAD per second; not 0, below 1 per second.
    function logOf(uint256 rate) internal pure returns (int256) {
        return _toLogScale(FixedPointMathLib.lnWad(int256(rate)));
    }

    /// @notice The rate at target that a log stands for, WAD per second, to nearest.
    /// @param logRateAtTarget Scaled by 1e12.
    function rateOf(int256 logRateAtTarget) internal pure returns (uint256) {
        return (_exp(logRateAtTarget * LOG_TO_WAD) + 5e17) / 1e18;
    }

    /// @dev e, WAD, rounded towards 0.
    function _deviation(RateShape shape, uint256 utilisation) private pure returns (int256) {
        unchecked {
            uint256 target = uint64(RateShape.unwrap(shape));
            if (utilisation > target) {
                if (utilisation >= WAD) return int256(WAD);
                return int256((utilisation - target) * WAD / (WAD - target));
            }
            return -int256((target - utilisation) * WAD / target);
        }
    }

    /// @dev m, WAD, never negative.
    function _multiplier(RateShape shape, int256 deviation) private pure returns (uint256) {
        unchecked {
            uint256 packed = RateShape.unwrap(shape);
            if (deviation < 0) return WAD - (WAD - uint64(packed >> 64)) * uint256(-deviation) / WAD;
            return WAD + ((packed >> 128) - WAD) * uint256(deviation) / WAD;
        }
    }

    /// @dev The mean of the rate at target, per second scaled by 1e36, and the log rate at the end.
    function _adapt(RateDrift drift, int256 deviation, int256 logRate, uint256 elapsed)
        private
        pure
        returns (uint256 mean, int256 newLogRate)
    {
        unchecked {
            uint256 packed = RateDrift.unwrap(drift);
            int256 start = logRate * LOG_TO_WAD;
            mean = _exp(start);
            if (elapsed > type(uint64).max) elapsed = type(uint64).max;
            // Speed is below 2^45, the deviation at most 2^60 and the time below 2^64.
            int256 change = int256((packed >> 96) * elapsed) * deviation / int256(WAD);
            if (change == 0) return (mean, logRate);

            int256 end = start + change;
            int256 bound = int256(int48(uint48(change < 0 ? packed : packed >> 48))) * LOG_TO_WAD;
            if (change < 0 ? end < bound : end > bound) {
                end = bound;
                int256 middle = start + change / 2;
                if (change < 0 ? middle < bound : middle > bound) middle = bound;
                mean = (mean + 2 * _exp(middle) + _exp(end)) / 4;
            } else {
                // With g = e^(x/2) the three terms are r (1 + 2g + g^2) / 4. The product is at most four rates times 1e36.
                uint256 growth = WAD + _growth(change / 2);
                mean = mean * (growth * growth) / 4e36;
            }
            newLogRate = _toLogScale(end);
        }
    }

    /// @dev e^h, WAD. Accruals minutes apart have |h| < 1/1000, where four terms of the series err by less than 1e-17 and
    /// cost a fifth of the exponential.
    function _growth(int256 h) private pure returns (uint256) {
        unchecked {
            if (h > 1e15 || h < -1e15) return uint256(FixedPointMathLib.expWad(h));
            int256 square = h * h;
            return uint256(int256(WAD) + h + square / 2e18 + square * h / 6e36 + square * square / 24e54);
        }
    }

    /// @dev exp(x), x in WAD, scaled by 1e36. For the logs of rates that `pack` allows: relative error below 1e-17.
    function _exp(int256 x) private pure returns (uint256) {
        return uint256(FixedPointMathLib.expWad(x + LN_WAD));
    }

    /// @dev To nearest. Logs are negative, rates being below 1 per second, and division rounds towards 0.
    function _toLogScale(int256 logWad) private pure returns (int256) {
        return (logWad - LOG_TO_WAD / 2) / LOG_TO_WAD;
    }
}

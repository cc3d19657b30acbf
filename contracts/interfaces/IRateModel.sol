// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

/// @notice A borrow-rate curve: straight from `rateAtTarget * lowMultiplier` at zero utilisation to `rateAtTarget` at the
/// target, straight from there to `rateAtTarget * highMultiplier` at full utilisation. With `adaptationSpeed` > 0 the
/// rate at target moves exponentially: at full error (utilisation 0 or 1) by `adaptationSpeed` per second in its logarithm.
/// @param targetUtilisation WAD, strictly between 0 and 1.
/// @param lowMultiplier WAD, at most 1.
/// @param highMultiplier WAD, at least 1.
/// @param adaptationSpeed WAD per second; 0 for a fixed curve.
/// @param initialRateAtTarget WAD per second, within the bounds.
/// @param minRateAtTarget WAD per second.
/// @param maxRateAtTarget WAD per second.
struct RateParameters {
    uint256 targetUtilisation;
    uint256 lowMultiplier;
    uint256 highMultiplier;
    uint256 adaptationSpeed;
    uint256 initialRateAtTarget;
    uint256 minRateAtTarget;
    uint256 maxRateAtTarget;
}

/// @title A validated choice of rate curve
/// @notice A pool reads `parameters` once, at deployment, and computes the curve itself: an external call on every accrual
/// would cost 3,000 to 9,500 gas. `averageRate` is the same computation, for simulation off chain and for tests.
interface IRateModel {
    /// @notice The curve's parameters, validated by the model's constructor.
    function parameters() external view returns (RateParameters memory);

    /// @notice The average borrow rate over `elapsed` seconds at constant utilisation, and the log rate at their end.
    /// @param utilisation WAD, 0 to 1.
    /// @param logRateAtTarget Natural logarithm of the rate at target (as WAD per second divided by WAD), scaled by 1e12.
    /// @param elapsed Seconds.
    /// @return rate WAD per second.
    /// @return newLogRateAtTarget Scaled by 1e12.
    function averageRate(uint256 utilisation, int256 logRateAtTarget, uint256 elapsed)
        external
        view
        returns (uint256 rate, int256 newLogRateAtTarget);
}

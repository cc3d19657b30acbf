// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {RateParameters} from "../interfaces/IRateModel.sol";

/// @title Starting points for the two rate models
/// @notice Ratios in WAD, rates in WAD per second, a year of 365 days. Target, steepness and speed are those of protocol.md
/// section 6; the rates are the ones Morpho Blue's adaptive model ships with.
library RateDefaults {
    /// @notice 90% borrowed.
    uint256 internal constant TARGET_UTILISATION = 0.9e18;

    /// @notice The rate at full utilisation over the rate at target; at no utilisation it is the rate at target over 4.
    uint256 internal constant STEEPNESS = 4e18;

    /// @notice 50 a year: at full error the rate at target doubles in five days.
    uint256 internal constant ADAPTATION_SPEED = 50e18 / uint256(365 days);

    /// @notice 4% a year.
    uint256 internal constant INITIAL_RATE_AT_TARGET = 0.04e18 / uint256(365 days);

    /// @notice 0.1% a year.
    uint256 internal constant MIN_RATE_AT_TARGET = 0.001e18 / uint256(365 days);

    /// @notice 200% a year.
    uint256 internal constant MAX_RATE_AT_TARGET = 2e18 / uint256(365 days);

    /// @notice The adaptive curve's defaults.
    function adaptive() internal pure returns (RateParameters memory) {
        return RateParameters({
            targetUtilisation: TARGET_UTILISATION,
            lowMultiplier: 1e36 / STEEPNESS,
            highMultiplier: STEEPNESS,
            adaptationSpeed: ADAPTATION_SPEED,
            initialRateAtTarget: INITIAL_RATE_AT_TARGET,
            minRateAtTarget: MIN_RATE_AT_TARGET,
            maxRateAtTarget: MAX_RATE_AT_TARGET
        });
    }
}

// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.34;

import {IRateModel, RateParameters} from "../interfaces/IRateModel.sol";
import {RateCurve, RateDrift, RateShape} from "../libraries/RateCurve.sol";

/// @title What both rate models share: validated, immutable parameters and the curve
/// @dev `RateCurve.pack` validates before anything is stored.
abstract contract RateModel is IRateModel {
    uint256 private immutable TARGET_UTILISATION;
    uint256 private immutable LOW_MULTIPLIER;
    uint256 private immutable HIGH_MULTIPLIER;
    uint256 private immutable ADAPTATION_SPEED;
    uint256 private immutable INITIAL_RATE_AT_TARGET;
    uint256 private immutable MIN_RATE_AT_TARGET;
    uint256 private immutable MAX_RATE_AT_TARGET;
    RateShape private immutable SHAPE;
    RateDrift private immutable DRIFT;

    constructor(RateParameters memory p) {
        (SHAPE, DRIFT) = RateCurve.pack(p);
        TARGET_UTILISATION = p.targetUtilisation;
        LOW_MULTIPLIER = p.lowMultiplier;
        HIGH_MULTIPLIER = p.highMultiplier;
        ADAPTATION_SPEED = p.adaptationSpeed;
        INITIAL_RATE_AT_TARGET = p.initialRateAtTarget;
        MIN_RATE_AT_TARGET = p.minRateAtTarget;
        MAX_RATE_AT_TARGET = p.maxRateAtTarget;
    }

    /// @inheritdoc IRateModel
    function parameters() external view returns (RateParameters memory) {
        return RateParameters({
            targetUtilisation: TARGET_UTILISATION,
            lowMultiplier: LOW_MULTIPLIER,
            highMultiplier: HIGH_MULTIPLIER,
            adaptationSpeed: ADAPTATION_SPEED,
            initialRateAtTarget: INITIAL_RATE_AT_TARGET,
            minRateAtTarget: MIN_RATE_AT_TARGET,
            maxRateAtTarget: MAX_RATE_AT_TARGET
        });
    }

    /// @inheritdoc IRateModel
    /// @dev Utilisation above 1 counts as 1, `elapsed` above 2^64 - 1 as that. A log outside the bounds of
    /// `parameters` is not an input that a pool can hold, and its result means nothing.
    function averageRate(uint256 utilisation, int256 logRateAtTarget, uint256 elapsed)
        external
        view
        returns (uint256 rate, int256 newLogRateAtTarget)
    {
        return RateCurve.average(SHAPE, DRIFT, utilisation, logRateAtTarget, elapsed);
    }
}

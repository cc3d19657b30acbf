// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.34;

import {RateModel} from "./RateModel.sol";
import {RateParameters} from "../interfaces/IRateModel.sol";

/// @title A fixed curve with one kink
/// @notice The rate depends on utilisation alone: `rateAtTarget * lowMultiplier` when nothing is borrowed, `rateAtTarget` at
/// the kink, `rateAtTarget * highMultiplier` when everything is.
contract KinkedRateModel is RateModel {
    /// @param targetUtilisation The kink, WAD, strictly between 0 and 1.
    /// @param lowMultiplier WAD, at most 1.
    /// @param highMultiplier WAD, at least 1; the rate at full utilisation may not exceed `RateCurve.MAX_RATE`.
    /// @param rateAtTarget WAD per second, above 0.
    constructor(uint256 targetUtilisation, uint256 lowMultiplier, uint256 highMultiplier, uint256 rateAtTarget)
        RateModel(RateParameters({
                targetUtilisation: targetUtilisation,
                lowMultiplier: lowMultiplier,
                highMultiplier: highMultiplier,
                adaptationSpeed: 0,
                initialRateAtTarget: rateAtTarget,
                minRateAtTarget: rateAtTarget,
                maxRateAtTarget: rateAtTarget
            }))
    {}
}

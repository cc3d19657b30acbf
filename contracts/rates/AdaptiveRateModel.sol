// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.34;

import {RateModel} from "./RateModel.sol";
import {RateParameters} from "../interfaces/IRateModel.sol";

/// @title A curve whose rate at target follows utilisation
/// @notice Above the target the whole curve rises, below it falls, exponentially and at most at `adaptationSpeed`.
contract AdaptiveRateModel is RateModel {
    /// @notice A kinked curve is `KinkedRateModel`.
    error AdaptationSpeedZero();

    /// @param p Validated by `RateCurve.pack`; `adaptationSpeed` not 0. `RateDefaults.adaptive()` is a starting point.
    constructor(RateParameters memory p) RateModel(p) {
        if (p.adaptationSpeed == 0) revert AdaptationSpeedZero();
    }
}

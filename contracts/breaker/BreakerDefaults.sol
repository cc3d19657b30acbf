// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {BreakerParameters, BreakerThresholds, BreakerTiming} from "./BreakerParameters.sol";

/// @title Starting points for a breaker on Ethereum (protocol.md section 5)
library BreakerDefaults {
    /// @notice Slots of 12 s; 5 minutes against 24 hours; one record in five blocks while calm, one a block in alert.
    function timing() internal pure returns (BreakerTiming memory) {
        return BreakerTiming({
            slotTime: 12,
            latencyWindow: 10,
            shortWindow: 5 minutes,
            longWindow: 24 hours,
            velocityWindow: 5 minutes,
            calmInterval: 60,
            alertInterval: 12
        });
    }

    /// @notice 8 times the day's fee and 20 gwei, 4 missed slots in 10, or 10% in 5 minutes: 3 observations stress for 3
    /// minutes at a time, 6 pause for 3 minutes. The README derives the floor.
    function thresholds() internal pure returns (BreakerThresholds memory) {
        return BreakerThresholds({
            feeMultiple: 800,
            feeFloor: 20 gwei,
            missedShare: 4000,
            velocity: 1000,
            observationsToStress: 3,
            observationsToPause: 6,
            latenessPauses: false,
            stressDuration: 3 minutes,
            pauseDuration: 3 minutes
        });
    }

    /// @notice Both.
    function parameters() internal pure returns (BreakerParameters memory) {
        return BreakerParameters({timing: timing(), thresholds: thresholds()});
    }
}

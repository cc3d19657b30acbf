// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

/// @notice How a breaker keeps time; fixed at deployment.
/// @param slotTime Seconds between blocks when none is missed, 1 to 60 (12 on Ethereum).
/// @param latencyWindow Slots over which the share of missed ones is kept, 5 to 100.
/// @param shortWindow Seconds of the short average of the base fee, 60 to 1,800.
/// @param longWindow Seconds of the long average, at least 12 short ones and at most 7 days.
/// @param velocityWindow Seconds over which the price's move is measured, 60 to 3,600.
/// @param calmInterval Least seconds between two records of base fee and latency while both are calm: not below
/// `alertInterval`, not above `shortWindow`.
/// @param alertInterval Least seconds between two records while a signal is on, and between two records of one price: from
/// `slotTime` to 120.
struct BreakerTiming {
    uint16 slotTime;
    uint16 latencyWindow;
    uint16 shortWindow;
    uint32 longWindow;
    uint16 velocityWindow;
    uint16 calmInterval;
    uint16 alertInterval;
}

/// @notice What trips a breaker and for how long; the owner may change it within these ranges. A threshold of 0 turns its
/// signal off.
/// @param feeMultiple Percent of the long average that the short one must reach: 0, or 200 to 10,000.
/// @param feeFloor Wei per gas that the short average must reach as well; at least 1.
/// @param missedShare Basis points of missed slots: 0, or 2,000 to 10,000.
/// @param velocity Basis points by which a price must move within `velocityWindow`: 0, or 200 to 5,000.
/// @param observationsToStress Consecutive observations of a signal that stress, 2 to 12.
/// @param observationsToPause Consecutive observations that pause: from `observationsToStress` to 15.
/// @param latenessPauses Whether missed slots alone may pause; they always stress.
/// @param stressDuration Seconds for which one confirming observation stresses, 30 to 3,600.
/// @param pauseDuration Seconds, 30 to 900. Four times as long follows in which nothing pauses.
struct BreakerThresholds {
    uint16 feeMultiple;
    uint48 feeFloor;
    uint16 missedShare;
    uint16 velocity;
    uint8 observationsToStress;
    uint8 observationsToPause;
    bool latenessPauses;
    uint16 stressDuration;
    uint16 pauseDuration;
}

/// @notice Everything a `CircuitBreaker` is deployed with.
struct BreakerParameters {
    BreakerTiming timing;
    BreakerThresholds thresholds;
}

/// @title The ranges within which a breaker is safe
library BreakerRanges {
    /// @notice A parameter is outside its range.
    /// @param name The field's name.
    error ParameterOutOfRange(bytes32 name, uint256 value, uint256 least, uint256 most);

    /// @notice The least thresholds: what is below them trips nothing, whatever is set. Percent, basis points, basis points.
    uint256 internal constant MIN_FEE_MULTIPLE = 200;
    uint256 internal constant MIN_MISSED_SHARE = 2000;
    uint256 internal constant MIN_VELOCITY = 200;

    /// @notice Reverts unless every field is in its range.
    function check(BreakerTiming memory t) internal pure {
        _within("slotTime", t.slotTime, 1, 60);
        _within("latencyWindow", t.latencyWindow, 5, 100);
        _within("shortWindow", t.shortWindow, 60, 1800);
        _within("longWindow", t.longWindow, 12 * uint256(t.shortWindow), 7 days);
        _within("velocityWindow", t.velocityWindow, 60, 3600);
        _within("alertInterval", t.alertInterval, t.slotTime, 120);
        _within("calmInterval", t.calmInterval, t.alertInterval, t.shortWindow);
    }

    /// @notice Reverts unless every field is in its range.
    function check(BreakerThresholds memory t) internal pure {
        if (t.feeMultiple != 0) _within("feeMultiple", t.feeMultiple, MIN_FEE_MULTIPLE, 10_000);
        _within("feeFloor", t.feeFloor, 1, type(uint48).max);
        if (t.missedShare != 0) _within("missedShare", t.missedShare, MIN_MISSED_SHARE, 10_000);
        if (t.velocity != 0) _within("velocity", t.velocity, MIN_VELOCITY, 5000);
        _within("observationsToStress", t.observationsToStress, 2, 12);
        _within("observationsToPause", t.observationsToPause, t.observationsToStress, 15);
        _within("stressDuration", t.stressDuration, 30, 3600);
        _within("pauseDuration", t.pauseDuration, 30, 900);
    }

    function _within(bytes32 name, uint256 value, uint256 least, uint256 most) private pure {
        if (value < least || value > most) revert ParameterOutOfRange(name, value, least, most);
    }
}

// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {BreakerThresholds} from "./BreakerParameters.sol";

/// @notice What is known of base fee and latency for one pool. One slot.
/// @param time When it was last recorded; 0 before the first time.
/// @param number The block's number then, modulo 2^32.
/// @param fee The base fee then, wei per gas, at most 2^48 - 1 (281,474 gwei).
/// @param shortFee Its short average.
/// @param longFee Its long average.
/// @param missedShare Basis points of missed slots over the latency window.
/// @param feeStreak Consecutive observations with the fee's signal on.
/// @param lateStreak Consecutive observations with the latency's signal on.
/// @param active Whether the pool's `Timers` may matter.
struct Conditions {
    uint32 time;
    uint32 number;
    uint48 fee;
    uint48 shortFee;
    uint48 longFee;
    uint16 missedShare;
    uint8 feeStreak;
    uint8 lateStreak;
    bool active;
}

/// @notice What is known of the price of one collateral of one pool. One slot. Prices are mantissa * 2^shift.
/// @param anchor The price that moves are measured from, taken at `anchorTime`: between half a window and a window ago while
/// the price is observed at least twice a window.
/// @param recent The price that becomes the next anchor, taken at `recentTime`.
/// @param streak Consecutive observations with the signal on.
/// @param countedAt When this was last written.
struct Velocity {
    uint48 anchor;
    uint8 anchorShift;
    uint32 anchorTime;
    uint48 recent;
    uint8 recentShift;
    uint32 recentTime;
    uint8 streak;
    uint32 countedAt;
}

/// @title The breaker's hot records as single words
/// @dev The compiler's own packing reads and writes storage once a field, which costs more than the measuring; these read and
/// write once a record. Fields are laid out from the lowest bit in the order of the struct.
library BreakerRecords {
    /// @notice A record of conditions as one word.
    function encode(Conditions memory c) internal pure returns (uint256 word) {
        word = uint256(c.time) | uint256(c.number) << 32 | uint256(c.fee) << 64 | uint256(c.shortFee) << 112
            | uint256(c.longFee) << 160 | uint256(c.missedShare) << 208 | uint256(c.feeStreak) << 224
            | uint256(c.lateStreak) << 232;
        if (c.active) word |= ACTIVE;
    }

    /// @notice The record that `encode` made a word of.
    function conditions(uint256 word) internal pure returns (Conditions memory c) {
        c.time = uint32(word);
        c.number = uint32(word >> 32);
        c.fee = uint48(word >> 64);
        c.shortFee = uint48(word >> 112);
        c.longFee = uint48(word >> 160);
        c.missedShare = uint16(word >> 208);
        c.feeStreak = uint8(word >> 224);
        c.lateStreak = uint8(word >> 232);
        c.active = word >= ACTIVE;
    }

    /// @dev The bit of `active`, the highest in use.
    uint256 internal constant ACTIVE = 1 << 240;

    /// @notice Seconds between the epoch and the record; 0 if there is none.
    function timeOf(uint256 word) internal pure returns (uint256) {
        return uint32(word);
    }

    /// @notice Whether neither signal is on.
    function isCalm(uint256 word) internal pure returns (bool) {
        return uint16(word >> 224) == 0;
    }

    /// @notice Whether the pool's timers may matter.
    function isActive(uint256 word) internal pure returns (bool) {
        return word >= ACTIVE;
    }

    /// @notice A record of a price as one word.
    function encode(Velocity memory v) internal pure returns (uint256) {
        return uint256(v.anchor) | uint256(v.anchorShift) << 48 | uint256(v.anchorTime) << 56 | uint256(v.recent) << 88
            | uint256(v.recentShift) << 136 | uint256(v.recentTime) << 144 | uint256(v.streak) << 176
            | uint256(v.countedAt) << 184;
    }

    /// @notice The record that `encode` made a word of.
    function velocity(uint256 word) internal pure returns (Velocity memory v) {
        v.anchor = uint48(word);
        v.anchorShift = uint8(word >> 48);
        v.anchorTime = uint32(word >> 56);
        v.recent = uint48(word >> 88);
        v.recentShift = uint8(word >> 136);
        v.recentTime = uint32(word >> 144);
        v.streak = uint8(word >> 176);
        v.countedAt = uint32(word >> 184);
    }

    /// @notice Thresholds as one word.
    function encode(BreakerThresholds memory t) internal pure returns (uint256) {
        return uint256(t.feeMultiple) | uint256(t.feeFloor) << 16 | uint256(t.missedShare) << 64 | uint256(t.velocity)
            << 80 | uint256(t.observationsToStress) << 96 | uint256(t.observationsToPause) << 104
            | (t.latenessPauses ? 1 << 112 : 0) | uint256(t.stressDuration) << 120 | uint256(t.pauseDuration) << 136;
    }

    /// @notice The thresholds that `encode` made a word of.
    function thresholds(uint256 word) internal pure returns (BreakerThresholds memory t) {
        t.feeMultiple = uint16(word);
        t.feeFloor = uint48(word >> 16);
        t.missedShare = uint16(word >> 64);
        t.velocity = uint16(word >> 80);
        t.observationsToStress = uint8(word >> 96);
        t.observationsToPause = uint8(word >> 104);
        t.latenessPauses = uint8(word >> 112) != 0;
        t.stressDuration = uint16(word >> 120);
        t.pauseDuration = uint16(word >> 136);
    }
}

// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.34;

import {Ownable} from "@openzeppelin/contracts/access/Ownable.sol";
import {Ownable2Step} from "@openzeppelin/contracts/access/Ownable2Step.sol";

import {BreakerLevel, ICircuitBreaker} from "../interfaces/ICircuitBreaker.sol";
import {BreakerParameters, BreakerRanges, BreakerThresholds, BreakerTiming} from "./BreakerParameters.sol";
import {BreakerRecords, Conditions, Velocity} from "./BreakerRecords.sol";
import {BreakerSignals} from "./BreakerSignals.sol";

/// @notice When what ends, for one pool. One slot. A level is a time that has not come yet, so it ends without a call.
/// @param stressedUntil End of `Stressed`.
/// @param pausedUntil End of `Paused`.
/// @param pauseAllowedAt Earliest time of the next pause.
/// @param haltedUntil End of `Halted`.
/// @param haltAllowedAt Earliest time of the next halt.
/// @param stressSignal What stressed last: 0 base fee, 1 latency, 2 + i the price of collateral i.
/// @param pauseSignal What paused last.
struct Timers {
    uint32 stressedUntil;
    uint32 pausedUntil;
    uint32 pauseAllowedAt;
    uint32 haltedUntil;
    uint32 haltAllowedAt;
    uint16 stressSignal;
    uint16 pauseSignal;
}

/// @title Circuit breaker on base fee, missed slots and price velocity
/// @notice State is keyed by the pool that calls, so no pool can affect another. Everything fails open: each level is a time
/// in the future and ends by itself. See the README for the state diagram and what a false trip costs.
/// @dev Timestamps are 32 bits (until 2106), durations bounded by `BreakerRanges`.
contract CircuitBreaker is ICircuitBreaker, Ownable2Step {
    /// @notice After a pause, and after a halt, the next one is this many times its length away.
    uint256 public constant REST = 4;

    /// @notice The longest halt, seconds.
    uint256 public constant MAX_HALT = 6 hours;

    /// @dev One observation of one signal: its number, the streak before and with it, what was measured against what.
    struct Reading {
        uint256 signal;
        uint256 before;
        uint256 streak;
        uint256 value;
        uint256 limit;
    }

    uint256 private constant SIGNAL_FEE = 0;
    uint256 private constant SIGNAL_LATENCY = 1;
    uint256 private constant SIGNAL_FIRST_PRICE = 2;

    /// @dev A limit that no value reaches.
    uint256 private constant OFF = type(uint128).max;

    uint256 private immutable SLOT_TIME;
    uint256 private immutable LATENCY_WINDOW;
    uint256 private immutable SHORT_WINDOW;
    uint256 private immutable LONG_WINDOW;
    uint256 private immutable VELOCITY_WINDOW;
    uint256 private immutable CALM_INTERVAL;
    uint256 private immutable ALERT_INTERVAL;

    /// @dev Words of `BreakerRecords`.
    uint256 private _thresholds;
    mapping(address pool => uint256) private _conditions;
    mapping(address pool => mapping(uint256 collateralId => uint256)) private _velocity;

    mapping(address pool => Timers) private _timers;

    /// @notice A signal or the owner changed a pool's level. A level that ends by time is not reported: `until` said so.
    /// @param signal As in `Timers`; `type(uint256).max` for the owner.
    /// @param value What was measured: wei per gas, or basis points.
    /// @param limit What it is measured against.
    /// @param until When `current` ends unless it is prolonged.
    event LevelChanged(
        address indexed pool,
        BreakerLevel previous,
        BreakerLevel current,
        uint256 signal,
        uint256 value,
        uint256 limit,
        uint256 until
    );
    event ThresholdsSet(BreakerThresholds thresholds);

    /// @notice A halt must last from 1 second to `MAX_HALT`.
    error HaltDurationOutOfRange(uint256 duration, uint256 most);
    /// @notice The last halt is too recent.
    error HaltNotAllowedYet(uint256 allowedAt);
    /// @notice The pool is not halted.
    error NotHalted(address pool);

    /// @param owner_ May change thresholds within `BreakerRanges`, and halt: a timelock in practice.
    constructor(address owner_, BreakerParameters memory p) Ownable(owner_) {
        BreakerRanges.check(p.timing);
        SLOT_TIME = p.timing.slotTime;
        LATENCY_WINDOW = p.timing.latencyWindow;
        SHORT_WINDOW = p.timing.shortWindow;
        LONG_WINDOW = p.timing.longWindow;
        VELOCITY_WINDOW = p.timing.velocityWindow;
        CALM_INTERVAL = p.timing.calmInterval;
        ALERT_INTERVAL = p.timing.alertInterval;
        _setThresholds(p.thresholds);
    }

    // -- observing

    /// @inheritdoc ICircuitBreaker
    function observe(uint256 collateralId, uint256 fastPrice) external returns (BreakerLevel) {
        bool active = BreakerRecords.isActive(_recordConditions(msg.sender));
        if (fastPrice != 0 && _recordPrice(msg.sender, collateralId, fastPrice)) active = true;
        return active ? _levelAt(_timers[msg.sender]) : BreakerLevel.Normal;
    }

    /// @inheritdoc ICircuitBreaker
    function poke(address pool) external returns (BreakerLevel) {
        _recordConditions(pool);
        return _level(pool);
    }

    /// @inheritdoc ICircuitBreaker
    function levelOf(address pool) external view returns (BreakerLevel) {
        return _level(pool);
    }

    // -- governance

    /// @notice Changes what trips the breaker. Levels that hold now keep their ends.
    function setThresholds(BreakerThresholds calldata thresholds_) external onlyOwner {
        _setThresholds(thresholds_);
    }

    /// @notice Halts a pool for `duration` seconds; the next halt is four times as long away from its end.
    function halt(address pool, uint256 duration) external onlyOwner {
        if (duration == 0 || duration > MAX_HALT) revert HaltDurationOutOfRange(duration, MAX_HALT);
        Timers memory timers = _timers[pool];
        if (block.timestamp < timers.haltAllowedAt) revert HaltNotAllowedYet(timers.haltAllowedAt);
        BreakerLevel previous = _levelAt(timers);
        timers.haltedUntil = uint32(block.timestamp + duration);
        timers.haltAllowedAt = uint32(block.timestamp + (1 + REST) * duration);
        _timers[pool] = timers;
        _conditions[pool] |= BreakerRecords.ACTIVE;
        emit LevelChanged(
            pool, previous, BreakerLevel.Halted, type(uint256).max, duration, MAX_HALT, timers.haltedUntil
        );
    }

    /// @notice Ends a halt early. The next one is not allowed earlier for it.
    function resume(address pool) external onlyOwner {
        Timers memory timers = _timers[pool];
        if (block.timestamp >= timers.haltedUntil) revert NotHalted(pool);
        timers.haltedUntil = uint32(block.timestamp);
        _timers[pool] = timers;
        BreakerLevel current = _levelAt(timers);
        emit LevelChanged(pool, BreakerLevel.Halted, current, type(uint256).max, 0, MAX_HALT, _endOf(timers, current));
    }

    // -- views

    /// @notice How the breaker keeps time.
    function timing() external view returns (BreakerTiming memory) {
        return BreakerTiming({
            slotTime: uint16(SLOT_TIME),
            latencyWindow: uint16(LATENCY_WINDOW),
            shortWindow: uint16(SHORT_WINDOW),
            longWindow: uint32(LONG_WINDOW),
            velocityWindow: uint16(VELOCITY_WINDOW),
            calmInterval: uint16(CALM_INTERVAL),
            alertInterval: uint16(ALERT_INTERVAL)
        });
    }

    /// @notice What trips it.
    function thresholds() external view returns (BreakerThresholds memory) {
        return BreakerRecords.thresholds(_thresholds);
    }

    /// @notice Base fee and latency as last recorded for `pool`.
    function conditionsOf(address pool) external view returns (Conditions memory) {
        return BreakerRecords.conditions(_conditions[pool]);
    }

    /// @notice The price of one collateral as last recorded for `pool`.
    function velocityOf(address pool, uint256 collateralId) external view returns (Velocity memory) {
        return BreakerRecords.velocity(_velocity[pool][collateralId]);
    }

    /// @notice When what ends for `pool`.
    function timersOf(address pool) external view returns (Timers memory) {
        return _timers[pool];
    }

    // -- recording

    /// @dev Base fee and latency, at most once in an interval. The interval depends on what was recorded last, so that a
    /// pool's calm call costs one storage read.
    ///
    /// The time since the last record counts for the short average at the lower of the two base fees, for the long one at the
    /// higher: a single dear block after a silence, or a single recorded one before it, does not stand for the silence.
    /// @return word The record as it now is.
    function _recordConditions(address pool) private returns (uint256 word) {
        word = _conditions[pool];
        unchecked {
            uint256 last = BreakerRecords.timeOf(word);
            if (last != 0) {
                uint256 interval = BreakerRecords.isCalm(word) ? CALM_INTERVAL : ALERT_INTERVAL;
                if (block.timestamp - last < interval) return word;
            }
            uint256 fee = block.basefee > type(uint48).max ? type(uint48).max : block.basefee;
            Conditions memory c = BreakerRecords.conditions(word);
            if (last == 0) {
                c.shortFee = c.longFee = uint48(fee);
            } else {
                _updateConditions(pool, c, fee, block.timestamp - last);
            }
            c.fee = uint48(fee);
            c.time = uint32(block.timestamp);
            c.number = uint32(block.number);
            word = BreakerRecords.encode(c);
            _conditions[pool] = word;
        }
    }

    /// @dev Averages, streaks, and what follows from them.
    function _updateConditions(address pool, Conditions memory c, uint256 fee, uint256 elapsed) private {
        unchecked {
            (uint256 low, uint256 high) = fee < c.fee ? (fee, uint256(c.fee)) : (uint256(c.fee), fee);
            c.shortFee = uint48(BreakerSignals.average(c.shortFee, low, elapsed, SHORT_WINDOW));
            c.longFee = uint48(BreakerSignals.average(c.longFee, high, elapsed, LONG_WINDOW));
            c.missedShare = uint16(
                BreakerSignals.missedShare(
                    c.missedShare, elapsed / SLOT_TIME, uint32(uint32(block.number) - c.number), LATENCY_WINDOW
                )
            );
            // A level that ended by time needs its record no longer.
            if (c.active) c.active = _lastTime(_timers[pool]) > block.timestamp;

            // Below anything that thresholds may be, they need not be read.
            if (
                c.feeStreak == 0 && c.lateStreak == 0 && c.missedShare < BreakerRanges.MIN_MISSED_SHARE
                    && uint256(c.shortFee) * 100 < c.longFee * BreakerRanges.MIN_FEE_MULTIPLE
            ) return;

            BreakerThresholds memory t = BreakerRecords.thresholds(_thresholds);
            // Observations further apart than the short window do not add up.
            bool joined = elapsed <= SHORT_WINDOW;

            Reading memory r = Reading(SIGNAL_FEE, c.feeStreak, 0, c.shortFee, OFF);
            if (t.feeMultiple != 0) {
                r.limit = uint256(c.longFee) * t.feeMultiple / 100;
                if (r.limit < t.feeFloor) r.limit = t.feeFloor;
            }
            if (_judge(pool, t, c.active, joined, r)) c.active = true;
            c.feeStreak = uint8(r.streak);

            r = Reading(SIGNAL_LATENCY, c.lateStreak, 0, c.missedShare, t.missedShare == 0 ? OFF : t.missedShare);
            if (_judge(pool, t, c.active, joined, r)) c.active = true;
            c.lateStreak = uint8(r.streak);
        }
    }

    /// @dev The price of one collateral. It has its own interval: whoever pokes first in every block must not be able to keep
    /// prices from being recorded. Nothing is written while the price is calm and the anchor young enough.
    /// @return tripped Whether it has put a timer into the future.
    function _recordPrice(address pool, uint256 collateralId, uint256 price) private returns (bool tripped) {
        Velocity memory v = BreakerRecords.velocity(_velocity[pool][collateralId]);
        unchecked {
            if (v.anchorTime == 0) {
                (uint256 mantissa, uint256 shift) = BreakerSignals.compress(price);
                (v.anchor, v.anchorShift, v.anchorTime) = (uint48(mantissa), uint8(shift), uint32(block.timestamp));
                (v.recent, v.recentShift, v.recentTime) = (v.anchor, v.anchorShift, v.anchorTime);
                v.countedAt = uint32(block.timestamp);
                _velocity[pool][collateralId] = BreakerRecords.encode(v);
                return false;
            }
            uint256 sinceCounted = block.timestamp - v.countedAt;
            if (sinceCounted < ALERT_INTERVAL) return false;

            bool rotate = 2 * (block.timestamp - v.recentTime) >= VELOCITY_WINDOW;
            if (rotate) {
                (v.anchor, v.anchorShift, v.anchorTime) = (v.recent, v.recentShift, v.recentTime);
                (uint256 mantissa, uint256 shift) = BreakerSignals.compress(price);
                (v.recent, v.recentShift, v.recentTime) = (uint48(mantissa), uint8(shift), uint32(block.timestamp));
            }
            uint256 value = BreakerSignals.velocity(
                price, v.anchor, v.anchorShift, block.timestamp - v.anchorTime, VELOCITY_WINDOW
            );
            if (v.streak == 0 && value < BreakerRanges.MIN_VELOCITY) {
                if (!rotate) return false;
            } else {
                BreakerThresholds memory t = BreakerRecords.thresholds(_thresholds);
                Reading memory r =
                    Reading(SIGNAL_FIRST_PRICE + collateralId, v.streak, 0, value, t.velocity == 0 ? OFF : t.velocity);
                bool active = BreakerRecords.isActive(_conditions[pool]);
                // Observations further apart than the window do not add up.
                tripped = _judge(pool, t, active, sinceCounted <= VELOCITY_WINDOW, r);
                if (tripped && !active) _conditions[pool] |= BreakerRecords.ACTIVE;
                if (r.before == 0 && r.streak == 0 && !rotate) return tripped;
                v.streak = uint8(r.streak);
            }
            v.countedAt = uint32(block.timestamp);
            _velocity[pool][collateralId] = BreakerRecords.encode(v);
        }
    }

    /// @dev What one observation of one signal does: at `observationsToStress` it stresses or prolongs, at
    /// `observationsToPause` it pauses where a pause is allowed, and when the signal goes off it ends what it caused.
    /// @param active Whether the pool's timers may lie in the future.
    /// @param joined Whether this observation continues the streak before it.
    /// @param r Its streak is written.
    /// @return tripped Whether a timer now lies in the future.
    function _judge(address pool, BreakerThresholds memory t, bool active, bool joined, Reading memory r)
        private
        returns (bool tripped)
    {
        r.streak = BreakerSignals.streak(joined ? r.before : 0, r.value, r.limit);
        tripped = r.streak >= t.observationsToStress;
        bool wentOff = active && r.streak == 0 && r.before != 0;
        if (!tripped && !wentOff) return false;

        Timers memory timers = _timers[pool];
        BreakerLevel previous = _levelAt(timers);
        if (tripped) {
            timers.stressedUntil = uint32(block.timestamp + t.stressDuration);
            timers.stressSignal = uint16(r.signal);
            if (
                r.streak >= t.observationsToPause && block.timestamp >= timers.pauseAllowedAt
                    && (r.signal != SIGNAL_LATENCY || t.latenessPauses)
            ) {
                timers.pausedUntil = uint32(block.timestamp + t.pauseDuration);
                timers.pauseAllowedAt = uint32(block.timestamp + (1 + REST) * t.pauseDuration);
                timers.pauseSignal = uint16(r.signal);
            }
        } else {
            // Times that are past stay as they are, so that nothing is written for nothing.
            bool endsStress = timers.stressSignal == uint16(r.signal) && timers.stressedUntil > block.timestamp;
            bool endsPause = timers.pauseSignal == uint16(r.signal) && timers.pausedUntil > block.timestamp;
            if (!endsStress && !endsPause) return false;
            if (endsStress) timers.stressedUntil = uint32(block.timestamp);
            if (endsPause) timers.pausedUntil = uint32(block.timestamp);
        }
        _timers[pool] = timers;
        BreakerLevel current = _levelAt(timers);
        if (current != previous) {
            emit LevelChanged(pool, previous, current, r.signal, r.value, r.limit, _endOf(timers, current));
        }
    }

    // -- levels

    function _level(address pool) private view returns (BreakerLevel) {
        if (!BreakerRecords.isActive(_conditions[pool])) return BreakerLevel.Normal;
        return _levelAt(_timers[pool]);
    }

    function _levelAt(Timers memory timers) private view returns (BreakerLevel) {
        if (block.timestamp < timers.haltedUntil) return BreakerLevel.Halted;
        if (block.timestamp < timers.pausedUntil) return BreakerLevel.Paused;
        if (block.timestamp < timers.stressedUntil) return BreakerLevel.Stressed;
        return BreakerLevel.Normal;
    }

    /// @dev When a level ends; 0 for `Normal`, which does not.
    function _endOf(Timers memory timers, BreakerLevel level) private pure returns (uint256) {
        if (level == BreakerLevel.Halted) return timers.haltedUntil;
        if (level == BreakerLevel.Paused) return timers.pausedUntil;
        if (level == BreakerLevel.Stressed) return timers.stressedUntil;
        return 0;
    }

    /// @dev When the last level ends.
    function _lastTime(Timers memory timers) private pure returns (uint256 last) {
        last = timers.stressedUntil;
        if (timers.pausedUntil > last) last = timers.pausedUntil;
        if (timers.haltedUntil > last) last = timers.haltedUntil;
    }

    function _setThresholds(BreakerThresholds memory thresholds_) private {
        BreakerRanges.check(thresholds_);
        _thresholds = BreakerRecords.encode(thresholds_);
        emit ThresholdsSet(thresholds_);
    }
}

// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.34;

import {Test} from "forge-std/Test.sol";
import {BreakerDefaults} from "../../../contracts/breaker/BreakerDefaults.sol";
import {BreakerThresholds} from "../../../contracts/breaker/BreakerParameters.sol";
import {CircuitBreaker, Timers} from "../../../contracts/breaker/CircuitBreaker.sol";
import {BreakerLevel} from "../../../contracts/interfaces/ICircuitBreaker.sol";

/// @dev Owner, pool and stranger of one breaker in a world of wild prices, fees and blocks. Keeps every pause and halt.
contract BreakerHandler is Test {
    CircuitBreaker public immutable breaker;

    uint256 public pauses;
    uint256 public pausedSeconds;
    uint256 public firstPauseAt;
    uint256 public pausesTooClose;
    uint256 public pausesTooLong;
    uint256 public haltsTooClose;
    uint256 public disagreements;

    uint256 private _price = 2000e24;
    uint256 private _pauseStart;
    uint256 private _pauseEnd;
    uint256 private _plannedLength;
    uint256 private _haltStart;
    uint256 private _haltEnd;

    constructor() {
        breaker = new CircuitBreaker(address(this), BreakerDefaults.parameters());
    }

    /// @dev A crash observed in every block: the usual way into a pause.
    function crash(uint256 step, uint256 blocks) external {
        step = bound(step, 1, 300);
        blocks = bound(blocks, 1, 10);
        for (uint256 i = 0; i < blocks; ++i) {
            _price = _price * (10_000 - step) / 10_000 + 1;
            _check(breaker.observe(0, _price));
            _pass(12, 1);
        }
    }

    function observe(uint256 collateralId, uint256 price) external {
        _price = bound(price, 1e24, 1e30);
        _check(breaker.observe(collateralId % 2, _price));
    }

    function poke(uint256 fee, uint256 count) external {
        vm.fee(bound(fee, 0, 5000 gwei));
        for (uint256 i = 0; i < bound(count, 1, 12); ++i) {
            _check(breaker.poke(address(this)));
            _pass(60, 3);
        }
    }

    function pass(uint256 elapsed, uint256 blocks) external {
        elapsed = bound(elapsed, 1, 1800);
        _pass(elapsed, bound(blocks, 0, elapsed / 12));
    }

    function halt(uint256 duration) external {
        duration = bound(duration, 1, 6 hours);
        uint256 allowedAt = _haltEnd == 0 ? 0 : _haltEnd + 4 * (_haltEnd - _haltStart);
        if (vm.getBlockTimestamp() < allowedAt) duration = 1;
        try breaker.halt(address(this), duration) {
            if (vm.getBlockTimestamp() < allowedAt) ++haltsTooClose;
            _haltStart = vm.getBlockTimestamp();
            _haltEnd = _haltStart + duration;
        } catch {}
    }

    function setThresholds(uint16 pauseDuration, uint8 toStress, uint8 toPause, bool latenessPauses) external {
        BreakerThresholds memory t = BreakerDefaults.thresholds();
        t.pauseDuration = uint16(bound(pauseDuration, 30, 900));
        t.observationsToStress = uint8(bound(toStress, 2, 5));
        t.observationsToPause = uint8(bound(toPause, t.observationsToStress, 8));
        t.latenessPauses = latenessPauses;
        breaker.setThresholds(t);
    }

    /// @dev Follows the timers after every call that may change them.
    function _check(BreakerLevel level) private {
        if (level != breaker.levelOf(address(this))) ++disagreements;
        Timers memory t = breaker.timersOf(address(this));
        if (t.pausedUntil == _pauseEnd) return;
        uint256 time = vm.getBlockTimestamp();
        if (t.pausedUntil <= time) {
            // Ended early.
            pausedSeconds -= _pauseEnd - t.pausedUntil;
        } else {
            if (pauses != 0 && time < _pauseStart + 5 * _plannedLength) ++pausesTooClose;
            if (t.pausedUntil - time > 900) ++pausesTooLong;
            if (pauses == 0) firstPauseAt = time;
            ++pauses;
            _pauseStart = time;
            _plannedLength = t.pausedUntil - time;
            pausedSeconds += _plannedLength;
        }
        _pauseEnd = t.pausedUntil;
    }

    function _pass(uint256 elapsed, uint256 blocks) private {
        vm.warp(vm.getBlockTimestamp() + elapsed);
        vm.roll(vm.getBlockNumber() + blocks);
    }
}

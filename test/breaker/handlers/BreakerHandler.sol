// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.34;

import {Test} from "forge-std/Test.sol";
import {BreakerDefaults} from "../../../contracts/breaker/BreakerDefaults.sol";
import {BreakerThresholds} from "../../../contracts/breaker/BreakerParameters.sol";
import {CircuitBreaker, Timers} from "../../../contracts/breaker/CircuitBreaker.sol";
import {BreakerLevel} from "../../../contracts/interfaces/ICircuitBreaker.sol";
import {CampaignLedger} from "../../invariants/system/CampaignLedger.sol";

/// @dev Owner, pool and stranger of one breaker in a world of wild prices, fees and blocks. Keeps every pause and halt; how often
/// each happened, and why a halt was refused, is in the ledger.
contract BreakerHandler is Test {
    CircuitBreaker public immutable breaker;
    CampaignLedger private immutable ledger;

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

    constructor(CampaignLedger ledger_) {
        ledger = ledger_;
        ledger.declare("crash", 200);
        ledger.declare("observe", 200);
        ledger.declare("poke", 200);
        ledger.declare("pass", 200);
        ledger.declare("thresholds", 200);
        ledger.declare("stress", 200);
        ledger.declare("pause", 100);
        ledger.declare("halt", 34);
        ledger.declare("halt too early, refused", 100);
        breaker = new CircuitBreaker(address(this), BreakerDefaults.parameters());
    }

    modifier counted() {
        ledger.called();
        _;
    }

    /// @dev A crash observed in every block: the usual way into a pause.
    function crash(uint256 step, uint256 blocks) external counted {
        step = bound(step, 1, 300);
        blocks = bound(blocks, 1, 10);
        for (uint256 i = 0; i < blocks; ++i) {
            _price = _price * (10_000 - step) / 10_000 + 1;
            _check(breaker.observe(0, _price));
            _pass(12, 1);
        }
        ledger.succeeded("crash");
    }

    function observe(uint256 collateralId, uint256 price) external counted {
        _price = bound(price, 1e24, 1e30);
        _check(breaker.observe(collateralId % 2, _price));
        ledger.succeeded("observe");
    }

    function poke(uint256 fee, uint256 count) external counted {
        vm.fee(bound(fee, 0, 5000 gwei));
        for (uint256 i = 0; i < bound(count, 1, 12); ++i) {
            _check(breaker.poke(address(this)));
            _pass(60, 3);
        }
        ledger.succeeded("poke");
    }

    function pass(uint256 elapsed, uint256 blocks) external counted {
        elapsed = bound(elapsed, 1, 1800);
        _pass(elapsed, bound(blocks, 0, elapsed / 12));
        ledger.succeeded("pass");
    }

    function halt(uint256 duration) external counted {
        // mostly short ones, so that there is another soon
        duration = bound(duration, 1, duration % 16 == 0 ? 6 hours : 2 minutes);
        uint256 allowedAt = _haltEnd == 0 ? 0 : _haltEnd + 4 * (_haltEnd - _haltStart);
        bool early = vm.getBlockTimestamp() < allowedAt;
        if (early) duration = 1;
        try breaker.halt(address(this), duration) {
            if (early) ++haltsTooClose;
            ledger.succeeded("halt");
            _haltStart = vm.getBlockTimestamp();
            _haltEnd = _haltStart + duration;
        } catch (bytes memory answer) {
            ledger.failed("halt", answer);
            ledger.check(early && bytes4(answer) == CircuitBreaker.HaltNotAllowedYet.selector, "a halt was refused");
            ledger.succeeded("halt too early, refused");
        }
    }

    function setThresholds(uint16 pauseDuration, uint8 toStress, uint8 toPause, bool latenessPauses) external counted {
        BreakerThresholds memory t = BreakerDefaults.thresholds();
        t.pauseDuration = uint16(bound(pauseDuration, 30, 900));
        t.observationsToStress = uint8(bound(toStress, 2, 5));
        t.observationsToPause = uint8(bound(toPause, t.observationsToStress, 8));
        t.latenessPauses = latenessPauses;
        breaker.setThresholds(t);
        ledger.succeeded("thresholds");
    }

    /// @dev Follows the timers after every call that may change them.
    function _check(BreakerLevel level) private {
        if (level != breaker.levelOf(address(this))) ++disagreements;
        if (level == BreakerLevel.Stressed) ledger.succeeded("stress");
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
            ledger.succeeded("pause");
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

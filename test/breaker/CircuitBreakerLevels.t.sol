// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.34;

import {BreakerDefaults} from "../../contracts/breaker/BreakerDefaults.sol";
import {BreakerThresholds} from "../../contracts/breaker/BreakerParameters.sol";
import {CircuitBreaker} from "../../contracts/breaker/CircuitBreaker.sol";
import {BreakerLevel} from "../../contracts/interfaces/ICircuitBreaker.sol";
import {BreakerTestBase} from "./BreakerTestBase.sol";

/// @dev Every transition of the state diagram in the README.
contract CircuitBreakerLevelsTest is BreakerTestBase {
    // -- Normal -> Stressed -> Paused, by each signal

    /// A fall of 10%: the third observation stresses, the sixth pauses.
    function test_observe_PriceStressesThenPauses() public {
        _observe(PRICE);
        for (uint256 i = 1; i <= 6; ++i) {
            _seconds(12);
            BreakerLevel level = _observe(PRICE * 9 / 10);
            _assertLevel(level, i < 3 ? BreakerLevel.Normal : i < 6 ? BreakerLevel.Stressed : BreakerLevel.Paused);
        }
    }

    /// A rise counts as a fall does; 9.9% does not.
    function test_observe_PriceThreshold() public {
        _observe(PRICE);
        for (uint256 i = 0; i < 6; ++i) {
            _seconds(12);
            _assertLevel(_observe(PRICE * 901 / 1000), BreakerLevel.Normal);
        }
        _seconds(1200);
        _observe(PRICE);
        _seconds(156);
        _observe(PRICE);
        for (uint256 i = 0; i < 3; ++i) {
            _seconds(12);
            _observe(PRICE * 111 / 100);
        }
        _assertLevel(breaker.levelOf(pool), BreakerLevel.Stressed);
    }

    /// 1,000 gwei after 10: on at the second record (see `test_poke_FeeAveragesByHand`), so stressed at the fourth.
    function test_poke_FeeStressesThenPauses() public {
        _poke();
        vm.fee(1000 gwei);
        _seconds(60);
        _assertLevel(_poke(), BreakerLevel.Normal);
        _seconds(60);
        _assertLevel(_poke(), BreakerLevel.Normal); // 1
        for (uint256 i = 2; i <= 6; ++i) {
            _seconds(12);
            _assertLevel(_poke(), i < 3 ? BreakerLevel.Normal : i < 6 ? BreakerLevel.Stressed : BreakerLevel.Paused);
        }
    }

    /// Half of all blocks missing stresses and, by default, never pauses.
    function test_poke_LatenessStressesOnly() public {
        _poke();
        for (uint256 i = 1; i <= 20; ++i) {
            _pass(10, 5);
            _assertLevel(_poke(), i < 3 ? BreakerLevel.Normal : BreakerLevel.Stressed);
        }
    }

    function test_poke_LatenessPausesWhereSoSet() public {
        BreakerThresholds memory t = BreakerDefaults.thresholds();
        t.latenessPauses = true;
        vm.prank(owner);
        breaker.setThresholds(t);
        _poke();
        for (uint256 i = 1; i <= 6; ++i) {
            _pass(10, 5);
            _poke();
        }
        _assertLevel(breaker.levelOf(pool), BreakerLevel.Paused);
    }

    function test_observe_SignalsOffNeverTrip() public {
        BreakerThresholds memory t = BreakerDefaults.thresholds();
        (t.feeMultiple, t.missedShare, t.velocity) = (0, 0, 0);
        vm.prank(owner);
        breaker.setThresholds(t);
        for (uint256 i = 0; i < 20; ++i) {
            _assertLevel(_observe(PRICE >> (i / 10 * 9)), BreakerLevel.Normal);
            vm.fee(10_000 gwei);
            _pass(10, 0);
        }
    }

    // -- release by time

    function test_levelOf_StressEndsByTime() public {
        _stressByPrice();
        uint256 end = breaker.timersOf(pool).stressedUntil;
        assertEq(end, vm.getBlockTimestamp() + 3 minutes);
        vm.warp(end - 1);
        _assertLevel(breaker.levelOf(pool), BreakerLevel.Stressed);
        vm.warp(end);
        _assertLevel(breaker.levelOf(pool), BreakerLevel.Normal);
    }

    function test_levelOf_PauseEndsByTime() public {
        _pauseByPrice();
        uint256 end = breaker.timersOf(pool).pausedUntil;
        assertEq(end, vm.getBlockTimestamp() + 3 minutes);
        assertEq(breaker.timersOf(pool).pauseAllowedAt, end + 12 minutes);
        vm.warp(end - 1);
        _assertLevel(breaker.levelOf(pool), BreakerLevel.Paused);
        vm.warp(end);
        _assertLevel(breaker.levelOf(pool), BreakerLevel.Normal);
    }

    // -- release at 0.8

    /// The move falls from 10% to 8.1% (still on) to 7.9% (off): the pause ends with the stress, in the same observation.
    function test_observe_ReleasesBelowEightTenths() public {
        _pauseByPrice();
        _seconds(12);
        _assertLevel(_observe(PRICE * 919 / 1000), BreakerLevel.Paused);
        _seconds(12);
        vm.expectEmit(address(breaker));
        emit CircuitBreaker.LevelChanged(pool, BreakerLevel.Paused, BreakerLevel.Normal, 2, 790, 1000, 0);
        _assertLevel(_observe(PRICE * 921 / 1000), BreakerLevel.Normal);
        // The cooldown stays.
        assertGt(breaker.timersOf(pool).pauseAllowedAt, vm.getBlockTimestamp() + 12 minutes);
    }

    /// A stretch of late blocks comes and goes while the price holds the pause: its going off ends nothing that it did not cause.
    function test_poke_AnotherSignalGoingOffLeavesThePause() public {
        _pauseByPrice();
        _pass(4, 0);
        _poke();
        assertGt(breaker.conditionsOf(pool).lateStreak, 0, "not late");
        while (breaker.conditionsOf(pool).lateStreak != 0) {
            _seconds(12);
            _assertLevel(_poke(), BreakerLevel.Paused);
        }
    }

    /// Fee at its limit, then back: the short average falls below 0.8 of the limit and releases.
    function test_poke_FeeReleases() public {
        _poke();
        vm.fee(1000 gwei);
        for (uint256 i = 0; i < 4; ++i) {
            _seconds(60);
            _poke();
        }
        _assertLevel(breaker.levelOf(pool), BreakerLevel.Stressed);
        vm.fee(10 gwei);
        BreakerLevel level = BreakerLevel.Stressed;
        for (uint256 i = 0; i < 100 && level != BreakerLevel.Normal; ++i) {
            _seconds(12);
            level = _poke();
        }
        assertLt(uint256(breaker.conditionsOf(pool).shortFee) * 100, uint256(breaker.conditionsOf(pool).longFee) * 640);
        assertEq(breaker.timersOf(pool).stressedUntil, vm.getBlockTimestamp());
    }

    /// What a price caused, calm blocks do not end; nor does another collateral's calm.
    function test_observe_OnlyTheCauseReleases() public {
        _stressByPrice();
        _seconds(60);
        _assertLevel(_poke(), BreakerLevel.Stressed);
        vm.startPrank(pool);
        breaker.observe(1, PRICE);
        vm.warp(vm.getBlockTimestamp() + 12);
        breaker.observe(1, PRICE * 21 / 20);
        _assertLevel(breaker.observe(1, PRICE), BreakerLevel.Stressed);
        vm.stopPrank();
    }

    // -- prolonging and cooldown

    function test_observe_ConfirmationsProlongStress() public {
        _stressByPrice();
        uint256 end = breaker.timersOf(pool).stressedUntil;
        _seconds(24);
        _observe(PRICE * 88 / 100);
        assertEq(breaker.timersOf(pool).stressedUntil, end + 24);
    }

    /// A crash that goes on: paused for 3 minutes, stressed for the 12 of the cooldown, paused again.
    function test_observe_CooldownAllowsStressOnly() public {
        uint256 price = PRICE;
        uint256 firstPause;
        uint256 pausedTime;
        for (uint256 i = 0; i < 75; ++i) {
            BreakerLevel level = _observe(price);
            if (level == BreakerLevel.Paused) {
                if (firstPause == 0) firstPause = vm.getBlockTimestamp();
                if (vm.getBlockTimestamp() < firstPause + 15 minutes) pausedTime += 12;
            } else if (firstPause != 0) {
                _assertLevel(level, BreakerLevel.Stressed);
            }
            if (firstPause != 0 && vm.getBlockTimestamp() == firstPause + 15 minutes) {
                _assertLevel(level, BreakerLevel.Paused);
            }
            price = price * 99 / 100; // 1% every 12 s
            _seconds(12);
        }
        assertGt(firstPause, 0);
        assertEq(pausedTime, 3 minutes);
    }

    // -- events

    function test_observe_EmitsOnlyOnChange() public {
        _observe(PRICE);
        for (uint256 i = 0; i < 2; ++i) {
            _seconds(12);
            vm.recordLogs();
            _observe(PRICE * 9 / 10);
            assertEq(vm.getRecordedLogs().length, 0);
        }
        _seconds(12);
        vm.expectEmit(address(breaker));
        emit CircuitBreaker.LevelChanged(
            pool, BreakerLevel.Normal, BreakerLevel.Stressed, 2, 1000, 1000, vm.getBlockTimestamp() + 180
        );
        _observe(PRICE * 9 / 10);
        for (uint256 i = 0; i < 2; ++i) {
            _seconds(12);
            vm.recordLogs();
            _observe(PRICE * 9 / 10);
            assertEq(vm.getRecordedLogs().length, 0);
        }
        _seconds(12);
        vm.expectEmit(address(breaker));
        emit CircuitBreaker.LevelChanged(
            pool, BreakerLevel.Stressed, BreakerLevel.Paused, 2, 1000, 1000, vm.getBlockTimestamp() + 180
        );
        _observe(PRICE * 9 / 10);
    }
}

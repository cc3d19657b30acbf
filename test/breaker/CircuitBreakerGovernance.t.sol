// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.34;

import {Ownable} from "@openzeppelin/contracts/access/Ownable.sol";
import {BreakerDefaults} from "../../contracts/breaker/BreakerDefaults.sol";
import {BreakerParameters, BreakerRanges, BreakerThresholds} from "../../contracts/breaker/BreakerParameters.sol";
import {CircuitBreaker} from "../../contracts/breaker/CircuitBreaker.sol";
import {BreakerLevel} from "../../contracts/interfaces/ICircuitBreaker.sol";
import {BreakerTestBase} from "./BreakerTestBase.sol";

contract CircuitBreakerGovernanceTest is BreakerTestBase {
    // -- halting

    function test_halt_EndsByTime() public {
        uint256 until = vm.getBlockTimestamp() + 1 hours;
        vm.expectEmit(address(breaker));
        emit CircuitBreaker.LevelChanged(
            pool, BreakerLevel.Normal, BreakerLevel.Halted, type(uint256).max, 1 hours, 6 hours, until
        );
        vm.prank(owner);
        breaker.halt(pool, 1 hours);
        _assertLevel(_observe(PRICE), BreakerLevel.Halted);
        _assertLevel(breaker.levelOf(makeAddr("another pool")), BreakerLevel.Normal);
        vm.warp(until - 1);
        _assertLevel(_poke(), BreakerLevel.Halted);
        vm.warp(until);
        _assertLevel(_poke(), BreakerLevel.Normal);
    }

    function test_halt_OutranksAndKeepsAPause() public {
        _pauseByPrice();
        vm.prank(owner);
        breaker.halt(pool, 1 minutes);
        _assertLevel(breaker.levelOf(pool), BreakerLevel.Halted);
        vm.warp(vm.getBlockTimestamp() + 1 minutes);
        _assertLevel(breaker.levelOf(pool), BreakerLevel.Paused);
    }

    function test_resume_EndsAHalt() public {
        vm.startPrank(owner);
        breaker.halt(pool, 6 hours);
        vm.expectEmit(address(breaker));
        emit CircuitBreaker.LevelChanged(
            pool, BreakerLevel.Halted, BreakerLevel.Normal, type(uint256).max, 0, 6 hours, 0
        );
        breaker.resume(pool);
        vm.stopPrank();
        _assertLevel(_observe(PRICE), BreakerLevel.Normal);
    }

    /// Even the owner cannot hold a pool for more than a fifth of the time.
    function test_RevertWhen_HaltIsRenewedTooSoon() public {
        vm.startPrank(owner);
        breaker.halt(pool, 1 hours);
        uint256 allowedAt = vm.getBlockTimestamp() + 5 hours;
        breaker.resume(pool);
        vm.warp(allowedAt - 1);
        vm.expectRevert(abi.encodeWithSelector(CircuitBreaker.HaltNotAllowedYet.selector, allowedAt));
        breaker.halt(pool, 1);
        vm.warp(allowedAt);
        breaker.halt(pool, 1);
    }

    function test_RevertWhen_HaltDurationIsOutOfRange() public {
        vm.startPrank(owner);
        vm.expectRevert(abi.encodeWithSelector(CircuitBreaker.HaltDurationOutOfRange.selector, 0, 6 hours));
        breaker.halt(pool, 0);
        vm.expectRevert(abi.encodeWithSelector(CircuitBreaker.HaltDurationOutOfRange.selector, 6 hours + 1, 6 hours));
        breaker.halt(pool, 6 hours + 1);
        vm.expectRevert(
            abi.encodeWithSelector(CircuitBreaker.HaltDurationOutOfRange.selector, type(uint256).max, 6 hours)
        );
        breaker.halt(pool, type(uint256).max);
    }

    function test_RevertWhen_ResumingWithoutHalt() public {
        vm.prank(owner);
        vm.expectRevert(abi.encodeWithSelector(CircuitBreaker.NotHalted.selector, pool));
        breaker.resume(pool);
    }

    function test_RevertWhen_StrangerGoverns() public {
        BreakerThresholds memory t = BreakerDefaults.thresholds();
        bytes memory refused = abi.encodeWithSelector(Ownable.OwnableUnauthorizedAccount.selector, address(this));
        vm.expectRevert(refused);
        breaker.halt(pool, 1);
        vm.expectRevert(refused);
        breaker.resume(pool);
        vm.expectRevert(refused);
        breaker.setThresholds(t);
    }

    function test_transferOwnership_TakesTwoSteps() public {
        vm.prank(owner);
        breaker.transferOwnership(address(this));
        assertEq(breaker.owner(), owner);
        breaker.acceptOwnership();
        assertEq(breaker.owner(), address(this));
    }

    // -- thresholds

    /// Lower thresholds apply from the next observation; a pause that runs keeps its end.
    function test_setThresholds_KeepsRunningLevels() public {
        _pauseByPrice();
        uint256 end = breaker.timersOf(pool).pausedUntil;
        BreakerThresholds memory t = BreakerDefaults.thresholds();
        t.pauseDuration = 900;
        t.velocity = 200;
        vm.expectEmit(address(breaker));
        emit CircuitBreaker.ThresholdsSet(t);
        vm.prank(owner);
        breaker.setThresholds(t);
        assertEq(abi.encode(breaker.thresholds()), abi.encode(t));
        assertEq(breaker.timersOf(pool).pausedUntil, end);
        vm.warp(end);
        _assertLevel(breaker.levelOf(pool), BreakerLevel.Normal);
    }

    function test_constructor_StoresParameters() public view {
        assertEq(abi.encode(breaker.timing()), abi.encode(BreakerDefaults.timing()));
        assertEq(abi.encode(breaker.thresholds()), abi.encode(BreakerDefaults.thresholds()));
        assertEq(breaker.owner(), owner);
    }

    function test_RevertWhen_ThresholdIsOutOfRange() public {
        BreakerThresholds memory t = BreakerDefaults.thresholds();
        t.feeMultiple = 199;
        _refused(t, "feeMultiple", 199, 200, 10_000);
        t.feeMultiple = 10_001;
        _refused(t, "feeMultiple", 10_001, 200, 10_000);
        t = BreakerDefaults.thresholds();
        t.feeFloor = 0;
        _refused(t, "feeFloor", 0, 1, type(uint48).max);
        t = BreakerDefaults.thresholds();
        t.missedShare = 1999;
        _refused(t, "missedShare", 1999, 2000, 10_000);
        t.missedShare = 10_001;
        _refused(t, "missedShare", 10_001, 2000, 10_000);
        t = BreakerDefaults.thresholds();
        t.velocity = 199;
        _refused(t, "velocity", 199, 200, 5000);
        t.velocity = 5001;
        _refused(t, "velocity", 5001, 200, 5000);
        t = BreakerDefaults.thresholds();
        t.observationsToStress = 1;
        _refused(t, "observationsToStress", 1, 2, 12);
        t.observationsToStress = 13;
        _refused(t, "observationsToStress", 13, 2, 12);
        t.observationsToStress = 7;
        _refused(t, "observationsToPause", 6, 7, 15);
        t.observationsToPause = 16;
        _refused(t, "observationsToPause", 16, 7, 15);
        t = BreakerDefaults.thresholds();
        t.stressDuration = 29;
        _refused(t, "stressDuration", 29, 30, 3600);
        t.stressDuration = 3601;
        _refused(t, "stressDuration", 3601, 30, 3600);
        t = BreakerDefaults.thresholds();
        t.pauseDuration = 29;
        _refused(t, "pauseDuration", 29, 30, 900);
        t.pauseDuration = 901;
        _refused(t, "pauseDuration", 901, 30, 900);
    }

    function test_RevertWhen_TimingIsOutOfRange() public {
        BreakerParameters memory p = BreakerDefaults.parameters();
        p.timing.slotTime = 0;
        _refused(p, "slotTime", 0, 1, 60);
        p.timing.slotTime = 61;
        _refused(p, "slotTime", 61, 1, 60);
        p = BreakerDefaults.parameters();
        p.timing.latencyWindow = 4;
        _refused(p, "latencyWindow", 4, 5, 100);
        p.timing.latencyWindow = 101;
        _refused(p, "latencyWindow", 101, 5, 100);
        p = BreakerDefaults.parameters();
        p.timing.shortWindow = 59;
        _refused(p, "shortWindow", 59, 60, 1800);
        p.timing.shortWindow = 1801;
        _refused(p, "shortWindow", 1801, 60, 1800);
        p = BreakerDefaults.parameters();
        p.timing.longWindow = 3599;
        _refused(p, "longWindow", 3599, 3600, 7 days);
        p.timing.longWindow = 7 days + 1;
        _refused(p, "longWindow", 7 days + 1, 3600, 7 days);
        p = BreakerDefaults.parameters();
        p.timing.velocityWindow = 59;
        _refused(p, "velocityWindow", 59, 60, 3600);
        p.timing.velocityWindow = 3601;
        _refused(p, "velocityWindow", 3601, 60, 3600);
        p = BreakerDefaults.parameters();
        p.timing.alertInterval = 11;
        _refused(p, "alertInterval", 11, 12, 120);
        p.timing.alertInterval = 121;
        _refused(p, "alertInterval", 121, 12, 120);
        p = BreakerDefaults.parameters();
        p.timing.calmInterval = 11;
        _refused(p, "calmInterval", 11, 12, 300);
        p.timing.calmInterval = 301;
        _refused(p, "calmInterval", 301, 12, 300);
    }

    function _refused(BreakerThresholds memory t, bytes32 name, uint256 value, uint256 least, uint256 most) private {
        vm.prank(owner);
        vm.expectRevert(abi.encodeWithSelector(BreakerRanges.ParameterOutOfRange.selector, name, value, least, most));
        breaker.setThresholds(t);
    }

    function _refused(BreakerParameters memory p, bytes32 name, uint256 value, uint256 least, uint256 most) private {
        vm.expectRevert(abi.encodeWithSelector(BreakerRanges.ParameterOutOfRange.selector, name, value, least, most));
        this.deploy(p);
    }

    /// @dev Called from outside: a failed deployment reverts the frame it is in, and what follows in a test would never run.
    function deploy(BreakerParameters memory p) external {
        new CircuitBreaker(owner, p);
    }
}

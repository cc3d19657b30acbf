// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.34;

import {Test} from "forge-std/Test.sol";
import {RateCurve, RateDrift, RateShape} from "../../contracts/libraries/RateCurve.sol";
import {IRateModel, RateParameters} from "../../contracts/interfaces/IRateModel.sol";
import {AdaptiveRateModel} from "../../contracts/rates/AdaptiveRateModel.sol";
import {KinkedRateModel} from "../../contracts/rates/KinkedRateModel.sol";
import {RateDefaults} from "../../contracts/rates/RateDefaults.sol";

contract RateModelsTest is Test {
    function test_parameters_AdaptiveAsGiven() public {
        RateParameters memory p = RateDefaults.adaptive();
        assertEq(abi.encode(new AdaptiveRateModel(p).parameters()), abi.encode(p));
        assertEq(p.targetUtilisation, 0.9e18);
        assertEq(p.highMultiplier, 4e18);
        assertEq(p.lowMultiplier, 0.25e18);
        assertEq(p.adaptationSpeed, 1_585_489_599_188); // 50e18 / 31,536,000
        assertEq(p.initialRateAtTarget, 1_268_391_679);
    }

    function test_parameters_KinkedHasOneRate() public {
        RateParameters memory p = new KinkedRateModel(0.8e18, 0.1e18, 10e18, 1e9).parameters();
        assertEq(
            abi.encode(p),
            abi.encode(
                RateParameters({
                    targetUtilisation: 0.8e18,
                    lowMultiplier: 0.1e18,
                    highMultiplier: 10e18,
                    adaptationSpeed: 0,
                    initialRateAtTarget: 1e9,
                    minRateAtTarget: 1e9,
                    maxRateAtTarget: 1e9
                })
            )
        );
    }

    function testFuzz_averageRate_IsTheLibrary(uint256 utilisation, uint256 rate, uint256 elapsed) public {
        RateParameters memory p = RateDefaults.adaptive();
        int256 log = RateCurve.logOf(bound(rate, p.minRateAtTarget, p.maxRateAtTarget));
        (RateShape shape, RateDrift drift) = RateCurve.pack(p);
        (uint256 expected, int256 expectedLog) = RateCurve.average(shape, drift, utilisation, log, elapsed);
        (uint256 got, int256 gotLog) = new AdaptiveRateModel(p).averageRate(utilisation, log, elapsed);
        assertEq(got, expected);
        assertEq(gotLog, expectedLog);
    }

    /// 10% of 3.15% a year at no utilisation, 10 times that at full; time changes nothing.
    function test_averageRate_KinkedIsFixed() public {
        IRateModel model = new KinkedRateModel(0.8e18, 0.1e18, 10e18, 1e9);
        int256 log = RateCurve.logOf(1e9);
        (uint256 rate, int256 end) = model.averageRate(0, log, 10 * 365 days);
        assertEq(rate, 1e8);
        assertEq(end, log);
        (rate, end) = model.averageRate(1e18, log, 10 * 365 days);
        assertApproxEqAbs(rate, 1e10, 1); // the log is exact to 5e-13
        assertEq(end, log);
        (rate,) = model.averageRate(0.4e18, log, 12);
        assertEq(rate, 0.55e9);
    }

    function test_RevertWhen_TargetIsZeroOrOne() public {
        RateParameters memory p = RateDefaults.adaptive();
        p.targetUtilisation = 0;
        _reverts(p, abi.encodeWithSelector(RateCurve.TargetUtilisationOutOfRange.selector, 0));
        p.targetUtilisation = 1e18;
        _reverts(p, abi.encodeWithSelector(RateCurve.TargetUtilisationOutOfRange.selector, 1e18));
        p.targetUtilisation = type(uint256).max;
        _reverts(p, abi.encodeWithSelector(RateCurve.TargetUtilisationOutOfRange.selector, type(uint256).max));
        p.targetUtilisation = 1;
        new AdaptiveRateModel(p);
        p.targetUtilisation = 1e18 - 1;
        new AdaptiveRateModel(p);
    }

    function test_RevertWhen_MultipliersCrossOne() public {
        RateParameters memory p = RateDefaults.adaptive();
        p.lowMultiplier = 1e18 + 1;
        _reverts(p, abi.encodeWithSelector(RateCurve.MultipliersOutOfRange.selector, 1e18 + 1, 4e18));
        p.lowMultiplier = 1e18;
        p.highMultiplier = 1e18 - 1;
        _reverts(p, abi.encodeWithSelector(RateCurve.MultipliersOutOfRange.selector, 1e18, 1e18 - 1));
        p.highMultiplier = 1e18;
        new AdaptiveRateModel(p);
    }

    function test_RevertWhen_RateBoundsDoNotNest() public {
        RateParameters memory p = RateDefaults.adaptive();
        uint256 initial = p.initialRateAtTarget;
        p.minRateAtTarget = 0;
        _reverts(p, abi.encodeWithSelector(RateCurve.RateBoundsInvalid.selector, 0, initial, p.maxRateAtTarget));
        p.minRateAtTarget = initial + 1;
        _reverts(
            p, abi.encodeWithSelector(RateCurve.RateBoundsInvalid.selector, initial + 1, initial, p.maxRateAtTarget)
        );
        p.minRateAtTarget = 1;
        p.maxRateAtTarget = initial - 1;
        _reverts(p, abi.encodeWithSelector(RateCurve.RateBoundsInvalid.selector, 1, initial, initial - 1));
        p.maxRateAtTarget = initial;
        new AdaptiveRateModel(p);
    }

    function test_RevertWhen_CurveExceedsMaximumRate() public {
        RateParameters memory p = RateDefaults.adaptive();
        p.maxRateAtTarget = RateCurve.MAX_RATE / 4;
        new AdaptiveRateModel(p);
        p.maxRateAtTarget += 1;
        _reverts(p, abi.encodeWithSelector(RateCurve.RateTooHigh.selector, p.maxRateAtTarget, 4e18));
        p.maxRateAtTarget = type(uint256).max;
        _reverts(p, abi.encodeWithSelector(RateCurve.RateTooHigh.selector, p.maxRateAtTarget, 4e18));
        p.maxRateAtTarget = RateDefaults.MAX_RATE_AT_TARGET;
        p.highMultiplier = type(uint256).max;
        _reverts(p, abi.encodeWithSelector(RateCurve.RateTooHigh.selector, p.maxRateAtTarget, p.highMultiplier));
    }

    function test_RevertWhen_AdaptationSpeedOutOfRange() public {
        RateParameters memory p = RateDefaults.adaptive();
        p.adaptationSpeed = RateCurve.MAX_ADAPTATION_SPEED;
        new AdaptiveRateModel(p);
        p.adaptationSpeed += 1;
        _reverts(p, abi.encodeWithSelector(RateCurve.AdaptationTooFast.selector, p.adaptationSpeed));
        p.adaptationSpeed = 0;
        _reverts(p, abi.encodeWithSelector(AdaptiveRateModel.AdaptationSpeedZero.selector));
    }

    function test_RevertWhen_KinkedRateIsZeroOrTooHigh() public {
        vm.expectRevert(abi.encodeWithSelector(RateCurve.RateBoundsInvalid.selector, 0, 0, 0));
        this.deployKinked(0);
        uint256 rate = RateCurve.MAX_RATE;
        vm.expectRevert(abi.encodeWithSelector(RateCurve.RateTooHigh.selector, rate, 10e18));
        this.deployKinked(rate);
    }

    function _reverts(RateParameters memory p, bytes memory why) private {
        vm.expectRevert(why);
        this.deploy(p);
    }

    /// @dev Called from outside: a failed deployment reverts the frame it is in, and what follows in a test would never run.
    function deploy(RateParameters memory p) external {
        new AdaptiveRateModel(p);
    }

    function deployKinked(uint256 rate) external {
        new KinkedRateModel(0.8e18, 0.1e18, 10e18, rate);
    }
}

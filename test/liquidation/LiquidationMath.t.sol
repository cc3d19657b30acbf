// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.34;

import {Test} from "forge-std/Test.sol";
import {LiquidationMath} from "../../contracts/libraries/LiquidationMath.sol";

contract LiquidationMathTest is Test {
    uint256 private constant WAD = 1e18;

    // -- bonus

    function test_bonusMultiplierDown_ReturnsOnePlusBonusWhereCollateralCarriesIt() public pure {
        // C/D = 1.25 > 1.05
        assertEq(LiquidationMath.bonusMultiplierDown(0.05e18, 1250, 1000), 1.05e18);
        // C/D = 1.05 exactly
        assertEq(LiquidationMath.bonusMultiplierDown(0.05e18, 1050, 1000), 1.05e18);
    }

    function test_bonusMultiplierDown_IsHeldToCollateralOverDebtRoundedDown() public pure {
        // 31/30 = 1.0333..., rounded down
        assertEq(LiquidationMath.bonusMultiplierDown(0.05e18, 31, 30), 1_033_333_333_333_333_333);
        // one unit short of 1.05
        assertEq(LiquidationMath.bonusMultiplierDown(0.05e18, 1049, 1000), 1.049e18);
    }

    function test_bonusMultiplierDown_IsOneBelowWater() public pure {
        assertEq(LiquidationMath.bonusMultiplierDown(0.05e18, 999, 1000), WAD);
        assertEq(LiquidationMath.bonusMultiplierDown(0.05e18, 0, 1000), WAD);
    }

    function testFuzz_bonusMultiplierDown_NeverExceedsItsBounds(uint256 bonus, uint256 value, uint256 debt)
        public
        pure
    {
        bonus = bound(bonus, 0, 0.5e18);
        debt = bound(debt, 1, type(uint128).max);
        value = bound(value, 0, type(uint248).max);
        uint256 multiplier = LiquidationMath.bonusMultiplierDown(bonus, value, debt);
        assertGe(multiplier, WAD);
        assertLe(multiplier, WAD + bonus);
        // B D <= C WAD wherever B > 1; C is cut to where the product fits
        if (multiplier > WAD && value <= type(uint192).max) assertLe(multiplier * debt, value * WAD);
        // and no smaller than it must be
        if (multiplier < WAD + bonus) assertGt((multiplier + 1) * debt, value * WAD);
    }

    // -- T3, T4 of the simulator's closed forms

    /// @dev T3: HF improves iff LTV < 1/(1 + b). For b = 5%: 1/1.05 = 0.952380952... D = 952,380 of C = 1,000,000 is below,
    /// D = 952,381 above. x = 1,000 seizes 1,050: C' = 998,950.
    function test_T3_HealthImprovesIffLoanToValueIsBelowInverseOfBonus() public pure {
        (uint256 repaid, uint256 seized) = LiquidationMath.seizeDown(1000, 1.05e18, 1e36, 1_000_000);
        assertEq(repaid, 1000);
        assertEq(seized, 1050);
        uint256 left = 1_000_000 - seized;
        // C'/D' against C/D, cross-multiplied
        assertGt(left * 952_380, 1_000_000 * (952_380 - repaid));
        assertLt(left * 952_381, 1_000_000 * (952_381 - repaid));
    }

    /// @dev T4: r*/D = (h - HF) / (h - (1 + b) theta) = (1.05 - 0.99) / (1.05 - 1.05 * 0.825) = 0.06 / 0.18375
    /// = 0.32653061224489795918...; D = 1e18, rounded up.
    function test_T4_TargetRepayIsTheClosedForm() public pure {
        uint256 repay = LiquidationMath.targetRepayUp(1e18, 0.99e18, 1.05e18, 1.05e18, 0.825e18);
        assertEq(repay, 326_530_612_244_897_960);
        // and it reaches h: V theta = 0.99, so (0.99 - 0.825 * 1.05 * r) / (1 - r) = 1.05 up to rounding
        uint256 weighted = 0.99e18 - repay * 0.86625e18 / WAD;
        assertApproxEqAbs(weighted * WAD / (1e18 - repay), 1.05e18, 4);
        assertGe((weighted + 1) * WAD / (1e18 - repay), 1.05e18);
    }

    // -- target

    function test_targetRepayUp_RoundsUp() public pure {
        // 7 * 0.05 / (1.05 - 0.84) = 1.666...
        assertEq(LiquidationMath.targetRepayUp(7, WAD, 1.05e18, 1.05e18, 0.8e18), 2);
    }

    function test_targetRepayUp_RoundsThresholdTimesBonusUp() public pure {
        // B LT = (1e18 + 1) * 0.5e18 / 1e18 = 0.5e18 + 0.5, up: 0.5e18 + 1. D = 1e36 shows the unit:
        // 1e36 * 0.1e18 / (0.5e18 - 1) = 2e35 + 4e17 + 0.8..., against exactly 2e35 with B LT rounded down
        assertEq(
            LiquidationMath.targetRepayUp(1e36, 0.9e18, WAD, WAD + 1, 0.5e18),
            200_000_000_000_000_000_400_000_000_000_000_001
        );
    }

    function test_targetRepayUp_ClosesFullyWhereNoPartReachesTheTarget() public pure {
        // HF = 0.87 <= B LT = 0.8715: selling lowers HF
        assertEq(LiquidationMath.targetRepayUp(100, 0.87e18, 1.05e18, 1.05e18, 0.83e18), 100);
        // HF_t = 1.01 <= B LT = 1.5 * 0.9
        assertEq(LiquidationMath.targetRepayUp(100, 0.99e18, 1.01e18, 1.5e18, 0.9e18), 100);
        // equality: HF = B LT
        assertEq(LiquidationMath.targetRepayUp(100, 0.84e18, 1.05e18, 1.05e18, 0.8e18), 100);
    }

    function test_targetRepayUp_IsZeroAtTheTarget() public pure {
        assertEq(LiquidationMath.targetRepayUp(100, 1.05e18, 1.05e18, 1.05e18, 0.8e18), 0);
        assertEq(LiquidationMath.targetRepayUp(100, 1.06e18, 1.05e18, 1.05e18, 0.8e18), 0);
    }

    function testFuzz_targetRepayUp_ReachesTheTargetAndNoMore(
        uint256 debt,
        uint256 health,
        uint256 threshold,
        uint256 bonus
    ) public pure {
        debt = bound(debt, 1e6, type(uint96).max);
        bonus = bound(bonus, 0, 0.15e18);
        threshold = bound(threshold, 0.3e18, 0.85e18);
        uint256 sold = (WAD + bonus) * threshold / WAD;
        health = bound(health, sold + 1e12, 1e18 - 1);
        uint256 repay = LiquidationMath.targetRepayUp(debt, health, 1.05e18, WAD + bonus, threshold);
        assertLe(repay, debt);
        // HF' (D - x) = HF D - x B LT, exactly and scaled by 1e36
        uint256 scaledSold = (WAD + bonus) * threshold;
        if (repay < debt) {
            assertGe(health * debt * WAD, repay * scaledSold);
            assertGe(health * debt * WAD - repay * scaledSold, 1.05e36 * (debt - repay));
        }
        // less would miss it: the denominator is at least 0.05 and its rounding 1e-18, so x is high by 2e-17 of itself and a unit
        if (repay < debt && repay > 3) {
            uint256 less = repay - 2 - repay / 1e16;
            assertLt(health * debt * WAD - less * scaledSold, 1.05e36 * (debt - less));
        }
    }

    // -- seizure

    function test_seizeDown_RoundsDown() public pure {
        // 10 * 1.05 / 3 = 3.5 at a price of 3
        (uint256 repaid, uint256 seized) = LiquidationMath.seizeDown(10, 1.05e18, 3e36, 100);
        assertEq(repaid, 10);
        assertEq(seized, 3);
    }

    function test_seizeDown_TakesAllAndLowersTheRepaymentRoundedUp() public pure {
        // 100 * 1.05 / 3 = 35 > 20: 20 cost 60 / 1.05 = 57.14..., up
        (uint256 repaid, uint256 seized) = LiquidationMath.seizeDown(100, 1.05e18, 3e36, 20);
        assertEq(repaid, 58);
        assertEq(seized, 20);
    }

    function test_seizeDown_HoldsAtTheLargestAmountsAndPrices() public pure {
        // x = 2^128 - 1, B = 1.05, F = 1e72: 1.05 (2^128 - 1) / 1e36 = 357.29..., and F = 1e36 / 1e36 = 1
        (, uint256 seized) = LiquidationMath.seizeDown(type(uint128).max, 1.05e18, 1e72, type(uint128).max);
        assertEq(seized, 357);
        uint256 repaid;
        (repaid, seized) = LiquidationMath.seizeDown(type(uint128).max, 1.05e18, 1, type(uint128).max);
        assertEq(seized, type(uint128).max);
        // (2^128 - 1) / 1.05e36 = 324.07..., up
        assertEq(repaid, 325);
        assertEq(LiquidationMath.valueDown(type(uint128).max, 1e72), uint256(type(uint128).max) * 1e36);
    }

    function testFuzz_seizeDown_NeverRaisesTheRepaymentNorTheValue(
        uint256 repay,
        uint256 multiplier,
        uint256 price,
        uint256 held
    ) public pure {
        repay = bound(repay, 1, type(uint128).max);
        held = bound(held, 0, type(uint128).max);
        multiplier = bound(multiplier, WAD, 1.5e18);
        price = bound(price, 1, 1e72);
        (uint256 repaid, uint256 seized) = LiquidationMath.seizeDown(repay, multiplier, price, held);
        assertLe(repaid, repay);
        assertLe(seized, held);
        // the value seized is at most x B
        assertLe(LiquidationMath.valueDown(seized, price), repaid * multiplier / WAD);
    }

    function testFuzz_seizeDown_SplittingNeverGains(uint256 first, uint256 second, uint256 price) public pure {
        first = bound(first, 1, 1e30);
        second = bound(second, 1, 1e30);
        price = bound(price, 1e18, 1e54);
        (, uint256 whole) = LiquidationMath.seizeDown(first + second, 1.05e18, price, type(uint128).max);
        (uint256 repaidA, uint256 a) = LiquidationMath.seizeDown(first, 1.05e18, price, type(uint128).max);
        (uint256 repaidB, uint256 b) = LiquidationMath.seizeDown(second, 1.05e18, price, type(uint128).max - a);
        // where the parts repay as much as the whole, they seize no more
        if (repaidA + repaidB >= first + second) assertLe(a + b, whole);
    }

    // -- dust

    function test_withoutDustLeft_KeepsWhatLeavesNone() public pure {
        assertEq(LiquidationMath.withoutDustLeft(70, 100, 30, false), 70);
        assertEq(LiquidationMath.withoutDustLeft(100, 100, 30, false), 100);
        assertEq(LiquidationMath.withoutDustLeft(0, 10, 30, true), 0);
    }

    function test_withoutDustLeft_ClosesOrLeavesTheDust() public pure {
        // 100 - 71 = 29 < 30: all where allowed, else 70
        assertEq(LiquidationMath.withoutDustLeft(71, 100, 30, true), 100);
        assertEq(LiquidationMath.withoutDustLeft(71, 100, 30, false), 70);
        // D <= 2 dust: all
        assertEq(LiquidationMath.withoutDustLeft(31, 60, 30, false), 60);
        assertEq(LiquidationMath.withoutDustLeft(32, 61, 30, false), 31);
        // D below the dust itself
        assertEq(LiquidationMath.withoutDustLeft(1, 29, 30, false), 29);
        assertEq(LiquidationMath.withoutDustLeft(1, 29, type(uint256).max, false), 29);
    }

    // -- zone

    function test_zoneDepthDown_IsLinearBetweenOneAndHard() public pure {
        assertEq(LiquidationMath.zoneDepthDown(1e18, 0.9e18), 0);
        // (1 - 0.97) / (1 - 0.91) = 1/3
        assertEq(LiquidationMath.zoneDepthDown(0.97e18, 0.91e18), 333_333_333_333_333_333);
        assertEq(LiquidationMath.zoneDepthDown(0.91e18, 0.91e18), 1e18);
        assertEq(LiquidationMath.zoneDepthDown(0.5e18, 0.91e18), 1e18);
        // damping off: HF_hard = 1
        assertEq(LiquidationMath.zoneDepthDown(1e18 - 1, 1e18), 1e18);
    }

    function test_interpolateDown_RoundsDownAndHoldsTheMinimum() public pure {
        // 1 + (8 - 1) / 3 = 3.33
        assertEq(LiquidationMath.interpolateDown(1, 8, uint256(1e18) / 3), 3);
        assertEq(LiquidationMath.interpolateDown(1, 8, 1e18), 8);
        assertEq(LiquidationMath.interpolateDown(9, 8, 0), 8);
    }
}

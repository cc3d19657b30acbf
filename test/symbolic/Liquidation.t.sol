// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.34;

import {Test} from "forge-std/Test.sol";

import {LiquidationMath} from "../../contracts/libraries/LiquidationMath.sol";

/// @notice The size and the price of a liquidation. Debts below 2^104, collateral below 2^128; ratios as the pool admits them.
contract LiquidationSymbolicTest is Test {
    uint256 private constant WAD = 1e18;

    // -- the bonus

    /// Between 1 and 1 + b, and above 1 only while collateral covers the debt with it: the toxicity bound B <= max(1, C / D).
    function testFuzz_BonusIsWithinItsBounds(uint256 bonus, uint128 value, uint104 debt) public pure {
        vm.assume(debt != 0);
        bonus = _bound(bonus, 0, 0.5e18);
        uint256 multiplier = LiquidationMath.bonusMultiplierDown(bonus, value, debt);
        assertGe(multiplier, WAD);
        assertLe(multiplier, WAD + bonus);
    }

    function testFuzz_BonusIsNeverToxic(uint256 bonus, uint128 value, uint104 debt) public pure {
        vm.assume(debt != 0);
        bonus = _bound(bonus, 0, 0.5e18);
        uint256 multiplier = LiquidationMath.bonusMultiplierDown(bonus, value, debt);
        assertTrue(multiplier == WAD || multiplier * debt <= uint256(value) * WAD);
    }

    // -- x_t

    /// x_t is at most the debt, and 0 exactly at the target or above.
    function testFuzz_TargetRepayIsAtMostTheDebt(uint104 debt, uint256 health, uint256 multiplier, uint256 threshold)
        public
        pure
    {
        uint256 target = 1.05e18;
        vm.assume(debt != 0);
        health = _bound(health, 0, WAD - 1);
        (multiplier, threshold) = (_bound(multiplier, WAD, 1.5e18), _bound(threshold, 0, WAD));
        uint256 repay = LiquidationMath.targetRepayUp(debt, health, target, multiplier, threshold);
        assertLe(repay, debt);
        assertGt(repay, 0);
    }

    function check_targetRepayOfTheHealthyIsNothing(uint104 debt, uint256 health, uint64 multiplier, uint64 threshold)
        public
        pure
    {
        vm.assume(health >= 1.05e18);
        assertEq(LiquidationMath.targetRepayUp(debt, health, 1.05e18, multiplier, threshold), 0);
    }

    /// x_t reaches the target: (N - x B LT) / (D - x) >= HF_t with N = HF D, wherever less than the debt is repaid.
    function testFuzz_TargetRepayReachesTheTarget(uint104 debt, uint256 health, uint256 multiplier, uint256 threshold)
        public
        pure
    {
        uint256 target = 1.05e18;
        vm.assume(debt != 0);
        health = _bound(health, 0, WAD - 1);
        (multiplier, threshold) = (_bound(multiplier, WAD, 1.5e18), _bound(threshold, 0, WAD));
        uint256 repay = LiquidationMath.targetRepayUp(debt, health, target, multiplier, threshold);
        uint256 sold = (multiplier * threshold + WAD - 1) / WAD;
        if (repay < debt) assertGe(health * debt - repay * sold, target * (debt - repay));
    }

    // -- what is seized

    /// Never more collateral than is held, never more repaid than was asked.
    function testFuzz_SeizureIsWithinBounds(uint104 repay, uint256 multiplier, uint128 price, uint128 collateral)
        public
        pure
    {
        vm.assume(price != 0);
        multiplier = _bound(multiplier, WAD, 1.5e18);
        (uint256 repaid, uint256 seized) = LiquidationMath.seizeDown(repay, multiplier, price, collateral);
        assertLe(seized, collateral);
        assertLe(repaid, repay);
    }

    // -- dust, zone, interpolation

    /// No debt is left between 0 and the dust; never less than was asked, never more than is owed.
    function check_noDustIsLeft(uint104 repay, uint104 debt, uint88 dust, bool fullClose) public pure {
        vm.assume(repay <= debt);
        uint256 result = LiquidationMath.withoutDustLeft(repay, debt, dust, fullClose);
        assertLe(result, debt);
        if (repay != 0) {
            uint256 left = debt - result;
            assertTrue(left == 0 || left >= dust);
            assertTrue(result >= repay || left == dust);
        } else {
            assertEq(result, 0);
        }
    }

    /// z is 0 at 1 and above, 1 at HF_hard and below, and in between.
    function testFuzz_ZoneIsAShare(uint256 health, uint256 healthHard) public pure {
        (health, healthHard) = (_bound(health, 0, 2 * WAD), _bound(healthHard, 0, WAD - 1));
        uint256 zone = LiquidationMath.zoneDepthDown(health, healthHard);
        assertLe(zone, WAD);
        if (health >= WAD) assertEq(zone, 0);
        else if (health <= healthHard) assertEq(zone, WAD);
    }

    /// Worse health is never less deep.
    function testFuzz_ZoneFallsWithHealth(uint64 health, uint256 healthHard) public pure {
        healthHard = _bound(healthHard, 0, WAD - 1);
        assertGe(
            LiquidationMath.zoneDepthDown(health, healthHard),
            LiquidationMath.zoneDepthDown(uint256(health) + 1, healthHard)
        );
    }

    /// The interpolated bonus lies between its ends.
    function testFuzz_InterpolationIsBetween(uint64 minimum, uint64 maximum, uint256 share) public pure {
        share = _bound(share, 0, WAD);
        uint256 result = LiquidationMath.interpolateDown(minimum, maximum, share);
        assertLe(result, maximum);
        assertGe(result, minimum < maximum ? minimum : maximum);
    }
}

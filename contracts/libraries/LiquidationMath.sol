// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {FixedPointMathLib} from "solady/utils/FixedPointMathLib.sol";
import {WAD} from "../types/Constants.sol";
import {PRICE_SCALE} from "../types/Price.sol";

/// @title The arithmetic of a liquidation
/// @notice Symbols: D debt, c collateral to be seized, F its price, C the value of all collateral, LT the liquidation
/// threshold, HF the health factor, B = 1 + bonus, x the repayment. Amounts are base units, ratios WAD, prices scaled by
/// 1e36. Products are 512 bits wide: amounts up to 2^128 and prices up to 1e72 do not overflow.
library LiquidationMath {
    /// @dev PRICE_SCALE / WAD: `x * B` is WAD-scaled, a price is scaled by 1e36.
    uint256 private constant PRICE_SCALE_OVER_WAD = PRICE_SCALE / WAD;

    /// @notice The value of `amount` of collateral in base units of the debt token, rounded down.
    function valueDown(uint256 amount, uint256 price) internal pure returns (uint256) {
        return FixedPointMathLib.fullMulDiv(amount, price, PRICE_SCALE);
    }

    /// @notice B = max(1, min(1 + b, floor(C / D))), WAD.
    /// @dev Seizing value x B for x leaves (C - x B) / (D - x), which is at least C / D iff B <= C / D: with this cap a
    /// liquidation never raises the loan-to-value of a position whose collateral covers its debt. Below C = D no bonus is
    /// left, and B = 1 gives away no more than is repaid.
    /// floor(C WAD / D) >= 1 + b iff C >= ceil((1 + b) D / WAD), so C WAD is only formed where it cannot overflow.
    function bonusMultiplierDown(uint256 bonus, uint256 collateralValue, uint256 debt) internal pure returns (uint256) {
        uint256 multiplier = WAD + bonus;
        if (collateralValue >= FixedPointMathLib.fullMulDivUp(debt, multiplier, WAD)) return multiplier;
        return FixedPointMathLib.max(WAD, FixedPointMathLib.fullMulDiv(collateralValue, WAD, debt));
    }

    /// @notice x_t, the repayment that lifts the health factor to `targetHealth`, rounded up, at most D.
    /// @dev With N = HF D the threshold-weighted collateral value, seizing x B of one collateral leaves
    /// HF' = (N - x B LT) / (D - x). Setting HF' = HF_t gives x = D (HF_t - HF) / (HF_t - B LT). It holds for several
    /// collaterals as for one, because only N enters. B LT is rounded up and so is x: the target is reached. Where
    /// HF_t <= B LT no partial repayment reaches it, and where x >= D none smaller than D does: then x = D.
    /// @return x 0 if the health factor is not below the target.
    function targetRepayUp(
        uint256 debt,
        uint256 health,
        uint256 targetHealth,
        uint256 multiplier,
        uint256 liquidationThreshold
    ) internal pure returns (uint256 x) {
        if (health >= targetHealth) return 0;
        uint256 healthSold = FixedPointMathLib.fullMulDivUp(multiplier, liquidationThreshold, WAD);
        // x >= D iff HF_t - HF >= HF_t - B LT
        if (healthSold >= targetHealth || healthSold >= health) return debt;
        return FixedPointMathLib.fullMulDivUp(debt, targetHealth - health, targetHealth - healthSold);
    }

    /// @notice The collateral for a repayment, floor(x B / F), held to c: if it exceeds c, c is taken and the repayment
    /// becomes ceil(c F / B).
    /// @dev The second repayment never exceeds the first: floor(x B / F) > c implies x > c F / B, and x is an integer.
    function seizeDown(uint256 repay, uint256 multiplier, uint256 price, uint256 collateral)
        internal
        pure
        returns (uint256 repaid, uint256 seized)
    {
        seized = FixedPointMathLib.fullMulDiv(repay, multiplier * PRICE_SCALE_OVER_WAD, price);
        if (seized <= collateral) return (repay, seized);
        return (repayForUp(collateral, multiplier, price), collateral);
    }

    /// @notice What `amount` of collateral costs a liquidator, ceil(amount F / B).
    function repayForUp(uint256 amount, uint256 multiplier, uint256 price) internal pure returns (uint256) {
        return FixedPointMathLib.fullMulDivUp(amount, price, multiplier * PRICE_SCALE_OVER_WAD);
    }

    /// @notice The repayment that leaves no debt between 0 and `dust`: D where a full close is allowed or D is at most
    /// twice the dust, D - dust otherwise.
    /// @param repay At most `debt`.
    function withoutDustLeft(uint256 repay, uint256 debt, uint256 dust, bool fullCloseAllowed)
        internal
        pure
        returns (uint256)
    {
        uint256 left = debt - repay;
        if (left == 0 || left >= dust || repay == 0) return repay;
        // debt - dust <= dust, without a sum that could overflow; debt < dust also lands here
        if (fullCloseAllowed || debt <= dust || debt - dust <= dust) return debt;
        return debt - dust;
    }

    /// @notice z = clamp((1 - HF) / (1 - HF_hard), 0, 1): how far into the damped zone a position is, rounded down.
    function zoneDepthDown(uint256 health, uint256 healthHard) internal pure returns (uint256) {
        if (health >= WAD) return 0;
        if (health <= healthHard) return WAD;
        unchecked {
            // Here healthHard < health < 1.
            return (WAD - health) * WAD / (WAD - healthHard);
        }
    }

    /// @notice `minimum + (maximum - minimum) * share`, rounded down; `minimum` is held to `maximum`.
    /// @param share WAD, at most 1.
    function interpolateDown(uint256 minimum, uint256 maximum, uint256 share) internal pure returns (uint256) {
        if (minimum >= maximum) return maximum;
        return minimum + (maximum - minimum) * share / WAD;
    }
}

// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.34;

import {FixedPointMathLib} from "solady/utils/FixedPointMathLib.sol";
import {ILiquidationPolicy, LiquidationGrant, LiquidationRequest, Refusal} from "../interfaces/ILiquidationPolicy.sol";
import {LiquidationMath} from "../libraries/LiquidationMath.sol";
import {WAD} from "../types/Constants.sol";

/// @title Close to a target health factor, at a bonus that rises as health falls
/// @notice The rules of Aave v4: repay until the health factor is at the target; the bonus rises linearly from a share of
/// its maximum at a health factor of 1 to the maximum at `FULL_BONUS_HEALTH`; neither debt nor collateral below the dust
/// threshold is left behind. Where Aave reverts because the liquidator asked for too little to avoid dust, this grants what
/// is needed. It holds no state, dampens nothing and ignores breaker and confirmation.
contract TargetHealthPolicy is ILiquidationPolicy {
    /// @notice HF_t, WAD.
    uint256 public immutable TARGET_HEALTH;

    /// @notice At or below this health factor the bonus is the collateral's maximum, WAD.
    uint256 public immutable FULL_BONUS_HEALTH;

    /// @notice The bonus just below a health factor of 1, as a share of the maximum, WAD.
    uint256 public immutable BONUS_SHARE_AT_ONE;

    /// @notice A target below 1, a health factor for the full bonus of 1 or more, or a share above 1.
    error InvalidParameters(uint256 targetHealth, uint256 fullBonusHealth, uint256 bonusShareAtOne);

    /// @dev Aave's main market uses 1.24, 0.90 and 0.90.
    constructor(uint256 targetHealth, uint256 fullBonusHealth, uint256 bonusShareAtOne) {
        if (targetHealth < WAD || fullBonusHealth >= WAD || bonusShareAtOne > WAD) {
            revert InvalidParameters(targetHealth, fullBonusHealth, bonusShareAtOne);
        }
        TARGET_HEALTH = targetHealth;
        FULL_BONUS_HEALTH = fullBonusHealth;
        BONUS_SHARE_AT_ONE = bonusShareAtOne;
    }

    /// @inheritdoc ILiquidationPolicy
    function needsConfirmation() external pure returns (bool) {
        return false;
    }

    /// @inheritdoc ILiquidationPolicy
    function quote(address, LiquidationRequest calldata request) external view returns (LiquidationGrant memory) {
        return _decide(request);
    }

    /// @inheritdoc ILiquidationPolicy
    function commit(LiquidationRequest calldata request) external view returns (LiquidationGrant memory) {
        return _decide(request);
    }

    /// @notice bonus = m s + (m - m s) min(1, (1 - HF) / (1 - FULL_BONUS_HEALTH)) with m = `maxBonus` and
    /// s = `BONUS_SHARE_AT_ONE`, WAD, rounded down.
    function bonusAt(uint256 healthFast, uint256 maxBonus) public view returns (uint256) {
        return LiquidationMath.interpolateDown(
            maxBonus * BONUS_SHARE_AT_ONE / WAD, maxBonus, LiquidationMath.zoneDepthDown(healthFast, FULL_BONUS_HEALTH)
        );
    }

    function _decide(LiquidationRequest calldata request) private view returns (LiquidationGrant memory grant) {
        if (request.healthFast >= WAD) {
            grant.refusal = Refusal.Healthy;
            return grant;
        }
        uint256 bonus = bonusAt(request.healthFast, request.maxBonus);
        uint256 multiplier = WAD + bonus;
        uint256 repay = FixedPointMathLib.min(
            request.asked,
            LiquidationMath.targetRepayUp(
                request.debt, request.healthFast, TARGET_HEALTH, multiplier, request.liquidationThreshold
            )
        );
        repay = LiquidationMath.withoutDustLeft(repay, request.debt, request.minDebt, true);
        (repay, grant.seize) = LiquidationMath.seizeDown(repay, multiplier, request.price, request.collateral);
        if (grant.seize == 0) {
            grant.refusal = Refusal.ZeroAmount;
            return grant;
        }
        // At least the dust is left of the debt, and less of the collateral: it can be bought without exceeding the debt, but
        // for the unit that rounding adds.
        if (
            repay < request.debt && grant.seize < request.collateral
                && LiquidationMath.valueDown(request.collateral - grant.seize, request.price) < request.minDebt
        ) {
            grant.seize = request.collateral;
            repay = FixedPointMathLib.min(
                request.debt, LiquidationMath.repayForUp(request.collateral, multiplier, request.price)
            );
        }
        grant.repay = repay;
        grant.bonus = bonus;
    }
}

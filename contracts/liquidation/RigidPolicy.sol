// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.34;

import {FixedPointMathLib} from "solady/utils/FixedPointMathLib.sol";
import {ILiquidationPolicy, LiquidationGrant, LiquidationRequest, Refusal} from "../interfaces/ILiquidationPolicy.sol";
import {LiquidationMath} from "../libraries/LiquidationMath.sol";
import {WAD} from "../types/Constants.sol";

/// @title Fixed close factor, fixed bonus
/// @notice The rules of Aave v3 (3.3 and later): half of the debt may be repaid at once, all of it at a health factor of at
/// most 0.95 or where debt or collateral is small; the bonus is fixed and may exceed what the collateral is worth over the
/// debt. It holds no state, dampens nothing and ignores breaker and confirmation.
contract RigidPolicy is ILiquidationPolicy {
    /// @notice The share of debt that may be repaid at once, WAD.
    uint256 public constant CLOSE_FACTOR = 0.5e18;

    /// @notice At or below this health factor all of it may be, WAD.
    uint256 public constant FULL_CLOSE_HEALTH = 0.95e18;

    /// @notice The bonus, WAD; a collateral's own maximum caps it.
    uint256 public immutable BONUS;

    /// @param bonus WAD; `type(uint256).max` for every collateral's own maximum.
    constructor(uint256 bonus) {
        BONUS = bonus;
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

    function _decide(LiquidationRequest calldata request) private view returns (LiquidationGrant memory grant) {
        if (request.healthFast >= WAD) {
            grant.refusal = Refusal.Healthy;
            return grant;
        }
        bool full = _fullCloseAllowed(request);
        uint256 most = full ? request.debt : request.debt * CLOSE_FACTOR / WAD;
        uint256 repay = LiquidationMath.withoutDustLeft(
            FixedPointMathLib.min(request.asked, most), request.debt, request.minDebt, full
        );

        uint256 bonus = FixedPointMathLib.min(BONUS, request.maxBonus);
        (grant.repay, grant.seize) = LiquidationMath.seizeDown(repay, WAD + bonus, request.price, request.collateral);
        if (grant.seize == 0) {
            grant.repay = 0;
            grant.refusal = Refusal.ZeroAmount;
            return grant;
        }
        grant.bonus = bonus;
    }

    /// @dev Small is less than twice the dust, so that half of it is not dust.
    function _fullCloseAllowed(LiquidationRequest calldata request) private pure returns (bool) {
        if (request.healthFast <= FULL_CLOSE_HEALTH || request.debt / 2 < request.minDebt) return true;
        return LiquidationMath.valueDown(request.collateral, request.price) / 2 < request.minDebt;
    }
}

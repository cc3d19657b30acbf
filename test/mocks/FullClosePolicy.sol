// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.34;

import {FixedPointMathLib} from "solady/utils/FixedPointMathLib.sol";

import {
    ILiquidationPolicy,
    LiquidationGrant,
    LiquidationRequest,
    Refusal
} from "../../contracts/interfaces/ILiquidationPolicy.sol";
import {WAD} from "../../contracts/types/Constants.sol";
import {PRICE_SCALE} from "../../contracts/types/Price.sol";

/// @title A policy that closes an unhealthy position whole and without bonus: all its debt, for collateral of that value
/// @notice Only for tests that compare with closed forms. Collateral that is worth less than the debt is handed over whole.
contract FullClosePolicy is ILiquidationPolicy {
    /// @inheritdoc ILiquidationPolicy
    function needsConfirmation() external pure returns (bool) {
        return false;
    }

    /// @inheritdoc ILiquidationPolicy
    function quote(address, LiquidationRequest calldata request) external pure returns (LiquidationGrant memory) {
        return _grant(request);
    }

    /// @inheritdoc ILiquidationPolicy
    function commit(LiquidationRequest calldata request) external pure returns (LiquidationGrant memory) {
        return _grant(request);
    }

    function _grant(LiquidationRequest calldata request) private pure returns (LiquidationGrant memory grant) {
        if (request.healthFast >= WAD) {
            grant.refusal = Refusal.Healthy;
        } else if (request.asked < request.debt) {
            grant.refusal = Refusal.ZeroAmount;
        } else {
            grant.repay = request.debt;
            uint256 worth = FixedPointMathLib.fullMulDiv(request.debt, PRICE_SCALE, request.price);
            grant.seize = FixedPointMathLib.min(worth, request.collateral);
        }
    }
}

// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.34;

import {
    ILiquidationPolicy,
    LiquidationGrant,
    LiquidationRequest,
    Refusal
} from "../../contracts/interfaces/ILiquidationPolicy.sol";
import {WAD} from "../../contracts/types/Constants.sol";

/// @title A policy that closes an unhealthy position whole: all its debt for all its collateral
/// @notice Only for tests that compare with closed forms, where what a position sells must not depend on the price.
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
            (grant.repay, grant.seize) = (request.debt, request.collateral);
        }
    }
}

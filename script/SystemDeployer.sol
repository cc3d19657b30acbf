// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.34;

import {Defaults} from "./Defaults.sol";
import {Deployment} from "./Deployment.sol";
import {Feeds} from "./Feeds.sol";
import {System, SystemPlan} from "./SystemPlan.sol";

/// @title A deployment in one call
/// @notice For tools that run the EVM in process: the code that it carries is larger than a chain accepts.
contract SystemDeployer {
    /// @notice Deploys what `plan` says; see `Deployment`.
    function deploy(SystemPlan calldata plan) external returns (System memory) {
        return Deployment.deploy(plan, address(this));
    }

    /// @notice The default plan; addresses are 0.
    function defaultPlan() external pure returns (SystemPlan memory) {
        return Defaults.system();
    }

    /// @notice The default bounds of a feed; see `Feeds.bounds`.
    function feedBounds(uint8 decimals, bool isQuote) external pure returns (uint128 minAnswer, uint128 maxAnswer) {
        return Feeds.bounds(decimals, isQuote);
    }
}

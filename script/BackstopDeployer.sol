// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.34;

import {Ownable} from "@openzeppelin/contracts/access/Ownable.sol";

import {BackstopParameters, BackstopParametersLib} from "../contracts/backstop/BackstopParameters.sol";
import {BackstopPolicy, IPolicyBackstop} from "../contracts/backstop/BackstopPolicy.sol";
import {BackstopPool} from "../contracts/backstop/BackstopPool.sol";
import {IStewardedPool, PremiumSteward} from "../contracts/backstop/PremiumSteward.sol";
import {ILendingPool} from "../contracts/interfaces/ILendingPool.sol";

/// @notice The contracts of a backstop. They do nothing until the pool's owner sets the policy and, for the premium, hands the
/// pool over to the steward.
struct BackstopSystem {
    address backstop;
    address policy;
    address steward;
}

/// @title Deploys a backstop for a pool that exists
/// @notice The policy runs whatever policy the pool has now behind the backstop. Addresses follow from the deployer's nonce, and anybody
/// may call: take them from the event of the own call, and compare what stands there with what was asked for.
contract BackstopDeployer {
    /// @notice The contracts of one call.
    event BackstopDeployed(address indexed pool, address indexed caller, BackstopSystem system);
    /// @notice Whoever is named as the timelock does not own the pool: a steward would obey him.
    error NotThePoolsOwner(address timelock, address owner);

    /// @param parameters What the backstop is deployed with.
    /// @param absorptionHealth HF_t of absorptions, WAD.
    /// @param timelock The pool's owner.
    /// @param premiumShare The share of the growth of reserves that is paid to depositors, WAD.
    function deploy(
        BackstopParameters calldata parameters,
        uint256 absorptionHealth,
        address timelock,
        uint256 premiumShare
    ) external returns (BackstopSystem memory system) {
        address owner = Ownable(parameters.pool).owner();
        if (owner != timelock) revert NotThePoolsOwner(timelock, owner);
        BackstopPool backstop = new BackstopPool(parameters);
        system.backstop = address(backstop);
        system.policy = address(
            new BackstopPolicy(
                ILendingPool(parameters.pool).policy(), IPolicyBackstop(system.backstop), absorptionHealth
            )
        );
        system.steward = address(new PremiumSteward(IStewardedPool(parameters.pool), backstop, timelock, premiumShare));
        emit BackstopDeployed(parameters.pool, msg.sender, system);
    }

    /// @notice The default parameters; `unit` is one whole token of the debt asset, base units.
    function defaultParameters(address pool, uint256 unit) external pure returns (BackstopParameters memory) {
        return BackstopParametersLib.defaults(pool, unit);
    }
}

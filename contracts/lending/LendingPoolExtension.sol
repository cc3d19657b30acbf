// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.34;

import {Ownable} from "@openzeppelin/contracts/access/Ownable.sol";

import {PoolAccounting} from "./PoolAccounting.sol";
import {PoolAdministration} from "./PoolAdministration.sol";
import {PoolParameters} from "./PoolParameters.sol";
import {PoolPositions} from "./PoolPositions.sol";
import {PoolSettlement} from "./PoolSettlement.sol";
import {PoolSignatures} from "./PoolSignatures.sol";
import {PoolViews} from "./PoolViews.sol";

/// @title What a lending pool does rarely
/// @notice Runs by delegate call in `LendingPool`'s storage. Called directly it is a pool without cash or accounts.
contract LendingPoolExtension is PoolSettlement, PoolSignatures, PoolViews, PoolAdministration {
    /// @notice Only a pool's constructor initialises, in its own storage.
    error NotConstructing();

    constructor(PoolParameters memory p)
        Ownable(p.owner)
        PoolAccounting(p.asset, p.rateModel)
        PoolPositions(p.breaker)
        PoolViews(p.asset)
    {}

    /// @notice Writes what the pool's constructor has no room for.
    function initialize(PoolParameters calldata p) external {
        if (address(this).code.length != 0) revert NotConstructing();
        (_name, _symbol) = (p.name, p.symbol);
        _setGuardian(p.guardian);
        _setPolicy(p.policy);
        _setCaps(p.supplyCap, p.borrowCap);
    }
}

// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.34;

import {LendingPool} from "../../contracts/lending/LendingPool.sol";
import {LendingPoolExtension} from "../../contracts/lending/LendingPoolExtension.sol";
import {PoolParameters} from "../../contracts/lending/PoolParameters.sol";

/// @dev Where the compiler put each variable of the pool.
contract PoolLayoutProbe is LendingPool {
    constructor(PoolParameters memory p, address extension_) LendingPool(p, extension_) {}

    function layout() external pure returns (uint256[17] memory slots) {
        assembly ("memory-safe") {
            mstore(slots, _market.slot)
            mstore(add(slots, 0x20), _policy.slot)
            mstore(add(slots, 0x40), _borrowLimits.slot)
            mstore(add(slots, 0x60), _positions.slot)
            mstore(add(slots, 0x80), _furtherCollateral.slot)
            mstore(add(slots, 0xa0), _risk.slot)
            mstore(add(slots, 0xc0), _listing.slot)
            mstore(add(slots, 0xe0), _totals.slot)
            mstore(add(slots, 0x100), _collateralCount.slot)
            mstore(add(slots, 0x120), _authorized.slot)
            mstore(add(slots, 0x140), _authorizationNonces.slot)
            mstore(add(slots, 0x160), _balances.slot)
            mstore(add(slots, 0x180), _allowances.slot)
            mstore(add(slots, 0x1a0), _nonces.slot)
            mstore(add(slots, 0x1c0), _name.slot)
            mstore(add(slots, 0x1e0), _settlementStipend.slot)
            mstore(add(slots, 0x200), _guardian.slot)
        }
    }
}

/// @dev The same of the extension.
contract PoolExtensionLayoutProbe is LendingPoolExtension {
    constructor(PoolParameters memory p) LendingPoolExtension(p) {}

    function layout() external pure returns (uint256[17] memory slots) {
        assembly ("memory-safe") {
            mstore(slots, _market.slot)
            mstore(add(slots, 0x20), _policy.slot)
            mstore(add(slots, 0x40), _borrowLimits.slot)
            mstore(add(slots, 0x60), _positions.slot)
            mstore(add(slots, 0x80), _furtherCollateral.slot)
            mstore(add(slots, 0xa0), _risk.slot)
            mstore(add(slots, 0xc0), _listing.slot)
            mstore(add(slots, 0xe0), _totals.slot)
            mstore(add(slots, 0x100), _collateralCount.slot)
            mstore(add(slots, 0x120), _authorized.slot)
            mstore(add(slots, 0x140), _authorizationNonces.slot)
            mstore(add(slots, 0x160), _balances.slot)
            mstore(add(slots, 0x180), _allowances.slot)
            mstore(add(slots, 0x1a0), _nonces.slot)
            mstore(add(slots, 0x1c0), _name.slot)
            mstore(add(slots, 0x1e0), _settlementStipend.slot)
            mstore(add(slots, 0x200), _guardian.slot)
        }
    }
}

// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeTransferLib} from "solady/utils/SafeTransferLib.sol";

/// @title Token movements that are what they claim to be
/// @notice Tokens that return nothing work, tokens that return false revert, and a token that delivers less than was sent
/// (a fee on transfer) is refused where it would be mis-accounted: on the way in.
library TokenTransfer {
    /// @notice `token` delivered `received` of the `expected` base units.
    error TransferShortfall(address token, uint256 expected, uint256 received);

    /// @notice Sends `amount` to `to`, and says whether the token did it: it has code, does not revert, and returns nothing or true.
    function tryPush(address token, address to, uint256 amount) internal returns (bool sent) {
        uint256 selector = uint32(IERC20.transfer.selector);
        assembly ("memory-safe") {
            // in scratch space and, until it is put back, in the place of the pointer to free memory
            let free := mload(0x40)
            mstore(0, selector)
            mstore(0x20, to)
            mstore(0x40, amount)
            sent := call(gas(), token, 0, 0x1c, 0x44, 0, 0x20)
            mstore(0x40, free)
            switch returndatasize()
            case 0 { sent := and(sent, iszero(iszero(extcodesize(token)))) }
            default { sent := and(sent, and(gt(returndatasize(), 31), eq(mload(0), 1))) }
        }
    }

    /// @notice Moves `amount` from `from` to this contract and checks that it arrived.
    function pull(address token, address from, uint256 amount) internal {
        uint256 before = SafeTransferLib.balanceOf(token, address(this));
        SafeTransferLib.safeTransferFrom(token, from, address(this), amount);
        uint256 balance = SafeTransferLib.balanceOf(token, address(this));
        if (balance < before + amount) {
            revert TransferShortfall(token, amount, balance > before ? balance - before : 0);
        }
    }
}

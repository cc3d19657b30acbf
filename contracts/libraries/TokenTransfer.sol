// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {SafeTransferLib} from "solady/utils/SafeTransferLib.sol";

/// @title Token movements that are what they claim to be
/// @notice Tokens that return nothing work, tokens that return false revert, and a token that delivers less than was sent
/// (a fee on transfer) is refused where it would be mis-accounted: on the way in.
library TokenTransfer {
    /// @notice `token` delivered `received` of the `expected` base units.
    error TransferShortfall(address token, uint256 expected, uint256 received);

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

// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {PoolStorage} from "./PoolStorage.sol";

/// @title The lender's share as an ERC-20
/// @notice One share has three decimals more than the asset. Name, symbol and permits are in `PoolSignatures`.
/// @dev Written here rather than inherited because the supply of shares lives in the market's packed slot: a library's
/// own slot for it would cost 5,000 gas on every deposit and withdrawal.
abstract contract PoolShares is PoolStorage {
    event Transfer(address indexed from, address indexed to, uint256 value);
    event Approval(address indexed owner, address indexed spender, uint256 value);

    error InsufficientShares(address owner, uint256 balance, uint256 needed);
    error InsufficientAllowance(address spender, uint256 allowance, uint256 needed);
    error ZeroAddress();

    function totalSupply() external view returns (uint256) {
        return _market.supplyShares;
    }

    function balanceOf(address account) external view returns (uint256) {
        return _balances[account];
    }

    function allowance(address owner_, address spender) external view returns (uint256) {
        return _allowances[owner_][spender];
    }

    function approve(address spender, uint256 shares) external returns (bool) {
        _approve(msg.sender, spender, shares);
        return true;
    }

    function transfer(address to, uint256 shares) external returns (bool) {
        _transfer(msg.sender, to, shares);
        return true;
    }

    function transferFrom(address from, address to, uint256 shares) external returns (bool) {
        _spendAllowance(from, shares);
        _transfer(from, to, shares);
        return true;
    }

    function _approve(address owner_, address spender, uint256 shares) internal {
        if (spender == address(0)) revert ZeroAddress();
        _allowances[owner_][spender] = shares;
        emit Approval(owner_, spender, shares);
    }

    function _spendAllowance(address owner_, uint256 shares) internal {
        if (msg.sender == owner_) return;
        uint256 allowed = _allowances[owner_][msg.sender];
        if (allowed == type(uint256).max) return;
        if (allowed < shares) revert InsufficientAllowance(msg.sender, allowed, shares);
        unchecked {
            _allowances[owner_][msg.sender] = allowed - shares;
        }
    }

    /// @dev The caller accounts for the supply.
    function _mintShares(address to, uint256 shares) internal {
        if (to == address(0)) revert ZeroAddress();
        unchecked {
            // Never above the supply, which is a uint104.
            _balances[to] += shares;
        }
        emit Transfer(address(0), to, shares);
    }

    /// @dev The caller accounts for the supply.
    function _burnShares(address from, uint256 shares) internal {
        _debit(from, shares);
        emit Transfer(from, address(0), shares);
    }

    function _transfer(address from, address to, uint256 shares) private {
        if (to == address(0)) revert ZeroAddress();
        _debit(from, shares);
        unchecked {
            _balances[to] += shares;
        }
        emit Transfer(from, to, shares);
    }

    function _debit(address from, uint256 shares) private {
        uint256 balance = _balances[from];
        if (balance < shares) revert InsufficientShares(from, balance, shares);
        unchecked {
            _balances[from] = balance - shares;
        }
    }
}

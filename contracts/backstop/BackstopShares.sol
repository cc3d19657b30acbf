// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {SafeCastLib} from "solady/utils/SafeCastLib.sol";

import {BackstopAccounting} from "./BackstopAccounting.sol";
import {Depositor} from "./BackstopStorage.sol";

/// @title The depositor's share as an ERC-20
/// @notice A share that moves takes nothing along: what it earned until then stays with the sender, and the receiver earns from
/// then on. Both are brought up to date first. Shares in the exit queue do not move.
/// @dev Entries, exits and rescalings change balances without a `Transfer`: `PeriodCrossed`, `DepositQueued`, `ExitQueued` and
/// `AccountUpdated` say them.
abstract contract BackstopShares is BackstopAccounting {
    using SafeCastLib for uint256;

    string public name;
    string public symbol;
    uint8 public immutable decimals;

    event Transfer(address indexed from, address indexed to, uint256 value);
    event Approval(address indexed owner, address indexed spender, uint256 value);

    error InsufficientAllowance(address spender, uint256 allowance, uint256 needed);
    error ZeroAddress();
    error Reentered();

    /// @dev Tokens are the only foreign code that runs while a call is under way, and the pool's callees; none may come back.
    modifier nonReentrant() {
        if (_entered) revert Reentered();
        _entered = true;
        _;
        _entered = false;
    }

    constructor(string memory name_, string memory symbol_, uint8 assetDecimals) {
        (name, symbol) = (name_, symbol_);
        decimals = assetDecimals + 3;
    }

    /// @notice Shares of active depositors, those that wait to leave and the locked ones included.
    function totalSupply() external view returns (uint256) {
        return _totals.shares;
    }

    /// @notice Free shares, as of the last roll.
    function balanceOf(address account) external view returns (uint256) {
        (Depositor memory a,) = _upToDate(account);
        return a.shares;
    }

    function allowance(address owner, address spender) external view returns (uint256) {
        return _allowances[owner][spender];
    }

    function approve(address spender, uint256 shares) external returns (bool) {
        if (spender == address(0)) revert ZeroAddress();
        _allowances[msg.sender][spender] = shares;
        emit Approval(msg.sender, spender, shares);
        return true;
    }

    function transfer(address to, uint256 shares) external nonReentrant returns (bool) {
        _move(msg.sender, to, shares);
        return true;
    }

    function transferFrom(address from, address to, uint256 shares) external nonReentrant returns (bool) {
        uint256 allowed = _allowances[from][msg.sender];
        if (msg.sender != from && allowed != type(uint256).max) {
            if (allowed < shares) revert InsufficientAllowance(msg.sender, allowed, shares);
            _allowances[from][msg.sender] = allowed - shares;
        }
        _move(from, to, shares);
        return true;
    }

    function _move(address from, address to, uint256 shares) private {
        if (to == address(0)) revert ZeroAddress();
        _roll();
        Depositor memory sender = _bringUpToDate(from);
        if (shares > sender.shares) revert InsufficientShares(from, sender.shares, shares);
        sender.shares -= shares.toUint112();
        _storeAccount(from, sender);
        Depositor memory receiver = _bringUpToDate(to);
        receiver.shares += shares.toUint112();
        _storeAccount(to, receiver);
        emit Transfer(from, to, shares);
    }
}

// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.34;

import {ERC20} from "solady/tokens/ERC20.sol";

/// @title An ERC-20 that anybody may mint, for simulation and tests
/// @dev Never deploy it where its balance is worth anything. Permit2's standing infinite allowance is off, so that an
/// allowance is only what its owner gave.
contract SimToken is ERC20 {
    uint8 private immutable DECIMALS;

    string private _name;
    string private _symbol;

    constructor(string memory name_, string memory symbol_, uint8 decimals_) {
        _name = name_;
        _symbol = symbol_;
        DECIMALS = decimals_;
    }

    /// @notice Creates `amount` base units for `to`. Open to anybody.
    function mint(address to, uint256 amount) external {
        _mint(to, amount);
    }

    function name() public view override returns (string memory) {
        return _name;
    }

    function symbol() public view override returns (string memory) {
        return _symbol;
    }

    function decimals() public view override returns (uint8) {
        return DECIMALS;
    }

    function _givePermit2InfiniteAllowance() internal pure override returns (bool) {
        return false;
    }
}

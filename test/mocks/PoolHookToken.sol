// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.34;

import {ERC20} from "solady/tokens/ERC20.sol";

/// @dev Who wants to be told of a transfer, as ERC-777's hooks do.
interface IPoolTokenHook {
    function onTokenMove(bool before) external;
}

/// @dev An honest token that calls whoever registered: the sender before it moves anything, the receiver after.
contract PoolHookToken is ERC20 {
    uint8 private immutable DECIMALS;

    mapping(address => bool) public hooked;

    constructor(uint8 decimals_) {
        DECIMALS = decimals_;
    }

    function mint(address to, uint256 amount) external {
        _mint(to, amount);
    }

    function register(bool on) external {
        hooked[msg.sender] = on;
    }

    function name() public pure override returns (string memory) {
        return "Hooked";
    }

    function symbol() public pure override returns (string memory) {
        return "HOOK";
    }

    function decimals() public view override returns (uint8) {
        return DECIMALS;
    }

    function _beforeTokenTransfer(address from, address, uint256) internal override {
        if (hooked[from]) IPoolTokenHook(from).onTokenMove(true);
    }

    function _afterTokenTransfer(address, address to, uint256) internal override {
        if (hooked[to]) IPoolTokenHook(to).onTokenMove(false);
    }
}

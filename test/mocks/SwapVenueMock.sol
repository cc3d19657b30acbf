// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {SafeTransferLib} from "solady/utils/SafeTransferLib.sol";

interface ISwapCallback {
    function uniswapV3SwapCallback(int256 amount0Delta, int256 amount1Delta, bytes calldata data) external;
}

/// @notice Swaps as a Uniswap v3 pool does (pays out first, then asks), at a fixed price and up to a fixed amount.
contract SwapVenueMock {
    address public token0;
    address public token1;
    uint256 public rate;
    uint256 public capacity = type(uint256).max;

    constructor(address first, address second) {
        (token0, token1) = (first, second);
    }

    /// @param newRate Output for 1e18 of input.
    function set(uint256 newRate, uint256 newCapacity) external {
        (rate, capacity) = (newRate, newCapacity);
    }

    function swap(address recipient, bool zeroForOne, int256 amount, uint160, bytes calldata data)
        external
        returns (int256 amount0, int256 amount1)
    {
        uint256 input = uint256(amount) < capacity ? uint256(amount) : capacity;
        uint256 output = input * rate / 1e18;
        SafeTransferLib.safeTransfer(zeroForOne ? token1 : token0, recipient, output);
        (amount0, amount1) = zeroForOne ? (int256(input), -int256(output)) : (-int256(output), int256(input));
        address sold = zeroForOne ? token0 : token1;
        uint256 before = SafeTransferLib.balanceOf(sold, address(this));
        ISwapCallback(msg.sender).uniswapV3SwapCallback(amount0, amount1, data);
        require(SafeTransferLib.balanceOf(sold, address(this)) == before + input, "unpaid");
    }
}

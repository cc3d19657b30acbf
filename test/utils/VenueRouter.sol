// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.34;

import {SafeCastLib} from "solady/utils/SafeCastLib.sol";
import {SafeTransferLib} from "solady/utils/SafeTransferLib.sol";

/// @dev What is used of a Uniswap v3 pool.
interface IRoutedVenue {
    function token0() external view returns (address);
    function token1() external view returns (address);
    function swap(
        address recipient,
        bool zeroForOne,
        int256 amountSpecified,
        uint160 sqrtPriceLimitX96,
        bytes calldata data
    ) external returns (int256 amount0, int256 amount1);
    function mint(address recipient, int24 tickLower, int24 tickUpper, uint128 amount, bytes calldata data)
        external
        returns (uint256 amount0, uint256 amount1);
}

/// @title Swaps and provides liquidity on Uniswap v3 pools with the caller's approved tokens
/// @notice For simulation and tests. A position minted here belongs to the caller, who burns and collects on the pool itself.
contract VenueRouter {
    /// @notice A callback from a contract that this one did not call.
    error UnexpectedCallback(address caller);

    address private transient _venue;
    address private transient _payer;

    /// @notice Uniswap v3's `swap`: positive amounts are exact inputs, negative ones exact outputs; proceeds go to the caller.
    function swap(IRoutedVenue venue, bool zeroForOne, int256 amountSpecified, uint160 sqrtPriceLimitX96)
        external
        returns (int256 amount0, int256 amount1)
    {
        (_venue, _payer) = (address(venue), msg.sender);
        (amount0, amount1) = venue.swap(msg.sender, zeroForOne, amountSpecified, sqrtPriceLimitX96, "");
        (_venue, _payer) = (address(0), address(0));
    }

    /// @notice Adds `liquidity` to the caller's position in a range.
    function mint(IRoutedVenue venue, int24 tickLower, int24 tickUpper, uint128 liquidity)
        external
        returns (uint256 amount0, uint256 amount1)
    {
        (_venue, _payer) = (address(venue), msg.sender);
        (amount0, amount1) = venue.mint(msg.sender, tickLower, tickUpper, liquidity, "");
        (_venue, _payer) = (address(0), address(0));
    }

    /// @notice Uniswap v3's callback.
    function uniswapV3SwapCallback(int256 amount0Delta, int256 amount1Delta, bytes calldata) external {
        if (amount0Delta > 0) _pay(IRoutedVenue(msg.sender).token0(), SafeCastLib.toUint256(amount0Delta));
        if (amount1Delta > 0) _pay(IRoutedVenue(msg.sender).token1(), SafeCastLib.toUint256(amount1Delta));
    }

    /// @notice Uniswap v3's callback.
    function uniswapV3MintCallback(uint256 amount0Owed, uint256 amount1Owed, bytes calldata) external {
        if (amount0Owed > 0) _pay(IRoutedVenue(msg.sender).token0(), amount0Owed);
        if (amount1Owed > 0) _pay(IRoutedVenue(msg.sender).token1(), amount1Owed);
    }

    function _pay(address token, uint256 amount) private {
        if (msg.sender != _venue) revert UnexpectedCallback(msg.sender);
        SafeTransferLib.safeTransferFrom(token, _payer, msg.sender, amount);
    }
}

// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.34;

import {FixedPointMathLib} from "solady/utils/FixedPointMathLib.sol";
import {SafeCastLib} from "solady/utils/SafeCastLib.sol";
import {SimToken} from "./SimToken.sol";

/// @dev Uniswap v3's swap callback.
interface ISwapCallback {
    function uniswapV3SwapCallback(int256 amount0Delta, int256 amount1Delta, bytes calldata data) external;
}

/// @title A market without impact: any amount trades at a set price, without fee
/// @notice It looks like a Uniswap v3 pool to one that swaps on it. What it sells it mints, so its two tokens must be
/// `SimToken`s. In the counterfactual world liquidators sell here.
contract ShadowVenue {
    using SafeCastLib for uint256;
    using SafeCastLib for int256;

    /// @notice Tokens that were not paid in by the callback.
    error Unpaid(uint256 balance, uint256 needed);

    event Swap(
        address indexed sender,
        address indexed recipient,
        int256 amount0,
        int256 amount1,
        uint160 sqrtPriceX96,
        uint128 liquidity,
        int24 tick
    );

    address public immutable token0;
    address public immutable token1;
    uint24 public constant fee = 0;

    uint160 private _sqrtPriceX96;

    constructor(address tokenA, address tokenB) {
        (token0, token1) = tokenA < tokenB ? (tokenA, tokenB) : (tokenB, tokenA);
    }

    /// @notice Sets the price as a Uniswap v3 pool keeps it: the square root of token1 per token0, scaled by 2^96.
    function setPrice(uint160 sqrtPriceX96) external {
        _sqrtPriceX96 = sqrtPriceX96;
    }

    /// @notice Uniswap v3's; only the price means anything.
    function slot0() external view returns (uint160, int24, uint16, uint16, uint16, uint8, bool) {
        return (_sqrtPriceX96, 0, 0, 1, 1, 0, true);
    }

    /// @notice Uniswap v3's; the price limit has no meaning where nothing moves the price. What is paid out is rounded down,
    /// what is to be paid in up.
    function swap(address recipient, bool zeroForOne, int256 amountSpecified, uint160, bytes calldata data)
        external
        returns (int256 amount0, int256 amount1)
    {
        uint256 ratioX128 = FixedPointMathLib.fullMulDiv(_sqrtPriceX96, _sqrtPriceX96, 1 << 64);
        uint256 into;
        uint256 out;
        // token1 = token0 * ratio
        if (amountSpecified > 0) {
            into = amountSpecified.toUint256();
            out = zeroForOne
                ? FixedPointMathLib.fullMulDiv(into, ratioX128, 1 << 128)
                : FixedPointMathLib.fullMulDiv(into, 1 << 128, ratioX128);
        } else {
            out = (-amountSpecified).toUint256();
            into = zeroForOne
                ? FixedPointMathLib.fullMulDivUp(out, 1 << 128, ratioX128)
                : FixedPointMathLib.fullMulDivUp(out, ratioX128, 1 << 128);
        }
        (address tokenIn, address tokenOut) = zeroForOne ? (token0, token1) : (token1, token0);
        (amount0, amount1) = zeroForOne ? (into.toInt256(), -out.toInt256()) : (-out.toInt256(), into.toInt256());

        SimToken(tokenOut).mint(recipient, out);
        uint256 needed = SimToken(tokenIn).balanceOf(address(this)) + into;
        ISwapCallback(msg.sender).uniswapV3SwapCallback(amount0, amount1, data);
        uint256 balance = SimToken(tokenIn).balanceOf(address(this));
        if (balance < needed) revert Unpaid(balance, needed);
        emit Swap(msg.sender, recipient, amount0, amount1, _sqrtPriceX96, 0, 0);
    }
}

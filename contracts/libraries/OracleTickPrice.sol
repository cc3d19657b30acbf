// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {FixedPointMathLib} from "solady/utils/FixedPointMathLib.sol";

/// @title Prices and depth from the accumulators of a Uniswap v3 pool
/// @notice A tick is a logarithm to the base 1.0001 of token1 per token0, both in base units (Uniswap v3 Core whitepaper,
/// 6.1), so the mean tick is the logarithm of the geometric mean price. Here it is kept as a fraction: rounding it to a whole
/// tick (which must be downwards, also below zero) would cost up to a basis point.
library OracleTickPrice {
    /// @dev ln(1.0001), scaled by 1e36.
    uint256 private constant LN_TICK = 99_995_000_333_308_335_333_166_680_951_131;

    /// @dev 1 - sqrt(0.98), scaled by 1e36, rounded down.
    uint256 private constant DEPTH_FACTOR = 10_050_506_338_833_465_838_817_893_053_211_345;

    /// @notice 1.0001^(tickTime / period), scaled by 1e36, rounded down; relative error below 1e-16 where the result exceeds
    /// 1e20. Reverts beyond 1.0001^1,350,000, far outside Uniswap's ticks.
    /// @param tickTime The integral of the tick over `period` seconds, negated if the price of token1 in token0 is wanted.
    function price(int256 tickTime, uint256 period) internal pure returns (uint256) {
        return _power(tickTime, period);
    }

    /// @notice What a fall of the price by 2% takes out of constant `liquidity`: base units of the token that is paid,
    /// rounded down.
    /// @param tickTime As for `price`, for the price of the token that is sold in the token that is paid.
    /// @dev Selling token0: delta of token1 = L (sqrt P - sqrt(0.98 P)). Selling token1: delta of token0 =
    /// L (1 / sqrt P - 1 / sqrt(P / 0.98)) (whitepaper, 6.13 to 6.16). With p the price of what is sold, both are
    /// L sqrt(p) (1 - sqrt 0.98).
    function depth(int256 tickTime, uint256 period, uint256 liquidity) internal pure returns (uint256) {
        uint256 root = _power(tickTime, 2 * period);
        return FixedPointMathLib.fullMulDiv(FixedPointMathLib.fullMulDiv(liquidity, root, 1e36), DEPTH_FACTOR, 1e36);
    }

    /// @notice The harmonic mean of the liquidity, at least 1 second's worth; 0 if the accumulator did not move.
    /// @param secondsPerLiquidityX128 The integral of 1 / liquidity over `period` seconds, times 2^128.
    function harmonicLiquidity(uint256 secondsPerLiquidityX128, uint256 period) internal pure returns (uint256) {
        return secondsPerLiquidityX128 == 0 ? 0 : (period << 128) / secondsPerLiquidityX128;
    }

    /// @dev The power with a positive exponent is exact to 1e-18 of itself; a negative one is its reciprocal, so that small
    /// prices keep their digits.
    function _power(int256 tickTime, uint256 period) private pure returns (uint256) {
        uint256 exponentWad = FixedPointMathLib.abs(tickTime) * LN_TICK / (period * 1e18);
        uint256 powerWad = uint256(FixedPointMathLib.expWad(int256(exponentWad)));
        return tickTime < 0 ? 1e54 / powerWad : powerWad * 1e18;
    }
}

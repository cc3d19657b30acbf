// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

/// @title What is read of a Uniswap v3 pool
interface IUniswapV3PoolState {
    function token0() external view returns (address);
    function token1() external view returns (address);

    /// @notice Accumulators as they stood `secondsAgos` ago. Reverts if the pool does not remember that far back.
    /// @return tickCumulatives The integral of the tick over time.
    /// @return secondsPerLiquidityCumulativeX128s The integral over time of 1 / max(1, liquidity), times 2^128, modulo 2^160.
    function observe(uint32[] calldata secondsAgos)
        external
        view
        returns (int56[] memory tickCumulatives, uint160[] memory secondsPerLiquidityCumulativeX128s);
}

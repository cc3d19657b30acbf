// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.34;

import {IUniswapV3PoolState} from "../../contracts/interfaces/IUniswapV3PoolState.sol";

/// @title A venue that has always traded at the tick and the liquidity it was told
/// @notice What `UniswapV3Source` reads of a Uniswap v3 pool, settable by anybody.
contract FuzzVenue is IUniswapV3PoolState {
    /// @notice The venue was told not to answer.
    error Silent();

    address public immutable token0;
    address public immutable token1;

    int24 public tick;
    uint128 public liquidity;

    constructor(address token0_, address token1_) {
        (token0, token1) = (token0_, token1_);
    }

    /// @notice Sets the market. A liquidity of 0 silences it.
    function set(int24 tick_, uint128 liquidity_) external {
        (tick, liquidity) = (tick_, liquidity_);
    }

    /// @inheritdoc IUniswapV3PoolState
    function observe(uint32[] calldata secondsAgos)
        external
        view
        returns (int56[] memory tickCumulatives, uint160[] memory secondsPerLiquidityCumulativeX128s)
    {
        if (liquidity == 0) revert Silent();
        tickCumulatives = new int56[](secondsAgos.length);
        secondsPerLiquidityCumulativeX128s = new uint160[](secondsAgos.length);
        for (uint256 i; i < secondsAgos.length; ++i) {
            uint256 time = block.timestamp - secondsAgos[i];
            tickCumulatives[i] = int56(tick) * int56(uint56(time));
            secondsPerLiquidityCumulativeX128s[i] = uint160((time << 128) / liquidity);
        }
    }
}

// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.34;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {IPriceVenue} from "../interfaces/IPriceVenue.sol";
import {IUniswapV3PoolState} from "../interfaces/IUniswapV3PoolState.sol";
import {OracleTickPrice} from "../libraries/OracleTickPrice.sol";

/// @title A Uniswap v3 pool as a confirming venue
/// @notice The geometric mean price over `WINDOW` seconds and the depth at the harmonic mean liquidity over the same window.
/// Liquidity that is added and removed within one block has no weight in it, and a swap changes nothing before the next
/// second. It reverts where the pool does: before it is initialised, and while it does not remember `WINDOW` seconds (anybody
/// may call `increaseObservationCardinalityNext` on it; one observation a block is written while it trades).
contract UniswapV3Source is IPriceVenue {
    /// @notice The pool does not trade the one token against the other.
    error PoolTokens(address token0, address token1);
    error InvalidWindow(uint256 window);

    uint256 private constant MAX_WINDOW = 1 days;

    IUniswapV3PoolState public immutable POOL;
    IERC20 public immutable DEBT_TOKEN;
    /// @notice Whether the collateral is the pool's token0, whose price in token1 the ticks count.
    bool public immutable COLLATERAL_IS_TOKEN0;
    /// @notice Seconds.
    uint32 public immutable WINDOW;
    /// @notice Debt base units; while the mean liquidity gives less within 2%, the price is not answered. A price in next to
    /// no liquidity costs nothing to set.
    uint256 public immutable MIN_DEPTH;

    constructor(IUniswapV3PoolState pool, address collateralToken, address debtToken, uint32 window, uint256 minDepth) {
        (address token0, address token1) = (pool.token0(), pool.token1());
        bool collateralIsToken0 = token0 == collateralToken && token1 == debtToken;
        if (!collateralIsToken0 && (token0 != debtToken || token1 != collateralToken)) {
            revert PoolTokens(token0, token1);
        }
        if (window == 0 || window > MAX_WINDOW) revert InvalidWindow(window);
        POOL = pool;
        DEBT_TOKEN = IERC20(debtToken);
        COLLATERAL_IS_TOKEN0 = collateralIsToken0;
        WINDOW = window;
        MIN_DEPTH = minDepth;
    }

    /// @inheritdoc IPriceVenue
    /// @dev Rounded down.
    function averagePrice() external view returns (uint256) {
        (int256 tickTime, uint256 liquidity) = _observe();
        if (OracleTickPrice.depth(tickTime, WINDOW, liquidity) < MIN_DEPTH) return 0;
        return OracleTickPrice.price(tickTime, WINDOW);
    }

    /// @inheritdoc IPriceVenue
    /// @dev Takes the liquidity as constant within the 2%, and is therefore too high where it is concentrated more narrowly;
    /// never more than the pool holds. Rounded down.
    function depth() external view returns (uint256 depth_) {
        (int256 tickTime, uint256 liquidity) = _observe();
        depth_ = OracleTickPrice.depth(tickTime, WINDOW, liquidity);
        uint256 held = DEBT_TOKEN.balanceOf(address(POOL));
        if (depth_ > held) depth_ = held;
    }

    /// @dev The integral over the window of the tick of the collateral's price in the debt token, and the harmonic mean
    /// liquidity. The pool's accumulators wrap around; their differences do not.
    function _observe() private view returns (int256 tickTime, uint256 liquidity) {
        uint32[] memory secondsAgos = new uint32[](2);
        secondsAgos[0] = WINDOW;
        (int56[] memory ticks, uint160[] memory secondsPerLiquidity) = POOL.observe(secondsAgos);
        unchecked {
            tickTime = ticks[1] - ticks[0];
            liquidity = OracleTickPrice.harmonicLiquidity(secondsPerLiquidity[1] - secondsPerLiquidity[0], WINDOW);
        }
        if (!COLLATERAL_IS_TOKEN0) tickTime = -tickTime;
    }
}

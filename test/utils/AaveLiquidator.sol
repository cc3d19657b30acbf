// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.34;

import {SafeCastLib} from "solady/utils/SafeCastLib.sol";
import {SafeTransferLib} from "solady/utils/SafeTransferLib.sol";

/// @dev What a liquidator uses of an Aave v3 pool.
interface IAaveLiquidations {
    function liquidationCall(
        address collateralAsset,
        address debtAsset,
        address user,
        uint256 debtToCover,
        bool receiveAToken
    ) external;
}

/// @dev What is used of the venue.
interface ILiquidatorVenue {
    function token0() external view returns (address);
    function swap(
        address recipient,
        bool zeroForOne,
        int256 amountSpecified,
        uint160 sqrtPriceLimitX96,
        bytes calldata data
    ) external returns (int256 amount0, int256 amount1);
}

/// @title Liquidates on Aave v3 and sells what was seized, in one call
/// @notice Aave calls nobody back, so the repayment comes from capital that this contract holds and has again at the end: what
/// the sale leaves beyond it goes to the caller, and below his minimum everything reverts. Anybody may use it; for simulation.
contract AaveLiquidator {
    /// @notice A callback from another contract than the venue.
    error UnexpectedCallback(address caller);
    /// @notice The sale left less than the caller asked for. `left` is what is held afterwards, `capital` what was before.
    error ProfitBelowMinimum(uint256 left, uint256 capital, uint256 minProfit);

    /// @dev Uniswap v3's price bounds: no limit, since the profit is what limits.
    uint160 private constant LOWEST_PRICE = 4_295_128_740;
    uint160 private constant HIGHEST_PRICE = 1_461_446_703_485_210_103_287_273_052_203_988_822_378_723_970_341;

    IAaveLiquidations public immutable POOL;
    ILiquidatorVenue public immutable VENUE;
    address public immutable COLLATERAL;
    address public immutable ASSET;
    bool private immutable COLLATERAL_IS_TOKEN0;

    constructor(IAaveLiquidations pool, ILiquidatorVenue venue, address collateral, address asset) {
        (POOL, VENUE, COLLATERAL, ASSET) = (pool, venue, collateral, asset);
        COLLATERAL_IS_TOKEN0 = venue.token0() == collateral;
        SafeTransferLib.safeApproveWithRetry(asset, address(pool), type(uint256).max);
    }

    /// @notice Repays up to `maxRepay` of `account`'s debt. Base units of the debt token.
    /// @param minProfit The least that the caller receives; he should ask for what covers his gas.
    /// @return profit What the caller received.
    function liquidate(address account, uint256 maxRepay, uint256 minProfit) external returns (uint256 profit) {
        uint256 capital = SafeTransferLib.balanceOf(ASSET, address(this));
        POOL.liquidationCall(COLLATERAL, ASSET, account, maxRepay, false);
        VENUE.swap(
            address(this),
            COLLATERAL_IS_TOKEN0,
            SafeCastLib.toInt256(SafeTransferLib.balanceOf(COLLATERAL, address(this))),
            COLLATERAL_IS_TOKEN0 ? LOWEST_PRICE : HIGHEST_PRICE,
            ""
        );
        uint256 left = SafeTransferLib.balanceOf(ASSET, address(this));
        if (left < capital + minProfit) revert ProfitBelowMinimum(left, capital, minProfit);
        profit = left - capital;
        SafeTransferLib.safeTransfer(ASSET, msg.sender, profit);
        uint256 unsold = SafeTransferLib.balanceOf(COLLATERAL, address(this));
        if (unsold != 0) SafeTransferLib.safeTransfer(COLLATERAL, msg.sender, unsold);
    }

    /// @notice Uniswap v3's callback: pays the collateral that is being sold.
    function uniswapV3SwapCallback(int256 amount0Delta, int256 amount1Delta, bytes calldata) external {
        if (msg.sender != address(VENUE)) revert UnexpectedCallback(msg.sender);
        int256 due = COLLATERAL_IS_TOKEN0 ? amount0Delta : amount1Delta;
        SafeTransferLib.safeTransfer(COLLATERAL, msg.sender, SafeCastLib.toUint256(due));
    }
}

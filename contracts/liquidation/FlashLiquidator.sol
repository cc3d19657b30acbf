// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.34;

import {SafeCastLib} from "solady/utils/SafeCastLib.sol";
import {SafeTransferLib} from "solady/utils/SafeTransferLib.sol";

import {ILendingPool, ILiquidateCallback} from "../interfaces/ILendingPool.sol";

/// @dev What is used of a Uniswap v3 pool, or of anything that swaps like one.
interface IFlashLiquidatorVenue {
    function token0() external view returns (address);
    function token1() external view returns (address);
    function swap(
        address recipient,
        bool zeroForOne,
        int256 amountSpecified,
        uint160 sqrtPriceLimitX96,
        bytes calldata data
    ) external returns (int256 amount0, int256 amount1);
}

/// @title Liquidates and sells what was seized, in one call and without capital
/// @notice The collateral arrives first, is sold on the venue whole, and the proceeds repay the debt. What is left goes to the
/// caller; below his minimum everything reverts. It holds nothing between calls, so anybody may use it: collateral that the
/// venue did not take goes to the caller too, and so do tokens that were sent here by mistake.
contract FlashLiquidator is ILiquidateCallback {
    /// @notice A callback from another contract than the pool or the venue.
    error UnexpectedCallback(address caller);
    /// @notice The sale left less than the caller asked for. `proceeds` are what it fetched, `due` the repayment.
    error ProfitBelowMinimum(uint256 proceeds, uint256 due, uint256 minProfit);
    /// @notice The venue does not trade the pool's collateral against its asset.
    error VenueTokens(address token0, address token1);

    /// @dev Uniswap v3's price bounds: no limit, since the profit is what limits.
    uint160 private constant LOWEST_PRICE = 4_295_128_740;
    uint160 private constant HIGHEST_PRICE = 1_461_446_703_485_210_103_287_273_052_203_988_822_378_723_970_341;

    ILendingPool public immutable POOL;
    IFlashLiquidatorVenue public immutable VENUE;
    uint256 public immutable COLLATERAL_ID;
    address public immutable COLLATERAL;
    address public immutable ASSET;
    bool private immutable COLLATERAL_IS_TOKEN0;

    constructor(ILendingPool pool, IFlashLiquidatorVenue venue, uint256 collateralId) {
        (POOL, VENUE, COLLATERAL_ID) = (pool, venue, collateralId);
        COLLATERAL = pool.collateralState(collateralId).token;
        ASSET = pool.assetToken();
        (address token0, address token1) = (venue.token0(), venue.token1());
        COLLATERAL_IS_TOKEN0 = token0 == COLLATERAL && token1 == ASSET;
        if (!COLLATERAL_IS_TOKEN0 && (token0 != ASSET || token1 != COLLATERAL)) revert VenueTokens(token0, token1);
        SafeTransferLib.safeApproveWithRetry(ASSET, address(pool), type(uint256).max);
    }

    /// @notice Repays up to `maxRepay` of `account`'s debt. Base units of the debt token.
    /// @param minProfit The least that the caller receives; he should ask for what covers his gas.
    /// @return profit What the caller received.
    function liquidate(address account, uint256 maxRepay, uint256 minProfit) external returns (uint256 profit) {
        uint256 repaid = POOL.liquidate(account, COLLATERAL_ID, maxRepay, "sell").repaid;
        return _payOut(repaid, minProfit);
    }

    /// @notice Closes an insolvent position; a stipend, where there is one, is profit. Other collaterals that the position
    /// held are handed to the caller unsold and count for nothing in the profit.
    function settle(address account, uint256 minProfit) external returns (uint256 profit) {
        uint256 bitmap = POOL.collateralBitmap(account);
        uint256 repaid = POOL.settle(account, "sell").repaid;
        for (uint256 id; bitmap >> id != 0; ++id) {
            if ((bitmap >> id) & 1 == 0 || id == COLLATERAL_ID) continue;
            SafeTransferLib.safeTransferAll(POOL.collateralState(id).token, msg.sender);
        }
        return _payOut(repaid, minProfit);
    }

    /// @inheritdoc ILiquidateCallback
    function onLiquidate(uint256, bytes calldata) external {
        if (msg.sender != address(POOL)) revert UnexpectedCallback(msg.sender);
        uint256 seized = SafeTransferLib.balanceOf(COLLATERAL, address(this));
        if (seized == 0) return;
        VENUE.swap(
            address(this),
            COLLATERAL_IS_TOKEN0,
            SafeCastLib.toInt256(seized),
            COLLATERAL_IS_TOKEN0 ? LOWEST_PRICE : HIGHEST_PRICE,
            ""
        );
    }

    /// @notice Uniswap v3's callback: pays the collateral that is being sold.
    function uniswapV3SwapCallback(int256 amount0Delta, int256 amount1Delta, bytes calldata) external {
        if (msg.sender != address(VENUE)) revert UnexpectedCallback(msg.sender);
        int256 due = COLLATERAL_IS_TOKEN0 ? amount0Delta : amount1Delta;
        SafeTransferLib.safeTransfer(COLLATERAL, msg.sender, SafeCastLib.toUint256(due));
    }

    function _payOut(uint256 repaid, uint256 minProfit) private returns (uint256 profit) {
        profit = SafeTransferLib.balanceOf(ASSET, address(this));
        if (profit < minProfit) revert ProfitBelowMinimum(profit + repaid, repaid, minProfit);
        if (profit != 0) SafeTransferLib.safeTransfer(ASSET, msg.sender, profit);
        uint256 unsold = SafeTransferLib.balanceOf(COLLATERAL, address(this));
        if (unsold != 0) SafeTransferLib.safeTransfer(COLLATERAL, msg.sender, unsold);
    }
}

// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.34;

import {SafeCastLib} from "solady/utils/SafeCastLib.sol";
import {SafeTransferLib} from "solady/utils/SafeTransferLib.sol";

import {ILendingPool} from "../../contracts/interfaces/ILendingPool.sol";
import {IFlashLiquidatorVenue} from "../../contracts/liquidation/FlashLiquidator.sol";

/// @title Liquidates with the caller's capital and sells what was seized at any price
/// @notice What the sale fetches goes back to the caller, whether it is more than he spent or less. Anybody may use it; for
/// simulation of liquidators who do not ask what a sale leaves.
contract DumpingLiquidator {
    /// @notice A callback from another contract than the venue.
    error UnexpectedCallback(address caller);

    /// @dev Uniswap v3's price bounds: no limit.
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
        COLLATERAL_IS_TOKEN0 = venue.token0() == COLLATERAL;
        SafeTransferLib.safeApproveWithRetry(ASSET, address(pool), type(uint256).max);
    }

    /// @notice Repays up to `maxRepay` of `account`'s debt, which the caller has approved. Base units of the debt token. The third
    /// argument, where a rational liquidator says what he wants to be left, is not looked at.
    /// @return fetched What the sale fetched.
    function liquidate(address account, uint256 maxRepay, uint256) external returns (uint256 fetched) {
        SafeTransferLib.safeTransferFrom(ASSET, msg.sender, address(this), maxRepay);
        uint256 repaid = POOL.liquidate(account, COLLATERAL_ID, maxRepay, "").repaid;
        uint256 seized = SafeTransferLib.balanceOf(COLLATERAL, address(this));
        if (seized != 0) {
            VENUE.swap(
                address(this),
                COLLATERAL_IS_TOKEN0,
                SafeCastLib.toInt256(seized),
                COLLATERAL_IS_TOKEN0 ? LOWEST_PRICE : HIGHEST_PRICE,
                ""
            );
        }
        uint256 held = SafeTransferLib.balanceOf(ASSET, address(this));
        fetched = held - (maxRepay - repaid);
        SafeTransferLib.safeTransfer(ASSET, msg.sender, held);
        // What the venue did not take at any price.
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

// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.34;

import {SafeCastLib} from "solady/utils/SafeCastLib.sol";
import {SafeTransferLib} from "solady/utils/SafeTransferLib.sol";

import {IFlashLiquidatorVenue} from "../../contracts/liquidation/FlashLiquidator.sol";

/// @title Sells all the collateral that it holds on a venue, at any price
/// @notice For simulated liquidators who pay with capital: what is left is for them to judge.
abstract contract VenueSeller {
    /// @notice A callback from another contract than the venue.
    error UnexpectedCallback(address caller);

    /// @dev Uniswap v3's price bounds: no limit.
    uint160 private constant LOWEST_PRICE = 4_295_128_740;
    uint160 private constant HIGHEST_PRICE = 1_461_446_703_485_210_103_287_273_052_203_988_822_378_723_970_341;

    IFlashLiquidatorVenue public immutable VENUE;
    address public immutable COLLATERAL;
    address public immutable ASSET;
    bool private immutable COLLATERAL_IS_TOKEN0;

    constructor(IFlashLiquidatorVenue venue, address collateral, address asset) {
        (VENUE, COLLATERAL, ASSET) = (venue, collateral, asset);
        COLLATERAL_IS_TOKEN0 = venue.token0() == collateral;
    }

    /// @notice Uniswap v3's callback: pays the collateral that is being sold.
    function uniswapV3SwapCallback(int256 amount0Delta, int256 amount1Delta, bytes calldata) external {
        if (msg.sender != address(VENUE)) revert UnexpectedCallback(msg.sender);
        int256 due = COLLATERAL_IS_TOKEN0 ? amount0Delta : amount1Delta;
        SafeTransferLib.safeTransfer(COLLATERAL, msg.sender, SafeCastLib.toUint256(due));
    }

    /// @dev What the venue does not take at any price goes to the caller.
    function _sellAll() internal {
        uint256 amount = SafeTransferLib.balanceOf(COLLATERAL, address(this));
        if (amount == 0) return;
        VENUE.swap(
            address(this),
            COLLATERAL_IS_TOKEN0,
            SafeCastLib.toInt256(amount),
            COLLATERAL_IS_TOKEN0 ? LOWEST_PRICE : HIGHEST_PRICE,
            ""
        );
        uint256 unsold = SafeTransferLib.balanceOf(COLLATERAL, address(this));
        if (unsold != 0) SafeTransferLib.safeTransfer(COLLATERAL, msg.sender, unsold);
    }
}

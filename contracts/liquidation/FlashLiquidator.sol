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

/// @param collateralId The pool's number of a collateral.
/// @param venue Where it is sold for the pool's asset.
struct Sale {
    uint256 collateralId;
    IFlashLiquidatorVenue venue;
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

    /// @dev The venue at which another collateral is being sold, that collateral, and which side of the venue it is.
    address private transient _otherVenue;
    address private transient _otherToken;
    bool private transient _otherIsToken0;

    constructor(ILendingPool pool, IFlashLiquidatorVenue venue, uint256 collateralId) {
        (POOL, VENUE, COLLATERAL_ID) = (pool, venue, collateralId);
        COLLATERAL = pool.collateralState(collateralId).token;
        ASSET = pool.assetToken();
        COLLATERAL_IS_TOKEN0 = _isToken0(venue, COLLATERAL);
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
    /// held are handed to the caller unsold and count for nothing in the profit: where they are worth more than the settlement
    /// bonus and the stipend, the sale cannot repay, and `settleSelling` can.
    function settle(address account, uint256 minProfit) external returns (uint256 profit) {
        return _settle(account, minProfit, "sell");
    }

    /// @notice The same, with `others` sold too, after this contract's own collateral. One that the pool could not hand over is
    /// passed by; what a venue does not take goes to the caller.
    /// @param others Venues of the caller's choice and at his risk: a bad one costs him what it was to sell, and `minProfit`
    /// is his protection.
    function settleSelling(address account, Sale[] calldata others, uint256 minProfit)
        external
        returns (uint256 profit)
    {
        return _settle(account, minProfit, abi.encode(others));
    }

    /// @inheritdoc ILiquidateCallback
    function onLiquidate(uint256, bytes calldata data) external {
        if (msg.sender != address(POOL)) revert UnexpectedCallback(msg.sender);
        uint256 seized = SafeTransferLib.balanceOf(COLLATERAL, address(this));
        if (seized != 0) _swap(VENUE, COLLATERAL_IS_TOKEN0, seized);
        // An encoded list is longer.
        if (data.length > 32) _sell(abi.decode(data, (Sale[])));
    }

    /// @notice Uniswap v3's callback: pays the collateral that is being sold.
    function uniswapV3SwapCallback(int256 amount0Delta, int256 amount1Delta, bytes calldata) external {
        if (msg.sender == address(VENUE)) {
            int256 due = COLLATERAL_IS_TOKEN0 ? amount0Delta : amount1Delta;
            SafeTransferLib.safeTransfer(COLLATERAL, msg.sender, SafeCastLib.toUint256(due));
            return;
        }
        if (msg.sender != _otherVenue) revert UnexpectedCallback(msg.sender);
        int256 owed = _otherIsToken0 ? amount0Delta : amount1Delta;
        SafeTransferLib.safeTransfer(_otherToken, msg.sender, SafeCastLib.toUint256(owed));
    }

    function _settle(address account, uint256 minProfit, bytes memory data) private returns (uint256 profit) {
        uint256 bitmap = POOL.collateralBitmap(account);
        uint256 repaid = POOL.settle(account, data).repaid;
        profit = _payOut(repaid, minProfit);
        for (uint256 id; bitmap >> id != 0; ++id) {
            if ((bitmap >> id) & 1 == 0 || id == COLLATERAL_ID) continue;
            address token = POOL.collateralState(id).token;
            // A token that does not move stayed with the account, and need not even take a transfer of nothing.
            uint256 balance = SafeTransferLib.balanceOf(token, address(this));
            if (balance != 0) SafeTransferLib.safeTransfer(token, msg.sender, balance);
        }
    }

    function _sell(Sale[] memory others) private {
        for (uint256 i; i < others.length; ++i) {
            (address token, IFlashLiquidatorVenue venue) =
                (POOL.collateralState(others[i].collateralId).token, others[i].venue);
            uint256 amount = SafeTransferLib.balanceOf(token, address(this));
            if (amount == 0) continue;
            bool isToken0 = _isToken0(venue, token);
            (_otherVenue, _otherToken, _otherIsToken0) = (address(venue), token, isToken0);
            _swap(venue, isToken0, amount);
            _otherVenue = address(0);
        }
    }

    function _swap(IFlashLiquidatorVenue venue, bool isToken0, uint256 amount) private {
        venue.swap(address(this), isToken0, SafeCastLib.toInt256(amount), isToken0 ? LOWEST_PRICE : HIGHEST_PRICE, "");
    }

    /// @dev Which side of the venue the token is; the other must be the asset.
    function _isToken0(IFlashLiquidatorVenue venue, address token) private view returns (bool isToken0) {
        (address token0, address token1) = (venue.token0(), venue.token1());
        isToken0 = token0 == token && token1 == ASSET;
        if (!isToken0 && (token0 != ASSET || token1 != token)) revert VenueTokens(token0, token1);
    }

    function _payOut(uint256 repaid, uint256 minProfit) private returns (uint256 profit) {
        profit = SafeTransferLib.balanceOf(ASSET, address(this));
        if (profit < minProfit) revert ProfitBelowMinimum(profit + repaid, repaid, minProfit);
        if (profit != 0) SafeTransferLib.safeTransfer(ASSET, msg.sender, profit);
        uint256 unsold = SafeTransferLib.balanceOf(COLLATERAL, address(this));
        if (unsold != 0) SafeTransferLib.safeTransfer(COLLATERAL, msg.sender, unsold);
    }
}

// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.34;

import {FixedPointMathLib} from "solady/utils/FixedPointMathLib.sol";
import {SafeCastLib} from "solady/utils/SafeCastLib.sol";
import {SafeTransferLib} from "solady/utils/SafeTransferLib.sol";
import {IBackstopPool} from "../../contracts/interfaces/IBackstopPool.sol";
import {ILendingPool} from "../../contracts/interfaces/ILendingPool.sol";
import {ISwapVenue} from "./Deleverager.sol";

/// @dev A backstop whose release can be asked.
interface IReleasing is IBackstopPool {
    function POOL() external view returns (ILendingPool);
    function quoteSale(uint256 collateralId) external view returns (bool open, uint256 price, uint256 available);
}

/// @title Buys a backstop's inventory and sells it on the venue, in one call and without capital
/// @notice The venue pays first, the proceeds buy the collateral that it is owed, and what is left goes to the caller. Nothing
/// is kept here.
contract InventoryBuyer {
    /// @notice A callback that this contract did not ask for.
    error NotExpected(address caller);
    /// @notice Nothing is for sale now.
    error NothingForSale();
    /// @notice The sale left less than the caller asked for.
    error ProfitBelowMinimum(uint256 profit, uint256 minimum);

    /// @dev Uniswap v3's price bounds: no limit, since the profit is what limits.
    uint160 private constant LOWEST = 4_295_128_739 + 1;
    uint160 private constant HIGHEST = 1_461_446_703_485_210_103_287_273_052_203_988_822_378_723_970_342 - 1;

    IReleasing public immutable BACKSTOP;
    ISwapVenue public immutable VENUE;
    uint256 public immutable COLLATERAL_ID;
    address private immutable COLLATERAL;
    address private immutable ASSET;
    bool private immutable COLLATERAL_IS_TOKEN0;

    bool private transient _selling;

    constructor(IReleasing backstop, ISwapVenue venue, uint256 collateralId) {
        (BACKSTOP, VENUE, COLLATERAL_ID) = (backstop, venue, collateralId);
        ILendingPool pool = backstop.POOL();
        COLLATERAL = pool.collateralState(collateralId).token;
        ASSET = pool.assetToken();
        COLLATERAL_IS_TOKEN0 = venue.token0() == COLLATERAL;
        SafeTransferLib.safeApprove(ASSET, address(backstop), type(uint256).max);
    }

    /// @notice Buys up to `maxAmount`, as far as it is for sale, and sells it. Base units.
    /// @param minProfit The least that the caller receives, base units of the debt asset.
    function buy(uint256 maxAmount, uint256 minProfit) external returns (uint256 amount, uint256 profit) {
        (,, uint256 available) = BACKSTOP.quoteSale(COLLATERAL_ID);
        amount = FixedPointMathLib.min(maxAmount, available);
        if (amount == 0) revert NothingForSale();
        _selling = true;
        VENUE.swap(
            address(this),
            COLLATERAL_IS_TOKEN0,
            SafeCastLib.toInt256(amount),
            COLLATERAL_IS_TOKEN0 ? LOWEST : HIGHEST,
            ""
        );
        _selling = false;
        profit = SafeTransferLib.safeTransferAll(ASSET, msg.sender);
        if (profit < minProfit) revert ProfitBelowMinimum(profit, minProfit);
        // What the release gave beyond the order, so as not to leave next to nothing.
        SafeTransferLib.safeTransferAll(COLLATERAL, msg.sender);
    }

    /// @notice Uniswap v3's callback: buys what is owed with what the venue paid.
    function uniswapV3SwapCallback(int256 amount0Delta, int256 amount1Delta, bytes calldata) external {
        if (msg.sender != address(VENUE) || !_selling) revert NotExpected(msg.sender);
        uint256 due = SafeCastLib.toUint256(COLLATERAL_IS_TOKEN0 ? amount0Delta : amount1Delta);
        BACKSTOP.buy(COLLATERAL_ID, due, type(uint256).max, address(this));
        SafeTransferLib.safeTransfer(COLLATERAL, msg.sender, due);
    }
}

// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.34;

import {SafeCastLib} from "solady/utils/SafeCastLib.sol";
import {SafeTransferLib} from "solady/utils/SafeTransferLib.sol";
import {ILendingPool, IRepayCallback} from "../../contracts/interfaces/ILendingPool.sol";

/// @dev What is used of the venue.
interface ISwapVenue {
    function token0() external view returns (address);
    function swap(
        address recipient,
        bool zeroForOne,
        int256 amountSpecified,
        uint160 sqrtPriceLimitX96,
        bytes calldata data
    ) external returns (int256 amount0, int256 amount1);
}

/// @title Repays a borrower's debt by selling his collateral, in one call and without capital
/// @notice The borrower authorises this contract on the pool. The debt falls first, then as much collateral as the repayment
/// costs is sold on the venue (an exact output), and the pool judges the withdrawal by the debt that is left.
contract Deleverager is IRepayCallback {
    /// @notice A callback that this contract did not ask for.
    error NotExpected(address caller);
    /// @notice The repayment would cost more collateral than allowed.
    error TooExpensive(uint256 cost, uint256 maximum);

    /// @dev Uniswap v3's price bounds: no limit, since the cost is limited instead.
    uint160 private constant LOWEST = 4_295_128_739 + 1;
    uint160 private constant HIGHEST = 1_461_446_703_485_210_103_287_273_052_203_988_822_378_723_970_342 - 1;

    ILendingPool public immutable POOL;
    ISwapVenue public immutable VENUE;
    uint256 public immutable COLLATERAL_ID;
    bool private immutable COLLATERAL_IS_TOKEN0;

    address private transient _account;
    uint256 private transient _maximum;

    constructor(ILendingPool pool, ISwapVenue venue, uint256 collateralId) {
        (POOL, VENUE, COLLATERAL_ID) = (pool, venue, collateralId);
        COLLATERAL_IS_TOKEN0 = venue.token0() == pool.collateralState(collateralId).token;
        SafeTransferLib.safeApprove(pool.assetToken(), address(pool), type(uint256).max);
    }

    /// @notice Repays up to `debt` of the caller's debt with at most `maxCollateral` of his collateral. Base units.
    function deleverage(uint256 debt, uint256 maxCollateral) external {
        (_account, _maximum) = (msg.sender, maxCollateral);
        POOL.repay(debt, msg.sender, "sell");
        (_account, _maximum) = (address(0), 0);
    }

    /// @inheritdoc IRepayCallback
    function onRepay(uint256 assets, bytes calldata) external {
        if (msg.sender != address(POOL) || _account == address(0)) revert NotExpected(msg.sender);
        VENUE.swap(
            address(this),
            COLLATERAL_IS_TOKEN0,
            -SafeCastLib.toInt256(assets),
            COLLATERAL_IS_TOKEN0 ? LOWEST : HIGHEST,
            ""
        );
    }

    /// @notice Uniswap v3's callback: what the sale costs comes out of the account.
    function uniswapV3SwapCallback(int256 amount0Delta, int256 amount1Delta, bytes calldata) external {
        if (msg.sender != address(VENUE) || _account == address(0)) revert NotExpected(msg.sender);
        uint256 cost = SafeCastLib.toUint256(COLLATERAL_IS_TOKEN0 ? amount0Delta : amount1Delta);
        if (cost > _maximum) revert TooExpensive(cost, _maximum);
        POOL.withdrawCollateral(COLLATERAL_ID, cost, _account, msg.sender);
    }
}

// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.34;

import {FixedPointMathLib} from "solady/utils/FixedPointMathLib.sol";
import {SafeCastLib} from "solady/utils/SafeCastLib.sol";
import {SafeTransferLib} from "solady/utils/SafeTransferLib.sol";

/// @dev What repaying with collateral uses of an Aave v3 pool.
interface IAavePositions {
    function repay(address asset, uint256 amount, uint256 interestRateMode, address onBehalfOf)
        external
        returns (uint256);
    function withdraw(address asset, uint256 amount, address to) external returns (uint256);
}

/// @dev What is used of the venue.
interface IDeleveragerVenue {
    function token0() external view returns (address);
    function swap(
        address recipient,
        bool zeroForOne,
        int256 amountSpecified,
        uint160 sqrtPriceLimitX96,
        bytes calldata data
    ) external returns (int256 amount0, int256 amount1);
}

/// @title The same as `Deleverager` on Aave v3
/// @notice The borrower lets this contract take the receipts of his collateral. The venue pays first (an exact output), which
/// repays; then as many receipts as the sale costs are turned into the collateral that the venue is owed. Aave judges the
/// transfer of receipts by the debt that is left.
contract AaveDeleverager {
    /// @notice A callback that this contract did not ask for.
    error NotExpected(address caller);
    /// @notice The repayment would cost more collateral than allowed.
    error TooExpensive(uint256 cost, uint256 maximum);

    /// @dev Uniswap v3's price bounds: no limit, since the cost is limited instead.
    uint160 private constant LOWEST = 4_295_128_739 + 1;
    uint160 private constant HIGHEST = 1_461_446_703_485_210_103_287_273_052_203_988_822_378_723_970_342 - 1;

    /// @dev Aave's number of a debt at a variable rate.
    uint256 private constant VARIABLE_RATE = 2;

    IAavePositions public immutable POOL;
    IDeleveragerVenue public immutable VENUE;
    address public immutable COLLATERAL;
    address public immutable ASSET;
    address public immutable RECEIPTS;
    address public immutable DEBT_TOKEN;
    bool private immutable COLLATERAL_IS_TOKEN0;

    address private transient _account;
    uint256 private transient _maximum;

    /// @param receipts The tokens that Aave gives for the collateral.
    /// @param debtToken Where Aave keeps what is owed at a variable rate.
    constructor(
        IAavePositions pool,
        IDeleveragerVenue venue,
        address collateral,
        address asset,
        address receipts,
        address debtToken
    ) {
        (POOL, VENUE, COLLATERAL, ASSET) = (pool, venue, collateral, asset);
        (RECEIPTS, DEBT_TOKEN) = (receipts, debtToken);
        COLLATERAL_IS_TOKEN0 = venue.token0() == collateral;
        SafeTransferLib.safeApprove(asset, address(pool), type(uint256).max);
    }

    /// @notice Repays up to `debt` of the caller's debt with at most `maxCollateral` of his collateral. Base units.
    function deleverage(uint256 debt, uint256 maxCollateral) external {
        (_account, _maximum) = (msg.sender, maxCollateral);
        uint256 repaid = FixedPointMathLib.min(debt, SafeTransferLib.balanceOf(DEBT_TOKEN, msg.sender));
        VENUE.swap(
            address(this),
            COLLATERAL_IS_TOKEN0,
            -SafeCastLib.toInt256(repaid),
            COLLATERAL_IS_TOKEN0 ? LOWEST : HIGHEST,
            abi.encode(repaid)
        );
        (_account, _maximum) = (address(0), 0);
    }

    /// @notice Uniswap v3's callback: what was paid out repays, and what the sale costs comes out of the account.
    function uniswapV3SwapCallback(int256 amount0Delta, int256 amount1Delta, bytes calldata data) external {
        if (msg.sender != address(VENUE) || _account == address(0)) revert NotExpected(msg.sender);
        uint256 cost = SafeCastLib.toUint256(COLLATERAL_IS_TOKEN0 ? amount0Delta : amount1Delta);
        if (cost > _maximum) revert TooExpensive(cost, _maximum);
        POOL.repay(ASSET, abi.decode(data, (uint256)), VARIABLE_RATE, _account);
        SafeTransferLib.safeTransferFrom(RECEIPTS, _account, address(this), cost);
        POOL.withdraw(COLLATERAL, cost, msg.sender);
    }
}

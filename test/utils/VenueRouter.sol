// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.34;

import {SafeTransferLib} from "solady/utils/SafeTransferLib.sol";

/// @dev What the router needs of a Uniswap v3 pool.
interface IVenuePool {
    function token0() external view returns (address);
    function token1() external view returns (address);
    function slot0() external view returns (uint160 sqrtPriceX96, int24, uint16, uint16, uint16, uint8, bool);
    function swap(
        address recipient,
        bool zeroForOne,
        int256 amountSpecified,
        uint160 sqrtPriceLimitX96,
        bytes calldata data
    ) external returns (int256 amount0, int256 amount1);
    function mint(address recipient, int24 tickLower, int24 tickUpper, uint128 amount, bytes calldata data)
        external
        returns (uint256 amount0, uint256 amount1);
}

/// @title Swaps in and provides liquidity to Uniswap v3 pools, paying from the caller, for simulation and tests
/// @notice Callers approve the router for what they pay. Positions are minted to the caller itself, so each provider's
/// liquidity is its own in the pool's books, and it burns and collects at the pool, without the router. Nothing is kept here.
/// @dev A pool that the caller names can charge nobody but the caller: who pays is fixed before the pool is called, and only
/// that pool may ask, during that call.
contract VenueRouter {
    using SafeTransferLib for address;

    /// @notice A callback from an address that is not being swapped or minted in.
    error UnexpectedCallback(address caller);

    /// @notice The swap gave less than the caller would accept.
    error ReceivedTooLittle(uint256 received, uint256 minimum);

    /// @notice The amount does not fit the pool's signed arithmetic.
    error AmountTooLarge(uint256 amount);

    /// @dev One above and one below the bounds that a pool's price never reaches (TickMath of Uniswap v3 core).
    uint160 private constant LOWEST_LIMIT = 4_295_128_739 + 1;
    uint160 private constant HIGHEST_LIMIT = 1_461_446_703_485_210_103_287_273_052_203_988_822_378_723_970_342 - 1;

    address private transient _pool;
    address private transient _payer;

    /// @notice Sells up to `amount` for as much as the pool gives, no further than the price limit.
    /// @param zeroForOne Whether token0 is sold; the price, token1 per token0, then falls.
    /// @param amount Base units of the token sold; less is taken if the limit is reached first.
    /// @param sqrtPriceLimitX96 Where to stop; 0 for nowhere.
    /// @param minimumReceived Reverts with `ReceivedTooLittle` below it.
    /// @return paid Base units of the token sold, the pool's fee included.
    /// @return received Base units of the token bought, sent to `recipient`.
    function swap(
        address pool,
        bool zeroForOne,
        uint256 amount,
        uint160 sqrtPriceLimitX96,
        uint256 minimumReceived,
        address recipient
    ) external returns (uint256 paid, uint256 received) {
        if (sqrtPriceLimitX96 == 0) {
            sqrtPriceLimitX96 = zeroForOne ? LOWEST_LIMIT : HIGHEST_LIMIT;
        }
        (paid, received) = _swap(pool, zeroForOne, amount, sqrtPriceLimitX96, recipient);
        if (received < minimumReceived) revert ReceivedTooLittle(received, minimumReceived);
    }

    /// @notice Moves the price to `sqrtPriceX96`, in whichever direction that is, or as far as `maximumPaid` goes. At that
    /// price already, nothing happens.
    /// @return zeroForOne Whether token0 was paid.
    /// @return paid Base units paid, the pool's fee included.
    /// @return received Base units received, sent to `recipient`.
    function swapToPrice(address pool, uint160 sqrtPriceX96, uint256 maximumPaid, address recipient)
        external
        returns (bool zeroForOne, uint256 paid, uint256 received)
    {
        (uint160 current,,,,,,) = IVenuePool(pool).slot0();
        if (current == sqrtPriceX96) return (false, 0, 0);
        zeroForOne = sqrtPriceX96 < current;
        (paid, received) = _swap(pool, zeroForOne, maximumPaid, sqrtPriceX96, recipient);
    }

    /// @notice Adds liquidity to the caller's own position; the caller takes it out at the pool, by `burn` and `collect`.
    /// @return amount0 Base units of token0 paid.
    /// @return amount1 Base units of token1 paid.
    function mint(address pool, int24 tickLower, int24 tickUpper, uint128 liquidity)
        external
        returns (uint256 amount0, uint256 amount1)
    {
        (address outerPool, address outerPayer) = _open(pool);
        (amount0, amount1) = IVenuePool(pool).mint(msg.sender, tickLower, tickUpper, liquidity, "");
        (_pool, _payer) = (outerPool, outerPayer);
    }

    /// @notice The pool asks for the positive one of the two.
    function uniswapV3SwapCallback(int256 amount0, int256 amount1, bytes calldata) external {
        _pay(amount0 > 0 ? uint256(amount0) : 0, amount1 > 0 ? uint256(amount1) : 0);
    }

    /// @notice The pool asks for both.
    function uniswapV3MintCallback(uint256 amount0, uint256 amount1, bytes calldata) external {
        _pay(amount0, amount1);
    }

    function _swap(address pool, bool zeroForOne, uint256 amount, uint160 limit, address recipient)
        private
        returns (uint256 paid, uint256 received)
    {
        if (amount > uint256(type(int256).max)) revert AmountTooLarge(amount);
        (address outerPool, address outerPayer) = _open(pool);
        (int256 amount0, int256 amount1) = IVenuePool(pool).swap(recipient, zeroForOne, int256(amount), limit, "");
        (_pool, _payer) = (outerPool, outerPayer);
        // An honest pool takes a nonnegative amount of the one and gives a nonnegative amount of the other.
        return zeroForOne ? (uint256(amount0), uint256(-amount1)) : (uint256(amount1), uint256(-amount0));
    }

    /// @dev Lets `pool` ask the caller for payment, and returns who could ask whom before.
    function _open(address pool) private returns (address outerPool, address outerPayer) {
        (outerPool, outerPayer) = (_pool, _payer);
        (_pool, _payer) = (pool, msg.sender);
    }

    function _pay(uint256 amount0, uint256 amount1) private {
        if (msg.sender != _pool) revert UnexpectedCallback(msg.sender);
        address payer = _payer;
        if (amount0 != 0) IVenuePool(msg.sender).token0().safeTransferFrom(payer, msg.sender, amount0);
        if (amount1 != 0) IVenuePool(msg.sender).token1().safeTransferFrom(payer, msg.sender, amount1);
    }
}

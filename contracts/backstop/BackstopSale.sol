// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {FixedPointMathLib} from "solady/utils/FixedPointMathLib.sol";
import {SafeCastLib} from "solady/utils/SafeCastLib.sol";

import {CollateralState, ILendingPool} from "../interfaces/ILendingPool.sol";
import {IPriceOracle} from "../interfaces/IPriceOracle.sol";
import {OracleProbe} from "../libraries/OracleProbe.sol";
import {WAD} from "../types/Constants.sol";
import {PRICE_SCALE, Prices, PriceStatus} from "../types/Price.sol";
import {BackstopAccounting} from "./BackstopAccounting.sol";
import {BackstopParameters} from "./BackstopParameters.sol";
import {Sale} from "./BackstopStorage.sol";

/// @title The release of inventory: when, how fast and at what price
/// @notice When: the price is `Ok`, F >= L, and the venue's price V is not below F by more than a tolerance. So nothing is sold
/// into a fall, nor where the market is under the reference.
///
/// How fast: a level in debt asset, refilled linearly in 12 seconds and never more than that: the release share of the venue's
/// depth. Depth counts only as far as the reading recorded before, in an earlier block, showed it too, so that what stands
/// for one transaction does not count.
///
/// At what price: an auction from F (1 + markup) down to F (1 - discount) in a straight line. F >= L holds, so the price is never
/// below L (1 - discount) either. A purchase moves the clock forward, all of the cap by 24 seconds and less in proportion: where
/// half of the cap is bought every 12 seconds the price stands, where more it rises, where less it falls on. Dust moves next to
/// nothing, so nobody holds the price up by it, and parts move what the whole does. A clock is void an hour after it was started, purchases aside,
/// and where an absorption more than doubles the stock; it begins with the next `observe` that finds the sale open, or a purchase.
abstract contract BackstopSale is BackstopAccounting {
    using SafeCastLib for uint256;

    /// @dev Seconds in which the level refills: a block of the main chain.
    uint256 private constant REFILL_SECONDS = 12;

    /// @dev The clock's unit is a microsecond: in seconds, a purchase in small parts would not move it.
    uint256 private constant TICKS = 1e6;

    /// @dev What buying all of the cap takes back of the auction.
    uint256 private constant CLOCK_TICKS = 2 * REFILL_SECONDS * TICKS;

    /// @dev After which a clock is void.
    uint256 private constant CLOCK_EXPIRY = 1 hours * TICKS;

    ILendingPool public immutable POOL;
    uint256 private immutable RELEASE_SHARE;
    uint256 private immutable AUCTION_TICKS;
    uint256 private immutable START_MARKUP;
    uint256 private immutable MAX_DISCOUNT;
    uint256 private immutable VENUE_TOLERANCE;

    /// @notice The price is falling, not `Ok`, or the venue stands below it.
    error SaleClosed(uint256 collateralId);
    /// @notice Nothing may be sold now: no stock, no known depth, or all of the level is used.
    error NothingForSale(uint256 collateralId);
    error PriceAboveLimit(uint256 paid, uint256 maxPaid);

    constructor(BackstopParameters memory p) {
        POOL = ILendingPool(p.pool);
        RELEASE_SHARE = p.releaseShare;
        AUCTION_TICKS = p.auctionSeconds * TICKS;
        START_MARKUP = p.startMarkup;
        MAX_DISCOUNT = p.maxDiscount;
        VENUE_TOLERANCE = p.venueTolerance;
    }

    /// @notice Whether the sale of a collateral is open, its price (debt per collateral base unit, scaled by 1e36, before
    /// rounding) and what may be bought now, base units of the collateral.
    function quoteSale(uint256 collateralId) external view returns (bool open, uint256 price, uint256 available) {
        CollateralState memory state = POOL.collateralState(collateralId);
        Prices memory prices = IPriceOracle(state.oracle).peek();
        open = _isOpen(prices);
        if (!open) return (false, 0, 0);
        Sale memory sale = _sales[collateralId];
        price = _price(sale, prices.fast);
        uint256 cap = _refill(sale, state.oracle);
        (available,) = _amountFor(_inventory[collateralId].amount, sale, cap, prices.fast, type(uint256).max);
    }

    /// @dev Sells up to `maxAmount`; the caller of this collects `paid` and hands over.
    function _release(uint256 id, uint256 maxAmount)
        internal
        returns (uint256 amount, uint256 paid, CollateralState memory state)
    {
        state = POOL.collateralState(id);
        Prices memory prices = IPriceOracle(state.oracle).peek();
        if (!_isOpen(prices)) revert SaleClosed(id);
        Sale memory sale = _sales[id];
        uint256 price = _price(sale, prices.fast);
        uint256 cap = _refill(sale, state.oracle);
        uint256 value;
        (amount, value) = _amountFor(_inventory[id].amount, sale, cap, prices.fast, maxAmount);
        if (amount == 0) revert NothingForSale(id);
        paid = FixedPointMathLib.fullMulDivUp(amount, price, PRICE_SCALE);
        // forge-lint: disable-next-line(unsafe-typecast)
        sale.level -= uint128(value);
        _moveClock(sale, value, cap);
        _storeSale(id, sale);
        _sellInventory(id, amount, paid);
    }

    /// @dev Takes `amount` into the stock. Where that more than doubles it the auction's clock is void: what was not there to be bought
    /// when the clock was started is not sold at its price, and a few base units that are left keep no clock for what comes later.
    function _stock(uint256 id, uint256 amount) internal {
        if (amount > _inventory[id].amount) {
            Sale memory sale = _sales[id];
            if (sale.clock != 0) {
                sale.clock = 0;
                _storeSale(id, sale);
            }
        }
        _addInventory(id, amount);
    }

    /// @dev Records depth, and starts a clock that is not running if the sale is open.
    function _observe(uint256 id) internal {
        CollateralState memory state = POOL.collateralState(id);
        Sale memory sale = _sales[id];
        _refill(sale, state.oracle);
        if (_isOpen(IPriceOracle(state.oracle).peek()) && _elapsed(sale) > CLOCK_EXPIRY) {
            sale.clock = (block.timestamp * TICKS).toUint64();
        }
        _storeSale(id, sale);
    }

    function _isOpen(Prices memory prices) private view returns (bool) {
        return prices.status == PriceStatus.Ok && prices.fast >= prices.slow
            && prices.confirm >= FixedPointMathLib.fullMulDivUp(prices.fast, WAD - VENUE_TOLERANCE, WAD);
    }

    function _elapsed(Sale memory sale) private view returns (uint256) {
        return block.timestamp * TICKS - sale.clock;
    }

    /// @dev A void clock has not begun to fall.
    function _price(Sale memory sale, uint256 fast) private view returns (uint256) {
        uint256 elapsed = _elapsed(sale);
        if (elapsed > CLOCK_EXPIRY) elapsed = 0;
        uint256 fallen = (START_MARKUP + MAX_DISCOUNT) * FixedPointMathLib.min(elapsed, AUCTION_TICKS) / AUCTION_TICKS;
        return FixedPointMathLib.fullMulDivUp(fast, WAD + START_MARKUP - fallen, WAD);
    }

    /// @dev Records the depth, refills the level and holds it to the cap.
    /// @return cap The most that `level` may be now.
    function _refill(Sale memory sale, address oracle) private view returns (uint256 cap) {
        uint256 reading = FixedPointMathLib.min(OracleProbe.depthOrZero(oracle), type(uint128).max);
        uint256 elapsed = block.timestamp - sale.updatedAt;
        if (elapsed == 0) {
            sale.depth = FixedPointMathLib.min(reading, sale.depth).toUint128();
        } else {
            (sale.depthBefore, sale.depth) = (sale.depth, reading.toUint128());
        }
        sale.updatedAt = uint40(block.timestamp);
        cap = FixedPointMathLib.fullMulDiv(FixedPointMathLib.min(sale.depth, sale.depthBefore), RELEASE_SHARE, WAD);
        uint256 refilled = cap * FixedPointMathLib.min(elapsed, REFILL_SECONDS) / REFILL_SECONDS;
        sale.level = FixedPointMathLib.min(cap, sale.level + refilled).toUint128();
    }

    /// @dev The amount that may be bought, and its value at F, rounded up and not above `sale.level`.
    function _amountFor(uint256 stock, Sale memory sale, uint256 cap, uint256 fast, uint256 maxAmount)
        private
        pure
        returns (uint256 amount, uint256 value)
    {
        if (cap == 0 || fast == 0) return (0, 0);
        amount = FixedPointMathLib.min(stock, FixedPointMathLib.fullMulDiv(sale.level, PRICE_SCALE, fast));
        amount = FixedPointMathLib.min(amount, maxAmount);
        value = FixedPointMathLib.fullMulDivUp(amount, fast, PRICE_SCALE);
    }

    /// @dev Rounded against the buyer. An auction that has reached its floor counts as just having done so, or it would take long to leave it.
    function _moveClock(Sale memory sale, uint256 value, uint256 cap) private view {
        uint256 elapsed = _elapsed(sale);
        if (elapsed > CLOCK_EXPIRY) elapsed = 0;
        elapsed = FixedPointMathLib.min(elapsed, AUCTION_TICKS);
        uint256 moved = FixedPointMathLib.fullMulDivUp(CLOCK_TICKS, FixedPointMathLib.min(value, cap), cap);
        sale.clock = (block.timestamp * TICKS - FixedPointMathLib.zeroFloorSub(elapsed, moved)).toUint64();
    }

    function _storeSale(uint256 id, Sale memory sale) private {
        _sales[id] = sale;
        emit SaleUpdated(id, sale.depth, sale.clock, sale.level);
    }
}

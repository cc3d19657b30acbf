// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {FixedPointMathLib} from "solady/utils/FixedPointMathLib.sol";

import {BreakerLevel, ICircuitBreaker} from "../interfaces/ICircuitBreaker.sol";
import {LiquidationRequest} from "../interfaces/ILiquidationPolicy.sol";
import {IPriceOracle} from "../interfaces/IPriceOracle.sol";
import {BASIS_POINT, WAD} from "../types/Constants.sol";
import {MemoryCall} from "../libraries/MemoryCall.sol";
import {PriceStatus, Prices, PRICE_SCALE} from "../types/Price.sol";
import {PoolAccounting} from "./PoolAccounting.sol";
import {CollateralTotal, Position, StoredPosition} from "./PoolStorage.sol";
import {ListingWord, PoolWords, RiskWord} from "./PoolWords.sol";

/// @dev What a position is worth, as liquidation sees it. Values in base units of the debt token, not yet divided by debt.
/// @param collateralValue C_F = Σ ⌊c_i F_i⌋.
/// @param weightedFast Σ ⌊⌊c_i F_i⌋ LT_i⌋.
/// @param weightedConfirmed The same at P_e.
/// @param healthHard HF_hard, WAD.
/// @param down Whether a held collateral has no price. It then counts for nothing in `collateralValue`, and in the weighted
/// values at a bound.
/// @param downBound What the collaterals without a price are worth at that bound.
struct Valuation {
    uint256 collateralValue;
    uint256 weightedFast;
    uint256 weightedConfirmed;
    uint256 healthHard;
    bool down;
    uint256 downBound;
}

/// @title Positions: collateral held, and what it is worth
abstract contract PoolPositions is PoolAccounting {
    /// @dev How long every change of LTV and LT takes: an announced ramp, never a step.
    uint256 internal constant RAMP_DURATION = 7 days;

    /// @dev A collateral without a price is taken to be worth at most this many times its last one. Without a bound, a unit of
    /// it would shield a whole account from liquidation.
    uint256 internal constant DOWN_BOUND = 2;

    address internal immutable _breaker;

    /// @notice There is no collateral of this number.
    error UnknownCollateral(uint256 collateralId, uint256 count);
    /// @notice New risk needs a price that is `Ok`.
    error PriceNotUsable(uint256 collateralId, PriceStatus status);
    /// @notice The circuit breaker allows no new risk.
    error BreakerTripped(BreakerLevel level);
    /// @notice The debt would exceed what the account's collateral may carry.
    error BorrowLimitExceeded(address account, uint256 debt, uint256 limit);

    constructor(address breaker_) {
        _breaker = breaker_;
    }

    /// @notice Identifies the asset, rate curve and breaker that are part of the code.
    function immutablesHash() public view returns (bytes32) {
        return keccak256(abi.encode(_asset, _rateShape, _rateDrift, _breaker));
    }

    // -- positions

    /// @dev What is stored of an account, by one load.
    function _load(address account) internal view returns (Position memory position) {
        StoredPosition storage stored = _positions[account];
        uint256 word;
        bytes32 slot;
        assembly ("memory-safe") {
            slot := stored.slot
            word := sload(slot)
        }
        position.debtShares = uint104(word);
        position.bitmap = uint16(word >> 104);
        position.primary = uint8(word >> 120);
        position.primaryAmount = word >> 128;
        position.slot = slot;
    }

    function _store(Position memory position) internal {
        assembly ("memory-safe") {
            let low := or(mload(position), shl(104, mload(add(position, 0x20))))
            let high := shl(120, or(mload(add(position, 0x40)), shl(8, mload(add(position, 0x60)))))
            sstore(mload(add(position, 0x80)), or(low, high))
        }
    }

    // -- collateral amounts

    function _requireListed(uint256 id) internal view {
        if (id >= _collateralCount) revert UnknownCollateral(id, _collateralCount);
    }

    /// @dev One more than the highest collateral held: the length of a list of what is held, without reading the count.
    function _width(uint256 bitmap) internal pure returns (uint256) {
        return bitmap == 0 ? 0 : FixedPointMathLib.log2(bitmap) + 1;
    }

    function _isHeld(Position memory position, uint256 id) internal pure returns (bool) {
        return (position.bitmap >> id) & 1 != 0;
    }

    function _amountOf(Position memory position, address account, uint256 id) internal view returns (uint256) {
        if (!_isHeld(position, id)) return 0;
        if (position.primary == id && position.primaryAmount != 0) return position.primaryAmount;
        return _furtherCollateral[account][id];
    }

    /// @dev Changes the amount of collateral `id` in `position` (and its further slot); the caller stores `position`.
    /// The first type to enter takes the packed place; it keeps it until it is gone.
    function _setAmount(Position memory position, address account, uint256 id, uint256 amount) internal {
        bool held = _isHeld(position, id);
        if (position.primaryAmount == 0 && !held) {
            if (amount == 0) return;
            (position.primary, position.primaryAmount) = (id, amount);
        } else if (position.primaryAmount != 0 && position.primary == id) {
            position.primaryAmount = amount;
        } else {
            _furtherCollateral[account][id] = amount;
        }
        uint256 bit = 1 << id;
        position.bitmap = amount == 0 ? position.bitmap & ~bit : position.bitmap | bit;
    }

    /// @dev Changes a collateral's total, and tells who takes new risk where that passes the cap in either direction.
    /// @param wasOver Whether it is above its cap as stored.
    function _setTotal(uint256 id, bool wasOver, uint256 total, uint256 cap) internal {
        CollateralTotal storage stored = _totals[id];
        assembly ("memory-safe") {
            sstore(stored.slot, or(total, shl(128, cap)))
        }
        if (wasOver != total > cap) _borrowLimits.overCap ^= uint16(1 << id);
    }

    /// @return total What is held of a collateral.
    /// @return cap The most that may enter.
    function _totalOf(uint256 id) internal view returns (uint256 total, uint256 cap) {
        CollateralTotal storage stored = _totals[id];
        uint256 word;
        assembly ("memory-safe") {
            word := sload(stored.slot)
        }
        return (uint128(word), word >> 128);
    }

    // -- thresholds

    /// @dev A ramped ratio now, WAD: straight from `from` to `to` over `RAMP_DURATION`.
    function _ramped(uint256 from, uint256 to, uint256 start) internal view returns (uint256) {
        uint256 elapsed = block.timestamp - start;
        if (from == to || elapsed >= RAMP_DURATION) return to * BASIS_POINT;
        unchecked {
            // At most 1e4 * 1e14 * 604,800.
            return to > from
                ? from * BASIS_POINT + (to - from) * BASIS_POINT * elapsed / RAMP_DURATION
                : from * BASIS_POINT - (from - to) * BASIS_POINT * elapsed / RAMP_DURATION;
        }
    }

    function _threshold(RiskWord risk) internal view returns (uint256) {
        return _ramped(risk.thresholdFrom(), risk.thresholdTo(), risk.rampStart());
    }

    /// @dev HF_hard of one collateral, ⌈LT (1 + bmax)(1 + σ)⌉; 1 where damping is off, so that all below 1 is hard.
    function _hardThreshold(uint256 threshold, ListingWord listing) internal pure returns (uint256) {
        if (!listing.damped()) return WAD;
        unchecked {
            // At most 1e18 * 2e4 * 2e4.
            uint256 product = threshold * (10_000 + listing.maxBonus()) * (10_000 + listing.slippageMargin());
            return (product + 1e8 - 1) / 1e8;
        }
    }

    // -- new risk

    /// @dev Reverts unless the breaker is closed, every held collateral's price is `Ok`, and `debt` is within
    /// Σ ⌊⌊c_i min(F_i, L_i)⌋ LTV_i⌋. A frozen collateral counts for nothing.
    function _requireWithinLimit(Position memory position, address account, uint256 debt) internal {
        uint256 limit;
        uint256 bitmap = position.bitmap;
        for (uint256 id; bitmap >> id != 0; ++id) {
            if ((bitmap >> id) & 1 == 0) continue;
            RiskWord risk = PoolWords.load(_risk[id]);
            (uint256 fast, uint256 slow, PriceStatus status) = _newRiskPrices(risk.oracle());
            if (status != PriceStatus.Ok) revert PriceNotUsable(id, status);
            BreakerLevel level = _observe(id, fast);
            if (level != BreakerLevel.Normal) revert BreakerTripped(level);
            limit += _borrowable(_amountOf(position, account, id), fast, slow, risk);
        }
        if (debt > limit) revert BorrowLimitExceeded(account, debt, limit);
    }

    function _borrowable(uint256 amount, uint256 fast, uint256 slow, RiskWord risk) internal view returns (uint256) {
        uint256 ltv = _ramped(risk.ltvFrom(), risk.ltvTo(), risk.rampStart());
        return FixedPointMathLib.fullMulDiv(_value(amount, FixedPointMathLib.min(fast, slow)), ltv, WAD);
    }

    /// @dev A callback may have moved any market in this transaction: the oracle's prices are read then, and not recorded.
    function _newRiskPrices(address oracle) private returns (uint256, uint256, PriceStatus) {
        if (!_inCallback) return _update(oracle);
        Prices memory prices = IPriceOracle(oracle).peek();
        return (prices.fast, prices.slow, prices.status);
    }

    /// @dev `IPriceOracle.update`.
    function _update(address oracle) private returns (uint256 fast, uint256 slow, PriceStatus status) {
        uint256 selector = uint32(IPriceOracle.update.selector);
        uint256 answer;
        assembly ("memory-safe") {
            mstore(0, selector)
            answer := mload(0x40)
        }
        MemoryCall.send(oracle, 28, 4, answer, 96);
        MemoryCall.requireAtMost(answer + 64, uint256(type(PriceStatus).max));
        assembly ("memory-safe") {
            fast := mload(answer)
            slow := mload(add(answer, 32))
            status := mload(add(answer, 64))
        }
    }

    /// @dev The breaker's level, recording the price, in a callback too: who is refused for it outside must not be let in by wrapping
    /// the call. `Normal` without a breaker.
    function _observe(uint256 id, uint256 fast) internal returns (BreakerLevel level) {
        if (_breaker == address(0)) return BreakerLevel.Normal;
        uint256 selector = uint32(ICircuitBreaker.observe.selector);
        uint256 input;
        assembly ("memory-safe") {
            input := mload(0x40)
            mstore(input, selector)
            mstore(add(input, 32), id)
            mstore(add(input, 64), fast)
        }
        MemoryCall.send(_breaker, input + 28, 68, 0, 32);
        MemoryCall.requireAtMost(0, uint256(type(BreakerLevel).max));
        assembly ("memory-safe") {
            level := mload(0)
        }
    }

    // -- liquidation

    /// @dev Room for a price a collateral. Only those of what is held are written, and read.
    function _newPrices() private pure returns (Prices[] memory prices) {
        assembly ("memory-safe") {
            prices := mload(0x40)
            mstore(prices, MAX_COLLATERALS)
            mstore(0x40, add(prices, mul(32, add(MAX_COLLATERALS, 1))))
        }
    }

    /// @dev Records and returns the prices of every held collateral.
    function _updatePrices(uint256 bitmap, bool confirm) internal returns (Prices[] memory prices) {
        prices = _newPrices();
        for (uint256 id; bitmap >> id != 0; ++id) {
            if ((bitmap >> id) & 1 == 0) continue;
            address oracle = PoolWords.load(_risk[id]).oracle();
            if (confirm) {
                prices[id] = _updateForLiquidation(oracle);
            } else {
                (uint256 fast, uint256 slow, PriceStatus status) = _update(oracle);
                prices[id] = Prices({fast: fast, slow: slow, confirm: fast, cumulative: 0, status: status});
            }
            _boundIfDown(prices[id], oracle);
        }
    }

    /// @dev `IPriceOracle.updateForLiquidation`: its answer is a `Prices` as it lies in memory.
    function _updateForLiquidation(address oracle) private returns (Prices memory prices) {
        uint256 selector = uint32(IPriceOracle.updateForLiquidation.selector);
        uint256 answer;
        assembly ("memory-safe") {
            mstore(0, selector)
            answer := prices
        }
        MemoryCall.send(oracle, 28, 4, answer, 160);
        MemoryCall.requireAtMost(answer + 128, uint256(type(PriceStatus).max));
    }

    /// @dev The same without recording, for views.
    function _peekPrices(uint256 bitmap) internal view returns (Prices[] memory prices) {
        prices = _newPrices();
        for (uint256 id; bitmap >> id != 0; ++id) {
            if ((bitmap >> id) & 1 == 0) continue;
            address oracle = PoolWords.load(_risk[id]).oracle();
            prices[id] = IPriceOracle(oracle).peek();
            _boundIfDown(prices[id], oracle);
        }
    }

    /// @dev Puts the bound in the place of a price that is down; the status still says so.
    function _boundIfDown(Prices memory price, address oracle) private view {
        if (price.status != PriceStatus.Down) return;
        price.fast = FixedPointMathLib.saturatingMul(IPriceOracle(oracle).lastPrice(), DOWN_BOUND);
        price.confirm = price.fast;
    }

    /// @dev What a position is worth.
    function _valuation(Position memory position, address account, Prices[] memory prices)
        internal
        view
        returns (Valuation memory)
    {
        LiquidationRequest memory unused;
        return _valuation(position, account, prices, unused);
    }

    /// @dev What a position is worth. What a request says of its own collateral is written into it on the way.
    function _valuation(
        Position memory position,
        address account,
        Prices[] memory prices,
        LiquidationRequest memory request
    ) internal view returns (Valuation memory v) {
        uint256 bitmap = position.bitmap;
        for (uint256 id; bitmap >> id != 0; ++id) {
            if ((bitmap >> id) & 1 == 0) continue;
            Prices memory price = prices[id];
            ListingWord listing = PoolWords.load(_listing[id]);
            RiskWord risk = PoolWords.load(_risk[id]);
            uint256 threshold = _threshold(risk);
            uint256 amount = _amountOf(position, account, id);
            if (id == request.collateralId) {
                request.collateral = amount;
                request.liquidationThreshold = threshold;
                request.maxBonus = listing.maxBonus() * BASIS_POINT;
                request.oracle = risk.oracle();
            }
            uint256 value = _value(amount, price.fast);
            if (price.status == PriceStatus.Down) {
                v.down = true;
                v.downBound += value;
            } else {
                v.collateralValue += value;
            }
            v.weightedFast += FixedPointMathLib.fullMulDiv(value, threshold, WAD);
            v.weightedConfirmed += FixedPointMathLib.fullMulDiv(
                _value(amount, _confirmed(price, listing.confirmationBand())), threshold, WAD
            );
            v.healthHard = FixedPointMathLib.max(v.healthHard, _hardThreshold(threshold, listing));
        }
    }

    /// @dev P_e = min(max(F, V), (1 + δ) F).
    function _confirmed(Prices memory price, uint256 band) private pure returns (uint256) {
        return FixedPointMathLib.min(
            FixedPointMathLib.max(price.fast, price.confirm),
            price.fast + FixedPointMathLib.fullMulDiv(price.fast, band, 10_000)
        );
    }

    function _value(uint256 amount, uint256 price) internal pure returns (uint256) {
        return FixedPointMathLib.fullMulDiv(amount, price, PRICE_SCALE);
    }

    /// @dev HF, rounded down; without debt, the largest number.
    function _health(uint256 weighted, uint256 debt) internal pure returns (uint256) {
        if (debt == 0) return type(uint256).max;
        return FixedPointMathLib.fullMulDiv(weighted, WAD, debt);
    }
}

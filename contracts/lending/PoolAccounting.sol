// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {FixedPointMathLib} from "solady/utils/FixedPointMathLib.sol";
import {SafeTransferLib} from "solady/utils/SafeTransferLib.sol";

import {ILendingPoolEvents} from "../interfaces/ILendingPool.sol";
import {IRateModel, RateParameters} from "../interfaces/IRateModel.sol";
import {InterestMath} from "../libraries/InterestMath.sol";
import {RateCurve, RateDrift, RateShape} from "../libraries/RateCurve.sol";
import {SharesMath} from "../libraries/SharesMath.sol";
import {TokenTransfer} from "../libraries/TokenTransfer.sol";
import {WAD} from "../types/Constants.sol";
import {Market, PoolStorage} from "./PoolStorage.sol";

/// @title The market's books: interest, cash, losses
/// @dev Functions take the market in memory, accrued, and the caller stores it once. Debt and what is repaid round up,
/// lenders' shares and assets down, so that every rounding lands in the reserves.
abstract contract PoolAccounting is PoolStorage, ILendingPoolEvents {
    address internal immutable _asset;
    RateShape internal immutable _rateShape;
    RateDrift internal immutable _rateDrift;

    /// @notice An amount does not fit the market's books (2^104 base units or shares).
    error AmountTooLarge(uint256 amount);
    /// @notice The pool holds less of the asset than is to be paid out.
    error InsufficientCash(uint256 cash, uint256 needed);
    /// @notice Liquidation, settlement, flash loans and the withdrawal of reserves are refused while a callback runs.
    error CallbackInProgress();

    constructor(address asset_, address rateModel) {
        _asset = asset_;
        RateParameters memory rate = IRateModel(rateModel).parameters();
        (_rateShape, _rateDrift) = RateCurve.pack(rate);
        _market.logRateAtTarget = int48(RateCurve.logOf(rate.initialRateAtTarget));
        _market.lastAccrual = uint32(block.timestamp);
    }

    /// @dev The market with interest accrued to now.
    /// Interest is added to debt, and to lenders' claims less the reserves' part. It saturates where the books end: an
    /// accrual that reverted would block repayments.
    function _accrued() internal view returns (Market memory market) {
        uint256 elapsed = block.timestamp - _load(market);
        if (elapsed == 0) return market;
        uint256 debt = market.totalDebt;
        uint256 rate;
        (rate, market.logRateAtTarget) =
            RateCurve.average(_rateShape, _rateDrift, _utilisation(market), market.logRateAtTarget, elapsed);
        if (debt == 0) return market;

        uint256 interest = InterestMath.interestUp(debt, rate, elapsed);
        unchecked {
            uint256 room = type(uint104).max - FixedPointMathLib.max(debt, market.lenderAssets);
            if (interest > room) interest = room;
            market.totalDebt = debt + interest;
            market.lenderAssets += interest - (interest * market.reserveFactor + 99) / 100;
        }
    }

    /// @dev Fills `market` with what is stored: one load a slot, where the compiler makes one a field.
    /// @return lastAccrual Unix seconds.
    function _load(Market memory market) internal view returns (uint256 lastAccrual) {
        uint256 supplySide;
        uint256 debtSide;
        assembly ("memory-safe") {
            supplySide := sload(_market.slot)
            debtSide := sload(add(_market.slot, 1))
        }
        market.lenderAssets = uint104(supplySide);
        market.supplyShares = uint104(supplySide >> 104);
        market.reserveFactor = uint8(supplySide >> 240);
        market.newRiskFrozen = supplySide >> 248 != 0;
        market.totalDebt = uint104(debtSide);
        market.debtShares = uint104(debtSide >> 104);
        market.logRateAtTarget = int256(debtSide) >> 208;
        lastAccrual = uint32(supplySide >> 208);
    }

    /// @dev Debt over lenders' assets, WAD, at most 1.
    function _utilisation(Market memory market) internal pure returns (uint256) {
        if (market.totalDebt >= market.lenderAssets) return market.totalDebt == 0 ? 0 : WAD;
        unchecked {
            return market.totalDebt * WAD / market.lenderAssets;
        }
    }

    /// @dev Stores an accrued market, a slot at a time, and says so.
    function _store(Market memory market) internal {
        bytes32 topic = MarketUpdated.selector;
        assembly ("memory-safe") {
            let lenders := or(mload(market), shl(104, mload(add(market, 0x20))))
            let settings := or(mload(add(market, 0xa0)), shl(8, mload(add(market, 0xc0))))
            sstore(_market.slot, or(lenders, shl(208, or(timestamp(), shl(32, settings)))))
            let debt := or(mload(add(market, 0x40)), shl(104, mload(add(market, 0x60))))
            sstore(add(_market.slot, 1), or(debt, shl(208, mload(add(market, 0x80)))))
            // the first five fields are the event's data
            log1(market, 0xa0, topic)
        }
    }

    function _subtractSupply(Market memory market, uint256 assets, uint256 shares) internal pure {
        market.lenderAssets = FixedPointMathLib.zeroFloorSub(market.lenderAssets, assets);
        market.supplyShares -= shares;
    }

    function _addDebt(Market memory market, uint256 assets, uint256 shares) internal pure {
        market.totalDebt = _toUint104(market.totalDebt + assets);
        market.debtShares = _toUint104(market.debtShares + shares);
    }

    /// @dev What an account owes is rounded up, so those who repay first may pay a unit more than the books say, and the books
    /// less than the rest owes. While there are shares a unit of debt stays: shares of no debt could not be priced.
    function _subtractDebt(Market memory market, uint256 assets, uint256 shares) internal pure {
        market.debtShares -= shares;
        uint256 debt = FixedPointMathLib.zeroFloorSub(market.totalDebt, assets);
        market.totalDebt = market.debtShares == 0 ? 0 : FixedPointMathLib.max(debt, 1);
    }

    /// @dev What an account with `shares` owes, rounded up.
    function _owed(Market memory market, uint256 shares) internal pure returns (uint256) {
        return SharesMath.debtToAssetsUp(shares, market.totalDebt, market.debtShares);
    }

    function _cash() internal view returns (uint256) {
        return SafeTransferLib.balanceOf(_asset, address(this));
    }

    /// @dev cash + totalDebt - lenderAssets.
    function _reserves(Market memory market, uint256 cash) internal pure returns (uint256) {
        return FixedPointMathLib.zeroFloorSub(cash + market.totalDebt, market.lenderAssets);
    }

    /// @dev Takes `loss` of debt off the books: reserves bear it first, then lenders through the share price.
    /// @param cash What the pool holds, plus what it is about to receive for debt already taken off the books.
    function _writeOff(Market memory market, address account, uint256 loss, uint256 shares, uint256 cash) internal {
        uint256 fromReserves = FixedPointMathLib.min(loss, _reserves(market, cash));
        uint256 fromLenders = loss - fromReserves;
        _subtractDebt(market, loss, shares);
        market.lenderAssets = FixedPointMathLib.zeroFloorSub(market.lenderAssets, fromLenders);
        if (loss != 0) emit BadDebtWrittenOff(account, fromReserves, fromLenders);
    }

    /// @dev Receives `amount`, with all state already written. Locked: a token that calls back finds the books ahead of the
    /// cash, so nothing that reads cash may run.
    function _pull(address token, uint256 amount) internal {
        bool outer = _lock();
        TokenTransfer.pull(token, msg.sender, amount);
        _unlock(outer);
    }

    /// @dev Sends `amount`, with all state already written and under the same lock. Where that fails for want of cash, it says so:
    /// to look before is to ask the token twice.
    function _push(address token, address to, uint256 amount) internal {
        bool outer = _lock();
        if (!TokenTransfer.tryPush(token, to, amount)) {
            if (token == _asset) _requireCash(amount);
            revert SafeTransferLib.TransferFailed();
        }
        _unlock(outer);
    }

    /// @dev Says that a callback runs, and returns whether one ran already. The compiler would read the slot before it writes.
    function _lock() internal returns (bool outer) {
        assembly ("memory-safe") {
            outer := tload(_inCallback.slot)
            tstore(_inCallback.slot, 1)
        }
    }

    /// @dev Back to what `_lock` found.
    function _unlock(bool outer) internal {
        assembly ("memory-safe") {
            tstore(_inCallback.slot, outer)
        }
    }

    function _requireCash(uint256 needed) private view {
        uint256 cash = _cash();
        if (cash < needed) revert InsufficientCash(cash, needed);
    }

    function _requireNoCallback() internal view {
        if (_inCallback) revert CallbackInProgress();
    }

    /// @dev The amount, if the books have room for it.
    function _toUint104(uint256 amount) internal pure returns (uint256) {
        if (amount > type(uint104).max) revert AmountTooLarge(amount);
        return amount;
    }
}

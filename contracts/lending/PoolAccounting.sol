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
    /// @notice Liquidation, settlement, flash loans and administration are refused while a callback runs.
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
        market = _market;
        uint256 elapsed = block.timestamp - market.lastAccrual;
        if (elapsed == 0) return market;
        market.lastAccrual = uint32(block.timestamp);
        uint256 debt = market.totalDebt;
        (uint256 rate, int256 logRate) =
            RateCurve.average(_rateShape, _rateDrift, _utilisation(market), market.logRateAtTarget, elapsed);
        market.logRateAtTarget = int48(logRate);
        if (debt == 0) return market;

        uint256 interest = InterestMath.interestUp(debt, rate, elapsed);
        uint256 room = type(uint104).max - FixedPointMathLib.max(debt, market.lenderAssets);
        if (interest > room) interest = room;
        unchecked {
            market.totalDebt = uint104(debt + interest);
            market.lenderAssets += uint104(interest - (interest * market.reserveFactor + 99) / 100);
        }
    }

    /// @dev Debt over lenders' assets, WAD, at most 1.
    function _utilisation(Market memory market) internal pure returns (uint256) {
        if (market.totalDebt >= market.lenderAssets) return market.totalDebt == 0 ? 0 : WAD;
        unchecked {
            return uint256(market.totalDebt) * WAD / market.lenderAssets;
        }
    }

    function _store(Market memory market) internal {
        _market = market;
        emit MarketUpdated(
            market.lenderAssets, market.supplyShares, market.totalDebt, market.debtShares, market.logRateAtTarget
        );
    }

    function _addSupply(Market memory market, uint256 assets, uint256 shares) internal pure {
        market.lenderAssets = _toUint104(market.lenderAssets + assets);
        market.supplyShares = _toUint104(market.supplyShares + shares);
    }

    function _subtractSupply(Market memory market, uint256 assets, uint256 shares) internal pure {
        market.lenderAssets = uint104(FixedPointMathLib.zeroFloorSub(market.lenderAssets, assets));
        market.supplyShares -= uint104(shares);
    }

    function _addDebt(Market memory market, uint256 assets, uint256 shares) internal pure {
        market.totalDebt = _toUint104(market.totalDebt + assets);
        market.debtShares = _toUint104(market.debtShares + shares);
    }

    /// @dev What an account owes is rounded up, so those who repay first may pay a unit more than the books say, and the books
    /// less than the rest owes. While there are shares a unit of debt stays: shares of no debt could not be priced.
    function _subtractDebt(Market memory market, uint256 assets, uint256 shares) internal pure {
        market.debtShares -= uint104(shares);
        uint256 debt = FixedPointMathLib.zeroFloorSub(market.totalDebt, assets);
        // forge-lint: disable-next-line(unsafe-typecast)
        market.totalDebt = uint104(market.debtShares == 0 ? 0 : FixedPointMathLib.max(debt, 1));
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
        market.lenderAssets = uint104(FixedPointMathLib.zeroFloorSub(market.lenderAssets, fromLenders));
        if (loss != 0) emit BadDebtWrittenOff(account, fromReserves, fromLenders);
    }

    /// @dev Receives `amount`, with all state already written. Locked: a token that calls back finds the books ahead of the
    /// cash, so nothing that reads cash may run.
    function _pull(address token, uint256 amount) internal {
        bool outer = _inCallback;
        _inCallback = true;
        TokenTransfer.pull(token, msg.sender, amount);
        _inCallback = outer;
    }

    /// @dev Sends `amount`, with all state already written and under the same lock.
    function _push(address token, address to, uint256 amount) internal {
        bool outer = _inCallback;
        _inCallback = true;
        SafeTransferLib.safeTransfer(token, to, amount);
        _inCallback = outer;
    }

    function _requireCash(uint256 needed) internal view {
        uint256 cash = _cash();
        if (cash < needed) revert InsufficientCash(cash, needed);
    }

    function _requireNoCallback() internal view {
        if (_inCallback) revert CallbackInProgress();
    }

    function _toUint104(uint256 amount) internal pure returns (uint104) {
        if (amount > type(uint104).max) revert AmountTooLarge(amount);
        // forge-lint: disable-next-line(unsafe-typecast)
        return uint104(amount);
    }
}

// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {FixedPointMathLib} from "solady/utils/FixedPointMathLib.sol";

import {ILendingPoolExtension, LiquidationResult} from "../interfaces/ILendingPool.sol";
import {Refusal} from "../interfaces/ILiquidationPolicy.sol";
import {WAD} from "../types/Constants.sol";
import {Valuation} from "./PoolPositions.sol";
import {PoolClosing} from "./PoolClosing.sol";
import {Market, Position} from "./PoolStorage.sol";

/// @title The settlement of what is insolvent
abstract contract PoolSettlement is PoolClosing, ILendingPoolExtension {
    /// @dev b_set: what a settlement pays over the value repaid.
    uint256 internal constant SETTLEMENT_BONUS = 0.03e18;

    /// @notice The position's collateral still covers its debt and the settlement bonus.
    error NotInsolvent(address account, uint256 collateralValue, uint256 debt);

    /// @inheritdoc ILendingPoolExtension
    function settle(address account, bytes calldata data) external override returns (LiquidationResult memory result) {
        _requireNoCallback();
        Position memory position = _positions[account];
        if (position.debtShares == 0) revert NotLiquidatable(account, Refusal.NotHeld);
        uint256 stipend;
        {
            Market memory market = _accrued();
            (result.repaid, result.writtenOff, stipend) = _closeInsolvent(market, position, account);
            _store(market);
        }
        uint256[] memory seized = _removeAll(position, account);
        position.debtShares = 0;
        _positions[account] = position;
        emit Settled(account, msg.sender, result.repaid, stipend);

        for (uint256 id; id < seized.length; ++id) {
            if (seized[id] != 0) _push(_listing[id].token, msg.sender, seized[id]);
        }
        if (stipend != 0) _push(_asset, msg.sender, stipend);
        _collect(result.repaid, data);
    }

    /// @dev Takes an insolvent position's debt off the books: min(D, ⌈C_F / (1 + b_set)⌉) is to be repaid, the rest is
    /// written off. It is insolvent while C_F < D (1 + b_set), to the wei: within the last wei before it ends, D is repaid.
    /// The stipend is for a debt that was worth opening. Below the minimum debt anybody could leave a unit of debt beside a
    /// unit of collateral, wait for the rounding to turn against it and be paid for settling it.
    function _closeInsolvent(Market memory market, Position memory position, address account)
        private
        returns (uint256 covered, uint256 writtenOff, uint256 stipend)
    {
        uint256 debt = _owed(market, position.debtShares);
        Valuation memory valuation = _valuation(position, account, _updatePrices(position.bitmap, false));
        if (valuation.down) revert NotLiquidatable(account, Refusal.PriceDown);
        uint256 value = valuation.collateralValue;
        // C < D (1 + b) iff C < ⌈D (1 + b)⌉, and then ⌈C / (1 + b)⌉ <= D.
        if (
            value >= FixedPointMathLib.fullMulDivUp(debt, WAD + SETTLEMENT_BONUS, WAD) || valuation.weightedFast >= debt
        ) revert NotInsolvent(account, value, debt);
        covered = FixedPointMathLib.fullMulDivUp(value, WAD, WAD + SETTLEMENT_BONUS);

        writtenOff = debt - covered;
        uint256 cash = _cash();
        if (value < _settlementStipend && debt >= _policy.minDebt) {
            stipend = FixedPointMathLib.min(_settlementStipend, FixedPointMathLib.min(cash, _reserves(market, cash)));
        }
        _subtractDebt(market, covered, 0);
        _writeOff(market, account, writtenOff, position.debtShares, cash - stipend + covered);
    }

    function _removeAll(Position memory position, address account) private returns (uint256[] memory amounts) {
        uint256 bitmap = position.bitmap;
        amounts = new uint256[](_width(bitmap));
        for (uint256 id; bitmap >> id != 0; ++id) {
            if ((bitmap >> id) & 1 == 0) continue;
            amounts[id] = _amountOf(position, account, id);
            _removeCollateral(position, account, id, amounts[id], amounts[id]);
            emit CollateralWithdrawn(id, account, msg.sender, msg.sender, amounts[id], 0);
        }
    }
}

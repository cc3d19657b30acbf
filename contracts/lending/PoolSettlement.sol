// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {FixedPointMathLib} from "solady/utils/FixedPointMathLib.sol";

import {ILendingPoolExtension, LiquidationResult} from "../interfaces/ILendingPool.sol";
import {Refusal} from "../interfaces/ILiquidationPolicy.sol";
import {WAD} from "../types/Constants.sol";
import {Prices, PriceStatus} from "../types/Price.sol";
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
        Position memory position = _load(account);
        if (position.debtShares == 0) revert NotLiquidatable(account, Refusal.NotHeld);
        uint256 stipend;
        uint256[] memory seized;
        {
            Market memory market = _accrued();
            Prices[] memory prices = _peekPrices(position.bitmap);
            (result.repaid, result.writtenOff, stipend) = _closeInsolvent(market, position, account, prices);
            _store(market);
            seized = _removePriced(position, account, prices);
        }
        position.debtShares = 0;
        _store(position);
        emit Settled(account, msg.sender, result.repaid, stipend);

        for (uint256 id; id < seized.length; ++id) {
            if (seized[id] != 0) _handOver(account, id, seized[id]);
        }
        if (stipend != 0) _push(_asset, msg.sender, stipend);
        _collect(result.repaid, data);
    }

    /// @dev Takes an insolvent position's debt off the books: min(D, ⌈C_F / (1 + b_set)⌉) is to be repaid, the rest is
    /// written off. It is insolvent while C_F < D (1 + b_set), to the wei: within the last wei before it ends, D is repaid.
    /// The stipend is for a debt that was worth opening. Below the minimum debt anybody could leave a unit of debt beside a
    /// unit of collateral, wait for the rounding to turn against it and be paid for settling it.
    /// Never above HF_hard: what may still be dampened is not taken whole. (No listing lets an insolvent position be above it.) A collateral without a price counts at its bound
    /// against insolvency, is not paid for, and stays with the account.
    function _closeInsolvent(Market memory market, Position memory position, address account, Prices[] memory prices)
        private
        returns (uint256 covered, uint256 writtenOff, uint256 stipend)
    {
        uint256 debt = _owed(market, position.debtShares);
        Valuation memory valuation = _valuation(position, account, prices);
        uint256 value = valuation.collateralValue;
        // C < D (1 + b) iff C < ⌈D (1 + b)⌉, and then ⌈C / (1 + b)⌉ <= D.
        if (
            value + valuation.downBound >= FixedPointMathLib.fullMulDivUp(debt, WAD + SETTLEMENT_BONUS, WAD)
                || _health(valuation.weightedFast, debt) > FixedPointMathLib.min(valuation.healthHard, WAD - 1)
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

    function _removePriced(Position memory position, address account, Prices[] memory prices)
        private
        returns (uint256[] memory amounts)
    {
        uint256 bitmap = position.bitmap;
        amounts = new uint256[](_width(bitmap));
        for (uint256 id; bitmap >> id != 0; ++id) {
            if ((bitmap >> id) & 1 == 0 || prices[id].status == PriceStatus.Down) continue;
            amounts[id] = _amountOf(position, account, id);
            _removeCollateral(position, account, id, amounts[id], amounts[id]);
            emit CollateralWithdrawn(id, account, msg.sender, msg.sender, amounts[id], 0);
        }
    }

    /// @dev A token that does not move goes back to the account: one that is paused, or that refuses the settler, must not keep
    /// a debt on the books that nothing covers.
    function _handOver(address account, uint256 id, uint256 amount) private {
        address token = _listing[id].token;
        _inCallback = true;
        (bool success, bytes memory answer) = token.call(abi.encodeCall(IERC20.transfer, (msg.sender, amount)));
        _inCallback = false;
        if (success && token.code.length != 0 && (answer.length == 0 || uint256(bytes32(answer)) == 1)) return;
        Position memory position = _load(account);
        uint256 balance = _amountOf(position, account, id) + amount;
        _setAmount(position, account, id, balance);
        _store(position);
        (uint256 total, uint256 cap) = _totalOf(id);
        _setTotal(id, total > cap, total + amount, cap);
        emit CollateralSupplied(id, account, msg.sender, amount, balance);
    }
}

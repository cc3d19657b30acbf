// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {FixedPointMathLib} from "solady/utils/FixedPointMathLib.sol";

import {BreakerLevel, ICircuitBreaker} from "../interfaces/ICircuitBreaker.sol";
import {ILendingPoolCore, LiquidationCall, LiquidationResult} from "../interfaces/ILendingPool.sol";
import {ILiquidationPolicy, LiquidationGrant, LiquidationRequest, Refusal} from "../interfaces/ILiquidationPolicy.sol";
import {BASIS_POINT, WAD} from "../types/Constants.sol";
import {Prices, PriceStatus} from "../types/Price.sol";
import {PoolClosing} from "./PoolClosing.sol";
import {Valuation} from "./PoolPositions.sol";
import {Market, PolicyConfig, Position} from "./PoolStorage.sol";
import {PoolWords, RiskWord} from "./PoolWords.sol";

/// @title Liquidation
/// @notice The policy decides how much and at what bonus; the pool decides everything that safety rests on: nobody with a
/// health factor of 1 or more at the fast prices is touched, no more is repaid than is owed, no more is seized than is held
/// or than the repayment and the listed bonus are worth, and debt that is left without collateral is written off at once.
abstract contract PoolLiquidation is PoolClosing, ILendingPoolCore {
    /// @notice The policy granted more than the pool allows.
    error GrantOutOfBounds(uint256 repay, uint256 seize);

    /// @inheritdoc ILendingPoolCore
    function liquidate(address account, uint256 collateralId, uint256 maxRepay, bytes calldata data)
        external
        override
        returns (LiquidationResult memory result)
    {
        _requireNoCallback();
        Market memory market = _accrued();
        result = _liquidate(market, account, collateralId, maxRepay, 0);
        if (result.refusal != Refusal.None) revert NotLiquidatable(account, result.refusal);
        _store(market);
        _push(PoolWords.load(_listing[collateralId]).token(), msg.sender, result.seized);
        _collect(result.repaid, data);
    }

    /// @inheritdoc ILendingPoolCore
    function liquidateBatch(LiquidationCall[] calldata calls, bytes calldata data)
        external
        override
        returns (LiquidationResult[] memory results)
    {
        _requireNoCallback();
        Market memory market = _accrued();
        results = new LiquidationResult[](calls.length);
        uint256 repaid;
        for (uint256 i; i < calls.length; ++i) {
            results[i] = _liquidate(market, calls[i].account, calls[i].collateralId, calls[i].maxRepay, repaid);
            repaid += results[i].repaid;
        }
        if (repaid == 0) {
            if (calls.length == 0) revert NotLiquidatable(address(0), Refusal.ZeroAmount);
            revert NotLiquidatable(calls[0].account, results[0].refusal);
        }
        // Every state is written before the first token moves.
        _store(market);
        for (uint256 i; i < calls.length; ++i) {
            if (results[i].seized != 0) _push(_listing[calls[i].collateralId].token, msg.sender, results[i].seized);
        }
        _collect(repaid, data);
    }

    /// @inheritdoc ILendingPoolCore
    function flag(address account, uint256 collateralId) external override {
        _requireNoCallback();
        Position memory position = _load(account);
        PolicyConfig memory config = _policy;
        if (position.debtShares == 0 || !_isHeld(position, collateralId)) {
            revert NotLiquidatable(account, Refusal.NotHeld);
        }
        Prices[] memory prices = _updatePrices(position.bitmap, config.needsConfirmation);
        (LiquidationRequest memory request, Refusal refusal) =
            _request(_accrued(), position, config, account, collateralId, prices);
        if (refusal != Refusal.None) revert NotLiquidatable(account, refusal);
        request.breaker = _observe(collateralId, request.price);
        ILiquidationPolicy(config.policy).commit(request);
    }

    /// @inheritdoc ILendingPoolCore
    function quoteLiquidation(address account, uint256 collateralId, uint256 maxRepay)
        external
        view
        override
        returns (LiquidationRequest memory request, LiquidationGrant memory grant)
    {
        Position memory position = _load(account);
        PolicyConfig memory config = _policy;
        if (position.debtShares == 0 || !_isHeld(position, collateralId)) {
            grant.refusal = Refusal.NotHeld;
            return (request, grant);
        }
        Prices[] memory prices = _peekPrices(position.bitmap);
        // As `liquidate` asks it: a policy that does not ask for confirmation is not told the cumulative price.
        if (!config.needsConfirmation) prices[collateralId].cumulative = 0;
        (request, grant.refusal) = _request(_accrued(), position, config, account, collateralId, prices);
        if (grant.refusal != Refusal.None) return (request, grant);
        request.asked = FixedPointMathLib.min(maxRepay, request.debt);
        request.breaker =
            _breaker == address(0) ? BreakerLevel.Normal : ICircuitBreaker(_breaker).levelOf(address(this));
        grant = ILiquidationPolicy(config.policy).quote(address(this), request);
    }

    // -- the one liquidation

    /// @dev Changes the position and `market` (not stored). Moves no token.
    /// @param pending What earlier calls of a batch took off the debt and have not paid yet.
    function _liquidate(Market memory market, address account, uint256 id, uint256 maxRepay, uint256 pending)
        private
        returns (LiquidationResult memory result)
    {
        Position memory position = _load(account);
        if (position.debtShares == 0 || !_isHeld(position, id)) {
            result.refusal = Refusal.NotHeld;
            return result;
        }
        LiquidationRequest memory request;
        LiquidationGrant memory grant;
        {
            PolicyConfig memory config = _policy;
            Prices[] memory prices = _updatePrices(position.bitmap, config.needsConfirmation);
            (request, result.refusal) = _request(market, position, config, account, id, prices);
            if (result.refusal != Refusal.None) return result;
            request.asked = FixedPointMathLib.min(maxRepay, request.debt);
            if (request.asked == 0) {
                result.refusal = Refusal.ZeroAmount;
                return result;
            }
            request.breaker = _observe(id, request.price);
            grant = ILiquidationPolicy(config.policy).commit(request);
        }
        if (grant.refusal != Refusal.None) {
            result.refusal = grant.refusal;
            return result;
        }
        _checkGrant(request, grant);
        (result.repaid, result.seized) = (grant.repay, grant.seize);
        result.writtenOff = _apply(market, position, request, grant, pending);
    }

    /// @dev Whatever the policy says: never more than is owed or held, and never collateral worth more than the repayment
    /// and the listed bonus. The 1 wei of repayment covers the policy's rounding of one of the two.
    function _checkGrant(LiquidationRequest memory request, LiquidationGrant memory grant) private pure {
        if (
            grant.repay == 0 || grant.seize == 0 || grant.repay > request.debt || grant.seize > request.collateral
                || _value(grant.seize, request.price)
                    > FixedPointMathLib.fullMulDivUp(grant.repay + 1, WAD + request.maxBonus, WAD)
        ) revert GrantOutOfBounds(grant.repay, grant.seize);
    }

    function _apply(
        Market memory market,
        Position memory position,
        LiquidationRequest memory request,
        LiquidationGrant memory grant,
        uint256 pending
    ) private returns (uint256 writtenOff) {
        address account = request.account;
        _burnDebt(market, position, grant.repay, request.debt);
        _removeCollateral(position, account, request.collateralId, grant.seize, request.collateral);
        if (position.bitmap == 0 && position.debtShares != 0) {
            writtenOff = _owed(market, position.debtShares);
            _writeOff(market, account, writtenOff, position.debtShares, _cash() + pending + grant.repay);
            position.debtShares = 0;
        }
        _store(position);
        emit Liquidated(
            request.collateralId,
            account,
            msg.sender,
            grant.repay,
            grant.seize,
            grant.bonus,
            position.debtShares,
            request.collateral - grant.seize
        );
    }

    /// @dev The request without `asked` and `breaker`, or why there is none.
    function _request(
        Market memory market,
        Position memory position,
        PolicyConfig memory config,
        address account,
        uint256 id,
        Prices[] memory prices
    ) internal view returns (LiquidationRequest memory request, Refusal refusal) {
        Valuation memory valuation = _valuation(position, account, prices);
        // A price of 0 buys nothing: what is worthless is settled, not liquidated.
        if (prices[id].status == PriceStatus.Down || prices[id].fast == 0) return (request, Refusal.PriceDown);
        request.debt = _owed(market, position.debtShares);
        request.healthFast = _health(valuation.weightedFast, request.debt);
        if (request.healthFast >= WAD) return (request, Refusal.Healthy);
        request.healthConfirmed =
            config.needsConfirmation ? _health(valuation.weightedConfirmed, request.debt) : request.healthFast;
        request.healthHard = valuation.healthHard;
        // Where another collateral has no price, only what is in the hard zone even at that collateral's bound.
        if (valuation.down && request.healthFast > request.healthHard) return (request, Refusal.PriceDown);
        request.collateralValue = valuation.collateralValue;
        request.account = account;
        request.collateralId = id;
        request.collateral = _amountOf(position, account, id);
        request.price = prices[id].fast;
        request.priceCumulative = prices[id].cumulative;
        RiskWord risk = PoolWords.load(_risk[id]);
        request.liquidationThreshold = _threshold(risk);
        request.maxBonus = PoolWords.load(_listing[id]).maxBonus() * BASIS_POINT;
        (request.totalCollateral,) = _totalOf(id);
        request.minDebt = config.minDebt;
        request.oracle = risk.oracle();
    }
}

// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {FixedPointMathLib} from "solady/utils/FixedPointMathLib.sol";

import {BreakerLevel, ICircuitBreaker} from "../interfaces/ICircuitBreaker.sol";
import {ILendingPoolCore, LiquidationCall, LiquidationResult} from "../interfaces/ILendingPool.sol";
import {ILiquidationPolicy, LiquidationGrant, LiquidationRequest, Refusal} from "../interfaces/ILiquidationPolicy.sol";
import {MemoryCall} from "../libraries/MemoryCall.sol";
import {WAD} from "../types/Constants.sol";
import {Prices, PriceStatus} from "../types/Price.sol";
import {PoolClosing} from "./PoolClosing.sol";
import {Valuation} from "./PoolPositions.sol";
import {Market, PolicyConfig, Position} from "./PoolStorage.sol";
import {PoolWords} from "./PoolWords.sol";

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
        _liquidate(result, market, account, collateralId, maxRepay, 0);
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
            _liquidate(results[i], market, calls[i].account, calls[i].collateralId, calls[i].maxRepay, repaid);
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
        PolicyConfig memory config = _loadPolicy();
        if (position.debtShares == 0 || !_isHeld(position, collateralId)) {
            revert NotLiquidatable(account, Refusal.NotHeld);
        }
        LiquidationRequest memory request;
        (request.account, request.collateralId) = (account, collateralId);
        Prices[] memory prices = _updatePrices(position.bitmap, config.needsConfirmation);
        Refusal refusal = _complete(request, _accrued(), position, config, prices);
        if (refusal != Refusal.None) revert NotLiquidatable(account, refusal);
        request.breaker = _observe(collateralId, request.price);
        LiquidationGrant memory grant;
        _commit(config.policy, request, grant);
    }

    /// @inheritdoc ILendingPoolCore
    function quoteLiquidation(address account, uint256 collateralId, uint256 maxRepay)
        external
        view
        override
        returns (LiquidationRequest memory request, LiquidationGrant memory grant)
    {
        Position memory position = _load(account);
        PolicyConfig memory config = _loadPolicy();
        if (position.debtShares == 0 || !_isHeld(position, collateralId)) {
            grant.refusal = Refusal.NotHeld;
            return (request, grant);
        }
        (request.account, request.collateralId) = (account, collateralId);
        Prices[] memory prices = _peekPrices(position.bitmap);
        // As `liquidate` asks it: a policy that does not ask for confirmation is not told the cumulative price.
        if (!config.needsConfirmation) prices[collateralId].cumulative = 0;
        grant.refusal = _complete(request, _accrued(), position, config, prices);
        if (grant.refusal != Refusal.None) return (request, grant);
        request.asked = FixedPointMathLib.min(maxRepay, request.debt);
        request.breaker =
            _breaker == address(0) ? BreakerLevel.Normal : ICircuitBreaker(_breaker).levelOf(address(this));
        grant = ILiquidationPolicy(config.policy).quote(address(this), request);
    }

    // -- the one liquidation

    /// @dev Changes the position and `market` (not stored), and says in `result` what it did. Moves no token.
    /// @param pending What earlier calls of a batch took off the debt and have not paid yet.
    function _liquidate(
        LiquidationResult memory result,
        Market memory market,
        address account,
        uint256 id,
        uint256 maxRepay,
        uint256 pending
    ) private {
        Position memory position = _load(account);
        if (position.debtShares == 0 || !_isHeld(position, id)) {
            result.refusal = Refusal.NotHeld;
            return;
        }
        LiquidationRequest memory request;
        (request.account, request.collateralId) = (account, id);
        LiquidationGrant memory grant;
        {
            PolicyConfig memory config = _loadPolicy();
            Prices[] memory prices = _updatePrices(position.bitmap, config.needsConfirmation);
            result.refusal = _complete(request, market, position, config, prices);
            if (result.refusal != Refusal.None) return;
            request.asked = FixedPointMathLib.min(maxRepay, request.debt);
            if (request.asked == 0) {
                result.refusal = Refusal.ZeroAmount;
                return;
            }
            request.breaker = _observe(id, request.price);
            _commit(config.policy, request, grant);
        }
        if (grant.refusal != Refusal.None) {
            result.refusal = grant.refusal;
            return;
        }
        _checkGrant(request, grant);
        (result.repaid, result.seized) = (grant.repay, grant.seize);
        result.writtenOff = _apply(market, position, request, grant, pending);
    }

    /// @dev One load, where the compiler makes one a field.
    function _loadPolicy() private view returns (PolicyConfig memory config) {
        uint256 word;
        assembly ("memory-safe") {
            word := sload(_policy.slot)
        }
        config.policy = address(uint160(word));
        config.needsConfirmation = uint8(word >> 160) != 0;
        config.minDebt = uint88(word >> 168);
    }

    /// @dev `ILiquidationPolicy.commit`: a request lies in memory as it is to be sent, and the answer is a grant as it lies there.
    function _commit(address policy, LiquidationRequest memory request, LiquidationGrant memory grant) private {
        uint256 selector = uint32(ILiquidationPolicy.commit.selector);
        uint256 input;
        uint256 answer;
        assembly ("memory-safe") {
            input := mload(0x40)
            mstore(input, selector)
            mcopy(add(input, 32), request, 544)
            answer := grant
        }
        MemoryCall.send(policy, input + 28, 548, answer, 128);
        MemoryCall.requireAtMost(answer + 96, uint256(type(Refusal).max));
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

    /// @dev Completes a request of `account` and `collateralId`, but for `asked` and `breaker`, or says why there is none.
    function _complete(
        LiquidationRequest memory request,
        Market memory market,
        Position memory position,
        PolicyConfig memory config,
        Prices[] memory prices
    ) private view returns (Refusal) {
        Valuation memory valuation = _valuation(position, request.account, prices, request);
        Prices memory price = prices[request.collateralId];
        // A price of 0 buys nothing: what is worthless is settled, not liquidated.
        if (price.status == PriceStatus.Down || price.fast == 0) return Refusal.PriceDown;
        request.debt = _owed(market, position.debtShares);
        request.healthFast = _health(valuation.weightedFast, request.debt);
        if (request.healthFast >= WAD) return Refusal.Healthy;
        request.healthConfirmed =
            config.needsConfirmation ? _health(valuation.weightedConfirmed, request.debt) : request.healthFast;
        request.healthHard = valuation.healthHard;
        // Where another collateral has no price, only what is in the hard zone even at that collateral's bound.
        if (valuation.down && request.healthFast > request.healthHard) return Refusal.PriceDown;
        request.collateralValue = valuation.collateralValue;
        request.price = price.fast;
        request.priceCumulative = price.cumulative;
        (request.totalCollateral,) = _totalOf(request.collateralId);
        request.minDebt = config.minDebt;
        return Refusal.None;
    }
}

// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {FixedPointMathLib} from "solady/utils/FixedPointMathLib.sol";

import {CollateralConfig} from "../interfaces/ILendingPool.sol";
import {ILiquidationPolicy} from "../interfaces/ILiquidationPolicy.sol";
import {IPriceOracle} from "../interfaces/IPriceOracle.sol";
import {Prices, PriceStatus} from "../types/Price.sol";
import {PoolPositions} from "./PoolPositions.sol";
import {CollateralListing, CollateralRisk, Market} from "./PoolStorage.sol";
import {PoolWords, RiskWord} from "./PoolWords.sol";

/// @title What the owner and the guardian may do
/// @notice The owner is meant to be a timelock. It lists collaterals, ramps LTV and LT, sets caps, policy, minimum debt and
/// reserve factor, and takes reserves; no call of his moves lenders' or borrowers' tokens or blocks a repayment. What he
/// chooses, oracles and policies above all, is trusted all the same: against an owner who means harm, the timelock's delay is
/// the protection. The guardian may only freeze new risk, of the pool or of one collateral; only the owner unfreezes.
abstract contract PoolAdministration is PoolPositions {
    /// @dev Above any 18-decimal supply worth lending, and far enough below 2^104 that interest and shares fit.
    uint256 internal constant MAX_CAP = 1e28;

    /// @dev Percent; half of all interest at most.
    uint256 internal constant MAX_RESERVE_FACTOR = 50;

    /// @dev One over the share by which a new oracle's price may differ from the old one's.
    uint256 internal constant MAX_ORACLE_STEP = 10;

    error NotGuardian(address caller);
    /// @notice A listing's numbers contradict each other or the pool.
    error InvalidListing(bytes32 reason);
    error ValueOutOfRange(bytes32 parameter, uint256 value, uint256 max);

    modifier onlyGuardian() {
        if (msg.sender != _guardian && msg.sender != owner()) revert NotGuardian(msg.sender);
        _;
    }

    /// @notice May freeze new risk.
    function guardian() external view returns (address) {
        return _guardian;
    }

    /// @notice Percent of interest that goes to reserves.
    function reserveFactor() external view returns (uint256) {
        return _market.reserveFactor;
    }

    function newRiskFrozen() external view returns (bool) {
        return _market.newRiskFrozen;
    }

    /// @notice The smallest debt that may be opened.
    function minDebt() external view returns (uint256) {
        return _policy.minDebt;
    }

    function supplyCap() external view returns (uint256) {
        return _supplyCap;
    }

    function borrowCap() external view returns (uint256) {
        return _borrowLimits.borrowCap;
    }

    /// @notice What `settle` pays for a position that is worth less than it.
    function settlementStipend() external view returns (uint256) {
        return _settlementStipend;
    }

    // -- owner

    /// @notice Lists a collateral; its number is returned and never reused. In a pool that has lenders its LTV rises from 0 over
    /// seven days, so that they can leave before it carries debt.
    function listCollateral(CollateralConfig calldata config) external onlyOwner returns (uint256 id) {
        id = _collateralCount;
        if (id == MAX_COLLATERALS) revert InvalidListing("full");
        if (config.token == _asset || config.token == address(this)) revert InvalidListing("token");
        if (config.token.code.length == 0) revert InvalidListing("token code");
        // Two numbers for one token would share its balance but not its cap or its group.
        for (uint256 other; other < id; ++other) {
            if (_listing[other].token == config.token) revert InvalidListing("token listed");
        }
        if (IPriceOracle(config.oracle).peek().status == PriceStatus.Down) revert InvalidListing("oracle down");
        if (config.maxBonus > 2000) revert InvalidListing("max bonus");
        if (config.slippageMargin > 5000) revert InvalidListing("slippage margin");
        if (config.confirmationBand > 500) revert InvalidListing("confirmation band");
        // Settlement, for C < 1.03 D, begins in the hard zone: what the damped zone pays less for would only wait for it.
        if (config.damped && (10_000 + uint256(config.maxBonus)) * (10_000 + uint256(config.slippageMargin)) < 1.03e8) {
            revert InvalidListing("settlement in the damped zone");
        }
        _collateralCount = id + 1;
        _listing[id] = CollateralListing({
            token: config.token,
            maxBonus: config.maxBonus,
            slippageMargin: config.slippageMargin,
            confirmationBand: config.confirmationBand,
            group: config.group,
            damped: config.damped,
            frozen: false
        });
        _setTotal(id, false, 0, _checkedCap(config.cap));
        _checkThresholds(id, config.borrowLtv, config.liquidationThreshold);
        _risk[id] = CollateralRisk({
            oracle: config.oracle,
            ltvFrom: _market.lenderAssets == 0 ? config.borrowLtv : 0,
            ltvTo: config.borrowLtv,
            thresholdFrom: config.liquidationThreshold,
            thresholdTo: config.liquidationThreshold,
            rampStart: uint32(block.timestamp)
        });
        emit CollateralListed(id, config);
    }

    /// @notice Moves LTV and LT in a straight line over seven days, from where they are now. 0 and 0 delists, once frozen. What is
    /// frozen keeps an LTV of 0 whatever `borrowLtv` says: a ramp that was scheduled before the guardian froze it does not undo that, nor
    /// does it take what else is done with it down.
    function rampCollateral(uint256 id, uint16 borrowLtv, uint16 liquidationThreshold) external onlyOwner {
        _requireListed(id);
        if (borrowLtv != 0 || liquidationThreshold != 0) _checkThresholds(id, borrowLtv, liquidationThreshold);
        else if (!_listing[id].frozen) revert InvalidListing("not frozen");
        if (_listing[id].frozen) borrowLtv = 0;
        CollateralRisk storage risk = _risk[id];
        RiskWord before = PoolWords.load(risk);
        // Down to whole basis points: an LT that is ramped again loses at most one.
        risk.thresholdFrom = uint16(_threshold(before) / 1e14);
        risk.ltvFrom = uint16(_ramped(before.ltvFrom(), before.ltvTo(), before.rampStart()) / 1e14);
        risk.ltvTo = borrowLtv;
        risk.thresholdTo = liquidationThreshold;
        risk.rampStart = uint32(block.timestamp);
        emit CollateralRampStarted(id, borrowLtv, liquidationThreshold, block.timestamp + RAMP_DURATION);
    }

    /// @notice Replaces an oracle: by one whose price is within 10% of its own, or, if it has none any more, by any.
    function setCollateralOracle(uint256 id, address oracle) external onlyOwner {
        _requireListed(id);
        Prices memory current = IPriceOracle(_risk[id].oracle).peek();
        Prices memory next = IPriceOracle(oracle).peek();
        if (next.status == PriceStatus.Down) revert InvalidListing("oracle down");
        if (
            current.status != PriceStatus.Down
                && FixedPointMathLib.dist(current.fast, next.fast) > current.fast / MAX_ORACLE_STEP
        ) revert InvalidListing("oracle price");
        _risk[id].oracle = oracle;
        emit CollateralOracleSet(id, oracle);
    }

    function setCollateralCap(uint256 id, uint128 cap) external onlyOwner {
        _requireListed(id);
        (uint256 total, uint256 before) = _totalOf(id);
        _setTotal(id, total > before, total, _checkedCap(cap));
        emit CollateralCapSet(id, cap);
    }

    /// @notice Lets a frozen collateral enter again; its borrow LTV stays 0 until `rampCollateral` raises it, which it now may.
    function unfreezeCollateral(uint256 id) external onlyOwner {
        _requireListed(id);
        _listing[id].frozen = false;
        emit CollateralFrozen(id, false);
    }

    function unfreezeNewRisk() external onlyOwner {
        _market.newRiskFrozen = false;
        emit NewRiskFrozen(false);
    }

    function setPolicy(address policy_) external onlyOwner {
        _setPolicy(policy_);
    }

    function setCaps(uint256 supplyCap_, uint256 borrowCap_) external onlyOwner {
        _setCaps(supplyCap_, borrowCap_);
    }

    /// @notice The smallest debt that may be opened, and what settling a worthless position pays: at most a twentieth of it,
    /// so that nobody opens positions to have them settled.
    function setMinDebt(uint88 minDebt_, uint256 stipend) external onlyOwner {
        if (stipend > minDebt_ / 20) revert ValueOutOfRange("stipend", stipend, minDebt_ / 20);
        (_policy.minDebt, _borrowLimits.minDebt) = (minDebt_, minDebt_);
        _settlementStipend = stipend;
        emit MinDebtSet(minDebt_, stipend);
    }

    function setReserveFactor(uint8 percent) external onlyOwner {
        if (percent > MAX_RESERVE_FACTOR) revert ValueOutOfRange("reserve factor", percent, MAX_RESERVE_FACTOR);
        Market memory market = _accrued();
        market.reserveFactor = percent;
        _store(market);
        emit ReserveFactorSet(percent);
    }

    function setGuardian(address guardian_) external onlyOwner {
        _setGuardian(guardian_);
    }

    /// @notice Takes reserves, never more: lenders' claims stay covered by cash and debt.
    function withdrawReserves(uint256 assets, address receiver) external onlyOwner {
        _requireNoCallback();
        Market memory market = _accrued();
        uint256 reserves = _reserves(market, _cash());
        if (assets > reserves) revert ValueOutOfRange("reserves", assets, reserves);
        _store(market);
        emit ReservesWithdrawn(receiver, assets);
        _push(_asset, receiver, assets);
    }

    // -- guardian

    function freezeNewRisk() external onlyGuardian {
        _market.newRiskFrozen = true;
        emit NewRiskFrozen(true);
    }

    /// @notice Stops a collateral from entering accounts that do not hold it, and from carrying new debt. Its LT stays.
    function freezeCollateral(uint256 id) external onlyGuardian {
        _requireListed(id);
        _listing[id].frozen = true;
        CollateralRisk storage risk = _risk[id];
        (risk.ltvFrom, risk.ltvTo) = (0, 0);
        emit CollateralFrozen(id, true);
    }

    // -- checks

    function _setPolicy(address policy_) internal {
        _policy.needsConfirmation = ILiquidationPolicy(policy_).needsConfirmation();
        _policy.policy = policy_;
        emit PolicySet(policy_);
    }

    function _setCaps(uint256 supplyCap_, uint256 borrowCap_) internal {
        (_supplyCap, _borrowLimits.borrowCap) = (_checkedCap(supplyCap_), uint104(_checkedCap(borrowCap_)));
        emit CapsSet(supplyCap_, borrowCap_);
    }

    function _setGuardian(address guardian_) internal {
        _guardian = guardian_;
        emit GuardianSet(guardian_);
    }

    function _checkedCap(uint256 cap) private pure returns (uint128) {
        if (cap > MAX_CAP) revert ValueOutOfRange("cap", cap, MAX_CAP);
        // forge-lint: disable-next-line(unsafe-typecast)
        return uint128(cap);
    }

    /// @dev LTV < LT, LT (1 + b) <= 1 for both the listed and the settlement bonus, and where liquidations are damped
    /// HF_hard <= 1 / (1 + δ): LT (1 + bmax)(1 + σ)(1 + δ) <= 1.
    function _checkThresholds(uint256 id, uint256 ltv, uint256 threshold) private view {
        CollateralListing memory listing = _listing[id];
        if (ltv >= threshold) revert InvalidListing("borrow LTV");
        uint256 bonus = listing.maxBonus < 300 ? 300 : listing.maxBonus;
        if (threshold * (10_000 + bonus) > 1e8) revert InvalidListing("threshold");
        if (
            listing.damped
                && threshold * (10_000 + uint256(listing.maxBonus)) * (10_000 + uint256(listing.slippageMargin))
                        * (10_000 + uint256(listing.confirmationBand)) > 1e16
        ) revert InvalidListing("margins do not fit");
    }
}

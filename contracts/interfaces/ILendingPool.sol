// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {BreakerLevel} from "./ICircuitBreaker.sol";
import {LiquidationGrant, LiquidationRequest, Refusal} from "./ILiquidationPolicy.sol";

/// @notice How a collateral is listed. Ratios in basis points.
/// @param token The ERC-20 posted; never the debt asset, never fee-on-transfer or rebasing.
/// @param oracle Its price in the debt token.
/// @param borrowLtv New risk is judged by it; below `liquidationThreshold`.
/// @param liquidationThreshold LT.
/// @param maxBonus bmax: no policy grants more.
/// @param slippageMargin sigma: slippage, largest jump between feed updates and inclusion delay together. 0 is allowed where
/// maxBonus is 300 at least; below that, where damped, (1 + maxBonus)(1 + sigma) is 1.03 at least.
/// @param confirmationBand delta: how far above the fast price a confirming price may hold a liquidation back.
/// @param group Collaterals of different groups are never held by one account (correlated pairs, isolated assets).
/// @param damped Whether liquidations may be dampened. Requires LT (1 + bmax)(1 + sigma)(1 + delta) <= 1; where the margins
/// do not fit, list it with `false` and every position below a health factor of 1 that holds it is in the hard zone.
/// @param cap The most of it that the pool accepts, base units, but for what accounts in debt add: above it nobody borrows against it.
struct CollateralConfig {
    address token;
    address oracle;
    uint16 borrowLtv;
    uint16 liquidationThreshold;
    uint16 maxBonus;
    uint16 slippageMargin;
    uint16 confirmationBand;
    uint8 group;
    bool damped;
    uint128 cap;
}

/// @notice A listed collateral as it is now, ramps applied. WAD ratios.
struct CollateralState {
    address token;
    address oracle;
    uint256 borrowLtv;
    uint256 liquidationThreshold;
    uint256 maxBonus;
    uint256 slippageMargin;
    uint256 confirmationBand;
    uint8 group;
    bool damped;
    bool frozen;
    uint256 total;
    uint256 cap;
}

/// @notice The market's totals with interest accrued to now. Base units of the debt token.
/// @param lenderAssets What lenders are owed.
/// @param supplyShares Shares in existence.
/// @param totalDebt What borrowers owe.
/// @param debtShares Debt shares in existence.
/// @param cash The debt token held.
/// @param reserves cash + totalDebt - lenderAssets, or 0.
/// @param rateAtTarget WAD per second.
struct MarketState {
    uint256 lenderAssets;
    uint256 supplyShares;
    uint256 totalDebt;
    uint256 debtShares;
    uint256 cash;
    uint256 reserves;
    uint256 rateAtTarget;
}

/// @notice An account's health at current prices and accrued debt. WAD ratios, values in base units of the debt token.
/// @param debt Rounded up.
/// @param collateralValue C_F, at the fast prices.
/// @param borrowLimit The debt that new risk may reach, at the lower of fast and slow prices; 0 unless every price is `Ok`.
/// @param healthFast HF at the fast prices; `type(uint256).max` without debt.
/// @param healthConfirmed HF at the confirmed prices.
/// @param healthHard HF_hard.
/// @param priceDown Whether a held collateral has no usable price; the health factors then count it at twice its last one,
/// `collateralValue` not at all, and only the hard zone can be liquidated.
struct AccountHealth {
    uint256 debt;
    uint256 collateralValue;
    uint256 borrowLimit;
    uint256 healthFast;
    uint256 healthConfirmed;
    uint256 healthHard;
    bool priceDown;
}

/// @notice One liquidation of a batch.
struct LiquidationCall {
    address account;
    uint256 collateralId;
    uint256 maxRepay;
}

/// @notice What a liquidation did; what a batch reports for each of its calls.
struct LiquidationResult {
    uint256 repaid;
    uint256 seized;
    uint256 writtenOff;
    Refusal refusal;
}

/// @notice Permission for `authorized` to act for `authorizer`, signed by EIP-712 (EOA, or ERC-1271 contract).
struct Authorization {
    address authorizer;
    address authorized;
    bool isAuthorized;
    uint256 nonce;
    uint256 deadline;
}

/// @notice Called during `repay` and `supplyCollateral`, before the tokens are pulled from the caller.
interface IRepayCallback {
    function onRepay(uint256 assets, bytes calldata data) external;
}

interface ISupplyCollateralCallback {
    function onSupplyCollateral(uint256 collateralId, uint256 amount, bytes calldata data) external;
}

interface ILiquidateCallback {
    /// @notice Called with the collateral already received and before the repayment is pulled from the caller.
    /// @param repaid Debt tokens about to be pulled, over the whole call or batch.
    function onLiquidate(uint256 repaid, bytes calldata data) external;
}

/// @title What a lending pool's events say
/// @notice Every state-changing call emits the post-state of what it changed, so a mirror needs no reads: a position by its
/// debt shares and collateral, the market by `MarketUpdated`.
interface ILendingPoolEvents {
    /// @notice The market's totals after a call, as stored (interest accrued to this block).
    event MarketUpdated(
        uint256 lenderAssets, uint256 supplyShares, uint256 totalDebt, uint256 debtShares, int256 logRateAtTarget
    );
    event CollateralSupplied(
        uint256 indexed collateralId, address indexed account, address caller, uint256 amount, uint256 balanceAfter
    );
    event CollateralWithdrawn(
        uint256 indexed collateralId,
        address indexed account,
        address caller,
        address receiver,
        uint256 amount,
        uint256 balanceAfter
    );
    event Borrowed(address indexed account, address caller, address receiver, uint256 assets, uint256 debtSharesAfter);
    event Repaid(address indexed account, address caller, uint256 assets, uint256 debtSharesAfter);
    event Liquidated(
        uint256 indexed collateralId,
        address indexed account,
        address indexed liquidator,
        uint256 repaid,
        uint256 seized,
        uint256 bonus,
        uint256 debtSharesAfter,
        uint256 balanceAfter
    );
    /// @notice Debt that no collateral backs any more: first from reserves, the rest from lenders.
    event BadDebtWrittenOff(address indexed account, uint256 fromReserves, uint256 fromLenders);
    event Settled(address indexed account, address indexed caller, uint256 repaid, uint256 stipend);
    event AuthorizationSet(address indexed authorizer, address indexed authorized, bool isAuthorized);
    event FlashLoan(address indexed receiver, address indexed caller, uint256 assets, uint256 fee);
    event CollateralListed(uint256 indexed collateralId, CollateralConfig config);
    event CollateralRampStarted(
        uint256 indexed collateralId, uint256 borrowLtv, uint256 liquidationThreshold, uint256 endsAt
    );
    event CollateralOracleSet(uint256 indexed collateralId, address oracle);
    event CollateralCapSet(uint256 indexed collateralId, uint256 cap);
    event CollateralFrozen(uint256 indexed collateralId, bool frozen);
    event NewRiskFrozen(bool frozen);
    event CapsSet(uint256 supplyCap, uint256 borrowCap);
    event MinDebtSet(uint256 minDebt, uint256 settlementStipend);
    event ReserveFactorSet(uint256 percent);
    event PolicySet(address policy);
    event GuardianSet(address guardian);
    event ReservesWithdrawn(address indexed receiver, uint256 assets);
}

/// @title The actions of a lending pool that are worth their gas
interface ILendingPoolCore is ILendingPoolEvents {
    // -- borrowers

    /// @notice Adds collateral to `account`. A type not yet held needs the account's authorisation.
    /// @param data If not empty, `onSupplyCollateral` is called on the caller before the tokens are pulled.
    function supplyCollateral(uint256 collateralId, uint256 amount, address account, bytes calldata data) external;

    /// @notice Moves collateral out; with debt, the account must stay within its borrow limit, and none of the other collaterals that it
    /// holds may be above its cap.
    function withdrawCollateral(uint256 collateralId, uint256 amount, address account, address receiver) external;

    /// @notice Borrows `assets`; the account must stay within its borrow limit and above the minimum debt.
    function borrow(uint256 assets, address account, address receiver) external;

    /// @notice Repays up to `assets` of `account`'s debt (`type(uint256).max` for all of it).
    /// @param data If not empty, `onRepay` is called on the caller before the tokens are pulled.
    /// @return repaid What was pulled.
    function repay(uint256 assets, address account, bytes calldata data) external returns (uint256 repaid);

    // -- liquidators

    /// @notice Repays up to `maxRepay` of an unhealthy account's debt for its collateral, as the policy grants. Reverts with
    /// `NotLiquidatable` if the policy grants nothing. Debt that is left without any collateral is written off. So that no
    /// dust is left, the policy may grant more than `maxRepay`, at the same bonus.
    /// @param data If not empty, `onLiquidate` is called on the caller after the collateral is sent.
    function liquidate(address account, uint256 collateralId, uint256 maxRepay, bytes calldata data)
        external
        returns (LiquidationResult memory);

    /// @notice Several liquidations, one callback. A call that is refused is reported and skipped; reverts if all are.
    function liquidateBatch(LiquidationCall[] calldata calls, bytes calldata data)
        external
        returns (LiquidationResult[] memory);

    /// @notice Starts the clocks (the bonus auction) that the account's condition starts; takes nothing.
    function flag(address account, uint256 collateralId) external;

    /// @notice The request that `liquidate` would put to the policy now, and what the policy would grant.
    function quoteLiquidation(address account, uint256 collateralId, uint256 maxRepay)
        external
        view
        returns (LiquidationRequest memory request, LiquidationGrant memory grant);
}

/// @title The rest of a lending pool: settlement, authorisation and views
interface ILendingPoolExtension is ILendingPoolEvents {
    // -- liquidators

    /// @notice Closes an insolvent position whole: all its collateral for its value less the settlement bonus; what the
    /// repayment does not cover is written off. Pays a stipend from reserves where there is next to no collateral. Collateral
    /// without a price, and tokens that do not move, stay with the account.
    function settle(address account, bytes calldata data) external returns (LiquidationResult memory);

    // -- authorisation

    function setAuthorization(address authorized, bool isAuthorized) external;
    function setAuthorizationWithSig(Authorization calldata authorization, bytes calldata signature) external;

    // -- views

    function assetToken() external view returns (address);
    function policy() external view returns (address);
    function breaker() external view returns (address);
    function collateralCount() external view returns (uint256);
    function collateralState(uint256 collateralId) external view returns (CollateralState memory);
    function collateralOf(address account, uint256 collateralId) external view returns (uint256);
    /// @notice Bit i is set if the account holds collateral i.
    function collateralBitmap(address account) external view returns (uint256);
    function debtSharesOf(address account) external view returns (uint256);
    /// @notice Rounded up, with interest accrued to now.
    function debtOf(address account) external view returns (uint256);
    function accountHealth(address account) external view returns (AccountHealth memory);
    function marketState() external view returns (MarketState memory);
    function isAuthorized(address authorizer, address authorized) external view returns (bool);
    function authorizationNonce(address authorizer) external view returns (uint256);
}

/// @title A lending pool: one debt asset, several collaterals
/// @notice Lenders hold an ERC-4626 share (with EIP-2612 and ERC-3156). Borrowers post collateral and borrow the asset.
/// Amounts are base units. `account` acts for itself; anybody else needs its authorisation to take on risk or to move
/// its collateral out. Repayments and top-ups of a collateral type that is already held need nobody's permission and are
/// never blocked by breaker, oracle or policy.
interface ILendingPool is ILendingPoolCore, ILendingPoolExtension {}

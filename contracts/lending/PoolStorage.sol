// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {Ownable2Step} from "@openzeppelin/contracts/access/Ownable2Step.sol";

/// @dev The market as it is stored, in two slots. Reserves are the remainder: cash + totalDebt - lenderAssets, so a donation
/// becomes reserves and never moves the share price.
/// @param lenderAssets What lenders are owed at `lastAccrual`, base units.
/// @param supplyShares Lenders' shares.
/// @param lastAccrual Unix seconds.
/// @param reserveFactor Percent of interest that goes to reserves, 0 to 50.
/// @param newRiskFrozen Whether the guardian stopped borrowing and the withdrawal of collateral against debt.
/// @param totalDebt What borrowers owe at `lastAccrual`, base units.
/// @param debtShares Borrowers' shares of it.
/// @param logRateAtTarget ln(rate per second), scaled by 1e12.
struct StoredMarket {
    uint104 lenderAssets;
    uint104 supplyShares;
    uint32 lastAccrual;
    uint8 reserveFactor;
    bool newRiskFrozen;
    uint104 totalDebt;
    uint104 debtShares;
    int48 logRateAtTarget;
}

/// @dev The market accrued to now, as every action works on it: a word a field, in the order of `MarketUpdated`, whose data the
/// first five are. No amount exceeds what `StoredMarket` has room for.
struct Market {
    uint256 lenderAssets;
    uint256 supplyShares;
    uint256 totalDebt;
    uint256 debtShares;
    int256 logRateAtTarget;
    uint256 reserveFactor;
    bool newRiskFrozen;
}

/// @dev An account as it is stored, in one slot: debt, which collaterals it holds, and the amount of one of them. Amounts of
/// further collaterals are in `PoolStorage._furtherCollateral`.
/// @param bitmap Bit i is set while the account holds collateral i.
/// @param primary The collateral whose amount is `primaryAmount`; meaningful only while `primaryAmount` > 0.
struct StoredPosition {
    uint104 debtShares;
    uint16 bitmap;
    uint8 primary;
    uint128 primaryAmount;
}

/// @dev An account as every action works on it: a word a field. No field exceeds what `StoredPosition` has room for.
/// @param slot Where it is stored.
struct Position {
    uint256 debtShares;
    uint256 bitmap;
    uint256 primary;
    uint256 primaryAmount;
    bytes32 slot;
}

/// @dev What every health computation reads of a collateral, in one slot. Ratios in basis points; a ramp runs from `from` at
/// `rampStart` to `to` over `RAMP_DURATION`. Read as a `RiskWord`.
struct CollateralRisk {
    address oracle;
    uint16 ltvFrom;
    uint16 ltvTo;
    uint16 thresholdFrom;
    uint16 thresholdTo;
    uint32 rampStart;
}

/// @dev What transfers and liquidations read of it, in one slot. Ratios in basis points. Read as a `ListingWord`.
struct CollateralListing {
    address token;
    uint16 maxBonus;
    uint16 slippageMargin;
    uint16 confirmationBand;
    uint8 group;
    bool damped;
    bool frozen;
}

/// @dev What is written when collateral moves. Base units.
struct CollateralTotal {
    uint128 total;
    uint128 cap;
}

/// @dev Read when a position is liquidated, in one slot.
/// @param minDebt The smallest debt that may be opened, base units.
struct PolicyConfig {
    address policy;
    bool needsConfirmation;
    uint88 minDebt;
}

/// @dev Read when debt is opened, in one slot.
/// @param borrowCap Base units of the debt token.
/// @param minDebt The same as `PolicyConfig.minDebt`: neither a loan nor a liquidation reads the other's slot for it.
/// @param overCap Bit i is set while more of collateral i is held than its cap: nobody takes new risk on it.
struct BorrowLimits {
    uint104 borrowCap;
    uint88 minDebt;
    uint16 overCap;
}

/// @title The pool's storage
/// @notice Split by who reads it: an action loads only the slots it needs. See README.md for the slots per action.
/// @dev The only place with state: `LendingPool` and `LendingPoolExtension`, which runs in the pool's storage, both begin with
/// it, so their layouts are one. The owner is in OpenZeppelin's two slots, before these.
abstract contract PoolStorage is Ownable2Step {
    /// @dev The number of collaterals that a pool can list: the width of the bitmap.
    uint256 internal constant MAX_COLLATERALS = 16;

    StoredMarket internal _market;
    PolicyConfig internal _policy;
    BorrowLimits internal _borrowLimits;
    /// @dev Base units of the debt token.
    uint256 internal _supplyCap;

    mapping(address account => StoredPosition) internal _positions;
    mapping(address account => mapping(uint256 collateralId => uint256)) internal _furtherCollateral;

    mapping(uint256 collateralId => CollateralRisk) internal _risk;
    mapping(uint256 collateralId => CollateralListing) internal _listing;
    mapping(uint256 collateralId => CollateralTotal) internal _totals;
    uint256 internal _collateralCount;

    mapping(address authorizer => mapping(address authorized => bool)) internal _authorized;
    mapping(address authorizer => uint256) internal _authorizationNonces;

    mapping(address account => uint256) internal _balances;
    mapping(address owner => mapping(address spender => uint256)) internal _allowances;
    mapping(address owner => uint256) internal _nonces;
    string internal _name;
    string internal _symbol;

    /// @dev Paid from reserves for settling a position that is worth less than it; base units.
    uint256 internal _settlementStipend;
    address internal _guardian;

    /// @dev Set while tokens have left on credit and a callback runs: liquidation, settlement, flash loans and
    /// the withdrawal of reserves are refused. An observation that a nested call makes is recorded as ever.
    bool internal transient _inCallback;
}

// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

/// @dev One slot.
/// @param assets A: the debt asset that active depositors have left, base units.
/// @param shares S: their shares, those of the exit queue and the locked ones included.
/// @param lockedShares Shares that nobody owns; see `BackstopAccounting`.
/// @param period The number of the period whose queues were carried out last.
struct Totals {
    uint96 assets;
    uint112 shares;
    uint24 lockedShares;
    uint24 period;
}

/// @dev What enters and leaves at the start of a period; as it stood when the period was crossed, afterwards.
struct Batch {
    uint96 entryAssets;
    uint112 exitShares;
}

/// @dev What a batch became.
/// @param shift Every older share became 2^-shift shares, after the exits and before the entries.
struct Crossing {
    uint112 entryShares;
    uint96 exitAssets;
    uint8 shift;
}

/// @dev Three slots.
/// @param shares Free shares.
/// @param exitShares Shares in the exit queue; they bear and earn until `exitPeriod`.
/// @param rescales How many of the rescalings are applied to them.
/// @param entryAssets In the entry queue for `entryPeriod`.
/// @param owed Debt asset to be claimed.
/// @param gainsPerShare The sum up to which gains are counted.
struct Depositor {
    uint112 shares;
    uint112 exitShares;
    uint32 rescales;
    uint96 entryAssets;
    uint24 entryPeriod;
    uint24 exitPeriod;
    uint112 owed;
    uint256 gainsPerShare;
}

/// @dev The sums of one collateral; see `BackstopAccounting`.
struct Sums {
    uint256 unitsPerShare;
    uint208 proceedsPerUnit;
    uint48 series;
}

/// @dev The unsold collateral, base units, and the units in which it is owned.
struct Inventory {
    uint112 amount;
    uint144 units;
}

/// @dev An account's units of a collateral, and the sums up to which they are counted.
struct Stake {
    uint256 unitsPerShare;
    uint208 proceedsPerUnit;
    uint48 series;
    uint256 units;
}

/// @dev The release of one collateral: two slots.
/// @param clock When the auction's price began to fall, a time stamp in microseconds.
/// @param updatedAt When `level` was true.
/// @param level What may be sold at once, base units of the debt asset.
/// @param depth The least depth of the venue that was read in the block of `updatedAt`, base units of the debt asset.
/// @param depthBefore The same of the block that was recorded before that one.
struct Sale {
    uint64 clock;
    uint40 updatedAt;
    uint128 level;
    uint128 depth;
    uint128 depthBefore;
}

/// @title The backstop's storage
abstract contract BackstopStorage {
    Totals internal _totals;
    /// @dev Debt asset per share, scaled by 2^128: premiums, and the proceeds of sales.
    uint256 internal _gainsPerShare;
    /// @dev Bit i is set once collateral i was taken.
    uint256 internal _collaterals;
    /// @dev The periods at whose start shares were rescaled, in order.
    uint256[] internal _rescales;

    mapping(uint256 period => Batch) internal _batches;
    mapping(uint256 period => Crossing) internal _crossings;
    mapping(uint256 period => uint256) internal _gainsAt;
    mapping(uint256 period => mapping(uint256 collateralId => Sums)) internal _sumsAt;

    mapping(uint256 collateralId => Sums) internal _sums;
    mapping(uint256 collateralId => Inventory) internal _inventory;
    mapping(uint256 collateralId => mapping(uint256 series => uint256)) internal _finalProceeds;
    mapping(uint256 collateralId => Sale) internal _sales;

    mapping(address account => Depositor) internal _accounts;
    mapping(address account => mapping(uint256 collateralId => Stake)) internal _stakes;
    mapping(address owner => mapping(address spender => uint256)) internal _allowances;

    bool internal transient _entered;
}

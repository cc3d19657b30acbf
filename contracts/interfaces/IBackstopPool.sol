// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

/// @notice What depositors hold together. Base units of the debt asset, and shares.
/// @param assets What may still be spent on absorptions.
/// @param shares Shares of it, those that wait to leave included.
/// @param absorbable `assets` less what is never spent.
/// @param entering Deposits that are not active yet.
/// @param leaving Shares that wait to leave.
struct BackstopState {
    uint256 assets;
    uint256 shares;
    uint256 absorbable;
    uint256 entering;
    uint256 leaving;
}

/// @notice What an account has in the backstop. Periods are 0 where nothing waits.
/// @param shares Transferable shares.
/// @param exitShares Shares that leave at the start of `exitPeriod`; until then they bear and earn as all others.
/// @param exitPeriod Number of a period: `timestamp / period`.
/// @param entryAssets A deposit that becomes active at the start of `entryPeriod`, base units of the debt asset.
/// @param entryPeriod Number of a period.
/// @param claimable Debt asset that `claimAssets` pays: what left, premiums, and the proceeds of collateral sold.
struct BackstopAccount {
    uint256 shares;
    uint256 exitShares;
    uint256 exitPeriod;
    uint256 entryAssets;
    uint256 entryPeriod;
    uint256 claimable;
}

/// @notice What one absorption did.
/// @param repaid Debt repaid, base units of the debt asset.
/// @param kept Collateral for depositors, base units of the collateral.
/// @param reward Collateral for the caller.
struct AbsorptionResult {
    uint256 repaid;
    uint256 kept;
    uint256 reward;
}

/// @title What the backstop's events say
/// @notice Post-states: of the totals in `TotalsUpdated`, of an account in `AccountUpdated`, of a collateral's inventory in
/// `InventoryUpdated`.
interface IBackstopPoolEvents {
    event TotalsUpdated(uint256 assets, uint256 shares);
    event AccountUpdated(
        address indexed account,
        uint256 shares,
        uint256 exitShares,
        uint256 exitPeriod,
        uint256 entryAssets,
        uint256 entryPeriod,
        uint256 claimable
    );
    event InventoryUpdated(uint256 indexed collateralId, uint256 amount, uint256 units);

    event DepositQueued(address indexed account, uint256 assets, uint256 period);
    event ExitQueued(address indexed account, uint256 shares, uint256 period);
    /// @notice A period began whose queue was not empty. `shift`: every share of before is worth 2^-shift shares of now.
    event PeriodCrossed(
        uint256 indexed period,
        uint256 exitShares,
        uint256 exitAssets,
        uint256 entryAssets,
        uint256 entryShares,
        uint256 shift
    );
    event AssetsClaimed(address indexed account, address receiver, uint256 assets);
    event CollateralClaimed(
        address indexed account, uint256 indexed collateralId, address receiver, uint256 amount, uint256 units
    );
    event PremiumPaid(address indexed payer, uint256 assets);

    event Absorbed(
        address indexed account,
        uint256 indexed collateralId,
        address indexed caller,
        uint256 repaid,
        uint256 kept,
        uint256 reward
    );
    /// @notice The waterfall of an insolvent position, in order: what the backstop paid for the collateral, what the caller paid
    /// because the backstop had no more, what reserves lost, what lenders lost. `stipend` is what the pool paid the caller. What
    /// the backstop's part of the collateral fetches is `InventorySold`.
    event WaterfallSettled(
        address indexed account,
        address indexed caller,
        uint256 fromBackstop,
        uint256 fromCaller,
        uint256 fromReserves,
        uint256 fromLenders,
        uint256 stipend
    );
    /// @notice Collateral that a settlement brought: what depositors keep, and what the caller received.
    event SettlementCollateral(
        address indexed account, uint256 indexed collateralId, address indexed caller, uint256 kept, uint256 handedOver
    );
    event InventorySold(uint256 indexed collateralId, address indexed buyer, uint256 amount, uint256 paid);
    /// @notice `depth`: what was recorded of the venue; `clock`: when the auction's price began to fall, a time stamp
    /// in microseconds; `level`: what may be sold at once. Base units of the debt asset.
    event SaleUpdated(uint256 indexed collateralId, uint256 depth, uint256 clock, uint256 level);
}

/// @title A backstop: depositors of the debt asset who take collateral instead of letting it be sold into a fall
/// @notice No administrator, and nothing that pauses: every parameter is fixed at deployment. The share is an ERC-20.
interface IBackstopPool is IBackstopPoolEvents {
    // -- depositors

    /// @notice Deposits `assets`. They become active, and bear and earn, at the start of the period after the next: at
    /// least one whole period from now. A deposit cannot be taken back before.
    function deposit(uint256 assets) external;

    /// @notice Queues shares to leave at the start of the period after the next. Until then they bear and earn; the queue
    /// cannot be left.
    function requestExit(uint256 shares) external;

    /// @notice Pays what the caller is owed in the debt asset.
    function claimAssets(address receiver) external returns (uint256 assets);

    /// @notice Hands over the caller's part of the unsold collateral. Whoever does not claim leaves it to be sold.
    function claimCollateral(uint256 collateralId, address receiver) external returns (uint256 amount);

    // -- anybody

    /// @notice Takes an eligible position at the discount: to the target health in the damped zone, whole in the hard zone.
    /// The caller receives a share of the discount, in collateral.
    function absorb(address account, uint256 collateralId) external returns (AbsorptionResult memory);

    /// @notice Settles an insolvent position with the backstop's money; see `ILendingPool.settle`. The caller receives a share
    /// of the discount, in collateral, and the pool's stipend. Where the backstop has too little the caller pays the rest, for
    /// its part of the collateral.
    function settle(address account) external returns (uint256 repaid, uint256 writtenOff);

    /// @notice Buys up to `maxAmount` of inventory at the auction's price, for at most `maxPaid`.
    function buy(uint256 collateralId, uint256 maxAmount, uint256 maxPaid, address receiver)
        external
        returns (uint256 amount, uint256 paid);

    /// @notice Records the venue's depth, and starts the auction's clock if it is not running.
    function observe(uint256 collateralId) external;

    /// @notice Gives `assets` to the active depositors, pro rata.
    function payPremium(uint256 assets) external;

    /// @notice Carries out the queues of the periods that began. Every other call does it too.
    function roll() external;

    // -- views, as of the last roll but for this one

    /// @notice What an absorption may spend now, queues that await a roll included; base units of the debt asset.
    function absorbable() external view returns (uint256);

    function backstopState() external view returns (BackstopState memory);
    /// @notice Whether depositors own at least as many shares as stay locked for ever: without them no premium is taken.
    function hasDepositors() external view returns (bool);
    function backstopAccount(address account) external view returns (BackstopAccount memory);
    /// @notice The account's part of the unsold collateral, base units of the collateral.
    function collateralOf(address account, uint256 collateralId) external view returns (uint256);
    /// @notice Unsold collateral, and the units in which it is owned.
    function inventoryOf(uint256 collateralId) external view returns (uint256 amount, uint256 units);
}

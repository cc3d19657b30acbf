// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {FixedPointMathLib} from "solady/utils/FixedPointMathLib.sol";
import {SafeCastLib} from "solady/utils/SafeCastLib.sol";

import {IBackstopPoolEvents} from "../interfaces/IBackstopPool.sol";
import {Depositor, BackstopStorage, Batch, Crossing, Inventory, Stake, Sums, Totals} from "./BackstopStorage.sol";

/// @title Who owns what of the backstop
/// @notice Constant work for every event, whatever the number of depositors; each depositor is brought up to date when he
/// acts or is acted upon.
///
/// Deposits. Let d_j be what depositor j has left and A their sum. An absorption of x takes of each in proportion,
///     d_j' = d_j (1 - x / A),
/// so after absorptions x_1, x_2, ... d_j is d_j(0) times a product P of the factors 1 - x_k / A_k that all share. Nothing
/// needs to keep P: with s_j shares of a total S, d_j = s_j A / S, an absorption changes A alone, and A / S is proportional to
/// P. An entry of d mints d S / A shares and an exit burns its own, neither of which moves A / S. A is an integer that is
/// known exactly, so the product never accumulates an error, however many factors it has.
///
/// A / S falls, but for what an exit rounds off: gains are not added to A but counted apart. So no donation lifts the price of
/// a share, and an entry never mints fewer than about 1,000 shares a base unit. It falls for good, and entries after heavy losses
/// mint ever more shares. Where S would pass 2^112, every older share becomes 2^-16 shares, as often as needed (a rescaling). A
/// holder who is brought up to date across it loses less than one new share, and there are at least 4 shares a base unit then.
/// After seven rescalings nothing is left to rescale, which bounds the loop.
///
/// Collateral. Absorption k brings c_k. It is counted in units: at first 2^16 a base unit, later as many as the stock Q is worth
/// at the present rate, u_k = c_k U / Q with U all units. Depositor j receives s_j u_k / S_k of them, in sum
///     s_j (u(t) - u(t_j)),    u(t) = sum of u_k / S_k,
/// u being `unitsPerShare`. A claim in kind takes units and their share of Q. A sale of q for y takes from all units alike: Q
/// becomes Q - q and U stays. This is the same product again, Q / U. Proceeds are y / U a unit, summed in
///     Y(t) = sum of y_m / U_m                                                    (`proceedsPerUnit`).
/// Depositor j holds w_j + s_j (u(t) - u(t_j)) units at time t, w_j being those that he had at t_j, and thus receives
///     sum over sales m of (w_j + s_j (u(t_m) - u(t_j))) y_m / U_m
///       = w_j (Y - Y(t_j)) + s_j (G - G(t_j) - u(t_j) (Y - Y(t_j))),   G(t) = sum of u(t_m) y_m / U_m.
/// Premiums are given per share, so they are added to the same G (`gainsPerShare`), for all collaterals one sum.
///
/// Where a sale takes all, the units are void and a new series of them begins, with u = 0. Whoever held units of the old series is
/// paid up to its last Y, which is kept, and what G grew by afterwards is his with u(t_j) counted up to that point only: the formula
/// holds with Y(t) replaced by that last Y. The same where an absorption finds less than 2^-20 of what the units stood for at first:
/// those few base units are left to the new series, so that no unit is ever worth less than 2^-36 base units when new ones are made.
///
/// Queues. Entries and exits happen for all who wait at the start of a period, at one price: exits first, then entries. The sums
/// are recorded there; an account that is brought up to date later stops at each such start that concerns it.
///
/// Rounding. Every division rounds against the claimant. Over all depositors together, one absorption, sale or premium loses at most
/// S 2^-128 < 2^-16 base units in its sum, and an absorption beside older units one unit, to their holders. Bringing an account up
/// to date loses it less than one base unit of the debt asset per collateral, and one, and less than one unit of each collateral; a
/// claim in kind less than one base unit of it, which falls to the units that are left. A unit is 2^-16 base units at first; what
/// falls to it raises it, and never above one: Q <= U holds through every claim, as ceil(Q (U - u) / U) <= U - u if Q <= U, and
/// through every absorption, as floor(c U / Q) >= c. What is lost stays in the contract unowned, so claims never exceed what is
/// held.
abstract contract BackstopAccounting is BackstopStorage, IBackstopPoolEvents {
    using SafeCastLib for uint256;

    /// @dev The scale of sums per share and per unit.
    uint256 internal constant ONE = 1 << 128;

    /// @dev Shares that the first base unit is worth.
    uint256 internal constant SHARES_PER_ASSET = 1000;

    /// @dev Nobody owns these; whoever enters while there are fewer pays for them. What a start rounds off, a base unit at most, thus
    /// never falls to a few shares alone. At the first entry they cost 1,000 base units, after a rescaling at most 2^-76 of A.
    uint24 internal constant LOCKED_SHARES = 1e6;

    uint256 internal constant MAX_SHARES = 1 << 112;
    uint8 internal constant RESCALE_BITS = 16;

    /// @dev 2^94: with S >= 2^96 after a rescaling there are at least 4 shares a base unit.
    uint256 internal constant MAX_ASSETS = 1e28;

    uint256 internal constant UNIT_BITS = 16;

    /// @dev An absorption that finds less than 2^-20 of what the units stood for begins a new series.
    uint256 internal constant SERIES_BITS = 20;

    uint256 internal immutable PERIOD;

    /// @notice There is no active depositor.
    error NoDepositors();
    error CapExceeded(uint256 assets, uint256 cap);
    error InsufficientShares(address account, uint256 shares, uint256 needed);
    /// @notice An earlier request of this account still waits for its period.
    error RequestPending(address account, uint256 period);

    constructor(uint256 periodSeconds) {
        PERIOD = periodSeconds;
        _totals.period = (block.timestamp / periodSeconds).toUint24();
    }

    // -- periods

    /// @dev Carries out the queues of the periods that began. Requests are made for two periods ahead, so after the last one
    /// carried out only the next two can hold any.
    function _roll() internal {
        uint256 period = block.timestamp / PERIOD;
        uint256 last = _totals.period;
        if (period == last) return;
        for (uint256 next = last + 1; next <= last + 2 && next <= period; ++next) {
            Batch memory batch = _batches[next];
            if (batch.entryAssets != 0 || batch.exitShares != 0) _cross(next, batch);
        }
        _totals.period = period.toUint24();
    }

    /// @dev A as a roll would find it, at most two units less: exits and entries leave A / S as it is.
    function _activeAssets() internal view returns (uint256 assets) {
        Totals memory totals = _totals;
        assets = totals.assets;
        uint256 period = block.timestamp / PERIOD;
        uint256 exitShares;
        uint256 entryAssets;
        for (uint256 next = uint256(totals.period) + 1; next <= uint256(totals.period) + 2 && next <= period; ++next) {
            Batch memory batch = _batches[next];
            exitShares += batch.exitShares;
            entryAssets += batch.entryAssets;
        }
        if (exitShares != 0) assets -= FixedPointMathLib.fullMulDivUp(exitShares, assets, totals.shares);
        assets += entryAssets;
    }

    function _cross(uint256 period, Batch memory batch) private {
        Totals memory totals = _totals;
        Crossing memory crossing;
        if (batch.exitShares != 0) {
            crossing.exitAssets =
                FixedPointMathLib.fullMulDiv(batch.exitShares, totals.assets, totals.shares).toUint96();
            totals.assets -= crossing.exitAssets;
            totals.shares -= batch.exitShares;
        }
        if (batch.entryAssets != 0) {
            uint256 minted;
            while (true) {
                minted = totals.shares == 0
                    ? batch.entryAssets * SHARES_PER_ASSET
                    : FixedPointMathLib.fullMulDiv(batch.entryAssets, totals.shares, totals.assets);
                if (totals.shares + minted < MAX_SHARES) break;
                totals.shares >>= RESCALE_BITS;
                totals.lockedShares >>= RESCALE_BITS;
                crossing.shift += RESCALE_BITS;
            }
            if (crossing.shift != 0) _rescaleQueue(period, crossing.shift);
            totals.assets += batch.entryAssets;
            totals.shares += minted.toUint112();
            // At most what entered: after a rescaling a small deposit may not be worth the locked shares, and no start may revert.
            uint256 locked = FixedPointMathLib.min(LOCKED_SHARES - totals.lockedShares, minted);
            totals.lockedShares += locked.toUint24();
            crossing.entryShares = (minted - locked).toUint112();
        }
        _totals = totals;
        _crossings[period] = crossing;
        _gainsAt[period] = _gainsPerShare;
        uint256 held = _collaterals;
        for (uint256 id; held >> id != 0; ++id) {
            if ((held >> id) & 1 != 0) _sumsAt[period][id] = _sums[id];
        }
        emit PeriodCrossed(
            period, batch.exitShares, crossing.exitAssets, batch.entryAssets, crossing.entryShares, crossing.shift
        );
        emit TotalsUpdated(totals.assets, totals.shares);
    }

    /// @dev Those who already wait to leave at the next start are rescaled with all others. A queue that is not empty keeps a
    /// share, so that its start is recorded.
    function _rescaleQueue(uint256 period, uint256 shift) private {
        _rescales.push(period);
        uint256 waiting = _batches[period + 1].exitShares;
        if (waiting != 0) {
            _batches[period + 1].exitShares = FixedPointMathLib.max(waiting >> shift, 1).toUint112();
        }
    }

    /// @dev The period for which a request made now waits.
    function _requestPeriod() internal view returns (uint256) {
        return uint256(_totals.period) + 2;
    }

    function _queueEntry(address account, uint256 assets) internal {
        Depositor memory a = _bringUpToDate(account);
        uint256 period = _requestPeriod();
        if (a.entryPeriod != 0 && a.entryPeriod != period) revert RequestPending(account, a.entryPeriod);
        uint256 total =
            uint256(_totals.assets) + _batches[period - 1].entryAssets + _batches[period].entryAssets + assets;
        if (total > MAX_ASSETS) revert CapExceeded(total, MAX_ASSETS);
        a.entryAssets += assets.toUint96();
        a.entryPeriod = period.toUint24();
        _batches[period].entryAssets += assets.toUint96();
        _storeAccount(account, a);
        emit DepositQueued(account, assets, period);
    }

    function _queueExit(address account, uint256 shares) internal {
        Depositor memory a = _bringUpToDate(account);
        uint256 period = _requestPeriod();
        if (a.exitPeriod != 0 && a.exitPeriod != period) revert RequestPending(account, a.exitPeriod);
        if (shares > a.shares) revert InsufficientShares(account, a.shares, shares);
        a.shares -= shares.toUint112();
        a.exitShares += shares.toUint112();
        a.exitPeriod = period.toUint24();
        _batches[period].exitShares += shares.toUint112();
        _storeAccount(account, a);
        emit ExitQueued(account, shares, period);
    }

    // -- accounts

    /// @dev Counts everything up to now and stores the stakes; the caller stores the account.
    function _bringUpToDate(address account) internal returns (Depositor memory a) {
        Stake[] memory stakes;
        (a, stakes) = _upToDate(account);
        uint256 held = _collaterals;
        for (uint256 id; held >> id != 0; ++id) {
            if ((held >> id) & 1 != 0) _stakes[account][id] = stakes[id];
        }
    }

    function _storeAccount(address account, Depositor memory a) internal {
        _accounts[account] = a;
        emit AccountUpdated(account, a.shares, a.exitShares, a.exitPeriod, a.entryAssets, a.entryPeriod, a.owed);
    }

    /// @dev An account with everything counted up to now, and its stakes by collateral. Nothing is stored.
    function _upToDate(address account) internal view returns (Depositor memory a, Stake[] memory stakes) {
        a = _accounts[account];
        uint256 held = _collaterals;
        stakes = new Stake[](held == 0 ? 0 : FixedPointMathLib.log2(held) + 1);
        for (uint256 id; held >> id != 0; ++id) {
            if ((held >> id) & 1 != 0) stakes[id] = _stakes[account][id];
        }
        for (uint256 stop = _nextStop(a); stop != 0; stop = _nextStop(a)) {
            _count(a, stakes, held, stop);
            _passStop(a, stop);
        }
        _count(a, stakes, held, 0);
        // What has no shares has nothing to rescale.
        a.rescales = uint32(_rescales.length);
    }

    /// @dev The next start of a period that changes the account's shares, or 0.
    function _nextStop(Depositor memory a) private view returns (uint256 stop) {
        uint256 reached = _totals.period;
        stop = type(uint256).max;
        if (a.entryPeriod != 0 && a.entryPeriod <= reached) stop = a.entryPeriod;
        if (a.exitPeriod != 0 && a.exitPeriod <= reached && a.exitPeriod < stop) stop = a.exitPeriod;
        if (a.shares | a.exitShares != 0 && a.rescales < _rescales.length) {
            stop = FixedPointMathLib.min(stop, _rescales[a.rescales]);
        }
        if (stop == type(uint256).max) stop = 0;
    }

    /// @dev Exit, rescaling, entry: in the order of `_cross`.
    function _passStop(Depositor memory a, uint256 stop) private view {
        Crossing memory crossing = _crossings[stop];
        Batch memory batch = _batches[stop];
        if (a.exitPeriod == stop) {
            if (a.exitShares != 0) {
                a.owed += FixedPointMathLib.fullMulDiv(a.exitShares, crossing.exitAssets, batch.exitShares).toUint112();
            }
            (a.exitShares, a.exitPeriod) = (0, 0);
        }
        a.shares >>= crossing.shift;
        a.exitShares >>= crossing.shift;
        // Rescalings before this stop found no shares.
        while (a.rescales < _rescales.length && _rescales[a.rescales] <= stop) ++a.rescales;
        if (a.entryPeriod == stop) {
            a.shares += FixedPointMathLib.fullMulDiv(a.entryAssets, crossing.entryShares, batch.entryAssets).toUint112();
            (a.entryAssets, a.entryPeriod) = (0, 0);
        }
    }

    /// @dev Counts what the account's shares and units earned up to the start of period `stop`, or up to now if that is 0.
    function _count(Depositor memory a, Stake[] memory stakes, uint256 held, uint256 stop) private view {
        uint256 earning = uint256(a.shares) + a.exitShares;
        uint256 gains = stop == 0 ? _gainsPerShare : _gainsAt[stop];
        uint256 perShare = gains - a.gainsPerShare;
        a.gainsPerShare = gains;
        uint256 owed;
        for (uint256 id; held >> id != 0; ++id) {
            if ((held >> id) & 1 == 0) continue;
            Stake memory stake = stakes[id];
            Sums memory sums = stop == 0 ? _sums[id] : _sumsAt[stop][id];
            bool sameSeries = stake.series == sums.series;
            uint256 proceeds =
                (sameSeries ? sums.proceedsPerUnit : _finalProceeds[id][stake.series]) - stake.proceedsPerUnit;
            if (proceeds != 0) {
                owed += FixedPointMathLib.fullMulDiv(stake.units, proceeds, ONE);
                // Sums round down and this up: the difference may be a few units of 2^-128 below 0.
                perShare = FixedPointMathLib.zeroFloorSub(
                    perShare, FixedPointMathLib.fullMulDivUp(stake.unitsPerShare, proceeds, ONE)
                );
            }
            uint256 counted = sameSeries ? stake.unitsPerShare : 0;
            stake.units = (sameSeries ? stake.units : 0)
                + FixedPointMathLib.fullMulDiv(earning, sums.unitsPerShare - counted, ONE);
            (stake.unitsPerShare, stake.proceedsPerUnit, stake.series) =
            (sums.unitsPerShare, sums.proceedsPerUnit, sums.series);
        }
        a.owed += (owed + FixedPointMathLib.fullMulDiv(earning, perShare, ONE)).toUint112();
    }

    // -- events that concern all

    /// @dev Takes `assets` of all active depositors.
    function _spend(uint256 assets) internal {
        Totals memory totals = _totals;
        totals.assets -= assets.toUint96();
        _totals = totals;
        emit TotalsUpdated(totals.assets, totals.shares);
    }

    /// @dev Whether depositors own at least as many shares as stay locked, 1,000 base units' worth at most: with less, most of what is
    /// given to all shares would be nobody's.
    function _hasDepositors() internal view returns (bool) {
        return _totals.shares >= 2 * LOCKED_SHARES;
    }

    /// @dev Gives `assets` to all active depositors.
    function _addGains(uint256 assets) internal {
        if (!_hasDepositors()) revert NoDepositors();
        _gainsPerShare += FixedPointMathLib.fullMulDiv(assets, ONE, _totals.shares);
    }

    /// @dev Gives `amount` of a collateral to all active depositors.
    function _addInventory(uint256 id, uint256 amount) internal {
        Inventory memory inventory = _inventory[id];
        if (uint256(inventory.amount) << (UNIT_BITS + SERIES_BITS) < inventory.units) {
            Sums memory sums = _sums[id];
            _endSeries(id, inventory, sums);
            _sums[id] = sums;
        }
        uint256 units = inventory.units == 0
            ? (inventory.amount + amount) << UNIT_BITS
            : FixedPointMathLib.fullMulDiv(amount, inventory.units, inventory.amount);
        _sums[id].unitsPerShare += FixedPointMathLib.fullMulDiv(units, ONE, _totals.shares);
        inventory.amount += amount.toUint112();
        inventory.units += units.toUint144();
        // forge-lint: disable-next-line(incorrect-shift)
        _collaterals |= 1 << id;
        _storeInventory(id, inventory);
    }

    /// @dev Voids all units of a collateral, whose last Y is kept. The caller stores both.
    function _endSeries(uint256 id, Inventory memory inventory, Sums memory sums) private {
        _finalProceeds[id][sums.series] = sums.proceedsPerUnit;
        (sums.unitsPerShare, inventory.units) = (0, 0);
        ++sums.series;
    }

    /// @dev Takes `amount` of a collateral from all who have not claimed it, for `proceeds`.
    function _sellInventory(uint256 id, uint256 amount, uint256 proceeds) internal {
        Inventory memory inventory = _inventory[id];
        Sums memory sums = _sums[id];
        uint256 perUnit = FixedPointMathLib.fullMulDiv(proceeds, ONE, inventory.units);
        sums.proceedsPerUnit = (perUnit + sums.proceedsPerUnit).toUint208();
        _gainsPerShare += FixedPointMathLib.fullMulDiv(sums.unitsPerShare, perUnit, ONE);
        inventory.amount -= amount.toUint112();
        if (inventory.amount == 0) _endSeries(id, inventory, sums);
        _sums[id] = sums;
        _storeInventory(id, inventory);
    }

    /// @dev Takes an account's units of a collateral for their part of what is unsold.
    function _takeInKind(address account, uint256 id) internal returns (uint256 amount, uint256 units) {
        Stake storage stake = _stakes[account][id];
        units = stake.units;
        Inventory memory inventory = _inventory[id];
        if (units == 0) return (0, 0);
        amount = _worthInKind(inventory, units);
        stake.units = 0;
        inventory.amount -= amount.toUint112();
        inventory.units -= units.toUint144();
        _storeInventory(id, inventory);
    }

    function _worthInKind(Inventory memory inventory, uint256 units) internal pure returns (uint256) {
        return units == 0 ? 0 : FixedPointMathLib.fullMulDiv(units, inventory.amount, inventory.units);
    }

    function _storeInventory(uint256 id, Inventory memory inventory) private {
        _inventory[id] = inventory;
        emit InventoryUpdated(id, inventory.amount, inventory.units);
    }
}

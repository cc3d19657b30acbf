// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.34;

import {FixedPointMathLib} from "solady/utils/FixedPointMathLib.sol";
import {BreakerLevel} from "../interfaces/ICircuitBreaker.sol";
import {CollateralState, ILendingPool} from "../interfaces/ILendingPool.sol";
import {ILiquidationPolicy, LiquidationGrant, LiquidationRequest, Refusal} from "../interfaces/ILiquidationPolicy.sol";
import {BonusClock, ClockReading, Flag} from "../libraries/BonusClock.sol";
import {LiquidationMath} from "../libraries/LiquidationMath.sol";
import {OracleProbe} from "../libraries/OracleProbe.sol";
import {RotationSeed, Seed} from "../libraries/RotationSeed.sol";
import {TurnMode, TurnSampler} from "../libraries/TurnSampler.sol";
import {Bucket, DepthObservation, VolumeBucket} from "../libraries/VolumeBucket.sol";
import {WAD} from "../types/Constants.sol";
import {DampedParameters} from "./DampedParameters.sol";
import {AccountEpoch, DampedState} from "./DampedState.sol";

/// @title Gradual liquidation: auctioned bonus, target health, volume bucket, turns
/// @notice Below a health factor of 1 and above HF_hard a position is in the damped zone: a second price must confirm, and
/// it takes no more than its slice and the bucket leave; where the policy has them, a pause holds it and its turn must be open. At or below HF_hard
/// nothing dampens it; what remains there is the price (the bonus still rises with time) and the size (to the target health).
/// @dev Parameters are immutable: governance changes them by pointing the pool to another policy. State is kept per calling
/// pool, so a stranger who calls changes only its own.
contract DampedPolicy is DampedState, ILiquidationPolicy {
    using VolumeBucket for Bucket;

    /// @dev One liquidation being decided; what changed is written by `commit`.
    struct Decision {
        LiquidationGrant grant;
        bool hard;
        uint256 zone;
        uint256 bonusCap;
        uint256 bonus;
        uint256 multiplier;
        uint256 targetRepay;
        uint256 limit;
        Refusal limitedBy;
        uint256 epoch;
        Flag flag;
        bool flagChanged;
        Bucket bucket;
        DepthObservation observation;
        bool observed;
        AccountEpoch account;
        bool accountChanged;
    }

    /// @dev `AccountEpoch.gasPaid` of a liquidation whose gas is paid in full.
    uint256 private constant GAS_PARTS = 1e9;

    /// @notice The pool lists no such collateral, or its price is down.
    error NoPrice(address pool, uint256 collateralId);

    constructor(DampedParameters memory p) DampedState(p) {}

    // -- ILiquidationPolicy

    /// @inheritdoc ILiquidationPolicy
    /// @dev The clock of the auction reads the price accumulator, which comes with the confirming price.
    function needsConfirmation() external view returns (bool) {
        return CONFIRMATION || AUCTIONED;
    }

    /// @inheritdoc ILiquidationPolicy
    function quote(address pool, LiquidationRequest calldata request) external view returns (LiquidationGrant memory) {
        return _decide(pool, request).grant;
    }

    /// @inheritdoc ILiquidationPolicy
    /// @dev A refusal records the flag alone, so that a batch which skips the account, or `flag`, starts its clock. A grant
    /// that restores the target sets no flag; one that was set before stays until it expires.
    function commit(LiquidationRequest calldata request) external returns (LiquidationGrant memory) {
        Decision memory d = _decide(msg.sender, request);
        bool granted = d.grant.refusal == Refusal.None;
        if (!granted && (d.grant.refusal == Refusal.Healthy || d.grant.refusal == Refusal.Unconfirmed)) return d.grant;
        if (SEEDED) _advanceSeed(d.epoch);

        if (d.flagChanged && !(granted && d.grant.repay >= d.targetRepay)) {
            _flags[msg.sender][request.account][request.collateralId] = d.flag;
            emit Flagged(msg.sender, request.account, request.collateralId, d.flag.since, d.flag.cumulative);
        }
        if (!granted) return d.grant;
        if (!d.hard && BUCKETED) {
            d.bucket.charge(d.grant.repay);
            _storeBucket(msg.sender, request.collateralId, d.bucket);
            if (d.observed) _storeObservation(msg.sender, request.collateralId, d.observation);
        }
        if (d.accountChanged) {
            AccountEpoch memory a = d.account;
            _accounts[msg.sender][request.account] = a;
            emit AccountEpochUpdated(msg.sender, request.account, a.epoch, a.gasPaid, a.debt, a.used);
        }
        return d.grant;
    }

    // -- depth

    /// @notice Records a reading of the depth for one of `pool`'s buckets, at most once a minute. Anybody may call it: the
    /// average is then fed in calm times too, and does not begin with the first liquidation of a crash. Within the minute a call
    /// can only lower the floor that the last observation showed: it takes back what did not last.
    /// @dev Reads total and oracle from `pool`; whatever a hostile pool answers concerns only itself.
    function recordDepth(address pool, uint256 collateralId) external {
        Bucket memory bucket = _buckets[pool][collateralId];
        DepthObservation memory seen = _observations[pool][collateralId];
        CollateralState memory state = ILendingPool(pool).collateralState(collateralId);
        uint256 price = OracleProbe.fastPriceOrZero(state.oracle);
        if (price == 0) revert NoPrice(pool, collateralId);
        if (bucket.isDue(seen)) {
            seen = _observe(bucket, seen, state.oracle, state.total, price);
            _storeBucket(pool, collateralId, bucket);
        } else {
            uint256 floor = _depthFloor(state.total, price);
            if (floor >= seen.floor) return;
            // forge-lint: disable-next-line(unsafe-typecast)
            seen.floor = uint104(floor);
        }
        _storeObservation(pool, collateralId, seen);
    }

    // -- views

    /// @notice An account's draw in the epoch of `timestamp`: its turn is open iff the draw is below `turnProbability`. In
    /// another rotation than the present one a seeded draw is not known yet and reads 0.
    function turnOf(address pool, address account, uint256 timestamp) external view returns (uint256 draw) {
        return _draw(pool, account, timestamp / EPOCH_SECONDS);
    }

    /// @notice p for a bucket's fullness and a depth of distress z, WAD.
    function turnProbability(uint256 fullness, uint256 zone) external view returns (uint256) {
        return TurnSampler.probabilityDown(fullness, FixedPointMathLib.min(zone, WAD), TURN_FLOOR);
    }

    /// @notice The auction's bonus after `elapsed` seconds, WAD, before gas, fullness and the cap by collateral.
    function bonusAfter(uint256 elapsed, uint256 maxBonus) external view returns (uint256) {
        return _auctionBonus(elapsed, FixedPointMathLib.min(BONUS_MAX, maxBonus));
    }

    // -- the decision

    function _decide(address pool, LiquidationRequest calldata request) private view returns (Decision memory d) {
        if (request.healthFast >= WAD) return _refuse(d, Refusal.Healthy);
        d.hard = request.healthFast <= request.healthHard;
        if (!d.hard && CONFIRMATION && request.healthConfirmed >= WAD) return _refuse(d, Refusal.Unconfirmed);

        d.epoch = block.timestamp / EPOCH_SECONDS;
        d.zone = LiquidationMath.zoneDepthDown(request.healthFast, request.healthHard);
        d.limit = request.asked;
        d.limitedBy = Refusal.ZeroAmount;
        _startBonus(pool, request, d);
        if (request.asked == 0) return _refuse(d, Refusal.ZeroAmount);
        if (!d.hard) {
            Refusal refusal = _dampen(pool, request, d);
            if (refusal != Refusal.None) return _refuse(d, refusal);
        }
        _size(request, d);
        if (d.grant.refusal != Refusal.None) return d;
        _addGasBonus(pool, request, d);
        if (!d.hard && SLICED) _chargeSlice(d);
    }

    function _refuse(Decision memory d, Refusal refusal) private pure returns (Decision memory) {
        d.grant = LiquidationGrant(0, 0, 0, refusal);
        return d;
    }

    /// @dev b by time or by health, and the flag that the time is counted from.
    function _startBonus(address pool, LiquidationRequest calldata request, Decision memory d) private view {
        d.bonusCap = FixedPointMathLib.min(BONUS_MAX, request.maxBonus);
        if (!AUCTIONED) {
            d.bonus = LiquidationMath.interpolateDown(BONUS_MIN, d.bonusCap, d.zone);
            return;
        }
        ClockReading memory clock = BonusClock.read(
            BonusClock.load(_flags[pool][request.account][request.collateralId]),
            request.healthFast,
            request.price,
            request.priceCumulative,
            AUCTION_SECONDS
        );
        (d.flag, d.flagChanged) = (clock.flag, clock.changed);
        d.bonus = _auctionBonus(clock.elapsed, d.bonusCap);
    }

    function _auctionBonus(uint256 elapsed, uint256 cap) private view returns (uint256) {
        return
            LiquidationMath.interpolateDown(BONUS_MIN, cap, FixedPointMathLib.min(WAD, elapsed * WAD / AUCTION_SECONDS));
    }

    /// @dev Everything that holds back the damped zone: breaker, turn, slice and bucket, in this order.
    function _dampen(address pool, LiquidationRequest calldata request, Decision memory d)
        private
        view
        returns (Refusal)
    {
        if (OBEYS_PAUSE && request.breaker >= BreakerLevel.Paused) return Refusal.Paused;

        uint256 fullness;
        if (BUCKETED) {
            d.bucket.load(_buckets[pool][request.collateralId]);
            _advance(pool, request, d);
            fullness = d.bucket.fullnessDown();
        }
        uint256 probability = TurnSampler.probabilityDown(fullness, d.zone, TURN_FLOOR);
        if (_draw(pool, request.account, d.epoch) >= probability) return Refusal.Turn;
        uint256 scale = WAD;
        if (SCALED) {
            scale = FixedPointMathLib.max(fullness, SCALING_FLOOR);
            if (d.bonus > BONUS_MIN) d.bonus = BONUS_MIN + (d.bonus - BONUS_MIN) * scale / WAD;
        }
        if (SLICED) _limitTo(d, _openSlice(pool, request, d, scale), Refusal.Slice);
        if (BUCKETED && !SCALED) _limitTo(d, d.bucket.availableDown(RESERVE_SHARE), Refusal.Bucket);
        return d.limit == 0 ? d.limitedBy : Refusal.None;
    }

    function _limitTo(Decision memory d, uint256 limit, Refusal limitedBy) private pure {
        if (limit >= d.limit) return;
        d.limit = limit;
        d.limitedBy = limitedBy;
    }

    /// @dev What is left of the account's slice (s0 + (1 - s0) z) `scale` of its debt as the epoch found it, rounded down.
    function _openSlice(address pool, LiquidationRequest calldata request, Decision memory d, uint256 scale)
        private
        view
        returns (uint256)
    {
        _loadAccount(pool, request.account, d);
        if (d.account.debt == 0) {
            // forge-lint: disable-next-line(unsafe-typecast)
            d.account.debt = uint128(FixedPointMathLib.min(request.debt, type(uint128).max));
        }
        uint256 share = (SLICE_BASE + (WAD - SLICE_BASE) * d.zone / WAD) * scale / WAD;
        return d.account.debt * FixedPointMathLib.zeroFloorSub(share, d.account.used) / WAD;
    }

    function _loadAccount(address pool, address account, Decision memory d) private view {
        d.account = _accounts[pool][account];
        if (d.account.epoch != uint32(d.epoch)) d.account = AccountEpoch(uint32(d.epoch), 0, 0, 0);
    }

    function _chargeSlice(Decision memory d) private pure {
        uint256 used = d.account.used + FixedPointMathLib.fullMulDivUp(d.grant.repay, WAD, d.account.debt);
        // forge-lint: disable-next-line(unsafe-typecast)
        d.account.used = uint64(FixedPointMathLib.min(used, type(uint64).max));
        d.accountChanged = true;
    }

    /// @dev Repayment and seizure at `d.bonus`.
    function _size(LiquidationRequest calldata request, Decision memory d) private view {
        d.multiplier = LiquidationMath.bonusMultiplierDown(d.bonus, request.collateralValue, request.debt);
        // Selling value B raises N / D iff B LT < HF. HF_hard implies it for every listed collateral; a pool that listed
        // otherwise is refused what would make the position worse.
        if (
            !d.hard
                && FixedPointMathLib.fullMulDivUp(d.multiplier, request.liquidationThreshold, WAD) >= request.healthFast
        ) {
            _refuse(d, Refusal.WrongCollateral);
            return;
        }
        d.targetRepay = LiquidationMath.targetRepayUp(
            request.debt, request.healthFast, TARGET_HEALTH, d.multiplier, request.liquidationThreshold
        );
        uint256 repay = LiquidationMath.withoutDustLeft(
            FixedPointMathLib.min(d.limit, d.targetRepay), request.debt, request.minDebt, d.hard
        );
        uint256 seize;
        (repay, seize) = LiquidationMath.seizeDown(repay, d.multiplier, request.price, request.collateral);
        if (seize == 0) {
            _refuse(d, Refusal.ZeroAmount);
            return;
        }
        d.grant = LiquidationGrant(repay, seize, d.multiplier - WAD, Refusal.None);
    }

    /// @dev b' = min(bmax, b + gas * basefee * P_native / x), with x as sized at b, and sized again at b'. All the calls of an
    /// account and epoch together are paid one liquidation's gas: each takes of it what bmax leaves room for, and what it
    /// did not use up is left to the next. So a tiny call does not spoil the rest, and splitting one gains nothing, except where all
    /// the collateral is taken: two calls then keep up to bmax of one liquidation's gas more, and cost a liquidation's gas more.
    function _addGasBonus(address pool, LiquidationRequest calldata request, Decision memory d) private view {
        if (LIQUIDATION_GAS == 0 || request.breaker == BreakerLevel.Normal || d.bonus >= d.bonusCap) return;
        if (!SLICED || d.hard) _loadAccount(pool, request.account, d);
        if (d.account.gasPaid == GAS_PARTS) return;

        // held to what cannot overflow: no reading of this oracle may stop a liquidation
        uint256 cost = FixedPointMathLib.min(block.basefee, type(uint64).max) * LIQUIDATION_GAS;
        uint256 price = FixedPointMathLib.min(OracleProbe.fastPriceOrZero(NATIVE_ORACLE), type(uint240).max);
        cost = LiquidationMath.valueDown(cost, price);
        uint256 unpaid = cost * (GAS_PARTS - d.account.gasPaid) / GAS_PARTS;
        uint256 room = d.bonusCap - d.bonus;
        // unpaid / x >= room, without dividing a cost that dwarfs x
        uint256 extra = unpaid >= FixedPointMathLib.fullMulDivUp(d.grant.repay, room, WAD)
            ? room
            : FixedPointMathLib.fullMulDiv(unpaid, WAD, d.grant.repay);
        if (extra == 0) return;
        uint256 multiplier = d.multiplier;
        d.bonus += extra;
        _size(request, d);

        // what the cap by solvency took away was not paid
        uint256 paid = FixedPointMathLib.fullMulDivUp(d.grant.repay, d.multiplier - multiplier, WAD);
        uint256 parts = paid >= unpaid
            ? GAS_PARTS
            : FixedPointMathLib.min(
                d.account.gasPaid + FixedPointMathLib.fullMulDivUp(paid, GAS_PARTS, cost), GAS_PARTS
            );
        // forge-lint: disable-next-line(unsafe-typecast)
        d.account.gasPaid = uint32(parts);
        d.accountChanged = true;
    }

    // -- turns

    /// @dev Without turns or without a seed every turn is open: the draw is 0, and no probability is.
    function _draw(address pool, address account, uint256 epoch) private view returns (uint256) {
        if (TURN_MODE == TurnMode.Systematic) return TurnSampler.systematicDraw(pool, account, epoch, 0);
        if (TURN_MODE == TurnMode.Off) return 0;
        if (TURN_MODE == TurnMode.Bernoulli) return TurnSampler.bernoulliDraw(pool, account, epoch);
        uint256 seed = RotationSeed.current(_seeds[pool], epoch / TurnSampler.ROTATION);
        return seed == 0 ? 0 : TurnSampler.systematicDraw(pool, account, epoch, seed);
    }

    function _advanceSeed(uint256 epoch) private {
        (Seed memory next, bool changed) = RotationSeed.advance(_seeds[msg.sender], epoch / TurnSampler.ROTATION);
        if (!changed) return;
        _seeds[msg.sender] = next;
        emit SeedUpdated(msg.sender, next.rotation, next.anchor, next.seed);
    }

    // -- bucket

    function _advance(address pool, LiquidationRequest calldata request, Decision memory d) private view {
        if (d.bucket.mayObserve()) {
            DepthObservation memory previous = _observations[pool][request.collateralId];
            if (d.bucket.isDue(previous)) {
                d.observation = _observe(d.bucket, previous, request.oracle, request.totalCollateral, request.price);
                d.observed = true;
                return;
            }
        }
        d.bucket.refill(REFILL_SHARE);
    }

    function _observe(
        Bucket memory bucket,
        DepthObservation memory previous,
        address oracle,
        uint256 totalCollateral,
        uint256 price
    ) private view returns (DepthObservation memory) {
        return bucket.observe(
            previous,
            OracleProbe.depthOrZero(oracle),
            _depthFloor(totalCollateral, price),
            REFILL_SHARE,
            DEPTH_MEMORY_SECONDS
        );
    }

    function _depthFloor(uint256 totalCollateral, uint256 price) private view returns (uint256) {
        return
            VolumeBucket.depthFloor(LiquidationMath.valueDown(totalCollateral, price), REFILL_SHARE, MIN_REFILL_SECONDS);
    }

    function _storeBucket(address pool, uint256 collateralId, Bucket memory bucket) private {
        bucket.store(_buckets[pool][collateralId]);
        emit BucketUpdated(pool, collateralId, bucket.level, bucket.depth);
    }

    function _storeObservation(address pool, uint256 collateralId, DepthObservation memory seen) private {
        _observations[pool][collateralId] = seen;
        emit DepthObserved(pool, collateralId, seen.at, seen.opening, seen.floor, seen.reading);
    }
}

// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {Flag} from "../libraries/BonusClock.sol";
import {Seed} from "../libraries/RotationSeed.sol";
import {TurnMode} from "../libraries/TurnSampler.sol";
import {Bucket, BucketMode, DepthObservation, VolumeBucket} from "../libraries/VolumeBucket.sol";
import {WAD} from "../types/Constants.sol";
import {BonusMode, DampedParameters, DampedParametersLib} from "./DampedParameters.sol";

/// @notice What an account used of an epoch: one slot, touched only by slices and by the gas bonus.
/// @param epoch The epoch that all the rest belongs to.
/// @param gasPaid The share of the gas of one liquidation that bonuses have paid in it, in parts of 1e9, rounded up.
/// @param debt D at the account's first sliced liquidation of that epoch, base units, held to 2^128 - 1; 0 before.
/// @param used What was repaid of it since, WAD, rounded up.
struct AccountEpoch {
    uint32 epoch;
    uint32 gasPaid;
    uint128 debt;
    uint64 used;
}

/// @title What a damped policy knows
/// @notice Its parameters, immutable; its state, kept per calling pool; the events that say every post-state, and the views.
abstract contract DampedState {
    using VolumeBucket for Bucket;

    bool internal immutable CONFIRMATION;
    bool internal immutable OBEYS_PAUSE;
    BonusMode internal immutable BONUS_MODE;
    uint256 internal immutable BONUS_MIN;
    uint256 internal immutable BONUS_MAX;
    uint256 internal immutable AUCTION_SECONDS;
    uint256 internal immutable TARGET_HEALTH;
    uint256 internal immutable SLICE_BASE;
    TurnMode internal immutable TURN_MODE;
    uint256 internal immutable TURN_FLOOR;
    uint256 internal immutable EPOCH_SECONDS;
    BucketMode internal immutable BUCKET_MODE;
    uint256 internal immutable REFILL_SHARE;
    uint256 internal immutable RESERVE_SHARE;
    uint256 internal immutable SCALING_FLOOR;
    uint256 internal immutable MIN_REFILL_SECONDS;
    uint256 internal immutable DEPTH_MEMORY_SECONDS;
    uint256 internal immutable LIQUIDATION_GAS;
    address internal immutable NATIVE_ORACLE;
    /// @dev Whether an account's epoch is tracked: slices below 100%, or slices that the bucket scales.
    bool internal immutable SLICED;
    /// @dev What is asked of the modes above in every call, answered once: a comparison of enums checks their range.
    bool internal immutable AUCTIONED;
    bool internal immutable SEEDED;
    bool internal immutable BUCKETED;
    bool internal immutable SCALED;

    mapping(address pool => mapping(address account => mapping(uint256 collateralId => Flag))) internal _flags;
    mapping(address pool => mapping(uint256 collateralId => Bucket)) internal _buckets;
    mapping(address pool => mapping(uint256 collateralId => DepthObservation)) internal _observations;
    mapping(address pool => mapping(address account => AccountEpoch)) internal _accounts;
    mapping(address pool => Seed) internal _seeds;

    /// @notice An account's bonus auction began, began anew, or was moved up; see `BonusClock`.
    /// @param cumulative The price accumulator at `since`, without its 40 low bits.
    event Flagged(
        address indexed pool, address indexed account, uint256 indexed collateralId, uint256 since, uint256 cumulative
    );
    /// @notice A bucket after a call, at `block.timestamp`.
    event BucketUpdated(address indexed pool, uint256 indexed collateralId, uint256 level, uint256 depth);
    /// @notice What a bucket last saw of its market, after a call; see `DepthObservation`.
    event DepthObserved(
        address indexed pool, uint256 indexed collateralId, uint256 at, bool opening, uint256 floor, uint256 reading
    );
    /// @notice An account's epoch after a call; see `AccountEpoch`.
    event AccountEpochUpdated(
        address indexed pool, address indexed account, uint256 epoch, uint256 gasPaid, uint256 debt, uint256 used
    );
    /// @notice A rotation's anchor was named (`seed` = 0) or its seed stored; see `RotationSeed`.
    event SeedUpdated(address indexed pool, uint256 rotation, uint256 anchor, uint256 seed);

    constructor(DampedParameters memory p) {
        DampedParametersLib.validate(p);
        CONFIRMATION = p.confirmation;
        OBEYS_PAUSE = p.obeysPause;
        BONUS_MODE = p.bonusMode;
        BONUS_MIN = p.bonusMin;
        BONUS_MAX = p.bonusMax;
        AUCTION_SECONDS = p.auctionSeconds;
        TARGET_HEALTH = p.targetHealth;
        SLICE_BASE = p.sliceBase;
        TURN_MODE = p.turnMode;
        TURN_FLOOR = p.turnFloor;
        EPOCH_SECONDS = p.epochSeconds;
        BUCKET_MODE = p.bucketMode;
        REFILL_SHARE = p.refillShare;
        RESERVE_SHARE = p.reserveShare;
        SCALING_FLOOR = p.scalingFloor;
        MIN_REFILL_SECONDS = p.minRefillSeconds;
        DEPTH_MEMORY_SECONDS = p.depthMemorySeconds;
        LIQUIDATION_GAS = p.liquidationGas;
        NATIVE_ORACLE = p.nativeOracle;
        SLICED = p.sliceBase < WAD || p.bucketMode == BucketMode.Scaling;
        AUCTIONED = p.bonusMode == BonusMode.Time;
        SEEDED = p.turnMode == TurnMode.Seeded;
        BUCKETED = p.bucketMode != BucketMode.Off;
        SCALED = p.bucketMode == BucketMode.Scaling;
    }

    // -- views

    /// @notice The parameters of this policy.
    function parameters() external view returns (DampedParameters memory) {
        return DampedParameters({
            confirmation: CONFIRMATION,
            obeysPause: OBEYS_PAUSE,
            bonusMode: BONUS_MODE,
            bonusMin: BONUS_MIN,
            bonusMax: BONUS_MAX,
            auctionSeconds: AUCTION_SECONDS,
            targetHealth: TARGET_HEALTH,
            sliceBase: SLICE_BASE,
            turnMode: TURN_MODE,
            turnFloor: TURN_FLOOR,
            epochSeconds: EPOCH_SECONDS,
            bucketMode: BUCKET_MODE,
            refillShare: REFILL_SHARE,
            reserveShare: RESERVE_SHARE,
            scalingFloor: SCALING_FLOOR,
            minRefillSeconds: MIN_REFILL_SECONDS,
            depthMemorySeconds: DEPTH_MEMORY_SECONDS,
            liquidationGas: LIQUIDATION_GAS,
            nativeOracle: NATIVE_ORACLE
        });
    }

    /// @notice A bucket refilled to now at the stored depth; a new reading may move it. All 0 before its first use, when it
    /// starts full.
    /// @return level Base units of the debt token.
    /// @return cap Base units of the debt token.
    /// @return refillRateWad Base units of the debt token per second, WAD-scaled.
    function bucketOf(address pool, uint256 collateralId)
        external
        view
        returns (uint256 level, uint256 cap, uint256 refillRateWad)
    {
        Bucket memory bucket = _buckets[pool][collateralId];
        cap = bucket.capOf();
        refillRateWad = bucket.refillRateWad(REFILL_SHARE);
        level = bucket.levelDown(REFILL_SHARE);
    }

    /// @notice A bucket as stored.
    function storedBucket(address pool, uint256 collateralId) external view returns (Bucket memory) {
        return _buckets[pool][collateralId];
    }

    /// @notice A bucket's last observation; `at` is 0 if there is none.
    function observationOf(address pool, uint256 collateralId) external view returns (DepthObservation memory) {
        return _observations[pool][collateralId];
    }

    /// @notice Where the bonus auction of `account` for a collateral is counted from; `since` is 0 if it never began.
    function flagOf(address pool, address account, uint256 collateralId) external view returns (Flag memory) {
        return _flags[pool][account][collateralId];
    }

    /// @notice What an account used of an epoch.
    function accountEpochOf(address pool, address account) external view returns (AccountEpoch memory) {
        return _accounts[pool][account];
    }

    /// @notice The seed record of a pool's current or last rotation.
    function seedOf(address pool) external view returns (Seed memory) {
        return _seeds[pool];
    }
}

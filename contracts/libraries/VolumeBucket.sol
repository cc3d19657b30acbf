// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {FixedPointMathLib} from "solady/utils/FixedPointMathLib.sol";
import {WAD} from "../types/Constants.sol";

/// @notice What a bucket does to damped liquidations.
/// - `Off`: nothing.
/// - `HardStop`: a call takes at most what is above the reserve.
/// - `Scaling`: its fullness scales the slice and the bonus, down to a floor; it never stops a call.
enum BucketMode {
    Off,
    HardStop,
    Scaling
}

/// @notice One collateral's bucket: one slot.
/// @param updatedAt Seconds, modulo 2^32, of the last update.
/// @param level Volume that may be sold, base units of the debt token.
/// @param depth The average depth that sets cap and refill until the next update; 0 before the first.
struct Bucket {
    uint32 updatedAt;
    uint112 level;
    uint112 depth;
}

/// @notice What was last seen of a bucket's market: one slot, written at most once a minute.
/// @param at Seconds, modulo 2^32, of the observation.
/// @param opening Whether it is the bucket's first, which nothing confirms yet.
/// @param floor `depthFloor` then, or the least of it that anybody has shown since.
/// @param reading The venue's depth then.
struct DepthObservation {
    uint32 at;
    bool opening;
    uint104 floor;
    uint104 reading;
}

/// @title How much collateral may be sold how fast
/// @notice A linear bucket: cap = 2 depth, refill = rho depth per minute, with depth the value that a venue takes within 2%
/// of its price. The least refill, C / T for a collateral of value C (T = 4 hours), is a floor of the depth itself:
/// rho depth / 60 s >= C / T iff depth >= C 60 s / (rho T), which also gives a cap where no venue answers (C / 30 at the
/// defaults).
/// @dev Depth is a moving average of readings at least a minute apart. Both the venue's depth and the floor count only as far as
/// the observation before showed them too: what stands for one transaction, such as collateral borrowed for it or supplied
/// in a callback of itself, never counts. A reading weighs by the seconds passed, at most a quarter; it is held between the floor
/// and `MAX_FLOORS` floors, and to `MAX_RISE` averages. Between two updates the bucket refills at the rate that the earlier one
/// stored. The first observation of all opens the bucket and stands alone; the second puts in its place what both agree on.
/// Depth saturates at 2^104 - 1 base units, and the level at twice that.
library VolumeBucket {
    /// @dev Seconds in which `refillShare` of the depth is refilled, and the shortest time between two readings.
    uint256 internal constant WINDOW = 60;

    /// @dev cap = 2 depth.
    uint256 internal constant CAP_DEPTHS = 2;

    /// @dev The most floors that a reading may claim: at the defaults a depth of 27% of all the collateral.
    uint256 internal constant MAX_FLOORS = 16;

    /// @dev The most averages that a reading may claim. Whoever inflates two observations in a row, in two transactions, moves
    /// the average by a quarter if they are a minute apart; growth up to sixteenfold is not slowed by it.
    uint256 internal constant MAX_RISE = 16;

    /// @dev One reading weighs at most a quarter.
    uint256 internal constant MAX_WEIGHT_DIVISOR = 4;

    uint256 private constant MAX_DEPTH = type(uint104).max;

    /// @notice The least depth assumed: C WINDOW / (rho T), rounded down, at least 1.
    function depthFloor(uint256 collateralValue, uint256 refillShare, uint256 minRefillPeriod)
        internal
        pure
        returns (uint256 floor)
    {
        // dividing twice keeps a value near 2^256 from overflowing
        floor = FixedPointMathLib.fullMulDiv(collateralValue / minRefillPeriod, WINDOW * WAD, refillShare);
        if (floor == 0) floor = 1;
    }

    /// @notice Reads a bucket: one load, where the compiler makes one a field.
    function load(Bucket memory bucket, Bucket storage stored) internal view {
        uint256 word;
        assembly ("memory-safe") {
            word := sload(stored.slot)
        }
        bucket.updatedAt = uint32(word);
        bucket.level = uint112(word >> 32);
        bucket.depth = uint112(word >> 144);
    }

    /// @notice Writes a bucket, likewise.
    function store(Bucket memory bucket, Bucket storage stored) internal {
        uint256 word = uint256(bucket.updatedAt) | uint256(bucket.level) << 32 | uint256(bucket.depth) << 144;
        assembly ("memory-safe") {
            sstore(stored.slot, word)
        }
    }

    function capOf(Bucket memory bucket) internal pure returns (uint256) {
        unchecked {
            return uint256(bucket.depth) * CAP_DEPTHS;
        }
    }

    /// @notice Level over cap, WAD, rounded down.
    function fullnessDown(Bucket memory bucket) internal pure returns (uint256) {
        uint256 cap = capOf(bucket);
        unchecked {
            // At most 2^112 * 1e18.
            return cap == 0 ? 0 : bucket.level * WAD / cap;
        }
    }

    /// @notice What a damped call may take: the level above `reserveShare` of the cap, which is rounded up.
    function availableDown(Bucket memory bucket, uint256 reserveShare) internal pure returns (uint256) {
        return
            FixedPointMathLib.zeroFloorSub(
                bucket.level, FixedPointMathLib.fullMulDivUp(capOf(bucket), reserveShare, WAD)
            );
    }

    /// @notice Refill per second, WAD-scaled base units of the debt token.
    function refillRateWad(Bucket memory bucket, uint256 refillShare) internal pure returns (uint256) {
        return bucket.depth * refillShare / WINDOW;
    }

    /// @notice The level now, refilled at the stored rate.
    function levelDown(Bucket memory bucket, uint256 refillShare) internal view returns (uint256) {
        unchecked {
            // A rate is below 2^171, a time below 2^32: a share is at most ten.
            uint256 added = refillRateWad(bucket, refillShare) * _since(bucket.updatedAt) / WAD;
            return FixedPointMathLib.min(bucket.level + added, capOf(bucket));
        }
    }

    /// @notice Whether the bucket's observation is worth loading: the bucket is new, or a minute has turned since its last update.
    function mayObserve(Bucket memory bucket) internal view returns (bool) {
        return bucket.depth == 0 || bucket.updatedAt % WINDOW + _since(bucket.updatedAt) >= WINDOW;
    }

    /// @notice Whether `observe` may follow `previous`: the bucket is new, or a minute has passed.
    function isDue(Bucket memory bucket, DepthObservation memory previous) internal view returns (bool) {
        return bucket.depth == 0 || _since(previous.at) >= WINDOW;
    }

    /// @notice Brings the level to now.
    function refill(Bucket memory bucket, uint256 refillShare) internal view {
        // forge-lint: disable-next-line(unsafe-typecast)
        bucket.level = uint112(levelDown(bucket, refillShare));
        // forge-lint: disable-next-line(unsafe-typecast)
        bucket.updatedAt = uint32(block.timestamp);
    }

    /// @notice Brings the bucket to now: refill at the stored rate, then the average depth, then the cap. Call it only if
    /// `isDue`.
    /// @param previous The bucket's last observation; empty for a new one.
    /// @param reading The venue's depth now.
    /// @param floor `depthFloor` now.
    /// @param memorySeconds The averaging time of depth.
    /// @return present The observation to store.
    function observe(
        Bucket memory bucket,
        DepthObservation memory previous,
        uint256 reading,
        uint256 floor,
        uint256 refillShare,
        uint256 memorySeconds
    ) internal view returns (DepthObservation memory present) {
        // forge-lint: disable-next-item(unsafe-typecast)
        present = DepthObservation({
            at: uint32(block.timestamp),
            opening: bucket.depth == 0,
            floor: uint104(FixedPointMathLib.min(floor, MAX_DEPTH)),
            reading: uint104(FixedPointMathLib.min(reading, MAX_DEPTH))
        });
        if (present.opening) {
            // a new bucket is full
            bucket.depth = _toDepth(_held(present.reading, present.floor));
            // forge-lint: disable-next-line(unsafe-typecast)
            bucket.level = uint112(capOf(bucket));
            bucket.updatedAt = present.at;
            return present;
        }
        refill(bucket, refillShare);
        uint256 counted = _held(
            FixedPointMathLib.min(present.reading, previous.reading),
            FixedPointMathLib.min(present.floor, previous.floor)
        );
        if (previous.opening) {
            // the fullness is kept, so that neither direction of the correction stops or opens anything
            // forge-lint: disable-next-line(unsafe-typecast)
            bucket.level = uint112(bucket.level * counted / bucket.depth);
            bucket.depth = _toDepth(counted);
            return present;
        }
        counted = FixedPointMathLib.min(counted, bucket.depth * MAX_RISE);
        uint256 weight = FixedPointMathLib.min(_since(previous.at), memorySeconds / MAX_WEIGHT_DIVISOR);
        bucket.depth = _toDepth(_averaged(bucket.depth, counted, weight, memorySeconds));
        // forge-lint: disable-next-line(unsafe-typecast)
        bucket.level = uint112(FixedPointMathLib.min(bucket.level, capOf(bucket)));
    }

    /// @notice Takes what a liquidation repaid; the level never goes below 0.
    function charge(Bucket memory bucket, uint256 repaid) internal pure {
        // forge-lint: disable-next-line(unsafe-typecast)
        bucket.level = uint112(FixedPointMathLib.zeroFloorSub(bucket.level, repaid));
    }

    /// @dev Rounded up, so that an average of a few units can still rise.
    function _averaged(uint256 depth, uint256 reading, uint256 weight, uint256 memorySeconds)
        private
        pure
        returns (uint256)
    {
        return (depth * (memorySeconds - weight) + reading * weight + memorySeconds - 1) / memorySeconds;
    }

    /// @dev Held between one floor and `MAX_FLOORS`, and to what can be stored.
    function _held(uint256 reading, uint256 floor) private pure returns (uint256) {
        return FixedPointMathLib.min(FixedPointMathLib.clamp(reading, floor, floor * MAX_FLOORS), MAX_DEPTH);
    }

    function _toDepth(uint256 depth) private pure returns (uint112) {
        // forge-lint: disable-next-line(unsafe-typecast)
        return uint112(FixedPointMathLib.max(depth, 1));
    }

    function _since(uint32 time) private view returns (uint256) {
        unchecked {
            // forge-lint: disable-next-line(unsafe-typecast)
            return uint32(block.timestamp) - time;
        }
    }
}

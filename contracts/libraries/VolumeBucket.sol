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

/// @title How much collateral may be sold how fast
/// @notice A linear bucket: cap = 2 depth, refill = rho depth per minute, with depth the value that a venue takes within 2%
/// of its price. The least refill, C / T for a collateral of value C (T = 4 hours), is a floor of the depth itself:
/// rho depth / 60 s >= C / T iff depth >= C 60 s / (rho T), which also gives a cap where no venue answers (C / 60 at the
/// defaults).
/// @dev Depth is a moving average of readings. A reading weighs by the whole minutes passed since the last, at most a quarter,
/// and is held between the floor and `MAX_FLOORS` floors: no single reading owns the average, none counts twice in a
/// minute, and what passes between two updates is refilled at the rate that the earlier one stored. So neither liquidity nor
/// collateral that is borrowed for a transaction, nor a lying venue, can fill a bucket at once.
/// Level and depth saturate at 2^111 base units.
library VolumeBucket {
    /// @dev Seconds in which `refillShare` of the depth is refilled, and the shortest time between two readings.
    uint256 internal constant WINDOW = 60;

    /// @dev cap = 2 depth.
    uint256 internal constant CAP_DEPTHS = 2;

    /// @dev The most floors that a reading may claim: at the defaults a depth of 13% of all the collateral.
    uint256 internal constant MAX_FLOORS = 16;

    /// @dev One reading weighs at most a quarter.
    uint256 internal constant MAX_WEIGHT_DIVISOR = 4;

    uint256 private constant MAX_DEPTH = type(uint112).max / CAP_DEPTHS;

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

    function capOf(Bucket memory bucket) internal pure returns (uint256) {
        return bucket.depth * CAP_DEPTHS;
    }

    /// @notice Level over cap, WAD, rounded down.
    function fullnessDown(Bucket memory bucket) internal pure returns (uint256) {
        uint256 cap = capOf(bucket);
        return cap == 0 ? 0 : bucket.level * WAD / cap;
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
        uint256 refill = refillRateWad(bucket, refillShare) * _elapsed(bucket) / WAD;
        return FixedPointMathLib.min(bucket.level + refill, capOf(bucket));
    }

    /// @notice Whether `advance` would use a reading: the bucket is new, or a minute has passed since the last.
    function wantsReading(Bucket memory bucket) internal view returns (bool) {
        return bucket.depth == 0 || _minutesSince(bucket, _elapsed(bucket)) != 0;
    }

    /// @notice Brings the bucket to now: refill at the stored rate, then the average depth, then the cap.
    /// @param reading The venue's depth now; used only if `wantsReading`.
    /// @param floor `depthFloor` now.
    /// @param memorySeconds The averaging time of depth.
    function advance(Bucket memory bucket, uint256 reading, uint256 floor, uint256 refillShare, uint256 memorySeconds)
        internal
        view
    {
        // forge-lint: disable-next-line(unsafe-typecast)
        uint32 timestamp = uint32(block.timestamp);
        if (bucket.depth == 0) {
            // a new bucket is full
            bucket.depth = _toDepth(_heldReading(reading, floor));
            // forge-lint: disable-next-line(unsafe-typecast)
            bucket.level = uint112(capOf(bucket));
            bucket.updatedAt = timestamp;
            return;
        }
        uint256 elapsed = _elapsed(bucket);
        if (elapsed == 0) return;
        uint256 level = levelDown(bucket, refillShare);

        uint256 minutesPassed = _minutesSince(bucket, elapsed);
        if (minutesPassed != 0) {
            uint256 weight = FixedPointMathLib.min(minutesPassed * WINDOW, memorySeconds / MAX_WEIGHT_DIVISOR);
            bucket.depth = _toDepth(_averaged(bucket.depth, _heldReading(reading, floor), weight, memorySeconds));
        }
        // forge-lint: disable-next-line(unsafe-typecast)
        bucket.level = uint112(FixedPointMathLib.min(level, capOf(bucket)));
        bucket.updatedAt = timestamp;
    }

    /// @notice Takes what a liquidation repaid; the level never goes below 0.
    function charge(Bucket memory bucket, uint256 repaid) internal pure {
        // forge-lint: disable-next-line(unsafe-typecast)
        bucket.level = uint112(FixedPointMathLib.zeroFloorSub(bucket.level, repaid));
    }

    function _averaged(uint256 depth, uint256 reading, uint256 weight, uint256 memorySeconds)
        private
        pure
        returns (uint256)
    {
        return (depth * (memorySeconds - weight) + reading * weight) / memorySeconds;
    }

    /// @dev Held between one floor and `MAX_FLOORS`, and to what can be stored.
    function _heldReading(uint256 reading, uint256 floor) private pure returns (uint256) {
        floor = FixedPointMathLib.min(floor, MAX_DEPTH);
        return FixedPointMathLib.min(FixedPointMathLib.clamp(reading, floor, floor * MAX_FLOORS), MAX_DEPTH);
    }

    function _toDepth(uint256 depth) private pure returns (uint112) {
        // forge-lint: disable-next-line(unsafe-typecast)
        return uint112(FixedPointMathLib.max(depth, 1));
    }

    function _elapsed(Bucket memory bucket) private view returns (uint256) {
        unchecked {
            // forge-lint: disable-next-line(unsafe-typecast)
            return uint32(block.timestamp) - bucket.updatedAt;
        }
    }

    /// @dev Boundaries of whole minutes crossed, so that frequent updates lose no weight.
    function _minutesSince(Bucket memory bucket, uint256 elapsed) private pure returns (uint256) {
        return (bucket.updatedAt % WINDOW + elapsed) / WINDOW;
    }
}

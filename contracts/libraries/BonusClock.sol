// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {FixedPointMathLib} from "solady/utils/FixedPointMathLib.sol";
import {WAD} from "../types/Constants.sol";

/// @notice Where an account's bonus auction is counted from: one slot.
/// @param since Seconds; 0 if it never began.
/// @param cumulative The price accumulator at that time, without its 40 low bits.
struct Flag {
    uint40 since;
    uint216 cumulative;
}

/// @notice What a clock says.
/// @param elapsed The seconds that count.
/// @param flag What to store.
/// @param changed Whether that differs from what is stored: the clock begins, begins anew, or was moved up.
struct ClockReading {
    uint256 elapsed;
    Flag flag;
    bool changed;
}

/// @title The clock of the bonus auction
/// @notice Time counts only if the position, as it is now, would have been unhealthy at the average price since the flag.
/// So a flag set in a dip does not age while the price is back up, and a position that was lifted to its target starts
/// anew; neither needs anybody to act. Otherwise the clock restarts.
/// A flag says nothing of debt that was repaid and taken again since. Therefore it expires `EXPIRY` auctions after it was set or
/// last moved up; a call that finds it older than `RENEWAL` auctions and unhealthy moves it up to one auction ago, at the
/// average price. The bonus stays at its maximum, and the average is one over the recent past.
/// @dev The health factor at the average price is HF_F scaled by average / F of the seized collateral: exact for an account with
/// one collateral; with several it treats the others as if they had moved in proportion, so a flag on one whose price stood still
/// ages while another's recovers. Dropping 40 bits of the accumulator
/// moves the average by less than 2^41 / seconds units of 1e-36, moving a flag up by as much again, and the differences stay
/// right when the accumulator wraps.
library BonusClock {
    uint256 private constant DROPPED_BITS = 40;

    /// @dev Auctions after which a flag that a call finds is moved up.
    uint256 internal constant RENEWAL = 4;

    /// @dev Auctions after which a flag is void. Twelve of 20 minutes are the four hours in which the least refill lets all
    /// the collateral through the bucket: no congestion that the bucket makes lasts longer.
    uint256 internal constant EXPIRY = 12;

    /// @notice Reads a flag: one load, where the compiler makes one a field.
    function load(Flag storage stored) internal view returns (Flag memory flag) {
        uint256 word;
        assembly ("memory-safe") {
            word := sload(stored.slot)
        }
        (flag.since, flag.cumulative) = (uint40(word), uint216(word >> 40));
    }

    /// @notice Reads the clock of `flag`.
    /// @param health HF_F, WAD.
    /// @param price F.
    /// @param priceCumulative F's accumulator now.
    /// @param auctionSeconds tau, at least 1.
    function read(Flag memory flag, uint256 health, uint256 price, uint256 priceCumulative, uint256 auctionSeconds)
        internal
        view
        returns (ClockReading memory reading)
    {
        reading.flag = flag;
        uint256 elapsed = block.timestamp - flag.since;
        if (flag.since == 0 || elapsed > EXPIRY * auctionSeconds) return _begin(reading, priceCumulative);
        if (elapsed == 0) return reading;
        uint216 present = _truncate(priceCumulative);
        uint256 passed;
        unchecked {
            passed = present - flag.cumulative;
        }
        if (!_unhealthyAt((passed << DROPPED_BITS) / elapsed, health, price)) return _begin(reading, priceCumulative);
        reading.elapsed = elapsed;
        if (elapsed < RENEWAL * auctionSeconds) return reading;
        unchecked {
            // below 2^216 * auctionSeconds, which is a day at most
            // forge-lint: disable-next-item(unsafe-typecast)
            reading.flag =
                Flag(uint40(block.timestamp - auctionSeconds), present - uint216(passed * auctionSeconds / elapsed));
        }
        reading.changed = true;
    }

    function _begin(ClockReading memory reading, uint256 priceCumulative) private view returns (ClockReading memory) {
        reading.flag = Flag(uint40(block.timestamp), _truncate(priceCumulative));
        reading.changed = true;
        return reading;
    }

    /// @dev floor(HF * average / F) < 1. The quotient is tested first, so the product never overflows.
    function _unhealthyAt(uint256 average, uint256 health, uint256 price) private pure returns (bool) {
        if (health == 0) return true;
        if (average / price >= WAD) return false;
        return FixedPointMathLib.fullMulDiv(health, average, price) < WAD;
    }

    function _truncate(uint256 priceCumulative) private pure returns (uint216) {
        // forge-lint: disable-next-line(unsafe-typecast)
        return uint216(priceCumulative >> DROPPED_BITS);
    }
}

// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {FixedPointMathLib} from "solady/utils/FixedPointMathLib.sol";
import {WAD} from "../types/Constants.sol";

/// @notice When an account's bonus auction began: one slot.
/// @param since Seconds; 0 if it never began.
/// @param cumulative The price accumulator at that time, without its 40 low bits.
struct Flag {
    uint40 since;
    uint216 cumulative;
}

/// @title The clock of the bonus auction
/// @notice Time counts only if the position, as it is now, would have been unhealthy at the average price since the flag.
/// So a flag set in a dip does not age while the price is back up, and a position that was lifted to its target starts
/// anew; neither needs anybody to act. Otherwise the clock restarts.
/// @dev The health factor at the average price is HF_F scaled by average / F of the seized collateral: exact for an account with
/// one collateral; with several it treats the others as if they had moved in proportion. Dropping 40 bits of the accumulator
/// moves the average by less than 2^41 / seconds units of 1e-36, and the differences stay right when the accumulator wraps.
library BonusClock {
    uint256 private constant DROPPED_BITS = 40;

    /// @notice The seconds that count at `flag`; if `restarts`, none, and the clock begins now.
    /// @param health HF_F, WAD.
    /// @param price F.
    /// @param priceCumulative F's accumulator now.
    function read(Flag memory flag, uint256 health, uint256 price, uint256 priceCumulative)
        internal
        view
        returns (uint256 elapsed, bool restarts)
    {
        if (flag.since == 0) return (0, true);
        elapsed = block.timestamp - flag.since;
        if (elapsed == 0) return (0, false);
        uint256 average;
        unchecked {
            average = (uint256(_truncate(priceCumulative) - flag.cumulative) << DROPPED_BITS) / elapsed;
        }
        if (!_unhealthyAt(average, health, price)) return (0, true);
    }

    /// @notice A flag that begins now.
    function begin(uint256 priceCumulative) internal view returns (Flag memory) {
        return Flag(uint40(block.timestamp), _truncate(priceCumulative));
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

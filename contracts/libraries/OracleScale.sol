// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {OracleWindow} from "./OracleWindow.sol";

/// @title The unit in which an oracle stores its prices
/// @notice A price scaled by 1e36 per base unit ranges over many orders of magnitude; stored, it has 88 bits. Chosen once, from
/// the bounds within which the feeds are believed, so that no believed answer can overflow or lose its digits.
library OracleScale {
    /// @notice Decimals for which the price scaled by 1e36 is no multiple of the feed's unit, or exceeds a word.
    error UnsupportedDecimals(uint256 collateral, uint256 debt, uint256 base, uint256 quote);
    /// @notice The believed prices (in stored units) are worth less than `MIN_RESOLUTION` units at the low end, or, scaled by
    /// 1e36, more than 2^224 - 1 at the high end.
    error BoundsTooWide(uint256 lowest, uint256 highest, uint256 unit);

    /// @dev The least number of units in the lowest believed price: rounding costs at most 1e-9 of it.
    uint256 internal constant MIN_RESOLUTION = 1e9;

    /// @dev Decimals of 1e36, by which prices are scaled.
    uint256 private constant PRICE_DECIMALS = 36;

    /// @dev A unit is then at most 10^76 (a 128-bit answer exceeds 88 bits by 13 digits at most), which a word holds.
    uint256 private constant MAX_EXPONENT = 63;

    /// @notice The exponent of ten in
    /// price (scaled by 1e36) = base / 10^baseDecimals / (quote / 10^quoteDecimals) * 10^(36 + debt - collateral).
    function exponentOf(uint256 collateral, uint256 debt, uint256 base, uint256 quote) internal pure returns (uint256) {
        uint256 up = PRICE_DECIMALS + debt + quote;
        uint256 down = collateral + base;
        if (up < down || up - down > MAX_EXPONENT) revert UnsupportedDecimals(collateral, debt, base, quote);
        return up - down;
    }

    /// @notice The smallest unit, a power of ten, in which the highest price fits 88 bits (and the multiplier 128); with
    /// price in units = base * multiplier / (quote * divisor). Answers are taken as strictly between their bounds.
    function choose(uint256 exponent, uint256 minBase, uint256 maxBase, uint256 minQuote, uint256 maxQuote)
        internal
        pure
        returns (uint256 unit, uint256 multiplier, uint256 divisor)
    {
        unit = 1;
        multiplier = 10 ** exponent;
        divisor = 1;
        uint256 highest;
        while (true) {
            if (multiplier <= type(uint128).max) {
                highest = maxBase * multiplier / (divisor * (minQuote + 1));
                if (highest <= OracleWindow.MAX_PRICE) break;
            }
            unit *= 10;
            if (multiplier > 1) multiplier /= 10;
            else divisor *= 10;
        }
        uint256 lowest = (minBase + 1) * multiplier / (divisor * maxQuote);
        if (lowest < MIN_RESOLUTION || highest > type(uint224).max / unit) revert BoundsTooWide(lowest, highest, unit);
    }
}

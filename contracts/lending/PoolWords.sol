// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {CollateralListing, CollateralRisk} from "./PoolStorage.sol";

/// @notice A `CollateralRisk` as the one word that it is stored in.
type RiskWord is uint256;

/// @notice A `CollateralListing` as the one word that it is stored in.
type ListingWord is uint256;

using PoolWords for RiskWord global;
using PoolWords for ListingWord global;

/// @title What is read of a collateral, from single words
/// @dev The compiler loads a packed struct once a field; an action reads two or three fields of one load. Fields lie from the
/// lowest bit in the order of the struct.
library PoolWords {
    /// @notice Loads a collateral's risk.
    function load(CollateralRisk storage risk) internal view returns (RiskWord word) {
        assembly ("memory-safe") {
            word := sload(risk.slot)
        }
    }

    /// @notice Loads a collateral's listing.
    function load(CollateralListing storage listing) internal view returns (ListingWord word) {
        assembly ("memory-safe") {
            word := sload(listing.slot)
        }
    }

    function oracle(RiskWord self) internal pure returns (address) {
        return address(uint160(RiskWord.unwrap(self)));
    }

    function ltvFrom(RiskWord self) internal pure returns (uint256) {
        return uint16(RiskWord.unwrap(self) >> 160);
    }

    function ltvTo(RiskWord self) internal pure returns (uint256) {
        return uint16(RiskWord.unwrap(self) >> 176);
    }

    function thresholdFrom(RiskWord self) internal pure returns (uint256) {
        return uint16(RiskWord.unwrap(self) >> 192);
    }

    function thresholdTo(RiskWord self) internal pure returns (uint256) {
        return uint16(RiskWord.unwrap(self) >> 208);
    }

    function rampStart(RiskWord self) internal pure returns (uint256) {
        return RiskWord.unwrap(self) >> 224;
    }

    function token(ListingWord self) internal pure returns (address) {
        return address(uint160(ListingWord.unwrap(self)));
    }

    function maxBonus(ListingWord self) internal pure returns (uint256) {
        return uint16(ListingWord.unwrap(self) >> 160);
    }

    function slippageMargin(ListingWord self) internal pure returns (uint256) {
        return uint16(ListingWord.unwrap(self) >> 176);
    }

    function confirmationBand(ListingWord self) internal pure returns (uint256) {
        return uint16(ListingWord.unwrap(self) >> 192);
    }

    function group(ListingWord self) internal pure returns (uint256) {
        return uint8(ListingWord.unwrap(self) >> 208);
    }

    function damped(ListingWord self) internal pure returns (bool) {
        return uint8(ListingWord.unwrap(self) >> 216) != 0;
    }

    function frozen(ListingWord self) internal pure returns (bool) {
        return uint8(ListingWord.unwrap(self) >> 224) != 0;
    }
}

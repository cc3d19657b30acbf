// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {FixedPointMathLib} from "solady/utils/FixedPointMathLib.sol";

import {IPriceOracle} from "../contracts/interfaces/IPriceOracle.sol";
import {IPriceVenue} from "../contracts/interfaces/IPriceVenue.sol";
import {BASIS_POINTS} from "../contracts/types/Constants.sol";
import {System, SystemPlan} from "./SystemPlan.sol";

/// @dev What anybody may do to a Uniswap v3 pool's memory.
interface IVenueMemory {
    function slot0()
        external
        view
        returns (
            uint160 sqrtPriceX96,
            int24 tick,
            uint16 observationIndex,
            uint16 observationCardinality,
            uint16 observationCardinalityNext,
            uint8 feeProtocol,
            bool unlocked
        );
    function increaseObservationCardinalityNext(uint16 observationCardinalityNext) external;
}

/// @title Whether venues can confirm a price
/// @notice For deployments over venues with a history; tools that make their venue in the same block let it fill afterwards.
library Venues {
    /// @notice The venue gives no average: it does not remember its window (its memory grows with its trades; run again after
    /// a window), or it is too shallow, or it is no venue. A band as wide as one with a venue would then hold for a slow price.
    error VenueSilent(uint256 collateralId, address venue);
    /// @notice The venue's average and the feed's price differ by more than the confirmation band (basis points): one of the two
    /// is of something else. Prices scaled by 1e36.
    error VenueApart(uint256 collateralId, uint256 feedPrice, uint256 venuePrice, uint256 band);

    /// @notice Lets every venue remember an observation for each second of its window.
    function grow(SystemPlan memory plan) internal {
        for (uint256 i; i < plan.collaterals.length; ++i) {
            IVenueMemory venue = IVenueMemory(plan.collaterals[i].venue);
            if (address(venue) == address(0)) continue;
            // A venue that does not even have this memory has none to grow, and will be found silent.
            try venue.slot0() returns (uint160, int24, uint16, uint16, uint16 next, uint8, bool) {
                uint256 needed = FixedPointMathLib.min(uint256(plan.collaterals[i].venueWindow) + 1, type(uint16).max);
                // forge-lint: disable-next-line(unsafe-typecast)
                if (next < needed) venue.increaseObservationCardinalityNext(uint16(needed));
            } catch {}
        }
    }

    /// @notice Refuses venues that do not answer, or whose price is not the feed's.
    function requireAgreement(SystemPlan memory plan, System memory system) internal view {
        for (uint256 i; i < plan.collaterals.length; ++i) {
            address venue = plan.collaterals[i].venue;
            if (venue == address(0)) continue;
            uint256 venuePrice;
            try IPriceVenue(system.venueSources[i]).averagePrice() returns (uint256 price) {
                venuePrice = price;
            } catch {}
            if (venuePrice == 0) revert VenueSilent(i, venue);
            uint256 feedPrice = IPriceOracle(system.oracles[i]).peek().fast;
            uint256 band = plan.collaterals[i].listing.confirmationBand;
            if (
                FixedPointMathLib.dist(feedPrice, venuePrice)
                    > FixedPointMathLib.fullMulDiv(feedPrice, band, BASIS_POINTS)
            ) {
                revert VenueApart(i, feedPrice, venuePrice, band);
            }
        }
    }
}

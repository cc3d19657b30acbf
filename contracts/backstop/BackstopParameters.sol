// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {WAD} from "../types/Constants.sol";

/// @notice What a backstop is deployed with; none of it can change. Amounts are base units of the debt asset, ratios WAD.
/// @param pool The lending pool.
/// @param name Of the share.
/// @param symbol Of the share.
/// @param periodSeconds Entries and exits take effect at multiples of it, one to two periods after they are asked for.
/// @param minimumLeft What is never spent.
/// @param minimumDeposit The smallest deposit.
/// @param callerShare The share of the discount that goes to whoever calls `absorb` or `settle`.
/// @param releaseShare What may be sold in 12 seconds, as a share of the venue's depth within 2%.
/// @param auctionSeconds In which the price of the sale falls from its start to its floor.
/// @param startMarkup The start of the auction over the fast price.
/// @param maxDiscount The floor of the auction under the fast price.
/// @param venueTolerance How far under the fast price the venue may stand for the sale to be open.
struct BackstopParameters {
    address pool;
    string name;
    string symbol;
    uint256 periodSeconds;
    uint256 minimumLeft;
    uint256 minimumDeposit;
    uint256 callerShare;
    uint256 releaseShare;
    uint256 auctionSeconds;
    uint256 startMarkup;
    uint256 maxDiscount;
    uint256 venueTolerance;
}

/// @title Bounds and starting values of `BackstopParameters`
library BackstopParametersLib {
    /// @notice A parameter is outside its bounds.
    error BackstopParameterOutOfBounds(bytes32 parameter, uint256 value, uint256 minimum, uint256 maximum);

    /// @dev 0.05% of a constant-product venue's collateral, as a share of its depth: the value within 2% is 1 - sqrt(0.98)
    /// = 1.005% of that reserve, and 0.05% / 1.005% = 4.975%.
    uint256 internal constant MAX_RELEASE_SHARE = 0.0497e18;

    /// @notice The starting points: periods of 12 hours, a tenth of the discount to the caller, a fifth of the largest release.
    /// @param unit One whole token of the debt asset, base units.
    function defaults(address pool, uint256 unit) internal pure returns (BackstopParameters memory) {
        return BackstopParameters({
            pool: pool,
            name: "Breakwater Backstop",
            symbol: "bwBACKSTOP",
            periodSeconds: 12 hours,
            minimumLeft: unit,
            minimumDeposit: unit,
            callerShare: 0.1e18,
            releaseShare: MAX_RELEASE_SHARE / 5,
            auctionSeconds: 10 minutes,
            startMarkup: 0.01e18,
            maxDiscount: 0.01e18,
            venueTolerance: 0.005e18
        });
    }

    /// @notice Reverts unless every parameter is within its bounds.
    /// @dev A period of at least four hours is no shorter than the damping of the default policy, whose bucket lets everything through in four. Other
    /// policies are not looked at.
    function validate(BackstopParameters memory p) internal pure {
        _check("periodSeconds", p.periodSeconds, 4 hours, 30 days);
        _check("minimumLeft", p.minimumLeft, 1, type(uint80).max);
        _check("minimumDeposit", p.minimumDeposit, 10_000, type(uint80).max);
        _check("callerShare", p.callerShare, 0, 0.5e18);
        _check("releaseShare", p.releaseShare, 1, MAX_RELEASE_SHARE);
        _check("auctionSeconds", p.auctionSeconds, 12, 30 minutes);
        _check("startMarkup", p.startMarkup, 0, 0.1e18);
        _check("maxDiscount", p.maxDiscount, 0, 0.05e18);
        _check("venueTolerance", p.venueTolerance, 0, WAD / 20);
    }

    function _check(bytes32 parameter, uint256 value, uint256 minimum, uint256 maximum) private pure {
        if (value < minimum || value > maximum) {
            revert BackstopParameterOutOfBounds(parameter, value, minimum, maximum);
        }
    }
}

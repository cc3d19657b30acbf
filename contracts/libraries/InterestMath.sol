// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {WAD} from "../types/Constants.sol";
import {FixedPointMathLib} from "solady/utils/FixedPointMathLib.sol";

/// @title Compounding, rounded against the borrower
/// @dev With x = rate * elapsed, both functions charge the third-order Taylor polynomial of e^x - 1 (as Morpho Blue and
/// Aave do):
///
///     T(x) = x + x^2/2 + x^3/6 = x (6 + 3x + x^2) / 6        x in WAD: x (6 WAD^2 + 3 WAD x + x^2) / (6 WAD^2)
///
/// in one division, so that the only error is one rounding up.
///
/// Splitting a period. (1 + T(a))(1 + T(b)) holds every term of 1 + T(a + b), which are those of total degree <= 3 in the
/// product of the two exponential series, and further terms, none negative. So 1 + T(a + b) <= (1 + T(a))(1 + T(b)), and at
/// a constant rate:
/// - `interestUp`: charging t1 and then t2 leaves at least the debt that charging t1 + t2 leaves, to the unit. (Each charge
///   is at least the real one, and an integer that is at least a real number is at least its ceiling.)
/// - `compound`: ceil((WAD + c(t1)) (WAD + c(t2)) / WAD) >= WAD + c(t1 + t2), for the same reason. Applied to a debt with a
///   single rounding it may fall short of that by less than debt / WAD, because c itself is rounded; use `interestUp` where
///   that matters.
/// T(x) < e^x - 1: a market that nobody touches charges a little less than continuous compounding, at most x^4/20 of
/// the debt for x <= 1 (x = 1 is one year at 100%).
library InterestMath {
    /// @notice The exponent at which compounding saturates, WAD: ten years at 100%, or one at 1,000%, without one accrual.
    /// @dev Keeps T below 227, so that accruing after a silence of any length neither overflows nor reverts (a market whose
    /// accrual reverts would block repayments). Beyond it the charge stays at T(10). An accrual by anybody before then
    /// starts a new exponent, so the splitting property holds across it too.
    uint256 internal constant MAX_EXPONENT = 10e18;

    /// @dev 6 WAD^2.
    uint256 private constant DENOMINATOR = 6e36;

    /// @notice Interest over a period as a fraction of the debt at its start, rounded up.
    /// @param ratePerSecond WAD per second.
    /// @param elapsed Seconds.
    /// @return WAD; below 227 WAD.
    function compound(uint256 ratePerSecond, uint256 elapsed) internal pure returns (uint256) {
        unchecked {
            // The numerator is at most 10e18 * 136e36 = 1.4e57.
            return (_numerator(ratePerSecond, elapsed) + (DENOMINATOR - 1)) / DENOMINATOR;
        }
    }

    /// @notice Interest on `debt` over a period, rounded up once.
    /// @param debt Base units. Above 2^248 the result may not fit and the call reverts.
    /// @param ratePerSecond WAD per second.
    /// @param elapsed Seconds.
    /// @return Base units; at most 227 times `debt`.
    function interestUp(uint256 debt, uint256 ratePerSecond, uint256 elapsed) internal pure returns (uint256) {
        return FixedPointMathLib.fullMulDivUp(debt, _numerator(ratePerSecond, elapsed), DENOMINATOR);
    }

    /// @dev 6 WAD^2 T(x), exact: at most 10e18 * (6e36 + 30e36 + 100e36) = 1.36e57.
    function _numerator(uint256 ratePerSecond, uint256 elapsed) private pure returns (uint256) {
        unchecked {
            uint256 x = MAX_EXPONENT;
            if (elapsed == 0) return 0;
            if (ratePerSecond < MAX_EXPONENT / elapsed) x = ratePerSecond * elapsed;
            return x * (DENOMINATOR + 3 * WAD * x + x * x);
        }
    }
}

// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {WAD} from "../types/Constants.sol";
import {FixedPointMathLib} from "solady/utils/FixedPointMathLib.sol";

/// @title Compounding, rounded against the borrower
/// @dev With x = rate * elapsed, interest is the third-order Taylor polynomial of e^x - 1 (as Morpho Blue and Aave charge it):
///
///     T(x) = x + x^2/2 + x^3/6 = x (6 + 3x + x^2) / 6
///
/// computed from the debt in one division, so that the only error is one rounding up.
///
/// Splitting a period. (1 + T(a))(1 + T(b)) holds every term of 1 + T(a + b), which are those of total degree <= 3 in the
/// product of the two exponential series, and further terms, none negative: 1 + T(a + b) <= (1 + T(a))(1 + T(b)). Each
/// charge is at least the real one, and an integer that is at least a real number is at least its ceiling. So, at a constant
/// rate, charging t1 and then t2 leaves at least the debt that charging t1 + t2 leaves, to the unit. (A factor rounded
/// to WAD first and then applied would break this by up to debt / 1e18.)
///
/// T(x) < e^x - 1: a market that nobody touches charges a little less than continuous compounding, by at most x^4/19 of
/// the debt for x <= 1 (x = 1 is one year at 100%).
library InterestMath {
    /// @notice The exponent at which compounding saturates, WAD: ten years at 100%, or one at 1,000%, without one accrual.
    /// @dev Keeps T below 227, so that accruing after a silence of any length neither overflows nor reverts (a market whose
    /// accrual reverts would block repayments). Beyond it the charge stays at T(10). An accrual by anybody before then
    /// starts a new exponent, so the splitting property holds across it too.
    uint256 internal constant MAX_EXPONENT = 10e18;

    /// @notice Interest on `debt` over a period, rounded up.
    /// @param debt Base units. Above 2^248 the result may not fit, and the call reverts.
    /// @param ratePerSecond WAD per second.
    /// @param elapsed Seconds.
    /// @return Base units; below 227 times `debt`, rounded up.
    function interestUp(uint256 debt, uint256 ratePerSecond, uint256 elapsed) internal pure returns (uint256) {
        unchecked {
            if (elapsed == 0) return 0;
            uint256 x = MAX_EXPONENT;
            if (ratePerSecond < MAX_EXPONENT / elapsed) x = ratePerSecond * elapsed;
            // 6 T(x), scaled by WAD^3: at most 10e18 * (6e36 + 30e36 + 100e36) = 1.36e57.
            uint256 sixfold = x * (6 * WAD * WAD + 3 * WAD * x + x * x);
            return FixedPointMathLib.fullMulDivUp(debt, sixfold, 6 * WAD * WAD * WAD);
        }
    }
}

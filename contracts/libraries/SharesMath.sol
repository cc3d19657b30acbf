// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {FixedPointMathLib} from "solady/utils/FixedPointMathLib.sol";

/// @title Conversion between amounts and shares
/// @notice Lenders' shares: `assets / shares = (totalAssets + 1) / (totalShares + 1000)`. An empty total trades at 1,000 shares
/// per base unit, and whoever moves that rate before others arrive pays for the virtual shares' part of it.
///
/// Borrowers' shares: `debt / shares = totalDebt / totalShares`, and 1,000 shares per base unit while there are none. Nothing
/// is virtual here: a virtual debt share would be charged interest that nobody pays and that lenders are credited with.
/// A rate that has been driven up costs a borrower at most one share, and whoever drives it up pays all the interest it
/// takes. The totals hold `totalDebt` >= 1 while there are shares.
/// @dev The rounding direction is in each name. Totals are below 2^104, so no sum wraps and no product exceeds 2^256 unless an
/// argument does; `fullMulDiv` reverts rather than wraps.
library SharesMath {
    /// @dev Ten to the power of the decimals that a share has more than its asset.
    uint256 internal constant VIRTUAL_SHARES = 1000;
    uint256 internal constant VIRTUAL_ASSETS = 1;

    function toSharesDown(uint256 assets, uint256 totalAssets, uint256 totalShares) internal pure returns (uint256) {
        unchecked {
            return FixedPointMathLib.fullMulDiv(assets, totalShares + VIRTUAL_SHARES, totalAssets + VIRTUAL_ASSETS);
        }
    }

    function toSharesUp(uint256 assets, uint256 totalAssets, uint256 totalShares) internal pure returns (uint256) {
        unchecked {
            return FixedPointMathLib.fullMulDivUp(assets, totalShares + VIRTUAL_SHARES, totalAssets + VIRTUAL_ASSETS);
        }
    }

    function toAssetsDown(uint256 shares, uint256 totalAssets, uint256 totalShares) internal pure returns (uint256) {
        unchecked {
            return FixedPointMathLib.fullMulDiv(shares, totalAssets + VIRTUAL_ASSETS, totalShares + VIRTUAL_SHARES);
        }
    }

    function toAssetsUp(uint256 shares, uint256 totalAssets, uint256 totalShares) internal pure returns (uint256) {
        unchecked {
            return FixedPointMathLib.fullMulDivUp(shares, totalAssets + VIRTUAL_ASSETS, totalShares + VIRTUAL_SHARES);
        }
    }

    /// @notice The debt shares of a new loan.
    function debtToSharesUp(uint256 assets, uint256 totalDebt, uint256 totalShares) internal pure returns (uint256) {
        if (totalShares == 0) return assets * VIRTUAL_SHARES;
        return FixedPointMathLib.fullMulDivUp(assets, totalShares, totalDebt);
    }

    /// @notice The debt shares that a repayment takes away; `totalDebt` not 0.
    function debtToSharesDown(uint256 assets, uint256 totalDebt, uint256 totalShares) internal pure returns (uint256) {
        return FixedPointMathLib.fullMulDiv(assets, totalShares, totalDebt);
    }

    /// @notice What `shares` of debt owe. The sum over all borrowers is at least `totalDebt`.
    function debtToAssetsUp(uint256 shares, uint256 totalDebt, uint256 totalShares) internal pure returns (uint256) {
        if (shares == 0) return 0;
        return FixedPointMathLib.fullMulDivUp(shares, totalDebt, totalShares);
    }
}

// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

/// @title A momentary price
/// @notice Anybody may move it within one transaction, so nothing but an accumulator may read it.
interface ISpotSource {
    /// @notice Debt base units per collateral base unit at this instant, scaled by 1e36.
    function spotPrice() external view returns (uint256);

    /// @notice Debt base units that the source pays for collateral while its price falls by 2%, at this instant.
    function spotDepth() external view returns (uint256);
}

// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

/// @title A market whose average price confirms what a feed says
/// @notice One collateral in one debt token. A venue never sets the fast price. Either function may revert or return 0 where
/// it cannot answer, and a reader must take both alike.
interface IPriceVenue {
    /// @notice The average price over the venue's window: debt base units per collateral base unit, scaled by 1e36.
    function averagePrice() external view returns (uint256);

    /// @notice Debt base units that the venue pays for collateral while its price falls by 2%.
    function depth() external view returns (uint256);
}

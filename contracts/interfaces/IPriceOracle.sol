// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {Prices, PriceStatus} from "../types/Price.sol";

/// @title The price of one collateral in one debt token
/// @notice Scale, direction and status of every figure are those of `Prices`. No function reverts for a bad price: a
/// price that cannot be used is `PriceStatus.Down`. Anybody may call `update*`: recording an observation credits the time
/// that has passed to the *previous* observation, so one print never owns the window.
interface IPriceOracle {
    /// @notice Records the current observation and returns the prices that new risk is judged by.
    /// @dev At most one record a block; does not read the confirming venue.
    function update() external returns (uint256 fast, uint256 slow, PriceStatus status);

    /// @notice Records the current observation and returns everything, the confirming venue's price included.
    function updateForLiquidation() external returns (Prices memory);

    /// @notice The same reading as `updateForLiquidation`, without recording.
    function peek() external view returns (Prices memory);

    /// @notice The fast price that was last recorded, however old; never 0. It says nothing of the present and serves only to
    /// bound what a collateral without a price may be worth, so that it cannot shield the rest of an account.
    function lastPrice() external view returns (uint256);

    /// @notice The value, in base units of the debt token, that the configured venue takes within a 2% fall of its price;
    /// 0 where no venue is configured or it cannot answer. A momentary reading: average it before use.
    function depth() external view returns (uint256);
}

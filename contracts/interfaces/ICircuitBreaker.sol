// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

/// @notice What the market's condition permits.
/// - `Normal`: everything.
/// - `Stressed`: no new risk; the liquidation bonus pays for gas.
/// - `Paused`: also, damped-zone liquidations wait where the policy obeys it. Short, then a cooldown.
/// - `Halted`: declared by governance, time-capped; the same effects as `Paused`.
/// No level ever blocks a repayment, a top-up, or a liquidation in the hard zone.
enum BreakerLevel {
    Normal,
    Stressed,
    Paused,
    Halted
}

/// @title Circuit breaker on block latency, gas cost and price velocity
/// @notice Keeps one state per calling pool, so it needs no registration and no pool can affect another. It fails open: a
/// level above `Normal` ends by time.
interface ICircuitBreaker {
    /// @notice Records base fee, block latency and the price of one collateral for the calling pool, and returns the level.
    /// @param collateralId The pool's index of the collateral.
    /// @param fastPrice The fast price, scaled by 1e36; 0 records no price.
    /// @dev At most one write in a fixed number of blocks per pool.
    function observe(uint256 collateralId, uint256 fastPrice) external returns (BreakerLevel);

    /// @notice Records base fee and block latency for `pool`. Anybody may call it, so that what is observed does not depend
    /// on calls that succeed.
    function poke(address pool) external returns (BreakerLevel);

    /// @notice The level that applies to `pool` now, with what has ended by time already released.
    function levelOf(address pool) external view returns (BreakerLevel);
}

// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

/// @notice What an oracle's answer may be used for.
/// - `Ok`: everything.
/// - `Degraded`: the fast price jumped by more than the step limit, the slow price stands in for it, or the oracle is younger than its
///   window. No new risk.
/// - `Down`: there is no usable price. No new risk, and none of this collateral is liquidated.
enum PriceStatus {
    Ok,
    Degraded,
    Down
}

/// @notice One reading of an oracle.
/// @dev Every price is the value of one base unit of collateral in base units of the debt token, scaled by 1e36:
/// `value = amount * price / PRICE_SCALE`. ETH (18 decimals) at 2,000 USDC (6 decimals) is 2,000e6 / 1e18 * 1e36 = 2e27.
/// @param fast F: the primary feed's answer; the slow price if the feed is unusable (`Degraded`); 0 if `Down`.
/// @param slow L: the time-weighted average over the oracle's window; 0 if `Down`.
/// @param confirm V: the average of an independent venue over its short window; `slow` where no venue is configured or
/// where the venue cannot answer.
/// @param cumulative The integral of the fast price over time since the oracle was deployed, in price * seconds; the
/// average of F between two readings is the difference of `cumulative` over the difference of time.
/// @param status What the prices may be used for.
struct Prices {
    uint256 fast;
    uint256 slow;
    uint256 confirm;
    uint256 cumulative;
    PriceStatus status;
}

/// @dev The scale of every price.
uint256 constant PRICE_SCALE = 1e36;

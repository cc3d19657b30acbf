//! Amounts and shares: `contracts/libraries/SharesMath.sol`. Rounding is in each name; totals are below 2^104, so no product
//! exceeds a word.

use alloy_primitives::U256;

/// What `shares` of debt owe, base units: ⌈shares · total debt / total shares⌉.
///
/// 0 where there are no shares in existence, which no pool combines with an account that has some.
#[must_use]
pub fn debt_to_assets_up(shares: u128, total_debt: u128, total_shares: u128) -> U256 {
    if shares == 0 || total_shares == 0 {
        return U256::ZERO;
    }
    // A sum, not a comparison of remainders: one division.
    let product = U256::from(shares) * U256::from(total_debt);
    let divisor = U256::from(total_shares);
    (product + divisor - U256::ONE) / divisor
}

//! Whole tokens and prices as agents compute with them, and the integers that contracts keep.

use alloy_primitives::{U160, U256};

/// Decimals of the collateral token.
pub const COLLATERAL_DECIMALS: u8 = 18;

/// Decimals of the debt token.
pub const DEBT_DECIMALS: u8 = 6;

/// Decimals of the feed.
pub const FEED_DECIMALS: u8 = 8;

/// Base units in a whole collateral token.
pub const COLLATERAL_UNIT: f64 = 1e18;

/// Base units in a whole debt token.
pub const DEBT_UNIT: f64 = 1e6;

/// A contract's price (1e36 · debt base units per collateral base unit) for a price of one.
pub const PRICE_UNIT: f64 = 1e36 * DEBT_UNIT / COLLATERAL_UNIT;

/// The ratio scale of contracts.
pub const WAD: f64 = 1e18;

const TWO_96: f64 = 79_228_162_514_264_337_593_543_950_336.0;

/// Base units of `amount` whole tokens, to the nearest; 0 for a negative amount.
#[must_use]
pub fn to_base(amount: f64, unit: f64) -> U256 {
    // A float above 2^128 would saturate; no supply comes near.
    U256::from((amount * unit).round().max(0.0) as u128)
}

/// A contract's integer as a float, divided by its scale.
#[must_use]
pub fn from_base(amount: U256, unit: f64) -> f64 {
    f64::from(amount) / unit
}

/// The venue's square-root price, Q96 of token1 per token0 in base units, of a root price in debt per collateral.
#[must_use]
pub fn to_sqrt_x96(sqrt_price: f64, collateral_is_token0: bool) -> U160 {
    let base = sqrt_price * (DEBT_UNIT / COLLATERAL_UNIT).sqrt();
    let ratio = if collateral_is_token0 {
        base
    } else {
        1.0 / base
    };
    U160::from((ratio * TWO_96).round() as u128)
}

/// The inverse of [`to_sqrt_x96`].
#[must_use]
pub fn from_sqrt_x96(sqrt_x96: U160, collateral_is_token0: bool) -> f64 {
    let ratio = f64::from(U256::from(sqrt_x96)) / TWO_96;
    let base = if collateral_is_token0 {
        ratio
    } else {
        1.0 / ratio
    };
    base / (DEBT_UNIT / COLLATERAL_UNIT).sqrt()
}

/// Base units of liquidity in one √(whole collateral token · whole debt token).
#[must_use]
pub fn liquidity_unit() -> f64 {
    (COLLATERAL_UNIT * DEBT_UNIT).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_round_to_the_nearest_unit() {
        assert_eq!(to_base(1.5, DEBT_UNIT), U256::from(1_500_000));
        assert_eq!(to_base(0.000_000_6, DEBT_UNIT), U256::from(1));
        assert_eq!(to_base(-1.0, DEBT_UNIT), U256::ZERO);
        assert_eq!(from_base(U256::from(1_500_000), DEBT_UNIT), 1.5);
    }

    #[test]
    fn root_prices_survive_both_token_orders() {
        for collateral_is_token0 in [true, false] {
            for price in [0.01_f64, 1.0, 200.0, 60_000.0] {
                let there = to_sqrt_x96(price.sqrt(), collateral_is_token0);
                let back = from_sqrt_x96(there, collateral_is_token0);
                assert!((back * back / price - 1.0).abs() < 1e-12);
            }
        }
    }

    #[test]
    fn root_price_of_equal_base_units_is_two_to_the_96th() {
        // A price of 10^12 debt tokens per collateral is one base unit for one.
        assert_eq!(to_sqrt_x96(1e6, true), U160::from(1) << 96);
    }
}

//! Between the chain's integers and the deciding code's floats. Floats decide what is worth asking and bidding; what is sent
//! and what is compared with the chain stays integer.

use alloy_primitives::{I256, U256};

/// 2^96, the scale of Uniswap v3's root prices.
const TWO_96: f64 = 79_228_162_514_264_337_593_543_950_336.0;

/// The scale of prices in contracts.
const PRICE_SCALE: f64 = 1e36;

/// WAD, the scale of ratios in contracts.
const WAD: f64 = 1e18;

/// Decimals of the two tokens of a pair, and conversions with them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decimals {
    /// The collateral's.
    pub collateral: u8,
    /// The debt token's.
    pub debt: u8,
}

impl Decimals {
    /// Whole debt tokens per whole collateral token, of a contract's price.
    #[must_use]
    pub fn price(self, price: U256) -> f64 {
        f64::from(price) / PRICE_SCALE
            * 10f64.powi(i32::from(self.collateral) - i32::from(self.debt))
    }

    /// s, the root of the price in whole tokens, of Uniswap v3's root price.
    #[must_use]
    pub fn sqrt_price(self, sqrt_price_x96: U256, collateral_is_token0: bool) -> f64 {
        let root = f64::from(sqrt_price_x96) / TWO_96;
        let root = if collateral_is_token0 {
            root
        } else {
            1.0 / root
        };
        root * 10f64.powf(f64::from(i16::from(self.collateral) - i16::from(self.debt)) / 2.0)
    }

    /// L in roots of whole tokens, of Uniswap v3's liquidity.
    #[must_use]
    pub fn liquidity(self, liquidity: u128) -> f64 {
        liquidity as f64
            / 10f64.powf(f64::from(u16::from(self.collateral) + u16::from(self.debt)) / 2.0)
    }
}

/// Whole tokens of base units.
#[must_use]
pub fn whole(amount: U256, decimals: u8) -> f64 {
    f64::from(amount) / 10f64.powi(i32::from(decimals))
}

/// Whole tokens of a signed amount of base units.
#[must_use]
pub fn whole_signed(amount: I256, decimals: u8) -> f64 {
    let size = whole(amount.unsigned_abs(), decimals);
    if amount.is_negative() { -size } else { size }
}

/// Base units of whole tokens, rounded down; 0 for what is no amount (negative, not a number), saturating above 2^128.
#[must_use]
pub fn base_down(amount: f64, decimals: u8) -> U256 {
    let scaled = (amount * 10f64.powi(i32::from(decimals))).floor();
    if scaled.is_nan() || scaled <= 0.0 {
        return U256::ZERO;
    }
    // `as` saturates.
    U256::from(scaled as u128)
}

/// Base units of whole tokens, rounded up.
#[must_use]
pub fn base_up(amount: f64, decimals: u8) -> U256 {
    let scaled = (amount * 10f64.powi(i32::from(decimals))).ceil();
    if scaled.is_nan() || scaled <= 0.0 {
        return U256::ZERO;
    }
    U256::from(scaled as u128)
}

/// A plain number of a WAD ratio.
#[must_use]
pub fn ratio(wad: U256) -> f64 {
    f64::from(wad) / WAD
}

/// Wei per gas of gwei, rounded up; 0 for what is no price.
#[must_use]
pub fn wei(gwei: f64) -> u128 {
    (gwei * 1e9).ceil().max(0.0) as u128
}

#[cfg(test)]
mod tests {
    use super::*;

    const ETH_USDC: Decimals = Decimals {
        collateral: 18,
        debt: 6,
    };

    #[test]
    fn prices_follow_the_decimals() {
        // `Prices` in Price.sol: ETH at 2,000 USDC is 2e27.
        let price = U256::from(2u64) * U256::from(10u64).pow(U256::from(27u64));
        assert!((ETH_USDC.price(price) - 2_000.0).abs() < 1e-9);
    }

    #[test]
    fn root_prices_agree_in_both_orders() {
        // token1 per token0 in base units is 2e-9 if the collateral is token 0.
        let root = (2e-9f64).sqrt();
        let as_token0 = U256::from((root * TWO_96) as u128);
        let as_token1 = U256::from((TWO_96 / root) as u128);
        for (value, token0) in [(as_token0, true), (as_token1, false)] {
            let found = ETH_USDC.sqrt_price(value, token0);
            assert!((found * found - 2_000.0).abs() < 1e-6, "{found}");
        }
    }

    #[test]
    fn liquidity_is_the_root_of_the_reserves() {
        // 100 ETH and 200,000 USDC: L² = 1e20 · 2e11 in base units, 100 · 200,000 in whole ones.
        let base = (1e20f64 * 2e11).sqrt() as u128;
        let whole = (100.0f64 * 200_000.0).sqrt();
        assert!((ETH_USDC.liquidity(base) / whole - 1.0).abs() < 1e-9);
    }

    #[test]
    fn amounts_never_grow_by_conversion() {
        assert_eq!(base_down(1.234_567_8, 6), U256::from(1_234_567));
        assert_eq!(base_up(1.234_567_8, 6), U256::from(1_234_568));
        assert_eq!(base_down(-1.0, 6), U256::ZERO);
        assert_eq!(base_down(f64::NAN, 6), U256::ZERO);
        assert_eq!(base_down(f64::INFINITY, 6), U256::from(u128::MAX));
        assert!((whole_signed(I256::try_from(-1_500_000).unwrap(), 6) + 1.5).abs() < 1e-12);
    }
}

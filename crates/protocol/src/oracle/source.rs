//! A pool's mean price and depth: `UniswapV3Source.sol` and `contracts/libraries/OracleTickPrice.sol`.

use alloy_primitives::{I256, U256, uint};

use super::pool::Integrals;
use crate::accrual::exponential::exp_wad;
use crate::math::{PRICE_SCALE, WAD, mul_div_down};

/// ln(1.0001), scaled by 1e36.
const LN_TICK: U256 = uint!(99995000333308335333166680951131_U256);

/// 1 - √0.98, scaled by 1e36, rounded down.
const DEPTH_FACTOR: U256 = uint!(10050506338833465838817893053211345_U256);

/// A `UniswapV3Source`: what its deployment fixed. Where it reverts, its methods have no answer, which its readers take for 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UniswapV3Source {
    /// Seconds; not 0.
    pub window: u32,
    /// Base units of the debt token; with less depth, no price is answered.
    pub min_depth: U256,
    /// Whether the collateral is the pool's token0.
    pub collateral_is_token0: bool,
}

impl UniswapV3Source {
    /// `averagePrice()` of what the pool remembers: the geometric mean over the window, scaled by 1e36, rounded down; 0 where
    /// there is too little depth.
    #[must_use]
    pub fn average_price(&self, over: &Integrals) -> Option<U256> {
        if self.uncapped_depth(over)? < self.min_depth {
            return Some(U256::ZERO);
        }
        power(self.tick(over), u64::from(self.window))
    }

    /// `depth()`: base units of the debt token within a fall of the price by 2%, at most the `held` that the pool has; rounded down.
    #[must_use]
    pub fn depth(&self, over: &Integrals, held: U256) -> Option<U256> {
        Some(self.uncapped_depth(over)?.min(held))
    }

    /// At the harmonic mean liquidity: L √p (1 - √0.98).
    fn uncapped_depth(&self, over: &Integrals) -> Option<U256> {
        // Without growth, the liquidity was beyond what the pool can count.
        let liquidity = U256::from(self.window)
            .wrapping_shl(128)
            .checked_div(over.inverse_liquidity)
            .unwrap_or_default();
        let root = power(self.tick(over), 2 * u64::from(self.window))?;
        let half = mul_div_down(liquidity, root, PRICE_SCALE).ok()?;
        mul_div_down(half, DEPTH_FACTOR, PRICE_SCALE).ok()
    }

    /// The integral of the tick of the collateral's price in the debt token.
    const fn tick(&self, over: &Integrals) -> i64 {
        if self.collateral_is_token0 {
            over.tick
        } else {
            -over.tick
        }
    }
}

/// 1.0001^(tick / period), scaled by 1e36, rounded down; a negative power is the reciprocal of the positive one.
fn power(tick: i64, period: u64) -> Option<U256> {
    let exponent = U256::from(tick.unsigned_abs()) * LN_TICK / (U256::from(period) * WAD);
    let power = exp_wad(I256::try_from(exponent).ok()?)?;
    if tick < 0 {
        (WAD * PRICE_SCALE).checked_div(power)
    } else {
        power.checked_mul(WAD)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const SOURCE: UniswapV3Source = UniswapV3Source {
        window: 600,
        min_depth: U256::ZERO,
        collateral_is_token0: true,
    };

    /// A mean tick, and a mean liquidity of 2^64.
    fn over(tick: i64) -> Integrals {
        Integrals {
            tick: 600 * tick,
            inverse_liquidity: U256::from(600) << 64,
        }
    }

    #[test]
    fn a_price_is_a_power_of_1_0001() {
        assert_eq!(SOURCE.average_price(&over(0)), Some(PRICE_SCALE));
        let tenfold = f64::from(SOURCE.average_price(&over(23_027)).unwrap()) / 1e36;
        assert!((tenfold - 1.000_1_f64.powi(23_027)).abs() < 1e-9);
        let other = UniswapV3Source {
            collateral_is_token0: false,
            ..SOURCE
        };
        let tenth = f64::from(other.average_price(&over(23_027)).unwrap()) / 1e36;
        assert!((tenth * tenfold - 1.0).abs() < 1e-12);
    }

    #[test]
    fn a_depth_is_one_percent_of_the_virtual_reserve_and_at_most_what_is_held() {
        let depth = SOURCE.depth(&over(0), U256::MAX).unwrap();
        let exact = 2_f64.powi(64) * (1.0 - 0.98_f64.sqrt());
        assert!((f64::from(depth) / exact - 1.0).abs() < 1e-12);
        assert_eq!(SOURCE.depth(&over(0), U256::from(7)), Some(U256::from(7)));
        let demanding = |min_depth| UniswapV3Source {
            min_depth,
            ..SOURCE
        };
        assert_eq!(demanding(depth).average_price(&over(0)), Some(PRICE_SCALE));
        assert_eq!(
            demanding(depth + U256::ONE).average_price(&over(0)),
            Some(U256::ZERO)
        );
    }

    #[test]
    fn what_cannot_be_counted_has_no_depth_and_what_overflows_no_answer() {
        let still = Integrals {
            tick: 0,
            inverse_liquidity: U256::ZERO,
        };
        assert_eq!(SOURCE.depth(&still, U256::MAX), Some(U256::ZERO));
        assert_eq!(SOURCE.average_price(&over(1_400_000)), None);
        let dense = Integrals {
            inverse_liquidity: U256::ONE,
            ..over(887_000)
        };
        assert!(SOURCE.depth(&dense, U256::MAX).is_some());
    }
}

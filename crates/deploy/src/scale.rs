//! The unit in which an oracle keeps its prices, as `OracleScale.sol` chooses it: by the decimals of tokens and feeds and by the bounds
//! within which the feeds are believed.

use std::fmt;

use alloy_primitives::{Address, U256, Uint};
use breakwater_bindings::SimToken;
use breakwater_bindings::system_deployer::SystemDeployer::FeedParameters;

use crate::chain::Views;
use crate::defaults::CollateralPlan;
use crate::error::DeployError;

/// Decimals of 1e36, by which prices are scaled.
const PRICE_DECIMALS: u64 = 36;

/// The largest exponent; `OracleScale.sol`.
const MAX_EXPONENT: u64 = 63;

/// The least number of units in the lowest believed price; `OracleScale.sol`.
const MIN_RESOLUTION: u64 = 1_000_000_000;

/// The largest price that a record holds: 88 bits.
const MAX_PRICE: U256 = U256::from_limbs([u64::MAX, (1 << 24) - 1, 0, 0]);

/// The largest price scaled by 1e36: 224 bits.
const MAX_SCALED: U256 = U256::from_limbs([u64::MAX, u64::MAX, u64::MAX, u32::MAX as u64]);

/// Two bounds multiplied, and 88 bits more.
type Wide = Uint<384, 6>;

/// The bounds of the answers that are believed of a feed; 0 and 1 of none, which divides by exactly one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Bounds {
    /// At and below it none is.
    pub least: u128,
    /// At and above it none is.
    pub most: u128,
}

impl fmt::Display for Bounds {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} and {}", self.least, self.most)
    }
}

impl Bounds {
    /// Of no feed.
    pub(crate) const NONE: Self = Self { least: 0, most: 1 };

    /// Of a feed of a plan.
    pub(crate) fn of(feed: &FeedParameters) -> Self {
        if feed.source.is_zero() {
            return Self::NONE;
        }
        Self {
            least: feed.minAnswer,
            most: feed.maxAnswer,
        }
    }

    fn lowest(self) -> U256 {
        U256::from(self.least) + U256::ONE
    }

    fn highest(self) -> U256 {
        U256::from(self.most)
    }

    /// Whether it spans more than `other`.
    pub(crate) fn is_wider_than(self, other: Self) -> bool {
        self.highest() * other.lowest() > other.highest() * self.lowest()
    }
}

/// Whether no unit, whatever the decimals are, keeps the highest price in 88 bits and the lowest at a billion units.
pub(crate) fn never_fits(base: Bounds, quote: Bounds) -> bool {
    let product = |one: U256, other: U256| Wide::from(one) * Wide::from(other);
    let high = product(base.highest(), quote.highest()) * Wide::from(MIN_RESOLUTION);
    let low = product(base.lowest(), quote.lowest());
    high >= low << 88
}

/// The exponent of ten in `price = base / quote * 10^exponent`; `None` where the decimals allow none.
///
/// # Errors
/// As [`Views::view`].
pub(crate) async fn exponent(
    views: &impl Views,
    collateral: &CollateralPlan,
    asset: Address,
) -> Result<Option<u64>, DeployError> {
    let decimals = async |of: Address| views.read(of, SimToken::decimalsCall {}).await;
    let quote = if collateral.quote.source.is_zero() {
        0
    } else {
        decimals(collateral.quote.source).await?
    };
    let up = PRICE_DECIMALS + u64::from(decimals(asset).await?) + u64::from(quote);
    let down = u64::from(decimals(collateral.listing.token).await?)
        + u64::from(decimals(collateral.base.source).await?);
    Ok(up
        .checked_sub(down)
        .filter(|exponent| *exponent <= MAX_EXPONENT))
}

/// The smallest power of ten in which the highest believed price fits; `None` where the lowest is then less than a billion of them, or
/// the highest, scaled by 1e36, more than 224 bits: the oracle's constructor refuses such bounds.
pub(crate) fn unit_of(exponent: u64, base: Bounds, quote: Bounds) -> Option<U256> {
    let ten = U256::from(10);
    let (mut unit, mut divisor) = (U256::ONE, U256::ONE);
    let mut multiplier = ten.pow(U256::from(exponent));
    loop {
        if multiplier <= U256::from(u128::MAX) {
            let highest = base.highest() * multiplier / (divisor * quote.lowest());
            if highest <= MAX_PRICE {
                let lowest = base.lowest() * multiplier / (divisor * quote.highest());
                let fits = lowest >= U256::from(MIN_RESOLUTION) && highest <= MAX_SCALED / unit;
                return fits.then_some(unit);
            }
        }
        unit *= ten;
        if multiplier > U256::ONE {
            multiplier /= ten;
        } else {
            divisor *= ten;
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const fn bounds(least: u128, most: u128) -> Bounds {
        Bounds { least, most }
    }

    #[test]
    fn the_widest_ratio_is_that_of_88_bits_and_a_billion() {
        // 2^88 / 10^9 is 309,485,009,821,345,068 and a bit.
        let most = 309_485_009_821_345_068;
        assert!(!never_fits(bounds(0, most), Bounds::NONE));
        assert!(never_fits(bounds(0, most + 1), Bounds::NONE));
        assert!(never_fits(bounds(0, most), bounds(0, 2)));
        assert!(!never_fits(bounds(1, 2 * most), Bounds::NONE));
        assert!(never_fits(bounds(0, u128::MAX), bounds(0, u128::MAX)));
        assert!(!never_fits(
            bounds(u128::MAX - 2, u128::MAX),
            bounds(u128::MAX - 2, u128::MAX)
        ));
    }

    #[test]
    fn a_ratio_may_be_too_wide_for_the_powers_of_ten_that_there_are() {
        // 18 decimals and 8: price = answer * 10^28. The highest of 88 bits is 3.09e26.
        let unit = |least, most| unit_of(28, bounds(least, most), Bounds::NONE);
        let power = |exponent: u64| U256::from(10).pow(U256::from(exponent));
        assert_eq!(unit(9_999, 10_u128.pow(16)), Some(power(18)));
        assert_eq!(unit(0, 3 * 10_u128.pow(17)), Some(power(19)));
        assert_eq!(unit(0, 4 * 10_u128.pow(17)), None);
        // Not too wide for every exponent; here the highest needs 10^20, and the lowest is 3 * 10^8 of it.
        assert!(!never_fits(bounds(2, 4 * 10_u128.pow(17)), Bounds::NONE));
        assert_eq!(unit(2, 4 * 10_u128.pow(17)), None);
        // More than 2^224 - 1.
        assert_eq!(
            unit_of(63, bounds(u128::MAX - 2, u128::MAX), Bounds::NONE),
            None
        );
    }

    #[test]
    fn the_wider_of_two_is_named() {
        assert!(bounds(0, 3).is_wider_than(bounds(0, 2)));
        assert!(!bounds(1, 3).is_wider_than(bounds(0, 2)));
    }
}

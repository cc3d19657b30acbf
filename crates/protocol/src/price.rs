//! Readings of oracles, as `contracts/types/Price.sol` defines them.

use alloy_primitives::U256;
use breakwater_bindings::IPriceOracle;
use serde::{Deserialize, Serialize};

use crate::math::{ArithmeticError, add, mul_div_down};
use crate::policy::UnknownVariant;

/// What an oracle's answer may be used for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum PriceStatus {
    /// Everything.
    #[default]
    Ok,
    /// No new risk.
    Degraded,
    /// There is no usable price.
    Down,
}

/// One oracle's answers in one block: `peek()` and `lastPrice()`. Prices scaled by 1e36, in base units of the debt token per
/// base unit of collateral.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reading {
    /// F.
    pub fast: U256,
    /// L.
    pub slow: U256,
    /// V.
    pub confirm: U256,
    /// The integral of F over time, price · seconds.
    pub cumulative: U256,
    /// What the prices may be used for.
    pub status: PriceStatus,
    /// `lastPrice()`: what bounds a collateral that is down.
    pub last: U256,
}

impl Reading {
    /// What `peek()` and `lastPrice()` answered.
    ///
    /// # Errors
    /// [`UnknownVariant`] for a status that does not exist.
    pub fn new(prices: &IPriceOracle::Prices, last: U256) -> Result<Self, UnknownVariant> {
        Ok(Self {
            fast: prices.fast,
            slow: prices.slow,
            confirm: prices.confirm,
            cumulative: prices.cumulative,
            status: match prices.status {
                0 => PriceStatus::Ok,
                1 => PriceStatus::Degraded,
                2 => PriceStatus::Down,
                value => {
                    return Err(UnknownVariant {
                        name: "PriceStatus",
                        value,
                    });
                }
            },
            last,
        })
    }

    /// A reading in which all prices are `price`, `Ok`.
    #[must_use]
    pub fn flat(price: U256) -> Self {
        Self {
            fast: price,
            slow: price,
            confirm: price,
            cumulative: U256::ZERO,
            status: PriceStatus::Ok,
            last: price,
        }
    }

    /// F and V as a valuation uses them: twice the last price where there is none now.
    pub(crate) fn bounded(&self) -> (U256, U256) {
        if self.status != PriceStatus::Down {
            return (self.fast, self.confirm);
        }
        let bound = self.last.saturating_mul(U256::from(2));
        (bound, bound)
    }
}

/// P_e = min(max(F, V), (1 + δ) F), `band` in basis points.
pub(crate) fn confirmed(fast: U256, confirm: U256, band: u16) -> Result<U256, ArithmeticError> {
    let limit = mul_div_down(fast, U256::from(band), U256::from(10_000))?;
    Ok(fast.max(confirm).min(add(fast, limit)?))
}

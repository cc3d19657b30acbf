//! What tests of traders observe.

use crate::observation::{Observation, Prices};
use crate::venue::Venue;

/// A venue at `price` with 10,000 of liquidity and a fee of 0.3%, where the outside price is 100.
pub fn observation(price: f64) -> Observation {
    Observation {
        block: 1,
        timestamp: 12_000,
        base_fee: 10.0,
        inclusion_tip: 0.0,
        native_price: 100.0,
        prices: Prices {
            fast: 100.0,
            slow: 100.0,
            confirm: 100.0,
        },
        venue: Venue {
            sqrt_price: price.sqrt(),
            liquidity: 10_000.0,
            fee: 0.003,
        },
        reference_price: 100.0,
        breaker_level: 0,
        bucket: f64::INFINITY,
    }
}

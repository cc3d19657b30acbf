//! The market: breaker, prices, bucket, venue.

use alloy_primitives::Address;
use serde::{Deserialize, Serialize};

use super::figure;

/// The circuit breaker's level, `BreakerLevel` of the contracts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BreakerLevel {
    /// Nothing is held.
    #[default]
    Normal,
    /// No new risk; bonuses include gas.
    Stressed,
    /// Liquidations of the damped zone wait.
    Paused,
    /// No price, or governance.
    Halted,
}

/// The circuit breaker.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BreakerStatus {
    /// Its level.
    pub level: BreakerLevel,
    /// When it is released at the latest, where that is known.
    pub until: Option<u64>,
}

/// Whether a collateral's price can be used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PriceStatus {
    /// Both prices stand.
    #[default]
    Ok,
    /// Liquidations go on, new risk does not.
    Degraded,
    /// There is no price.
    Down,
}

/// A collateral's volume bucket; debt tokens.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct BucketStatus {
    /// What is in it now.
    #[serde(deserialize_with = "figure")]
    pub level: f64,
    /// What it holds at most.
    #[serde(deserialize_with = "figure")]
    pub cap: f64,
    /// Part of the cap that damped liquidations leave untouched, 0 to 1.
    #[serde(deserialize_with = "figure")]
    pub reserve: f64,
    /// Refill a minute.
    #[serde(deserialize_with = "figure")]
    pub refill_per_minute: f64,
}

/// A backstop; debt tokens.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct BackstopStatus {
    /// Its contract.
    pub address: Address,
    /// What it can spend on absorptions and settlements.
    #[serde(deserialize_with = "figure")]
    pub absorbable: f64,
    /// What its inventory is worth, at the lower of fast and venue price.
    #[serde(deserialize_with = "figure")]
    pub inventory: f64,
    /// What the keeper may buy of it for.
    #[serde(deserialize_with = "figure")]
    pub spendable: f64,
}

/// One collateral.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CollateralStatus {
    /// Its number in the pool.
    pub id: u32,
    /// Its token.
    pub token: Address,
    /// The token's symbol, as its contract says it: not to be trusted.
    pub symbol: String,
    /// Whether its price can be used.
    pub price_status: PriceStatus,
    /// F, the fast price.
    #[serde(deserialize_with = "figure")]
    pub fast: f64,
    /// L, the slow price.
    #[serde(deserialize_with = "figure")]
    pub slow: f64,
    /// V, the confirming venue's price, where there is one.
    pub venue: Option<f64>,
    /// The volume bucket, where the policy has one.
    pub bucket: Option<BucketStatus>,
    /// What the venue takes within 2% of its price; debt tokens.
    pub venue_depth: Option<f64>,
}

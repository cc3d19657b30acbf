//! Interest, rates and shares: what turns a pool's stored books into its books at a moment.

pub mod exponential;
mod interest;
mod market;
mod rate;
mod shares;

pub use interest::interest_up;
pub use market::{Market, MarketState};
pub use rate::{RateCurve, RateParameters, RateParametersInvalid, log_of, rate_of};
pub use shares::debt_to_assets_up;

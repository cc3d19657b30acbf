#![doc = include_str!("../README.md")]

pub mod accrual;
mod block;
mod breaker;
mod collateral;
mod index;
pub mod math;
mod mirror;
mod moment;
pub mod oracle;
pub mod policy;
mod price;

pub use accrual::{Market, MarketState, RateParameters};
pub use block::BlockRef;
pub use breaker::breaker_level;
pub use collateral::{Collateral, CollateralState};
pub use index::{DebtAtFall, Distance};
pub use mirror::{
    Changes, Description, LiquidationSeen, LogError, Mirror, MirrorError, MirroredPolicy, Settings,
    SettlementSeen, SnapshotError, ViewError,
};
pub use moment::{AccountHealth, Moment};
pub use price::{PriceStatus, Reading};

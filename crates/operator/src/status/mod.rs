//! What a keeper knows at one moment, as it publishes it through `tokio::sync::watch` and serves it as `/status.json`.
//!
//! Amounts are whole tokens, prices whole debt tokens per whole collateral token, times Unix seconds, ratios plain numbers
//! (0.05 is 5%). Times that belong to the chain (a flag, a turn, a planned bid, the breaker's release, a missed liquidation) are by
//! its blocks' clock, all others by this machine's. Being figures to look at they are `f64`; what must be exact (drift) is an integer. A figure that is not
//! finite is served as `null` and read back as NaN.

mod market;
mod operation;
mod positions;
mod served;

use std::collections::BTreeMap;

use alloy_primitives::{Address, B256};
use serde::{Deserialize, Deserializer, Serialize};

pub use market::{
    BackstopStatus, BreakerLevel, BreakerStatus, BucketStatus, CollateralStatus, PriceStatus,
};
pub use operation::{
    BidState, MirrorStatus, MissedLiquidation, MissedReason, PendingBid, Profit, RpcEndpoint,
    SenderStatus, TaskStatus, Warning,
};
pub use positions::{FallStep, PositionStatus, Zone, ZoneTotal};

pub use served::{ServedStatus, not_ready};

/// How many positions a keeper publishes at most: those nearest to liquidation.
pub const MAX_POSITIONS: usize = 200;

/// How many rows of the missed-opportunity ledger it publishes at most: the latest.
pub const MAX_MISSED: usize = 100;

/// Everything an operator sees.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Status {
    /// What runs, where.
    pub keeper: Identity,
    /// When this was put together.
    pub updated_at: u64,
    /// The latest canonical block; `None` before the first one.
    pub head: Option<Head>,
    /// Whether the mirror has every block up to the head.
    pub synced: bool,
    /// The head that was last planned on to the end, bids handed to the sender included; behind `head` while that is under way.
    pub planned: Option<u64>,
    /// The circuit breaker.
    pub breaker: BreakerStatus,
    /// The backstop, where one is known.
    pub backstop: Option<BackstopStatus>,
    /// Each collateral, in the pool's order.
    pub collaterals: Vec<CollateralStatus>,
    /// Positions, the nearest to liquidation first; at most [`MAX_POSITIONS`].
    pub positions: Vec<PositionStatus>,
    /// Positions with debt in all.
    pub positions_total: u64,
    /// Debt in all.
    #[serde(deserialize_with = "figure")]
    pub debt_total: f64,
    /// All positions with debt, by zone.
    pub zones: BTreeMap<Zone, ZoneTotal>,
    /// Debt that falls at each price, per collateral in order of depth.
    pub falls: Vec<FallStep>,
    /// Bids that are not final yet.
    pub pending: Vec<PendingBid>,
    /// What was earned since the state directory was created.
    pub profit: Profit,
    /// Liquidations by others, the latest first; at most [`MAX_MISSED`].
    pub missed: Vec<MissedLiquidation>,
    /// Liquidations by others since the state directory was created, by reason.
    pub missed_total: BTreeMap<MissedReason, u64>,
    /// How true the mirror is.
    pub mirror: MirrorStatus,
    /// Nodes, in the configuration's order.
    pub rpc: Vec<RpcEndpoint>,
    /// The account that sends; `None` where a dry run has none.
    pub sender: Option<SenderStatus>,
    /// Supervised tasks.
    pub tasks: Vec<TaskStatus>,
    /// What somebody should look at.
    pub warnings: Vec<Warning>,
}

/// What runs, where.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// The program's version.
    pub version: String,
    /// EIP-155 number.
    pub chain_id: u64,
    /// The lending pool.
    pub pool: Address,
    /// The debt token's symbol, as its contract says it: not to be trusted.
    pub debt_symbol: String,
    /// When the process started.
    pub started_at: u64,
    /// Whether it plans and never sends.
    pub dry_run: bool,
}

/// A canonical block.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    /// Its number.
    pub number: u64,
    /// Its hash.
    pub hash: B256,
    /// What it says of its time.
    pub timestamp: u64,
    /// When it arrived, by this machine's clock: a head is fresh or stale by this, so that neither a chain whose time is
    /// ahead nor a node that repeats itself looks fresh.
    pub received_at: u64,
    /// Wei per gas.
    pub base_fee: u64,
}

impl Head {
    /// Seconds since it arrived; 0 if the clock was set back.
    #[must_use]
    pub const fn age(&self, now: u64) -> u64 {
        now.saturating_sub(self.received_at)
    }
}

impl Status {
    /// A keeper that has seen nothing yet.
    #[must_use]
    pub fn starting(keeper: Identity) -> Self {
        Self {
            updated_at: keeper.started_at,
            keeper,
            head: None,
            synced: false,
            planned: None,
            breaker: BreakerStatus::default(),
            backstop: None,
            collaterals: Vec::new(),
            positions: Vec::new(),
            positions_total: 0,
            debt_total: 0.0,
            zones: Zone::ALL
                .into_iter()
                .map(|zone| (zone, ZoneTotal::default()))
                .collect(),
            falls: Vec::new(),
            pending: Vec::new(),
            profit: Profit::default(),
            missed: Vec::new(),
            missed_total: MissedReason::ALL
                .into_iter()
                .map(|reason| (reason, 0))
                .collect(),
            mirror: MirrorStatus::default(),
            rpc: Vec::new(),
            sender: None,
            tasks: Vec::new(),
            warnings: Vec::new(),
        }
    }
}

/// Reads `null` as NaN: JSON has no other word for a figure that is not finite.
fn figure<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or(f64::NAN))
}

/// Seconds since 1970 by this machine's clock; 0 before.
#[must_use]
pub fn unix_now() -> u64 {
    std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .map_or(0, |elapsed| elapsed.as_secs())
}

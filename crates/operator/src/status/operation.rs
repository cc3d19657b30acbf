//! The keeper itself: bids, profit, misses, mirror, nodes, account, tasks.

use alloy_primitives::{Address, B256, U256};
use serde::{Deserialize, Serialize};

use super::figure;

/// How far a bid has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BidState {
    /// Written down and not yet sent.
    Prepared,
    /// Sent.
    Submitted,
    /// Sent again with higher fees.
    Replaced,
    /// Being taken back by an empty transaction of the same nonce.
    Cancelling,
    /// In a block that is not final.
    Included,
}

impl BidState {
    /// All of them, in order.
    pub const ALL: [Self; 5] = [
        Self::Prepared,
        Self::Submitted,
        Self::Replaced,
        Self::Cancelling,
        Self::Included,
    ];

    /// As served.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Prepared => "prepared",
            Self::Submitted => "submitted",
            Self::Replaced => "replaced",
            Self::Cancelling => "cancelling",
            Self::Included => "included",
        }
    }
}

/// A bid that is not final.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PendingBid {
    /// The sender's identifier of the order.
    pub order: String,
    /// What it does: `liquidate`, `settle`, `flag`, `record-depth`, `absorb`, `settle-by-backstop`, `observe-sale` or `buy-inventory`.
    pub action: String,
    /// Whose position; the policy or the backstop where it is nobody's.
    pub account: Address,
    /// Its nonce, once it has one.
    pub nonce: Option<u64>,
    /// The latest transaction, once there is one.
    pub transaction: Option<B256>,
    /// Most it pays, gwei per gas.
    #[serde(deserialize_with = "figure")]
    pub max_fee_gwei: f64,
    /// Tip, gwei per gas.
    #[serde(deserialize_with = "figure")]
    pub tip_gwei: f64,
    /// When the order was made, by this machine's clock.
    pub since: u64,
    /// How far it has come.
    pub state: BidState,
}

/// What was earned by final transactions; debt tokens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Profit {
    /// Before gas.
    #[serde(deserialize_with = "figure")]
    pub gross: f64,
    /// Gas of all transactions, reverted ones included.
    #[serde(deserialize_with = "figure")]
    pub gas: f64,
    /// Gross less gas.
    #[serde(deserialize_with = "figure")]
    pub net: f64,
    /// Transactions that succeeded.
    pub succeeded: u64,
    /// Transactions that reverted.
    pub reverted: u64,
}

/// Why a liquidation was not ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MissedReason {
    /// The mirror did not have the position as one that may be liquidated.
    Unseen,
    /// It did not pay by our terms.
    Unprofitable,
    /// We bid and another was first.
    Outbid,
    /// Our transaction failed.
    Reverted,
    /// We waited for the breaker.
    Breaker,
    /// We waited for a turn, a bonus or the bucket.
    Waiting,
    /// We were not synced, out of funds, at the gas limit or on a dry run.
    Unready,
}

impl MissedReason {
    /// All of them, in order.
    pub const ALL: [Self; 7] = [
        Self::Unseen,
        Self::Unprofitable,
        Self::Outbid,
        Self::Reverted,
        Self::Breaker,
        Self::Waiting,
        Self::Unready,
    ];

    /// As served.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unseen => "unseen",
            Self::Unprofitable => "unprofitable",
            Self::Outbid => "outbid",
            Self::Reverted => "reverted",
            Self::Breaker => "breaker",
            Self::Waiting => "waiting",
            Self::Unready => "unready",
        }
    }
}

/// A liquidation by somebody else.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MissedLiquidation {
    /// In which block.
    pub block: u64,
    /// That block's time.
    pub timestamp: u64,
    /// By which transaction.
    pub transaction: B256,
    /// Whose position.
    pub account: Address,
    /// By whom.
    pub liquidator: Address,
    /// Which collateral; its symbol, not to be trusted.
    pub collateral: String,
    /// Debt tokens repaid.
    #[serde(deserialize_with = "figure")]
    pub repaid: f64,
    /// Collateral tokens seized.
    #[serde(deserialize_with = "figure")]
    pub seized: f64,
    /// The bonus it got.
    #[serde(deserialize_with = "figure")]
    pub bonus: f64,
    /// Why it was not ours.
    pub reason: MissedReason,
    /// More about that; may be empty.
    pub detail: String,
}

/// How true the mirror is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MirrorStatus {
    /// Accounts it holds.
    pub accounts: u64,
    /// Greatest difference that an audit found between the mirror and the pool's views, wei. Must be 0.
    pub drift: U256,
    /// Accounts audited since the process started.
    pub audited: u64,
    /// When the last audit ended.
    pub last_audit: Option<u64>,
    /// Reorganisations since the process started.
    pub reorgs: u64,
    /// The deepest of them, blocks.
    pub deepest_reorg: u64,
}

/// One node.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RpcEndpoint {
    /// Its address by [`crate::config::redacted`], without credentials.
    pub name: String,
    /// Whether it is used: it answers, on the right chain, with a fresh head.
    pub healthy: bool,
    /// Requests since the process started.
    pub requests: u64,
    /// Of those, failed ones.
    pub failures: u64,
    /// Typical time of an answer, seconds; `None` before the first.
    pub latency: Option<f64>,
}

/// The account that sends.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct SenderStatus {
    /// Its address.
    pub address: Address,
    /// Whether its key is there and nobody else holds its lock.
    pub unlocked: bool,
    /// Native tokens.
    #[serde(deserialize_with = "figure")]
    pub balance: f64,
    /// The next nonce.
    pub nonce: u64,
}

/// A supervised task.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskStatus {
    /// Its name.
    pub name: String,
    /// Whether it runs.
    pub alive: bool,
    /// When it last got something done.
    pub last_progress: Option<u64>,
}

/// Something somebody should look at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Warning {
    /// Since when.
    pub since: u64,
    /// What, and what to do about it.
    pub text: String,
}

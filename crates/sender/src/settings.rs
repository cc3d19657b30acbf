//! Settings of a sender, and the heads that drive it.

use std::path::PathBuf;
use std::time::Duration;

use alloy_primitives::{B256, U256};

use crate::StageHook;

/// Blocks on top of an inclusion after which it is taken as settled. Ethereum finalises two epochs, 64 slots, behind the head.
pub const FINAL_DEPTH: u64 = 64;

/// Settings of a [`crate::Sender`].
#[derive(Clone, Debug)]
pub struct Settings {
    /// The journal, an SQLite file; made if it does not exist. It belongs to one account on one chain.
    pub journal: PathBuf,
    /// Directory of the lock files that keep two processes with one key apart. It has to be the same for every
    /// process of this user, whatever its other settings: [`Settings::user_lock_dir`] unless the chain is private
    /// to the process, as a test's is.
    pub lock_dir: PathBuf,
    /// The chain; the provider must agree.
    pub chain_id: u64,
    /// Blocks for which the transaction that is next in line may stay out before it is replaced.
    pub stuck_after: u64,
    /// Orders that may be under way at once; beyond it [`crate::SubmitError::Full`].
    pub max_in_flight: usize,
    /// Longest wait for one answer of the provider.
    pub request_timeout: Duration,
    /// Longest wait, after cancellation, for what is in flight to be included.
    pub shutdown_grace: Duration,
    /// Balance in wei below which the status calls the balance low.
    pub low_balance: U256,
    /// Most that a transfer which takes back an order or fills a nonce may offer, wei per gas, where one step (an eighth) above what it
    /// replaces or unblocks is less. It costs little, and a nonce that is stuck holds up all orders after it.
    pub cancel_ceiling: u128,
    /// Called around every durable write; for tests that kill the process there.
    pub stage_hook: Option<StageHook>,
}

impl Settings {
    /// Settings with the defaults: replaced after 3 blocks, 16 in flight, 10 s a request, 30 s of grace, no low balance,
    /// cancellations at most one step above what they cancel.
    #[must_use]
    pub fn new(journal: PathBuf, lock_dir: PathBuf, chain_id: u64) -> Self {
        Self {
            journal,
            lock_dir,
            chain_id,
            stuck_after: 3,
            max_in_flight: 16,
            request_timeout: Duration::from_secs(10),
            shutdown_grace: Duration::from_secs(30),
            low_balance: U256::ZERO,
            cancel_ceiling: 0,
            stage_hook: None,
        }
    }

    /// The lock directory shared by all processes of this user, `~/.local/state/breakwater/locks`. It takes nothing
    /// but the home directory into account on purpose: two processes started with different environments must meet.
    /// `None` if the user has no home.
    #[must_use]
    pub fn user_lock_dir() -> Option<PathBuf> {
        std::env::home_dir().map(|home| home.join(".local/state/breakwater/locks"))
    }
}

/// A canonical block, as the follower sees it: the sender's only clock and the anchor of all its reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    /// Block number.
    pub number: u64,
    /// Block hash.
    pub hash: B256,
    /// Unix seconds.
    pub timestamp: u64,
    /// Base fee of the block after it, in wei per gas, as this one's gas determines it (EIP-1559): nothing that offers less is in that
    /// block. An estimate that is off delays replacements until `stuck_after`, or has them made early.
    pub next_base_fee: u128,
}

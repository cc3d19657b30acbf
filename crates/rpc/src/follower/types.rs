//! What the follower is told and what it tells.

use std::time::Duration;

use alloy::rpc::types::Log;
use alloy_primitives::{Address, B256};
use serde::{Deserialize, Serialize};

use crate::RpcError;

/// How many blocks back a chain may change its mind: deeper than any that a public chain has, and what the mirror can undo.
pub const MAX_REORG: u64 = 64;

/// A block's place in a chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct BlockRef {
    /// Height.
    pub number: u64,
    /// Hash.
    pub hash: B256,
}

/// A canonical block with the logs of the watched addresses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Block {
    /// Height.
    pub number: u64,
    /// Hash.
    pub hash: B256,
    /// The block before it: in [`Update::Block`] always the one told before.
    pub parent_hash: B256,
    /// Unix seconds.
    pub timestamp: u64,
    /// Wei a unit of gas; `None` before EIP-1559.
    pub base_fee: Option<u64>,
    /// Gas.
    pub gas_used: u64,
    /// Gas.
    pub gas_limit: u64,
    /// By log index, all of this block's hash.
    pub logs: Vec<Log>,
}

impl Block {
    /// Its place.
    #[must_use]
    pub const fn block_ref(&self) -> BlockRef {
        BlockRef {
            number: self.number,
            hash: self.hash,
        }
    }
}

/// A block of the back-fill: only what its logs say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoggedBlock {
    /// Its place.
    pub block: BlockRef,
    /// Unix seconds.
    pub timestamp: u64,
    /// By log index, never empty.
    pub logs: Vec<Log>,
}

/// A stretch of the chain that is too old to change, told at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Range {
    /// First height, the one after the block told before.
    pub from: u64,
    /// The blocks with logs of the watched addresses, ascending; often none.
    pub blocks: Vec<LoggedBlock>,
    /// The stretch's last block, whose `logs` are in `blocks` too (here empty).
    pub last: Block,
}

/// What happened to the chain, in order: applied one after the other they leave exactly the canonical logs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Update {
    /// Old blocks, at once. At most [`MAX_REORG`] blocks behind the head they are told one by one.
    Range(Range),
    /// The next block.
    Block(Block),
    /// All blocks after `to` are gone; those of the new branch follow. `to` is a block told before, or the checkpoint or one
    /// of its recent blocks.
    Rewind {
        /// The last block that remains.
        to: BlockRef,
    },
    /// Caught up: the blocks told reach a head seen by the node. Told once after each catching up of more than one block,
    /// and at start.
    Live {
        /// That head.
        head: BlockRef,
    },
    /// No new head for longer than the configuration's `stall_after`. A block, a range or a rewind ends it.
    Stalled {
        /// How long ago the last new head was seen.
        since: Duration,
    },
}

/// Where to start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Start {
    /// With this block's logs as the first (a deployment's block).
    Block(u64),
    /// After a block that was applied before, which a [`Update::Rewind`] corrects if it is no longer canonical.
    Checkpoint {
        /// The last block applied.
        last: BlockRef,
        /// Blocks before it that can be gone back to, any order, at most [`MAX_REORG`] deep.
        recent: Vec<BlockRef>,
    },
}

/// What to follow.
#[derive(Clone, Debug)]
pub struct FollowerConfig {
    /// Whose logs.
    pub addresses: Vec<Address>,
    /// Where to start.
    pub start: Start,
    /// The chain's block time, for the pace of polling.
    pub slot: Duration,
    /// Without a new head for this long the follower tells [`Update::Stalled`].
    pub stall_after: Duration,
    /// The longest range of logs to ask for at once, blocks; shortened by itself where a node refuses.
    pub max_range: u64,
    /// How many updates may wait to be taken.
    pub capacity: usize,
}

impl FollowerConfig {
    /// Follows `addresses` from `start` on a chain with a block every `slot`: stalled after 5 slots (at least 5 s), ranges up
    /// to 10,000 blocks, 256 waiting updates.
    #[must_use]
    pub fn new(addresses: Vec<Address>, start: Start, slot: Duration) -> Self {
        Self {
            addresses,
            start,
            slot,
            stall_after: (slot * 5).max(Duration::from_secs(5)),
            max_range: 10_000,
            capacity: 256,
        }
    }
}

/// Why a follower ended.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FollowError {
    /// The chain left the known blocks behind deeper than can be undone.
    #[error(
        "the chain has none of the {known} blocks known between {oldest} and {last}: it was reorganised more than \
         {MAX_REORG} blocks deep, or the state is another chain's. What was built from them has to be built again, from the \
         deployment block"
    )]
    TooDeep {
        /// The last block that was applied.
        last: u64,
        /// The oldest that was compared.
        oldest: u64,
        /// How many were compared.
        known: usize,
    },
    /// The node gives no range, however short, for a reason that repeating will not change.
    #[error("logs of block {block} cannot be had: {cause}")]
    Unavailable {
        /// The block.
        block: u64,
        /// The node's answer.
        cause: RpcError,
    },
    /// Nothing to do with a chain: the configuration.
    #[error("{0}")]
    Config(&'static str),
}

/// How a follower ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ended {
    /// The token was cancelled.
    Cancelled,
    /// Nobody takes its updates any more.
    ReceiverClosed,
    /// It cannot go on.
    Failed(FollowError),
}

//! What can be wrong with what a mirror is fed.

use alloy_primitives::{Address, B256};

use crate::accrual::RateParametersInvalid;
use crate::policy::UnexpectedEvent;

/// Why a mirror refused. It is as it was before.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum MirrorError {
    /// The description is no pool's.
    #[error(transparent)]
    Rate(#[from] RateParametersInvalid),
    /// The block does not follow the head.
    #[error(
        "block {number} on {parent} does not follow the mirror's head {head} ({head_hash}): rewind to a common block first"
    )]
    NotNext {
        /// The block's height.
        number: u64,
        /// The hash of the block it was built on.
        parent: B256,
        /// The head's height.
        head: u64,
        /// The head's hash.
        head_hash: B256,
    },
    /// A range's blocks are not ascending, or not after the head.
    #[error("block {number} is out of order in a range after block {previous} up to block {last}")]
    RangeOrder {
        /// The block's height.
        number: u64,
        /// The height before it.
        previous: u64,
        /// The range's end.
        last: u64,
    },
    /// The mirror cannot go back to this block.
    #[error(
        "block {number} ({hash}) is none of the blocks {oldest} to {head} that the mirror can go back to: rebuild it from a \
         snapshot of before, or from the pool's deployment"
    )]
    UnknownBlock {
        /// Its height.
        number: u64,
        /// Its hash.
        hash: B256,
        /// The oldest height that can be gone back to.
        oldest: u64,
        /// The head's height.
        head: u64,
    },
    /// A log is not what the contracts emit.
    #[error("log {index} of block {block}, emitted by {emitter}: {source}")]
    Log {
        /// The block's height.
        block: u64,
        /// The log's place among those given.
        index: usize,
        /// Who emitted it.
        emitter: Address,
        /// What is wrong.
        #[source]
        source: LogError,
    },
}

/// What is wrong with a log.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum LogError {
    /// No event of the contract, or not encoded as one.
    #[error("no event that this version knows (first topic {topic}): {reason}")]
    Undecodable {
        /// The first topic; zero without one.
        topic: B256,
        /// The decoder's reason.
        reason: String,
    },
    /// A number beyond what the pool stores.
    #[error("{field} is {value}, beyond what the pool stores")]
    OutOfRange {
        /// The field.
        field: &'static str,
        /// Its value.
        value: String,
    },
    /// The log contradicts those before it: logs are missing, or the node lies.
    #[error("{what}: logs before it are missing or wrong")]
    Contradiction {
        /// What does not fit.
        what: &'static str,
    },
    /// An event of the policy that says what it never stores.
    #[error(transparent)]
    Policy(#[from] UnexpectedEvent),
}

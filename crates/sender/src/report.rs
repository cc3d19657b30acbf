//! What the sender tells its caller.

use alloy_primitives::{Address, B256, U256};

use crate::{Alarm, Head};

/// News of the sender. Delivered at least once: a restart repeats what is not final; [`crate::Handle::lookup`] tells
/// the state of any order at any time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Report {
    /// Something became of an order.
    Order {
        /// The order's id.
        id: B256,
        /// The order's label.
        label: String,
        /// What became of it.
        outcome: Outcome,
    },
    /// The sender signs nothing any more; see [`Alarm`].
    Alarm(Alarm),
}

/// What became of an order. Until [`Outcome::Final`] (or [`Outcome::Expired`]) a reorg may take it back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// A node acknowledged the order's first transaction.
    Broadcast {
        /// Its hash.
        hash: B256,
        /// Its nonce.
        nonce: u64,
    },
    /// Replaced at higher fees; the order lives on.
    Replaced {
        /// Hash of what was offered before.
        old: B256,
        /// Hash of what is offered now.
        new: B256,
        /// Its `maxFeePerGas`, in wei.
        max_fee_per_gas: u128,
    },
    /// In a block. Whether the call succeeded is in the inclusion.
    Included(Inclusion),
    /// The block that it was in left the chain; it is in flight again.
    Reorged {
        /// Number of the block that left.
        block_number: u64,
    },
    /// Ran out before it was signed. Nothing was ever sent.
    Expired,
    /// Given up: a transfer that cancels it is being sent at its nonce. The order may still win the race.
    Cancelling(Cause),
    /// The cancelling transfer is in a block: the order will not be. The inclusion is the transfer's.
    Cancelled(Cause, Inclusion),
    /// The nonce was taken by a transaction that this journal does not know: the order will not be included. An
    /// [`Alarm`] follows.
    Dropped {
        /// The nonce.
        nonce: u64,
        /// The transaction that took it, if it was found.
        foreign: Option<B256>,
    },
    /// The last inclusion or drop reported (the order's, its cancellation's or the stranger's) is [`crate::FINAL_DEPTH`] blocks deep.
    Final,
}

/// Why an order was given up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cause {
    /// Chain time passed its `valid_until`.
    Expired,
    /// A node refused the transaction for a reason that no waiting cures; its words.
    Rejected(String),
    /// It cannot pay the next block's base fee under its ceiling, and holds up an order at a later nonce that can.
    Outpriced,
}

/// Where and how a transaction was included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Inclusion {
    /// Transaction hash.
    pub hash: B256,
    /// Nonce.
    pub nonce: u64,
    /// Block number.
    pub block_number: u64,
    /// Block hash.
    pub block_hash: B256,
    /// Whether the call succeeded.
    pub success: bool,
    /// Gas used.
    pub gas_used: u64,
    /// Wei per gas paid.
    pub effective_gas_price: u128,
}

/// Where an order stands, by the journal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OrderState {
    /// Accepted, without a nonce.
    Planned,
    /// Signed at this nonce, perhaps broadcast, in no block known.
    InFlight {
        /// The nonce.
        nonce: u64,
    },
    /// Given up, the cancelling transfer is in flight.
    Cancelling(Cause),
    /// In a block.
    Included(Inclusion),
    /// In a block [`crate::FINAL_DEPTH`] deep.
    Final(Inclusion),
    /// Its cancellation is in a block.
    Cancelled {
        /// Why it was given up.
        cause: Cause,
        /// The cancelling transfer's.
        inclusion: Inclusion,
        /// [`crate::FINAL_DEPTH`] blocks deep: before that, a reorg may bring the order back.
        is_final: bool,
    },
    /// Ran out before it was signed.
    Expired,
    /// Its nonce was taken by somebody else.
    Dropped {
        /// [`crate::FINAL_DEPTH`] blocks deep: before that, a reorg may bring the order back.
        is_final: bool,
    },
}

/// A snapshot of the sender.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    /// The account.
    pub address: Address,
    /// The last head that was given.
    pub head: Option<Head>,
    /// Nonce of the next new order.
    pub next_nonce: u64,
    /// Transactions the chain has of the account at the last head that was read.
    pub chain_nonce: Option<u64>,
    /// Balance in wei at the last head that was read.
    pub balance: Option<U256>,
    /// The balance is below `Settings::low_balance` or does not cover what is in flight and planned.
    pub balance_low: bool,
    /// What is planned or in flight, by nonce; planned orders last.
    pub in_flight: Vec<InFlight>,
    /// Set once the sender signs nothing any more.
    pub alarm: Option<Alarm>,
    /// The last error of the provider, cleared by the next success.
    pub provider_error: Option<String>,
}

/// One nonce (or planned order) under way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InFlight {
    /// The order; `None` for a transfer that fills a gap.
    pub id: Option<B256>,
    /// The order's label.
    pub label: String,
    /// The nonce, once signed.
    pub nonce: Option<u64>,
    /// Hash of what is offered now.
    pub hash: Option<B256>,
    /// `maxFeePerGas` of what is offered now, in wei.
    pub max_fee_per_gas: u128,
    /// How many transactions were signed for the nonce.
    pub attempts: u32,
    /// Whether a transfer that cancels it is what is offered.
    pub cancelling: bool,
}

/// How a sender ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stopped {
    /// Orders still under way; the next start on the same journal goes on with them.
    pub handed_over: usize,
}

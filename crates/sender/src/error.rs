//! Errors, each for a caller to act on.

use std::io;
use std::path::PathBuf;

use alloy_primitives::{Address, B256};
use thiserror::Error;

use crate::{OrderError, OrderState};

/// The sender could not start. Nothing was sent.
#[derive(Debug, Error)]
#[allow(missing_docs, reason = "the message says what each value is")]
pub enum StartError {
    #[error(transparent)]
    Lock(#[from] LockError),
    #[error(transparent)]
    Journal(#[from] JournalError),
    #[error("the provider serves chain {found}, the settings say {expected}")]
    WrongChain { expected: u64, found: u64 },
    #[error("the provider did not answer {request} at start: {message}")]
    Provider {
        request: &'static str,
        message: String,
    },
    #[error(
        "the provider counts {latest} transactions of the account, with the pool's {pending}: more than {most} cannot \
         be pending"
    )]
    Pending {
        latest: u64,
        pending: u64,
        most: u64,
    },
}

/// Another process has the account or the journal.
#[derive(Debug, Error)]
#[allow(missing_docs, reason = "the message says what each value is")]
pub enum LockError {
    #[error(
        "another process (pid {holder}) is sending for {address} on chain {chain_id}: one key serves one process; \
         stop it first (lock file {path})"
    )]
    Account {
        address: Address,
        chain_id: u64,
        holder: String,
        path: PathBuf,
    },
    #[error("another process (pid {holder}) has the journal open (lock file {path})")]
    Journal { holder: String, path: PathBuf },
    #[error("cannot use the lock file {path}: {source}")]
    Io { path: PathBuf, source: io::Error },
}

/// The journal cannot be used. The sender does not sign without it.
#[derive(Debug, Error)]
#[allow(missing_docs, reason = "the message says what each value is")]
pub enum JournalError {
    #[error("journal {path}: {source}")]
    Sqlite {
        path: PathBuf,
        source: rusqlite::Error,
    },
    #[error(
        "journal {path} is damaged: {what}; restore it or settle the account by hand before a new one is made"
    )]
    Corrupt { path: PathBuf, what: String },
    #[error("journal {path} has schema {found}, this program reads {expected}")]
    Schema {
        path: PathBuf,
        found: i64,
        expected: i64,
    },
    #[error("journal {path} belongs to {what} {found}, not to {expected}")]
    Belongs {
        path: PathBuf,
        what: &'static str,
        found: String,
        expected: String,
    },
    #[error("journal directory {path}: {source}")]
    Io { path: PathBuf, source: io::Error },
}

/// An order was not taken.
#[derive(Debug, Error)]
#[allow(missing_docs, reason = "the message says what each value is")]
pub enum SubmitError {
    #[error("order {id} was taken before and is {state:?}")]
    Duplicate { id: B256, state: OrderState },
    #[error("{limit} orders are under way, no more are taken")]
    Full { limit: usize },
    #[error("the sender is shutting down or has ended")]
    ShuttingDown,
    #[error("{max_fee} wei per gas does not pay the next block's base fee {base_fee}")]
    FeeTooLow { max_fee: u128, base_fee: u128 },
    #[error("valid until {valid_until}, the chain is at {now}")]
    Expired { valid_until: u64, now: u64 },
    #[error("the order is not valid: {0}")]
    Invalid(#[from] OrderError),
    #[error("the sender signs nothing any more: {0}")]
    Halted(Alarm),
}

/// The sender has ended and answers nothing any more: what it knows, the next start on its journal says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("the sender has ended")]
pub struct SenderEnded;

/// Why the sender signs nothing any more while it runs. A person has to look; after that a restart goes on.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[allow(missing_docs, reason = "the message says what each value is")]
pub enum Alarm {
    #[error(
        "nonce {nonce} of {address} was used by {}, which this journal never signed: another process or machine has \
         the key", foreign.map_or_else(|| "a transaction that could not be found".to_owned(), |hash| hash.to_string())
    )]
    ForeignNonce {
        address: Address,
        nonce: u64,
        foreign: Option<B256>,
    },
    #[error(
        "the chain has used {chain} nonces of {address}, ours go up to {ours} with too many unused between: the \
         provider lied about one of them, or the chain was replaced"
    )]
    NonceGap {
        address: Address,
        chain: u64,
        ours: u64,
    },
}

/// The sender's task ended by an error. What it signed is in the journal; a restart goes on.
#[derive(Debug, Error)]
#[allow(missing_docs, reason = "the message says what each value is")]
pub enum Failure {
    #[error(transparent)]
    Journal(#[from] JournalError),
    #[error("signing failed: {0}")]
    Signer(String),
}

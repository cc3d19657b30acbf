//! How a deployment can fail.

use std::time::Duration;

use alloy::transports::TransportError;
use alloy_primitives::{Address, B256, U256};

use crate::manifest::ManifestError;
use crate::verify::Mismatch;

/// Why a system was not deployed, or is not what was planned. What is on chain stays; running again continues.
#[derive(Debug, thiserror::Error)]
pub enum DeployError {
    /// The RPC's address is not one.
    #[error("the RPC's address must begin with http:// or https://: {reason}")]
    Url {
        /// What is wrong with it.
        reason: String,
    },
    /// The RPC did not answer, or with an error of its own.
    #[error("{during}: the RPC failed: {source}")]
    Rpc {
        /// What was asked.
        during: String,
        /// Why.
        source: TransportError,
    },
    /// The RPC answered something else than asked.
    #[error("{during}: the RPC answered {found}, expected {expected}")]
    Answer {
        /// What was asked.
        during: String,
        /// What was expected.
        expected: String,
        /// What came.
        found: String,
    },
    /// The RPC is of another chain than the configuration.
    #[error("the configuration is of chain {expected}, the RPC of chain {found}")]
    WrongChain {
        /// The configuration's.
        expected: u64,
        /// The RPC's.
        found: u64,
    },
    /// The chain lacks the contract through which all others are created.
    #[error(
        "the chain has no deterministic deployment proxy at {address}; place it first \
         (github.com/Arachnid/deterministic-deployment-proxy), every local anvil has it"
    )]
    FactoryMissing {
        /// Where it belongs.
        address: Address,
    },
    /// Other code stands where the factory belongs.
    #[error("{address} is not the deterministic deployment proxy: its code has the hash {found}")]
    FactoryForeign {
        /// Where it belongs.
        address: Address,
        /// The code's hash.
        found: B256,
    },
    /// The plan contradicts itself.
    #[error("the plan cannot be deployed: {0}")]
    Plan(String),
    /// A contract refuses a step.
    #[error("{step}: refused: {reason}")]
    Refused {
        /// The step.
        step: String,
        /// What the contract said.
        reason: String,
    },
    /// A transaction was included and failed.
    #[error("{step}: transaction {hash} failed in block {block}")]
    Failed {
        /// The step.
        step: String,
        /// The transaction.
        hash: B256,
        /// The block.
        block: u64,
    },
    /// A transaction succeeded and its effect is not there.
    #[error(
        "{step}: transaction {hash} succeeded, but the chain does not show its effect; is the RPC behind?"
    )]
    NoEffect {
        /// The step.
        step: String,
        /// The transaction.
        hash: B256,
    },
    /// A step was done, and some blocks later is not.
    #[error("{step}: a reorganisation took it back; run again to continue")]
    TakenBack {
        /// The step.
        step: String,
    },
    /// A transaction was not included in time.
    #[error("{step}: transaction {hash} was not included within {waited:?}; run again to continue")]
    NotIncluded {
        /// The step.
        step: String,
        /// The transaction.
        hash: B256,
        /// How long.
        waited: Duration,
    },
    /// Transactions of the account from before are not included.
    #[error(
        "{count} earlier transactions of {account} are still pending after {waited:?}; run again when they are included or replaced"
    )]
    InFlight {
        /// The account.
        account: Address,
        /// How many.
        count: u64,
        /// How long was waited.
        waited: Duration,
    },
    /// The account cannot pay for the rest of the plan.
    #[error(
        "{account} holds {balance} wei; the remaining {gas} gas may cost {needed} wei at {fee} wei a gas"
    )]
    InsufficientFunds {
        /// The account.
        account: Address,
        /// Wei held.
        balance: U256,
        /// Wei that may be needed.
        needed: U256,
        /// Gas left to spend.
        gas: u64,
        /// Wei a gas, at most.
        fee: u128,
    },
    /// What is on chain differs from the plan.
    #[error("the system on chain is not the one planned: {}", list(.0))]
    Mismatches(Vec<Mismatch>),
    /// The manifest.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
}

fn list(mismatches: &[Mismatch]) -> String {
    let lines: Vec<_> = mismatches.iter().map(ToString::to_string).collect();
    lines.join("; ")
}

//! What goes into a chain and what comes out, free of any engine's types.

use alloy_primitives::{Address, B256, Bytes, Log, U256};
use alloy_sol_types::SolInterface;
use breakwater_bindings::describe_revert;
use thiserror::Error;

/// The header fields that contracts can see.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BlockEnvironment {
    /// Height.
    pub number: u64,
    /// Unix seconds.
    pub timestamp: u64,
    /// Wei per gas.
    pub base_fee: u64,
    /// No transaction may ask for more. Filling a block up to it is the block builder's business, not the engine's.
    pub gas_limit: u64,
    /// Receives the tips, where fees are charged.
    pub coinbase: Address,
    /// What the `PREVRANDAO` opcode answers.
    pub prevrandao: B256,
    /// The hash of the block before it; `None` for the one that the rules give it.
    pub parent_hash: Option<B256>,
}

impl Default for BlockEnvironment {
    /// Block 0 at time 0 with a gas limit of 36 million and no base fee.
    fn default() -> Self {
        Self {
            number: 0,
            timestamp: 0,
            base_fee: 0,
            gas_limit: 36_000_000,
            coinbase: Address::ZERO,
            prevrandao: B256::ZERO,
            parent_hash: None,
        }
    }
}

/// A transaction without a signature: the chain takes `from` at its word.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transaction {
    /// The sender; may be a contract.
    pub from: Address,
    /// The callee; `None` creates a contract from `input`.
    pub to: Option<Address>,
    /// Calldata, or creation code with its arguments.
    pub input: Bytes,
    /// Wei sent along.
    pub value: U256,
    /// Gas.
    pub gas_limit: u64,
    /// Wei per gas, base fee included: what the `GASPRICE` opcode answers, and what is paid where fees are charged.
    pub gas_price: u128,
}

impl Transaction {
    /// A call without value at gas price 0, with 30 million gas.
    #[must_use]
    pub fn call(from: Address, to: Address, input: impl Into<Bytes>) -> Self {
        Self {
            from,
            to: Some(to),
            input: input.into(),
            value: U256::ZERO,
            gas_limit: 30_000_000,
            gas_price: 0,
        }
    }

    /// A contract creation without value at gas price 0, with 30 million gas.
    #[must_use]
    pub fn create(from: Address, creation_code: impl Into<Bytes>) -> Self {
        Self {
            from,
            to: None,
            input: creation_code.into(),
            value: U256::ZERO,
            gas_limit: 30_000_000,
            gas_price: 0,
        }
    }
}

/// How an execution ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It ran to its end.
    Success,
    /// A contract reverted; the data is in [`Execution::output`]. Unused gas was returned.
    Revert,
    /// The engine stopped it; all its gas is used.
    Halt(Halt),
}

/// Why an engine stopped an execution.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Halt {
    /// The gas limit was too low.
    OutOfGas,
    /// The sender does not have the value it sends.
    OutOfFunds,
    /// The contract to be created is over the code size limit.
    CodeSizeLimit,
    /// Anything else, in the engine's words.
    Other(String),
}

/// What an execution did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Execution {
    /// How it ended.
    pub outcome: Outcome,
    /// Gas used, refunds deducted.
    pub gas_used: u64,
    /// Return data, or revert data; the runtime code of a created contract; empty after a halt.
    pub output: Bytes,
    /// Events, in order; empty unless it succeeded.
    pub logs: Vec<Log>,
    /// The contract that was created.
    pub created: Option<Address>,
}

impl Execution {
    /// Whether it succeeded.
    #[must_use]
    pub fn is_success(&self) -> bool {
        self.outcome == Outcome::Success
    }

    /// The execution if it succeeded.
    ///
    /// # Errors
    /// [`CallError::Reverted`] and [`CallError::Halted`].
    pub fn into_success(self) -> Result<Self, CallError> {
        match self.outcome {
            Outcome::Success => Ok(self),
            Outcome::Revert => Err(CallError::Reverted {
                data: self.output,
                gas_used: self.gas_used,
            }),
            Outcome::Halt(halt) => Err(CallError::Halted {
                halt,
                gas_used: self.gas_used,
            }),
        }
    }
}

/// Why a chain could not execute at all. Nothing has changed.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum EvmError {
    /// The transaction may not be included in this block as it is.
    #[error("transaction from {from} is not valid in block {block}: {reason}")]
    InvalidTransaction {
        /// The sender.
        from: Address,
        /// The block.
        block: u64,
        /// The engine's words.
        reason: String,
    },
    /// The engine failed.
    #[error("the engine failed: {0}")]
    Engine(String),
}

/// Why a typed call has no result.
#[derive(Clone, Debug, PartialEq, Error)]
pub enum CallError {
    /// The chain could not execute it.
    #[error(transparent)]
    Evm(#[from] EvmError),
    /// A contract reverted.
    #[error("reverted: {}", describe_revert(.data).unwrap_or_else(|| .data.to_string()))]
    Reverted {
        /// The revert data.
        data: Bytes,
        /// Gas used.
        gas_used: u64,
    },
    /// The engine stopped it.
    #[error("halted: {halt:?}")]
    Halted {
        /// Why.
        halt: Halt,
        /// Gas used.
        gas_used: u64,
    },
    /// The return data is not what the call's type returns; a call to an address without code ends here too.
    #[error("undecodable return data: {0}")]
    Decode(#[from] alloy_sol_types::Error),
}

impl CallError {
    /// The revert data as one of a contract's errors, such as `LendingPool::LendingPoolErrors`.
    #[must_use]
    pub fn decode<E: SolInterface>(&self) -> Option<E> {
        match self {
            Self::Reverted { data, .. } => E::abi_decode(data).ok(),
            _ => None,
        }
    }
}

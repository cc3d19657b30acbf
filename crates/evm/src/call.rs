//! A typed call that knows where it goes.

use crate::{CallError, Chain, Transaction};
use alloy_primitives::Address;
use alloy_sol_types::SolCall;

/// A function with its arguments and the contract that it is for, yet without a sender: to be quoted by a what-if call,
/// sent in a block, or executed at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TypedCall<C> {
    /// The contract.
    pub to: Address,
    /// The function and its arguments.
    pub call: C,
}

impl<C: SolCall> TypedCall<C> {
    /// As a transaction of 30 million gas without value, at gas price 0.
    #[must_use]
    pub fn transaction(&self, from: Address) -> Transaction {
        Transaction::call(from, self.to, self.call.abi_encode())
    }

    /// What it would return now. Changes nothing.
    ///
    /// # Errors
    /// [`CallError`], with the revert data.
    pub fn what_if(&self, chain: &mut impl Chain, from: Address) -> Result<C::Return, CallError> {
        chain.call_sol(from, self.to, &self.call)
    }

    /// Executes it as a transaction.
    ///
    /// # Errors
    /// [`CallError`], with the revert data.
    pub fn execute(&self, chain: &mut impl Chain, from: Address) -> Result<C::Return, CallError> {
        chain.execute_sol(from, self.to, &self.call)
    }
}

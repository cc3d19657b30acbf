//! The trait through which everything reaches a chain, and its typed helpers.

use crate::{BlockEnvironment, CallError, EvmError, Execution, Transaction};
use alloy_primitives::{Address, Bytes, U256};
use alloy_sol_types::{SolCall, SolConstructor};

/// A chain that executes one transaction after another in the open block.
///
/// It never decides what enters a block, and it never signs.
pub trait Chain {
    /// Opens the next block, closing the one that is open.
    fn begin_block(&mut self, block: BlockEnvironment);

    /// Closes the open block: what it changed becomes committed state.
    fn end_block(&mut self);

    /// The block that is open, or was last.
    fn block(&self) -> &BlockEnvironment;

    /// Executes a transaction in the open block. A revert or a halt is an [`Execution`], not an error: the sender's nonce
    /// has moved, and fees have been paid where they are charged.
    ///
    /// # Errors
    /// [`EvmError`] if it could not be executed at all; then nothing has changed.
    fn execute(&mut self, transaction: &Transaction) -> Result<Execution, EvmError>;

    /// What [`Chain::execute`] would answer now, to the gas, after the block's transactions so far. Changes nothing.
    ///
    /// # Errors
    /// As [`Chain::execute`].
    fn call(&mut self, transaction: &Transaction) -> Result<Execution, EvmError>;

    /// Like [`Chain::call`] but without a transaction around it (no intrinsic gas, no nonce, gas price 0), which is
    /// cheaper: for reading.
    ///
    /// # Errors
    /// [`EvmError::Engine`].
    fn view(&mut self, from: Address, to: Address, input: Bytes) -> Result<Execution, EvmError>;

    /// A storage slot after the block's transactions so far. Neither warms the slot nor executes anything.
    ///
    /// # Errors
    /// [`EvmError::Engine`].
    fn storage(&self, address: Address, slot: U256) -> Result<U256, EvmError>;

    /// Wei held after the block's transactions so far.
    ///
    /// # Errors
    /// [`EvmError::Engine`].
    fn balance(&self, address: Address) -> Result<U256, EvmError>;

    /// Calls a function for its result, through [`Chain::view`]; changes nothing.
    ///
    /// # Errors
    /// [`CallError`], with the revert data.
    fn call_sol<C: SolCall>(
        &mut self,
        from: Address,
        to: Address,
        call: &C,
    ) -> Result<C::Return, CallError>
    where
        Self: Sized,
    {
        let execution = self
            .view(from, to, call.abi_encode().into())?
            .into_success()?;
        Ok(C::abi_decode_returns(&execution.output)?)
    }

    /// Executes a function as a transaction of 30 million gas without value, at gas price 0.
    ///
    /// # Errors
    /// [`CallError`], with the revert data.
    fn execute_sol<C: SolCall>(
        &mut self,
        from: Address,
        to: Address,
        call: &C,
    ) -> Result<C::Return, CallError>
    where
        Self: Sized,
    {
        let execution = self
            .execute(&Transaction::call(from, to, call.abi_encode()))?
            .into_success()?;
        Ok(C::abi_decode_returns(&execution.output)?)
    }

    /// Creates a contract from its creation code and its encoded constructor arguments (empty for none).
    ///
    /// # Errors
    /// [`CallError`], with the revert data.
    fn deploy(
        &mut self,
        from: Address,
        creation_code: &[u8],
        arguments: &[u8],
    ) -> Result<Address, CallError>
    where
        Self: Sized,
    {
        let input = [creation_code, arguments].concat();
        let execution = self
            .execute(&Transaction::create(from, input))?
            .into_success()?;
        execution
            .created
            .ok_or_else(|| EvmError::Engine("a creation answered no address".to_owned()).into())
    }

    /// [`Chain::deploy`] with a typed constructor call.
    ///
    /// # Errors
    /// As [`Chain::deploy`].
    fn deploy_sol<C: SolConstructor>(
        &mut self,
        from: Address,
        creation_code: &[u8],
        constructor: &C,
    ) -> Result<Address, CallError>
    where
        Self: Sized,
    {
        self.deploy(from, creation_code, &constructor.abi_encode())
    }
}

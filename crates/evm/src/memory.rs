//! The chain in this process: revm over [`Overlay`].

use crate::{
    BlockEnvironment, CallError, Chain, EvmError, Execution, Halt, Outcome, Transaction,
    jumps::{EngineContext, JumpCounter, instrument},
    read::{Memo, ReadOnly},
    recording::{Recording, Step},
    state::{BlockHashes, Layer, Overlay},
};
use alloy_primitives::{Address, B256, Bytes, TxKind, U256};
use alloy_sol_types::SolCall;
use revm::{
    ExecuteCommitEvm, ExecuteEvm, MainBuilder, MainnetEvm, SystemCallEvm,
    bytecode::Bytecode,
    context::{
        BlockEnv, CfgEnv, TxEnv,
        result::{EVMError, ExecutionResult, HaltReason, InvalidTransaction, Output, ResultGas},
    },
    context_interface::{
        ContextSetters, ContextTr, JournalTr, LocalContextTr, block::BlobExcessGasAndPrice,
        context::take_error,
    },
    handler::{EvmTr, FrameResult, Handler, SystemCallTx, post_execution},
    primitives::hardfork::SpecId,
};
use std::{collections::BTreeMap, convert::Infallible, fmt, sync::Arc};

/// The rules of an in-process chain. The hard fork is Cancun, as in `foundry.toml`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rules {
    /// What the `CHAINID` opcode answers.
    pub chain_id: u64,
    /// Whether senders pay for gas, the coinbase receives tips, and a gas price below the base fee is refused. Off, gas is
    /// still counted, so that a simulation may do the accounting itself.
    pub charge_fees: bool,
    /// Overrides EIP-170's limit of 24,576 bytes of code.
    pub code_size_limit: Option<usize>,
    /// The hash of block n is keccak256(seed, n), unless the next block says another; see [`BlockEnvironment::parent_hash`].
    pub block_hash_seed: B256,
}

impl Default for Rules {
    /// Chain 31337, no fees, EIP-170's limit, seed zero.
    fn default() -> Self {
        Self {
            chain_id: 31_337,
            charge_fees: false,
            code_size_limit: None,
            block_hash_seed: B256::ZERO,
        }
    }
}

/// A frozen state with the rules and the block it was taken in. Cheap to clone and to share between threads; every
/// [`Snapshot::chain`] is an independent path from it.
#[derive(Clone, Debug)]
pub struct Snapshot {
    base: Arc<Layer>,
    rules: Rules,
    block: BlockEnvironment,
    hashes: Arc<BlockHashes>,
}

impl Snapshot {
    /// A new path from this state. Copies no account.
    #[must_use]
    pub fn chain(&self) -> MemoryChain {
        MemoryChain::over(self.overlay(), &self.rules, self.block.clone())
    }

    fn overlay(&self) -> Overlay {
        Overlay::new(self.base.clone(), self.rules.block_hash_seed).knowing(self.hashes.clone())
    }

    /// The same state under other rules, such as another seed of block hashes.
    #[must_use]
    pub fn with_rules(mut self, rules: Rules) -> Self {
        self.rules = rules;
        self
    }

    /// The rules its chains run under.
    #[must_use]
    pub const fn rules(&self) -> &Rules {
        &self.rules
    }

    /// The block that was open, or was last.
    #[must_use]
    pub const fn block(&self) -> &BlockEnvironment {
        &self.block
    }

    /// Every account, by address: for another engine to start from.
    #[must_use]
    pub fn accounts(&self) -> BTreeMap<Address, AccountState> {
        self.overlay()
            .accounts()
            .map(|(address, info, storage)| {
                let account = AccountState {
                    balance: info.balance,
                    nonce: info.nonce,
                    code: info
                        .code
                        .as_ref()
                        .map(Bytecode::original_bytes)
                        .unwrap_or_default(),
                    storage: storage.into_iter().collect(),
                };
                (address, account)
            })
            .collect()
    }
}

/// An account as it is stored.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AccountState {
    /// Wei.
    pub balance: U256,
    /// Transactions and contract creations that it has sent.
    pub nonce: u64,
    /// Runtime code; empty for none.
    pub code: Bytes,
    /// Slots that are not zero.
    pub storage: BTreeMap<U256, U256>,
}

pub(crate) type Engine = MainnetEvm<EngineContext>;
pub(crate) type EngineError = EVMError<Infallible, InvalidTransaction>;

/// A chain in this process. It stays on its thread; what moves between threads is a [`Snapshot`].
pub struct MemoryChain {
    evm: Engine,
    rules: Rules,
    block: BlockEnvironment,
    recording: Option<Recording>,
    memo: Memo,
}

impl fmt::Debug for MemoryChain {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("MemoryChain")
            .field("rules", &self.rules)
            .field("block", &self.block)
            .finish()
    }
}

impl MemoryChain {
    /// An empty chain.
    #[must_use]
    pub fn new(rules: Rules) -> Self {
        Snapshot {
            base: Arc::default(),
            rules,
            block: BlockEnvironment::default(),
            hashes: Arc::default(),
        }
        .chain()
    }

    fn over(state: Overlay, rules: &Rules, block: BlockEnvironment) -> Self {
        let mut configuration = CfgEnv::new_with_spec(SpecId::CANCUN).with_chain_id(rules.chain_id);
        configuration.tx_chain_id_check = false;
        configuration.disable_nonce_check = true;
        configuration.disable_eip3607 = true;
        configuration.disable_fee_charge = !rules.charge_fees;
        configuration.disable_base_fee = !rules.charge_fees;
        configuration.limit_contract_code_size = rules.code_size_limit;
        let evm = EngineContext::new(state, SpecId::CANCUN)
            .with_cfg(configuration)
            .with_block(engine_block(&block))
            .build_mainnet();
        Self {
            evm,
            rules: rules.clone(),
            block,
            recording: None,
            memo: Memo::default(),
        }
    }

    /// Freezes the state as it is now, the open block's transactions included, and returns it. The chain goes on from
    /// there. Costs what was written since the last snapshot, plus an amortised merge; what lies below is shared.
    pub fn snapshot(&mut self) -> Snapshot {
        let overlay = self.flushed();
        let (base, hashes) = (overlay.freeze(), overlay.hashes());
        Snapshot {
            base,
            hashes,
            rules: self.rules.clone(),
            block: self.block.clone(),
        }
    }

    /// An independent copy of this chain: [`MemoryChain::snapshot`] and a path from it.
    pub fn fork(&mut self) -> Self {
        self.snapshot().chain()
    }

    /// Sets an account's wei.
    pub fn set_balance(&mut self, address: Address, wei: U256) {
        self.memo.forget();
        self.flushed()
            .modify_info(address, |info| info.balance = wei);
    }

    /// Puts runtime code at an address; its storage stays.
    pub fn set_code(&mut self, address: Address, code: Bytes) {
        self.memo.forget();
        let code = Bytecode::new_legacy(code);
        self.flushed().modify_info(address, |info| {
            info.code_hash = code.hash_slow();
            info.code = Some(code);
        });
    }

    /// Writes a storage slot.
    pub fn set_storage(&mut self, address: Address, slot: U256, value: U256) {
        self.memo.forget();
        self.flushed().set_slot(address, slot, value);
    }

    /// The runtime code at an address.
    #[must_use]
    pub fn code(&self, address: Address) -> Bytes {
        let (state, journal) = self.evm.ctx.journaled_state.db_and_state();
        let info = journal
            .get(&address)
            .map(|account| &account.info)
            .or_else(|| state.info(address));
        info.and_then(|info| info.code.as_ref())
            .map(Bytecode::original_bytes)
            .unwrap_or_default()
    }

    /// Transactions and contract creations that an account has sent.
    #[must_use]
    pub fn nonce(&self, address: Address) -> u64 {
        let (state, journal) = self.evm.ctx.journaled_state.db_and_state();
        let info = journal
            .get(&address)
            .map(|account| &account.info)
            .or_else(|| state.info(address));
        info.map_or(0, |info| info.nonce)
    }

    /// What the `CHAINID` opcode answers.
    #[must_use]
    pub const fn chain_id(&self) -> u64 {
        self.rules.chain_id
    }

    /// What the `BLOCKHASH` opcode answers for a block that it still knows.
    #[must_use]
    pub fn block_hash(&self, number: u64) -> B256 {
        self.evm.ctx.journaled_state.database.hash_of(number)
    }

    /// Calls `to` as `from` and keeps what it changes, without a transaction around it: no intrinsic gas, no nonce, no
    /// fee, a limit of its own. For what happens outside the market under study, such as an oracle's update.
    ///
    /// # Errors
    /// [`EvmError::Engine`].
    pub fn execute_unmetered(
        &mut self,
        from: Address,
        to: Address,
        input: Bytes,
    ) -> Result<Execution, EvmError> {
        self.memo.forget();
        self.note(|| Step::ExecuteUnmetered {
            from,
            to,
            input: input.clone(),
        });
        let result = self.evm.system_call_one_with_caller(from, to, input);
        self.convert(from, result)
    }

    /// Calls a function for its result, as [`Chain::call_sol`] does, where it may write nothing at all. Such calls share what they
    /// ask of other contracts for as long as nothing changes.
    ///
    /// # Errors
    /// [`CallError`], with the revert data; an attempt to write halts.
    pub fn read_sol<C: SolCall>(
        &mut self,
        from: Address,
        to: Address,
        call: &C,
    ) -> Result<C::Return, CallError> {
        let input = call.abi_encode().into();
        self.evm
            .ctx
            .set_tx(TxEnv::new_system_tx_with_caller(from, to, input));
        let result = ReadOnly(&mut self.memo).run_system_call(&mut self.evm);
        let execution = self.convert(from, result)?.into_success()?;
        Ok(C::abi_decode_returns(&execution.output)?)
    }

    /// Records, from now on, what changes this chain: blocks and transactions, not what is set by hand. Begins anew if it
    /// does already; a fork does not go on with it.
    pub fn record(&mut self) {
        self.recording = Some(Recording::new(self.snapshot()));
    }

    /// Ends the recording and returns it: one without steps if there is none.
    pub fn take_recording(&mut self) -> Recording {
        match self.recording.take() {
            Some(recording) => recording,
            None => Recording::new(self.snapshot()),
        }
    }

    fn note(&mut self, step: impl FnOnce() -> Step) {
        if let Some(recording) = &mut self.recording {
            recording.push(step());
        }
    }

    /// Counts, from now on, the jumps of everything that is executed or viewed, in `counter`; `None` stops it. What was
    /// counted with before comes back.
    pub fn count_jumps(&mut self, counter: Option<Box<JumpCounter>>) -> Option<Box<JumpCounter>> {
        if counter.is_some() {
            instrument(&mut self.evm.instruction);
        }
        std::mem::replace(&mut self.evm.ctx.chain, counter)
    }

    /// A fingerprint of the whole state, the open block's transactions included: equal for equal states, whatever their
    /// history. Walks all accounts; it detects divergence, not forgery.
    pub fn state_digest(&mut self) -> B256 {
        self.flushed().digest()
    }

    /// The overlay with everything committed to it. Between transactions this changes no result and no gas: a journal
    /// entry of an earlier transaction is as cold as one that has to be read again.
    fn flushed(&mut self) -> &mut Overlay {
        self.evm.commit_inner();
        &mut self.evm.ctx.journaled_state.database
    }

    fn convert(
        &self,
        from: Address,
        result: Result<ExecutionResult, EngineError>,
    ) -> Result<Execution, EvmError> {
        match result {
            Ok(result) => Ok(execution(result)),
            Err(EVMError::Transaction(reason)) => Err(EvmError::InvalidTransaction {
                from,
                block: self.block.number,
                reason: reason.to_string(),
            }),
            Err(error) => Err(EvmError::Engine(error.to_string())),
        }
    }
}

impl Chain for MemoryChain {
    fn begin_block(&mut self, block: BlockEnvironment) {
        self.memo.forget();
        self.note(|| Step::BeginBlock(block.clone()));
        let overlay = self.flushed();
        if let (Some(hash), Some(parent)) = (block.parent_hash, block.number.checked_sub(1)) {
            overlay.name_block(parent, hash);
        }
        self.evm.set_block(engine_block(&block));
        self.block = block;
    }

    fn end_block(&mut self) {
        self.note(|| Step::EndBlock);
        self.evm.commit_inner();
    }

    fn block(&self) -> &BlockEnvironment {
        &self.block
    }

    fn execute(&mut self, transaction: &Transaction) -> Result<Execution, EvmError> {
        self.note(|| Step::Execute(transaction.clone()));
        let result = self.evm.transact_one(engine_transaction(transaction));
        // What fails moves a nonce, which no contract can see, and money where fees are charged.
        if self.rules.charge_fees || result.as_ref().is_ok_and(ExecutionResult::is_success) {
            self.memo.forget();
        }
        self.convert(transaction.from, result)
    }

    fn call(&mut self, transaction: &Transaction) -> Result<Execution, EvmError> {
        self.evm.ctx.set_tx(engine_transaction(transaction));
        let result = WhatIf.run(&mut self.evm);
        self.convert(transaction.from, result)
    }

    fn view(&mut self, from: Address, to: Address, input: Bytes) -> Result<Execution, EvmError> {
        self.evm
            .ctx
            .set_tx(TxEnv::new_system_tx_with_caller(from, to, input));
        let result = WhatIf.run_system_call(&mut self.evm);
        self.convert(from, result)
    }

    fn storage(&self, address: Address, slot: U256) -> Result<U256, EvmError> {
        let (state, journal) = self.evm.ctx.journaled_state.db_and_state();
        Ok(match journal.get(&address) {
            Some(account) => match account.storage.get(&slot) {
                Some(value) => value.present_value,
                None if account.is_created() || account.is_selfdestructed() => U256::ZERO,
                None => state.slot(address, slot),
            },
            None => state.slot(address, slot),
        })
    }

    fn balance(&self, address: Address) -> Result<U256, EvmError> {
        let (state, journal) = self.evm.ctx.journaled_state.db_and_state();
        let info = journal
            .get(&address)
            .map(|account| &account.info)
            .or_else(|| state.info(address));
        Ok(info.map_or(U256::ZERO, |info| info.balance))
    }
}

/// Mainnet's transaction handling, except that what was executed is discarded instead of joined to the block.
struct WhatIf;

impl Handler for WhatIf {
    type Evm = Engine;
    type Error = EngineError;
    type HaltReason = HaltReason;

    fn execution_result(
        &mut self,
        evm: &mut Engine,
        result: FrameResult,
        gas: ResultGas,
    ) -> Result<ExecutionResult, EngineError> {
        discard(evm, result, gas)
    }
}

/// Ends a transaction that is to leave no trace.
pub(crate) fn discard(
    evm: &mut Engine,
    result: FrameResult,
    gas: ResultGas,
) -> Result<ExecutionResult, EngineError> {
    take_error::<EngineError, _>(evm.ctx().error())?;
    let result = post_execution::output(evm.ctx(), result, gas);
    evm.ctx().journal_mut().discard_tx();
    evm.ctx().local_mut().clear();
    evm.frame_stack().clear();
    Ok(result)
}

fn engine_block(block: &BlockEnvironment) -> BlockEnv {
    BlockEnv {
        number: U256::from(block.number),
        beneficiary: block.coinbase,
        timestamp: U256::from(block.timestamp),
        gas_limit: block.gas_limit,
        basefee: block.base_fee,
        prevrandao: Some(block.prevrandao),
        // Cancun demands the field; there are no blobs here.
        blob_excess_gas_and_price: Some(BlobExcessGasAndPrice {
            excess_blob_gas: 0,
            blob_gasprice: 1,
        }),
        ..BlockEnv::default()
    }
}

fn engine_transaction(transaction: &Transaction) -> TxEnv {
    TxEnv {
        tx_type: 0,
        caller: transaction.from,
        gas_limit: transaction.gas_limit,
        gas_price: transaction.gas_price,
        kind: transaction.to.map_or(TxKind::Create, TxKind::Call),
        value: transaction.value,
        data: transaction.input.clone(),
        nonce: 0,
        chain_id: None,
        access_list: Default::default(),
        gas_priority_fee: None,
        blob_hashes: Vec::new(),
        max_fee_per_blob_gas: 0,
        authorization_list: Vec::new(),
    }
}

fn execution(result: ExecutionResult) -> Execution {
    match result {
        ExecutionResult::Success {
            gas, logs, output, ..
        } => {
            let created = match &output {
                Output::Create(_, address) => *address,
                Output::Call(_) => None,
            };
            Execution {
                outcome: Outcome::Success,
                gas_used: gas.tx_gas_used(),
                output: output.into_data(),
                logs,
                created,
            }
        }
        ExecutionResult::Revert { gas, output, .. } => Execution {
            outcome: Outcome::Revert,
            gas_used: gas.tx_gas_used(),
            output,
            logs: Vec::new(),
            created: None,
        },
        ExecutionResult::Halt { reason, gas, .. } => Execution {
            outcome: Outcome::Halt(halt(&reason)),
            gas_used: gas.tx_gas_used(),
            output: Bytes::new(),
            logs: Vec::new(),
            created: None,
        },
    }
}

fn halt(reason: &HaltReason) -> Halt {
    match reason {
        HaltReason::OutOfGas(_) => Halt::OutOfGas,
        HaltReason::OutOfFunds => Halt::OutOfFunds,
        HaltReason::CreateContractSizeLimit => Halt::CodeSizeLimit,
        other => Halt::Other(format!("{other:?}")),
    }
}

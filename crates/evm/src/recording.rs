//! What was asked of a chain, so that the engine alone can do it again.

use crate::{BlockEnvironment, Chain, EvmError, MemoryChain, Snapshot, Transaction};
use alloy_primitives::{Address, Bytes};

/// One thing that changed a chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// [`Chain::begin_block`].
    BeginBlock(BlockEnvironment),
    /// [`Chain::execute`].
    Execute(Transaction),
    /// [`MemoryChain::execute_unmetered`].
    ExecuteUnmetered {
        /// The caller.
        from: Address,
        /// The callee.
        to: Address,
        /// Calldata.
        input: Bytes,
    },
    /// [`Chain::end_block`].
    EndBlock,
}

/// The steps of a chain from a state on.
#[derive(Clone, Debug)]
pub struct Recording {
    start: Snapshot,
    steps: Vec<Step>,
}

impl Recording {
    /// No step yet.
    pub(crate) const fn new(start: Snapshot) -> Self {
        Self {
            start,
            steps: Vec::new(),
        }
    }

    pub(crate) fn push(&mut self, step: Step) {
        self.steps.push(step);
    }

    /// The state that the steps began from.
    #[must_use]
    pub const fn start(&self) -> &Snapshot {
        &self.start
    }

    /// The steps, in order.
    #[must_use]
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// Does all of it again on a chain of its own, and nothing else: nobody decides, reads or writes down anything. Returns the
    /// chain, and the gas of what [`Chain::execute`] did.
    ///
    /// # Errors
    /// [`EvmError`], where the recorded chain met it.
    pub fn replay(&self) -> Result<(MemoryChain, u64), EvmError> {
        let mut chain = self.start.chain();
        let mut gas_used = 0;
        for step in &self.steps {
            match step {
                Step::BeginBlock(block) => chain.begin_block(block.clone()),
                Step::Execute(transaction) => gas_used += chain.execute(transaction)?.gas_used,
                Step::ExecuteUnmetered { from, to, input } => {
                    chain.execute_unmetered(*from, *to, input.clone())?;
                }
                Step::EndBlock => chain.end_block(),
            }
        }
        Ok((chain, gas_used))
    }
}

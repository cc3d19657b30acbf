//! The mirror of one pool.

mod accounts;
mod changes;
mod codec;
mod description;
mod error;
mod events;
mod journal;
mod snapshot;
mod state;
mod views;

use alloy_primitives::{Address, B256, Log};

pub(crate) use accounts::{AccountId, Accounts, Position};
pub use changes::{Changes, LiquidationSeen, SettlementSeen};
pub use description::{Description, MirroredPolicy};
pub use error::{LogError, MirrorError};
use events::Placed;
use journal::{Entry, Journal};
pub use snapshot::SnapshotError;
pub use state::Settings;
use state::State;
pub use views::ViewError;

use crate::accrual::RateCurve;
use crate::block::BlockRef;
use crate::policy::PolicyState;

/// One pool and its policy, from their logs.
#[derive(Clone, Debug)]
pub struct Mirror {
    description: Description,
    curve: RateCurve,
    head: BlockRef,
    state: State,
    journal: Journal,
}

impl Mirror {
    /// The mirror of a pool that is deployed after `start`: feed it every later block.
    ///
    /// # Errors
    /// [`MirrorError::Rate`].
    pub fn new(description: Description, start: BlockRef) -> Result<Self, MirrorError> {
        Ok(Self {
            curve: RateCurve::new(&description.rate)?,
            description,
            head: start,
            state: State::new(description.policy),
            journal: Journal::starting_at(start),
        })
    }

    /// Applies the next block. `logs` are all that pool and policy emitted in it, by log index; logs of other contracts are
    /// passed over. A block without logs is applied all the same: the chain of parent hashes is what shows a reorg.
    ///
    /// # Errors
    /// [`MirrorError::NotNext`] if the block is not built on the head, [`MirrorError::Log`]. Nothing has changed then.
    pub fn apply_block<'a>(
        &mut self,
        block: &BlockRef,
        logs: impl IntoIterator<Item = &'a Log>,
    ) -> Result<Changes, MirrorError> {
        let head = self.head;
        if head.number.checked_add(1) != Some(block.number) || block.parent_hash != head.hash {
            return Err(MirrorError::NotNext {
                number: block.number,
                parent: block.parent_hash,
                head: head.number,
                head_hash: head.hash,
            });
        }
        let changes = self.transact([(block.number, block.timestamp, logs)])?;
        let undo = std::mem::take(&mut self.state.undo);
        self.journal.push(Entry {
            block: *block,
            undo,
        });
        self.head = *block;
        Ok(changes)
    }

    /// Applies blocks that are too old to be reorganised: those that have logs, as (height, timestamp, logs), ascending. `last`
    /// is the last block of the range, whether it has logs or not; the range begins after the head. The mirror cannot go back
    /// before `last` afterwards. That the blocks are canonical and complete is the caller's word.
    ///
    /// # Errors
    /// [`MirrorError::RangeOrder`], [`MirrorError::Log`]. Nothing has changed then.
    pub fn apply_range<'a, L: IntoIterator<Item = &'a Log>>(
        &mut self,
        blocks: impl IntoIterator<Item = (u64, u64, L)>,
        last: &BlockRef,
    ) -> Result<Changes, MirrorError> {
        if last.number <= self.head.number {
            return Err(MirrorError::RangeOrder {
                number: last.number,
                previous: self.head.number,
                last: last.number,
            });
        }
        let mut previous = self.head.number;
        let blocks: Vec<_> = blocks.into_iter().collect();
        for (number, ..) in &blocks {
            if *number <= previous || *number > last.number {
                return Err(MirrorError::RangeOrder {
                    number: *number,
                    previous,
                    last: last.number,
                });
            }
            previous = *number;
        }
        let changes = self.transact(blocks)?;
        self.state.undo = Vec::new();
        self.journal = Journal::starting_at(*last);
        self.head = *last;
        Ok(changes)
    }

    /// Applies logs or nothing.
    fn transact<'a, L: IntoIterator<Item = &'a Log>>(
        &mut self,
        blocks: impl IntoIterator<Item = (u64, u64, L)>,
    ) -> Result<Changes, MirrorError> {
        let mut changes = Changes::default();
        for (block, timestamp, logs) in blocks {
            for (index, log) in logs.into_iter().enumerate() {
                let placed = Placed {
                    log,
                    index,
                    timestamp,
                };
                let result = events::apply(
                    &mut self.state,
                    &self.description,
                    &self.curve,
                    &placed,
                    &mut changes,
                );
                if let Err(source) = result {
                    let undo = std::mem::take(&mut self.state.undo);
                    self.state.revert(undo, |_| {});
                    return Err(MirrorError::Log {
                        block,
                        index,
                        emitter: log.address,
                        source,
                    });
                }
            }
        }
        once_each(&mut changes.accounts);
        Ok(changes)
    }

    /// Goes back to a block after which all is gone: the head, or one of [`Mirror::blocks`]. At most 64 blocks.
    ///
    /// # Errors
    /// [`MirrorError::UnknownBlock`]; nothing has changed then.
    pub fn rewind(&mut self, number: u64, hash: B256) -> Result<Changes, MirrorError> {
        let known = self
            .blocks()
            .find(|block| block.number == number && block.hash == hash);
        let Some(target) = known.copied() else {
            return Err(MirrorError::UnknownBlock {
                number,
                hash,
                oldest: self.journal.base.number,
                head: self.head.number,
            });
        };
        let (policy, mut changes) = (self.state.settings.policy, Changes::default());
        while self.head.number > number {
            let Some(entry) = self.journal.entries.pop_back() else {
                break;
            };
            changes.configuration |= entry.undo.iter().any(journal::Undo::is_configuration);
            self.state
                .revert(entry.undo, |account| changes.accounts.push(account));
            self.head = self
                .journal
                .entries
                .back()
                .map_or(self.journal.base, |entry| entry.block);
        }
        self.head = target;
        if self.state.settings.policy != policy {
            changes.policy_set = Some(self.state.settings.policy);
        }
        once_each(&mut changes.accounts);
        Ok(changes)
    }

    /// Mirrors another policy from now on: the one that the owner has set. `history` is everything that it ever emitted for the
    /// pool up to the head, as (timestamp, log), in order; a policy that stores nothing has none. Undone with the head's block.
    ///
    /// # Errors
    /// [`MirrorError::Log`]; nothing has changed then.
    pub fn describe_policy<'a>(
        &mut self,
        policy: MirroredPolicy,
        history: impl IntoIterator<Item = (u64, &'a Log)>,
    ) -> Result<(), MirrorError> {
        let mut state = PolicyState::default();
        for (index, (timestamp, log)) in history.into_iter().enumerate() {
            let placed = Placed {
                log,
                index,
                timestamp,
            };
            let write = events::policy_write(&self.description, policy.address, &placed).map_err(
                |source| MirrorError::Log {
                    block: self.head.number,
                    index,
                    emitter: log.address,
                    source,
                },
            )?;
            if let Some(write) = write {
                state.apply(write);
            }
        }
        self.state.describe(policy, state);
        self.extend_head();
        Ok(())
    }

    /// Corrects the cash: tokens that were sent to the pool without calling it leave no event of the pool. `cash` is the
    /// pool's balance of the debt token at the head, base units. Undone with the head's block.
    pub fn correct_cash(&mut self, cash: u128) {
        let Ok(cash) = i128::try_from(cash) else {
            return;
        };
        self.state.set_cash(cash);
        self.extend_head();
    }

    /// Joins what was done outside a block to the head's.
    fn extend_head(&mut self) {
        let undo = std::mem::take(&mut self.state.undo);
        if let Some(entry) = self.journal.entries.back_mut() {
            entry.undo.extend(undo);
        }
    }

    /// The last block applied.
    #[must_use]
    pub const fn head(&self) -> &BlockRef {
        &self.head
    }

    /// The blocks that [`Mirror::rewind`] can go back to, oldest first, the head last: at most 65.
    pub fn blocks(&self) -> impl DoubleEndedIterator<Item = &BlockRef> {
        self.journal.blocks()
    }

    /// What the mirror was told of its pool.
    #[must_use]
    pub fn description(&self) -> Description {
        Description {
            policy: self.state.mirrored,
            ..self.description
        }
    }

    /// Whether the pool asks the policy that is mirrored. False before the deployment.
    #[must_use]
    pub fn policy_known(&self) -> bool {
        self.state.settings.policy == self.state.mirrored.address
    }

    /// What the mirrored policy stores for the pool.
    #[must_use]
    pub const fn policy_state(&self) -> &PolicyState {
        &self.state.policy
    }
}

fn once_each(accounts: &mut Vec<Address>) {
    accounts.sort_unstable();
    accounts.dedup();
}

//! Blocks: into the mirror, the ledger and the sender's clock.

use alloy_primitives::I256;
use breakwater_operator::status::unix_now;
use breakwater_protocol::{BlockRef, Changes, MirrorError};
use breakwater_rpc::follower::{Block, LoggedBlock, Range, Update};
use breakwater_sender::{Head, Report};
use std::ops::RangeInclusive;
use std::time::{Duration, Instant};
use tokio::sync::mpsc;

use super::planning::next_block;
use super::{Ended, Engine, HASHES_KEPT, Seen};
use crate::store::{Doer, Entry, Kind, StoreError};
use crate::units::{ratio, whole};

/// The mirror is written to disk at most this often, and not before this many blocks.
const SAVE_EVERY: (Duration, u64) = (Duration::from_secs(60), 16);

/// A clock that differs from the chain's by more slots than this is worth a warning.
const CLOCK_SLOTS: u64 = 5;

const CLOCK_WARNING: &str = "this machine's clock";
const STALL_WARNING: &str = "no new block";

impl Engine {
    /// Takes what happened to the chain. `last` says whether nothing else waits: only then is it worth planning.
    pub(super) fn follow(
        &mut self,
        update: Update,
        reports: &mut mpsc::UnboundedReceiver<Report>,
        last: bool,
    ) -> Option<Ended> {
        // Whose a transaction is has to be known before its block is.
        while let Ok(report) = reports.try_recv() {
            if let Some(ended) = self.heard(report) {
                return Some(ended);
            }
        }
        let done = match update {
            Update::Block(block) => self.block(block),
            Update::Range(range) => self.range(range),
            Update::Rewind { to } => self.rewind(to.number, to.hash),
            Update::Live { head } => {
                self.live = self.mirror.head().hash == head.hash || self.live;
                self.strike();
                tracing::info!(
                    block = head.number,
                    accounts = self.mirror.account_count(),
                    "at the chain's head"
                );
                Ok(())
            }
            Update::Stalled { since } => {
                self.stalled = true;
                self.warn(format!("{STALL_WARNING} for {} s", since.as_secs()));
                return None;
            }
        };
        match done {
            Ok(()) => {
                if last && self.live && !self.draining {
                    self.start_planning();
                }
                None
            }
            Err(Trouble::Store(error)) => Some(Ended::Failed(error.to_string())),
            Err(Trouble::Mirror(error)) => Some(Ended::Resync(error.to_string())),
        }
    }

    fn block(&mut self, block: Block) -> Result<(), Trouble> {
        self.unstall();
        let reference = BlockRef {
            number: block.number,
            hash: block.hash,
            parent_hash: block.parent_hash,
            timestamp: block.timestamp,
        };
        let changes = self
            .mirror
            .apply_block(&reference, block.logs.iter().map(|log| &log.inner))?;
        self.record(
            block.number..=block.number,
            block.timestamp,
            &block.logs,
            &changes,
        )?;
        self.note_policy(&changes);
        self.is_head(block);
        Ok(())
    }

    fn range(&mut self, range: Range) -> Result<(), Trouble> {
        self.unstall();
        for logged in &range.blocks {
            self.logged(logged)?;
        }
        let last = range.last;
        let known = self.mirror.head().number;
        if known < last.number {
            self.store.record(known + 1..=last.number, &[])?;
            let reference = BlockRef {
                number: last.number,
                hash: last.hash,
                parent_hash: last.parent_hash,
                timestamp: last.timestamp,
            };
            let none: [(u64, u64, [&alloy_primitives::Log; 0]); 0] = [];
            self.mirror.apply_range(none, &reference)?;
        }
        tracing::info!(to = last.number, "read a range of blocks");
        self.is_head(last);
        Ok(())
    }

    /// One at a time, so that each liquidation is known by its block.
    fn logged(&mut self, logged: &LoggedBlock) -> Result<(), Trouble> {
        let reference = BlockRef {
            number: logged.block.number,
            hash: logged.block.hash,
            timestamp: logged.timestamp,
            ..BlockRef::default()
        };
        let first = self.mirror.head().number + 1;
        let logs = logged.logs.iter().map(|log| &log.inner);
        let changes = self
            .mirror
            .apply_range([(logged.block.number, logged.timestamp, logs)], &reference)?;
        self.record(
            first..=logged.block.number,
            logged.timestamp,
            &logged.logs,
            &changes,
        )?;
        self.note_policy(&changes);
        Ok(())
    }

    fn rewind(&mut self, number: u64, hash: alloy_primitives::B256) -> Result<(), Trouble> {
        let depth = self.mirror.head().number.saturating_sub(number);
        tracing::warn!(depth, to = number, "the chain was reorganised");
        self.reorgs = (self.reorgs.0 + 1, self.reorgs.1.max(depth));
        self.steps.abort_all();
        let changes = self.mirror.rewind(number, hash)?;
        self.note_policy(&changes);
        self.memory.rewind(number);
        self.store.rewind(number)?;
        self.hashes.retain(|(known, _)| *known <= number);
        if let Some(sender) = &self.sender {
            sender.reorged(number);
        }
        Ok(())
    }

    /// A block is the head now.
    fn is_head(&mut self, block: Block) {
        self.hashes.push_back((block.number, block.hash));
        if self.hashes.len() > HASHES_KEPT {
            self.hashes.pop_front();
        }
        let received_at = unix_now();
        self.check_clock(received_at, block.timestamp);
        self.head = Some(Seen {
            block,
            received: Instant::now(),
            received_at,
        });
        self.strike();
    }

    /// The sender's clock strikes: a block is the chain's head. Blocks that are only read again (after a start, or to rebuild the
    /// mirror) are not: at them the account has not used nonces that it has used since.
    fn strike(&self) {
        let (Some(sender), Some(seen), true) = (&self.sender, &self.head, self.live) else {
            return;
        };
        sender.new_head(Head {
            number: seen.block.number,
            hash: seen.block.hash,
            timestamp: seen.block.timestamp,
            next_base_fee: u128::from(next_block(&seen.block, self.context.slot).base_fee),
        });
    }

    /// All decisions go by the chain's time. A clock that is off is worth knowing all the same: logs and ages show it.
    fn check_clock(&mut self, now: u64, chain: u64) {
        if !self.live {
            return;
        }
        let off = now.abs_diff(chain);
        if off <= CLOCK_SLOTS * self.context.slot {
            self.clear_warning(CLOCK_WARNING);
            return;
        }
        // Said once for as long as it is off in the same direction.
        let direction = if now > chain { "ahead of" } else { "behind" };
        let known = self.warnings.iter().any(|warning| {
            warning.text.starts_with(CLOCK_WARNING) && warning.text.contains(direction)
        });
        if !known {
            self.clear_warning(CLOCK_WARNING);
            self.warn(format!(
                "{CLOCK_WARNING} is {off} s {direction} the chain's: decisions go by the chain's, ages shown do not"
            ));
        }
    }

    fn unstall(&mut self) {
        if self.stalled {
            self.stalled = false;
            self.clear_warning(STALL_WARNING);
        }
    }

    fn note_policy(&mut self, changes: &Changes) {
        if let Some(policy) = changes.policy_set
            && !self.mirror.policy_known()
            && policy != self.context.system.policy_address
        {
            self.warn(format!(
                "the pool's policy is now {policy}, which this keeper was not started for: it plans nothing; restart it with a manifest that names it"
            ));
        }
    }

    /// The ledger of a block, and that those before it in `blocks` held nothing.
    fn record(
        &mut self,
        blocks: RangeInclusive<u64>,
        timestamp: u64,
        logs: &[alloy::rpc::types::Log],
        changes: &Changes,
    ) -> Result<(), StoreError> {
        let number = *blocks.end();
        let debt = self.context.system.debt.decimals;
        let mut entries = Vec::new();
        for seen in &changes.liquidations {
            let decimals = self.context.system.collateral_decimals(seen.collateral_id);
            entries.push((
                seen.log,
                Entry {
                    block: number,
                    log_index: 0,
                    timestamp,
                    hash: Default::default(),
                    kind: Kind::of_liquidation(&self.context.system, seen.liquidator),
                    account: seen.account,
                    liquidator: seen.liquidator,
                    collateral: u32::try_from(seen.collateral_id).ok(),
                    repaid: whole(alloy_primitives::U256::from(seen.repaid), debt),
                    seized: whole(alloy_primitives::U256::from(seen.seized), decimals),
                    bonus: ratio(seen.bonus),
                    doer: Doer::Us,
                },
            ));
        }
        for seen in &changes.settlements {
            entries.push((
                seen.log,
                Entry {
                    block: number,
                    log_index: 0,
                    timestamp,
                    hash: Default::default(),
                    kind: Kind::Settled,
                    account: seen.account,
                    liquidator: seen.caller,
                    collateral: None,
                    repaid: whole(alloy_primitives::U256::from(seen.repaid), debt),
                    seized: 0.0,
                    bonus: 0.0,
                    doer: Doer::Us,
                },
            ));
        }
        let mut complete = Vec::with_capacity(entries.len());
        for (place, mut entry) in entries {
            let log = logs.get(place);
            entry.hash = log.and_then(|log| log.transaction_hash).unwrap_or_default();
            entry.log_index = log.and_then(|log| log.log_index).unwrap_or(place as u64);
            if !self.store.is_ours(entry.hash)? {
                let (reason, detail) = self.memory.missed(number, entry.account);
                tracing::info!(block = number, account = %entry.account, reason = reason.name(), detail, "liquidated by somebody else");
                entry.doer = Doer::Others { reason, detail };
            }
            complete.push(entry);
        }
        self.store.record(blocks, &complete)
    }

    /// Not while a plan is tried and sent: writing a large mirror takes longer than bids should wait.
    pub(super) fn save_now_and_then(&mut self) -> Option<Ended> {
        let (number, at) = self.saved;
        let (seconds, blocks) = SAVE_EVERY;
        if at.elapsed() < seconds
            || self.mirror.head().number < number + blocks
            || !self.steps.is_empty()
        {
            return None;
        }
        let error = self.save().err()?;
        Some(Ended::Failed(error.to_string()))
    }

    /// Writes the mirror to disk.
    pub(super) fn save(&mut self) -> Result<(), StoreError> {
        self.store.save_mirror(&self.mirror)?;
        self.saved = (self.mirror.head().number, Instant::now());
        Ok(())
    }
}

/// Why a block was not taken.
#[derive(Debug)]
enum Trouble {
    Store(StoreError),
    Mirror(MirrorError),
}

impl From<StoreError> for Trouble {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<MirrorError> for Trouble {
    fn from(error: MirrorError) -> Self {
        Self::Mirror(error)
    }
}

/// A signed difference of two amounts, saturating.
pub(super) fn difference(a: alloy_primitives::U256, b: alloy_primitives::U256) -> I256 {
    let (size, negative) = if a >= b {
        (a - b, false)
    } else {
        (b - a, true)
    };
    let size = I256::try_from(size).unwrap_or(I256::MAX);
    if negative { -size } else { size }
}

//! What an observation of the chain means for the nonces.

use tokio::time::Instant;
use tracing::{info, warn};

use super::{Delivery, Engine, FIRST_PAUSE, LONGEST_PAUSE, View, inclusion_outcome};
use crate::observe::{Finding, Observation, Probe};
use crate::slot::{Slot, SlotState};
use crate::{Alarm, FINAL_DEPTH, Failure, Head, Inclusion, Outcome};

/// Heads at which a used nonce may be unaccounted for, and seconds of chain time for which it may, before it counts as somebody else's.
/// Nodes write receipts a moment after the block, and on some chains eight blocks are two seconds.
const MISSING_HEADS: u32 = 8;
const MISSING_SECONDS: u64 = 60;
/// Heads between observations while nothing is under way: for the balance, and for a stranger with the key.
const IDLE_HEADS: u64 = 32;

impl Engine {
    /// The observation to make now, if any.
    pub fn next_observation(&mut self, now: Instant) -> Option<(Head, Vec<Probe>, u64)> {
        let head = self.head?;
        let known = self.view.is_some_and(|view| view.head.hash == head.hash);
        let early = self.observe_again.is_some_and(|(when, _)| now < when);
        if self.observing || known || early {
            return None;
        }
        // Somebody may be about to send it some.
        let pause = if self.balance_low() { 1 } else { IDLE_HEADS };
        let rested = self
            .view
            .is_none_or(|view| head.number >= view.head.number.saturating_add(pause));
        let mut probes: Vec<Probe> = self
            .slots
            .values()
            .filter(|slot| {
                slot.is_open() || self.suspects.contains(&slot.nonce) || is_deep(&slot.state, head)
            })
            .map(|slot| Probe {
                nonce: slot.nonce,
                hashes: slot.attempts.iter().map(|attempt| attempt.hash).collect(),
                included: match slot.state {
                    SlotState::Included(inclusion) => Some(inclusion),
                    SlotState::Open | SlotState::Foreign { .. } => None,
                },
                unused_at: match self.view {
                    Some(view) if view.count <= slot.nonce => view.head.number,
                    // Deeper than any reorg that is believed.
                    _ => slot.opened_at.saturating_sub(FINAL_DEPTH),
                },
            })
            .collect();
        if probes.is_empty() && self.planned.is_empty() && !rested {
            return None;
        }
        if let (true, Some(view)) = (self.adopted, self.view) {
            // Not signed for by us: if the chain has used it, somebody else has the key.
            probes.push(Probe {
                nonce: self.floor,
                hashes: Vec::new(),
                included: None,
                unused_at: view.head.number,
            });
        }
        self.observing = true;
        Some((head, probes, self.generation))
    }

    /// When a failed observation is to be repeated.
    pub fn observation_due(&self) -> Option<Instant> {
        self.observe_again
            .map(|(when, _)| when)
            .filter(|_| !self.observing)
    }

    /// Takes the answer to [`Self::next_observation`].
    pub fn observed(
        &mut self,
        generation: u64,
        answer: Result<Observation, String>,
    ) -> Result<(), Failure> {
        self.observing = false;
        if generation != self.generation {
            return Ok(());
        }
        let answer = answer.and_then(|observation| {
            if observation.count >= self.settled {
                return Ok(observation);
            }
            Err(format!(
                "the account has used {} nonces at head {}, but {} are settled: the provider serves another chain, \
                 or a reorg went deeper than {FINAL_DEPTH} blocks",
                observation.count, observation.head.number, self.settled
            ))
        });
        match answer {
            Ok(observation) => {
                self.provider_error = None;
                self.observe_again = None;
                self.settle(&observation)
            }
            Err(error) => {
                warn!(error, "the account could not be read");
                self.provider_error = Some(error);
                let pause = self
                    .observe_again
                    .map_or(FIRST_PAUSE, |(_, pause)| (pause * 2).min(LONGEST_PAUSE));
                self.observe_again = Some((Instant::now() + pause, pause));
                Ok(())
            }
        }
    }

    fn settle(&mut self, observation: &Observation) -> Result<(), Failure> {
        let Observation {
            head,
            count,
            balance,
            findings,
        } = observation;
        let (head, count) = (*head, *count);
        if !self.adopted {
            self.adopted = true;
            if count > self.floor {
                info!(
                    count,
                    floor = self.floor,
                    "the chain is ahead of the journal; going on above it"
                );
                self.floor = count;
            }
        }
        self.view = Some(View {
            head,
            count,
            balance: *balance,
        });
        self.funds_short = false;
        let unused: Vec<u64> = self
            .slots
            .range(count..)
            .filter(|(_, slot)| !slot.is_open())
            .map(|(nonce, _)| *nonce)
            .collect();
        for nonce in unused {
            self.reopen(nonce)?;
        }
        for (nonce, finding) in findings {
            match finding {
                Finding::Ours(inclusion) => self.included(inclusion, head)?,
                Finding::Foreign { hash, block_number } => {
                    self.foreign(*nonce, Some(*hash), *block_number)?
                }
                // A node that forgot the block does not make it somebody else's twice.
                Finding::Missing if self.is_foreign(*nonce) => {
                    self.suspects.remove(nonce);
                }
                Finding::Missing => {
                    let (heads, since) = self.missing.entry(*nonce).or_insert((0, head.timestamp));
                    *heads += 1;
                    let seconds = head.timestamp.saturating_sub(*since);
                    warn!(
                        nonce,
                        heads, seconds, "the chain has used a nonce, but no transaction is found"
                    );
                    if *heads >= MISSING_HEADS && seconds >= MISSING_SECONDS {
                        self.foreign(*nonce, None, head.number)?;
                    }
                }
            }
        }
        self.finish_foreign(head)
    }

    fn included(&mut self, inclusion: &Inclusion, head: Head) -> Result<(), Failure> {
        let nonce = inclusion.nonce;
        self.missing.remove(&nonce);
        self.suspects.remove(&nonce);
        let moved = |slot: &Slot| matches!(slot.state, SlotState::Included(known) if known.block_hash != inclusion.block_hash);
        if self.slots.get(&nonce).is_some_and(moved) {
            // Out of one block and into another unseen, as while no process ran.
            self.reopen(nonce)?;
        }
        let Some(slot) = self.slots.get_mut(&nonce) else {
            return Ok(());
        };
        if slot.state != SlotState::Included(*inclusion) {
            self.journal.include(inclusion)?;
            slot.state = SlotState::Included(*inclusion);
            self.deliveries.remove(&nonce);
            let slot = &self.slots[&nonce];
            self.report(slot, inclusion_outcome(slot, *inclusion));
        }
        if head.number >= inclusion.block_number.saturating_add(FINAL_DEPTH) {
            self.finalise(nonce, false)?;
        }
        Ok(())
    }

    fn finalise(&mut self, nonce: u64, foreign: bool) -> Result<(), Failure> {
        self.journal.finalise(nonce, foreign)?;
        self.settled = self.settled.max(nonce + 1);
        self.suspects.remove(&nonce);
        if let Some(slot) = self.slots.remove(&nonce) {
            self.report(&slot, Outcome::Final);
        }
        Ok(())
    }

    fn finish_foreign(&mut self, head: Head) -> Result<(), Failure> {
        let deep: Vec<u64> = self
            .slots
            .values()
            .filter(|slot| {
                matches!(slot.state, SlotState::Foreign { .. }) && is_deep(&slot.state, head)
            })
            .map(|slot| slot.nonce)
            .collect();
        deep.into_iter()
            .try_for_each(|nonce| self.finalise(nonce, true))
    }

    fn foreign(
        &mut self,
        nonce: u64,
        hash: Option<alloy_primitives::B256>,
        block_number: u64,
    ) -> Result<(), Failure> {
        self.missing.remove(&nonce);
        self.suspects.remove(&nonce);
        let told = self.is_foreign(nonce);
        let state = SlotState::Foreign { hash, block_number };
        if let Some(slot) = self.slots.get_mut(&nonce)
            && slot.state != state
        {
            self.journal.foreign(nonce, hash, block_number)?;
            slot.state = state;
            self.deliveries.remove(&nonce);
        }
        if told {
            // Before the last start: a person has looked since.
            return Ok(());
        }
        if self.slots.contains_key(&nonce) {
            self.report(
                &self.slots[&nonce],
                Outcome::Dropped {
                    nonce,
                    foreign: hash,
                },
            );
        }
        self.raise(Alarm::ForeignNonce {
            address: self.signer.address(),
            nonce,
            foreign: hash,
        });
        Ok(())
    }

    fn is_foreign(&self, nonce: u64) -> bool {
        let slot = self.slots.get(&nonce);
        slot.is_some_and(|slot| matches!(slot.state, SlotState::Foreign { .. }))
    }

    /// The block that used the nonce left the chain.
    pub(super) fn reopen(&mut self, nonce: u64) -> Result<(), Failure> {
        self.journal.reopen(nonce)?;
        self.suspects.remove(&nonce);
        self.deliveries.insert(nonce, Delivery::Due);
        let Some(slot) = self.slots.get_mut(&nonce) else {
            return Ok(());
        };
        let block_number = match slot.state {
            SlotState::Included(inclusion) => inclusion.block_number,
            SlotState::Foreign { block_number, .. } => block_number,
            SlotState::Open => return Ok(()),
        };
        slot.state = SlotState::Open;
        self.report(&self.slots[&nonce], Outcome::Reorged { block_number });
        Ok(())
    }
}

fn is_deep(state: &SlotState, head: Head) -> bool {
    let block_number = match state {
        SlotState::Open => return false,
        SlotState::Included(inclusion) => inclusion.block_number,
        SlotState::Foreign { block_number, .. } => *block_number,
    };
    head.number >= block_number.saturating_add(FINAL_DEPTH)
}

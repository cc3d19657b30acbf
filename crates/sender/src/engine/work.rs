//! What is signed and sent, and when.

use alloy::consensus::{SignableTransaction, TxEip1559, TxEnvelope};
use alloy::eips::Encodable2718;
use alloy::signers::SignerSync;
use alloy_primitives::{B256, Bytes, TxKind, U256};
use tokio::time::Instant;
use tracing::{info, warn};

use super::{Delivery, Engine, FIRST_PAUSE, LONGEST_PAUSE, View};
use crate::fees::Fees;
use crate::order::TRANSFER_GAS;
use crate::rejection::Rejection;
use crate::slot::{Attempt, Goal, Slot, SlotState, order_cost};
use crate::{Alarm, Cause, Failure, Order, Outcome};

/// Most nonces that are filled to get ours going; more is not a lost transaction but a provider that lies.
const WIDEST_GAP: u64 = 64;

impl Engine {
    /// Signs what the last observation calls for. Nothing is signed on a head that was not read.
    pub fn decide(&mut self) -> Result<(), Failure> {
        let Some(view) = self
            .view
            .filter(|view| self.head.is_some_and(|head| head.hash == view.head.hash))
        else {
            return Ok(());
        };
        if self.decided != Some(view.head.hash) && self.alarm.is_none() {
            self.decided = Some(view.head.hash);
            self.fill_gaps(view)?;
            self.tend(view)?;
        }
        self.sign_planned(view)?;
        if self.alarm.is_none() {
            self.clear_way(view)?;
        }
        Ok(())
    }

    /// Cancels orders that cannot be in the next block, even at their ceilings, and keep others out of it that can. A ceiling is what the
    /// order is worth; waiting for a lower base fee costs all orders behind it their blocks.
    fn clear_way(&mut self, view: View) -> Result<(), Failure> {
        let next = view.head.next_base_fee;
        let pays = |fees: &Fees| fees.max_fee >= next;
        let can_pay = |slot: &Slot, cancels| {
            let fees = slot.latest().fees;
            let raised = fees.replacement(next, self.ceiling_of(slot, cancels));
            pays(&fees) || raised.is_some_and(|fees| pays(&fees))
        };
        let in_line: Vec<&Slot> = (view.count..)
            .map_while(|nonce| self.slots.get(&nonce))
            .filter(|slot| slot.is_open() && slot.goal == Goal::Execute)
            .collect();
        let last = in_line.iter().rposition(|slot| can_pay(slot, false));
        let in_the_way: Vec<u64> = in_line[..last.unwrap_or(0)]
            .iter()
            .filter(|slot| !can_pay(slot, false) && can_pay(slot, true))
            .map(|slot| slot.nonce)
            .collect();
        for nonce in in_the_way {
            info!(
                nonce,
                base_fee = next,
                "does not pay, and holds up what does"
            );
            self.cancel(nonce, Cause::Outpriced)?;
        }
        Ok(())
    }

    /// Cancels what ran out and replaces what is stuck.
    fn tend(&mut self, view: View) -> Result<(), Failure> {
        let head = view.head;
        if self.line.is_none_or(|(nonce, _)| nonce != view.count) {
            self.line = Some((view.count, head.number));
        }
        let open: Vec<u64> = self
            .slots
            .range(view.count..)
            .filter(|(_, slot)| slot.is_open())
            .map(|(nonce, _)| *nonce)
            .collect();
        for nonce in open {
            let slot = &self.slots[&nonce];
            let expired = slot
                .order
                .as_ref()
                .is_some_and(|order| order.valid_until < head.timestamp);
            if expired && slot.goal == Goal::Execute {
                self.cancel(nonce, Cause::Expired)?;
                continue;
            }
            let offered = self.deliveries.get(&nonce).copied();
            let since = match offered {
                Some(Delivery::Taken { at }) => at,
                _ => slot.offered_at,
            };
            let patience = self.settings.stuck_after.max(1);
            let next_in_line = nonce == view.count;
            let line_since = self.line.map_or(head.number, |(_, since)| since);
            let waited = head.number.saturating_sub(since.max(line_since));
            let outpriced = slot.latest().fees.max_fee < head.next_base_fee;
            if next_in_line && (waited >= patience || (outpriced && head.number > slot.offered_at))
            {
                self.replace(nonce)?;
            } else if head.number.saturating_sub(since) >= patience
                && matches!(offered, Some(Delivery::Taken { .. }))
            {
                // Nodes forget; the same bytes again do no harm.
                self.deliveries.insert(nonce, Delivery::Due);
            }
        }
        Ok(())
    }

    /// Offers the same at higher fees, or, at the ceiling, the same bytes again.
    fn replace(&mut self, nonce: u64) -> Result<(), Failure> {
        let slot = &self.slots[&nonce];
        let latest = slot.latest();
        let base_fee = self.head.map_or(0, |head| head.next_base_fee);
        let Some(fees) = latest
            .fees
            .replacement(base_fee, self.ceiling_of(slot, latest.cancels))
        else {
            info!(nonce, max_fee = latest.fees.max_fee, "stuck at its ceiling");
            self.deliveries.insert(nonce, Delivery::Due);
            return Ok(());
        };
        let call = slot.order.as_ref().filter(|_| !latest.cancels);
        let attempt = self.sign(nonce, call, fees)?;
        let (old, new) = (latest.hash, attempt.hash);
        self.journal.replace(slot, &slot.goal, &attempt)?;
        self.offer(nonce, attempt);
        self.report(
            &self.slots[&nonce],
            Outcome::Replaced {
                old,
                new,
                max_fee_per_gas: fees.max_fee,
            },
        );
        Ok(())
    }

    /// Gives an order up: takes its nonce with a transfer of nothing to ourselves.
    fn cancel(&mut self, nonce: u64, cause: Cause) -> Result<(), Failure> {
        let slot = &self.slots[&nonce];
        let base_fee = self.head.map_or(0, |head| head.next_base_fee);
        // An order's attempt is at most at its ceiling, a cancellation has one step more: there is always one.
        let Some(fees) = slot
            .latest()
            .fees
            .replacement(base_fee, self.ceiling_of(slot, true))
        else {
            return Ok(());
        };
        let attempt = self.sign(nonce, None, fees)?;
        let goal = Goal::from(&cause);
        self.journal.replace(slot, &goal, &attempt)?;
        self.offer(nonce, attempt);
        if let Some(slot) = self.slots.get_mut(&nonce) {
            slot.goal = goal;
        }
        self.report(&self.slots[&nonce], Outcome::Cancelling(cause));
        Ok(())
    }

    fn ceiling_of(&self, slot: &Slot, cancels: bool) -> u128 {
        slot.replacement_ceiling(cancels, self.settings.cancel_ceiling)
    }

    fn offer(&mut self, nonce: u64, attempt: Attempt) {
        let head = self.head;
        if let Some(slot) = self.slots.get_mut(&nonce) {
            slot.offered_at = head.map_or(slot.offered_at, |head| head.number);
            slot.attempts.push(attempt);
            self.deliveries.insert(nonce, Delivery::Due);
        }
    }

    /// Uses up nonces below ours that nobody has used for a while: ours cannot be included before.
    fn fill_gaps(&mut self, view: View) -> Result<(), Failure> {
        let Some((&highest, _)) = self.slots.range(view.count..).next_back() else {
            self.gap = None;
            return Ok(());
        };
        let unused: Vec<u64> = (view.count..=highest)
            .filter(|nonce| !self.slots.contains_key(nonce))
            .take(WIDEST_GAP as usize + 1)
            .collect();
        let Some(&lowest) = unused.first() else {
            self.gap = None;
            return Ok(());
        };
        let since = match self.gap {
            Some((nonce, since)) if nonce == lowest => since,
            _ => view.head.number,
        };
        self.gap = Some((lowest, since));
        // They may be somebody's who used the account before us, and still on their way.
        if view.head.number.saturating_sub(since) < self.settings.stuck_after.max(1) {
            return Ok(());
        }
        if unused.len() as u64 > WIDEST_GAP {
            self.raise(Alarm::NonceGap {
                address: self.signer.address(),
                chain: view.count,
                ours: highest,
            });
            return Ok(());
        }
        for nonce in unused {
            self.fill(nonce, view)?;
        }
        Ok(())
    }

    fn fill(&mut self, nonce: u64, view: View) -> Result<(), Failure> {
        let Some((_, blocked)) = self.slots.range(nonce..).next() else {
            return Ok(());
        };
        let urgent = blocked.latest().fees;
        // As urgent as what it blocks, which may have been cancelled at more than the order's ceiling.
        let most = self.ceiling_of(blocked, true).max(urgent.max_fee);
        let Some(fees) = urgent.raised(view.head.next_base_fee, most) else {
            warn!(
                nonce,
                most,
                base_fee = view.head.next_base_fee,
                "a nonce that nobody used blocks ours, and a transfer for it may not offer the base fee"
            );
            return Ok(());
        };
        let ceiling = blocked.ceiling;
        let attempt = self.sign(nonce, None, fees)?;
        warn!(nonce, hash = %attempt.hash, "filling a nonce that nobody used");
        let opened_at = view.head.number;
        let slot = Slot {
            nonce,
            order: None,
            goal: Goal::Fill,
            state: SlotState::Open,
            opened_at,
            offered_at: opened_at,
            ceiling,
            attempts: vec![attempt],
        };
        self.journal.open_slot(&slot)?;
        self.slots.insert(nonce, slot);
        self.deliveries.insert(nonce, Delivery::Due);
        Ok(())
    }

    /// Gives nonces to planned orders, oldest first, as long as the balance covers all that is out. One that cannot be in the next block
    /// waits and lets the others pass. So does one that the whole balance would not pay; one that only has to wait until what is out has
    /// settled keeps its turn, or small orders behind it would for ever use up what it needs.
    fn sign_planned(&mut self, view: View) -> Result<(), Failure> {
        let mut place = 0;
        while !self.draining && self.alarm.is_none() && view.count <= self.floor {
            let Some(order) = self.planned.get(place) else {
                return Ok(());
            };
            let Some(fees) = Fees::first(order, view.head.next_base_fee) else {
                place += 1;
                continue;
            };
            let cost = order_cost(order, fees);
            let needed = self.committed(view.count).saturating_add(cost);
            if needed > view.balance {
                if !self.funds_short {
                    warn!(
                        id = %order.id, label = order.label, %needed, balance = %view.balance,
                        "the balance does not cover the order; it waits"
                    );
                }
                self.funds_short = true;
                if cost > view.balance {
                    place += 1;
                    continue;
                }
                return Ok(());
            }
            let nonce = self.floor;
            let slot = Slot {
                nonce,
                order: Some(order.clone()),
                goal: Goal::Execute,
                state: SlotState::Open,
                opened_at: view.head.number,
                offered_at: view.head.number,
                ceiling: order.max_fee_ceiling,
                attempts: vec![self.sign(nonce, Some(order), fees)?],
            };
            self.journal.open_slot(&slot)?;
            self.planned.remove(place);
            self.floor = nonce + 1;
            self.slots.insert(nonce, slot);
            self.deliveries.insert(nonce, Delivery::Due);
        }
        Ok(())
    }

    /// Signs the order's call, or without one a transfer of nothing to ourselves.
    fn sign(&self, nonce: u64, order: Option<&Order>, fees: Fees) -> Result<Attempt, Failure> {
        let mut transaction = TxEip1559 {
            chain_id: self.settings.chain_id,
            nonce,
            gas_limit: TRANSFER_GAS,
            max_fee_per_gas: fees.max_fee,
            max_priority_fee_per_gas: fees.priority,
            to: TxKind::Call(self.signer.address()),
            value: U256::ZERO,
            ..TxEip1559::default()
        };
        if let Some(order) = order {
            transaction.gas_limit = order.gas_limit;
            transaction.to = TxKind::Call(order.to);
            transaction.value = order.value;
            transaction.input = order.data.clone();
        }
        let signature = self
            .signer
            .sign_hash_sync(&transaction.signature_hash())
            .map_err(|error| Failure::Signer(error.to_string()))?;
        let signed = transaction.into_signed(signature);
        let hash = *signed.hash();
        let raw = Bytes::from(TxEnvelope::from(signed).encoded_2718());
        Ok(Attempt {
            hash,
            fees,
            cancels: order.is_none(),
            raw,
            acknowledged: false,
        })
    }

    /// What is to be broadcast now. Nothing before the chain was read: what is due may long be included.
    pub fn next_broadcasts(&mut self, now: Instant) -> Vec<(u64, B256, Bytes)> {
        let Some(view) = self.view else {
            return Vec::new();
        };
        if self.alarm.is_some() {
            return Vec::new();
        }
        let mut due = Vec::new();
        for (nonce, slot) in self
            .slots
            .range(view.count..)
            .filter(|(_, slot)| slot.is_open())
        {
            let Some(delivery) = self.deliveries.get_mut(nonce) else {
                continue;
            };
            let ready = match *delivery {
                Delivery::Due => true,
                Delivery::Retry { when, .. } => when <= now,
                Delivery::Sending | Delivery::Taken { .. } | Delivery::NextHead => false,
            };
            if ready {
                let attempt = slot.latest();
                due.push((*nonce, attempt.hash, attempt.raw.clone()));
                // The pause is kept for the case that this one fails as well.
                if *delivery == Delivery::Due {
                    *delivery = Delivery::Sending;
                } else if let Delivery::Retry { pause, .. } = *delivery {
                    *delivery = Delivery::Retry {
                        when: now + self.settings.request_timeout * 2,
                        pause,
                    };
                }
            }
        }
        due
    }

    /// When a broadcast is to be repeated.
    pub fn broadcast_due(&self) -> Option<Instant> {
        self.deliveries
            .values()
            .filter_map(|delivery| match delivery {
                Delivery::Retry { when, .. } => Some(*when),
                _ => None,
            })
            .min()
    }

    /// Takes the answer to a broadcast.
    pub fn broadcast_done(
        &mut self,
        nonce: u64,
        hash: B256,
        answer: Result<(), Rejection>,
    ) -> Result<(), Failure> {
        let Some(slot) = self.slots.get_mut(&nonce).filter(|slot| slot.is_open()) else {
            return Ok(());
        };
        let offered = slot.latest().hash == hash;
        let at = self.head.map_or(slot.opened_at, |head| head.number);
        let next = match answer {
            Ok(()) | Err(Rejection::AlreadyKnown) => {
                let first = slot.attempts.iter().all(|attempt| !attempt.acknowledged);
                if let Some(attempt) = slot
                    .attempts
                    .iter_mut()
                    .find(|attempt| attempt.hash == hash)
                    && !attempt.acknowledged
                {
                    self.journal.acknowledge(hash)?;
                    attempt.acknowledged = true;
                    if first && !attempt.cancels {
                        self.report(&self.slots[&nonce], Outcome::Broadcast { hash, nonce });
                    }
                }
                Delivery::Taken { at }
            }
            Err(Rejection::InsufficientFunds) => {
                self.funds_short = true;
                Delivery::NextHead
            }
            Err(Rejection::Invalid(reason))
                if offered && slot.goal == Goal::Execute && self.alarm.is_none() =>
            {
                warn!(nonce, %hash, reason, "refused for good");
                return self.cancel(nonce, Cause::Rejected(reason));
            }
            Err(Rejection::Unknown(error)) => {
                warn!(nonce, %hash, error, "no telling whether it was sent; sending it again");
                let pause = match self.deliveries.get(&nonce) {
                    Some(Delivery::Retry { pause, .. }) => (*pause * 2).min(LONGEST_PAUSE),
                    _ => FIRST_PAUSE,
                };
                self.provider_error = Some(error);
                Delivery::Retry {
                    when: Instant::now() + pause,
                    pause,
                }
            }
            Err(refusal) => {
                info!(nonce, %hash, ?refusal, "refused for now");
                Delivery::NextHead
            }
        };
        if offered && self.deliveries.contains_key(&nonce) {
            self.deliveries.insert(nonce, next);
        }
        Ok(())
    }
}

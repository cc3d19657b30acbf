//! What became of orders: the sender's reports, what they brought, and what a restart finds.

use std::time::Duration;

use alloy::rpc::types::TransactionReceipt;
use alloy_primitives::{Address, B256};
use breakwater_operator::config::Capital;
use breakwater_operator::status::BidState;
use breakwater_rpc::RpcError;
use breakwater_sender::{Inclusion, OrderState, Outcome, Report};

use super::under_way::Open;
use super::{Ended, Engine};
use crate::receipt::{gas_paid, movements};
use crate::store::{ActionKind, Ordered, Realised, StoreError};
use crate::units::{whole, whole_signed};

/// Decimals of the native token.
const NATIVE_DECIMALS: u8 = 18;

/// A receipt, or why there is none.
#[derive(Debug)]
pub(crate) struct ReceiptFound {
    id: B256,
    inclusion: Inclusion,
    is_final: bool,
    result: Result<Option<TransactionReceipt>, RpcError>,
}

/// Whether something may still become of an order in this state.
pub(super) const fn is_open(state: &OrderState) -> bool {
    matches!(
        state,
        OrderState::Planned
            | OrderState::InFlight { .. }
            | OrderState::Cancelling(_)
            | OrderState::Included(_)
            | OrderState::Cancelled {
                is_final: false,
                ..
            }
            | OrderState::Dropped { is_final: false }
    )
}

impl Engine {
    /// After a start: what became of the orders that were open when the keeper was last there.
    pub(super) async fn recall(&mut self) -> Result<(), StoreError> {
        let Some(sender) = self.sender.clone() else {
            return Ok(());
        };
        for ordered in self.store.open_orders()? {
            let id = ordered.id;
            let Ok(state) = sender.lookup(id).await else {
                // Nothing is known of any of them now: they stay open for the next start.
                tracing::warn!(order = %id, "the sender ended before it was asked for the orders of before");
                return Ok(());
            };
            tracing::info!(order = %id, account = %ordered.account, ?state, "an order of before");
            match state {
                Some(OrderState::Planned) => {
                    self.under_way
                        .0
                        .insert(id, Open::again(ordered, BidState::Prepared, None));
                }
                Some(OrderState::InFlight { .. }) => {
                    self.under_way
                        .0
                        .insert(id, Open::again(ordered, BidState::Submitted, None));
                }
                Some(OrderState::Cancelling(_)) => {
                    self.under_way
                        .0
                        .insert(id, Open::again(ordered, BidState::Cancelling, None));
                }
                Some(OrderState::Included(inclusion)) => {
                    self.store.sent(id, inclusion.hash)?;
                    self.under_way.0.insert(
                        id,
                        Open::again(ordered, BidState::Included, Some(inclusion)),
                    );
                    self.look_up(id, inclusion, false, Duration::ZERO);
                }
                Some(OrderState::Final(inclusion)) => {
                    self.store.sent(id, inclusion.hash)?;
                    self.look_up(id, inclusion, true, Duration::ZERO);
                }
                // What it cost is told again.
                Some(OrderState::Cancelled {
                    inclusion,
                    is_final: false,
                    ..
                }) => {
                    self.under_way.0.insert(
                        id,
                        Open::again(ordered, BidState::Included, Some(inclusion)),
                    );
                }
                Some(OrderState::Cancelled { inclusion, .. }) => {
                    self.realised_nothing(&ordered, inclusion, None)?;
                    self.store.close_order(id)?;
                }
                // Nothing of it is waited for, but it may come back.
                Some(OrderState::Dropped { is_final: false }) => {}
                // It never reached the sender, or came to nothing.
                None | Some(OrderState::Expired | OrderState::Dropped { .. }) => {
                    self.store.close_order(id)?;
                }
            }
        }
        Ok(())
    }

    /// Takes the sender's news.
    pub(super) fn heard(&mut self, report: Report) -> Option<Ended> {
        match report {
            Report::Alarm(alarm) => {
                tracing::error!(%alarm, "the sender signs nothing any more");
                self.warn(format!("the sender signs nothing any more: {alarm}"));
                None
            }
            Report::Order { id, label, outcome } => {
                tracing::debug!(order = %id, label, ?outcome, "the sender's news");
                self.became(id, outcome)
                    .err()
                    .map(|error| Ended::Failed(error.to_string()))
            }
        }
    }

    fn became(&mut self, id: B256, outcome: Outcome) -> Result<(), StoreError> {
        match outcome {
            Outcome::Broadcast { hash, nonce } => {
                self.store.sent(id, hash)?;
                self.note(id, BidState::Submitted, Some(hash), Some(nonce));
                let open = self.under_way.0.get_mut(&id);
                if let Some(received) = open.and_then(|open| open.head_received.take()) {
                    self.context.latencies.submitted(received.elapsed());
                }
            }
            Outcome::Replaced { new, .. } => {
                self.store.sent(id, new)?;
                self.note(id, BidState::Replaced, Some(new), None);
            }
            Outcome::Cancelling(cause) => {
                tracing::info!(order = %id, ?cause, "given up");
                self.note(id, BidState::Cancelling, None, None);
            }
            Outcome::Included(inclusion) => {
                self.store.sent(id, inclusion.hash)?;
                self.note(
                    id,
                    BidState::Included,
                    Some(inclusion.hash),
                    Some(inclusion.nonce),
                );
                // A restart hears of the same inclusion twice: it is learned from once.
                let known = self
                    .under_way
                    .0
                    .get_mut(&id)
                    .and_then(|open| open.inclusion.replace(inclusion));
                if known != Some(inclusion) {
                    self.included(id, inclusion)?;
                }
            }
            Outcome::Reorged { .. } => {
                self.store.unrealise(id)?;
                self.revive(id)?;
                if let Some(open) = self.under_way.0.get_mut(&id) {
                    open.inclusion = None;
                }
                self.note(id, BidState::Submitted, None, None);
            }
            Outcome::Cancelled(_, inclusion) => {
                self.note(
                    id,
                    BidState::Included,
                    Some(inclusion.hash),
                    Some(inclusion.nonce),
                );
                if let Some(open) = self.under_way.0.get_mut(&id) {
                    open.inclusion = Some(inclusion);
                }
                if let Some(ordered) = self.store.ordered(id)? {
                    self.realised_nothing(&ordered, inclusion, None)?;
                }
            }
            Outcome::Expired => {
                self.under_way.0.remove(&id);
                self.store.close_order(id)?;
            }
            // Nothing of it is waited for; but until that is final it may come back, and stays open.
            Outcome::Dropped { .. } => {
                self.under_way.0.remove(&id);
            }
            Outcome::Final => {
                // What it brought must be known first: a receipt may still be on its way.
                let inclusion = self.under_way.0.get(&id).and_then(|open| open.inclusion);
                match inclusion {
                    Some(inclusion) if !self.store.is_realised(id)? => {
                        self.look_up(id, inclusion, true, Duration::ZERO);
                    }
                    _ => self.store.close_order(id)?,
                }
                self.under_way.0.remove(&id);
            }
        }
        Ok(())
    }

    /// An order that was closed (its cancellation or a stranger's transaction was in a block) may be included after all.
    fn revive(&mut self, id: B256) -> Result<(), StoreError> {
        if self.under_way.0.contains_key(&id) {
            return Ok(());
        }
        if let Some(ordered) = self.store.ordered(id)? {
            self.store.order(&ordered)?;
            let open = Open::again(ordered, BidState::Submitted, None);
            self.under_way.0.insert(id, open);
        }
        Ok(())
    }

    /// The sender knows an order that the keeper had forgotten (its own file was lost): what became of it counts.
    pub(super) fn known_before(
        &mut self,
        ordered: Ordered,
        state: &OrderState,
    ) -> Result<(), StoreError> {
        let id = ordered.id;
        let (state, inclusion) = match *state {
            OrderState::Planned => (BidState::Prepared, None),
            OrderState::InFlight { .. } => (BidState::Submitted, None),
            OrderState::Cancelling(_) => (BidState::Cancelling, None),
            OrderState::Included(inclusion) => (BidState::Included, Some(inclusion)),
            OrderState::Final(inclusion) => {
                self.store.sent(id, inclusion.hash)?;
                self.look_up(id, inclusion, true, Duration::ZERO);
                return Ok(());
            }
            // It may come back.
            OrderState::Dropped { is_final: false } => return Ok(()),
            OrderState::Cancelled { .. } | OrderState::Expired | OrderState::Dropped { .. } => {
                return self.store.close_order(id);
            }
        };
        if let Some(inclusion) = inclusion {
            self.store.sent(id, inclusion.hash)?;
            self.look_up(id, inclusion, false, Duration::ZERO);
        }
        let known = self.under_way.0.entry(id);
        known.or_insert_with(|| Open::again(ordered, state, inclusion));
        Ok(())
    }

    fn note(&mut self, id: B256, state: BidState, hash: Option<B256>, nonce: Option<u64>) {
        if let Some(open) = self.under_way.0.get_mut(&id) {
            open.state = state;
            open.transaction = hash.or(open.transaction);
            open.nonce = nonce.or(open.nonce);
        }
    }

    fn included(&mut self, id: B256, inclusion: Inclusion) -> Result<(), StoreError> {
        let Some(ordered) = self.store.ordered(id)? else {
            return Ok(());
        };
        let counts = ordered.kind.competes();
        // Where nothing on chain insists on a profit, what it brought says whether it succeeded.
        let guarded = self.is_guarded(ordered.kind);
        if counts && (guarded || !inclusion.success) {
            self.planner
                .learn(inclusion.success, self.mirror.head().timestamp);
        }
        let gas = self.under_way.0.get(&id).and_then(|open| open.gas);
        if let (true, Some((beyond, _))) = (ordered.kind.repays(), gas) {
            let used = inclusion.gas_used.saturating_sub(beyond);
            if inclusion.success {
                self.planner.saw_gas(used);
            } else {
                self.planner.saw_revert(used);
            }
        }
        if inclusion.success {
            self.look_up(id, inclusion, false, Duration::ZERO);
            return Ok(());
        }
        tracing::warn!(order = %id, account = %ordered.account, block = inclusion.block_number, "reverted");
        self.store.reverted(
            inclusion.block_number,
            ordered.account,
            "our transaction in that block reverted",
        )?;
        self.realised_nothing(&ordered, inclusion, Some(false))
    }

    /// Whether something on chain insists on what it has to leave.
    fn is_guarded(&self, kind: ActionKind) -> bool {
        kind.repays() && self.planner.strategy().capital == Capital::Flash
    }

    fn realised_nothing(
        &mut self,
        ordered: &Ordered,
        inclusion: Inclusion,
        success: Option<bool>,
    ) -> Result<(), StoreError> {
        let gas = gas_cost(ordered, &inclusion);
        self.store.realise(&Realised {
            id: ordered.id,
            hash: inclusion.hash,
            block: inclusion.block_number,
            success,
            gross: 0.0,
            gas,
        })
    }

    /// Asks for the receipt of a transaction that succeeded.
    fn look_up(&mut self, id: B256, inclusion: Inclusion, is_final: bool, after: Duration) {
        let client = self.context.client.clone();
        self.receipts.spawn(async move {
            tokio::time::sleep(after).await;
            let result = client
                .request("eth_getTransactionReceipt", (inclusion.hash,))
                .await;
            ReceiptFound {
                id,
                inclusion,
                is_final,
                result,
            }
        });
    }

    /// Writes down what a transaction brought.
    pub(super) fn realise(&mut self, found: ReceiptFound) -> Option<Ended> {
        self.write_realised(found)
            .err()
            .map(|error| Ended::Failed(error.to_string()))
    }

    fn write_realised(&mut self, found: ReceiptFound) -> Result<(), StoreError> {
        let ReceiptFound {
            id,
            inclusion,
            is_final,
            result,
        } = found;
        let Some(ordered) = self.store.ordered(id)? else {
            return Ok(());
        };
        match result {
            Ok(Some(receipt)) if receipt.block_hash == Some(inclusion.block_hash) => {
                let gross = self.gross(ordered.kind, &receipt);
                let gas = gas_cost(&ordered, &inclusion);
                tracing::info!(
                    order = %id, kind = ordered.kind.name(), account = %ordered.account, block = inclusion.block_number,
                    gross, gas, net = gross - gas, expected = ordered.expected, "realised"
                );
                let guarded = self.is_guarded(ordered.kind);
                if ordered.kind.competes() && !guarded && !self.store.is_realised(id)? {
                    self.planner.learn(
                        inclusion.success && gross > gas,
                        self.mirror.head().timestamp,
                    );
                }
                self.store.realise(&Realised {
                    id,
                    hash: inclusion.hash,
                    block: inclusion.block_number,
                    success: Some(inclusion.success),
                    gross,
                    gas,
                })?;
            }
            // Reorganised away meanwhile: the sender reports where it is next.
            Ok(_) if !is_final => tracing::debug!(order = %id, "its receipt is no longer there"),
            // A node that keeps none of that age: what it cost is known all the same.
            Ok(_) => {
                tracing::warn!(order = %id, "no node has its receipt: only its gas is counted");
                self.realised_nothing(&ordered, inclusion, Some(inclusion.success))?;
            }
            Err(error) => {
                tracing::warn!(order = %id, %error, "its receipt could not be read");
                if is_final {
                    let slot = Duration::from_secs(self.context.slot);
                    self.look_up(id, inclusion, is_final, slot);
                    return Ok(());
                }
            }
        }
        if is_final {
            self.store.close_order(id)?;
        }
        Ok(())
    }

    /// Debt tokens received less paid. Collateral that is kept counts at the last price read, and so does what a venue left over.
    fn gross(&self, kind: ActionKind, receipt: &TransactionReceipt) -> f64 {
        let system = &self.context.system;
        let tokens: Vec<Address> = system
            .collaterals
            .iter()
            .map(|listed| listed.token.address)
            .collect();
        let moved = movements(
            receipt.inner.logs(),
            self.us(),
            system.debt.address,
            &tokens,
        );
        let mut gross = whole_signed(moved.debt, system.debt.decimals);
        if !self.is_guarded(kind) {
            for (place, amount) in moved.collaterals.into_iter().enumerate() {
                let listed = &system.collaterals[place];
                let price = self.latest.as_ref().and_then(|latest| {
                    let prices = latest.reading.markets.get(place)?.prices;
                    Some(
                        system
                            .decimals(listed)
                            .price(prices.fast.min(prices.confirm)),
                    )
                });
                gross += whole_signed(amount, listed.token.decimals) * price.unwrap_or_default();
            }
        }
        gross
    }
}

/// Gas paid, in debt tokens at the price of when it was planned.
fn gas_cost(ordered: &Ordered, inclusion: &Inclusion) -> f64 {
    let paid = gas_paid(inclusion.gas_used, inclusion.effective_gas_price);
    whole(paid, NATIVE_DECIMALS) * ordered.native_price
}

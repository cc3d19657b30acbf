//! From a head to orders: read, plan, try, submit. Each step that waits for a node runs beside the loop and is dropped when the
//! head is no longer the one it was for.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use alloy::consensus::constants::GWEI_TO_WEI;
use alloy::eips::eip1559::{BaseFeeParams, calc_next_block_base_fee};
use alloy_primitives::{Address, B256, U64, U256};
use breakwater_agents::observation::MIN_TIP;
use breakwater_protocol::{Mirror, Moment, ViewError};
use breakwater_rpc::follower::Block;
use breakwater_rpc::{Client, RpcError};
use breakwater_sender::SubmitError;
use serde::Deserialize;

use super::under_way::UnderWay;
use super::{Ended, Engine, Latest};
use crate::execute::{Declined, Rehearsed, Stage, order_of};
use crate::identity::Subject;
use crate::planner::{Orders, Plan, Planned, Sight};
use crate::reading::{HeadReading, NextBlock};
use crate::store::{ActionKind, Ordered, Store, StoreError};
use crate::thought::Verdict;

/// A block fuller than this leaves no room for what pays next to nothing.
const FULL_SHARE: f64 = 0.95;

/// The share of a full block's gas below whose tip a transaction was among the last included.
const MARGINAL_PERCENTILE: f64 = 5.0;

const TIP_WARNING: &str = "the node does not say what tip a full block took";

const CLOCKS_WARNING: &str =
    "the node does not say in time which sales' clocks run: none is started";

/// A step's outcome, with the head it was for.
#[derive(Debug)]
pub(crate) enum Step {
    /// The head was read.
    Read {
        head: B256,
        result: Result<(HeadReading, Result<f64, RpcError>), RpcError>,
    },
    /// An action was tried on the pending block.
    Rehearsed {
        head: B256,
        /// Its place in the plan.
        place: usize,
        tried: Tried,
    },
}

/// An action that was tried.
#[derive(Debug)]
pub(crate) struct Tried {
    planned: Box<Planned>,
    reading: Arc<HeadReading>,
    result: Result<Rehearsed, Declined>,
}

/// Lets what comes in any order out in the plan's: nonces follow it, and an action was planned for what those before it leave of
/// venue and bucket.
#[derive(Debug)]
pub(crate) struct InOrder<T> {
    next: usize,
    held: BTreeMap<usize, T>,
}

impl<T> Default for InOrder<T> {
    fn default() -> Self {
        Self {
            next: 0,
            held: BTreeMap::new(),
        }
    }
}

impl<T> InOrder<T> {
    /// Takes what has the place `place`; gives what it lets out.
    fn put(&mut self, place: usize, item: T) -> Vec<T> {
        self.held.insert(place, item);
        let mut out = Vec::new();
        while let Some(item) = self.held.remove(&self.next) {
            out.push(item);
            self.next += 1;
        }
        out
    }
}

/// The answer of `eth_feeHistory`, as far as it is used.
#[derive(Debug, Deserialize)]
struct FeeHistory {
    #[serde(default)]
    reward: Vec<Vec<U256>>,
}

/// The block after `block`, if no slot of `slot` seconds is missed. Its base fee is that of EIP-1559 with Ethereum's parameters. Where
/// a chain has others, what is planned and tried is priced at a base fee that is off by as much as the chain's step differs from an
/// eighth; bids have room for three such steps.
pub(crate) fn next_block(block: &Block, slot: u64) -> NextBlock {
    let base_fee = block.base_fee.map_or(0, |base_fee| {
        calc_next_block_base_fee(
            block.gas_used,
            block.gas_limit,
            base_fee,
            BaseFeeParams::ethereum(),
        )
    });
    NextBlock {
        parent: block.hash,
        number: block.number + 1,
        timestamp: block.timestamp + slot,
        base_fee,
        slot,
    }
}

/// The tip that would just have been included in `block`, gwei. A block with room includes anything; only a full one is asked about.
pub(crate) async fn inclusion_tip(client: &Client, block: &Block) -> Result<f64, RpcError> {
    if (block.gas_used as f64) < FULL_SHARE * block.gas_limit as f64 {
        return Ok(MIN_TIP);
    }
    let history: FeeHistory = client
        .request(
            "eth_feeHistory",
            (
                U64::from(1),
                U64::from(block.number),
                vec![MARGINAL_PERCENTILE],
            ),
        )
        .await?;
    let reward = history.reward.first().and_then(|tips| tips.first());
    Ok(reward.map_or(MIN_TIP, |tip| f64::from(*tip) / GWEI_TO_WEI as f64))
}

/// What the engine knows of orders, for a plan.
struct Book<'a> {
    under_way: &'a UnderWay,
    mirror: &'a Mirror,
    ordered_for: &'a HashSet<Address>,
    store: &'a mut Store,
    funds: Option<U256>,
}

impl Orders for Book<'_> {
    fn waiting(&self, account: Address, kind: ActionKind) -> bool {
        let mut waiting = self.under_way.waiting(account, kind, self.mirror);
        waiting.next().is_some()
    }

    fn sale_waiting(&self, backstop: Address, collateral: u32) -> bool {
        let kind = ActionKind::BuyInventory;
        let mut waiting = self.under_way.waiting(backstop, kind, self.mirror);
        waiting.any(|open| open.ordered.collateral == collateral)
    }

    fn free(&mut self, subject: &Subject) -> Option<B256> {
        if !self.ordered_for.contains(&subject.account) {
            return Some(subject.id(0));
        }
        subject
            .free(|id| self.store.fate(id))
            .inspect_err(|error| tracing::error!(%error, account = %subject.account, "not ordered for: its orders are unknown"))
            .ok()
            .flatten()
    }

    fn funds(&self) -> Option<U256> {
        self.funds
    }
}

impl Engine {
    /// Begins with the head.
    pub(super) fn start_planning(&mut self) {
        let Some(seen) = &self.head else { return };
        let block = seen.block.clone();
        let next = next_block(&block, self.context.slot);
        let (client, system) = (self.context.client.clone(), self.context.system.clone());
        let oracles: Vec<Address> = self
            .mirror
            .collaterals()
            .iter()
            .map(|collateral| collateral.oracle)
            .collect();
        let holders = self.planner.holders();
        self.steps.abort_all();
        self.steps.spawn(async move {
            let (reading, tip) = tokio::join!(
                HeadReading::read(&client, &system, &oracles, holders, next),
                inclusion_tip(&client, &block),
            );
            Step::Read {
                head: next.parent,
                result: reading.map(|reading| (reading, tip)),
            }
        });
    }

    /// Goes on with what a step found.
    pub(super) async fn advance(&mut self, step: Step) -> Option<Ended> {
        match step {
            Step::Read { head, .. } | Step::Rehearsed { head, .. }
                if head != self.mirror.head().hash || self.draining =>
            {
                None
            }
            Step::Read {
                result: Err(error), ..
            } => {
                // The next head brings the next try.
                tracing::warn!(%error, "the head could not be read: nothing is planned on it");
                None
            }
            Step::Read {
                result: Ok((reading, tip)),
                ..
            } => {
                let tip = self.tip_known(tip);
                if reading
                    .backstop
                    .as_ref()
                    .is_some_and(|read| read.clocks_unknown)
                {
                    self.warn(CLOCKS_WARNING.to_owned());
                } else {
                    self.clear_warning(CLOCKS_WARNING);
                }
                self.plan(reading, tip)
            }
            Step::Rehearsed { place, tried, .. } => {
                for tried in self.tried.put(place, tried) {
                    let ended = self
                        .submit(&tried.planned, &tried.reading, tried.result)
                        .await;
                    if ended.is_some() {
                        return ended;
                    }
                }
                None
            }
        }
    }

    /// The tip that was just included or, where the node does not say, the last one known: blocks are full just when there is most to
    /// liquidate, and a bid that is a little off is better than none.
    fn tip_known(&mut self, found: Result<f64, RpcError>) -> f64 {
        match found {
            Ok(tip) => {
                self.inclusion_tip = tip;
                self.clear_warning(TIP_WARNING);
            }
            Err(error) => {
                let tip = self.inclusion_tip;
                tracing::warn!(%error, tip, "{TIP_WARNING}");
                self.warn(format!("{TIP_WARNING}: bids go by the last that was known"));
            }
        }
        self.inclusion_tip
    }

    fn plan(&mut self, mut reading: HeadReading, inclusion_tip: f64) -> Option<Ended> {
        reading.inventory = reading
            .inventory
            .map(|held| self.under_way.unspent(held, &self.mirror, |_| true));
        if let Some(backstop) = &mut reading.backstop {
            // What a flash repays is not the account's.
            let own = reading.inventory.is_some();
            let spends = |kind: ActionKind| own || !kind.repays();
            backstop.spendable = (self.under_way).unspent(backstop.spendable, &self.mirror, spends);
        }
        let (plan, moment) = match self.planned_on(&reading, inclusion_tip) {
            Ok(planned) => planned,
            // Said as a warning when it was set.
            Err(ViewError::PolicyUnknown { .. }) => return None,
            Err(error) => {
                tracing::warn!(%error, "nothing is planned on this head");
                return None;
            }
        };
        if let Some(seen) = &self.head {
            self.context.latencies.planned(seen.received.elapsed());
        }
        let number = reading.next.number;
        self.memory.remember(number, &plan.thoughts);
        let reading = Arc::new(reading);
        self.tried = InOrder::default();
        for (place, planned) in plan.actions.iter().enumerate() {
            tracing::debug!(
                block = number, kind = planned.kind.name(), account = %planned.account, expected = planned.expected,
                "planned"
            );
            // Until the sender has it, it is no bid: a newer head may come before the node's answer.
            let why = if self.context.dry_run {
                "planned, and not sent: a dry run"
            } else {
                "planned, and not sent before the next head"
            };
            self.correct(number, planned, Verdict::Unready(why.to_owned()));
            self.rehearse(place, planned.clone(), reading.clone());
        }
        self.audit_some();
        let latest = Latest {
            reading: Arc::unwrap_or_clone(reading),
            plan,
        };
        self.publish_market(&latest, &moment);
        if self.context.dry_run {
            for planned in &latest.plan.actions {
                let verdict = Verdict::Unready("planned, and not sent: a dry run".to_owned());
                self.correct(number, planned, verdict);
            }
        }
        self.latest = Some(latest);
        None
    }

    /// Corrects what became of a position in the block `number`: for the ledger, and for people. Only by what was to close it: a flag
    /// is no bid.
    fn correct(&mut self, number: u64, planned: &Planned, verdict: Verdict) {
        if !planned.kind.closes() {
            return;
        }
        let account = planned.account;
        let why_not = verdict.why_not();
        self.status.send_modify(|status| {
            let mut positions = status.positions.iter_mut();
            if let Some(position) = positions.find(|position| position.account == account) {
                position.why_not = why_not;
            }
        });
        self.memory.correct(number, account, verdict);
    }

    fn planned_on(&mut self, reading: &HeadReading, tip: f64) -> Result<(Plan, Moment), ViewError> {
        let moment = self
            .mirror
            .moment(&reading.prices(), reading.next.timestamp)?;
        let accounts = self.mirror.candidates(&moment);
        let anchor = self.mirror.policy_state().seed().anchor;
        let anchor_hash = self
            .hashes
            .iter()
            .find(|(number, _)| *number == anchor)
            .map_or(B256::ZERO, |(_, hash)| *hash);
        let claims = (self.under_way).claims(reading.markets.len(), &self.mirror);
        let sight = Sight {
            system: &self.context.system,
            mirror: &self.mirror,
            reading,
            moment: &moment,
            inclusion_tip: tip,
            anchor_hash,
            claims: &claims,
        };
        let funds = self.sender.as_ref().and_then(|sender| {
            let status = sender.status();
            let committed = self.under_way.committed(&status.in_flight);
            Some(status.balance?.saturating_sub(committed))
        });
        let mut orders = Book {
            under_way: &self.under_way,
            mirror: &self.mirror,
            ordered_for: &self.ordered_for,
            store: &mut self.store,
            funds,
        };
        let plan = self.planner.plan(&sight, &accounts, &mut orders)?;
        Ok((plan, moment))
    }

    fn rehearse(&mut self, place: usize, planned: Planned, reading: Arc<HeadReading>) {
        let context = self.context.clone();
        let strategy = self.planner.strategy().clone();
        let head = reading.next.parent;
        self.steps.spawn(async move {
            let stage = Stage {
                client: &context.client,
                system: &context.system,
                strategy: &strategy,
                reading: &reading,
                funded: !context.dry_run,
            };
            let result = stage.rehearse(&planned).await;
            Step::Rehearsed {
                head,
                place,
                tried: Tried {
                    planned: Box::new(planned),
                    reading,
                    result,
                },
            }
        });
    }

    /// Gives what stood the test to the sender.
    async fn submit(
        &mut self,
        planned: &Planned,
        reading: &HeadReading,
        result: Result<Rehearsed, Declined>,
    ) -> Option<Ended> {
        let number = reading.next.number;
        // Meanwhile the sender may have said that a block is gone with what was in it for this account.
        if self
            .under_way
            .waiting(planned.account, planned.kind, &self.mirror)
            .any(|open| open.ordered.planned_block != number)
        {
            self.correct(number, planned, Verdict::Pending);
            return None;
        }
        let rehearsed = match result {
            Ok(rehearsed) => rehearsed,
            Err(declined) => {
                tracing::info!(account = %planned.account, %declined, "not sent");
                let verdict = match declined {
                    Declined::TooLittle { left, gas } => {
                        Verdict::Unprofitable { profit: left - gas }
                    }
                    Declined::Reverts(_) => Verdict::Failed(declined.to_string()),
                    Declined::Unknown(_) | Declined::NoContract => {
                        Verdict::Unready(declined.to_string())
                    }
                };
                self.correct(number, planned, verdict);
                return None;
            }
        };
        let left = rehearsed.left;
        let Some(sender) = self.sender.clone() else {
            tracing::info!(account = %planned.account, kind = planned.kind.name(), left, "would be sent: a dry run");
            return None;
        };
        let ordered = Ordered {
            id: planned.id,
            kind: planned.kind,
            account: planned.account,
            collateral: planned.collateral,
            planned_block: number,
            planned_at: reading.next.timestamp,
            expected: planned.expected,
            native_price: self.native_price(reading),
        };
        let order = order_of(
            planned,
            rehearsed,
            reading,
            self.planner.strategy(),
            self.context.slot,
        );
        // On disk before the sender knows: after a crash in between, the sender says that it never heard of it.
        if let Err(error) = self.store.order(&ordered) {
            return Some(Ended::Failed(error.to_string()));
        }
        self.ordered_for.insert(planned.account);
        match sender.submit(order).await {
            Ok(_) => {
                self.correct(number, planned, Verdict::Planned);
                tracing::info!(
                    order = %ordered.id, kind = planned.kind.name(), account = %planned.account, block = number,
                    expected = planned.expected, left, "submitted"
                );
                let beyond = planned.gas.saturating_sub(self.planner.liquidation_gas());
                let gas = (beyond, planned.gas_limit);
                let head_received = self.head.as_ref().map(|seen| seen.received);
                let Planned {
                    bid, repay, claims, ..
                } = *planned;
                let claims = (claims, self.mirror.debt_shares_of(&planned.account));
                self.under_way
                    .insert(ordered, bid, repay, gas, claims, head_received);
                None
            }
            Err(error) => self
                .not_taken(planned, ordered, error)
                .err()
                .map(|error| Ended::Failed(error.to_string())),
        }
    }

    fn not_taken(
        &mut self,
        planned: &Planned,
        ordered: Ordered,
        error: SubmitError,
    ) -> Result<(), StoreError> {
        tracing::info!(order = %ordered.id, account = %ordered.account, %error, "not taken by the sender");
        let verdict = match &error {
            SubmitError::Duplicate { state, .. } if super::orders::is_open(state) => {
                Verdict::Pending
            }
            other => Verdict::Unready(other.to_string()),
        };
        self.correct(ordered.planned_block, planned, verdict);
        match error {
            SubmitError::Duplicate { state, .. } => self.known_before(ordered, &state),
            // It may be on the sender's disk all the same: the next start asks.
            SubmitError::ShuttingDown => Ok(()),
            SubmitError::Halted(alarm) => {
                self.warn(format!("the sender signs nothing any more: {alarm}"));
                self.store.close_order(ordered.id)
            }
            _ => self.store.close_order(ordered.id),
        }
    }

    pub(super) fn native_price(&self, reading: &HeadReading) -> f64 {
        let system = &self.context.system;
        system.native_price(reading.gas_price_of_native(system))
    }
}

#[cfg(test)]
mod tests {
    use super::InOrder;

    #[test]
    fn what_comes_in_any_order_goes_out_in_the_plans() {
        let mut order = InOrder::default();
        assert!(order.put(2, 'c').is_empty());
        assert!(order.put(1, 'b').is_empty());
        assert_eq!(order.put(0, 'a'), ['a', 'b', 'c']);
        assert_eq!(order.put(3, 'd'), ['d']);
    }
}

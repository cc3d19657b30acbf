//! From the mirror and a reading to actions. What the pool would grant is computed by the policies' port, to the wei and for the
//! block being planned for; what of that is worth a transaction is decided by `breakwater_agents`, as in the simulator.

mod backstop;
mod candidates;
mod forecast;
mod means;
mod orders;
mod turns;
mod upkeep;

use std::cmp::{Ordering, Reverse};

use alloy_primitives::map::HashMap;
use alloy_primitives::{Address, B256, U256};
pub(crate) use backstop::{kept_value, outlet};
use breakwater_agents::keeper::{Candidate, Keeper, REVERT_GAS, Terms, best_sale};
use breakwater_agents::{Action as Wanted, Bid, Intent, Observation, Venue};
use breakwater_operator::config::{Capital, StrategyConfig};
use breakwater_protocol::policy::{Environment, Refusal, Seed};
use breakwater_protocol::{Mirror, Moment, ViewError};
pub use orders::{Claims, NoOrders, Orders};

use crate::identity::{self, DEFAULT_EPOCH_SECONDS};
use crate::reading::{HeadReading, Holders};
use crate::store::ActionKind;
use crate::system::System;
use crate::thought::{Thought, Verdict};
use crate::units::{base_down, whole};
use candidates::Considered;

/// b_set: what a settlement pays at most; `PoolSettlement.sol`.
const SETTLEMENT_BONUS: f64 = 0.03;

/// What the operator asks of a liquidation.
#[derive(Clone, Debug, PartialEq)]
pub struct Strategy {
    /// Who sends.
    pub us: Address,
    /// With what it repays.
    pub capital: Capital,
    /// The least profit net of gas, debt tokens.
    pub min_profit: f64,
    /// The margin for what prices may do, as a share of the repayment.
    pub risk_margin: f64,
    /// The most that is paid per gas, gwei.
    pub max_gas_price: f64,
    /// How many keepers are reckoned with, this one included.
    pub count: u32,
}

impl Strategy {
    /// The configured strategy of the account `us`.
    #[must_use]
    pub fn new(config: &StrategyConfig, us: Address) -> Self {
        Self {
            us,
            capital: config.capital,
            min_profit: config.min_profit,
            risk_margin: config.risk_margin,
            max_gas_price: config.max_gas_price as f64 / 1e9,
            count: config.competitors.saturating_add(1),
        }
    }
}

/// Something worth a transaction.
#[derive(Clone, Debug, PartialEq)]
pub struct Planned {
    /// Its identifier; see [`Subject`].
    pub id: B256,
    /// What is done.
    pub kind: ActionKind,
    /// Whose position; the policy for a record of the depth, the backstop for a purchase of it.
    pub account: Address,
    /// Which collateral.
    pub collateral: u32,
    /// The most to repay, to pay for inventory, or that a settlement by the backstop may come to take of us, base units; 0 where
    /// nothing of ours is spent.
    pub repay: U256,
    /// The most collateral to buy, base units; 0 for anything but a purchase.
    pub amount: U256,
    /// The least that must be left before gas, debt tokens.
    pub min_profit: f64,
    /// What is offered for gas.
    pub bid: Bid,
    /// What it is expected to use of the gas.
    pub gas: u64,
    /// Gas limit.
    pub gas_limit: u64,
    /// What is expected to be left after the repayment or the purchase, or to be paid by the backstop, before margin and gas, debt
    /// tokens; 0 for a flag or a record.
    pub surplus: f64,
    /// What it takes of its collateral's market.
    pub claims: Claims,
    /// Expected profit net of gas and margin, debt tokens; negative for a flag or a record, whose gain comes later.
    pub expected: f64,
}

/// What was planned for a block.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    /// Every position below 1.
    pub thoughts: Vec<Thought>,
    /// What is to be sent, the most promising first.
    pub actions: Vec<Planned>,
}

/// What the mirror's state and the reading say of the block that is planned for.
pub struct Sight<'a> {
    /// What is deployed.
    pub system: &'a System,
    /// What is on chain, by events.
    pub mirror: &'a Mirror,
    /// What is on chain, by one call.
    pub reading: &'a HeadReading,
    /// The market accrued to the block, with the reading's prices.
    pub moment: &'a Moment,
    /// The tip that would just have been included in the head, gwei.
    pub inclusion_tip: f64,
    /// The hash of the block that the seed's anchor names; zero if not known.
    pub anchor_hash: B256,
    /// What orders in no block yet take of each collateral's market; empty where there are none.
    pub claims: &'a [Claims],
}

impl Sight<'_> {
    /// What a policy's decision is made in.
    #[must_use]
    pub fn environment(&self, collateral: u32) -> Environment {
        let next = &self.reading.next;
        Environment {
            chain_id: self.system.chain_id,
            pool: self.system.pool,
            timestamp: next.timestamp,
            block_number: next.number,
            base_fee: next.base_fee,
            anchor_hash: self.anchor_hash,
            native_price: self.reading.native_price(self.system),
            depth_reading: self
                .reading
                .markets
                .get(collateral as usize)
                .map_or(U256::ZERO, |market| market.depth),
        }
    }

    /// The pool's seed record.
    fn seed(&self) -> Seed {
        self.mirror.policy_state().seed()
    }

    fn epoch(&self) -> u64 {
        let seconds = self
            .system
            .damped()
            .map_or(DEFAULT_EPOCH_SECONDS, |policy| {
                policy.parameters().epoch_seconds
            });
        self.reading.next.timestamp / seconds
    }
}

/// Decides at every head.
#[derive(Clone, Debug)]
pub struct Planner {
    strategy: Strategy,
    keeper: Keeper,
    liquidation_gas: u64,
    revert_gas: u64,
}

impl Planner {
    /// One that has seen nothing yet.
    #[must_use]
    pub fn new(strategy: Strategy) -> Self {
        // Keepers of one group are told apart by their number; here an address stands for it.
        let place = u32::from_be_bytes(strategy.us.0[16..].try_into().unwrap_or_default());
        let mut keeper = Keeper::group(1, 0).remove(0);
        keeper.number = place % strategy.count.max(1);
        Self {
            strategy,
            keeper,
            liquidation_gas: breakwater_agents::keeper::LIQUIDATION_GAS,
            revert_gas: REVERT_GAS,
        }
    }

    /// What the operator asks.
    #[must_use]
    pub const fn strategy(&self) -> &Strategy {
        &self.strategy
    }

    /// Whose debt tokens limit what can be repaid, where that is so, and bought.
    #[must_use]
    pub fn holders(&self) -> Holders {
        let us = self.strategy.us;
        Holders {
            repays: (self.strategy.capital == Capital::Inventory).then_some(us),
            buys: (!us.is_zero()).then_some(us),
        }
    }

    /// What is expected of a liquidation's gas.
    #[must_use]
    pub const fn liquidation_gas(&self) -> u64 {
        self.liquidation_gas
    }

    /// Takes the gas of a liquidation of ours that succeeded.
    pub fn saw_gas(&mut self, gas_used: u64) {
        let mut terms = self.terms(0.0);
        terms.saw(gas_used);
        self.liquidation_gas = terms.liquidation_gas;
    }

    /// Takes the gas of one that reverted.
    pub fn saw_revert(&mut self, gas_used: u64) {
        let mut terms = self.terms(0.0);
        terms.saw_revert(gas_used);
        self.revert_gas = terms.revert_gas;
    }

    /// Takes whether a liquidation of ours succeeded, as it is known at a time in seconds.
    pub fn learn(&mut self, success: bool, time: u64) {
        self.keeper.learn(success, self.strategy.count, time);
    }

    /// The terms of a collateral, for positions with nothing else.
    fn terms(&self, max_bonus: f64) -> Terms {
        Terms {
            max_bonus,
            settlement_bonus: SETTLEMENT_BONUS,
            risk_margin: self.strategy.risk_margin,
            min_profit: self.strategy.min_profit,
            count: self.strategy.count.max(1),
            liquidation_gas: self.liquidation_gas,
            revert_gas: self.revert_gas,
            // Only the flash liquidator insists on a profit.
            guarded: self.strategy.capital == Capital::Flash,
        }
    }

    /// Plans for the sight's block. `accounts` are those with a health factor below 1; `orders` says what was ordered before.
    ///
    /// # Errors
    /// [`ViewError::PolicyUnknown`]. An account whose own views revert is left out.
    pub fn plan(
        &self,
        sight: &Sight<'_>,
        accounts: &[Address],
        orders: &mut dyn Orders,
    ) -> Result<Plan, ViewError> {
        let mut considered = Vec::new();
        for account in accounts {
            considered.extend(self.consider(sight, *account)?);
        }
        // Before bucket, venue and places are shared out: what cannot be ordered takes none of them.
        for one in &mut considered {
            orders::permit(sight, one, orders);
        }
        let mut plan = Plan::default();
        let mut room = sight.room();
        self.take_up(sight, &mut considered, false, &mut room, orders, &mut plan);
        for collateral in 0..sight.reading.markets.len() {
            let collateral = collateral as u32;
            let mut here: Vec<Considered> = considered
                .extract_if(.., |one| one.thought.collateral == collateral)
                .collect();
            if !here.is_empty() {
                self.plan_collateral(sight, collateral, &mut here, &mut room, orders, &mut plan);
            }
        }
        self.buy(sight, orders, &mut plan);
        interleave(&mut plan.actions);
        if let Some(inventory) = sight.reading.inventory {
            means::within_inventory(&mut plan, inventory);
        }
        if let (Some(funds), Some(first)) = (orders.funds(), plan.actions.first()) {
            let observation = self.observation(sight, first.collateral);
            means::within_funds(&mut plan, &observation, funds);
        }
        Ok(plan)
    }

    /// One collateral's candidates: they share bucket and venue.
    fn plan_collateral(
        &self,
        sight: &Sight<'_>,
        collateral: u32,
        here: &mut Vec<Considered>,
        room: &mut U256,
        orders: &mut dyn Orders,
        plan: &mut Plan,
    ) {
        let observation = self.observation(sight, collateral);
        let terms = self.terms(candidates::max_bonus(sight, collateral));
        here.sort_by(|a, b| {
            b.gain
                .total_cmp(&a.gain)
                .then(a.thought.account.cmp(&b.thought.account))
        });
        let unready = self.unready(sight, collateral);
        let offered: Vec<Candidate> = match unready {
            Some(_) => Vec::new(),
            None => here
                .iter()
                .enumerate()
                .map(|(place, one)| Candidate {
                    account: place as u32,
                    ..one.candidate
                })
                .collect(),
        };
        let account = |place: u32| here[place as usize].thought.account;
        let keeper = &self.keeper;
        let intents = keeper.plan(
            &observation,
            observation.venue,
            &offered,
            &terms,
            |place| here[place as usize].waits,
            |place| identity::draw(self.strategy.us, account(place), sight.reading.next.number),
        );
        let mut planned = vec![false; here.len()];
        let mut acted = vec![false; here.len()];
        let mut taken = turns::Taken::default();
        let mut closed = vec![false; here.len()];
        let mut behind = observation.clone();
        for intent in intents {
            if let Some(action) = self.action(sight, collateral, here, &behind, &terms, &intent) {
                let place = place_of(&intent.action).unwrap_or_default();
                if action.kind.closes() && !taken.admits(sight, &here[place], action.repay) {
                    closed[place] = true;
                    continue;
                }
                behind.venue = behind.venue.sell(action.claims.sold).1;
                // A flag prepares a liquidation: what was thought of one now still holds.
                (acted[place], planned[place]) = (true, action.kind.closes());
                plan.actions.push(action);
            }
        }
        let policy = sight.system.policy_address;
        if unready.is_none() && !orders.waiting(policy, ActionKind::RecordDepth) {
            let record = self.record_depth(sight, collateral, here, &observation, &terms, orders);
            plan.actions.extend(record);
        }
        if unready.is_none() {
            // Bucket, venue or turns had no more for some.
            for (one, acted) in here.iter_mut().zip(acted) {
                one.waits |= acted;
            }
            self.take_up(sight, here, true, room, orders, plan);
        }
        for ((one, planned), closed) in here.drain(..).zip(planned).zip(closed) {
            let mut thought = one.thought;
            thought.verdict = match &unready {
                _ if planned || one.taken_up => Verdict::Planned,
                _ if closed => Verdict::Refused(Refusal::Turn),
                _ if one.ordered => Verdict::Pending,
                None if one.offer.is_some() => Verdict::Unprofitable {
                    profit: one.profit_now.max(one.offered_now),
                },
                _ if thought.refusal != Refusal::None && one.candidate.settle.is_none() => {
                    Verdict::Refused(thought.refusal)
                }
                Some(reason) => Verdict::Unready(reason.clone()),
                None => Verdict::Unprofitable {
                    profit: one.profit_now,
                },
            };
            plan.thoughts.push(thought);
        }
    }

    /// Why nothing can be sent at all, if nothing can.
    pub(super) fn unweighable(&self, sight: &Sight<'_>) -> Option<String> {
        // Without it gas would count as free, and any bid as worth it.
        if sight.reading.gas_price_of_native(sight.system).is_zero() {
            return Some("the native coin has no price: gas cannot be weighed".to_owned());
        }
        let base_fee = sight.reading.next.base_fee as f64 / 1e9;
        if base_fee > self.strategy.max_gas_price {
            return Some(format!(
                "the base fee, {base_fee:.3} gwei, is above the most that may be paid, {:.3}",
                self.strategy.max_gas_price
            ));
        }
        None
    }

    /// Why nothing can be repaid for a collateral, if nothing can.
    pub(super) fn unready(&self, sight: &Sight<'_>, collateral: u32) -> Option<String> {
        if let Some(reason) = self.unweighable(sight) {
            return Some(reason);
        }
        if self.strategy.capital == Capital::Inventory {
            return None;
        }
        let listed = sight.system.collaterals.get(collateral as usize);
        if listed.is_none_or(|listed| listed.liquidator.is_none()) {
            return Some("the manifest names no flash liquidator for this collateral".to_owned());
        }
        let market = sight.reading.markets.get(collateral as usize);
        market
            .is_none_or(|market| market.venue.is_none())
            .then(|| "the venue does not answer or has no liquidity in range".to_owned())
    }

    /// What the deciding code is told of the block.
    fn observation(&self, sight: &Sight<'_>, collateral: u32) -> Observation {
        candidates::observation(sight, collateral, self.strategy.capital)
    }

    /// An intent in the chain's integers.
    fn action(
        &self,
        sight: &Sight<'_>,
        collateral: u32,
        here: &[Considered],
        observation: &Observation,
        terms: &Terms,
        intent: &Intent,
    ) -> Option<Planned> {
        let one = here.get(place_of(&intent.action)?)?;
        let bid = self.affordable(observation, intent.bid)?;
        let gas_of = |kind| candidates::gas_of(kind, terms, one.candidate.further);
        let cost = |kind| observation.gas_cost(gas_of(kind), bid.tip);
        let flash = self.strategy.capital == Capital::Flash;
        let sold = |amount| if flash { amount } else { 0.0 };
        let (kind, id, repay, min_profit, surplus, expected, claims) = match intent.action {
            Wanted::Liquidate {
                repay, min_profit, ..
            } => {
                let seize = one.candidate.seize * repay / one.candidate.repay;
                let sale = best_sale(&observation.venue, repay, seize, terms.risk_margin)?;
                let kind = ActionKind::Liquidate;
                let claims = Claims {
                    sold: sold(seize),
                    charged: if one.candidate.charged { repay } else { 0.0 },
                };
                let expected = sale.surplus - terms.risk_margin * sale.repay - cost(kind);
                // A grant that is taken whole is asked for whole: half a unit of rounding would leave dust.
                let repay = if repay >= one.candidate.repay {
                    one.thought.repay
                } else {
                    base_down(repay, sight.system.debt.decimals).min(one.thought.repay)
                };
                (
                    kind,
                    one.ids.liquidate?,
                    repay,
                    min_profit,
                    sale.surplus,
                    expected,
                    claims,
                )
            }
            Wanted::Settle { min_profit, .. } => {
                let due = one.candidate.settle?;
                let (proceeds, _) = observation.venue.sell(one.candidate.collateral);
                let kind = ActionKind::Settle;
                let surplus = proceeds + one.candidate.stipend - due;
                (
                    kind,
                    one.ids.settle?,
                    base_down(due, sight.system.debt.decimals),
                    min_profit,
                    surplus,
                    surplus - terms.risk_margin * due - cost(kind),
                    Claims {
                        sold: sold(one.candidate.collateral),
                        charged: 0.0,
                    },
                )
            }
            Wanted::Flag { .. } => (
                ActionKind::Flag,
                one.ids.flag?,
                U256::ZERO,
                0.0,
                0.0,
                -cost(ActionKind::Flag),
                Claims::default(),
            ),
            _ => return None,
        };
        Some(Planned {
            id,
            kind,
            account: one.thought.account,
            collateral,
            repay,
            amount: U256::ZERO,
            min_profit,
            bid,
            gas: gas_of(kind),
            gas_limit: intent.gas_limit,
            surplus,
            claims,
            expected,
        })
    }

    /// The bid within the most that may be paid per gas; `None` if that does not pay the base fee.
    fn affordable(&self, observation: &Observation, bid: Bid) -> Option<Bid> {
        let limit = self.strategy.max_gas_price;
        (observation.base_fee <= limit).then(|| Bid {
            max_fee: bid.max_fee.min(limit),
            tip: bid.tip.min(limit - observation.base_fee),
        })
    }
}

/// What actions draw on together, so that each was planned for what those before it leave.
#[derive(PartialEq, Eq, Hash)]
enum Shared {
    /// The venue and the bucket of a collateral.
    Market(u32),
    /// What the backstop can spend.
    Room,
}

impl Shared {
    /// `None` for what stands alone.
    const fn of(action: &Planned) -> Option<Self> {
        match action.kind {
            ActionKind::Absorb | ActionKind::SettleByBackstop => Some(Self::Room),
            ActionKind::BuyInventory | ActionKind::ObserveSale => None,
            ActionKind::Liquidate
            | ActionKind::Settle
            | ActionKind::Flag
            | ActionKind::RecordDepth => Some(Self::Market(action.collateral)),
        }
    }
}

/// Puts the actions among each other by what they promise. Those that draw on the same keep their order.
fn interleave(actions: &mut [Planned]) {
    let mut least: HashMap<Shared, f64> = HashMap::default();
    // Along the actions that share something, the least promise so far never rises; a stable sort by it keeps them in order.
    actions.sort_by_cached_key(|action| {
        let promise = Shared::of(action).map_or(action.expected, |shared| {
            let least = least.entry(shared).or_insert(f64::INFINITY);
            *least = least.min(action.expected);
            *least
        });
        Reverse(Promise(promise))
    });
}

/// A profit, by which things are sorted.
#[derive(PartialEq)]
struct Promise(f64);

impl Eq for Promise {}

impl PartialOrd for Promise {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Promise {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.total_cmp(&other.0)
    }
}

fn place_of(action: &Wanted) -> Option<usize> {
    match *action {
        Wanted::Liquidate { account, .. }
        | Wanted::Settle { account, .. }
        | Wanted::Flag { account } => Some(account as usize),
        _ => None,
    }
}

/// Where collateral that is kept is counted: at a price that no sale moves, the lower of the fast and the venue's.
fn kept_at(price: f64) -> Venue {
    Venue {
        sqrt_price: price.sqrt(),
        liquidity: f64::INFINITY,
        fee: 0.0,
    }
}

/// Whole debt tokens.
fn debt_tokens(sight: &Sight<'_>, amount: U256) -> f64 {
    whole(amount, sight.system.debt.decimals)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Kind, collateral and promise.
    type Told = (ActionKind, u32, f64);

    fn planned((kind, collateral, expected): Told) -> Planned {
        Planned {
            id: B256::ZERO,
            kind,
            account: Address::ZERO,
            collateral,
            repay: U256::ZERO,
            amount: U256::ZERO,
            min_profit: 0.0,
            bid: Bid {
                max_fee: 20.0,
                tip: 1.0,
            },
            gas: 1,
            gas_limit: 1,
            surplus: 0.0,
            claims: Claims::default(),
            expected,
        }
    }

    #[test]
    fn a_small_reward_holds_no_large_liquidation_up() {
        use ActionKind::{Absorb, BuyInventory, Flag, Liquidate, ObserveSale, SettleByBackstop};
        let told = [
            (Absorb, 0, 2.0),
            // After it on purpose: of what it can spend this one was to have the rest.
            (SettleByBackstop, 1, 3.0),
            (Flag, 0, -1.0),
            // The flag is before it, of the same market.
            (Liquidate, 0, 900.0),
            (Liquidate, 1, 500.0),
            (ObserveSale, 1, -2.0),
            (BuyInventory, 1, 700.0),
        ];
        let mut actions: Vec<Planned> = told.into_iter().map(planned).collect();
        interleave(&mut actions);
        let found: Vec<Told> = actions
            .iter()
            .map(|action| (action.kind, action.collateral, action.expected))
            .collect();
        assert_eq!(
            found,
            [
                (BuyInventory, 1, 700.0),
                (Liquidate, 1, 500.0),
                (Absorb, 0, 2.0),
                (SettleByBackstop, 1, 3.0),
                (Flag, 0, -1.0),
                (Liquidate, 0, 900.0),
                (ObserveSale, 1, -2.0),
            ]
        );
    }
}

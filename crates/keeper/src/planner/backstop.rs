//! What the keeper does for a backstop, which pays its caller in collateral, and what it buys of it. What the backstop would be granted
//! is computed by its policy's port; what it has and for how much it sells is read with the head.

use std::cmp::Reverse;

use alloy_primitives::{Address, B256, U256};
use breakwater_agents::keeper::{
    BUY_GAS, MAX_ACTIONS, OBSERVE_GAS, Sale, Terms, absorb_gas, backstop_gas_limit,
    backstop_settle_gas, purchase, rewarded,
};
use breakwater_agents::{Bid, Observation, Venue};
use breakwater_operator::config::Capital;
use breakwater_protocol::math::{
    ArithmeticError, PRICE_SCALE, WAD, mul_div_down, mul_div_up, value_down,
};
use breakwater_protocol::policy::{
    BackstopPolicy, Behind, Decision, Environment, LiquidationGrant, LiquidationRequest, Refusal,
};
use breakwater_protocol::{AccountHealth, PriceStatus};

use super::candidates::{Considered, max_bonus, stipend};
use super::{Claims, Orders, Plan, Planned, Planner, Promise, Sight, debt_tokens, kept_at};
use crate::clocks::CLOCK_SECONDS;
use crate::identity::{self, Subject};
use crate::reading::{HeadReading, SaleReading};
use crate::store::ActionKind;
use crate::system::System;
use crate::thought::Offered;
use crate::units::{base_down, ratio, whole};

/// 1 + b_set, WAD: what a settlement costs is the collateral's value divided by it; `PoolSettlement.sol`.
const SETTLEMENT_MULTIPLIER: U256 = U256::from_limbs([1_030_000_000_000_000_000, 0, 0, 0]);

/// Seconds in which the release refills: one purchase in so many; `BackstopSale.sol`.
const REFILL_SECONDS: u64 = 12;

/// What purchases before ours in the block can lift the price by, parts in 10,000: all that may be sold at once moves the clock by 24
/// seconds, in which an auction of 10 minutes over 2%, the default, falls by 0.08%. A sale does not tell of its terms.
const PURCHASE_LIFT: u64 = 8;

/// What the backstop would do with a position, and what that leaves for its caller.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Offer {
    pub kind: ActionKind,
    /// What the backstop spends, debt base units.
    pub spends: U256,
    /// What of that it may come to take of the account instead, where it has less by then, debt base units.
    pub own: U256,
    /// What it takes of the considered collateral, base units.
    pub takes: U256,
    /// What its caller is paid, debt tokens.
    pub pay: f64,
    /// The same after the margin.
    pub gross: f64,
    pub gas: u64,
}

impl Offer {
    /// For people.
    pub const fn told(&self) -> Offered {
        Offered {
            kind: self.kind,
            spends: self.spends,
            takes: self.takes,
            pay: self.pay,
        }
    }
}

impl Sight<'_> {
    /// What the backstop can still spend; 0 without one.
    pub(super) fn room(&self) -> U256 {
        let read = self.reading.backstop.as_ref();
        read.map_or(U256::ZERO, |read| read.absorbable)
    }

    /// What it may take of the account; 0 without one.
    fn spendable(&self) -> U256 {
        let read = self.reading.backstop.as_ref();
        read.map_or(U256::ZERO, |read| read.spendable)
    }

    /// The policy by which the backstop comes first, where it does.
    fn first(&self) -> Option<BackstopPolicy> {
        self.system.backstop?.policy
    }

    fn behind<'a>(&'a self, environment: &'a Environment) -> Behind<'a> {
        Behind {
            policy: &self.system.policy,
            state: self.mirror.policy_state(),
            environment,
        }
    }

    /// What anybody but the backstop is granted.
    pub(super) fn decide(&self, request: &LiquidationRequest) -> Result<Decision, ArithmeticError> {
        let environment = self.environment(request.collateral_id as u32);
        let behind = self.behind(&environment);
        match self.first() {
            Some(policy) => policy.quote(behind, request, self.room()),
            None => behind.policy.quote(behind.state, request, &environment),
        }
    }

    /// What the backstop is granted with `room` to spend.
    fn absorption(
        &self,
        account: Address,
        collateral: u32,
        room: U256,
    ) -> Option<LiquidationGrant> {
        let policy = self.first().filter(|_| !room.is_zero())?;
        if !self.has_fast_price(collateral) {
            return None;
        }
        let id = u64::from(collateral);
        let (moment, breaker) = (self.moment, self.reading.breaker);
        let request = self
            .mirror
            .request(&account, id, room, moment, breaker)
            .ok()?;
        let environment = self.environment(collateral);
        let grant = policy
            .absorption(self.behind(&environment), &request)
            .ok()?;
        (grant.refusal == Refusal::None).then_some(grant)
    }

    /// Whether F is the fast price: the backstop refuses a slow one that stands in for it.
    fn has_fast_price(&self, collateral: u32) -> bool {
        let market = self.reading.markets.get(collateral as usize);
        market.is_some_and(|market| match market.prices.status {
            PriceStatus::Ok => true,
            PriceStatus::Degraded => market.prices.fast != market.prices.slow,
            PriceStatus::Down => false,
        })
    }
}

/// What collateral that is kept counts for, debt tokens: the lower of the fast and the venue's price.
pub(crate) fn kept_value(
    system: &System,
    reading: &HeadReading,
    collateral: u32,
    amount: U256,
) -> f64 {
    let place = collateral as usize;
    let (Some(listed), Some(market)) = (system.collaterals.get(place), reading.markets.get(place))
    else {
        return 0.0;
    };
    let price = market.prices.fast.min(market.prices.confirm);
    whole(amount, listed.token.decimals) * system.decimals(listed).price(price)
}

/// Where inventory that is bought could be sold at once; what it is worth is what that gives, after fee and slippage, and no more than
/// where it stood at what kept collateral counts for: it is kept, and what the venue shows now may be gone with the next trade.
pub(crate) fn outlet(system: &System, reading: &HeadReading, collateral: u32) -> Venue {
    let decimals = system.collateral_decimals(u64::from(collateral));
    let one = U256::from(10).pow(U256::from(decimals));
    let kept = kept_at(kept_value(system, reading, collateral, one));
    let market = reading.markets.get(collateral as usize);
    market
        .and_then(|market| market.venue)
        .map_or(kept, |venue| Venue {
            sqrt_price: venue.sqrt_price.min(kept.sqrt_price),
            ..venue
        })
}

impl Planner {
    /// The better of an absorption and a settlement of a position with `room` to spend; `None` where there is neither.
    pub(super) fn offer(
        &self,
        sight: &Sight<'_>,
        account: Address,
        collateral: u32,
        health: &AccountHealth,
        room: U256,
    ) -> Option<Offer> {
        let share = sight.system.backstop?.caller_share;
        let bitmap = sight.mirror.collateral_bitmap(&account);
        let further = bitmap.count_ones().saturating_sub(1);
        let terms = self.terms(max_bonus(sight, collateral));
        let absorption = sight
            .absorption(account, collateral, room)
            .and_then(|grant| {
                let fast = sight.reading.markets.get(collateral as usize)?.prices.fast;
                let value = value_down(grant.seize, fast).ok()?;
                let kept = kept_value(sight.system, sight.reading, collateral, grant.seize);
                let pay = kept * share * discount(value, grant.repay);
                Some(Offer {
                    kind: ActionKind::Absorb,
                    spends: grant.repay,
                    own: U256::ZERO,
                    takes: grant.seize,
                    pay,
                    gross: rewarded(pay, 0.0, &terms),
                    gas: absorb_gas(further),
                })
            });
        let settlement = self
            .settlement(sight, account, collateral, health, room)
            .map(|(due, takes, kept, cash)| {
                let own = sight.spendable().min(due);
                let paid = debt_tokens(sight, own);
                let part = if own.is_zero() {
                    0.0
                } else {
                    paid / debt_tokens(sight, due)
                };
                let reward = kept * share * discount(health.collateral_value, due);
                // What the caller pays for it gets; what is paid for by the backstop it is rewarded for.
                let instead = part * kept + (1.0 - part) * reward;
                let least = |of: &dyn Fn(f64) -> f64| of(reward).min(of(instead) - paid);
                Offer {
                    kind: ActionKind::SettleByBackstop,
                    spends: due,
                    own,
                    takes,
                    pay: least(&|kept| kept) + cash,
                    gross: least(&|kept| rewarded(kept, 0.0, &terms)) + cash,
                    gas: backstop_settle_gas(further),
                }
            });
        let offers = [absorption, settlement].into_iter().flatten();
        offers.max_by(|a, b| a.gross.total_cmp(&b.gross))
    }

    /// What settling an insolvent position costs, what is held of the considered collateral, what all of it counts for, and the
    /// stipend; only where the backstop has all of that now. What it has not when the block comes, it takes of its caller, as far as
    /// he lets it: that is priced in, and kept for it.
    fn settlement(
        &self,
        sight: &Sight<'_>,
        account: Address,
        collateral: u32,
        health: &AccountHealth,
        room: U256,
    ) -> Option<(U256, U256, f64, f64)> {
        if health.price_down || health.health_fast > health.health_hard {
            return None;
        }
        let due = mul_div_up(health.collateral_value, WAD, SETTLEMENT_MULTIPLIER).ok()?;
        if due >= health.debt || due > room {
            return None;
        }
        let bitmap = sight.mirror.collateral_bitmap(&account);
        let mut kept = 0.0;
        for id in (0..16).filter(|id| bitmap >> id & 1 != 0) {
            if !sight.has_fast_price(id) {
                return None;
            }
            let held = U256::from(sight.mirror.collateral_of(&account, u64::from(id)));
            kept += kept_value(sight.system, sight.reading, id, held);
        }
        let held = sight.mirror.collateral_of(&account, u64::from(collateral));
        Some((due, U256::from(held), kept, stipend(sight, health)))
    }

    /// Takes up what the backstop offers, the best first, where that leaves more than acting with our own capital would, or where
    /// that was `tried` and came to nothing. Takes off `room` what the backstop spends.
    pub(super) fn take_up(
        &self,
        sight: &Sight<'_>,
        considered: &mut [Considered],
        tried: bool,
        room: &mut U256,
        orders: &mut dyn Orders,
        plan: &mut Plan,
    ) {
        let nothing = sight.reading.inventory.is_some_and(|held| held.is_zero());
        let mut places: Vec<usize> = (0..considered.len())
            .filter(|place| considered[*place].offer.is_some() && !considered[*place].waits)
            .collect();
        places.sort_by(|a, b| {
            considered[*b]
                .offered_now
                .total_cmp(&considered[*a].offered_now)
        });
        for place in places.into_iter().take(MAX_ACTIONS) {
            let one = &mut considered[place];
            let collateral = one.thought.collateral;
            let own = !tried && !nothing && self.unready(sight, collateral).is_none();
            if self.unweighable(sight).is_some() || (own && one.profit_now >= one.offered_now) {
                continue;
            }
            // What those before it take of the backstop is gone.
            let offer = self.offer(sight, one.thought.account, collateral, &one.health, *room);
            let Some(action) =
                offer.and_then(|offer| self.errand(sight, one, &offer, &mut *orders))
            else {
                continue;
            };
            *room -= offer.map_or(U256::ZERO, |offer| offer.spends).min(*room);
            (one.waits, one.taken_up) = (true, true);
            plan.actions.push(action);
        }
    }

    fn errand(
        &self,
        sight: &Sight<'_>,
        one: &mut Considered,
        offer: &Offer,
        orders: &mut dyn Orders,
    ) -> Option<Planned> {
        let (account, collateral) = (one.thought.account, one.thought.collateral);
        let observation = self.observation(sight, collateral);
        let terms = self.terms(max_bonus(sight, collateral));
        let draw = identity::draw(self.strategy.us, account, sight.reading.next.number);
        let bid = self
            .keeper
            .bid_for(&observation, &terms, offer.gross, offer.gas, draw)?;
        let bid = self.affordable(&observation, bid)?;
        let subject = Subject {
            chain_id: sight.system.chain_id,
            pool: sight.system.pool,
            kind: offer.kind,
            account,
            collateral,
            debt_shares: U256::from(sight.mirror.debt_shares_of(&account)),
            epoch: sight.epoch(),
        };
        let Some(id) = orders.free(&subject) else {
            one.ordered = true;
            return None;
        };
        Some(Planned {
            id,
            kind: offer.kind,
            account,
            collateral,
            repay: offer.own,
            amount: U256::ZERO,
            min_profit: 0.0,
            bid,
            gas: offer.gas,
            gas_limit: backstop_gas_limit(offer.gas),
            surplus: offer.pay,
            claims: Claims::default(),
            expected: offer.gross - observation.gas_cost(offer.gas, bid.tip),
        })
    }

    /// Buys inventory while it is cheaper than what the venue would give for it, with the debt tokens that the account holds and the
    /// backstop may take, less what `plan` may spend of them; what is bought is kept. Starts the clock of a sale that has none.
    pub(super) fn buy(&self, sight: &Sight<'_>, orders: &mut dyn Orders, plan: &mut Plan) {
        let (Some(backstop), Some(read)) = (sight.system.backstop, &sight.reading.backstop) else {
            return;
        };
        if self.unweighable(sight).is_some() {
            return;
        }
        let own = self.strategy.capital == Capital::Inventory;
        // What a flash repays is not the account's.
        let spent = plan
            .actions
            .iter()
            .filter(|action| own || !action.kind.repays());
        let spent = spent.fold(U256::ZERO, |sum, action| sum.saturating_add(action.repay));
        let mut budget = read.spendable.saturating_sub(spent);
        let mut sales: Vec<(u32, &SaleReading)> = (0..)
            .zip(&read.sales)
            .filter(|(_, sale)| !sale.price.is_zero() && !sale.inventory.is_zero())
            .filter(|(collateral, _)| !orders.sale_waiting(backstop.address, *collateral))
            .collect();
        // The best first: what is there to pay with may not be enough for all.
        sales.sort_by_cached_key(|(collateral, sale)| {
            let lot = self.lot(sight, backstop.address, *collateral, budget);
            let found = self.worthwhile(sight, &lot, sale);
            Reverse(Promise(found.map_or(0.0, |found| lot.gross(&found))))
        });
        for (collateral, sale) in sales {
            if budget.is_zero() {
                return;
            }
            let lot = self.lot(sight, backstop.address, collateral, budget);
            let action = self
                .purchase(sight, &lot, sale, orders)
                .or_else(|| self.observe(sight, &lot, sale, orders));
            budget = budget.saturating_sub(action.as_ref().map_or(U256::ZERO, |one| one.repay));
            plan.actions.extend(action);
        }
    }

    fn lot(&self, sight: &Sight<'_>, backstop: Address, collateral: u32, budget: U256) -> Lot {
        Lot {
            observation: self.observation(sight, collateral),
            terms: self.terms(max_bonus(sight, collateral)),
            backstop,
            collateral,
            budget,
        }
    }

    /// What of a sale is worth more than it costs, before gas.
    fn worthwhile(&self, sight: &Sight<'_>, lot: &Lot, sale: &SaleReading) -> Option<Sale> {
        let decimals = sight.system.collateral_decimals(u64::from(lot.collateral));
        let listed = sight.system.collaterals.get(lot.collateral as usize)?;
        let price = sight.system.decimals(listed).price(sale.price);
        let outlet = outlet(sight.system, sight.reading, lot.collateral);
        let (available, budget) = (
            whole(sale.available, decimals),
            debt_tokens(sight, lot.budget),
        );
        purchase(&outlet, price, available, budget, &lot.terms)
    }

    fn purchase(
        &self,
        sight: &Sight<'_>,
        lot: &Lot,
        sale: &SaleReading,
        orders: &mut dyn Orders,
    ) -> Option<Planned> {
        let decimals = sight.system.collateral_decimals(u64::from(lot.collateral));
        let listed = sight.system.collaterals.get(lot.collateral as usize)?;
        let price = sight.system.decimals(listed).price(sale.price);
        let found = self.worthwhile(sight, lot, sale)?;
        let gross = lot.gross(&found);
        let number = sight.reading.next.number;
        let draw = identity::draw(self.strategy.us, lot.backstop, number);
        let bid = (self.keeper).bid_for(&lot.observation, &lot.terms, gross, BUY_GAS, draw)?;
        let epoch = sight.reading.next.timestamp / REFILL_SECONDS;
        let id = orders.free(&lot.subject(sight, ActionKind::BuyInventory, epoch))?;
        let amount = if found.repay >= whole(sale.available, decimals) * price {
            sale.available
        } else {
            base_down(found.repay / price, decimals).min(sale.available)
        };
        let dearest = lifted(sale.price)?;
        let amount = amount.min(mul_div_down(lot.budget, PRICE_SCALE, dearest).ok()?);
        if amount.is_zero() {
            return None;
        }
        let planned = self.of_the_sale(lot, ActionKind::BuyInventory, id, bid, BUY_GAS)?;
        let expected = planned.expected + gross;
        // What the contract asks for it at the price of now, to the unit, and at the dearest. What is between is paid as far as margin
        // and least profit are left: at a higher price it is to fail.
        let asked = mul_div_up(amount, sale.price, PRICE_SCALE).ok()?;
        let most = mul_div_down(amount, dearest, PRICE_SCALE).ok()?;
        let spare = (expected - self.strategy.min_profit).max(0.0);
        let spare = asked.saturating_add(base_down(spare, sight.system.debt.decimals));
        Some(Planned {
            repay: most.min(spare).max(asked),
            amount,
            surplus: found.surplus,
            claims: Claims::default(),
            expected,
            ..planned
        })
    }

    /// Starts a void clock. One that runs is not moved by an observation, and what has no depth sells nothing whatever its clock.
    fn observe(
        &self,
        sight: &Sight<'_>,
        lot: &Lot,
        sale: &SaleReading,
        orders: &mut dyn Orders,
    ) -> Option<Planned> {
        let market = sight.reading.markets.get(lot.collateral as usize)?;
        if !sale.void || market.depth.is_zero() {
            return None;
        }
        let worth = kept_value(sight.system, sight.reading, lot.collateral, sale.inventory);
        let budget = debt_tokens(sight, lot.budget);
        let bid = (self.keeper).observe(&lot.observation, &lot.terms, worth, budget)?;
        let epoch = sight.reading.next.timestamp / CLOCK_SECONDS;
        let id = orders.free(&lot.subject(sight, ActionKind::ObserveSale, epoch))?;
        self.of_the_sale(lot, ActionKind::ObserveSale, id, bid, OBSERVE_GAS)
    }

    fn of_the_sale(
        &self,
        lot: &Lot,
        kind: ActionKind,
        id: B256,
        bid: Bid,
        gas: u64,
    ) -> Option<Planned> {
        let bid = self.affordable(&lot.observation, bid)?;
        Some(Planned {
            id,
            kind,
            account: lot.backstop,
            collateral: lot.collateral,
            repay: U256::ZERO,
            amount: U256::ZERO,
            min_profit: 0.0,
            bid,
            gas,
            gas_limit: backstop_gas_limit(gas),
            surplus: 0.0,
            claims: Claims::default(),
            expected: -lot.observation.gas_cost(gas, bid.tip),
        })
    }
}

/// A collateral of the backstop's, and what may be paid for it.
struct Lot {
    observation: Observation,
    terms: Terms,
    backstop: Address,
    collateral: u32,
    /// Debt base units.
    budget: U256,
}

impl Lot {
    /// What a purchase leaves after the margin, debt tokens.
    fn gross(&self, found: &Sale) -> f64 {
        found.surplus - self.terms.risk_margin * found.repay
    }

    fn subject(&self, sight: &Sight<'_>, kind: ActionKind, epoch: u64) -> Subject {
        Subject {
            chain_id: sight.system.chain_id,
            pool: sight.system.pool,
            kind,
            account: self.backstop,
            collateral: self.collateral,
            debt_shares: U256::ZERO,
            epoch,
        }
    }
}

/// The price of a sale after purchases of all that may be sold at once; `None` beyond a word.
fn lifted(price: U256) -> Option<U256> {
    price.checked_add(price.checked_mul(U256::from(PURCHASE_LIFT))? / U256::from(10_000))
}

/// The discount at which `repaid` bought what is worth `value`, as a share of the value.
fn discount(value: U256, repaid: U256) -> f64 {
    let over = value.saturating_sub(repaid);
    over.saturating_mul(WAD)
        .checked_div(value)
        .map_or(0.0, ratio)
}

#[cfg(test)]
mod tests;

//! What keepers see: unhealthy positions that could pay, with what the pool would grant for each.
//!
//! The lender, Breakwater by the port of its contracts, is asked only about positions whose best case covers the gas, the most promising first, until what
//! it grants is more than keepers would sell in a block. A position that was refused or did not pay is asked about again
//! after 1, 2, 4 and then every 5 blocks, sooner if F moves; the most promising few are asked about every time.

use std::rc::Rc;

use breakwater_agents::keeper::{Candidate, best_sale, potential, settlement_due};
use breakwater_agents::{Observation, Venue};

use crate::WorldKind;
use crate::config::Policy;
use crate::error::SimError;
use crate::port::Now;
use crate::setup::Lender;
use crate::units::{COLLATERAL_UNIT, DEBT_UNIT, WAD, from_base};
use crate::world::World;

/// The most positions asked about in a block.
const QUESTIONS: usize = 48;

/// The most promising ones, asked about every block.
const ALWAYS: usize = 4;

/// Questions end once grants sum to this many times what the venue takes before slippage eats the largest bonus.
const ENOUGH: f64 = 2.0;

/// The longest wait between two questions about a position, blocks: a minute of 12-second blocks.
const LONGEST_WAIT: u64 = 5;

/// A move of F that makes earlier answers worthless.
const PRICE_MOVE: f64 = 0.002_5;

/// A clock that was started this many seconds ago and still grants the first bonus has restarted.
const CLOCK_PATIENCE: u64 = 120;

/// What keepers saw when a block was made.
#[derive(Clone, Debug)]
pub struct Sight {
    /// The state of the world.
    pub observation: Observation,
    /// Where collateral will be sold.
    pub venue: Venue,
    /// Positions, the most promising first.
    pub candidates: Vec<Candidate>,
}

/// When each position is worth a question again.
#[derive(Clone, Debug)]
pub struct QuoteSchedule {
    waits: Vec<Wait>,
    price: f64,
}

#[derive(Clone, Copy, Debug, Default)]
struct Wait {
    next: u64,
    blocks: u64,
}

impl QuoteSchedule {
    /// Nothing waits.
    #[must_use]
    pub fn new(accounts: usize) -> Self {
        Self {
            waits: vec![Wait::default(); accounts],
            price: 0.0,
        }
    }

    pub(crate) fn observe(&mut self, price: f64) {
        if (price / self.price - 1.0).abs() > PRICE_MOVE || self.price == 0.0 {
            self.price = price;
            self.waits.fill(Wait::default());
        }
    }

    pub(crate) fn due(&self, account: u32, block: u64) -> bool {
        self.waits[account as usize].next <= block
    }

    pub(crate) fn answered(&mut self, account: u32, block: u64, useful: bool) {
        let wait = &mut self.waits[account as usize];
        if useful {
            *wait = Wait::default();
        } else {
            wait.blocks = (wait.blocks * 2).clamp(1, LONGEST_WAIT);
            wait.next = block + wait.blocks;
        }
    }
}

impl World<'_> {
    /// Adds what keepers see now to their sights.
    pub(crate) fn look(&mut self, observation: &Observation) -> Result<(), SimError> {
        let venue = self.selling_venue(observation);
        let candidates = self.candidates(observation, &venue)?;
        self.sights.push_front(Rc::new(Sight {
            observation: observation.clone(),
            venue,
            candidates,
        }));
        self.sights
            .truncate(self.parameters.keepers.max_latency as usize + 1);
        Ok(())
    }

    fn candidates(
        &mut self,
        observation: &Observation,
        venue: &Venue,
    ) -> Result<Vec<Candidate>, SimError> {
        let price = observation.prices.fast;
        self.quotes.observe(price);
        if price <= 0.0 || self.keepers.is_empty() {
            return Ok(Vec::new());
        }
        let floor = observation.gas_cost(self.terms.liquidation_gas, observation.competitive_tip())
            + self.terms.min_profit;
        // Who sells at any price asks about everything.
        let dumped = self.kind == WorldKind::Policy(Policy::Dumped);
        let mut promising: Vec<(f64, u32, f64, f64)> = self
            .mirror
            .index()
            .below(1.0, price, self.habits.threshold, self.reading.debt_index)
            .filter_map(|account| {
                let position = self.mirror.index().position(account);
                let debt = position.debt_shares * self.reading.debt_index;
                let gain = potential(venue, price, position.collateral, debt, &self.terms);
                (dumped || gain > floor).then_some((gain, account, position.collateral, debt))
            })
            .collect();
        promising.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));

        let now = match &self.lender {
            Lender::Breakwater(port) if !promising.is_empty() => {
                Some(port.now(&mut self.chain, &self.addresses)?)
            }
            _ => None,
        };
        let enough = ENOUGH * self.capacity(venue, price);
        let mut granted = 0.0;
        let mut candidates = Vec::new();
        for (rank, (_, account, collateral, debt)) in promising.into_iter().enumerate() {
            if candidates.len() == QUESTIONS || granted > enough {
                break;
            }
            if rank >= ALWAYS && !self.quotes.due(account, observation.block) {
                continue;
            }
            let candidate = self.ask(observation, now.as_ref(), account, collateral, debt)?;
            let pays = best_sale(
                venue,
                candidate.repay,
                candidate.seize,
                self.terms.risk_margin,
            )
            .is_some_and(|sale| sale.surplus > self.terms.risk_margin * sale.repay + floor);
            let wanted = if dumped { candidate.repay > 0.0 } else { pays };
            self.quotes.answered(account, observation.block, wanted);
            if pays && !dumped {
                granted += candidate.seize;
            }
            candidates.push(candidate);
        }
        Ok(candidates)
    }

    /// The collateral whose sale brings the venue to where the largest bonus no longer pays; see `best_sale`.
    fn capacity(&self, venue: &Venue, price: f64) -> f64 {
        let per_debt = (1.0 + self.terms.max_bonus) / price;
        venue.sale_to(((1.0 + self.terms.risk_margin) / (per_debt * (1.0 - venue.fee))).sqrt())
    }

    /// Whether nobody has started the account's auction clock, where there is one.
    fn needs_flag(&self, account: u32) -> bool {
        self.kind == WorldKind::Policy(Policy::Damped) && self.mirror.flagged(account).is_none()
    }

    /// Asks the pool what it would grant in the block being made, and whether its clock must be started.
    fn ask(
        &mut self,
        observation: &Observation,
        now: Option<&Now>,
        account: u32,
        collateral: f64,
        debt: f64,
    ) -> Result<Candidate, SimError> {
        let owner = self.addresses.accounts[account as usize];
        let mut candidate = Candidate {
            account,
            collateral,
            debt,
            repay: 0.0,
            seize: 0.0,
            unflagged: self.needs_flag(account),
            settle: settlement_due(collateral * observation.prices.fast, debt, &self.terms),
            stipend: 0.0,
            further: 0,
            // What the bucket and the breaker leave is in the pool's answer.
            charged: false,
            held: false,
        };
        let granted = match &self.lender {
            Lender::Breakwater(port) => now
                .map(|now| port.quote(&mut self.chain, &self.addresses, owner, now))
                .transpose()?
                .flatten(),
            Lender::Aave(market) => {
                (candidate.repay, candidate.seize) =
                    market.quote(&mut self.chain, self.addresses.liquidator, owner)?;
                // It does not write losses off.
                candidate.settle = None;
                return Ok(candidate);
            }
        };
        // A view that reverts grants nothing now.
        let Some(granted) = granted else {
            return Ok(candidate);
        };
        candidate.repay = from_base(granted.repay, DEBT_UNIT);
        candidate.seize = from_base(granted.seize, COLLATERAL_UNIT);
        if let Some(since) = self.mirror.flagged(account) {
            candidate.unflagged = candidate.repay > 0.0
                && observation.timestamp > since + CLOCK_PATIENCE
                && from_base(granted.bonus, WAD) <= self.first_bonus;
        }
        Ok(candidate)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn questions_thin_out_and_come_back_with_the_price() {
        let mut schedule = QuoteSchedule::new(1);
        schedule.observe(100.0);
        let mut asked = Vec::new();
        for block in 0..20 {
            if schedule.due(0, block) {
                asked.push(block);
                schedule.answered(0, block, false);
            }
        }
        assert_eq!(asked, [0, 1, 3, 7, 12, 17]);
        schedule.observe(100.2);
        assert!(!schedule.due(0, 20));
        schedule.observe(100.3);
        assert!(schedule.due(0, 20));
        schedule.answered(0, 20, true);
        assert!(schedule.due(0, 21));
    }
}

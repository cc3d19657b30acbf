//! A rational liquidator. It earns what the seized collateral fetches on the venue, less the repayment, gas, and a margin for
//! what prices may do before inclusion; it sells as long as the last unit pays and not a unit more.
//!
//! What a policy would grant is asked of the contract (`Candidate` carries the answer); what it could grant at best is
//! bounded here, so that only candidates worth a question are asked about.

mod backstop;

pub use backstop::{
    ABSORB_GAS, BACKSTOP_SETTLE_GAS, BUY_GAS, OBSERVE_GAS, absorb_gas, backstop_gas_limit,
    backstop_settle_gas, purchase, rewarded,
};

use crate::allocation::{Item, allocate};
use crate::observation::{Action, Bid, Intent, Observation};
use crate::venue::Venue;

/// Gas of one liquidation with its sale, for the decision, until one has been seen.
pub const LIQUIDATION_GAS: u64 = 250_000;

/// What each further collateral of the position adds to that: the pool prices all that is held.
pub const FURTHER_GAS: u64 = 25_000;

/// What each further collateral adds to a settlement beyond its price: it is handed over, by a flash twice.
pub const HANDOVER_GAS: u64 = 75_000;

/// Gas of one on Breakwater that reverts because another was first, until one has been seen: one that is refused at once. Where others
/// leave a part, it sells and reverts for the profit that is not there, at nearly the gas of a success.
pub const REVERT_GAS: u64 = 90_000;

/// Gas of starting a clock.
pub const FLAG_GAS: u64 = 110_000;

/// Gas of a record of the depth.
pub const RECORD_GAS: u64 = 130_000;

/// By how much a record a minute after the last lets a bucket's depth grow at most: a sixtieth of sixteen times as much.
const RECORD_GROWTH: f64 = 1.25;

/// Gas limit of a liquidation of a position with one collateral.
pub const LIQUIDATION_GAS_LIMIT: u64 = 900_000;

/// Gas limit of a flag.
pub const FLAG_GAS_LIMIT: u64 = 350_000;

/// The most transactions that one keeper sends in a block.
pub const MAX_ACTIONS: usize = 16;

/// Half-life of what a keeper learned about its own races, seconds.
const LEARNED_HALF_LIFE: f64 = 3_600.0;

/// Epochs by which keepers divide the flagging among themselves, in seconds.
const FLAG_ROUND: u64 = 60;

/// How the collateral is listed and what keepers ask: the same for all of them.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Terms {
    /// bmax: no policy grants more.
    pub max_bonus: f64,
    /// b_set: what a settlement pays.
    pub settlement_bonus: f64,
    /// The margin asked for price risk, as a share of the repayment.
    pub risk_margin: f64,
    /// The least expected profit net of gas, debt tokens.
    pub min_profit: f64,
    /// How many keepers compete.
    pub count: u32,
    /// Gas of one liquidation with its sale, as lately seen on chain.
    pub liquidation_gas: u64,
    /// Gas of one that reverts because another was first, as lately seen on chain.
    pub revert_gas: u64,
    /// Whether a transaction that comes too late reverts, early and so at little gas. Where nothing on chain insists on a
    /// profit it may go through for next to nothing, and costs whole.
    pub guarded: bool,
}

impl Terms {
    /// The same for a position that holds `further` collaterals beside the one that is sold.
    #[must_use]
    pub const fn holding(self, further: u32) -> Self {
        Self {
            liquidation_gas: self.liquidation_gas + FURTHER_GAS * further as u64,
            ..self
        }
    }

    /// Takes the gas of a liquidation that succeeded, anybody's: an eighth of the way.
    pub const fn saw(&mut self, gas_used: u64) {
        self.liquidation_gas = (self.liquidation_gas * 7 + gas_used) / 8;
    }

    /// The same of one that reverted.
    pub const fn saw_revert(&mut self, gas_used: u64) {
        self.revert_gas = (self.revert_gas * 7 + gas_used) / 8;
    }
}

/// An unhealthy position, with what the pool answered about it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Candidate {
    /// The account's number.
    pub account: u32,
    /// Whole collateral tokens.
    pub collateral: f64,
    /// Debt, accrued.
    pub debt: f64,
    /// The most that the policy would let one repay now; 0 if it refuses.
    pub repay: f64,
    /// What would be seized for it.
    pub seize: f64,
    /// Whether the account waits for somebody to start its auction clock.
    pub unflagged: bool,
    /// What closing the position whole costs, where the pool would let one; see [`settlement_due`].
    pub settle: Option<f64>,
    /// What the pool's reserves pay for that.
    pub stipend: f64,
    /// Collaterals that the position holds beside the one that is sold.
    pub further: u32,
    /// Whether what is repaid is taken from the bucket.
    pub charged: bool,
    /// Whether the breaker holds it back: then no gas is spent on it.
    pub held: bool,
}

/// What settling costs if a position is insolvent: its value less the settlement bonus; nothing for what is worth nothing.
#[must_use]
pub fn settlement_due(value: f64, debt: f64, terms: &Terms) -> Option<f64> {
    let due = value / (1.0 + terms.settlement_bonus);
    (due < debt).then_some(due)
}

/// The most profitable repayment.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sale {
    /// Debt repaid.
    pub repay: f64,
    /// What the sale leaves after the repayment, before the risk margin and gas.
    pub surplus: f64,
    /// The venue afterwards.
    pub venue: Venue,
}

/// The x ≤ `repay` that maximises sale(k·x) − (1+m)·x, where k = `seize` / `repay` collateral is seized per debt repaid. The
/// last unit fetches k·s'²·(1−f), which equals 1 + m at s' = √((1+m)/(k(1−f))). `None` if the first unit loses.
#[must_use]
pub fn best_sale(venue: &Venue, repay: f64, seize: f64, risk_margin: f64) -> Option<Sale> {
    if repay <= 0.0 || seize <= 0.0 {
        return None;
    }
    let per_debt = seize / repay;
    let stop = ((1.0 + risk_margin) / (per_debt * (1.0 - venue.fee))).sqrt();
    let sold = seize.min(venue.sale_to(stop));
    if sold <= 0.0 {
        return None;
    }
    let (proceeds, after) = venue.sell(sold);
    let repay = if sold == seize {
        repay
    } else {
        sold / per_debt
    };
    Some(Sale {
        repay,
        surplus: proceeds - repay,
        venue: after,
    })
}

/// An upper bound on what a liquidation or settlement of this position can leave before gas: everything closed at bmax.
#[must_use]
pub fn potential(venue: &Venue, price: f64, collateral: f64, debt: f64, terms: &Terms) -> f64 {
    let value = collateral * price;
    // At most bmax over the value repaid, and at most all collateral for all debt.
    let seize = (debt * (1.0 + terms.max_bonus) / price).min(collateral);
    let repay = debt
        .min(seize * price / (1.0 + terms.max_bonus))
        .max(f64::MIN_POSITIVE);
    let liquidation = best_sale(venue, repay, seize, terms.risk_margin)
        .map_or(0.0, |sale| sale.surplus - terms.risk_margin * sale.repay);
    let due = value / (1.0 + terms.settlement_bonus);
    let settlement = if due < debt {
        venue.sell(collateral).0 - due * (1.0 + terms.risk_margin)
    } else {
        0.0
    };
    liquidation.max(settlement)
}

/// The candidates with their grants cut to what the bucket can give all of them together, if what they would take exceeds it.
fn within_bucket(
    observation: &Observation,
    venue: &Venue,
    mut candidates: Vec<Candidate>,
    terms: &Terms,
) -> Vec<Candidate> {
    let wanted: f64 = candidates
        .iter()
        .filter(|candidate| candidate.charged)
        .filter_map(|candidate| {
            best_sale(venue, candidate.repay, candidate.seize, terms.risk_margin)
        })
        .map(|sale| sale.repay)
        .sum();
    if wanted <= observation.bucket {
        return candidates;
    }
    let tip = observation.competitive_tip();
    let items: Vec<Item> = candidates
        .iter()
        .filter(|candidate| candidate.charged && candidate.repay > 0.0)
        .take(MAX_ACTIONS)
        .map(|candidate| Item {
            repay: candidate.repay,
            seize: candidate.seize,
            gas: observation.gas_cost(terms.holding(candidate.further).liquidation_gas, tip),
        })
        .collect();
    let mut granted = allocate(venue, &items, observation.bucket, terms.risk_margin)
        .repay
        .into_iter();
    for candidate in candidates
        .iter_mut()
        .filter(|candidate| candidate.charged && candidate.repay > 0.0)
    {
        let repay = granted.next().unwrap_or(0.0);
        candidate.seize *= repay / candidate.repay;
        candidate.repay = repay;
    }
    candidates
}

/// How often one's transactions succeeded, as it was last learned.
#[derive(Clone, Copy, Debug)]
struct Learned {
    win_rate: f64,
    /// When, seconds.
    time: u64,
}

/// One liquidator.
#[derive(Clone, Debug)]
pub struct Keeper {
    /// Its number.
    pub number: u32,
    /// Blocks by which what it sees lags.
    pub latency: u64,
    learned: Option<Learned>,
}

impl Keeper {
    /// `count` keepers, of whom number i lags i mod (`max_latency` + 1) blocks.
    #[must_use]
    pub fn group(count: u32, max_latency: u64) -> Vec<Self> {
        (0..count)
            .map(|number| Self {
                number,
                latency: u64::from(number) % (max_latency + 1),
                learned: None,
            })
            .collect()
    }

    /// Learns whether a transaction of its own succeeded, at a time in seconds; `count` keepers compete.
    pub fn learn(&mut self, success: bool, count: u32, time: u64) {
        let before = self.win_rate(count, time);
        let target = if success { 1.0 } else { 0.0 };
        let win_rate = before + 0.1 * (target - before);
        self.learned = Some(Learned { win_rate, time });
    }

    /// How often it expects its transactions to succeed: an equal's share before it has learned anything. What it learned fades, or a
    /// streak of losses would silence it for ever, and a tenth of that share is the least.
    fn win_rate(&self, count: u32, time: u64) -> f64 {
        let equal = 1.0 / f64::from(count.max(1));
        let learned = self.learned.map_or(0.0, |learned| {
            let age = time.saturating_sub(learned.time) as f64;
            (learned.win_rate - equal) * (-age / LEARNED_HALF_LIFE).exp2()
        });
        (equal + learned).max(0.1 * equal)
    }

    /// What to send now. `venue` is where the collateral will be sold, as expected at inclusion; `candidates` come with the
    /// most promising first; `pending` says whether this keeper already has a transaction waiting for an account; `draw`
    /// is a number in [0, 1) for an account and this block, by which keepers' bids differ.
    pub fn plan(
        &self,
        observation: &Observation,
        venue: Venue,
        candidates: &[Candidate],
        terms: &Terms,
        pending: impl Fn(u32) -> bool,
        draw: impl Fn(u32) -> f64,
    ) -> Vec<Intent> {
        let free: Vec<Candidate> = candidates
            .iter()
            .filter(|candidate| !candidate.held && !pending(candidate.account))
            .copied()
            .collect();
        let mut venue = venue;
        let mut intents = Vec::new();
        for candidate in within_bucket(observation, &venue, free, terms) {
            if intents.len() == MAX_ACTIONS {
                break;
            }
            let terms = terms.holding(candidate.further);
            let planned = self
                .liquidate_or_settle(observation, &venue, &candidate, &terms, &draw)
                .map(|(intent, after)| {
                    venue = after;
                    intent
                })
                .or_else(|| self.flag(observation, &venue, &candidate, &terms));
            intents.extend(planned);
        }
        intents
    }

    /// Records the depth for a bucket that holds back liquidations: `gain` is what they could leave before gas and `available` what
    /// the bucket lets be repaid of the `wanted`. It pays if this keeper's share of the gain, everybody being equal, is more than
    /// twice the gas of all the records that are still needed. Those who hold back nothing are not helped by another record.
    #[must_use]
    pub fn record(
        &self,
        observation: &Observation,
        terms: &Terms,
        gain: f64,
        available: f64,
        wanted: f64,
    ) -> Option<Intent> {
        let short = wanted / available.max(f64::MIN_POSITIVE);
        if short <= 1.0 {
            return None;
        }
        // A bucket with nothing at all is a few units: its growth is counted from there.
        let records = (short.min(1e18).ln() / RECORD_GROWTH.ln()).ceil().max(1.0);
        let tip = observation.competitive_tip();
        let cost = observation.gas_cost(RECORD_GAS, tip) * records;
        let share = gain / f64::from(terms.count.max(1));
        (gain > terms.min_profit && share > 2.0 * cost).then(|| Intent {
            action: Action::RecordDepth,
            bid: Bid::lasting(observation, tip, 3),
            gas_limit: crate::reporter::UPKEEP_GAS_LIMIT,
        })
    }

    /// The better of liquidating and settling, if it pays.
    fn liquidate_or_settle(
        &self,
        observation: &Observation,
        venue: &Venue,
        candidate: &Candidate,
        terms: &Terms,
        draw: impl Fn(u32) -> f64,
    ) -> Option<(Intent, Venue)> {
        let liquidation = best_sale(venue, candidate.repay, candidate.seize, terms.risk_margin)
            .map(|sale| (sale, sale.repay, false));
        let settlement = candidate.settle.map(|due| {
            let (proceeds, after) = venue.sell(candidate.collateral);
            (
                Sale {
                    repay: due,
                    surplus: proceeds + candidate.stipend - due,
                    venue: after,
                },
                due,
                true,
            )
        });
        // By what is left after the margin, as both are judged: a settlement that leaves more, all of it margin, must not keep a
        // smaller liquidation that pays from being made.
        let kept = |sale: &Sale| sale.surplus - terms.risk_margin * sale.repay;
        let (sale, repay, settle) = [liquidation, settlement]
            .into_iter()
            .flatten()
            .max_by(|a, b| kept(&a.0).total_cmp(&kept(&b.0)))?;
        let (further, mut terms) = (u64::from(candidate.further), *terms);
        let mut gas_limit = LIQUIDATION_GAS_LIMIT + 2 * further * FURTHER_GAS;
        if settle {
            terms.liquidation_gas += further * HANDOVER_GAS;
            gas_limit += 2 * further * HANDOVER_GAS;
        }
        let bid = self.bid(observation, &sale, &terms, draw(candidate.account))?;
        // Once included, only what covers the gas is worth finishing.
        let min_profit = observation.gas_cost(terms.liquidation_gas, bid.tip);
        let account = candidate.account;
        let action = if settle {
            Action::Settle {
                account,
                min_profit,
            }
        } else {
            Action::Liquidate {
                account,
                repay,
                min_profit,
            }
        };
        Some((
            Intent {
                action,
                bid,
                gas_limit,
            },
            sale.venue,
        ))
    }

    /// What a liquidation has to leave after gas and margin for this keeper to bid: so much that, weighed with how often its
    /// transactions succeed and what the others cost, the least profit is expected. Nobody loses to himself.
    #[must_use]
    pub fn least_won(&self, observation: &Observation, terms: &Terms) -> f64 {
        let rate = self.win_rate(terms.count, observation.timestamp);
        let gas = if terms.guarded {
            terms.revert_gas
        } else {
            terms.liquidation_gas
        };
        let lost = observation.gas_cost(gas, observation.competitive_tip());
        (terms.min_profit + (1.0 - rate) * lost) / rate
    }

    /// Bids a part of the profit, from 5% to half of it, for an early place; `None` if the expected profit is too small. Of a bid that
    /// loses the revert's gas is paid for too, all of it where nothing guards: at most so much is bid that the least profit is still
    /// expected, w(won − bid) − (1−w)(gas of a revert + g·bid) = minimum, where g is a revert's gas over a liquidation's.
    fn bid(&self, observation: &Observation, sale: &Sale, terms: &Terms, draw: f64) -> Option<Bid> {
        let profit = sale.surplus - terms.risk_margin * sale.repay;
        let floor = observation.competitive_tip();
        let won = profit - observation.gas_cost(terms.liquidation_gas, floor);
        let beyond = won - self.least_won(observation, terms);
        if beyond <= 0.0 {
            return None;
        }
        let share = 0.05 + 0.45 * draw;
        let rate = self.win_rate(terms.count, observation.timestamp);
        let lost = if terms.guarded {
            (terms.revert_gas as f64 / terms.liquidation_gas as f64).min(1.0)
        } else {
            1.0
        };
        let most = rate * beyond / (rate + (1.0 - rate) * lost);
        let spent = ((won - terms.min_profit).max(0.0) * share).min(most);
        let tip = floor + observation.tip_for(spent, terms.liquidation_gas);
        Some(Bid::lasting(observation, tip, 3))
    }

    /// Starts the auction clock of an account that will be worth liquidating, when its share of that, everybody being
    /// equal, is more than twice the gas of starting it. Keepers take accounts by turns: a second flag only burns gas.
    fn flag(
        &self,
        observation: &Observation,
        venue: &Venue,
        candidate: &Candidate,
        terms: &Terms,
    ) -> Option<Intent> {
        let round = observation.timestamp / FLAG_ROUND;
        if !candidate.unflagged
            || (u64::from(candidate.account) + round) % u64::from(terms.count.max(1))
                != u64::from(self.number)
        {
            return None;
        }
        let tip = observation.competitive_tip();
        let gain = potential(
            venue,
            observation.prices.fast,
            candidate.collateral,
            candidate.debt,
            terms,
        );
        let worth = gain - observation.gas_cost(terms.liquidation_gas, tip);
        let share = worth / f64::from(terms.count.max(1));
        let pays = worth > terms.min_profit && share > 2.0 * observation.gas_cost(FLAG_GAS, tip);
        pays.then(|| Intent {
            action: Action::Flag {
                account: candidate.account,
            },
            bid: Bid::lasting(observation, tip, 3),
            gas_limit: FLAG_GAS_LIMIT,
        })
    }
}

#[cfg(test)]
mod tests;

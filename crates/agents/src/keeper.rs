//! A rational liquidator. It earns what the seized collateral fetches on the venue, less the repayment, gas, and a margin for
//! what prices may do before inclusion; it sells as long as the last unit pays and not a unit more.
//!
//! What a policy would grant is asked of the contract (`Candidate` carries the answer); what it could grant at best is
//! bounded here, so that only candidates worth a question are asked about.

use crate::observation::{Action, Bid, Intent, Observation};
use crate::venue::Venue;

/// Gas of one liquidation with its sale, for the decision, until one has been seen.
pub const LIQUIDATION_GAS: u64 = 250_000;

/// Gas of one that reverts because another was first.
pub const REVERT_GAS: u64 = 90_000;

/// Gas of starting a clock.
pub const FLAG_GAS: u64 = 110_000;

/// Gas limit of a liquidation.
pub const LIQUIDATION_GAS_LIMIT: u64 = 900_000;

/// Gas limit of a flag.
pub const FLAG_GAS_LIMIT: u64 = 350_000;

/// The most transactions that one keeper sends in a block.
pub const MAX_ACTIONS: usize = 16;

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
}

impl Terms {
    /// Takes the gas of a liquidation that succeeded, anybody's: an eighth of the way.
    pub const fn saw(&mut self, gas_used: u64) {
        self.liquidation_gas = (self.liquidation_gas * 7 + gas_used) / 8;
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

/// One liquidator.
#[derive(Clone, Debug)]
pub struct Keeper {
    /// Its number.
    pub number: u32,
    /// Blocks by which what it sees lags.
    pub latency: u64,
    win_rate: f64,
}

impl Keeper {
    /// `count` keepers, of whom number i lags i mod (`max_latency` + 1) blocks.
    #[must_use]
    pub fn group(count: u32, max_latency: u64) -> Vec<Self> {
        (0..count)
            .map(|number| Self {
                number,
                latency: u64::from(number) % (max_latency + 1),
                win_rate: 0.5,
            })
            .collect()
    }

    /// Learns whether a transaction of its own succeeded. Its estimate never falls below the share of an equal among
    /// `count`, or one streak of bad luck would silence it for ever.
    pub fn learn(&mut self, success: bool, count: u32) {
        let target = if success { 1.0 } else { 0.0 };
        self.win_rate =
            (self.win_rate + 0.1 * (target - self.win_rate)).max(1.0 / f64::from(count.max(1)));
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
        let mut venue = venue;
        let mut intents = Vec::new();
        for candidate in candidates {
            if intents.len() == MAX_ACTIONS {
                break;
            }
            if pending(candidate.account) {
                continue;
            }
            let planned = self
                .liquidate_or_settle(observation, &venue, candidate, terms, &draw)
                .map(|(intent, after)| {
                    venue = after;
                    intent
                })
                .or_else(|| self.flag(observation, &venue, candidate, terms));
            intents.extend(planned);
        }
        intents
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
        let value = candidate.collateral * observation.prices.fast;
        let due = value / (1.0 + terms.settlement_bonus);
        let settlement = (due < candidate.debt && candidate.collateral > 0.0).then(|| {
            let (proceeds, after) = venue.sell(candidate.collateral);
            (
                Sale {
                    repay: due,
                    surplus: proceeds - due,
                    venue: after,
                },
                due,
                true,
            )
        });
        let (sale, repay, settle) = [liquidation, settlement]
            .into_iter()
            .flatten()
            .max_by(|a, b| a.0.surplus.total_cmp(&b.0.surplus))?;
        let bid = self.bid(observation, &sale, terms, draw(candidate.account))?;
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
                gas_limit: LIQUIDATION_GAS_LIMIT,
            },
            sale.venue,
        ))
    }

    /// Bids a part of the profit, from 5% to half of it, for an early place; `None` if the expected profit is too small.
    fn bid(&self, observation: &Observation, sale: &Sale, terms: &Terms, draw: f64) -> Option<Bid> {
        let profit = sale.surplus - terms.risk_margin * sale.repay;
        let floor = observation.competitive_tip();
        let won = profit - observation.gas_cost(terms.liquidation_gas, floor);
        let lost = observation.gas_cost(REVERT_GAS, floor);
        if self.win_rate * won - (1.0 - self.win_rate) * lost <= terms.min_profit {
            return None;
        }
        let share = 0.05 + 0.45 * draw;
        let tip = floor
            + observation.tip_for(
                (won - terms.min_profit).max(0.0) * share,
                terms.liquidation_gas,
            );
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
mod tests {
    use super::*;
    use crate::observation::Prices;

    const VENUE: Venue = Venue {
        sqrt_price: 10.0,
        liquidity: 10_000.0,
        fee: 0.0,
    };
    const TERMS: Terms = Terms {
        max_bonus: 0.05,
        settlement_bonus: 0.03,
        risk_margin: 0.0,
        min_profit: 1.0,
        count: 2,
        liquidation_gas: 400_000,
    };

    fn observation() -> Observation {
        Observation {
            block: 1,
            timestamp: 0,
            base_fee: 10.0,
            inclusion_tip: 1.0,
            native_price: 100.0,
            prices: Prices {
                fast: 100.0,
                slow: 100.0,
                confirm: 100.0,
            },
            venue: VENUE,
            reference_price: 100.0,
            breaker_level: 0,
        }
    }

    fn candidate(debt: f64) -> Candidate {
        Candidate {
            account: 0,
            collateral: debt * 0.0123,
            debt,
            repay: debt / 2.0,
            seize: debt / 2.0 * 1.05 / 100.0,
            unflagged: false,
        }
    }

    #[test]
    fn sells_until_slippage_eats_the_bonus() {
        // k = 1.05/100; the last unit pays at P' = 100/1.05: q = L(1/s' − 1/s) = 10^4 (√1.05/10 − 0.1) = 24.695.
        let sale = best_sale(&VENUE, 1e6, 1.05e4, 0.0).expect("pays");
        assert!((sale.venue.price() - 100.0 / 1.05).abs() < 1e-9);
        assert!((sale.repay - 24.695_077 * 100.0 / 1.05).abs() < 1e-3);
        // Proceeds L(s − s') = 10^4 (10 − 9.759001) = 2,409.99; surplus = 2,409.99 − 2,351.91.
        assert!((sale.surplus - 58.078).abs() < 1e-2);
    }

    #[test]
    fn is_the_best_amount() {
        let best = best_sale(&VENUE, 1e6, 1.05e4, 0.01).expect("pays");
        let objective = |repay: f64| VENUE.sell(repay * 1.05 / 100.0).0 - 1.01 * repay;
        for nearby in [0.9, 0.99, 1.01, 1.1] {
            assert!(objective(best.repay) > objective(best.repay * nearby));
        }
    }

    #[test]
    fn small_grants_are_taken_whole_and_losses_not_at_all() {
        let sale = best_sale(&VENUE, 100.0, 1.05, 0.0).expect("pays");
        assert_eq!(sale.repay, 100.0);
        assert_eq!(best_sale(&VENUE, 100.0, 1.05, 0.06), None);
        assert_eq!(
            best_sale(
                &Venue {
                    sqrt_price: 9.7,
                    ..VENUE
                },
                100.0,
                1.05,
                0.0
            ),
            None
        );
        assert_eq!(best_sale(&VENUE, 0.0, 0.0, 0.0), None);
    }

    #[test]
    fn potential_bounds_what_a_grant_leaves() {
        for (repay, bonus) in [(500.0, 0.05), (1_000.0, 0.02), (10.0, 0.01)] {
            let sale = best_sale(&VENUE, repay, repay * (1.0 + bonus) / 100.0, 0.0);
            assert!(
                potential(&VENUE, 100.0, 12.0, 1_000.0, &TERMS)
                    >= sale.map_or(0.0, |sale| sale.surplus) - 1e-9
            );
        }
        assert_eq!(
            potential(
                &Venue {
                    sqrt_price: 9.7,
                    ..VENUE
                },
                100.0,
                12.0,
                1_000.0,
                &TERMS
            ),
            0.0
        );
    }

    #[test]
    fn acts_when_the_profit_covers_gas() {
        let keeper = Keeper::group(2, 0).remove(0);
        let plan = |debt| {
            keeper.plan(
                &observation(),
                VENUE,
                &[candidate(debt)],
                &TERMS,
                |_| false,
                |_| 0.0,
            )
        };
        // Gas is 400,000 · 11.1 gwei · 100 = 0.444; half of 4,000 at 5% leaves about 57, half of 40 leaves 1.
        assert!(matches!(
            plan(4_000.0)[..],
            [Intent {
                action: Action::Liquidate { account: 0, .. },
                ..
            }]
        ));
        assert!(plan(40.0).is_empty());
        let waits = keeper.plan(
            &observation(),
            VENUE,
            &[candidate(4_000.0)],
            &TERMS,
            |_| true,
            |_| 0.0,
        );
        assert!(waits.is_empty());
    }

    #[test]
    fn later_candidates_see_the_earlier_sale() {
        let keeper = Keeper::group(1, 0).remove(0);
        let candidates = [0, 1, 2].map(|account| Candidate {
            account,
            ..candidate(4_000.0)
        });
        // The first sale of 2,000 leaves room for 352 more before slippage eats the bonus, and the third for none.
        let intents = keeper.plan(
            &observation(),
            VENUE,
            &candidates,
            &TERMS,
            |_| false,
            |_| 0.0,
        );
        assert!(intents.len() == 1 || intents.len() == 2);
        assert!(
            !intents
                .iter()
                .any(|intent| matches!(intent.action, Action::Liquidate { account: 2, .. }))
        );
    }

    #[test]
    fn settles_what_is_insolvent() {
        let keeper = Keeper::group(1, 0).remove(0);
        let insolvent = Candidate {
            account: 3,
            collateral: 10.0,
            debt: 1_100.0,
            repay: 0.0,
            seize: 0.0,
            unflagged: false,
        };
        // Due 1,000/1.03 = 970.87; the sale fetches 990.1.
        let intents = keeper.plan(
            &observation(),
            VENUE,
            &[insolvent],
            &TERMS,
            |_| false,
            |_| 0.0,
        );
        assert!(matches!(
            intents[..],
            [Intent {
                action: Action::Settle { account: 3, .. },
                ..
            }]
        ));
    }

    #[test]
    fn one_keeper_flags_at_a_time() {
        let waiting = Candidate {
            repay: 0.0,
            seize: 0.0,
            unflagged: true,
            ..candidate(4_000.0)
        };
        let flags = |timestamp| {
            Keeper::group(2, 0)
                .iter()
                .filter(|keeper| {
                    let observation = Observation {
                        timestamp,
                        ..observation()
                    };
                    let intents =
                        keeper.plan(&observation, VENUE, &[waiting], &TERMS, |_| false, |_| 0.0);
                    matches!(
                        intents[..],
                        [Intent {
                            action: Action::Flag { account: 0 },
                            ..
                        }]
                    )
                })
                .map(|keeper| keeper.number)
                .collect::<Vec<_>>()
        };
        assert_eq!(flags(0), [0]);
        assert_eq!(flags(60), [1]);
    }

    #[test]
    fn bids_differ_by_draw_and_failures_teach() {
        let mut keeper = Keeper::group(2, 0).remove(0);
        let tip = |keeper: &Keeper, draw| {
            keeper.plan(
                &observation(),
                VENUE,
                &[candidate(4_000.0)],
                &TERMS,
                |_| false,
                |_| draw,
            )[0]
            .bid
            .tip
        };
        assert!(tip(&keeper, 0.9) > tip(&keeper, 0.1));
        for _ in 0..100 {
            keeper.learn(false, 10);
        }
        assert!((keeper.win_rate - 0.1).abs() < 1e-12);
    }

    #[test]
    fn gas_is_learned_from_what_was_seen() {
        let mut terms = TERMS;
        terms.saw(200_000);
        assert_eq!(terms.liquidation_gas, 375_000);
    }

    #[test]
    fn latencies_go_round() {
        let latencies: Vec<u64> = Keeper::group(5, 2)
            .iter()
            .map(|keeper| keeper.latency)
            .collect();
        assert_eq!(latencies, [0, 1, 2, 0, 1]);
    }
}

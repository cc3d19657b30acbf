//! Traders who live on the protocol's own sales. They have capital, know every position and the share of selling that passes
//! through to the outside price, and owe nobody anything but what they sold short.
//!
//! - The *predator* sells ahead of sales that are already due (unhealthy positions wait in a queue that anybody can read) and
//!   buys back once they have been made.
//! - The *manipulator* makes sales due: he sells the venue down by `push`, holds it there against arbitrageurs for as long as an
//!   average needs to believe it, and buys back after what that set off.

use crate::arbitrageur::after_arbitrage;
use crate::observation::{Action, Bid, Intent, Observation};
use crate::venue::Venue;

/// Gas of one trade, for the decision.
pub const TRADE_GAS: u64 = 150_000;

/// Gas limit of a trade.
pub const TRADE_GAS_LIMIT: u64 = 400_000;

/// The share of the expected profit that is bid for being early in the block: as much as the most eager keeper.
const BID_SHARE: f64 = 0.5;

/// The short is closed once the queue is down to this share of what it was.
const QUEUE_DONE: f64 = 0.1;

/// What is traded in a block, over the venue's collateral reserve, by one who need not move the price: arbitrageurs fill it up again.
const SLICE: f64 = 0.02;

/// How much worse than seen the venue's price may become by what others do before a trade of a known amount; ratio.
const SLIPPAGE: f64 = 0.05;

/// A manipulator rests for this many times his patience after an attack.
const REST: u64 = 4;

/// What is left of a position below this share of the capital is forgotten.
const DUST: f64 = 1e-6;

/// What an adversary does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Strategy {
    /// Sells ahead of sales that are due.
    Predator,
    /// Makes sales due.
    Manipulator,
}

/// What it can do.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Means {
    /// What it does.
    pub strategy: Strategy,
    /// The most that it is short, debt tokens' worth.
    pub capital: f64,
    /// How long it stays short at most, seconds.
    pub patience: u64,
    /// How far below the reference price the manipulator holds the venue; ratio.
    pub push: f64,
    /// φ, which it knows.
    pub pass_through: f64,
}

/// What it reads from positions, whole collateral tokens.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Queue {
    /// What liquidations that are due now would sell.
    pub due: f64,
    /// What would be due beside that if the price were `push` lower.
    pub reachable: f64,
}

/// An open attack.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Attack {
    since: u64,
    due: f64,
}

/// One adversary.
#[derive(Clone, Copy, Debug)]
pub struct Adversary {
    means: Means,
    attack: Option<Attack>,
    rests_until: u64,
}

impl Adversary {
    /// One without a position.
    #[must_use]
    pub const fn new(means: Means) -> Self {
        Self {
            means,
            attack: None,
            rests_until: 0,
        }
    }

    /// Its next trade. `short` is the collateral that it has sold and not bought back, whole tokens.
    pub fn decide(
        &mut self,
        observation: &Observation,
        queue: &Queue,
        short: f64,
    ) -> Option<Intent> {
        let Some(attack) = self.attack else {
            if short.abs() * observation.reference_price > DUST * self.means.capital {
                return Some(close(observation, short));
            }
            return self.open(observation, queue);
        };
        let over = observation.timestamp >= attack.since + self.means.patience;
        let done = self.means.strategy == Strategy::Predator
            && queue.due <= QUEUE_DONE * attack.due
            && short > 0.0;
        if over || done {
            self.attack = None;
            self.rests_until = observation.timestamp + self.rest();
            return (short > 0.0).then(|| close(observation, short));
        }
        match self.means.strategy {
            Strategy::Predator => {
                let venue = after_arbitrage(observation);
                let (amount, profit) = self.slice(observation, &venue, short, queue.due)?;
                let limit = loose(&observation.venue, amount);
                Some(sell(observation, amount, limit, profit * BID_SHARE))
            }
            Strategy::Manipulator => self.hold(observation, short),
        }
    }

    const fn rest(&self) -> u64 {
        match self.means.strategy {
            Strategy::Predator => 0,
            Strategy::Manipulator => REST * self.means.patience,
        }
    }

    fn open(&mut self, observation: &Observation, queue: &Queue) -> Option<Intent> {
        if observation.timestamp < self.rests_until {
            return None;
        }
        let venue = after_arbitrage(observation);
        let (sales, amount, limit) = match self.means.strategy {
            Strategy::Predator => {
                let (amount, _) = self.slice(observation, &venue, 0.0, queue.due)?;
                (queue.due, amount, loose(&observation.venue, amount))
            }
            Strategy::Manipulator => {
                let amount = self.sale_to_push(observation, &venue, 0.0);
                // Less would not be worth the trouble: what he sets off is to be more than what he sells.
                if queue.reachable <= amount {
                    return None;
                }
                let sales = queue.reachable + queue.due;
                (sales, amount, venue.sell(amount).1.price())
            }
        };
        let profit = self.profit(observation, &venue, amount, sales);
        if profit <= 0.0 {
            return None;
        }
        self.attack = Some(Attack {
            since: observation.timestamp,
            due: sales,
        });
        Some(sell(observation, amount, limit, profit * BID_SHARE))
    }

    /// Sells the venue down again as far as arbitrageurs have bought it up.
    fn hold(&self, observation: &Observation, short: f64) -> Option<Intent> {
        let venue = after_arbitrage(observation);
        let amount = self.sale_to_push(observation, &venue, short);
        (amount * observation.reference_price > DUST * self.means.capital)
            .then(|| sell(observation, amount, venue.sell(amount).1.price(), 0.0))
    }

    /// The sale that brings the venue `push` below the reference price, as far as capital lasts.
    fn sale_to_push(&self, observation: &Observation, venue: &Venue, short: f64) -> f64 {
        let target = observation.reference_price * (1.0 - self.means.push);
        let left = self.means.capital / observation.reference_price - short;
        venue.sale_to(target.sqrt()).min(left).max(0.0)
    }

    /// The predator's next slice and what it promises, if it pays ahead of `sales` and capital lasts.
    fn slice(
        &self,
        observation: &Observation,
        venue: &Venue,
        short: f64,
        sales: f64,
    ) -> Option<(f64, f64)> {
        let left = self.means.capital / observation.reference_price - short;
        let amount = left.min(SLICE * venue.collateral_reserve());
        let profit = self.profit(observation, venue, amount, sales);
        (profit > 0.0).then_some((amount, profit))
    }

    /// What selling `amount` now and buying it back leaves if `sales` of others come between, arbitrageurs keep the venue at
    /// the outside price, and nothing of what passed through has recovered: P' = P·(1 − φ·(amount + sales)/x)².
    fn profit(&self, observation: &Observation, venue: &Venue, amount: f64, sales: f64) -> f64 {
        if amount <= 0.0 {
            return 0.0;
        }
        let (proceeds, _) = venue.sell(amount);
        let pushed =
            (self.means.pass_through * (amount + sales) / venue.collateral_reserve()).min(0.9);
        let later = Venue {
            sqrt_price: observation.reference_price.sqrt() * (1.0 - pushed),
            ..*venue
        };
        let gas = 2.0 * observation.gas_cost(TRADE_GAS, observation.competitive_tip());
        cost(&later, amount).map_or(0.0, |cost| proceeds - cost - gas)
    }
}

/// What buying `amount` of collateral costs; `None` if the venue has not so much.
fn cost(venue: &Venue, amount: f64) -> Option<f64> {
    price_after_purchase(venue, amount).map(|price| venue.purchase_to(price.sqrt()).0)
}

/// The price once `amount` of collateral has been bought: 1/s' = 1/s − q/L.
fn price_after_purchase(venue: &Venue, amount: f64) -> Option<f64> {
    let inverse = 1.0 / venue.sqrt_price - amount / venue.liquidity;
    (inverse > 0.0).then(|| 1.0 / (inverse * inverse))
}

/// Sells an amount; `limit` is where it stops if others have been there before.
fn sell(observation: &Observation, amount: f64, limit: f64, bribe: f64) -> Intent {
    trade(observation, true, amount, limit, bribe)
}

/// Buys back what is short, or sells what was bought too much: a slice, and the rest in the blocks that follow.
fn close(observation: &Observation, short: f64) -> Intent {
    let venue = &observation.venue;
    let slice = short.abs().min(venue.collateral_reserve() * SLICE);
    if short < 0.0 {
        return sell(observation, slice, loose(venue, slice), 0.0);
    }
    let price = price_after_purchase(venue, slice).unwrap_or_else(|| venue.price());
    let paid = cost(venue, slice).unwrap_or_default();
    trade(observation, false, paid, price / (1.0 - SLIPPAGE), 0.0)
}

/// The price after a sale, and some room for what others do before it.
fn loose(venue: &Venue, amount: f64) -> f64 {
    venue.sell(amount).1.price() * (1.0 - SLIPPAGE)
}

fn trade(observation: &Observation, sell: bool, amount: f64, price: f64, bribe: f64) -> Intent {
    let tip = observation.competitive_tip() + observation.tip_for(bribe.max(0.0), TRADE_GAS);
    Intent {
        action: Action::Trade {
            sell,
            amount,
            price,
        },
        bid: Bid::lasting(observation, tip, 1),
        gas_limit: TRADE_GAS_LIMIT,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::observation;

    fn adversary(strategy: Strategy, pass_through: f64) -> Adversary {
        Adversary::new(Means {
            strategy,
            capital: 10_000.0,
            patience: 60,
            push: 0.02,
            pass_through,
        })
    }

    const NOTHING: Queue = Queue {
        due: 0.0,
        reachable: 0.0,
    };

    #[test]
    fn predator_sells_only_ahead_of_sales_that_outweigh_his_costs() {
        let observation = observation(100.0);
        let mut predator = adversary(Strategy::Predator, 0.5);
        assert_eq!(predator.decide(&observation, &NOTHING, 0.0), None);
        // The venue holds 1,000: two tokens move it by less than two fees, a hundred by 10% of which half passes through.
        let due = |due| Queue {
            due,
            reachable: 0.0,
        };
        assert_eq!(predator.decide(&observation, &due(2.0), 0.0), None);
        let intent = predator.decide(&observation, &due(100.0), 0.0);
        assert!(matches!(
            intent,
            Some(Intent {
                action: Action::Trade { sell: true, price, .. },
                ..
            }) if price < 100.0
        ));
        // Where nothing passes through there is nothing to win.
        let mut without = adversary(Strategy::Predator, 0.0);
        assert_eq!(without.decide(&observation, &due(100.0), 0.0), None);
    }

    #[test]
    fn predator_buys_back_when_the_sales_are_made_or_his_patience_ends() {
        let mut observation = observation(100.0);
        let queue = Queue {
            due: 100.0,
            reachable: 0.0,
        };
        for (later, left) in [(12, 5.0), (60, 100.0)] {
            let mut predator = adversary(Strategy::Predator, 0.5);
            predator.decide(&observation, &queue, 0.0).expect("opens");
            let start = observation.timestamp;
            observation.timestamp = start + 6;
            // A fiftieth of the reserve at a time, until all of his 10,000 is sold.
            assert!(matches!(
                predator.decide(&observation, &queue, 50.0),
                Some(Intent { action: Action::Trade { sell: true, amount, .. }, .. }) if (amount - 20.0).abs() < 1e-9
            ));
            assert_eq!(predator.decide(&observation, &queue, 100.0), None);
            observation.timestamp = start + later;
            let left = Queue { due: left, ..queue };
            assert!(matches!(
                predator.decide(&observation, &left, 50.0),
                Some(Intent { action: Action::Trade { sell: false, price, .. }, .. }) if price > 100.0
            ));
            observation.timestamp = start;
        }
    }

    #[test]
    fn manipulator_pushes_holds_and_lets_go() {
        let mut observation = observation(100.0);
        let mut manipulator = adversary(Strategy::Manipulator, 0.5);
        let queue = Queue {
            due: 0.0,
            reachable: 200.0,
        };
        assert_eq!(manipulator.decide(&observation, &NOTHING, 0.0), None);
        let pushes = |intent: Option<Intent>| {
            matches!(
                intent,
                Some(Intent { action: Action::Trade { sell: true, price, .. }, .. }) if (price - 98.0).abs() < 1e-9
            )
        };
        assert!(pushes(manipulator.decide(&observation, &queue, 0.0)));
        observation.timestamp += 12;
        assert!(pushes(manipulator.decide(&observation, &queue, 10.0)));
        // All of his 10,000 is sold.
        assert_eq!(manipulator.decide(&observation, &queue, 100.0), None);
        observation.timestamp += 48;
        assert!(matches!(
            manipulator.decide(&observation, &queue, 10.0),
            Some(Intent {
                action: Action::Trade { sell: false, .. },
                ..
            })
        ));
        // He rests, and goes on buying what is left.
        observation.timestamp += 12;
        assert_eq!(manipulator.decide(&observation, &queue, 0.0), None);
        assert!(manipulator.decide(&observation, &queue, 1.0).is_some());
        observation.timestamp += 240;
        assert!(pushes(manipulator.decide(&observation, &queue, 0.0)));
    }

    #[test]
    fn a_purchase_gives_what_was_asked_for() {
        let venue = observation(100.0).venue;
        let price = price_after_purchase(&venue, 200.0).expect("there is enough");
        assert!((price - 156.25).abs() < 1e-9);
        assert!((venue.purchase_to(price.sqrt()).1 - 200.0).abs() < 1e-9);
        assert_eq!(price_after_purchase(&venue, 1_000.0), None);
    }
}

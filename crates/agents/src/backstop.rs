//! Those who work for a backstop and are paid for it: who triggers absorptions and settlements, and who buys what it releases.
//! What a call would bring is asked of the contract; whether that is worth its gas is decided here.

use crate::keeper::{REVERT_GAS, best_sale};
use crate::observation::{Action, Bid, Intent, Observation};
use crate::venue::Venue;

/// Gas of an absorption, until one has been seen.
pub const ABSORPTION_GAS: u64 = 300_000;

/// Gas of a purchase with its sale, until one has been seen.
pub const PURCHASE_GAS: u64 = 300_000;

/// Gas of a record of the sale's depth and clock.
pub const OBSERVATION_GAS: u64 = 90_000;

/// Gas limit of an absorption or a settlement.
pub const ABSORPTION_GAS_LIMIT: u64 = 900_000;

/// Gas limit of a purchase.
pub const PURCHASE_GAS_LIMIT: u64 = 700_000;

/// Gas limit of everything else that is done at a backstop.
pub const CALL_GAS_LIMIT: u64 = 600_000;

/// The share of the expected profit that is bid for an early place: the most that a liquidator bids.
const BID_SHARE: f64 = 0.5;

/// What is done at a backstop.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum BackstopAction {
    /// Have an eligible position absorbed.
    Absorb {
        /// The account's number.
        account: u32,
    },
    /// Have an insolvent position settled with the backstop's money.
    Settle {
        /// The account's number.
        account: u32,
    },
    /// Record the sale's depth and start its clock.
    Observe,
    /// Buy inventory and sell it on the venue; revert below `min_profit` debt tokens.
    Buy {
        /// The most collateral.
        amount: f64,
        /// The least that must be left, before gas.
        min_profit: f64,
    },
    /// Have depositors paid their premium.
    Distribute,
    /// Deposit.
    Deposit {
        /// The depositor's number.
        depositor: u32,
    },
    /// Ask to leave with all shares.
    Leave {
        /// The depositor's number.
        depositor: u32,
    },
    /// Take one's part of the inventory in kind.
    ClaimCollateral {
        /// The depositor's number.
        depositor: u32,
    },
    /// Take what is owed in the debt asset.
    ClaimAssets {
        /// The depositor's number.
        depositor: u32,
    },
}

/// What an absorption or settlement would bring, in debt tokens at the outside price.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Prospect {
    /// To who calls: his reward and stipend, less what he pays.
    pub reward: f64,
    /// To depositors: what they would receive less what they would pay.
    pub discount: f64,
}

/// Who triggers absorptions.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Caller {
    /// The share of depositors' discount that it counts as its own gain, because it is a depositor too; 0 for somebody who
    /// works for the reward alone, 1 for all depositors together.
    pub interest: f64,
    /// The least profit, net of gas, for which it acts; debt tokens.
    pub min_profit: f64,
    /// Gas of an absorption, as lately seen on chain.
    pub gas: u64,
    /// How often its transactions succeed, as lately seen.
    pub win_rate: f64,
}

/// Its estimate never falls below this, or one streak of bad luck would silence it for ever.
const LEAST_WIN_RATE: f64 = 0.05;

impl Caller {
    /// Takes the gas of an absorption that succeeded: an eighth of the way.
    pub const fn saw(&mut self, gas_used: u64) {
        self.gas = (self.gas * 7 + gas_used) / 8;
    }

    /// Learns whether a transaction of its own succeeded.
    pub fn learn(&mut self, success: bool) {
        let target = if success { 1.0 } else { 0.0 };
        self.win_rate = (self.win_rate + 0.1 * (target - self.win_rate)).max(LEAST_WIN_RATE);
    }

    /// The bid for a call that would bring this; `None` if it does not pay, weighed with how often its transactions succeed and
    /// what the others cost.
    #[must_use]
    pub fn bid(&self, observation: &Observation, prospect: Prospect) -> Option<Bid> {
        let gain = prospect.reward + self.interest * prospect.discount;
        let lost = observation.gas_cost(REVERT_GAS, observation.competitive_tip());
        let least = (self.min_profit + (1.0 - self.win_rate) * lost) / self.win_rate;
        paying(observation, gain, self.gas, least)
    }
}

/// The bid for a transaction of this gain: half of what is left after gas at a competitive tip; `None` where that is less than
/// the least profit.
fn paying(observation: &Observation, gain: f64, gas: u64, min_profit: f64) -> Option<Bid> {
    let floor = observation.competitive_tip();
    let profit = gain - observation.gas_cost(gas, floor);
    if profit <= min_profit {
        return None;
    }
    let spent = (profit - min_profit) * BID_SHARE;
    Some(Bid::lasting(
        observation,
        floor + observation.tip_for(spent, gas),
        3,
    ))
}

/// What is for sale.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Offer {
    /// Debt tokens per collateral token.
    pub price: f64,
    /// The most that is sold now, whole collateral tokens.
    pub available: f64,
}

/// Buys as much as pays, at the offer's price and with an immediate sale on `venue`; `None` if it does not pay.
#[must_use]
pub fn purchase(
    observation: &Observation,
    venue: &Venue,
    offer: Offer,
    gas: u64,
    min_profit: f64,
) -> Option<Intent> {
    let sale = best_sale(venue, offer.available * offer.price, offer.available, 0.0)?;
    let bid = paying(observation, sale.surplus, gas, min_profit)?;
    Some(Intent {
        action: Action::Backstop(BackstopAction::Buy {
            amount: sale.repay / offer.price,
            // Once included, only what covers the gas is worth finishing.
            min_profit: observation.gas_cost(gas, bid.tip),
        }),
        bid,
        gas_limit: PURCHASE_GAS_LIMIT,
    })
}

/// Records the sale's depth and starts its clock, where all that is unsold would pay for the record many times over at the
/// auction's greatest discount.
#[must_use]
pub fn observe(observation: &Observation, inventory_value: f64, discount: f64) -> Option<Intent> {
    let tip = observation.competitive_tip();
    let pays = inventory_value * discount > 10.0 * observation.gas_cost(OBSERVATION_GAS, tip);
    pays.then(|| Intent {
        action: Action::Backstop(BackstopAction::Observe),
        bid: Bid::lasting(observation, tip, 3),
        gas_limit: CALL_GAS_LIMIT,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::observation::Prices;

    fn observation(base_fee: f64) -> Observation {
        Observation {
            block: 1,
            timestamp: 12,
            base_fee,
            inclusion_tip: 0.0,
            native_price: 2_000.0,
            prices: Prices {
                fast: 2_000.0,
                slow: 2_000.0,
                confirm: 2_000.0,
            },
            venue: Venue {
                sqrt_price: 2_000_f64.sqrt(),
                liquidity: 1e5 * 2_000_f64.sqrt(),
                fee: 0.003,
            },
            reference_price: 2_000.0,
            breaker_level: 0,
            bucket: f64::INFINITY,
        }
    }

    #[test]
    fn a_caller_acts_where_his_gain_covers_the_gas() {
        // 300,000 gas at 20 gwei cost 12; the reward is a tenth of a discount of 1,000.
        let prospect = Prospect {
            reward: 100.0,
            discount: 900.0,
        };
        let caller = |interest| Caller {
            interest,
            min_profit: 10.0,
            gas: 300_000,
            win_rate: 1.0,
        };
        let calm = caller(0.0)
            .bid(&observation(20.0), prospect)
            .expect("a bid");
        // Half of 100 − 12 − 10, over 300,000 gas.
        assert!((observation(20.0).gas_cost(300_000, calm.tip) - 12.0 - 39.0).abs() < 0.1);
        // In a spike the reward alone does not pay, the whole discount does.
        assert_eq!(caller(0.0).bid(&observation(200.0), prospect), None);
        assert!(caller(1.0).bid(&observation(200.0), prospect).is_some());
        // Who always comes too late asks for more.
        let mut late = caller(0.0);
        for _ in 0..100 {
            late.learn(false);
        }
        assert_eq!(late.win_rate, LEAST_WIN_RATE);
        assert_eq!(late.bid(&observation(20.0), prospect), None);
    }

    #[test]
    fn inventory_is_bought_where_the_discount_covers_fee_impact_and_gas() {
        let seen = observation(20.0);
        let offer = |discount: f64| Offer {
            price: 2_000.0 * (1.0 - discount),
            available: 10.0,
        };
        // The venue's fee is 0.3%; gas costs 12 of 20,000.
        assert_eq!(
            purchase(&seen, &seen.venue, offer(0.003), 300_000, 0.0),
            None
        );
        let intent = purchase(&seen, &seen.venue, offer(0.006), 300_000, 0.0).expect("a purchase");
        let Action::Backstop(BackstopAction::Buy { amount, min_profit }) = intent.action else {
            panic!("{intent:?}");
        };
        assert_eq!(amount, 10.0);
        // What is left before gas: 0.3% of 20,000, less impact.
        assert!(min_profit > 12.0 && min_profit < 60.0, "{min_profit}");
        // Too expensive in a spike.
        let spike = observation(200.0);
        assert_eq!(
            purchase(&spike, &spike.venue, offer(0.006), 300_000, 0.0),
            None
        );
    }

    #[test]
    fn a_record_is_worth_it_where_much_is_unsold() {
        assert_eq!(observe(&observation(20.0), 1_000.0, 0.01), None);
        assert!(observe(&observation(20.0), 1e6, 0.01).is_some());
    }
}

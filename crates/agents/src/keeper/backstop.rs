//! What a liquidator does for a backstop and buys of it. It spends nothing of its own on an absorption, nor on a settlement that the
//! backstop can pay for when the block comes: what it cannot pay, it takes of whoever calls it and lets it, for as much of the collateral.
//! The reward is collateral, which is kept; what is bought of the inventory is paid for.

use super::{FURTHER_GAS, HANDOVER_GAS, Keeper, Sale, Terms, best_sale};
use crate::observation::{Bid, Observation};
use crate::venue::Venue;

/// Gas of an absorption of a position with one collateral.
pub const ABSORB_GAS: u64 = 260_000;

/// Gas of a settlement that the backstop pays for, of a position with one collateral.
pub const BACKSTOP_SETTLE_GAS: u64 = 270_000;

/// Gas of buying inventory.
pub const BUY_GAS: u64 = 190_000;

/// Gas of starting the clock of a sale.
pub const OBSERVE_GAS: u64 = 110_000;

/// Of what inventory is worth, how much a sale whose clock runs is taken to leave to those who buy: its floor is 1% below the fast price
/// by default, and the venue's fee and slippage take a part.
const EXPECTED_DISCOUNT: f64 = 0.005;

/// A start of a period with a queue, which whoever comes first pays for.
const PERIOD_GAS: u64 = 100_000;

/// Gas of an absorption of a position that holds `further` collaterals beside the one that is taken.
#[must_use]
pub const fn absorb_gas(further: u32) -> u64 {
    ABSORB_GAS + FURTHER_GAS * further as u64
}

/// The same of a settlement, which hands over all of them.
#[must_use]
pub const fn backstop_settle_gas(further: u32) -> u64 {
    BACKSTOP_SETTLE_GAS + (FURTHER_GAS + HANDOVER_GAS) * further as u64
}

/// The gas limit of an action that is expected to use `gas`.
#[must_use]
pub const fn backstop_gas_limit(gas: u64) -> u64 {
    2 * gas + PERIOD_GAS
}

/// What is left before gas of a reward in collateral that is worth `reward`, of which prices may take the risk margin, and of `cash`
/// beside it. Debt tokens.
#[must_use]
pub fn rewarded(reward: f64, cash: f64, terms: &Terms) -> f64 {
    reward * (1.0 - terms.risk_margin) + cash
}

/// What to buy of an inventory that is for sale at `price`, `available` whole collateral tokens of it, with `budget` debt tokens: as
/// much as the venue takes at more than the price and the risk margin. `None` if the first unit loses.
#[must_use]
pub fn purchase(
    venue: &Venue,
    price: f64,
    available: f64,
    budget: f64,
    terms: &Terms,
) -> Option<Sale> {
    if price <= 0.0 {
        return None;
    }
    let amount = available.min(budget / price);
    best_sale(venue, amount * price, amount, terms.risk_margin)
}

impl Keeper {
    /// The bid for starting the clock of a sale of inventory that is worth `inventory` to a keeper that can pay `budget`. It pays if this
    /// keeper's share of what may be gained, everybody being equal, is more than twice its gas.
    #[must_use]
    pub fn observe(
        &self,
        observation: &Observation,
        terms: &Terms,
        inventory: f64,
        budget: f64,
    ) -> Option<Bid> {
        let tip = observation.competitive_tip();
        let gain = EXPECTED_DISCOUNT * inventory.min(budget);
        let share = gain / f64::from(terms.count.max(1));
        let pays = gain > terms.min_profit && share > 2.0 * observation.gas_cost(OBSERVE_GAS, tip);
        pays.then(|| Bid::lasting(observation, tip, 3))
    }

    /// The bid for something that leaves `gross` debt tokens before `gas`; `None` if that is too little. Nothing on chain insists on a
    /// profit, so where another comes first it may succeed for less and cost its gas whole.
    #[must_use]
    pub fn bid_for(
        &self,
        observation: &Observation,
        terms: &Terms,
        gross: f64,
        gas: u64,
        draw: f64,
    ) -> Option<Bid> {
        let terms = Terms {
            liquidation_gas: gas,
            guarded: false,
            ..*terms
        };
        let sale = Sale {
            repay: 0.0,
            surplus: gross,
            venue: observation.venue,
        };
        self.bid(observation, &sale, &terms, draw)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keeper::tests::{TERMS, VENUE, observation};

    fn keeper() -> Keeper {
        Keeper::group(1, 0).remove(0)
    }

    /// 260,000 gas at 11.1 gwei and 100 a coin are 0.2886; half of its transactions are expected to fail, at all of their gas.
    #[test]
    fn a_reward_that_does_not_cover_gas_and_failures_is_left() {
        let bid = |gross| keeper().bid_for(&observation(), &TERMS, gross, ABSORB_GAS, 0.0);
        // won > (1 + 0.5 · 0.2886) / 0.5 = 2.2886, before the gas of 0.2886: 2.5772.
        assert_eq!(bid(2.577), None);
        let found = bid(2.578).expect("pays");
        assert!(found.tip >= 1.1, "{found:?}");
        assert_eq!(bid(0.0), None);
    }

    #[test]
    fn a_bid_leaves_the_least_profit_to_be_expected() {
        let gross = 10.0;
        let observation = observation();
        for draw in [0.0, 0.5, 0.999] {
            let bid = keeper()
                .bid_for(&observation, &TERMS, gross, ABSORB_GAS, draw)
                .expect("pays");
            let cost = observation.gas_cost(ABSORB_GAS, bid.tip);
            assert!(
                0.5 * gross - cost >= TERMS.min_profit - 1e-9,
                "{draw}: {bid:?}"
            );
        }
    }

    #[test]
    fn the_margin_is_taken_of_what_is_kept_and_not_of_cash() {
        let terms = Terms {
            risk_margin: 0.01,
            ..TERMS
        };
        assert!((rewarded(100.0, 5.0, &terms) - 104.0).abs() < 1e-12);
    }

    #[test]
    fn inventory_is_bought_while_the_venue_pays_more() {
        // At 99 of a market at 100: to where the venue gives 99, 10^4 (1/√99 − 1/10) = 5.0378 tokens.
        let sale = purchase(&VENUE, 99.0, 1e6, 1e9, &TERMS).expect("pays");
        assert!((sale.repay / 99.0 - 5.037_8).abs() < 1e-3, "{sale:?}");
        // No more than is for sale, and than can be paid.
        let sale = purchase(&VENUE, 99.0, 2.0, 1e9, &TERMS).expect("pays");
        assert_eq!(sale.repay, 198.0);
        let sale = purchase(&VENUE, 99.0, 2.0, 99.0, &TERMS).expect("pays");
        assert_eq!(sale.repay, 99.0);
        // The venue's fee and the margin are more than the discount.
        let dear = Venue {
            fee: 0.011,
            ..VENUE
        };
        assert_eq!(purchase(&dear, 99.0, 2.0, 1e9, &TERMS), None);
        let careful = Terms {
            risk_margin: 0.011,
            ..TERMS
        };
        assert_eq!(purchase(&VENUE, 99.0, 2.0, 1e9, &careful), None);
        assert_eq!(purchase(&VENUE, 0.0, 2.0, 1e9, &TERMS), None);
        assert_eq!(purchase(&VENUE, 99.0, 0.0, 1e9, &TERMS), None);
        assert_eq!(purchase(&VENUE, 99.0, 2.0, 0.0, &TERMS), None);
    }

    /// 110,000 gas at 11.1 gwei and 100 a coin are 0.1221; two keepers share.
    #[test]
    fn a_sale_is_started_where_the_share_of_its_gain_is_twice_the_gas() {
        let bid = |inventory, budget| keeper().observe(&observation(), &TERMS, inventory, budget);
        // A gain of 1 is the least profit.
        assert_eq!(bid(200.0, 1e9), None);
        assert!(bid(201.0, 1e9).is_some());
        assert_eq!(bid(1e9, 200.0), None, "it could not pay");
        let cheap = Terms {
            min_profit: 0.0,
            ..TERMS
        };
        let bid = |inventory| keeper().observe(&observation(), &cheap, inventory, 1e9);
        // 0.005 · x / 2 > 2 · 0.1221: from 97.68 on.
        assert_eq!(bid(97.0), None);
        assert!(bid(98.0).is_some());
    }

    #[test]
    fn further_collaterals_cost_their_prices_and_to_be_handed_over() {
        assert_eq!(absorb_gas(2), ABSORB_GAS + 50_000);
        assert_eq!(backstop_settle_gas(2), BACKSTOP_SETTLE_GAS + 200_000);
    }
}

//! Pulls the venue to the reference price, as far as fee and gas let it.

use crate::observation::{Action, Bid, Intent, Observation};
use crate::venue::Venue;

/// Gas of one arbitrage swap, for the decision.
pub const ARBITRAGE_GAS: u64 = 150_000;

/// Gas limit of the transaction.
pub const ARBITRAGE_GAS_LIMIT: u64 = 400_000;

/// The share of its profit that an arbitrageur bids for the top of the block, where the profit is.
pub const BID_SHARE: f64 = 0.8;

/// A trade that pays, before gas.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Opportunity {
    /// Whether collateral is sold on the venue rather than bought.
    pub sell: bool,
    /// The root price at which the last unit just pays.
    pub sqrt_price: f64,
    /// Profit against the reference price, before gas.
    pub profit: f64,
}

/// The best trade against `reference`. Buying pays while p/(1−f) < P, so it ends at p = P(1−f); selling pays while
/// p(1−f) > P, so it ends at p = P/(1−f). Between the two there is no arbitrage.
#[must_use]
pub fn opportunity(venue: &Venue, reference: f64) -> Option<Opportunity> {
    if !venue.liquidity.is_finite() || venue.liquidity <= 0.0 || reference <= 0.0 {
        return None;
    }
    let low = (reference * (1.0 - venue.fee)).sqrt();
    let high = (reference / (1.0 - venue.fee)).sqrt();
    if venue.sqrt_price < low {
        let (spent, bought) = venue.purchase_to(low);
        Some(Opportunity {
            sell: false,
            sqrt_price: low,
            profit: bought * reference - spent,
        })
    } else if venue.sqrt_price > high {
        let sold = venue.sale_to(high);
        let (proceeds, _) = venue.sell(sold);
        Some(Opportunity {
            sell: true,
            sqrt_price: high,
            profit: proceeds - sold * reference,
        })
    } else {
        None
    }
}

/// The venue as it stands once arbitrageurs have acted on this observation.
#[must_use]
pub fn after_arbitrage(observation: &Observation) -> Venue {
    match decide(observation) {
        Some(Intent {
            action: Action::Arbitrage { price, .. },
            ..
        }) => Venue {
            sqrt_price: price.sqrt(),
            ..observation.venue
        },
        _ => observation.venue,
    }
}

/// Trades to the edge of the no-arbitrage band if that pays for its gas.
#[must_use]
pub fn decide(observation: &Observation) -> Option<Intent> {
    let found = opportunity(&observation.venue, observation.reference_price)?;
    let tip = observation.competitive_tip();
    let net = found.profit - observation.gas_cost(ARBITRAGE_GAS, tip);
    if net <= 0.0 {
        return None;
    }
    let tip = tip + observation.tip_for(net * BID_SHARE, ARBITRAGE_GAS);
    Some(Intent {
        action: Action::Arbitrage {
            sell: found.sell,
            price: found.sqrt_price * found.sqrt_price,
        },
        bid: Bid {
            max_fee: observation.base_fee * 1.125 + tip,
            tip,
        },
        gas_limit: ARBITRAGE_GAS_LIMIT,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;

    fn observation(price: f64, fee: f64) -> Observation {
        let observation = testing::observation(price);
        let venue = Venue {
            fee,
            ..observation.venue
        };
        Observation {
            venue,
            ..observation
        }
    }

    #[test]
    fn ends_at_the_edge_of_the_band() {
        let found = opportunity(&observation(64.0, 0.0).venue, 100.0).expect("pays");
        // Spends 20,000 for 250 worth 25,000.
        assert!(
            !found.sell
                && (found.sqrt_price - 10.0).abs() < 1e-12
                && (found.profit - 5_000.0).abs() < 1e-6
        );
        let found = opportunity(&observation(144.0, 0.01).venue, 100.0).expect("pays");
        assert!(found.sell && (found.sqrt_price * found.sqrt_price - 100.0 / 0.99).abs() < 1e-9);
    }

    #[test]
    fn rests_inside_the_band() {
        assert_eq!(opportunity(&observation(99.8, 0.003).venue, 100.0), None);
        assert_eq!(opportunity(&observation(100.2, 0.003).venue, 100.0), None);
    }

    #[test]
    fn gas_must_be_paid() {
        // From 99.9 the gain is about L·(Δs)²/s = 10^4·(0.005)²/10 ≈ 0.025; gas costs 150,000·10 gwei·100 = 0.15.
        assert_eq!(decide(&observation(99.9, 0.0)), None);
        assert!(decide(&observation(99.0, 0.0)).is_some());
    }

    #[test]
    fn keepers_can_foresee_it() {
        assert!((after_arbitrage(&observation(64.0, 0.0)).price() - 100.0).abs() < 1e-9);
        assert_eq!(
            after_arbitrage(&observation(99.9, 0.0)).price(),
            observation(99.9, 0.0).venue.price()
        );
    }
}

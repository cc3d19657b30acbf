//! Traders who know nothing: their buying and selling has a mean of 0.

use crate::observation::{Action, Bid, Intent, Observation};

/// Gas limit of a trade.
pub const TRADE_GAS_LIMIT: u64 = 400_000;

/// The most of the venue's collateral reserve that a block's net trade may be.
const MOST: f64 = 0.5;

/// Trades `share` of the venue's virtual collateral reserve: sells if it is positive, buys if it is negative. `None` for 0.
#[must_use]
pub fn trade(observation: &Observation, share: f64) -> Option<Intent> {
    let share = share.clamp(-MOST, MOST);
    if share == 0.0 {
        return None;
    }
    // x' = x·(1 + share) at constant liquidity, and P = (L/x)²; the fee is paid on top.
    let venue = &observation.venue;
    let root = venue.sqrt_price / (1.0 + share);
    let amount = if share > 0.0 {
        venue.sale_to(root)
    } else {
        venue.purchase_to(root).0
    };
    Some(Intent {
        action: Action::Trade {
            sell: share > 0.0,
            amount,
            price: root * root,
        },
        bid: Bid::lasting(observation, observation.competitive_tip(), 1),
        gas_limit: TRADE_GAS_LIMIT,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::observation;

    #[test]
    fn a_quarter_of_the_reserve_sold_divides_the_price_by_its_square() {
        let Some(Intent {
            action:
                Action::Trade {
                    sell: true,
                    amount,
                    price,
                },
            ..
        }) = trade(&observation(100.0), 0.25)
        else {
            panic!("sells");
        };
        assert!((price - 64.0).abs() < 1e-9);
        // A quarter of 1,000, and the fee.
        assert!((amount * 0.997 - 250.0).abs() < 1e-9);
        assert!(matches!(
            trade(&observation(100.0), -0.2),
            Some(Intent { action: Action::Trade { sell: false, price, .. }, .. }) if (price - 156.25).abs() < 1e-9
        ));
        assert_eq!(trade(&observation(100.0), 0.0), None);
    }
}

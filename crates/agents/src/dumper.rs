//! A liquidator who does not calculate: he takes whatever he is granted, pays for it himself, and sells it at any price. Real ones do not
//! do so; it is the far end from [`crate::keeper::Keeper`], who stops where a sale no longer pays.

use crate::keeper::{Candidate, LIQUIDATION_GAS_LIMIT, MAX_ACTIONS};
use crate::observation::{Action, Bid, Intent, Observation};

/// All that is granted, of as many positions as one sends transactions for in a block. `pending` and `draw` are as for a keeper.
pub fn plan(
    observation: &Observation,
    candidates: &[Candidate],
    pending: impl Fn(u32) -> bool,
    draw: impl Fn(u32) -> f64,
) -> Vec<Intent> {
    candidates
        .iter()
        .filter(|candidate| candidate.repay > 0.0 && !pending(candidate.account))
        .take(MAX_ACTIONS)
        .map(|candidate| {
            let account = candidate.account;
            let tip = observation.competitive_tip() * (1.0 + draw(account));
            Intent {
                action: Action::Liquidate {
                    account,
                    repay: candidate.repay,
                    min_profit: 0.0,
                },
                bid: Bid::lasting(observation, tip, 3),
                gas_limit: LIQUIDATION_GAS_LIMIT,
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::observation;

    fn candidate(account: u32, repay: f64) -> Candidate {
        Candidate {
            account,
            collateral: 2.0,
            debt: 300.0,
            repay,
            seize: 2.0,
            unflagged: false,
            settle: None,
            stipend: 0.0,
            further: 0,
            charged: false,
            held: false,
        }
    }

    #[test]
    fn all_that_is_granted_is_taken_though_it_loses() {
        // Two units of 100 each for 150.
        let candidates = [candidate(0, 150.0), candidate(1, 0.0), candidate(2, 300.0)];
        let intents = plan(
            &observation(100.0),
            &candidates,
            |account| account == 0,
            |_| 0.5,
        );
        let [intent] = &intents[..] else {
            panic!("{intents:?}");
        };
        let expected = Action::Liquidate {
            account: 2,
            repay: 300.0,
            min_profit: 0.0,
        };
        assert_eq!(intent.action, expected);
        assert!(intent.bid.tip > observation(100.0).competitive_tip());
    }
}

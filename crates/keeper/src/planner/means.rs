//! A plan cut to what the account has: debt tokens to repay with, native coins for gas.

use alloy_primitives::U256;
use breakwater_agents::Observation;

use super::{Plan, Planned};
use crate::store::ActionKind;
use crate::thought::{Thought, Verdict};
use crate::units::whole;

/// Decimals of the native coin in gwei.
const GWEI_DECIMALS: u8 = 9;

/// Fees are computed in floating point: so much less than everything is spent, as a share.
const ROUNDING: f64 = 1e-9;

/// Cuts repayments to the debt tokens that the pool may take, the most promising first. Where there are none, no clock is worth its
/// gas. Purchases are cut already, to what the backstop may take and no repayment needs; it has an allowance of its own.
pub(super) fn within_inventory(plan: &mut Plan, inventory: U256) {
    let mut left = inventory;
    let (thoughts, actions) = (&mut plan.thoughts, &mut plan.actions);
    actions.retain_mut(|action| {
        let covered = match action.kind {
            ActionKind::Liquidate => {
                let wanted = action.repay;
                action.repay = wanted.min(left);
                action.claims.charged *= whole(action.repay, 0) / whole(wanted, 0).max(1.0);
                !action.repay.is_zero()
            }
            // It is closed whole or not at all.
            ActionKind::Settle => action.repay <= left,
            ActionKind::BuyInventory => return true,
            ActionKind::Absorb | ActionKind::SettleByBackstop | ActionKind::ObserveSale => true,
            ActionKind::Flag | ActionKind::RecordDepth => !inventory.is_zero(),
        };
        if covered {
            left = left.saturating_sub(action.repay);
        } else {
            say(
                thoughts,
                action,
                "the debt tokens that the pool may take of the account do not cover it",
            );
        }
        covered
    });
}

/// Cuts bids to the native coins that are free, wei: nodes refuse what its sender could not pay at the whole gas limit, however
/// little of it is used. A bid takes what is there; first, though, those behind it keep what the least of bids needs.
pub(super) fn within_funds(plan: &mut Plan, observation: &Observation, funds: U256) {
    let (base_fee, competitive) = (observation.base_fee, observation.competitive_tip());
    // At the fee that the bid would have with the least tip that has a chance.
    let least = |action: &Planned| {
        let above = (action.bid.tip - competitive).max(0.0);
        (action.bid.max_fee - above) * action.gas_limit as f64
    };
    let mut left = whole(funds, GWEI_DECIMALS) * (1.0 - ROUNDING);
    let (thoughts, actions) = (&mut plan.thoughts, &mut plan.actions);
    let mut behind: f64 = actions.iter().map(least).sum();
    actions.retain_mut(|action| {
        let own = least(action);
        behind -= own;
        let available = (left - behind).max(own).min(left);
        let max_fee = action.bid.max_fee.min(available / action.gas_limit as f64);
        if max_fee < base_fee {
            say(
                thoughts,
                action,
                "the account's balance does not pay the gas",
            );
            return false;
        }
        let tip = action.bid.tip.min(max_fee - base_fee);
        action.expected += observation.gas_cost(action.gas, action.bid.tip)
            - observation.gas_cost(action.gas, tip);
        (action.bid.max_fee, action.bid.tip) = (max_fee, tip);
        left -= max_fee * action.gas_limit as f64;
        true
    });
}

/// Why an action is not made after all, where it would have closed a position.
fn say(thoughts: &mut [Thought], action: &Planned, why: &str) {
    let thought = thoughts
        .iter_mut()
        .filter(|_| action.kind.closes())
        .find(|thought| thought.account == action.account);
    if let Some(thought) = thought {
        thought.verdict = Verdict::Unready(why.to_owned());
    }
}

#[cfg(test)]
mod tests {
    use alloy_primitives::{Address, B256};
    use breakwater_agents::{Bid, Prices, Venue};

    use super::*;
    use crate::planner::Claims;
    use crate::thought::tests::thought;

    const VENUE: Venue = Venue {
        sqrt_price: 10.0,
        liquidity: 10_000.0,
        fee: 0.0,
    };

    fn observation() -> Observation {
        Observation {
            block: 1,
            timestamp: 0,
            base_fee: 10.0,
            inclusion_tip: 1.0,
            native_price: 2_000.0,
            prices: Prices {
                fast: 100.0,
                slow: 100.0,
                confirm: 100.0,
            },
            venue: VENUE,
            reference_price: 100.0,
            breaker_level: 0,
            bucket: f64::INFINITY,
        }
    }

    /// Two liquidations with tips of 1,000 gwei: 0.9 coins each at the whole gas limit.
    fn plan() -> Plan {
        let action = |account| Planned {
            id: B256::ZERO,
            kind: ActionKind::Liquidate,
            account: Address::repeat_byte(account),
            collateral: 0,
            repay: U256::from(100),
            amount: U256::ZERO,
            min_profit: 1.0,
            bid: Bid::lasting(&observation(), 1_000.0, 3),
            gas: 250_000,
            gas_limit: 900_000,
            surplus: 2_000.0,
            claims: Claims {
                sold: 0.0,
                charged: 100.0,
            },
            expected: 1_000.0,
        };
        Plan {
            thoughts: vec![thought(1, Verdict::Planned), thought(2, Verdict::Planned)],
            actions: vec![action(1), action(2)],
        }
    }

    fn cost(action: &Planned) -> f64 {
        action.bid.max_fee * action.gas_limit as f64 / 1e9
    }

    fn milli(coins: u64) -> U256 {
        U256::from(coins) * U256::from(10).pow(U256::from(15))
    }

    #[test]
    fn bids_are_cut_to_the_balance_and_leave_the_least_to_those_behind() {
        // Enough for both, for one whole and the least of the other, and for two small ones.
        for (funds, first) in [(2_000, 1_014.2), (950, 1_014.2), (100, 95.7)] {
            let mut cut = plan();
            within_funds(&mut cut, &observation(), milli(funds));
            assert_eq!(cut.actions.len(), 2, "{funds}");
            let all: f64 = cut.actions.iter().map(cost).sum();
            assert!(all <= funds as f64 / 1e3, "{funds}: {all}");
            let bid = cut.actions[0].bid;
            assert!((bid.max_fee - first).abs() < 0.1, "{funds}: {bid:?}");
            for action in &cut.actions {
                assert!(action.bid.max_fee >= 10.0 + action.bid.tip);
                assert!(action.bid.tip >= 1.1, "{:?}", action.bid);
            }
            // A smaller tip leaves more.
            assert_eq!(cut.actions[1].expected > 1_000.0, funds < 2_000);
        }
    }

    #[test]
    fn what_the_balance_does_not_pay_is_said() {
        let mut cut = plan();
        // 10 gwei at 900,000 gas are 9 thousandths.
        within_funds(&mut cut, &observation(), milli(12));
        assert_eq!(cut.actions.len(), 1);
        assert!(cost(&cut.actions[0]) <= 0.012);
        assert_eq!(cut.thoughts[0].verdict, Verdict::Planned);
        assert!(
            matches!(&cut.thoughts[1].verdict, Verdict::Unready(why) if why.contains("balance"))
        );
        within_funds(&mut cut, &observation(), milli(8));
        assert!(cut.actions.is_empty());
    }

    #[test]
    fn a_purchase_needs_no_allowance_of_the_pools() {
        let mut cut = plan();
        cut.actions[0].kind = ActionKind::BuyInventory;
        within_inventory(&mut cut, U256::from(50));
        let repaid: Vec<U256> = cut.actions.iter().map(|action| action.repay).collect();
        assert_eq!(repaid, [U256::from(100), U256::from(50)]);
        within_inventory(&mut cut, U256::ZERO);
        assert_eq!(cut.actions.len(), 1);
        assert_eq!(cut.actions[0].kind, ActionKind::BuyInventory);
        // What a settlement may take as well is left for it.
        let mut cut = plan();
        cut.actions[0].kind = ActionKind::SettleByBackstop;
        within_inventory(&mut cut, U256::from(130));
        assert_eq!(cut.actions[1].repay, U256::from(30));
        within_inventory(&mut cut, U256::from(60));
        assert_eq!(cut.actions.len(), 1);
    }

    #[test]
    fn debt_tokens_go_to_the_first() {
        let mut cut = plan();
        within_inventory(&mut cut, U256::from(150));
        let repaid: Vec<U256> = cut.actions.iter().map(|action| action.repay).collect();
        assert_eq!(repaid, [U256::from(100), U256::from(50)]);
        let charged: Vec<f64> = cut.actions.iter().map(|one| one.claims.charged).collect();
        assert_eq!(charged, [100.0, 50.0], "what is cut claims less");
        within_inventory(&mut cut, U256::from(100));
        assert_eq!(cut.actions.len(), 1);
        assert!(
            matches!(&cut.thoughts[1].verdict, Verdict::Unready(why) if why.contains("do not cover it"))
        );
    }
}

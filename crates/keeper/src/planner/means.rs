//! A plan cut to what the account has: debt tokens to repay with, native coins for gas.

use alloy_primitives::U256;
use breakwater_agents::observation::MIN_TIP;

use super::{Plan, Planned, Sight};
use crate::store::ActionKind;
use crate::thought::{Thought, Verdict};
use crate::units::whole;

/// Decimals of the native coin in gwei.
const GWEI_DECIMALS: u8 = 9;

/// Fees are computed in floating point: so much less than everything is spent, as a share.
const ROUNDING: f64 = 1e-9;

/// Cuts repayments to the debt tokens that may be spent, the most promising first. Where there are none, no clock is worth its gas.
pub(super) fn within_inventory(plan: &mut Plan, inventory: U256) {
    let mut left = inventory;
    let (thoughts, actions) = (&mut plan.thoughts, &mut plan.actions);
    actions.retain_mut(|action| {
        let covered = match action.kind {
            ActionKind::Liquidate => {
                action.repay = action.repay.min(left);
                !action.repay.is_zero()
            }
            // It is closed whole or not at all.
            ActionKind::Settle => action.repay <= left,
            ActionKind::Flag | ActionKind::RecordDepth => !inventory.is_zero(),
        };
        if covered {
            left -= action.repay;
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
pub(super) fn within_funds(plan: &mut Plan, sight: &Sight<'_>, funds: U256) {
    let system = sight.system;
    let native = system.native_price(sight.reading.gas_price_of_native(system));
    let base_fee = sight.reading.next.base_fee as f64 / 1e9;
    let competitive = (sight.inclusion_tip * 1.1).max(MIN_TIP);
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
        action.expected += (action.bid.tip - tip) * action.gas as f64 * 1e-9 * native;
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

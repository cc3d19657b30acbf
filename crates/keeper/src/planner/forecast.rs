//! When a position's next liquidation will be worth it: the second at which the bonus pays, and the first turn from then on.

use breakwater_agents::Observation;
use breakwater_agents::keeper::Terms;
use breakwater_agents::timing::{Auction, Prospect, pays_at};
use breakwater_protocol::policy::{
    BonusMode, ClockEvent, DampedPolicy, Decision, Environment, LiquidationRequest, NextTurn,
    Reasoning, Zone,
};

use super::{Sight, debt_tokens};
use crate::units::{ratio, whole};

/// What lies ahead of a position.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Ahead {
    pub flagged_since: Option<u64>,
    pub turn: Option<NextTurn>,
    pub pays_at: Option<u64>,
    pub planned_at: Option<u64>,
    pub profit: Option<f64>,
}

/// Looks ahead, everything but time staying as it is. Where nobody has started the clock, as if somebody did now.
pub(super) fn ahead(
    sight: &Sight<'_>,
    observation: &Observation,
    terms: &Terms,
    request: &LiquidationRequest,
    decision: &Decision,
) -> Ahead {
    let reasoning = &decision.reasoning;
    let now = sight.reading.next.timestamp;
    let runs = matches!(reasoning.clock, ClockEvent::Runs | ClockEvent::Renews);
    let policy = sight.system.damped();
    let timed = policy.is_some_and(|policy| policy.parameters().bonus_mode == BonusMode::Time);
    let auction = auction(policy, request, decision, timed, runs, now);
    let prospect = prospect(sight, request, decision);
    let pays = pays_at(observation, &observation.venue, &auction, &prospect, terms);
    let environment = sight.environment(request.collateral_id as u32);
    // A decision that did not come to the clock says nothing of it.
    let flag = sight
        .mirror
        .policy_state()
        .flag(request.account, request.collateral_id);
    let flagged = flag.since != 0;
    let turn = policy.map(|policy| next_turn(policy, sight, request, reasoning, &environment));
    let planned_at = pays.and_then(|at| match policy {
        Some(policy) if reasoning.zone == Zone::Damped => {
            let then = Environment {
                timestamp: at,
                ..environment
            };
            match next_turn(policy, sight, request, reasoning, &then) {
                NextTurn::At(open) | NextTurn::Unseeded(open) => Some(open),
                NextTurn::Never => None,
            }
        }
        _ => Some(at),
    });
    let profit = planned_at.map(|at| {
        let gas = observation.gas_cost(terms.liquidation_gas, observation.competitive_tip());
        prospect.profit(
            &observation.venue,
            observation.prices.fast,
            auction.bonus(at),
            terms.risk_margin,
            gas,
        )
    });
    Ahead {
        flagged_since: (timed && runs && flagged).then(|| now.saturating_sub(reasoning.elapsed)),
        turn,
        pays_at: pays,
        planned_at,
        profit,
    }
}

fn auction(
    policy: Option<&DampedPolicy>,
    request: &LiquidationRequest,
    decision: &Decision,
    timed: bool,
    runs: bool,
    now: u64,
) -> Auction {
    let fixed = ratio(if decision.grant.bonus.is_zero() {
        decision.reasoning.base_bonus
    } else {
        decision.grant.bonus
    });
    match policy {
        Some(policy) if timed => {
            let gas = ratio(decision.reasoning.gas_bonus);
            let curve = |elapsed| ratio(policy.bonus_after(elapsed, request.max_bonus));
            let max_bonus = curve(policy.parameters().auction_seconds);
            Auction {
                min_bonus: (curve(0) + gas).min(max_bonus),
                max_bonus,
                seconds: policy.parameters().auction_seconds,
                since: Some(if runs {
                    now.saturating_sub(decision.reasoning.elapsed)
                } else {
                    now
                }),
            }
        }
        _ => Auction {
            min_bonus: fixed,
            max_bonus: fixed,
            seconds: 1,
            since: None,
        },
    }
}

/// The repayment is what the policy would grant now or, where it refuses for now, what restores the target.
fn prospect(sight: &Sight<'_>, request: &LiquidationRequest, decision: &Decision) -> Prospect {
    let target = decision.reasoning.target_repay;
    let repay = if decision.grant.repay.is_zero() {
        if target.is_zero() {
            request.debt
        } else {
            target
        }
    } else {
        decision.grant.repay
    };
    let decimals = sight.system.collateral_decimals(request.collateral_id);
    let debt = debt_tokens(sight, request.debt);
    Prospect {
        repay: debt_tokens(sight, repay),
        collateral: whole(request.collateral, decimals),
        solvency: if debt > 0.0 {
            debt_tokens(sight, request.collateral_value) / debt
        } else {
            f64::INFINITY
        },
    }
}

fn next_turn(
    policy: &DampedPolicy,
    sight: &Sight<'_>,
    request: &LiquidationRequest,
    reasoning: &Reasoning,
    environment: &Environment,
) -> NextTurn {
    // Where the decision did not come to the turn, the bucket's fullness is unknown: the floor is what is certain.
    let probability = if reasoning.turn_probability.is_zero() {
        policy.turn_probability(reasoning.fullness, reasoning.zone_depth)
    } else {
        reasoning.turn_probability
    };
    policy.next_open_turn(request.account, probability, sight.seed(), environment)
}

//! Properties of liquidations and settlements.

use alloy_primitives::{B256, Log, U256};
use alloy_sol_types::SolEvent;
use breakwater_bindings::{ILendingPool, LendingPool, describe_revert};
use breakwater_protocol::math::{PRICE_SCALE, WAD, mul_div_up, value_down};
use breakwater_protocol::policy::{BucketMode, LiquidationGrant, Refusal};
use breakwater_protocol::{AccountHealth, ViewError};

use super::{Expected, Made, Property, Violation, backstop, require};
use crate::action::Kind;
use crate::sample::index_of;

/// HF_t of the default policy.
const TARGET_HEALTH: U256 = U256::from_limbs([1_050_000_000_000_000_000, 0, 0, 0]);

/// A liquidation as the pool's event tells it.
struct Liquidation {
    index: usize,
    id: usize,
    repaid: U256,
    seized: U256,
    bonus: U256,
}

/// All of them.
pub fn check(made: &Made<'_>) -> Result<(), Violation> {
    if let Some(expected) = made.expected {
        as_modelled(made, expected)?;
    }
    let all = liquidations(made);
    for liquidation in &all {
        let once = all
            .iter()
            .filter(|other| other.index == liquidation.index)
            .count()
            == 1;
        bounded(made, liquidation)?;
        if once && !made.nested && made.kind != Kind::Multicall {
            effects(made, liquidation, all.len() == 1)?;
        }
    }
    if made.kind == Kind::Settle {
        settlement(made)?;
    }
    callbacks(made, all.len())
}

/// C1: no call does more of these than it is itself, unless it is several calls or a batch. Whom a token calls that moves
/// outside the pool acts outside it too.
fn callbacks(made: &Made<'_>, liquidated: usize) -> Result<(), Violation> {
    if made.nested && made.call.to != made.world.place.pool {
        return Ok(());
    }
    let own = |log: &&Log| log.address == made.world.place.pool;
    let count = |topic: B256| {
        let of = made.logs.iter().filter(own);
        of.filter(|log| log.topics().first() == Some(&topic))
            .count()
    };
    let settled = count(ILendingPool::Settled::SIGNATURE_HASH);
    let lent = count(ILendingPool::FlashLoan::SIGNATURE_HASH);
    let most = match made.kind {
        Kind::Multicall => return Ok(()),
        Kind::Batch => (liquidated, 0, 0),
        Kind::Liquidate | Kind::Absorb => (1, 0, 0),
        Kind::Settle | Kind::Waterfall => (0, 1, 0),
        Kind::Flash => (0, 0, 1),
        _ => (0, 0, 0),
    };
    let within = liquidated <= most.0 && settled <= most.1 && lent <= most.2;
    require(within, Property::C1, || {
        format!("{liquidated} liquidations, {settled} settlements, {lent} flash loans in one call")
    })
}

fn liquidations(made: &Made<'_>) -> Vec<Liquidation> {
    let pool = made.world.place.pool;
    let own = made.logs.iter().filter(|log| log.address == pool);
    own.filter_map(|log| ILendingPool::Liquidated::decode_log(log).ok())
        .filter_map(|event| {
            Some(Liquidation {
                index: index_of(made.world, event.account)?,
                id: event.collateralId.try_into().ok()?,
                repaid: event.repaid,
                seized: event.seized,
                bonus: event.bonus,
            })
        })
        .collect()
}

fn bounded(made: &Made<'_>, it: &Liquidation) -> Result<(), Violation> {
    let before = &made.before.health[it.index];
    require(before.health_fast < WAD, Property::P4, || {
        format!(
            "actor {} was liquidated at {}",
            it.index, before.health_fast
        )
    })?;
    let collateral = &made.before.view.collaterals[it.id];
    let worth = value_down(it.seized, collateral.prices.fast).unwrap_or(U256::MAX);
    let most = mul_div_up(it.repaid + U256::ONE, WAD + collateral.state.maxBonus, WAD)
        .unwrap_or(U256::MAX);
    require(worth <= most, Property::P2, || {
        format!("{worth} seized for {} repaid", it.repaid)
    })
}

/// What one liquidation of one account did to it, and to the bucket.
fn effects(made: &Made<'_>, it: &Liquidation, alone: bool) -> Result<(), Violation> {
    let (before, after) = (&made.before.health[it.index], &made.after.health[it.index]);
    let bonus = made.before.view.collaterals[it.id].state.maxBonus;
    let covers = mul_div_up(before.debt, WAD + bonus, WAD).unwrap_or(U256::MAX);
    let two = U256::from(2);
    if before.collateral_value >= covers && after.debt > two {
        let holds = (after.collateral_value + two).saturating_mul(before.debt)
            >= before.collateral_value.saturating_mul(after.debt - two);
        require(holds, Property::P3, || ratios(before, after))?;
    }
    let policy = made.before.view.policy;
    let Some(damped) = made.world.damped_at(policy) else {
        return Ok(());
    };
    let hard = before.health_fast <= before.health_hard;
    if !hard && it.repaid >= U256::from(1_000) && !after.debt.is_zero() {
        // The value is rounded down: just above the hard zone, where the whole bonus is all that the collateral has beyond the debt, a unit
        // decides.
        let holds = (after.collateral_value + U256::ONE).saturating_mul(before.debt)
            > before.collateral_value.saturating_mul(after.debt);
        require(holds, Property::D3, || ratios(before, after))?;
    }
    // In the hard zone the backstop takes all that it can pay for.
    let whole = hard && made.kind == Kind::Absorb;
    if !after.debt.is_zero() && !whole {
        // The seizure is rounded down to a unit of the collateral, the rest to a few of the debt token. The health factor
        // before and B LT are known to 1e-18 each, which weighs D / D' afterwards.
        let price = made.before.view.collaterals[it.id].prices.fast;
        let unit = mul_div_up(U256::ONE, price, PRICE_SCALE).unwrap_or_default();
        let rounding = TARGET_HEALTH * (unit + U256::from(10)) / after.debt
            + U256::from(10)
            + two * before.debt / after.debt;
        require(
            after.health_fast <= TARGET_HEALTH + rounding,
            Property::D4,
            || format!("actor {} was lifted to {}", it.index, after.health_fast),
        )?;
    }
    // An absorption is none of the bucket's.
    if made.kind == Kind::Absorb {
        return Ok(());
    }
    let place = &made.world.place;
    let index = place
        .policies
        .iter()
        .position(|known| *known == policy)
        .unwrap_or(0);
    let (old, new) = (
        &made.before.view.collaterals[it.id].buckets[index],
        &made.after.view.collaterals[it.id].buckets[index],
    );
    if hard {
        if alone {
            require(old == new, Property::D6, || {
                format!("{old:?} became {new:?}")
            })?;
        }
        return Ok(());
    }
    if damped.parameters().bucket_mode != BucketMode::HardStop {
        return Ok(());
    }
    let (level, depth) = (U256::from(new.level), U256::from(new.depth));
    let reserve = depth * U256::from(6) / U256::from(10);
    let dust = U256::from(2) * made.minimum_debt;
    require(level + dust >= reserve, Property::D5, || {
        format!("a level of {level} is left of a reserve of {reserve}")
    })
}

fn ratios(before: &AccountHealth, after: &AccountHealth) -> String {
    format!(
        "{} of debt on {} became {} on {}",
        before.debt, before.collateral_value, after.debt, after.collateral_value
    )
}

/// A settlement succeeds exactly for the insolvent: C_F < D (1 + 3%), HF_F at most HF_hard and below 1.
fn settlement(made: &Made<'_>) -> Result<(), Violation> {
    let Some(account) = made
        .call
        .arguments
        .first()
        .and_then(|value| value.as_address())
    else {
        return Ok(());
    };
    let Some(index) = index_of(made.world, account) else {
        return Ok(());
    };
    let health = &made.before.health[index];
    if health.debt.is_zero() || health.price_down {
        return Ok(());
    }
    let bound = mul_div_up(health.debt, U256::from(103), U256::from(100)).unwrap_or(U256::MAX);
    let insolvent = health.collateral_value < bound
        && health.health_fast <= health.health_hard
        && health.health_fast < WAD;
    if made.nested && insolvent {
        return Ok(());
    }
    require(insolvent == made.success, Property::P4Settle, || {
        format!(
            "actor {index} with {} against {} (health {}): settled: {}",
            health.collateral_value, health.debt, health.health_fast, made.success
        )
    })?;
    if !made.success {
        return Ok(());
    }
    // min(D, ⌈C / 1.03⌉) is repaid, no less.
    let covered = mul_div_up(health.collateral_value, U256::from(100), U256::from(103))
        .unwrap_or(U256::MAX)
        .min(health.debt);
    let repaid = made
        .logs
        .iter()
        .filter(|log| log.address == made.world.place.pool)
        .find_map(|log| ILendingPool::Settled::decode_log(log).ok())
        .map(|event| event.repaid);
    require(repaid == Some(covered), Property::P4Settle, || {
        format!("{repaid:?} was repaid instead of {covered}")
    })
}

/// D1, D2: what the model grants is what happens.
fn as_modelled(made: &Made<'_>, expected: &Expected) -> Result<(), Violation> {
    let refusals: Vec<Refusal> = expected
        .decisions
        .iter()
        .map(|decision| match decision {
            Ok(decision) => decision.grant.refusal,
            Err(ViewError::Refused(refusal)) => *refusal,
            Err(_) => Refusal::None,
        })
        .collect();
    if expected
        .decisions
        .iter()
        .any(|decision| !matches!(decision, Ok(_) | Err(ViewError::Refused(_))))
    {
        return Ok(());
    }
    let Some(index) = index_of(made.world, expected.account) else {
        return Ok(());
    };
    if !made.success {
        if made.nested {
            return Ok(());
        }
        let health = &made.before.health[index];
        let said = refusal_of(made.output);
        let granted = refusals.iter().all(|refusal| *refusal == Refusal::None);
        let hard = !health.price_down && health.health_fast <= health.health_hard;
        require(!(granted && hard), Property::D1, || {
            format!(
                "actor {index} at {} (hard at {}): {}",
                health.health_fast,
                health.health_hard,
                describe_revert(made.output).unwrap_or_default()
            )
        })?;
        let first =
            said == Some(Refusal::Backstop)
                && expected.decisions.iter().flatten().any(|decision| {
                    backstop::comes_first(made, index, expected.collateral, decision)
                });
        return require(
            first || said.is_some_and(|said| refusals.contains(&said)),
            Property::D2,
            || {
                format!(
                    "actor {index}: refused with {}, the model says {refusals:?}",
                    describe_revert(made.output).unwrap_or_else(|| "no reason".to_owned())
                )
            },
        );
    }
    if made.nested {
        return Ok(());
    }
    let level = usize::from(made.after.view.breaker);
    let (model, writes) = match expected.decisions.get(level) {
        Some(Ok(decision)) => (decision.grant, decision.writes.as_slice()),
        _ => (LiquidationGrant::refused(Refusal::NotHeld), &[][..]),
    };
    let done = liquidations(made);
    let same = done.len() == 1
        && done[0].index == index
        && done[0].id == expected.collateral
        && done[0].repaid == model.repay
        && done[0].seized == model.seize
        && done[0].bonus == model.bonus;
    let mut state = expected.state.clone();
    for write in writes {
        state.apply(*write);
    }
    require(state == *made.policy_state, Property::D2, || {
        format!(
            "the policy has stored {:?}, the model {state:?}",
            made.policy_state
        )
    })?;
    require(same, Property::D2, || {
        let did: Vec<_> = done
            .iter()
            .map(|it| (it.repaid, it.seized, it.bonus))
            .collect();
        format!("actor {index}: (repaid, seized, bonus) {did:?}, the model says {model:?}")
    })
}

/// The refusal that a revert names.
#[must_use]
pub fn refusal_of(output: &[u8]) -> Option<Refusal> {
    use alloy_sol_types::SolError;
    let error = LendingPool::NotLiquidatable::abi_decode(output).ok()?;
    Refusal::try_from(error.refusal).ok()
}

/// Whether one of an account's draws is below `floor`, p0.
#[must_use]
pub fn turn_comes(draws: &[U256], floor: U256) -> bool {
    draws.iter().any(|draw| *draw < floor)
}

//! Properties of every state: the books close, and a model fed with events agrees.

use alloy_primitives::U256;
use breakwater_protocol::Mirror;

use super::{Property, Violation, require};
use crate::sample::Sample;
use crate::world::World;

/// All of them; health is compared if the whole was read.
pub fn check(world: &World, mirror: &Mirror, now: &Sample, whole: bool) -> Result<(), Violation> {
    market(now)?;
    collaterals(now)?;
    model(world, mirror, now)?;
    if whole {
        health(now)?;
    }
    Ok(())
}

fn market(now: &Sample) -> Result<(), Violation> {
    let m = &now.view.market;
    let assets = m.cash + m.totalDebt;
    require(assets >= m.lenderAssets, Property::P1a, || {
        format!(
            "cash {} + debt {} < {}",
            m.cash, m.totalDebt, m.lenderAssets
        )
    })?;
    require(
        m.reserves == assets.saturating_sub(m.lenderAssets),
        Property::P1a,
        || format!("reserves {} are not the rest", m.reserves),
    )?;
    require(
        now.view.totalAssets == m.lenderAssets && now.view.totalSupply == m.supplyShares,
        Property::P1a,
        || "totalAssets or totalSupply differ from the market's".to_owned(),
    )?;
    let sum = |of: fn(&breakwater_bindings::FuzzLens::AccountView) -> U256| -> U256 {
        now.view.accounts.iter().map(of).sum()
    };
    let shares = sum(|account| account.shares);
    require(shares == m.supplyShares, Property::P1c, || {
        format!("{shares} shares are held of {}", m.supplyShares)
    })?;
    let debt_shares = sum(|account| account.debtShares);
    require(debt_shares == m.debtShares, Property::P1c, || {
        format!("{debt_shares} debt shares are owed of {}", m.debtShares)
    })?;
    let debts = sum(|account| account.debt);
    let borrowers = now.view.accounts.iter().filter(|a| !a.debtShares.is_zero());
    let most = m.totalDebt + U256::from(borrowers.count());
    require(debts >= m.totalDebt && debts <= most, Property::P1d, || {
        format!("debts of {debts} against {} in all", m.totalDebt)
    })?;
    require(
        m.totalDebt.is_zero() == m.debtShares.is_zero(),
        Property::P1d,
        || format!("debt {} with {} shares", m.totalDebt, m.debtShares),
    )
}

fn collaterals(now: &Sample) -> Result<(), Violation> {
    for (id, collateral) in now.view.collaterals.iter().enumerate() {
        let sum: U256 = now.view.accounts.iter().map(|a| a.collateral[id]).sum();
        require(collateral.state.total == sum, Property::P1b, || {
            format!("collateral {id}: total {} of {sum}", collateral.state.total)
        })?;
        require(collateral.held >= sum, Property::P1b, || {
            format!("collateral {id}: {} held of {sum}", collateral.held)
        })?;
    }
    for (index, account) in now.view.accounts.iter().enumerate() {
        for (id, amount) in account.collateral.iter().enumerate() {
            require(
                account.bitmap.bit(id) != amount.is_zero(),
                Property::P1e,
                || format!("actor {index}: bit {id} beside {amount}"),
            )?;
        }
        require(
            account.debtShares.is_zero() || !account.bitmap.is_zero(),
            Property::P1e,
            || format!("actor {index} owes {} without collateral", account.debt),
        )?;
    }
    Ok(())
}

fn model(world: &World, mirror: &Mirror, now: &Sample) -> Result<(), Violation> {
    let model = mirror.market_state_at(now.timestamp);
    let m = &now.view.market;
    let figures = [
        (
            "lenders' assets",
            U256::from(model.lender_assets),
            m.lenderAssets,
        ),
        ("shares", U256::from(model.supply_shares), m.supplyShares),
        ("debt", U256::from(model.total_debt), m.totalDebt),
        ("debt shares", U256::from(model.debt_shares), m.debtShares),
        ("cash", U256::from(model.cash), m.cash),
        ("reserves", U256::from(model.reserves), m.reserves),
        ("rate at target", model.rate_at_target, m.rateAtTarget),
    ];
    for (name, model, view) in figures {
        require(model == view, Property::P9, || {
            format!("{name}: the model has {model}, the pool {view}")
        })?;
    }
    require(
        mirror.settings().new_risk_frozen == now.view.newRiskFrozen
            && mirror.settings().policy == now.view.policy,
        Property::P9,
        || "the model has another policy or another freeze".to_owned(),
    )?;
    for (id, collateral) in now.view.collaterals.iter().enumerate() {
        let state = mirror.collateral_state(id as u64, now.timestamp);
        let agrees = state.as_ref().is_some_and(|model| {
            let view = &collateral.state;
            U256::from(model.total) == view.total
                && U256::from(model.cap) == view.cap
                && model.borrow_ltv == view.borrowLtv
                && model.liquidation_threshold == view.liquidationThreshold
                && model.frozen == view.frozen
        });
        require(agrees, Property::P9, || {
            format!(
                "collateral {id}: the model has {state:?}, the pool {:?}",
                collateral.state
            )
        })?;
        let asked = mirror.description().policy.address;
        let index = world
            .place
            .policies
            .iter()
            .position(|known| *known == asked);
        if let Some(index) = index.filter(|_| world.damped_at(asked).is_some()) {
            let model = mirror.policy_state().bucket(id as u64);
            let view = &collateral.buckets[index];
            let agrees = U256::from(model.level) == U256::from(view.level)
                && U256::from(model.depth) == U256::from(view.depth)
                && model.updated_at == view.updatedAt;
            require(agrees, Property::P9, || {
                format!("bucket {id}: the model has {model:?}, the policy {view:?}")
            })?;
        }
    }
    for (index, address) in world.place.actors.iter().enumerate() {
        let view = now.account(index);
        let agrees = U256::from(mirror.debt_shares_of(address)) == view.debtShares
            && mirror.debt_of(address, now.timestamp) == view.debt
            && (0..view.collateral.len()).all(|id| {
                U256::from(mirror.collateral_of(address, id as u64)) == view.collateral[id]
            });
        require(agrees, Property::P9, || {
            format!("actor {index}: the model has another position than {view:?}")
        })?;
    }
    Ok(())
}

fn health(now: &Sample) -> Result<(), Violation> {
    for (index, model) in now.health.iter().enumerate() {
        let view = &now.account(index).health;
        let agrees = model.debt == view.debt
            && model.collateral_value == view.collateralValue
            && model.borrow_limit == view.borrowLimit
            && model.health_fast == view.healthFast
            && model.health_confirmed == view.healthConfirmed
            && model.health_hard == view.healthHard
            && model.price_down == view.priceDown;
        require(agrees, Property::P9, || {
            format!("actor {index}: the model has {model:?}, the pool {view:?}")
        })?;
    }
    Ok(())
}

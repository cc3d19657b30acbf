//! Properties of single calls of lenders and borrowers.

use alloy_primitives::U256;
use alloy_sol_types::SolEvent;
use breakwater_bindings::{ILendingPool, describe_revert};
use breakwater_protocol::PriceStatus;

use super::{Made, Property, Violation, require};
use crate::action::Kind;
use crate::sample::index_of;

/// All of them.
pub fn check(made: &Made<'_>) -> Result<(), Violation> {
    if let Some(property) = made.must {
        require(made.success, property, || {
            let why = describe_revert(made.output).unwrap_or_else(|| "no reason".to_owned());
            format!(
                "{} from {} reverted: {why}",
                made.call.signature, made.call.from
            )
        })?;
    }
    share_worth(made)?;
    if !made.success {
        return Ok(());
    }
    risk(made)?;
    match made.kind {
        Kind::Flash if !made.nested => {
            let same = made.before.view.market == made.after.view.market;
            require(same, Property::P12, || {
                format!(
                    "{:?} became {:?}",
                    made.before.view.market, made.after.view.market
                )
            })
        }
        Kind::Reserves => {
            let (before, after) = (&made.before.view.market, &made.after.view.market);
            require(
                before.lenderAssets == after.lenderAssets,
                Property::P13,
                || format!("{} became {}", before.lenderAssets, after.lenderAssets),
            )
        }
        _ => Ok(()),
    }
}

/// (assets + 1) / (shares + 1000), with what was written off at lenders' cost added back.
fn share_worth(made: &Made<'_>) -> Result<(), Violation> {
    let lost: U256 = made
        .logs
        .iter()
        .filter(|log| log.address == made.world.place.pool)
        .filter_map(|log| ILendingPool::BadDebtWrittenOff::decode_log_data(log).ok())
        .map(|loss| loss.fromLenders)
        .sum();
    // Lenders bear what reserves do not: nothing is left of these, but for what later calls of a batch round off.
    if !lost.is_zero() && !made.nested {
        let left = made.after.view.market.reserves;
        require(left <= U256::from(8), Property::P7, || {
            format!("lenders lost {lost} while reserves kept {left}")
        })?;
    }
    // Who came or went within the call did so at the price before or after the loss: then it is not known who bore it.
    let moved = made.before.view.market.supplyShares != made.after.view.market.supplyShares;
    if moved && !lost.is_zero() {
        return Ok(());
    }
    let worth = |sample: &crate::sample::Sample, lost: U256| {
        let market = &sample.view.market;
        (
            market.lenderAssets + lost + U256::ONE,
            market.supplyShares + U256::from(1_000),
        )
    };
    let (before, after) = (worth(made.before, U256::ZERO), worth(made.after, lost));
    let holds = after.0.saturating_mul(before.1) >= before.0.saturating_mul(after.1);
    require(holds, Property::P7, || {
        format!(
            "{}/{} became {}/{} with {lost} lost",
            before.0, before.1, after.0, after.1
        )
    })
}

/// Whoever borrowed or took collateral beside debt, at any depth of the call.
fn risk(made: &Made<'_>) -> Result<(), Violation> {
    let place = &made.world.place;
    // What is settled hands collateral out by the same event, and its debt is gone.
    for log in made.logs.iter().filter(|log| log.address == place.pool) {
        let borrowed = ILendingPool::Borrowed::decode_log(log).ok();
        let taken = ILendingPool::CollateralWithdrawn::decode_log(log).ok();
        let account = borrowed.map(|event| event.account);
        let account = account.or_else(|| taken.as_ref().map(|event| event.account));
        let Some(index) = account.and_then(|account| index_of(made.world, account)) else {
            continue;
        };
        let (health, view) = (&made.after.health[index], made.after.account(index));
        if health.debt.is_zero() {
            continue;
        }
        require(health.debt <= health.borrow_limit, Property::P11, || {
            format!(
                "actor {index} owes {} of at most {}",
                health.debt, health.borrow_limit
            )
        })?;
        require(
            !made.after.view.newRiskFrozen && made.after.view.breaker == 0,
            Property::P11,
            || {
                format!(
                    "actor {index} took risk at breaker level {}, frozen: {}",
                    made.after.view.breaker, made.after.view.newRiskFrozen
                )
            },
        )?;
        // What was topped up in the same call may have passed its cap afterwards.
        let topped_up = made
            .logs
            .iter()
            .any(|log| ILendingPool::CollateralSupplied::decode_log(log).is_ok());
        for (id, collateral) in made.after.view.collaterals.iter().enumerate() {
            let leaving = taken
                .as_ref()
                .is_some_and(|event| event.collateralId == U256::from(id));
            let within = collateral.state.total <= collateral.state.cap;
            require(
                within || leaving || topped_up || !view.bitmap.bit(id),
                Property::P11,
                || format!("actor {index} took risk on collateral {id} above its cap"),
            )?;
            let usable = collateral.prices.status == PriceStatus::Ok as u8;
            require(usable || !view.bitmap.bit(id), Property::P11, || {
                format!(
                    "actor {index} took risk at a price of status {}",
                    collateral.prices.status
                )
            })?;
        }
    }
    Ok(())
}

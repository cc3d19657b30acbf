//! What each event changes.

use alloy_primitives::{Address, B256, Log, U256};
use alloy_sol_types::SolEventInterface;
use breakwater_bindings::DampedPolicy::DampedPolicyEvents;
use breakwater_bindings::LendingPool::{self, LendingPoolEvents};

use super::Description;
use super::changes::{Changes, LiquidationSeen, SettlementSeen};
use super::error::LogError;
use super::state::{MAX_COLLATERALS, State};
use crate::accrual::{Market, RateCurve};
use crate::collateral::Collateral;
use crate::policy::Write;

/// A log of a block in its place.
pub(super) struct Placed<'a> {
    pub log: &'a Log,
    pub index: usize,
    /// Of its block, Unix seconds.
    pub timestamp: u64,
}

/// Applies one log; those of contracts that are not mirrored change nothing.
pub(super) fn apply(
    state: &mut State,
    description: &Description,
    curve: &RateCurve,
    placed: &Placed<'_>,
    changes: &mut Changes,
) -> Result<(), LogError> {
    let log = placed.log;
    if log.address == description.pool {
        let event = LendingPoolEvents::decode_raw_log(log.topics(), &log.data.data)
            .map_err(|error| undecodable(log, &error))?;
        if state.settings.deployed_at == 0 {
            deployed(state, curve, placed.timestamp);
        }
        return pool(state, description, placed, event, changes);
    }
    if let Some(write) = policy_write(description, state.mirrored.address, placed)? {
        if let Write::Flag { account, .. } | Write::Account { account, .. } = write {
            changes.accounts.push(account);
        }
        state.write_policy(write);
    }
    Ok(())
}

/// What a log of the policy at `policy` says it stored for the pool.
pub(super) fn policy_write(
    description: &Description,
    policy: Address,
    placed: &Placed<'_>,
) -> Result<Option<Write>, LogError> {
    let log = placed.log;
    if log.address != policy {
        return Ok(None);
    }
    let event = DampedPolicyEvents::decode_raw_log(log.topics(), &log.data.data)
        .map_err(|error| undecodable(log, &error))?;
    // Anybody may call a policy as a pool of his own, with whatever values: those are none of ours to judge.
    if pool_of(&event) != description.pool {
        return Ok(None);
    }
    let (_, write) = Write::from_event(&event, placed.timestamp)?;
    Ok(Some(write))
}

/// The pool that an event of a policy is about.
const fn pool_of(event: &DampedPolicyEvents) -> Address {
    match event {
        DampedPolicyEvents::Flagged(event) => event.pool,
        DampedPolicyEvents::BucketUpdated(event) => event.pool,
        DampedPolicyEvents::DepthObserved(event) => event.pool,
        DampedPolicyEvents::AccountEpochUpdated(event) => event.pool,
        DampedPolicyEvents::SeedUpdated(event) => event.pool,
    }
}

/// The constructor's first event: the market begins.
fn deployed(state: &mut State, curve: &RateCurve, timestamp: u64) {
    state.change_settings(|settings| settings.deployed_at = timestamp);
    state.set_market(Market {
        last_accrual: timestamp,
        log_rate_at_target: curve.initial_log(),
        ..Market::default()
    });
}

fn pool(
    state: &mut State,
    description: &Description,
    placed: &Placed<'_>,
    event: LendingPoolEvents,
    changes: &mut Changes,
) -> Result<(), LogError> {
    let own = description.pool;
    match event {
        LendingPoolEvents::MarketUpdated(e) => market_updated(state, &e, placed.timestamp)?,
        LendingPoolEvents::Deposit(e) => receive(state, "assets", e.assets)?,
        LendingPoolEvents::Withdraw(e) => {
            if e.receiver != own {
                pay(state, "assets", e.assets)?;
            }
        }
        LendingPoolEvents::ReservesWithdrawn(e) => {
            if e.receiver != own {
                pay(state, "assets", e.assets)?;
            }
        }
        LendingPoolEvents::FlashLoan(e) => receive(state, "fee", e.fee)?,
        LendingPoolEvents::Borrowed(e) => {
            let account = state.account(e.account)?;
            state.set_debt(account, amount("debtSharesAfter", e.debtSharesAfter)?);
            if e.receiver != own {
                pay(state, "assets", e.assets)?;
            }
            changes.accounts.push(e.account);
        }
        LendingPoolEvents::Repaid(e) => {
            let account = state.account(e.account)?;
            state.set_debt(account, amount("debtSharesAfter", e.debtSharesAfter)?);
            receive(state, "assets", e.assets)?;
            changes.accounts.push(e.account);
        }
        LendingPoolEvents::CollateralSupplied(e) => {
            let id = collateral_id(e.collateralId)?;
            let total = state.total(id)?.checked_add(amount("amount", e.amount)?);
            state.set_total(id, total.ok_or(TOTAL)?)?;
            let account = state.account(e.account)?;
            state.set_amount(account, id, amount("balanceAfter", e.balanceAfter)?);
            changes.accounts.push(e.account);
        }
        LendingPoolEvents::CollateralWithdrawn(e) => {
            let id = collateral_id(e.collateralId)?;
            let total = state.total(id)?.checked_sub(amount("amount", e.amount)?);
            state.set_total(id, total.ok_or(TOTAL)?)?;
            let account = state.account(e.account)?;
            state.set_amount(account, id, amount("balanceAfter", e.balanceAfter)?);
            changes.accounts.push(e.account);
        }
        LendingPoolEvents::Liquidated(e) => liquidated(state, placed, &e, changes)?,
        LendingPoolEvents::Settled(e) => {
            let account = state.account(e.account)?;
            state.set_debt(account, 0);
            receive(state, "repaid", e.repaid)?;
            pay(state, "stipend", e.stipend)?;
            changes.accounts.push(e.account);
            changes.settlements.push(SettlementSeen {
                log: placed.index,
                account: e.account,
                caller: e.caller,
                repaid: amount("repaid", e.repaid)?,
                stipend: amount("stipend", e.stipend)?,
            });
        }
        // What was lost is in the market's totals; authorisations, lenders' shares and ownership are not mirrored.
        LendingPoolEvents::BadDebtWrittenOff(_)
        | LendingPoolEvents::AuthorizationSet(_)
        | LendingPoolEvents::Transfer(_)
        | LendingPoolEvents::Approval(_)
        | LendingPoolEvents::OwnershipTransferStarted(_)
        | LendingPoolEvents::OwnershipTransferred(_) => {}
        setting => configure(state, setting, placed.timestamp, changes)?,
    }
    Ok(())
}

fn market_updated(
    state: &mut State,
    e: &LendingPool::MarketUpdated,
    timestamp: u64,
) -> Result<(), LogError> {
    let log_rate = i64::try_from(e.logRateAtTarget)
        .map_err(|_| out_of_range("logRateAtTarget", e.logRateAtTarget))?;
    let market = Market {
        lender_assets: amount("lenderAssets", e.lenderAssets)?,
        supply_shares: amount("supplyShares", e.supplyShares)?,
        total_debt: amount("totalDebt", e.totalDebt)?,
        debt_shares: amount("debtShares", e.debtShares)?,
        last_accrual: timestamp,
        log_rate_at_target: log_rate,
        reserve_factor: state.market.reserve_factor,
    };
    state.set_market(market);
    Ok(())
}

fn liquidated(
    state: &mut State,
    placed: &Placed<'_>,
    e: &LendingPool::Liquidated,
    changes: &mut Changes,
) -> Result<(), LogError> {
    let id = collateral_id(e.collateralId)?;
    let (repaid, seized) = (amount("repaid", e.repaid)?, amount("seized", e.seized)?);
    let total = state.total(id)?.checked_sub(seized).ok_or(TOTAL)?;
    state.set_total(id, total)?;
    let account = state.account(e.account)?;
    state.set_amount(account, id, amount("balanceAfter", e.balanceAfter)?);
    state.set_debt(account, amount("debtSharesAfter", e.debtSharesAfter)?);
    receive(state, "repaid", e.repaid)?;
    changes.accounts.push(e.account);
    changes.liquidations.push(LiquidationSeen {
        log: placed.index,
        account: e.account,
        collateral_id: u64::from(id),
        liquidator: e.liquidator,
        repaid,
        seized,
        bonus: e.bonus,
    });
    Ok(())
}

/// What owner and guardian set.
fn configure(
    state: &mut State,
    event: LendingPoolEvents,
    timestamp: u64,
    changes: &mut Changes,
) -> Result<(), LogError> {
    match event {
        LendingPoolEvents::CollateralListed(e) => list(state, &e, timestamp)?,
        LendingPoolEvents::CollateralRampStarted(e) => {
            let ltv = basis_points("borrowLtv", e.borrowLtv)?;
            let threshold = basis_points("liquidationThreshold", e.liquidationThreshold)?;
            state.change_collateral(collateral_id(e.collateralId)?, |collateral| {
                collateral.ramp(ltv, threshold, timestamp);
            })?;
        }
        LendingPoolEvents::CollateralOracleSet(e) => {
            state.change_collateral(collateral_id(e.collateralId)?, |collateral| {
                collateral.oracle = e.oracle;
            })?;
        }
        LendingPoolEvents::CollateralCapSet(e) => {
            let cap = amount("cap", e.cap)?;
            state.change_collateral(collateral_id(e.collateralId)?, |c| c.cap = cap)?;
        }
        LendingPoolEvents::CollateralFrozen(e) => {
            state.change_collateral(collateral_id(e.collateralId)?, |collateral| {
                if e.frozen {
                    collateral.freeze();
                } else {
                    collateral.frozen = false;
                }
            })?;
        }
        LendingPoolEvents::NewRiskFrozen(e) => {
            state.change_settings(|settings| settings.new_risk_frozen = e.frozen);
        }
        LendingPoolEvents::CapsSet(e) => {
            let (supply, borrow) = (
                amount("supplyCap", e.supplyCap)?,
                amount("borrowCap", e.borrowCap)?,
            );
            state.change_settings(|settings| {
                (settings.supply_cap, settings.borrow_cap) = (supply, borrow);
            });
        }
        LendingPoolEvents::MinDebtSet(e) => {
            let minimum = amount("minDebt", e.minDebt)?;
            let stipend = amount("settlementStipend", e.settlementStipend)?;
            state.change_settings(|settings| {
                (settings.min_debt, settings.settlement_stipend) = (minimum, stipend);
            });
        }
        LendingPoolEvents::ReserveFactorSet(e) => {
            let percent =
                u8::try_from(e.percent).map_err(|_| out_of_range("percent", e.percent))?;
            let mut market = state.market;
            market.reserve_factor = percent;
            state.set_market(market);
        }
        LendingPoolEvents::PolicySet(e) => {
            if state.settings.policy != e.policy {
                changes.policy_set = Some(e.policy);
            }
            state.change_settings(|settings| settings.policy = e.policy);
        }
        LendingPoolEvents::GuardianSet(e) => {
            state.change_settings(|settings| settings.guardian = e.guardian);
        }
        _ => return Ok(()),
    }
    changes.configuration = true;
    Ok(())
}

fn list(
    state: &mut State,
    e: &LendingPool::CollateralListed,
    timestamp: u64,
) -> Result<(), LogError> {
    let id = collateral_id(e.collateralId)?;
    if usize::from(id) != state.collaterals.len() {
        return Err(LogError::Contradiction {
            what: "collaterals are numbered as they are listed",
        });
    }
    let config = &e.config;
    // In a pool that has lenders the LTV rises from 0.
    let ltv_from = if state.market.lender_assets == 0 {
        config.borrowLtv
    } else {
        0
    };
    state.list(Collateral {
        token: config.token,
        oracle: config.oracle,
        ltv_from,
        ltv_to: config.borrowLtv,
        threshold_from: config.liquidationThreshold,
        threshold_to: config.liquidationThreshold,
        ramp_start: timestamp,
        max_bonus: config.maxBonus,
        slippage_margin: config.slippageMargin,
        confirmation_band: config.confirmationBand,
        group: config.group,
        damped: config.damped,
        frozen: false,
        total: 0,
        cap: config.cap,
    });
    Ok(())
}

fn receive(state: &mut State, field: &'static str, assets: U256) -> Result<(), LogError> {
    let cash = state.cash.checked_add_unsigned(amount(field, assets)?);
    state.set_cash(cash.ok_or(CASH)?);
    Ok(())
}

fn pay(state: &mut State, field: &'static str, assets: U256) -> Result<(), LogError> {
    let cash = state.cash.checked_sub_unsigned(amount(field, assets)?);
    state.set_cash(cash.ok_or(CASH)?);
    Ok(())
}

const TOTAL: LogError = LogError::Contradiction {
    what: "a collateral's total leaves its range",
};

const CASH: LogError = LogError::Contradiction {
    what: "the cash leaves its range",
};

fn amount(field: &'static str, value: U256) -> Result<u128, LogError> {
    u128::try_from(value).map_err(|_| out_of_range(field, value))
}

fn basis_points(field: &'static str, value: U256) -> Result<u16, LogError> {
    u16::try_from(value).map_err(|_| out_of_range(field, value))
}

fn collateral_id(value: U256) -> Result<u8, LogError> {
    u8::try_from(value)
        .ok()
        .filter(|id| usize::from(*id) < MAX_COLLATERALS)
        .ok_or_else(|| out_of_range("collateralId", value))
}

fn out_of_range(field: &'static str, value: impl ToString) -> LogError {
    LogError::OutOfRange {
        field,
        value: value.to_string(),
    }
}

fn undecodable(log: &Log, error: &alloy_sol_types::Error) -> LogError {
    LogError::Undecodable {
        topic: log.topics().first().copied().unwrap_or(B256::ZERO),
        reason: error.to_string(),
    }
}

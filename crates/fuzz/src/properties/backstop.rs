//! Properties of the backstop: its claims are covered, nobody's part moves by what another does, and what it takes it takes at a discount.

use alloy_primitives::{Log, U256};
use alloy_sol_types::{SolCall, SolEvent};
use breakwater_bindings::{BackstopPool, FuzzLens, ILendingPool, PremiumSteward};
use breakwater_protocol::PriceStatus;
use breakwater_protocol::math::{PRICE_SCALE, WAD, mul_div_up, value_down};
use breakwater_protocol::policy::{Decision, Refusal};

use super::{Made, Property, Violation, require};
use crate::action::Kind;
use crate::sample::Sample;
use crate::world::{BACKSTOP_PERIOD, World};

/// Shares that nobody owns.
const LOCKED_SHARES: u64 = 1_000_000;
/// What each call may have rounded off: 3 units of each of five depositors that it brings up to date.
const DUST: u64 = 15;
/// The scale of `Ledger::most_worth`: 1e24.
const WORTH_SCALE: U256 = U256::from_limbs([2_003_764_205_206_896_640, 54_210, 0, 0]);
/// Shares that the first base unit buys.
const SHARES_PER_ASSET: u64 = 1_000;
/// The most that the backstop is paid, WAD.
const MAX_BONUS: u64 = 20_000_000_000_000_000;

/// What a run remembers of the backstop.
#[derive(Clone, Debug)]
pub struct Ledger {
    /// The period whose queues were carried out last.
    pub rolled: u64,
    calls: u64,
    gains: U256,
    /// What a share may be worth, in base units times `WORTH_SCALE`.
    most_worth: U256,
}

impl Ledger {
    /// At the start of a sequence, which the world's own deposits precede.
    #[must_use]
    pub fn new(world: &World) -> Self {
        Self {
            rolled: world.block.timestamp / BACKSTOP_PERIOD,
            calls: 4,
            gains: U256::ZERO,
            most_worth: WORTH_SCALE / U256::from(SHARES_PER_ASSET),
        }
    }

    /// Learns from a call.
    pub fn learn(&mut self, made: &Made<'_>) {
        let Some(place) = made.world.place.backstop else {
            return;
        };
        if !made.success || !made.kind.is_backstop() {
            return;
        }
        // Who observes a sale carries out no queue.
        if made.kind != Kind::ObserveSale {
            self.rolled = made.after.timestamp / BACKSTOP_PERIOD;
        }
        self.calls += 2;
        for log in made.logs.iter().filter(|log| log.address == place.pool) {
            self.gains += BackstopPool::PremiumPaid::decode_log(log)
                .map(|event| event.assets)
                .or_else(|_| BackstopPool::InventorySold::decode_log(log).map(|event| event.paid))
                .unwrap_or_default();
        }
        self.learn_of_exits(made);
    }

    /// What the division rounds off of an exit, less than a base unit, stays with those who stay; a floor of an entry's shares, or
    /// of a rescaling, is worth less than another. Either is a part of what was there before the entry, which may be much more.
    fn learn_of_exits(&mut self, made: &Made<'_>) {
        let state = &made.before.view.backstop.state;
        let mut assets = state.assets;
        for log in logs_of(made) {
            let Ok(crossed) = BackstopPool::PeriodCrossed::decode_log(log) else {
                continue;
            };
            assets = assets.saturating_sub(crossed.exitAssets);
            if !assets.is_zero() {
                let rounded_off = self.most_worth.saturating_mul(U256::from(2)) / assets;
                self.most_worth = self.most_worth.saturating_add(rounded_off + U256::ONE);
            }
            assets += crossed.entryAssets;
        }
    }

    /// K1 to K3, of every state.
    pub fn check(&self, world: &World, now: &Sample) -> Result<(), Violation> {
        if world.place.backstop.is_none() {
            return Ok(());
        }
        let view = &now.view.backstop;
        let dust = U256::from(DUST * self.calls);
        let sum = |of: &dyn Fn(&FuzzLens::DepositorView) -> U256| -> U256 {
            view.depositors.iter().map(of).sum()
        };
        let state = &view.state;
        let claims = state.assets + state.entering + sum(&|one| one.account.claimable);
        // What locked shares earn is nobody's: they are less than one in ten million, the founder never leaves.
        let most = claims + dust + self.gains / U256::from(10_000_000);
        require(
            view.held >= claims && view.held <= most,
            Property::K1,
            || format!("claims of {claims} on {}, at most {most}", view.held),
        )?;
        for (id, stock) in view.inventory.iter().enumerate() {
            let claims = sum(&|one| one.collateral[id]);
            let unclaimed = dust + stock.amount / U256::from(100_000);
            let holds = stock.held == stock.amount
                && stock.amount.is_zero() == stock.units.is_zero()
                && stock.amount <= stock.units
                && claims <= stock.amount
                && stock.amount - claims <= unclaimed;
            require(holds, Property::K2, || {
                format!(
                    "collateral {id}: claims of {claims} on {} in {} units, {} held",
                    stock.amount, stock.units, stock.held
                )
            })?;
        }
        let shares =
            sum(&|one| one.account.shares + one.account.exitShares) + U256::from(LOCKED_SHARES);
        let holds = shares <= state.shares
            && state.shares - shares <= U256::from(5 * self.calls)
            && sum(&|one| one.account.exitShares) == state.leaving
            && sum(&|one| one.account.entryAssets) == state.entering
            && state.assets * WORTH_SCALE <= state.shares.saturating_mul(self.most_worth);
        require(holds, Property::K3, || {
            format!("{shares} shares are held of {state:?}")
        })
    }
}

/// K4, K5 and K7, of single calls. `current`: no queue was left to be carried out within it.
pub fn check(made: &Made<'_>, current: bool) -> Result<(), Violation> {
    if !made.success || !made.kind.is_backstop() {
        return Ok(());
    }
    if current && !made.nested {
        others(made)?;
    }
    match made.kind {
        Kind::Absorb => absorption(made, current),
        Kind::Waterfall => waterfall(made, current),
        Kind::Buy => purchase(made),
        Kind::Distribute => premium(made),
        _ => Ok(()),
    }
}

/// K4: what everybody but the caller has, free and waiting.
fn others(made: &Made<'_>) -> Result<(), Violation> {
    let place = &made.world.place;
    let (before, after) = (&made.before.view.backstop, &made.after.view.backstop);
    let one = U256::ONE;
    for (index, (old, new)) in before.depositors.iter().zip(&after.depositors).enumerate() {
        let is = |position: usize| {
            let address = made
                .call
                .arguments
                .get(position)
                .and_then(|value| value.as_address());
            address.is_some() && address == place.actors.get(index).copied()
        };
        let acts = place.actors.get(index) == Some(&made.call.from);
        let takes = matches!(made.kind, Kind::Absorb | Kind::Waterfall);
        let same_shares = old.account.shares == new.account.shares
            && old.account.exitShares == new.account.exitShares
            && old.account.entryAssets == new.account.entryAssets;
        let earned = |least: bool, most: U256| {
            let within =
                |old: U256, new: U256| (!least || new >= old) && (new <= old.saturating_add(most));
            let parts = old.collateral.iter().zip(&new.collateral);
            within(old.account.claimable, new.account.claimable)
                && parts.zip(&before.inventory).all(|((old, new), stock)| {
                    within(*old, *new) || takes && is_left_over(stock.amount, stock.units)
                })
        };
        let holds = match made.kind {
            Kind::Join | Kind::Leave | Kind::ClaimAssets => {
                acts || (same_shares && earned(true, U256::ZERO))
            }
            // A share that moves takes nothing along.
            Kind::Pass => (acts || is(0) || same_shares) && earned(true, U256::ZERO),
            // The fraction of a unit that a claim rounds off falls to the others.
            Kind::ClaimCollateral => acts || (same_shares && earned(true, one)),
            Kind::Absorb | Kind::Waterfall | Kind::Premium | Kind::Distribute => {
                same_shares && earned(true, U256::MAX)
            }
            Kind::Buy => same_shares && new.account.claimable >= old.account.claimable,
            _ => same_shares && earned(true, U256::ZERO),
        };
        require(holds, Property::K4, || {
            format!(
                "depositor {index} had {old:?}, has {new:?} by {}",
                made.call.signature
            )
        })?;
    }
    if made.kind == Kind::ClaimCollateral {
        return in_kind(made);
    }
    Ok(())
}

/// Whether what is left of a stock goes to the owners of the next: less than 2^-20 of what its units, 2^16 a base unit, stood for
/// (`test_sale_ALeftoverIsOfTheNextStock`).
fn is_left_over(amount: U256, units: U256) -> bool {
    (amount << 36) < units
}

/// A claim hands over what it showed.
fn in_kind(made: &Made<'_>) -> Result<(), Violation> {
    let caller = made
        .world
        .place
        .actors
        .iter()
        .position(|actor| *actor == made.call.from);
    let event = logs_of(made).find_map(|log| BackstopPool::CollateralClaimed::decode_log(log).ok());
    let (Some(index), Some(event)) = (caller, event) else {
        return Ok(());
    };
    let id = usize::try_from(event.collateralId).unwrap_or_default();
    let shown = made.before.view.backstop.depositors[index].collateral[id];
    require(event.amount == shown, Property::K4, || {
        format!("{} was handed over of {shown}", event.amount)
    })
}

/// K5: at most 2%, never below what it costs, no bucket charged, the minimum left.
fn absorption(made: &Made<'_>, current: bool) -> Result<(), Violation> {
    let absorbed = logs_of(made).find_map(|log| BackstopPool::Absorbed::decode_log(log).ok());
    let pool = made.world.place.pool;
    let mut own = made.logs.iter().filter(|log| log.address == pool);
    let liquidated = own.find_map(|log| ILendingPool::Liquidated::decode_log(log).ok());
    let (Some(absorbed), Some(liquidated)) = (absorbed, liquidated) else {
        return Err(Violation::new(
            Property::K5,
            "an absorption without its events",
        ));
    };
    let id = usize::try_from(absorbed.collateralId).unwrap_or_default();
    let (before, after) = (&made.before.view, &made.after.view);
    let price = before.collaterals[id].prices.fast;
    let value = |amount: U256| value_down(amount, price).unwrap_or_default();
    let unit = mul_div_up(U256::ONE, price, PRICE_SCALE).unwrap_or_default();
    let taken = absorbed.kept + absorbed.reward;
    let fair = taken == liquidated.seized
        && absorbed.repaid == liquidated.repaid
        && liquidated.bonus <= U256::from(MAX_BONUS)
        && value(taken) + unit + U256::ONE >= absorbed.repaid
        && value(absorbed.reward) * U256::from(10)
            <= value(taken).saturating_sub(absorbed.repaid) + U256::from(10);
    require(fair, Property::K5, || {
        format!(
            "{absorbed:?} at a price of {price} and a bonus of {}",
            liquidated.bonus
        )
    })?;
    require(
        before.collaterals[id].buckets == after.collaterals[id].buckets,
        Property::K5,
        || "an absorption charged a bucket".to_owned(),
    )?;
    if made.nested {
        return Ok(());
    }
    let (old, new) = (&before.backstop, &after.backstop);
    let spent = !current || new.state.assets + absorbed.repaid == old.state.assets;
    let kept = old.inventory[id].amount + absorbed.kept == new.inventory[id].amount;
    let left = new.state.assets >= made.world.plan.dollars(1);
    require(spent && kept && left, Property::K5, || {
        format!("{absorbed:?} made of {:?} {:?}", old.state, new.state)
    })
}

/// K5 of a settlement: backstop and caller pay all of it, and the backstop what its books say.
fn waterfall(made: &Made<'_>, current: bool) -> Result<(), Violation> {
    let event = logs_of(made).find_map(|log| BackstopPool::WaterfallSettled::decode_log(log).ok());
    let pool = made.world.place.pool;
    let mut own = made.logs.iter().filter(|log| log.address == pool);
    let settled = own.find_map(|log| ILendingPool::Settled::decode_log(log).ok());
    let (Some(event), Some(settled)) = (event, settled) else {
        return Err(Violation::new(
            Property::K5,
            "a settlement without its events",
        ));
    };
    if made.nested {
        return Ok(());
    }
    let (old, new) = (
        &made.before.view.backstop.state,
        &made.after.view.backstop.state,
    );
    let spent = !current || new.assets + event.fromBackstop == old.assets;
    let paid = event.fromBackstop + event.fromCaller == settled.repaid;
    let losses = made.logs.iter().filter(|log| log.address == pool);
    let losses = losses.filter_map(|log| ILendingPool::BadDebtWrittenOff::decode_log(log).ok());
    let (reserves, lenders) = losses.fold((U256::ZERO, U256::ZERO), |sum, loss| {
        (sum.0 + loss.fromReserves, sum.1 + loss.fromLenders)
    });
    let told = event.fromReserves == reserves && event.fromLenders == lenders;
    require(spent && paid && told, Property::K5, || {
        format!("{event:?} of {settled:?}, losses {reserves} and {lenders}, {old:?} became {new:?}")
    })
}

/// K7: only at an `Ok` price that is not falling, with the venue there, for at least 99% of it, and no more than was asked for or
/// than 0.994% of the venue's depth is worth, which is the default.
fn purchase(made: &Made<'_>) -> Result<(), Violation> {
    let Some(sold) =
        logs_of(made).find_map(|log| BackstopPool::InventorySold::decode_log(log).ok())
    else {
        return Err(Violation::new(Property::K7, "a purchase without its event"));
    };
    let id = usize::try_from(sold.collateralId).unwrap_or_default();
    let prices = &made.before.view.collaterals[id].prices;
    let (thousand, near) = (U256::from(1_000), U256::from(995));
    let open = prices.status == PriceStatus::Ok as u8
        && prices.fast >= prices.slow
        && prices.confirm.saturating_mul(thousand) >= prices.fast.saturating_mul(near);
    let least =
        value_down(sold.amount, prices.fast).unwrap_or_default() * U256::from(99) / U256::from(100);
    let stock = &made.before.view.backstop.inventory[id];
    let asked = BackstopPool::buyCall::abi_decode(&made.call.data())
        .map_or(U256::ZERO, |call| call.maxAmount);
    let depth = logs_of(made).find_map(|log| BackstopPool::SaleUpdated::decode_log(log).ok());
    let depth = depth.map_or(U256::ZERO, |sale| U256::from(sale.depth));
    let limit = depth * U256::from(994) / U256::from(100_000);
    let value = value_down(sold.amount, prices.fast).unwrap_or_default();
    let most = stock.amount.min(asked);
    let holds = open && sold.paid >= least && sold.amount <= most && value <= limit;
    require(holds, Property::K7, || {
        format!(
            "{} of {} sold for {} at {prices:?}, {asked} asked for, worth {value} of {limit}",
            sold.amount, stock.amount, sold.paid
        )
    })
}

/// K8: the premium is half of what reserves grew by, out of reserves alone, and all of it goes to the backstop.
fn premium(made: &Made<'_>) -> Result<(), Violation> {
    let place = made.world.place.backstop.unwrap_or_default();
    let mut own = made.logs.iter().filter(|log| log.address == place.steward);
    let Some(event) = own.find_map(|log| PremiumSteward::PremiumDistributed::decode_log(log).ok())
    else {
        return Err(Violation::new(Property::K8, "a premium without its event"));
    };
    if made.nested {
        return Ok(());
    }
    let (old, new) = (&made.before.view, &made.after.view);
    let from_reserves = new.market.reserves + event.paid == old.market.reserves
        && new.market.lenderAssets == old.market.lenderAssets;
    let received = new.backstop.held == old.backstop.held + event.paid;
    let most = event.growth / U256::from(2);
    require(
        from_reserves && received && event.paid <= most,
        Property::K8,
        || format!("{event:?}: {:?} became {:?}", old.market, new.market),
    )
}

fn logs_of<'a>(made: &'a Made<'_>) -> impl Iterator<Item = &'a Log> {
    let place = made.world.place.backstop.unwrap_or_default();
    made.logs
        .iter()
        .filter(move |log| log.address == place.pool)
}

/// Whether others may be told that the backstop comes first: it has something, and the policy behind it would pay at most what it is paid.
#[must_use]
pub fn comes_first(made: &Made<'_>, index: usize, id: usize, decision: &Decision) -> bool {
    let health = &made.before.health[index];
    let reasoning = &decision.reasoning;
    let collateral = &made.before.view.collaterals[id];
    made.before.view.policy == made.world.first_policy()
        && made.world.place.backstop.is_some()
        && health.health_fast > health.health_hard
        && health.health_fast < WAD
        && collateral.state.maxBonus > U256::from(MAX_BONUS)
        && !made.before.view.backstop.state.absorbable.is_zero()
        && reasoning.base_bonus <= U256::from(MAX_BONUS)
        && decision.grant.refusal != Refusal::Unconfirmed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_leftover_is_less_than_a_millionth_of_what_was_taken() {
        let taken = U256::from(3_u64 << 20);
        let units = taken << 16;
        assert!(!is_left_over(taken, units));
        assert!(!is_left_over(U256::from(3), units));
        assert!(is_left_over(U256::from(2), units));
        assert!(
            !is_left_over(U256::ZERO, U256::ZERO),
            "there is no stock at all"
        );
    }
}

//! Brings what a run changes of the damped policy into the plan of a deployment.

use alloy_primitives::U256;
use breakwater_bindings::SystemDeployer;

use super::basis_points;
use crate::config::DampedOverrides;
use crate::units::to_base;

/// The greatest slippage margin of a listing, basis points: `PoolAdministration`.
const GREATEST_MARGIN: u64 = 5_000;

/// Changes what the run changes of the damped policy's own parameters, which only a damped world reads.
pub(super) fn apply(overrides: &DampedOverrides, plan: &mut SystemDeployer::SystemPlan) {
    fn set<T, U>(target: &mut U, value: Option<T>, convert: impl Fn(T) -> U) {
        if let Some(value) = value {
            *target = convert(value);
        }
    }
    let wad = |ratio: f64| to_base(ratio, 1e18);
    let damped = &mut plan.policy.damped;
    set(&mut damped.confirmation, overrides.confirmation, |value| {
        value
    });
    set(&mut damped.obeysPause, overrides.obeys_pause, |value| value);
    set(&mut damped.bonusMode, overrides.bonus_mode, |mode| {
        mode as u8
    });
    let greatest = damped.bonusMax;
    set(&mut damped.bonusMin, overrides.bonus_min, |ratio| {
        wad(ratio).min(greatest)
    });
    set(
        &mut damped.auctionSeconds,
        overrides.auction_seconds,
        U256::from,
    );
    set(&mut damped.targetHealth, overrides.target_health, wad);
    set(&mut damped.sliceBase, overrides.slice_base, wad);
    set(&mut damped.turnMode, overrides.turn_mode, |mode| mode as u8);
    set(&mut damped.turnFloor, overrides.turn_floor, wad);
    set(&mut damped.bucketMode, overrides.bucket_mode, |mode| {
        mode as u8
    });
    set(&mut damped.refillShare, overrides.refill_share, wad);
    set(
        &mut damped.minRefillSeconds,
        overrides.min_refill_seconds,
        U256::from,
    );
    set(&mut damped.reserveShare, overrides.reserve_share, wad);
    set(
        &mut damped.liquidationGas,
        overrides.liquidation_gas,
        U256::from,
    );
}

/// Changes what the run changes around the policy: breaker, oracle and listing. Every world has them, so this is for a damped one alone.
pub(super) fn apply_around(overrides: &DampedOverrides, plan: &mut SystemDeployer::SystemPlan) {
    if overrides.breaker == Some(false) {
        let thresholds = &mut plan.breaker.thresholds;
        thresholds.feeMultiple = 0;
        thresholds.missedShare = 0;
        thresholds.velocity = 0;
    }
    if let Some(seconds) = overrides.confirmation_seconds {
        plan.collaterals[0].venueWindow = seconds;
    }
    if let Some(margin) = overrides.slippage_margin {
        let listing = &mut plan.collaterals[0].listing;
        listing.slippageMargin = basis_points(margin)
            .max(least_margin(listing))
            .min(greatest_margin(listing));
    }
}

/// The least σ, basis points, with (1 + bmax)·(1 + σ) ≥ 1.03: the pool lists no other damped collateral.
fn least_margin(listing: &SystemDeployer::CollateralConfig) -> u16 {
    let bonus = 10_000 + u64::from(listing.maxBonus);
    let least = 103_000_000_u64.div_ceil(bonus).saturating_sub(10_000);
    u16::try_from(least).unwrap_or(u16::MAX)
}

/// The greatest σ, basis points, with LT·(1 + bmax)·(1 + σ)·(1 + δ) ≤ 1, as the pool asks of a damped listing.
fn greatest_margin(listing: &SystemDeployer::CollateralConfig) -> u16 {
    let [threshold, bonus, band] = [
        listing.liquidationThreshold,
        listing.maxBonus,
        listing.confirmationBand,
    ]
    .map(u64::from);
    let others = threshold * (10_000 + bonus) * (10_000 + band);
    // 1 in the scale of four factors of 10,000.
    let most = 10_u64
        .pow(16)
        .checked_div(others)
        .unwrap_or(u64::MAX)
        .saturating_sub(10_000)
        .min(GREATEST_MARGIN);
    u16::try_from(most).unwrap_or(u16::MAX)
}

#[cfg(test)]
mod tests;

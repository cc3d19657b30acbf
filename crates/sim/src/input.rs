//! Refuses worlds that cannot be.

use crate::config::{WorldInput, WorldParameters};
use crate::error::SimError;

/// The longest heartbeat that `contracts/oracle/TwapOracle.sol` accepts, seconds: 30 days.
pub const MOST_BELIEVED_FOR: u32 = 2_592_000;

/// Checks that series, accounts and parameters make a world.
///
/// # Errors
/// [`SimError::Input`] and [`SimError::Parameter`].
pub fn check(parameters: &WorldParameters, input: &WorldInput) -> Result<(), SimError> {
    check_series(input)?;
    check_parameters(parameters)?;
    if let Some((name, value, expected)) = parameters.backstop.as_ref().and_then(|own| own.wrong())
    {
        return Err(SimError::Parameter {
            name,
            value,
            expected,
        });
    }
    check_disturbances(parameters)?;
    check_accounts(parameters, input)
}

fn check_series(input: &WorldInput) -> Result<(), SimError> {
    let blocks = input.prices.len();
    if blocks < 2 {
        return Err(SimError::Input(format!(
            "{blocks} prices make no block; at least 2 are needed"
        )));
    }
    for (name, series, optional) in [
        ("prices", &input.prices, false),
        ("gas_gwei", &input.gas_gwei, false),
        ("native_prices", &input.native_prices, false),
        ("depth", &input.depth, true),
    ] {
        if optional && series.is_empty() {
            continue;
        }
        if series.len() != blocks {
            return Err(SimError::Input(format!(
                "{name} has {} entries, prices {blocks}",
                series.len()
            )));
        }
        if let Some(block) = series
            .iter()
            .position(|value| !(value.is_finite() && *value > 0.0))
        {
            return Err(SimError::Input(format!(
                "{name} at block {block} is {}, not above 0",
                series[block]
            )));
        }
    }
    Ok(())
}

fn check_parameters(parameters: &WorldParameters) -> Result<(), SimError> {
    let collateral = &parameters.collateral;
    let venue = &parameters.venue;
    let network = &parameters.network;
    let borrowers = &parameters.borrowers;
    let shares = borrowers.top_up_share + borrowers.repay_share + borrowers.deleverage_share;
    let damped_margin = parameters.damped.slippage_margin.unwrap_or_default();
    let confirmation = parameters
        .damped
        .confirmation_seconds
        .map_or(60.0, f64::from);
    let within = |value: f64, low: f64, high: f64| value >= low && value <= high;
    for (name, value, valid, expected) in [
        (
            "collateral.borrow_ltv",
            collateral.borrow_ltv,
            within(collateral.borrow_ltv, 1e-4, 1.0),
            "above 0, below 1",
        ),
        (
            "collateral.liquidation_threshold",
            collateral.liquidation_threshold,
            collateral.liquidation_threshold > collateral.borrow_ltv
                && collateral.liquidation_threshold < 1.0,
            "above borrow_ltv, below 1",
        ),
        (
            "venue.depth",
            venue.depth,
            venue.depth > 0.0 && venue.depth.is_finite(),
            "above 0",
        ),
        (
            "venue.flighty_share",
            venue.flighty_share,
            within(venue.flighty_share, 0.0, 0.99),
            "0 to 0.99",
        ),
        (
            "venue.flight_volatility",
            venue.flight_volatility,
            venue.flight_volatility > 0.0,
            "above 0",
        ),
        (
            "venue.pass_through",
            venue.pass_through,
            within(venue.pass_through, 0.0, 1.0),
            "0 to 1",
        ),
        (
            "venue.recovery_half_life",
            venue.recovery_half_life,
            venue.recovery_half_life >= 0.0,
            "0 or above",
        ),
        (
            "feed.deviation",
            parameters.feed.deviation,
            within(parameters.feed.deviation, 0.0, 1.0),
            "0 to 1",
        ),
        (
            "network.slot_seconds",
            network.slot_seconds as f64,
            within(network.slot_seconds as f64, 1.0, 600.0),
            "1 to 600",
        ),
        (
            "network.gas_limit",
            network.gas_limit as f64,
            network.gas_limit >= 5_000_000,
            "at least 5,000,000",
        ),
        (
            "network.demand_elasticity",
            network.demand_elasticity,
            network.demand_elasticity > 0.0,
            "above 0",
        ),
        (
            "keepers.count",
            f64::from(parameters.keepers.count),
            parameters.keepers.count <= 64,
            "at most 64",
        ),
        (
            "keepers.risk_margin",
            parameters.keepers.risk_margin,
            parameters.keepers.risk_margin >= 0.0,
            "0 or above",
        ),
        (
            "borrowers' shares together",
            shares,
            within(shares, 0.0, 1.0),
            "0 to 1",
        ),
        (
            "borrowers.alert_health",
            borrowers.alert_health,
            borrowers.alert_health >= 1.0,
            "at least 1",
        ),
        (
            "damped.confirmation_seconds",
            confirmation,
            // The venue remembers an hour of blocks.
            within(confirmation, 1.0, 3_600.0),
            "1 to 3600",
        ),
        (
            "damped.slippage_margin",
            damped_margin,
            within(damped_margin, 0.0, 0.5),
            "0 to 0.5",
        ),
        (
            "lender_assets_over_debt",
            parameters.lender_assets_over_debt,
            parameters.lender_assets_over_debt >= 1.0,
            "at least 1",
        ),
    ] {
        if !valid {
            return Err(SimError::Parameter {
                name,
                value,
                expected,
            });
        }
    }
    Ok(())
}

/// What may befall a world, or be in it, and need not.
fn check_disturbances(parameters: &WorldParameters) -> Result<(), SimError> {
    let refuse = |name, value, expected| {
        Err(SimError::Parameter {
            name,
            value,
            expected,
        })
    };
    let feed = &parameters.feed;
    let network = &parameters.network;
    let errors = feed.errors.iter();
    let outages = feed.outages.iter();
    let missed = network.missed.iter();
    for (name, from, until) in errors
        .map(|each| ("feed.errors.until", each.from, each.until))
        .chain(outages.map(|each| ("feed.outages.until", each.from, each.until)))
        .chain(missed.map(|each| ("network.missed.until", each.from, each.until)))
    {
        if from >= until {
            return refuse(name, until as f64, "above its `from`");
        }
    }
    if let Some(error) = feed
        .errors
        .iter()
        .find(|error| !(error.ratio > -1.0 && error.ratio <= 10.0))
    {
        return refuse("feed.errors.ratio", error.ratio, "above -1, at most 10");
    }
    if let Some(slots) = network
        .missed
        .iter()
        .find(|slots| !(slots.share >= 0.0 && slots.share <= 0.95))
    {
        return refuse("network.missed.share", slots.share, "0 to 0.95");
    }
    let believed_for = feed.believed_for();
    if !(1..=u64::from(MOST_BELIEVED_FOR)).contains(&believed_for) {
        return refuse(
            "feed.believed_for",
            believed_for as f64,
            "1 to 2592000, which an oracle accepts",
        );
    }
    if let Some(noise) = &parameters.noise {
        if !(noise.trade > 0.0 && noise.trade <= 0.5) {
            return refuse("noise.trade", noise.trade, "above 0, at most 0.5");
        }
        if !(noise.hourly_volume >= 0.0 && noise.hourly_volume <= 1e3) {
            return refuse("noise.hourly_volume", noise.hourly_volume, "0 to 1000");
        }
    }
    if let Some(adversary) = &parameters.adversary {
        if !(adversary.capital > 0.0 && adversary.capital.is_finite()) {
            return refuse("adversary.capital", adversary.capital, "above 0");
        }
        if !(adversary.push >= 0.0 && adversary.push <= 0.5) {
            return refuse("adversary.push", adversary.push, "0 to 0.5");
        }
        if !(adversary.slots >= 0.0 && adversary.slots <= 1.0) {
            return refuse("adversary.slots", adversary.slots, "0 to 1");
        }
        if !(1..=10_000).contains(&adversary.tries) {
            return refuse("adversary.tries", f64::from(adversary.tries), "1 to 10,000");
        }
        if !(adversary.slot_reward >= 0.0 && adversary.slot_reward.is_finite()) {
            return refuse("adversary.slot_reward", adversary.slot_reward, "0 or above");
        }
    }
    Ok(())
}

/// Every position must be one that the liquidation threshold permits at the first price.
fn check_accounts(parameters: &WorldParameters, input: &WorldInput) -> Result<(), SimError> {
    if input.accounts.is_empty() {
        return Err(SimError::Input("there are no accounts".to_owned()));
    }
    for (number, account) in input.accounts.iter().enumerate() {
        let limit =
            account.collateral * input.prices[0] * parameters.collateral.liquidation_threshold;
        let sound =
            account.collateral.is_finite() && account.collateral > 0.0 && account.debt >= 0.0;
        if !sound || account.debt >= limit {
            return Err(SimError::Input(format!(
                "account {number} owes {} against {} collateral, whose threshold permits less than {limit}",
                account.debt, account.collateral
            )));
        }
    }
    Ok(())
}

//! Worlds for tests.
#![allow(dead_code, missing_docs)]

pub mod bench;

use std::ops::ControlFlow;

use breakwater_sim::config::{
    Account, BorrowerParameters, CollateralParameters, FeedParameters, KeeperParameters,
    NetworkParameters, VenueParameters, WorldInput, WorldParameters,
};
use breakwater_sim::trace::Trace;
use breakwater_sim::{Observer, WorldKind, run};

pub struct Quiet;

impl Observer for Quiet {
    fn block(&mut self, _: u64, _: u64) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }
}

pub fn parameters() -> WorldParameters {
    WorldParameters {
        collateral: CollateralParameters {
            borrow_ltv: 0.80,
            liquidation_threshold: 0.83,
            max_bonus: 0.05,
            slippage_margin: 0.05,
            confirmation_band: 0.05,
        },
        venue: VenueParameters {
            fee: 3_000,
            depth: 1.0,
            flighty_share: 0.5,
            flight_volatility: 0.10,
            pass_through: 0.5,
            recovery_half_life: 300.0,
        },
        feed: FeedParameters {
            deviation: 0.005,
            heartbeat: 3_600,
            delay: 12,
            believed_for: None,
            errors: Vec::new(),
            outages: Vec::new(),
        },
        network: NetworkParameters {
            slot_seconds: 12,
            gas_limit: 30_000_000,
            demand_elasticity: 1.5,
            missed: Vec::new(),
        },
        keepers: KeeperParameters {
            count: 4,
            max_latency: 2,
            min_profit: 10.0,
            risk_margin: 0.002,
        },
        borrowers: BorrowerParameters {
            top_up_share: 0.1,
            repay_share: 0.1,
            deleverage_share: 0.1,
            alert_health: 1.1,
            reaction_time: 600.0,
            savings: 0.3,
        },
        noise: None,
        adversary: None,
        backstop: None,
        lender_assets_over_debt: 1.25,
        damped: Default::default(),
    }
}

/// `accounts` positions whose thresholds lie 0.5% to 30% below the first price of 200.
pub fn accounts(count: u32) -> Vec<Account> {
    (0..count)
        .map(|number| {
            let distance = 0.005 + 0.295 * f64::from(number) / f64::from(count);
            let collateral = 10.0 + f64::from(number * 7 % 13) * 30.0;
            Account {
                collateral,
                debt: collateral * 200.0 * 0.83 * (1.0 - distance),
            }
        })
        .collect()
}

/// From 200 down by `fall` in the first half, and half of the way back.
pub fn input(blocks: usize, fall: f64, accounts: Vec<Account>) -> WorldInput {
    let prices = (0..=blocks)
        .map(|block| {
            let half = blocks as f64 / 2.0;
            let progress = block as f64 / half;
            let depth = if progress <= 1.0 {
                progress
            } else {
                1.0 - (progress - 1.0) / 2.0
            };
            200.0 * (1.0 - fall * depth)
        })
        .collect::<Vec<_>>();
    let gas_gwei = (0..=blocks)
        .map(|block| {
            if block > blocks / 4 && block < blocks / 2 {
                150.0
            } else {
                20.0
            }
        })
        .collect();
    WorldInput {
        start: 1_584_000_000,
        native_prices: prices.clone(),
        prices,
        gas_gwei,
        depth: Vec::new(),
        accounts,
    }
}

pub fn trace(
    parameters: &WorldParameters,
    input: &WorldInput,
    world: WorldKind,
    seed: u64,
) -> Trace {
    run(parameters, input, world, seed, &mut Quiet).expect("the world runs")
}

//! What can be computed by hand must come out of the EVM. The formula stands in each test; the measured side is execution
//! alone.

#![allow(clippy::unwrap_used)]

mod support;

use alloy_primitives::{Address, U256};
use breakwater_bindings::{FullClosePolicy, RigidPolicy, TargetHealthPolicy};
use breakwater_sim::WorldKind;
use breakwater_sim::config::{Account, Policy, WorldInput};
use breakwater_sim::trace::{BlockRow, LiquidationRow, Trace};
use breakwater_sim::units::{DEBT_UNIT, WAD, to_base};
use support::bench::{Bench, Listing, with_arguments};

const LISTING: Listing = Listing {
    ltv: 8_299,
    threshold: 8_300,
    max_bonus: 500,
};
const THRESHOLD: f64 = 0.83;

/// Opens a position that becomes unhealthy at `trigger`.
fn open(bench: &mut Bench, number: u8, collateral: f64, trigger: f64) -> Address {
    bench.open(number, collateral, THRESHOLD * collateral * trigger)
}

/// T1: with L = √(xy) and u = P^(−1/2), selling q gives u + q/L. Two positions of 100 and 150 with triggers at 95 and 88,
/// closed without bonus; what the repayment does not take their owners sell as well.
fn two_positions(liquidity: f64) -> (usize, f64) {
    let mut bench = Bench::new(100.0, liquidity, FullClosePolicy::BYTECODE.clone(), LISTING);
    let accounts = [
        open(&mut bench, 0, 100.0, 95.0),
        open(&mut bench, 1, 150.0, 88.0),
    ];
    assert_eq!(bench.cascade(&accounts), 0);
    bench.move_to(94.0);
    (bench.cascade(&accounts), bench.price())
}

#[test]
fn t1_two_positions_fire_one_after_the_other() {
    let (fired, price) = two_positions(10_000.0);
    assert_eq!(fired, 2);
    // u = 1/√94 + 250/10⁴ = 0.128142; P_f = 60.8998.
    let expected = (1.0 / 94.0_f64.sqrt() + 250.0 / 1e4).powi(-2);
    assert!((expected - 60.8998).abs() < 1e-4);
    assert!(
        (price / expected - 1.0).abs() < 1e-6,
        "{price} for {expected}"
    );
}

#[test]
fn t1_second_position_fires_iff_liquidity_is_below_critical() {
    // L_c = C₁ / (u₂* − u₀) = 100 / (1/√88 − 1/√94) = 28,916.5.
    let critical = 100.0 / (1.0 / 88.0_f64.sqrt() - 1.0 / 94.0_f64.sqrt());
    assert!((critical - 28_916.5).abs() < 0.1, "{critical}");
    assert_eq!(two_positions(critical * 0.999_9).0, 2);
    assert_eq!(two_positions(critical * 1.000_1).0, 1);
}

/// T2: positions of density f on [u_a, u_b]: u = u₀ + R·(u − u_a) with R = f/L while u is within. A shock to u₀ = 0.102.
fn continuum(ratio: f64, positions: u8) -> f64 {
    const LIQUIDITY: f64 = 10_000.0;
    let (low, high) = (0.100, 0.110);
    let step = (high - low) / f64::from(positions);
    let mut bench = Bench::new(106.0, LIQUIDITY, FullClosePolicy::BYTECODE.clone(), LISTING);
    let accounts: Vec<Address> = (0..positions)
        .map(|number| {
            let trigger = low + step * (f64::from(number) + 0.5);
            open(
                &mut bench,
                number,
                ratio * LIQUIDITY * step,
                trigger.powi(-2),
            )
        })
        .collect();
    bench.move_to(0.102_f64.powi(-2));
    bench.cascade(&accounts);
    bench.price().powf(-0.5)
}

#[test]
fn t2_more_positions_come_closer_to_the_continuum() {
    // N positions are a grid of Δu = (u_b − u_a) / N, which resolves u_f to R·Δu / (1 − R).
    let expected = (0.102 - 0.5 * 0.100) / (1.0 - 0.5);
    for positions in [20, 50, 100] {
        let error = (continuum(0.5, positions) - expected).abs();
        let grid = 0.01 / f64::from(positions);
        assert!(error <= grid, "{positions}: {error} of {grid}");
    }
}

#[test]
fn t2_continuum_settles_below_one_and_runs_through_above() {
    // u_f = (u₀ − R·u_a) / (1 − R); a hundred positions resolve it to R·Δu/(1 − R) = 10⁻⁴.
    let settled = continuum(0.5, 100);
    let expected = (0.102 - 0.5 * 0.100) / (1.0 - 0.5);
    assert!(
        (settled - expected).abs() < 1e-4,
        "{settled} for {expected}"
    );
    // R ≥ 1 runs through: all of F(u_b) = R·(u_b − u_a) is sold.
    let through = continuum(1.2, 100);
    let expected = 0.102 + 1.2 * (0.110 - 0.100);
    assert!(
        (through - expected).abs() < 1e-7,
        "{through} for {expected}"
    );
}

/// T3: changes of health by a small liquidation at 5% bonus at this LTV: without the sale, and with it.
fn toxicity(ltv: f64, liquidity: f64) -> (f64, f64) {
    let policy = with_arguments(
        &RigidPolicy::BYTECODE,
        &RigidPolicy::constructorCall {
            bonus: to_base(0.05, WAD),
        },
    );
    let mut bench = Bench::new(100.0, liquidity, policy, LISTING);
    let (collateral, debt) = (1_000.0, 80_000.0);
    let account = bench.open(0, collateral, debt);
    bench.move_to(debt / (collateral * ltv));
    let before = bench.health(account);
    let (_, seized) = bench
        .liquidate(account, to_base(debt * 1e-4, DEBT_UNIT))
        .unwrap();
    let after = bench.health(account);
    bench.sell(seized);
    (after - before, bench.health(account) - before)
}

#[test]
fn t3_liquidation_is_toxic_above_the_critical_ltv() {
    // Without impact: HF improves iff LTV < 1 / (1 + b) = 0.95238.
    let critical = 1.0 / 1.05;
    assert!(toxicity(critical - 0.002, 1e9).0 > 0.0);
    assert!(toxicity(critical + 0.002, 1e9).0 < 0.0);
}

#[test]
fn t3_impact_lowers_the_critical_ltv() {
    // With impact: iff LTV < 1 / ((1 + b)·λ), λ = 1 + 2V/y, V the position's value and y the venue's debt reserve, L·√P. At
    // P = D / (C·LTV) this is LTV (1 + b) (1 + 2·C·√P / L) = 1.
    let liquidity = 200_000.0;
    let excess = |ltv: f64| {
        let price = 80_000.0 / (1_000.0 * ltv);
        ltv * 1.05 * (1.0 + 2.0 * 1_000.0 * price.sqrt() / liquidity) - 1.0
    };
    let (mut low, mut high) = (0.5, 1.0);
    for _ in 0..60 {
        let middle = (low + high) / 2.0;
        if excess(middle) > 0.0 {
            high = middle
        } else {
            low = middle
        }
    }
    assert!((0.83..0.93).contains(&low), "{low}");
    assert!(toxicity(low - 0.002, liquidity).1 > 0.0);
    assert!(toxicity(low + 0.002, liquidity).1 < 0.0);
    // Either would have been harmless without the sale.
    assert!(toxicity(low + 0.002, liquidity).0 > 0.0);
}

#[test]
fn t4_target_health_repays_the_closed_form() {
    // r* = (h·D − θV) / (h − (1 + b)θ); θ = .825, b = .05, HF = .99, h = 1.05: r*/D = (1.05 − 0.99) / 0.18375 = .3265.
    let policy = with_arguments(
        &TargetHealthPolicy::BYTECODE,
        &TargetHealthPolicy::constructorCall {
            targetHealth: to_base(1.05, WAD),
            fullBonusHealth: to_base(0.9, WAD),
            bonusShareAtOne: to_base(1.0, WAD),
        },
    );
    let listing = Listing {
        ltv: 8_249,
        threshold: 8_250,
        max_bonus: 500,
    };
    let mut bench = Bench::new(100.0, 1e9, policy, listing);
    let debt = 0.80 * 100.0 * 1_000.0;
    let account = bench.open(0, 1_000.0, debt);
    bench.move_to(0.99 * debt / (0.825 * 1_000.0));
    assert!((bench.health(account) - 0.99).abs() < 1e-9);
    let (repaid, _) = bench.liquidate(account, U256::MAX).unwrap();
    assert!((repaid / debt - 0.326_5).abs() < 5e-5, "{}", repaid / debt);
    assert!((repaid / debt - 0.06 / 0.183_75).abs() < 1e-8);
    assert!((bench.health(account) - 1.05).abs() < 1e-8);
}

/// T7 without arbitrage: the outside price follows the venue's by a share φ of the logarithm, and rational keepers sell as long
/// as the proceeds of the last unit pay for its repayment. How far the venue falls.
fn exhaustion(pass_through: f64) -> f64 {
    let policy = with_arguments(
        &RigidPolicy::BYTECODE,
        &RigidPolicy::constructorCall {
            bonus: to_base(0.05, WAD),
        },
    );
    let mut bench = Bench::new(100.0, 10_000.0, policy, LISTING);
    let account = bench.open(0, 10_000.0, 10_000.0 * 100.0 * THRESHOLD * 0.995);
    let start = 98.0;
    bench.move_to(start);
    // A twentieth of a percent of the venue's collateral at a time.
    let repay = to_base(0.000_5 * 10_000.0 * 98.0_f64.sqrt(), DEBT_UNIT);
    loop {
        bench.believe(start * (bench.price() / start).powf(pass_through));
        let before = bench.price();
        let cash = bench.liquidator_cash();
        let (_, seized) = bench.liquidate(account, repay).unwrap();
        bench.sell(seized);
        if bench.liquidator_cash() < cash {
            return 1.0 - before / start;
        }
    }
}

#[test]
fn t7_keepers_stop_where_impact_has_eaten_the_bonus() {
    // P_v (1 + b) = P, P = P₀ (P_v / P₀)^φ: overshoot 1 − (1 + b)^(−1/(1 − φ)). A step moves the price by 0.1%.
    for pass_through in [0.0, 0.3, 0.5] {
        let expected = 1.0 - 1.05_f64.powf(-1.0 / (1.0 - pass_through));
        let measured = exhaustion(pass_through);
        assert!(
            (measured - expected).abs() < 0.001,
            "{pass_through}: {measured} for {expected}"
        );
    }
}

/// T7: a huge position, unhealthy from block 1 on, is liquidated by one keeper for as long as it pays, on a venue that is
/// arbitraged every block.
fn selling(fee: u32, pass_through: f64, half_life: f64) -> Trace {
    let mut parameters = support::parameters();
    parameters.venue.fee = fee;
    parameters.venue.depth = 0.01;
    parameters.venue.flighty_share = 0.0;
    parameters.venue.pass_through = pass_through;
    parameters.venue.recovery_half_life = half_life;
    parameters.feed.deviation = 0.0;
    parameters.feed.delay = 0;
    parameters.keepers.count = 1;
    parameters.keepers.max_latency = 0;
    parameters.keepers.min_profit = 0.0;
    parameters.keepers.risk_margin = 0.0;
    parameters.borrowers.top_up_share = 0.0;
    parameters.borrowers.repay_share = 0.0;
    parameters.borrowers.deleverage_share = 0.0;
    let blocks = 120;
    let mut prices = vec![98.0; blocks + 1];
    prices[0] = 100.0;
    let collateral = 1e6;
    let input = WorldInput {
        start: 1_600_000_000,
        gas_gwei: vec![0.001; blocks + 1],
        native_prices: vec![1.0; blocks + 1],
        prices,
        depth: Vec::new(),
        accounts: vec![Account {
            collateral,
            debt: collateral * 100.0 * 0.83 * 0.999,
        }],
    };
    support::trace(&parameters, &input, WorldKind::Policy(Policy::Rigid), 1)
}

fn overshoot(row: &BlockRow) -> f64 {
    1.0 - row.reference_price / row.exogenous_price
}

/// The mean overshoot of the last 20 blocks, in each of which something was sold.
fn saturation(fee: u32, pass_through: f64, half_life: f64) -> f64 {
    let trace = selling(fee, pass_through, half_life);
    let blocks = trace.blocks.len() - 1;
    let late = |row: &&LiquidationRow| row.block > blocks as u64 - 20;
    assert!(trace.liquidations.iter().filter(late).count() >= 20);
    let settled = &trace.blocks[blocks - 20..];
    settled.iter().map(overshoot).sum::<f64>() / settled.len() as f64
}

#[test]
fn t7_selling_saturates_without_fee() {
    // s = √((1+b)(1−f)) − 1, h = d/(1−d), d = 2^(−1/H): OS = 1 − (1 − φ·s·h)². H of 5 blocks.
    let s = 1.05_f64.sqrt() - 1.0;
    let d = 0.5_f64.powf(1.0 / 5.0);
    for pass_through in [0.05, 0.1, 0.2, 0.4] {
        let expected = 1.0 - (1.0 - pass_through * s * d / (1.0 - d)).powi(2);
        let measured = saturation(0, pass_through, 60.0);
        assert!(
            (measured / expected - 1.0).abs() < 1e-4,
            "{pass_through}: {measured} for {expected}"
        );
    }
}

/// φ·s·h ≥ 1: what is sold in a block presses the price by more than recovers in it, down to the end of the venue's range.
#[test]
fn t7_beyond_it_selling_does_not_stop() {
    let s = 1.05_f64.sqrt() - 1.0;
    let [diverges, stops] = [480.0, 120.0].map(|half_life| {
        let d = 0.5_f64.powf(12.0 / half_life);
        let trace = selling(0, 1.0, half_life);
        let at = [30, 60, 90, 120].map(|block| overshoot(&trace.blocks[block]));
        (s * d / (1.0 - d), at)
    });
    let (ratio, at) = diverges;
    assert!(ratio > 1.4, "{ratio}");
    assert!(at[0] > 0.5 && at[1] > 0.7 && at[2] > 0.95, "{at:?}");
    // Below 1 it goes no further after 30 blocks. (The position is insolvent by then, and settlements pay less than b.)
    let (ratio, at) = stops;
    assert!(ratio < 0.4, "{ratio}");
    assert!(
        at[0] < 0.4 && at[1..].iter().all(|one| *one < at[0]),
        "{at:?}"
    );
}

#[test]
fn t7_selling_saturates_with_fee() {
    // The arbitrageur pays the fee too and leaves the venue at P(1−f), so a sale starts there and its s is
    // (1−f)·√(1+b) − 1 instead.
    let s = 0.997 * 1.05_f64.sqrt() - 1.0;
    let d = 0.5_f64.powf(1.0 / 5.0);
    let expected = 1.0 - (1.0 - 0.1 * s * d / (1.0 - d)).powi(2);
    let measured = saturation(3_000, 0.1, 60.0);
    assert!(
        (measured / expected - 1.0).abs() < 0.01,
        "{measured} for {expected}"
    );
}

//! Whole worlds: they run, they repeat, and policies share their random numbers.

#![allow(clippy::unwrap_used)]

mod support;

use std::collections::BTreeSet;
use std::ops::ControlFlow;

use breakwater_sim::config::{DampedOverrides, Policy};
use breakwater_sim::trace::{BlockRow, Trace};
use breakwater_sim::{Observer, SimError, WorldKind, run, run_recorded};
use support::{Quiet, accounts, input, parameters, trace};

const WORLDS: [WorldKind; 4] = [
    WorldKind::Policy(Policy::Rigid),
    WorldKind::Policy(Policy::TargetHealth),
    WorldKind::Policy(Policy::Damped),
    WorldKind::Counterfactual,
];

fn traces(blocks: usize, fall: f64, count: u32) -> Vec<Trace> {
    let input = input(blocks, fall, accounts(count));
    WORLDS
        .iter()
        .map(|kind| trace(&parameters(), &input, *kind, 1))
        .collect()
}

#[test]
fn a_crash_liquidates_and_rows_are_consistent() {
    for trace in traces(150, 0.2, 40) {
        assert_eq!(trace.blocks.len(), 151);
        assert!(trace.liquidations.len() > 10);
        for (number, row) in trace.blocks.iter().enumerate() {
            assert_eq!(
                (row.block, row.timestamp),
                (number as u64, 1_584_000_000 + 12 * number as u64)
            );
            assert!(row.reverted <= row.transactions);
            assert!(row.gas_used + row.background_gas <= 30_000_000);
            assert_eq!(
                row.health_histogram
                    .iter()
                    .map(|count| u64::from(*count))
                    .sum::<u64>(),
                row.accounts
            );
            assert_eq!(
                row.health_histogram[..4]
                    .iter()
                    .map(|count| u64::from(*count))
                    .sum::<u64>(),
                row.unhealthy
            );
            assert!((row.utilisation - row.debt / row.lender_assets).abs() < 1e-12);
        }
        for row in &trace.liquidations {
            assert!(row.health_before < 1.0, "{row:?}");
            assert!(row.repaid > 0.0 && row.seized > 0.0, "{row:?}");
            assert!(row.repaid <= row.debt * (1.0 + 1e-5), "{row:?}");
            let granted = row.seized * row.fast_price / row.repaid - 1.0;
            if !row.settlement {
                assert!(
                    granted <= row.bonus + 1e-6 && row.bonus <= 0.05 + 1e-12,
                    "{row:?}"
                );
            }
        }
        let written_off: f64 = trace.liquidations.iter().map(|row| row.written_off).sum();
        assert!((written_off - trace.blocks[150].written_off).abs() < 1e-3);
        // What was repaid and written off, and what borrowers repaid themselves, explains the fall of debt: no more was
        // repaid by liquidators than debt fell, interest apart.
        let repaid: f64 = trace
            .liquidations
            .iter()
            .map(|row| row.repaid + row.written_off)
            .sum();
        let fell = trace.blocks[0].debt - trace.blocks[150].debt;
        assert!(repaid <= fell * 1.000_1, "{repaid} {fell}");
    }
}

#[test]
fn an_account_has_waited_since_the_fast_price_first_made_it_due() {
    let mut parameters = parameters();
    let acting = &mut parameters.borrowers;
    (
        acting.top_up_share,
        acting.repay_share,
        acting.deleverage_share,
    ) = (0.0, 0.0, 0.0);
    let input = input(150, 0.2, accounts(40));
    let mut waited = 0;
    for kind in WORLDS {
        let trace = trace(&parameters, &input, kind, 1);
        let mut seen = BTreeSet::new();
        // Before its first call nothing has changed an account but interest, which is less than the last digits here.
        for row in trace
            .liquidations
            .iter()
            .filter(|row| seen.insert(row.account))
        {
            let health = |block: u64| {
                row.health_before * trace.blocks[block as usize].fast_price / row.fast_price
            };
            assert_eq!(row.waited % 12, 0, "{row:?}");
            let since = row.block - row.waited / 12;
            assert!(
                (since..row.block).all(|block| health(block) < 1.0 + 1e-6),
                "{row:?}"
            );
            assert!(health(since - 1) >= 1.0 - 1e-6, "{row:?}");
            waited += row.waited;
        }
    }
    assert!(waited > 1_200, "{waited}");
}

#[test]
fn the_counterfactual_has_neither_impact_nor_pass_through_of_liquidations() {
    let mut parameters = parameters();
    parameters.borrowers.deleverage_share = 0.0;
    let input = input(120, 0.2, accounts(40));
    let trace = trace(&parameters, &input, WorldKind::Counterfactual, 1);
    assert!(trace.liquidations.len() > 10);
    for row in &trace.blocks {
        assert_eq!(row.reference_price, row.exogenous_price);
    }
    for row in &trace.liquidations {
        assert_eq!(row.venue_price_before, row.venue_price_after);
    }
}

/// B0: the same rules, and keepers who lose by it. The audit of every run holds for them too.
#[test]
fn keepers_who_sell_at_any_price_lose_and_press_it_further() {
    let mut parameters = parameters();
    parameters.venue.depth = 0.5;
    let input = input(120, 0.2, accounts(40));
    let [rigid, dumped] = [Policy::Rigid, Policy::Dumped]
        .map(|policy| trace(&parameters, &input, WorldKind::Policy(policy), 1));
    let lowest = |trace: &Trace| {
        let prices = trace.blocks.iter().map(|row| row.reference_price);
        prices.fold(f64::INFINITY, f64::min)
    };
    assert!(lowest(&dumped) < 0.98 * lowest(&rigid));
    let profit = |trace: &Trace| trace.blocks.last().unwrap().keeper_profit;
    assert!(profit(&rigid) > 0.0 && profit(&dumped) < 0.0);
    assert!(dumped.liquidations.iter().any(|row| row.profit < 0.0));
    // What has to be left is the gas as it was expected to be; it may come out a little dearer.
    for row in &rigid.liquidations {
        let gas = row.gas_used as f64 * row.gas_price_gwei * 1e-9 * row.fast_price;
        assert!(row.profit > -0.05 * gas, "{row:?}");
    }
}

#[test]
fn liquidations_press_the_price_where_they_are_sold() {
    let input = input(120, 0.2, accounts(40));
    let rigid = trace(&parameters(), &input, WorldKind::Policy(Policy::Rigid), 1);
    let lowest =
        |pick: fn(&BlockRow) -> f64| rigid.blocks.iter().map(pick).fold(f64::INFINITY, f64::min);
    assert!(lowest(|row| row.reference_price / row.exogenous_price) < 0.99);
    assert!(
        rigid
            .liquidations
            .iter()
            .all(|row| row.venue_price_after < row.venue_price_before)
    );
}

#[test]
fn providers_leave_and_return() {
    let input = input(700, 0.25, accounts(4));
    let trace = trace(&parameters(), &input, WorldKind::Policy(Policy::Rigid), 1);
    let lowest = trace
        .blocks
        .iter()
        .map(|row| row.venue_liquidity)
        .fold(f64::INFINITY, f64::min);
    assert!((trace.blocks[0].venue_liquidity - 1.0).abs() < 1e-9);
    assert!(lowest < 0.95, "{lowest}");
    assert!(trace.blocks[700].venue_liquidity > lowest);
}

#[test]
fn measured_depth_is_followed() {
    let mut input = input(60, 0.0, accounts(4));
    input.depth = (0..=60)
        .map(|block| if block < 30 { 1.0 } else { 0.4 })
        .collect();
    let trace = trace(&parameters(), &input, WorldKind::Policy(Policy::Rigid), 1);
    assert!((trace.blocks[20].venue_liquidity - 1.0).abs() < 0.02);
    assert!(
        (trace.blocks[60].venue_liquidity - 0.4).abs() < 0.02,
        "{}",
        trace.blocks[60].venue_liquidity
    );
}

#[test]
fn the_same_seed_gives_the_same_trace_and_another_does_not() {
    let input = input(100, 0.2, accounts(30));
    let run = |seed| {
        format!(
            "{:?}",
            trace(
                &parameters(),
                &input,
                WorldKind::Policy(Policy::Damped),
                seed
            )
        )
    };
    assert_eq!(run(1), run(1));
    assert_ne!(run(1), run(2));
}

#[test]
fn policies_share_their_random_numbers() {
    let traces = traces(60, 0.1, 30);
    for other in &traces[1..] {
        for (a, b) in traces[0].blocks.iter().zip(&other.blocks) {
            assert_eq!(
                (a.exogenous_price, a.timestamp, a.block),
                (b.exogenous_price, b.timestamp, b.block)
            );
        }
    }
    // Before the first liquidation, rules for liquidations change nothing: every other column is the same as well. (The
    // damped policy's operators also send transactions, so its gas differs.)
    for other in [&traces[1], &traces[3]] {
        let first = traces[0].liquidations[0]
            .block
            .min(other.liquidations[0].block);
        assert!(first > 1);
        for (a, b) in traces[0]
            .blocks
            .iter()
            .zip(&other.blocks)
            .take(first as usize)
        {
            let named = BlockRow {
                policy: a.policy.clone(),
                ..b.clone()
            };
            assert_eq!(*a, named);
        }
    }
}

#[test]
fn gas_spike_delays_and_drops() {
    let input = input(160, 0.2, accounts(30));
    let trace = trace(&parameters(), &input, WorldKind::Policy(Policy::Rigid), 1);
    let peak = trace
        .blocks
        .iter()
        .map(|row| row.base_fee_gwei)
        .fold(0.0, f64::max);
    assert!((trace.blocks[0].base_fee_gwei - 20.0).abs() < 0.1);
    assert!(peak > 120.0, "{peak}");
    assert!(trace.blocks.iter().any(|row| row.waiting > 0));
}

struct Stopper(u64);

impl Observer for Stopper {
    fn block(&mut self, completed: u64, total: u64) -> ControlFlow<()> {
        assert_eq!(total, 30);
        if completed == self.0 {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    }
}

#[test]
fn an_observer_can_stop_a_run() {
    let input = input(30, 0.0, accounts(2));
    let stopped = run(&parameters(), &input, WORLDS[0], 1, &mut Stopper(3));
    assert!(matches!(
        stopped,
        Err(SimError::Interrupted { completed: 3 })
    ));
}

#[test]
fn impossible_worlds_are_refused_with_a_reason() {
    let refused = |change: fn(&mut breakwater_sim::config::WorldInput)| {
        let mut input = input(10, 0.0, accounts(2));
        change(&mut input);
        run(&parameters(), &input, WORLDS[0], 1, &mut support::Quiet)
            .unwrap_err()
            .to_string()
    };
    assert!(refused(|input| input.accounts.clear()).contains("no accounts"));
    assert!(
        refused(|input| input.gas_gwei.truncate(3)).contains("gas_gwei has 3 entries, prices 11")
    );
    assert!(refused(|input| input.prices[4] = 0.0).contains("prices at block 4 is 0"));
    assert!(refused(|input| input.accounts[1].debt *= 2.0).contains("account 1 owes"));
    let mut parameters = parameters();
    parameters.venue.depth = 0.0;
    let input = input(10, 0.0, accounts(2));
    let error = run(&parameters, &input, WORLDS[0], 1, &mut support::Quiet)
        .unwrap_err()
        .to_string();
    assert!(error.contains("venue.depth = 0"), "{error}");
}

/// Ablations ask for the whole bonus at once, of listings whose whole bonus differs; one asked for less than that was once refused.
#[test]
fn a_starting_bonus_is_held_to_the_listings_greatest() {
    for greatest in [0.01, 0.05] {
        let mut parameters = parameters();
        parameters.collateral.max_bonus = greatest;
        parameters.damped.bonus_min = Some(0.5);
        let input = input(150, 0.2, accounts(40));
        let trace = trace(&parameters, &input, WorldKind::Policy(Policy::Damped), 1);
        // Far below that, what the collateral is worth bounds the bonus.
        let solvent = |health: f64| health > 0.9;
        let rows = &trace.liquidations;
        let whole = rows.iter().filter(|row| solvent(row.health_before));
        assert!(whole.clone().count() > 0);
        for row in whole {
            assert!((row.bonus - greatest).abs() < 1e-12, "{row:?}");
        }
    }
}

#[test]
fn the_engine_alone_does_what_a_recorded_run_did() {
    let (parameters, input) = (parameters(), input(80, 0.2, accounts(20)));
    for kind in WORLDS {
        let recorded = run_recorded(&parameters, &input, kind, 1, &mut Quiet).unwrap();
        let plain = trace(&parameters, &input, kind, 1);
        assert_eq!(recorded.trace.blocks, plain.blocks);
        assert_eq!(recorded.trace.liquidations, plain.liquidations);
        assert!(!plain.liquidations.is_empty());
        let (mut setup, _) = recorded.setup.replay().unwrap();
        let mut start = recorded.blocks.start().chain();
        assert_eq!(setup.state_digest(), start.state_digest());
        let (_, gas) = recorded.blocks.replay().unwrap();
        let used: u64 = recorded.trace.blocks.iter().map(|row| row.gas_used).sum();
        assert_eq!(gas, used);
    }
}

#[test]
fn a_breaker_without_signals_never_trips_and_one_with_them_does_whether_obeyed_or_not() {
    let level = |change: fn(&mut DampedOverrides)| {
        let mut parameters = parameters();
        change(&mut parameters.damped);
        let input = input(150, 0.45, accounts(40));
        let trace = trace(&parameters, &input, WorldKind::Policy(Policy::Damped), 1);
        let levels = trace.blocks.iter().map(|row| row.breaker_level);
        levels.max().unwrap()
    };
    assert!(level(|_| {}) > 0);
    assert!(level(|damped| damped.obeys_pause = Some(true)) > 0);
    assert_eq!(level(|damped| damped.breaker = Some(false)), 0);
}

#[test]
fn a_wider_margin_makes_more_liquidations_hard() {
    let input = input(150, 0.35, accounts(40));
    let seeded = |policy, margin, seed| {
        let mut parameters = parameters();
        parameters.damped.slippage_margin = margin;
        trace(&parameters, &input, WorldKind::Policy(policy), seed)
    };
    let traced = |policy, margin| seeded(policy, margin, 1);
    // Of four seeds together: of one it depends on who wins a few races.
    let hard = |margin| {
        let traces = [1, 2, 3, 4].map(|seed| seeded(Policy::Damped, Some(margin), seed));
        let rows = traces.iter().flat_map(|trace| &trace.liquidations);
        let rows = rows.filter(|row| !row.settlement);
        let (hard, all) = rows.fold((0.0, 0.0), |(hard, all), row| {
            let own = row.health_before <= row.health_hard;
            (
                hard + f64::from(u8::from(own)) * row.repaid,
                all + row.repaid,
            )
        });
        hard / all
    };
    let shares = [0.0, 0.05, 0.0928].map(hard);
    assert!(shares[0] < shares[1] && shares[1] < shares[2], "{shares:?}");
    let plain = traced(Policy::Rigid, None);
    assert_eq!(
        traced(Policy::Rigid, Some(0.0)).liquidations,
        plain.liquidations
    );
}

#[test]
fn a_margin_that_cannot_be_is_refused_by_its_key() {
    for wrong in [-0.01, 0.51, f64::NAN] {
        let mut parameters = parameters();
        parameters.damped.slippage_margin = Some(wrong);
        let input = input(10, 0.0, accounts(2));
        let error = run(&parameters, &input, WORLDS[2], 1, &mut Quiet)
            .unwrap_err()
            .to_string();
        assert!(error.contains("damped.slippage_margin"), "{error}");
    }
}

//! The backstop's figures on rows small enough to compute by hand.

#![allow(
    clippy::unwrap_used,
    clippy::float_cmp,
    reason = "a test may stop, and these numbers are exact"
)]

mod common;

use std::path::Path;

use breakwater_experiments::metrics::{BackstopFigures, Figures, depositor_drawdown};
use breakwater_experiments::scenario::{Scenario, Source};
use breakwater_experiments::store::{
    read_absorptions, read_backstop, write_absorptions, write_backstop,
};
use breakwater_sim::trace::{AbsorptionRow, BackstopRow, Trace};

fn row(block: u64) -> BackstopRow {
    BackstopRow {
        policy: "damped".to_owned(),
        block,
        assets: 1_000.0,
        entering: 0.0,
        leaving: 0.0,
        inventory: 0.0,
        sale_open: false,
        sale_price: 0.0,
        for_sale: 0.0,
        deposits: 1_000.0,
        absorbed: 0.0,
        received: 0.0,
        discount: 0.0,
        released: 0.0,
        release_proceeds: 0.0,
        premium: 0.0,
        claimed_assets: 0.0,
        claimed_collateral: 0.0,
        dumped: 0.0,
        dump_proceeds: 0.0,
        depositor_gas: 0.0,
        depositor_profit: 0.0,
        caller_profit: 0.0,
        buyer_profit: 0.0,
        entries: 0,
        exits: 0,
        exit_wait: 0,
        longest_exit_wait: 0,
    }
}

fn absorption() -> AbsorptionRow {
    AbsorptionRow {
        policy: "damped".to_owned(),
        block: 1,
        index: 0,
        account: 3,
        settlement: false,
        repaid: 400.0,
        absorbed: 400.0,
        received: 4.036,
        handed_over: 0.004,
        written_off: 0.0,
        bonus: 0.01,
        health_before: 0.98,
        health_after: 1.05,
        health_hard: 0.92,
        fast_price: 100.0,
        reference_price: 100.0,
        gas_used: 235_000,
        gas_price_gwei: 20.0,
        profit: 0.1,
    }
}

/// Three blocks of 12 seconds: 400 spent on 4.036 of collateral, a quarter of which is sold after a block; it ends at 90.
fn world() -> Trace {
    let mut trace = common::trace("damped", 2, 0.0);
    for (block, price) in trace.blocks.iter_mut().zip([100.0, 100.0, 90.0]) {
        (block.reference_price, block.debt) = (price, 2_000.0);
    }
    let bought = BackstopRow {
        assets: 600.0,
        inventory: 4.036,
        absorbed: 400.0,
        received: 4.036,
        discount: 3.6,
        depositor_profit: 3.6,
        ..row(1)
    };
    let sold = BackstopRow {
        block: 2,
        inventory: 3.027,
        released: 1.009,
        release_proceeds: 100.0,
        // 100 + 3.027 · 90 − 400
        depositor_profit: -27.57,
        exits: 2,
        exit_wait: 108_000,
        longest_exit_wait: 64_800,
        ..bought.clone()
    };
    trace.backstop = vec![row(0), bought, sold];
    trace.absorptions = vec![absorption()];
    trace
}

#[test]
fn figures_follow_from_rows() {
    let figures = BackstopFigures::compute(&world()).unwrap();
    assert_eq!(figures.absorptions, 1);
    assert_eq!(figures.absorbed_volume, Some(0.2));
    assert_eq!(figures.capital_used, Some(0.4));
    assert_eq!(figures.capital_left, Some(0.6));
    assert_eq!(figures.depositor_return, Some(-0.02757));
    assert_eq!(figures.inventory_left, Some(3.027 * 90.0 / 1_000.0));
    // 4.036 for 12 seconds; what is there in the last block has been there for none yet.
    assert_eq!(figures.holding_hours, Some(12.0 / 3_600.0));
    assert_eq!(figures.exit_wait_hours, Some(15.0));
    assert_eq!(figures.longest_exit_wait_hours, Some(18.0));
    assert_eq!(figures.dumped_share, Some(0.0));
    // From 1.0036 to 0.97243.
    let drawdown = depositor_drawdown(&world().backstop);
    assert!((drawdown - (1.0 - 0.97243 / 1.0036)).abs() < 1e-12);
    assert_eq!(
        BackstopFigures::compute(&common::trace("damped", 2, 0.0)),
        None
    );
}

#[test]
fn who_comes_later_does_not_dilute_a_drawdown() {
    let at = |block, deposits, depositor_profit| BackstopRow {
        deposits,
        depositor_profit,
        ..row(block)
    };
    // A seventh is earned, half as much again comes in, and nobody loses anything.
    assert_eq!(
        depositor_drawdown(&[at(0, 100.0, 0.0), at(1, 100.0, 14.0), at(2, 150.0, 14.0)]),
        0.0
    );
    // Of 114 that are there, 57 are lost, and then, of 107 with another 50, a tenth.
    let rows = [
        at(0, 100.0, 0.0),
        at(1, 100.0, 14.0),
        at(2, 150.0, -43.0),
        at(3, 150.0, -53.7),
    ];
    assert!((depositor_drawdown(&rows) - (1.0 - 0.5 * 0.9)).abs() < 1e-12);
    // Who waits to come in has no part in it, nor has what was taken out.
    let rows = [
        BackstopRow {
            entering: 50.0,
            claimed_assets: 60.0,
            ..at(0, 150.0, 0.0)
        },
        at(1, 150.0, -10.0),
    ];
    assert!((depositor_drawdown(&rows) - 0.25).abs() < 1e-12);
}

#[test]
fn nobody_asked_and_nothing_absorbed_is_not_applicable() {
    let mut trace = world();
    trace.backstop = vec![row(0), row(1), row(2)];
    trace.absorptions.clear();
    let figures = BackstopFigures::compute(&trace).unwrap();
    assert_eq!(
        (figures.exit_wait_hours, figures.holding_hours),
        (None, None)
    );
    assert_eq!(figures.longest_exit_wait_hours, None);
    assert_eq!(figures.depositor_drawdown, 0.0);
}

#[test]
fn what_borrowers_pay_includes_absorptions_and_is_written_only_where_there_is_a_backstop() {
    let (mut trace, without) = (world(), common::trace("counterfactual", 2, 0.0));
    trace.liquidations.clear();
    let figures = Figures::compute(&trace, &without).unwrap();
    assert!((figures.borrower_cost - 4.0).abs() < 1e-12);
    assert_eq!(figures.liquidated_volume, Some(0.0));
    let json = serde_json::to_value(&figures).unwrap();
    assert_eq!(json["backstop"]["absorptions"], 1);
    let json = serde_json::to_value(Figures::compute(&without, &without).unwrap()).unwrap();
    assert!(json.get("backstop").is_none());
}

#[test]
fn tables_come_back_as_they_were_written() {
    let folder = tempfile::tempdir().unwrap();
    let (states, absorbed) = (folder.path().join("states"), folder.path().join("absorbed"));
    let world = world();
    write_backstop(&states, &[&world.backstop, &[]], &[]).unwrap();
    write_absorptions(&absorbed, &[&world.absorptions, &[]], &[]).unwrap();
    assert_eq!(read_backstop(&states).unwrap(), world.backstop);
    assert_eq!(read_absorptions(&absorbed).unwrap(), world.absorptions);
}

#[test]
fn a_scenario_may_have_a_backstop_of_which_only_the_capital_is_said() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios/persistent-30.toml");
    let shipped = std::fs::read_to_string(path).unwrap();
    let read = |table: &str| {
        let text = format!("{}\n[backstop]\n{table}\n", shipped);
        Scenario::read(&Source::new(Path::new("own.toml"), text)).map_err(|error| error.to_string())
    };
    let plain = Scenario::read(&Source::find("persistent-30").unwrap()).unwrap();
    assert_eq!(plain.backstop(), None);
    let backstop = read("capital = 0.1").unwrap().backstop().unwrap().clone();
    let expected = breakwater_sim::config::BackstopParameters::with_capital(0.1);
    assert_eq!(backstop, expected);
    let said = read("capital = 0.1\nperiod_seconds = 60").unwrap_err();
    assert!(
        said.contains("own.toml")
            && said.contains("backstop.period_seconds is 60, expected 14400 to"),
        "{said}"
    );
    let said = read("depositors = 3").unwrap_err();
    assert!(said.contains("missing field `capital`"), "{said}");
}

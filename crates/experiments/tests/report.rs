//! The report is one file that needs nothing else, whatever the run was like.

#![allow(clippy::unwrap_used, reason = "a test may stop")]

mod common;

use std::collections::BTreeMap;

use breakwater_experiments::metrics::Figures;
use breakwater_experiments::report::{FIGURES, LeftOut, Report, Setting, World};
use breakwater_sim::trace::Trace;

/// The report of these worlds, the last being the counterfactual.
fn render(worlds: &[Trace], names: &[&'static str]) -> String {
    let (counterfactual, policies) = worlds.split_last().unwrap();
    let figures: Vec<_> = worlds
        .iter()
        .map(|trace| Figures::compute(trace, counterfactual).unwrap())
        .collect();
    let policies: Vec<_> = policies
        .iter()
        .zip(&figures)
        .zip(names)
        .map(|((trace, figures), name)| World {
            name,
            trace,
            figures,
        })
        .collect();
    Report {
        title: "Black Thursday <12 March 2020>",
        scenario: "black-thursday",
        description: "ETH lost half its price in a day while gas rose twentyfold.",
        sources: &["A source \u{2014} with \"quotes\"".to_owned()],
        seed: 1,
        commit: "0123456789abcdef",
        command: "breakwater simulate black-thursday --seed 1",
        accounts: 1000,
        policies: &policies,
        counterfactual: World {
            name: "counterfactual",
            trace: counterfactual,
            figures: figures.last().unwrap(),
        },
        settings: &[Setting {
            key: "venue.depth".to_owned(),
            value: "2".to_owned(),
            meaning: "x/C".to_owned(),
            source: "</script><script>alert(1)</script>".to_owned(),
        }],
        left_out: &[LeftOut {
            row: 7,
            account: "0xabc".to_owned(),
            reason: "LTV of 0.93".to_owned(),
        }],
        notes: &["gas.csv: ends 3 blocks early".to_owned()],
        identity: &[("configuration".to_owned(), "0x00".to_owned())],
        contracts: &BTreeMap::from([("LendingPool".to_owned(), "0x01".to_owned())]),
    }
    .render()
}

#[test]
fn a_day_fits_into_two_megabytes_and_needs_nothing_else() {
    let html = render(&common::worlds(7200), &["rigid", "target-health", "damped"]);
    std::fs::write(
        std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("report.html"),
        &html,
    )
    .unwrap();
    assert!(html.len() < 2_000_000, "{} bytes", html.len());
    for outside in ["http://", "https://", "src=", "@import", "url(", "file:"] {
        assert!(!html.contains(outside), "the report reaches for {outside}");
    }
    for figure in &FIGURES {
        assert!(html.contains(figure.name), "{} is missing", figure.name);
    }
    assert!(html.contains("Black Thursday &lt;12 March 2020&gt;"));
    assert!(
        !html.contains("<script>alert(1)"),
        "text of a scenario must not become markup"
    );
    assert_eq!(
        html.matches("<script").count(),
        html.matches("</script>").count()
    );
    assert!(
        !html.contains("NaN") && !html.contains(">inf"),
        "numbers that are none"
    );
}

#[test]
fn the_headline_says_what_the_figures_say() {
    let html = render(&common::worlds(600), &["rigid", "target-health", "damped"]);
    assert!(
        html.contains("Dampening took"),
        "less impact, less overshoot"
    );
    // The same worlds with the policies' roles exchanged.
    let [rigid, target, damped, counterfactual] = common::worlds(600);
    let html = render(
        &[damped, target, rigid, counterfactual],
        &["rigid", "target-health", "damped"],
    );
    assert!(html.contains("Dampening made the overshoot") && html.contains("larger"));
    let [rigid, ..] = common::worlds(600);
    let html = render(&[rigid.clone(), rigid.clone(), rigid], &["rigid", "damped"]);
    assert!(html.contains("Dampening made no difference to the overshoot"));
}

#[test]
fn small_and_partial_runs_render() {
    for blocks in [1, 2, 50, 97] {
        let [rigid, .., counterfactual] = common::worlds(blocks);
        let html = render(&[rigid, counterfactual], &["rigid"]);
        assert!(html.contains("Liquidation under rigid"), "{blocks} blocks");
        assert!(!html.contains("NaN"), "{blocks} blocks");
    }
    // Nothing happens, nobody owes anything.
    let mut quiet = common::trace("damped", 20, 0.5);
    quiet.liquidations.clear();
    for row in &mut quiet.blocks {
        (
            row.debt,
            row.shortfall,
            row.written_off,
            row.health_histogram,
        ) = (0.0, 0.0, 0.0, Default::default());
    }
    let html = render(&[quiet.clone(), quiet], &["damped"]);
    assert!(html.contains("n/a") && !html.contains("NaN"));
}

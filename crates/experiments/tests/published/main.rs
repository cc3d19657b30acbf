//! `results/README.md` quotes the sweeps whose excerpts are beside it: the rows of its tables are computed from them again.

#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use breakwater_experiments::sweep::read_summary;
use breakwater_experiments::sweep::statistics::Estimate;
use breakwater_experiments::sweep::summary::{CellSummary, Difference};

fn mean(cell: &CellSummary, policy: &str, figure: &str) -> f64 {
    cell.means[policy][figure].value
}

/// The differences of one policy from another.
fn compared<'a>(
    cell: &'a CellSummary,
    against: &str,
    policy: &str,
) -> &'a BTreeMap<String, Difference> {
    let against = cell.comparisons.iter().filter(|one| one.against == against);
    against
        .filter_map(|one| one.differences.get(policy))
        .next()
        .unwrap()
}

/// A change in percent with its interval: `-23 (-25, -21)`.
fn change(cell: &CellSummary, against: &str, policy: &str, figure: &str) -> String {
    let differences = compared(cell, against, policy);
    let Some(relative) = differences[figure].relative else {
        return "not defined".to_owned();
    };
    interval(&relative, 100.0, 0)
}

fn interval(estimate: &Estimate, scale: f64, digits: usize) -> String {
    let number = |value: f64| minus(value * scale, digits);
    // Where in some resample nothing happened under the other policy, there is no interval.
    match (estimate.low, estimate.high) {
        (Some(low), Some(high)) => {
            format!(
                "{} ({}, {})",
                number(estimate.value),
                number(low),
                number(high)
            )
        }
        _ => "not defined".to_owned(),
    }
}

/// A number with a true minus, and none before nothing.
fn minus(value: f64, digits: usize) -> String {
    let text = format!("{value:.digits$}");
    let nothing = |sign| matches!(sign, '-' | '0' | '.');
    if text.chars().all(nothing) {
        text.replace('-', "")
    } else {
        text.replace('-', "\u{2212}")
    }
}

fn tail(cell: &CellSummary, policy: &str) -> f64 {
    cell.tails[policy]["bad_debt_bp"].value
}

fn bad_debt(value: f64) -> String {
    match value {
        value if value >= 100.0 => format!("{value:.0}"),
        value if value >= 1.0 => format!("{value:.1}"),
        value => format!("{value:.2}"),
    }
}

/// The finding, a row a scenario.
fn headline(cell: &CellSummary) -> String {
    let overshoot = |policy| format!("{:.2}", 100.0 * mean(cell, policy, "overshoot"));
    let debts = |policy| {
        format!(
            "{} / {}",
            bad_debt(mean(cell, policy, "bad_debt_bp")),
            bad_debt(tail(cell, policy))
        )
    };
    [
        format!("`{}`", cell.scenario),
        overshoot("rigid"),
        overshoot("target-health"),
        overshoot("damped"),
        change(cell, "rigid", "damped", "overshoot"),
        change(cell, "target-health", "damped", "overshoot"),
        change(cell, "rigid", "damped", "liquidated_volume"),
        debts("rigid"),
        debts("target-health"),
        debts("damped"),
        format!(
            "{:.2}",
            mean(cell, "damped", "blocks_to_solvency") / mean(cell, "rigid", "blocks_to_solvency")
        ),
    ]
    .join(" | ")
}

/// With a backstop of a tenth of collateral and without, a row a scenario.
fn backstop(cell: &CellSummary) -> String {
    let percent = |policy, figure, digits: usize| {
        let found = cell.means[policy].get(figure);
        found.map_or_else(
            || "none".to_owned(),
            |found| minus(100.0 * found.value, digits),
        )
    };
    let overshoot = |policy| percent(policy, "overshoot", 2);
    let debt = |policy| bad_debt(mean(cell, policy, "bad_debt_bp"));
    let below = |policy| mean(cell, policy, "blocks_to_solvency");
    let hours = cell.means["damped-10"].get("exit_wait_hours");
    [
        format!("`{}`", cell.scenario),
        ["rigid", "rigid-10", "target-health-10", "damped-10"]
            .map(overshoot)
            .join(", "),
        change(cell, "rigid", "damped-10", "overshoot"),
        change(cell, "rigid-10", "damped-10", "overshoot"),
        change(cell, "target-health-10", "damped-10", "overshoot"),
        ["rigid", "damped", "rigid-10", "damped-10"]
            .map(debt)
            .join(", "),
        match below("damped-10") / below("rigid") {
            ratio if ratio.is_nan() => "not defined".to_owned(),
            ratio => minus(ratio, 2),
        },
        format!(
            "{} ({})",
            percent("damped-10", "depositor_return", 1),
            percent("damped-10", "depositor_drawdown", 1)
        ),
        hours.map_or_else(|| "nobody left".to_owned(), |hours| minus(hours.value, 1)),
    ]
    .join(" | ")
}

/// Where impact stays or the market is thin, a row a cell.
fn permanent(cell: &CellSummary) -> String {
    let policies = ["rigid", "target-health", "damped"];
    let overshoot = |policy| format!("{:.1}", 100.0 * mean(cell, policy, "overshoot"));
    let debt = |policy| bad_debt(mean(cell, policy, "bad_debt_bp"));
    let half_life = match cell.recovery_half_life {
        0.0 => "never".to_owned(),
        seconds => format!("{} min", seconds / 60.0),
    };
    let absolute = &compared(cell, "rigid", "damped")["bad_debt_bp"].mean;
    [
        format!("`{}`", cell.scenario),
        format!("{}, {}, {half_life}", cell.depth, cell.pass_through),
        policies.map(overshoot).join(", "),
        change(cell, "rigid", "damped", "overshoot"),
        change(cell, "target-health", "damped", "overshoot"),
        change(cell, "rigid", "damped", "liquidated_volume"),
        policies.map(debt).join(", "),
        interval(absolute, 1.0, 1),
    ]
    .join(" | ")
}

/// After an instant fall, a row a fall.
fn shocks(cell: &CellSummary) -> String {
    let policies = ["rigid", "target-health", "damped"];
    let percent = |policies: &[&str], figure, digits: usize| {
        let each = policies.iter().map(|policy| {
            let value = 100.0 * mean(cell, policy, figure);
            format!("{value:.digits$}")
        });
        each.collect::<Vec<_>>().join(", ")
    };
    let thousands = |figure| {
        policies
            .map(|policy| minus(mean(cell, policy, figure) / 1_000.0, 0))
            .join(", ")
    };
    let fall = cell.scenario.rsplit('-').next().unwrap();
    [
        format!("{}%", fall.trim_start_matches('0')),
        percent(
            &["counterfactual", "rigid", "target-health", "damped"],
            "liquidated_volume",
            1,
        ),
        percent(&policies, "overshoot", 2),
        change(cell, "rigid", "damped", "overshoot"),
        policies
            .map(|policy| bad_debt(mean(cell, policy, "bad_debt_bp")))
            .join(", "),
        thousands("borrower_cost"),
        thousands("rebound_forgone"),
    ]
    .join(" | ")
}

#[test]
fn the_readme_quotes_what_was_found() {
    let results = Path::new(env!("CARGO_MANIFEST_DIR")).join("results");
    let readme = fs::read_to_string(results.join("README.md")).unwrap();
    let lacks = |name: &str, row: fn(&CellSummary) -> String| {
        let summary = read_summary(&results.join(name)).unwrap();
        let rows = summary
            .cells
            .iter()
            .map(|cell| format!("| {} |", row(cell)));
        let mut missing: Vec<String> = rows.collect();
        missing.retain(|row| !readme.contains(row));
        assert!(
            missing.is_empty(),
            "README.md lacks\n{}",
            missing.join("\n")
        );
    };
    lacks("headline", headline);
    lacks("backstop", backstop);
    lacks("permanent", permanent);
    lacks("shocks", shocks);
    let entries = fs::read_dir(results)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    for sweep in entries.filter(|path| path.is_dir()) {
        let summary = read_summary(&sweep).unwrap();
        assert_eq!(summary.range, "reporting", "{}", summary.name);
        for cited in [&summary.configuration_hash, &summary.commit] {
            assert!(
                readme.contains(cited.as_str()),
                "README.md lacks {cited}, of {}",
                summary.name
            );
        }
    }
}

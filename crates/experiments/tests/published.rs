//! The README quotes sweeps whose excerpts are in `results/`: the rows of their tables are computed from them again.

#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::{Path, PathBuf};

use breakwater_experiments::sweep::read_summary;
use breakwater_experiments::sweep::statistics::Estimate;
use breakwater_experiments::sweep::summary::{CellSummary, SweepSummary};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_path_buf()
}

fn mean(cell: &CellSummary, policy: &str, figure: &str) -> f64 {
    cell.means[policy][figure].value
}

/// A change in percent with its interval: `-23 (-25, -21)`.
fn change(cell: &CellSummary, against: &str, policy: &str, figure: &str) -> String {
    let comparison = cell
        .comparisons
        .iter()
        .find(|comparison| comparison.against == against)
        .unwrap();
    let Some(relative) = comparison.differences[policy][figure].relative else {
        return "not defined".to_owned();
    };
    interval(&relative, 100.0, 0)
}

fn interval(estimate: &Estimate, scale: f64, digits: usize) -> String {
    let number = |value: f64| {
        let text = format!("{:.digits$}", value * scale);
        // Nothing is less than nothing.
        if text
            .trim_start_matches('-')
            .chars()
            .all(|sign| matches!(sign, '0' | '.'))
        {
            text.trim_start_matches('-').to_owned()
        } else {
            text.replace('-', "\u{2212}")
        }
    };
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
fn headline(summary: &SweepSummary) -> Vec<String> {
    let row = |cell: &CellSummary| {
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
                mean(cell, "damped", "blocks_to_solvency")
                    / mean(cell, "rigid", "blocks_to_solvency")
            ),
        ]
        .join(" | ")
    };
    summary
        .cells
        .iter()
        .map(|cell| format!("| {} |", row(cell)))
        .collect()
}

#[test]
fn the_readme_quotes_what_was_found() {
    let readme = fs::read_to_string(folder().join("README.md")).unwrap();
    let results = folder().join("results");
    let summary = read_summary(&results.join("headline")).unwrap();
    let missing: Vec<String> = headline(&summary)
        .into_iter()
        .filter(|row| !readme.contains(row))
        .collect();
    assert!(
        missing.is_empty(),
        "README.md lacks\n{}",
        missing.join("\n")
    );
    for entry in fs::read_dir(results).unwrap() {
        let summary = read_summary(&entry.unwrap().path()).unwrap();
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

//! Numbers as the tables write them.

use std::collections::BTreeMap;

use breakwater_experiments::sweep::statistics::Estimate;
use breakwater_experiments::sweep::summary::{CellSummary, Difference};

/// Where nothing can be compared.
const NOT_DEFINED: &str = "not defined";

pub fn mean(cell: &CellSummary, policy: &str, figure: &str) -> f64 {
    cell.means[policy][figure].value
}

/// The differences of one policy from another.
pub fn compared<'a>(
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
pub fn change(cell: &CellSummary, against: &str, policy: &str, figure: &str) -> String {
    let differences = compared(cell, against, policy);
    let found = differences.get(figure).and_then(|found| found.relative);
    found.map_or_else(
        || NOT_DEFINED.to_owned(),
        |found| interval(&found, 100.0, 0),
    )
}

pub fn interval(estimate: &Estimate, scale: f64, digits: usize) -> String {
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
        _ => NOT_DEFINED.to_owned(),
    }
}

/// A number with a true minus, and none before nothing.
pub fn minus(value: f64, digits: usize) -> String {
    let text = format!("{value:.digits$}");
    let nothing = |sign| matches!(sign, '-' | '0' | '.');
    if text.chars().all(nothing) {
        text.replace('-', "")
    } else {
        text.replace('-', "\u{2212}")
    }
}

pub fn tail(cell: &CellSummary, policy: &str) -> f64 {
    cell.tails[policy]["bad_debt_bp"].value
}

pub fn bad_debt(value: f64) -> String {
    match value {
        value if value >= 100.0 => format!("{value:.0}"),
        value if value >= 1.0 => format!("{value:.1}"),
        value => format!("{value:.2}"),
    }
}

/// The same of the figure itself, times `scale`.
pub fn difference(
    cell: &CellSummary,
    against: &str,
    policy: &str,
    figure: &str,
    scale: f64,
    digits: usize,
) -> String {
    // No seed has the figure under both.
    let found = compared(cell, against, policy).get(figure);
    found.map_or_else(
        || NOT_DEFINED.to_owned(),
        |found| interval(&found.mean, scale, digits),
    )
}

/// The value where its interval does not hold zero, and a dot where it does.
pub fn beyond_chance(estimate: &Estimate, scale: f64, digits: usize) -> String {
    if estimate.side() == 0 {
        "\u{b7}".to_owned()
    } else {
        minus(estimate.value * scale, digits)
    }
}

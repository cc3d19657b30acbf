//! The part of a sweep's summary that a repository keeps: the figures that are quoted, to the digits that they are good for. It has
//! the form of `sweep.json`, so that `breakwater report` renders it too.

use std::collections::BTreeMap;

use serde_json::Value;

use super::statistics::Estimate;
use super::summary::{Difference, SweepSummary};

/// The figures whose means are kept; of Sobol indices all are.
const FIGURES: [&str; 27] = [
    "absorbed_volume",
    "adversary_profit",
    "bad_debt_bp",
    "bad_debt_max_bp",
    "blocks_to_solvency",
    "blocks_with_insolvency",
    "bonus_spread",
    "borrower_cost",
    "breaker_false_minutes",
    "breaker_missed_minutes",
    "depositor_drawdown",
    "depositor_return",
    "drawdown_amplification",
    "exit_wait_hours",
    "keeper_concentration",
    "keeper_profit",
    "lender_loss",
    "liquidated_accounts",
    "liquidated_volume",
    "liquidation_amplification",
    "mean_wait_minutes",
    "oracle_error_max",
    "overshoot",
    "rebound_forgone",
    "reverted_share",
    "toxic_volume",
    "wait_by_size",
];

/// Those whose differences between policies are kept.
const COMPARED: [&str; 13] = [
    "adversary_profit",
    "bad_debt_bp",
    "bad_debt_max_bp",
    "blocks_to_solvency",
    "bonus_spread",
    "borrower_cost",
    "keeper_concentration",
    "keeper_profit",
    "liquidated_volume",
    "mean_wait_minutes",
    "overshoot",
    "reverted_share",
    "wait_by_size",
];

/// Significant digits that are kept: intervals are wider than the fifth.
const DIGITS: usize = 5;

impl SweepSummary {
    /// The summary with the figures that are quoted alone, rounded.
    #[must_use]
    pub fn excerpt(mut self) -> Self {
        for cell in &mut self.cells {
            for kept in cell.means.values_mut().chain(cell.tails.values_mut()) {
                keep(kept, &FIGURES, shorten);
            }
            for comparison in &mut cell.comparisons {
                for kept in comparison.differences.values_mut() {
                    keep(kept, &COMPARED, shorten_difference);
                }
            }
        }
        for indices in &mut self.sobol {
            indices.mean = rounded(indices.mean);
            indices.variance = rounded(indices.variance);
            for input in &mut indices.inputs {
                let both = [&mut input.first, &mut input.total];
                both.into_iter().flatten().for_each(shorten);
            }
        }
        self
    }

    /// JSON with a line for each key, and for each element of a list.
    ///
    /// # Errors
    /// [`serde_json::Error`] never in practice: a summary has no keys but strings.
    pub fn to_json_lines(&self) -> Result<String, serde_json::Error> {
        let Value::Object(fields) = serde_json::to_value(self)? else {
            return self.to_json();
        };
        let lines: Vec<String> = fields
            .iter()
            .map(|(key, value)| {
                let Value::Array(items) = value else {
                    return format!("\"{key}\": {value}");
                };
                let items: Vec<String> = items.iter().map(Value::to_string).collect();
                format!("\"{key}\": [\n{}\n]", items.join(",\n"))
            })
            .collect();
        Ok(format!("{{\n{}\n}}\n", lines.join(",\n")))
    }
}

fn keep<T>(kept: &mut BTreeMap<String, T>, figures: &[&str], shorten: impl Fn(&mut T)) {
    kept.retain(|key, _| figures.contains(&key.as_str()));
    kept.values_mut().for_each(shorten);
}

fn shorten_difference(difference: &mut Difference) {
    shorten(&mut difference.mean);
    difference.relative.iter_mut().for_each(shorten);
    difference.tail.iter_mut().for_each(shorten);
}

fn shorten(estimate: &mut Estimate) {
    let ends = [&mut estimate.low, &mut estimate.high];
    for number in ends.into_iter().flatten().chain([&mut estimate.value]) {
        *number = rounded(*number);
    }
}

/// A number to its significant digits.
fn rounded(number: f64) -> f64 {
    format!("{number:.*e}", DIGITS - 1)
        .parse()
        .unwrap_or(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_keep_their_significant_digits() {
        for (number, short) in [
            (0.0, 0.0),
            (-0.123_456_789, -0.123_46),
            (98_765.432_1, 98_765.0),
            (1_234_567.0, 1_234_600.0),
            (3e-9, 3e-9),
        ] {
            assert_eq!(rounded(number), short);
        }
    }
}

//! The charts of a run.

mod backstop;
mod liquidations;
mod prices;

use breakwater_sim::trace::{BlockRow, HEALTH_BIN_EDGES, HEALTH_BINS, Trace};

use super::chart::{Chart, Join, Line, Scale, Stack, TimeAxis};
use crate::metrics::bad_debt_bp;

/// Sizes in drawing units.
const WIDE: (f64, f64) = (1120.0, 330.0);
const HALF: (f64, f64) = (560.0, 260.0);
const THIRD: (f64, f64) = (420.0, 240.0);

/// The CSS classes of the health-factor bins, worst first.
const BIN_CLASSES: [&str; HEALTH_BINS] = [
    "h0", "h1", "h2", "h3", "h4", "h5", "h6", "h7", "h8", "h9", "h10", "h11",
];

/// A heading with its charts; how wide the charts are decides how many share a row.
pub(super) struct Section {
    /// The heading.
    pub title: &'static str,
    /// What to look for; may be empty.
    pub text: String,
    /// CSS class of the grid.
    pub grid: &'static str,
    /// The charts.
    pub charts: Vec<Chart>,
}

/// The worlds of a run: the policies in order, with their CSS classes, and the counterfactual.
pub(super) struct Worlds<'a> {
    /// Name (also the CSS class) and rows.
    pub policies: &'a [(&'static str, &'a Trace)],
    /// The same without impact.
    pub counterfactual: &'a Trace,
}

impl Worlds<'_> {
    fn time(&self) -> TimeAxis {
        let rows = &self.counterfactual.blocks;
        let step = match rows[..] {
            [ref first, ref second, ..] => second.timestamp.saturating_sub(first.timestamp).max(1),
            _ => 1,
        };
        TimeAxis {
            first: rows.first().map_or(0, |row| row.block),
            start: rows.first().map_or(0, |row| row.timestamp),
            step,
            length: rows.len(),
        }
    }

    fn chart(&self, title: &str, unit: &'static str, size: (f64, f64), scale: Scale) -> Chart {
        Chart {
            title: title.to_owned(),
            note: String::new(),
            unit,
            size,
            time: self.time(),
            scale,
            at_least: f64::NEG_INFINITY,
            legend: true,
            stack: None,
            lines: Vec::new(),
        }
    }

    /// One line a policy.
    fn lines(&self, join: Join, column: impl Fn(&BlockRow) -> f64) -> Vec<Line> {
        let line = |(name, trace): &(&'static str, &Trace)| Line {
            name: (*name).to_owned(),
            class: name,
            values: trace.blocks.iter().map(&column).collect(),
            join,
        };
        self.policies.iter().map(line).collect()
    }

    fn without_impact(&self, column: impl Fn(&BlockRow) -> f64) -> Line {
        Line {
            name: "counterfactual".to_owned(),
            class: "counterfactual",
            values: self.counterfactual.blocks.iter().map(column).collect(),
            join: Join::Straight,
        }
    }

    /// Every section of the report.
    pub(super) fn sections(&self) -> Vec<Section> {
        vec![
            self.prices(),
            self.liquidations(),
            self.health(),
            self.losses(),
            self.network(),
        ]
    }

    fn health(&self) -> Section {
        let charts = self
            .policies
            .iter()
            .map(|(name, trace)| {
                let mut chart = self.chart(name, "% of accounts with debt", THIRD, Scale::FromZero);
                chart.at_least = 100.0;
                let layers = (0..HEALTH_BINS)
                    .map(|bin| {
                        let share = |row: &BlockRow| {
                            let all: u32 = row.health_histogram.iter().sum();
                            if all == 0 {
                                0.0
                            } else {
                                100.0 * f64::from(row.health_histogram[bin]) / f64::from(all)
                            }
                        };
                        (
                            bin_name(bin),
                            BIN_CLASSES[bin],
                            trace.blocks.iter().map(share).collect(),
                        )
                    })
                    .collect();
                chart.legend = false;
                chart.stack = Some(Stack { layers, bar: 0 });
                chart
            })
            .collect();
        let mut under = self.chart(
            "Accounts below a health factor of 1",
            "accounts",
            WIDE,
            Scale::FromZero,
        );
        under.size.1 = HALF.1;
        under.lines = self.lines(Join::Stepped, |row| row.unhealthy as f64);
        under.lines.push(Line {
            join: Join::Stepped,
            ..self.without_impact(|row| row.unhealthy as f64)
        });
        let mut charts: Vec<Chart> = charts;
        charts.push(under);
        Section {
            title: "Health of accounts",
            text: "Accounts with debt by health factor at the reference price; below 1 an account can be liquidated once the protocol\u{2019}s prices say so.".to_owned(),
            grid: "thirds",
            charts,
        }
    }

    fn losses(&self) -> Section {
        let mut bad_debt = self.chart("Bad debt", "bp of initial debt", HALF, Scale::FromZero);
        bad_debt.note = "Losses written off plus debt that collateral does not cover.".to_owned();
        let values = |trace: &Trace| {
            bad_debt_bp(&trace.blocks)
                .into_iter()
                .map(|value| value.unwrap_or(0.0))
                .collect()
        };
        for (name, trace) in self.policies {
            bad_debt.lines.push(Line {
                name: (*name).to_owned(),
                class: name,
                values: values(trace),
                join: Join::Stepped,
            });
        }
        bad_debt.lines.push(Line {
            values: values(self.counterfactual),
            join: Join::Stepped,
            ..self.without_impact(|_| 0.0)
        });
        let mut written_off = self.chart(
            "Of that, written off",
            "bp of initial debt",
            HALF,
            Scale::FromZero,
        );
        written_off.note =
            "Losses that settlements have made final, taken from reserves first.".to_owned();
        let start = self
            .counterfactual
            .blocks
            .first()
            .map_or(0.0, |row| row.debt);
        written_off.lines = self.lines(Join::Stepped, |row| {
            if start > 0.0 {
                1e4 * row.written_off / start
            } else {
                0.0
            }
        });
        Section {
            title: "Losses",
            text: String::new(),
            grid: "halves",
            charts: vec![bad_debt, written_off],
        }
    }

    fn network(&self) -> Section {
        let mut gas = self.chart("Base fee", "gwei", HALF, Scale::Logarithmic);
        gas.note = "Logarithmic. Moves with the rest of the network\u{2019}s demand and the protocol\u{2019}s own.".to_owned();
        gas.lines = self.lines(Join::Straight, |row| row.base_fee_gwei);
        let mut breaker = self.chart("Circuit breaker", "level", HALF, Scale::FromZero);
        breaker.note =
            "0 normal, 1 no new risk, 2 paused: liquidations above HF_hard wait too where the policy obeys it.".to_owned();
        breaker.at_least = 3.0;
        breaker.lines = self.lines(Join::Stepped, |row| f64::from(row.breaker_level));
        let mut bucket = self.chart("Volume bucket", "% of capacity", HALF, Scale::FromZero);
        bucket.note = "What the damped policy may still sell above HF_hard; it refills with the venue\u{2019}s depth.".to_owned();
        bucket.at_least = 100.0;
        for (name, trace) in self
            .policies
            .iter()
            .filter(|(_, trace)| trace.blocks.iter().any(|row| row.bucket_capacity > 0.0))
        {
            let level = |row: &BlockRow| {
                if row.bucket_capacity > 0.0 {
                    100.0 * row.bucket_level / row.bucket_capacity
                } else {
                    0.0
                }
            };
            bucket.lines.push(Line {
                name: (*name).to_owned(),
                class: name,
                values: trace.blocks.iter().map(level).collect(),
                join: Join::Straight,
            });
        }
        let mut depth = self.chart(
            "Liquidity at the venue",
            "% of its start",
            HALF,
            Scale::FromZero,
        );
        depth.note = "What is active at the current price: providers withdraw as volatility rises, and come back.".to_owned();
        depth.at_least = 100.0;
        depth.lines = self.lines(Join::Stepped, |row| 100.0 * row.venue_liquidity);
        let mut charts = vec![gas, depth, breaker];
        charts.extend((!bucket.lines.is_empty()).then_some(bucket));
        Section {
            title: "Network, venue, breaker and bucket",
            text: String::new(),
            grid: "halves",
            charts,
        }
    }
}

/// How a bin of the health-factor histogram is called.
fn bin_name(bin: usize) -> String {
    let below = bin
        .checked_sub(1)
        .and_then(|before| HEALTH_BIN_EDGES.get(before));
    match (below, HEALTH_BIN_EDGES.get(bin)) {
        (None, Some(edge)) => format!("below {edge:.2}"),
        (Some(from), Some(to)) => format!("{from:.2}\u{2013}{to:.2}"),
        (Some(from), None) => format!("{from:.2} and above"),
        (None, None) => String::new(),
    }
}

//! The charts of a run.

use breakwater_sim::trace::{BlockRow, HEALTH_BIN_EDGES, HEALTH_BINS, LiquidationRow, Trace};

use super::axis::time_step;
use super::chart::{Chart, Join, Line, Scale, Stack, TimeAxis};
use crate::metrics::bad_debt_bp;

/// Sizes in drawing units.
const WIDE: (f64, f64) = (1120.0, 330.0);
const HALF: (f64, f64) = (560.0, 260.0);
const THIRD: (f64, f64) = (420.0, 240.0);

/// Most bars in a chart.
const BARS: usize = 96;

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

    fn prices(&self) -> Section {
        let mut reference = self.chart("Reference price", "debt tokens", WIDE, Scale::Fitted);
        reference.note = "What the outside market trades at, after the share of on-chain selling that passes through to it. The dashed line is the same market without any impact of liquidations.".to_owned();
        reference.lines = self.lines(Join::Straight, |row| row.reference_price);
        reference
            .lines
            .push(self.without_impact(|row| row.reference_price));

        let mut gap = self.chart(
            "Reference price below the counterfactual",
            "%",
            HALF,
            Scale::FromZero,
        );
        gap.note = "The highest point is the overshoot.".to_owned();
        for (name, trace) in self.policies {
            let below = trace.blocks.iter().zip(&self.counterfactual.blocks);
            let values = below
                .map(|(row, without)| 100.0 * (1.0 - row.reference_price / without.reference_price))
                .collect();
            gap.lines.push(Line {
                name: (*name).to_owned(),
                class: name,
                values,
                join: Join::Straight,
            });
        }

        let mut venue = self.chart("Venue price", "debt tokens", HALF, Scale::Fitted);
        venue.note =
            "The pool where keepers sell; arbitrage pulls it to the reference price.".to_owned();
        venue.lines = self.lines(Join::Straight, |row| row.venue_price);
        venue
            .lines
            .push(self.without_impact(|row| row.reference_price));
        Section {
            title: "Prices",
            text: String::new(),
            grid: "prices",
            charts: vec![reference, gap, venue],
        }
    }

    fn liquidations(&self) -> Section {
        let time = self.time();
        let blocks = time.length.saturating_sub(1);
        let bar = if blocks <= BARS {
            1
        } else {
            usize::try_from(time_step(blocks as u64 * time.step, BARS as u64) / time.step)
                .unwrap_or(1)
                .max(1)
        };
        let count = blocks.div_ceil(bar);
        let mut charts: Vec<_> = self
            .policies
            .iter()
            .map(|(name, trace)| {
                let sum = |counts: fn(&LiquidationRow) -> bool| {
                    let mut sums = vec![0.0; count];
                    for row in trace.liquidations.iter().filter(|row| counts(row)) {
                        let block = usize::try_from(row.block).unwrap_or(usize::MAX);
                        if let Some(sum) = sums.get_mut(block.saturating_sub(1) / bar) {
                            *sum += row.repaid;
                        }
                    }
                    sums
                };
                let mut chart = self.chart(name, "debt tokens", THIRD, Scale::FromZero);
                chart.stack = Some(Stack {
                    layers: vec![
                        (
                            "above HF_hard".to_owned(),
                            "soft",
                            sum(|row| !row.settlement && row.health_before > row.health_hard),
                        ),
                        (
                            "at or below HF_hard".to_owned(),
                            "hard",
                            sum(|row| !row.settlement && row.health_before <= row.health_hard),
                        ),
                        ("settled".to_owned(), "settled", sum(|row| row.settlement)),
                    ],
                    bar,
                });
                chart
            })
            .collect();
        share_axis(&mut charts);

        let mut total = self.chart(
            "Liquidated so far",
            "% of initial debt",
            WIDE,
            Scale::FromZero,
        );
        total.size.1 = HALF.1;
        let start = self
            .counterfactual
            .blocks
            .first()
            .map_or(0.0, |row| row.debt);
        let cumulative = |trace: &Trace| -> Vec<f64> {
            let mut each = vec![0.0; time.length];
            for row in &trace.liquidations {
                if let Some(sum) = usize::try_from(row.block)
                    .ok()
                    .and_then(|block| each.get_mut(block))
                {
                    *sum += row.repaid;
                }
            }
            let mut sum = 0.0;
            each.into_iter()
                .map(|repaid| {
                    sum += repaid;
                    if start > 0.0 {
                        100.0 * sum / start
                    } else {
                        0.0
                    }
                })
                .collect()
        };
        for (name, trace) in self.policies {
            total.lines.push(Line {
                name: (*name).to_owned(),
                class: name,
                values: cumulative(trace),
                join: Join::Stepped,
            });
        }
        let mut without = self.without_impact(|_| 0.0);
        without.values = cumulative(self.counterfactual);
        without.join = Join::Stepped;
        total.lines.push(without);
        charts.push(total);
        let every = if bar == 1 {
            "in each block".to_owned()
        } else {
            format!("in every {bar} blocks")
        };
        Section {
            title: "Liquidations",
            text: format!(
                "Debt repaid by liquidations {every}. At or below HF_hard nothing dampens; all charts share one scale."
            ),
            grid: "thirds",
            charts,
        }
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
            "0 normal, 1 no new risk, 2 liquidations above HF_hard wait, 3 price down.".to_owned();
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
        depth.note = "Providers withdraw as volatility rises.".to_owned();
        depth.at_least = 100.0;
        depth.lines = self.lines(Join::Stepped, |row| 100.0 * row.venue_liquidity);
        let mut charts = vec![gas, depth, breaker];
        if bucket.lines.is_empty() {
            charts[0].size = HALF;
        } else {
            charts.push(bucket);
        }
        Section {
            title: "Network, venue, breaker and bucket",
            text: String::new(),
            grid: "halves",
            charts,
        }
    }
}

/// Lets charts of bars be compared by eye.
fn share_axis(charts: &mut [Chart]) {
    let top = |chart: &Chart| {
        let layers = chart
            .stack
            .as_ref()
            .map_or(&[][..], |stack| &stack.layers[..]);
        let length = layers.first().map_or(0, |layer| layer.2.len());
        (0..length)
            .map(|bar| layers.iter().map(|layer| layer.2[bar]).sum())
            .fold(0.0, f64::max)
    };
    let highest = charts.iter().map(top).fold(0.0, f64::max);
    for chart in charts {
        chart.at_least = highest;
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

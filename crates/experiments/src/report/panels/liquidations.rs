//! What was liquidated, when, and in which zone.

use breakwater_sim::trace::{LiquidationRow, Trace};

use super::super::axis::time_step;
use super::super::chart::{Chart, Join, Line, Scale, Stack};
use super::{HALF, Section, THIRD, WIDE, Worlds};

/// Most bars in a chart.
const BARS: usize = 96;

impl Worlds<'_> {
    /// Liquidations in intervals, and all so far.
    pub(super) fn liquidations(&self) -> Section {
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
                chart.legend = false;
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

//! What liquidations did to prices.

use super::super::chart::{Chart, Join, Line, Scale, TimeAxis};
use super::{HALF, Section, WIDE, Worlds};

/// Blocks shown around the deepest overshoot, at most.
const CLOSE_UP: usize = 600;

impl Worlds<'_> {
    /// Prices over the whole run, and close up where a policy differs most from the counterfactual.
    pub(super) fn prices(&self) -> Section {
        let mut reference = self.chart("Reference price", "debt tokens", WIDE, Scale::Fitted);
        reference.note = "What the outside market trades at, after the share of on-chain selling that passes through to it. The dotted line is the same market without any impact of liquidations.".to_owned();
        reference.lines = self.lines(Join::Straight, |row| row.reference_price);
        reference
            .lines
            .push(self.without_impact(|row| row.reference_price));

        let mut gap = self.chart(
            "Reference price below the counterfactual",
            "%",
            WIDE,
            Scale::FromZero,
        );
        gap.size.1 = HALF.1;
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
        let mut charts = vec![reference, gap];
        if let Some((from, to)) = self.close_up(&charts[1]) {
            for chart in [&charts[0], &venue].map(|chart| cut(chart, from, to)) {
                charts.push(chart);
            }
        } else {
            charts.push(venue);
        }
        Section {
            title: "Prices",
            text: String::new(),
            grid: "halves",
            charts,
        }
    }

    /// The blocks around the deepest overshoot of any policy, where the run is longer than that.
    fn close_up(&self, gap: &Chart) -> Option<(usize, usize)> {
        let length = self.counterfactual.blocks.len();
        let deepest = |line: &Line| {
            line.values
                .iter()
                .copied()
                .enumerate()
                .max_by(|a, b| a.1.total_cmp(&b.1))
        };
        let (block, depth) = gap
            .lines
            .iter()
            .filter_map(deepest)
            .max_by(|a, b| a.1.total_cmp(&b.1))?;
        if depth <= 0.0 || length <= CLOSE_UP {
            return None;
        }
        let from = block.saturating_sub(CLOSE_UP / 3).min(length - CLOSE_UP);
        Some((from, from + CLOSE_UP))
    }
}

/// A part of a chart of lines, half as wide.
fn cut(chart: &Chart, from: usize, to: usize) -> Chart {
    let mut part = chart.clone();
    part.title = format!("{} around the deepest overshoot", chart.title);
    part.note = String::new();
    part.size = HALF;
    part.time = TimeAxis {
        first: chart.time.first + from as u64,
        start: chart.time.start + from as u64 * chart.time.step,
        length: to - from,
        ..chart.time
    };
    for line in &mut part.lines {
        line.values = line.values[from..to].to_vec();
    }
    part
}

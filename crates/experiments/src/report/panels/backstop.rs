//! The charts of a backstop.

use breakwater_sim::trace::BackstopRow;

use super::super::chart::{Chart, Join, Line, Scale};
use super::{HALF, Section, Worlds};

impl Worlds<'_> {
    /// The section, where a world has a backstop; `text` is what is said of its depositors.
    pub(in crate::report) fn backstop(&self, text: String) -> Option<Section> {
        let chart = |title: &str, unit, note: &str, column: fn(&BackstopRow) -> f64| {
            let mut chart = self.chart(title, unit, HALF, Scale::FromZero);
            chart.note = note.to_owned();
            let guarded = self.policies.iter();
            chart.lines = guarded
                .filter(|(_, trace)| !trace.backstop.is_empty())
                .map(|(name, trace)| Line {
                    name: (*name).to_owned(),
                    class: name,
                    values: trace.backstop.iter().map(column).collect(),
                    join: Join::Straight,
                })
                .collect();
            chart
        };
        let charts: Vec<Chart> = vec![
            chart(
                "Depositors\u{2019} profit",
                "% of deposits",
                "Unsold collateral at the reference price.",
                |row| over_deposits(row, row.depositor_profit),
            ),
            chart(
                "Capital left",
                "% of deposits",
                "What may still be spent on absorptions.",
                |row| over_deposits(row, row.assets),
            ),
            chart(
                "Unsold collateral",
                "tokens",
                "Released slowly while prices do not fall, or taken in kind.",
                |row| row.inventory,
            ),
            chart(
                "Taken in kind and sold",
                "tokens",
                "By depositors who flee.",
                |row| row.dumped,
            ),
        ];
        (!charts[0].lines.is_empty()).then_some(Section {
            title: "The backstop and its depositors",
            text,
            grid: "halves",
            charts,
        })
    }
}

fn over_deposits(row: &BackstopRow, amount: f64) -> f64 {
    if row.deposits > 0.0 {
        100.0 * amount / row.deposits
    } else {
        0.0
    }
}

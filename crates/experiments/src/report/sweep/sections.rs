//! Small multiples, the frontier and the indices.

use std::fmt::Write as _;

use super::super::figures::Figure;
use super::super::number::{escape, percent};
use super::plot::{Heading, Mark, Trend, bars, intervals, scatter, trends};
use super::{View, cell_name, signed, with_interval};
use crate::sweep::statistics::Estimate;
use crate::sweep::summary::{CellSummary, SobolSummary};

/// The figures of the small multiples.
const DRAWN: [&str; 6] = [
    "overshoot",
    "liquidated_volume",
    "bad_debt_bp",
    "bad_debt_max_bp",
    "borrower_cost",
    "blocks_to_solvency",
];

/// The figures drawn over a grid.
const DRAWN_OVER_GRID: [&str; 3] = ["overshoot", "liquidated_volume", "bad_debt_max_bp"];

impl View<'_> {
    /// Small multiples of each scenario.
    pub(super) fn multiples(&self, html: &mut String) {
        if self.summary.cells.is_empty() {
            return;
        }
        html.push_str("<h2>Scenario by scenario</h2>");
        if self.is_grid() {
            self.grid(html);
            return;
        }
        html.push_str(
            "<p class=\"quiet\">A dot is the mean over seeds, the line its 95% interval.</p>",
        );
        for cell in &self.summary.cells {
            let _ = write!(
                html,
                "<h3 class=\"cell\">{}</h3><div class=\"grid multiples\">",
                escape(&cell_name(cell))
            );
            for figure in DRAWN.iter().filter_map(|key| Figure::of(key)) {
                let (factor, unit) = figure.axis();
                let marks: Vec<Mark> = self
                    .summary
                    .policies
                    .iter()
                    .filter_map(|policy| {
                        let found = cell.means.get(&policy.name)?.get(figure.key)?;
                        Some(self.mark(&policy.name, figure, found, factor))
                    })
                    .collect();
                let heading = Heading {
                    title: figure.name,
                    meaning: figure.meaning,
                    text: "",
                    unit,
                };
                intervals(html, heading, &marks);
            }
            html.push_str("</div>");
        }
    }

    fn mark(&self, policy: &str, figure: &Figure, estimate: &Estimate, factor: f64) -> Mark {
        Mark {
            label: policy.to_owned(),
            class: self.class(policy),
            tip: format!(
                "{policy}: {} {}, {} seeds",
                figure.name,
                with_interval(estimate, |value| figure.write(value)),
                estimate.seeds
            ),
            estimate: scaled(estimate, factor),
        }
    }

    /// The subject's change against the baseline over depth, a line a pass-through, a drawing a recovery.
    fn grid(&self, html: &mut String) {
        let Some(subject) = self.subject() else {
            return;
        };
        let _ = write!(
            html,
            "<p class=\"quiet\">{} less {}, paired by seed, over depth: below zero it is lower. A line a pass-through \u{3c6}, a drawing a recovery half-life. Lines are shifted sideways a little, so that their 95% intervals can be told apart.</p>",
            escape(subject),
            escape(&self.summary.baseline)
        );
        let cells = &self.summary.cells;
        let mut recoveries = distinct(cells.iter().map(|cell| cell.recovery_half_life));
        // 0 stands for never: the longest.
        if recoveries.first() == Some(&0.0) {
            recoveries.rotate_left(1);
        }
        let shares = distinct(cells.iter().map(|cell| cell.pass_through));
        for scenario in &self.summary.scenarios {
            let _ = write!(
                html,
                "<h3 class=\"cell\">{}</h3><div class=\"grid multiples\">",
                escape(&scenario.title)
            );
            for figure in DRAWN_OVER_GRID.iter().filter_map(|key| Figure::of(key)) {
                let (factor, unit) = figure.axis();
                for &recovery in &recoveries {
                    let lines: Vec<Trend> = shares
                        .iter()
                        .enumerate()
                        .map(|(number, &share)| {
                            let own = cells.iter().filter(|cell| {
                                cell.scenario == scenario.name
                                    && (cell.recovery_half_life == recovery || share == 0.0)
                                    && cell.pass_through == share
                            });
                            let points = own.filter_map(|cell| {
                                Some((cell.depth, self.change(cell, subject, figure, factor)?))
                            });
                            Trend {
                                label: format!("\u{3c6} {share}"),
                                class: format!(
                                    "s{}",
                                    number * 4 / shares.len().saturating_sub(1).max(1)
                                ),
                                points: points.collect(),
                            }
                        })
                        .filter(|line| !line.points.is_empty())
                        .collect();
                    let text = if recovery == 0.0 {
                        "no recovery".to_owned()
                    } else {
                        format!("recovery half-life {recovery} s")
                    };
                    let heading = Heading {
                        title: figure.name,
                        meaning: figure.meaning,
                        text: &text,
                        unit: "x/C, depth over collateral",
                    };
                    trends(html, heading, unit, &lines);
                }
            }
            html.push_str("</div>");
        }
    }

    fn change(
        &self,
        cell: &CellSummary,
        subject: &str,
        figure: &Figure,
        factor: f64,
    ) -> Option<Mark> {
        let difference = self.difference(cell, subject, figure.key)?;
        let relative = difference
            .relative
            .as_ref()
            .map_or_else(String::new, |relative| {
                format!("; {}", with_interval(relative, signed))
            });
        Some(Mark {
            label: String::new(),
            class: String::new(),
            tip: format!(
                "{}: {} {}{relative}, {} seeds",
                cell_name(cell),
                figure.name,
                with_interval(&difference.mean, |value| figure.write(value)),
                difference.mean.seeds
            ),
            estimate: scaled(&difference.mean, factor),
        })
    }

    /// Bad debt against delay.
    pub(super) fn frontier(&self, html: &mut String) {
        let figures = Figure::of("blocks_to_solvency").zip(Figure::of("bad_debt_max_bp"));
        let (Some((delay, debt)), false) = (figures, self.summary.cells.is_empty()) else {
            return;
        };
        html.push_str("<h2>Bad debt against delay</h2><p class=\"quiet\">Waiting is what dampening does. To the right, positions stay below a health factor of 1 for longer; upward, more debt is without cover at the worst moment. A policy to the left of and below another dominates it.</p><div class=\"grid multiples\">");
        for cell in self.frontier_cells() {
            let points: Vec<(Mark, Estimate)> = self
                .policies()
                .filter_map(|policy| {
                    let means = cell.means.get(policy)?;
                    let (x, y) = (means.get(delay.key)?, means.get(debt.key)?);
                    let mut mark = self.mark(policy, delay, x, 1.0);
                    mark.tip = format!(
                        "{}; {} {}",
                        mark.tip,
                        debt.name,
                        with_interval(y, |value| debt.write(value))
                    );
                    Some((mark, *y))
                })
                .collect();
            let meanings = format!(
                "{}: {} {}: {}",
                debt.name, debt.meaning, delay.name, delay.meaning
            );
            let heading = Heading {
                title: &cell.scenario,
                meaning: &meanings,
                text: &cell_name(cell),
                unit: delay.name,
            };
            scatter(html, heading, "bp", &points);
        }
        html.push_str("</div>");
    }

    /// One cell a scenario: the one in the middle of the grid.
    fn frontier_cells(&self) -> impl Iterator<Item = &CellSummary> {
        let cells = &self.summary.cells;
        self.summary.scenarios.iter().filter_map(move |scenario| {
            let own: Vec<&CellSummary> = cells
                .iter()
                .filter(|cell| cell.scenario == scenario.name)
                .collect();
            let middle = |values: Vec<f64>| values.get(values.len() / 2).copied();
            let depth = middle(distinct(own.iter().map(|cell| cell.depth)));
            let share = middle(distinct(own.iter().map(|cell| cell.pass_through)));
            let recovery = middle(distinct(own.iter().map(|cell| cell.recovery_half_life)));
            own.into_iter().find(|cell| {
                (
                    Some(cell.depth),
                    Some(cell.pass_through),
                    Some(cell.recovery_half_life),
                ) == (depth, share, recovery)
            })
        })
    }

    /// Sobol indices.
    pub(super) fn indices(&self, html: &mut String) {
        if self.summary.sobol.is_empty() {
            return;
        }
        html.push_str("<h2>What the results depend on</h2><p class=\"quiet\">The share of a figure\u{2019}s variance over the inputs\u{2019} ranges. Full: what the input explains alone (first order). Pale: alone and together with others (total order). Lines are 95% intervals over base rows. An index below zero is zero within its error. \u{201c}seed\u{201d} is chance: prices between knots, accounts and decisions.</p>");
        for scenario in &self.summary.scenarios {
            let _ = write!(
                html,
                "<h3 class=\"cell\">{}</h3><div class=\"grid multiples\">",
                escape(&scenario.title)
            );
            for each in self
                .summary
                .sobol
                .iter()
                .filter(|each| each.scenario == scenario.name)
            {
                self.index(html, each);
            }
            html.push_str("</div>");
        }
        html.push_str("<h3>Ranges</h3><div class=\"scroll\"><table class=\"settings\"><thead><tr><th scope=\"col\">Input</th><th scope=\"col\">Range</th><th scope=\"col\">Meaning</th></tr></thead><tbody>");
        for input in self
            .summary
            .sobol
            .iter()
            .take(1)
            .flat_map(|first| &first.inputs)
        {
            let range = input
                .low
                .zip(input.high)
                .map_or_else(String::new, |(low, high)| {
                    format!(
                        "{low} to {high}{}",
                        if input.log { ", in the logarithm" } else { "" }
                    )
                });
            let meaning = crate::scenario::Parameter::of(&input.key)
                .map_or("all random numbers", |known| known.meaning);
            let _ = write!(
                html,
                "<tr><th scope=\"row\"><code>{}</code></th><td>{range}</td><td>{}</td></tr>",
                escape(&input.key),
                escape(meaning)
            );
        }
        html.push_str("</tbody></table></div>");
    }

    fn index(&self, html: &mut String, each: &SobolSummary) {
        let Some(figure) = Figure::of(&each.figure) else {
            return;
        };
        let rows: Vec<(Mark, Estimate)> = each
            .inputs
            .iter()
            .filter_map(|input| {
                let (first, total) = (input.first?, input.total?);
                let mark = Mark {
                    label: input.key.clone(),
                    class: self.class(&each.policy),
                    tip: format!(
                        "{}: alone {}, with others {}",
                        input.key,
                        with_interval(&first, percent),
                        with_interval(&total, percent)
                    ),
                    estimate: first,
                };
                Some((mark, total))
            })
            .collect();
        let against = each
            .against
            .as_ref()
            .map_or_else(String::new, |against| format!(" less {against}"));
        let text = format!(
            "{}{against}; mean {}, standard deviation {}, {} rows",
            each.policy,
            figure.write(each.mean),
            figure.write(each.variance.sqrt()),
            each.rows
        );
        let heading = Heading {
            title: figure.name,
            meaning: figure.meaning,
            text: &text,
            unit: "share of variance",
        };
        bars(html, heading, &rows);
    }
}

fn scaled(estimate: &Estimate, factor: f64) -> Estimate {
    Estimate {
        value: estimate.value * factor,
        low: estimate.low.map(|low| low * factor),
        high: estimate.high.map(|high| high * factor),
        seeds: estimate.seeds,
    }
}

/// The values that occur, in order.
fn distinct(values: impl Iterator<Item = f64>) -> Vec<f64> {
    let mut found: Vec<f64> = values.collect();
    found.sort_unstable_by(f64::total_cmp);
    found.dedup();
    found
}

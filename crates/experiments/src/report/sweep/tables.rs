//! Tables: means with intervals, and paired differences.

use std::fmt::Write as _;

use super::super::figures::{Figure, all};
use super::super::number::{NOT_APPLICABLE, escape};
use super::{FEW_CELLS, MAIN, View, baseline, cell_name, named, side, signed, with_interval};
use crate::sweep::summary::{CellSummary, ComparisonSummary, Difference};

/// What CVaR99 means.
const WORST: &str =
    "The mean over the worst hundredth of seeds; with fewer than 100 seeds the worst one.";

/// A cell of a table and its class.
type Written = (String, &'static str);

impl View<'_> {
    /// The tables with intervals.
    pub(super) fn results(&self, html: &mut String) {
        let cells = &self.summary.cells;
        if cells.is_empty() {
            return;
        }
        html.push_str("<h2>Results</h2><p class=\"quiet\">Means over seeds with 95% intervals below them. Differences are paired: the policy less the one it is compared with, on the same seed; relative to that one\u{2019}s mean, with the absolute difference beneath, in the figure\u{2019}s own unit. \u{25bc} and \u{25b2} mark an interval that does not hold zero, green where lower is better, red where it is worse. Point at a figure\u{2019}s name for what it means.</p>");
        let folded = cells.len() > FEW_CELLS;
        for scenario in &self.summary.scenarios {
            let own = || cells.iter().filter(|cell| cell.scenario == scenario.name);
            if folded {
                let _ = write!(
                    html,
                    "<details><summary>{}: {} cells</summary>",
                    escape(&scenario.title),
                    own().count()
                );
            } else {
                let _ = write!(html, "<h3 class=\"cell\">{}</h3>", escape(&scenario.title));
            }
            if folded {
                self.cells(html, &own().collect::<Vec<_>>());
                html.push_str("</details>");
            } else {
                own().for_each(|cell| self.cell(html, cell));
            }
        }
    }

    /// Many cells: what the subject changes in each.
    fn cells(&self, html: &mut String, cells: &[&CellSummary]) {
        let Some(subject) = self.subject() else {
            return;
        };
        let main: Vec<&Figure> = MAIN.iter().filter_map(|key| Figure::of(key)).collect();
        let names: Vec<String> = cells.iter().map(|cell| cell_name(cell)).collect();
        let rows: Vec<&str> = names.iter().map(String::as_str).collect();
        let heading = format!("{subject} less {}", self.summary.baseline);
        self.table(html, &heading, &rows, &main, |name, figure| {
            let cell = names.iter().position(|each| each == name);
            match cell.and_then(|cell| baseline(cells[cell])) {
                Some(comparison) => difference(comparison, subject, figure),
                None => (NOT_APPLICABLE.to_owned(), "none"),
            }
        });
    }

    fn cell(&self, html: &mut String, cell: &CellSummary) {
        let _ = write!(html, "<p class=\"quiet\">{}</p>", escape(&cell_name(cell)));
        let main: Vec<&Figure> = MAIN.iter().filter_map(|key| Figure::of(key)).collect();
        let means = |policy: &str, figure: &Figure| -> Written {
            let found = cell
                .means
                .get(policy)
                .and_then(|means| means.get(figure.key));
            let tail = cell
                .tails
                .get(policy)
                .and_then(|tails| tails.get(figure.key));
            let text = found.map_or_else(
                || NOT_APPLICABLE.to_owned(),
                |found| {
                    let tail = tail.map_or_else(String::new, |tail| {
                        format!(
                            "<small><abbr tabindex=\"0\" data-tip=\"{WORST}\" title=\"{WORST}\">CVaR99</abbr> {}</small>",
                            figure.write(tail.value)
                        )
                    });
                    format!(
                        "{}{}{tail}",
                        figure.write(found.value),
                        below(found.low, found.high, |value| figure.write(value))
                    )
                },
            );
            (text, "")
        };
        let names: Vec<&str> = self
            .summary
            .policies
            .iter()
            .map(|policy| policy.name.as_str())
            .collect();
        self.table(html, "Mean", &names, &main, means);
        for comparison in &cell.comparisons {
            let others: Vec<&str> = self
                .policies()
                .filter(|name| comparison.differences.contains_key(*name))
                .collect();
            let heading = format!("{} ({})", comparison.title, comparison.against);
            self.table(html, &heading, &others, &main, |policy, figure| {
                difference(comparison, policy, figure)
            });
        }
        // An excerpt has not all of them.
        let has = |figure: &&Figure| cell.means.values().any(|own| own.contains_key(figure.key));
        let every: Vec<&Figure> = self.figures().filter(has).collect();
        let _ = write!(
            html,
            "<details><summary>All {} figures</summary>",
            every.len()
        );
        transposed(html, &names, &every, means);
        html.push_str("</details>");
    }

    fn table(
        &self,
        html: &mut String,
        heading: &str,
        policies: &[&str],
        figures: &[&Figure],
        write: impl Fn(&str, &Figure) -> Written,
    ) {
        let _ = write!(
            html,
            "<div class=\"scroll\"><table class=\"sweep\"><thead><tr><th scope=\"col\">{}</th>",
            escape(heading)
        );
        for figure in figures {
            let _ = write!(html, "<th scope=\"col\">{}</th>", named(figure));
        }
        html.push_str("</tr></thead><tbody>");
        for policy in policies {
            let _ = write!(html, "<tr><th scope=\"row\">{}</th>", escape(policy));
            for figure in figures {
                let (text, class) = write(policy, figure);
                let _ = write!(html, "<td class=\"{class}\">{text}</td>");
            }
            html.push_str("</tr>");
        }
        html.push_str("</tbody></table></div>");
    }
}

/// The same with figures as rows, for many of them.
fn transposed(
    html: &mut String,
    policies: &[&str],
    figures: &[&Figure],
    write: impl Fn(&str, &Figure) -> Written,
) {
    html.push_str(
        "<div class=\"scroll\"><table class=\"sweep\"><thead><tr><th scope=\"col\">Mean</th>",
    );
    for policy in policies {
        let _ = write!(html, "<th scope=\"col\">{}</th>", escape(policy));
    }
    html.push_str("</tr></thead><tbody>");
    for figure in figures {
        let _ = write!(html, "<tr><th scope=\"row\">{}</th>", named(figure));
        for policy in policies {
            let _ = write!(html, "<td>{}</td>", write(policy, figure).0);
        }
        html.push_str("</tr>");
    }
    html.push_str("</tbody></table></div>");
}

fn difference(comparison: &ComparisonSummary, policy: &str, figure: &Figure) -> Written {
    let found = comparison
        .differences
        .get(policy)
        .and_then(|figures| figures.get(figure.key));
    let Some(found) = found else {
        return (NOT_APPLICABLE.to_owned(), "none");
    };
    (written(found, figure), judged(found, figure))
}

/// A difference relative to what it is compared with, or absolute where that is nothing.
fn written(difference: &Difference, figure: &Figure) -> String {
    match &difference.relative {
        // A small base makes a large ratio of little: the absolute change stands beside it.
        Some(relative) if relative.low.is_some() => format!(
            "{}{}<small>{}</small>",
            signed(relative.value),
            below(relative.low, relative.high, signed),
            figure.write(difference.mean.value)
        ),
        _ => format!(
            "{}{}",
            figure.write(difference.mean.value),
            below(difference.mean.low, difference.mean.high, |value| figure
                .write(value))
        ),
    }
}

fn judged(difference: &Difference, figure: &Figure) -> &'static str {
    match (side(figure, difference), figure.lower_is_better()) {
        (-1, true) => "better",
        (1, true) => "worse",
        _ => "none",
    }
}

fn below(low: Option<f64>, high: Option<f64>, write: impl Fn(f64) -> String) -> String {
    match (low, high) {
        (Some(low), Some(high)) => format!("<small>[{}, {}]</small>", write(low), write(high)),
        _ => String::new(),
    }
}

/// A loss of a policy against the one it is compared with.
struct Loss<'a> {
    cell: &'a CellSummary,
    policy: &'a str,
    figure: &'static Figure,
    difference: &'a Difference,
}

impl View<'_> {
    /// The figures that the sweep has.
    fn figures(&self) -> impl Iterator<Item = &'static Figure> {
        let guarded = self.summary.cells.iter().any(|cell| {
            let means = cell.means.values();
            means
                .flat_map(|figures| figures.keys())
                .any(|key| key == "absorptions")
        });
        all(guarded)
    }

    /// Where a policy is worse than the one it is compared with, and where it makes no difference: of every comparison.
    pub(super) fn costs(&self, html: &mut String) {
        let Some(first) = self.summary.cells.first() else {
            return;
        };
        html.push_str("<h2>What dampening costs and where it fails</h2>");
        for comparison in &first.comparisons {
            self.costs_against(html, comparison);
        }
    }

    fn costs_against(&self, html: &mut String, of: &ComparisonSummary) {
        let (mut losses, mut nulls, mut gains) = (Vec::new(), 0, 0);
        for cell in &self.summary.cells {
            let Some(found) = cell.comparisons.iter().find(|one| one.title == of.title) else {
                continue;
            };
            for policy in self.policies() {
                let Some(differences) = found.differences.get(policy) else {
                    continue;
                };
                for figure in self.figures().filter(|figure| figure.lower_is_better()) {
                    let Some(difference) = differences.get(figure.key) else {
                        continue;
                    };
                    match side(figure, difference) {
                        1 => losses.push(Loss {
                            cell,
                            policy,
                            figure,
                            difference,
                        }),
                        -1 => gains += 1,
                        _ => nulls += 1,
                    }
                }
            }
        }
        let _ = write!(
            html,
            "<h3>{}</h3><p>Of {} comparisons with {} of figures of which less is better, {} are lower, {} are higher and {nulls} are neither: their interval holds zero. Those that are higher, all of them:</p>",
            escape(&of.title),
            losses.len() + gains + nulls,
            escape(&of.against),
            gains,
            losses.len()
        );
        if losses.is_empty() {
            html.push_str("<p>None.</p>");
            return;
        }
        let folded = losses.len() > 60;
        if folded {
            html.push_str("<details><summary>List them</summary>");
        }
        list(html, &losses);
        if folded {
            html.push_str("</details>");
        }
    }
}

/// The table of losses.
fn list(html: &mut String, losses: &[Loss<'_>]) {
    html.push_str("<div class=\"scroll\"><table class=\"sweep\"><thead><tr><th scope=\"col\">Cell</th><th scope=\"col\">Policy</th><th scope=\"col\">Figure</th><th scope=\"col\">Difference</th><th scope=\"col\">Relative</th></tr></thead><tbody>");
    for loss in losses {
        let relative = loss.difference.relative.as_ref().map_or_else(
            || NOT_APPLICABLE.to_owned(),
            |relative| with_interval(relative, signed),
        );
        let _ = write!(
            html,
            "<tr><th scope=\"row\">{}</th><td>{}</td><td>{}</td><td class=\"worse\">{}</td><td>{relative}</td></tr>",
            escape(&cell_name(loss.cell)),
            escape(loss.policy),
            named(loss.figure),
            with_interval(&loss.difference.mean, |value| loss.figure.write(value)),
        );
    }
    html.push_str("</tbody></table></div>");
}

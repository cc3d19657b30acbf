//! The report of a sweep: one file that opens offline, from `sweep.json` alone.

mod plot;
mod sections;
mod tables;

use std::fmt::Write as _;

use super::figures::Figure;
use super::number::{escape, fixed, percent};
use crate::sweep::REPORTING;
use crate::sweep::statistics::Estimate;
use crate::sweep::summary::{CellSummary, ComparisonSummary, Difference, SweepSummary};

/// The figures that tables and drawings show; all others are in the details.
const MAIN: [&str; 8] = [
    "overshoot",
    "drawdown_amplification",
    "liquidated_volume",
    "bad_debt_bp",
    "bad_debt_max_bp",
    "toxic_volume",
    "borrower_cost",
    "blocks_to_solvency",
];

/// More cells than this are shown as drawings, and as tables only in the details.
const FEW_CELLS: usize = 24;

/// The report of a sweep.
#[must_use]
pub fn sweep_report(summary: &SweepSummary) -> String {
    let mut html = String::with_capacity(1 << 20);
    let _ = write!(
        html,
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\
         <meta name=\"color-scheme\" content=\"light dark\"><link rel=\"icon\" href=\"data:,\"><title>{}: Breakwater sweep</title><style>{}{}</style></head><body><main>",
        escape(&summary.title),
        include_str!("../style.css"),
        include_str!("style.css")
    );
    let view = View { summary };
    view.opening(&mut html);
    view.method(&mut html);
    view.results(&mut html);
    view.multiples(&mut html);
    view.frontier(&mut html);
    view.indices(&mut html);
    view.costs(&mut html);
    view.limits(&mut html);
    view.reproduction(&mut html);
    let _ = writeln!(
        html,
        "</main><div id=\"tip\" role=\"status\" hidden></div><script>{}</script></body></html>",
        include_str!("../tip.js")
    );
    html
}

/// The summary as the report looks at it.
struct View<'a> {
    summary: &'a SweepSummary,
}

impl<'a> View<'a> {
    /// The policies without the counterfactual.
    fn policies(&self) -> impl Iterator<Item = &'a str> {
        let all = &self.summary.policies;
        all[..all.len().saturating_sub(1)]
            .iter()
            .map(|policy| policy.name.as_str())
    }

    /// The policy that the report is about: the damped one, or else the first that is not the baseline.
    fn subject(&self) -> Option<&'a str> {
        let others = || {
            self.policies()
                .filter(|name| *name != self.summary.baseline)
        };
        others()
            .find(|name| *name == "damped")
            .or_else(|| others().next())
    }

    /// The class that gives a policy its colour.
    fn class(&self, policy: &str) -> String {
        match policy {
            "rigid" | "target-health" | "damped" | "aave-v3" | "dumped" | "counterfactual" => {
                format!("p-{policy}")
            }
            _ => "p-variant".to_owned(),
        }
    }

    /// Whether a scenario stands in more than one cell.
    fn is_grid(&self) -> bool {
        self.summary.cells.len() > self.summary.scenarios.len()
    }

    fn difference(
        &self,
        cell: &'a CellSummary,
        policy: &str,
        figure: &str,
    ) -> Option<&'a Difference> {
        baseline(cell)?.differences.get(policy)?.get(figure)
    }

    fn opening(&self, html: &mut String) {
        let summary = self.summary;
        let _ = write!(
            html,
            "<header><p class=\"kind\">Breakwater sweep</p><h1>{}</h1><p>{}</p></header>",
            escape(&summary.title),
            escape(&summary.question)
        );
        if let Some(subject) = self.subject()
            && !summary.cells.is_empty()
        {
            let _ = write!(
                html,
                "<section class=\"lead\"><h2>{}</h2>",
                self.verdict(subject, "overshoot")
            );
            for figure in [
                "liquidated_volume",
                "bad_debt_bp",
                "bad_debt_max_bp",
                "blocks_to_solvency",
            ] {
                let _ = write!(html, "<p>{}</p>", self.verdict(subject, figure));
            }
            html.push_str("<p class=\"quiet\">Lower and higher are counted where the 95% interval of the paired difference does not hold zero and the difference is not zero as it is written.</p></section>");
        }
        let _ = write!(
            html,
            "<ul class=\"facts\"><li>configuration <b>{}</b></li><li>paths <b>{}</b></li><li>{} <b>{}</b>, from <b>{}</b> on</li><li>purpose <b>{}</b></li><li>commit <b>{}</b></li></ul>",
            escape(&short(&summary.configuration_hash)),
            fixed(summary.paths as f64, 0),
            if summary.sobol.is_empty() {
                "seeds a cell"
            } else {
                "base rows"
            },
            fixed(summary.seeds as f64, 0),
            summary.first_seed,
            escape(&summary.range),
            escape(&short(&summary.commit))
        );
        if summary.range != REPORTING {
            let _ = write!(
                html,
                "<section class=\"lead\"><p><b>These are not results.</b> The seeds are of the range \u{201c}{}\u{201d}; parameters may have been chosen on them.</p></section>",
                escape(&summary.range)
            );
        }
    }

    /// In how many cells a figure of a policy is lower or higher than the baseline's, as HTML.
    fn verdict(&self, policy: &str, figure: &str) -> String {
        let Some(figure) = Figure::of(figure) else {
            return String::new();
        };
        let found = self
            .summary
            .cells
            .iter()
            .filter_map(|cell| self.difference(cell, policy, figure.key));
        let (mut lower, mut higher, mut neither) = (0, 0, 0);
        let mut changes: Vec<f64> = Vec::new();
        for difference in found {
            match side(figure, difference) {
                -1 => lower += 1,
                1 => higher += 1,
                _ => neither += 1,
            }
            changes.extend(difference.relative.map(|relative| relative.value));
        }
        changes.sort_unstable_by(f64::total_cmp);
        let range = match (changes.first(), changes.last()) {
            (Some(least), Some(greatest)) if changes.len() > 1 => {
                format!(", by cell from {} to {}", signed(*least), signed(*greatest))
            }
            (Some(only), _) => format!(" ({})", signed(*only)),
            _ => String::new(),
        };
        let (name, policy) = (named(figure), escape(policy));
        let cells = lower + higher + neither;
        format!(
            "{name}, {policy} against {}: lower in {lower} of {cells} cells, higher in {higher}, neither in {neither}{}.",
            escape(&self.summary.baseline),
            escape(&range)
        )
    }

    fn method(&self, html: &mut String) {
        let summary = self.summary;
        html.push_str("<h2>How it was done</h2><ul>");
        let _ = write!(
            html,
            "<li>Every path runs the contracts\u{2019} bytecode block by block, on a venue that is the bytecode of Uniswap v3. On {}: {} policies and the counterfactual.</li>",
            escape(
                &summary
                    .scenarios
                    .iter()
                    .map(|scenario| scenario.name.as_str())
                    .collect::<Vec<_>>()
                    .join(", ")
            ),
            self.policies().count()
        );
        html.push_str("<li>On one seed all policies see the same prices, gas, accounts and random draws. The counterfactual, in which liquidators sell without moving any price, is run once a seed and market. Differences are taken seed by seed.</li>");
        let _ = write!(
            html,
            "<li>Intervals: {}, {}%, {} resamples (seed {}). CVaR99 is the mean of the worst hundredth of seeds; with fewer than 100 seeds it is the worst one, and with fewer than 1,000 it has no interval.</li>",
            escape(&summary.intervals.method),
            fixed(summary.intervals.level * 100.0, 0),
            fixed(summary.intervals.resamples as f64, 0),
            summary.intervals.seed
        );
        html.push_str("<li>Many figures are compared. At 95% one comparison in twenty is expected to look like an effect where there is none.</li>");
        if summary.cells.is_empty() {
            html.push_str("<li>Sobol indices: Saltelli\u{2019}s design on a digitally shifted Sobol\u{2019} sequence, the seed as one more input; first order by the estimator of Saltelli and others (2010), total order by Jansen\u{2019}s (1999); intervals over base rows.</li>");
        }
        html.push_str("</ul>");
        let variants: Vec<_> = summary
            .policies
            .iter()
            .filter(|policy| !policy.damped.is_empty() || !policy.backstop.is_empty())
            .collect();
        if !variants.is_empty() {
            html.push_str("<details><summary>Variants</summary><div class=\"scroll\"><table class=\"settings\"><thead><tr><th scope=\"col\">Variant</th><th scope=\"col\">What differs</th></tr></thead><tbody>");
            for variant in variants {
                let under = |table: &'static str| {
                    move |(key, value): (&String, &String)| format!("{table}.{key} = {value}")
                };
                let damped = variant.damped.iter().map(under("damped"));
                let backstop = variant.backstop.iter().map(under("backstop"));
                let changes: Vec<_> = damped.chain(backstop).collect();
                let _ = write!(
                    html,
                    "<tr><th scope=\"row\">{}</th><td>{} rules, {}</td></tr>",
                    escape(&variant.name),
                    escape(&variant.rules),
                    escape(&changes.join(", "))
                );
            }
            html.push_str("</tbody></table></div></details>");
        }
    }

    /// What a reader must not take from it.
    fn limits(&self, html: &mut String) {
        html.push_str("<h2>What this does not show</h2><ul>");
        if self.summary.seeds < 100 && self.summary.sobol.is_empty() {
            let _ = write!(
                html,
                "<li>{} seeds: too few to say anything about the worst hundredth of outcomes.</li>",
                self.summary.seeds
            );
        }
        html.push_str(
            "<li>Intervals hold the chance between seeds and nothing else. What the model leaves out is in none of them.</li>\
             <li>Health factors and shortfalls behind the figures are valued at the reference price, not at the protocol\u{2019}s own price, so that a lagging feed does not hide them.</li>\
             <li>One collateral, one debt asset, one venue. Pass-through, recovery, depth and the temper of borrowers, keepers and providers are assumptions; the effect of dampening depends on them.</li>\
             <li>Accounts do not open or enlarge positions during a run, and lenders do not leave.</li></ul>",
        );
    }

    fn reproduction(&self, html: &mut String) {
        let summary = self.summary;
        let _ = write!(
            html,
            "<h2>The sweep</h2><p>The same bytes come out of the same program with</p><pre><code>{}</code></pre><p>on any number of threads, stopped and continued or not, and from shards put together by <code>breakwater sweep merge</code>. Every figure above can be computed again from <code>figures.parquet</code>, a row a path.</p><div class=\"scroll\"><table class=\"settings\"><tbody>",
            escape(&summary.command)
        );
        let mut row = |name: &str, value: &str| {
            let _ = write!(
                html,
                "<tr><th scope=\"row\">{}</th><td class=\"number\">{}</td></tr>",
                escape(name),
                escape(value)
            );
        };
        row("configuration", &summary.configuration_hash);
        row("commit", &summary.commit);
        for scenario in &summary.scenarios {
            row(
                &format!("{}: parameters", scenario.name),
                &scenario.configuration_hash,
            );
            row(&format!("{}: input", scenario.name), &scenario.input_hash);
        }
        html.push_str("</tbody></table></div><details><summary>Hashes of the contracts\u{2019} creation code</summary><div class=\"scroll\"><table class=\"settings\"><tbody>");
        for (name, hash) in &summary.contracts {
            let _ = write!(
                html,
                "<tr><th scope=\"row\">{}</th><td class=\"number\">{}</td></tr>",
                escape(name),
                escape(hash)
            );
        }
        html.push_str("</tbody></table></div></details><h3>Scenarios</h3><ul>");
        for scenario in &summary.scenarios {
            let _ = write!(
                html,
                "<li><b>{}</b>, {} blocks: {}</li>",
                escape(&scenario.title),
                fixed(scenario.blocks as f64, 0),
                escape(&scenario.description)
            );
        }
        html.push_str("</ul>");
    }
}

/// The comparison that every cell has.
fn baseline(cell: &CellSummary) -> Option<&ComparisonSummary> {
    cell.comparisons.first()
}

/// A cell's name in headings.
fn cell_name(cell: &CellSummary) -> String {
    let recovery = if cell.recovery_half_life == 0.0 {
        "no recovery".to_owned()
    } else {
        format!("half-life {} s", cell.recovery_half_life)
    };
    format!(
        "{}: x/C {}, \u{3c6} {}, {recovery}",
        cell.scenario, cell.depth, cell.pass_through
    )
}

/// A relative change with its sign.
fn signed(change: f64) -> String {
    if change > 9.0 {
        return format!("{}\u{d7}", fixed(change + 1.0, 0));
    }
    let text = percent(change);
    if change > 0.0 {
        format!("+{text}")
    } else {
        text
    }
}

/// Whether a difference is lower (−1) or higher (1): its interval does not hold zero, and as it is written it is not
/// zero either. The last digits of a sum are no effect.
fn side(figure: &Figure, difference: &Difference) -> i8 {
    let written = figure.write(difference.mean.value);
    if written.bytes().any(|byte| (b'1'..=b'9').contains(&byte)) {
        difference.mean.side()
    } else {
        0
    }
}

/// The beginning of a hash, and that a commit is not all of it.
fn short(hash: &str) -> String {
    let beginning: String = hash.chars().take(14).collect();
    let mark = if hash.contains("-dirty") {
        "-dirty"
    } else {
        ""
    };
    beginning + mark
}

/// An estimate in words, written by a function.
fn with_interval(estimate: &Estimate, write: impl Fn(f64) -> String) -> String {
    match (estimate.low, estimate.high) {
        (Some(low), Some(high)) => format!(
            "{} [{}, {}]",
            write(estimate.value),
            write(low),
            write(high)
        ),
        _ => write(estimate.value),
    }
}

/// A figure's name, with its meaning on hover.
fn named(figure: &Figure) -> String {
    format!(
        "<abbr tabindex=\"0\" data-tip=\"{0}\" title=\"{0}\">{1}</abbr>",
        escape(figure.meaning),
        figure.name
    )
}

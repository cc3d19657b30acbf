//! The report: one HTML file with its styles, drawings and script inside, so that it opens offline and can be sent.

mod axis;
mod backstop;
mod chart;
mod figures;
mod headline;
mod number;
mod panels;
mod sweep;

use std::collections::BTreeMap;
use std::fmt::Write as _;

use breakwater_sim::trace::Trace;

use crate::metrics::Figures;
use axis::Moment;
use number::{NOT_APPLICABLE, escape, fixed};
use panels::{Section, Worlds};

pub use figures::{BACKSTOP_FIGURES, FIGURES, Figure, all as all_figures};
pub use sweep::sweep_report;

/// What a run of these policies showed, in one line without a full stop.
#[must_use]
pub fn headline(policies: &[(&str, &Figures)]) -> String {
    headline::headline(policies).title
}

/// One parameter as the run used it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting {
    /// Dotted key of the scenario file.
    pub key: String,
    /// Its value.
    pub value: String,
    /// What it means, with its unit.
    pub meaning: String,
    /// What the scenario file says beside it; may be empty.
    pub source: String,
}

/// An account of the file that took no part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeftOut {
    /// Line of the file.
    pub row: u64,
    /// What the file calls it.
    pub account: String,
    /// Why.
    pub reason: String,
}

/// One policy's world.
#[derive(Clone, Copy, Debug)]
pub struct World<'a> {
    /// The policy's name.
    pub name: &'static str,
    /// What it recorded.
    pub trace: &'a Trace,
    /// Its figures.
    pub figures: &'a Figures,
}

/// Everything that a report says.
#[derive(Clone, Copy, Debug)]
pub struct Report<'a> {
    /// The scenario's title.
    pub title: &'a str,
    /// The scenario's name.
    pub scenario: &'a str,
    /// What happened, in a sentence or two.
    pub description: &'a str,
    /// Where the scenario's figures come from.
    pub sources: &'a [String],
    /// Seed of all random numbers.
    pub seed: u64,
    /// Commit of the program.
    pub commit: &'a str,
    /// The command that gives this report again.
    pub command: &'a str,
    /// Accounts at the start.
    pub accounts: usize,
    /// The policies, in the order in which they are reported.
    pub policies: &'a [World<'a>],
    /// The world without impact.
    pub counterfactual: World<'a>,
    /// Every parameter.
    pub settings: &'a [Setting],
    /// Accounts left out.
    pub left_out: &'a [LeftOut],
    /// What had to be assumed about files that do not cover the window.
    pub notes: &'a [String],
    /// Hashes of the configuration and the input, by name.
    pub identity: &'a [(String, String)],
    /// Hashes of the contracts' creation code, by name.
    pub contracts: &'a BTreeMap<String, String>,
}

impl Report<'_> {
    /// The file's content.
    #[must_use]
    pub fn render(&self) -> String {
        let mut html = String::with_capacity(1 << 20);
        let title = escape(self.title);
        let _ = write!(
            html,
            "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\
             <meta name=\"color-scheme\" content=\"light dark\"><link rel=\"icon\" href=\"data:,\"><title>{title}: Breakwater simulation</title><style>{}</style></head><body><main>",
            include_str!("style.css")
        );
        self.opening(&mut html);
        let figures: Vec<_> = self
            .policies
            .iter()
            .map(|world| (world.name, world.figures))
            .collect();
        html.push_str("<h2>Figures</h2><p class=\"quiet\">A dot marks the lowest value where lower is better and the policies differ. Point at a figure\u{2019}s name for what it means. The counterfactual is the same market with the same accounts and random numbers, in which liquidators sell at the reference price without moving it.</p>");
        html.push_str(&figures::table(&figures, self.counterfactual.figures));
        let traces: Vec<_> = self
            .policies
            .iter()
            .map(|world| (world.name, world.trace))
            .collect();
        let worlds = Worlds {
            policies: &traces,
            counterfactual: self.counterfactual.trace,
        };
        let backstop =
            backstop::paragraph(self.policies).and_then(|paragraph| worlds.backstop(paragraph));
        for section in worlds.sections().iter().chain(&backstop) {
            write_section(&mut html, section);
        }
        self.limits(&mut html);
        self.run(&mut html);
        self.accounts_left_out(&mut html);
        self.configuration(&mut html);
        let _ = writeln!(
            html,
            "</main><div id=\"tip\" role=\"status\" hidden></div><script>{}{}</script></body></html>",
            include_str!("tip.js"),
            include_str!("script.js")
        );
        html
    }

    fn opening(&self, html: &mut String) {
        let rows = &self.counterfactual.trace.blocks;
        let headline = headline::headline(
            &self
                .policies
                .iter()
                .map(|world| (world.name, world.figures))
                .collect::<Vec<_>>(),
        );
        let _ = write!(
            html,
            "<header><p class=\"kind\">Breakwater simulation</p><h1>{}</h1><p>{}</p></header><section class=\"lead\"><h2>{}</h2>",
            escape(self.title),
            escape(self.description),
            escape(&headline.title)
        );
        for sentence in &headline.sentences {
            let _ = write!(html, "<p>{}</p>", escape(sentence));
        }
        let _ = write!(
            html,
            "</section><ul class=\"facts\"><li>scenario <b>{}</b></li><li>seed <b>{}</b></li><li>blocks <b>{}</b></li><li>accounts <b>{}</b></li>",
            escape(self.scenario),
            self.seed,
            fixed(rows.len().saturating_sub(1) as f64, 0),
            fixed(self.accounts as f64, 0)
        );
        if let (Some(first), Some(last)) = (rows.first(), rows.last()) {
            let _ = write!(
                html,
                "<li>from <b>{}</b> to <b>{}</b> UTC</li><li>initial debt <b>{}</b></li><li>initial collateral <b>{}</b> at <b>{}</b></li>",
                Moment::from_unix(first.timestamp).full(),
                Moment::from_unix(last.timestamp).full(),
                number::compact(first.debt),
                number::compact(first.collateral),
                fixed(first.reference_price, 2)
            );
        }
        html.push_str("</ul>");
    }

    /// What a reader must not take from this run.
    fn limits(&self, html: &mut String) {
        html.push_str("<h2>What this run does not show</h2><ul>");
        let _ = write!(
            html,
            "<li>This is one seed ({}). All worlds share its random numbers, so the difference between policies is a paired one, but it comes without an interval.</li>",
            self.seed
        );
        for note in self.notes {
            let _ = write!(html, "<li>{}.</li>", escape(note));
        }
        html.push_str(
            "<li>Health factors and shortfalls behind the figures are valued at the reference price, not at the protocol\u{2019}s own price, so that a lagging feed does not hide them.</li>\
             <li>One collateral, one debt asset, one venue. Real liquidators have several venues, and real crashes hit several protocols at once.</li>\
             <li>Pass-through of selling to the outside market, its recovery, the depth of the venue and the temper of borrowers, keepers and liquidity providers are assumptions, listed below; the effect of dampening depends on them.</li>\
             <li>Keepers are rational and know the rules; none colludes with block builders, and nobody attacks.</li>\
             <li>Accounts do not open or enlarge positions during the run, and lenders do not leave.</li></ul>",
        );
    }

    fn run(&self, html: &mut String) {
        let _ = write!(
            html,
            "<h2>The run</h2><p>The same figures come out of the same program with</p><pre><code>{}</code></pre>",
            escape(self.command)
        );
        html.push_str("<p>Every figure above can be computed again from <code>blocks.parquet</code> and <code>liquidations.parquet</code> beside this file.</p><div class=\"scroll\"><table class=\"settings\"><tbody>");
        let _ = write!(
            html,
            "<tr><th scope=\"row\">commit</th><td class=\"number\">{}</td></tr>",
            escape(self.commit)
        );
        for (name, value) in self.identity {
            let _ = write!(
                html,
                "<tr><th scope=\"row\">{}</th><td class=\"number\">{}</td></tr>",
                escape(name),
                escape(value)
            );
        }
        html.push_str("</tbody></table></div>");
        if !self.contracts.is_empty() {
            html.push_str("<details><summary>Hashes of the contracts\u{2019} creation code</summary><div class=\"scroll\"><table class=\"settings\"><tbody>");
            for (name, hash) in self.contracts {
                let _ = write!(
                    html,
                    "<tr><th scope=\"row\">{}</th><td class=\"number\">{}</td></tr>",
                    escape(name),
                    escape(hash)
                );
            }
            html.push_str("</tbody></table></div></details>");
        }
        if !self.sources.is_empty() {
            html.push_str("<h3>Sources of the scenario\u{2019}s figures</h3><ul>");
            for source in self.sources {
                let _ = write!(html, "<li>{}</li>", escape(source));
            }
            html.push_str("</ul>");
        }
    }

    fn accounts_left_out(&self, html: &mut String) {
        html.push_str("<h2>Accounts left out</h2>");
        if self.left_out.is_empty() {
            html.push_str("<p>None.</p>");
            return;
        }
        let _ = write!(
            html,
            "<p>{} rows of the accounts file took no part.</p><details><summary>List them</summary><div class=\"scroll\"><table class=\"settings\"><thead><tr><th scope=\"col\">Row</th><th scope=\"col\">Account</th><th scope=\"col\">Why</th></tr></thead><tbody>",
            fixed(self.left_out.len() as f64, 0)
        );
        for each in self.left_out {
            let _ = write!(
                html,
                "<tr><td>{}</td><td>{}</td><td>{}</td></tr>",
                each.row,
                escape(&each.account),
                escape(&each.reason)
            );
        }
        html.push_str("</tbody></table></div></details>");
    }

    fn configuration(&self, html: &mut String) {
        html.push_str("<h2>Configuration</h2><div class=\"scroll\"><table class=\"settings\"><thead><tr><th scope=\"col\">Parameter</th><th scope=\"col\">Value</th><th scope=\"col\">Meaning</th><th scope=\"col\">Source or reason</th></tr></thead><tbody>");
        for setting in self.settings {
            let _ = write!(
                html,
                "<tr><th scope=\"row\"><code>{}</code></th><td>{}</td><td>{}</td><td>{}</td></tr>",
                escape(&setting.key),
                escape(&setting.value),
                escape(&setting.meaning),
                escape(&setting.source)
            );
        }
        html.push_str("</tbody></table></div>");
    }
}

fn write_section(html: &mut String, section: &Section) {
    let _ = write!(html, "<section><h2>{}</h2>", escape(section.title));
    if !section.text.is_empty() {
        let _ = write!(html, "<p class=\"quiet\">{}</p>", escape(&section.text));
    }
    // Charts that share colours share one explanation of them.
    if let Some(chart) = section.charts.iter().find(|chart| !chart.legend) {
        chart.write_legend(html);
    }
    let _ = write!(html, "<div class=\"grid {}\">", section.grid);
    for chart in &section.charts {
        html.push_str(&chart.render());
    }
    html.push_str("</div></section>");
}

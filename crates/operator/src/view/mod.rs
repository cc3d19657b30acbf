//! The same in a terminal: reads a running keeper's `/status.json` and draws it.

mod fetch;
mod format;
mod keeper;
mod keys;
mod panels;
mod run;
mod table;

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout};
use ratatui::style::{Color, Style, Stylize};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Paragraph, Tabs};

use crate::status::ServedStatus;

pub use fetch::{FetchError, client, fetch};
pub use keys::Key;
pub use run::watch;

/// What is shown below the summary.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Tab {
    /// Borrowers, nearest to liquidation first.
    #[default]
    Positions,
    /// Prices, buckets, and the debt that falls at each price.
    Market,
    /// Pending bids and profit.
    Bids,
    /// Liquidations by others.
    Missed,
    /// Nodes, tasks, mirror, warnings.
    Keeper,
}

impl Tab {
    /// All of them, in order.
    pub const ALL: [Self; 5] = [
        Self::Positions,
        Self::Market,
        Self::Bids,
        Self::Missed,
        Self::Keeper,
    ];

    const fn title(self) -> &'static str {
        match self {
            Self::Positions => "Positions",
            Self::Market => "Market",
            Self::Bids => "Bids",
            Self::Missed => "Missed",
            Self::Keeper => "Keeper",
        }
    }

    fn place(self) -> usize {
        Self::ALL.iter().position(|tab| *tab == self).unwrap_or(0)
    }
}

/// Where the operator looks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ViewState {
    /// What is shown.
    pub tab: Tab,
    /// The chosen row of it; [`draw`] does not go past the end.
    pub row: usize,
    /// Why the keeper did not answer, if the last question failed.
    pub trouble: Option<String>,
}

/// Draws a status, or that there is none yet.
pub fn draw(frame: &mut Frame<'_>, served: Option<&ServedStatus>, state: &ViewState) {
    let [head, tabs, body, foot] = Layout::vertical([
        Constraint::Length(4),
        Constraint::Length(1),
        Constraint::Min(1),
        Constraint::Length(1),
    ])
    .areas(frame.area());
    frame.render_widget(
        Tabs::new(Tab::ALL.map(Tab::title))
            .select(state.tab.place())
            .highlight_style(Style::new().reversed().bold()),
        tabs,
    );
    let foot_text = "q quit  tab/←→ section  ↑↓ pgup/pgdn home row";
    frame.render_widget(Paragraph::new(foot_text.dim()), foot);
    let Some(served) = served else {
        let text = state
            .trouble
            .clone()
            .unwrap_or_else(|| "Reading the keeper's status…".to_owned());
        frame.render_widget(Paragraph::new(format::clean(&text)), head);
        return;
    };
    frame.render_widget(Paragraph::new(summary(served, state)), head);
    panels::draw(frame, body, served, state);
}

/// Readiness, head, breaker, profit in four lines.
fn summary<'a>(served: &ServedStatus, state: &ViewState) -> Vec<Line<'a>> {
    let status = &served.status;
    let readiness = match (&state.trouble, served.not_ready.first()) {
        (Some(trouble), _) => Span::styled(
            format!("NO ANSWER, old figures: {}", format::clean(trouble)),
            Style::new().fg(Color::Red).bold(),
        ),
        (None, Some(reason)) => Span::styled(
            format!("NOT READY: {}", format::clean(reason)),
            Style::new().fg(Color::Red).bold(),
        ),
        (None, None) => Span::styled("READY", Style::new().fg(Color::Green).bold()),
    };
    let more = match (state.trouble.is_none(), served.not_ready.len()) {
        (true, 2..) => format!(" (+{})", served.not_ready.len() - 1),
        _ => String::new(),
    };
    let unit = format::brief(&status.keeper.debt_symbol);
    let head = status.head.map_or_else(
        || "no block yet".to_owned(),
        |head| {
            format!(
                "{} ({} ago)  base fee {} gwei",
                head.number,
                format::span(head.age(served.now)),
                format::number(head.base_fee as f64 / 1e9)
            )
        },
    );
    let sender = status.sender.map_or_else(
        || "none".to_owned(),
        |sender| {
            let lock = if sender.unlocked { "" } else { ", locked" };
            format!("{} native{lock}", format::number(sender.balance))
        },
    );
    let unhealthy: Vec<_> = status
        .zones
        .iter()
        .filter(|(zone, _)| **zone != crate::status::Zone::Healthy)
        .map(|(_, total)| total)
        .collect();
    let debt: f64 = unhealthy.iter().map(|total| total.debt).sum();
    let positions: u64 = unhealthy.iter().map(|total| total.positions).sum();
    let warnings = match status.warnings.len() {
        0 => Span::raw("no warnings"),
        count => Span::styled(format!("warnings {count}"), Style::new().fg(Color::Yellow)),
    };
    let profit = &status.profit;
    vec![
        Line::from(vec![
            Span::raw("Breakwater keeper  ").bold(),
            readiness,
            Span::raw(more),
        ]),
        Line::from(vec![
            Span::raw(format!("head {head}  breaker ")),
            format::breaker(status.breaker, format::chain_now(served)),
        ]),
        Line::from(vec![
            Span::raw(format!(
                "net {} {unit} ({} won, {} reverted)  pending {}  ",
                format::number(profit.net),
                profit.succeeded,
                profit.reverted,
                status.pending.len()
            )),
            warnings,
        ]),
        Line::from(format!(
            "liquidatable {} {unit} in {positions} of {}  account {sender}",
            format::number(debt),
            status.positions_total
        )),
    ]
}

//! The sections.

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::{Color, Style};
use ratatui::text::Span;
use ratatui::widgets::Paragraph;

use super::format::{
    address, brief, chain_now, clean, number, optional, percent, short, since, until, zone,
};
use super::keeper;
use super::table::{Column, bar, table, with_detail};
use super::{Tab, ViewState};
use crate::status::{CollateralStatus, PriceStatus, ServedStatus, Status};

/// Columns from which everything fits.
const WIDE: u16 = 120;

impl Tab {
    /// How many rows the section scrolls through.
    #[must_use]
    pub fn rows(self, status: &Status) -> usize {
        match self {
            Self::Positions => status.positions.len(),
            Self::Market => status.falls.len(),
            Self::Bids => status.pending.len(),
            Self::Missed => status.missed.len(),
            Self::Keeper => status.warnings.len(),
        }
    }
}

pub(super) fn draw(frame: &mut Frame<'_>, area: Rect, served: &ServedStatus, state: &ViewState) {
    match state.tab {
        Tab::Positions => positions(frame, area, served, state.row),
        Tab::Market => market(frame, area, served, state.row),
        Tab::Bids => bids(frame, area, served, state.row),
        Tab::Missed => missed(frame, area, served, state.row),
        Tab::Keeper => keeper::draw(frame, area, served, state.row),
    }
}

fn positions(frame: &mut Frame<'_>, area: Rect, served: &ServedStatus, chosen: usize) {
    let now = chain_now(served);
    let wide = area.width >= WIDE;
    let detail = served.status.positions.get(chosen).map(|entry| {
        let facts = format!(
            "{}  {} {}  falls at {}  bonus {}  flagged {}  expects {}",
            entry.account,
            number(entry.amount),
            brief(&entry.collateral),
            optional(entry.liquidation_price),
            percent(entry.bonus),
            since(entry.flagged_since, now),
            optional(entry.expected_profit),
        );
        let why = entry.why_not.as_deref().map(clean);
        [
            facts,
            why.map_or_else(|| "it bids".to_owned(), |why| format!("waits: {why}")),
        ]
    });
    let area = with_detail(frame, area, detail);
    let mut columns: Vec<Column> = vec![
        ("Account", 11, false),
        ("Zone", 9, false),
        ("Health", 6, true),
        ("Distance", 8, true),
    ];
    if wide {
        columns.extend([
            ("Falls at", 9, true),
            ("Amount", 9, true),
            ("Token", 10, false),
        ]);
    }
    columns.push(("Debt", 9, true));
    if wide {
        columns.extend([("Bonus", 6, true), ("Flagged", 7, true)]);
    }
    columns.extend([("Turn", 6, true), ("Bid", 6, true)]);
    if wide {
        columns.push(("Expect", 8, true));
    }
    columns.push(("Why it waits", 0, false));
    let rows = served.status.positions.iter().map(|entry| {
        let mut row = vec![
            Span::raw(address(entry.account)),
            zone(entry.zone),
            Span::raw(if entry.health.is_finite() {
                format!("{:.4}", entry.health)
            } else {
                "–".to_owned()
            }),
            Span::raw(percent(entry.distance)),
        ];
        if wide {
            row.extend(
                [
                    optional(entry.liquidation_price),
                    number(entry.amount),
                    brief(&entry.collateral),
                ]
                .map(Span::raw),
            );
        }
        row.push(Span::raw(number(entry.debt)));
        if wide {
            row.extend([percent(entry.bonus), since(entry.flagged_since, now)].map(Span::raw));
        }
        row.extend([until(entry.next_turn, now), until(entry.planned_at, now)].map(Span::raw));
        if wide {
            row.push(Span::raw(optional(entry.expected_profit)));
        }
        row.push(Span::raw(
            entry
                .why_not
                .as_deref()
                .map_or_else(|| "–".to_owned(), clean),
        ));
        row
    });
    table(
        frame,
        area,
        &columns,
        rows.collect(),
        Some(chosen),
        "No position with debt is known.",
    );
}

fn market(frame: &mut Frame<'_>, area: Rect, served: &ServedStatus, chosen: usize) {
    let status = &served.status;
    let mut area = area;
    if let Some(backstop) = status.backstop {
        let [line, rest] =
            Layout::vertical([Constraint::Length(1), Constraint::Min(1)]).areas(area);
        let text = format!(
            "backstop: {} to spend, inventory worth {}, {} to buy of it with",
            number(backstop.absorbable),
            number(backstop.inventory),
            number(backstop.spendable)
        );
        frame.render_widget(Paragraph::new(text), line);
        area = rest;
    }
    let height = u16::try_from(status.collaterals.len())
        .unwrap_or(u16::MAX)
        .saturating_add(2);
    let [prices, falls] = Layout::vertical([
        Constraint::Max(height.min(area.height / 2)),
        Constraint::Min(1),
    ])
    .areas(area);
    let columns: [Column; 7] = [
        ("Token", 10, false),
        ("Price", 8, false),
        ("Fast", 9, true),
        ("Slow", 9, true),
        ("Venue", 9, true),
        ("Bucket", 16, false),
        ("Depth 2%", 9, true),
    ];
    let rows = status.collaterals.iter().map(|entry| {
        vec![
            Span::raw(brief(&entry.symbol)),
            price_status(entry.price_status),
            Span::raw(number(entry.fast)),
            Span::raw(number(entry.slow)),
            Span::raw(optional(entry.venue)),
            bucket(entry),
            Span::raw(optional(entry.venue_depth)),
        ]
    });
    table(
        frame,
        prices,
        &columns,
        rows.collect(),
        None,
        "No collateral is known yet.",
    );
    let most = status
        .falls
        .iter()
        .map(|step| step.debt)
        .fold(0.0, f64::max);
    let columns: [Column; 5] = [
        ("Token", 10, false),
        ("Drop", 7, true),
        ("Price", 9, true),
        ("Debt", 9, true),
        ("Debt that falls in the step", 0, false),
    ];
    let bars = f64::from(falls.width.saturating_sub(42).min(60));
    let rows = status.falls.iter().map(|step| {
        let symbol = status
            .collaterals
            .iter()
            .find(|entry| entry.id == step.collateral_id);
        let share = if most > 0.0 { step.debt / most } else { 0.0 };
        vec![
            Span::raw(symbol.map_or_else(
                || step.collateral_id.to_string(),
                |entry| brief(&entry.symbol),
            )),
            Span::raw(percent(Some(step.drop))),
            Span::raw(number(step.price)),
            Span::raw(number(step.debt)),
            Span::styled(bar(share, bars), Style::new().fg(Color::Cyan)),
        ]
    });
    table(
        frame,
        falls,
        &columns,
        rows.collect(),
        Some(chosen),
        "No position with debt is known.",
    );
}

fn bucket(entry: &CollateralStatus) -> Span<'static> {
    let Some(bucket) = entry.bucket else {
        return Span::raw("–");
    };
    let share = if bucket.cap > 0.0 {
        bucket.level / bucket.cap
    } else {
        0.0
    };
    let colour = if share > bucket.reserve {
        Color::Green
    } else {
        Color::Yellow
    };
    let text = format!("{:<10} {:>4.0}%", bar(share, 10.0), share * 100.0);
    Span::styled(text, Style::new().fg(colour))
}

fn price_status(status: PriceStatus) -> Span<'static> {
    match status {
        PriceStatus::Ok => Span::styled("ok", Style::new().fg(Color::Green)),
        PriceStatus::Degraded => Span::styled("degraded", Style::new().fg(Color::Yellow)),
        PriceStatus::Down => Span::styled("down", Style::new().fg(Color::Red)),
    }
}

fn bids(frame: &mut Frame<'_>, area: Rect, served: &ServedStatus, chosen: usize) {
    let profit = &served.status.profit;
    let unit = brief(&served.status.keeper.debt_symbol);
    let [summary, list] = Layout::vertical([Constraint::Length(2), Constraint::Min(1)]).areas(area);
    let text = format!(
        "realised: gross {}  gas {}  net {} {unit}",
        number(profit.gross),
        number(profit.gas),
        number(profit.net)
    );
    frame.render_widget(Paragraph::new(text), summary);
    let detail = served.status.pending.get(chosen).map(|bid| {
        let transaction = bid
            .transaction
            .map_or_else(|| "none yet".to_owned(), |hash| hash.to_string());
        [
            format!(
                "{} for {}  order {}",
                clean(&bid.action),
                bid.account,
                clean(&bid.order)
            ),
            format!("transaction {transaction}"),
        ]
    });
    let list = with_detail(frame, list, detail);
    let columns: [Column; 8] = [
        ("Order", 11, false),
        ("Action", 10, false),
        ("Account", 11, false),
        ("State", 10, false),
        ("Nonce", 6, true),
        ("Most", 8, true),
        ("Tip gwei", 8, true),
        ("Since", 8, true),
    ];
    let rows = served.status.pending.iter().map(|bid| {
        [
            short(&bid.order),
            brief(&bid.action),
            address(bid.account),
            bid.state.name().to_owned(),
            bid.nonce
                .map_or_else(|| "–".to_owned(), |nonce| nonce.to_string()),
            number(bid.max_fee_gwei),
            number(bid.tip_gwei),
            since(Some(bid.since), served.now),
        ]
        .map(Span::raw)
        .to_vec()
    });
    table(
        frame,
        list,
        &columns,
        rows.collect(),
        Some(chosen),
        "Nothing is pending.",
    );
}

fn missed(frame: &mut Frame<'_>, area: Rect, served: &ServedStatus, chosen: usize) {
    let status = &served.status;
    let [summary, list] = Layout::vertical([Constraint::Length(2), Constraint::Min(1)]).areas(area);
    let totals: Vec<_> = status
        .missed_total
        .iter()
        .filter(|(_, total)| **total > 0)
        .map(|(reason, total)| format!("{total} {}", reason.name()))
        .collect();
    let text = if totals.is_empty() {
        String::new()
    } else {
        format!("in all: {}", totals.join(", "))
    };
    frame.render_widget(Paragraph::new(text), summary);
    let detail = status.missed.get(chosen).map(|row| {
        [
            format!("account {}  by {}", row.account, row.liquidator),
            format!("transaction {}  {}", row.transaction, clean(&row.detail)),
        ]
    });
    let list = with_detail(frame, list, detail);
    let columns: [Column; 8] = [
        ("Block", 9, true),
        ("Account", 11, false),
        ("By", 11, false),
        ("Repaid", 9, true),
        ("Token", 7, false),
        ("Bonus", 6, true),
        ("Reason", 12, false),
        ("Detail", 0, false),
    ];
    let rows = status.missed.iter().map(|row| {
        [
            row.block.to_string(),
            address(row.account),
            address(row.liquidator),
            number(row.repaid),
            brief(&row.collateral),
            percent(Some(row.bonus)),
            row.reason.name().to_owned(),
            clean(&row.detail),
        ]
        .map(Span::raw)
        .to_vec()
    });
    table(
        frame,
        list,
        &columns,
        rows.collect(),
        Some(chosen),
        "None was missed.",
    );
}

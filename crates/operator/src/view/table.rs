//! Tables, bars, and the lines about the chosen row.

use ratatui::Frame;
use ratatui::layout::{Alignment, Constraint, Layout, Rect};
use ratatui::style::{Style, Stylize};
use ratatui::text::{Line, Span, Text};
use ratatui::widgets::{Cell, Paragraph, Row, Table, Wrap};

/// Lines about the chosen row, and the height from which there is room for them.
const DETAIL: u16 = 4;
const ROOM: u16 = 10;

/// A column: title, width (0 takes what is left), whether its figures stand to the right.
pub(super) type Column = (&'static str, u16, bool);

/// Draws a table that shows the chosen row and marks it.
pub(super) fn table(
    frame: &mut Frame<'_>,
    area: Rect,
    columns: &[Column],
    rows: Vec<Vec<Span<'_>>>,
    chosen: Option<usize>,
    empty: &'static str,
) {
    if rows.is_empty() {
        frame.render_widget(Paragraph::new(empty.dim()), area);
        return;
    }
    let place = |right: bool| {
        if right {
            Alignment::Right
        } else {
            Alignment::Left
        }
    };
    let visible = usize::from(area.height.saturating_sub(1)).max(1);
    // A list that became shorter since the row was chosen.
    let chosen = chosen.map(|chosen| chosen.min(rows.len() - 1));
    let first = chosen.map_or(0, |chosen| (chosen + 1).saturating_sub(visible));
    let head = Row::new(
        columns
            .iter()
            .map(|(title, _, right)| Cell::new(Text::from(*title).alignment(place(*right)))),
    )
    .style(Style::new().bold().underlined());
    let shown = rows.into_iter().enumerate().skip(first).take(visible);
    let body = shown.map(|(at, cells)| {
        let cells = cells.into_iter().zip(columns).map(|(cell, (_, _, right))| {
            Cell::new(Text::from(Line::from(cell)).alignment(place(*right)))
        });
        let style = if chosen == Some(at) {
            Style::new().reversed()
        } else {
            Style::new()
        };
        Row::new(cells).style(style)
    });
    let widths = columns.iter().map(|(_, width, _)| match width {
        0 => Constraint::Min(8),
        width => Constraint::Length(*width),
    });
    frame.render_widget(Table::new(body, widths).header(head), area);
}

/// Draws lines about the chosen row at the bottom, if there is one and room; what is left of the area.
pub(super) fn with_detail(frame: &mut Frame<'_>, area: Rect, detail: Option<[String; 2]>) -> Rect {
    let Some(detail) = detail.filter(|_| area.height >= ROOM) else {
        return area;
    };
    let [rest, below] =
        Layout::vertical([Constraint::Min(1), Constraint::Length(DETAIL)]).areas(area);
    let lines: Vec<_> = detail.into_iter().map(Line::from).collect();
    frame.render_widget(Paragraph::new(lines).wrap(Wrap { trim: false }), below);
    rest
}

/// A bar of at most `width` columns, in eighths of one.
pub(super) fn bar(share: f64, width: f64) -> String {
    const PARTS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];
    // A share that is not a number becomes 0 by the conversion.
    let eighths = (share.clamp(0.0, 1.0) * width * 8.0).round() as usize;
    format!("{}{}", "█".repeat(eighths / 8), PARTS[eighths % 8])
}

//! The section about the keeper itself.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::{Color, Style};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Paragraph, Wrap};

use super::format::{clean, number, since, span};
use crate::status::ServedStatus;

/// Nodes, tasks, mirror, reasons not to be ready, and the warnings from the chosen one on.
pub(super) fn draw(frame: &mut Frame<'_>, area: Rect, served: &ServedStatus, chosen: usize) {
    let status = &served.status;
    let mirror = &status.mirror;
    let mut lines = vec![
        Line::from(format!(
            "version {}  chain {}  pool {}{}",
            clean(&status.keeper.version),
            status.keeper.chain_id,
            status.keeper.pool,
            if status.keeper.dry_run {
                "  dry run"
            } else {
                ""
            }
        )),
        Line::from(format!(
            "mirror: {} accounts, drift {} wei, {} audited (last {}), {} reorgs, deepest {}",
            mirror.accounts,
            mirror.drift,
            mirror.audited,
            mirror.last_audit.map_or_else(
                || "never".to_owned(),
                |time| format!("{} ago", span(served.now.saturating_sub(time)))
            ),
            mirror.reorgs,
            mirror.deepest_reorg
        )),
    ];
    for node in &status.rpc {
        let (word, colour) = if node.healthy {
            ("in use  ", Color::Green)
        } else {
            ("not used", Color::Red)
        };
        lines.push(Line::from(vec![
            Span::raw("node "),
            Span::styled(word, Style::new().fg(colour)),
            Span::raw(format!(
                "  {} requests, {} failed, {}  {}",
                node.requests,
                node.failures,
                node.latency.map_or_else(
                    || "–".to_owned(),
                    |latency| format!("{} ms", number(latency * 1e3))
                ),
                clean(&node.name)
            )),
        ]));
    }
    for task in &status.tasks {
        let (word, colour) = if task.alive {
            ("running ", Color::Green)
        } else {
            ("ended   ", Color::Red)
        };
        lines.push(Line::from(vec![
            Span::raw("task "),
            Span::styled(word, Style::new().fg(colour)),
            Span::raw(format!(
                "  {} (progress {} ago)",
                clean(&task.name),
                since(task.last_progress, served.now)
            )),
        ]));
    }
    let reasons = served
        .not_ready
        .iter()
        .map(|reason| format!("not ready: {}", clean(reason)));
    lines.extend(reasons.map(|text| Line::styled(text, Style::new().fg(Color::Red))));
    let warnings = status.warnings.iter().skip(chosen).map(|warning| {
        format!(
            "warning ({} ago): {}",
            span(served.now.saturating_sub(warning.since)),
            clean(&warning.text)
        )
    });
    lines.extend(warnings.map(|text| Line::styled(text, Style::new().fg(Color::Yellow))));
    frame.render_widget(Paragraph::new(lines).wrap(Wrap { trim: false }), area);
}

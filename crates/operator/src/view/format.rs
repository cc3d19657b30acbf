//! Figures and words in few columns.

use alloy_primitives::Address;
use ratatui::style::{Color, Style};
use ratatui::text::Span;

use crate::status::{BreakerLevel, BreakerStatus, ServedStatus, Zone};

/// Letters of a symbol that are shown.
const MOST: usize = 10;

/// Text without what a terminal would obey: control characters (escape sequences begin with one) and marks that turn the
/// direction of writing.
pub(super) fn clean(text: &str) -> String {
    text.chars()
        .map(|letter| {
            let turns = matches!(letter, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
            if letter.is_control() || turns { '\u{fffd}' } else { letter }
        })
        .collect()
}

/// The first letters of a symbol.
pub(super) fn brief(text: &str) -> String {
    let text = clean(text);
    if text.chars().count() <= MOST {
        return text;
    }
    text.chars().take(MOST - 1).chain(['…']).collect()
}

/// First and last digits of an address or a hash.
pub(super) fn short(text: &str) -> String {
    let text = clean(text);
    let letters: Vec<char> = text.chars().collect();
    if letters.len() <= 12 {
        return text;
    }
    let (head, tail) = (&letters[..6], &letters[letters.len() - 4..]);
    head.iter().chain(['…'].iter()).chain(tail).collect()
}

pub(super) fn address(account: Address) -> String {
    short(&account.to_string())
}

/// A figure in at most nine columns.
pub(super) fn number(value: f64) -> String {
    let size = value.abs();
    if !value.is_finite() {
        "–".to_owned()
    } else if size >= 1e15 {
        format!("{value:.2e}")
    } else if size >= 1e12 {
        format!("{:.2}T", value / 1e12)
    } else if size >= 1e9 {
        format!("{:.2}B", value / 1e9)
    } else if size >= 1e6 {
        format!("{:.2}M", value / 1e6)
    } else if size >= 100_000.0 {
        format!("{value:.0}")
    } else if size >= 1.0 || size == 0.0 {
        format!("{value:.2}")
    } else if size >= 1e-4 {
        format!("{value:.4}")
    } else {
        format!("{value:.1e}")
    }
}

pub(super) fn optional(value: Option<f64>) -> String {
    value.map_or_else(|| "–".to_owned(), number)
}

pub(super) fn percent(value: Option<f64>) -> String {
    match value {
        Some(value) if value.is_finite() && value.abs() < 100.0 => format!("{:.2}%", value * 100.0),
        _ => "–".to_owned(),
    }
}

/// Seconds in the largest unit that keeps them exact enough.
pub(super) fn span(seconds: u64) -> String {
    match seconds {
        0..120 => format!("{seconds} s"),
        120..7_200 => format!("{} min", seconds / 60),
        7_200..172_800 => format!("{} h", seconds / 3_600),
        _ => format!("{} d", seconds / 86_400),
    }
}

pub(super) fn since(time: Option<u64>, now: u64) -> String {
    time.map_or_else(|| "–".to_owned(), |time| span(now.saturating_sub(time)))
}

/// How far ahead a time is.
pub(super) fn until(time: Option<u64>, now: u64) -> String {
    match time {
        None => "–".to_owned(),
        Some(time) if time <= now => "now".to_owned(),
        Some(time) => span(time - now),
    }
}

/// The chain's clock: the head's time and what passed since the head came.
pub(super) fn chain_now(served: &ServedStatus) -> u64 {
    served.status.head.map_or(served.now, |head| {
        head.timestamp.saturating_add(head.age(served.now))
    })
}

pub(super) fn zone(zone: Zone) -> Span<'static> {
    let colour = match zone {
        Zone::Healthy => Color::Green,
        Zone::Damped => Color::Yellow,
        Zone::Hard | Zone::Insolvent => Color::Red,
    };
    Span::styled(zone.name(), Style::new().fg(colour))
}

pub(super) fn breaker(breaker: BreakerStatus, now: u64) -> Span<'static> {
    let (name, colour) = match breaker.level {
        BreakerLevel::Normal => ("normal", Color::Green),
        BreakerLevel::Stressed => ("stressed", Color::Yellow),
        BreakerLevel::Paused => ("paused", Color::Red),
        BreakerLevel::Halted => ("halted", Color::Red),
    };
    let release = breaker.until.map_or_else(String::new, |time| {
        format!(" ({} left)", until(Some(time), now))
    });
    Span::styled(format!("{name}{release}"), Style::new().fg(colour))
}

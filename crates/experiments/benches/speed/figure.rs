//! A figure, and the table of all.

use std::time::Duration;

use comfy_table::{Table, presets};

/// What was asked, and what was reached.
pub struct Figure {
    name: String,
    asked: String,
    reached: String,
    /// `None` where nothing was asked.
    met: Option<bool>,
    /// What it was measured from.
    measured: String,
}

impl Figure {
    /// A ratio of which at least `target` was asked.
    pub fn at_least(name: &str, target: f64, reached: f64, measured: String) -> Self {
        Self {
            name: name.to_owned(),
            asked: format!("≥ {target:.2}"),
            reached: format!("{reached:.2}"),
            met: Some(reached >= target),
            measured,
        }
    }

    /// A ratio of which at most `target` was asked.
    pub fn at_most(name: &str, target: f64, reached: f64, measured: String) -> Self {
        Self {
            name: name.to_owned(),
            asked: format!("≤ {target:.2}"),
            reached: format!("{reached:.2}"),
            met: Some(reached <= target),
            measured,
        }
    }

    /// A figure that nothing was asked of.
    pub fn told(name: &str, reached: String, measured: String) -> Self {
        Self {
            name: name.to_owned(),
            asked: String::new(),
            reached,
            met: None,
            measured,
        }
    }
}

/// All of them, as Markdown.
pub fn table(figures: &[Figure]) -> Table {
    let mut table = Table::new();
    table
        .load_style(presets::ASCII_MARKDOWN)
        .set_header(["figure", "asked", "reached", "met", "measured"]);
    for figure in figures {
        let met = match figure.met {
            Some(true) => "yes",
            Some(false) => "no",
            None => "",
        };
        table.add_row([
            &figure.name,
            &figure.asked,
            &figure.reached,
            met,
            &figure.measured,
        ]);
    }
    table
}

/// The median; of an even number, the greater of the two in the middle.
pub fn median(samples: impl IntoIterator<Item = Duration>) -> Duration {
    let mut samples: Vec<Duration> = samples.into_iter().collect();
    samples.sort_unstable();
    samples[samples.len() / 2]
}

pub fn ratio(a: Duration, b: Duration) -> f64 {
    a.as_secs_f64() / b.as_secs_f64()
}

pub fn seconds(duration: Duration) -> String {
    format!("{:.2} s", duration.as_secs_f64())
}

/// How many a second, to three digits.
pub fn per_second(count: u32, time: Duration) -> String {
    format!("{:.3e}", f64::from(count) / time.as_secs_f64())
}

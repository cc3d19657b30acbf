//! A figure, and the table of all.

use std::time::Duration;

use comfy_table::{Table, presets};

/// What was asked, and what was reached.
pub struct Figure {
    pub name: String,
    pub asked: String,
    pub reached: String,
    /// `None` where it was asked to be told, whatever it is.
    pub met: Option<bool>,
    /// Under which conditions it was reached.
    pub conditions: String,
}

/// All of them, as Markdown.
pub fn table(figures: &[Figure]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::ASCII_MARKDOWN).set_header([
        "figure",
        "asked",
        "reached",
        "met",
        "conditions",
    ]);
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
            &figure.conditions,
        ]);
    }
    table
}

/// Samples in ascending order.
pub struct Samples(Vec<Duration>);

impl Samples {
    pub fn new(mut samples: Vec<Duration>) -> Self {
        assert!(!samples.is_empty(), "nothing was measured");
        samples.sort_unstable();
        Self(samples)
    }

    pub fn count(&self) -> usize {
        self.0.len()
    }

    /// The least sample that `percent` of all do not exceed.
    pub fn percentile(&self, percent: usize) -> Duration {
        let rank = (self.0.len() * percent).div_ceil(100);
        self.0[rank.max(1) - 1]
    }

    pub fn longest(&self) -> Duration {
        self.0[self.0.len() - 1]
    }
}

pub fn milliseconds(duration: Duration) -> String {
    format!("{:.2} ms", duration.as_secs_f64() * 1e3)
}

/// A share of so many, percent.
pub fn share(some: usize, all: usize) -> f64 {
    100.0 * some as f64 / all as f64
}

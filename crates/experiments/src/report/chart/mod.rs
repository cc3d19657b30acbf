//! Charts over time as inline SVG.

mod draw;
mod readings;

use std::fmt::Write as _;

use super::axis::{Moment, log_ticks, nice_ticks, time_step};
use super::number::{escape, tick};
use draw::{Frame, draw_stack, path};

/// Points along the horizontal axis that the pointer can read.
const READINGS: usize = 360;

/// Distances from the drawing's edge to the plot, in the drawing's units.
const LEFT: f64 = 54.0;
const RIGHT: f64 = 22.0;
const TOP: f64 = 24.0;
const BOTTOM: f64 = 26.0;

/// The horizontal axis: entry i of every series is this much later than the first.
#[derive(Clone, Copy, Debug)]
pub(super) struct TimeAxis {
    /// Block of entry 0.
    pub first: u64,
    /// Unix seconds of entry 0.
    pub start: u64,
    /// Seconds between entries.
    pub step: u64,
    /// Entries.
    pub length: usize,
}

/// How values map to height.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scale {
    /// From zero, or from the least value where that is negative.
    FromZero,
    /// From the least to the greatest value.
    Fitted,
    /// Logarithmic; values must be positive.
    Logarithmic,
}

/// What connects the entries of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Join {
    /// Straight lines.
    Straight,
    /// A level until the next entry.
    Stepped,
}

/// One line.
#[derive(Clone, Debug)]
pub(super) struct Line {
    /// As the legend and the pointer's reading name it.
    pub name: String,
    /// CSS class that carries colour and dashes.
    pub class: &'static str,
    /// One value an entry.
    pub values: Vec<f64>,
    /// How entries are joined.
    pub join: Join,
}

/// Layers that add up.
#[derive(Clone, Debug)]
pub(super) struct Stack {
    /// From the bottom: name, CSS class, one value an entry of `TimeAxis`, or one a bar.
    pub layers: Vec<(String, &'static str, Vec<f64>)>,
    /// Entries of the time axis in one bar; 0 for areas.
    pub bar: usize,
}

/// A drawing with its words.
#[derive(Clone, Debug)]
pub(super) struct Chart {
    /// What it shows.
    pub title: String,
    /// How to read it; may be empty.
    pub note: String,
    /// The unit, said on the vertical axis and behind a reading.
    pub unit: &'static str,
    /// Size in drawing units.
    pub size: (f64, f64),
    /// The horizontal axis.
    pub time: TimeAxis,
    /// The vertical axis.
    pub scale: Scale,
    /// The least greatest value that the vertical axis shows, so that several charts can share one.
    pub at_least: f64,
    /// Whether it says itself what its colours mean; if not, the section does.
    pub legend: bool,
    /// Filled layers, drawn first.
    pub stack: Option<Stack>,
    /// Lines, the last on top.
    pub lines: Vec<Line>,
}

impl Chart {
    /// The figure: caption, legend, drawing, and what the pointer reads.
    pub(super) fn render(&self) -> String {
        let (ticks, step) = self.ticks();
        let frame = Frame {
            width: self.size.0,
            height: self.size.1,
            low: ticks.first().copied().unwrap_or(0.0),
            high: ticks.last().copied().unwrap_or(1.0),
            logarithmic: self.scale == Scale::Logarithmic,
            entries: self.time.length.saturating_sub(1).max(1) as f64,
        };
        let mut html = String::with_capacity(1 << 16);
        let _ = write!(
            html,
            "<figure class=\"chart{}\"><figcaption><h3>{}</h3>",
            if self.is_wide() { " wide" } else { "" },
            escape(&self.title)
        );
        if !self.note.is_empty() {
            let _ = write!(html, "<p>{}</p>", escape(&self.note));
        }
        html.push_str("</figcaption>");
        if self.legend {
            self.write_legend(&mut html);
        }
        let _ = write!(
            html,
            "<div class=\"plot{}\"><svg viewBox=\"0 0 {} {}\" role=\"img\" tabindex=\"0\" aria-label=\"{}\">",
            if self.is_wide() { " wide" } else { "" },
            self.size.0,
            self.size.1,
            escape(&format!(
                "{}, in {}. {}",
                self.title,
                self.unit,
                self.extremes()
            ))
        );
        self.grid(&mut html, &frame, &ticks, step);
        if let Some(stack) = &self.stack {
            draw_stack(&mut html, &frame, stack, self.time.length);
        }
        for line in &self.lines {
            let _ = write!(
                html,
                "<path class=\"line {}\" d=\"{}\"/>",
                line.class,
                path(&frame, &line.values, line.join)
            );
        }
        let _ = write!(
            html,
            "<line class=\"cursor\" y1=\"{TOP}\" y2=\"{}\" x1=\"0\" x2=\"0\" visibility=\"hidden\"/></svg></div>",
            self.size.1 - BOTTOM
        );
        let _ = write!(
            html,
            "<script type=\"application/json\">{}</script></figure>",
            self.readings()
        );
        html
    }

    /// Whether it takes a whole row of the page.
    fn is_wide(&self) -> bool {
        self.size.0 > 1000.0
    }

    /// The vertical axis' ticks and their distance.
    fn ticks(&self) -> (Vec<f64>, f64) {
        let (mut low, mut high) = (f64::INFINITY, f64::NEG_INFINITY);
        for value in self.lines.iter().flat_map(|line| &line.values) {
            (low, high) = (low.min(*value), high.max(*value));
        }
        if let Some(stack) = &self.stack {
            let length = stack.layers.first().map_or(0, |layer| layer.2.len());
            for entry in 0..length {
                high = high.max(stack.layers.iter().map(|layer| layer.2[entry]).sum());
            }
            low = low.min(0.0);
        }
        if !(low.is_finite() && high.is_finite()) {
            (low, high) = (0.0, 0.0);
        }
        high = high.max(self.at_least);
        // A hair below zero is not worth a stretch of axis.
        if self.scale == Scale::FromZero && low > -0.04 * high {
            low = low.max(0.0);
        }
        match self.scale {
            Scale::Logarithmic if low > 0.0 => {
                let mut ticks = log_ticks(low, high);
                if ticks.len() < 2 {
                    ticks = vec![ticks[0], ticks[0] * 10.0];
                }
                (ticks, 0.0)
            }
            Scale::FromZero | Scale::Logarithmic => nice_ticks(low.min(0.0), high, 5),
            Scale::Fitted => nice_ticks(low, high, 6),
        }
    }

    /// What the colours and dashes mean.
    pub(super) fn write_legend(&self, html: &mut String) {
        let layers = self
            .stack
            .iter()
            .flat_map(|stack| &stack.layers)
            .map(|layer| (&layer.0, layer.1, "swatch"));
        let lines = self
            .lines
            .iter()
            .map(|line| (&line.name, line.class, "stroke"));
        let entries: Vec<_> = lines.chain(layers).collect();
        if entries.len() < 2 {
            return;
        }
        html.push_str("<ul class=\"legend\">");
        for (name, class, kind) in entries {
            let mark = if kind == "swatch" {
                format!("<rect class=\"fill {class}\" x=\"2\" y=\"1\" width=\"12\" height=\"10\"/>")
            } else {
                format!("<path class=\"line {class}\" d=\"M0 6H22\"/>")
            };
            let width = if kind == "swatch" { 16 } else { 22 };
            let _ = write!(
                html,
                "<li><svg width=\"{width}\" height=\"12\" aria-hidden=\"true\">{mark}</svg>{}</li>",
                escape(name)
            );
        }
        html.push_str("</ul>");
    }

    fn grid(&self, html: &mut String, frame: &Frame, ticks: &[f64], step: f64) {
        let right = frame.width - RIGHT;
        let _ = write!(
            html,
            "<text class=\"unit\" x=\"2\" y=\"11\">{}</text><g class=\"grid-lines\">",
            escape(self.unit)
        );
        for &value in ticks {
            let _ = write!(html, "<path d=\"M{LEFT} {0:.1}H{right}\"/>", frame.y(value));
        }
        html.push_str("</g><g class=\"label\" text-anchor=\"end\">");
        for &value in ticks {
            let text = tick(value, if step > 0.0 { step } else { value });
            let _ = write!(
                html,
                "<text x=\"{}\" y=\"{:.1}\">{text}</text>",
                LEFT - 6.0,
                frame.y(value) + 3.5
            );
        }
        html.push_str("</g><g class=\"label\" text-anchor=\"middle\">");
        let seconds = self.time.step * frame.entries as u64;
        let distance = time_step(seconds, (self.size.0 / 85.0) as u64);
        let mut at = self.time.start.next_multiple_of(distance);
        while at <= self.time.start + seconds {
            let x = frame.x((at - self.time.start) as f64 / self.time.step as f64);
            let label = Moment::from_unix(at).label(distance);
            let base = self.size.1 - BOTTOM;
            let _ = write!(
                html,
                "<path class=\"mark\" d=\"M{x:.1} {base}v4\"/><text x=\"{x:.1}\" y=\"{}\">{label}</text>",
                base + 17.0
            );
            at += distance;
        }
        html.push_str("</g>");
    }

    /// The least and greatest value of each line, for those who cannot see the drawing.
    fn extremes(&self) -> String {
        let mut text = String::new();
        for line in &self.lines {
            let low = line.values.iter().copied().fold(f64::INFINITY, f64::min);
            let high = line
                .values
                .iter()
                .copied()
                .fold(f64::NEG_INFINITY, f64::max);
            if low.is_finite() {
                let _ = write!(
                    text,
                    "{}: {} to {}. ",
                    line.name,
                    super::number::significant(low),
                    super::number::significant(high)
                );
            }
        }
        text
    }
}

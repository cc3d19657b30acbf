//! Charts over time as inline SVG.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::axis::{Moment, columns, log_ticks, nice_ticks, time_step, visible_points};
use super::number::{escape, tick};

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
    /// Filled layers, drawn first.
    pub stack: Option<Stack>,
    /// Lines, the last on top.
    pub lines: Vec<Line>,
}

/// The mapping from values to the drawing.
struct Frame {
    width: f64,
    height: f64,
    low: f64,
    high: f64,
    logarithmic: bool,
    entries: f64,
}

impl Frame {
    fn x(&self, entry: f64) -> f64 {
        LEFT + (self.width - LEFT - RIGHT) * entry / self.entries
    }

    fn y(&self, value: f64) -> f64 {
        let map = |value: f64| {
            if self.logarithmic {
                value.log10()
            } else {
                value
            }
        };
        let share = (map(value) - map(self.low)) / (map(self.high) - map(self.low));
        self.height - BOTTOM - (self.height - TOP - BOTTOM) * share
    }
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
        self.legend(&mut html);
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

    fn legend(&self, html: &mut String) {
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

    /// What the pointer reads: at each place the block, the moment and every value.
    fn readings(&self) -> String {
        let bar = self.stack.as_ref().map_or(0, |stack| stack.bar);
        let places: Vec<usize> = if bar > 0 {
            (0..self.time.length.saturating_sub(1).div_ceil(bar))
                .map(|each| each * bar)
                .collect()
        } else {
            columns(self.time.length, READINGS)
                .map(|range| range.end - 1)
                .collect()
        };
        let round = |value: f64| -> Value {
            if !value.is_finite() {
                return Value::Null;
            }
            let shown = format!("{value:.5e}").parse::<f64>().unwrap_or(value);
            json!(shown)
        };
        let layers =
            self.stack
                .iter()
                .flat_map(|stack| &stack.layers)
                .map(|(name, class, values)| {
                    let values: Vec<Value> = places
                        .iter()
                        .map(|place| {
                            round(if bar > 0 {
                                values[place / bar]
                            } else {
                                values[*place]
                            })
                        })
                        .collect();
                    json!({"name": name, "class": class, "values": values})
                });
        let lines = self.lines.iter().map(|line| {
            let values: Vec<Value> = places
                .iter()
                .map(|&place| round(line.values[place]))
                .collect();
            json!({"name": line.name, "class": line.class, "values": values})
        });
        let data = json!({
            "unit": self.unit,
            "start": self.time.start,
            "step": self.time.step,
            "bar": bar,
            "entries": self.time.length,
            "left": LEFT,
            "right": self.size.0 - RIGHT,
            "width": self.size.0,
            "places": places,
            "series": lines.chain(layers).collect::<Vec<_>>(),
        });
        // Inside a script element only `</` could end it early.
        data.to_string().replace("</", "<\\/")
    }
}

/// The drawing of a line.
fn path(frame: &Frame, values: &[f64], join: Join) -> String {
    let width = (frame.width - LEFT - RIGHT) as usize;
    let mut path = String::new();
    for (position, (entry, value)) in visible_points(values, width).into_iter().enumerate() {
        let (x, y) = (frame.x(entry as f64), frame.y(value));
        let _ = match (position, join) {
            (0, _) => write!(path, "M{x:.1} {y:.1}"),
            (_, Join::Straight) => write!(path, "L{x:.1} {y:.1}"),
            (_, Join::Stepped) => write!(path, "H{x:.1}V{y:.1}"),
        };
    }
    path
}

/// The drawing of layers on top of each other.
fn draw_stack(html: &mut String, frame: &Frame, stack: &Stack, entries: usize) {
    let length = stack.layers.first().map_or(0, |layer| layer.2.len());
    // Areas are drawn at column ends: adjacent layers must bend at the same places.
    let places: Vec<usize> = if stack.bar > 0 {
        (0..length).collect()
    } else {
        columns(length, READINGS)
            .map(|range| range.end - 1)
            .collect()
    };
    let mut base = vec![0.0; places.len()];
    for (_, class, values) in &stack.layers {
        let top: Vec<f64> = places
            .iter()
            .zip(&base)
            .map(|(&place, base)| base + values[place])
            .collect();
        let mut path = String::new();
        if stack.bar > 0 {
            for (bar, (from, to)) in base
                .iter()
                .zip(&top)
                .enumerate()
                .filter(|(_, (from, to))| from != to)
            {
                let left = frame.x((bar * stack.bar) as f64);
                let right =
                    frame.x(((bar + 1) * stack.bar).min(entries.saturating_sub(1).max(1)) as f64);
                let _ = write!(
                    path,
                    "M{left:.1} {:.1}V{:.1}H{right:.1}V{:.1}Z",
                    frame.y(*from),
                    frame.y(*to),
                    frame.y(*from)
                );
            }
        } else if base != top {
            let point = |path: &mut String, place: usize, value: f64| {
                let command = if path.is_empty() { 'M' } else { 'L' };
                let _ = write!(
                    path,
                    "{command}{:.1} {:.1}",
                    frame.x(place as f64),
                    frame.y(value)
                );
            };
            for (&place, &value) in places.iter().zip(&top) {
                point(&mut path, place, value);
            }
            for (&place, &value) in places.iter().zip(&base).rev() {
                point(&mut path, place, value);
            }
            path.push('Z');
        }
        if !path.is_empty() {
            let _ = write!(html, "<path class=\"fill {class}\" d=\"{path}\"/>");
        }
        base = top;
    }
}

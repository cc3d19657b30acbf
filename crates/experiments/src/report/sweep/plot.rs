//! Drawings of estimates: dots with whiskers, lines, bars. Every mark says on hover what it is.

use std::fmt::Write as _;

use super::super::axis::nice_ticks;
use super::super::number::{escape, tick};
use crate::sweep::statistics::Estimate;

const WIDTH: f64 = 380.0;
const TOP: f64 = 10.0;
const BOTTOM: f64 = 34.0;
/// Room for half of the last tick's label.
const RIGHT: f64 = 24.0;

/// One estimate on a drawing, in units of the axis.
#[derive(Clone, Debug)]
pub(super) struct Mark {
    /// What it is called.
    pub label: String,
    /// Its class: which colour it has.
    pub class: String,
    /// What is said on hover.
    pub tip: String,
    /// The value with its interval.
    pub estimate: Estimate,
}

/// A drawing's heading.
#[derive(Clone, Copy, Debug)]
pub(super) struct Heading<'a> {
    /// In bold.
    pub title: &'a str,
    /// What its title means, on hover.
    pub meaning: &'a str,
    /// Below it.
    pub text: &'a str,
    /// The unit of the horizontal axis.
    pub unit: &'a str,
}

/// A scale from values to places.
#[derive(Clone, Debug)]
struct Scale {
    low: f64,
    high: f64,
    from: f64,
    to: f64,
    log: bool,
    ticks: Vec<f64>,
    step: f64,
}

impl Scale {
    fn linear(low: f64, high: f64, from: f64, to: f64, wanted: usize) -> Self {
        let (ticks, step) = nice_ticks(low, high, wanted);
        Self {
            low: ticks.first().copied().unwrap_or(low),
            high: ticks.last().copied().unwrap_or(high),
            from,
            to,
            log: false,
            ticks,
            step,
        }
    }

    /// Logarithmic, with a tick at each of the sorted values.
    fn log(values: Vec<f64>, from: f64, to: f64) -> Self {
        Self {
            low: values.first().copied().unwrap_or(1.0) * 0.9,
            high: values.last().copied().unwrap_or(1.0) * 1.1,
            from,
            to,
            log: true,
            ticks: values,
            step: 0.1,
        }
    }

    fn place(&self, value: f64) -> f64 {
        let share = if self.log {
            (value / self.low).ln() / (self.high / self.low).ln()
        } else {
            (value - self.low) / (self.high - self.low)
        };
        let share = if share.is_finite() { share } else { 0.5 };
        self.from + share.clamp(0.0, 1.0) * (self.to - self.from)
    }

    fn label(&self, value: f64) -> String {
        if self.log {
            format!("{value}")
        } else {
            tick(value, self.step)
        }
    }
}

/// The least and greatest end of all intervals, with zero in it.
fn span<'a>(estimates: impl Iterator<Item = &'a Estimate>) -> (f64, f64) {
    let (low, high) = estimates.fold((0.0_f64, 0.0_f64), |(low, high), each| {
        let (own_low, own_high) = ends(each);
        (low.min(own_low), high.max(own_high))
    });
    if low == high {
        (low, low + 1.0)
    } else {
        (low, high)
    }
}

fn ends(estimate: &Estimate) -> (f64, f64) {
    (
        estimate.low.unwrap_or(estimate.value),
        estimate.high.unwrap_or(estimate.value),
    )
}

fn open(html: &mut String, heading: Heading<'_>, height: f64) {
    let _ = write!(
        html,
        "<figure class=\"panel\"><figcaption><h3>{}</h3>",
        if heading.meaning.is_empty() {
            escape(heading.title)
        } else {
            format!(
                "<abbr tabindex=\"0\" data-tip=\"{0}\" title=\"{0}\">{1}</abbr>",
                escape(heading.meaning),
                escape(heading.title)
            )
        }
    );
    if !heading.text.is_empty() {
        let _ = write!(html, "<p>{}</p>", escape(heading.text));
    }
    let _ = write!(
        html,
        "</figcaption><svg viewBox=\"0 0 {WIDTH} {height:.0}\" role=\"img\" aria-label=\"{}\">",
        escape(heading.title)
    );
}

fn horizontal_axis(html: &mut String, scale: &Scale, bottom: f64, unit: &str) {
    let _ = write!(html, "<path class=\"grid-lines\" d=\"");
    for value in &scale.ticks {
        let _ = write!(html, "M{:.1} {TOP}V{bottom:.1}", scale.place(*value));
    }
    html.push_str("\"/><g class=\"label\" text-anchor=\"middle\">");
    for value in &scale.ticks {
        let _ = write!(
            html,
            "<text x=\"{:.1}\" y=\"{:.1}\">{}</text>",
            scale.place(*value),
            bottom + 14.0,
            scale.label(*value)
        );
    }
    let _ = write!(
        html,
        "</g><text class=\"unit\" x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>",
        scale.to,
        bottom + 28.0,
        escape(unit)
    );
}

fn vertical_axis(html: &mut String, scale: &Scale, left: f64, right: f64, unit: &str) {
    let _ = write!(html, "<path class=\"grid-lines\" d=\"");
    for value in &scale.ticks {
        let _ = write!(html, "M{left:.1} {:.1}H{right:.1}", scale.place(*value));
    }
    html.push_str("\"/><g class=\"label\" text-anchor=\"end\">");
    for value in &scale.ticks {
        let _ = write!(
            html,
            "<text x=\"{:.1}\" y=\"{:.1}\">{}</text>",
            left - 5.0,
            scale.place(*value) + 4.0,
            scale.label(*value)
        );
    }
    let _ = write!(
        html,
        "</g><text class=\"unit\" x=\"2\" y=\"{:.1}\">{}</text>",
        TOP - 2.0,
        escape(unit)
    );
}

/// One row a mark: a dot with its interval.
pub(super) fn intervals(html: &mut String, heading: Heading<'_>, marks: &[Mark]) {
    const ROW: f64 = 22.0;
    let longest = marks
        .iter()
        .map(|mark| mark.label.chars().count())
        .max()
        .unwrap_or(0);
    let left = (longest as f64 * 6.6 + 10.0).clamp(60.0, 190.0);
    let bottom = TOP + ROW * marks.len() as f64;
    open(html, heading, bottom + BOTTOM);
    let (low, high) = span(marks.iter().map(|mark| &mark.estimate));
    let scale = Scale::linear(low, high, left, WIDTH - RIGHT, 4);
    horizontal_axis(html, &scale, bottom, heading.unit);
    let zero = scale.place(0.0);
    let _ = write!(
        html,
        "<path class=\"zero\" d=\"M{zero:.1} {TOP}V{bottom:.1}\"/>"
    );
    for (row, mark) in marks.iter().enumerate() {
        let y = TOP + ROW * (row as f64 + 0.5);
        let (from, to) = ends(&mark.estimate);
        let _ = write!(
            html,
            "<g class=\"{}\" data-tip=\"{}\"><rect x=\"0\" y=\"{:.1}\" width=\"{WIDTH}\" height=\"{ROW}\" fill=\"transparent\"/><text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{}</text><path class=\"whisker\" d=\"M{:.1} {y:.1}H{:.1}\"/><circle class=\"dot\" cx=\"{:.1}\" cy=\"{y:.1}\" r=\"4.2\"/></g>",
            mark.class,
            escape(&mark.tip),
            y - ROW / 2.0,
            left - 8.0,
            y + 4.0,
            escape(&mark.label),
            scale.place(from),
            scale.place(to),
            scale.place(mark.estimate.value),
        );
    }
    html.push_str("</svg></figure>");
}

/// A line through points with whiskers.
pub(super) struct Trend {
    /// What it is called.
    pub label: String,
    /// Its class.
    pub class: String,
    /// Where each mark stands on the horizontal axis, and the mark.
    pub points: Vec<(f64, Mark)>,
}

/// Lines over a logarithmic axis.
pub(super) fn trends(html: &mut String, heading: Heading<'_>, vertical: &str, trends: &[Trend]) {
    const HEIGHT: f64 = 200.0;
    const LEFT: f64 = 46.0;
    open(html, heading, HEIGHT + BOTTOM);
    let all = || trends.iter().flat_map(|trend| &trend.points);
    let mut places: Vec<f64> = all().map(|(x, _)| *x).collect();
    places.sort_unstable_by(f64::total_cmp);
    places.dedup();
    let across = Scale::log(places, LEFT, WIDTH - RIGHT);
    let (least, greatest) = span(all().map(|(_, mark)| &mark.estimate));
    let up = Scale::linear(least, greatest, HEIGHT, TOP + 12.0, 5);
    vertical_axis(html, &up, LEFT, WIDTH - RIGHT, vertical);
    horizontal_axis(html, &across, HEIGHT, heading.unit);
    let zero = up.place(0.0);
    let _ = write!(
        html,
        "<path class=\"zero\" d=\"M{LEFT} {zero:.1}H{:.1}\"/>",
        WIDTH - RIGHT
    );
    for (number, trend) in trends.iter().enumerate() {
        // Beside each other, so that intervals can be told apart.
        let shift = (number as f64 - (trends.len() as f64 - 1.0) / 2.0) * 4.0;
        let place = |x: f64| across.place(x) + shift;
        let line: Vec<String> = trend
            .points
            .iter()
            .map(|(x, mark)| format!("{:.1} {:.1}", place(*x), up.place(mark.estimate.value)))
            .collect();
        let _ = write!(
            html,
            "<g class=\"{}\"><path class=\"trend\" d=\"M{}\"/>",
            trend.class,
            line.join("L")
        );
        for (x, mark) in &trend.points {
            let (from, to) = ends(&mark.estimate);
            let _ = write!(
                html,
                "<g data-tip=\"{}\"><path class=\"whisker\" d=\"M{1:.1} {2:.1}V{3:.1}\"/><circle class=\"dot\" cx=\"{1:.1}\" cy=\"{4:.1}\" r=\"3.6\"/></g>",
                escape(&mark.tip),
                place(*x),
                up.place(from),
                up.place(to),
                up.place(mark.estimate.value),
            );
        }
        html.push_str("</g>");
    }
    html.push_str("</svg>");
    legend(
        html,
        trends
            .iter()
            .map(|trend| (trend.class.as_str(), trend.label.as_str())),
    );
    html.push_str("</figure>");
}

/// Two estimates against each other, a point a policy.
pub(super) fn scatter(
    html: &mut String,
    heading: Heading<'_>,
    vertical: &str,
    points: &[(Mark, Estimate)],
) {
    const HEIGHT: f64 = 230.0;
    const LEFT: f64 = 46.0;
    open(html, heading, HEIGHT + BOTTOM);
    let (low, high) = span(points.iter().map(|(mark, _)| &mark.estimate));
    let across = Scale::linear(low, high, LEFT, WIDTH - RIGHT, 4);
    let (least, greatest) = span(points.iter().map(|(_, up)| up));
    let up = Scale::linear(least, greatest, HEIGHT, TOP + 12.0, 5);
    vertical_axis(html, &up, LEFT, WIDTH - RIGHT, vertical);
    horizontal_axis(html, &across, HEIGHT, heading.unit);
    for (mark, other) in points {
        let (x, y) = (across.place(mark.estimate.value), up.place(other.value));
        let ((left, right), (below, above)) = (ends(&mark.estimate), ends(other));
        let _ = write!(
            html,
            "<g class=\"{}\" data-tip=\"{}\"><path class=\"whisker\" d=\"M{:.1} {y:.1}H{:.1}M{x:.1} {:.1}V{:.1}\"/><circle class=\"dot\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"5\"/></g>",
            mark.class,
            escape(&mark.tip),
            across.place(left),
            across.place(right),
            up.place(below),
            up.place(above),
        );
    }
    html.push_str("</svg>");
    // Many variants share a colour; the marks name themselves.
    let mut seen: Vec<(&str, &str)> = Vec::new();
    for (mark, _) in points {
        let label = if mark.class == "p-variant" {
            "variants"
        } else {
            mark.label.as_str()
        };
        if !seen.iter().any(|(_, known)| *known == label) {
            seen.push((&mark.class, label));
        }
    }
    legend(html, seen.into_iter());
    html.push_str("</figure>");
}

fn legend<'a>(html: &mut String, entries: impl Iterator<Item = (&'a str, &'a str)>) {
    html.push_str("<ul class=\"legend\">");
    for (class, label) in entries {
        let _ = write!(
            html,
            "<li><svg width=\"12\" height=\"12\" aria-hidden=\"true\" class=\"{class}\" style=\"display:inline-block;width:12px;margin:0 5px 0 0\"><circle class=\"dot\" cx=\"6\" cy=\"6\" r=\"4.5\"/></svg>{}</li>",
            escape(label)
        );
    }
    html.push_str("</ul>");
}

/// First and total order side by side, a row an input: the full bar alone, the pale one with others.
pub(super) fn bars(html: &mut String, heading: Heading<'_>, rows: &[(Mark, Estimate)]) {
    const ROW: f64 = 26.0;
    const LEFT: f64 = 172.0;
    let bottom = TOP + ROW * rows.len() as f64;
    open(html, heading, bottom + BOTTOM);
    let all = rows
        .iter()
        .flat_map(|(mark, total)| [&mark.estimate, total]);
    let (low, high) = span(all);
    let scale = Scale::linear(low.max(-0.2), high.clamp(0.1, 1.5), LEFT, WIDTH - RIGHT, 4);
    horizontal_axis(html, &scale, bottom, heading.unit);
    let zero = scale.place(0.0);
    let _ = write!(
        html,
        "<path class=\"zero\" d=\"M{zero:.1} {TOP}V{bottom:.1}\"/>"
    );
    for (row, (mark, total)) in rows.iter().enumerate() {
        let y = TOP + ROW * row as f64;
        let bar = |estimate: &Estimate| {
            let end = scale.place(estimate.value);
            (zero.min(end), (end - zero).abs())
        };
        let ((first_x, first_width), (total_x, total_width)) = (bar(&mark.estimate), bar(total));
        let ((first_low, first_high), (total_low, total_high)) =
            (ends(&mark.estimate), ends(total));
        let _ = write!(
            html,
            "<g class=\"{}\" data-tip=\"{}\"><rect x=\"0\" y=\"{y:.1}\" width=\"{WIDTH}\" height=\"{ROW}\" fill=\"transparent\"/><text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>\
             <rect class=\"bar\" x=\"{first_x:.1}\" y=\"{:.1}\" width=\"{first_width:.1}\" height=\"8\"/><path class=\"whisker\" d=\"M{:.1} {:.1}H{:.1}\"/>\
             <rect class=\"bar rest\" x=\"{total_x:.1}\" y=\"{:.1}\" width=\"{total_width:.1}\" height=\"8\"/><path class=\"whisker\" d=\"M{:.1} {:.1}H{:.1}\"/></g>",
            mark.class,
            escape(&mark.tip),
            LEFT - 8.0,
            y + 17.0,
            escape(&mark.label),
            y + 4.0,
            scale.place(first_low),
            y + 8.0,
            scale.place(first_high),
            y + 13.0,
            scale.place(total_low),
            y + 17.0,
            scale.place(total_high),
        );
    }
    html.push_str("</svg></figure>");
}

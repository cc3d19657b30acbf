//! Values to places on the drawing, and the paths through them.

use std::fmt::Write as _;

use super::super::axis::{columns, visible_points};
use super::{BOTTOM, Join, LEFT, READINGS, RIGHT, Stack, TOP};

/// The mapping from values to the drawing.
pub(super) struct Frame {
    pub(super) width: f64,
    pub(super) height: f64,
    pub(super) low: f64,
    pub(super) high: f64,
    pub(super) logarithmic: bool,
    pub(super) entries: f64,
}

impl Frame {
    pub(super) fn x(&self, entry: f64) -> f64 {
        LEFT + (self.width - LEFT - RIGHT) * entry / self.entries
    }

    pub(super) fn y(&self, value: f64) -> f64 {
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

/// The drawing of a line.
pub(super) fn path(frame: &Frame, values: &[f64], join: Join) -> String {
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
pub(super) fn draw_stack(html: &mut String, frame: &Frame, stack: &Stack, entries: usize) {
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

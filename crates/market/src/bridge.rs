//! From bars to blocks: a random path inside each bar.
//!
//! A bar says where the price began, ended, and how far it went, not when. [`bridge_bar`] draws one path that agrees with
//! all four numbers:
//!
//! - the first sample is the open and the last is the close; one sample between is exactly the high and one exactly the
//!   low, unless the open or the close already is;
//! - which extreme comes first is drawn with odds (H − O)(C − L) for the low and (O − L)(H − C) for the high, which are
//!   zero for the order that a continuous path could not take (a path that opens at its high cannot visit a low before
//!   it), and even for a bar that opens and closes in the middle;
//! - when the extremes come is uniform over the samples between;
//! - between these points the logarithm of the price is a Brownian bridge, folded back at the low and the high. Its
//!   volatility is the bar's own by Parkinson's estimator (1980): σ² = ln(H/L)² / (4 ln 2) per bar.
//!
//! With fewer samples than points to visit (a bar of one minute holds two blocks of 30 s), the open is given up first, then
//! the close, so that extremes, which decide liquidations, stay. A bar with a single sample gives its close.

use crate::prices::Bar;
use crate::streams::Stream;

/// A path of `samples` prices through a bar.
pub fn bridge_bar(bar: &Bar, samples: usize, stream: &mut Stream) -> Vec<f64> {
    if samples == 0 {
        return Vec::new();
    }
    let points = waypoints(bar, samples, stream);
    let positions = place(points.len(), samples, stream);
    let walk = Walk::new(bar, samples);
    let mut path = Vec::with_capacity(samples);
    for (index, &point) in points.iter().enumerate() {
        path.push(point);
        if let (Some(&next), Some(&to)) = (points.get(index + 1), positions.get(index + 1)) {
            walk.fill(&mut path, next, to - positions[index], stream);
        } else {
            path.resize(samples, point);
        }
    }
    path
}

/// The prices to visit, in order, no more than `samples` of them.
fn waypoints(bar: &Bar, samples: usize, stream: &mut Stream) -> Vec<f64> {
    if samples == 1 {
        return vec![bar.close];
    }
    let Bar {
        open,
        high,
        low,
        close,
        ..
    } = *bar;
    let range = high - low;
    // As shares of the range, so that products neither overflow nor vanish; a flat bar has one waypoint in any order.
    let share = |difference: f64| {
        if range > 0.0 { difference / range } else { 0.0 }
    };
    let low_first = share(high - open) * share(close - low);
    let high_first = share(open - low) * share(high - close);
    let draw = stream.uniform() * (low_first + high_first);
    let (first, second) = if draw < low_first {
        (low, high)
    } else {
        (high, low)
    };
    let mut points = vec![open, first, second, close];
    points.dedup();
    if points.len() > samples && points[0] != first {
        points.remove(0);
    }
    points.truncate(samples);
    points
}

/// Sample numbers of the waypoints: the first at 0, the last at the end, the others anywhere between, in order.
fn place(points: usize, samples: usize, stream: &mut Stream) -> Vec<usize> {
    let mut positions = Vec::with_capacity(points);
    positions.push(0);
    if points >= 2 {
        // At most two, and there is room for them: drawing again on a repetition ends quickly.
        let chosen = points - 2;
        let free = (samples - 2) as u64;
        let mut between: Vec<usize> = Vec::with_capacity(chosen);
        while between.len() < chosen {
            let candidate = 1 + stream.below(free) as usize;
            if !between.contains(&candidate) {
                between.push(candidate);
            }
        }
        between.sort_unstable();
        positions.extend(between);
        positions.push(samples - 1);
    }
    positions
}

/// Brownian motion in the logarithm, kept inside the bar by reflection.
struct Walk {
    low: f64,
    high: f64,
    log_low: f64,
    log_range: f64,
    step_deviation: f64,
}

impl Walk {
    fn new(bar: &Bar, samples: usize) -> Self {
        let log_low = bar.low.ln();
        let log_range = bar.high.ln() - log_low;
        let bar_deviation = log_range / (2.0 * std::f64::consts::LN_2.sqrt());
        Self {
            low: bar.low,
            high: bar.high,
            log_low,
            log_range,
            step_deviation: bar_deviation / (samples as f64).sqrt(),
        }
    }

    /// Appends the `steps - 1` samples between the path's last one and `next`, which stays the caller's to append.
    fn fill(&self, path: &mut Vec<f64>, next: f64, steps: usize, stream: &mut Stream) {
        let Some(&from) = path.last() else { return };
        let target = next.ln() - self.log_low;
        let mut position = from.ln() - self.log_low;
        for remaining in (2..=steps).rev() {
            let left = remaining as f64;
            let mean = position + (target - position) / left;
            let deviation = self.step_deviation * ((left - 1.0) / left).sqrt();
            position = self.fold(mean + deviation * stream.normal());
            path.push((self.log_low + position).exp().clamp(self.low, self.high));
        }
    }

    fn fold(&self, position: f64) -> f64 {
        if self.log_range <= 0.0 {
            return 0.0;
        }
        let folded = position.rem_euclid(2.0 * self.log_range);
        if folded > self.log_range {
            2.0 * self.log_range - folded
        } else {
            folded
        }
    }
}

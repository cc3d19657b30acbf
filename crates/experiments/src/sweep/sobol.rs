//! Sobol indices: how much of a figure's variance each uncertain input explains.
//!
//! Design: Saltelli's, one base row at a time: two points A and B, and for each input i the point A with input i taken from
//! B. The seed of the random numbers is one more input: all points of a row but B and one more use A's seed. Points come
//! from a Sobol' sequence (direction numbers of Joe and Kuo, *Constructing Sobol sequences with better two-dimensional
//! projections*, SIAM J. Sci. Comput. 30, 2008) with a random digital shift; more rows add points and move none.
//!
//! Estimators, from Saltelli, Annoni, Azzini, Campolongo, Ratto and Tarantola, *Variance based sensitivity analysis of model
//! output*, Computer Physics Communications 181 (2010), table 2: for the first order (b),
//! `S_i = mean(f(B) · (f(A_B^i) − f(A))) / V`; for the total order (f), Jansen's, `T_i = mean((f(A) − f(A_B^i))²) / (2 V)`.
//! V is the variance of f over A and B together, and f is taken less its mean, which changes no expectation and less noise.

use breakwater_market::{Purpose, Stream};

use super::statistics::{Estimate, Resamples};

/// Inputs that the direction numbers suffice for.
pub const MOST_INPUTS: usize = DIMENSIONS / 2;

/// Coordinates of a point of the sequence.
const DIMENSIONS: usize = 32;

/// Seed of the digital shift.
const SHIFT_SEED: u64 = 2;

/// The stream of the digital shifts; numbers of entries that are resampled stay far below.
const SHIFT_STREAM: u64 = 1 << 40;

/// Joe and Kuo's degree, polynomial and first direction numbers from the second coordinate on.
const DIRECTIONS: [(u32, u32, &[u32]); DIMENSIONS - 1] = [
    (1, 0, &[1]),
    (2, 1, &[1, 3]),
    (3, 1, &[1, 3, 1]),
    (3, 2, &[1, 1, 1]),
    (4, 1, &[1, 1, 3, 3]),
    (4, 4, &[1, 3, 5, 13]),
    (5, 2, &[1, 1, 5, 5, 17]),
    (5, 4, &[1, 1, 5, 5, 5]),
    (5, 7, &[1, 1, 7, 11, 19]),
    (5, 11, &[1, 1, 5, 1, 1]),
    (5, 13, &[1, 1, 1, 3, 11]),
    (5, 14, &[1, 3, 5, 5, 31]),
    (6, 1, &[1, 3, 3, 9, 7, 49]),
    (6, 13, &[1, 1, 1, 15, 21, 21]),
    (6, 16, &[1, 3, 1, 13, 27, 49]),
    (6, 19, &[1, 1, 1, 15, 7, 5]),
    (6, 22, &[1, 3, 1, 15, 13, 25]),
    (6, 25, &[1, 1, 5, 5, 19, 61]),
    (7, 1, &[1, 3, 7, 11, 23, 15, 103]),
    (7, 4, &[1, 3, 7, 13, 13, 15, 69]),
    (7, 7, &[1, 1, 3, 13, 7, 35, 63]),
    (7, 8, &[1, 3, 5, 9, 1, 25, 53]),
    (7, 14, &[1, 3, 1, 13, 9, 35, 107]),
    (7, 19, &[1, 3, 1, 5, 27, 61, 31]),
    (7, 21, &[1, 1, 5, 11, 19, 41, 61]),
    (7, 28, &[1, 3, 5, 3, 3, 13, 69]),
    (7, 31, &[1, 1, 7, 13, 1, 19, 1]),
    (7, 32, &[1, 3, 7, 5, 13, 19, 59]),
    (7, 37, &[1, 1, 3, 9, 25, 29, 41]),
    (7, 41, &[1, 3, 5, 13, 23, 1, 55]),
    (7, 42, &[1, 3, 7, 3, 13, 59, 17]),
];

/// Coordinate `dimension` of point `row` of the sequence, without shift, as a fraction of 2^32.
fn coordinate(dimension: usize, row: u32) -> u32 {
    let mut directions = [0_u32; 32];
    match dimension.checked_sub(1).and_then(|at| DIRECTIONS.get(at)) {
        None => {
            for (bit, direction) in directions.iter_mut().enumerate() {
                *direction = 1 << (31 - bit);
            }
        }
        Some((degree, polynomial, first)) => {
            let degree = *degree as usize;
            for bit in 0..32 {
                directions[bit] = if bit < degree {
                    first[bit] << (31 - bit)
                } else {
                    let own = directions[bit - degree];
                    (1..degree).fold(own ^ (own >> degree), |sum, term| {
                        let used = (polynomial >> (degree - 1 - term)) & 1 == 1;
                        sum ^ if used { directions[bit - term] } else { 0 }
                    })
                };
            }
        }
    }
    directions
        .iter()
        .enumerate()
        .filter(|(bit, _)| (row >> bit) & 1 == 1)
        .fold(0, |sum, (_, direction)| sum ^ direction)
}

/// The points A and B of a base row: so many coordinates each, in [0, 1).
#[must_use]
pub fn base_row(row: u32, inputs: usize) -> (Vec<f64>, Vec<f64>) {
    let mut shifts = Stream::new(SHIFT_SEED, Purpose::Statistics, SHIFT_STREAM);
    let mut point: Vec<f64> = (0..2 * inputs)
        .map(|dimension| {
            let shift = (shifts.bits() >> 32) as u32;
            // The middle of the sequence's own cell: never exactly 0 or 1.
            (f64::from(coordinate(dimension, row) ^ shift) + 0.5) / 4_294_967_296.0
        })
        .collect();
    let second = point.split_off(inputs);
    (point, second)
}

/// What a figure was at the points of the base rows: entry j of each is row j.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Evaluations {
    /// At A.
    pub a: Vec<f64>,
    /// At B.
    pub b: Vec<f64>,
    /// At A with one input from B, an input each.
    pub exchanged: Vec<Vec<f64>>,
}

/// The indices of an input.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Indices {
    /// First order: the share of the variance that the input explains alone.
    pub first: Estimate,
    /// Total order: the share that it explains alone and together with others.
    pub total: Estimate,
}

impl Evaluations {
    /// Mean and variance over A and B; `None` without rows.
    #[must_use]
    pub fn moments(&self) -> Option<(f64, f64)> {
        let all: Vec<u32> = (0..self.a.len() as u32).collect();
        moments(&self.a, &self.b, &all)
    }

    /// The indices of each input, with bootstrap intervals over rows; `None` for an input if nothing varies.
    #[must_use]
    pub fn indices(&self) -> Vec<Option<Indices>> {
        let resamples = Resamples::new(self.a.len());
        let of = |exchanged: &Vec<f64>| {
            let first = resamples.estimate(|picks| {
                let (mean, variance) = moments(&self.a, &self.b, picks)?;
                let product = |row: usize| (self.b[row] - mean) * (exchanged[row] - self.a[row]);
                share(picks, product, variance)
            })?;
            let total = resamples.estimate(|picks| {
                let (_, variance) = moments(&self.a, &self.b, picks)?;
                let square = |row: usize| (self.a[row] - exchanged[row]).powi(2) / 2.0;
                share(picks, square, variance)
            })?;
            Some(Indices { first, total })
        };
        self.exchanged.iter().map(of).collect()
    }
}

/// The mean of `term` over the picked rows, over the variance; `None` where that is 0.
fn share(picks: &[u32], term: impl Fn(usize) -> f64, variance: f64) -> Option<f64> {
    let sum: f64 = picks.iter().map(|&pick| term(pick as usize)).sum();
    (variance > 0.0).then(|| sum / picks.len() as f64 / variance)
}

/// Mean and variance of the picked entries of both.
fn moments(a: &[f64], b: &[f64], picks: &[u32]) -> Option<(f64, f64)> {
    let count = 2.0 * picks.len() as f64;
    let sum: f64 = picks
        .iter()
        .map(|&pick| a[pick as usize] + b[pick as usize])
        .sum();
    let mean = sum / count;
    let squares: f64 = picks
        .iter()
        .map(|&pick| (a[pick as usize] - mean).powi(2) + (b[pick as usize] - mean).powi(2))
        .sum();
    (!picks.is_empty()).then_some((mean, squares / count))
}

#[cfg(test)]
mod tests {
    use std::f64::consts::PI;

    use super::*;

    fn evaluate(rows: u32, inputs: usize, function: impl Fn(&[f64]) -> f64) -> Evaluations {
        let mut found = Evaluations {
            exchanged: vec![Vec::new(); inputs],
            ..Evaluations::default()
        };
        for row in 0..rows {
            let (a, b) = base_row(row, inputs);
            found.a.push(function(&a));
            found.b.push(function(&b));
            for input in 0..inputs {
                let mut point = a.clone();
                point[input] = b[input];
                found.exchanged[input].push(function(&point));
            }
        }
        found
    }

    #[test]
    fn each_coordinate_fills_every_cell_once() {
        // A Sobol' sequence's first 2^m points have one value in each of 2^m cells of every coordinate.
        for dimension in 0..DIMENSIONS {
            let mut cells: Vec<u32> = (0..1024)
                .map(|row| coordinate(dimension, row) >> 22)
                .collect();
            cells.sort_unstable();
            assert!(cells.into_iter().eq(0..1024), "coordinate {dimension}");
        }
        // The first points of the published sequence's first two coordinates, which is in Gray-code order: 0, 1, 3, 2.
        let point =
            |row| [coordinate(0, row), coordinate(1, row)].map(|x| f64::from(x) / 2_f64.powi(32));
        assert_eq!(point(1), [0.5, 0.5]);
        assert_eq!(point(3), [0.75, 0.25]);
        assert_eq!(point(2), [0.25, 0.75]);
    }

    #[test]
    fn more_rows_move_no_point() {
        assert_eq!(base_row(3, 4), base_row(3, 4));
        assert_ne!(base_row(3, 4), base_row(4, 4));
        let (a, b) = base_row(3, 4);
        assert_eq!((a.len(), b.len()), (4, 4));
        assert_ne!(a, b);
    }

    #[test]
    fn ishigami() {
        // Ishigami and Homma (1990): sin x1 + a sin² x2 + b x3⁴ sin x1 on [−π, π]³, whose indices are known.
        let (a, b) = (7.0, 0.1);
        let found = evaluate(4096, 3, |point| {
            let [x, y, z] = [0, 1, 2].map(|at| PI * (2.0 * point[at] - 1.0));
            x.sin() + a * y.sin().powi(2) + b * z.powi(4) * x.sin()
        });
        let variance = a * a / 8.0 + b * PI.powi(4) / 5.0 + b * b * PI.powi(8) / 18.0 + 0.5;
        let first = [0.5 * (1.0 + b * PI.powi(4) / 5.0).powi(2), a * a / 8.0, 0.0];
        let both = b * b * PI.powi(8) * (1.0 / 18.0 - 1.0 / 50.0);
        let total = [first[0] + both, first[1], both];
        let (mean, found_variance) = found.moments().expect("moments");
        assert!((mean - a / 2.0).abs() < 0.02, "{mean}");
        assert!((found_variance / variance - 1.0).abs() < 0.01);
        for (input, indices) in found.indices().into_iter().enumerate() {
            let indices = indices.expect("indices");
            let near = |found: Estimate, exact: f64| {
                let exact = exact / variance;
                assert!(
                    (found.value - exact).abs() < 0.02,
                    "{input}: {found:?}, {exact}"
                );
                let (low, high) = (found.low.expect("low"), found.high.expect("high"));
                assert!(low <= exact && exact <= high, "{input}: {found:?}, {exact}");
                assert!(high - low < 0.15, "{input}: {found:?}");
            };
            near(indices.first, first[input]);
            near(indices.total, total[input]);
        }
    }

    #[test]
    fn a_sum_has_equal_first_and_total_indices() {
        // Variances 1/12, 4/12 and 9/12: shares of 1, 4 and 9 in 14.
        let found = evaluate(1024, 3, |point| point[0] + 2.0 * point[1] + 3.0 * point[2]);
        for (indices, parts) in found.indices().into_iter().zip([1.0, 4.0, 9.0]) {
            let indices = indices.expect("indices");
            assert!((indices.first.value - parts / 14.0).abs() < 0.02);
            assert!((indices.total.value - parts / 14.0).abs() < 0.02);
        }
    }

    #[test]
    fn nothing_explains_a_constant() {
        let found = evaluate(8, 2, |_| 1.0);
        assert_eq!(found.indices(), vec![None, None]);
        assert_eq!(found.moments(), Some((1.0, 0.0)));
        assert_eq!(Evaluations::default().moments(), None);
    }
}

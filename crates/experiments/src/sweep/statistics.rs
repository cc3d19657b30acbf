//! Means, tails and their bootstrap intervals.
//!
//! Intervals are of the nonparametric bootstrap: seeds are drawn with replacement, whole seeds at a time, so that what is paired
//! stays paired. The draws depend on the number of seeds and nothing else: the same figures give the same interval. Percentile
//! intervals (Efron and Tibshirani, *An Introduction to the Bootstrap*, 1993, chapter 13) are too narrow where there are few seeds:
//! their ends are so far out here that a mean has the width of Student's interval (Hesterberg, *What Teachers Should Know About the
//! Bootstrap*, The American Statistician 69, 2015, section 3.4, the expanded percentile interval).
//!
//! No interval is given where resampling cannot know it: of a tail from fewer than ten values, and where only a few seeds are
//! not zero and all others are.

use breakwater_market::{Purpose, Stream};
use serde::{Deserialize, Serialize};
use statrs::distribution::{ContinuousCDF, Normal, StudentsT};

/// How often seeds are drawn anew.
pub const RESAMPLES: usize = 2_000;

/// The share of resamples inside an interval.
pub const LEVEL: f64 = 0.95;

/// Seed of the resampling.
pub const RESAMPLING_SEED: u64 = 1;

/// The share of the worst seeds that the tail mean is over: CVaR99.
pub const TAIL: f64 = 0.01;

/// Values that a tail has at least where it has an interval: 1,000 seeds. Of 300 exponential losses such an interval holds the true
/// CVaR99 in 63 of a hundred cases, of 100 in 28.
const TAIL_VALUES: f64 = 10.0;

/// So many seeds are not zero at least where others are, if there is to be an interval: of five that all point one way chance is the
/// reason once in sixteen times (a sign test), and resamples, which hold each of them or not, do not know.
const FEWEST: usize = 6;

/// A number that seeds gave, with its interval.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Estimate {
    /// The number over all seeds.
    pub value: f64,
    /// The interval's lower end; `None` with fewer than two seeds, where some resample has no such number, and where there are too few
    /// values to know.
    pub low: Option<f64>,
    /// The interval's upper end, in the same cases.
    pub high: Option<f64>,
    /// How many seeds it is from: those in which the figure applies.
    pub seeds: u64,
}

impl Estimate {
    /// The same without an interval.
    #[must_use]
    pub const fn bare(self) -> Self {
        Self {
            low: None,
            high: None,
            ..self
        }
    }

    /// Whether the interval lies wholly above (1) or below (−1) zero; 0 if it holds zero or there is none.
    #[must_use]
    pub fn side(&self) -> i8 {
        match (self.low, self.high) {
            (Some(low), _) if low > 0.0 => 1,
            (_, Some(high)) if high < 0.0 => -1,
            _ => 0,
        }
    }
}

/// Which of `size` entries each resample draws.
#[derive(Debug)]
pub struct Resamples {
    size: usize,
    draws: Vec<u32>,
    /// The share of resamples below an interval, and above it.
    outside: f64,
}

impl Resamples {
    /// The resamples of so many entries.
    #[must_use]
    pub fn new(size: usize) -> Self {
        let mut stream = Stream::new(RESAMPLING_SEED, Purpose::Statistics, size as u64);
        let draws = (0..RESAMPLES * size)
            .map(|_| stream.below(size as u64) as u32)
            .collect();
        Self {
            size,
            draws,
            outside: outside(size),
        }
    }

    /// How many entries are drawn from.
    #[must_use]
    pub const fn size(&self) -> usize {
        self.size
    }

    /// `statistic` over all entries, with its interval over the resamples; `None` if it is not defined over all entries.
    pub fn estimate(&self, statistic: impl Fn(&[u32]) -> Option<f64>) -> Option<Estimate> {
        let all: Vec<u32> = (0..self.size as u32).collect();
        let value = statistic(&all)?;
        let interval = (self.size > 1)
            .then(|| {
                self.draws
                    .chunks_exact(self.size)
                    .map(&statistic)
                    .collect::<Option<Vec<f64>>>()
            })
            .flatten()
            .map(|mut values| {
                values.sort_unstable_by(f64::total_cmp);
                let low = quantile(&values, self.outside);
                (low, quantile(&values, 1.0 - self.outside))
            });
        Some(Estimate {
            value,
            low: interval.map(|(low, _)| low),
            high: interval.map(|(_, high)| high),
            seeds: self.size as u64,
        })
    }
}

/// The share of resamples below an interval, and above it: such that the interval of a mean of normal values is as wide as Student's,
/// from whose the spread of resamples differs by √((n−1)/n).
fn outside(size: usize) -> f64 {
    let (tail, size) = ((1.0 - LEVEL) / 2.0, size as f64);
    let expanded = || {
        let student = StudentsT::new(0.0, 1.0, size - 1.0).ok()?;
        let reach = student.inverse_cdf(1.0 - tail) * (size / (size - 1.0)).sqrt();
        Some(1.0 - Normal::standard().cdf(reach))
    };
    expanded().unwrap_or(tail)
}

/// Whether some of the values are zero and so few are not that no interval can be known.
#[must_use]
pub fn is_sparse(values: &[f64]) -> bool {
    let others = values.iter().filter(|value| **value != 0.0).count();
    others > 0 && others < FEWEST.min(values.len())
}

/// Whether the tail of so many values has enough of them for an interval.
#[must_use]
pub fn has_tail(size: usize) -> bool {
    TAIL * size as f64 >= TAIL_VALUES
}

/// The mean of the picked values.
#[must_use]
pub fn mean(values: &[f64], picks: &[u32]) -> Option<f64> {
    let sum: f64 = picks.iter().map(|&pick| values[pick as usize]).sum();
    (!picks.is_empty()).then(|| sum / picks.len() as f64)
}

/// The mean of the picked values over that of `base`, less 1; `None` where that is not above 0: a loss that doubles has not grown by
/// anything that a percentage tells.
#[must_use]
pub fn relative(values: &[f64], base: &[f64], picks: &[u32]) -> Option<f64> {
    let (mean, base) = (mean(values, picks)?, mean(base, picks)?);
    (base > 0.0).then(|| mean / base - 1.0)
}

/// CVaR: the mean of the greatest `share` of the picked values. Where the share is no whole number of values, the least of
/// them counts in part; of fewer than one value it is the greatest (Rockafellar and Uryasev 2002, proposition 8).
#[must_use]
pub fn tail_mean(values: &[f64], picks: &[u32], share: f64) -> Option<f64> {
    let mut picked: Vec<f64> = picks.iter().map(|&pick| values[pick as usize]).collect();
    picked.sort_unstable_by(|a, b| b.total_cmp(a));
    let mass = (share * picked.len() as f64).max(1.0);
    let whole = (mass + 1e-9).floor() as usize;
    let sum: f64 = picked.iter().take(whole).sum();
    let rest = picked.get(whole).map_or(0.0, |next| {
        // A mass that is whole but for rounding leaves nothing.
        let part = mass - whole as f64;
        if part > 1e-9 { part * next } else { 0.0 }
    });
    (!picked.is_empty()).then(|| (sum + rest) / mass)
}

/// The quantile of sorted values, linear between them.
fn quantile(sorted: &[f64], share: f64) -> f64 {
    let place = share * (sorted.len() - 1) as f64;
    let below = place.floor() as usize;
    let above = (below + 1).min(sorted.len() - 1);
    sorted[below] + (sorted[above] - sorted[below]) * (place - below as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(values: &[f64]) -> Vec<u32> {
        (0..values.len() as u32).collect()
    }

    #[test]
    fn tails_are_means_of_the_worst() {
        let values: Vec<f64> = (1..=1000).map(f64::from).collect();
        assert_eq!(tail_mean(&values, &all(&values), 0.01), Some(995.5));
        // A tail of 1.5 values: the greatest and half of the next.
        let values: Vec<f64> = (1..=150).map(f64::from).collect();
        let expected = (150.0 + 0.5 * 149.0) / 1.5;
        let found = tail_mean(&values, &all(&values), 0.01);
        assert!(found.is_some_and(|found| (found - expected).abs() < 1e-9));
        // Of 30 seeds the worst hundredth is less than one of them.
        assert_eq!(tail_mean(&[1.0; 30], &all(&[1.0; 30]), 0.01), Some(1.0));
        assert_eq!(tail_mean(&[], &[], 0.01), None);
    }

    #[test]
    fn the_interval_of_a_normal_mean_is_the_textbook_one() {
        let mut stream = Stream::new(9, Purpose::Statistics, 0);
        let values: Vec<f64> = (0..400).map(|_| 5.0 + 2.0 * stream.normal()).collect();
        let found = Resamples::new(400)
            .estimate(|picks| mean(&values, picks))
            .expect("an estimate");
        let centre = values.iter().sum::<f64>() / 400.0;
        let variance = values.iter().map(|v| (v - centre).powi(2)).sum::<f64>() / 399.0;
        let half = 1.959_964 * (variance / 400.0).sqrt();
        let (low, high) = (found.low.expect("low"), found.high.expect("high"));
        assert!((found.value - centre).abs() < 1e-12);
        // 2,000 resamples leave the ends uncertain by about 4% of the half width.
        assert!((low - (centre - half)).abs() < 0.12 * half, "{low}");
        assert!((high - (centre + half)).abs() < 0.12 * half, "{high}");
    }

    #[test]
    fn intervals_cover_as_often_as_they_say() {
        // 95% of 400 intervals hold the true mean, whether from 60 seeds or from 10.
        for seeds in [10, 60] {
            let resamples = Resamples::new(seeds);
            let covered = (0..400)
                .filter(|&trial| {
                    let mut stream = Stream::new(10, Purpose::Statistics, trial);
                    let values: Vec<f64> = (0..seeds).map(|_| stream.normal()).collect();
                    let found = resamples.estimate(|picks| mean(&values, picks));
                    found.is_some_and(|found| found.side() == 0)
                })
                .count();
            // Three standard deviations of a binomial count around 95%.
            assert!(
                (367..=393).contains(&covered),
                "{covered} of 400 of {seeds} seeds"
            );
        }
    }

    #[test]
    fn ends_are_as_far_out_as_students() {
        // Student's quantile of 9 degrees is 2.262157: 2.384528 of the resamples' spread, beyond which a normal has 0.8552%.
        assert!((outside(10) - 0.008_552).abs() < 1e-5, "{}", outside(10));
        // Of 299 it is 1.967930; as there are more it goes to 2.5%.
        assert!((outside(300) - 0.024_349).abs() < 1e-5, "{}", outside(300));
        assert!((outside(1_000_000) - 0.025).abs() < 1e-5);
        assert!((outside(1) - 0.025).abs() < 1e-12);
    }

    #[test]
    fn few_values_among_zeros_and_short_tails_are_too_little_to_know() {
        let among_zeros = |others: usize| [vec![1.0; others], vec![0.0; 24]].concat();
        let found: Vec<bool> = [0, 1, 5, 6]
            .map(|others| is_sparse(&among_zeros(others)))
            .into();
        assert_eq!(found, [false, true, true, false]);
        // Where none is zero, few are enough to begin with.
        assert!(!is_sparse(&[1.0, 2.0]) && !is_sparse(&[]));
        assert!(has_tail(1_000) && !has_tail(999));
    }

    #[test]
    fn what_is_the_same_has_no_width_and_one_seed_has_no_interval() {
        let found = Resamples::new(5).estimate(|picks| mean(&[3.0; 5], picks));
        assert_eq!(
            found,
            Some(Estimate {
                value: 3.0,
                low: Some(3.0),
                high: Some(3.0),
                seeds: 5
            })
        );
        let one = Resamples::new(1).estimate(|picks| mean(&[3.0], picks));
        assert_eq!(one.map(|found| (found.low, found.seeds)), Some((None, 1)));
        assert_eq!(Resamples::new(0).estimate(|picks| mean(&[], picks)), None);
    }

    #[test]
    fn a_change_of_nothing_is_not_a_number() {
        let values = [1.0, 2.0];
        assert_eq!(relative(&values, &[0.0, 0.0], &[0, 1]), None);
        assert_eq!(relative(&values, &[-1.0, -3.0], &[0, 1]), None);
        assert_eq!(relative(&values, &[2.0, 2.0], &[0, 1]), Some(-0.25));
        // Some resamples draw the zero alone: the change has a value and no interval.
        let found = Resamples::new(2)
            .estimate(|picks| relative(&values, &[0.0, 2.0], picks))
            .expect("a value");
        assert_eq!((found.value, found.low), (0.5, None));
    }
}

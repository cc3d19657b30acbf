//! Fits the laws of [`crate::population`] to accounts that exist, and says how far off they are.

use crate::accounts::{Account, Terms};
use crate::normal;
use crate::population::{LtvDistribution, WHALE_FRACTION};

/// Steps of the grid over which a likelihood is searched.
const STEP: f64 = 0.005;

/// The greatest deviation that is tried.
const MOST_DEVIATION: f64 = 0.5;

/// The group that stands for some accounts.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Fit {
    /// Accounts that it was fitted to.
    pub accounts: usize,
    /// The cut normal of greatest likelihood, mean and deviation to half a percent.
    pub ltv: LtvDistribution,
    /// The greatest difference between the share of accounts up to some LTV and what that law says: 0 to 1.
    pub ltv_distance: f64,
    /// Share of the collateral that the largest 1% of the accounts hold.
    pub whale_share: f64,
    /// The same difference for sizes and the lognormal with that share.
    pub size_distance: f64,
}

/// Fits one group to the `accounts` whose LTV lies in (`minimum`, `maximum`]. `None` for fewer than a hundred: 1% of them
/// would be nobody.
#[must_use]
pub fn fit(accounts: &[Account], terms: &Terms, minimum: f64, maximum: f64) -> Option<Fit> {
    let within = |account: &&Account| {
        let ltv = account.ltv(terms);
        ltv > minimum && ltv <= maximum
    };
    let group: Vec<&Account> = accounts.iter().filter(within).collect();
    let count = group.len();
    if count < 100 {
        return None;
    }
    let mut ltvs: Vec<f64> = group.iter().map(|account| account.ltv(terms)).collect();
    let ltv = most_likely(&ltvs, minimum, maximum);
    let (low, high) = (normal_share(&ltv, minimum), normal_share(&ltv, maximum));
    let ltv_distance = distance(&mut ltvs, |value| {
        (normal_share(&ltv, value) - low) / (high - low)
    });

    let mut sizes: Vec<f64> = group.iter().map(|account| account.collateral).collect();
    let total: f64 = sizes.iter().sum();
    sizes.sort_by(f64::total_cmp);
    let whales = ((count as f64 * WHALE_FRACTION).round() as usize).max(1);
    let whale_share = sizes[count - whales..].iter().sum::<f64>() / total;
    // As the population draws them: the largest fraction p holds Φ(σ − z), and the mean of a lognormal is e^(μ + σ²/2).
    let sigma = normal::upper_quantile(whales as f64 / count as f64)
        + normal::upper_quantile(1.0 - whale_share);
    let mu = (total / count as f64).ln() - sigma * sigma / 2.0;
    let size_distance = distance(&mut sizes, |size| {
        normal::distribution((size.ln() - mu) / sigma)
    });
    Some(Fit {
        accounts: count,
        ltv,
        ltv_distance,
        whale_share,
        size_distance,
    })
}

fn normal_share(ltv: &LtvDistribution, value: f64) -> f64 {
    normal::distribution((value - ltv.mean) / ltv.deviation)
}

/// Mean and deviation, on the grid, under which these values are most likely. The likelihood needs their sums only.
fn most_likely(values: &[f64], minimum: f64, maximum: f64) -> LtvDistribution {
    let count = values.len() as f64;
    let sum: f64 = values.iter().sum();
    let squares: f64 = values.iter().map(|value| value * value).sum();
    let steps = |from: f64, to: f64| {
        let count = ((to - from) / STEP).round() as u32;
        (0..=count).map(move |step| (from + STEP * f64::from(step)).min(to))
    };
    let likelihood = |ltv: &LtvDistribution| {
        let (mean, deviation) = (ltv.mean, ltv.deviation);
        let spread = squares - 2.0 * mean * sum + count * mean * mean;
        let share = normal_share(ltv, maximum) - normal_share(ltv, minimum);
        -spread / (2.0 * deviation * deviation) - count * (deviation * share).ln()
    };
    let mut best = LtvDistribution {
        minimum,
        maximum,
        mean: minimum,
        deviation: MOST_DEVIATION,
    };
    for mean in steps(minimum, maximum) {
        for deviation in steps(STEP, MOST_DEVIATION) {
            let tried = LtvDistribution {
                mean,
                deviation,
                ..best
            };
            if likelihood(&tried) > likelihood(&best) {
                best = tried;
            }
        }
    }
    best
}

/// Kolmogorov and Smirnov's distance.
fn distance(values: &mut [f64], law: impl Fn(f64) -> f64) -> f64 {
    values.sort_by(f64::total_cmp);
    let count = values.len() as f64;
    values
        .iter()
        .enumerate()
        .map(|(below, &value)| {
            let share = law(value);
            let (before, after) = (below as f64 / count, (below + 1) as f64 / count);
            (share - before).abs().max((share - after).abs())
        })
        .fold(0.0, f64::max)
}

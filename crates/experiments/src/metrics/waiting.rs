//! How long borrowers' positions wait to be liquidated, and whether some wait or pay more than others.

use std::collections::BTreeMap;

use breakwater_sim::trace::LiquidationRow;

use super::{ratio, sum};

/// Accounts below which an order of them is chance.
const LEAST_ACCOUNTS: usize = 10;

/// Minutes that debt waited to be liquidated or settled: the mean of `waited` over debt repaid; `None` if none was.
#[must_use]
pub fn mean_wait_minutes(liquidations: &[LiquidationRow]) -> Option<f64> {
    let waited = liquidations
        .iter()
        .map(|row| row.repaid * row.waited as f64);
    let repaid = sum(liquidations.iter().map(|row| row.repaid));
    ratio(sum(waited) / 60.0, repaid)
}

/// Spearman's rank correlation, over accounts, of what an account owed before its first liquidation or settlement and of how long it
/// had waited for it: −1 where who owes more is always liquidated first, 1 where last, 0 where size does not matter. `None` with fewer than 10 accounts, or where all of them
/// owed or waited the same.
#[must_use]
pub fn wait_by_size(liquidations: &[LiquidationRow]) -> Option<f64> {
    let mut first = BTreeMap::new();
    for row in liquidations {
        first
            .entry(row.account)
            .or_insert((row.debt, row.waited as f64));
    }
    if first.len() < LEAST_ACCOUNTS {
        return None;
    }
    let (debts, waits): (Vec<f64>, Vec<f64>) = first.into_values().unzip();
    correlation(&ranks(&debts), &ranks(&waits))
}

/// The standard deviation of the bonus over debt repaid in liquidations, settlements apart: how unlike borrowers pay. `None` if none was repaid.
#[must_use]
pub fn bonus_spread(liquidations: &[LiquidationRow]) -> Option<f64> {
    let paid = || liquidations.iter().filter(|row| !row.settlement);
    // Against the first one, so that bonuses which are all the same have a spread of exactly 0.
    let base = paid().next()?.bonus;
    let repaid = sum(paid().map(|row| row.repaid));
    let mean = ratio(
        sum(paid().map(|row| row.repaid * (row.bonus - base))),
        repaid,
    )?;
    let variance = sum(paid().map(|row| row.repaid * (row.bonus - base - mean).powi(2))) / repaid;
    Some(variance.sqrt())
}

/// Each value's rank, from 1; equal values share the mean of theirs.
fn ranks(values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|&a, &b| values[a].total_cmp(&values[b]));
    let mut ranks = vec![0.0; values.len()];
    let mut before = 0;
    for equal in order.chunk_by(|&a, &b| values[a] == values[b]) {
        for &value in equal {
            ranks[value] = before as f64 + (equal.len() as f64 + 1.0) / 2.0;
        }
        before += equal.len();
    }
    ranks
}

/// Pearson's correlation; `None` where either does not vary.
fn correlation(a: &[f64], b: &[f64]) -> Option<f64> {
    let mean = |values: &[f64]| sum(values.iter().copied()) / values.len() as f64;
    let (mean_a, mean_b) = (mean(a), mean(b));
    let both = sum(a.iter().zip(b).map(|(a, b)| (a - mean_a) * (b - mean_b)));
    let own = |values: &[f64], mean: f64| sum(values.iter().map(|value| (value - mean).powi(2)));
    ratio(both, (own(a, mean_a) * own(b, mean_b)).sqrt())
}

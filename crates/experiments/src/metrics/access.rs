//! What the protocol's users could do and what they were told: cash to leave with, how wrong the oracle was, and how often the
//! circuit breaker was.

use breakwater_sim::trace::BlockRow;

use super::ratio;

/// New debt was worth refusing if the reference price falls by so much, a share, within [`ALARM_SECONDS`]: about what is between
/// a loan at the limit and its liquidation (LTV 80%, LT 83%), and a venue's cost of selling it.
pub const ALARM_FALL: f64 = 0.05;

/// How far ahead an alarm is judged.
pub const ALARM_SECONDS: u64 = 3_600;

/// Seconds from a block to the next; none for the last.
fn until_next(blocks: &[BlockRow]) -> impl Iterator<Item = (&BlockRow, f64)> {
    blocks.windows(2).map(|pair| {
        let seconds = pair[1].timestamp.saturating_sub(pair[0].timestamp);
        (&pair[0], seconds as f64)
    })
}

/// Minutes of the blocks that satisfy a condition, each until the next.
fn minutes(blocks: &[BlockRow], condition: impl Fn(&BlockRow) -> bool) -> f64 {
    let seconds = until_next(blocks).filter(|(row, _)| condition(row));
    super::sum(seconds.map(|(_, seconds)| seconds)) / 60.0
}

/// Minutes in which everything that lenders are owed was lent out, so that none of them could leave.
#[must_use]
pub fn fully_utilised_minutes(blocks: &[BlockRow]) -> f64 {
    minutes(blocks, |row| row.utilisation >= 1.0)
}

/// The mean and the greatest |F / P − 1| over blocks that have an F; n/a without any.
#[must_use]
pub fn oracle_error(blocks: &[BlockRow]) -> (Option<f64>, Option<f64>) {
    let errors = || {
        let priced = blocks.iter().filter(|row| row.fast_price > 0.0);
        priced.map(|row| (row.fast_price / row.reference_price - 1.0).abs())
    };
    let mean = ratio(super::sum(errors()), errors().count() as f64);
    (mean, errors().reduce(f64::max))
}

/// Minutes in which the breaker refused new debt and no fall followed, and minutes before a fall in which it did not. A fall is one of
/// [`ALARM_FALL`] from the block's reference price within [`ALARM_SECONDS`], or what is left of the run.
#[must_use]
pub fn breaker_errors(blocks: &[BlockRow]) -> (f64, f64) {
    let (mut false_alarms, mut missed) = (0.0, 0.0);
    for (index, (row, seconds)) in until_next(blocks).enumerate() {
        let ahead = blocks[index..]
            .iter()
            .take_while(|later| later.timestamp <= row.timestamp + ALARM_SECONDS);
        let lowest = ahead
            .map(|later| later.reference_price)
            .fold(f64::INFINITY, f64::min);
        let falls = lowest <= row.reference_price * (1.0 - ALARM_FALL);
        match (row.breaker_level > 0, falls) {
            (true, false) => false_alarms += seconds / 60.0,
            (false, true) => missed += seconds / 60.0,
            _ => {}
        }
    }
    (false_alarms, missed)
}

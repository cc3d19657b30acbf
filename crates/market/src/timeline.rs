//! When rows are: the unit of their times, their order and their spacing.

use std::path::Path;

use crate::error::MarketError;
use crate::table::{Row, Table};

/// Seconds, milliseconds or microseconds since 1970, told apart by the size of the first time in a file.
///
/// A file keeps its unit; a row in another one is then unsorted or comes after a gap. Seconds are taken up to 10^11 (the
/// year 5138), which as milliseconds is 1973: no market data falls on the wrong side.
#[derive(Default)]
pub(crate) struct Clock {
    units_per_second: Option<u64>,
}

impl Clock {
    const LAST_SECOND: u64 = 100_000_000_000;

    /// The time in a cell, as unix seconds.
    pub fn seconds(&mut self, row: &Row<'_>, column: usize) -> Result<u64, MarketError> {
        const EXPECTED: &str =
            "unix time in whole seconds (or milliseconds or microseconds on a whole second)";
        let raw = row
            .text(column)
            .parse::<u64>()
            .map_err(|_| row.malformed(column, EXPECTED))?;
        let units = *self.units_per_second.get_or_insert(match raw {
            0..Self::LAST_SECOND => 1,
            Self::LAST_SECOND..100_000_000_000_000 => 1_000,
            _ => 1_000_000,
        });
        if raw % units != 0 || raw / units >= Self::LAST_SECOND {
            return Err(row.malformed(column, EXPECTED));
        }
        Ok(raw / units)
    }
}

/// Column names under which a row's time is accepted.
pub(crate) const TIME: [&str; 3] = ["timestamp", "open_time", "time"];

/// The order and spacing of rows: later than the row before, at intervals set by the first two rows.
#[derive(Default)]
pub(crate) struct Spacing {
    previous: Option<u64>,
    interval: Option<u64>,
}

/// Longest interval between two rows, in seconds (one week, the longest bar of even length that exchanges export).
pub(crate) const MAX_INTERVAL_SECONDS: u64 = 7 * 86_400;

impl Spacing {
    /// Takes the next row's time. Gaps are an error if `gapless`, and otherwise left to whoever reads across them.
    pub fn next(
        &mut self,
        row: &Row<'_>,
        column: usize,
        time: u64,
        gapless: bool,
    ) -> Result<(), MarketError> {
        let file = || row.file().to_path_buf();
        let line = row.line;
        if let Some(previous) = self.previous {
            if time == previous {
                return Err(MarketError::DuplicateTime {
                    file: file(),
                    row: line,
                    time,
                });
            }
            if time < previous {
                return Err(MarketError::Unsorted {
                    file: file(),
                    row: line,
                    time,
                    previous,
                });
            }
            let found = time - previous;
            let expected = match self.interval {
                Some(interval) => interval,
                None if found > MAX_INTERVAL_SECONDS => {
                    return Err(row.malformed(
                        column,
                        format!(
                            "at most {MAX_INTERVAL_SECONDS} s after the first row's {previous}"
                        ),
                    ));
                }
                None => *self.interval.insert(found),
            };
            if found < expected || (gapless && !found.is_multiple_of(expected)) {
                return Err(MarketError::Irregular {
                    file: file(),
                    row: line,
                    found,
                    expected,
                });
            }
            if gapless && found > expected {
                return Err(gap(row.file(), line, time, previous, expected));
            }
        }
        self.previous = Some(time);
        Ok(())
    }

    /// The interval, once all rows were taken.
    pub fn interval(&self, table: &Table) -> Result<u64, MarketError> {
        self.interval.ok_or_else(|| MarketError::SingleRow {
            file: table.file().to_path_buf(),
            row: table.first_row(),
        })
    }
}

/// The error for a jump from `previous` to `time` where rows are `interval` apart.
pub(crate) fn gap(
    file: &Path,
    row: u64,
    time: u64,
    previous: u64,
    interval_seconds: u64,
) -> MarketError {
    MarketError::Gap {
        file: file.to_path_buf(),
        row,
        time,
        previous,
        missing_seconds: time - previous - interval_seconds,
        interval_seconds,
    }
}

//! A column of a file as a function of time: what gas prices and pool reserves have in common.

use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::error::MarketError;
use crate::knots::between;
use crate::request::Grid;
use crate::table::Table;
use crate::timeline::{Clock, Spacing, TIME, gap};

/// How a series goes from one row to the next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Interpolation {
    /// A row's value holds until the next row: right for averages over an interval.
    #[default]
    Step,
    /// Linear in the logarithm from row to row (the last row holds for its interval): right for states at an instant.
    LogLinear,
}

/// Positive values at regular times. Unlike [`Bars`](crate::Bars) a series may have gaps (files of chosen days, joined);
/// a gap is an error when a window reaches into it.
#[derive(Debug, Clone, PartialEq)]
pub struct Series {
    file: PathBuf,
    column: String,
    interval_seconds: u64,
    rows: Vec<SeriesRow>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
struct SeriesRow {
    time: u64,
    value: f64,
    line: u64,
}

impl Series {
    /// Reads the first of `columns` that the file has, beside a time column (`timestamp`, `open_time` or `time`, in
    /// seconds, milliseconds or microseconds). The interval is the one between the first two rows.
    ///
    /// # Errors
    /// Everything that is wrong but gaps, with the file and the row.
    pub fn read(path: &Path, columns: &[&str]) -> Result<Self, MarketError> {
        Self::from_table(&Table::read(path)?, columns)
    }

    /// Takes bytes that are already in memory; `file` names them in errors.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub fn parse(file: &Path, bytes: Vec<u8>, columns: &[&str]) -> Result<Self, MarketError> {
        Self::from_table(&Table::parse(file, bytes)?, columns)
    }

    fn from_table(table: &Table, columns: &[&str]) -> Result<Self, MarketError> {
        let time_column = table.column(&TIME)?;
        let value_column = table.column(columns)?;
        let mut clock = Clock::default();
        let mut spacing = Spacing::default();
        let mut rows = Vec::new();
        table.visit(|row| {
            let time = clock.seconds(row, time_column)?;
            let value = row.positive(value_column)?;
            spacing.next(row, time_column, time, false)?;
            rows.push(SeriesRow {
                time,
                value,
                line: row.line,
            });
            Ok(())
        })?;
        Ok(Self {
            file: table.file().to_path_buf(),
            column: table.name(value_column).to_owned(),
            interval_seconds: spacing.interval(table)?,
            rows,
        })
    }

    /// Name of the column that was read, as the header spells it.
    pub fn column(&self) -> &str {
        &self.column
    }

    /// Seconds between rows.
    pub fn interval_seconds(&self) -> u64 {
        self.interval_seconds
    }

    /// Time of the first row, unix seconds.
    pub fn first(&self) -> u64 {
        self.rows[0].time
    }

    /// Time at which the last row's interval ends, unix seconds.
    pub fn end(&self) -> u64 {
        self.rows[self.rows.len() - 1].time + self.interval_seconds
    }

    /// Time and value of every row.
    pub fn rows(&self) -> impl Iterator<Item = (u64, f64)> {
        self.rows.iter().map(|row| (row.time, row.value))
    }

    /// The series with every value multiplied, to change its unit.
    #[must_use]
    pub fn scaled(mut self, factor: f64) -> Self {
        for row in &mut self.rows {
            row.value *= factor;
        }
        self
    }

    /// Index of the row whose interval, or the gap after it, holds `time`.
    fn row_at(&self, time: u64) -> usize {
        self.rows.partition_point(|row| row.time <= time).max(1) - 1
    }

    /// How many blocks of `slot_seconds` fit from `start` (unix seconds; the first row if `None`) to the next gap or the
    /// end; 0 if `start` is outside or in a gap.
    pub fn covers(&self, slot_seconds: u64, start: Option<u64>) -> u64 {
        let start = start.unwrap_or(self.first());
        if !(self.first()..self.end()).contains(&start) {
            return 0;
        }
        let from = self.row_at(start);
        let last = self.rows[from..]
            .windows(2)
            .position(|pair| pair[1].time - pair[0].time > self.interval_seconds)
            .map_or(self.rows.len() - 1, |ahead| from + ahead);
        let end = self.rows[last].time + self.interval_seconds;
        end.saturating_sub(start).div_ceil(slot_seconds.max(1))
    }

    /// One value per block from `start` (unix seconds; the first row if `None`).
    ///
    /// # Errors
    /// [`MarketError::StartOutside`], [`MarketError::TooShort`], and [`MarketError::Gap`] if the window reaches into one.
    pub fn resolve(
        &self,
        grid: Grid,
        start: Option<u64>,
        interpolation: Interpolation,
    ) -> Result<Vec<f64>, MarketError> {
        let start = start.unwrap_or(self.first());
        if !(self.first()..self.end()).contains(&start) {
            return Err(MarketError::StartOutside {
                file: self.file.clone(),
                start,
                first: self.first(),
                end: self.end(),
            });
        }
        let mut at = self.row_at(start);
        let mut values = Vec::with_capacity(grid.blocks().min(1 << 20));
        for seconds in grid.seconds() {
            let time = start + seconds;
            if time >= self.end() {
                return Err(MarketError::TooShort {
                    file: self.file.clone(),
                    start,
                    slot_seconds: grid.slot_seconds(),
                    requested: grid.blocks(),
                    covers: self.covers(grid.slot_seconds(), Some(start)),
                });
            }
            while let Some(next) = self.rows.get(at + 1)
                && time >= self.rows[at].time + self.interval_seconds
            {
                let previous = self.rows[at].time;
                if next.time - previous > self.interval_seconds {
                    return Err(gap(
                        &self.file,
                        next.line,
                        next.time,
                        previous,
                        self.interval_seconds,
                    ));
                }
                at += 1;
            }
            let row = self.rows[at];
            let next = self.rows.get(at + 1);
            values.push(match (interpolation, next) {
                (Interpolation::LogLinear, Some(next))
                    if next.time - row.time == self.interval_seconds =>
                {
                    between((row.time, row.value), (next.time, next.value), time)
                }
                _ => row.value,
            });
        }
        Ok(values)
    }
}

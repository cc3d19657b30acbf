//! Bars as exchanges export them.

use std::path::{Path, PathBuf};

use crate::bridge::bridge_bar;
use crate::error::MarketError;
use crate::request::Grid;
use crate::streams::{Purpose, Stream};
use crate::table::{Row, Table};
use crate::timeline::{Clock, Spacing, TIME};

/// One bar: the trades of the interval that begins at `time`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bar {
    /// Opening time, unix seconds.
    pub time: u64,
    /// First price.
    pub open: f64,
    /// Highest price.
    pub high: f64,
    /// Lowest price.
    pub low: f64,
    /// Last price.
    pub close: f64,
}

/// A gapless run of bars of one length.
#[derive(Debug, Clone, PartialEq)]
pub struct Bars {
    file: PathBuf,
    bar_seconds: u64,
    bars: Vec<Bar>,
}

impl Bars {
    /// Reads a file with the columns `timestamp` (or `open_time`, or `time`), `open`, `high`, `low` and `close`, in any
    /// order and letter case, among any others. Times are unix seconds, milliseconds or microseconds; the bar length is
    /// the interval between the first two rows.
    ///
    /// # Errors
    /// Everything that is wrong, with the file and the row: see [`MarketError`].
    pub fn read(path: &Path) -> Result<Self, MarketError> {
        Self::from_table(&Table::read(path)?)
    }

    /// Takes bytes that are already in memory; `file` names them in errors.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub fn parse(file: &Path, bytes: Vec<u8>) -> Result<Self, MarketError> {
        Self::from_table(&Table::parse(file, bytes)?)
    }

    fn from_table(table: &Table) -> Result<Self, MarketError> {
        let time = table.column(&TIME)?;
        let [open, high, low, close] = [
            table.column(&["open"])?,
            table.column(&["high"])?,
            table.column(&["low"])?,
            table.column(&["close"])?,
        ];
        let mut clock = Clock::default();
        let mut spacing = Spacing::default();
        let mut bars = Vec::new();
        table.visit(|row| {
            let bar = Bar {
                time: clock.seconds(row, time)?,
                open: row.positive(open)?,
                high: row.positive(high)?,
                low: row.positive(low)?,
                close: row.positive(close)?,
            };
            if bar.high < bar.low {
                return Err(row.malformed(high, format!("at least the low, {}", bar.low)));
            }
            check_inside(row, open, bar.open, &bar)?;
            check_inside(row, close, bar.close, &bar)?;
            spacing.next(row, time, bar.time, true)?;
            bars.push(bar);
            Ok(())
        })?;
        Ok(Self {
            file: table.file().to_path_buf(),
            bar_seconds: spacing.interval(table)?,
            bars,
        })
    }

    /// The bars, earliest first: two or more.
    pub fn bars(&self) -> &[Bar] {
        &self.bars
    }

    /// Length of every bar, in seconds.
    pub fn bar_seconds(&self) -> u64 {
        self.bar_seconds
    }

    /// Opening time of the first bar, unix seconds.
    pub fn first(&self) -> u64 {
        self.bars[0].time
    }

    /// Time at which the last bar ends, unix seconds.
    pub fn end(&self) -> u64 {
        self.bars[self.bars.len() - 1].time + self.bar_seconds
    }

    /// How many blocks of `slot_seconds` fit from `start` (unix seconds; the first bar if `None`) to the end; 0 if `start`
    /// is outside.
    pub fn covers(&self, slot_seconds: u64, start: Option<u64>) -> u64 {
        let start = start.unwrap_or(self.first());
        if (self.first()..self.end()).contains(&start) {
            (self.end() - start).div_ceil(slot_seconds.max(1))
        } else {
            0
        }
    }

    /// One price per block from `start` (unix seconds; the first bar if `None`), on a path inside each bar: see
    /// [`bridge`](crate::bridge).
    ///
    /// A bar's path depends on the seed, `series`, the bar and where the blocks fall in it, and on nothing else: cutting
    /// the file elsewhere, or starting a whole number of blocks later, gives the same prices at the same times.
    ///
    /// # Errors
    /// [`MarketError::StartOutside`] and [`MarketError::TooShort`].
    pub fn resolve(
        &self,
        grid: Grid,
        start: Option<u64>,
        seed: u64,
        series: u16,
    ) -> Result<Vec<f64>, MarketError> {
        let start = start.unwrap_or(self.first());
        let slot = grid.slot_seconds();
        if !(self.first()..self.end()).contains(&start) {
            return Err(MarketError::StartOutside {
                file: self.file.clone(),
                start,
                first: self.first(),
                end: self.end(),
            });
        }
        let covers = self.covers(slot, Some(start));
        if covers < grid.blocks() as u64 {
            return Err(MarketError::TooShort {
                file: self.file.clone(),
                start,
                slot_seconds: slot,
                requested: grid.blocks(),
                covers,
            });
        }
        let first_bar = ((start - self.first()) / self.bar_seconds) as usize;
        let mut prices = Vec::with_capacity(grid.blocks());
        for bar in &self.bars[first_bar..] {
            // Blocks fall where time equals start modulo the slot. The bar that holds the start is walked from its own
            // beginning, and what lies before the start is dropped.
            let offset = if bar.time <= start {
                (start - bar.time) % slot
            } else {
                (slot - (bar.time - start) % slot) % slot
            };
            let samples = self.bar_seconds.saturating_sub(offset).div_ceil(slot) as usize;
            let before_start = (start.saturating_sub(bar.time + offset) / slot) as usize;
            let mut stream = Stream::new(seed, Purpose::Price, bar_index(series, bar.time));
            let path = bridge_bar(bar, samples, &mut stream);
            prices.extend(path.into_iter().skip(before_start));
            if prices.len() >= grid.blocks() {
                break;
            }
        }
        prices.truncate(grid.blocks());
        Ok(prices)
    }
}

/// Stream index of a bar: times are below 2^40 (the reader takes none beyond the year 5138).
fn bar_index(series: u16, time: u64) -> u64 {
    (u64::from(series) << 40) | time
}

fn check_inside(row: &Row<'_>, column: usize, value: f64, bar: &Bar) -> Result<(), MarketError> {
    if (bar.low..=bar.high).contains(&value) {
        Ok(())
    } else {
        Err(row.malformed(
            column,
            format!("within the bar's low and high, {} to {}", bar.low, bar.high),
        ))
    }
}

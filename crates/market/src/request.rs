//! What a caller asks for: how many blocks, how far apart, and with which random numbers.

use std::path::{Path, PathBuf};

use crate::error::MarketError;

/// Largest file that a reader takes in, in bytes (512 MiB: a decade of one-minute bars fits).
pub const MAX_FILE_BYTES: u64 = 512 * 1024 * 1024;

/// Most blocks that one series may have (19 years of 12 s).
pub const MAX_BLOCKS: usize = 50_000_000;

/// Longest block time, in seconds (one day).
pub const MAX_SLOT_SECONDS: u64 = 86_400;

/// The block times of a run: block `i` is `i * slot_seconds` after the start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Grid {
    blocks: usize,
    slot_seconds: u64,
}

impl Grid {
    /// A grid of `blocks` blocks, `slot_seconds` seconds apart.
    ///
    /// # Errors
    /// [`MarketError::Impossible`] outside 1..=[`MAX_BLOCKS`] blocks or 1..=[`MAX_SLOT_SECONDS`] seconds.
    pub fn new(blocks: usize, slot_seconds: u64) -> Result<Self, MarketError> {
        if blocks == 0 || blocks > MAX_BLOCKS {
            return Err(MarketError::impossible(
                "blocks",
                blocks,
                format!("1 to {MAX_BLOCKS}"),
            ));
        }
        if slot_seconds == 0 || slot_seconds > MAX_SLOT_SECONDS {
            return Err(MarketError::impossible(
                "slot_seconds",
                slot_seconds,
                format!("1 to {MAX_SLOT_SECONDS} seconds"),
            ));
        }
        Ok(Self {
            blocks,
            slot_seconds,
        })
    }

    /// Number of blocks.
    pub fn blocks(self) -> usize {
        self.blocks
    }

    /// Seconds from one block to the next.
    pub fn slot_seconds(self) -> u64 {
        self.slot_seconds
    }

    /// Seconds from the start to every block.
    pub(crate) fn seconds(self) -> impl Iterator<Item = u64> {
        (0..self.blocks as u64).map(move |block| block * self.slot_seconds)
    }
}

/// Everything that a configured source needs to become one number per block.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// Name of the configuration table, put before the key in errors, e.g. `collateral_price`.
    pub table: &'a str,
    /// Folder from which relative file paths are taken: the scenario file's own.
    pub base: &'a Path,
    /// The blocks wanted.
    pub grid: Grid,
    /// Seed of the run.
    pub seed: u64,
    /// Which series of its kind this is: two prices of one run (collateral 0, debt 1) must not share draws.
    pub series: u16,
}

impl Request<'_> {
    pub(crate) fn key(&self, name: &str) -> String {
        format!("{}.{name}", self.table)
    }

    pub(crate) fn path(&self, path: &Path) -> PathBuf {
        self.base.join(path)
    }
}

/// Refuses a value outside `low..=high` (or not a number) under its key.
pub(crate) fn check_range(key: String, value: f64, low: f64, high: f64) -> Result<(), MarketError> {
    if (low..=high).contains(&value) {
        Ok(())
    } else {
        Err(MarketError::impossible(
            key,
            value,
            format!("{low:?} to {high:?}"),
        ))
    }
}

/// Smallest and largest price, gas price or amount that a file or a configuration may give: wide enough for any asset and
/// narrow enough that products and ratios of a few stay finite and above zero.
pub(crate) const AMOUNTS: std::ops::RangeInclusive<f64> = 1e-30..=1e30;

/// Refuses an amount that is not positive, finite and within [`AMOUNTS`].
pub(crate) fn check_amount(key: String, value: f64) -> Result<(), MarketError> {
    check_range(key, value, *AMOUNTS.start(), *AMOUNTS.end())
}

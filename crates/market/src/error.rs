//! What can be wrong with market data, said so that its owner can mend it.

use std::path::PathBuf;

/// Everything the readers, the generators and the configuration can refuse.
///
/// `row` is the line of the file, counted from 1, so the header is row 1. Times are unix seconds (UTC) after the file's
/// own unit was converted.
#[derive(Debug, thiserror::Error)]
pub enum MarketError {
    /// There is no such file.
    #[error("{}: no such file", file.display())]
    Missing {
        /// The path as resolved.
        file: PathBuf,
    },
    /// The path names a folder, a device or a socket.
    #[error("{}: expected a file of comma-separated values, found {found}", file.display())]
    NotAFile {
        /// The path as resolved.
        file: PathBuf,
        /// What is there instead.
        found: &'static str,
    },
    /// The operating system refused to read the file.
    #[error("{}: cannot be read: {source}", file.display())]
    Unreadable {
        /// The path as resolved.
        file: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
    /// The file is larger than [`MAX_FILE_BYTES`](crate::request::MAX_FILE_BYTES).
    #[error("{}: {bytes} bytes, expected at most {limit}", file.display())]
    TooLarge {
        /// The path as resolved.
        file: PathBuf,
        /// Its size in bytes.
        bytes: u64,
        /// The largest size read, in bytes.
        limit: u64,
    },
    /// The bytes are not UTF-8 text.
    #[error("{}: row {row}: not text (byte {offset} of the file is not UTF-8), expected comma-separated values", file.display())]
    NotText {
        /// The file.
        file: PathBuf,
        /// Line that holds the first bad byte.
        row: u64,
        /// Offset of the first bad byte, from 0.
        offset: usize,
    },
    /// Nothing in the file, or only white space.
    #[error("{}: empty, expected a header and rows", file.display())]
    Empty {
        /// The file.
        file: PathBuf,
    },
    /// A header and nothing under it.
    #[error("{}: row {row}: a header with no rows under it", file.display())]
    OnlyHeader {
        /// The file.
        file: PathBuf,
        /// Line of the header.
        row: u64,
    },
    /// A needed column is not in the header.
    #[error("{}: row {row}: no column {column}; the header has: {found}", file.display())]
    MissingColumn {
        /// The file.
        file: PathBuf,
        /// Line of the header.
        row: u64,
        /// The accepted names of the column, joined by " or ".
        column: String,
        /// The header as found.
        found: String,
    },
    /// Two columns carry the same name, so neither can be chosen.
    #[error("{}: row {row}: column {column} appears twice in the header", file.display())]
    DuplicateColumn {
        /// The file.
        file: PathBuf,
        /// Line of the header.
        row: u64,
        /// The name.
        column: String,
    },
    /// A cell, or a whole row, is not what it should be.
    #[error("{}: row {row}, {column}: found {found}, expected {expected}", file.display())]
    Malformed {
        /// The file.
        file: PathBuf,
        /// Line of the row.
        row: u64,
        /// Name of the column as the header spells it, or "the row".
        column: String,
        /// What the cell holds.
        found: String,
        /// What it should hold.
        expected: String,
    },
    /// Two rows carry the same time.
    #[error("{}: row {row}: time {time} appears twice, expected later than the row before", file.display())]
    DuplicateTime {
        /// The file.
        file: PathBuf,
        /// Line of the second one.
        row: u64,
        /// The time, unix seconds.
        time: u64,
    },
    /// A row is earlier than the row above it.
    #[error("{}: row {row}: time {time} comes after {previous}, expected rows sorted by time", file.display())]
    Unsorted {
        /// The file.
        file: PathBuf,
        /// Line of the earlier time.
        row: u64,
        /// Its time, unix seconds.
        time: u64,
        /// Time of the row above, unix seconds.
        previous: u64,
    },
    /// Whole intervals are missing.
    #[error(
        "{}: row {row}: gap of {missing_seconds} s: time jumps from {previous} to {time}, expected a row every {interval_seconds} s",
        file.display()
    )]
    Gap {
        /// The file.
        file: PathBuf,
        /// Line of the first row after the gap.
        row: u64,
        /// Its time, unix seconds.
        time: u64,
        /// Time of the last row before the gap, unix seconds.
        previous: u64,
        /// How much time has no row.
        missing_seconds: u64,
        /// The interval between rows, taken from the first two.
        interval_seconds: u64,
    },
    /// Rows are not a whole number of intervals apart.
    #[error(
        "{}: row {row}: {found} s after the row before, expected {expected} s (the interval between the first two rows)",
        file.display()
    )]
    Irregular {
        /// The file.
        file: PathBuf,
        /// Line of the row.
        row: u64,
        /// Seconds since the row above.
        found: u64,
        /// The interval between the first two rows, in seconds.
        expected: u64,
    },
    /// One row only: the interval cannot be told.
    #[error("{}: row {row}: only one row, expected at least two to tell the interval", file.display())]
    SingleRow {
        /// The file.
        file: PathBuf,
        /// Line of that row.
        row: u64,
    },
    /// The window starts before the data or after it.
    #[error("{}: start {start} is outside the data, which covers {first} to {end} (unix seconds)", file.display())]
    StartOutside {
        /// The file.
        file: PathBuf,
        /// The start asked for, unix seconds.
        start: u64,
        /// First time in the file.
        first: u64,
        /// Time at which the last interval ends.
        end: u64,
    },
    /// The data ends before the window does.
    #[error("{}: covers {covers} blocks of {slot_seconds} s from {start}, expected {requested}", file.display())]
    TooShort {
        /// The file, or the key of a typed-in profile.
        file: PathBuf,
        /// Start of the window, unix seconds (0 for a profile, which counts from its own start).
        start: u64,
        /// Seconds per block.
        slot_seconds: u64,
        /// Blocks asked for.
        requested: usize,
        /// Blocks the data covers.
        covers: u64,
    },
    /// The same account is listed twice.
    #[error("{}: row {row}: account {account} was already listed in row {first_row}", file.display())]
    DuplicateAccount {
        /// The file.
        file: PathBuf,
        /// Line of the second one.
        row: u64,
        /// Its name.
        account: String,
        /// Line of the first one.
        first_row: u64,
    },
    /// Every row was left out.
    #[error("{}: none of its {rows} rows is an account that a maximum loan-to-value of {max_ltv} could have opened", file.display())]
    NoAccounts {
        /// The file.
        file: PathBuf,
        /// Rows read.
        rows: usize,
        /// The limit given, as a fraction.
        max_ltv: f64,
    },
    /// A configured value cannot be.
    #[error("{key}: {value} is impossible, expected {expected}")]
    Impossible {
        /// Dotted key, as in the scenario file.
        key: String,
        /// The value as given.
        value: String,
        /// What it may be.
        expected: String,
    },
}

impl MarketError {
    pub(crate) fn impossible(
        key: impl Into<String>,
        value: impl ToString,
        expected: impl Into<String>,
    ) -> Self {
        Self::Impossible {
            key: key.into(),
            value: value.to_string(),
            expected: expected.into(),
        }
    }
}

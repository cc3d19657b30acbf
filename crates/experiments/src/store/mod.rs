//! Result files: rows as Parquet, written so that the same rows give the same bytes, and a directory that receives all
//! files of a run or none.

mod columns;
mod directory;
mod rows;

use std::path::PathBuf;

pub(crate) use rows::write_columns;

pub use directory::OutputDirectory;
pub use rows::{
    read_absorptions, read_backstop, read_blocks, read_liquidations, write_absorptions,
    write_backstop, write_blocks, write_liquidations,
};

/// A result file that cannot be written or read.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The directory cannot take results.
    #[error("{}: expected a directory that can be written to ({source})", path.display())]
    Directory {
        /// The directory as the caller named it.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// A file cannot be created, written, opened or renamed.
    #[error("{}: {source}", path.display())]
    File {
        /// Which file.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// The Parquet library refused.
    #[error("{}: {source}", path.display())]
    Parquet {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: parquet::errors::ParquetError,
    },
    /// Columns could not be put together.
    #[error("{}: {source}", path.display())]
    Arrow {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: arrow::error::ArrowError,
    },
    /// A file read back lacks a column, or has it with another type.
    #[error("{}: expected a column `{column}` of type {expected}", path.display())]
    Column {
        /// Which file.
        path: PathBuf,
        /// The column's name.
        column: String,
        /// The type it should have.
        expected: &'static str,
    },
}

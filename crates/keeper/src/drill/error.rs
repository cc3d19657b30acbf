//! Why a drill does not come to its end.

use std::path::PathBuf;

use alloy::transports::TransportError;
use breakwater_deploy::ManifestError;
use breakwater_deploy::local::LocalError;
use breakwater_operator::config::ConfigError;

use crate::error::RunError;
use crate::store::StoreError;

/// Why a drill does not come to its end.
#[derive(Debug, thiserror::Error)]
pub enum DrillError {
    /// There is no anvil.
    #[error(
        "no anvil: neither on PATH nor in node_modules of {} or a folder above it; \
         `npm ci` in Breakwater's folder brings it", folder.display()
    )]
    NoAnvil {
        /// Where the search began.
        folder: PathBuf,
    },
    /// It does not start.
    #[error("{} does not start: {reason}", path.display())]
    Anvil {
        /// Which.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// No folder for the keeper's state.
    #[error("no temporary folder: {0}")]
    Folder(#[from] std::io::Error),
    /// The market does not do what it should.
    #[error("the market: {0}")]
    Market(#[from] LocalError),
    /// The manifest that was just written cannot be read.
    #[error("the manifest: {0}")]
    Manifest(#[from] ManifestError),
    /// The configuration that was just written is not one.
    #[error("the keeper's configuration: {0}")]
    Config(#[from] ConfigError),
    /// The node does not answer.
    #[error("the chain: {0}")]
    Chain(#[from] TransportError),
    /// The keeper did not start, or ended.
    #[error("the keeper: {0}")]
    Keeper(#[from] RunError),
    /// The keeper's state cannot be read.
    #[error("the keeper's state: {0}")]
    Store(#[from] StoreError),
    /// It ended though nobody told it to.
    #[error("the keeper ended by itself")]
    KeeperGone,
    /// What was expected did not come.
    #[error("expected: {what}; it did not come within {limit}")]
    Missed {
        /// What was expected.
        what: String,
        /// Blocks or seconds.
        limit: String,
    },
    /// The user stopped it.
    #[error("interrupted")]
    Interrupted,
}

//! What can be wrong with a sweep, said in one line.

use std::path::PathBuf;

use breakwater_sim::SimError;
use breakwater_sim::aave::ArtifactError;

use crate::metrics::MetricsError;
use crate::scenario::ScenarioError;
use crate::store::StoreError;

/// A sweep that came to no result.
#[derive(Debug, thiserror::Error)]
pub enum SweepError {
    /// The specification cannot be read as text.
    #[error("{}: expected the specification of a sweep ({source})", file.display())]
    Unreadable {
        /// Which file.
        file: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// The specification says what no sweep can do.
    #[error(transparent)]
    Specification(ScenarioError),
    /// A scenario that cannot be run as the specification wants it.
    #[error("{scenario} with {what}: {source}")]
    Scenario {
        /// Its name.
        scenario: String,
        /// What was changed in it.
        what: String,
        /// Why not.
        source: Box<ScenarioError>,
    },
    /// A value of the command line that does not fit the specification.
    #[error("{option} {value}: expected {expected}")]
    Option {
        /// The option's name.
        option: &'static str,
        /// What it is.
        value: String,
        /// What it should be.
        expected: String,
    },
    /// Contracts that the specification wants and that are not to be had.
    #[error(transparent)]
    Contracts(#[from] ArtifactError),
    /// A directory or file that the operating system refuses.
    #[error("{}: {source}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// Files that are nobody's sweep.
    #[error("{}: expected an empty directory or one of this sweep; it has files and no design.json", path.display())]
    Occupied {
        /// The directory.
        path: PathBuf,
    },
    /// No sweep at all.
    #[error("{}: expected the directory of a sweep; it has no {file}", path.display())]
    NoSweep {
        /// The directory.
        path: PathBuf,
        /// What is missing.
        file: &'static str,
    },
    /// Another process writes there.
    #[error("{}: another sweep is writing there", path.display())]
    Busy {
        /// The directory.
        path: PathBuf,
    },
    /// Results of another sweep.
    #[error("{}: holds a sweep in which {what} differs; give another --out, or delete it to begin again", path.display())]
    Changed {
        /// The directory.
        path: PathBuf,
        /// What differs.
        what: String,
    },
    /// A file that this program did not write for this sweep.
    #[error("{}: {reason}", path.display())]
    Foreign {
        /// Which.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// Directories that do not belong together.
    #[error("{} and {}: {what} differs; expected shards of one sweep", first.display(), second.display())]
    Mismatch {
        /// The first directory.
        first: PathBuf,
        /// The one that differs from it.
        second: PathBuf,
        /// What differs.
        what: String,
    },
    /// One path with two outcomes.
    #[error("{} and {}: the path {path} came out differently; one of the two machines is wrong", first.display(), second.display())]
    Contradiction {
        /// One directory.
        first: PathBuf,
        /// The other.
        second: PathBuf,
        /// Which path.
        path: String,
    },
    /// Paths that nobody ran.
    #[error(
        "{missing} of {total} paths are missing, the first is {first}; run the shard that has it"
    )]
    Incomplete {
        /// How many.
        missing: usize,
        /// Of how many.
        total: usize,
        /// The first.
        first: String,
    },
    /// A world stopped.
    #[error("{path}: {source}")]
    World {
        /// Which path.
        path: String,
        /// Why.
        source: Box<SimError>,
    },
    /// Traces that do not belong together.
    #[error("{path}: {source}")]
    Metrics {
        /// Which path.
        path: String,
        /// Why.
        source: MetricsError,
    },
    /// The user stopped it.
    #[error("interrupted; {done} of {total} paths are in {}, and the same command goes on from there", path.display())]
    Interrupted {
        /// Paths that are whole.
        done: usize,
        /// Of how many.
        total: usize,
        /// Where.
        path: PathBuf,
    },
    /// Threads could not be started.
    #[error("--jobs: {0}")]
    Threads(String),
    /// A result file.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A number that JSON cannot hold.
    #[error("sweep.json: {0}")]
    Json(#[from] serde_json::Error),
}

impl SweepError {
    /// Whether what was given is at fault, and not what happened while it ran.
    #[must_use]
    pub const fn is_input(&self) -> bool {
        matches!(
            self,
            Self::Unreadable { .. }
                | Self::Specification(_)
                | Self::Scenario { .. }
                | Self::Option { .. }
                | Self::Contracts(_)
                | Self::Occupied { .. }
                | Self::NoSweep { .. }
                | Self::Busy { .. }
                | Self::Changed { .. }
                | Self::Foreign { .. }
                | Self::Mismatch { .. }
                | Self::Incomplete { .. }
        )
    }
}

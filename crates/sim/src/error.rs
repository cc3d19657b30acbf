//! Why a world could not be run.

use breakwater_evm::{CallError, EvmError};
use thiserror::Error;

use crate::aave::ArtifactError;

/// Why a world could not be run.
#[derive(Debug, Error)]
pub enum SimError {
    /// The series do not belong together.
    #[error("input: {0}")]
    Input(String),
    /// A parameter is outside what a world can have.
    #[error("parameter {name} = {value}: {expected}")]
    Parameter {
        /// The parameter's key.
        name: &'static str,
        /// Its value.
        value: f64,
        /// What was expected.
        expected: &'static str,
    },
    /// A contract refused while the world was being set up or read.
    #[error("{step}: {source}")]
    Call {
        /// What was being done.
        step: String,
        /// What the contract said.
        source: CallError,
    },
    /// The port of the contracts does not follow them: a fault of either.
    #[error("the port of the contracts goes astray: {0}")]
    Port(String),
    /// The books do not balance at the end of a run: a fault of the contracts or of the simulator.
    #[error("the run does not conserve: {what} is {found}, expected {expected}")]
    Conservation {
        /// What was added up.
        what: String,
        /// What it came to.
        found: String,
        /// What it should be.
        expected: String,
    },
    /// Aave's contracts are not to be had.
    #[error(transparent)]
    Artifacts(#[from] ArtifactError),
    /// The engine failed.
    #[error(transparent)]
    Engine(#[from] EvmError),
    /// The observer asked to stop.
    #[error("interrupted after {completed} blocks")]
    Interrupted {
        /// Blocks that were done.
        completed: u64,
    },
}

/// Adds what was being done to a contract's refusal.
pub trait During<T> {
    /// Names the step.
    ///
    /// # Errors
    /// The refusal.
    fn during(self, step: &str) -> Result<T, SimError>;
}

impl<T> During<T> for Result<T, CallError> {
    fn during(self, step: &str) -> Result<T, SimError> {
        self.map_err(|source| SimError::Call {
            step: step.to_owned(),
            source,
        })
    }
}

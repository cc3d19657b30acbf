//! Aave v3 in a world: its own bytecode, from the artifacts of the npm package `@aave/core-v3`, in the place of Breakwater's
//! pool. Nothing of it is compiled in; the package is looked for when a world needs it.

pub(crate) mod abi;
mod artifacts;
pub(crate) mod events;
mod market;

#[cfg(test)]
mod tests;

pub use artifacts::{ArtifactError, VERSION};
pub(crate) use artifacts::{Artifacts, Libraries};
pub(crate) use market::{LIQUIDATION_GAS, Market, REVERT_GAS};

use std::collections::BTreeMap;

/// What of the package a world is made of, and Keccak-256 of each creation code as its artifact has it, links open.
///
/// # Errors
/// [`ArtifactError`], first of all where the package is not there.
pub fn contracts() -> Result<BTreeMap<String, String>, ArtifactError> {
    Artifacts::find()?.hashes()
}

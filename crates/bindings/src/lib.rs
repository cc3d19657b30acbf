#![doc = include_str!("../README.md")]

use alloy_primitives::Bytes;
use alloy_sol_types::{Panic, Revert, SolError};

include!(concat!(env!("OUT_DIR"), "/bindings.rs"));

/// A deployable contract: what a run records beside its results, so that a figure can be traced to the bytecode.
#[derive(Clone, Copy, Debug)]
pub struct Contract {
    /// The contract's name.
    pub name: &'static str,
    /// Its source file from the repository's root, or from the root of its npm package.
    pub source: &'static str,
    /// Creation code, without constructor arguments.
    pub creation_code: &'static Bytes,
    /// Runtime code, with immutables zero.
    pub deployed_code: &'static Bytes,
}

/// Every deployable contract that was compiled in, by name.
#[must_use]
pub fn contracts() -> &'static [Contract] {
    CATALOGUE
}

/// Says what a revert's data means: a custom error of any bound contract with its values, `revert("…")` or a panic.
/// `None` for empty data and for errors that no bound contract declares.
///
/// Two contracts that declare the same error share its selector, so the name is certain and the contract is not.
#[must_use]
pub fn describe_revert(data: &[u8]) -> Option<String> {
    if let Ok(revert) = Revert::abi_decode(data) {
        return Some(format!("revert: {}", revert.reason));
    }
    if let Ok(panic) = Panic::abi_decode(data) {
        return Some(format!("panic: {panic}"));
    }
    describe_custom_error(data)
}

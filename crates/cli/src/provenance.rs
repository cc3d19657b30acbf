//! What results say about the program that wrote them.

use std::collections::BTreeMap;

use alloy_primitives::keccak256;
use breakwater_sim::aave;
use breakwater_sim::config::Policy;

use crate::failure::Failure;

/// Commit of the build.
pub const COMMIT: &str = env!("BREAKWATER_COMMIT");

/// The command that was given, so that a shell takes it again.
pub fn command() -> String {
    let quoted = std::env::args().skip(1).map(|argument| {
        let plain =
            |character: char| character.is_ascii_alphanumeric() || "-_./,=:@%+".contains(character);
        if !argument.is_empty() && argument.chars().all(plain) {
            argument
        } else {
            format!("'{}'", argument.replace('\'', "'\\''"))
        }
    });
    std::iter::once("breakwater".to_owned())
        .chain(quoted)
        .collect::<Vec<_>>()
        .join(" ")
}

/// Hashes of the contracts' creation code.
pub fn contracts() -> BTreeMap<String, String> {
    let hash = |contract: &breakwater_bindings::Contract| {
        (
            contract.name.to_owned(),
            keccak256(contract.creation_code.as_ref()).to_string(),
        )
    };
    breakwater_bindings::contracts().iter().map(hash).collect()
}

/// The same of a run of these policies: with Aave's, where it takes part.
pub fn contracts_of(policies: &[Policy]) -> Result<BTreeMap<String, String>, Failure> {
    let mut all = contracts();
    if policies.contains(&Policy::AaveV3) {
        all.extend(aave::contracts().map_err(Failure::input)?);
    }
    Ok(all)
}

//! `summary.json`: what a run was and what came out, for programs.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::comparison::Comparison;
use crate::metrics::Figures;
use crate::report::LeftOut;
use crate::scenario::Prepared;

/// The content of `summary.json`. Figures that do not apply are `null`; amounts are whole debt tokens.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// The scenario's name.
    pub scenario: String,
    /// Seed of all random numbers.
    pub seed: u64,
    /// Commit of the program.
    pub commit: String,
    /// Blocks simulated; the state before the first is not counted.
    pub blocks: u64,
    /// Accounts at the start.
    pub accounts: u64,
    /// Keccak-256 of every parameter as used.
    pub configuration_hash: String,
    /// Keccak-256 of the series and accounts.
    pub input_hash: String,
    /// Keccak-256 of the deployed contracts' bytecode, by name.
    pub contracts: BTreeMap<String, String>,
    /// What had to be assumed about files that do not cover the window.
    pub notes: Vec<String>,
    /// Rows of the accounts file that took no part.
    pub accounts_left_out: AccountsLeftOut,
    /// The figures of each policy.
    pub policies: BTreeMap<String, Figures>,
    /// The figures of the world without impact.
    pub counterfactual: Figures,
}

/// Rows of the accounts file that took no part.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountsLeftOut {
    /// How many.
    pub count: u64,
    /// Their lines in the file.
    pub rows: Vec<u64>,
}

impl Summary {
    /// The summary of a comparison.
    #[must_use]
    pub fn new(
        scenario: &str,
        commit: &str,
        prepared: &Prepared,
        comparison: &Comparison,
        contracts: BTreeMap<String, String>,
    ) -> Self {
        let figures = comparison.policies.iter();
        Self {
            scenario: scenario.to_owned(),
            seed: prepared.seed,
            commit: commit.to_owned(),
            blocks: prepared.blocks,
            accounts: prepared.input.accounts.len() as u64,
            configuration_hash: prepared.configuration_hash.clone(),
            input_hash: prepared.input_hash.clone(),
            contracts,
            notes: prepared.notes.clone(),
            accounts_left_out: AccountsLeftOut::of(&prepared.left_out),
            policies: figures
                .map(|outcome| (outcome.name().to_owned(), outcome.figures.clone()))
                .collect(),
            counterfactual: comparison.counterfactual.figures.clone(),
        }
    }

    /// The file's text: the same summary gives the same bytes.
    ///
    /// # Errors
    /// [`serde_json::Error`] if a figure is not a number.
    pub fn to_json(&self) -> Result<String, serde_json::Error> {
        serde_json::to_string_pretty(self).map(|text| text + "\n")
    }
}

impl AccountsLeftOut {
    fn of(left_out: &[LeftOut]) -> Self {
        Self {
            count: left_out.len() as u64,
            rows: left_out.iter().map(|each| each.row).collect(),
        }
    }
}

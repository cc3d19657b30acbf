//! All files of a run, written together.

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::comparison::{Comparison, Outcome};
use crate::report::{Report, World};
use crate::scenario::{Prepared, Scenario};
use crate::store::{
    OutputDirectory, StoreError, write_absorptions, write_backstop, write_blocks,
    write_liquidations,
};
use crate::summary::Summary;

/// The files of a run. `summary.json` comes last: it stands for a complete set.
pub const FILES: [&str; 4] = [
    "blocks.parquet",
    "liquidations.parquet",
    "report.html",
    "summary.json",
];

/// The files that a run with a backstop has beside them.
pub const BACKSTOP_FILES: [&str; 2] = ["absorptions.parquet", "backstop.parquet"];

/// Results that could not be written.
#[derive(Debug, thiserror::Error)]
pub enum ResultsError {
    /// A file could not be written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A figure that JSON cannot hold.
    #[error("summary.json: {0}")]
    Summary(#[from] serde_json::Error),
}

/// What the files say about the program that wrote them.
#[derive(Clone, Debug)]
pub struct Provenance<'a> {
    /// Commit of the program.
    pub commit: &'a str,
    /// The command that gives the run again.
    pub command: &'a str,
    /// Keccak-256 of the deployed contracts' bytecode, by name.
    pub contracts: BTreeMap<String, String>,
}

/// Writes all files of a run into `directory`, or none, and returns their paths with the summary.
///
/// # Errors
/// [`ResultsError`]; then nothing of this run remains in the directory.
pub fn publish(
    directory: OutputDirectory,
    scenario: &Scenario,
    prepared: &Prepared,
    comparison: &Comparison,
    provenance: &Provenance<'_>,
) -> Result<(Vec<PathBuf>, Summary), ResultsError> {
    let summary = Summary::new(
        scenario.name(),
        provenance.commit,
        prepared,
        comparison,
        provenance.contracts.clone(),
    );
    let metadata = [
        ("breakwater.scenario", summary.scenario.clone()),
        ("breakwater.seed", summary.seed.to_string()),
        ("breakwater.commit", summary.commit.clone()),
        (
            "breakwater.configuration_hash",
            summary.configuration_hash.clone(),
        ),
        ("breakwater.input_hash", summary.input_hash.clone()),
    ];
    let blocks: Vec<_> = comparison
        .outcomes()
        .map(|outcome| &outcome.trace.blocks[..])
        .collect();
    write_blocks(&directory.staged(FILES[0]), &blocks, &metadata)?;
    let liquidations: Vec<_> = comparison
        .outcomes()
        .map(|outcome| &outcome.trace.liquidations[..])
        .collect();
    write_liquidations(&directory.staged(FILES[1]), &liquidations, &metadata)?;
    let guarded = guarded(comparison);
    if guarded {
        let absorptions: Vec<_> = comparison
            .outcomes()
            .map(|outcome| &outcome.trace.absorptions[..])
            .collect();
        write_absorptions(
            &directory.staged(BACKSTOP_FILES[0]),
            &absorptions,
            &metadata,
        )?;
        let states: Vec<_> = comparison
            .outcomes()
            .map(|outcome| &outcome.trace.backstop[..])
            .collect();
        write_backstop(&directory.staged(BACKSTOP_FILES[1]), &states, &metadata)?;
    }
    directory.stage(
        FILES[2],
        report(scenario, prepared, comparison, provenance).as_bytes(),
    )?;
    directory.stage(FILES[3], summary.to_json()?.as_bytes())?;
    let mut names = FILES.to_vec();
    if guarded {
        names.splice(2..2, BACKSTOP_FILES);
    } else {
        // Those of an earlier run in the same directory do not belong to this one.
        BACKSTOP_FILES
            .iter()
            .try_for_each(|name| directory.withdraw(name))?;
    }
    Ok((directory.publish(&names)?, summary))
}

/// Whether there is a backstop in any world.
fn guarded(comparison: &Comparison) -> bool {
    comparison
        .outcomes()
        .any(|outcome| outcome.figures.backstop.is_some())
}

/// The report's text.
fn report(
    scenario: &Scenario,
    prepared: &Prepared,
    comparison: &Comparison,
    provenance: &Provenance<'_>,
) -> String {
    let policies: Vec<World<'_>> = comparison.policies.iter().map(world).collect();
    let identity = [
        (
            "configuration".to_owned(),
            prepared.configuration_hash.clone(),
        ),
        ("input".to_owned(), prepared.input_hash.clone()),
    ];
    Report {
        title: scenario.title(),
        scenario: scenario.name(),
        description: scenario.description(),
        sources: scenario.sources(),
        seed: prepared.seed,
        commit: provenance.commit,
        command: provenance.command,
        accounts: prepared.input.accounts.len(),
        policies: &policies,
        counterfactual: world(&comparison.counterfactual),
        settings: &prepared.settings,
        left_out: &prepared.left_out,
        notes: &prepared.notes,
        identity: &identity,
        contracts: &provenance.contracts,
    }
    .render()
}

/// A world as the report takes it.
fn world(outcome: &Outcome) -> World<'_> {
    World {
        name: outcome.name(),
        trace: &outcome.trace,
        figures: &outcome.figures,
    }
}

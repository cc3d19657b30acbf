//! `breakwater simulate`.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use breakwater_experiments::comparison::{Comparison, ComparisonError, compare, world_name};
use breakwater_experiments::report::{all_figures, headline};
use breakwater_experiments::results::{Provenance, publish};
use breakwater_experiments::scenario::{Scenario, Source};
use breakwater_experiments::store::OutputDirectory;
use breakwater_sim::SimError;
use comfy_table::{CellAlignment, LineStyle, Table, presets};

use crate::arguments::Simulate;
use crate::failure::Failure;
use crate::print;
use crate::progress::Progress;
use crate::provenance::{COMMIT, command, contracts_of};

/// Reads everything, checks that results can be written, simulates, writes, prints.
pub fn run(options: &Simulate) -> Result<(), Failure> {
    let cancelled = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&cancelled);
    ctrlc::set_handler(move || flag.store(true, Ordering::Relaxed)).map_err(Failure::other)?;

    let scenario = Scenario::read(&Source::find(&options.scenario).map_err(Failure::input)?)
        .map_err(Failure::input)?
        .changed(&options.set)
        .map_err(|error| Failure::input(eyre::eyre!("changed by --set: {error}")))?;
    let prepared = scenario
        .prepare(&options.overrides())
        .map_err(Failure::input)?;
    let policies = options.policies();
    let contracts = contracts_of(&policies)?;
    let out = options
        .out
        .clone()
        .unwrap_or_else(|| Path::new("results").join(scenario.name()));
    let directory = OutputDirectory::prepare(&out).map_err(Failure::input)?;

    let progress = Progress::new(policies.len() + 1, &cancelled);
    let simulated = compare(&policies, |world| {
        let mut observer = progress.world(world_name(world), prepared.blocks);
        breakwater_sim::run(
            &prepared.parameters,
            &prepared.input,
            world,
            prepared.seed,
            &mut observer,
        )
    });
    let comparison = match simulated {
        Ok(comparison) => comparison,
        Err(ComparisonError::World {
            source: SimError::Interrupted { .. },
            ..
        }) => return Err(Failure::Interrupted),
        Err(ComparisonError::World {
            source:
                error @ (SimError::Input(_) | SimError::Parameter { .. } | SimError::Artifacts(_)),
            ..
        }) => return Err(Failure::input(error)),
        Err(error) => return Err(Failure::other(error)),
    };
    let command = command();
    let provenance = Provenance {
        commit: COMMIT,
        command: &command,
        contracts,
    };
    let (paths, _) = publish(directory, &scenario, &prepared, &comparison, &provenance)
        .map_err(Failure::other)?;
    print(&said(
        &scenario,
        &prepared.notes,
        prepared.left_out.len(),
        &comparison,
        &paths,
    ))
}

/// What goes to standard output.
fn said(
    scenario: &Scenario,
    notes: &[String],
    left_out: usize,
    comparison: &Comparison,
    paths: &[PathBuf],
) -> String {
    let figures: Vec<_> = comparison
        .policies
        .iter()
        .map(|outcome| (outcome.name(), &outcome.figures))
        .collect();
    let mut text = format!(
        "{}\n{}.\n{}\n",
        scenario.title(),
        headline(&figures),
        table(comparison)
    );
    if left_out > 0 {
        text.push_str(&format!(
            "{left_out} rows of the accounts file were left out; the report lists them.\n"
        ));
    }
    for note in notes {
        text.push_str(&format!("Note: {note}.\n"));
    }
    for path in paths {
        text.push_str(&format!("{}\n", path.display()));
    }
    text
}

/// All figures of all worlds.
fn table(comparison: &Comparison) -> Table {
    let mut table = Table::new();
    table.load_style(presets::UTF8_HORIZONTAL_ONLY.row_separator(LineStyle::none()));
    let names = comparison
        .outcomes()
        .map(|outcome| outcome.name().to_owned());
    table.set_header([String::new()].into_iter().chain(names));
    let guarded = comparison
        .outcomes()
        .any(|outcome| outcome.figures.backstop.is_some());
    for figure in all_figures(guarded) {
        let values = comparison
            .outcomes()
            .map(|outcome| figure.format(&outcome.figures));
        table.add_row([figure.name.to_owned()].into_iter().chain(values));
    }
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}

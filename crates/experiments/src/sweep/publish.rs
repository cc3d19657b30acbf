//! From the figures of every path to the files that people read; and from the directories of several machines to one.

use std::path::{Path, PathBuf};

use super::design::{PathFigures, Sweep};
use super::directory::{DESIGN, Directory, read_design, read_figures};
use super::error::SweepError;
use super::summary::SweepSummary;
use super::table::Table;
use crate::store::StoreError;

/// The table of figures.
pub const FIGURES_FILE: &str = "figures.parquet";

/// The summary; it is written last and stands for a complete sweep.
pub const SUMMARY_FILE: &str = "sweep.json";

/// Writes `figures.parquet` and `sweep.json` of a sweep whose paths have all run, and returns what they say.
///
/// # Errors
/// [`SweepError::Incomplete`] if paths are missing.
pub fn publish(sweep: &Sweep, directory: &Directory) -> Result<SweepSummary, SweepError> {
    let table = Table::collect(sweep, |name| directory.read(sweep, name))?;
    directory.fill(FIGURES_FILE, |partial| -> Result<(), StoreError> {
        table.write(sweep, partial)
    })?;
    let summary = SweepSummary::new(sweep, &table);
    directory.write(SUMMARY_FILE, summary.to_json()?.as_bytes())?;
    Ok(summary)
}

/// Puts shards together into `out`, as if one machine had run them all.
///
/// # Errors
/// [`SweepError::Mismatch`] for shards of different sweeps, [`SweepError::Incomplete`] if one is missing.
pub fn merge(shards: &[PathBuf], out: &Path) -> Result<(Sweep, SweepSummary), SweepError> {
    let designs = shards
        .iter()
        .map(|shard| read_design(shard))
        .collect::<Result<Vec<_>, _>>()?;
    let Some((first, others)) = designs.split_first() else {
        return Err(SweepError::NoSweep {
            path: out.to_path_buf(),
            file: DESIGN,
        });
    };
    for (other, shard) in others.iter().zip(&shards[1..]) {
        let seeds = (&first.range, first.seeds) != (&other.range, other.seeds);
        let what = first
            .difference(other)
            .or_else(|| seeds.then(|| "the choice of seeds".to_owned()));
        if let Some(what) = what {
            return Err(SweepError::Mismatch {
                first: shards[0].clone(),
                second: shard.clone(),
                what,
            });
        }
    }
    let sweep = Sweep::from_design(first.clone(), &shards[0].join(DESIGN))?;
    let table = Table::collect(&sweep, |name| read_once(shards, &sweep, name))?;
    let directory = Directory::open(out, &sweep)?;
    for (market, worlds) in table.markets.iter().zip(&table.figures) {
        for (world, figures) in sweep.worlds.iter().zip(worlds) {
            directory.write_figures(&sweep, &sweep.path_name(market, world), figures)?;
        }
    }
    let summary = publish(&sweep, &directory)?;
    Ok((sweep, summary))
}

/// The figures of a path, from whichever shards have it; they must agree.
fn read_once(
    shards: &[PathBuf],
    sweep: &Sweep,
    name: &str,
) -> Result<Option<PathFigures>, SweepError> {
    let mut found: Option<(&PathBuf, PathFigures)> = None;
    for shard in shards {
        let Some(figures) = read_figures(shard, sweep, name)? else {
            continue;
        };
        match &found {
            None => found = Some((shard, figures)),
            Some((_, known)) if *known == figures => {}
            Some((first, _)) => {
                return Err(SweepError::Contradiction {
                    first: (*first).clone(),
                    second: shard.clone(),
                    path: name.to_owned(),
                });
            }
        }
    }
    Ok(found.map(|(_, figures)| figures))
}

/// Reads the summary of a complete sweep.
///
/// # Errors
/// [`SweepError::NoSweep`] if it is not complete or none.
pub fn read_summary(directory: &Path) -> Result<SweepSummary, SweepError> {
    let path = directory.join(SUMMARY_FILE);
    let text = match std::fs::read_to_string(&path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return Err(SweepError::NoSweep {
                path: directory.to_path_buf(),
                file: SUMMARY_FILE,
            });
        }
        other => other.map_err(|source| SweepError::File {
            path: path.clone(),
            source,
        })?,
    };
    serde_json::from_str(&text).map_err(|error| SweepError::Foreign {
        path,
        reason: format!("expected the summary of a sweep ({error})"),
    })
}

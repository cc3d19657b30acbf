//! `results/README.md` quotes the sweeps whose excerpts are beside it: the rows of its tables are computed from them again.

#![allow(clippy::unwrap_used)]

mod numbers;
mod rows;

use std::fs;
use std::path::Path;

use breakwater_experiments::sweep::read_summary;
use breakwater_experiments::sweep::summary::{CellSummary, SweepSummary};

/// A row a cell.
fn by_cell(row: fn(&CellSummary) -> String) -> impl Fn(&SweepSummary) -> Vec<String> {
    move |summary| summary.cells.iter().map(row).collect()
}

#[test]
fn the_readme_quotes_what_was_found() {
    let results = Path::new(env!("CARGO_MANIFEST_DIR")).join("results");
    let readme = fs::read_to_string(results.join("README.md")).unwrap();
    let lacks = |name: &str, rows: &dyn Fn(&SweepSummary) -> Vec<String>| {
        let summary = read_summary(&results.join(name)).unwrap();
        let rows = rows(&summary).into_iter().map(|row| format!("| {row} |"));
        let mut missing: Vec<String> = rows.collect();
        missing.retain(|row| !readme.contains(row));
        assert!(
            missing.is_empty(),
            "README.md lacks\n{}",
            missing.join("\n")
        );
    };
    lacks("headline", &by_cell(rows::headline));
    lacks("backstop", &by_cell(rows::backstop));
    lacks("grid", &rows::grid("overshoot"));
    lacks("grid", &rows::grid("bad_debt_bp"));
    lacks("grid", &rows::grid_sides);
    lacks("illiquid", &by_cell(rows::illiquid));
    lacks("dumped", &by_cell(rows::dumped));
    lacks("sobol", &rows::sobol);
    lacks("turns", &by_cell(rows::turns));
    lacks("turns", &by_cell(rows::draws));
    lacks("shocks", &by_cell(rows::shocks));
    lacks("shocks", &by_cell(rows::margins));
    lacks("grinder", &by_cell(rows::grinder));
    lacks("real-days", &by_cell(rows::headline));
    lacks("ablations", &rows::ablations);
    lacks("aave", &rows::aave);
    let entries = fs::read_dir(results)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    for sweep in entries.filter(|path| path.is_dir()) {
        let summary = read_summary(&sweep).unwrap();
        assert_eq!(summary.range, "reporting", "{}", summary.name);
        for cited in [&summary.configuration_hash, &summary.commit] {
            assert!(
                readme.contains(cited.as_str()),
                "README.md lacks {cited}, of {}",
                summary.name
            );
        }
    }
}

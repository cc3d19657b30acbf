//! The pages of `results` quote the sweeps whose excerpts are beside them: the rows of their tables are computed from these again.

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
fn each_page_quotes_what_its_sweep_found() {
    let results = Path::new(env!("CARGO_MANIFEST_DIR")).join("results");
    let page = |sweep: &Path| fs::read_to_string(sweep.join("README.md")).unwrap();
    let lacks = |name: &str, rows: &dyn Fn(&SweepSummary) -> Vec<String>| {
        let sweep = results.join(name);
        let summary = read_summary(&sweep).unwrap();
        let page = page(&sweep);
        let rows = rows(&summary).into_iter().map(|row| format!("| {row} |"));
        let mut missing: Vec<String> = rows.collect();
        missing.retain(|row| !page.contains(row));
        assert!(
            missing.is_empty(),
            "{name}/README.md lacks\n{}",
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
    lacks("turns", &by_cell(rows::waits));
    lacks("shocks", &by_cell(rows::shocks));
    lacks("shocks", &by_cell(rows::margins));
    lacks("grinder", &by_cell(rows::grinder));
    lacks("real-days", &by_cell(rows::headline));
    lacks("ablations", &rows::ablations);
    lacks("aave", &rows::aave);
    lacks("tuning", &rows::candidates);
    let index = fs::read_to_string(results.join("README.md")).unwrap();
    let entries = fs::read_dir(&results)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    for sweep in entries.filter(|path| path.is_dir()) {
        let summary = read_summary(&sweep).unwrap();
        let (name, page) = (&summary.name, page(&sweep));
        // What values were chosen by is no result, and its page says so.
        let chosen = name == "tuning";
        let range = if chosen { "tuning" } else { "reporting" };
        assert_eq!(summary.range, range, "{name}");
        assert_eq!(
            page.contains("**These are not results.**"),
            chosen,
            "{name}"
        );
        for cited in [&summary.configuration_hash, &summary.commit] {
            assert!(
                page.contains(cited.as_str()),
                "{name}/README.md lacks {cited}"
            );
        }
        assert!(
            index.contains(&format!("({name}/README.md)")),
            "README.md lacks {name}"
        );
    }
}

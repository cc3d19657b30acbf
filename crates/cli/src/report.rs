//! `breakwater report`.

use std::fs;

use breakwater_experiments::report::sweep_report;
use breakwater_experiments::sweep::read_summary;
use eyre::WrapErr as _;

use crate::arguments::Report;
use crate::failure::Failure;
use crate::print;
use crate::sweep::failure;

/// Writes the report of a complete sweep.
pub fn run(options: &Report) -> Result<(), Failure> {
    let summary = read_summary(&options.directory).map_err(failure)?;
    let out = options
        .out
        .clone()
        .unwrap_or_else(|| options.directory.join("report.html"));
    fs::write(&out, sweep_report(&summary))
        .wrap_err_with(|| out.display().to_string())
        .map_err(Failure::other)?;
    print(&format!("{}\n", out.display()))
}

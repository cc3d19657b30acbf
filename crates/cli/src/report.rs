//! `breakwater report`.

use std::path::Path;

use breakwater_experiments::report::sweep_report;
use breakwater_experiments::sweep::read_summary;
use eyre::WrapErr as _;

use crate::arguments::Report;
use crate::failure::Failure;
use crate::file::write_whole;
use crate::print;
use crate::sweep::failure;

/// Writes the report of a complete sweep.
pub fn run(options: &Report) -> Result<(), Failure> {
    let summary = read_summary(&options.directory).map_err(failure)?;
    let out = options
        .out
        .clone()
        .unwrap_or_else(|| options.directory.join("report.html"));
    write(&out, &sweep_report(&summary))?;
    let mut said = format!("{}\n", out.display());
    if let Some(file) = &options.excerpt {
        let text = summary.excerpt().to_json_lines();
        write(file, &text.map_err(Failure::other)?)?;
        said.push_str(&format!("{}\n", file.display()));
    }
    print(&said)
}

fn write(path: &Path, text: &str) -> Result<(), Failure> {
    write_whole(path, text)
        .wrap_err_with(|| path.display().to_string())
        .map_err(Failure::other)
}

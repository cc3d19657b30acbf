//! `breakwater report`.

use std::path::Path;

use breakwater_experiments::report::sweep_report;
use breakwater_experiments::sweep::{SUMMARY_FILE, read_summary};
use eyre::{Report as Error, WrapErr as _};

use crate::arguments::Report;
use crate::failure::Failure;
use crate::file::{is_same, replaces, write_whole};
use crate::print;
use crate::sweep::failure;

/// Writes the report of a complete sweep.
pub fn run(options: &Report) -> Result<(), Failure> {
    let summary = read_summary(&options.directory).map_err(failure)?;
    let out = options
        .out
        .clone()
        .unwrap_or_else(|| options.directory.join("report.html"));
    check(options, &out)?;
    let mut said = write(&out, &sweep_report(&summary))?;
    if let Some(file) = &options.excerpt {
        let text = summary.excerpt().to_json_lines();
        said.push_str(&write(file, &text.map_err(Failure::other)?)?);
    }
    print(&said)
}

/// Neither may replace what the report is made of, nor the excerpt the report.
fn check(options: &Report, out: &Path) -> Result<(), Failure> {
    let refuse = |option: &str, path: &Path, expected: &str| {
        let path = path.display();
        Err(Failure::input(Error::msg(format!(
            "{option} {path}: expected {expected}"
        ))))
    };
    let summary = options.directory.join(SUMMARY_FILE);
    let sources = "another file than the summary that the report is made of";
    let excerpt = options.excerpt.as_deref();
    for (option, path) in [("--out", Some(out)), ("--excerpt", excerpt)] {
        if let Some(path) = path.filter(|path| is_same(path, &summary)) {
            return refuse(option, path, sources);
        }
    }
    match excerpt.filter(|path| is_same(path, out)) {
        Some(path) => refuse("--excerpt", path, "another file than the report's"),
        None => Ok(()),
    }
}

/// Says what was written, if it is a file: what is written to a pipe is alone in it.
fn write(path: &Path, text: &str) -> Result<String, Failure> {
    let said = if replaces(path) {
        format!("{}\n", path.display())
    } else {
        String::new()
    };
    write_whole(path, text)
        .wrap_err_with(|| path.display().to_string())
        .map_err(Failure::other)?;
    Ok(said)
}

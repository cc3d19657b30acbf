//! `breakwater sweep`.

use std::io::{self, IsTerminal, Write};
use std::num::NonZero;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::thread::available_parallelism;
use std::time::{Duration, Instant};

use breakwater_experiments::report::Figure;
use breakwater_experiments::sweep::summary::{CellSummary, SweepSummary};
use breakwater_experiments::sweep::{
    Directory, FIGURES_FILE, Program, SUMMARY_FILE, Selection, Shard, Sweep, SweepError, Watch,
    merge, publish, run as run_paths,
};
use comfy_table::{CellAlignment, LineStyle, Table, presets};
use indicatif::{ProgressBar, ProgressStyle};

use crate::arguments::{Merge, Sweep as Options, SweepCommand};
use crate::failure::Failure;
use crate::print;
use crate::provenance::{COMMIT, contracts};

/// Least time between two lines where there is no terminal.
const BETWEEN_LINES: Duration = Duration::from_secs(15);

/// The figures of the table that is printed.
const SHOWN: [&str; 5] = [
    "overshoot",
    "liquidated_volume",
    "bad_debt_bp",
    "bad_debt_max_bp",
    "blocks_to_solvency",
];

/// Runs what has not run, and writes the results if everything has.
pub fn run(options: &Options) -> Result<(), Failure> {
    match (&options.command, &options.specification) {
        (Some(SweepCommand::Merge(options)), _) => put_together(options),
        (None, Some(specification)) => sweep(options, specification),
        (None, None) => Err(Failure::input(eyre::eyre!(
            "expected the specification of a sweep"
        ))),
    }
}

fn sweep(options: &Options, specification: &Path) -> Result<(), Failure> {
    let cancelled = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&cancelled);
    ctrlc::set_handler(move || flag.store(true, Ordering::Relaxed)).map_err(Failure::other)?;

    let selection = Selection {
        range: Some(options.range.clone()),
        seeds: options.seeds,
    };
    let program = Program {
        commit: COMMIT.to_owned(),
        contracts: contracts(),
    };
    let sweep = Sweep::read(specification, &selection, &program).map_err(failure)?;
    let out = options
        .out
        .clone()
        .unwrap_or_else(|| Path::new("results").join(&sweep.specification.name));
    let directory = Directory::open(&out, &sweep).map_err(failure)?;
    let jobs = options.jobs.map_or_else(
        || available_parallelism().map_or(1, NonZero::get),
        usize::from,
    );
    let progress = PathProgress::new(&cancelled);
    let shard = options.shard.unwrap_or(Shard::WHOLE);
    let reached = run_paths(&sweep, &directory, shard, jobs, &progress).map_err(failure)?;
    progress.end();
    if reached.done < reached.total && shard != Shard::WHOLE {
        return print(&format!(
            "Shard {}/{}: {} of {} paths are in {}; put the shards together with `breakwater sweep merge`.\n",
            shard.number,
            shard.of,
            reached.done,
            reached.total,
            out.display()
        ));
    }
    let summary = publish(&sweep, &directory).map_err(failure)?;
    print(&said(&summary, &out))
}

fn put_together(options: &Merge) -> Result<(), Failure> {
    let (_, summary) = merge(&options.shards, &options.out).map_err(failure)?;
    print(&said(&summary, &options.out))
}

/// Sorts what the user can mend from what happened.
pub fn failure(error: SweepError) -> Failure {
    match error {
        SweepError::Interrupted { .. } => Failure::Stopped(error.to_string()),
        error if error.is_input() => Failure::input(error),
        error => Failure::other(error),
    }
}

/// What goes to standard output.
fn said(summary: &SweepSummary, out: &Path) -> String {
    let mut text = format!(
        "{}\n{} paths, {} seeds a cell from {} on ({}), configuration {}\n",
        summary.title,
        summary.paths,
        summary.seeds,
        summary.first_seed,
        summary.range,
        summary.configuration_hash
    );
    // A table of every cell of a large grid helps nobody.
    if summary.cells.len() <= 12 {
        for cell in &summary.cells {
            text.push_str(&format!(
                "\n{}, x/C {}, \u{3c6} {}, half-life {} s; means with 95% intervals\n{}\n",
                cell.scenario,
                cell.depth,
                cell.pass_through,
                cell.recovery_half_life,
                table(summary, cell)
            ));
        }
    }
    let files: [PathBuf; 2] = [FIGURES_FILE, SUMMARY_FILE].map(|file| out.join(file));
    for file in files {
        text.push_str(&format!("{}\n", file.display()));
    }
    text.push_str(&format!(
        "`breakwater report {}` writes the report.\n",
        out.display()
    ));
    text
}

/// The main figures of a cell's policies.
fn table(summary: &SweepSummary, cell: &CellSummary) -> Table {
    let figures: Vec<_> = SHOWN.iter().filter_map(|key| Figure::of(key)).collect();
    let mut table = Table::new();
    table.load_style(presets::UTF8_HORIZONTAL_ONLY.row_separator(LineStyle::none()));
    let names = figures.iter().map(|figure| figure.name.to_owned());
    table.set_header([String::new()].into_iter().chain(names));
    for policy in &summary.policies {
        let values = figures.iter().map(|figure| {
            let found = cell
                .means
                .get(&policy.name)
                .and_then(|means| means.get(figure.key));
            found.map_or_else(
                || "n/a".to_owned(),
                |found| match (found.low, found.high) {
                    (Some(low), Some(high)) => format!(
                        "{} [{}, {}]",
                        figure.write(found.value),
                        figure.write(low),
                        figure.write(high)
                    ),
                    _ => figure.write(found.value),
                },
            )
        });
        table.add_row([policy.name.clone()].into_iter().chain(values));
    }
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}

/// Counts of what there is to do.
#[derive(Clone, Copy)]
struct Work {
    /// Paths that were whole before.
    before: u64,
    paths: u64,
    blocks: u64,
}

/// A bar on a terminal, a line now and then elsewhere.
struct PathProgress<'a> {
    cancelled: &'a AtomicBool,
    work: OnceLock<Work>,
    bar: Option<ProgressBar>,
    paths: AtomicU64,
    blocks: AtomicU64,
    began: Instant,
    last_line: Mutex<Instant>,
}

impl<'a> PathProgress<'a> {
    fn new(cancelled: &'a AtomicBool) -> Self {
        let now = Instant::now();
        Self {
            cancelled,
            work: OnceLock::new(),
            bar: io::stderr().is_terminal().then(|| ProgressBar::new(0)),
            paths: AtomicU64::new(0),
            blocks: AtomicU64::new(0),
            began: now,
            last_line: Mutex::new(now),
        }
    }

    /// Leaves the terminal to the results.
    fn end(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }

    fn text(&self, work: Work, blocks: u64) -> String {
        // Blocks of a quiet hour are faster than those of a crash, but paths are too few to judge by at first.
        let share = (work.blocks - blocks.min(work.blocks)) as f64 / blocks.max(1) as f64;
        let left = self.began.elapsed().mul_f64(share).as_secs();
        format!(
            "{} of {} paths, about {} h {:02} min {:02} s left",
            work.before + self.paths.load(Ordering::Relaxed),
            work.paths,
            left / 3_600,
            left / 60 % 60,
            left % 60
        )
    }

    /// Says how far everything is, if it is time to.
    fn show(&self) {
        let (Some(work), Ok(mut last)) = (self.work.get(), self.last_line.try_lock()) else {
            return;
        };
        let pause = if self.bar.is_some() {
            Duration::from_millis(250)
        } else {
            BETWEEN_LINES
        };
        if last.elapsed() < pause {
            return;
        }
        *last = Instant::now();
        let blocks = self.blocks.load(Ordering::Relaxed);
        let text = self.text(*work, blocks);
        match &self.bar {
            Some(bar) => {
                bar.set_position(blocks);
                bar.set_message(text);
            }
            // Progress that nobody can see is none.
            None => drop(writeln!(io::stderr(), "{text}")),
        }
    }
}

impl Watch for PathProgress<'_> {
    fn begin(&self, left: usize, total: usize, blocks: u64) {
        let work = Work {
            before: (total - left) as u64,
            paths: total as u64,
            blocks,
        };
        if let Some(bar) = &self.bar {
            bar.set_length(blocks);
            let style = ProgressStyle::with_template("{bar:36} {msg}");
            bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        }
        let _ = self.work.set(work);
    }

    fn block(&self) -> ControlFlow<()> {
        self.blocks.fetch_add(1, Ordering::Relaxed);
        self.show();
        if self.cancelled.load(Ordering::Relaxed) {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    }

    fn path(&self) {
        self.paths.fetch_add(1, Ordering::Relaxed);
    }
}

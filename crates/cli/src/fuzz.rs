//! `breakwater fuzz`.

use std::io::{self, IsTerminal, Write};
use std::num::NonZero;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::available_parallelism;
use std::time::{Duration, Instant};

use alloy_primitives::{hex, keccak256};
use breakwater_fuzz::{
    Artifacts, Corpus, CorpusError, Ending, Kind, Limit, Settings, Shrunk, Status, WORLDS, World,
    WorldPlan, campaign, solidity_test,
};
use eyre::Report;
use indicatif::{ProgressBar, ProgressStyle};

use crate::arguments::Fuzz;
use crate::failure::Failure;
use crate::file::write_whole;
use crate::print;

/// Least time between two lines where there is no terminal.
const BETWEEN_LINES: Duration = Duration::from_secs(15);

/// Searches one world, or all in turn for an equal part of the time each, until it is over or something is found.
pub fn run(options: &Fuzz) -> Result<(), Failure> {
    let stop = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&stop);
    ctrlc::set_handler(move || flag.store(true, Ordering::Relaxed)).map_err(Failure::other)?;

    let artifacts = match &options.contracts {
        Some(directory) => Artifacts::read(directory).map_err(Failure::input)?,
        None => Artifacts::built_in(),
    };
    let Some(plan) = options.world else {
        let part = options.minutes / WORLDS.len() as u32;
        return WORLDS
            .iter()
            .try_for_each(|plan| search(options, &artifacts, plan, part, &stop));
    };
    search(options, &artifacts, plan, options.minutes, &stop)
}

fn search(
    options: &Fuzz,
    artifacts: &Artifacts,
    plan: &'static WorldPlan,
    time: Duration,
    stop: &AtomicBool,
) -> Result<(), Failure> {
    let mut corpus = Corpus::open(&options.corpus).map_err(Failure::input)?;
    let world = World::build(artifacts, plan).map_err(Failure::input)?;
    let jobs = options.jobs.map_or_else(
        || available_parallelism().map_or(1, NonZero::get),
        usize::from,
    );
    let settings = Settings {
        seed: options.seed,
        jobs,
        limit: Limit::Time(time),
        extra: None,
    };
    let mut progress = Progress::new(time);
    let (ending, status) = campaign(
        &world,
        &mut corpus,
        &settings,
        &mut |status| progress.show(status),
        stop,
    )
    .map_err(|error| match error {
        CorpusError::Damaged { .. } => Failure::input(error),
        CorpusError::Io { .. } => Failure::other(error),
    })?;
    progress.end();
    match ending {
        Ending::Clean => print(&format!(
            "world {}\n{}{}\n",
            plan.name,
            status.tally.table(),
            summary(&status)
        )),
        Ending::Found(found) => Err(report(&world, &found, &options.corpus)),
        Ending::Idle(idle) => {
            print(&status.tally.table())?;
            let names = idle.join(", ");
            Err(Failure::other(Report::msg(format!(
                "an idle campaign proves nothing: in {} executions of world {} this never happened: {names}",
                status.tally.executions, plan.name
            ))))
        }
        Ending::Interrupted => Err(Failure::Stopped(format!(
            "interrupted; {} sequences are kept in {}",
            corpus.entries().len(),
            options.corpus.display()
        ))),
    }
}

/// Prints a counterexample, writes it beside the corpus, and says where.
fn report(world: &World, found: &Shrunk, directory: &Path) -> Failure {
    let id: String = found
        .violation
        .property
        .id()
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .collect();
    let text = solidity_test(
        world,
        "Counterexample",
        &found.outcome,
        Some(&found.violation),
    );
    let hash = hex::encode(&keccak256(&text)[..4]);
    let name = format!("Counterexample{id}{hash}");
    let text = text.replace(
        "contract CounterexampleTest",
        &format!("contract {name}Test"),
    );
    let path = directory.join(format!("{name}.t.sol"));
    let written = write_whole(&path, &text).and_then(|()| io::stdout().write_all(text.as_bytes()));
    match written {
        Ok(()) => Failure::other(Report::msg(format!(
            "{} is broken in world {}: {} {}. A test of {} actions that reproduces it is in {}: put it into test/fuzz and run forge test",
            found.violation.property.id(),
            world.plan.name,
            found.violation.property.text(),
            found.violation.detail,
            found.actions.len(),
            path.display()
        ))),
        Err(error) => {
            Failure::other(Report::new(error).wrap_err(format!("cannot write {}", path.display())))
        }
    }
}

fn summary(status: &Status) -> String {
    let rate = status.tally.executions as f64 / status.elapsed.as_secs_f64().max(1e-9);
    format!(
        "{} executions ({rate:.0}/s) of {} inputs, {} edges, {} sequences in the corpus",
        status.tally.executions, status.inputs, status.edges, status.corpus
    )
}

/// What is seen of a campaign while it runs.
struct Progress {
    bar: Option<ProgressBar>,
    last_line: Instant,
    limit: Duration,
}

impl Progress {
    fn new(limit: Duration) -> Self {
        let bar = io::stderr().is_terminal().then(|| {
            let bar = ProgressBar::new(limit.as_secs());
            let style = ProgressStyle::with_template("{bar:24} {elapsed}/{len} s  {msg}");
            bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
            bar
        });
        Self {
            bar,
            last_line: Instant::now(),
            limit,
        }
    }

    fn show(&mut self, status: &Status) -> ControlFlow<()> {
        if let Some(bar) = &self.bar {
            bar.set_position(status.elapsed.as_secs().min(self.limit.as_secs()));
            bar.set_message(summary(status));
        } else if self.last_line.elapsed() >= BETWEEN_LINES {
            self.last_line = Instant::now();
            let actions: Vec<_> = Kind::ALL
                .iter()
                .map(|kind| {
                    let (succeeded, failed) = status.tally.of(*kind);
                    format!("{} {succeeded}/{failed}", kind.label())
                })
                .collect();
            // Progress that nobody can see is none.
            let _ = writeln!(
                io::stderr(),
                "{} s: {}; succeeded/failed: {}",
                status.elapsed.as_secs(),
                summary(status),
                actions.join(", ")
            );
        }
        ControlFlow::Continue(())
    }

    fn end(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

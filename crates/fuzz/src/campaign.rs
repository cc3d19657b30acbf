//! A campaign: rounds of inputs on all cores, the corpus between them.

use std::ops::ControlFlow;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use alloy_primitives::keccak256;

use crate::action::Action;
use crate::corpus::{Corpus, CorpusError};
use crate::coverage::Coverage;
use crate::mutate;
use crate::random::Random;
use crate::run::{Extra, Outcome, run};
use crate::shrink::{Shrunk, shrink};
use crate::tally::Tally;
use crate::world::World;

/// Inputs of a round. The corpus changes only between rounds, so that what an input is does not depend on how fast others are.
const ROUND: usize = 64;

/// Executions from which on an action that never succeeded ends a campaign as idle.
pub const IDLE_FLOOR: u64 = 100_000;

/// When a campaign ends that finds nothing.
#[derive(Clone, Copy, Debug)]
pub enum Limit {
    /// After the round in which this time is over.
    Time(Duration),
    /// After the round in which so many calls and blocks have been executed.
    Executions(u64),
}

/// What a campaign is.
#[derive(Clone, Copy)]
pub struct Settings<'a> {
    /// Of all random numbers.
    pub seed: u64,
    /// Threads.
    pub jobs: usize,
    /// When it ends.
    pub limit: Limit,
    /// A property beside the protocol's, for tests.
    pub extra: Option<Extra<'a>>,
}

/// How far a campaign is.
#[derive(Clone, Debug)]
pub struct Status {
    /// Since it began.
    pub elapsed: Duration,
    /// Inputs that were run.
    pub inputs: u64,
    /// Different jumps that were taken.
    pub edges: u64,
    /// Sequences in the corpus.
    pub corpus: usize,
    /// What was executed.
    pub tally: Tally,
}

/// How a campaign ended.
#[derive(Debug)]
pub enum Ending {
    /// Nothing was found.
    Clean,
    /// A property was broken.
    Found(Box<Shrunk>),
    /// Nothing was found, but these never happened.
    Idle(Vec<&'static str>),
    /// The observer stopped it; the corpus is saved.
    Interrupted,
}

/// Runs a campaign, telling `observer` after every round, and now and then within one.
///
/// # Errors
/// [`CorpusError`] if the corpus cannot be saved.
pub fn campaign(
    world: &World,
    corpus: &mut Corpus,
    settings: &Settings<'_>,
    observer: &mut dyn FnMut(&Status) -> ControlFlow<()>,
    stop: &AtomicBool,
) -> Result<(Ending, Status), CorpusError> {
    let began = Instant::now();
    let key = keccak256([&settings.seed.to_be_bytes()[..], &corpus.digest()[..]].concat());
    let mut coverage = Coverage::default();
    let mut status = Status {
        elapsed: Duration::ZERO,
        inputs: 0,
        edges: 0,
        corpus: 0,
        tally: Tally::default(),
    };
    // What the corpus reaches, and whether it breaks anything now.
    let known = corpus.entries().to_vec();
    for chunk in known.chunks(ROUND) {
        let Some(outcomes) = round(world, chunk.len(), settings, stop, |index| {
            chunk[index].clone()
        }) else {
            return Ok((Ending::Interrupted, status));
        };
        for (actions, outcome) in outcomes {
            if let Some(found) = found(world, &actions, &outcome, settings, stop) {
                return Ok((Ending::Found(Box::new(found)), status));
            }
            coverage.add(&outcome.reached);
        }
    }
    loop {
        let first = status.inputs;
        let entries = corpus.entries();
        let outcomes = round(world, ROUND, settings, stop, |index| {
            let mut random = Random::of_input(key.0, first + index as u64);
            mutate::next(world.plan, entries, &mut random)
        });
        let Some(outcomes) = outcomes else {
            corpus.save()?;
            return Ok((Ending::Interrupted, status));
        };
        for (mut actions, outcome) in outcomes {
            status.tally.add(&outcome.tally);
            if let Some(found) = found(world, &actions, &outcome, settings, stop) {
                corpus.save()?;
                return Ok((Ending::Found(Box::new(found)), status));
            }
            if coverage.add(&outcome.reached) {
                actions.truncate(outcome.last_news + 1);
                corpus.add(actions);
            }
        }
        corpus.save()?;
        status.inputs += ROUND as u64;
        status.elapsed = began.elapsed();
        status.edges = coverage.edges();
        status.corpus = corpus.entries().len();
        if observer(&status).is_break() {
            return Ok((Ending::Interrupted, status));
        }
        let over = match settings.limit {
            Limit::Time(time) => status.elapsed >= time,
            Limit::Executions(executions) => status.tally.executions >= executions,
        };
        if over {
            let idle = status.tally.idle(world.plan, IDLE_FLOOR);
            let ending = if idle.is_empty() {
                Ending::Clean
            } else {
                Ending::Idle(idle)
            };
            return Ok((ending, status));
        }
    }
}

fn found(
    world: &World,
    actions: &[Action],
    outcome: &Outcome,
    settings: &Settings<'_>,
    stop: &AtomicBool,
) -> Option<Shrunk> {
    let (_, violation) = outcome.violation.as_ref()?;
    shrink(world, actions, violation, settings.extra, stop)
}

/// Runs `count` inputs on all threads; their outcomes in their order, or nothing if it was stopped.
fn round(
    world: &World,
    count: usize,
    settings: &Settings<'_>,
    stop: &AtomicBool,
    input: impl Fn(usize) -> Vec<Action> + Sync,
) -> Option<Vec<(Vec<Action>, Outcome)>> {
    let next = AtomicUsize::new(0);
    let done = Mutex::new(Vec::with_capacity(count));
    std::thread::scope(|scope| {
        for _ in 0..settings.jobs.max(1) {
            scope.spawn(|| {
                loop {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    if index >= count || stop.load(Ordering::Relaxed) {
                        return;
                    }
                    let actions = input(index);
                    let outcome = run(world, &actions, settings.extra);
                    if let Ok(mut done) = done.lock() {
                        done.push((index, actions, outcome));
                    }
                }
            });
        }
    });
    let mut done = done.into_inner().ok()?;
    if done.len() < count {
        return None;
    }
    done.sort_unstable_by_key(|(index, ..)| *index);
    let done = done.into_iter();
    Some(
        done.map(|(_, actions, outcome)| (actions, outcome))
            .collect(),
    )
}

//! Runs what has not run yet.

use std::ops::ControlFlow;

use breakwater_sim::trace::Trace;
use breakwater_sim::{Observer, SimError};
use rayon::prelude::*;

use super::design::{PathFigures, Sweep};
use super::directory::Directory;
use super::error::SweepError;
use super::plan::{Market, Shard};
use super::specification::World;
use crate::metrics::Figures;

/// Hears how a sweep goes on, from several threads, and may stop it.
pub trait Watch: Sync {
    /// Before it begins: `left` of `total` paths have to be run, which takes `blocks` blocks.
    fn begin(&self, left: usize, total: usize, blocks: u64);
    /// A block more is done.
    fn block(&self) -> ControlFlow<()>;
    /// A path more is whole.
    fn path(&self);
}

/// How many paths there are and how many of them are whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Whole.
    pub done: usize,
    /// All of the sweep, other shards' too.
    pub total: usize,
}

/// A market some of whose worlds have not run.
struct Pending<'a> {
    market: &'a Market,
    /// Worlds by number; never the counterfactual, which always runs first.
    worlds: Vec<usize>,
}

/// Runs the shard's paths that have not run, in so many threads. What comes out depends on the sweep and nothing else.
///
/// # Errors
/// [`SweepError`]; what is whole by then stays.
pub fn run(
    sweep: &Sweep,
    directory: &Directory,
    shard: Shard,
    jobs: usize,
    watch: &dyn Watch,
) -> Result<Progress, SweepError> {
    let markets = sweep.markets();
    let total = markets.len() * sweep.worlds.len();
    let pending = pending(sweep, directory, &markets, shard);
    let without = sweep.worlds.len() - 1;
    let left = |each: &Pending<'_>| {
        let name = sweep.path_name(each.market, &sweep.worlds[without]);
        each.worlds.len() + usize::from(!directory.has(&name))
    };
    let paths: usize = pending.iter().map(left).sum();
    let blocks = pending
        .iter()
        .map(|each| (each.worlds.len() as u64 + 1) * sweep.blocks(each.market))
        .sum();
    watch.begin(paths, total, blocks);
    let threads = rayon::ThreadPoolBuilder::new()
        .num_threads(jobs)
        .build()
        .map_err(|error| SweepError::Threads(error.to_string()))?;
    let finished = threads.install(|| {
        pending
            .par_iter()
            .with_max_len(1)
            .try_for_each(|each| run_market(sweep, directory, each, watch))
    });
    let whole = |markets: &[Market]| {
        let names = markets.iter().flat_map(|market| {
            sweep
                .worlds
                .iter()
                .map(|world| sweep.path_name(market, world))
        });
        names.filter(|name| directory.has(name)).count()
    };
    match finished {
        Err(SweepError::World { source, .. })
            if matches!(*source, SimError::Interrupted { .. }) =>
        {
            Err(SweepError::Interrupted {
                done: whole(&markets),
                total,
                path: directory.path().to_path_buf(),
            })
        }
        Err(error) => Err(error),
        Ok(()) => Ok(Progress {
            done: whole(&markets),
            total,
        }),
    }
}

fn pending<'a>(
    sweep: &Sweep,
    directory: &Directory,
    markets: &'a [Market],
    shard: Shard,
) -> Vec<Pending<'a>> {
    let missing = |market: &Market, world: &World| !directory.has(&sweep.path_name(market, world));
    let (without, policies) = match sweep.worlds.split_last() {
        Some(split) => split,
        None => return Vec::new(),
    };
    markets
        .iter()
        .enumerate()
        .filter(|(number, _)| shard.has(*number))
        .map(|(_, market)| Pending {
            market,
            worlds: (0..policies.len())
                .filter(|&world| missing(market, &policies[world]))
                .collect(),
        })
        .filter(|each| !each.worlds.is_empty() || missing(each.market, without))
        .collect()
}

/// Runs the counterfactual, against which every figure is measured, and then the policies that have not run.
fn run_market(
    sweep: &Sweep,
    directory: &Directory,
    pending: &Pending<'_>,
    watch: &dyn Watch,
) -> Result<(), SweepError> {
    let market = pending.market;
    let scenario = sweep.changed(market)?;
    let prepared = sweep.prepare(&scenario, market)?;
    let simulate = |number: usize| {
        let world = &sweep.worlds[number];
        let parameters = sweep.parameters(&scenario, world, &prepared.parameters)?;
        let mut observer = Blocks { watch };
        let traced = breakwater_sim::run(
            &parameters,
            &prepared.input,
            world.kind,
            market.seed,
            &mut observer,
        );
        traced.map_err(|source| SweepError::World {
            path: sweep.path_name(market, world),
            source: Box::new(source),
        })
    };
    let without: Trace = simulate(sweep.worlds.len() - 1)?;
    let finish = |world: usize, trace: &Trace| {
        let name = sweep.path_name(market, &sweep.worlds[world]);
        let figures = Figures::compute(trace, &without).map_err(|source| SweepError::Metrics {
            path: name.clone(),
            source,
        })?;
        if !directory.has(&name) {
            directory.write_figures(sweep, &name, &values(sweep, &figures))?;
            watch.path();
        }
        Ok(())
    };
    finish(sweep.worlds.len() - 1, &without)?;
    pending
        .worlds
        .par_iter()
        .with_max_len(1)
        .try_for_each(|&world| finish(world, &simulate(world)?))
}

/// A path's figures in the order of results.
fn values(sweep: &Sweep, figures: &Figures) -> PathFigures {
    let all = sweep.figures().into_iter();
    all.map(|figure| figure.value(figures)).collect()
}

/// Hands on a world's blocks.
struct Blocks<'a> {
    watch: &'a dyn Watch,
}

impl Observer for Blocks<'_> {
    fn block(&mut self, _: u64, _: u64) -> ControlFlow<()> {
        self.watch.block()
    }
}

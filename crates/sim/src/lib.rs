#![doc = include_str!("../README.md")]

pub mod aave;
mod actors;
mod audit;
mod backstop;
mod build;
mod candidates;
pub mod chain_venue;
pub mod config;
mod decide;
mod due;
mod error;
mod grinding;
mod input;
pub mod mempool;
mod mirror;
pub mod network;
pub mod outside;
mod port;
mod reading;
mod record;
mod setup;
pub mod trace;
pub mod units;
mod world;

use std::ops::ControlFlow;

use breakwater_evm::Recording;
pub use error::SimError;

use config::{Policy, WorldInput, WorldParameters};
use trace::Trace;
use world::World;

/// Which world.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WorldKind {
    /// The market under one policy.
    Policy(Policy),
    /// The rigid policy, whose liquidators sell to a market at the reference price: no impact, no pass-through.
    Counterfactual,
}

/// Hears of every block and may stop the run.
pub trait Observer {
    /// `completed` of `total` blocks are done.
    fn block(&mut self, completed: u64, total: u64) -> ControlFlow<()>;
}

/// Runs a world from its first block to its last, and audits its books to the wei: every token is held by somebody, claims are
/// cash plus debt less reserves, positions add up to the totals. The same arguments give the same trace.
///
/// # Errors
/// [`SimError`] for input that makes no world, for what a contract refuses during set-up, if the observer stops it, and if the
/// audit fails.
pub fn run(
    parameters: &WorldParameters,
    input: &WorldInput,
    world: WorldKind,
    seed: u64,
    observer: &mut dyn Observer,
) -> Result<Trace, SimError> {
    input::check(parameters, input)?;
    finish(World::new(parameters, input, world, seed)?, observer).map(|(trace, _)| trace)
}

/// A run with everything that it asked of its chain.
#[derive(Clone, Debug)]
pub struct RecordedRun {
    /// As [`run`] gives it.
    pub trace: Trace,
    /// The set-up, up to the end of block 0.
    pub setup: Recording,
    /// The blocks.
    pub blocks: Recording,
}

/// [`run`], recorded: what it executed can be done again by the engine alone, without the agents.
///
/// # Errors
/// As [`run`].
pub fn run_recorded(
    parameters: &WorldParameters,
    input: &WorldInput,
    world: WorldKind,
    seed: u64,
    observer: &mut dyn Observer,
) -> Result<RecordedRun, SimError> {
    input::check(parameters, input)?;
    let mut world = World::recorded(parameters, input, world, seed)?;
    let setup = world.chain.take_recording();
    world.chain.record();
    let (trace, mut world) = finish(world, observer)?;
    Ok(RecordedRun {
        trace,
        setup,
        blocks: world.chain.take_recording(),
    })
}

/// Makes all blocks of a world and audits it.
fn finish<'a>(
    mut world: World<'a>,
    observer: &mut dyn Observer,
) -> Result<(Trace, World<'a>), SimError> {
    let total = world.input.prices.len() as u64 - 1;
    let mut trace = Trace {
        blocks: vec![world.start_row()],
        ..Trace::default()
    };
    for block in 1..=total {
        let row = world.step(block, &mut trace.liquidations)?;
        trace.blocks.push(row);
        if observer.block(block, total).is_break() {
            return Err(SimError::Interrupted { completed: block });
        }
    }
    world.audit()?;
    if let Some(backstop) = world.backstop.take() {
        (trace.backstop, trace.absorptions) = backstop.into_records();
    }
    Ok((trace, world))
}

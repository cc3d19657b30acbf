//! A day of `black-thursday`: the whole of it against the engine alone on the same transactions, and with ten times the accounts.

use std::ops::ControlFlow;
use std::path::Path;
use std::time::Duration;

use crate::clock::{now, thread_time};
use crate::figure::{Figure, median, ratio, seconds};
use breakwater_evm::Recording;
use breakwater_experiments::scenario::{Overrides, Prepared, Scenario, Source};
use breakwater_sim::config::Policy;
use breakwater_sim::{Observer, RecordedRun, WorldKind, run, run_recorded};

/// Rounds of a day; each times the world and the engine one after the other.
const ROUNDS: usize = 5;

/// The same with ten times the accounts.
const ROUNDS_OF_MANY: usize = 3;

/// The whole run and the blocks alone.
#[derive(Clone, Copy)]
struct Times {
    whole: Duration,
    blocks: Duration,
}

/// Notes when the set-up has ended: with the first block.
struct Watch(Option<Duration>);

impl Observer for Watch {
    fn block(&mut self, _: u64, _: u64) -> ControlFlow<()> {
        self.0.get_or_insert_with(now);
        ControlFlow::Continue(())
    }
}

pub fn measure() -> Vec<Figure> {
    let thousand = day(1_000, 1e5);
    let mut figures = Vec::new();
    let mut damped = Duration::ZERO;
    for policy in [Policy::Rigid, Policy::TargetHealth, Policy::Damped] {
        let (world, engine) = against_engine(&thousand, policy, ROUNDS);
        damped = world.whole;
        let name = policy.name();
        figures.push(Figure::at_most(
            &format!("{name}, a day / its transactions"),
            1.25,
            ratio(world.whole, engine.whole),
            compared(world.whole, engine.whole),
        ));
        figures.push(told(
            &format!("{name}, its blocks alone"),
            world.blocks,
            engine.blocks,
        ));
    }
    let (world, engine) = against_engine(&day(10_000, 1e6), Policy::Damped, ROUNDS_OF_MANY);
    figures.push(Figure::at_most(
        "damped, 10,000 accounts / 1,000",
        4.0,
        ratio(world.whole, damped),
        compared(world.whole, damped),
    ));
    figures.push(told(
        "damped, 10,000 accounts / its transactions",
        world.whole,
        engine.whole,
    ));
    figures
}

fn told(name: &str, world: Duration, engine: Duration) -> Figure {
    let times = ratio(world, engine);
    Figure::told(name, format!("{times:.2}"), compared(world, engine))
}

fn compared(one: Duration, other: Duration) -> String {
    format!("{} / {}", seconds(one), seconds(other))
}

/// The scenario with so many accounts, which have so much in all.
fn day(accounts: u32, collateral: f64) -> Prepared {
    let mut text = include_str!("../../scenarios/black-thursday.toml").to_owned();
    for (key, value) in [
        ("accounts", accounts.to_string()),
        ("total_collateral", format!("{collateral:.1}")),
    ] {
        let line = text
            .lines()
            .find(|line| line.starts_with(&format!("{key} = ")))
            .unwrap()
            .to_owned();
        text = text.replace(&line, &format!("{key} = {value}"));
    }
    let source = Source::new(Path::new("black-thursday.toml"), text);
    let prepared = Scenario::read(&source)
        .unwrap()
        .prepare(&Overrides::default())
        .unwrap();
    assert_eq!(prepared.input.accounts.len(), accounts as usize);
    prepared
}

fn world(day: &Prepared, kind: WorldKind) -> Times {
    let mut watch = Watch(None);
    let began = now();
    run(&day.parameters, &day.input, kind, day.seed, &mut watch).unwrap();
    let ended = now();
    Times {
        whole: ended - began,
        blocks: ended - watch.0.unwrap_or(began),
    }
}

fn engine(recorded: &RecordedRun) -> Times {
    let setup = replay(&recorded.setup);
    let blocks = replay(&recorded.blocks);
    Times {
        whole: setup + blocks,
        blocks,
    }
}

fn replay(recording: &Recording) -> Duration {
    thread_time(|| recording.replay().unwrap()).0
}

/// The median times of the world and of the engine alone on its transactions.
fn against_engine(day: &Prepared, policy: Policy, rounds: usize) -> (Times, Times) {
    let kind = WorldKind::Policy(policy);
    let mut watch = Watch(None);
    let recorded = run_recorded(&day.parameters, &day.input, kind, day.seed, &mut watch).unwrap();
    let gas: u64 = recorded.trace.blocks.iter().map(|row| row.gas_used).sum();
    let (_, replayed) = recorded.blocks.replay().unwrap();
    assert_eq!(gas, replayed, "the engine did something else");
    let rounds: Vec<(Times, Times)> = (0..rounds)
        .map(|_| (world(day, kind), engine(&recorded)))
        .collect();
    let of = |take: fn(&(Times, Times)) -> Duration| median(rounds.iter().map(take));
    (
        Times {
            whole: of(|round| round.0.whole),
            blocks: of(|round| round.0.blocks),
        },
        Times {
            whole: of(|round| round.1.whole),
            blocks: of(|round| round.1.blocks),
        },
    )
}

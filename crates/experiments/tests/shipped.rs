//! The shipped scenarios: they hold what they say, every value has a unit and a source, and every world of them runs.

#![allow(clippy::unwrap_used, reason = "a test may stop")]

use std::fs;
use std::ops::ControlFlow;
use std::path::Path;

use breakwater_experiments::scenario::{Overrides, Prepared, Scenario, Source};
use breakwater_sim::config::{AdversaryStrategy, Policy};
use breakwater_sim::{Observer, WorldKind};

fn prepare(name: &str, overrides: &Overrides) -> Prepared {
    Scenario::read(&Source::find(name).unwrap())
        .unwrap()
        .prepare(overrides)
        .unwrap()
}

/// The lowest price and the last, over the first.
fn path(name: &str) -> (f64, f64) {
    let run = prepare(name, &Overrides::default());
    let prices = &run.input.prices;
    let lowest = prices.iter().copied().fold(f64::INFINITY, f64::min);
    (lowest / prices[0], prices[prices.len() - 1] / prices[0])
}

#[test]
fn prices_fall_and_return_as_the_titles_say() {
    // The noise between knots leaves its trace at the lows that no floor holds.
    for (name, lowest, last) in [
        ("dai-spike", 1.0 / 1.3, 1.0),
        ("loop-depeg", 0.94, 0.94),
        ("toxic-short", 0.656, 0.677),
        ("stable-depeg", 0.88, 1.0),
        ("oct-10", 0.8, 0.922),
        ("oracle-misset", 1.0, 1.0),
        ("worthless", 0.0005, 0.0005),
        ("persistent-30", 0.7, 0.7),
        ("grind", 0.66, 0.66),
        ("adversary", 0.8, 0.9),
        ("manipulator", 1.0, 1.0),
    ] {
        let found = path(name);
        let allowed = if name == "worthless" { 0.6 } else { 0.03 };
        assert!(
            (found.0 / lowest - 1.0).abs() < allowed,
            "{name}: {found:?}"
        );
        assert!((found.1 / last - 1.0).abs() < allowed, "{name}: {found:?}");
    }
}

#[test]
fn disturbances_are_where_the_descriptions_put_them() {
    let run = |name| prepare(name, &Overrides::default());
    let misset = run("oracle-misset");
    let feed = &misset.parameters.feed;
    assert_eq!(feed.written(1_199, 1.0), Some(1.0));
    assert_eq!(feed.written(1_200, 1.0), Some(1.0 - 0.0285));
    assert_eq!(feed.errors[0].until - feed.errors[0].from, 20 * 60);

    let worthless = run("worthless");
    let outage = worthless.parameters.feed.outages[0];
    assert_eq!(outage.until - outage.from, 6 * 3_600);
    assert!(worthless.parameters.feed.believed_for() > 6 * 3_600);

    for (name, depth) in [("stable-depeg", 0.01), ("oct-10", 0.1)] {
        let run = run(name);
        let least = run
            .input
            .depth
            .iter()
            .copied()
            .fold(f64::INFINITY, f64::min);
        assert!((least / depth - 1.0).abs() < 1e-9, "{name}: {least}");
        assert!((run.parameters.venue.depth - 2.0).abs() < 1e-12);
    }

    let loops = run("loop-depeg");
    let accounts = &loops.input.accounts;
    let posted: f64 = accounts.iter().map(|account| account.collateral).sum();
    let price = loops.input.prices[0];
    let looped = accounts
        .iter()
        .filter(|account| account.debt > 0.8 * account.collateral * price);
    let looped: f64 = looped.map(|account| account.collateral).sum();
    assert!((looped / posted - 0.7).abs() < 0.001, "{}", looped / posted);

    let short = run("toxic-short");
    let largest = short.input.accounts.iter();
    let largest = largest.map(|account| account.debt).fold(0.0, f64::max);
    assert!((largest / 92e6 - 1.0).abs() < 0.001, "{largest}");

    for (name, strategy) in [
        ("adversary", AdversaryStrategy::Predator),
        ("manipulator", AdversaryStrategy::Manipulator),
    ] {
        let own = run(name).parameters.adversary.unwrap();
        assert_eq!(own.strategy, strategy);
    }
    assert!(run("oct-10").parameters.network.missed_share(60) > 0.0);
}

#[test]
fn every_scenario_is_cheap_enough_to_be_swept() {
    for source in Source::shipped() {
        let scenario = Scenario::read(&source).unwrap();
        let run = scenario.prepare(&Overrides::default()).unwrap();
        let accounts = run.input.accounts.len();
        assert!((600..=7_200).contains(&run.blocks), "{}", scenario.name());
        assert!((300..=1_000).contains(&accounts), "{}", scenario.name());
        assert!(run.left_out.is_empty() && run.notes.is_empty());
    }
}

#[test]
fn every_parameter_is_documented_and_has_a_source() {
    // What says nothing about the world: forms, names, the seed, and how many accounts stand for a population.
    let form = |key: &str| {
        key.ends_with(".source")
            || key.ends_with("].name")
            || key.ends_with("].accounts")
            || ["collateral_symbol", "run.seed"].contains(&key)
    };
    for source in Source::shipped() {
        let scenario = Scenario::read(&source).unwrap();
        assert!(!scenario.sources().is_empty(), "{}", scenario.name());
        let settings = scenario.settings();
        assert!(settings.len() > 40);
        for setting in settings {
            let said = format!("{}: {}", scenario.name(), setting.key);
            assert!(!setting.meaning.is_empty(), "{said} has no documentation");
            assert!(
                form(&setting.key) || !setting.source.is_empty(),
                "{said} has no source"
            );
        }
    }
}

struct Quiet;

impl Observer for Quiet {
    fn block(&mut self, _: u64, _: u64) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }
}

#[test]
fn every_scenario_runs() {
    let overrides = Overrides {
        blocks: Some(12),
        ..Overrides::default()
    };
    for source in Source::shipped() {
        let scenario = Scenario::read(&source).unwrap();
        let run = scenario.prepare(&overrides).unwrap();
        let world = WorldKind::Policy(Policy::Damped);
        let trace = breakwater_sim::run(&run.parameters, &run.input, world, 1, &mut Quiet)
            .unwrap_or_else(|error| panic!("{}: {error}", scenario.name()));
        assert_eq!(trace.blocks.len(), 13);
        // At rest to begin with: nothing is due before anything has happened.
        assert_eq!(trace.blocks[0].unhealthy, 0, "{}", scenario.name());
        if run.parameters.adversary.is_none() {
            assert_eq!(trace.blocks[12].breaker_level, 0, "{}", scenario.name());
        }
    }
}

/// `sweeps/real-*.toml` replace where prices, gas and accounts come from, and nothing else of the scenario that they are named after.
#[test]
fn days_from_their_bars_differ_in_what_is_in_files_only() {
    let rest = |path: String| {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
        let mut table: toml::Table = fs::read_to_string(path).unwrap().parse().unwrap();
        for key in ["name", "title", "prices", "gas", "population"] {
            assert!(table.remove(key).is_some(), "{key}");
        }
        table
    };
    for day in ["black-thursday", "may-19"] {
        let real = rest(format!("sweeps/real-{day}.toml"));
        assert_eq!(real, rest(format!("scenarios/{day}.toml")));
    }
}

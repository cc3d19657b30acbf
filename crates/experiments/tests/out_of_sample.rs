//! Days that the model has not seen: one number, the size of the market, is fitted to Aave v2's liquidations of 19 May 2021, and those of
//! three other days are predicted. The README publishes the errors, which are large; this holds the README to them.

#![allow(clippy::unwrap_used, reason = "a test may stop")]

use std::fmt::Write as _;
use std::fs;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use breakwater_experiments::scenario::{Overrides, Scenario, Source};
use breakwater_market::testdata;
use breakwater_sim::config::Policy;
use breakwater_sim::{Observer, WorldKind};
use rayon::prelude::*;

const LIQUIDATIONS: &str = "liquidations_aave_v2_2020-12_2021-07.csv";
const TEN_MINUTES: &str = "price_ethusd_10m_7crashdays_2020-2021.csv";
const FIVE_MINUTES: &str = "price_ethusdt_5m_2021-05-16_2021-05-24.csv";
const DAY: u64 = 86_400;
const SEEDS: u64 = 20;

/// Dollars, as the file has them.
const STABLE: [&str; 7] = ["DAI", "USDC", "USDT", "BUSD", "SUSD", "TUSD", "GUSD"];

/// The rows of a file of the data folder as named columns.
fn rows(name: &str, columns: &[&str]) -> Option<Vec<Vec<String>>> {
    let text = fs::read_to_string(testdata::file(name)?).unwrap();
    let mut lines = text.lines();
    let header: Vec<_> = lines.next().unwrap().split(',').collect();
    let at: Vec<_> = columns
        .iter()
        .map(|column| header.iter().position(|each| each == column).unwrap())
        .collect();
    let pick = |line: &str| {
        let fields: Vec<_> = line.split(',').collect();
        at.iter().map(|&index| fields[index].to_owned()).collect()
    };
    Some(lines.map(pick).collect())
}

/// Millions of dollars of stable debt repaid against ether on the day that begins at `start`.
fn repaid(start: u64) -> Option<f64> {
    let columns = [
        "timestamp",
        "collateralReserve",
        "principalReserve",
        "derived_principal_tokens",
    ];
    let all = rows(LIQUIDATIONS, &columns)?;
    let of_the_day = all.iter().filter(|row| {
        (start..start + DAY).contains(&row[0].parse::<u64>().unwrap())
            && row[1] == "WETH"
            && STABLE.contains(&&row[2][..])
    });
    Some(
        of_the_day
            .map(|row| row[3].parse::<f64>().unwrap())
            .sum::<f64>()
            / 1e6,
    )
}

/// The day's bars, in a file of its own.
fn bars(folder: &Path, name: &str, start: u64) -> Option<PathBuf> {
    let columns = if name == TEN_MINUTES {
        [
            "timestamp",
            "price_open",
            "price_high",
            "price_low",
            "price_close",
        ]
    } else {
        ["timestamp", "open", "high", "low", "close"]
    };
    let mut text = String::from("timestamp,open,high,low,close\n");
    for row in rows(name, &columns)? {
        if (start..start + DAY).contains(&row[0].parse::<u64>().unwrap()) {
            writeln!(text, "{}", row.join(",")).unwrap();
        }
    }
    let path = folder.join(format!("{start}.csv"));
    fs::write(&path, text).unwrap();
    Some(path)
}

/// Aave v2's ether market as the scenarios have theirs: rules and thresholds of 2021, the fitted borrowers, the middle of every
/// grid, gas at one price, since files of gas do not cover all of the days. 100,000 ether.
fn market(start: u64) -> String {
    format!(
        r#"
name = "day"
title = "A day"
description = "A day."
collateral_symbol = "WETH"
lender_assets_over_debt = 1.25
run = {{ blocks = 1440, seed = 1, start = {start} }}
prices = {{ source = "file", path = "replaced.csv" }}
gas = {{ source = "profile", knots = [{{ seconds = 0, gwei = 100.0 }}] }}
collateral = {{ borrow_ltv = 0.8, liquidation_threshold = 0.825, max_bonus = 0.05, slippage_margin = 0.0, confirmation_band = 0.05 }}
venue = {{ fee = 3000, depth = 2.0, flighty_share = 0.5, flight_volatility = 0.1, pass_through = 0.5, recovery_half_life = 300.0 }}
feed = {{ deviation = 0.005, heartbeat = 3600, delay = 60 }}
network = {{ slot_seconds = 60, gas_limit = 30000000, demand_elasticity = 1.5 }}
keepers = {{ count = 8, max_latency = 1, min_profit = 10.0, risk_margin = 0.005 }}
borrowers = {{ top_up_share = 0.1, repay_share = 0.15, deleverage_share = 0.1, alert_health = 1.15, reaction_time = 1800.0, savings = 0.3 }}

[population]
source = "generated"
[[population.groups]]
name = "borrowers"
accounts = 500
total_collateral = 100000.0
sizes = {{ law = "lognormal", whale_share = 0.19 }}
ltv = {{ minimum = 0.04, maximum = 0.8, mean = 0.52, deviation = 0.175 }}
"#
    )
}

struct Quiet;

impl Observer for Quiet {
    fn block(&mut self, _: u64, _: u64) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }
}

/// Millions of dollars repaid by liquidations of the simulated market, of each seed.
fn simulated(prices: &Path, start: u64) -> Vec<f64> {
    let scenario = Scenario::read(&Source::new(Path::new("day.toml"), market(start))).unwrap();
    let volume = |seed| {
        let overrides = Overrides {
            prices: Some(prices.to_owned()),
            seed: Some(seed),
            ..Overrides::default()
        };
        let run = scenario.prepare(&overrides).unwrap();
        assert!(run.notes.is_empty(), "{:?}", run.notes);
        let world = WorldKind::Policy(Policy::Rigid);
        let trace = breakwater_sim::run(&run.parameters, &run.input, world, seed, &mut Quiet);
        let liquidations = trace.unwrap().liquidations;
        liquidations.iter().map(|row| row.repaid).sum::<f64>() / 1e6
    };
    (1..=SEEDS).into_par_iter().map(volume).collect()
}

fn mean(volumes: &[f64]) -> f64 {
    volumes.iter().sum::<f64>() / volumes.len() as f64
}

/// What a day's market predicts.
#[derive(Debug)]
struct Prediction {
    day: &'static str,
    happened: f64,
    mean: f64,
    least: f64,
    most: f64,
}

/// What happened and what the market fitted to the mean of 19 May says, millions of dollars.
fn predictions() -> Option<Vec<Prediction>> {
    let folder = tempfile::tempdir().unwrap();
    let mut found = Vec::new();
    let mut size = None;
    for (day, start, file) in [
        ("19 May", 1_621_382_400, FIVE_MINUTES),
        ("22 February", 1_613_952_000, TEN_MINUTES),
        ("23 May", 1_621_728_000, FIVE_MINUTES),
        ("21 June", 1_624_233_600, TEN_MINUTES),
    ] {
        let happened = repaid(start)?;
        let mut volumes = simulated(&bars(folder.path(), file, start)?, start);
        let size = *size.get_or_insert(happened / mean(&volumes));
        volumes.sort_by(f64::total_cmp);
        found.push(Prediction {
            day,
            happened,
            mean: size * mean(&volumes),
            least: size * volumes[0],
            most: size * volumes[volumes.len() - 1],
        });
    }
    Some(found)
}

#[test]
fn predictions_miss_by_as_much_as_the_readme_says() {
    let Some(found) = predictions() else {
        return;
    };
    let readme = Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md");
    let readme = fs::read_to_string(readme).unwrap();
    let rows = found.into_iter().map(|day| {
        format!(
            "| {} | {:.1} | {:.1} ({:.1} to {:.1}) | ×{:.1} |",
            day.day,
            day.happened,
            day.mean,
            day.least,
            day.most,
            day.mean / day.happened
        )
    });
    let lacks: Vec<_> = rows.filter(|row| !readme.contains(row)).collect();
    assert!(lacks.is_empty(), "README.md lacks\n{}", lacks.join("\n"));
}

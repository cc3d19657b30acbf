//! What the command line may say.

use std::path::PathBuf;
use std::time::Duration;

use alloy_primitives::Address;
use breakwater_experiments::scenario::Overrides;
use breakwater_experiments::sweep::Shard;
use breakwater_fuzz::{WORLDS, WorldPlan};
use breakwater_sim::config::Policy;
use clap::{Args, Parser, Subcommand};

/// Replays market crashes against Breakwater's contracts.
#[derive(Debug, Parser)]
#[command(name = "breakwater", version, about, max_term_width = 110)]
pub struct Arguments {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What can be done.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run a scenario under one or more liquidation policies and compare them
    Simulate(Simulate),
    /// List the shipped scenarios, or explain one
    Scenarios(Scenarios),
    /// Run policies on many scenarios, markets and seeds, or put shards together
    Sweep(Sweep),
    /// Write the report of a sweep
    Report(Report),
    /// Deploy a system to a chain, or continue a deployment that was broken off
    Deploy(Deploy),
    /// Run a keeper, or ask what it thinks
    #[command(subcommand)]
    Keeper(crate::keeper::Keeper),
    /// Search for sequences of calls that break one of the protocol's properties
    Fuzz(Fuzz),
}

/// Options of `scenarios`.
#[derive(Debug, Args)]
pub struct Scenarios {
    /// Explain this one, shipped or a file: every parameter with its value, unit and source
    pub name: Option<String>,
}

/// Options of `simulate`.
#[derive(Debug, Args)]
pub struct Simulate {
    /// A shipped scenario's name (see `breakwater scenarios`), or a scenario file
    pub scenario: String,
    /// Policies to run, separated by commas: rigid, target-health, damped, aave-v3, the real Aave v3 pool, which needs the npm
    /// package @aave/core-v3, and dumped, rigid rules whose keepers sell at any price [default: the first three]
    #[arg(long, alias = "policies", value_name = "POLICY", value_delimiter = ',', value_parser = policy)]
    pub policy: Vec<Policy>,
    /// Seed of all random numbers [default: the scenario's]
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    pub seed: Option<u64>,
    /// Price bars: CSV with timestamp, open, high, low, close
    #[arg(long, value_name = "FILE")]
    pub prices: Option<PathBuf>,
    /// Accounts: CSV with account, collateral and debt (tokens), or total_collateral_usd and total_debt_usd
    #[arg(long, value_name = "FILE")]
    pub accounts: Option<PathBuf>,
    /// Gas prices: CSV with timestamp and gwei, wei or avgGasDay
    #[arg(long, value_name = "FILE")]
    pub gas: Option<PathBuf>,
    /// Pool reserves: CSV with timestamp and a column named like the scenario's collateral
    #[arg(long, value_name = "FILE")]
    pub depth: Option<PathBuf>,
    /// Blocks to simulate [default: the scenario's]
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    pub blocks: Option<u64>,
    /// Replace a value of the scenario, as backstop.capital=0.1; may be given many times
    #[arg(long, value_name = "KEY=VALUE", value_parser = replacement)]
    pub set: Vec<(String, toml::Value)>,
    /// Where the results go [default: results/<scenario>]
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
}

/// Options of `sweep`.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub struct Sweep {
    /// Something else than to run
    #[command(subcommand)]
    pub command: Option<SweepCommand>,
    /// What to run: TOML as in crates/experiments/sweeps
    #[arg(required = true, value_name = "SPEC")]
    pub specification: Option<PathBuf>,
    /// Seeds a cell, or base rows of Sobol indices [default: all of the range]
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    pub seeds: Option<u64>,
    /// Which of the specification's ranges of seeds
    #[arg(long, value_name = "NAME", default_value = "reporting")]
    pub range: String,
    /// Threads [default: all cores]
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub jobs: Option<u16>,
    /// Only this part of the work, i of n, for one of several machines; `sweep merge` puts parts together
    #[arg(long, value_name = "i/n")]
    pub shard: Option<Shard>,
    /// Where the results go; a sweep that was stopped there goes on [default: results/<name of the sweep>]
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
}

/// What can be done with sweeps beside running them.
#[derive(Debug, Subcommand)]
pub enum SweepCommand {
    /// Put shards together, as if one machine had run them all
    Merge(Merge),
}

/// Options of `sweep merge`.
#[derive(Debug, Args)]
pub struct Merge {
    /// The shards' directories
    #[arg(required = true, value_name = "DIR")]
    pub shards: Vec<PathBuf>,
    /// Where the whole goes
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
}

/// Options of `report`.
#[derive(Debug, Args)]
pub struct Report {
    /// The directory of a sweep that is complete
    #[arg(value_name = "DIR")]
    pub directory: PathBuf,
    /// Where the report goes [default: report.html in DIR]
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Write the figures that are quoted, alone and rounded, to FILE too; it has the form of sweep.json
    #[arg(long, value_name = "FILE")]
    pub excerpt: Option<PathBuf>,
}

/// Options of `deploy`.
#[derive(Debug, Args)]
pub struct Deploy {
    /// The chain's JSON-RPC, over HTTP
    #[arg(long, value_name = "URL")]
    pub rpc_url: String,
    /// What to deploy: JSON as in script/config/example.json
    #[arg(long, value_name = "FILE", required_unless_present = "local")]
    pub config: Option<PathBuf>,
    /// Where to record addresses and transactions
    #[arg(long, value_name = "FILE")]
    pub manifest: PathBuf,
    /// Build a whole market on an anvil instead: tokens, feed, venue, system, a lender
    #[arg(long, conflicts_with_all = ["config", "keystore", "unlocked", "dry_run"])]
    pub local: bool,
    /// Encrypted keystore of the sending account; its password from BREAKWATER_KEYSTORE_PASSWORD, or asked for
    /// [default: the key in BREAKWATER_PRIVATE_KEY]
    #[arg(long, value_name = "FILE")]
    pub keystore: Option<PathBuf>,
    /// An account that the node signs for, as a local anvil does
    #[arg(long, value_name = "ADDRESS", conflicts_with = "keystore")]
    pub unlocked: Option<Address>,
    /// Show the plan and send nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Send without asking
    #[arg(long)]
    pub yes: bool,
}

/// Options of `fuzz`.
#[derive(Debug, Args)]
pub struct Fuzz {
    /// How long to search, minutes; parts of one are allowed
    #[arg(long, value_name = "M", default_value = "10", allow_negative_numbers = true, value_parser = minutes)]
    pub minutes: Duration,
    /// Seed of all random numbers
    #[arg(
        long,
        value_name = "N",
        default_value_t = 1,
        allow_negative_numbers = true
    )]
    pub seed: u64,
    /// Where sequences that reached something are kept; a campaign goes on from what is there
    #[arg(long, value_name = "DIR", default_value = "results/fuzz")]
    pub corpus: PathBuf,
    /// Search this world alone [default: all in turn, an equal part of the time each]
    #[arg(long, value_name = "NAME", value_parser = world)]
    pub world: Option<&'static WorldPlan>,
    /// Threads [default: all cores]
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub jobs: Option<u16>,
    /// Search other contracts than were compiled in: the `out` folder of a `forge build`
    #[arg(long, value_name = "DIR")]
    pub contracts: Option<PathBuf>,
}

impl Simulate {
    /// The policies to run.
    pub fn policies(&self) -> Vec<Policy> {
        if self.policy.is_empty() {
            Policy::USUAL.to_vec()
        } else {
            self.policy.clone()
        }
    }

    /// What replaces parts of the scenario.
    pub fn overrides(&self) -> Overrides {
        Overrides {
            prices: self.prices.clone(),
            accounts: self.accounts.clone(),
            gas: self.gas.clone(),
            depth: self.depth.clone(),
            blocks: self.blocks,
            seed: self.seed,
        }
    }
}

fn minutes(text: &str) -> Result<Duration, String> {
    let expected = || "expected a number of minutes above 0 and at most 100000".to_owned();
    let minutes: f64 = text.parse().map_err(|_| expected())?;
    if !(minutes > 0.0 && minutes <= 100_000.0) {
        return Err(expected());
    }
    Ok(Duration::from_secs_f64(minutes * 60.0))
}

fn world(name: &str) -> Result<&'static WorldPlan, String> {
    let found = WORLDS.iter().find(|plan| plan.name == name);
    found.ok_or_else(|| {
        format!(
            "expected {}",
            WORLDS.each_ref().map(|plan| plan.name).join(", ")
        )
    })
}

/// A key and its value as TOML has it; a bare word is a text.
fn replacement(text: &str) -> Result<(String, toml::Value), String> {
    let Some((key, value)) = text.split_once('=') else {
        return Err("expected KEY=VALUE, as backstop.capital=0.1".to_owned());
    };
    let parsed: Result<toml::Table, _> = toml::from_str(&format!("value = {value}"));
    let value = parsed
        .ok()
        .and_then(|mut table| table.remove("value"))
        .unwrap_or_else(|| toml::Value::String(value.to_owned()));
    Ok((key.trim().to_owned(), value))
}

fn policy(name: &str) -> Result<Policy, String> {
    let found = Policy::ALL.into_iter().find(|policy| policy.name() == name);
    found.ok_or_else(|| format!("expected {}", Policy::ALL.map(Policy::name).join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replacements_are_toml_values_or_bare_words() {
        use toml::Value;
        let read = |text: &str| replacement(text).expect("a replacement");
        let key = |key: &str, value| (key.to_owned(), value);
        assert_eq!(
            read("backstop.capital=0.1"),
            key("backstop.capital", Value::Float(0.1))
        );
        assert_eq!(
            read("keepers.count = 3"),
            key("keepers.count", Value::Integer(3))
        );
        assert_eq!(
            read("damped.turn_mode=off"),
            key("damped.turn_mode", Value::String("off".to_owned()))
        );
        assert!(replacement("backstop.capital").is_err());
    }

    #[test]
    fn the_definition_is_consistent() {
        use clap::CommandFactory as _;
        Arguments::command().debug_assert();
    }
}

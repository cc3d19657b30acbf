//! Executions a second against those of `forge test` on the invariants of `test/invariants`, one after the other, on all cores.
//!
//! Every call of both sides is followed by the properties. Forge runs a campaign for each of its four invariants and checks
//! that one after a call; here all are checked after each, the model included. Nothing is taken off forge for that.
#![allow(clippy::unwrap_used, clippy::print_stdout, missing_docs)]

use std::ops::ControlFlow;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::AtomicBool;
use std::thread::available_parallelism;
use std::time::Instant;

use breakwater_fuzz::{
    Artifacts, Corpus, Ending, Limit, Settings, Status, WORLDS, World, campaign,
};

/// Executions of the campaign here.
const EXECUTIONS: u64 = 200_000;
/// Calls of each of forge's campaigns.
const RUNS: u64 = 32;
const DEPTH: u64 = 128;

fn main() {
    let ours = ours();
    let theirs = theirs();
    println!("breakwater fuzz  {ours:>10.0} executions/s");
    println!("forge test       {theirs:>10.0} calls/s");
    println!("ratio            {:>10.1} (asked: 5)", ours / theirs);
}

fn ours() -> f64 {
    let world = World::build(&Artifacts::built_in(), &WORLDS[0]).unwrap();
    let settings = Settings {
        seed: 1,
        jobs: available_parallelism().unwrap().get(),
        limit: Limit::Executions(EXECUTIONS),
        extra: None,
    };
    let began = Instant::now();
    let mut observer = |_: &Status| ControlFlow::Continue(());
    let stop = AtomicBool::new(false);
    let mut corpus = Corpus::in_memory();
    let (ending, status) = campaign(&world, &mut corpus, &settings, &mut observer, &stop).unwrap();
    assert!(matches!(ending, Ending::Clean), "{ending:?}");
    status.tally.executions as f64 / began.elapsed().as_secs_f64()
}

/// Calls over the time that forge says its suite took, compiling apart.
fn theirs() -> f64 {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let output = Command::new(root.join("script/forge"))
        .args([
            "test",
            "--match-contract",
            "PoolInvariantsTest",
            "--match-test",
            "invariant_",
        ])
        .env("FOUNDRY_INVARIANT_RUNS", RUNS.to_string())
        .env("FOUNDRY_INVARIANT_DEPTH", DEPTH.to_string())
        .current_dir(&root)
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{text}");
    let calls: u64 = numbers_after(&text, "calls: ").sum();
    let seconds = text
        .split("finished in ")
        .nth(1)
        .and_then(|rest| rest.split_once('s'))
        .map(|(number, _)| number)
        .unwrap();
    // forge writes 912.30ms or 12.34s
    let seconds: f64 = match seconds.strip_suffix('m') {
        Some(milliseconds) => milliseconds.parse::<f64>().unwrap() / 1_000.0,
        None => seconds.parse().unwrap(),
    };
    println!("forge: {calls} calls in {seconds:.1} s");
    calls as f64 / seconds
}

fn numbers_after<'a>(text: &'a str, mark: &'a str) -> impl Iterator<Item = u64> + 'a {
    text.split(mark).skip(1).filter_map(|rest| {
        let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
        digits.parse().ok()
    })
}

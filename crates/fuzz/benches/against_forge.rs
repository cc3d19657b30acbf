//! Acts and executions a second of processor time against those of `forge test` on its two campaigns, between which this crate's
//! stands: `test/invariants/system`, with a handler for each mechanism that is acted upon here too, on three whole systems, all
//! properties after every call; and `test/invariants/PoolInvariants.t.sol`, on one pool with settable prices, one of four invariants
//! after every call. Here it is one whole system, all properties after every call, model included.
//!
//! Processor time is what each used of all cores, so that other work on the machine weighs on none; compiling and starting forge is
//! taken off by a run that only lists.
#![allow(clippy::unwrap_used, clippy::print_stdout, missing_docs)]

use std::fs;
use std::ops::ControlFlow;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::AtomicBool;
use std::thread::available_parallelism;
use std::time::Instant;

use breakwater_fuzz::{
    Artifacts, Corpus, Ending, Limit, Settings, Status, Tally, WORLDS, World, campaign,
};

/// Executions of the campaign here.
const EXECUTIONS: u64 = 60_000;
/// A clock tick of the kernel's accounts, seconds.
const TICK: f64 = 0.01;

fn main() {
    let began = (Instant::now(), used(Whose::Own));
    let tally = ours();
    let (wall, time) = (began.0.elapsed().as_secs_f64(), used(Whose::Own) - began.1);
    let acts = tally.acts as f64 / time;
    let executions = tally.executions as f64 / time;
    println!(
        "breakwater fuzz: {} acts, {} executions, {wall:.1} s, of a processor {time:.1} s",
        tally.acts, tally.executions
    );
    println!("breakwater fuzz  {acts:>8.0} acts/s  {executions:>8.0} executions/s");
    for contract in ["SystemInvariantsTest", "PoolInvariantsTest"] {
        let theirs = theirs(contract);
        println!("forge, {contract:<20}  {theirs:>8.0} calls/s");
        println!(
            "ratio            {:>8.1} by acts, {:.1} by executions (asked: 5)",
            acts / theirs,
            executions / theirs
        );
    }
}

fn ours() -> Tally {
    let world = World::build(&Artifacts::built_in(), &WORLDS[0]).unwrap();
    let settings = Settings {
        seed: 1,
        jobs: available_parallelism().unwrap().get(),
        limit: Limit::Executions(EXECUTIONS),
        extra: None,
    };
    let mut observer = |_: &Status| ControlFlow::Continue(());
    let stop = AtomicBool::new(false);
    let mut corpus = Corpus::in_memory();
    let (ending, status) = campaign(&world, &mut corpus, &settings, &mut observer, &stop).unwrap();
    assert!(matches!(ending, Ending::Clean), "{ending:?}");
    status.tally
}

/// Calls a second of processor time of forge's campaign in `contract`.
fn theirs(contract: &str) -> f64 {
    let before = used(Whose::Children);
    forge(contract, &["--list"]);
    let listed = used(Whose::Children);
    let began = Instant::now();
    let text = forge(contract, &[]);
    let wall = began.elapsed().as_secs_f64();
    let time = (used(Whose::Children) - listed) - (listed - before);
    let calls: f64 = text.split("calls: ").skip(1).map(leading_number).sum();
    println!("forge, {contract}: {calls} calls, {wall:.1} s, of a processor {time:.1} s");
    calls / time
}

fn leading_number(text: &str) -> f64 {
    let digits: String = text.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().unwrap()
}

fn forge(contract: &str, more: &[&str]) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let output = Command::new(root.join("script/forge"))
        .args(["test", "--match-contract", contract])
        .args(["--match-test", "invariant_"])
        .args(more)
        .current_dir(&root)
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{text}");
    text
}

enum Whose {
    Own,
    Children,
}

/// Processor time, user and system, of this process or of its children that ended, seconds.
fn used(whose: Whose) -> f64 {
    let text = fs::read_to_string("/proc/self/stat").unwrap();
    let (_, fields) = text.rsplit_once(") ").unwrap();
    let fields: Vec<&str> = fields.split(' ').collect();
    // The first of them is the third of proc(5); utime is the 14th.
    let first = match whose {
        Whose::Own => 11,
        Whose::Children => 13,
    };
    let ticks = fields[first..first + 2]
        .iter()
        .map(|field| field.parse::<f64>().unwrap());
    ticks.sum::<f64>() * TICK
}

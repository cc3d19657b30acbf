//! Every figure that the keeper's design asks for, in one table: what was asked beside what was reached. `make bench`, or
//! `cargo bench -p breakwater-cli --bench keeper -- PART...` for some of it.
//!
//! Nothing here decides whether a build is good: figures depend on the machine and on who else uses it.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::print_stderr,
    missing_docs
)]

mod bids;
#[path = "../../../protocol/tests/drift/main.rs"]
mod drift;
mod figure;
#[path = "../../tests/harness/mod.rs"]
mod harness;
mod latency;
mod mirror;
mod population;
mod requests;
mod running;

use std::env;
use std::panic::catch_unwind;
use std::thread::available_parallelism;

use figure::Figure;

/// The allocator of the program that is measured.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

type Part = (&'static str, fn() -> Vec<Figure>);

const PARTS: [Part; 6] = [
    ("candidates", mirror::candidates),
    ("restart", mirror::restart),
    ("drift", drift_of_the_mirror),
    ("requests", requests::measure),
    ("latency", latency::measure),
    ("bids", bids::measure),
];

fn main() {
    if mirror::is_child() {
        return;
    }
    let arguments: Vec<String> = env::args().skip(1).collect();
    // Under `cargo test --benches` there is nothing to check.
    if !arguments.iter().any(|argument| argument == "--bench") {
        return;
    }
    let wanted: Vec<&String> = arguments
        .iter()
        .filter(|argument| !argument.starts_with('-'))
        .collect();
    if let Some(unknown) = wanted
        .iter()
        .find(|name| !PARTS.iter().any(|(known, _)| known == *name))
    {
        panic!(
            "no part {unknown}; there are {:?}",
            PARTS.map(|(name, _)| name)
        );
    }
    let mut figures = Vec::new();
    for (name, measure) in PARTS {
        if wanted.is_empty() || wanted.iter().any(|part| *part == name) {
            eprintln!("measuring: {name}");
            let found = measure();
            for figure in &found {
                eprintln!("  {}: {}", figure.name, figure.reached);
            }
            figures.extend(found);
        }
    }
    println!("{}", figure::table(&figures));
    println!("{}", machine());
}

/// What else the figures depend on.
fn machine() -> String {
    let cores = available_parallelism().map_or(0, usize::from);
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let load: Vec<&str> = load.split(' ').take(3).collect();
    format!(
        "{cores} cores; load of the last 1, 5 and 15 minutes, others' included: {}",
        load.join(", ")
    )
}

/// The drift test's own run. It ends at the first wei of difference.
fn drift_of_the_mirror() -> Vec<Figure> {
    let run = catch_unwind(drift::run);
    let (reached, met, conditions) = match run {
        Ok(run) => ("0 wei".to_owned(), true, run.to_string()),
        Err(_) => (
            "not 0".to_owned(),
            false,
            "the first difference is told above".to_owned(),
        ),
    };
    vec![Figure {
        name: "mirror drift, fuzzed operations with reorgs".to_owned(),
        asked: "0 wei over 10,000".to_owned(),
        reached,
        met: Some(met),
        conditions,
    }]
}

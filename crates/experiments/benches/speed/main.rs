//! Every speed asked of the simulator, in one table: what was asked beside what was reached. `cargo bench -p breakwater-experiments
//! --bench speed`, with `-- PART...` for some of it.
//!
//! Times are CPU time of the thread where nothing else is said, so that other load counts little; ratios carry over to other
//! machines, speeds do not. Nothing here decides whether a build is good.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::print_stderr,
    missing_docs
)]

mod bare;
mod calls;
mod clock;
mod figure;
mod forks;
mod peers;
mod sweeps;
mod transfers;
mod worlds;

use std::env;

use figure::Figure;

/// The allocator of the program that is measured.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

type Part = (&'static str, fn() -> Vec<Figure>);

const PARTS: [Part; 5] = [
    ("peers", || peers::measure(&bare::build())),
    ("calls", || calls::measure(&bare::build())),
    ("forks", forks::measure),
    ("sweep", sweeps::measure),
    ("worlds", worlds::measure),
];

fn main() {
    let arguments: Vec<String> = env::args().skip(1).collect();
    // Under `cargo test --benches` there is nothing to check.
    if !arguments.iter().any(|argument| argument == "--bench") {
        return;
    }
    let wanted: Vec<&String> = arguments
        .iter()
        .filter(|argument| !argument.starts_with('-'))
        .collect();
    let known = PARTS.map(|(name, _)| name);
    for part in &wanted {
        assert!(known.contains(&part.as_str()), "no part {part}: {known:?}");
    }
    let mut figures = Vec::new();
    for (name, measure) in PARTS {
        if wanted.is_empty() || wanted.iter().any(|part| *part == name) {
            eprintln!("measuring: {name}");
            let found = measure();
            eprintln!("{}", figure::table(&found));
            figures.extend(found);
        }
    }
    println!("{}", figure::table(&figures));
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    println!("load of the machine, others' included: {}", load.trim());
}

//! What a mirror costs: from a block's header to the accounts below HF_F = 1, a restart, and memory. Each figure is printed beside
//! what was asked of it. `cargo bench -p breakwater-protocol`.
//!
//! Restart and memory are measured in processes of their own, so that nothing else is in them.
#![allow(clippy::unwrap_used, clippy::print_stdout, missing_docs)]

mod population;

use std::{
    env, fs,
    hint::black_box,
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};

use breakwater_protocol::Mirror;
use criterion::Criterion;
use population::{Population, description};

const SMALL: u64 = 100_000;
const LARGE: u64 = 1_000_000;

/// Tells this program to be one of the processes that are measured.
const ROLE: &str = "BREAKWATER_BENCH_ROLE";

fn main() {
    if let Ok(role) = env::var(ROLE) {
        let path = PathBuf::from(env::args().nth(1).unwrap());
        match role.as_str() {
            "follow" => follow(&path),
            _ => restart(&path),
        }
        return;
    }
    // Under `cargo test --benches` there is nothing to check.
    if !env::args().any(|argument| argument == "--bench") {
        return;
    }
    println!("{:58} {:>12} {:>12}", "figure", "asked", "reached");
    latency(SMALL, 3_000, Duration::from_millis(1));
    latency(LARGE, 1_500, Duration::from_millis(5));
    processes();

    let mut criterion = Criterion::default()
        .configure_from_args()
        .sample_size(50)
        .warm_up_time(Duration::from_secs(1))
        .measurement_time(Duration::from_secs(5));
    for accounts in [SMALL, LARGE] {
        let mut population = Population::new(accounts);
        criterion.bench_function(&format!("header to candidates/{accounts}"), |bencher| {
            // What the node sends is not what is measured.
            bencher.iter_custom(|blocks| {
                let mut spent = Duration::ZERO;
                for _ in 0..blocks {
                    let prepared = population.prepare();
                    let start = Instant::now();
                    black_box(prepared.run());
                    spent += start.elapsed();
                }
                spent
            });
        });
    }
    criterion.final_summary();
}

/// Header to candidates, block by block.
fn latency(accounts: u64, blocks: usize, asked: Duration) {
    let mut population = Population::new(accounts);
    let mut times = Vec::with_capacity(blocks);
    let (mut found, mut most) = (0, 0);
    for _ in 0..blocks {
        let prepared = population.prepare();
        let start = Instant::now();
        let candidates = prepared.run();
        times.push(start.elapsed());
        found += candidates.len();
        most = most.max(candidates.len());
    }
    times.sort_unstable();
    let at = |percent: usize| times[(times.len() - 1) * percent / 100];
    line(
        &format!("header to candidates, p99, {accounts} accounts"),
        &format!("{asked:.1?}"),
        &format!("{:.2?}", at(99)),
    );
    println!(
        "    p50 {:.2?}, longest {:.2?}; {} candidates a block on average, {most} at most; {} logs a block",
        at(50),
        at(100),
        found / blocks,
        population::LOGS,
    );
}

fn line(figure: &str, asked: &str, reached: &str) {
    println!("{figure:58} {asked:>12} {reached:>12}");
}

/// Follows a chain to a million accounts in one process, restarts from its snapshot in another.
fn processes() {
    let path = env::temp_dir().join(format!("breakwater-bench-{}", std::process::id()));
    for role in ["follow", "restart"] {
        let status = Command::new(env::current_exe().unwrap())
            .arg(&path)
            .env(ROLE, role)
            .status()
            .unwrap();
        assert!(status.success(), "{role}: {status}");
    }
    fs::remove_file(path).unwrap();
}

fn follow(path: &Path) {
    let before = resident();
    let population = Population::new(LARGE);
    memory("memory, followed to 1,000,000 accounts", before);
    let start = Instant::now();
    let bytes = population.mirror.snapshot();
    println!(
        "    its snapshot is {} MiB, made in {:.2?}",
        bytes.len() >> 20,
        start.elapsed()
    );
    fs::write(path, bytes).unwrap();
}

fn restart(path: &Path) {
    let before = resident();
    let start = Instant::now();
    let bytes = fs::read(path).unwrap();
    let mut mirror = Mirror::restore(&bytes, &description()).unwrap();
    let restored = start.elapsed();
    line(
        "restart from a snapshot of 1,000,000 accounts",
        "2.0s",
        &format!("{restored:.2?}"),
    );
    drop(bytes);
    memory("memory after the restart", before);
    let readings = population::readings(1.0);
    let moment = mirror.moment(&readings, mirror.head().timestamp).unwrap();
    let start = Instant::now();
    let candidates = mirror.candidates(&moment);
    println!(
        "    the first candidates ({}) after it took {:.2?}",
        candidates.len(),
        start.elapsed()
    );
}

fn memory(figure: &str, before: u64) {
    let now = resident();
    let mebibytes = |bytes: u64| format!("{} MiB", bytes >> 20);
    line(figure, "250 MiB", &mebibytes(now));
    println!("    of which the process had {} before", mebibytes(before));
}

/// What of this process is in memory, bytes; 0 where the system does not say.
fn resident() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmRSS:"));
    let kibibytes = line.and_then(|line| line.split_whitespace().nth(1)?.parse::<u64>().ok());
    kibibytes.unwrap_or(0) << 10
}

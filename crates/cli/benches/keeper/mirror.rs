//! The mirror of synthetic accounts: header to candidates, a restart, memory.
//!
//! Restart and memory are measured in processes of their own, so that a peak is theirs.

use std::env;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use breakwater_keeper::store::Store;
use rustix::time::{ClockId, clock_gettime};

use crate::figure::{Figure, Samples, milliseconds};
use crate::population::{self, Population, description};

const SMALL: u64 = 100_000;
const LARGE: u64 = 1_000_000;

/// Tells this program to be one of the processes that are measured.
const ROLE: &str = "BREAKWATER_BENCH_ROLE";

const MEMORY_ASKED: u64 = 250 << 20;
const RESTART_ASKED: Duration = Duration::from_secs(2);

/// Header to candidates, block by block.
pub fn candidates() -> Vec<Figure> {
    [
        (SMALL, 3_000, Duration::from_millis(1)),
        (LARGE, 1_500, Duration::from_millis(5)),
    ]
    .map(|(accounts, blocks, asked)| {
        let mut population = Population::new(accounts);
        let (mut times, mut worked) = (Vec::with_capacity(blocks), Vec::with_capacity(blocks));
        let (mut found, mut most) = (0, 0);
        for _ in 0..blocks {
            // What the node sends is not what is measured.
            let prepared = population.prepare();
            let (start, before) = (Instant::now(), processor_time());
            let candidates = prepared.run();
            worked.push(processor_time() - before);
            times.push(start.elapsed());
            found += candidates.len();
            most = most.max(candidates.len());
        }
        let (times, worked) = (Samples::new(times), Samples::new(worked));
        Figure {
            name: format!("header to candidates, p99, {accounts} accounts"),
            asked: format!("≤ {asked:?}"),
            reached: milliseconds(times.percentile(99)),
            met: Some(times.percentile(99) <= asked),
            conditions: format!(
                "p99 of the processor's time {}; {blocks} blocks, {} logs each; p50 {}, longest {}; {} candidates a block on average, {most} at most",
                milliseconds(worked.percentile(99)),
                population::LOGS,
                milliseconds(times.percentile(50)),
                milliseconds(times.longest()),
                found / blocks,
            ),
        }
    })
    .into()
}

/// What this thread has had of a processor: without what others took while it waited.
fn processor_time() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::try_from(time).unwrap()
}

/// Follows a chain to a million accounts in one process and saves its mirror, restarts from that in another.
pub fn restart() -> Vec<Figure> {
    let folder = tempfile::tempdir().unwrap();
    let child = |role: &str| -> Vec<f64> {
        let output = Command::new(env::current_exe().unwrap())
            .arg(folder.path())
            .env(ROLE, role)
            .output()
            .unwrap();
        assert!(
            output.status.success(),
            "{role}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        serde_json::from_slice(&output.stdout).unwrap()
    };
    let memory = |name: &str, peak: f64, conditions: String| Figure {
        name: format!("memory, {LARGE} accounts, {name}"),
        asked: "≤ 250 MiB".to_owned(),
        reached: format!("{} MiB", mebibytes(peak)),
        met: Some(peak <= MEMORY_ASKED as f64),
        conditions,
    };
    let [before, followed, saved, size, first, second] = child("follow")[..] else {
        panic!("six figures");
    };
    let saving = memory(
        "peak while it follows and saves",
        saved,
        format!(
            "VmHWM of a process; {} MiB before it began, {} MiB when followed; the snapshot has {} MiB",
            mebibytes(before),
            mebibytes(followed),
            mebibytes(size)
        ),
    );
    let [before, after, opened, restored, looked, worked] = child("restart")[..] else {
        panic!("six figures");
    };
    let all = Duration::from_secs_f64(opened + restored + looked);
    vec![
        Figure {
            name: format!("restart from a snapshot of {LARGE} accounts"),
            asked: format!("≤ {RESTART_ASKED:?}"),
            reached: format!("{:.2} s", all.as_secs_f64()),
            met: Some(all <= RESTART_ASKED),
            conditions: format!(
                "SQLite opened {opened:.2} s, read, checked and restored {restored:.2} s, first candidates {looked:.2} s; {worked:.2} s of the processor's; \
                 the file was in the system's cache"
            ),
        },
        memory(
            "peak of a restart",
            after,
            format!(
                "VmHWM of a process; {} MiB before it began",
                mebibytes(before)
            ),
        ),
        saving,
        Figure {
            name: format!("saving a snapshot of {LARGE} accounts"),
            asked: "told".to_owned(),
            reached: format!("{first:.2} s, replacing one {second:.2} s"),
            met: None,
            conditions: "into SQLite, fully synchronised; nothing is planned meanwhile".to_owned(),
        },
    ]
}

fn mebibytes(bytes: f64) -> u64 {
    bytes as u64 >> 20
}

/// Is one of the measured processes, if this is one.
pub fn is_child() -> bool {
    let Ok(role) = env::var(ROLE) else {
        return false;
    };
    let folder = env::args().nth(1).unwrap();
    let figures = match role.as_str() {
        "follow" => follow(Path::new(&folder)),
        _ => restore(Path::new(&folder)),
    };
    println!("{}", serde_json::to_string(&figures).unwrap());
    true
}

fn open(folder: &Path) -> Store {
    let description = description();
    Store::open(folder, description.chain_id, description.pool).unwrap()
}

fn follow(folder: &Path) -> Vec<f64> {
    let before = peak();
    let population = Population::new(LARGE);
    let followed = peak();
    let mut store = open(folder);
    let mut save = || {
        let start = Instant::now();
        store.save_mirror(&population.mirror).unwrap();
        start.elapsed().as_secs_f64()
    };
    let (first, second) = (save(), save());
    let saved = peak();
    let size = population.mirror.snapshot().len();
    vec![before, followed, saved, size as f64, first, second]
}

fn restore(folder: &Path) -> Vec<f64> {
    let before = peak();
    let worked = processor_time();
    let start = Instant::now();
    let mut store = open(folder);
    let opened = start.elapsed().as_secs_f64();
    let start = Instant::now();
    let mut mirror = store.restore_mirror(&description()).unwrap().unwrap();
    let restored = start.elapsed().as_secs_f64();
    let start = Instant::now();
    // A little lower, so that there are some to find.
    let readings = population::readings(0.99);
    let moment = mirror.moment(&readings, mirror.head().timestamp).unwrap();
    let candidates = mirror.candidates(&moment);
    let looked = start.elapsed().as_secs_f64();
    assert!(!candidates.is_empty() && mirror.account_count() as u64 == LARGE);
    let worked = (processor_time() - worked).as_secs_f64();
    vec![before, peak(), opened, restored, looked, worked]
}

/// The most memory that this process ever had, bytes; 0 where the system does not say.
fn peak() -> f64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmHWM:"));
    let kibibytes = line.and_then(|line| line.split_whitespace().nth(1)?.parse::<u64>().ok());
    (kibibytes.unwrap_or(0) << 10) as f64
}

//! A sweep in one thread and in two. Elapsed time: other load on the machine counts.

use std::collections::BTreeMap;
use std::fs;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use breakwater_experiments::sweep::{Directory, Program, Selection, Shard, Sweep, Watch, run};

use crate::figure::{Figure, median, ratio, seconds};

const ROUNDS: usize = 3;

const SPECIFICATION: &str = r#"
name = "speed"
title = "Speed"
question = "How long does it take?"
scenarios = ["persistent-30"]
blocks = 300
policies = ["rigid", "damped"]
baseline = "rigid"
grid = { depth = [2.0], pass_through = [0.5], recovery_half_life = [300.0] }
seeds = { reporting = { first = 1, count = 8 } }
"#;

struct Quiet;

impl Watch for Quiet {
    fn begin(&self, _: usize, _: usize, _: u64) {}

    fn block(&self) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }

    fn path(&self) {}
}

pub fn measure() -> Vec<Figure> {
    let scratch = tempfile::tempdir().unwrap();
    let file = scratch.path().join("speed.toml");
    fs::write(&file, SPECIFICATION).unwrap();
    let program = Program {
        commit: "unknown".to_owned(),
        contracts: BTreeMap::new(),
    };
    let sweep = Sweep::read(&file, &Selection::default(), &program).unwrap();
    let samples: Vec<_> = (0..ROUNDS)
        .map(|round| {
            let sample = |jobs| {
                let out = scratch.path().join(format!("{round}-{jobs}"));
                (sample(&sweep, &out, jobs), results(&out))
            };
            let (one, two) = (sample(1), sample(2));
            assert!(one.1 == two.1, "the number of threads shows in the results");
            (one.0, two.0)
        })
        .collect();
    let one = median(samples.iter().map(|sample| sample.0));
    let two = median(samples.iter().map(|sample| sample.1));
    vec![Figure::at_least(
        "sweep, two threads / one",
        1.85,
        ratio(one, two),
        format!("{} / {} elapsed", seconds(one), seconds(two)),
    )]
}

fn sample(sweep: &Sweep, out: &Path, jobs: usize) -> Duration {
    let directory = Directory::open(out, sweep).unwrap();
    let began = Instant::now();
    run(sweep, &directory, Shard::WHOLE, jobs, &Quiet).unwrap();
    began.elapsed()
}

/// Every file of figures, by name.
fn results(out: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut open = vec![out.join("paths")];
    while let Some(directory) = open.pop() {
        for entry in fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else {
                let bytes = fs::read(&path).unwrap();
                found.insert(path.strip_prefix(out).unwrap().to_path_buf(), bytes);
            }
        }
    }
    assert!(!found.is_empty());
    found
}

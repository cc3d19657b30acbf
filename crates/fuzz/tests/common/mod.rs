//! Folders of artifacts as forge writes them, from what was compiled in.
#![allow(
    clippy::unwrap_used,
    dead_code,
    missing_docs,
    reason = "each test file uses a part"
)]

use std::fs;
use std::path::Path;
use std::sync::atomic::AtomicBool;

use alloy_primitives::{Bytes, hex};
use breakwater_fuzz::{
    Artifacts, CONTRACTS, Corpus, Ending, Limit, Settings, Status, World, campaign,
};

/// 3% in WAD, what a settlement pays over the value repaid.
const SETTLEMENT: u64 = 30_000_000_000_000_000;
/// Twice that.
const GREEDY: u64 = 2 * SETTLEMENT;

/// Writes every artifact, with the code that `change` makes of it.
pub fn write_artifacts(directory: &Path, change: impl Fn(&str, Bytes) -> Vec<u8>) {
    for name in CONTRACTS {
        let code = change(name, Artifacts::built_in().code(name));
        let folder = directory.join(format!("{name}.sol"));
        fs::create_dir_all(&folder).unwrap();
        let text = format!(
            "{{\"abi\":[],\"bytecode\":{{\"object\":\"0x{}\"}}}}",
            hex::encode(code)
        );
        fs::write(folder.join(format!("{name}.json")), text).unwrap();
    }
}

/// The contracts with a settlement that pays twice the bonus.
pub fn write_greedy_settlement(directory: &Path) {
    write_artifacts(directory, |name, code| {
        let mut code = code.to_vec();
        if name != "LendingPoolExtension" {
            return code;
        }
        // Both are pushed as seven bytes.
        let (old, new) = (SETTLEMENT.to_be_bytes(), GREEDY.to_be_bytes());
        let places: Vec<usize> = (0..code.len() - 7)
            .filter(|place| code[*place..].starts_with(&old[1..]))
            .collect();
        assert!(!places.is_empty(), "the constant is not in the code");
        for place in places {
            code[place..place + 7].copy_from_slice(&new[1..]);
        }
        code
    });
}

pub fn settings(seed: u64, jobs: usize, executions: u64) -> Settings<'static> {
    Settings {
        seed,
        jobs,
        limit: Limit::Executions(executions),
        extra: None,
    }
}

/// A campaign that nobody watches.
pub fn quiet(world: &World, corpus: &mut Corpus, settings: &Settings<'_>) -> (Ending, Status) {
    let stop = AtomicBool::new(false);
    let mut observer = |_: &Status| std::ops::ControlFlow::Continue(());
    campaign(world, corpus, settings, &mut observer, &stop).unwrap()
}

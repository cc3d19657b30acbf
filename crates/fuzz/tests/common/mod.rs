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

/// 1.03 in WAD, which the extension compares an insolvent position's collateral with.
pub const SETTLEMENT: [u8; 8] = 1_030_000_000_000_000_000_u64.to_be_bytes();
/// 1.2 in WAD: a settlement of what is solvent.
pub const GREEDY: [u8; 8] = 1_200_000_000_000_000_000_u64.to_be_bytes();

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

/// The contracts with a settlement that takes solvent positions too.
pub fn write_greedy_settlement(directory: &Path) {
    write_artifacts(directory, |name, code| {
        let mut code = code.to_vec();
        if name != "LendingPoolExtension" {
            return code;
        }
        let places: Vec<usize> = (0..code.len() - SETTLEMENT.len())
            .filter(|place| code[*place..].starts_with(&SETTLEMENT))
            .collect();
        assert!(!places.is_empty(), "the constant is not in the code");
        for place in places {
            code[place..place + GREEDY.len()].copy_from_slice(&GREEDY);
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

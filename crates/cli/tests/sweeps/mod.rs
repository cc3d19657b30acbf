//! A small sweep, and the program that runs it.

#![allow(clippy::unwrap_used, reason = "a test may stop")]
#![allow(dead_code, reason = "each test binary uses its own part")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

pub const SPECIFICATION: &str = r#"
name = "small"
title = "A small <sweep>"
question = "Does a sweep do what it says?"
scenarios = ["crash.toml"]
blocks = 60
policies = ["rigid", "damped"]
baseline = "rigid"

[[variants]]
name = "without-turns"
damped = { turn_mode = "off", confirmation = false }

[[comparisons]]
title = "Without turns"
against = "damped"
policies = ["without-turns"]

[grid]
depth = [0.5, 2.0]
pass_through = [0.5]
recovery_half_life = [300.0]

[seeds.tuning]
first = 1
count = 5

[seeds.reporting]
first = 11
count = 2
"#;

/// The paths of the specification: two cells, two seeds, three policies and the counterfactual.
pub const PATHS: usize = 16;

/// A scenario of 60 blocks in which 40 accounts lose 40%.
fn scenario() -> String {
    let shipped =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../experiments/scenarios/may-19.toml");
    let shipped = fs::read_to_string(shipped).unwrap();
    let (before, rest) = shipped.split_once("[prices]").unwrap();
    let (_, after) = rest.split_once("[population]").unwrap();
    let knots = "source = \"profile\"\nvolatility_per_hour = 0.02\nknots = [{ seconds = 0, price = 2000.0 }, { seconds = 480, price = 1200.0 }, { seconds = 1440, price = 1500.0 }]";
    let gas = "source = \"profile\"\nknots = [{ seconds = 0, gwei = 20.0 }, { seconds = 720, gwei = 60.0 }]";
    format!("{before}[prices]\n{knots}\n\n[gas]\n{gas}\n\n[population]{after}")
        .replace("accounts = 1000", "accounts = 40")
        .replace("total_collateral = 100000.0", "total_collateral = 4000.0")
        .replace("name = \"may-19\"", "name = \"crash\"")
}

pub struct Folder(tempfile::TempDir);

impl Folder {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("crash.toml"), scenario()).unwrap();
        fs::write(folder.path().join("small.toml"), SPECIFICATION).unwrap();
        Self(folder)
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_breakwater"));
        command
            .args(arguments)
            .current_dir(self.0.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    pub fn succeed(&self, arguments: &[&str]) -> String {
        let output = self.command(arguments).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{arguments:?}: {said}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// The one line that is said, with exit code 2.
    pub fn refused(&self, arguments: &[&str]) -> String {
        let output = self.command(arguments).output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {said}");
        assert_eq!(said.lines().count(), 1, "{arguments:?}: {said}");
        assert!(output.stdout.is_empty(), "{arguments:?}");
        said.trim_end().to_owned()
    }

    pub fn results(&self, directory: &str) -> [Vec<u8>; 2] {
        ["figures.parquet", "sweep.json"]
            .map(|file| fs::read(self.path(directory).join(file)).unwrap())
    }

    pub fn summary(&self, directory: &str) -> Value {
        serde_json::from_slice(&self.results(directory)[1]).unwrap()
    }
}

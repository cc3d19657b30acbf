//! `breakwater deploy` as a process, against a real anvil.

#![allow(clippy::unwrap_used, reason = "a test may stop")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use alloy::node_bindings::{Anvil, AnvilInstance};
use serde_json::{Value, json};

/// One of the anvil's accounts, and what governs the systems of this test.
const SENDER: usize = 7;

/// No contract.
const NOBODY: &str = "0x00000000000000000000000000000000000000A1";

struct Ground {
    anvil: AnvilInstance,
    folder: tempfile::TempDir,
}

impl Ground {
    /// An anvil with a local market, and a configuration of another system over its tokens.
    fn new() -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"))
            .ancestors()
            .nth(2)
            .unwrap();
        let anvil = Anvil::at(root.join("node_modules/.bin/anvil"))
            // Else it leaves the states of old blocks in files behind.
            .args(["--prune-history", "600"])
            .port(0_u16)
            .try_spawn()
            .unwrap();
        let ground = Self {
            anvil,
            folder: tempfile::tempdir().unwrap(),
        };
        let output = ground.deploy(&["--local", "--manifest", "market.json"]);
        assert!(output.status.success(), "{}", said(&output));
        let market = ground.manifest("market.json");
        let collateral = &market["collaterals"][0];
        let configuration = json!({
            "chainId": 31337,
            "asset": market["asset"],
            "governance": "0x1111111111111111111111111111111111111111",
            "guardian": "0x1212121212121212121212121212121212121212",
            "name": "Process",
            "symbol": "P",
            "supplyCap": "1000000000000",
            "borrowCap": "900000000000",
            "minDebt": "100000000",
            "settlementStipend": "5000000",
            "nativeCollateral": 0,
            "collaterals": [{
                "token": collateral["token"],
                "feed": collateral["feed"],
                "heartbeat": 3_900,
                "venue": collateral["venue"],
                "venueMinDepth": "1000000000",
                "cap": "1000000000000000000000",
            }],
        });
        ground.write("system.json", &configuration.to_string());
        ground
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).unwrap();
    }

    /// The system of the chain in a manifest; null while there is none.
    fn manifest(&self, name: &str) -> Value {
        let Ok(bytes) = fs::read(self.path(name)) else {
            return Value::Null;
        };
        // Never half a file, however the writer ends.
        let manifest: Value = serde_json::from_slice(&bytes).unwrap();
        manifest["chains"]["31337"].clone()
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_breakwater"));
        command
            .args(["deploy", "--rpc-url", &self.anvil.endpoint()])
            .args(arguments)
            .current_dir(self.folder.path())
            .env_remove("BREAKWATER_PRIVATE_KEY")
            .env_remove("BREAKWATER_KEYSTORE_PASSWORD")
            .stdin(Stdio::null());
        command
    }

    fn deploy(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    /// With the sender's key in the environment.
    fn system(&self, arguments: &[&str]) -> Command {
        let all: Vec<_> = ["--config", "system.json", "--manifest", "out.json"]
            .iter()
            .chain(arguments)
            .copied()
            .collect();
        let mut command = self.command(&all);
        command.env("BREAKWATER_PRIVATE_KEY", self.key());
        command
    }

    fn key(&self) -> String {
        let key = self.anvil.nth_key(SENDER).unwrap().to_bytes();
        key.iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

fn said(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

fn shown(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

/// Transactions that a manifest knows.
fn transactions(deployment: &Value) -> Vec<String> {
    let records = ["contracts", "calls"].map(|kind| deployment[kind].as_array().cloned());
    let records = records.into_iter().flatten().flatten();
    let hash = |record: Value| record["transaction"]["hash"].as_str().map(str::to_owned);
    records.filter_map(hash).collect()
}

#[test]
fn a_plan_is_shown_carried_out_and_left_alone() {
    let ground = Ground::new();
    let dry = ground.system(&["--dry-run"]).output().unwrap();
    assert!(dry.status.success(), "{}", said(&dry));
    let plan = shown(&dry);
    assert!(plan.contains("create pool (LendingPool) at 0x"), "{plan}");
    assert!(plan.contains("25 of 27 steps are open, about 2"), "{plan}");
    assert!(!ground.path("out.json").exists());

    // Nobody is there to say yes.
    let unasked = ground.system(&[]).output().unwrap();
    assert_eq!(unasked.status.code(), Some(2));
    assert!(said(&unasked).contains("pass --yes"), "{}", said(&unasked));
    assert!(!ground.path("out.json").exists());

    let output = ground.system(&["--yes"]).output().unwrap();
    assert!(output.status.success(), "{}", said(&output));
    assert!(!shown(&output).contains(&ground.key()));
    let deployment = ground.manifest("out.json");
    assert_eq!(deployment["complete"], true);
    assert_eq!(transactions(&deployment).len(), 25);

    let bytes = fs::read(ground.path("out.json")).unwrap();
    let again = ground.system(&[]).output().unwrap();
    assert!(again.status.success(), "{}", said(&again));
    assert!(
        shown(&again).contains("0 of 27 steps are open"),
        "{}",
        shown(&again)
    );
    assert_eq!(fs::read(ground.path("out.json")).unwrap(), bytes);
}

#[test]
fn a_process_killed_anywhere_is_continued_by_the_next() {
    let ground = Ground::new();
    let dry = shown(&ground.system(&["--dry-run"]).output().unwrap());
    let mut recorded = Vec::new();
    let mut kills = 0;
    // After the first record, and every third from there on: before, while and after something is sent.
    for target in (1..25).step_by(3) {
        let mut child = ground
            .system(&["--yes"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let deadline = Instant::now() + Duration::from_secs(60);
        loop {
            recorded = transactions(&ground.manifest("out.json"));
            if recorded.len() >= target {
                // SIGKILL: nothing of it runs any more.
                child.kill().unwrap();
                kills += usize::from(child.wait().unwrap().code().is_none());
                break;
            }
            assert!(
                child.try_wait().unwrap().is_none(),
                "it ended at {} of {target}",
                recorded.len()
            );
            assert!(Instant::now() < deadline);
            std::thread::sleep(Duration::from_micros(200));
        }
    }
    assert!(kills >= 6, "{kills} of 8 were killed before they were done");
    let output = ground.system(&["--yes"]).output().unwrap();
    assert!(output.status.success(), "{}", said(&output));
    let deployment = ground.manifest("out.json");
    assert_eq!(deployment["complete"], true);
    for contract in deployment["contracts"].as_array().unwrap() {
        // The addresses are those of the plan that was shown before anything was sent, in another notation.
        let address = contract["address"].as_str().unwrap();
        assert!(dry.to_lowercase().contains(address), "{address}");
    }
    // Every transaction that was recorded is the one that did it, and has its receipt.
    let finally = transactions(&deployment);
    assert_eq!(finally.len(), 25);
    assert!(recorded.iter().all(|hash| finally.contains(hash)));
    let inclusions =
        ["contracts", "calls"].map(|kind| deployment[kind].as_array().unwrap().clone());
    let missing = inclusions.iter().flatten().filter(|record| {
        !record["transaction"].is_null() && record["transaction"]["inclusion"].is_null()
    });
    assert_eq!(missing.count(), 0);
}

#[test]
fn what_cannot_be_used_is_refused_in_one_line() {
    let ground = Ground::new();
    let sender = ground.anvil.addresses()[SENDER].to_string();
    let good = fs::read_to_string(ground.path("system.json")).unwrap();
    ground.write("typo.json", &good.replace("guardian", "gardian"));
    ground.write("other.json", &good.replace("31337", "1"));
    ground.write("broken.json", "{");
    ground.write("stipend.json", &good.replace("\"5000000\"", "\"5000001\""));
    ground.write("amount.json", &good.replace("\"900000000000\"", "\"much\""));
    let market = ground.manifest("market.json");
    let pool = market["pool"].as_str().unwrap();
    for key in ["token", "venue"] {
        let mut other: Value = serde_json::from_str(&good).unwrap();
        let address = if key == "venue" { pool } else { NOBODY };
        other["collaterals"][0][key] = address.into();
        ground.write(&format!("{key}.json"), &other.to_string());
    }
    let mut wide: Value = serde_json::from_str(&good).unwrap();
    wide["collaterals"][0]["minAnswer"] = "0".into();
    wide["collaterals"][0]["maxAnswer"] = u128::MAX.to_string().into();
    ground.write("wide.json", &wide.to_string());
    let mut backed: Value = serde_json::from_str(&good).unwrap();
    backed["backstop"] = json!({
        "minimumLeft": "1000000", "minimumDeposit": "1000000", "periodSeconds": 3_600,
        "absorptionHealth": "1050000000000000000", "premiumShare": "100000000000000000",
    });
    ground.write("backed.json", &backed.to_string());
    let unlocked = ["--unlocked", sender.as_str()];
    let cases: [(&[&str], i32, &str); 14] = [
        (
            &["--config", "typo.json", "--manifest", "m.json"],
            2,
            "did you mean `guardian`?",
        ),
        (
            &["--config", "none.json", "--manifest", "m.json"],
            2,
            "none.json: cannot read",
        ),
        (
            &["--config", "other.json", "--manifest", "m.json"],
            2,
            "the configuration is of chain 1, the RPC of chain 31337",
        ),
        (
            &["--config", "system.json", "--manifest", "broken.json"],
            2,
            "broken.json: not a manifest",
        ),
        (
            &["--config", "system.json", "--manifest", "market.json"],
            2,
            "another configuration on chain 31337",
        ),
        (
            &["--config", "stipend.json", "--manifest", "m.json"],
            2,
            "`settlementStipend` is 5000001: expected at most 5000000, a twentieth of `minDebt`",
        ),
        (
            &["--config", "amount.json", "--manifest", "m.json"],
            2,
            "`borrowCap`: invalid value: string \"much\", expected",
        ),
        (
            &["--config", "backed.json", "--manifest", "m.json"],
            2,
            "`backstop.periodSeconds` is 3600: expected 14400 to 2592000 seconds",
        ),
        (
            &["--config", "token.json", "--manifest", "m.json"],
            2,
            "`collaterals[0].token` is 0x00000000000000000000000000000000000000A1: expected a contract",
        ),
        (
            &["--config", "venue.json", "--manifest", "m.json"],
            2,
            "expected a Uniswap v3 pool of `token` and `asset`",
        ),
        (
            &["--config", "wide.json", "--manifest", "m.json", "--yes"],
            2,
            "`collaterals[0].maxAnswer` is 340282366920938463463374607431768211455: expected bounds",
        ),
        (&["--manifest", "m.json"], 2, "--config"),
        (
            &["--local", "--config", "system.json", "--manifest", "m.json"],
            2,
            "cannot be used with",
        ),
        (
            &[
                "--config",
                "system.json",
                "--manifest",
                "nowhere/m.json",
                "--yes",
            ],
            2,
            "cannot write the manifest",
        ),
    ];
    for (arguments, code, expected) in cases {
        let all: Vec<_> = arguments.iter().chain(&unlocked).copied().collect();
        let output = ground.deploy(if arguments.contains(&"--local") {
            arguments
        } else {
            &all
        });
        let line = said(&output);
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {line}");
        assert_eq!(line.lines().count(), 1, "{line}");
        assert!(line.contains(expected), "{arguments:?}: {line}");
        assert!(!ground.path("m.json").exists());
    }
    let nobody = ground.deploy(&["--config", "system.json", "--manifest", "m.json"]);
    assert!(
        said(&nobody).contains("no account: expected --keystore"),
        "{}",
        said(&nobody)
    );
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let secret = "0123456789abcdef0123456789abcdef";
    let url = format!("http://{}/v2/{secret}", listener.local_addr().unwrap());
    drop(listener);
    let output = Command::new(env!("CARGO_BIN_EXE_breakwater"))
        .args([
            "deploy",
            "--rpc-url",
            &url,
            "--config",
            "system.json",
            "--manifest",
            "m.json",
        ])
        .args(unlocked)
        .current_dir(ground.folder.path())
        .output()
        .unwrap();
    let line = said(&output);
    assert_eq!(output.status.code(), Some(1), "{line}");
    assert!(
        line.contains("the RPC failed") && !line.contains(secret),
        "{line}"
    );
}

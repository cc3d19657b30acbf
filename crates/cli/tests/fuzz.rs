//! `breakwater fuzz` through the program: what it prints, what it leaves behind, and how it ends.
#![allow(clippy::unwrap_used, reason = "a test may stop")]

use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use breakwater_fuzz::{Artifacts, CONTRACTS};

fn breakwater(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_breakwater"))
        .arg("fuzz")
        .args(arguments)
        .current_dir(folder)
        .output()
        .unwrap()
}

/// The one line that a refusal says.
fn refused(folder: &Path, arguments: &[&str]) -> String {
    let output = breakwater(folder, arguments);
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{arguments:?}: {said}");
    assert!(output.stdout.is_empty(), "{arguments:?}");
    assert_eq!(said.lines().count(), 1, "{arguments:?}: {said}");
    said
}

/// Artifacts as forge writes them, with the 3% (WAD) that settlements pay made 6% in the pool's extension if `greedy`.
fn write_artifacts(folder: &Path, greedy: bool) {
    let (bonus, twice) = (
        30_000_000_000_000_000_u64.to_be_bytes(),
        60_000_000_000_000_000_u64.to_be_bytes(),
    );
    for name in CONTRACTS {
        let mut code = Artifacts::built_in().code(name).to_vec();
        if greedy && name == "LendingPoolExtension" {
            // Both are pushed as seven bytes.
            for place in 0..code.len() - 7 {
                if code[place..].starts_with(&bonus[1..]) {
                    code[place..place + 7].copy_from_slice(&twice[1..]);
                }
            }
        }
        let directory = folder.join(format!("out/{name}.sol"));
        fs::create_dir_all(&directory).unwrap();
        let code = alloy_primitives::hex::encode(code);
        let text = format!("{{\"bytecode\":{{\"object\":\"0x{code}\"}}}}");
        fs::write(directory.join(format!("{name}.json")), text).unwrap();
    }
}

#[test]
fn bad_input_is_refused_with_one_line() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    for minutes in ["0", "-1", "nan", "soon", "1e9"] {
        let said = refused(folder, &["--minutes", minutes]);
        assert!(
            said.contains("expected a number of minutes above 0"),
            "{said}"
        );
    }
    for arguments in [["--seed", "-1"], ["--jobs", "0"], ["--world", "flat"]] {
        let said = refused(folder, &arguments);
        assert!(said.contains(arguments[0]), "{said}");
    }
    assert!(
        fs::read_dir(folder).unwrap().next().is_none(),
        "left behind"
    );

    let said = refused(folder, &["--contracts", "nowhere"]);
    assert!(
        said.contains("nowhere/AdaptiveRateModel.sol/AdaptiveRateModel.json"),
        "{said}"
    );
    write_artifacts(folder, false);
    let file = folder.join("out/LendingPool.sol/LendingPool.json");
    for (text, expected) in [
        ("{", "expected a JSON object as forge writes it"),
        (
            "{\"bytecode\":{\"object\":\"0x60__$aa$__\"}}",
            "expected linked creation code",
        ),
        ("{\"abi\":[]}", "expected linked creation code"),
    ] {
        fs::write(&file, text).unwrap();
        let said = refused(folder, &["--contracts", "out"]);
        assert!(
            said.contains("LendingPool.json") && said.contains(expected),
            "{said}"
        );
    }
    // Code that deploys nothing.
    fs::write(&file, "{\"bytecode\":{\"object\":\"0xfe\"}}").unwrap();
    let said = refused(folder, &["--contracts", "out"]);
    assert!(said.contains("refuse to be set up"), "{said}");

    fs::create_dir(folder.join("corpus")).unwrap();
    fs::write(folder.join("corpus/a.seq"), "hello\n").unwrap();
    let said = refused(folder, &["--corpus", "corpus"]);
    assert!(said.contains("a.seq is damaged: expected"), "{said}");
}

#[test]
fn a_short_campaign_finds_nothing_and_says_what_it_did() {
    let folder = tempfile::tempdir().unwrap();
    let arguments = ["--minutes", "0.05", "--jobs", "1", "--corpus", "corpus"];
    let output = breakwater(folder.path(), &arguments);
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(0), "{said}");
    let table = String::from_utf8(output.stdout).unwrap();
    for word in [
        "world default",
        "world variant",
        "world backstop",
        "succeeded",
        "liquidate",
        "executions",
        "edges",
        "in the corpus",
    ] {
        assert!(table.contains(word), "{table}");
    }
    assert!(fs::read_dir(folder.path().join("corpus")).unwrap().count() > 10);
}

#[test]
fn a_counterexample_is_printed_and_written() {
    let folder = tempfile::tempdir().unwrap();
    write_artifacts(folder.path(), true);
    let output = breakwater(folder.path(), &["--contracts", "out", "--corpus", "corpus"]);
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(
        said.contains("P4-settle is broken in world default"),
        "{said}"
    );
    let printed = String::from_utf8(output.stdout).unwrap();
    let path = fs::read_dir(folder.path().join("corpus"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .find(|path| path.to_string_lossy().ends_with(".t.sol"))
        .unwrap();
    assert!(
        said.contains(path.file_name().unwrap().to_str().unwrap()),
        "{said}"
    );
    assert_eq!(fs::read_to_string(&path).unwrap(), printed);
    let name = path
        .file_name()
        .unwrap()
        .to_string_lossy()
        .replace(".t.sol", "");
    assert!(printed.contains(&format!("contract {name}Test is DefaultWorld")));
    assert!(printed.contains("settle(address,bytes)"), "{printed}");
}

#[test]
fn an_interrupt_keeps_the_corpus_and_ends_with_130() {
    let folder = tempfile::tempdir().unwrap();
    let child = Command::new(env!("CARGO_BIN_EXE_breakwater"))
        .args(["fuzz", "--minutes", "10", "--corpus", "corpus"])
        .current_dir(folder.path())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let corpus = folder.path().join("corpus");
    let stored = || fs::read_dir(&corpus).map_or(0, |entries| entries.count());
    let began = Instant::now();
    while stored() == 0 {
        assert!(began.elapsed() < Duration::from_secs(120), "no corpus");
        std::thread::sleep(Duration::from_millis(50));
    }
    let killed = Command::new("kill")
        .args(["-INT", &child.id().to_string()])
        .status()
        .unwrap();
    assert!(killed.success());
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(130), "{said}");
    let last = said.lines().last().unwrap();
    assert!(
        last.contains("interrupted") && last.contains("corpus"),
        "{said}"
    );
    let names: Vec<_> = fs::read_dir(&corpus)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    assert!(names.iter().all(|name| name.ends_with(".seq")), "{names:?}");
}

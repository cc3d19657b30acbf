//! `script/forge`, by which every check of the Solidity code runs: a launcher that swallows failures makes all of them pass.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::path::Path;
use std::process::Command;

fn forge(arguments: &[&str]) -> Option<i32> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let output = Command::new(root.join("script/forge"))
        .args(arguments)
        .current_dir(root)
        .output()
        .unwrap();
    output.status.code()
}

#[test]
fn it_ends_as_forge_ends() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("Ugly.sol");
    std::fs::write(&file, "contract   Ugly{}\n").unwrap();
    let path = file.to_str().unwrap();
    assert_eq!(forge(&["fmt", "--check", path]), Some(1));
    assert_eq!(forge(&["fmt", path]), Some(0));
    assert_eq!(forge(&["fmt", "--check", path]), Some(0));
    assert_eq!(forge(&["no-such-command"]), Some(2));
}

//! `breakwater keeper drill`, as a user runs it.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

/// Longest wait for a drill on busy cores.
const PATIENCE: Duration = Duration::from_secs(300);

fn breakwater(folder: &Path, temporary: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_breakwater"));
    command
        .args(["keeper", "drill"])
        .current_dir(folder)
        .env("TMPDIR", temporary)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

/// Processes whose command line holds `text`.
fn processes(text: &str) -> usize {
    let folders = fs::read_dir("/proc").unwrap().flatten();
    folders
        .filter_map(|folder| fs::read(folder.path().join("cmdline")).ok())
        .filter(|line| String::from_utf8_lossy(line).contains(text))
        .count()
}

/// A path to anvil that only this test uses, so that its processes can be told from others'.
fn own_anvil(folder: &Path) -> PathBuf {
    let own = folder.join("anvil");
    std::os::unix::fs::symlink(breakwater_rpc::testing::anvil_path().unwrap(), &own).unwrap();
    own
}

fn text(output: &Output) -> String {
    format!(
        "{}\n{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}

#[test]
fn it_succeeds_says_what_happened_and_leaves_nothing_behind() {
    let (folder, temporary) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let anvil = own_anvil(folder.path());
    let started = Instant::now();
    let output = breakwater(folder.path(), temporary.path())
        .env("PATH", folder.path())
        .output()
        .unwrap();
    let said = text(&output);
    assert!(output.status.success(), "{said}");
    println!("a drill takes {:?}", started.elapsed());
    assert!(output.stderr.is_empty(), "{said}");
    for expected in [
        "settled, ",
        "in parts",
        "the keeper starts the clock of the bonus",
        "does not confirm the feed's fall",
        "expectations were met",
        "The keeper says of itself",
    ] {
        assert!(said.contains(expected), "{expected}: {said}");
    }
    assert!(!said.contains("   NO "), "{said}");
    assert_eq!(fs::read_dir(temporary.path()).unwrap().count(), 0);
    assert_eq!(processes(anvil.to_str().unwrap()), 0);
}

#[test]
fn with_a_backstop_it_absorbs_settles_and_buys() {
    let (folder, temporary) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let anvil = own_anvil(folder.path());
    let started = Instant::now();
    let output = breakwater(folder.path(), temporary.path())
        .arg("--backstop")
        .env("PATH", folder.path())
        .output()
        .unwrap();
    let said = text(&output);
    assert!(output.status.success(), "{said}");
    println!("a drill with a backstop takes {:?}", started.elapsed());
    for expected in [
        "absorbed, ",
        "settled, ",
        "the keeper starts the clock of the backstop's sale",
        "the keeper buys ",
        "expectations were met",
        "It keeps ",
    ] {
        assert!(said.contains(expected), "{expected}: {said}");
    }
    assert!(!said.contains("   NO "), "{said}");
    assert_eq!(fs::read_dir(temporary.path()).unwrap().count(), 0);
    assert_eq!(processes(anvil.to_str().unwrap()), 0);
}

#[test]
fn an_interrupt_ends_the_anvil_and_removes_the_folder() {
    let (folder, temporary) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let anvil = own_anvil(folder.path());
    let anvil = anvil.to_str().unwrap();
    let child = breakwater(folder.path(), temporary.path())
        .env("PATH", folder.path())
        .spawn()
        .unwrap();
    let end = Instant::now() + PATIENCE;
    // The anvil is there, and so is the folder.
    while processes(anvil) == 0 || fs::read_dir(temporary.path()).unwrap().count() == 0 {
        assert!(Instant::now() < end);
        std::thread::sleep(Duration::from_millis(20));
    }
    let kill = Command::new("/bin/kill")
        .args(["-INT", &child.id().to_string()])
        .status();
    assert!(kill.unwrap().success());
    let output = child.wait_with_output().unwrap();
    let said = text(&output);
    assert_eq!(output.status.code(), Some(130), "{said}");
    assert!(said.contains("interrupted"), "{said}");
    assert_eq!(fs::read_dir(temporary.path()).unwrap().count(), 0, "{said}");
    assert_eq!(processes(anvil), 0, "{said}");
}

#[test]
fn without_an_anvil_it_says_what_brings_one() {
    let (folder, temporary) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let output = breakwater(folder.path(), temporary.path())
        .env("PATH", "")
        .output()
        .unwrap();
    let said = text(&output);
    assert_eq!(output.status.code(), Some(2), "{said}");
    let error = String::from_utf8_lossy(&output.stderr);
    assert_eq!(error.lines().count(), 1, "{said}");
    assert!(
        error.contains("no anvil") && error.contains("npm ci"),
        "{said}"
    );
}

#[test]
fn what_does_not_work_as_an_anvil_is_named() {
    let (folder, temporary) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let wrong = folder.path().join("anvil");
    fs::write(&wrong, "#!/bin/sh\necho no\nexit 3\n").unwrap();
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    fs::set_permissions(&wrong, mode).unwrap();
    let output = breakwater(folder.path(), temporary.path())
        .env("PATH", folder.path())
        .output()
        .unwrap();
    let said = text(&output);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(
        said.contains("does not start") && said.contains(wrong.to_str().unwrap()),
        "{said}"
    );
    assert_eq!(fs::read_dir(temporary.path()).unwrap().count(), 0);
}

//! The commands beside `keeper run` as processes: `explain`, `replay`, `run --dry-run` and `watch`.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test may panic and say what it saw"
)]

#[path = "harness/due.rs"]
mod due;
mod harness;

use std::fs::File;
use std::io::{Read, Write};
use std::process::{Command, Output, Stdio};
use std::sync::{Arc, Mutex};

use alloy::providers::Provider;
use breakwater_operator::status::MissedReason;
use due::owner;
use harness::{Keeper, Setup, World, breakwater, until};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};

/// The keeper's account.
const PLACE: usize = 5;

/// `breakwater keeper NAME --config FILE MORE…` with the world's configuration, to its end. Neither sends anything: no key is given.
fn command(world: &World, name: &str, more: &[&str]) -> Output {
    let config = world.folder.path().join("reader.toml");
    let setup = Setup {
        name: "reader".to_owned(),
        ..Setup::alone(PLACE)
    };
    std::fs::write(&config, harness::configuration(world, &setup)).unwrap();
    let mut command = breakwater(world);
    command.args(["keeper", name, "--config"]).arg(config);
    command.args(more).stdin(Stdio::null()).output().unwrap()
}

/// What it says, where it succeeds.
fn said(output: Output) -> String {
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success() && error.is_empty(), "{error}");
    String::from_utf8(output.stdout).unwrap()
}

/// The rest of the line that begins with `name`.
fn line<'a>(text: &'a str, name: &str) -> &'a str {
    let mut lines = text
        .lines()
        .filter_map(|line| line.trim().strip_prefix(name));
    lines
        .next()
        .unwrap_or_else(|| panic!("no `{name}` in: {text}"))
        .trim()
}

/// Exit code 2, and one line on standard error that has all of `parts`.
fn refused(output: &Output, parts: &[&str]) {
    let error = String::from_utf8(output.stderr.clone()).unwrap();
    assert_eq!(output.status.code(), Some(2), "{error}");
    assert_eq!(error.lines().count(), 1, "{error}");
    for part in parts {
        assert!(error.contains(part), "{part}: {error}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn explain_says_what_a_position_waits_for() {
    let world = World::start().await;
    due::open(&world, owner(1)).await;
    let account = owner(1).to_string();

    let healthy = said(command(&world, "explain", &[&account]));
    // 10 tokens at 2,000, and a health factor of 1 at 90% of that.
    assert!(healthy.starts_with(&account), "{healthy}");
    let owes: f64 = line(&healthy, "owes")
        .split(' ')
        .next()
        .unwrap()
        .parse()
        .unwrap();
    assert!((owes - 14_940.0).abs() < 1.0, "{healthy}");
    assert!(
        line(&healthy, "holds").starts_with("10.000000 "),
        "{healthy}"
    );
    assert!(line(&healthy, "health").starts_with("1.11"), "{healthy}");
    assert_eq!(line(&healthy, "zone"), "Healthy");
    let far = line(&healthy, "liquidatable");
    assert!(
        far.starts_with("no:") && (far.ends_with("10.00%") || far.ends_with("9.99%")),
        "{far}"
    );

    due::fall(&world).await;
    let fallen = said(command(&world, "explain", &[&account]));
    println!("{fallen}");
    assert_eq!(line(&fallen, "zone"), "Hard");
    assert!(
        line(&fallen, "liquidatable").starts_with("yes:"),
        "{fallen}"
    );
    assert!(
        line(&fallen, "bid now").starts_with("liquidate "),
        "{fallen}"
    );
    // Nothing of that was an act.
    assert_eq!(due::pending_nonce(&world, PLACE).await, 0);
    assert!(
        !world.folder.path().join("reader").exists(),
        "it left a state directory"
    );

    let stranger = owner(9).to_string();
    let unknown = command(&world, "explain", &[&stranger]);
    refused(&unknown, &[&stranger, "holds no collateral"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn replay_finds_what_was_liquidated_and_whether_it_would_have_bid() {
    let world = World::start().await;
    due::open(&world, owner(1)).await;
    let keeper = Keeper::start(&world, &Setup::alone(PLACE)).await;
    let from = world.head().await + 1;
    due::fall(&world).await;
    due::until_liquidated(&world, &keeper, owner(1), from).await;
    let closings = due::closings_of(&world, owner(1), from).await;
    let head = world.head().await;

    let number = from.to_string();
    let told = said(command(&world, "replay", &["--from-block", &number]));
    println!("{told}");
    let block = format!("block {} at ", closings[0].block);
    let (_, there) = told.split_once(&block).unwrap();
    let happened = line(there, "was liquidated");
    // Without capital of its own it calls the pool by its flash liquidator.
    let us = world
        .market
        .collateral()
        .flash_liquidator
        .unwrap()
        .to_string();
    assert!(
        happened.contains(&owner(1).to_string()) && happened.contains(&us),
        "{told}"
    );
    assert!(happened.ends_with("we would have bid too"), "{told}");
    let summary = told.lines().last().unwrap();
    assert!(
        summary.starts_with(&format!("{} blocks by archive calls", head + 1 - from)),
        "{summary}"
    );
    let count = closings.len();
    let counted = format!("{count} liquidations and settlements on chain, {count} of them");
    assert!(summary.contains(&counted), "{summary}");

    // Before the fall nothing happened.
    let last = (from - 1).to_string();
    let first = (from - 5).to_string();
    let calm = said(command(
        &world,
        "replay",
        &["--from-block", &first, "--to-block", &last],
    ));
    assert!(
        calm.starts_with("5 blocks by archive calls: plans for 0; 0 liq"),
        "{calm}"
    );
    let after = (head + 1).to_string();
    let unknown = command(&world, "replay", &["--from-block", &after]);
    refused(&unknown, &[&after, &head.to_string()]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_plans_tries_and_sends_nothing() {
    let world = World::start().await;
    due::open(&world, owner(1)).await;
    let setup = Setup {
        name: "dry".to_owned(),
        arguments: vec!["--dry-run".to_owned()],
        // No account is needed.
        environment: vec![("BREAKWATER_PRIVATE_KEY".to_owned(), String::new())],
        ..Setup::alone(PLACE)
    };
    let mut dry = Keeper::start(&world, &setup).await;
    let from = world.head().await + 1;
    due::fall(&world).await;
    due::mine(&world, &dry, 6).await;
    assert!(!due::is_healthy(&world, owner(1)).await, "it is due");
    assert!(world.closings(from).await.is_empty());
    let pool: serde_json::Value = world
        .provider
        .raw_request("txpool_status".into(), ())
        .await
        .unwrap();
    assert_eq!(pool["pending"], "0x0", "{pool}");
    let status = dry.status().await.unwrap();
    assert!(status.keeper.dry_run && status.sender.is_none() && status.pending.is_empty());
    let said = status.positions[0].why_not.as_deref();
    assert_eq!(said, Some("planned, and not sent: a dry run"));
    let log = dry.log();
    let would = log
        .lines()
        .find(|line| line.contains("would be sent: a dry run"));
    println!("{}", would.unwrap());
    assert!(would.unwrap().contains("kind=\"liquidate\""), "{log}");

    // What a keeper does that is not dry, the dry one knows of.
    let keeper = Keeper::start(&world, &Setup::alone(PLACE)).await;
    due::until_liquidated(&world, &keeper, owner(1), from).await;
    let status = dry
        .wait("has it in its ledger", |status| !status.missed.is_empty())
        .await;
    assert_eq!(status.missed[0].reason, MissedReason::Unready);
    assert!(
        status.missed[0].detail.contains("dry run"),
        "{:?}",
        status.missed
    );
    assert!(dry.terminate().await.success());
}

#[tokio::test(flavor = "multi_thread")]
async fn watch_shows_the_keeper_in_a_terminal_until_q() {
    let world = World::start().await;
    due::open(&world, owner(1)).await;
    let mut keeper = Keeper::start(&world, &Setup::alone(PLACE)).await;
    let head = world.mine().await;
    keeper.planned_on(head).await;

    let ours = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&ours).unwrap();
    unlockpt(&ours).unwrap();
    let name = ptsname(&ours, Vec::new()).unwrap();
    let size = Winsize {
        ws_row: 40,
        ws_col: 160,
        ws_xpixel: 0,
        ws_ypixel: 0,
    };
    let path = name.to_str().unwrap();
    let terminal = || File::options().read(true).write(true).open(path).unwrap();
    let theirs = terminal();
    tcsetwinsize(&theirs, size).unwrap();
    let before = rustix::termios::tcgetattr(&theirs).unwrap().local_modes;
    let url = format!("http://{}/", keeper.http);
    let mut child = Command::new(env!("CARGO_BIN_EXE_breakwater"))
        .args(["keeper", "watch", "--url", &url])
        .env("TERM", "xterm")
        .stdin(terminal())
        .stdout(terminal())
        .stderr(terminal())
        .spawn()
        .unwrap();
    let mut ours = File::from(ours);
    let shown = Arc::new(Mutex::new(Vec::new()));
    let (mut screen, into) = (ours.try_clone().unwrap(), shown.clone());
    // Ends with the last end of the terminal that is open.
    let reader = std::thread::spawn(move || {
        let mut buffer = [0; 4_096];
        while let Ok(count @ 1..) = screen.read(&mut buffer) {
            into.lock().unwrap().extend_from_slice(&buffer[..count]);
        }
    });
    let text = || String::from_utf8_lossy(&shown.lock().unwrap()).into_owned();
    let shows = async |what: &str| {
        let wanted = format!("the terminal shows {what}");
        until(&wanted, async || text().contains(what).then_some(())).await;
    };
    shows("0x0000").await;
    shows("healthy").await;
    // Its keys are read: another section.
    ours.write_all(b"\t\t\t\t").unwrap();
    shows("follower").await;
    // And a keeper that is gone is said to be.
    keeper.kill();
    shows("NO ANSWER").await;
    assert!(child.try_wait().unwrap().is_none());
    ours.write_all(b"q").unwrap();
    let ended = until("it ends at q", async || child.try_wait().unwrap()).await;
    assert!(ended.success(), "{ended}: {}", text());
    // The terminal is as it was: no alternate screen, no raw mode.
    shows("\u{1b}[?1049l").await;
    let after = rustix::termios::tcgetattr(&theirs).unwrap().local_modes;
    assert_eq!(after, before);
    drop((theirs, ours));
    reader.join().unwrap();
}

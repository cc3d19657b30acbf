//! Keepers that are killed, at every durable write and anywhere else, and started again with what they left on disk.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test may panic and say what it saw"
)]

#[path = "harness/doomed.rs"]
mod doomed;
#[path = "harness/due.rs"]
mod due;
mod harness;

use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use alloy::providers::ext::AnvilApi;
use breakwater_keeper::Options;
use breakwater_keeper::store::WriteHook;
use breakwater_operator::config::KeeperConfig;
use breakwater_rpc::testing::{Fault, Proxy};
use breakwater_sender::{Edge, StageHook};
use doomed::{Deed, Durable, Provocation, READS_ACCOUNT, doomed};
use due::owner;
use harness::{Keeper, Setup, World, until};
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// The keeper's account.
const PLACE: usize = 5;

const SIGKILL: i32 = 9;
const SIGXFSZ: i32 = 25;

#[tokio::test(flavor = "multi_thread")]
#[ignore = "the process that the others start: a keeper that is killed at a durable write"]
async fn child() {
    let variable = |name: &str| std::env::var(format!("KEEPER_CHILD_{name}")).unwrap();
    let crash = variable("CRASH");
    let config = KeeperConfig::load(&PathBuf::from(variable("CONFIG"))).unwrap();
    breakwater_operator::telemetry::init(
        &config.log,
        breakwater_operator::redact::Redactor::new(&[]),
    )
    .unwrap();
    let die_at = move |durable: Durable, edge: Edge| {
        if format!("{}:{edge:?}", durable.name()) == crash {
            kill_9_myself();
        }
    };
    let journal = die_at.clone();
    let options = Options {
        stage_hook: Some(StageHook::new(move |stage, edge| {
            journal(Durable::Send(stage), edge);
        })),
        write_hook: Some(WriteHook::new(move |write, edge| {
            die_at(Durable::Keep(write), edge);
        })),
        ..Options::default()
    };
    let stop = CancellationToken::new();
    let mut terminate = signal(SignalKind::terminate()).unwrap();
    let told = stop.clone();
    tokio::spawn(async move {
        terminate.recv().await;
        told.cancel();
    });
    breakwater_keeper::run(config, options, stop).await.unwrap();
}

/// Nothing runs after it, and nobody is told.
fn kill_9_myself() -> ! {
    let me = std::process::id().to_string();
    let _ = Command::new("kill").args(["-9", &me]).status();
    loop {
        std::thread::park();
    }
}

/// One crash: a keeper that dies at the write while a position is due, then the real one that goes on until all is final.
async fn crash_at(world: &World, durable: Durable, edge: Edge) {
    let (crash, deed) = (format!("{}:{edge:?}", durable.name()), durable.deed());
    let proxy = Proxy::start(&world.anvil.endpoint()).await.unwrap();
    let setup = Setup {
        name: crash.replace(':', "-"),
        urls: vec![proxy.websocket_endpoint().to_string()],
        ..Setup::alone(PLACE)
    };
    let from = world.head().await;
    if deed != Deed::ReorganiseDeeply {
        due::fall(world).await;
    }
    if deed == Deed::Gap {
        // A nonce that is taken and does not get into the next blocks.
        doomed::base_fee(world, 5).await;
        doomed::stranger(world, 0, 6).await;
    }
    if deed == Deed::Expire {
        // The account cannot be read: orders are taken and none is signed.
        let refuse = Fault::Error(-32_000, "not now".to_owned());
        proxy.set_method(READS_ACCOUNT, Some(refuse));
    }
    let mut process = doomed(world, &setup, &crash);
    let mut provocation = Provocation { deed, done: false };
    let what = format!("{crash}: the process dies");
    let died = until(&what, async || {
        let ended = process.ended();
        if ended.is_none()
            && let Some(fee) = provocation.step(world, &setup, &process).await
        {
            doomed::mine(world, fee).await;
        }
        ended
    });
    let died = died.await;
    assert_eq!(died.signal(), Some(SIGKILL), "{crash}: {died}");
    proxy.set_method(READS_ACCOUNT, None);
    goes_on(world, &setup, (durable, edge), from).await;
}

/// The real keeper with what the killed one left: the position is liquidated once, and nothing is sent twice.
async fn goes_on(world: &World, setup: &Setup, (durable, edge): (Durable, Edge), from: u64) {
    let (crash, deed) = (format!("{}:{edge:?}", durable.name()), durable.deed());
    let owner = owner(1);
    let mut keeper = Keeper::start(world, setup).await;
    if deed == Deed::ReorganiseDeeply {
        due::fall(world).await;
    }
    let alarmed = deed == Deed::TakeNonce && edge == Edge::Before;
    if alarmed {
        // It finds the stranger again and sends nothing until somebody has looked; a restart goes on.
        keeper
            .wait("says that somebody else has the key", |status| {
                let warnings = &status.warnings;
                warnings
                    .iter()
                    .any(|warning| warning.text.contains("never signed"))
            })
            .await;
        assert!(keeper.terminate().await.success());
        keeper = Keeper::start(world, setup).await;
    }
    if alarmed || deed == Deed::Stop {
        // It stopped at the head: the next block is its first.
        world.mine().await;
    }
    // He has repaid: there is nothing left to liquidate, and nothing more may be sent.
    let overtaken = deed == Deed::Overtake;
    if !overtaken {
        due::until_liquidated(world, &keeper, owner, from).await;
    }
    due::mine(world, &keeper, 4).await;
    let closings = due::closings_of(world, owner, from).await;
    assert_eq!(
        closings.len(),
        usize::from(!overtaken),
        "{crash}: {closings:?}"
    );
    let sent = due::sent_by(world, PLACE, from).await;
    let nonce = due::nonce(world, PLACE).await;
    assert_eq!(sent.len() as u64, nonce, "{crash}: {sent:?}");
    assert_eq!(
        due::pending_nonce(world, PLACE).await,
        nonce,
        "{crash}: something waits"
    );
    let reverted = sent.iter().filter(|one| !one.success).count();
    assert_eq!(reverted, usize::from(overtaken), "{crash}: {sent:?}");
    // What took the nonce or filled the gap, or what ran out meanwhile and was cancelled.
    let most = match deed {
        Deed::Gap => 3,
        Deed::Overtake => 1,
        _ => 2,
    };
    assert!(nonce <= most, "{crash}: {sent:?}");
    assert!(keeper.terminate().await.success(), "{crash}");
    println!(
        "{crash}: killed, went on, {nonce} transactions, {} liquidations",
        closings.len()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_keeper_killed_around_any_durable_write_liquidates_once() {
    let mut cases: Vec<(Durable, Edge)> = Durable::all()
        .flat_map(|durable| [(durable, Edge::Before), (durable, Edge::After)])
        .collect();
    let only = std::env::var("KEEPER_CRASH_STAGE").unwrap_or_default();
    cases.retain(|(durable, _)| durable.name().contains(&only));
    let queue = Mutex::new(cases);
    let work = async || {
        let world = World::start().await;
        due::open(&world, owner(1)).await;
        loop {
            let before = world.provider.anvil_snapshot().await.unwrap();
            let case = queue.lock().unwrap().pop();
            let Some((durable, edge)) = case else { return };
            crash_at(&world, durable, edge).await;
            world.provider.anvil_drop_all_transactions().await.unwrap();
            assert!(world.provider.anvil_revert(before).await.unwrap());
        }
    };
    tokio::join!(work(), work(), work());
}

#[tokio::test(flavor = "multi_thread")]
async fn kill_9_at_any_time_misses_nothing_and_repeats_nothing() {
    const ROUNDS: u32 = 6;
    /// In a round, as long as the position is due.
    const KILLS: u32 = 3;
    let world = World::start().await;
    for round in 0..ROUNDS {
        let account = owner(u64::from(round));
        world
            .open_falling_at(account, 20, due::steps(round).0)
            .await;
    }
    let setup = Setup::alone(PLACE);
    let log = world.folder.path().join("killed.log");
    let from = world.head().await;
    // A fixed sequence (Knuth's MMIX generator); what the process is doing at those times differs from run to run.
    let mut state = 0x5eed_u64;
    let mut kills = 0;
    for round in 0..ROUNDS {
        let account = owner(u64::from(round));
        due::fall_to(&world, due::steps(round).1).await;
        for _ in 0..KILLS {
            let mut process = harness::command(&world, &setup, &log).spawn().unwrap();
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            let end = Instant::now() + Duration::from_millis(60 + (state >> 33) % 300);
            while Instant::now() < end {
                world.mine().await;
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            assert!(process.try_wait().unwrap().is_none(), "{}", log.display());
            process.kill().unwrap();
            assert_eq!(process.wait().unwrap().signal(), Some(SIGKILL));
            kills += 1;
            if due::is_healthy(&world, account).await {
                break;
            }
        }
        let mut keeper = Keeper::start(&world, &setup).await;
        world.mine().await;
        due::until_liquidated(&world, &keeper, account, from).await;
        due::mine(&world, &keeper, 4).await;
        let closings = due::closings_of(&world, account, from).await;
        assert_eq!(closings.len(), 1, "{account}: {closings:?}");
        assert!(keeper.terminate().await.success());
        due::repay(&world, account).await;
    }
    let sent = due::sent_by(&world, PLACE, from).await;
    let nonce = due::nonce(&world, PLACE).await;
    assert_eq!(sent.len() as u64, nonce, "{sent:?}");
    assert_eq!(due::pending_nonce(&world, PLACE).await, nonce);
    println!(
        "killed {kills} times: {nonce} transactions, {} of them reverted, {ROUNDS} liquidations",
        sent.iter().filter(|one| !one.success).count()
    );
}

/// The kernel itself ends a process that writes beyond its limit of a file's size: here in the middle of the snapshot, and of its way from
/// the write-ahead log into the database, at one place after the other.
#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn killed_in_the_middle_of_its_snapshot_it_goes_on_from_a_whole_one() {
    /// No multiple of a page.
    const STEP: u64 = 4_500;
    let world = World::start().await;
    let setup = Setup {
        // Its log is a file too, and has to stay the shorter one.
        environment: vec![(
            "BREAKWATER_LOG__FILTER".to_owned(),
            "breakwater_keeper::run=info".to_owned(),
        )],
        ..Setup::alone(PLACE)
    };
    let store = world.folder.path().join(&setup.name).join("keeper.sqlite");
    let log = store.with_extension("sqlite-wal");
    let length = |file: &Path| std::fs::metadata(file).map_or(0, |data| data.len());
    let mut accounts = Vec::new();
    let (mut deaths, mut torn) = (0, 0);
    loop {
        let account = owner(accounts.len() as u64);
        world.open_falling_at(account, 5, 50.0).await;
        accounts.push(account);
        let mut keeper = Keeper::start(&world, &setup).await;
        due::agrees(&world, &keeper, &accounts).await;
        let limit = length(&log) + deaths * STEP;
        let limited = Command::new("prlimit")
            .args([
                "--pid",
                &keeper.id().to_string(),
                &format!("--fsize={limit}:{limit}"),
            ])
            .status();
        assert!(limited.unwrap().success());
        let ended = keeper.terminate().await;
        torn += u32::from(length(&log) == limit);
        let check: String = rusqlite::Connection::open(&store)
            .and_then(|store| store.query_row("PRAGMA integrity_check", [], |row| row.get(0)))
            .unwrap();
        assert_eq!(check, "ok");
        if ended.success() {
            break;
        }
        assert_eq!(ended.signal(), Some(SIGXFSZ), "at {limit}: {ended}");
        deaths += 1;
        assert!(
            deaths < 60,
            "a database of more than {} bytes?",
            deaths * STEP
        );
    }
    assert!(torn >= 2, "the snapshot was torn {torn} times");
    // The last one was written whole, and is used.
    let keeper = Keeper::start(&world, &setup).await;
    due::agrees(&world, &keeper, &accounts).await;
    println!("killed {deaths} times, {torn} of them with a torn snapshot");
}

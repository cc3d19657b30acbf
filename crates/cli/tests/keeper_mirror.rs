//! A keeper whose view of the chain is wrong, or of which a part ends: it says so, and never goes on as if nothing had happened.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test may panic and say what it saw"
)]

#[path = "harness/due.rs"]
mod due;
mod harness;

use alloy::providers::Provider;
use alloy::providers::ext::AnvilApi;
use alloy_primitives::{Address, B256, U256, keccak256};
use alloy_sol_types::SolValue;
use breakwater_bindings::ILendingPool;
use due::owner;
use harness::{Keeper, Setup, World};

/// The keeper's account.
const PLACE: usize = 5;

/// The pool's first slots, among which the mapping of positions is.
const SLOTS: u64 = 16;

/// Blocks after which the one account of a small pool has been audited, and some more.
const AUDITED_WITHIN: u64 = 60;

/// The storage slot of an account's position, whose lowest 104 bits are its debt shares.
async fn position_slot(world: &World, account: Address) -> (U256, U256) {
    let shares = world.view(ILendingPool::debtSharesOfCall { account }).await;
    let low = (U256::from(1) << 104) - U256::from(1);
    for place in 0..SLOTS {
        let slot: U256 = keccak256((account, U256::from(place)).abi_encode()).into();
        let value = world.provider.get_storage_at(world.pool(), slot).await;
        let value = value.unwrap();
        if !shares.is_zero() && value & low == U256::from(shares) {
            return (slot, value);
        }
    }
    panic!("no slot with the debt shares of {account}");
}

async fn store(world: &World, slot: U256, value: U256) {
    let value = B256::from(value);
    let set = world
        .provider
        .anvil_set_storage_at(world.pool(), slot, value);
    set.await.unwrap();
}

/// A figure of the keeper's metrics.
async fn metric(keeper: &Keeper, name: &str) -> Option<f64> {
    let (_, text) = keeper.page("/metrics").await?;
    let mut lines = text.lines().filter(|line| !line.starts_with('#'));
    let line = lines.find(|line| line.split([' ', '{']).next() == Some(name))?;
    line.rsplit(' ').next()?.parse().ok()
}

const REBUILT: &str = "the mirror is rebuilt from the chain";

/// Debt that no event tells of: the chain goes back to what the events say while the mirror is rebuilt, or it does not.
#[tokio::test(flavor = "multi_thread")]
async fn a_mirror_that_is_wrong_is_rebuilt_and_after_three_times_given_up() {
    let world = World::start().await;
    let stays = owner(1);
    world.open_falling_at(stays, 100, 50.0).await;
    let mut keeper = Keeper::start(&world, &Setup::alone(PLACE)).await;
    due::agrees(&world, &keeper, &[stays]).await;
    let (slot, right) = position_slot(&world, stays).await;
    let more = U256::from(1_000_003);

    // Once: what is rebuilt is right again.
    store(&world, slot, right + more).await;
    for _ in 0..AUDITED_WITHIN {
        if keeper.log().contains(REBUILT) {
            break;
        }
        let head = world.mine().await;
        keeper.follows(head).await;
    }
    store(&world, slot, right).await;
    let log = keeper.log();
    let said = log
        .lines()
        .find(|line| line.contains("the mirror differs from the pool"));
    println!("{}", said.unwrap());
    assert_eq!(log.matches(REBUILT).count(), 1, "{log}");
    due::agrees(&world, &keeper, &[stays]).await;
    // A mirror that was wrong is remembered.
    let status = keeper.status().await.unwrap();
    assert!(status.mirror.drift >= more, "{:?}", status.mirror);
    let gauge = metric(&keeper, "breakwater_mirror_drift_wei").await;
    assert_eq!(gauge, Some(f64::from(status.mirror.drift)));
    let audited = status.mirror.audited;
    for _ in 0..AUDITED_WITHIN {
        let head = world.mine().await;
        keeper.planned_on(head).await;
    }
    let status = keeper.status().await.unwrap();
    assert!(status.mirror.audited > audited, "{:?}", status.mirror);
    assert_eq!(keeper.log().matches(REBUILT).count(), 1);

    // For good: no rebuilding helps.
    store(&world, slot, right + more).await;
    let end = world.head().await + 5 * AUDITED_WITHIN;
    while keeper.is_alive() && world.head().await < end {
        let head = world.mine().await;
        keeper.follows(head).await;
    }
    let ended = keeper.ended().await;
    assert_eq!(ended.code(), Some(1));
    let log = keeper.log();
    assert_eq!(log.matches(REBUILT).count(), 4, "{log}");
    let last = log.lines().last().unwrap();
    assert!(
        last.starts_with("error: the engine ended:") && last.contains("rebuilt 3 times"),
        "{last}"
    );
    assert_eq!(due::pending_nonce(&world, PLACE).await, 0);
}

/// A task of a keeper ends while a liquidation is due: a database that somebody else keeps locked.
async fn ends_with(database: &str, task: &str) {
    let world = World::start().await;
    due::open(&world, owner(1)).await;
    let setup = Setup::alone(PLACE);
    let mut keeper = Keeper::start(&world, &setup).await;
    let from = world.head().await;
    let path = world.folder.path().join(&setup.name).join(database);
    let locked = rusqlite::Connection::open(path).unwrap();
    locked.execute_batch("BEGIN IMMEDIATE").unwrap();
    due::fall(&world).await;
    let end = world.head().await + 60;
    while keeper.is_alive() && world.head().await < end {
        let head = world.mine().await;
        keeper.follows(head).await;
    }
    let ended = keeper.ended().await;
    assert_eq!(ended.code(), Some(1));
    let log = keeper.log();
    let last = log.lines().last().unwrap();
    println!("{last}");
    assert!(
        last.starts_with(&format!("error: {task} ended:"))
            && last.contains(database)
            && last.contains("locked"),
        "{last}"
    );
    assert!(!log.contains("panicked"), "{log}");
    assert_eq!(
        due::pending_nonce(&world, PLACE).await,
        0,
        "nothing was sent"
    );

    // The next start does what was due, once.
    drop(locked);
    let keeper = Keeper::start(&world, &setup).await;
    // It may have stopped at the head: the next block is its first.
    world.mine().await;
    due::until_liquidated(&world, &keeper, owner(1), from).await;
    assert_eq!(due::closings_of(&world, owner(1), from).await.len(), 1);
    let sent = due::sent_by(&world, PLACE, 0).await;
    assert!(sent.iter().all(|one| one.success), "{sent:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_task_that_ends_takes_the_process_down_with_its_reason() {
    tokio::join!(
        ends_with("sender.sqlite", "the sender"),
        ends_with("keeper.sqlite", "the engine"),
    );
}

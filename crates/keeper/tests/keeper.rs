//! Keepers on a local market.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "tests")]

mod support;

use alloy::providers::Provider;
use alloy::providers::ext::AnvilApi;
use alloy::rpc::types::anvil::ReorgOptions;
use alloy_primitives::Address;
use breakwater_deploy::local::SLOT;
use breakwater_keeper::store::{Doer, Store};
use breakwater_keeper::{Options, explain, replay};
use breakwater_operator::status::{BidState, MissedReason, Status};
use breakwater_protocol::policy::Refusal;
use support::{Running, World};
use tokio_util::sync::CancellationToken;

const ALONE: &str = "[strategy]\ncompetitors = 0\n";

fn included(status: &Status) -> bool {
    status
        .pending
        .iter()
        .any(|bid| bid.state == BidState::Included)
}

fn lifted(status: &Status) -> bool {
    status.head.is_some()
        && !status.positions.is_empty()
        && status
            .positions
            .iter()
            .all(|position| position.health >= 1.0)
}

fn store(world: &World, state: &str) -> Store {
    let pool = world.market.deployment().pool;
    Store::open(&world.folder.path().join(state), 31_337, pool).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_position_that_falls_is_liquidated_at_a_profit() {
    let world = World::start().await;
    let owner = Address::repeat_byte(0xa1);
    world.open_falling_at(owner, 90).await;
    world.record_depth(owner).await;
    let mut keeper = world.keeper(5, "state", ALONE).await;

    // With nothing below 1 a block costs three requests at most: heads, logs, the reading.
    let requests = |running: &Running| -> u64 {
        let status = running.keeper.status.borrow();
        status.rpc.iter().map(|node| node.requests).sum()
    };
    let before = requests(&keeper);
    let blocks = 20;
    for _ in 0..blocks {
        world.market.advance(SLOT).await.unwrap();
        keeper.at_head(world.head().await).await;
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    let a_block = (requests(&keeper) - before) as f64 / f64::from(blocks);
    println!("requests a block: {a_block}, at most 3 asked for");
    assert!(a_block <= 3.0, "{a_block}");

    let calm = world.head().await;
    world.fall_to(88).await;
    let config = world.config("state", ALONE);
    let explained = explain::explain(&config, owner).await.unwrap();
    assert!(explained.health < 1.0 && explained.health > explained.health_hard);
    assert_eq!(explained.curve.first().unwrap().1, 0.01);
    assert_eq!(explained.curve.last().unwrap().1, 0.05);
    let thought = explained.thought.as_ref().unwrap();
    // The venue's average has yet to confirm what the feed says.
    assert_eq!(thought.refusal, Refusal::Unconfirmed, "{explained}");
    assert!(
        explained.to_string().contains("not confirmed"),
        "{explained}"
    );

    world
        .mine_until(&mut keeper, 200, "the position is lifted", |status| {
            included(status) && lifted(status)
        })
        .await;
    // Final after 64 blocks.
    world
        .mine_until(&mut keeper, 80, "the profit is final", |status| {
            status.profit.succeeded > 0 && status.pending.is_empty()
        })
        .await;
    let profit = keeper.keeper.status.borrow().profit;
    println!("{profit:?}");
    assert!(profit.net > 0.0 && profit.reverted == 0, "{profit:?}");
    keeper.stop().await.unwrap();
    let ledger = store(&world, "state").latest(10, false).unwrap();
    assert!(!ledger.is_empty());
    assert!(
        ledger.iter().all(|entry| entry.doer == Doer::Us),
        "{ledger:?}"
    );

    let mut told = Vec::new();
    let summary = replay::replay(&config, calm + 1, None, |block| told.push(block.clone()))
        .await
        .unwrap();
    assert_eq!(summary.happened, ledger.len() as u64);
    assert_eq!(summary.would_have_bid, summary.happened, "{told:#?}");
    let unknown = explain::explain(&config, Address::repeat_byte(9)).await;
    assert!(
        unknown
            .unwrap_err()
            .to_string()
            .contains("holds no collateral")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_and_a_reorg_send_nothing_twice() {
    let world = World::start().await;
    let owner = Address::repeat_byte(0xb2);
    world.open_falling_at(owner, 90).await;
    world.record_depth(owner).await;
    let mut keeper = world.keeper(5, "state", ALONE).await;
    world.fall_to(88).await;
    world
        .mine_until(&mut keeper, 50, "something is included", included)
        .await;
    let sent = |world: &World| {
        let provider = world.provider.clone();
        let address = world.signer(5).address();
        async move { provider.get_transaction_count(address).await.unwrap() }
    };
    let before = sent(&world).await;
    assert!(before > 0);
    keeper.stop().await.unwrap();

    let mut keeper = world.keeper(5, "state", ALONE).await;
    assert!(
        included(&keeper.keeper.status.borrow()),
        "the order of before is still known"
    );
    // What was sent leaves the chain with its block, and comes back as the same transaction.
    world
        .provider
        .anvil_reorg(ReorgOptions {
            depth: 2,
            tx_block_pairs: Vec::new(),
        })
        .await
        .unwrap();
    world
        .mine_until(&mut keeper, 200, "the position is lifted", |status| {
            included(status) && lifted(status) && status.mirror.reorgs > 0
        })
        .await;
    world
        .mine_until(&mut keeper, 80, "everything is final", |status| {
            status.profit.succeeded > 0 && status.pending.is_empty()
        })
        .await;
    let profit = keeper.keeper.status.borrow().profit;
    keeper.stop().await.unwrap();
    assert_eq!(
        sent(&world).await,
        profit.succeeded + profit.reverted,
        "every nonce is an order's"
    );
    // On the new branch it may have come in an epoch in which the turn was not open, and reverted: then a second order, of another
    // epoch, did it. Either way the position was liquidated once.
    assert!(profit.succeeded >= 1 && profit.reverted <= 1, "{profit:?}");
    let ledger = store(&world, "state").latest(10, false).unwrap();
    assert_eq!(ledger.len(), 1, "{ledger:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_sends_nothing_and_knows_why_others_were_first() {
    let world = World::start().await;
    let owner = Address::repeat_byte(0xc3);
    world.open_falling_at(owner, 90).await;
    world.record_depth(owner).await;
    let stop = CancellationToken::new();
    let options = Options {
        dry_run: true,
        ..Options::default()
    };
    let keeper = breakwater_keeper::start(world.config("dry", ALONE), options, stop.clone())
        .await
        .unwrap();
    let mut dry = Running { keeper, stop };
    dry.wait("is synced", |status| status.synced).await;
    assert_eq!(dry.keeper.address, Address::ZERO);
    let mut keeper = world.keeper(5, "state", ALONE).await;
    world.fall_to(88).await;
    world
        .mine_until(&mut keeper, 200, "the position is lifted", |status| {
            included(status) && lifted(status)
        })
        .await;
    dry.wait("the ledger has it", |status| !status.missed.is_empty())
        .await;
    let missed = dry.keeper.status.borrow().missed[0].clone();
    assert_eq!(missed.account, owner);
    assert_eq!(missed.reason, MissedReason::Unready, "{missed:?}");
    assert!(missed.detail.contains("dry run"), "{missed:?}");
    assert!(missed.repaid > 0.0 && missed.bonus >= 0.01);
    assert!(dry.keeper.status.borrow().pending.is_empty());
    dry.stop().await.unwrap();
    keeper.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn two_keepers_with_one_key_refuse_each_other() {
    let world = World::start().await;
    let keeper = world.keeper(5, "state", ALONE).await;
    let stop = CancellationToken::new();
    let second = breakwater_keeper::start(world.config("other", ALONE), world.options(5), stop);
    let error = second.await.unwrap_err().to_string();
    assert!(error.contains("one key serves one process"), "{error}");
    keeper.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bucket_that_nobody_fed_is_fed_because_it_pays() {
    is_fed(false).await;
}

/// By default nothing waits for a pause or a halt, so the bucket is wanted then too.
#[tokio::test(flavor = "multi_thread")]
async fn a_bucket_is_fed_while_the_breaker_halts_what_does_not_obey_it() {
    is_fed(true).await;
}

async fn is_fed(halted: bool) {
    let world = World::start().await;
    let owner = Address::repeat_byte(0xd4);
    // Somebody opened the bucket when there was no collateral: it holds next to nothing.
    world.market.observe().await.unwrap();
    world.open_falling_at(owner, 90).await;
    if halted {
        world.halt().await;
    }
    let mut keeper = world.keeper(5, "state", ALONE).await;
    world.fall_to(88).await;
    for block in 0..1_000 {
        if included(&keeper.keeper.status.borrow()) && lifted(&keeper.keeper.status.borrow()) {
            break;
        }
        world.market.advance(SLOT).await.unwrap();
        if block % 150 == 0 {
            world.fall_to(88).await;
        }
        // What it sends is to be in the block that it was planned for.
        keeper.planned_on(world.head().await).await;
    }
    let status = keeper.keeper.status.borrow().clone();
    assert!(lifted(&status), "{:#?}", status.positions);
    let bucket = status.collaterals[0].bucket.unwrap();
    assert!(bucket.cap > 100.0, "{bucket:?}");
    keeper.stop().await.unwrap();
    let totals = store(&world, "state").totals(false).unwrap();
    println!("with the depth's records: {totals:?}");
    assert!(totals.gross > totals.gas, "{totals:?}");
    assert!(totals.succeeded > 20, "{totals:?}");
    // Fewer than 2% of a lone keeper's transactions, as the design asks: blocks come faster here than plans are sent.
    assert!(
        totals.reverted * 50 < totals.succeeded + totals.reverted,
        "{totals:?}"
    );
}

//! Reorganisations under a running keeper, on real anvils.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test may panic and say what it saw"
)]

#[path = "harness/due.rs"]
mod due;
mod harness;

use alloy::network::TransactionBuilder;
use alloy::providers::Provider;
use alloy::providers::ext::AnvilApi;
use alloy::rpc::types::TransactionRequest;
use alloy::rpc::types::anvil::{ReorgOptions, TransactionData};
use alloy_primitives::{Address, U256};
use alloy_sol_types::SolCall;
use breakwater_bindings::ILendingPool;
use due::owner;
use harness::{Keeper, Setup, World};

/// The keeper's account.
const PLACE: usize = 5;

/// Replaces the last `depth` blocks by as many others, with `calls` in the first of them.
async fn reorg(world: &World, depth: u64, calls: Vec<TransactionRequest>) {
    let tx_block_pairs = calls
        .into_iter()
        .map(|call| (TransactionData::JSON(call), 0))
        .collect();
    world
        .provider
        .anvil_reorg(ReorgOptions {
            depth,
            tx_block_pairs,
        })
        .await
        .unwrap();
}

/// A borrower borrows more.
fn borrow(world: &World, account: Address, assets: u64) -> TransactionRequest {
    let call = ILendingPool::borrowCall {
        assets: U256::from(assets),
        account,
        receiver: account,
    };
    TransactionRequest::default()
        .with_from(account)
        .with_to(world.pool())
        .with_gas_limit(1_000_000)
        .with_input(call.abi_encode())
}

#[tokio::test(flavor = "multi_thread")]
async fn every_depth_up_to_64_is_rolled_back_to_the_wei() {
    let world = World::start().await;
    let stays = owner(1);
    world.open_falling_at(stays, 100, 50.0).await;
    let keeper = Keeper::start(&world, &Setup::alone(PLACE)).await;
    world.market.advance(64 * 12).await.unwrap();
    for depth in 1..=64_u64 {
        // The branch that will be abandoned: more debt in its first block.
        let request = borrow(&world, stays, 1_000_000 + depth);
        drop(world.provider.send_transaction(request).await.unwrap());
        world.market.advance(depth * 12).await.unwrap();
        let abandoned = due::head(&world).await;
        keeper.planned_on(abandoned.number).await;
        // The branch that remains: another loan, or none.
        let other = (depth % 3 != 0).then(|| borrow(&world, stays, 7_000 * depth));
        reorg(&world, depth, other.into_iter().collect()).await;
        let status = keeper
            .wait("left the branch", |status| {
                status.head.is_some_and(|head| head.hash != abandoned.hash)
                    && status.mirror.reorgs >= depth
            })
            .await;
        assert_eq!(status.mirror.deepest_reorg, depth);
        due::agrees(&world, &keeper, &[stays]).await;
    }
    let status = keeper.status().await.unwrap();
    assert_eq!(status.mirror.drift, U256::ZERO);
    assert_eq!(due::nonce(&world, PLACE).await, 0, "nothing was due");
}

/// Every transaction of the keeper that is in the chain has a nonce of its own, none is left out, and none waits.
async fn nonces_are_in_order(world: &World) {
    let nonce = due::nonce(world, PLACE).await;
    let sent = due::sent_by(world, PLACE, 0).await;
    assert_eq!(sent.len() as u64, nonce, "{sent:?}");
    assert_eq!(
        due::pending_nonce(world, PLACE).await,
        nonce,
        "something waits"
    );
}

/// How deep the reorganisations are that take back a liquidation. The shallowest more than once: whether the sender says first that the
/// block is gone, or the head is planned on first, is a race.
const DEPTHS: [u64; 10] = [1, 1, 1, 2, 3, 5, 9, 17, 33, 64];

#[tokio::test(flavor = "multi_thread")]
async fn a_liquidation_whose_block_is_gone_is_sent_again_once() {
    let world = World::start().await;
    for round in 0..DEPTHS.len() as u32 {
        let (falls_at, _) = due::steps(round);
        world
            .open_falling_at(owner(u64::from(round)), 20, falls_at)
            .await;
    }
    let keeper = Keeper::start(&world, &Setup::alone(PLACE)).await;
    for (round, depth) in DEPTHS.into_iter().enumerate() {
        let owner = owner(round as u64);
        // The keeper may be done before the fall is.
        let from = world.head().await;
        due::fall_to(&world, due::steps(round as u32).1).await;
        due::until_liquidated(&world, &keeper, owner, from).await;
        let first = due::closings_of(&world, owner, from).await;
        assert_eq!(first.len(), 1, "{first:?}");
        keeper
            .wait("knows that it was included", |status| {
                use breakwater_operator::status::BidState::Included;
                let bids = || status.pending.iter().filter(|bid| bid.account == owner);
                bids().any(|bid| bid.state == Included)
            })
            .await;
        while world.head().await + 1 < first[0].block + depth {
            world.mine().await;
        }
        let depth = depth.max(world.head().await + 1 - first[0].block);
        keeper.planned_on(world.head().await).await;
        reorg(&world, depth, Vec::new()).await;
        assert!(due::closings_of(&world, owner, from).await.is_empty());
        assert!(!due::is_healthy(&world, owner).await, "due again");
        due::until_liquidated(&world, &keeper, owner, from).await;
        due::mine(&world, &keeper, 5).await;
        let again = due::closings_of(&world, owner, from).await;
        assert_eq!(again.len(), 1, "depth {depth}: {again:?}");
        assert!(due::is_healthy(&world, owner).await);
        nonces_are_in_order(&world).await;
        due::repay(&world, owner).await;
        println!(
            "depth {depth}: liquidated in block {}, gone, again in block {} {}",
            first[0].block,
            again[0].block,
            if again[0].hash == first[0].hash {
                "by the same transaction"
            } else {
                "by another"
            },
        );
    }
    let sent = due::sent_by(&world, PLACE, 0).await;
    assert!(sent.iter().all(|one| one.success), "{sent:?}");
    let status = keeper.status().await.unwrap();
    assert_eq!(
        (status.mirror.reorgs, status.mirror.drift),
        (DEPTHS.len() as u64, U256::ZERO)
    );
    assert!(status.missed.is_empty(), "its own: {:?}", status.missed);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_due_in_the_new_branch_is_not_done_there() {
    let world = World::start().await;
    let keeper = Keeper::start(&world, &Setup::alone(PLACE)).await;
    let owner = owner(30);
    due::open(&world, owner).await;
    let from = world.head().await;
    due::fall(&world).await;
    due::until_liquidated(&world, &keeper, owner, from).await;
    let price = due::head(&world).await.number - from;
    reorg(&world, price, Vec::new()).await;
    assert!(due::is_healthy(&world, owner).await, "the fall is gone too");
    due::mine(&world, &keeper, 8).await;
    due::agrees(&world, &keeper, &[owner]).await;
    assert!(due::closings_of(&world, owner, from).await.is_empty());
    let sent = due::sent_by(&world, PLACE, 0).await;
    println!("{sent:?}");
    nonces_are_in_order(&world).await;
    // The bytes that were signed are out: their nonce is used, by them or by the transfer that takes it back.
    let orders = sent.iter().filter(|one| !one.cancels).count();
    assert!(orders <= 1, "{sent:?}");
    assert!(sent.iter().all(|one| one.closings.is_empty()), "{sent:?}");
    let status = keeper.status().await.unwrap();
    assert_eq!(status.profit.net, 0.0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reorganisation_while_it_was_away_is_followed_at_start() {
    let world = World::start().await;
    let (stays, gone) = (owner(40), owner(41));
    world.open_falling_at(stays, 100, 50.0).await;
    let setup = Setup::alone(PLACE);
    for depth in [20_u64, 64] {
        world.market.advance(64 * 12).await.unwrap();
        let fork = world.head().await;
        world.open_falling_at(gone, 5, 50.0).await;
        while world.head().await < fork + depth {
            world.mine().await;
        }
        let mut keeper = Keeper::start(&world, &setup).await;
        due::agrees(&world, &keeper, &[stays, gone]).await;
        assert!(keeper.terminate().await.success());
        let depth = world.head().await - fork;
        let depth = depth.min(64);
        let request = borrow(&world, stays, 5_000_000);
        reorg(&world, depth, vec![request]).await;
        let mut keeper = Keeper::start(&world, &setup).await;
        let others = if world.debt(gone).await.is_zero() {
            vec![stays]
        } else {
            vec![stays, gone]
        };
        due::agrees(&world, &keeper, &others).await;
        let status = keeper.status().await.unwrap();
        assert!(
            status.mirror.reorgs > 0 && status.mirror.deepest_reorg == depth,
            "{:?}",
            status.mirror
        );
        assert!(keeper.terminate().await.success());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deeper_one_is_said_and_survived() {
    let world = World::start().await;
    let stays = owner(50);
    world.open_falling_at(stays, 100, 50.0).await;
    let setup = Setup::alone(PLACE);
    let mut keeper = Keeper::start(&world, &setup).await;
    world.market.advance(70 * 12).await.unwrap();
    let before = due::head(&world).await;
    keeper.planned_on(before.number).await;
    reorg(&world, 66, vec![borrow(&world, stays, 5_000_000)]).await;
    world.mine().await;
    keeper
        .wait("is at the new head", |status| {
            status.synced && status.head.is_some_and(|head| head.number > before.number)
        })
        .await;
    assert!(
        keeper
            .log()
            .contains("reorganised more than 64 blocks deep")
    );
    due::agrees(&world, &keeper, &[stays]).await;
    assert!(keeper.terminate().await.success());
}

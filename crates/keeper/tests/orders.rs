//! What a keeper orders: after what came to nothing, with little money, and what its sales do to others.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "tests")]

mod support;

use alloy::consensus::Transaction;
use alloy::network::TransactionResponse;
use alloy::providers::Provider;
use alloy::providers::ext::AnvilApi;
use alloy_primitives::{Address, Bytes, U256, bytes};
use breakwater_deploy::local::{COLLATERAL_DECIMALS, DEBT_DECIMALS, SLOT, START_PRICE, tokens};
use breakwater_keeper::explain;
use breakwater_keeper::store::ActionKind;
use support::World;

const ALONE: &str = "[strategy]\ncompetitors = 0\n";

/// The shipped policy's.
const EPOCH: u64 = 60;

/// `revert(0, 0)`.
const REVERTS: Bytes = bytes!("5f5ffd");

const GWEI: u128 = 1_000_000_000;

/// Whether a transaction of the account waits for a block.
async fn is_out(world: &World, account: Address) -> bool {
    let mined = world.provider.get_transaction_count(account);
    let all = world.provider.get_transaction_count(account).pending();
    all.await.unwrap() > mined.await.unwrap()
}

/// The keeper's transactions: when they were included, whether they succeeded, and what they offered.
async fn sent(world: &World, from: Address) -> Vec<(u64, bool, u128)> {
    let mut found = Vec::new();
    for number in 0..=world.head().await {
        let block = world
            .provider
            .get_block(number.into())
            .full()
            .await
            .unwrap()
            .unwrap();
        for transaction in block.transactions.txns().filter(|one| one.from() == from) {
            let receipt = world
                .provider
                .get_transaction_receipt(transaction.tx_hash())
                .await
                .unwrap()
                .unwrap();
            found.push((
                block.header.timestamp,
                receipt.status(),
                Transaction::max_fee_per_gas(transaction),
            ));
        }
    }
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revert_does_not_lock_its_account_for_the_epoch() {
    let world = World::start().await;
    let owner = Address::repeat_byte(0xe1);
    world.open_falling_at(owner, 90).await;
    world.record_depth(owner).await;
    // Into the hard zone, where no turn is waited for; it sees that when it is over.
    world.fall_to(78).await;
    let liquidator = world.market.deployment().collaterals[0]
        .flash_liquidator
        .unwrap();
    let code = world.provider.get_code_at(liquidator).await.unwrap();
    world.provider.anvil_set_auto_mine(false).await.unwrap();
    let mut keeper = world.keeper(5, "state", ALONE).await;
    let us = keeper.keeper.address;
    for _ in 0..40 {
        world.market.advance(SLOT).await.unwrap();
        keeper.planned_on(world.head().await).await;
        if is_out(&world, us).await {
            break;
        }
    }
    // Somebody makes what the keeper has out revert, in a block with which an epoch begins.
    let early = (world.market.timestamp().await.unwrap() / EPOCH + 1) * EPOCH;
    let provider = &world.provider;
    provider.anvil_set_code(liquidator, REVERTS).await.unwrap();
    provider
        .anvil_set_next_block_timestamp(early)
        .await
        .unwrap();
    provider.evm_mine(None).await.unwrap();
    provider.anvil_set_code(liquidator, code).await.unwrap();
    let reverted = sent(&world, us).await;
    let (at, success, _) = reverted.last().copied().unwrap();
    assert!(!success && at == early, "{early}: {reverted:?}");
    // It bids again before the epoch is over.
    for _ in 0..3 {
        keeper.planned_on(world.head().await).await;
        world.market.advance(SLOT).await.unwrap();
    }
    let all = sent(&world, us).await;
    println!("{all:?}");
    let again = all.iter().find(|(at, _, _)| *at > early);
    let (at, success, _) = again.copied().unwrap();
    assert!(success, "{all:?}");
    assert_eq!(
        at / EPOCH,
        early / EPOCH,
        "the account was locked for the epoch: {all:?}"
    );
    keeper.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn little_money_is_bid_with_rather_than_not_at_all() {
    let world = World::start().await;
    let owner = Address::repeat_byte(0xe2);
    world.open_falling_at(owner, 90).await;
    world.record_depth(owner).await;
    // A bid of three eighths above 10 gwei, and 1.8 gwei more: less than a twentieth of what there is to earn.
    let most = 16 * GWEI;
    let balance = U256::from(900_000) * U256::from(most);
    let account = world.signer(5).address();
    world
        .provider
        .anvil_set_balance(account, balance)
        .await
        .unwrap();
    let mut keeper = world.keeper(5, "state", ALONE).await;
    world.fall_to(88).await;
    let mut lifted = false;
    for _ in 0..150 {
        world
            .provider
            .anvil_set_next_block_base_fee_per_gas(10 * GWEI)
            .await
            .unwrap();
        world.market.advance(SLOT).await.unwrap();
        keeper.planned_on(world.head().await).await;
        lifted = sent(&world, account).await.iter().any(|one| one.1);
        if lifted {
            break;
        }
    }
    let all = sent(&world, account).await;
    println!("{all:?}");
    assert!(lifted, "{:#?}", keeper.keeper.status.borrow().positions);
    assert!(all.iter().all(|one| one.2 <= most), "{all:?}");
    keeper.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn explain_says_whom_the_sale_pushes() {
    let world = World::start().await;
    // Debt with which 83% of the collateral are it at this many hundredths of a percent of the start price.
    let debt = |collateral: u64, at: u64| {
        let value = collateral * (START_PRICE / 100_000_000) * at / 10_000;
        tokens(value * 83 / 100, DEBT_DECIMALS)
    };
    let (seller, near, far) = (
        Address::repeat_byte(0xe3),
        Address::repeat_byte(0xe4),
        Address::repeat_byte(0xe5),
    );
    for (owner, collateral, at) in [(seller, 1_000, 9_550), (near, 10, 8_795), (far, 20, 7_000)] {
        world
            .market
            .open_position(
                owner,
                tokens(collateral, COLLATERAL_DECIMALS),
                debt(collateral, at),
            )
            .await
            .unwrap();
    }
    world.fall_to(88).await;
    let explained = explain::explain(&world.config("state", ALONE), seller)
        .await
        .unwrap();
    let planned = explained.planned.as_ref().unwrap();
    assert_eq!(planned.kind, ActionKind::Liquidate, "{explained}");
    let pushed = explained.pushed.unwrap();
    // Its sale takes the venue down by more than the 0.06% that `near` is away, and by less than the 20% of `far`.
    assert!(pushed.fall > 0.000_6 && pushed.fall < 0.2, "{explained}");
    assert_eq!(pushed.accounts, 1, "{explained}");
    let owed = 10.0 * 2_000.0 * 0.879_5 * 0.83;
    assert!((pushed.debt / owed - 1.0).abs() < 1e-3, "{explained}");
    assert!(
        explained.to_string().contains("1 more accounts"),
        "{explained}"
    );
    // Who is healthy sells nothing.
    let healthy = explain::explain(&world.config("state", ALONE), far)
        .await
        .unwrap();
    assert_eq!(healthy.pushed, None);
}

//! Keepers on a market with a backstop.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "tests")]

mod support;

use std::time::{Duration, Instant};

use alloy::providers::Provider;
use alloy_primitives::{Address, U256};
use breakwater_bindings::{BackstopPool, IBackstopPool, IPriceOracle, SimToken};
use breakwater_deploy::local::{COLLATERAL_DECIMALS, DEBT_DECIMALS, SLOT, START_PRICE, tokens};
use breakwater_keeper::store::{ActionKind, Doer, Kind, Store};
use breakwater_keeper::{explain, replay};
use breakwater_operator::status::{BidState, Status};
use breakwater_protocol::policy::Refusal;
use breakwater_rpc::testing::{Fault, Proxy};
use support::World;

const ALONE: &str = "[strategy]\ncompetitors = 0\n";

fn included(status: &Status) -> bool {
    let mut pending = status.pending.iter();
    pending.any(|bid| bid.state == BidState::Included)
}

fn nobody_is_below_one(status: &Status) -> bool {
    let mut positions = status.positions.iter();
    positions.all(|position| position.health >= 1.0)
}

fn store(world: &World, state: &str) -> Store {
    let pool = world.market.deployment().pool;
    Store::open(&world.folder.path().join(state), 31_337, pool).unwrap()
}

/// What an account holds of a token, whole.
async fn held(world: &World, token: Address, owner: Address, decimals: u8) -> f64 {
    let balance = world.view(token, &SimToken::balanceOfCall { owner }).await;
    f64::from(balance) / 10f64.powi(i32::from(decimals))
}

/// It stands in the damped zone, and the backstop takes it at 1%: the keeper is paid a tenth of that, and nobody is liquidated.
#[tokio::test(flavor = "multi_thread")]
async fn what_the_backstop_comes_first_at_is_absorbed_and_not_liquidated() {
    let mut world = World::start().await;
    let owner = Address::repeat_byte(0xb1);
    let backstop = world.put_backstop(1_000_000).await;
    world.open_falling_at(owner, 90).await;
    world.record_depth(owner).await;
    let calm = world.head().await;
    world.fall_to(88).await;
    world.market.advance(15 * SLOT).await.unwrap();
    let config = world.config("state", ALONE);
    let explained = explain::explain(&config, owner).await.unwrap();
    let thought = explained.thought.as_ref().unwrap();
    assert_eq!(thought.refusal, Refusal::Backstop, "{explained}");
    let offered = thought.backstop.unwrap();
    assert_eq!(offered.kind, ActionKind::Absorb);
    assert!(
        explained.to_string().contains("can absorb it"),
        "{explained}"
    );
    assert_eq!(explained.planned.unwrap().kind, ActionKind::Absorb);
    let mut keeper = world.keeper(5, "state", ALONE).await;
    let us = keeper.keeper.address;

    let done = |status: &Status| included(status) && nobody_is_below_one(status);
    world
        .mine_until(&mut keeper, 50, "the position is absorbed", done)
        .await;
    world
        .mine_until(&mut keeper, 80, "the profit is final", |status| {
            status.profit.succeeded > 0 && status.pending.is_empty()
        })
        .await;
    let profit = keeper.keeper.status.borrow().profit;
    keeper.stop().await.unwrap();
    let ledger = store(&world, "state").latest(10, false).unwrap();
    println!("{offered:?}\n{profit:?}\n{ledger:?}");
    assert_eq!(ledger.len(), 1, "{ledger:?}");
    assert_eq!(
        (ledger[0].kind, &ledger[0].doer),
        (Kind::Absorbed, &Doer::Us)
    );
    assert_eq!(ledger[0].liquidator, backstop);

    // Paid in collateral: a tenth of the discount, which it counts at the price, and nothing else.
    let token = world.market.collateral().token;
    let reward = held(&world, token, us, COLLATERAL_DECIMALS).await;
    let price = 2_000.0 * 0.88;
    let discount = ledger[0].seized * price - ledger[0].repaid;
    assert!(
        (reward * price / (0.1 * discount) - 1.0).abs() < 1e-6,
        "{reward}"
    );
    assert!(
        (profit.gross / (reward * price) - 1.0).abs() < 1e-6,
        "{profit:?}"
    );
    assert!(profit.net > 0.0 && profit.reverted == 0, "{profit:?}");
    let inventory = IBackstopPool::inventoryOfCall {
        collateralId: U256::ZERO,
    };
    let inventory = world.view(backstop, &inventory).await;
    assert!(!inventory.amount.is_zero());

    let summary = replay::replay(&config, calm + 1, None, |block| println!("{block}"))
        .await
        .unwrap();
    assert_eq!((summary.happened, summary.would_have_bid), (1, 1));
}

/// So large that no flash sale of it would pay: only the backstop's capital settles it.
#[tokio::test(flavor = "multi_thread")]
async fn what_the_venue_cannot_take_is_settled_by_the_backstop() {
    let mut world = World::start().await;
    let owner = Address::repeat_byte(0xb2);
    let backstop = world.put_backstop(3_000_000).await;
    let debt = tokens(1_500 * 2_000 * 90 / 100 * 80 / 100, DEBT_DECIMALS);
    world
        .market
        .open_position(owner, tokens(1_500, COLLATERAL_DECIMALS), debt)
        .await
        .unwrap();
    world.record_depth(owner).await;
    let mut keeper = world.keeper(5, "state", ALONE).await;
    let us = keeper.keeper.address;
    world.fall_to(70).await;
    world
        .mine_until(&mut keeper, 100, "the position is settled", |status| {
            included(status) && nobody_is_below_one(status)
        })
        .await;
    world
        .mine_until(&mut keeper, 80, "the profit is final", |status| {
            status.profit.succeeded > 0 && status.pending.is_empty()
        })
        .await;
    let profit = keeper.keeper.status.borrow().profit;
    keeper.stop().await.unwrap();
    let ledger = store(&world, "state").latest(10, false).unwrap();
    println!("{profit:?}\n{ledger:?}");
    let settled: Vec<_> = ledger
        .iter()
        .filter(|one| one.kind == Kind::Settled)
        .collect();
    assert_eq!(settled.len(), 1, "{ledger:?}");
    assert_eq!(
        (&settled[0].doer, settled[0].liquidator),
        (&Doer::Us, backstop)
    );
    // ⌈C / 1.03⌉ is paid, and a tenth of what that leaves of C is the keeper's.
    let token = world.market.collateral().token;
    let reward = held(&world, token, us, COLLATERAL_DECIMALS).await;
    let price = 2_000.0 * 0.7;
    assert!(
        (reward * price / (0.1 * 0.03 * settled[0].repaid) - 1.0).abs() < 1e-6,
        "{reward}"
    );
    assert!(profit.net > 0.0 && profit.reverted == 0, "{profit:?}");
}

/// It waits until the price has risen again, starts the sale's clock, and buys below what the venue pays.
#[tokio::test(flavor = "multi_thread")]
async fn inventory_is_bought_once_it_is_cheaper_than_the_venue() {
    let mut world = World::start().await;
    let owner = Address::repeat_byte(0xb3);
    let backstop = world.put_backstop(1_000_000).await;
    let position = tokens(400, COLLATERAL_DECIMALS);
    let debt = tokens(400 * 2_000 * 90 / 100 * 83 / 100, DEBT_DECIMALS);
    world
        .market
        .open_position(owner, position, debt)
        .await
        .unwrap();
    world.record_depth(owner).await;
    let us = world.signer(5).address();
    world.lend_to(us, 50_000, backstop).await;
    let mut keeper = world.keeper(5, "state", ALONE).await;
    world.fall_to(88).await;
    world
        .mine_until(&mut keeper, 50, "the position is absorbed", |status| {
            included(status) && nobody_is_below_one(status)
        })
        .await;
    let (asset, token) = (
        world.market.deployment().asset,
        world.market.collateral().token,
    );
    let before = (
        held(&world, asset, us, DEBT_DECIMALS).await,
        held(&world, token, us, COLLATERAL_DECIMALS).await,
    );
    assert_eq!(before.0, 50_000.0, "nothing is bought in a fall");
    // Until the slow price is not above the fast one any more: before, the sale is closed.
    world.fall_to(95).await;
    world.market.advance(2_400).await.unwrap();
    world.fall_to(95).await;
    // The clock needs five minutes to the fast price, and some more to what venue's fee and margin leave.
    for _ in 0..60 {
        world.market.advance(SLOT).await.unwrap();
        keeper.planned_on(world.head().await).await;
    }
    keeper.stop().await.unwrap();
    let after = (
        held(&world, asset, us, DEBT_DECIMALS).await,
        held(&world, token, us, COLLATERAL_DECIMALS).await,
    );
    let (paid, bought) = (before.0 - after.0, after.1 - before.1);
    println!("{bought} for {paid}, {} each", paid / bought);
    assert!(bought > 0.1, "{after:?}");
    // Below the price by more than the venue's fee of 0.05% and the margin of 0.2%.
    let price = START_PRICE as f64 / 1e8 * 0.95;
    assert!(paid / bought < price * (1.0 - 0.002_5), "{}", paid / bought);
    let nonce = world.provider.get_transaction_count(us).await.unwrap();
    let totals = store(&world, "state").totals(false).unwrap();
    println!("{totals:?} of {nonce}");
    assert_eq!(totals.reverted, 0, "{totals:?}");
}

/// A market at 95% of the start price whose backstop has inventory, the debt tokens that the keeper may buy it with, and its sale: open,
/// with no clock.
async fn with_inventory(owner: Address) -> (World, Address) {
    let mut world = World::start().await;
    let backstop = world.put_backstop(1_000_000).await;
    world.open_falling_at(owner, 90).await;
    world.record_depth(owner).await;
    world
        .lend_to(world.signer(5).address(), 50_000, backstop)
        .await;
    world.fall_to(88).await;
    world.market.advance(15 * SLOT).await.unwrap();
    let other = world.market.operator();
    let absorb = IBackstopPool::absorbCall {
        account: owner,
        collateralId: U256::ZERO,
    };
    world.market.send(other, backstop, &absorb).await.unwrap();
    world.fall_to(95).await;
    world.market.advance(2_400).await.unwrap();
    world.fall_to(95).await;
    (world, backstop)
}

/// Somebody starts the clock of the sale.
async fn observe(world: &World, backstop: Address) {
    let observe = IBackstopPool::observeCall {
        collateralId: U256::ZERO,
    };
    let other = world.market.operator();
    world.market.send(other, backstop, &observe).await.unwrap();
}

/// Another started the clock of the sale: there is nothing to start, though the price is above the fast one. (Where nobody has, the
/// keeper does so: above.)
#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_another_started_is_not_paid_for_again() {
    let (world, backstop) = with_inventory(Address::repeat_byte(0xb4)).await;
    observe(&world, backstop).await;
    let us = world.signer(5).address();
    let quote = BackstopPool::quoteSaleCall {
        collateralId: U256::ZERO,
    };
    let mut keeper = world.keeper(5, "state", ALONE).await;
    let sent = || async { world.provider.get_transaction_count(us).await.unwrap() };
    let before = sent().await;
    for _ in 0..15 {
        world.market.advance(SLOT).await.unwrap();
        keeper.planned_on(world.head().await).await;
    }
    let sale = world.view(backstop, &quote).await;
    let oracle = world.market.collateral().oracle;
    let fast = world.view(oracle, &IPriceOracle::peekCall {}).await.fast;
    assert!(sale.open && sale.price > fast, "{}", sale.price);
    keeper.stop().await.unwrap();
    assert_eq!(sent().await, before);
}

/// A node that never answers `eth_getLogs` keeps nothing from being planned, though a sale stands whose clock the keeper would start.
#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_hangs_on_logs_does_not_delay_the_plan() {
    let (world, _) = with_inventory(Address::repeat_byte(0xb7)).await;
    let proxy = Proxy::start(&world.anvil.endpoint()).await.unwrap();
    let node = proxy.websocket_endpoint().to_string();
    let mut keeper = world.keeper_at(&node, 5, "state", ALONE).await;
    keeper.planned_on(world.head().await).await;
    proxy.set_method("eth_getLogs", Some(Fault::Hang));
    let began = Instant::now();
    world.market.advance(SLOT).await.unwrap();
    keeper.planned_on(world.head().await).await;
    let waited = began.elapsed();
    println!("planned after {waited:?}: {:?}", proxy.take_counts());
    assert!(waited < Duration::from_secs(SLOT / 2), "{waited:?}");
    proxy.set_method("eth_getLogs", None);
    keeper.stop().await.unwrap();
}

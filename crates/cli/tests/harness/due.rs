//! Positions past the hard threshold, which are due at once, and what the chain says became of them.

#![allow(
    dead_code,
    clippy::unwrap_used,
    reason = "each test file uses its part, and a test may panic"
)]

use alloy::eips::{BlockId, BlockNumberOrTag};
use alloy::network::TransactionBuilder;
use alloy::providers::Provider;
use alloy::rpc::types::{BlockOverrides, Header, TransactionRequest};
use alloy_primitives::{Address, B256, Bytes, U256};
use alloy_sol_types::SolCall;
use breakwater_bindings::{ILendingPool, SimToken};
use breakwater_deploy::local::SLOT;
use breakwater_keeper::drill::accounts::{Closing, Sent, sent};

use crate::harness::{Keeper, World, wad};

/// Where a position's health factor is 1, percent of the price at the start.
pub const FALLS_AT: f64 = 90.0;

/// The price at which it is past the hard threshold, 0.8715, and still worth 4.4% more than its debt.
pub const FALLEN: f64 = 78.0;

/// Seconds that the venue's average and the feed's confirmation take to follow a fall, with what is left to do.
const FOLLOWS: u64 = 10 * SLOT;

/// Somebody whom the anvil lets act.
pub fn owner(number: u64) -> Address {
    Address::from_word(B256::from(U256::from(0xb0b_0000 + number)))
}

/// A position that is due when the price is at [`FALLEN`].
pub async fn open(world: &World, owner: Address) {
    world.open_falling_at(owner, 10, FALLS_AT).await;
}

/// The fall, and what the oracle needs to believe it.
pub async fn fall(world: &World) {
    world.price(FALLEN).await;
    world.market.advance(FOLLOWS).await.unwrap();
}

/// Steps of a long fall: where position `step` has a health factor of 1, and the price at which it is past the hard threshold while the
/// next one is not below 1 yet. Percent of the price at the start.
pub fn steps(step: u32) -> (f64, f64) {
    let falls_at = 95.0 * 0.853_f64.powi(step as i32);
    (falls_at, falls_at * 0.866)
}

/// Prices at a step of the fall, and what the oracle needs to believe it.
pub async fn fall_to(world: &World, percent: f64) {
    world.price(percent).await;
    world.market.advance(FOLLOWS).await.unwrap();
}

/// The same without the keeper's seeing it on its way, where it might act already: the process is held until it is over.
pub async fn fall_unseen(world: &World, keeper: &Keeper, percent: f64) {
    keeper.signal("-STOP");
    fall_to(world, percent).await;
    keeper.signal("-CONT");
}

/// The borrower pays all back: whatever the price does, the position is no longer due.
pub async fn repay(world: &World, owner: Address) {
    let (asset, pool) = (world.market.deployment().asset, world.pool());
    let approve = SimToken::approveCall {
        spender: pool,
        amount: U256::MAX,
    };
    let repay = ILendingPool::repayCall {
        assets: U256::MAX,
        account: owner,
        data: Bytes::new(),
    };
    world
        .act(async {
            world.market.send(owner, asset, &approve).await?;
            Ok(world.market.send(owner, pool, &repay).await?)
        })
        .await;
    assert_eq!(world.debt(owner).await, U256::ZERO);
}

/// Mines until `owner` has been liquidated by the keeper, and a few blocks more.
pub async fn until_liquidated(world: &World, keeper: &Keeper, owner: Address, from: u64) {
    let what = format!("the liquidation of {owner}");
    world
        .run(&[keeper], 60, &what, async || {
            !closings_of(world, owner, from).await.is_empty() && is_healthy(world, owner).await
        })
        .await;
}

/// Mines blocks, the keeper planning on each.
pub async fn mine(world: &World, keeper: &Keeper, blocks: u64) {
    for _ in 0..blocks {
        let head = world.mine().await;
        keeper.planned_on(head).await;
    }
}

/// The liquidations of one account that are in the chain.
pub async fn closings_of(world: &World, owner: Address, from: u64) -> Vec<Closing> {
    let mut all = world.closings(from).await;
    all.retain(|closing| closing.account == owner);
    all
}

pub async fn is_healthy(world: &World, owner: Address) -> bool {
    world.health(owner).await >= wad(1.0)
}

/// What the account `place` has sent that is in the chain, from a block on.
pub async fn sent_by(world: &World, place: usize, from: u64) -> Vec<Sent> {
    let deployment = world.market.deployment();
    sent(&world.provider, deployment, world.account(place), from)
        .await
        .unwrap()
}

/// Transactions of the account `place` that the chain counts.
pub async fn nonce(world: &World, place: usize) -> u64 {
    world
        .provider
        .get_transaction_count(world.account(place))
        .await
        .unwrap()
}

/// The same with those that wait for a block.
pub async fn pending_nonce(world: &World, place: usize) -> u64 {
    world
        .provider
        .get_transaction_count(world.account(place))
        .pending()
        .await
        .unwrap()
}

/// Whether a transaction of the account `place` waits for a block.
pub async fn waits(world: &World, place: usize) -> bool {
    let chain = nonce(world, place).await;
    pending_nonce(world, place).await > chain
}

/// The latest block's header.
pub async fn head(world: &World) -> Header {
    let latest = world
        .provider
        .get_block_by_number(BlockNumberOrTag::Latest)
        .await;
    latest.unwrap().unwrap().header
}

/// A view of the pool in the block after the latest, as the keeper plans for it.
pub async fn next_view<C: SolCall>(world: &World, call: C) -> C::Return {
    next_view_of(world, world.pool(), call).await
}

/// The same of any contract.
pub async fn next_view_of<C: SolCall>(world: &World, contract: Address, call: C) -> C::Return {
    let head = head(world).await;
    let request = TransactionRequest::default()
        .with_to(contract)
        .with_input(call.abi_encode());
    let overrides = BlockOverrides {
        number: Some(U256::from(head.number + 1)),
        time: Some(head.timestamp + SLOT),
        ..BlockOverrides::default()
    };
    let answer = world
        .provider
        .call(request)
        .block(BlockId::hash(head.hash))
        .with_block_overrides(overrides)
        .await
        .unwrap();
    C::abi_decode_returns(&answer).unwrap()
}

/// Every position that the keeper publishes, with what the pool itself says of it in the block that is planned for: account, debt by
/// the keeper and by the pool, base units.
pub async fn compared(world: &World, keeper: &Keeper) -> Vec<(Address, U256, U256)> {
    let status = keeper.status().await.unwrap();
    let mut rows = Vec::new();
    for position in &status.positions {
        let account = position.account;
        let debt = next_view(world, ILendingPool::debtOfCall { account }).await;
        rows.push((
            account,
            U256::from((position.debt * 1e6).round() as u64),
            debt,
        ));
    }
    rows
}

/// Waits until all that the keeper publishes of `accounts`, and of nobody else, is what the pool says, to the base unit of debt; mines a
/// block now and then, since positions are published with plans.
pub async fn agrees(world: &World, keeper: &Keeper, accounts: &[Address]) {
    let mut rows = Vec::new();
    for _ in 0..8 {
        let head = world.mine().await;
        keeper.planned_on(head).await;
        rows = compared(world, keeper).await;
        let mut seen: Vec<Address> = rows.iter().map(|row| row.0).collect();
        seen.sort();
        let mut wanted = accounts.to_vec();
        wanted.sort();
        if seen == wanted && rows.iter().all(|(_, ours, chain)| ours == chain) {
            return;
        }
    }
    panic!("the mirror differs from the pool: {rows:?}, expected {accounts:?}");
}

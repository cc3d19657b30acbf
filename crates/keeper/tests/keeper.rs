//! One keeper on a local market.

mod support;

use alloy_primitives::{Address, U256};
use breakwater_bindings::ILendingPool;
use breakwater_keeper::store::{Doer, Store};
use breakwater_rpc::{Client, Endpoint, Endpoints};
use support::World;

async fn health(world: &World, account: Address) -> U256 {
    let endpoint = Endpoint::parse(&world.anvil.endpoint()).unwrap();
    let client: Client = breakwater_rpc::connect(&Endpoints::new(31_337, [endpoint]))
        .await
        .unwrap();
    client
        .view(
            alloy::eips::BlockId::latest(),
            world.market.deployment().pool,
            &ILendingPool::accountHealthCall { account },
        )
        .await
        .unwrap()
        .healthFast
}

#[tokio::test(flavor = "multi_thread")]
async fn a_position_that_falls_is_liquidated_at_a_profit() {
    let _ = tracing_subscriber::fmt()
        .with_env_filter("info,breakwater_keeper=debug")
        .with_test_writer()
        .try_init();
    let world = World::start().await;
    let owner = Address::repeat_byte(0xa1);
    world.open_falling_at(owner, 90).await;
    world.record_depth(owner).await;
    let mut keeper = world
        .keeper(5, "state", "[strategy]\ncompetitors = 0\n")
        .await;
    world.fall_to(88).await;
    assert!(health(&world, owner).await < U256::from(10).pow(U256::from(18)));

    world
        .mine_until(&mut keeper, 200, "a bid is included", |status| {
            status
                .pending
                .iter()
                .any(|bid| bid.state == breakwater_operator::status::BidState::Included)
                && status
                    .positions
                    .iter()
                    .all(|position| position.health >= 1.0)
        })
        .await;
    assert!(health(&world, owner).await >= U256::from(10).pow(U256::from(18)));
    // Final after 64 blocks.
    world
        .mine_until(&mut keeper, 80, "the profit is final", |status| {
            status.profit.succeeded > 0 && status.pending.is_empty()
        })
        .await;
    let profit = keeper.keeper.status.borrow().profit;
    println!("{profit:?}");
    assert!(profit.net > 0.0, "{profit:?}");
    assert_eq!(profit.reverted, 0);
    let pool = world.market.deployment().pool;
    keeper.stop().await.unwrap();
    let mut store = Store::open(&world.folder.path().join("state"), 31_337, pool).unwrap();
    let ledger = store.latest(10, false).unwrap();
    assert!(
        !ledger.is_empty() && ledger.iter().all(|entry| entry.doer == Doer::Us),
        "{ledger:?}"
    );
}

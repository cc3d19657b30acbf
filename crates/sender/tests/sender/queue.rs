//! Base fees, balances and who waits for whom.

use alloy::providers::Provider;
use alloy::providers::ext::AnvilApi;
use alloy_primitives::{Address, U256};
use breakwater_sender::{Cause, Order, Outcome, Sender, SubmitError};
use tokio_util::sync::CancellationToken;

use crate::chain::{Chain, GWEI, Run, eventually, follow, head, order};

const ETHER: U256 = U256::from_limbs([1_000_000_000_000_000_000, 0, 0, 0]);

/// Waits until the sender has read the chain's head and done what it calls for.
async fn until_read(chain: &Chain, run: &Run) {
    let number = head(&chain.node).await.number;
    eventually("the sender to have read the head", async || {
        let status = run.started.handle.status();
        status.head.is_some_and(|seen| seen.number >= number) && status.chain_nonce.is_some()
    })
    .await;
}

/// Waits until the node has what is offered now, that many transactions.
async fn until_offered(chain: &Chain, run: &Run, number: usize) {
    let handle = &run.started.handle;
    eventually("the node to have all of it", async || {
        let pool: serde_json::Value = chain
            .node
            .raw_request("txpool_content".into(), ())
            .await
            .unwrap();
        let pool = pool.to_string();
        let offered: Vec<String> = handle
            .status()
            .in_flight
            .iter()
            .filter_map(|flight| Some(flight.hash?.to_string()))
            .collect();
        offered.len() == number && offered.iter().all(|hash| pool.contains(hash))
    })
    .await;
}

#[tokio::test]
async fn an_order_that_no_longer_pays_makes_way_for_those_behind_it() {
    let chain = Chain::start().await;
    let mut settings = chain.settings();
    settings.cancel_ceiling = 80 * GWEI;
    let mut run = chain.run_with(chain.node.clone(), settings).await;
    // Two that are worth little, one behind them that is worth much.
    let (mut thin, mut thinner, good) = (
        chain.order(1).await,
        chain.order(2).await,
        chain.order(3).await,
    );
    thin.max_fee_ceiling = 3 * GWEI;
    thinner.max_fee_ceiling = thinner.max_fee_per_gas;
    for order in [&thin, &thinner] {
        run.started.handle.submit(order.clone()).await.unwrap();
    }
    chain.until_pending(2).await;
    chain.base_fee(20 * GWEI).await;
    chain.mine(1).await;
    until_read(&chain, &run).await;
    let waiting = run.started.handle.status();
    assert!(
        waiting.in_flight.iter().all(|flight| !flight.cancelling),
        "nothing waits behind them: {waiting:?}"
    );
    run.started.handle.submit(good.clone()).await.unwrap();
    for order in [&thin, &thinner] {
        run.until(order.id, |outcome| {
            *outcome == Outcome::Cancelling(Cause::Outpriced)
        })
        .await;
    }
    until_offered(&chain, &run, 3).await;
    chain.base_fee(20 * GWEI).await;
    chain.mine(1).await;
    assert_eq!(
        (chain.nonce().await, chain.executed(good.id).await),
        (3, 1),
        "all in the next block, long before anything ran out"
    );
    for order in [&thin, &thinner] {
        run.until(order.id, |outcome| {
            matches!(outcome, Outcome::Cancelled(Cause::Outpriced, _))
        })
        .await;
        assert_eq!(chain.executed(order.id).await, 0);
    }
}

#[tokio::test]
async fn an_order_that_its_cancellation_could_not_overtake_is_left_alone() {
    let chain = Chain::start().await;
    let run = chain.run().await;
    let (mut thin, good) = (chain.order(1).await, chain.order(2).await);
    thin.max_fee_ceiling = thin.max_fee_per_gas;
    run.started.handle.submit(thin.clone()).await.unwrap();
    chain.until_pending(1).await;
    // A cancellation may offer one step more: far from enough.
    chain.base_fee(20 * GWEI).await;
    chain.mine(1).await;
    until_read(&chain, &run).await;
    run.started.handle.submit(good.clone()).await.unwrap();
    let handle = run.started.handle.clone();
    eventually("both to be signed", async || {
        let in_flight = handle.status().in_flight;
        in_flight.len() == 2 && in_flight.iter().all(|flight| flight.nonce.is_some())
    })
    .await;
    let status = handle.status();
    assert!(
        status.in_flight.iter().all(|flight| !flight.cancelling),
        "{status:?}"
    );
    chain.base_fee(GWEI).await;
    chain
        .mine_until("both", async || {
            chain.executed(thin.id).await + chain.executed(good.id).await == 2
        })
        .await;
    assert_eq!(chain.nonce().await, 2);
}

#[tokio::test]
async fn planned_orders_that_do_not_pay_let_others_pass() {
    let chain = Chain::start().await;
    chain
        .node
        .anvil_set_balance(chain.key.address(), ETHER)
        .await
        .unwrap();
    // Planned before the first head is known: neither is refused.
    let token = CancellationToken::new();
    let started = Sender::start(
        chain.node.clone(),
        chain.key.clone(),
        chain.settings(),
        token,
    )
    .await
    .unwrap();
    let (mut thin, mut large, good) = (
        chain.order(1).await,
        chain.order(2).await,
        chain.order(3).await,
    );
    thin.max_fee_ceiling = thin.max_fee_per_gas;
    large.value = ETHER;
    large.max_fee_ceiling = 90 * GWEI;
    for order in [&thin, &large, &good] {
        started.handle.submit(order.clone()).await.unwrap();
    }
    chain.base_fee(20 * GWEI).await;
    chain.mine(1).await;
    tokio::spawn(follow(chain.node.clone(), started.handle.clone()));
    chain.until_pending(1).await;
    chain.base_fee(20 * GWEI).await;
    chain.mine(1).await;
    assert_eq!((chain.executed(good.id).await, chain.nonce().await), (1, 1));
    assert!(started.handle.status().balance_low);
    // Nothing is lost: they are sent when they can be.
    chain
        .node
        .anvil_set_balance(chain.key.address(), ETHER * U256::from(2))
        .await
        .unwrap();
    chain.base_fee(GWEI).await;
    chain
        .mine_until("the others", async || {
            chain.executed(thin.id).await + chain.executed(large.id).await == 2
        })
        .await;
    assert_eq!(chain.nonce().await, 3);
}

#[tokio::test]
async fn an_order_that_waits_for_what_is_out_keeps_its_turn() {
    let chain = Chain::start().await;
    chain
        .node
        .anvil_set_balance(chain.key.address(), ETHER)
        .await
        .unwrap();
    let run = chain.run().await;
    let large = |number| Order {
        value: ETHER * U256::from(6) / U256::from(10),
        to: Address::repeat_byte(0xaa),
        ..order(number, u64::MAX)
    };
    let (first, second, small) = (large(1), large(2), order(3, u64::MAX));
    for order in [&first, &second, &small] {
        run.started.handle.submit(order.clone()).await.unwrap();
    }
    chain.until_pending(1).await;
    let handle = run.started.handle.clone();
    eventually("the status to have all three", async || {
        handle.status().in_flight.len() == 3
    })
    .await;
    let status = handle.status();
    let nonces: Vec<_> = status.in_flight.iter().map(|flight| flight.nonce).collect();
    assert_eq!(nonces, [Some(0), None, None], "{status:?}");
    assert!(status.balance_low);
    chain.mine(1).await;
    // The first has taken what the second needs: it can only be paid by more money, and the small one passes.
    chain
        .mine_until("the small one", async || {
            chain.executed(small.id).await == 1
        })
        .await;
    assert_eq!(chain.nonce().await, 2);
}

/// What counts is the base fee of the block that an order can be in, not of the one that is there.
#[tokio::test]
async fn an_order_that_pays_in_the_next_block_is_taken_and_sent() {
    let chain = Chain::start().await;
    let run = chain.run().await;
    chain.base_fee(16 * GWEI).await;
    chain.mine(1).await;
    until_read(&chain, &run).await;
    let mut order = chain.order(1).await;
    // An empty block: the next base fee is an eighth lower.
    order.max_fee_ceiling = 14 * GWEI;
    let mut less = chain.order(2).await;
    less.max_fee_ceiling = 14 * GWEI - 1;
    let answer = run.started.handle.submit(less).await;
    assert!(
        matches!(answer, Err(SubmitError::FeeTooLow { base_fee, .. }) if base_fee == 14 * GWEI),
        "{answer:?}"
    );
    run.started.handle.submit(order.clone()).await.unwrap();
    chain.until_pending(1).await;
    chain.mine(1).await;
    assert_eq!(chain.executed(order.id).await, 1);
}

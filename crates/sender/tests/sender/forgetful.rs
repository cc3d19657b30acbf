//! Nodes that keep no old states, receipts or blocks, and a sender that was away for a while.

use alloy::providers::Provider;
use alloy::providers::ext::AnvilApi;
use alloy::rpc::types::anvil::ReorgOptions;
use alloy_primitives::{Bytes, U256};
use breakwater_rpc::testing::Fault;
use breakwater_sender::{FINAL_DEPTH, Outcome};
use serde_json::{Value, json};

use crate::adverse::behind_proxy;
use crate::chain::{Chain, GWEI, eventually, head};

/// Blocks whose states the anvils of these tests keep.
const KEPT_STATES: u64 = 600;

#[tokio::test]
async fn an_inclusion_that_moved_while_no_process_ran_is_read_again_at_the_next_start() {
    let chain = Chain::start().await;
    let mut run = chain.run().await;
    let order = chain.order(1).await;
    chain.mine(3).await;
    run.started.handle.submit(order.clone()).await.unwrap();
    chain.until_pending(1).await;
    chain.mine(1).await;
    let is_included = |outcome: &Outcome| matches!(outcome, Outcome::Included(_));
    let Outcome::Included(first) = run.until(order.id, is_included).await else {
        unreachable!()
    };
    assert_eq!(run.stop().await, 0);
    let raw: Bytes = chain
        .node
        .raw_request("eth_getRawTransactionByHash".into(), (first.hash,))
        .await
        .unwrap();
    let options = ReorgOptions {
        depth: 2,
        tx_block_pairs: Vec::new(),
    };
    chain.node.anvil_reorg(options).await.unwrap();
    // This node forgets what a reorg takes out; others do not.
    let _ = chain.node.send_raw_transaction(&raw).await.unwrap();
    chain
        .mine_until("inclusion", async || chain.executed(order.id).await == 1)
        .await;

    let mut run = chain.run().await;
    run.until(order.id, |outcome| {
        *outcome
            == Outcome::Reorged {
                block_number: first.block_number,
            }
    })
    .await;
    let Outcome::Included(second) = run.until(order.id, is_included).await else {
        unreachable!()
    };
    assert_eq!(second.hash, first.hash);
    assert_ne!(second.block_hash, first.block_hash);
    assert_eq!((chain.nonce().await, chain.pending().await), (1, 1));
}

/// A sender whose order was mined, and whose node keeps neither receipts nor blocks to itself: it cannot tell whose the nonce is.
#[tokio::test]
async fn a_used_nonce_is_a_stranger_s_only_after_a_while() {
    let chain = Chain::start().await;
    let (proxy, mut run) = behind_proxy(&chain).await;
    let order = chain.order(1).await;
    run.started.handle.submit(order.clone()).await.unwrap();
    chain.until_pending(1).await;
    for method in ["eth_getTransactionReceipt", "eth_getBlockByNumber"] {
        proxy.set_method(method, Some(Fault::Answer(Value::Null)));
    }
    let next_read = async || {
        let _ = proxy.take_counts();
        chain.mine(1).await;
        let number = head(&chain.node).await.number;
        eventually("the account to be read", async || {
            let status = run.started.handle.status();
            status.head.is_some_and(|head| head.number == number) && status.chain_nonce == Some(1)
        })
        .await;
    };
    // More heads than a slow chain's patience, in seconds.
    for _ in 0..16 {
        next_read().await;
        eventually("the node to be asked for the block", async || {
            proxy.take_counts().contains_key("eth_getBlockByNumber")
        })
        .await;
    }
    assert_eq!(run.started.handle.status().alarm, None);
    let later = chain.now().await + 120;
    chain
        .node
        .anvil_set_next_block_timestamp(later)
        .await
        .unwrap();
    chain.mine(1).await;
    let dropped = run
        .until(order.id, |outcome| {
            matches!(outcome, Outcome::Dropped { .. })
        })
        .await;
    assert_eq!(
        dropped,
        Outcome::Dropped {
            nonce: 0,
            foreign: None
        }
    );
}

#[tokio::test]
async fn an_inclusion_settles_though_its_receipt_was_forgotten() {
    let chain = Chain::start().await;
    let (proxy, mut run) = behind_proxy(&chain).await;
    let order = chain.order(1).await;
    run.started.handle.submit(order.clone()).await.unwrap();
    chain.until_pending(1).await;
    chain.mine(1).await;
    run.until(order.id, |outcome| matches!(outcome, Outcome::Included(_)))
        .await;
    proxy.set_method(
        "eth_getTransactionReceipt",
        Some(Fault::Answer(Value::Null)),
    );
    chain.mine(FINAL_DEPTH).await;
    run.until(order.id, |outcome| *outcome == Outcome::Final)
        .await;
    assert_eq!(run.started.handle.status().alarm, None);
}

#[tokio::test]
async fn a_node_without_old_states_still_names_the_stranger() {
    let chain = Chain::start().await;
    let (proxy, run) = behind_proxy(&chain).await;
    // Ours never gets to the node, and is still out when the states of its first blocks are gone.
    let taken = Fault::Answer(json!(format!("{:#066x}", U256::from(1))));
    proxy.set_method("eth_sendRawTransaction", Some(taken));
    let mut order = chain.order(1).await;
    order.valid_until = u64::MAX;
    run.started.handle.submit(order.clone()).await.unwrap();
    let handle = run.started.handle.clone();
    eventually("ours to be signed", async || {
        handle
            .status()
            .in_flight
            .iter()
            .any(|flight| flight.nonce == Some(0))
    })
    .await;
    assert_eq!(run.stop().await, 1);
    chain.mine(KEPT_STATES + 100).await;
    assert!(
        chain
            .node
            .get_transaction_count(chain.key.address())
            .number(1)
            .await
            .is_err(),
        "the node still has its first states"
    );
    let foreign = chain.stranger(0, 9 * GWEI).await;
    chain.mine(3).await;
    let (_proxy, mut run) = behind_proxy(&chain).await;
    let dropped = run
        .until(order.id, |outcome| {
            matches!(outcome, Outcome::Dropped { .. })
        })
        .await;
    assert_eq!(
        dropped,
        Outcome::Dropped {
            nonce: 0,
            foreign: Some(foreign)
        }
    );
}

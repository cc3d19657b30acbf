//! Chains that turn back, providers that lie, strangers with the key.

use std::time::Duration;

use alloy::providers::ext::AnvilApi;
use alloy::rpc::types::anvil::ReorgOptions;
use alloy_primitives::U256;
use breakwater_rpc::testing::{Fault, Proxy};
use breakwater_sender::{
    Alarm, Cause, FINAL_DEPTH, OrderState, Outcome, Report, Sender, StartError, SubmitError,
};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use crate::chain::{Chain, GWEI, Run, connect, eventually};

/// A chain's sender with a proxy between it and the node.
pub async fn behind_proxy(chain: &Chain) -> (Proxy, Run) {
    let proxy = Proxy::start(&chain.anvil.endpoint()).await.unwrap();
    let mut settings = chain.settings();
    settings.request_timeout = Duration::from_millis(500);
    let url = proxy.endpoint();
    let run = chain.run_with(connect(&url.to_string()), settings).await;
    (proxy, run)
}

#[tokio::test]
async fn a_lost_answer_to_a_broadcast_changes_nothing() {
    for fault in [
        Fault::SwallowAnswer,
        Fault::Hang,
        Fault::Drop,
        Fault::ServerError,
        Fault::Garbage,
    ] {
        let chain = Chain::start().await;
        let (proxy, mut run) = behind_proxy(&chain).await;
        proxy.next("eth_sendRawTransaction", fault.clone());
        let order = chain.order(1).await;
        run.started.handle.submit(order.clone()).await.unwrap();
        chain.until_pending(1).await;
        run.until(order.id, |outcome| {
            matches!(outcome, Outcome::Broadcast { .. })
        })
        .await;
        chain.mine(1).await;
        run.until(order.id, |outcome| matches!(outcome, Outcome::Included(_)))
            .await;
        assert_eq!(
            (chain.executed(order.id).await, chain.pending().await),
            (1, 1),
            "{fault:?}"
        );
    }
}

#[tokio::test]
async fn a_node_that_takes_a_transaction_and_forgets_it_is_told_again() {
    let chain = Chain::start().await;
    let (proxy, mut run) = behind_proxy(&chain).await;
    proxy.next(
        "eth_sendRawTransaction",
        Fault::Answer(json!(format!("{:#066x}", U256::from(1)))),
    );
    let order = chain.order(1).await;
    run.started.handle.submit(order.clone()).await.unwrap();
    run.until(order.id, |outcome| {
        matches!(outcome, Outcome::Broadcast { .. })
    })
    .await;
    assert_eq!(chain.pending().await, 0, "the proxy kept it to itself");
    chain
        .mine_until("inclusion", async || chain.executed(order.id).await == 1)
        .await;
    run.until(order.id, |outcome| matches!(outcome, Outcome::Included(_)))
        .await;
    assert_eq!(chain.nonce().await, 1);
}

#[tokio::test]
async fn receipts_that_are_withheld_are_not_taken_for_a_stranger() {
    let chain = Chain::start().await;
    let (proxy, mut run) = behind_proxy(&chain).await;
    proxy.set_method(
        "eth_getTransactionReceipt",
        Some(Fault::Answer(Value::Null)),
    );
    let order = chain.order(1).await;
    run.started.handle.submit(order.clone()).await.unwrap();
    chain.until_pending(1).await;
    for _ in 0..12 {
        chain.mine(1).await;
        let (handle, head) = (&run.started.handle, crate::chain::head(&chain.node).await);
        eventually("the head to be read", async || {
            let status = handle.status();
            status.head.is_some_and(|seen| seen.number >= head.number)
                && status.chain_nonce == Some(1)
        })
        .await;
    }
    let state = run.started.handle.lookup(order.id).await.unwrap().unwrap();
    assert_eq!(state, OrderState::InFlight { nonce: 0 });
    assert_eq!(run.started.handle.status().alarm, None);
    proxy.set_method("eth_getTransactionReceipt", None);
    chain.mine(1).await;
    run.until(order.id, |outcome| matches!(outcome, Outcome::Included(_)))
        .await;
}

#[tokio::test]
async fn a_nonce_below_what_is_settled_is_not_believed() {
    let chain = Chain::start().await;
    let (proxy, mut run) = behind_proxy(&chain).await;
    let (first, second) = (chain.order(1).await, chain.order(2).await);
    run.started.handle.submit(first.clone()).await.unwrap();
    chain.until_pending(1).await;
    chain.mine(1 + FINAL_DEPTH).await;
    run.until(first.id, |outcome| *outcome == Outcome::Final)
        .await;
    proxy.set_method("eth_getTransactionCount", Some(Fault::Answer(json!("0x0"))));
    let handle = run.started.handle.clone();
    chain.mine(1).await;
    let number = crate::chain::head(&chain.node).await.number;
    eventually("the head", async || {
        handle
            .status()
            .head
            .is_some_and(|head| head.number == number)
    })
    .await;
    handle.submit(second.clone()).await.unwrap();
    eventually("the lie to be noticed", async || {
        handle.status().provider_error.is_some()
    })
    .await;
    assert_eq!(
        handle.lookup(second.id).await,
        Ok(Some(OrderState::Planned))
    );
    proxy.set_method("eth_getTransactionCount", None);
    chain
        .mine_until("inclusion", async || chain.executed(second.id).await == 1)
        .await;
    assert_eq!(
        (chain.nonce().await, chain.executed(first.id).await),
        (2, 1)
    );
}

#[tokio::test]
async fn a_pool_that_holds_too_much_of_ours_is_refused_at_start() {
    let chain = Chain::start().await;
    let proxy = Proxy::start(&chain.anvil.endpoint()).await.unwrap();
    proxy.next("eth_getTransactionCount", Fault::Answer(json!("0x0")));
    proxy.next("eth_getTransactionCount", Fault::Answer(json!("0xffffff")));
    let provider = connect(&proxy.endpoint().to_string());
    let started = Sender::start(
        provider,
        chain.key.clone(),
        chain.settings(),
        CancellationToken::new(),
    )
    .await;
    assert!(
        matches!(
            started,
            Err(StartError::Pending {
                latest: 0,
                pending: 0xff_ffff,
                ..
            })
        ),
        "{started:?}"
    );
}

#[tokio::test]
async fn what_a_reorg_takes_out_goes_in_again_once() {
    for depth in [1, 5] {
        let chain = Chain::start().await;
        let mut run = chain.run().await;
        let order = chain.order(1).await;
        chain.mine(3).await;
        run.started.handle.submit(order.clone()).await.unwrap();
        chain.until_pending(1).await;
        chain.mine(depth).await;
        run.until(order.id, |outcome| matches!(outcome, Outcome::Included(_)))
            .await;
        chain
            .node
            .anvil_reorg(ReorgOptions {
                depth,
                tx_block_pairs: Vec::new(),
            })
            .await
            .unwrap();
        run.until(order.id, |outcome| {
            matches!(outcome, Outcome::Reorged { .. })
        })
        .await;
        chain
            .mine_until("inclusion", async || chain.executed(order.id).await == 1)
            .await;
        run.until(order.id, |outcome| matches!(outcome, Outcome::Included(_)))
            .await;
        assert_eq!(
            (chain.executed(order.id).await, chain.pending().await),
            (1, 1),
            "depth {depth}"
        );
    }
}

#[tokio::test]
async fn a_stranger_with_the_key_stops_the_sender_loudly() {
    let chain = Chain::start().await;
    let mut run = chain.run().await;
    let order = chain.order(1).await;
    run.started.handle.submit(order.clone()).await.unwrap();
    chain.until_pending(1).await;
    let foreign = chain.stranger(0, 9 * GWEI).await;
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
            foreign: Some(foreign)
        }
    );
    let alarm = Alarm::ForeignNonce {
        address: chain.key.address(),
        nonce: 0,
        foreign: Some(foreign),
    };
    assert_eq!(
        run.started.reports.recv().await,
        Some(Report::Alarm(alarm.clone()))
    );
    let handle = run.started.handle.clone();
    eventually("the status to say so", async || {
        handle.status().alarm.as_ref() == Some(&alarm)
    })
    .await;
    let refused = run.started.handle.submit(chain.order(2).await).await;
    assert!(
        matches!(
            refused,
            Err(SubmitError::Halted(Alarm::ForeignNonce { .. }))
        ),
        "{refused:?}"
    );
    run.stop().await;

    // A person looked; a restart goes on above it and does not repeat the dropped order.
    let mut run = chain.run().await;
    let next = chain.order(3).await;
    run.started.handle.submit(next.clone()).await.unwrap();
    chain.until_pending(2).await;
    chain.mine(1).await;
    run.until(next.id, |outcome| matches!(outcome, Outcome::Included(_)))
        .await;
    assert_eq!(
        (
            chain.executed(order.id).await,
            chain.executed(next.id).await
        ),
        (0, 1)
    );
    let handle = run.started.handle.clone();
    let dropped = async |is_final| {
        assert_eq!(
            handle.lookup(order.id).await,
            Ok(Some(OrderState::Dropped { is_final }))
        );
    };
    dropped(false).await;
    chain.mine(FINAL_DEPTH).await;
    run.until(order.id, |outcome| *outcome == Outcome::Final)
        .await;
    dropped(true).await;
    assert_eq!(handle.status().alarm, None, "said once, before the restart");
}

#[tokio::test]
async fn a_stranger_who_takes_the_next_nonce_is_noticed_before_it_is_signed_for() {
    let chain = Chain::start().await;
    let run = chain.run().await;
    let handle = run.started.handle.clone();
    eventually("the account to be read", async || {
        handle.status().chain_nonce == Some(0)
    })
    .await;
    let foreign = chain.stranger(0, 9 * GWEI).await;
    chain.mine(1).await;
    let number = crate::chain::head(&chain.node).await.number;
    eventually("the head", async || {
        handle
            .status()
            .head
            .is_some_and(|head| head.number == number)
    })
    .await;
    let _ = handle.submit(chain.order(1).await).await;
    eventually("the alarm", async || handle.status().alarm.is_some()).await;
    assert!(matches!(
        handle.status().alarm,
        Some(Alarm::ForeignNonce { nonce: 0, foreign: Some(hash), .. }) if hash == foreign
    ));
    assert_eq!(chain.pending().await, 1, "nothing of ours was sent");
}

#[tokio::test]
async fn nonces_that_nobody_used_are_filled() {
    let chain = Chain::start().await;
    let lost = [chain.stranger(0, GWEI).await, chain.stranger(1, GWEI).await];
    let mut run = chain.run().await;
    let order = chain.order(1).await;
    run.started.handle.submit(order.clone()).await.unwrap();
    chain.until_pending(3).await;
    for hash in lost {
        chain.node.anvil_drop_transaction(hash).await.unwrap();
    }
    chain
        .mine_until("inclusion", async || chain.executed(order.id).await == 1)
        .await;
    run.until(
        order.id,
        |outcome| matches!(outcome, Outcome::Included(inclusion) if inclusion.nonce == 2),
    )
    .await;
    assert_eq!(chain.nonce().await, 3);
}

/// What blocks is as urgent as what is blocked, and that may be a cancellation, dearer than its order was ever to be.
#[tokio::test]
async fn a_nonce_that_blocks_a_cancellation_is_filled() {
    let chain = Chain::start().await;
    let lost = chain.stranger(0, GWEI).await;
    let mut run = chain.run().await;
    let mut order = chain.order(1).await;
    order.max_fee_ceiling = order.max_fee_per_gas;
    run.started.handle.submit(order.clone()).await.unwrap();
    chain.until_pending(2).await;
    chain.node.anvil_drop_transaction(lost).await.unwrap();
    chain
        .node
        .anvil_set_next_block_timestamp(order.valid_until + 1)
        .await
        .unwrap();
    chain.mine(1).await;
    run.until(order.id, |outcome| {
        *outcome == Outcome::Cancelling(Cause::Expired)
    })
    .await;
    chain
        .mine_until("the gap to be filled", async || chain.nonce().await == 2)
        .await;
    run.until(order.id, |outcome| {
        matches!(outcome, Outcome::Cancelled(Cause::Expired, _))
    })
    .await;
    assert_eq!(chain.executed(order.id).await, 0);
}

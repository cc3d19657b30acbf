//! What becomes of an order on a chain that behaves.

use alloy::providers::Provider;
use alloy::providers::ext::AnvilApi;
use alloy_primitives::U256;
use breakwater_sender::{
    Cause, FINAL_DEPTH, OrderError, OrderState, Outcome, SenderEnded, SubmitError,
};

use crate::chain::{Chain, GWEI, PATIENCE};

const ETHER: U256 = U256::from_limbs([1_000_000_000_000_000_000, 0, 0, 0]);

#[tokio::test]
async fn orders_are_included_once_each_in_order_and_settle() {
    let chain = Chain::start().await;
    let mut run = chain.run().await;
    let orders = [
        chain.order(1).await,
        chain.order(2).await,
        chain.order(3).await,
    ];
    for order in &orders {
        run.started.handle.submit(order.clone()).await.unwrap();
    }
    chain.until_pending(3).await;
    chain.mine(1).await;
    for (nonce, order) in orders.iter().enumerate() {
        let Outcome::Included(inclusion) = run
            .until(order.id, |outcome| matches!(outcome, Outcome::Included(_)))
            .await
        else {
            unreachable!()
        };
        assert_eq!(inclusion.nonce, nonce as u64);
        assert!(
            inclusion.success && inclusion.gas_used > 21_000 && inclusion.effective_gas_price > 0
        );
        assert_eq!(chain.executed(order.id).await, 1);
    }
    chain.mine(FINAL_DEPTH - 1).await;
    let state = run
        .started
        .handle
        .lookup(orders[0].id)
        .await
        .unwrap()
        .unwrap();
    assert!(
        matches!(state, OrderState::Included(_)),
        "one block short of final: {state:?}"
    );
    chain.mine(1).await;
    for order in &orders {
        run.until(order.id, |outcome| *outcome == Outcome::Final)
            .await;
    }
    let again = run.started.handle.submit(orders[0].clone()).await;
    assert!(
        matches!(
            again,
            Err(SubmitError::Duplicate {
                state: OrderState::Final(_),
                ..
            })
        ),
        "{again:?}"
    );
    assert_eq!(run.stop().await, 0);

    let run = chain.run().await;
    let again = run.started.handle.submit(orders[1].clone()).await;
    assert!(
        matches!(
            again,
            Err(SubmitError::Duplicate {
                state: OrderState::Final(_),
                ..
            })
        ),
        "{again:?}"
    );
    assert_eq!((chain.nonce().await, chain.pending().await), (3, 3));
}

#[tokio::test]
async fn a_jump_of_the_base_fee_is_followed_at_an_eighth_more_or_what_is_needed() {
    let chain = Chain::start().await;
    let mut run = chain.run().await;
    let order = chain.order(1).await;
    run.started.handle.submit(order.clone()).await.unwrap();
    chain.until_pending(1).await;
    chain.base_fee(5 * GWEI).await;
    chain.mine(1).await;
    let replaced = run
        .until(order.id, |outcome| {
            matches!(outcome, Outcome::Replaced { .. })
        })
        .await;
    let Outcome::Replaced {
        old,
        new,
        max_fee_per_gas,
    } = replaced
    else {
        unreachable!()
    };
    assert_ne!(old, new);
    // The block was empty: the next base fee is an eighth lower. An eighth above that, and an eighth above the first tip.
    assert_eq!(max_fee_per_gas, 5 * GWEI * 7 / 8 * 9 / 8 + GWEI * 9 / 8);
    chain
        .mine_until("inclusion", async || chain.executed(order.id).await == 1)
        .await;
    let included = run
        .until(order.id, |outcome| matches!(outcome, Outcome::Included(_)))
        .await;
    assert!(matches!(included, Outcome::Included(inclusion) if inclusion.hash == new));
    assert_eq!(chain.nonce().await, 1);
}

#[tokio::test]
async fn replacements_stop_at_the_ceiling_and_the_order_waits_for_a_lower_base_fee() {
    let chain = Chain::start().await;
    let mut run = chain.run().await;
    let mut order = chain.order(1).await;
    order.max_fee_ceiling = 2 * GWEI * 9 / 8;
    run.started.handle.submit(order.clone()).await.unwrap();
    chain.until_pending(1).await;
    for _ in 0..12 {
        chain.base_fee(9 * GWEI).await;
        chain.mine(1).await;
        let handle = &run.started.handle;
        let head = crate::chain::head(&chain.node).await;
        crate::chain::eventually("the sender to have read the head", async || {
            handle
                .status()
                .head
                .is_some_and(|seen| seen.number >= head.number)
        })
        .await;
    }
    let status = run.started.handle.status();
    assert_eq!(status.in_flight[0].attempts, 2, "{status:?}");
    assert_eq!(status.in_flight[0].max_fee_per_gas, order.max_fee_ceiling);
    assert_eq!(chain.executed(order.id).await, 0);
    chain.base_fee(GWEI).await;
    chain
        .mine_until("inclusion", async || chain.executed(order.id).await == 1)
        .await;
    let included = run
        .until(order.id, |outcome| matches!(outcome, Outcome::Included(_)))
        .await;
    let below_ceiling = matches!(included, Outcome::Included(inclusion) if inclusion.effective_gas_price <= order.max_fee_ceiling);
    assert!(below_ceiling, "{included:?}");
    assert_eq!(chain.nonce().await, 1);
}

#[tokio::test]
async fn a_cancellation_pays_what_the_order_would_not() {
    let chain = Chain::start().await;
    let mut settings = chain.settings();
    settings.cancel_ceiling = 40 * GWEI;
    let mut run = chain.run_with(chain.node.clone(), settings).await;
    let mut order = chain.order(1).await;
    order.max_fee_ceiling = order.max_fee_per_gas;
    run.started.handle.submit(order.clone()).await.unwrap();
    chain.until_pending(1).await;
    chain.base_fee(30 * GWEI).await;
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
    // The base fee stays where it is: a nonce that waited for a lower one would hold up all later orders.
    chain
        .mine_until("the cancellation's block", async || {
            chain.base_fee(30 * GWEI).await;
            chain.nonce().await == 1
        })
        .await;
    let cancelled = run
        .until(order.id, |outcome| {
            matches!(outcome, Outcome::Cancelled(Cause::Expired, _))
        })
        .await;
    let paid = matches!(cancelled, Outcome::Cancelled(_, inclusion)
        if (30 * GWEI..=40 * GWEI).contains(&inclusion.effective_gas_price));
    assert!(paid, "{cancelled:?}");
    assert_eq!(chain.executed(order.id).await, 0);
}

#[tokio::test]
async fn an_order_that_ran_out_in_flight_is_cancelled_at_its_nonce() {
    let chain = Chain::start().await;
    let mut run = chain.run().await;
    let order = chain.order(1).await;
    run.started.handle.submit(order.clone()).await.unwrap();
    chain.until_pending(1).await;
    chain.base_fee(3 * GWEI).await;
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
    let handle = run.started.handle.clone();
    crate::chain::eventually("the pool to have the cancellation", async || {
        let cancellation = handle
            .status()
            .in_flight
            .first()
            .and_then(|flight| flight.hash)
            .unwrap();
        let pool: serde_json::Value = chain
            .node
            .raw_request("txpool_content".into(), ())
            .await
            .unwrap();
        pool.to_string().contains(&cancellation.to_string())
    })
    .await;
    chain.base_fee(GWEI).await;
    chain.mine(1).await;
    run.until(order.id, |outcome| {
        matches!(outcome, Outcome::Cancelled(Cause::Expired, _))
    })
    .await;
    assert_eq!(
        (chain.executed(order.id).await, chain.nonce().await),
        (0, 1)
    );
    let handle = run.started.handle.clone();
    let is_final = async || match handle.lookup(order.id).await.unwrap().unwrap() {
        OrderState::Cancelled {
            cause: Cause::Expired,
            is_final,
            ..
        } => is_final,
        other => panic!("{other:?}"),
    };
    assert!(!is_final().await, "a reorg may still bring the order back");
    chain.mine(FINAL_DEPTH).await;
    run.until(order.id, |outcome| *outcome == Outcome::Final)
        .await;
    assert!(is_final().await);
}

#[tokio::test]
async fn an_order_without_funds_is_held_and_flagged_and_then_sent_or_dropped() {
    let chain = Chain::start().await;
    chain
        .node
        .anvil_set_balance(chain.key.address(), U256::from(1))
        .await
        .unwrap();
    let mut run = chain.run().await;
    let (mut short, long) = (chain.order(1).await, chain.order(2).await);
    short.valid_until = chain.now().await + 100;
    run.started.handle.submit(short.clone()).await.unwrap();
    run.started.handle.submit(long.clone()).await.unwrap();
    let handle = run.started.handle.clone();
    crate::chain::eventually("the balance to be called low", async || {
        handle.status().balance_low
    })
    .await;
    chain
        .node
        .anvil_set_next_block_timestamp(short.valid_until + 1)
        .await
        .unwrap();
    chain.mine(1).await;
    run.until(short.id, |outcome| *outcome == Outcome::Expired)
        .await;
    assert_eq!(chain.pending().await, 0);
    chain
        .node
        .anvil_set_balance(chain.key.address(), ETHER)
        .await
        .unwrap();
    chain
        .mine_until("inclusion", async || chain.executed(long.id).await == 1)
        .await;
    run.until(long.id, |outcome| matches!(outcome, Outcome::Included(_)))
        .await;
    assert_eq!(
        (chain.executed(short.id).await, chain.nonce().await),
        (0, 1)
    );
    assert!(!run.started.handle.status().balance_low);
}

#[tokio::test]
async fn an_order_that_no_node_takes_is_cancelled() {
    let chain = Chain::start().await;
    let mut run = chain.run().await;
    let mut order = chain.order(1).await;
    order.gas_limit = 200_000_000;
    run.started.handle.submit(order.clone()).await.unwrap();
    let is_rejected =
        |outcome: &Outcome| matches!(outcome, Outcome::Cancelling(Cause::Rejected(_)));
    run.until(order.id, is_rejected).await;
    chain.until_pending(1).await;
    chain.mine(1).await;
    run.until(order.id, |outcome| {
        matches!(outcome, Outcome::Cancelled(Cause::Rejected(_), _))
    })
    .await;
    assert_eq!(
        (chain.executed(order.id).await, chain.nonce().await),
        (0, 1)
    );
}

#[tokio::test]
async fn orders_that_cannot_be_are_refused_and_leave_their_id_free() {
    let chain = Chain::start().await;
    let mut settings = chain.settings();
    settings.max_in_flight = 1;
    let run = chain.run_with(chain.node.clone(), settings).await;
    let handle = run.started.handle.clone();
    crate::chain::eventually("the first head", async || handle.status().head.is_some()).await;
    let good = chain.order(1).await;

    let mut order = good.clone();
    order.gas_limit = order.intrinsic_gas() - 1;
    let answer = handle.submit(order).await;
    let wanted = |error: &SubmitError| {
        matches!(
            error,
            SubmitError::Invalid(OrderError::GasLimitBelowIntrinsic { .. })
        )
    };
    assert!(answer.as_ref().is_err_and(wanted), "{answer:?}");

    let mut order = good.clone();
    (
        order.max_fee_per_gas,
        order.max_priority_fee_per_gas,
        order.max_fee_ceiling,
    ) = (9, 9, 9);
    let answer = handle.submit(order).await;
    assert!(
        matches!(answer, Err(SubmitError::FeeTooLow { max_fee: 9, .. })),
        "{answer:?}"
    );

    let mut order = good.clone();
    order.valid_until = chain.now().await - 1;
    let answer = handle.submit(order).await;
    assert!(
        matches!(answer, Err(SubmitError::Expired { .. })),
        "{answer:?}"
    );

    handle.submit(good).await.unwrap();
    let answer = handle.submit(chain.order(2).await).await;
    assert!(
        matches!(answer, Err(SubmitError::Full { limit: 1 })),
        "{answer:?}"
    );
}

#[tokio::test]
async fn a_shutdown_takes_nothing_more_and_hands_over_what_is_out() {
    let chain = Chain::start().await;
    let run = chain.run().await;
    let order = chain.order(1).await;
    run.started.handle.submit(order.clone()).await.unwrap();
    chain.until_pending(1).await;
    let handle = run.started.handle.clone();
    let unknown = chain.order(2).await;
    assert_eq!(handle.lookup(unknown.id).await, Ok(None));
    assert_eq!(run.stop().await, 1);
    assert!(matches!(
        handle.submit(unknown.clone()).await,
        Err(SubmitError::ShuttingDown)
    ));
    // Not the same as an order that it never heard of.
    for id in [order.id, unknown.id] {
        assert_eq!(handle.lookup(id).await, Err(SenderEnded));
    }
    chain.mine(1).await;
    let mut run = chain.run().await;
    run.until(order.id, |outcome| matches!(outcome, Outcome::Included(_)))
        .await;

    // With somebody to tell of heads, it waits for what is out.
    let mut settings = chain.settings();
    settings.shutdown_grace = PATIENCE;
    run.stop().await;
    let run = chain.run_with(chain.node.clone(), settings).await;
    let last = chain.order(3).await;
    run.started.handle.submit(last.clone()).await.unwrap();
    chain.until_pending(2).await;
    run.token.cancel();
    chain.mine(1).await;
    assert_eq!(run.stop().await, 0);
    assert_eq!(chain.executed(last.id).await, 1);
}

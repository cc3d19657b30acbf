//! A running keeper whose node or network fails, whose clock is off, or that is told to stop while a transaction is out.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test may panic and say what it saw"
)]

#[path = "harness/due.rs"]
mod due;
mod harness;

use std::fs;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use alloy::providers::ext::AnvilApi;
use breakwater_operator::status::BidState;
use breakwater_rpc::testing::{Fault, Proxy};
use due::owner;
use harness::{Keeper, Setup, World, until};

/// The keeper's account.
const PLACE: usize = 5;

/// A keeper that asks `urls`, gives up on a request after half a second, and calls a head stale after two.
fn impatient(urls: Vec<String>) -> Setup {
    let environment = [
        ("BREAKWATER_CHAIN__SLOT_SECONDS", "1"),
        ("BREAKWATER_CHAIN__MAX_HEAD_AGE_SECONDS", "2"),
        ("BREAKWATER_CHAIN__REQUEST_TIMEOUT_MS", "500"),
    ];
    Setup {
        urls,
        environment: environment
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .to_vec(),
        ..Setup::alone(PLACE)
    }
}

/// A node that does not answer.
const SILENT: [(&str, Fault); 3] = [
    ("drops connections", Fault::Drop),
    ("hangs", Fault::Hang),
    ("is far too slow", Fault::Slow(Duration::from_secs(3))),
];

/// A node that answers something else.
const WRONG: [(&str, Fault); 4] = [
    ("limits the rate", Fault::RateLimit),
    ("fails", Fault::ServerError),
    ("answers garbage", Fault::Garbage),
    ("answers half", Fault::Truncate),
];

async fn is_ready(keeper: &Keeper) {
    until("the keeper is ready", async || {
        (keeper.page("/ready").await?.0 == 200).then_some(())
    })
    .await;
}

/// Waits until `/ready` is 503 with all of `parts` in its reasons.
async fn is_not_ready(keeper: &Keeper, parts: &[&str]) -> String {
    until(&format!("/ready says {parts:?}"), async || {
        let (code, text) = keeper.page("/ready").await?;
        (code == 503 && parts.iter().all(|part| text.contains(part))).then_some(text)
    })
    .await
}

/// Makes blocks until the due position is liquidated; then checks that this happened once, and nothing else.
async fn liquidates_once(world: &World, keeper: &Keeper, round: u64, from: u64) {
    let owner = owner(round);
    let what = format!("the liquidation of {owner}; log: {}", keeper.log.display());
    until(&what, async || {
        world.mine().await;
        tokio::time::sleep(Duration::from_millis(100)).await;
        due::is_healthy(world, owner).await.then_some(())
    })
    .await;
    for _ in 0..3 {
        world.mine().await;
    }
    keeper.planned_on(world.head().await).await;
    let closings = due::closings_of(world, owner, from).await;
    assert_eq!(closings.len(), 1, "{closings:?}");
    let sent = due::sent_by(world, PLACE, from).await;
    assert!(sent.iter().all(|one| one.success), "{sent:?}");
    let nonce = due::nonce(world, PLACE).await;
    assert_eq!(
        due::pending_nonce(world, PLACE).await,
        nonce,
        "something waits"
    );
    due::repay(world, owner).await;
}

/// Positions that fall one after the other, one for each round.
async fn opened(world: &World, rounds: usize) {
    for round in 0..rounds as u32 {
        world
            .open_falling_at(owner(u64::from(round)), 20, due::steps(round).0)
            .await;
    }
}

/// With one endpoint: it is not ready and sends nothing while that fails, and goes on by itself.
async fn waits_says_so_and_goes_on(faults: &[(&str, Fault)]) {
    let world = World::start().await;
    opened(&world, faults.len()).await;
    let proxy = Proxy::start(&world.anvil.endpoint()).await.unwrap();
    let keeper = Keeper::start(&world, &impatient(vec![proxy.endpoint().to_string()])).await;
    for (round, (name, fault)) in faults.iter().enumerate() {
        world.mine().await;
        is_ready(&keeper).await;
        let (from, nonce) = (world.head().await, due::nonce(&world, PLACE).await);
        proxy.set(Some(fault.clone()));
        due::fall_to(&world, due::steps(round as u32).1).await;
        let reasons = is_not_ready(&keeper, &["the head, block", "has not changed for"]).await;
        world.mine().await;
        let pending = due::pending_nonce(&world, PLACE).await;
        assert_eq!(pending, nonce, "{name}: sent something");
        proxy.set(None);
        liquidates_once(&world, &keeper, round as u64, from).await;
        println!("a node that {name}: {}", reasons.trim());
    }
}

/// They mostly wait: all at once, each with a market of its own.
#[tokio::test(flavor = "multi_thread")]
async fn a_lone_node_that_fails_is_waited_for() {
    tokio::join!(
        waits_says_so_and_goes_on(&SILENT),
        waits_says_so_and_goes_on(&WRONG),
        waits_for_one_that_stands_still()
    );
}

async fn waits_for_one_that_stands_still() {
    let world = World::start().await;
    opened(&world, 1).await;
    let proxy = Proxy::start(&world.anvil.endpoint()).await.unwrap();
    let keeper = Keeper::start(&world, &impatient(vec![proxy.endpoint().to_string()])).await;
    world.mine().await;
    is_ready(&keeper).await;
    let from = world.head().await;
    // Everything but its head it answers as it should.
    proxy.freeze().await.unwrap();
    due::fall_to(&world, due::steps(0).1).await;
    is_not_ready(&keeper, &["has not changed for"]).await;
    assert_eq!(due::pending_nonce(&world, PLACE).await, 0);
    proxy.thaw();
    liquidates_once(&world, &keeper, 0, from).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn with_two_endpoints_it_fails_over() {
    let world = World::start().await;
    let faults: Vec<_> = SILENT.into_iter().chain(WRONG).collect();
    opened(&world, faults.len() + 1).await;
    let bad = Proxy::start(&world.anvil.endpoint()).await.unwrap();
    let good = Proxy::start(&world.anvil.endpoint()).await.unwrap();
    let urls = vec![bad.endpoint().to_string(), good.endpoint().to_string()];
    let keeper = Keeper::start(&world, &impatient(urls)).await;
    for (round, (name, fault)) in faults.into_iter().enumerate() {
        let from = world.head().await;
        let _ = good.take_counts();
        bad.set(Some(fault));
        due::fall_to(&world, due::steps(round as u32).1).await;
        liquidates_once(&world, &keeper, round as u64, from).await;
        let asked: u64 = good.take_counts().values().sum();
        assert!(asked > 0, "{name}: the second was never asked");
        bad.set(None);
    }
    // One that answers at once, of a head that is no longer it.
    until("the first is asked again", async || {
        world.mine().await;
        let status = keeper.status().await?;
        status.rpc[0].healthy.then_some(())
    })
    .await;
    let (from, round) = (world.head().await, SILENT.len() + WRONG.len());
    let failures = keeper.status().await.unwrap().rpc[0].failures;
    bad.freeze().await.unwrap();
    due::fall_to(&world, due::steps(round as u32).1).await;
    liquidates_once(&world, &keeper, round as u64, from).await;
    keeper
        .wait("takes the stale head for a failure", |status| {
            status.rpc[0].failures > failures
        })
        .await;
    bad.thaw();
    let status = keeper.status().await.unwrap();
    assert!(
        status.rpc[0].failures > 0 && status.missed.is_empty(),
        "{:?}",
        status.rpc
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_websocket_that_closes_is_opened_again() {
    let world = World::start().await;
    opened(&world, 3).await;
    let proxy = Proxy::start(&world.anvil.endpoint()).await.unwrap();
    let setup = impatient(vec![proxy.websocket_endpoint().to_string()]);
    let keeper = Keeper::start(&world, &setup).await;
    for round in 0..3 {
        let from = world.head().await;
        proxy.disconnect();
        due::fall_to(&world, due::steps(round as u32).1).await;
        proxy.disconnect();
        liquidates_once(&world, &keeper, round, from).await;
        world.mine().await;
        is_ready(&keeper).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_that_are_nonsense_send_nothing() {
    let world = World::start().await;
    opened(&world, 1).await;
    let proxy = Proxy::start(&world.anvil.endpoint()).await.unwrap();
    let keeper = Keeper::start(&world, &impatient(vec![proxy.endpoint().to_string()])).await;
    let from = world.head().await;
    let nonsense = [
        Fault::Answer("0x".into()),
        Fault::Answer(format!("0x{}", "ff".repeat(4_096)).into()),
        Fault::Error(-32_000, "missing trie node".to_owned()),
    ];
    for (round, fault) in nonsense.into_iter().enumerate() {
        proxy.set_method("eth_call", Some(fault));
        if round == 0 {
            due::fall_to(&world, due::steps(0).1).await;
        }
        for _ in 0..5 {
            let head = world.mine().await;
            keeper
                .wait("sees the head", |status| {
                    status.head.is_some_and(|seen| seen.number >= head)
                })
                .await;
        }
        is_not_ready(&keeper, &["the last that could be planned on"]).await;
        assert_eq!(due::pending_nonce(&world, PLACE).await, 0);
    }
    proxy.set_method("eth_call", None);
    liquidates_once(&world, &keeper, 0, from).await;
    is_ready(&keeper).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_send_whose_answer_is_lost_is_one_transaction() {
    let world = World::start().await;
    opened(&world, 2).await;
    let proxy = Proxy::start(&world.anvil.endpoint()).await.unwrap();
    for (round, url) in [proxy.endpoint(), proxy.websocket_endpoint()]
        .into_iter()
        .enumerate()
    {
        let mut keeper = Keeper::start(&world, &impatient(vec![url.to_string()])).await;
        let from = world.head().await;
        proxy.next("eth_sendRawTransaction", Fault::SwallowAnswer);
        proxy.next("eth_sendRawTransaction", Fault::SwallowAnswer);
        let _ = proxy.take_counts();
        due::fall_to(&world, due::steps(round as u32).1).await;
        liquidates_once(&world, &keeper, round as u64, from).await;
        let sends = proxy.take_counts()["eth_sendRawTransaction"];
        assert!(sends >= 2, "sent {sends} times");
        // Blocks come without waiting for it: what expires on a slow machine it takes back, which is a transaction too.
        let sent = due::sent_by(&world, PLACE, from).await;
        let orders = sent.iter().filter(|one| !one.cancels).count();
        assert_eq!(orders, 1, "{sent:?}");
        assert!(keeper.terminate().await.success());
    }
}

/// Makes blocks until a transaction of the keeper waits for one.
async fn in_flight(world: &World, keeper: &Keeper) {
    let nonce = due::nonce(world, PLACE).await;
    for _ in 0..60 {
        keeper.planned_on(world.head().await).await;
        let sent = keeper.status().await.unwrap();
        let submitted =
            |bid: &breakwater_operator::status::PendingBid| bid.state != BidState::Included;
        if sent.pending.iter().any(submitted) {
            until("the transaction is in the pool", async || {
                (due::pending_nonce(world, PLACE).await > nonce).then_some(())
            })
            .await;
            return;
        }
        world.mine().await;
    }
    panic!("nothing was sent within 60 blocks");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_base_fee_that_rises_while_it_is_out_is_not_paid_at_a_loss() {
    let world = World::start().await;
    opened(&world, 1).await;
    let keeper = Keeper::start(&world, &Setup::alone(PLACE)).await;
    let from = world.head().await;
    due::fall_unseen(&world, &keeper, due::steps(0).1).await;
    in_flight(&world, &keeper).await;
    // Below the most that the operator allows, and far above what a liquidation of this size brings.
    for _ in 0..8 {
        let fee = 1_500_000_000_000;
        let set = world.provider.anvil_set_next_block_base_fee_per_gas(fee);
        set.await.unwrap();
        world.market.advance(12).await.unwrap();
        keeper.planned_on(world.head().await).await;
    }
    assert!(due::closings_of(&world, owner(0), from).await.is_empty());
    // What was out has been taken back meanwhile: its nonce is free.
    let taken_back = &due::sent_by(&world, PLACE, from).await[0];
    let gas = f64::from(taken_back.gas) / 1e18;
    assert!(
        taken_back.closings.is_empty() && gas <= 21_000.0 * 2_000e-9,
        "{taken_back:?}"
    );
    liquidates_once(&world, &keeper, 0, from).await;
    let price = due::steps(0).1 / 100.0 * 2_000.0;
    for sent in due::sent_by(&world, PLACE, from).await {
        let gas = f64::from(sent.gas) / 1e18 * price;
        let earned = sent.earned.to_string().parse::<f64>().unwrap() / 1e6;
        assert!(
            sent.closings.is_empty() || earned > gas,
            "{earned} for {gas}: {sent:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn told_to_stop_it_finishes_what_is_out() {
    let world = World::start().await;
    opened(&world, 1).await;
    let setup = Setup::alone(PLACE);
    let mut keeper = Keeper::start(&world, &setup).await;
    let from = world.head().await;
    due::fall_unseen(&world, &keeper, due::steps(0).1).await;
    in_flight(&world, &keeper).await;
    keeper.signal("-TERM");
    until("it says that it is stopping", async || {
        keeper.log().contains("stopping").then_some(())
    })
    .await;
    assert_eq!(keeper.page("/health").await.unwrap().0, 200);
    world.mine().await;
    let status = keeper.ended().await;
    assert_eq!(status.code(), Some(0));
    assert!(keeper.log().contains("handed_over=0"));

    let keeper = Keeper::start(&world, &setup).await;
    liquidates_once(&world, &keeper, 0, from).await;
    assert_eq!(due::nonce(&world, PLACE).await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn told_to_stop_where_no_block_comes_it_hands_over() {
    let world = World::start().await;
    opened(&world, 2).await;
    let setup = Setup::alone(PLACE);
    let mut keeper = Keeper::start(&world, &setup).await;
    let from = world.head().await;
    due::fall_unseen(&world, &keeper, due::steps(0).1).await;
    in_flight(&world, &keeper).await;
    let status = keeper.terminate().await;
    assert_eq!(status.code(), Some(0));
    assert!(keeper.log().contains("handed_over=1"));
    let keeper = Keeper::start(&world, &setup).await;
    liquidates_once(&world, &keeper, 0, from).await;
    assert_eq!(due::nonce(&world, PLACE).await, 1);

    // A second signal does not wait.
    let mut keeper = keeper;
    let from = world.head().await;
    due::fall_unseen(&world, &keeper, due::steps(1).1).await;
    in_flight(&world, &keeper).await;
    keeper.signal("-TERM");
    until("it says that it is stopping", async || {
        (keeper.log().matches("stopping").count() == 2).then_some(())
    })
    .await;
    keeper.signal("-INT");
    assert_eq!(keeper.ended().await.code(), Some(130));
    let keeper = Keeper::start(&world, &setup).await;
    liquidates_once(&world, &keeper, 1, from).await;
    assert_eq!(due::nonce(&world, PLACE).await, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn decisions_go_by_the_chains_clock() {
    let world = World::start().await;
    opened(&world, 2).await;
    let keeper = Keeper::start(&world, &Setup::alone(PLACE)).await;
    let hour = 3_600;
    for (round, ahead) in [(0, false), (1, true)] {
        let now = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap()
            .as_secs();
        if ahead {
            // From half a day behind this machine's clock to half a day ahead of it.
            world
                .provider
                .anvil_set_next_block_timestamp(now + 12 * hour)
                .await
                .unwrap();
            world.mine().await;
            world.price(due::steps(0).1).await;
        }
        let from = world.head().await;
        due::fall_to(&world, due::steps(round as u32).1).await;
        let head = due::head(&world).await;
        assert!(head.timestamp.abs_diff(now) > 4 * hour);
        assert_eq!(head.timestamp > now, ahead);
        keeper.planned_on(head.number).await;
        is_ready(&keeper).await;
        let status = keeper
            .wait("warns of the clock", |status| {
                let direction = if ahead { "behind" } else { "ahead of" };
                status.warnings.iter().any(|warning| {
                    warning.text.contains("this machine's clock")
                        && warning.text.contains(direction)
                })
            })
            .await;
        for position in &status.positions {
            for time in [
                position.planned_at,
                position.next_turn,
                position.flagged_since,
            ] {
                let off = time.unwrap_or(head.timestamp).abs_diff(head.timestamp);
                assert!(off < 2 * hour, "{position:?} at {}", head.timestamp);
            }
        }
        liquidates_once(&world, &keeper, round, from).await;
    }
    assert!(fs::read_to_string(&keeper.log).unwrap().contains("clock"));
}

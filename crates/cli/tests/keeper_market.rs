//! Keepers as processes on a market that moves: what they earn, what they waste, and when they hold still. Everything is judged by
//! the chain; figures are printed (`--nocapture`).
#![allow(clippy::unwrap_used, clippy::print_stdout)]

#[path = "harness/due.rs"]
mod due;
mod harness;
#[path = "harness/turns.rs"]
mod turns;

use std::collections::BTreeMap;

use alloy_primitives::{Address, U256};
use breakwater_bindings::{CircuitBreaker, ICircuitBreaker};
use breakwater_deploy::local::SLOT;
use breakwater_deploy::{RpcViews, Views};
use breakwater_keeper::units::{ratio, whole, whole_signed};
use breakwater_operator::status::Status;
use breakwater_protocol::policy::TurnMode;
use harness::{
    DEBT, Keeper, Lenders, Setup, World, all_healthy, books, borrower, crowd, slide, tell_reverts,
    wad,
};
use turns::Turns;

async fn breaker_level(world: &World) -> u8 {
    let breaker = world.market.deployment().breaker.unwrap();
    let call = ICircuitBreaker::levelOfCall { pool: world.pool() };
    RpcViews::new(world.provider.clone())
        .read(breaker, call)
        .await
        .unwrap()
}

/// When the keeper means to bid for an account.
fn planned_at(status: &Status, account: Address) -> Option<u64> {
    let mut positions = status.positions.iter();
    let found = positions.find(|position| position.account == account)?;
    found.flagged_since?;
    found.planned_at
}

#[tokio::test(flavor = "multi_thread")]
async fn it_flags_waits_for_the_bonus_and_liquidates_in_parts_at_a_profit() {
    let mut world = World::start().await;
    // The gas of a small position is more than the first bonus of 1% pays; a large one is sold in parts, as the venue takes it.
    world.base_fee = 10_000_000_000;
    let (small, large) = (borrower(0), borrower(1));
    world.open_worth(small, 0.6, 95.8).await;
    world.open_falling_at(large, 1_500, 90.0).await;
    world.record_depth().await;
    let keeper = Keeper::start(&world, &Setup::alone(5)).await;
    let from = world.head().await + 1;
    let lenders = Lenders::now(&world).await;

    world.price(92.5).await;
    let mut forecasts = Vec::new();
    world
        .run(
            &[&keeper],
            150,
            "the small position is liquidated",
            async || {
                let status = keeper.status().await.unwrap();
                if let Some(at) = planned_at(&status, small) {
                    forecasts.push((status.head.unwrap().timestamp, at));
                }
                all_healthy(&world, &[small]).await
            },
        )
        .await;
    let found = books(&world, world.account(5), from, 1_850.0).await;
    let flag = found
        .sent
        .iter()
        .find(|one| one.flagged.contains(&small))
        .unwrap();
    assert!(flag.closings.is_empty(), "{flag:?}");
    let bid = found
        .sent
        .iter()
        .find(|one| !one.closings.is_empty())
        .unwrap();
    let bonus = ratio(bid.closings[0].bonus);
    // Said as soon as the clock ran, minutes before.
    let mut after = forecasts.iter().filter(|(said, _)| *said >= flag.timestamp);
    let (said, planned) = *after.next().unwrap();
    let off = bid.timestamp.abs_diff(planned);
    println!(
        "clock started at {}, {} s later planned for {planned}, bid in the block of {} at a bonus of {:.3}%: {off} s off",
        flag.timestamp,
        said.abs_diff(flag.timestamp),
        bid.timestamp,
        bonus * 100.0
    );
    assert!(bid.timestamp >= flag.timestamp + 60, "it waited");
    assert!(off <= SLOT, "within one block of the plan");
    // The bonus is the auction's at that time: bmin + (bmax - bmin) t / 20 min.
    let elapsed = (bid.timestamp - flag.timestamp) as f64;
    assert!((bonus - (0.01 + 0.04 * elapsed / 1_200.0)).abs() < 1e-9);
    let step = 0.04 * SLOT as f64 / 1_200.0;
    let at_plan = 0.01 + 0.04 * (planned - flag.timestamp) as f64 / 1_200.0;
    assert!((bonus - at_plan).abs() <= step + 1e-9, "{bonus} {at_plan}");

    world.price(88.0).await;
    world
        .run(
            &[&keeper],
            150,
            "the large position is healthy",
            async || {
                world.arbitrage_if_moved().await;
                all_healthy(&world, &[small, large]).await
            },
        )
        .await;
    let found = books(&world, world.account(5), from, 1_760.0).await;
    let parts: Vec<_> = found
        .sent
        .iter()
        .flat_map(|one| &one.closings)
        .filter(|closing| closing.account == large)
        .collect();
    println!(
        "{} parts, {} transactions, {} reverted; {:.2} earned, {:.2} gas, {:.2} net",
        parts.len(),
        found.sent.len(),
        found.reverted,
        found.earned,
        found.gas,
        found.earned - found.gas
    );
    assert!(parts.len() >= 2, "{parts:?}");
    assert!(found.earned > found.gas);
    assert_eq!(found.reverted, 0);
    // All of it was this keeper's, and nobody lost anything: the market still covers its lenders.
    assert_eq!(
        world.closings(from).await.len(),
        found
            .sent
            .iter()
            .map(|one| one.closings.len())
            .sum::<usize>()
    );
    lenders.are_whole(&world).await;
}

/// A large position empties the bucket, and the emptier it is, the rarer are the turns of all others.
#[tokio::test(flavor = "multi_thread")]
async fn it_waits_for_turns_that_are_not_open() {
    let turns = TurnMode::Systematic.into();
    let world = World::planned(|plan| plan.policy.damped.turnMode = turns).await;
    let mut borrowers = vec![borrower(0)];
    world.open_falling_at(borrowers[0], 1_500, 90.0).await;
    for number in 1..=24 {
        borrowers.push(borrower(number));
        world.open_worth(borrower(number), 8.0, 89.5).await;
    }
    world.record_depth().await;
    let keeper = Keeper::start(&world, &Setup::alone(5)).await;
    let from = world.head().await + 1;
    world.price(88.0).await;
    let mut turns = Turns::default();
    world
        .run(&[&keeper], 200, "everybody is healthy", async || {
            turns.look(&world, &keeper).await;
            world.arbitrage_if_moved().await;
            all_healthy(&world, &borrowers).await
        })
        .await;
    turns.judge(&world, from).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn alone_it_hardly_ever_reverts() {
    let world = World::start().await;
    let borrowers = crowd(&world).await;
    let keeper = Keeper::start(&world, &Setup::alone(5)).await;
    let from = world.head().await + 1;
    slide(&world, &[&keeper], &borrowers).await;
    let found = books(&world, world.account(5), from, 1_800.0).await;
    tell_reverts(&world, &found).await;
    let closings: usize = found.sent.iter().map(|one| one.closings.len()).sum();
    println!(
        "alone: {} transactions, {closings} liquidations, {} reverted ({:.2}%); {:.2} earned, {:.2} gas",
        found.sent.len(),
        found.reverted,
        100.0 * found.reverted as f64 / found.sent.len() as f64,
        found.earned,
        found.gas
    );
    assert!(closings >= 48, "{closings}");
    assert!(
        found.reverted * 50 < found.sent.len(),
        "{} of {} reverted",
        found.reverted,
        found.sent.len()
    );
    assert!(found.earned > found.gas);
    assert_eq!(keeper.status().await.unwrap().mirror.drift, U256::ZERO);
}

#[tokio::test(flavor = "multi_thread")]
async fn three_that_compete_liquidate_everything_once() {
    let world = World::start().await;
    let borrowers = crowd(&world).await;
    let mut keepers = Vec::new();
    for place in 4..7 {
        keepers.push(Keeper::start(&world, &Setup::among(place, 2)).await);
    }
    let from = world.head().await + 1;
    let all: Vec<&Keeper> = keepers.iter().collect();
    slide(&world, &all, &borrowers).await;

    // The last ones are only known as their own once the sender has seen them in a block.
    for _ in 0..3 {
        let head = world.mine().await;
        for keeper in &keepers {
            keeper.planned_on(head).await;
        }
    }

    let (mut count, mut reverted, mut wasted, mut earned, mut gas) = (0, 0, 0.0, 0.0, 0.0);
    let mut by_keeper = Vec::new();
    for place in 4..7 {
        let found = books(&world, world.account(place), from, 1_800.0).await;
        tell_reverts(&world, &found).await;
        let closings: usize = found.sent.iter().map(|one| one.closings.len()).sum();
        println!(
            "keeper {place}: {} transactions, {closings} liquidations, {} reverted at {:.2}; {:.2} earned, {:.2} gas",
            found.sent.len(),
            found.reverted,
            found.wasted,
            found.earned,
            found.gas
        );
        count += found.sent.len();
        reverted += found.reverted;
        wasted += found.wasted;
        earned += found.earned;
        gas += found.gas;
        assert!(!found.sent.is_empty(), "keeper {place} sent nothing");
        by_keeper.push(closings);
    }
    let served = by_keeper.iter().filter(|closings| **closings > 0).count();
    assert!(served >= 2, "one liquidated everything: {by_keeper:?}");
    println!(
        "three: {reverted} of {count} transactions reverted ({:.1}%), at {wasted:.2} of {gas:.2} gas; {earned:.2} earned",
        100.0 * reverted as f64 / count as f64
    );
    let closings = world.closings(from).await;
    assert_eq!(closings.len(), by_keeper.iter().sum::<usize>());
    // Once: in no block is an account liquidated twice.
    let mut seen: BTreeMap<(u64, Address), usize> = BTreeMap::new();
    for closing in &closings {
        *seen.entry((closing.block, closing.account)).or_default() += 1;
    }
    assert!(seen.values().all(|times| *times == 1), "{seen:?}");
    assert!(closings.len() >= 48);
    assert!(earned > gas, "{earned} {gas}");
    // What one did, the others know of, and why it was not theirs.
    for (keeper, own) in keepers.iter().zip(&by_keeper) {
        let status = keeper
            .wait("has the others' liquidations in its ledger", |status| {
                status.missed_total.values().sum::<u64>() as usize == closings.len() - own
            })
            .await;
        println!("missed: {:?}", status.missed_total);
        assert_eq!(status.mirror.drift, U256::ZERO);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_paused_market_is_left_alone_until_the_release() {
    let mut world = World::planned(|plan| plan.policy.damped.obeysPause = true).await;
    let damped = borrower(0);
    world.open_falling_at(damped, 20, 95.0).await;
    world.record_depth().await;
    let keeper = Keeper::start(&world, &Setup::alone(5)).await;

    // Base fees that the breaker's averages take for a storm: whoever calls lets it see them.
    world.base_fee = 400_000_000_000;
    for _ in 0..60 {
        world.act(world.market.observe()).await;
        if breaker_level(&world).await >= 2 {
            break;
        }
        world.mine().await;
    }
    assert_eq!(breaker_level(&world).await, 2, "paused");
    // Gas is cheap again at once; the pause is what holds.
    world.base_fee = 1_000_000_000;
    let from = world.head().await + 1;
    let nonce = due::nonce(&world, 5).await;
    let breaker = world.market.deployment().breaker.unwrap();
    world.price(93.0).await;
    let mut held = 0;
    while breaker_level(&world).await >= 2 {
        let status = keeper.planned_on(world.head().await).await;
        let position = status
            .positions
            .iter()
            .find(|one| one.account == damped)
            .unwrap();
        if position.why_not.as_deref() == Some("held by the circuit breaker") {
            held += 1;
        }
        // No liquidation, no clock started, nothing that waits: gas is not spent while the breaker holds.
        let sent = due::sent_by(&world, 5, from).await;
        assert!(sent.is_empty(), "while paused: {sent:?}");
        // What is sent at the last head is for the block of the release.
        let call = ICircuitBreaker::levelOfCall { pool: world.pool() };
        if due::next_view_of(&world, breaker, call).await >= 2 {
            assert_eq!(due::pending_nonce(&world, 5).await, nonce, "while paused");
        }
        world.mine().await;
        assert!(held < 40, "a pause of three minutes");
    }
    let found = books(&world, world.account(5), from, 1_860.0).await;
    println!("paused: {held} blocks held");
    assert!(held >= 5);
    // Whatever there is came with the release.
    let release = world.head().await;
    assert!(
        found.sent.iter().all(|one| one.block >= release),
        "{:?}",
        found.sent
    );
    world
        .run(
            &[&keeper],
            120,
            "it goes on after the release",
            async || all_healthy(&world, &[damped]).await,
        )
        .await;
    let found = books(&world, world.account(5), from, 1_860.0).await;
    assert!(found.earned > found.gas, "{} {}", found.earned, found.gas);
    assert_eq!(found.reverted, 0);
}

/// The default policy does not wait for the breaker: what a halt holds is new debt, and positions must not fall through it.
#[tokio::test(flavor = "multi_thread")]
async fn a_halted_market_is_liquidated_by_default() {
    let world = World::start().await;
    let damped = borrower(0);
    world.open_falling_at(damped, 20, 95.0).await;
    world.record_depth().await;
    let keeper = Keeper::start(&world, &Setup::alone(5)).await;
    let from = world.head().await + 1;

    let breaker = world.market.deployment().breaker.unwrap();
    let owner = world.view_of(breaker, CircuitBreaker::ownerCall {}).await;
    let halt = CircuitBreaker::haltCall {
        pool: world.pool(),
        duration: U256::from(6 * 3_600),
    };
    // A timelock, whose delay is not what is to be seen.
    world.act(world.market.adopt(owner)).await;
    world
        .act(async { Ok(world.market.send(owner, breaker, &halt).await?) })
        .await;
    world.price(93.0).await;
    world
        .run(
            &[&keeper],
            120,
            "it is liquidated while the market is halted",
            async || all_healthy(&world, &[damped]).await,
        )
        .await;
    assert_eq!(breaker_level(&world).await, 3, "still halted");
    let found = books(&world, world.account(5), from, 1_860.0).await;
    assert!(found.earned > found.gas, "{} {}", found.earned, found.gas);
    assert_eq!(found.reverted, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn gas_times_forty_is_not_paid_at_a_loss() {
    let mut world = World::start().await;
    let (small, hard) = (borrower(0), borrower(1));
    world.base_fee = 5_000_000_000;
    world.open_worth(small, 0.8, 95.0).await;
    world.open_falling_at(hard, 400, 88.0).await;
    world.record_depth().await;
    let keeper = Keeper::start(&world, &Setup::alone(5)).await;
    let from = world.head().await + 1;
    world.base_fee = 200_000_000_000;
    // The small position is past its threshold, and no bonus pays for its gas.
    world.price(93.0).await;
    for _ in 0..110 {
        keeper.planned_on(world.head().await).await;
        world.mine().await;
    }
    let waited = books(&world, world.account(5), from, 1_860.0).await;
    assert!(world.closings(from).await.is_empty());
    assert!(world.health(small).await < wad(1.0));
    println!(
        "gas x40: {} transactions in 110 blocks ({:.2} of gas), nothing liquidated",
        waited.sent.len(),
        waited.gas
    );
    assert!(waited.sent.is_empty(), "{:?}", waited.sent);

    // A large one falls into the hard zone: its bonus pays even now.
    world.price(76.0).await;
    world
        .run(&[&keeper], 200, "the hard zone is served", async || {
            world.arbitrage_if_moved().await;
            all_healthy(&world, &[hard]).await
        })
        .await;
    let served = books(&world, world.account(5), from, 1_520.0).await;
    println!(
        "hard zone at x40: {:.2} earned, {:.2} gas, {} reverted",
        served.earned, served.gas, served.reverted
    );
    assert!(
        served.earned > served.gas,
        "{} {}",
        served.earned,
        served.gas
    );
    for one in served.sent.iter().filter(|one| !one.closings.is_empty()) {
        let gas = whole(one.gas, 18) * 1_520.0;
        assert!(whole_signed(one.earned, DEBT) > gas, "at a loss: {one:?}");
    }

    // Gas is cheap again: the small one pays too.
    world.base_fee = 1_000_000_000;
    world
        .run(&[&keeper], 200, "it resumes when gas falls", async || {
            all_healthy(&world, &[small]).await
        })
        .await;
}

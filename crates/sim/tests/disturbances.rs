//! What may befall a world beside its price: a mis-set feed, a silent one, missed slots, noise, adversaries.

#![allow(clippy::unwrap_used)]

mod support;

use breakwater_sim::config::{
    Account, AdversaryParameters, AdversaryStrategy, BucketMode, FeedError, FeedOutage,
    MissedSlots, NoiseParameters, Policy, TurnMode, WorldParameters,
};
use breakwater_sim::trace::Trace;
use breakwater_sim::{WorldKind, run};
use support::{accounts, input, parameters, trace};

const RIGID: WorldKind = WorldKind::Policy(Policy::Rigid);
const DAMPED: WorldKind = WorldKind::Policy(Policy::Damped);

/// Nobody but keepers, feed and arbitrageurs does anything.
fn quiet() -> WorldParameters {
    let mut parameters = parameters();
    parameters.borrowers.top_up_share = 0.0;
    parameters.borrowers.repay_share = 0.0;
    parameters.borrowers.deleverage_share = 0.0;
    parameters.feed.delay = 0;
    parameters
}

fn at_rest(parameters: &WorldParameters, world: WorldKind) -> Trace {
    trace(parameters, &input(150, 0.0, accounts(60)), world, 1)
}

#[test]
fn a_mis_set_feed_liquidates_without_a_market_move() {
    let mut parameters = quiet();
    parameters.venue.pass_through = 0.0;
    assert!(at_rest(&parameters, RIGID).liquidations.is_empty());
    parameters.feed.errors = vec![FeedError {
        from: 300,
        until: 900,
        ratio: -0.03,
    }];
    let rigid = at_rest(&parameters, RIGID);
    assert!(!rigid.liquidations.is_empty());
    for row in &rigid.liquidations {
        assert!((300 / 12..=900 / 12 + 2).contains(&row.block), "{row:?}");
        assert!((row.fast_price / 194.0 - 1.0).abs() < 1e-4, "{row:?}");
    }
    // Block 25 sees the last error-free price, its own report is read from block 26 on.
    assert!((rigid.blocks[24].fast_price / 200.0 - 1.0).abs() < 1e-6);
    assert!((rigid.blocks[26].fast_price / 194.0 - 1.0).abs() < 1e-3);
    assert!(rigid.blocks[78].fast_price > 199.0);
    assert!(rigid.blocks.iter().all(|row| row.exogenous_price == 200.0));
}

#[test]
fn a_silent_feed_is_believed_for_so_long_and_no_longer() {
    let mut parameters = quiet();
    parameters.feed.heartbeat = 600;
    parameters.feed.outages = vec![FeedOutage {
        from: 120,
        until: 86_400,
    }];
    let falls = input(150, 0.2, accounts(30));
    let slow_of = |parameters: &WorldParameters| {
        let trace = trace(parameters, &falls, RIGID, 1);
        let rows = &trace.blocks;
        // The price of the last report, whatever the market does.
        assert!(rows[75].reference_price < 0.9 * rows[11].reference_price);
        assert!((rows[60].fast_price / rows[11].fast_price - 1.0).abs() < 1e-6);
        rows[100].fast_price / rows[100].slow_price
    };
    parameters.feed.believed_for = Some(86_400);
    assert!((slow_of(&parameters) - 1.0).abs() > 1e-6);
    // Missing, so that the slow price stands in for it.
    parameters.feed.believed_for = Some(900);
    assert!((slow_of(&parameters) - 1.0).abs() < 1e-12);
}

/// Found by reading: at a price of zero everybody is below every health factor, and all borrowers spent their savings at once.
#[test]
fn borrowers_without_a_price_do_nothing() {
    let mut parameters = quiet();
    parameters.borrowers.top_up_share = 0.4;
    parameters.borrowers.repay_share = 0.4;
    parameters.borrowers.deleverage_share = 0.2;
    parameters.network.slot_seconds = 120;
    parameters.feed.heartbeat = 600;
    parameters.feed.believed_for = Some(900);
    parameters.feed.outages = vec![FeedOutage {
        from: 240,
        until: 86_400,
    }];
    // Far above the health factor of 1.1 that alarms them, and nothing moves.
    let safe = accounts(60).into_iter().map(|account| Account {
        debt: account.collateral * 200.0 * 0.83 / 1.5,
        ..account
    });
    let trace = trace(&parameters, &input(180, 0.0, safe.collect()), RIGID, 1);
    let rows = &trace.blocks;
    let blind = rows.iter().filter(|row| row.fast_price == 0.0).count();
    assert!(blind > 30, "{blind}");
    for pair in rows.windows(2) {
        let [before, after] = pair else {
            unreachable!()
        };
        // Interest makes it more.
        assert!(after.debt >= before.debt, "{after:?}");
        assert!(after.collateral == before.collateral, "{after:?}");
    }
}

#[test]
fn missed_slots_make_no_block_and_move_the_latency_signal() {
    let mut parameters = quiet();
    parameters.feed.heartbeat = 600;
    parameters.network.missed = vec![MissedSlots {
        from: 240,
        until: 1_200,
        share: 0.6,
    }];
    let with = at_rest(&parameters, DAMPED);
    let empty = |trace: &Trace| {
        let blocks = trace.blocks.iter().skip(1);
        blocks
            .filter(|row| row.gas_used + row.background_gas == 0)
            .map(|row| row.block)
            .collect::<Vec<_>>()
    };
    let missed = empty(&with);
    assert!((30..65).contains(&missed.len()), "{missed:?}");
    assert!(missed.iter().all(|block| (20..100).contains(block)));
    assert!(with.blocks.iter().any(|row| row.breaker_level > 0));
    // The market goes on: the same number of rows, each at its time.
    assert_eq!(with.blocks.len(), 151);
    assert_eq!(with.blocks[150].timestamp - with.blocks[0].timestamp, 1_800);
    parameters.network.missed.clear();
    let without = at_rest(&parameters, DAMPED);
    assert!(empty(&without).is_empty());
    assert!(without.blocks.iter().all(|row| row.breaker_level == 0));
}

#[test]
fn slots_of_any_length_are_on_time() {
    for slot_seconds in [2, 60, 120] {
        let mut parameters = quiet();
        parameters.network.slot_seconds = slot_seconds;
        let trace = at_rest(&parameters, DAMPED);
        assert!(
            trace.blocks.iter().all(|row| row.breaker_level == 0),
            "{slot_seconds}"
        );
    }
}

#[test]
fn noise_moves_the_venue_both_ways_and_alike_under_every_policy() {
    let mut parameters = quiet();
    parameters.noise = Some(NoiseParameters {
        hourly_volume: 2.0,
        trade: 0.004,
    });
    parameters.venue.pass_through = 0.0;
    let rigid = at_rest(&parameters, RIGID);
    let prices: Vec<f64> = rigid.blocks.iter().map(|row| row.venue_price).collect();
    let count = |moved: fn(f64) -> bool| {
        prices
            .windows(2)
            .filter(|pair| moved(pair[1] / pair[0] - 1.0))
            .count()
    };
    assert!(count(|change| change > 1e-4) > 20);
    assert!(count(|change| change < -1e-4) > 20);
    // The operators of breaker and bucket send more under the damped policy, so its blocks differ; the draws do not.
    let target = at_rest(&parameters, WorldKind::Policy(Policy::TargetHealth));
    let others: Vec<f64> = target.blocks.iter().map(|row| row.venue_price).collect();
    assert_eq!(prices, others);
}

fn attacked(strategy: AdversaryStrategy, capital: f64, fall: f64, pass_through: f64) -> Trace {
    let mut parameters = quiet();
    parameters.venue.pass_through = pass_through;
    parameters.adversary = Some(AdversaryParameters {
        patience: 120,
        ..AdversaryParameters::with_capital(strategy, capital)
    });
    trace(&parameters, &input(200, fall, accounts(60)), RIGID, 1)
}

#[test]
fn the_predator_sells_ahead_where_sales_move_the_outside_price() {
    let last = |trace: &Trace| trace.blocks[200].adversary_profit;
    let capital = 100_000.0;
    let crash = attacked(AdversaryStrategy::Predator, capital, 0.2, 0.8);
    assert!(last(&crash) != 0.0);
    // Without sales, or where they move nothing, he does nothing.
    let calm = attacked(AdversaryStrategy::Predator, capital, 0.0, 0.8);
    assert_eq!(last(&calm), 0.0);
    let apart = attacked(AdversaryStrategy::Predator, capital, 0.2, 0.0);
    assert_eq!(last(&apart), 0.0);
    let rows = trace(&quiet(), &input(20, 0.0, accounts(4)), RIGID, 1);
    assert!(rows.blocks.iter().all(|row| row.adversary_profit == 0.0));
}

#[test]
fn the_manipulator_holds_the_venue_down_and_buys_back() {
    // At rest nothing is due; what stands within 3% of its threshold is reachable.
    let trace = attacked(AdversaryStrategy::Manipulator, 1e7, 0.0, 0.5);
    let opened = trace
        .blocks
        .iter()
        .position(|row| row.adversary_profit != 0.0)
        .unwrap();
    let first = &trace.blocks[opened];
    let push = 1.0 - first.venue_price / first.reference_price;
    assert!((push - 0.03).abs() < 0.003, "{push}");
    assert!(!trace.liquidations.is_empty());
    // He has bought back: the outside price moves on, and his profit no longer depends on it.
    let rest = &trace.blocks[opened + 30..opened + 48];
    assert!((rest[17].reference_price / rest[0].reference_price - 1.0).abs() > 0.01);
    assert!((rest[17].adversary_profit - rest[0].adversary_profit).abs() < 1.0);
}

#[test]
fn impossible_disturbances_are_refused_with_a_reason() {
    let refused = |change: &dyn Fn(&mut WorldParameters)| {
        let mut parameters = quiet();
        change(&mut parameters);
        let input = input(10, 0.0, accounts(2));
        run(&parameters, &input, RIGID, 1, &mut support::Quiet)
            .unwrap_err()
            .to_string()
    };
    let error = |from, until, ratio| FeedError { from, until, ratio };
    assert!(refused(&|p| p.feed.errors = vec![error(5, 5, 0.1)]).contains("feed.errors.until = 5"));
    assert!(refused(&|p| p.feed.errors = vec![error(0, 5, -1.0)]).contains("feed.errors.ratio"));
    assert!(
        refused(&|p| p.feed.outages = vec![FeedOutage { from: 9, until: 1 }])
            .contains("feed.outages.until")
    );
    for unbelievable in [0, 2_592_001] {
        let error = refused(&|p| p.feed.believed_for = Some(unbelievable));
        assert!(
            error.contains(&format!("feed.believed_for = {unbelievable}")),
            "{error}"
        );
    }
    let slots = |share| MissedSlots {
        from: 0,
        until: 9,
        share,
    };
    assert!(
        refused(&|p| p.network.missed = vec![slots(0.96)]).contains("network.missed.share = 0.96")
    );
    let noise = |hourly_volume, trade| {
        Some(NoiseParameters {
            hourly_volume,
            trade,
        })
    };
    assert!(refused(&|p| p.noise = noise(1.0, 0.0)).contains("noise.trade"));
    assert!(refused(&|p| p.noise = noise(-1.0, 0.1)).contains("noise.hourly_volume"));
    let adversary = |capital, push| {
        Some(AdversaryParameters {
            push,
            ..AdversaryParameters::with_capital(AdversaryStrategy::Predator, capital)
        })
    };
    assert!(refused(&|p| p.adversary = adversary(0.0, 0.1)).contains("adversary.capital"));
    assert!(refused(&|p| p.adversary = adversary(1.0, 0.6)).contains("adversary.push"));
    let grinder = |slots, tries, slot_reward| {
        Some(AdversaryParameters {
            slots,
            tries,
            slot_reward,
            ..AdversaryParameters::with_capital(AdversaryStrategy::Grinder, 1.0)
        })
    };
    assert!(refused(&|p| p.adversary = grinder(1.1, 1, 0.0)).contains("adversary.slots"));
    assert!(refused(&|p| p.adversary = grinder(0.1, 0, 0.0)).contains("adversary.tries"));
    assert!(refused(&|p| p.adversary = grinder(0.1, 1, -1.0)).contains("adversary.slot_reward"));
}

/// A slow fall on a thin venue, so that the bucket is short and turns matter, under a grinder.
fn ground(turn_mode: TurnMode, tries: u32, slot_reward: f64, seed: u64) -> Trace {
    let mut parameters = quiet();
    parameters.venue.depth = 0.3;
    parameters.damped.turn_mode = Some(turn_mode);
    parameters.damped.turn_floor = Some(0.015_625);
    parameters.damped.bucket_mode = Some(BucketMode::Off);
    parameters.adversary = Some(AdversaryParameters {
        slots: 0.5,
        tries,
        slot_reward,
        ..AdversaryParameters::with_capital(AdversaryStrategy::Grinder, 1.0)
    });
    let mut input = input(240, 0.3, accounts(80));
    for series in [
        &mut input.prices,
        &mut input.gas_gwei,
        &mut input.native_prices,
    ] {
        series.truncate(101);
    }
    // A rotation of turns begins in block 50.
    input.start = input.start.next_multiple_of(3_840) - 50 * 12;
    trace(&parameters, &input, DAMPED, seed)
}

/// Systematic turns know nothing of blocks: who may try hashes, and withhold blocks at no cost, does neither.
#[test]
fn a_grinder_changes_nothing_where_turns_are_not_seeded() {
    let honest = ground(TurnMode::Systematic, 1, 1e9, 1);
    let grinding = ground(TurnMode::Systematic, 64, 0.0, 1);
    assert!(honest == grinding);
    assert!(honest.blocks[100].adversary_profit != 0.0);
}

#[test]
fn a_grinder_chooses_the_seed_of_turns_or_leaves_it_to_another() {
    let missed = |trace: &Trace| {
        let blocks = trace.blocks.iter().skip(1);
        blocks
            .filter(|row| row.gas_used + row.background_gas == 0)
            .count()
    };
    let honest = ground(TurnMode::Seeded, 1, 1e9, 2);
    assert_eq!(missed(&honest), 0);
    let by_hashes = ground(TurnMode::Seeded, 64, 1e9, 2);
    assert!(by_hashes != honest && missed(&by_hashes) == 0);
    // Where he tries one hash only, and a block is worth nothing, a bad one is reason enough.
    assert!(missed(&ground(TurnMode::Seeded, 1, 0.0, 2)) > 0);
}

//! Tests of the keeper.

use super::*;
use crate::testing;

pub(super) const VENUE: Venue = Venue {
    sqrt_price: 10.0,
    liquidity: 10_000.0,
    fee: 0.0,
};
pub(super) const TERMS: Terms = Terms {
    max_bonus: 0.05,
    settlement_bonus: 0.03,
    risk_margin: 0.0,
    min_profit: 1.0,
    count: 2,
    liquidation_gas: 400_000,
    revert_gas: REVERT_GAS,
    guarded: true,
};

pub(super) fn observation() -> Observation {
    Observation {
        timestamp: 0,
        inclusion_tip: 1.0,
        venue: VENUE,
        ..testing::observation(100.0)
    }
}

fn candidate(debt: f64) -> Candidate {
    Candidate {
        account: 0,
        collateral: debt * 0.0123,
        debt,
        repay: debt / 2.0,
        seize: debt / 2.0 * 1.05 / 100.0,
        unflagged: false,
        settle: None,
        stipend: 0.0,
        further: 0,
        charged: true,
        held: false,
    }
}

#[test]
fn sells_until_slippage_eats_the_bonus() {
    // k = 1.05/100; the last unit pays at P' = 100/1.05: q = L(1/s' − 1/s) = 10^4 (√1.05/10 − 0.1) = 24.695.
    let sale = best_sale(&VENUE, 1e6, 1.05e4, 0.0).expect("pays");
    assert!((sale.venue.price() - 100.0 / 1.05).abs() < 1e-9);
    assert!((sale.repay - 24.695_077 * 100.0 / 1.05).abs() < 1e-3);
    // Proceeds L(s − s') = 10^4 (10 − 9.759001) = 2,409.99; surplus = 2,409.99 − 2,351.91.
    assert!((sale.surplus - 58.078).abs() < 1e-2);
}

#[test]
fn is_the_best_amount() {
    let best = best_sale(&VENUE, 1e6, 1.05e4, 0.01).expect("pays");
    let objective = |repay: f64| VENUE.sell(repay * 1.05 / 100.0).0 - 1.01 * repay;
    for nearby in [0.9, 0.99, 1.01, 1.1] {
        assert!(objective(best.repay) > objective(best.repay * nearby));
    }
}

#[test]
fn small_grants_are_taken_whole_and_losses_not_at_all() {
    let sale = best_sale(&VENUE, 100.0, 1.05, 0.0).expect("pays");
    assert_eq!(sale.repay, 100.0);
    assert_eq!(best_sale(&VENUE, 100.0, 1.05, 0.06), None);
    assert_eq!(
        best_sale(
            &Venue {
                sqrt_price: 9.7,
                ..VENUE
            },
            100.0,
            1.05,
            0.0
        ),
        None
    );
    assert_eq!(best_sale(&VENUE, 0.0, 0.0, 0.0), None);
}

#[test]
fn potential_bounds_what_a_grant_leaves() {
    for (repay, bonus) in [(500.0, 0.05), (1_000.0, 0.02), (10.0, 0.01)] {
        let sale = best_sale(&VENUE, repay, repay * (1.0 + bonus) / 100.0, 0.0);
        assert!(
            potential(&VENUE, 100.0, 12.0, 1_000.0, &TERMS)
                >= sale.map_or(0.0, |sale| sale.surplus) - 1e-9
        );
    }
    assert_eq!(
        potential(
            &Venue {
                sqrt_price: 9.7,
                ..VENUE
            },
            100.0,
            12.0,
            1_000.0,
            &TERMS
        ),
        0.0
    );
}

#[test]
fn acts_when_the_profit_covers_gas() {
    let keeper = Keeper::group(2, 0).remove(0);
    let plan = |debt| {
        keeper.plan(
            &observation(),
            VENUE,
            &[candidate(debt)],
            &TERMS,
            |_| false,
            |_| 0.0,
        )
    };
    // Gas is 400,000 · 11.1 gwei · 100 = 0.444; half of 4,000 at 5% leaves about 57, half of 40 leaves 1.
    assert!(matches!(
        plan(4_000.0)[..],
        [Intent {
            action: Action::Liquidate { account: 0, .. },
            ..
        }]
    ));
    assert!(plan(40.0).is_empty());
    let waits = keeper.plan(
        &observation(),
        VENUE,
        &[candidate(4_000.0)],
        &TERMS,
        |_| true,
        |_| 0.0,
    );
    assert!(waits.is_empty());
}

#[test]
fn later_candidates_see_the_earlier_sale() {
    let keeper = Keeper::group(1, 0).remove(0);
    let candidates = [0, 1, 2].map(|account| Candidate {
        account,
        ..candidate(4_000.0)
    });
    // The first sale of 2,000 leaves room for 352 more before slippage eats the bonus, and the third for none.
    let intents = keeper.plan(
        &observation(),
        VENUE,
        &candidates,
        &TERMS,
        |_| false,
        |_| 0.0,
    );
    assert!(intents.len() == 1 || intents.len() == 2);
    assert!(
        !intents
            .iter()
            .any(|intent| matches!(intent.action, Action::Liquidate { account: 2, .. }))
    );
}

#[test]
fn settles_what_is_insolvent() {
    let keeper = Keeper::group(1, 0).remove(0);
    let insolvent = Candidate {
        account: 3,
        collateral: 10.0,
        debt: 1_100.0,
        repay: 0.0,
        seize: 0.0,
        unflagged: false,
        settle: settlement_due(1_000.0, 1_100.0, &TERMS),
        stipend: 0.0,
        further: 0,
        charged: false,
        held: false,
    };
    // Due 1,000/1.03 = 970.87; the sale fetches 990.1.
    let intents = keeper.plan(
        &observation(),
        VENUE,
        &[insolvent],
        &TERMS,
        |_| false,
        |_| 0.0,
    );
    assert!(matches!(
        intents[..],
        [Intent {
            action: Action::Settle { account: 3, .. },
            ..
        }]
    ));
}

#[test]
fn a_settlement_that_the_margin_eats_does_not_keep_a_part_from_being_liquidated() {
    let terms = Terms {
        risk_margin: 0.005,
        ..TERMS
    };
    // Settled, 25 fetch 2,439.0 for 2,427.2: 11.8, less than the margin of 12.1. Liquidated at the bonus that solvency leaves, 2.04%,
    // 7.63 fetch 757.2 for 747.7: 9.5, more than the margin of 3.7.
    let barely = Candidate {
        account: 3,
        collateral: 25.0,
        debt: 2_450.0,
        repay: 2_450.0,
        seize: 25.0,
        unflagged: false,
        settle: settlement_due(2_500.0, 2_450.0, &terms),
        stipend: 0.0,
        further: 0,
        charged: false,
        held: false,
    };
    let keeper = Keeper::group(1, 0).remove(0);
    let plan = keeper.plan(&observation(), VENUE, &[barely], &terms, |_| false, |_| 0.0);
    let [
        Intent {
            action: Action::Liquidate { repay, .. },
            ..
        },
    ] = plan[..]
    else {
        panic!("{plan:?}");
    };
    assert!((repay - 747.7).abs() < 1.0, "{repay}");
}

#[test]
fn nobody_loses_to_himself() {
    let keeper = Keeper::group(1, 0).remove(0);
    let alone = Terms { count: 1, ..TERMS };
    assert_eq!(keeper.least_won(&observation(), &alone), 1.0);
    // One of two wins half of the time: (1 + 0.5 · 90,000 · 11.1 · 1e-9 · 100) / 0.5.
    assert!((keeper.least_won(&observation(), &TERMS) - 2.0999).abs() < 1e-9);
}

#[test]
fn one_keeper_flags_at_a_time() {
    let waiting = Candidate {
        repay: 0.0,
        seize: 0.0,
        unflagged: true,
        ..candidate(4_000.0)
    };
    let flags = |timestamp| {
        Keeper::group(2, 0)
            .iter()
            .filter(|keeper| {
                let observation = Observation {
                    timestamp,
                    ..observation()
                };
                let intents =
                    keeper.plan(&observation, VENUE, &[waiting], &TERMS, |_| false, |_| 0.0);
                matches!(
                    intents[..],
                    [Intent {
                        action: Action::Flag { account: 0 },
                        ..
                    }]
                )
            })
            .map(|keeper| keeper.number)
            .collect::<Vec<_>>()
    };
    assert_eq!(flags(0), [0]);
    assert_eq!(flags(60), [1]);
}

#[test]
fn bids_differ_by_draw_and_failures_teach() {
    let mut keeper = Keeper::group(2, 0).remove(0);
    let tip = |keeper: &Keeper, draw| {
        keeper.plan(
            &observation(),
            VENUE,
            &[candidate(4_000.0)],
            &TERMS,
            |_| false,
            |_| draw,
        )[0]
        .bid
        .tip
    };
    assert!(tip(&keeper, 0.9) > tip(&keeper, 0.1));
    for _ in 0..100 {
        keeper.learn(false, 10, 1_000);
    }
    // A tenth of an equal's share, of which an hour forgets half of what is missing.
    assert!((keeper.win_rate(10, 1_000) - 0.01).abs() < 1e-12);
    assert!((keeper.win_rate(10, 4_600) - 0.055).abs() < 0.005);
    assert!((keeper.win_rate(10, 1_000_000) - 0.1).abs() < 1e-9);
    keeper.learn(true, 10, 1_000_000);
    assert!((keeper.win_rate(10, 1_000_000) - 0.19).abs() < 1e-9);
}

/// Five of whom one always comes first: the others bid for nothing as long as they took themselves for its equals.
#[test]
fn who_always_loses_stops_bidding_for_little() {
    let crowd = Terms { count: 5, ..TERMS };
    let mut keeper = Keeper::group(5, 0).remove(0);
    let before = keeper.least_won(&observation(), &crowd);
    for _ in 0..50 {
        keeper.learn(false, 5, observation().timestamp);
    }
    // (1 + 0.98 · 90,000 · 11.1 · 1e-9 · 100) / 0.02 instead of (1 + 0.8 · …) / 0.2.
    assert!((before - 5.3996).abs() < 1e-9, "{before}");
    let after = keeper.least_won(&observation(), &crowd);
    assert!((after - 54.895_1).abs() < 0.01, "{after}");
}

#[test]
fn gas_is_learned_from_what_was_seen() {
    let mut terms = TERMS;
    terms.saw(200_000);
    assert_eq!(terms.liquidation_gas, 375_000);
    terms.saw_revert(170_000);
    assert_eq!(terms.revert_gas, 100_000);
}

/// Twenty who bid up to half of a large profit each lost more together than it was.
#[test]
fn what_a_lost_race_costs_at_the_bid_is_counted() {
    let crowd = Terms {
        count: 20,
        revert_gas: 380_000,
        ..TERMS
    };
    let keeper = Keeper::group(20, 0).remove(0);
    let intents = keeper.plan(
        &observation(),
        VENUE,
        &[candidate(40_000.0)],
        &crowd,
        |_| false,
        |_| 1.0,
    );
    let [Intent { bid, .. }] = &intents[..] else {
        panic!("{intents:?}");
    };
    let sale = best_sale(&VENUE, 20_000.0, 210.0, 0.0).expect("pays");
    let cost = |gas| observation().gas_cost(gas, bid.tip);
    let won = sale.surplus - cost(crowd.liquidation_gas);
    let expected = won / 20.0 - 0.95 * cost(crowd.revert_gas);
    assert!((expected - crowd.min_profit).abs() < 1e-6, "{expected}");
}

#[test]
fn latencies_go_round() {
    let latencies: Vec<u64> = Keeper::group(5, 2)
        .iter()
        .map(|keeper| keeper.latency)
        .collect();
    assert_eq!(latencies, [0, 1, 2, 0, 1]);
}

#[test]
fn spends_no_gas_while_the_breaker_holds() {
    let keeper = Keeper::group(1, 0).remove(0);
    for unflagged in [false, true] {
        let held = Candidate {
            held: true,
            unflagged,
            ..candidate(4_000.0)
        };
        let plan = |candidate| {
            keeper.plan(
                &observation(),
                VENUE,
                &[candidate],
                &TERMS,
                |_| false,
                |_| 0.0,
            )
        };
        assert!(plan(held).is_empty());
        assert_eq!(
            plan(Candidate {
                held: false,
                ..held
            })
            .len(),
            1
        );
    }
}

#[test]
fn the_bucket_goes_to_whom_it_is_worth_most() {
    let keeper = Keeper::group(1, 0).remove(0);
    let observation = Observation {
        bucket: 1_000.0,
        ..observation()
    };
    let with_bonus = |account, bonus: f64, charged| Candidate {
        account,
        seize: 1_000.0 * (1.0 + bonus) / 100.0,
        repay: 1_000.0,
        charged,
        ..candidate(2_000.0)
    };
    let candidates = [
        with_bonus(0, 0.03, true),
        with_bonus(1, 0.05, true),
        with_bonus(2, 0.05, false),
    ];
    let repaid = |observation: &Observation| {
        let mut repaid = [0.0; 3];
        for intent in keeper.plan(
            observation,
            Venue {
                liquidity: 1e6,
                ..VENUE
            },
            &candidates,
            &TERMS,
            |_| false,
            |_| 0.0,
        ) {
            if let Action::Liquidate { account, repay, .. } = intent.action {
                repaid[account as usize] = repay;
            }
        }
        repaid
    };
    assert_eq!(repaid(&observation), [0.0, 1_000.0, 1_000.0]);
    let ample = Observation {
        bucket: 2_000.0,
        ..observation
    };
    assert_eq!(repaid(&ample), [1_000.0; 3]);
    // Accounts with a transaction under way leave the bucket to the others.
    let others = keeper.plan(
        &observation,
        VENUE,
        &candidates[..2],
        &TERMS,
        |account| account == 1,
        |_| 0.0,
    );
    assert!(matches!(
        others[..],
        [Intent {
            action: Action::Liquidate { account: 0, .. },
            ..
        }]
    ));
}

#[test]
fn depth_is_recorded_while_that_is_cheaper_than_what_it_frees() {
    let keeper = Keeper::group(1, 0).remove(0);
    let records = |gain, available, wanted| {
        keeper
            .record(&observation(), &TERMS, gain, available, wanted)
            .is_some()
    };
    // A record is 130,000 · 11.1 gwei · 100 = 0.144; a tenfold shortage takes 11 of them, twice their gas shared by two is 6.35.
    assert!(records(6.5, 100.0, 1_000.0));
    assert!(!records(6.2, 100.0, 1_000.0));
    assert!(!records(1e6, 1_000.0, 1_000.0));
    // From nothing at all it takes 186.
    assert!(records(120.0, 0.0, 1_000.0));
    assert!(!records(100.0, 0.0, 1_000.0));
}

fn planned(candidate: Candidate, terms: &Terms, draw: f64) -> Option<Intent> {
    let keeper = Keeper::group(1, 0).remove(0);
    let plan = keeper.plan(
        &observation(),
        VENUE,
        &[candidate],
        terms,
        |_| false,
        |_| draw,
    );
    plan.first().copied()
}

#[test]
fn every_further_collateral_costs_its_price_in_gas() {
    let alone = Terms { count: 1, ..TERMS };
    let holding = |further| Candidate {
        further,
        ..candidate(200.0)
    };
    // 100 repaid leave 4.9 before 400,000 gas at 11.1 gwei and 100 a coin, 0.44; with 15 further ones it is 0.86.
    let (one, many) = (
        planned(holding(0), &alone, 0.0),
        planned(holding(15), &alone, 0.0),
    );
    let (Some(one), Some(many)) = (one, many) else {
        panic!("{one:?} {many:?}");
    };
    let least = |intent: &Intent| match intent.action {
        Action::Liquidate { min_profit, .. } => min_profit,
        other => panic!("{other:?}"),
    };
    let gas = 400_000 + 15 * FURTHER_GAS;
    assert!((least(&many) - observation().gas_cost(gas, many.bid.tip)).abs() < 1e-9);
    assert!(least(&many) > 1.5 * least(&one), "{one:?} {many:?}");
    assert!(many.bid.tip < one.bid.tip);
    assert!(many.gas_limit >= one.gas_limit + 15 * FURTHER_GAS);
    // At five times the gas, one collateral pays and sixteen do not.
    let dear = Terms {
        liquidation_gas: 2_000_000,
        ..alone
    };
    assert!(planned(holding(0), &dear, 0.0).is_some());
    let dear = Terms {
        min_profit: 2.5,
        ..dear
    };
    assert!(planned(holding(0), &dear, 0.0).is_some());
    assert!(planned(holding(15), &dear, 0.0).is_none());
}

#[test]
fn a_worthless_position_is_settled_for_its_stipend() {
    let worthless = |stipend| Candidate {
        collateral: 0.01,
        repay: 0.0,
        seize: 0.0,
        settle: settlement_due(1.0, 500.0, &TERMS),
        stipend,
        ..candidate(500.0)
    };
    assert_eq!(planned(worthless(0.0), &TERMS, 0.0), None);
    let intent = planned(worthless(20.0), &TERMS, 0.0).expect("20 are more than the gas");
    assert!(matches!(intent.action, Action::Settle { .. }));
    // What is worth nothing costs nothing.
    assert_eq!(settlement_due(0.0, 500.0, &TERMS), Some(0.0));
    let nothing = Candidate {
        collateral: 0.0,
        settle: Some(0.0),
        ..worthless(20.0)
    };
    assert!(planned(nothing, &TERMS, 0.0).is_some());
}

#[test]
fn without_a_guard_it_bids_no_more_than_it_can_expect_back() {
    let unguarded = Terms {
        guarded: false,
        ..TERMS
    };
    // Half of them win. 100 repaid leave 4.89: guarded it may bid half of what that is above gas and least profit;
    // without, a loss costs the gas and the bid whole.
    let guarded = planned(candidate(200.0), &TERMS, 1.0).expect("pays");
    let bid = planned(candidate(200.0), &unguarded, 1.0).expect("pays");
    assert!(bid.bid.tip < guarded.bid.tip);
    let gross = {
        let sale = best_sale(&VENUE, 100.0, 1.05, 0.0).expect("pays");
        sale.surplus
    };
    let gas = observation().gas_cost(TERMS.liquidation_gas, bid.bid.tip);
    let expected = 0.5 * gross - gas;
    assert!(expected >= TERMS.min_profit - 1e-9, "{expected}");
    // What a loss that costs whole leaves too little of is not bid for at all.
    let slim = candidate(110.0);
    assert!(planned(slim, &TERMS, 0.0).is_some());
    assert!(planned(slim, &unguarded, 0.0).is_none());
}

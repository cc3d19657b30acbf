//! Each figure on rows small enough to compute by hand.

#![allow(
    clippy::unwrap_used,
    clippy::float_cmp,
    reason = "a test may stop, and these numbers are exact"
)]

mod common;

use breakwater_experiments::metrics::{
    Figures, MetricsError, bad_debt_bp, bonus_spread, breaker_errors, drawdown,
    drawdown_amplification, fully_utilised_minutes, hard_zone_share, keeper_concentration,
    liquidated_volume, mean_wait_minutes, oracle_error, overshoot, reverted_share, toxic_volume,
    wait_by_size,
};
use breakwater_sim::trace::{BlockRow, COUNTERFACTUAL, LiquidationRow, Trace};

/// Blocks with these reference prices, a debt of 1,000 and nothing else.
fn blocks(policy: &str, prices: &[f64]) -> Vec<BlockRow> {
    let mut row = common::trace(policy, 1, 0.0).blocks.remove(0);
    (
        row.debt,
        row.transactions,
        row.reverted,
        row.unhealthy,
        row.insolvent,
    ) = (1_000.0, 0, 0, 0, 0);
    (
        row.shortfall,
        row.written_off,
        row.lender_loss,
        row.keeper_profit,
    ) = (0.0, 0.0, 0.0, 0.0);
    let numbered = prices.iter().zip(0..);
    numbered
        .map(|(&price, block)| BlockRow {
            block,
            reference_price: price,
            venue_price: price,
            ..row.clone()
        })
        .collect()
}

/// A liquidation that repays `repaid` and moves the health factor.
fn sale(repaid: f64, health_before: f64, health_after: f64) -> LiquidationRow {
    LiquidationRow {
        policy: "rigid".to_owned(),
        block: 1,
        index: 0,
        keeper: 0,
        account: 0,
        settlement: false,
        repaid,
        seized: 0.0,
        written_off: 0.0,
        bonus: 0.05,
        debt: 2.0 * repaid,
        waited: 12,
        health_before,
        health_after,
        health_hard: 0.92,
        fast_price: 100.0,
        reference_price: 100.0,
        venue_price_before: 100.0,
        venue_price_after: 99.0,
        gas_used: 1,
        gas_price_gwei: 1.0,
        profit: 1.0,
    }
}

#[test]
fn overshoot_is_the_deepest_gap() {
    // 1 − 72/80 = 0.1; 1 − 75/90 = 0.1667: the deepest gap is not at the lowest price.
    let (policy, without) = (
        blocks("rigid", &[100.0, 75.0, 72.0, 95.0]),
        blocks(COUNTERFACTUAL, &[100.0, 90.0, 80.0, 95.0]),
    );
    assert_eq!(overshoot(&policy, &without), 1.0 - 75.0 / 90.0);
    // Above the counterfactual throughout: none.
    assert_eq!(overshoot(&without, &policy), 0.0);
}

#[test]
fn drawdowns_compare_lows_with_starts() {
    let (policy, without) = (
        blocks("rigid", &[100.0, 70.0, 90.0]),
        blocks(COUNTERFACTUAL, &[100.0, 80.0, 85.0]),
    );
    assert_eq!(drawdown(&policy), 1.0 - 0.7);
    // 0.3 / 0.2 = 1.5
    assert!((drawdown_amplification(&policy, &without).unwrap() - 1.5).abs() < 1e-12);
    // A counterfactual that never falls leaves nothing to compare with.
    assert_eq!(
        drawdown_amplification(&policy, &blocks(COUNTERFACTUAL, &[100.0, 99.1, 102.0])),
        None
    );
}

#[test]
fn liquidated_volume_is_a_share_of_initial_debt() {
    let rows = blocks("rigid", &[100.0, 90.0]);
    // (150 + 50) / 1,000; a settlement counts.
    let settled = LiquidationRow {
        settlement: true,
        ..sale(50.0, 0.8, f64::MAX)
    };
    assert_eq!(
        liquidated_volume(&rows, &[sale(150.0, 0.99, 1.05), settled]),
        Some(0.2)
    );
    let mut free = rows;
    free[0].debt = 0.0;
    assert_eq!(liquidated_volume(&free, &[]), None);
}

#[test]
fn bad_debt_adds_what_is_lost_and_what_is_short() {
    let mut rows = blocks("rigid", &[100.0, 90.0, 80.0, 90.0]);
    (
        rows[1].shortfall,
        rows[2].shortfall,
        rows[2].written_off,
        rows[3].written_off,
    ) = (2.0, 1.0, 3.0, 3.0);
    // Over 1,000: 2 → 20 bp, 1 + 3 → 40 bp, 3 → 30 bp.
    assert_eq!(bad_debt_bp(&rows), [0.0, 20.0, 40.0, 30.0].map(Some));
    rows[0].debt = 0.0;
    assert_eq!(bad_debt_bp(&rows), [None; 4]);
}

#[test]
fn toxic_volume_counts_calls_that_did_harm() {
    let sales = [
        sale(10.0, 0.95, 0.94),
        sale(20.0, 0.95, 0.95),
        sale(40.0, 0.95, 1.05),
        sale(80.0, 0.90, 0.89),
        // Closed for good, and not whole.
        LiquidationRow {
            written_off: 1.0,
            ..sale(160.0, 0.85, f64::MAX)
        },
        sale(320.0, 0.85, f64::MAX),
    ];
    assert_eq!(toxic_volume(&sales), 250.0);
}

#[test]
fn hard_zone_includes_its_edge_and_no_settlement() {
    let settled = LiquidationRow {
        settlement: true,
        ..sale(400.0, 0.5, f64::MAX)
    };
    let sales = [
        sale(10.0, 0.92, 1.0),
        sale(20.0, 0.91, 1.0),
        sale(70.0, 0.93, 1.0),
        settled,
    ];
    assert_eq!(hard_zone_share(&sales), Some(0.3));
    assert_eq!(hard_zone_share(&[]), None);
}

#[test]
fn debt_waits_by_what_is_repaid() {
    let waiting = |repaid, waited| LiquidationRow {
        waited,
        ..sale(repaid, 0.95, 1.0)
    };
    assert_eq!(mean_wait_minutes(&[]), None);
    assert_eq!(
        mean_wait_minutes(&[waiting(30.0, 60), waiting(10.0, 300)]),
        Some(2.0)
    );
}

/// Ten accounts that owe 1 to 10 and have waited for what is said, each called twice.
fn ten(waited: fn(u32) -> u64) -> Vec<LiquidationRow> {
    let first = |account: u32| LiquidationRow {
        account,
        debt: f64::from(account + 1),
        waited: waited(account),
        ..sale(1.0, 0.95, 1.0)
    };
    let again = |account: u32| LiquidationRow {
        waited: 7,
        debt: 0.5,
        ..first(account)
    };
    (0..10).map(first).chain((0..10).map(again)).collect()
}

#[test]
fn who_waits_longer_shows_in_the_order_of_sizes() {
    assert_eq!(
        wait_by_size(&ten(|account| u64::from(account).pow(3))),
        Some(1.0)
    );
    assert_eq!(
        wait_by_size(&ten(|account| 100 - u64::from(account))),
        Some(-1.0)
    );
    // Halves: ranks 1 to 10 against 3 and 8: (25 · 5 / 2) / √(82.5 · 62.5).
    let halves = wait_by_size(&ten(|account| u64::from(account / 5))).unwrap();
    assert!((halves - 62.5 / f64::sqrt(82.5 * 62.5)).abs() < 1e-15);
    assert_eq!(wait_by_size(&ten(|_| 60)), None);
    assert_eq!(wait_by_size(&ten(u64::from)[..9]), None);
}

#[test]
fn bonuses_are_unlike_by_what_is_repaid() {
    let paid = |repaid, bonus, settlement| LiquidationRow {
        bonus,
        settlement,
        ..sale(repaid, 0.95, 1.0)
    };
    assert_eq!(bonus_spread(&[paid(10.0, 0.0, true)]), None);
    let sales = [
        paid(3.0, 0.0, false),
        paid(1.0, 0.04, false),
        paid(9.0, 0.0, true),
    ];
    let alike = [0.1, 0.7, 0.3].map(|repaid| paid(repaid, 0.05, false));
    assert_eq!(bonus_spread(&alike), Some(0.0));
    // The mean is 1%: √((3 · 1² + 3²) / 4)%.
    assert!((bonus_spread(&sales).unwrap() - 0.01 * 3.0_f64.sqrt()).abs() < 1e-15);
}

#[test]
fn one_keeper_who_does_everything_is_all_the_concentration_there_is() {
    let by = |keeper, account, repaid| LiquidationRow {
        keeper,
        account,
        ..sale(repaid, 0.99, 1.05)
    };
    assert_eq!(keeper_concentration(&[]), None);
    assert_eq!(
        keeper_concentration(&[by(3, 1, 10.0), by(3, 2, 20.0)]),
        Some(1.0)
    );
    // Three quarters and one: 9/16 + 1/16.
    let sales = vec![by(0, 1, 10.0), by(1, 2, 10.0), by(0, 1, 20.0)];
    assert_eq!(keeper_concentration(&sales), Some(0.625));
    let policy = Trace {
        blocks: blocks("rigid", &[100.0, 90.0]),
        liquidations: sales,
        ..Trace::default()
    };
    let figures = Figures::compute(&policy, &policy).unwrap();
    assert_eq!(figures.liquidated_accounts, 2);
}

#[test]
fn reverted_share_is_over_included() {
    let mut rows = blocks("rigid", &[100.0, 90.0]);
    assert_eq!(reverted_share(&rows), None);
    (rows[0].transactions, rows[1].transactions, rows[1].reverted) = (3, 5, 2);
    assert_eq!(reverted_share(&rows), Some(0.25));
}

#[test]
fn nobody_can_leave_while_all_is_lent() {
    let mut rows = blocks("rigid", &[100.0; 4]);
    let states = [(0, 0.9), (12, 1.0), (36, 1.01), (60, 1.0)];
    for (row, (timestamp, utilisation)) in rows.iter_mut().zip(states) {
        (row.timestamp, row.utilisation) = (timestamp, utilisation);
    }
    // From 12 to 60 seconds; of the last block nobody knows how long it lasts.
    assert_eq!(fully_utilised_minutes(&rows), 0.8);
}

#[test]
fn the_oracle_errs_by_what_it_is_off_either_way() {
    let mut rows = blocks("rigid", &[100.0; 4]);
    let answers = [100.0, 103.0, 0.0, 91.0];
    for (row, answer) in rows.iter_mut().zip(answers) {
        row.fast_price = answer;
    }
    let (mean, most) = oracle_error(&rows);
    // (0 + 3 + 9) / 3 percent: without an answer there is no error.
    assert!((mean.unwrap() - 0.04).abs() < 1e-12 && (most.unwrap() - 0.09).abs() < 1e-12);
    rows.iter_mut().for_each(|row| row.fast_price = 0.0);
    assert_eq!(oracle_error(&rows), (None, None));
}

#[test]
fn an_alarm_is_judged_by_the_hour_that_follows() {
    // Half an hour a block. A fall by 5% follows blocks 1 to 3 within an hour, blocks 0 and 4 not.
    let mut rows = blocks("rigid", &[100.0, 100.0, 99.0, 95.0, 90.0, 95.0]);
    let levels = [1, 0, 2, 0, 3, 3];
    for ((row, level), half_hour) in rows.iter_mut().zip(levels).zip(0..) {
        (row.timestamp, row.breaker_level) = (1_800 * half_hour, level);
    }
    assert_eq!(breaker_errors(&rows), (60.0, 60.0));
    // A second later the fall is not within the hour of block 1 any more.
    rows[3].timestamp += 1;
    assert_eq!(breaker_errors(&rows).1, 30.0 - 1.0 / 60.0);
}

#[test]
fn all_figures_come_together() {
    let mut policy = Trace {
        blocks: blocks("rigid", &[100.0, 76.0, 80.0]),
        liquidations: vec![sale(300.0, 0.9, 1.0), sale(100.0, 0.95, 0.94)],
        ..Trace::default()
    };
    policy.liquidations[0].seized = 3.2;
    policy.liquidations[1].seized = 1.0;
    let rows = &mut policy.blocks;
    (rows[1].unhealthy, rows[1].insolvent, rows[2].unhealthy) = (4, 1, 1);
    (rows[1].transactions, rows[2].transactions, rows[1].reverted) = (7, 1, 2);
    (
        rows[1].keeper_profit,
        rows[2].keeper_profit,
        rows[2].lender_loss,
    ) = (9.0, 5.5, 2.5);
    (rows[1].shortfall, rows[2].written_off, rows[1].venue_price) = (6.0, 4.0, 72.0);
    let without = Trace {
        blocks: blocks(COUNTERFACTUAL, &[100.0, 80.0, 82.0]),
        liquidations: vec![sale(200.0, 0.9, 1.0)],
        ..Trace::default()
    };
    let figures = Figures::compute(&policy, &without).unwrap();
    assert_eq!(figures.overshoot, 1.0 - 76.0 / 80.0);
    assert!((figures.drawdown_amplification.unwrap() - 1.2).abs() < 1e-12);
    assert_eq!(figures.liquidated_volume, Some(0.4));
    assert_eq!(figures.liquidation_amplification, Some(2.0));
    assert_eq!(
        (figures.bad_debt_bp, figures.bad_debt_max_bp),
        (Some(40.0), Some(60.0))
    );
    assert_eq!(figures.toxic_volume, 100.0);
    assert_eq!(
        (figures.blocks_to_solvency, figures.blocks_with_insolvency),
        (2, 1)
    );
    assert_eq!((figures.keeper_profit, figures.lender_loss), (5.5, 2.5));
    assert_eq!(
        (figures.transactions, figures.reverted_share),
        (8, Some(0.25))
    );
    assert_eq!((figures.liquidations, figures.settlements), (2, 0));
    assert_eq!(figures.hard_zone_share, Some(0.75));
    // 3.2 · 100 − 300 + 1.0 · 100 − 100
    assert_eq!(figures.borrower_cost, 20.0);
    // All of it was sold at 100 and is worth 80 at the end.
    assert_eq!(figures.rebound_forgone, -84.0);
    assert_eq!(
        (figures.lowest_reference_price, figures.lowest_venue_price),
        (76.0, 72.0)
    );
    assert!((figures.venue_low_against_counterfactual + 0.1).abs() < 1e-12);

    // Against itself a world amplifies nothing.
    let own = Figures::compute(&without, &without).unwrap();
    assert_eq!(
        (
            own.overshoot,
            own.drawdown_amplification,
            own.liquidation_amplification
        ),
        (0.0, Some(1.0), Some(1.0))
    );
}

#[test]
fn worlds_of_different_blocks_are_refused() {
    let trace = |prices: &[f64]| Trace {
        blocks: blocks("rigid", prices),
        liquidations: Vec::new(),
        ..Trace::default()
    };
    let error = Figures::compute(&trace(&[1.0, 1.0]), &trace(&[1.0])).unwrap_err();
    assert_eq!(
        error,
        MetricsError::Misaligned {
            row: 1,
            policy: 1,
            counterfactual: u64::MAX
        }
    );
    let mut shifted = trace(&[1.0, 1.0]);
    shifted.blocks[1].block = 2;
    let error = Figures::compute(&shifted, &trace(&[1.0, 1.0])).unwrap_err();
    assert_eq!(
        error,
        MetricsError::Misaligned {
            row: 1,
            policy: 2,
            counterfactual: 1
        }
    );
    assert_eq!(
        Figures::compute(&trace(&[]), &trace(&[1.0])).unwrap_err(),
        MetricsError::NoBlocks { world: "policy" }
    );
}

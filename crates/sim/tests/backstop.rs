//! Worlds with a backstop: they add up (every run is audited to the wei), the backstop does what it is for, and its depositors
//! come, flee and wait.

#![allow(clippy::unwrap_used)]

mod support;

use breakwater_sim::config::{BackstopParameters, Policy, WorldParameters};
use breakwater_sim::trace::Trace;
use breakwater_sim::{WorldKind, run};
use support::{Quiet, accounts, input, parameters, trace};

const DAMPED: WorldKind = WorldKind::Policy(Policy::Damped);

/// The shortest period that the contract takes, seconds.
const PERIOD: u64 = 14_400;

fn with(backstop: BackstopParameters) -> WorldParameters {
    WorldParameters {
        backstop: Some(backstop),
        ..parameters()
    }
}

/// A crash of 80 minutes of which half comes back, with this capital.
fn crash(capital: f64, policy: Policy) -> Trace {
    let parameters = with(BackstopParameters::with_capital(capital));
    let input = input(400, 0.25, accounts(40));
    trace(&parameters, &input, WorldKind::Policy(policy), 1)
}

/// The same over 10 hours, in slots of a minute.
fn long_crash(change: impl FnOnce(&mut BackstopParameters)) -> Trace {
    let mut backstop = BackstopParameters {
        period_seconds: PERIOD,
        ..BackstopParameters::with_capital(0.25)
    };
    change(&mut backstop);
    let mut parameters = with(backstop);
    parameters.network.slot_seconds = 60;
    // The market is small, and so is what the release sells at once.
    parameters.keepers.min_profit = 0.1;
    trace(&parameters, &input(600, 0.25, accounts(40)), DAMPED, 1)
}

fn loyal(backstop: &mut BackstopParameters) {
    (backstop.leaving_share, backstop.newcomers) = (0.0, 0.0);
    (
        backstop.stress_share,
        backstop.loss_share,
        backstop.yield_share,
    ) = (0.0, 0.0, 0.0);
}

fn lowest(trace: &Trace) -> f64 {
    let pushed = trace.blocks.iter();
    pushed
        .map(|row| row.reference_price / row.exogenous_price)
        .fold(f64::INFINITY, f64::min)
}

#[test]
fn absorbs_under_every_policy_and_takes_pressure_off_the_price() {
    for policy in Policy::USUAL {
        let (without, guarded) = (crash(0.0, policy), crash(0.25, policy));
        assert_eq!(guarded.backstop.len(), guarded.blocks.len());
        assert!(guarded.absorptions.len() > 10, "{policy:?}");
        assert!(
            lowest(&guarded) > lowest(&without) + 0.01,
            "{policy:?}: {} and {}",
            lowest(&guarded),
            lowest(&without)
        );
    }
}

#[test]
fn capital_of_0_is_no_backstop_and_the_counterfactual_never_has_one() {
    let input = input(150, 0.2, accounts(30));
    let without = trace(&parameters(), &input, DAMPED, 1);
    let with_nothing = with(BackstopParameters::with_capital(0.0));
    let nothing = trace(&with_nothing, &input, DAMPED, 1);
    assert!(nothing.backstop.is_empty() && nothing.absorptions.is_empty());
    assert_eq!(format!("{without:?}"), format!("{nothing:?}"));

    let guarded = with(BackstopParameters::with_capital(0.2));
    let counterfactual = |parameters| {
        format!(
            "{:?}",
            trace(parameters, &input, WorldKind::Counterfactual, 1)
        )
    };
    assert_eq!(counterfactual(&parameters()), counterfactual(&guarded));
}

#[test]
fn absorbed_positions_end_at_the_target_health_or_closed() {
    for policy in Policy::USUAL {
        let trace = crash(0.25, policy);
        let (mut at_target, mut whole) = (0, 0);
        for row in trace.absorptions.iter().filter(|row| !row.settlement) {
            assert!(row.health_after > row.health_before, "{row:?}");
            let left = trace.backstop[row.block as usize].assets;
            let hard = row.health_before <= row.health_hard;
            if row.health_after == f64::MAX {
                whole += 1;
            } else if left > 1.000_001 {
                assert!(!hard, "{row:?}");
                assert!((row.health_after - 1.05).abs() < 1e-4, "{row:?}");
                at_target += 1;
            }
        }
        assert!(at_target > 5, "{policy:?}: {at_target}, {whole} whole");
    }
}

#[test]
fn depositors_pay_at_most_what_the_oracle_says_and_at_least_two_percent_less() {
    for policy in Policy::USUAL {
        for row in crash(0.25, policy).absorptions {
            let value = (row.received + row.handed_over) * row.fast_price;
            let discount = value / row.repaid - 1.0;
            let most = if row.settlement { 0.030_001 } else { 0.020_001 };
            assert!((-1e-6..=most).contains(&discount), "{discount} {row:?}");
            // A tenth of it goes to who calls.
            let kept = row.received * row.fast_price - row.absorbed;
            assert!((kept / (value - row.repaid) - 0.9).abs() < 1e-3, "{row:?}");
        }
    }
}

#[test]
fn profit_is_what_came_in_less_what_went_out() {
    for trace in [crash(0.25, Policy::Damped), long_crash(|_| {})] {
        for (row, block) in trace.backstop.iter().zip(&trace.blocks) {
            let unsold = row.inventory + row.claimed_collateral - row.dumped;
            let profit = row.premium + row.release_proceeds + row.dump_proceeds
                - row.absorbed
                - row.depositor_gas
                + unsold * block.reference_price;
            assert!(
                (row.depositor_profit - profit).abs() < 2.0,
                "{profit} {row:?}"
            );
        }
        let last = trace.backstop.last().unwrap();
        let absorbed: f64 = trace.absorptions.iter().map(|row| row.absorbed).sum();
        let received: f64 = trace.absorptions.iter().map(|row| row.received).sum();
        assert!((absorbed - last.absorbed).abs() < 1e-3);
        assert!((received - last.received).abs() < 1e-9 * received);
    }
}

#[test]
fn who_flees_waits_between_one_and_two_periods_and_bears_until_then() {
    let trace = long_crash(|backstop| {
        (backstop.stress_share, backstop.stress_fall) = (1.0, 0.1);
        (backstop.loss_share, backstop.yield_share) = (0.0, 0.0);
        (backstop.leaving_share, backstop.newcomers) = (0.0, 0.0);
        (backstop.flight_share, backstop.reaction_time) = (1.0, 60.0);
    });
    let last = trace.backstop.last().unwrap();
    assert_eq!(last.exits, 20);
    assert!(last.exit_wait >= 20 * PERIOD && last.longest_exit_wait <= 2 * PERIOD);
    // Nothing leaves within a whole period of the first exit, while absorptions go on.
    let first = trace.backstop.iter().position(|row| row.exits > 0).unwrap();
    let asked_at = trace.blocks[first].timestamp;
    let within = |index: usize| trace.blocks[index].timestamp < asked_at + PERIOD;
    let locked = (first..trace.backstop.len()).take_while(|index| within(*index));
    let locked = locked.last().unwrap();
    let cash = |index: usize| trace.backstop[index].assets + trace.backstop[index].absorbed;
    assert!((cash(first) - cash(locked)).abs() < 1e-3);
    assert!(trace.backstop[locked].absorbed > trace.backstop[first].absorbed);
    // In kind, and sold at once, is what they can do meanwhile.
    assert!(trace.backstop[locked].dumped > 0.0);
    // In the end all have left, with what was not spent.
    assert!(last.assets < 1.0 && last.claimed_assets > 0.0, "{last:?}");
    assert!(last.leaving < 1e-6);
}

#[test]
fn who_asked_before_the_start_leaves_at_the_next_start_of_a_period() {
    let trace = long_crash(|backstop| {
        loyal(backstop);
        backstop.leaving_share = 0.25;
        backstop.capital = 2.0;
    });
    let start = trace.blocks[0].timestamp;
    let next = (start / PERIOD + 1) * PERIOD;
    let half = trace.backstop[0].deposits / 4.0;
    assert!((trace.backstop[0].leaving - half).abs() < 1.0);
    for (row, block) in trace.backstop.iter().zip(&trace.blocks) {
        if block.timestamp < next {
            assert!((row.deposits - row.absorbed - row.assets).abs() < 1e-3);
            assert_eq!(row.claimed_assets, 0.0);
        }
    }
    let last = trace.backstop.last().unwrap();
    assert_eq!((last.exits, last.leaving), (0, 0.0));
    let left = last.deposits - last.absorbed - last.assets;
    assert!(left > half * 0.5 && left <= half + 1e-3, "{left} of {half}");
    assert!((last.claimed_assets / left - 1.0).abs() < 0.05, "{last:?}");
}

#[test]
fn newcomers_come_when_the_premium_pays_more() {
    let trace = long_crash(|backstop| {
        loyal(backstop);
        // Most is spent, so that the premium on the rest is large.
        (backstop.newcomers, backstop.capital) = (1.0, 0.1);
    });
    let last = trace.backstop.last().unwrap();
    assert_eq!(last.entries, 20);
    assert!((last.deposits - 2.0 * trace.backstop[0].deposits).abs() < 1e-3);
    // No deposit is active within a whole period.
    let first = trace
        .backstop
        .iter()
        .position(|row| row.entries > 0)
        .unwrap();
    let soon = (first + (PERIOD / 60) as usize - 1).min(trace.backstop.len() - 1);
    let waiting = trace.backstop[soon].entering;
    assert!(
        (waiting - trace.backstop[0].deposits).abs() < 1e-3,
        "{waiting}"
    );
    // And nobody comes where it pays what it always did.
    let calm = with(BackstopParameters {
        period_seconds: PERIOD,
        ..BackstopParameters::with_capital(0.1)
    });
    let calm = support::trace(&calm, &input(700, 0.0, accounts(10)), DAMPED, 1);
    let last = calm.backstop.last().unwrap();
    assert!(last.premium > 0.0);
    assert_eq!((last.entries, last.exits, last.absorbed), (0, 0, 0.0));
}

#[test]
fn inventory_is_sold_near_the_price_and_a_slower_release_holds_it_longer() {
    let at = |release_share| {
        let trace = long_crash(|backstop| {
            loyal(backstop);
            backstop.release_share = release_share;
        });
        let last = trace.backstop.last().unwrap().clone();
        let held: f64 = trace.backstop.iter().map(|row| row.inventory).sum();
        for rows in trace.backstop.windows(2) {
            let (sold, paid) = (
                rows[1].released - rows[0].released,
                rows[1].release_proceeds - rows[0].release_proceeds,
            );
            if sold > 1e-9 {
                // F as it was before the block, or after a report in it; a percent to either side.
                let number = rows[1].block as usize;
                let fast = [number - 1, number].map(|at| trace.blocks[at].fast_price);
                let low = fast[0].min(fast[1]) * 0.9899;
                let high = fast[0].max(fast[1]) * 1.0101;
                let price = paid / sold;
                assert!((low..=high).contains(&price), "{price} {fast:?}");
            }
        }
        (last.released, held / last.received)
    };
    let (slow, fast) = (at(0.02), at(0.0497));
    assert!(slow.0 > 0.0 && fast.0 > slow.0, "{slow:?} {fast:?}");
    assert!(slow.1 > fast.1, "{slow:?} {fast:?}");
}

#[test]
fn the_same_seed_gives_the_same_trace_and_another_does_not() {
    let input = input(200, 0.25, accounts(30));
    let parameters = with(BackstopParameters::with_capital(0.2));
    let run = |seed| format!("{:?}", trace(&parameters, &input, DAMPED, seed));
    assert_eq!(run(1), run(1));
    assert_ne!(run(1), run(2));
}

#[test]
fn where_absorptions_bid_liquidators_who_are_paid_more_come_first() {
    let absorbed = |first, policy| {
        let mut backstop = BackstopParameters::with_capital(0.25);
        loyal(&mut backstop);
        backstop.first = first;
        let input = input(400, 0.25, accounts(40));
        let trace = trace(&with(backstop), &input, WorldKind::Policy(policy), 1);
        trace.backstop.last().unwrap().absorbed
    };
    let rigid = (
        absorbed(true, Policy::Rigid),
        absorbed(false, Policy::Rigid),
    );
    assert!(rigid.1 < 0.9 * rigid.0, "{rigid:?}");
    // The damped policy gives the backstop priority itself.
    let damped = (
        absorbed(true, Policy::Damped),
        absorbed(false, Policy::Damped),
    );
    assert!(damped.1 > 0.95 * damped.0, "{damped:?}");
}

#[test]
fn impossible_backstops_are_refused_with_a_reason() {
    let refused = |change: fn(&mut BackstopParameters)| {
        let mut backstop = BackstopParameters::with_capital(0.1);
        change(&mut backstop);
        let input = input(10, 0.0, accounts(2));
        run(&with(backstop), &input, DAMPED, 1, &mut Quiet)
            .unwrap_err()
            .to_string()
    };
    let said = refused(|backstop| backstop.period_seconds = 100);
    assert_eq!(
        said,
        "parameter backstop.period_seconds = 100: 14400 to 2592000"
    );
    let said = refused(|backstop| backstop.capital = -0.1);
    assert_eq!(said, "parameter backstop.capital = -0.1: 0 to 10");
    let said = refused(|backstop| backstop.stress_share = 0.9);
    assert!(said.contains("sum to at most 1"), "{said}");
    let said = refused(|backstop| backstop.release_share = 0.06);
    assert!(said.contains("0.000001 to 0.0497"), "{said}");
}

//! Tests of the timing.

use super::*;
use crate::observation::Prices;

const TERMS: Terms = Terms {
    max_bonus: 0.05,
    settlement_bonus: 0.03,
    risk_margin: 0.002,
    min_profit: 1.0,
    count: 1,
    liquidation_gas: 400_000,
    revert_gas: crate::keeper::REVERT_GAS,
    guarded: true,
};
const AUCTION: Auction = Auction {
    min_bonus: 0.01,
    max_bonus: 0.05,
    seconds: 1_200,
    since: Some(1_000),
};
const PROSPECT: Prospect = Prospect {
    repay: 1_000.0,
    collateral: 100.0,
    solvency: 1.2,
};

fn observation(liquidity: f64, base_fee: f64) -> Observation {
    Observation {
        block: 1,
        timestamp: 1_012,
        base_fee,
        inclusion_tip: 1.0,
        native_price: 100.0,
        prices: Prices {
            fast: 100.0,
            slow: 100.0,
            confirm: 100.0,
        },
        venue: Venue {
            sqrt_price: 10.0,
            liquidity,
            fee: 0.003,
        },
        reference_price: 100.0,
        breaker_level: 0,
        bucket: f64::INFINITY,
    }
}

fn time(observation: &Observation, auction: &Auction) -> Option<u64> {
    pays_at(observation, &observation.venue, auction, &PROSPECT, &TERMS)
}

#[test]
fn inverts_the_curve_where_a_closed_form_exists() {
    // Without slippage: x·((1+b)(1−f) − 1 − m) − g = 1, so b = (1.002 + (g + 1)/1,000)/0.997 − 1.
    for base_fee in [20.0, 100.0, 400.0, 700.0] {
        let observation = observation(f64::INFINITY, base_fee);
        let gas = observation.gas_cost(400_000, observation.competitive_tip());
        let bonus = (1.002 + (gas + 1.0) / 1_000.0) / 0.997 - 1.0;
        let share = (bonus - 0.01) / 0.04;
        let expected = if share > 1.0 {
            None
        } else {
            let seconds = (share.max(0.0) * 1_200.0).ceil() as u64;
            Some((1_000 + seconds).max(1_012))
        };
        assert_eq!(time(&observation, &AUCTION), expected, "{base_fee} gwei");
    }
}

#[test]
fn the_second_before_does_not_pay() {
    for liquidity in [3_000.0, 1e4, 1e5] {
        let observation = observation(liquidity, 100.0);
        let Some(found) = time(&observation, &AUCTION) else {
            panic!("never pays at {liquidity}");
        };
        assert!(found > observation.timestamp);
        let gas = observation.gas_cost(400_000, observation.competitive_tip());
        let profit =
            |at| PROSPECT.profit(&observation.venue, 100.0, AUCTION.bonus(at), 0.002, gas) - 1.0;
        assert!(profit(found) > 0.0 && profit(found - 1) <= 0.0);
    }
}

#[test]
fn a_clock_that_nobody_started_stands_still() {
    let waiting = Auction {
        since: None,
        ..AUCTION
    };
    assert_eq!(time(&observation(1e6, 100.0), &waiting), None);
    assert_eq!(time(&observation(1e6, 0.0), &waiting), Some(1_012));
    assert_eq!(waiting.ends(), None);
}

#[test]
fn what_is_not_covered_pays_no_bonus() {
    let observation = observation(1e6, 0.1);
    let insolvent = Prospect {
        solvency: 1.005,
        ..PROSPECT
    };
    assert_eq!(
        pays_at(
            &observation,
            &observation.venue,
            &AUCTION,
            &insolvent,
            &TERMS
        ),
        None
    );
    let little = Prospect {
        collateral: 0.05,
        ..PROSPECT
    };
    // 5 of value: not worth a debt token of profit.
    assert_eq!(
        pays_at(&observation, &observation.venue, &AUCTION, &little, &TERMS),
        None
    );
}

#[test]
fn the_next_turn_is_now_or_an_epoch_later() {
    assert_eq!(next_turn(125, 60, 64, |_| true), Some(125));
    assert_eq!(next_turn(125, 60, 64, |epoch| epoch % 4 == 1), Some(300));
    assert_eq!(next_turn(125, 60, 64, |epoch| epoch == 66), Some(3_960));
    assert_eq!(next_turn(125, 60, 64, |epoch| epoch == 67), None);
}

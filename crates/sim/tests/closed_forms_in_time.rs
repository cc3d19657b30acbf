//! Closed forms in which time passes: slices, random delays, insolvency by delay, an average that lags. The formula stands in
//! each test; the measured side is what the contracts and the venue did, and how it converges. The decay between sales (T5, T6), and delays
//! and prices (T8), are the tests' own.

#![allow(clippy::unwrap_used)]

mod support;

use alloy_primitives::{Address, I256, U256};
use breakwater_bindings::{FullClosePolicy, RigidPolicy, SimFeed, SimToken, TwapOracle};
use breakwater_evm::{BlockEnvironment, Chain, MemoryChain, Rules};
use breakwater_market::{Purpose, Stream};
use breakwater_sim::units::{PRICE_UNIT, WAD, from_base, to_base};
use support::bench::{Bench, Listing, OPERATOR, with_arguments};

const LISTING: Listing = Listing {
    ltv: 8_299,
    threshold: 8_300,
    max_bonus: 500,
};
const THRESHOLD: f64 = 0.83;
const SHOCK: f64 = 94.0;

/// u = P^(−1/2): a sale of q moves it by q/L.
fn root(bench: &Bench) -> f64 {
    bench.price().powf(-0.5)
}

/// `count` equal positions that are all unhealthy after the shock, and that hold 0.4% of the venue's liquidity together.
fn shocked(count: u8) -> (Bench, Vec<Address>) {
    let mut bench = Bench::new(100.0, 10_000.0, FullClosePolicy::BYTECODE.clone(), LISTING);
    let collateral = 40.0 / f64::from(count);
    let accounts = (0..count)
        .map(|number| bench.open(number, collateral, THRESHOLD * collateral * 96.0))
        .collect();
    bench.move_to(SHOCK);
    (bench, accounts)
}

/// How far the venue is from where it started at its worst, if the positions are closed at these times and the displacement
/// decays at `decay`; as a multiple of closing all of them at once.
fn peak(bench: &mut Bench, accounts: &[Address], times: &[f64], decay: f64) -> f64 {
    let start = root(bench);
    let mut at_once = bench.fork();
    assert_eq!(at_once.cascade(accounts), accounts.len());
    let instant = root(&at_once) - start;
    let mut bench = bench.fork();
    let (mut last, mut peak) = (0.0, 0.0_f64);
    for (account, &time) in accounts.iter().zip(times) {
        let displaced = root(&bench) - start;
        let left = displaced * (-decay * (time - last)).exp();
        if (left / displaced - 1.0).abs() > 1e-12 && displaced > 1e-12 {
            bench.move_to((start + left).powi(-2));
        }
        assert_eq!(bench.cascade(&[*account]), 1);
        peak = peak.max(root(&bench) - start);
        last = time;
    }
    peak / instant
}

/// T5: `count` slices over T = 1, with κT = `decay`.
fn sliced(count: u8, decay: f64) -> f64 {
    let (mut bench, accounts) = shocked(count);
    let times: Vec<f64> = (0..count)
        .map(|slice| f64::from(slice) / f64::from(count))
        .collect();
    peak(&mut bench, &accounts, &times, decay)
}

#[test]
fn t5_slices_help_as_far_as_the_market_recovers() {
    // peak/instant = (1 − e^(−κT)) / (κT); N slices are a sum for an integral, off by κT / 2N of it.
    let expected = |decay: f64| (1.0 - (-decay).exp()) / decay;
    for decay in [0.5, 2.0] {
        let errors = [20, 40, 80].map(|count| sliced(count, decay) / expected(decay) - 1.0);
        for (error, count) in errors.iter().zip([20.0, 40.0, 80.0]) {
            let first = decay / (2.0 * count);
            assert!(
                (error / first - 1.0).abs() < 0.05,
                "{decay} {count}: {error}"
            );
        }
    }
}

#[test]
fn t5_without_recovery_slices_do_nothing() {
    assert!((sliced(40, 0.0) - 1.0).abs() < 1e-6);
}

/// T6: mean-field peak/instant = (λ/κ)^(κ/(κ−λ)), 1/e at λ = κ.
fn mean_field(rate: f64, decay: f64) -> f64 {
    if rate == decay {
        (-1.0_f64).exp()
    } else {
        (rate / decay).powf(decay / (decay - rate))
    }
}

#[test]
fn t6_delays_at_the_quantiles_of_their_law_converge_to_the_mean_field() {
    for (rate, decay) in [(1.0, 1.0), (2.0, 1.0), (0.5, 1.0)] {
        let expected = mean_field(rate, decay);
        let errors = [25_u8, 50, 100].map(|count| {
            let (mut bench, accounts) = shocked(count);
            let times: Vec<f64> = (0..count)
                .map(|rank| {
                    let share = (f64::from(rank) + 0.5) / f64::from(count);
                    -(1.0 - share).ln() / rate
                })
                .collect();
            (peak(&mut bench, &accounts, &times, decay) / expected - 1.0).abs()
        });
        // A sum of N for an integral: twice as many are off by half.
        assert!(errors[2] < 0.025, "{rate}: {errors:?}");
        for pair in errors.windows(2) {
            let ratio = pair[1] / pair[0];
            assert!((0.4..0.6).contains(&ratio), "{rate}: {errors:?}");
        }
    }
}

#[test]
fn t6_random_delays_scatter_around_it() {
    let (mut bench, accounts) = shocked(100);
    let expected = mean_field(1.0, 1.0);
    let runs = 12;
    let mean = (0..runs)
        .map(|run| {
            let mut draws = Stream::new(6, Purpose::Statistics, run);
            let mut times: Vec<f64> = accounts.iter().map(|_| draws.exponential(1.0)).collect();
            times.sort_by(f64::total_cmp);
            peak(&mut bench, &accounts, &times, 1.0)
        })
        .sum::<f64>()
        / runs as f64;
    // A maximum over a noisy path lies above that of the mean path: by less than one standard deviation, 1/(2√N).
    assert!(mean > expected - 0.01 && mean < expected + 0.05, "{mean}");
}

/// T8: a position whose health is 1 at a price of 95, under rigid rules with a bonus of 5%.
fn delayed() -> (Bench, Address) {
    let policy = with_arguments(
        &RigidPolicy::BYTECODE,
        &RigidPolicy::constructorCall {
            bonus: to_base(0.05, WAD),
        },
    );
    let mut bench = Bench::new(100.0, 1e9, policy, LISTING);
    let account = bench.open(0, 1_000.0, THRESHOLD * 1_000.0 * 95.0);
    (bench, account)
}

/// Whether a liquidation leaves debt without collateral where the price has fallen to `ratio` of that, tried on a copy of the chain.
fn insolvent_at((bench, account): &mut (Bench, Address), ratio: f64) -> bool {
    let mut fork = bench.fork();
    fork.move_to(95.0 * ratio);
    let owed = fork.debt(*account);
    let (repaid, _) = fork.liquidate(*account, U256::MAX).unwrap();
    fork.collateral_of(*account) == 0.0 && repaid < owed * (1.0 - 1e-9)
}

/// How far, as a ratio, the price may fall before it does: by bisection.
fn insolvent_below() -> f64 {
    let mut position = delayed();
    let (mut solvent, mut insolvent) = (0.94, 0.5);
    while solvent - insolvent > 1e-7 {
        let ratio: f64 = (solvent + insolvent) / 2.0;
        if insolvent_at(&mut position, ratio) {
            insolvent = ratio;
        } else {
            solvent = ratio;
        }
    }
    solvent
}

const DELAY: f64 = 300.0;

/// Deviation of the logarithm in a second: 20% in the root of 30 minutes.
fn volatility() -> f64 {
    0.2 / 1_800.0_f64.sqrt()
}

/// The share of `paths` whose price falls below `barrier` before an exponential delay is over, looked at every `step` seconds.
fn hit_in_steps(barrier: f64, step: f64, paths: u64) -> f64 {
    let (sigma, drift) = (volatility(), -0.5 * volatility().powi(2));
    let hits = (0..paths).filter(|&path| {
        let mut draws = Stream::new(8, Purpose::Statistics, path);
        let delay = draws.exponential(DELAY);
        let (mut time, mut log) = (step, 0.0);
        while time <= delay {
            log += drift * step + sigma * step.sqrt() * draws.normal();
            if log < barrier.ln() {
                return true;
            }
            time += step;
        }
        false
    });
    hits.count() as f64 / paths as f64
}

/// The same looked at all the time: the lowest price, as a ratio, within a path's delay. The minimum of a Brownian bridge between the
/// ends is (x − √(x² − 2σ²t·ln U)) / 2.
fn lowest(path: u64) -> f64 {
    let (sigma, drift) = (volatility(), -0.5 * volatility().powi(2));
    let mut draws = Stream::new(9, Purpose::Statistics, path);
    let delay = draws.exponential(DELAY);
    let end = drift * delay + sigma * delay.sqrt() * draws.normal();
    let spread = -2.0 * sigma * sigma * delay * draws.uniform_above_zero().ln();
    ((end - (end * end + spread).sqrt()) / 2.0).exp()
}

/// p = exp(−a(ν + √(ν² + 2λσ²))/σ²), ν = −σ²/2, for a barrier at e^(−a).
fn first_passage(distance: f64) -> f64 {
    let variance = volatility().powi(2);
    let drift = -0.5 * variance;
    (-distance * (drift + (drift * drift + 2.0 * variance / DELAY).sqrt()) / variance).exp()
}

#[test]
fn t8_delay_makes_a_tenth_insolvent() {
    // a = −ln(θ(1 + b)); θ = .83, b = 5%, σ = 20% per √30 min, mean delay 5 min: 9.9%.
    let barrier = insolvent_below();
    assert!(
        (barrier / (THRESHOLD * 1.05) - 1.0).abs() < 1e-6,
        "{barrier}"
    );
    let expected = first_passage(-(THRESHOLD * 1.05).ln());
    assert!((expected - 0.099).abs() < 5e-4, "{expected}");
    // What the chain says of each path at its lowest, if there is anything to liquidate.
    let (mut position, paths) = (delayed(), 20_000_u64);
    let insolvent = (0..paths)
        .map(lowest)
        .filter(|&ratio| ratio < 0.999 && insolvent_at(&mut position, ratio));
    let measured = insolvent.count() as f64 / paths as f64;
    // Three standard errors of 20,000 paths.
    assert!(
        (measured - expected).abs() < 0.0064,
        "{measured} for {expected}"
    );
}

#[test]
fn t8_shorter_blocks_converge_to_it() {
    // Looking every Δ seconds only is a barrier further away by 0.5826·σ√Δ (Broadie, Glasserman and Kou 1997).
    let barrier = insolvent_below();
    let distance = -barrier.ln();
    let mut last = 0.0;
    for step in [48.0_f64, 12.0, 3.0] {
        let expected = first_passage(distance + 0.582_6 * volatility() * step.sqrt());
        let measured = hit_in_steps(barrier, step, 20_000);
        assert!(
            (measured - expected).abs() < 0.007,
            "{step}: {measured} for {expected}"
        );
        assert!(measured > last, "{step}: {measured}");
        last = measured;
    }
    assert!(first_passage(distance) > last);
}

const WINDOW: u64 = 1_800;

/// A feed at 100 and an oracle over it, which was recorded exactly a window ago.
struct Average {
    chain: MemoryChain,
    feed: Address,
    oracle: Address,
    number: u64,
    start: u64,
}

impl Average {
    fn new() -> Self {
        let mut chain = MemoryChain::new(Rules::default());
        let start = 1_600_000_000;
        chain.begin_block(BlockEnvironment {
            number: 1,
            timestamp: start,
            gas_limit: 30_000_000,
            ..BlockEnvironment::default()
        });
        let token = |chain: &mut MemoryChain, decimals| {
            let call = SimToken::constructorCall {
                name_: "T".into(),
                symbol_: "T".into(),
                decimals_: decimals,
            };
            chain
                .deploy_sol(OPERATOR, &SimToken::BYTECODE, &call)
                .unwrap()
        };
        let (collateral, asset) = (token(&mut chain, 18), token(&mut chain, 6));
        let call = SimFeed::constructorCall { decimals_: 8 };
        let feed = chain
            .deploy_sol(OPERATOR, &SimFeed::BYTECODE, &call)
            .unwrap();
        write(&mut chain, feed, 100.0);
        let none = TwapOracle::FeedParameters {
            source: Address::ZERO,
            heartbeat: 0,
            minAnswer: 0,
            maxAnswer: 0,
        };
        let parameters = TwapOracle::TwapOracleParameters {
            collateralToken: collateral,
            debtToken: asset,
            base: TwapOracle::FeedParameters {
                source: feed,
                heartbeat: 86_400,
                minAnswer: 1,
                maxAnswer: 10_u128.pow(14),
            },
            quote: none,
            venue: Address::ZERO,
            window: WINDOW as u32,
            step: 1_000,
            confirmationDelay: 300,
            standInLimit: 4 * 3_600,
        };
        let oracle = chain
            .deploy_sol(
                OPERATOR,
                &TwapOracle::BYTECODE,
                &TwapOracle::constructorCall { p: parameters },
            )
            .unwrap();
        Self {
            chain,
            feed,
            oracle,
            number: 1,
            start,
        }
    }

    fn at(&mut self, time: u64) {
        self.chain.end_block();
        self.number += 1;
        self.chain.begin_block(BlockEnvironment {
            number: self.number,
            timestamp: self.start + time,
            gas_limit: 30_000_000,
            ..BlockEnvironment::default()
        });
    }

    fn record(&mut self) {
        self.chain
            .execute_sol(OPERATOR, self.oracle, &TwapOracle::updateCall {})
            .unwrap();
    }

    fn step_to(&mut self, price: f64) {
        write(&mut self.chain, self.feed, price);
        self.record();
    }

    fn slow(&mut self) -> f64 {
        let prices = self
            .chain
            .call_sol(OPERATOR, self.oracle, &TwapOracle::peekCall {})
            .unwrap();
        from_base(prices.slow, PRICE_UNIT)
    }
}

fn write(chain: &mut MemoryChain, feed: Address, price: f64) {
    let call = SimFeed::setCall {
        answer: I256::from_raw(to_base(price, 1e8)),
        updatedAt: U256::from(chain.block().timestamp),
    };
    chain.execute_sol(OPERATOR, feed, &call).unwrap();
}

#[test]
fn t9_the_average_follows_a_step_in_a_straight_line() {
    // A step −s in the window W: P₀(1 − s·t/W), exactly where the step is recorded with a checkpoint.
    let mut average = Average::new();
    average.at(WINDOW);
    average.step_to(80.0);
    for time in [1, 450, 900, 1_350, 1_799, 1_800, 2_400] {
        average.at(WINDOW + time);
        let expected = 100.0 * (1.0 - 0.2 * (time as f64 / WINDOW as f64).min(1.0));
        let measured = average.slow();
        assert!(
            (measured / expected - 1.0).abs() < 1e-9,
            "{time}: {measured} for {expected}"
        );
    }
}

#[test]
fn t9_a_margin_is_seen_after_its_share_of_the_step() {
    // m < s is seen after W·m/s: 5% of 20% after 450 s.
    let mut average = Average::new();
    average.at(WINDOW);
    average.step_to(80.0);
    let seen = (1..WINDOW).find(|&time| {
        average.at(WINDOW + time);
        average.slow() <= 95.0
    });
    assert_eq!(seen, Some((1_800.0 * 0.05 / 0.2) as u64));
}

#[test]
fn t9_a_step_between_checkpoints_lags_by_a_quarter_of_it_at_most() {
    let mut worst = 0.0_f64;
    for offset in [450, 900, 1_350] {
        let mut average = Average::new();
        // A small move that is recorded, so that a checkpoint lies at the window's end.
        average.at(WINDOW);
        average.step_to(100.01);
        average.at(WINDOW + offset);
        average.step_to(80.0);
        for time in (60..=WINDOW).step_by(60) {
            average.at(WINDOW + offset + time);
            // The feed moves a little all the time, and is recorded.
            average.step_to(80.0 + 0.001 * (time % 120) as f64 / 60.0);
            let line = 100.0 * (1.0 - 0.2 * time as f64 / WINDOW as f64);
            worst = worst.max((average.slow() - line).abs());
        }
    }
    assert!(worst > 0.1 && worst <= 0.25 * 20.0 + 0.02, "{worst}");
}

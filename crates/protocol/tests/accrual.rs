//! Rates and interest against the contracts, figure by figure. The market's books are compared in `drift`.
#![allow(clippy::unwrap_used, clippy::print_stdout, missing_docs)]

use alloy_primitives::{Address, I256, U256};
use alloy_sol_types::SolConstructor;
use breakwater_bindings::{AdaptiveRateModel, IRateModel, KinkedRateModel};
use breakwater_evm::{BlockEnvironment, Chain, MemoryChain, Rules};
use breakwater_protocol::RateParameters;
use breakwater_protocol::accrual::exponential::{exp_wad, ln_wad};
use breakwater_protocol::accrual::{Market, RateCurve, interest_up, log_of, rate_of};
use rand_chacha::ChaCha8Rng;
use rand_core::{Rng, SeedableRng};

const WAD: u64 = 1_000_000_000_000_000_000;
const YEAR: u64 = 31_536_000;
const CURVES: usize = 60;
const CASES: usize = 200;
const ANYBODY: Address = Address::repeat_byte(1);

struct Random(ChaCha8Rng);

impl Random {
    fn below(&mut self, end: u64) -> u64 {
        self.0.next_u64() % end
    }

    /// Of any order of magnitude from 1 to `end`.
    fn magnitude(&mut self, end: u64) -> u64 {
        let bits = 64 - end.leading_zeros();
        let most = u64::MAX >> (64 - 1 - self.below(u64::from(bits)));
        (self.0.next_u64() % most.max(1) + 1).min(end)
    }
}

fn parameters(random: &mut Random, adaptive: bool) -> RateParameters {
    let least = 1 + random.magnitude(WAD / YEAR / 100);
    let initial = least + random.below(WAD / YEAR / 10);
    let most = initial + random.below(WAD / YEAR);
    // What the cap of 1,000% a year leaves.
    let room = 10 * u128::from(WAD) / u128::from(YEAR) * u128::from(WAD)
        / u128::from(if adaptive { most } else { initial });
    let high = u128::from(WAD) + u128::from(random.below(u64::MAX)) % (room - u128::from(WAD));
    let speed = if adaptive {
        1 + random.magnitude(1_000 * (WAD / YEAR))
    } else {
        0
    };
    RateParameters {
        target_utilisation: 1 + random.below(WAD - 1),
        low_multiplier: random.below(WAD + 1),
        high_multiplier: high,
        adaptation_speed: u128::from(speed),
        initial_rate_at_target: initial,
        min_rate_at_target: if adaptive { least } else { initial },
        max_rate_at_target: if adaptive { most } else { initial },
    }
}

fn deploy(chain: &mut MemoryChain, p: &RateParameters) -> Address {
    let (target, low, high) = (
        U256::from(p.target_utilisation),
        U256::from(p.low_multiplier),
        U256::from(p.high_multiplier),
    );
    let initial = U256::from(p.initial_rate_at_target);
    let (code, arguments) = if p.adaptation_speed == 0 {
        let call = KinkedRateModel::constructorCall {
            targetUtilisation: target,
            lowMultiplier: low,
            highMultiplier: high,
            rateAtTarget: initial,
        };
        (&KinkedRateModel::BYTECODE, call.abi_encode())
    } else {
        let p = AdaptiveRateModel::RateParameters {
            targetUtilisation: target,
            lowMultiplier: low,
            highMultiplier: high,
            adaptationSpeed: U256::from(p.adaptation_speed),
            initialRateAtTarget: initial,
            minRateAtTarget: U256::from(p.min_rate_at_target),
            maxRateAtTarget: U256::from(p.max_rate_at_target),
        };
        let call = AdaptiveRateModel::constructorCall { p };
        (&AdaptiveRateModel::BYTECODE, call.abi_encode())
    };
    chain.deploy(ANYBODY, code, &arguments).unwrap()
}

#[test]
fn average_rates_are_those_of_the_contracts() {
    let mut random = Random(ChaCha8Rng::seed_from_u64(11));
    let mut chain = MemoryChain::new(Rules::default());
    chain.begin_block(BlockEnvironment::default());
    let (mut moved, mut clamped, mut kinked) = (0, 0, 0);
    for number in 0..CURVES {
        let parameters = parameters(&mut random, number % 4 != 0);
        let model = deploy(&mut chain, &parameters);
        let read = chain.call_sol(ANYBODY, model, &IRateModel::parametersCall {});
        assert_eq!(RateParameters::from(&read.unwrap()), parameters);
        let curve = RateCurve::new(&parameters).unwrap();
        let (least, most) = (
            log_of(parameters.min_rate_at_target).unwrap(),
            log_of(parameters.max_rate_at_target).unwrap(),
        );
        let mut log_rate = curve.initial_log();
        for _ in 0..CASES {
            let utilisation = match random.below(6) {
                0 => 0,
                1 => WAD,
                2 => parameters.target_utilisation,
                3 => parameters
                    .target_utilisation
                    .saturating_add(random.below(1_000))
                    .min(WAD),
                _ => random.below(WAD + 1),
            };
            let elapsed = match random.below(8) {
                0 => 0,
                1 => u64::MAX - random.below(1_000),
                _ => random.magnitude(20 * YEAR),
            };
            let call = IRateModel::averageRateCall {
                utilisation: U256::from(utilisation),
                logRateAtTarget: I256::try_from(log_rate).unwrap(),
                elapsed: U256::from(elapsed),
            };
            let expected = chain.call_sol(ANYBODY, model, &call).unwrap();
            let (rate, next) = curve.average(utilisation, log_rate, elapsed);
            assert_eq!(rate, expected.rate, "{parameters:?} {call:?}");
            assert_eq!(
                I256::try_from(next).unwrap(),
                expected.newLogRateAtTarget,
                "{parameters:?} {call:?}"
            );
            kinked += u64::from(parameters.adaptation_speed == 0);
            clamped += u64::from(least < most && (next == least || next == most));
            moved += u64::from(next != log_rate && next != least && next != most);
            // On from here, or from anywhere.
            log_rate = if random.below(3) == 0 {
                least + random.below((most - least) as u64 + 1) as i64
            } else {
                next
            };
        }
    }
    println!("{moved} within the bounds, {clamped} at a bound, {kinked} on fixed curves");
    assert!(moved >= 1_000 && clamped >= 1_000 && kinked >= 1_000);
}

#[test]
fn curves_that_no_pool_has_are_refused() {
    let mut random = Random(ChaCha8Rng::seed_from_u64(12));
    let good = parameters(&mut random, true);
    assert!(RateCurve::new(&good).is_ok());
    let wad = u128::from(WAD);
    for (name, bad) in [
        (
            "targetUtilisation",
            RateParameters {
                target_utilisation: 0,
                ..good
            },
        ),
        (
            "targetUtilisation",
            RateParameters {
                target_utilisation: WAD,
                ..good
            },
        ),
        (
            "lowMultiplier",
            RateParameters {
                low_multiplier: WAD + 1,
                ..good
            },
        ),
        (
            "highMultiplier",
            RateParameters {
                high_multiplier: wad - 1,
                ..good
            },
        ),
        (
            "highMultiplier",
            RateParameters {
                high_multiplier: wad << 60,
                ..good
            },
        ),
        (
            "initialRateAtTarget",
            RateParameters {
                min_rate_at_target: 0,
                ..good
            },
        ),
        (
            "initialRateAtTarget",
            RateParameters {
                initial_rate_at_target: 0,
                ..good
            },
        ),
        (
            "adaptationSpeed",
            RateParameters {
                adaptation_speed: wad,
                ..good
            },
        ),
    ] {
        assert_eq!(RateCurve::new(&bad).unwrap_err().parameter, name);
    }
}

#[test]
fn exponential_and_logarithm_end_where_the_contracts_revert() {
    assert_eq!(exp_wad(I256::ZERO).unwrap(), U256::from(WAD));
    // e, from any table: 2.718281828459045235...
    assert_eq!(
        exp_wad(I256::try_from(WAD).unwrap()).unwrap(),
        U256::from(2_718_281_828_459_045_235_u64)
    );
    assert_eq!(ln_wad(U256::from(WAD)).unwrap(), I256::ZERO);
    assert!(ln_wad(U256::ZERO).is_none() && ln_wad(U256::MAX).is_none());
    let end = I256::try_from(135_305_999_368_893_231_589_i128).unwrap();
    assert!(exp_wad(end).is_none() && exp_wad(end - I256::ONE).is_some());
    let zero = I256::try_from(-41_446_531_673_892_822_313_i128).unwrap();
    assert_eq!(exp_wad(zero).unwrap(), U256::ZERO);
    assert_eq!(rate_of(log_of(WAD / YEAR).unwrap()), U256::from(WAD / YEAR));
}

#[test]
fn interest_rounds_up_and_saturates() {
    assert_eq!(interest_up(1, U256::ONE, 1), U256::ONE);
    assert_eq!(interest_up(0, U256::MAX, 1), U256::ZERO);
    assert_eq!(interest_up(1_000, U256::from(WAD), 0), U256::ZERO);
    // x = 1: 1 + 1/2 + 1/6.
    assert_eq!(interest_up(6_000, U256::from(WAD), 1), U256::from(10_000));
    // x = 10, however long: 10 + 50 + 166.67.
    assert_eq!(interest_up(3, U256::from(WAD), u64::MAX), U256::from(680));
    let market = Market {
        total_debt: (1 << 104) - 2,
        lender_assets: 1,
        debt_shares: 1,
        last_accrual: 1,
        log_rate_at_target: -20_000_000_000_000,
        ..Market::default()
    };
    let mut random = Random(ChaCha8Rng::seed_from_u64(13));
    let curve = RateCurve::new(&parameters(&mut random, false)).unwrap();
    // The books end at 2^104: a unit of interest is left, and lenders get it.
    let accrued = market.accrued(&curve, YEAR);
    assert_eq!(
        (accrued.total_debt, accrued.lender_assets),
        ((1 << 104) - 1, 2)
    );
    assert_eq!(market.accrued(&curve, 0), market);
}

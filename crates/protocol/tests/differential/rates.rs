//! `AdaptiveRateModel` against the formulas of `RateCurve` in real numbers (Morpho's AdaptiveCurveIRM, as published), evaluated with 192
//! bits:
//!
//! ```text
//! e = (u - t) / (1 - t) above the target, (u - t) / t below
//! m = 1 + (high - 1) e above the target, 1 + (1 - low) e below
//! r(s) = exp(clamp(log + s * speed * e * elapsed, ln min, ln max))
//! rate = m (r(0) + 2 r(1/2) + r(1)) / 4
//! ```

use alloy_primitives::{Address, I256, U256};
use alloy_sol_types::SolConstructor;
use breakwater_bindings::{AdaptiveRateModel, AdaptiveRateModel::RateParameters};
use breakwater_evm::{BlockEnvironment, Chain, MemoryChain, Rules};
use dashu_float::{FBig, round::mode::HalfEven};
use dashu_int::IBig;

use crate::{cases, random::Random};

type Real = FBig<HalfEven>;

const ANYBODY: Address = Address::repeat_byte(0xab);
const WAD: u64 = 1_000_000_000_000_000_000;
const YEAR: u64 = 31_536_000;
const BITS: usize = 192;

/// Cases of one model.
const OF_A_MODEL: u64 = 500;

fn real(number: impl Into<IBig>) -> Real {
    Real::from(number.into()).with_precision(BITS).value()
}

fn wad(number: u128) -> Real {
    real(number) / real(WAD)
}

/// 1e12, the scale of logarithms.
fn scale() -> Real {
    real(1_000_000_000_000_u64)
}

/// What a model was made of, in real numbers.
struct Formula {
    target: Real,
    low: Real,
    high: Real,
    speed: Real,
    least: Real,
    most: Real,
}

impl Formula {
    fn new(parameters: &RateParameters) -> Self {
        let part = |number: U256| wad(number.to());
        Self {
            target: part(parameters.targetUtilisation),
            low: part(parameters.lowMultiplier),
            high: part(parameters.highMultiplier),
            speed: part(parameters.adaptationSpeed),
            least: part(parameters.minRateAtTarget).ln(),
            most: part(parameters.maxRateAtTarget).ln(),
        }
    }

    fn clamp(&self, log: Real) -> Real {
        if log < self.least {
            self.least.clone()
        } else if log > self.most {
            self.most.clone()
        } else {
            log
        }
    }

    /// The average rate per second, and the log rate at the end.
    fn average(&self, utilisation: &Real, log: &Real, elapsed: u64) -> (Real, Real) {
        let one = real(1);
        let distance = utilisation - &self.target;
        let (deviation, multiplier) = if distance > real(0) {
            let deviation = distance / (&one - &self.target);
            let multiplier = &one + (&self.high - &one) * &deviation;
            (deviation, multiplier)
        } else {
            let deviation = distance / &self.target;
            let multiplier = &one + (&one - &self.low) * &deviation;
            (deviation, multiplier)
        };
        let change = &self.speed * &deviation * real(elapsed);
        let middle = self.clamp(log + &change / real(2));
        let end = self.clamp(log + &change);
        let mean = (log.exp() + real(2) * middle.exp() + end.exp()) / real(4);
        (mean * multiplier, end)
    }
}

/// Parameters that `RateCurve.pack` accepts: a fifth are the defaults' shape, the others anything.
fn parameters(random: &mut Random) -> RateParameters {
    let ordinary = random.one_in(5);
    let highest_rate = 10 * WAD / YEAR;
    let high = if ordinary {
        4 * WAD
    } else {
        random.range(WAD, 9 * WAD)
    };
    let max = (u128::from(highest_rate) * u128::from(WAD) / u128::from(high)) as u64;
    let max = random.range(max / 10, max);
    let min = random.range(max / 1_000_000, max);
    let fastest = 1_000 * (WAD / YEAR);
    RateParameters {
        targetUtilisation: U256::from(if ordinary {
            WAD / 10 * 9
        } else {
            random.range(1, WAD - 1)
        }),
        lowMultiplier: U256::from(if ordinary {
            WAD / 4
        } else {
            random.range(0, WAD)
        }),
        highMultiplier: U256::from(high),
        adaptationSpeed: U256::from(if ordinary {
            50 * (WAD / YEAR)
        } else {
            random.range(1, fastest)
        }),
        initialRateAtTarget: U256::from(random.range(min, max)),
        minRateAtTarget: U256::from(min),
        maxRateAtTarget: U256::from(max),
    }
}

/// Nothing, a moment, a block, a day, ten years.
fn elapsed(random: &mut Random) -> u64 {
    match random.range(0, 9) {
        0 => 0,
        1..=3 => random.range(1, 60),
        _ => random.magnitude(0, 8).to::<u64>() * 3,
    }
}

fn utilisation(random: &mut Random, target: u64) -> u64 {
    match random.range(0, 9) {
        0 => 0,
        1 => WAD,
        2 => target,
        3 => random.range(target.saturating_sub(1_000), (target + 1_000).min(WAD)),
        _ => random.range(0, WAD),
    }
}

#[test]
fn the_adaptive_model_is_within_a_billionth_of_real_numbers() {
    let mut chain = MemoryChain::new(Rules::default());
    chain.begin_block(BlockEnvironment::default());
    let mut random = Random::new(1);
    let (mut above, mut below, mut bounded, mut still) = (0_u64, 0_u64, 0_u64, 0_u64);
    let (mut worst_rate, mut worst_log) = (0.0_f64, 0.0_f64);
    let models = cases(OF_A_MODEL).max(1);
    for _ in 0..models {
        let parameters = parameters(&mut random);
        let formula = Formula::new(&parameters);
        let target = parameters.targetUtilisation.to::<u64>();
        let arguments = AdaptiveRateModel::constructorCall { p: parameters };
        let model = chain
            .deploy(
                ANYBODY,
                &AdaptiveRateModel::BYTECODE,
                &arguments.abi_encode(),
            )
            .unwrap();
        let whole = |log: &Real| i64::try_from((log * scale()).to_int().value()).unwrap();
        let (least, most) = (whole(&formula.least), whole(&formula.most));
        for _ in 0..OF_A_MODEL {
            let used = utilisation(&mut random, target);
            let log = least + random.range(0, (most - least) as u64) as i64;
            let seconds = elapsed(&mut random);
            let answer = chain
                .call_sol(
                    ANYBODY,
                    model,
                    &AdaptiveRateModel::averageRateCall {
                        utilisation: U256::from(used),
                        logRateAtTarget: I256::try_from(log).unwrap(),
                        elapsed: U256::from(seconds),
                    },
                )
                .unwrap();
            let start = real(log) / scale();
            let (rate, end) = formula.average(&wad(u128::from(used)), &start, seconds);
            let case = || format!("{used} of {target}, log {log} for {seconds} s");

            // Half a unit is what an integer cannot say.
            let rate = rate * real(WAD);
            let given = real(answer.rate.to::<u128>());
            let error = (&given - &rate).to_f64().value().abs() - 0.5;
            let relative = error / rate.to_f64().value();
            assert!(
                error <= 0.0 || relative <= 1e-9,
                "{}: {given} for {rate}",
                case()
            );
            worst_rate = worst_rate.max(relative);

            // Half a unit again; the deviation has 18 digits, which ten years of the fastest adaptation make a hundredth of.
            let end = end * scale();
            let given = real(i64::try_from(answer.newLogRateAtTarget).unwrap());
            let error = (&given - &end).to_f64().value().abs();
            assert!(error <= 0.52, "{}: {given} for {end}", case());
            worst_log = worst_log.max(error);

            above += u64::from(used > target);
            below += u64::from(used < target);
            still += u64::from(seconds == 0 || used == target);
            let limits = [whole(&formula.least), whole(&formula.most)];
            let reached = answer.newLogRateAtTarget.as_i64();
            bounded += u64::from(limits.iter().any(|limit| limit.abs_diff(reached) <= 1));
        }
    }
    let all = models * OF_A_MODEL;
    println!(
        "rates: {all} cases, {above} above the target, {below} below, {bounded} at a bound, {still} at rest; largest relative error \
         beyond half a unit {worst_rate:.1e}, of the log {worst_log:.3} units"
    );
    for (name, count) in [
        ("above", above),
        ("below", below),
        ("bounded", bounded),
        ("still", still),
    ] {
        assert!(count > all / 20, "only {count} of {all} cases are {name}");
    }
}

//! The borrow-rate curve, kinked or adaptive: `contracts/libraries/RateCurve.sol`, whose derivation stands there.

use alloy_primitives::{I256, U256};
use breakwater_bindings::IRateModel;
use serde::{Deserialize, Serialize};

use super::exponential::{exp_wad, ln_wad};

const WAD: u128 = 1_000_000_000_000_000_000;

/// From the log's scale, 1e12, to WAD.
const LOG_TO_WAD: i128 = 1_000_000;

/// ln(1e18) in WAD: makes an exponential come out scaled by 1e36.
const LN_WAD: i128 = 41_446_531_673_892_822_312;

/// A rate curve's parameters: what `IRateModel.parameters()` answers. Ratios WAD, rates WAD per second.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RateParameters {
    /// Strictly between 0 and 1.
    pub target_utilisation: u64,
    /// The rate at no utilisation over the rate at target, at most 1.
    pub low_multiplier: u64,
    /// The rate at full utilisation over the rate at target, at least 1.
    pub high_multiplier: u128,
    /// How fast the rate at target moves at full error, per second; 0 for a fixed curve.
    pub adaptation_speed: u128,
    /// Where the rate at target begins.
    pub initial_rate_at_target: u64,
    /// Its lower bound.
    pub min_rate_at_target: u64,
    /// Its upper bound.
    pub max_rate_at_target: u64,
}

/// What `IRateModel.parameters()` answers. A value that no pool accepts becomes one that [`RateCurve::new`] refuses.
impl From<&IRateModel::RateParameters> for RateParameters {
    fn from(bound: &IRateModel::RateParameters) -> Self {
        Self {
            target_utilisation: bound.targetUtilisation.saturating_to(),
            low_multiplier: bound.lowMultiplier.saturating_to(),
            high_multiplier: bound.highMultiplier.saturating_to(),
            adaptation_speed: bound.adaptationSpeed.saturating_to(),
            initial_rate_at_target: bound.initialRateAtTarget.saturating_to(),
            min_rate_at_target: bound.minRateAtTarget.saturating_to(),
            max_rate_at_target: bound.maxRateAtTarget.saturating_to(),
        }
    }
}

/// A curve ready to compute with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RateCurve {
    target: u64,
    low: u64,
    high: u128,
    speed: u128,
    initial_log: i64,
    min_log: i64,
    max_log: i64,
}

/// Parameters that no pool has: outside the bounds that `RateCurve.pack` enforces.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("rate curve parameter {parameter} is outside what a pool accepts")]
pub struct RateParametersInvalid {
    /// The parameter.
    pub parameter: &'static str,
}

impl RateCurve {
    /// Prepares a curve.
    ///
    /// # Errors
    /// [`RateParametersInvalid`] for what the contract refuses.
    pub fn new(p: &RateParameters) -> Result<Self, RateParametersInvalid> {
        let refuse = |parameter| Err(RateParametersInvalid { parameter });
        let year = 31_536_000_u128;
        let max_rate = 10 * WAD / year;
        if p.target_utilisation == 0 || u128::from(p.target_utilisation) >= WAD {
            return refuse("targetUtilisation");
        }
        if u128::from(p.low_multiplier) > WAD {
            return refuse("lowMultiplier");
        }
        if p.min_rate_at_target == 0
            || p.min_rate_at_target > p.initial_rate_at_target
            || p.initial_rate_at_target > p.max_rate_at_target
        {
            return refuse("initialRateAtTarget");
        }
        if p.high_multiplier < WAD
            || p.high_multiplier > max_rate * WAD / u128::from(p.max_rate_at_target)
        {
            return refuse("highMultiplier");
        }
        if p.adaptation_speed > 1_000 * WAD / year {
            return refuse("adaptationSpeed");
        }
        let log = |rate, parameter| log_of(rate).ok_or(RateParametersInvalid { parameter });
        Ok(Self {
            target: p.target_utilisation,
            low: p.low_multiplier,
            high: p.high_multiplier,
            speed: p.adaptation_speed,
            initial_log: log(p.initial_rate_at_target, "initialRateAtTarget")?,
            min_log: log(p.min_rate_at_target, "minRateAtTarget")?,
            max_log: log(p.max_rate_at_target, "maxRateAtTarget")?,
        })
    }

    /// ln(rate at target per second) scaled by 1e12, as a pool begins.
    #[must_use]
    pub const fn initial_log(&self) -> i64 {
        self.initial_log
    }

    /// The average borrow rate over `elapsed` seconds at constant utilisation (WAD, at most 1), WAD per second to nearest,
    /// and the log rate at their end, scaled by 1e12.
    ///
    /// `log_rate` beyond what any pool holds is taken as the nearest bound.
    #[must_use]
    pub fn average(&self, utilisation: u64, log_rate: i64, elapsed: u64) -> (U256, i64) {
        let deviation = self.deviation(utilisation);
        let log_rate = log_rate.clamp(self.min_log, self.max_log);
        let (mean, new_log) = self.adapt(deviation, log_rate, elapsed);
        let rate = (mean * U256::from(self.multiplier(deviation)) + e(5, 35)) / e(1, 36);
        (rate, new_log)
    }

    /// e, WAD, rounded towards 0.
    fn deviation(&self, utilisation: u64) -> i128 {
        let (u, target) = (u128::from(utilisation), u128::from(self.target));
        // Each quotient is at most 1e18, each product below 1e36.
        if u > target {
            if u >= WAD {
                return WAD as i128;
            }
            return ((u - target) * WAD / (WAD - target)) as i128;
        }
        -(((target - u) * WAD / target) as i128)
    }

    /// m, WAD, never negative.
    fn multiplier(&self, deviation: i128) -> u128 {
        let size = U256::from(deviation.unsigned_abs());
        let part = |span: u128| {
            let product = U256::from(span) * size / U256::from(WAD);
            u128::try_from(product).unwrap_or(u128::MAX)
        };
        if deviation < 0 {
            return WAD - part(WAD - u128::from(self.low));
        }
        WAD + part(self.high - WAD)
    }

    /// The mean of the rate at target, per second scaled by 1e36, and the log rate at the end.
    fn adapt(&self, deviation: i128, log_rate: i64, elapsed: u64) -> (U256, i64) {
        let start = i128::from(log_rate) * LOG_TO_WAD;
        let mean = exp36(start);
        // Speed is below 2^45, the time below 2^64 and the deviation at most 2^60.
        let pace = I256::from_raw(U256::from(self.speed) * U256::from(elapsed));
        let change = pace * signed(deviation) / signed(WAD as i128);
        if change.is_zero() {
            return (mean, log_rate);
        }
        let falling = change.is_negative();
        let bound =
            signed(i128::from(if falling { self.min_log } else { self.max_log }) * LOG_TO_WAD);
        let start = signed(start);
        let end = start + change;
        let two = signed(2);
        if (falling && end < bound) || (!falling && end > bound) {
            let middle = start + change / two;
            let beyond = (falling && middle < bound) || (!falling && middle > bound);
            let middle = if beyond { bound } else { middle };
            let mean = (mean + U256::from(2) * exp36_of(middle) + exp36_of(bound)) / U256::from(4);
            return (mean, to_log_scale(bound));
        }
        let growth = U256::from(WAD) + growth(change / two);
        (mean * (growth * growth) / e(4, 36), to_log_scale(end))
    }
}

/// The rate at target that a log (scaled by 1e12) stands for, WAD per second, to nearest.
#[must_use]
pub fn rate_of(log_rate: i64) -> U256 {
    (exp36(i128::from(log_rate) * LOG_TO_WAD) + e(5, 17)) / e(1, 18)
}

/// ln(rate) scaled by 1e12, to nearest, of a rate in WAD per second. `None` for 0.
#[must_use]
pub fn log_of(rate: u64) -> Option<i64> {
    Some(to_log_scale(ln_wad(U256::from(rate))?))
}

/// e^h, WAD: four terms of the series where they suffice.
fn growth(h: I256) -> U256 {
    let limit = signed(1_000_000_000_000_000);
    if h > limit || h < -limit {
        return exp_wad(h).unwrap_or(U256::MAX);
    }
    let square = h * h;
    let sum = signed(WAD as i128)
        + h
        + square / signed_e(2, 18)
        + square * h / signed_e(6, 36)
        + square * square / signed_e(24, 54);
    sum.into_raw()
}

/// exp(x) scaled by 1e36, x in WAD.
fn exp36(x: i128) -> U256 {
    exp36_of(signed(x))
}

fn exp36_of(x: I256) -> U256 {
    // The logs of a curve are below -14, far from where the exponential ends.
    exp_wad(x + signed(LN_WAD)).unwrap_or(U256::MAX)
}

/// To nearest: logs are negative and division rounds towards 0.
fn to_log_scale(log_wad: I256) -> i64 {
    ((log_wad - signed(LOG_TO_WAD / 2)) / signed(LOG_TO_WAD)).as_i64()
}

fn e(digit: u64, zeros: u64) -> U256 {
    U256::from(digit) * U256::from(10).pow(U256::from(zeros))
}

fn signed_e(digit: u64, zeros: u64) -> I256 {
    I256::from_raw(e(digit, zeros))
}

fn signed(x: i128) -> I256 {
    I256::try_from(x).unwrap_or(I256::ZERO)
}

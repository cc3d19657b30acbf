//! Prices: read from a file, or generated.
//!
//! Generated diffusions share the draws of [`Purpose::Price`]: the same seed gives a jump diffusion the increments of the
//! geometric Brownian motion that it would be without jumps, so that the two can be compared path by path.

use std::path::PathBuf;

use serde::Deserialize;

use crate::error::MarketError;
use crate::knots;
use crate::prices::Bars;
use crate::request::{AMOUNTS, Request, check_amount, check_range};
use crate::streams::{Purpose, Stream};

/// Seconds in a year of 365.25 days.
const SECONDS_PER_YEAR: f64 = 31_557_600.0;

/// Highest volatility taken, per square root of a year (100 = 10,000%).
const MAX_VOLATILITY: f64 = 100.0;

/// Where a price comes from: `source = "file"`, `"gbm"`, `"jump-diffusion"`, `"regime"` or `"profile"`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(tag = "source", rename_all = "kebab-case")]
pub enum PriceConfig {
    /// Bars of an exchange.
    File(PriceFile),
    /// Geometric Brownian motion.
    Gbm(Gbm),
    /// Geometric Brownian motion with lognormal jumps (Merton).
    JumpDiffusion(JumpDiffusion),
    /// Geometric Brownian motion that switches between a calm and a stressed volatility.
    Regime(Regime),
    /// A path through typed-in points, with noise between them.
    Profile(PriceProfile),
}

/// Bars of an exchange, bridged to blocks: see [`Bars::resolve`].
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PriceFile {
    /// The file; a relative path is taken from the scenario's folder.
    pub path: PathBuf,
    /// Start of the window, unix seconds; the first bar by default.
    pub start: Option<u64>,
}

/// Geometric Brownian motion: dS = μ S dt + σ S dW.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Gbm {
    /// Price of the first block, in the scenario's unit of account.
    pub initial: f64,
    /// μ: growth of the mean, per year as a fraction, −100 to 100.
    #[serde(default)]
    pub drift_per_year: f64,
    /// σ: standard deviation of the logarithm over a year, as a fraction, 0 to 100 (0.8 is 80%).
    pub volatility_per_year: f64,
}

/// Merton's jump diffusion ("Option pricing when underlying stock returns are discontinuous", 1976).
///
/// Jumps arrive as a Poisson process, each multiplying the price by exp(N(m, s²)). The drift is that of the whole process:
/// what jumps add to the mean, λ (exp(m + s²/2) − 1), is taken off the diffusion.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct JumpDiffusion {
    /// Price of the first block, in the scenario's unit of account.
    pub initial: f64,
    /// μ: growth of the mean, per year as a fraction, −100 to 100.
    #[serde(default)]
    pub drift_per_year: f64,
    /// σ: standard deviation of the logarithm over a year without jumps, as a fraction, 0 to 100.
    pub volatility_per_year: f64,
    /// λ: mean number of jumps in a year, 0 to 100,000.
    pub jumps_per_year: f64,
    /// m: mean of a jump's logarithm, −5 to 5 (−0.1 is a fall of 9.5%).
    pub jump_mean: f64,
    /// s: standard deviation of a jump's logarithm, 0 to 5.
    pub jump_deviation: f64,
}

/// Two volatilities and a Markov chain between them. The path begins calm.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Regime {
    /// Price of the first block, in the scenario's unit of account.
    pub initial: f64,
    /// μ: growth of the mean in both regimes, per year as a fraction, −100 to 100.
    #[serde(default)]
    pub drift_per_year: f64,
    /// σ while calm, per square root of a year as a fraction, 0 to 100.
    pub calm_volatility_per_year: f64,
    /// σ while stressed, per square root of a year as a fraction, 0 to 100.
    pub stressed_volatility_per_year: f64,
    /// Mean length of a calm spell, in seconds, 1 or more.
    pub mean_calm_seconds: f64,
    /// Mean length of a stressed spell, in seconds, 1 or more.
    pub mean_stressed_seconds: f64,
}

/// A path through knots, linear in the logarithm, plus a Brownian bridge that is zero at every knot: for events of which
/// only the figures are known. It must reach at least as far as the blocks asked for.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PriceProfile {
    /// The knots, the first at 0 seconds. A block at a knot's time has exactly its price.
    pub knots: Vec<PriceKnot>,
    /// Standard deviation of the noise's logarithm over an hour without knots, as a fraction, 0 to 10.
    #[serde(default)]
    pub volatility_per_hour: f64,
    /// Lowest price that noise may reach: it is folded back there. No knot may be below. Without it noise may make a new
    /// low.
    pub floor: Option<f64>,
    /// Highest price that noise may reach: it is folded back there. No knot may be above.
    pub ceiling: Option<f64>,
}

/// A point of a price profile.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PriceKnot {
    /// Seconds from the start.
    pub seconds: u64,
    /// Price there, in the scenario's unit of account.
    pub price: f64,
}

impl PriceConfig {
    /// Price of every block, in the scenario's unit of account (a file's own).
    ///
    /// # Errors
    /// Whatever is wrong with the configuration or the file.
    pub fn resolve(&self, request: &Request<'_>) -> Result<Vec<f64>, MarketError> {
        match self {
            Self::File(file) => Bars::read(&request.path(&file.path))?.resolve(
                request.grid,
                file.start,
                request.seed,
                request.series,
            ),
            Self::Gbm(gbm) => gbm.resolve(request),
            Self::JumpDiffusion(jumps) => jumps.resolve(request),
            Self::Regime(regime) => regime.resolve(request),
            Self::Profile(profile) => profile.resolve(request),
        }
    }
}

/// The stream for one purpose of one series. Indices above 2^62 keep clear of those of bars.
fn stream(request: &Request<'_>, purpose: Purpose) -> Stream {
    Stream::new(request.seed, purpose, (1 << 62) | u64::from(request.series))
}

fn years_per_block(request: &Request<'_>) -> f64 {
    request.grid.slot_seconds() as f64 / SECONDS_PER_YEAR
}

fn check_diffusion(
    request: &Request<'_>,
    initial: f64,
    drift: f64,
    volatilities: &[(&str, f64)],
) -> Result<(), MarketError> {
    check_amount(request.key("initial"), initial)?;
    check_range(request.key("drift_per_year"), drift, -100.0, 100.0)?;
    for &(name, value) in volatilities {
        check_range(request.key(name), value, 0.0, MAX_VOLATILITY)?;
    }
    Ok(())
}

/// Accumulates log increments, one for each block after the first.
fn accumulate(
    request: &Request<'_>,
    initial: f64,
    mut increment: impl FnMut() -> f64,
) -> Result<Vec<f64>, MarketError> {
    let mut prices = Vec::with_capacity(request.grid.blocks());
    let mut logarithm = 0.0;
    prices.push(initial);
    for block in 1..request.grid.blocks() {
        logarithm += increment();
        let price = initial * f64::exp(logarithm);
        if !AMOUNTS.contains(&price) {
            return Err(MarketError::impossible(
                request.table,
                format!("price {price} at block {block}"),
                format!(
                    "parameters that keep the price within {:e} to {:e}",
                    AMOUNTS.start(),
                    AMOUNTS.end()
                ),
            ));
        }
        prices.push(price);
    }
    Ok(prices)
}

impl Gbm {
    fn resolve(&self, request: &Request<'_>) -> Result<Vec<f64>, MarketError> {
        let sigma = self.volatility_per_year;
        check_diffusion(
            request,
            self.initial,
            self.drift_per_year,
            &[("volatility_per_year", sigma)],
        )?;
        let dt = years_per_block(request);
        let mean = (self.drift_per_year - 0.5 * sigma * sigma) * dt;
        let deviation = sigma * dt.sqrt();
        let mut noise = stream(request, Purpose::Price);
        accumulate(request, self.initial, || mean + deviation * noise.normal())
    }
}

impl JumpDiffusion {
    fn resolve(&self, request: &Request<'_>) -> Result<Vec<f64>, MarketError> {
        let sigma = self.volatility_per_year;
        check_diffusion(
            request,
            self.initial,
            self.drift_per_year,
            &[("volatility_per_year", sigma)],
        )?;
        check_range(request.key("jumps_per_year"), self.jumps_per_year, 0.0, 1e5)?;
        check_range(request.key("jump_mean"), self.jump_mean, -5.0, 5.0)?;
        check_range(request.key("jump_deviation"), self.jump_deviation, 0.0, 5.0)?;
        let dt = years_per_block(request);
        let jump_growth = (self.jump_mean + 0.5 * self.jump_deviation.powi(2)).exp_m1();
        let drift = self.drift_per_year - self.jumps_per_year * jump_growth;
        let mean = (drift - 0.5 * sigma * sigma) * dt;
        let deviation = sigma * dt.sqrt();
        let mut noise = stream(request, Purpose::Price);
        let mut jumps = stream(request, Purpose::Jumps);
        accumulate(request, self.initial, || {
            let count = jumps.poisson(self.jumps_per_year * dt);
            let jump: f64 = (0..count)
                .map(|_| self.jump_mean + self.jump_deviation * jumps.normal())
                .sum();
            mean + deviation * noise.normal() + jump
        })
    }
}

impl Regime {
    fn resolve(&self, request: &Request<'_>) -> Result<Vec<f64>, MarketError> {
        let volatilities = [
            ("calm_volatility_per_year", self.calm_volatility_per_year),
            (
                "stressed_volatility_per_year",
                self.stressed_volatility_per_year,
            ),
        ];
        check_diffusion(request, self.initial, self.drift_per_year, &volatilities)?;
        let lengths = [
            ("mean_calm_seconds", self.mean_calm_seconds),
            ("mean_stressed_seconds", self.mean_stressed_seconds),
        ];
        for (name, seconds) in lengths {
            check_range(request.key(name), seconds, 1.0, 1e12)?;
        }
        let dt = years_per_block(request);
        let slot = request.grid.slot_seconds() as f64;
        let mut noise = stream(request, Purpose::Price);
        let mut switches = stream(request, Purpose::Regime);
        let mut stressed = 0;
        accumulate(request, self.initial, || {
            let sigma = volatilities[stressed].1;
            // A spell is exponential: it ends within a block with probability 1 - exp(-slot / mean).
            if switches.chance(-(-slot / lengths[stressed].1).exp_m1()) {
                stressed = 1 - stressed;
            }
            (self.drift_per_year - 0.5 * sigma * sigma) * dt + sigma * dt.sqrt() * noise.normal()
        })
    }
}

impl PriceProfile {
    /// How many blocks of `slot_seconds` the knots reach.
    pub fn covers(&self, slot_seconds: u64) -> u64 {
        self.knots
            .last()
            .map_or(0, |last| last.seconds / slot_seconds.max(1) + 1)
    }

    fn check(&self, request: &Request<'_>, points: &[knots::Point]) -> Result<(), MarketError> {
        knots::check(request, points, "price")?;
        check_range(
            request.key("volatility_per_hour"),
            self.volatility_per_hour,
            0.0,
            10.0,
        )?;
        let lowest = points.iter().fold(f64::INFINITY, |low, p| low.min(p.1));
        let highest = points.iter().fold(0.0, |high: f64, p| high.max(p.1));
        if let Some(floor) = self.floor {
            check_range(request.key("floor"), floor, *AMOUNTS.start(), lowest)?;
        }
        if let Some(ceiling) = self.ceiling {
            check_range(request.key("ceiling"), ceiling, highest, *AMOUNTS.end())?;
        }
        let covers = self.covers(request.grid.slot_seconds());
        if covers < request.grid.blocks() as u64 {
            return Err(MarketError::TooShort {
                file: request.key("knots").into(),
                start: 0,
                slot_seconds: request.grid.slot_seconds(),
                requested: request.grid.blocks(),
                covers,
            });
        }
        Ok(())
    }

    fn resolve(&self, request: &Request<'_>) -> Result<Vec<f64>, MarketError> {
        let points: Vec<_> = self.knots.iter().map(|k| (k.seconds, k.price)).collect();
        self.check(request, &points)?;
        let log_floor = self.floor.map_or(f64::NEG_INFINITY, f64::ln);
        let log_ceiling = self.ceiling.map_or(f64::INFINITY, f64::ln);
        let variance_per_second = self.volatility_per_hour.powi(2) / 3_600.0;
        let mut noise = stream(request, Purpose::Price);
        let mut segment = 0;
        // The last point of the path: where the bridge to the next knot goes on from.
        let (mut seconds_before, mut log_before) = (0, points[0].1.ln());
        let mut prices = Vec::with_capacity(request.grid.blocks());
        for seconds in request.grid.seconds() {
            while points
                .get(segment + 1)
                .is_some_and(|next| next.0 <= seconds)
            {
                segment += 1;
                (seconds_before, log_before) = (points[segment].0, points[segment].1.ln());
            }
            // One draw for every block, so that adding a knot on a block moves no other segment's noise.
            let draw = noise.normal();
            let (knot_seconds, knot_price) = points[segment];
            let price = match points.get(segment + 1) {
                Some(&(to_seconds, to_price)) if seconds > knot_seconds => {
                    let step = (seconds - seconds_before) as f64;
                    let whole = (to_seconds - seconds_before) as f64;
                    let mean = log_before + (to_price.ln() - log_before) * step / whole;
                    let variance = variance_per_second * step * (whole - step) / whole;
                    log_before = fold(mean + variance.sqrt() * draw, log_floor, log_ceiling);
                    seconds_before = seconds;
                    let price = log_before.exp();
                    // exp(ln(bound)) may miss the bound by a rounding.
                    price
                        .max(self.floor.unwrap_or(0.0))
                        .min(self.ceiling.unwrap_or(f64::INFINITY))
                }
                _ => knot_price,
            };
            prices.push(price);
        }
        Ok(prices)
    }
}

/// Reflects a value into `low..=high`, either of which may be infinite.
fn fold(value: f64, low: f64, high: f64) -> f64 {
    if low.is_finite() && high.is_finite() {
        let range = high - low;
        if range <= 0.0 {
            return low;
        }
        let folded = (value - low).rem_euclid(2.0 * range);
        low + folded.min(2.0 * range - folded)
    } else if value < low {
        2.0 * low - value
    } else if value > high {
        2.0 * high - value
    } else {
        value
    }
}

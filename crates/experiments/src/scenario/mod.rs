//! Scenarios: a TOML file that says everything about a run but its policies.
//!
//! ```
//! use breakwater_experiments::scenario::{Overrides, Scenario, Source};
//!
//! let overrides = Overrides { blocks: Some(100), ..Overrides::default() };
//! let run = Scenario::read(&Source::find("black-thursday")?)?.prepare(&overrides)?;
//! assert_eq!(run.input.prices.len(), 101);
//! # Ok::<(), breakwater_experiments::scenario::ScenarioError>(())
//! ```

mod change;
mod error;
mod hash;
mod parameters;
mod preparation;
mod prepare;
mod settings;
mod source;
mod window;

use breakwater_market::{DepthConfig, GasConfig, PopulationConfig, PriceConfig};
use breakwater_sim::config::{
    AdversaryParameters, BackstopParameters, BorrowerParameters, CollateralParameters,
    DampedOverrides, FeedError, FeedParameters, KeeperParameters, MissedSlots, NetworkParameters,
    NoiseParameters, VenueParameters,
};
use serde::Deserialize;

use crate::report::Setting;
pub(crate) use error::nearest;

pub use error::ScenarioError;
pub use parameters::{PARAMETERS, Parameter};
pub use prepare::{Overrides, Prepared};
pub use source::Source;

/// How long a run is and which random numbers it uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
struct RunParameters {
    blocks: u64,
    seed: u64,
    start: u64,
}

/// An instant fall of the outside price, for good.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Shock {
    /// A share of the price.
    fall: f64,
    /// Seconds from block 0.
    #[serde(default = "ten_minutes")]
    at: u64,
}

const fn ten_minutes() -> u64 {
    600
}

/// The file's form; [`PARAMETERS`] says what each key means.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    name: String,
    title: String,
    description: String,
    #[serde(default)]
    sources: Vec<String>,
    collateral_symbol: String,
    lender_assets_over_debt: f64,
    run: RunParameters,
    prices: PriceConfig,
    native_prices: Option<PriceConfig>,
    shock: Option<Shock>,
    gas: GasConfig,
    depth: Option<DepthConfig>,
    population: PopulationConfig,
    collateral: CollateralParameters,
    venue: VenueParameters,
    feed: FeedParameters,
    network: NetworkParameters,
    keepers: KeeperParameters,
    borrowers: BorrowerParameters,
    noise: Option<NoiseParameters>,
    adversary: Option<AdversaryParameters>,
    backstop: Option<BackstopParameters>,
    #[serde(default)]
    damped: DampedOverrides,
}

/// A scenario that was read and whose values can be.
#[derive(Clone, Debug)]
pub struct Scenario {
    source: Source,
    table: toml::Table,
    file: File,
    /// Keys whose values are not the file's.
    changed: Vec<String>,
}

impl Scenario {
    /// Reads and checks a scenario.
    ///
    /// # Errors
    /// [`ScenarioError`] with the file and the line.
    pub fn read(source: &Source) -> Result<Self, ScenarioError> {
        let refuse = |error| ScenarioError::from_toml(source, &error);
        let table: toml::Table = toml::from_str(&source.text).map_err(refuse)?;
        let file: File = toml::from_str(&source.text).map_err(refuse)?;
        settings::check_ranges(source, &table)?;
        let scenario = Self {
            source: source.clone(),
            table,
            file,
            changed: Vec::new(),
        };
        scenario.check_together()?;
        Ok(scenario)
    }

    /// The short name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.file.name
    }

    /// The report's title.
    #[must_use]
    pub fn title(&self) -> &str {
        &self.file.title
    }

    /// What happened.
    #[must_use]
    pub fn description(&self) -> &str {
        &self.file.description
    }

    /// Where the event's figures come from.
    #[must_use]
    pub fn sources(&self) -> &[String] {
        &self.file.sources
    }

    /// Blocks that it simulates.
    #[must_use]
    pub const fn blocks(&self) -> u64 {
        self.file.run.blocks
    }

    /// What it changes of the damped policy.
    #[must_use]
    pub const fn damped(&self) -> &DampedOverrides {
        &self.file.damped
    }

    /// Its backstop, if it has one.
    #[must_use]
    pub const fn backstop(&self) -> Option<&BackstopParameters> {
        self.file.backstop.as_ref()
    }

    /// Its file's text.
    pub(crate) fn text(&self) -> &str {
        &self.source.text
    }

    /// How many blocks it runs for, and how many seconds each of their slots takes.
    #[must_use]
    pub const fn length(&self) -> (u64, u64) {
        (self.file.run.blocks, self.file.network.slot_seconds)
    }

    /// Every parameter as the file has it, in the order of [`PARAMETERS`].
    #[must_use]
    pub fn settings(&self) -> Vec<Setting> {
        settings::settings(&self.source, &self.table, &self.changed)
    }

    /// Refuses stretches of a run that end before they begin, and what cannot happen in one.
    fn check_stretches(
        &self,
        refuse: &impl Fn(&str, String, String) -> Result<(), ScenarioError>,
    ) -> Result<(), ScenarioError> {
        let (feed, network) = (&self.file.feed, &self.file.network);
        let errors = feed.errors.iter().map(|each| (each.from, each.until));
        let outages = feed.outages.iter().map(|each| (each.from, each.until));
        let missed = network.missed.iter().map(|each| (each.from, each.until));
        for (key, stretches) in [
            ("feed.errors", errors.collect::<Vec<_>>()),
            ("feed.outages", outages.collect()),
            ("network.missed", missed.collect()),
        ] {
            for (index, (from, until)) in stretches.into_iter().enumerate() {
                if from >= until {
                    return refuse(
                        &format!("{key}[{index}].until"),
                        until.to_string(),
                        format!("more than its `from`, {from}"),
                    );
                }
            }
        }
        let wrong = |error: &FeedError| !(error.ratio > -1.0 && error.ratio <= 10.0);
        if let Some(index) = feed.errors.iter().position(wrong) {
            return refuse(
                &format!("feed.errors[{index}].ratio"),
                feed.errors[index].ratio.to_string(),
                "above -1 and at most 10".to_owned(),
            );
        }
        let wrong = |slots: &MissedSlots| !(0.0..=0.95).contains(&slots.share);
        if let Some(index) = network.missed.iter().position(wrong) {
            return refuse(
                &format!("network.missed[{index}].share"),
                network.missed[index].share.to_string(),
                "0 to 0.95".to_owned(),
            );
        }
        Ok(())
    }

    /// Refuses depositors of more kinds than there are.
    fn check_backstop(
        &self,
        refuse: &impl Fn(&str, String, String) -> Result<(), ScenarioError>,
    ) -> Result<(), ScenarioError> {
        let shares = self.file.backstop.as_ref().map_or(0.0, |backstop| {
            backstop.stress_share + backstop.loss_share + backstop.yield_share
        });
        if shares > 1.0 + 1e-12 {
            return refuse(
                "backstop.stress_share",
                format!("{shares} with loss_share and yield_share"),
                "shares that sum to at most 1".to_owned(),
            );
        }
        Ok(())
    }

    /// Refuses values that are possible alone and not together.
    fn check_together(&self) -> Result<(), ScenarioError> {
        let refuse = |key: &str, value: String, expected: String| {
            Err(ScenarioError::Value {
                file: self.source.file.clone(),
                line: self.source.line_of(key),
                key: key.to_owned(),
                value,
                expected,
            })
        };
        let collateral = &self.file.collateral;
        if collateral.borrow_ltv >= collateral.liquidation_threshold {
            return refuse(
                "collateral.borrow_ltv",
                collateral.borrow_ltv.to_string(),
                format!(
                    "less than collateral.liquidation_threshold, {}",
                    collateral.liquidation_threshold
                ),
            );
        }
        // The listing condition of the protocol: HF_hard ≤ 1 / (1 + δ).
        let hard = collateral.liquidation_threshold
            * (1.0 + collateral.max_bonus)
            * (1.0 + collateral.slippage_margin);
        let most = 1.0 / (1.0 + collateral.confirmation_band);
        if hard > most {
            return refuse(
                "collateral.slippage_margin",
                collateral.slippage_margin.to_string(),
                format!("LT·(1 + bmax)·(1 + σ) = {hard:.4} to be at most 1/(1 + δ) = {most:.4}"),
            );
        }
        // And what leaves a settlement its bonus of 3% where the listing's is less.
        let settled = collateral.liquidation_threshold * 1.03;
        if settled > 1.0 {
            return refuse(
                "collateral.liquidation_threshold",
                collateral.liquidation_threshold.to_string(),
                "at most 1/1.03 = 0.9708, which leaves a settlement its bonus".to_owned(),
            );
        }
        // And that settlement, below C = 1.03 D, begins in the hard zone.
        let solvent = (1.0 + collateral.max_bonus) * (1.0 + collateral.slippage_margin);
        if solvent < 1.03 {
            return refuse(
                "collateral.slippage_margin",
                collateral.slippage_margin.to_string(),
                format!(
                    "(1 + bmax)·(1 + σ) = {solvent:.4} to be at least 1.03, where settlement begins"
                ),
            );
        }
        if ![500, 3_000, 10_000].contains(&self.file.venue.fee) {
            return refuse(
                "venue.fee",
                self.file.venue.fee.to_string(),
                "500, 3000 or 10000".to_owned(),
            );
        }
        self.check_stretches(&refuse)?;
        let borrowers = &self.file.borrowers;
        let shares = borrowers.top_up_share + borrowers.repay_share + borrowers.deleverage_share;
        if shares > 1.0 {
            return refuse(
                "borrowers.top_up_share",
                format!("{shares} with the other shares"),
                "shares that sum to at most 1".to_owned(),
            );
        }
        self.check_backstop(&refuse)
    }
}

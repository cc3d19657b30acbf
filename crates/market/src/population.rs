//! Populations: a file's accounts, or accounts drawn from distributions.

use std::path::PathBuf;

use serde::Deserialize;

use crate::accounts::{Account, Accounts, Terms, Unit, read_accounts};
use crate::error::MarketError;
use crate::normal;
use crate::request::{Request, check_amount, check_range};
use crate::streams::{Purpose, Stream};

/// Most accounts in one population.
pub const MAX_ACCOUNTS: usize = 10_000_000;

/// The share of accounts that are whales: the largest 1%, at least one.
pub const WHALE_FRACTION: f64 = 0.01;

/// Where accounts come from: `source = "file"` or `source = "generated"`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(tag = "source", rename_all = "kebab-case")]
pub enum PopulationConfig {
    /// A snapshot.
    File(PopulationFile),
    /// Groups of accounts drawn from distributions.
    Generated(PopulationGroups),
}

/// A snapshot of accounts: see [`read_accounts`] for its columns.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PopulationFile {
    /// The file; a relative path is taken from the scenario's folder.
    pub path: PathBuf,
    /// Unit of its amounts.
    pub unit: Unit,
    /// All collateral after rescaling, in whole tokens; the file's own by default. Loan-to-values stay as they are.
    pub total_collateral: Option<f64>,
    /// Draw this many accounts from the file, with replacement, anew for every seed (a bootstrap); 1 to 10,000,000. By
    /// default the file's accounts are taken as they are, whatever the seed.
    pub resample: Option<usize>,
}

/// Groups of accounts, each with its own sizes and leverage: 70% loopers beside 30% others are two groups, one large
/// borrower is a group of one.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PopulationGroups {
    /// The groups.
    pub groups: Vec<Group>,
}

/// A group of accounts.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Group {
    /// Its name, which its accounts carry.
    pub name: String,
    /// Number of accounts, 1 to 10,000,000.
    pub accounts: usize,
    /// Collateral of the group, in whole tokens.
    pub total_collateral: f64,
    /// How the collateral is divided.
    pub sizes: Sizes,
    /// Debt over collateral value, drawn for each account regardless of its size.
    pub ltv: LtvDistribution,
}

/// How collateral is divided among the accounts of a group.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(tag = "law", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Sizes {
    /// All alike. (Braces, so that a share given beside it is refused.)
    Even {},
    /// Lognormal, with the spread that gives whales their share.
    Lognormal {
        /// Share of the group's collateral held by its largest 1% (at least one account): more than an even share, less
        /// than 1.
        whale_share: f64,
    },
    /// Pareto, with the exponent that gives whales their share: a heavier tail among the whales than lognormal.
    Pareto {
        /// As for lognormal.
        whale_share: f64,
    },
}

/// A normal distribution cut off at both ends. All four are fractions, with
/// 0 ≤ minimum ≤ mean ≤ maximum ≤ the protocol's maximum loan-to-value.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LtvDistribution {
    /// Lowest.
    pub minimum: f64,
    /// Highest.
    pub maximum: f64,
    /// Mean before cutting.
    pub mean: f64,
    /// Standard deviation before cutting, 0 to 10; 0 gives every account the mean.
    pub deviation: f64,
}

impl PopulationConfig {
    /// The accounts. Uses the request's table, base, seed and series; its grid does not matter.
    ///
    /// # Errors
    /// Whatever is wrong with the configuration or the file.
    pub fn resolve(&self, request: &Request<'_>, terms: &Terms) -> Result<Accounts, MarketError> {
        terms.check()?;
        match self {
            Self::File(file) => file.resolve(request, terms),
            Self::Generated(groups) => groups.resolve(request, terms),
        }
    }
}

/// What a population's draws decide; each has its own stream, so that more accounts or other leverage shift nothing else.
#[derive(Clone, Copy)]
enum Draw {
    Sizes = 0,
    Leverage = 1,
    Order = 2,
    Resample = 3,
}

fn stream(request: &Request<'_>, group: usize, draw: Draw) -> Stream {
    let index = (u64::from(request.series) << 48) | ((group as u64) << 8) | draw as u64;
    Stream::new(request.seed, Purpose::Population, index)
}

fn check_count(key: String, count: usize) -> Result<(), MarketError> {
    if (1..=MAX_ACCOUNTS).contains(&count) {
        Ok(())
    } else {
        Err(MarketError::impossible(
            key,
            count,
            format!("1 to {MAX_ACCOUNTS}"),
        ))
    }
}

impl PopulationFile {
    fn resolve(&self, request: &Request<'_>, terms: &Terms) -> Result<Accounts, MarketError> {
        if let Some(total) = self.total_collateral {
            check_amount(request.key("total_collateral"), total)?;
        }
        if let Some(count) = self.resample {
            check_count(request.key("resample"), count)?;
        }
        let mut population = read_accounts(&request.path(&self.path), self.unit, terms)?;
        if let Some(count) = self.resample {
            let mut draws = stream(request, 0, Draw::Resample);
            let pool = std::mem::take(&mut population.accounts);
            population.accounts = (0..count)
                .map(|number| {
                    let drawn = &pool[draws.below(pool.len() as u64) as usize];
                    Account {
                        name: format!("{number}:{}", drawn.name),
                        ..drawn.clone()
                    }
                })
                .collect();
        }
        if let Some(total) = self.total_collateral {
            population.rescale(total);
        }
        Ok(population)
    }
}

impl PopulationGroups {
    fn resolve(&self, request: &Request<'_>, terms: &Terms) -> Result<Accounts, MarketError> {
        if self.groups.is_empty() {
            return Err(MarketError::impossible(
                request.key("groups"),
                "an empty list",
                "at least one group",
            ));
        }
        let all = self
            .groups
            .iter()
            .fold(0usize, |sum, group| sum.saturating_add(group.accounts));
        check_count(request.key("groups.accounts"), all)?;
        let mut accounts = Vec::with_capacity(all);
        for (index, group) in self.groups.iter().enumerate() {
            if self.groups[..index].iter().any(|g| g.name == group.name) {
                return Err(MarketError::impossible(
                    request.key(&format!("groups[{index}].name")),
                    &group.name,
                    "a name that no group before has",
                ));
            }
            group.check(request, index, terms)?;
            group.generate(request, index, terms, &mut accounts);
        }
        Ok(Accounts {
            accounts,
            left_out: Vec::new(),
        })
    }
}

impl Group {
    /// Number of whales.
    fn whales(&self) -> usize {
        ((self.accounts as f64 * WHALE_FRACTION).round() as usize).max(1)
    }

    fn check(&self, request: &Request<'_>, index: usize, terms: &Terms) -> Result<(), MarketError> {
        let key = |name: &str| request.key(&format!("groups[{index}].{name}"));
        check_count(key("accounts"), self.accounts)?;
        check_amount(key("total_collateral"), self.total_collateral)?;
        match self.sizes {
            Sizes::Even {} => {}
            Sizes::Lognormal { whale_share } | Sizes::Pareto { whale_share } => {
                let even = self.whales() as f64 / self.accounts as f64;
                if !(whale_share > even && whale_share < 1.0) {
                    return Err(MarketError::impossible(
                        key("sizes.whale_share"),
                        whale_share,
                        format!(
                            "more than {even} (an even share for {} of {}) and less than 1",
                            self.whales(),
                            self.accounts
                        ),
                    ));
                }
            }
        }
        let ltv = self.ltv;
        check_range(key("ltv.maximum"), ltv.maximum, 0.0, terms.max_ltv)?;
        check_range(key("ltv.minimum"), ltv.minimum, 0.0, ltv.maximum)?;
        check_range(key("ltv.mean"), ltv.mean, ltv.minimum, ltv.maximum)?;
        check_range(key("ltv.deviation"), ltv.deviation, 0.0, 10.0)
    }

    fn generate(
        &self,
        request: &Request<'_>,
        index: usize,
        terms: &Terms,
        accounts: &mut Vec<Account>,
    ) {
        let mut sizes = self.sizes(&mut stream(request, index, Draw::Sizes));
        stream(request, index, Draw::Order).shuffle(&mut sizes);
        let mut leverage = stream(request, index, Draw::Leverage);
        for (number, collateral) in sizes.into_iter().enumerate() {
            let ltv = self.ltv.draw(&mut leverage);
            accounts.push(Account {
                name: format!("{}-{number}", self.name),
                group: self.name.clone(),
                collateral,
                debt: collateral * terms.collateral_price * ltv / terms.debt_price,
            });
        }
    }

    /// Sizes from small to large.
    ///
    /// One draw falls in each of as many equally likely strata as there are accounts, and the whales are then scaled
    /// against the others so that they hold their share exactly: independent draws from a heavy tail would give every
    /// seed another concentration.
    fn sizes(&self, draws: &mut Stream) -> Vec<f64> {
        let count = self.accounts;
        let whales = self.whales();
        let fraction = whales as f64 / count as f64;
        // Size as a function of the probability that an account is larger still.
        let (quantile, whale_share): (Box<dyn Fn(f64) -> f64>, f64) = match self.sizes {
            Sizes::Even {} => return vec![self.total_collateral / count as f64; count],
            // The largest fraction p of a lognormal holds the share Φ(σ − z), z = Φ⁻¹(1 − p); solved for σ.
            Sizes::Lognormal { whale_share } => {
                let sigma =
                    normal::upper_quantile(fraction) + normal::upper_quantile(1.0 - whale_share);
                let size = move |tail| (sigma * normal::upper_quantile(tail)).exp();
                (Box::new(size), whale_share)
            }
            // The largest fraction p of a Pareto holds the share p^(1 − 1/α); solved for 1/α.
            Sizes::Pareto { whale_share } => {
                let inverse_alpha = 1.0 - whale_share.ln() / fraction.ln();
                let size = move |tail: f64| tail.powf(-inverse_alpha);
                (Box::new(size), whale_share)
            }
        };
        let mut sizes: Vec<f64> = (0..count)
            .rev()
            .map(|stratum| quantile((stratum as f64 + draws.uniform_above_zero()) / count as f64))
            .collect();
        let (others, largest) = sizes.split_at_mut(count - whales);
        scale_to(largest, self.total_collateral * whale_share);
        scale_to(others, self.total_collateral * (1.0 - whale_share));
        sizes
    }
}

fn scale_to(sizes: &mut [f64], total: f64) {
    let factor = total / sizes.iter().sum::<f64>();
    for size in sizes {
        *size *= factor;
    }
}

impl LtvDistribution {
    /// One draw, by inversion of the distribution function.
    fn draw(&self, stream: &mut Stream) -> f64 {
        let share = stream.uniform();
        if self.deviation == 0.0 {
            return self.mean;
        }
        let standard = |ltv: f64| (ltv - self.mean) / self.deviation;
        let below = normal::distribution(standard(self.minimum));
        let within = normal::distribution(standard(self.maximum)) - below;
        let quantile = -normal::upper_quantile(below + share * within);
        (self.mean + self.deviation * quantile).clamp(self.minimum, self.maximum)
    }
}

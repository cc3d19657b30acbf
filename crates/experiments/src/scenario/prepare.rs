//! From a scenario to the series and accounts of a run.

use std::path::{Path, PathBuf};

use breakwater_market::accounts::Terms;
use breakwater_market::depth::DepthFile;
use breakwater_market::gas::{GasFile, read_gas};
use breakwater_market::generate::PriceFile;
use breakwater_market::population::PopulationFile;
use breakwater_market::{
    Accounts, Bars, DepthConfig, GasConfig, Grid, Interpolation, LeftOutReason, MarketError,
    PopulationConfig, PriceConfig, Request, Series, Unit,
};
use breakwater_sim::config::{Account, WorldInput, WorldParameters};

use super::error::ScenarioError;
use super::hash::{hash_input, hash_settings};
use super::settings::settings;
use super::window::align;
use super::{Parameter, Scenario};
use crate::report::{LeftOut, Setting};

/// What a caller replaces in a scenario.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Overrides {
    /// Bars of the collateral's price.
    pub prices: Option<PathBuf>,
    /// Accounts, in dollars where the columns' names end in `_usd`, otherwise in tokens; rescaled to the scenario's
    /// collateral.
    pub accounts: Option<PathBuf>,
    /// Gas prices.
    pub gas: Option<PathBuf>,
    /// Pool reserves.
    pub depth: Option<PathBuf>,
    /// Blocks to simulate.
    pub blocks: Option<u64>,
    /// Seed of all random numbers.
    pub seed: Option<u64>,
}

/// A run, ready for the simulator.
#[derive(Clone, Debug)]
pub struct Prepared {
    /// The world's parameters.
    pub parameters: WorldParameters,
    /// Its series and accounts.
    pub input: WorldInput,
    /// Seed of all random numbers.
    pub seed: u64,
    /// Blocks to simulate.
    pub blocks: u64,
    /// Accounts of the file that take no part.
    pub left_out: Vec<LeftOut>,
    /// Every parameter as used.
    pub settings: Vec<Setting>,
    /// What had to be assumed about files that do not cover the window.
    pub notes: Vec<String>,
    /// Keccak-256 of every parameter as used.
    pub configuration_hash: String,
    /// Keccak-256 of the series and accounts.
    pub input_hash: String,
}

/// A scenario with its overrides, while its parts are being resolved.
struct Preparation<'a> {
    scenario: &'a Scenario,
    overrides: &'a Overrides,
    /// One entry a block and one for the start.
    grid: Grid,
    seed: u64,
    settings: Vec<Setting>,
    notes: Vec<String>,
}

impl Scenario {
    /// Reads the files, generates what is generated, and checks that everything fits.
    ///
    /// # Errors
    /// [`ScenarioError`] with the file and the row, or the key, and what was expected.
    pub fn prepare(&self, overrides: &Overrides) -> Result<Prepared, ScenarioError> {
        let blocks = overrides.blocks.unwrap_or(self.file.run.blocks);
        if !(1..=1_000_000).contains(&blocks) {
            let expected = "1 to 1000000".to_owned();
            return Err(ScenarioError::Option {
                option: "--blocks",
                value: blocks.to_string(),
                expected,
            });
        }
        let seed = overrides.seed.unwrap_or(self.file.run.seed);
        let mut preparation = Preparation {
            scenario: self,
            overrides,
            grid: Grid::new(blocks as usize + 1, self.file.network.slot_seconds)?,
            seed,
            settings: settings(&self.source, &self.table),
            notes: Vec::new(),
        };
        preparation.set(
            "run.blocks",
            overrides.blocks.map(|blocks| blocks.to_string()),
        );
        preparation.set("run.seed", overrides.seed.map(|seed| seed.to_string()));
        let (start, prices) = preparation.prices()?;
        let native_prices = preparation.native_prices(start, &prices)?;
        let gas_gwei = preparation.gas(start)?;
        let accounts = preparation.accounts(prices[0])?;
        let total = accounts.total_collateral();
        let (multiple, depth) = preparation.depth(start, total)?;
        let file = &self.file;
        let mut venue = file.venue.clone();
        venue.depth = multiple;
        let parameters = WorldParameters {
            collateral: file.collateral.clone(),
            venue,
            feed: file.feed.clone(),
            network: file.network.clone(),
            keepers: file.keepers.clone(),
            borrowers: file.borrowers.clone(),
            lender_assets_over_debt: file.lender_assets_over_debt,
        };
        let positions = accounts.accounts.iter();
        let accounts_in = positions
            .map(|account| Account {
                collateral: account.collateral,
                debt: account.debt,
            })
            .collect();
        let input = WorldInput {
            start,
            prices,
            gas_gwei,
            native_prices,
            depth,
            accounts: accounts_in,
        };
        Ok(Prepared {
            configuration_hash: hash_settings(&preparation.settings),
            input_hash: hash_input(&input),
            parameters,
            input,
            seed,
            blocks,
            left_out: accounts.left_out.iter().map(left_out).collect(),
            settings: preparation.settings,
            notes: preparation.notes,
        })
    }
}

impl Preparation<'_> {
    fn request<'b>(&self, table: &'b str, base: &'b Path, grid: Grid, series: u16) -> Request<'b> {
        Request {
            table,
            base,
            grid,
            seed: self.seed,
            series,
        }
    }

    fn refuse(&self, error: MarketError) -> ScenarioError {
        ScenarioError::from_market(&self.scenario.source, error)
    }

    /// Replaces the value of a key that the command line set.
    fn set(&mut self, key: &str, value: Option<String>) {
        if let Some(value) = value {
            let meaning = Parameter::of(key)
                .map_or("", |parameter| parameter.meaning)
                .to_owned();
            let setting = Setting {
                key: key.to_owned(),
                value,
                meaning,
                source: "command line".to_owned(),
            };
            match self.settings.iter_mut().find(|each| each.key == key) {
                Some(found) => *found = setting,
                None => self.settings.push(setting),
            }
        }
    }

    /// Replaces a whole table by a file that the command line named.
    fn set_file(&mut self, table: &str, path: &Path) {
        let prefix = format!("{table}.");
        self.settings.retain(|each| !each.key.starts_with(&prefix));
        self.set(&format!("{table}.source"), Some("file".to_owned()));
        self.set(&format!("{table}.path"), Some(path.display().to_string()));
    }

    /// Unix seconds of block 0, and the price path.
    fn prices(&mut self) -> Result<(u64, Vec<f64>), ScenarioError> {
        let file = &self.scenario.file;
        let window = file.run.start;
        if let Some(path) = &self.overrides.prices {
            self.set_file("prices", path);
            let own = PriceFile {
                path: path.clone(),
                start: None,
            };
            return self.price_file(&own, Path::new(""), window);
        }
        match &file.prices {
            PriceConfig::File(own) => self.price_file(own, self.scenario.source.folder(), window),
            generated => Ok((
                window,
                self.price_path("prices", generated, self.scenario.source.folder(), 0)?,
            )),
        }
    }

    /// Bars from a file: the scenario's window where the file has it, otherwise from the first bar.
    fn price_file(
        &mut self,
        own: &PriceFile,
        base: &Path,
        window: u64,
    ) -> Result<(u64, Vec<f64>), ScenarioError> {
        let start = match own.start {
            Some(start) => start,
            None => {
                let bars = Bars::read(&base.join(&own.path))?;
                let covered = (bars.first()..bars.end()).contains(&window);
                if !covered {
                    self.notes.push(format!(
                        "{}: has nothing in the scenario's window, so it is played from its own beginning",
                        own.path.display()
                    ));
                }
                if covered { window } else { bars.first() }
            }
        };
        let config = PriceConfig::File(PriceFile {
            path: own.path.clone(),
            start: Some(start),
        });
        Ok((start, self.price_path("prices", &config, base, 0)?))
    }

    /// A price path on the run's grid. Bars and knots that end exactly with the last block give its state too: the price
    /// at the end of a bar is its close.
    fn price_path(
        &self,
        table: &str,
        config: &PriceConfig,
        base: &Path,
        series: u16,
    ) -> Result<Vec<f64>, ScenarioError> {
        let blocks = self.grid.blocks() - 1;
        match config.resolve(&self.request(table, base, self.grid, series)) {
            Err(MarketError::TooShort { covers, .. }) if covers == blocks as u64 => {
                let shorter = Grid::new(blocks, self.grid.slot_seconds())?;
                let mut prices = config
                    .resolve(&self.request(table, base, shorter, series))
                    .map_err(|error| self.refuse(error))?;
                prices.push(prices[blocks - 1]);
                Ok(prices)
            }
            other => other.map_err(|error| self.refuse(error)),
        }
    }

    fn native_prices(&self, start: u64, prices: &[f64]) -> Result<Vec<f64>, ScenarioError> {
        match &self.scenario.file.native_prices {
            None => Ok(prices.to_vec()),
            Some(PriceConfig::File(own)) => {
                let own = PriceFile {
                    path: own.path.clone(),
                    start: own.start.or(Some(start)),
                };
                self.price_path(
                    "native_prices",
                    &PriceConfig::File(own),
                    self.scenario.source.folder(),
                    1,
                )
            }
            Some(generated) => {
                self.price_path("native_prices", generated, self.scenario.source.folder(), 1)
            }
        }
    }

    fn gas(&mut self, start: u64) -> Result<Vec<f64>, ScenarioError> {
        let own = match (&self.overrides.gas, &self.scenario.file.gas) {
            (Some(path), _) => {
                self.set_file("gas", path);
                self.set("gas.interpolation", Some("step".to_owned()));
                Some((path.clone(), Interpolation::Step))
            }
            // A column or a start of its own is the market's business.
            (
                None,
                GasConfig::File(GasFile {
                    path,
                    column: None,
                    start: None,
                    interpolation,
                    ..
                }),
            ) => Some((self.scenario.source.folder().join(path), *interpolation)),
            _ => None,
        };
        match own {
            Some((path, interpolation)) => {
                self.aligned(&read_gas(&path)?, &path, start, interpolation)
            }
            None => {
                let request = self.request("gas", self.scenario.source.folder(), self.grid, 0);
                self.scenario
                    .file
                    .gas
                    .resolve(&request)
                    .map_err(|error| self.refuse(error))
            }
        }
    }

    /// x/C at the start, and the venue's reserve relative to the start: empty for constant.
    fn depth(&mut self, start: u64, total: f64) -> Result<(f64, Vec<f64>), ScenarioError> {
        let file = &self.scenario.file;
        let symbol = &file.collateral_symbol;
        let reserves = match (&self.overrides.depth, &file.depth) {
            (Some(path), _) => {
                self.set_file("depth", path);
                self.set("depth.column", Some(symbol.clone()));
                self.set("depth.interpolation", Some("log-linear".to_owned()));
                self.aligned(
                    &Series::read(path, &[symbol])?,
                    path,
                    start,
                    Interpolation::LogLinear,
                )?
            }
            (None, None) => return Ok((file.venue.depth, Vec::new())),
            (
                None,
                Some(DepthConfig::File(DepthFile {
                    path,
                    column,
                    start: None,
                    interpolation,
                })),
            ) => {
                let path = self.scenario.source.folder().join(path);
                self.aligned(
                    &Series::read(&path, &[column])?,
                    &path,
                    start,
                    *interpolation,
                )?
            }
            (None, Some(config)) => {
                let request = self.request("depth", self.scenario.source.folder(), self.grid, 0);
                config
                    .resolve(&request, total)
                    .map_err(|error| self.refuse(error))?
            }
        };
        let first = reserves[0];
        let multiple = first / total;
        self.set("venue.depth", Some(format!("{multiple:.6}")));
        if let Some(setting) = self
            .settings
            .iter_mut()
            .find(|each| each.key == "venue.depth")
        {
            setting.source = "from the depth above".to_owned();
        }
        let constant = reserves.iter().all(|&reserve| reserve == first);
        let relative = if constant {
            Vec::new()
        } else {
            reserves.iter().map(|reserve| reserve / first).collect()
        };
        Ok((multiple, relative))
    }

    /// A file over the run's window, with a note where it does not cover it.
    fn aligned(
        &mut self,
        series: &Series,
        path: &Path,
        start: u64,
        interpolation: Interpolation,
    ) -> Result<Vec<f64>, ScenarioError> {
        let aligned = align(series, self.grid, start, interpolation)?;
        self.notes.extend(
            aligned
                .note
                .map(|note| format!("{}: {note}", path.display())),
        );
        Ok(aligned.values)
    }

    fn accounts(&mut self, collateral_price: f64) -> Result<Accounts, ScenarioError> {
        let file = &self.scenario.file;
        let terms = Terms {
            collateral_price,
            debt_price: 1.0,
            max_ltv: file.collateral.borrow_ltv,
        };
        let folder = self.scenario.source.folder();
        let Some(path) = &self.overrides.accounts else {
            let request = self.request("population", folder, self.grid, 0);
            return file
                .population
                .resolve(&request, &terms)
                .map_err(|error| self.refuse(error));
        };
        let total_collateral = match &file.population {
            PopulationConfig::Generated(groups) => Some(
                groups
                    .groups
                    .iter()
                    .map(|group| group.total_collateral)
                    .sum(),
            ),
            PopulationConfig::File(own) => own.total_collateral,
        };
        self.set_file("population", path);
        self.set(
            "population.total_collateral",
            total_collateral.map(|total: f64| total.to_string()),
        );
        let accounts = |unit| {
            let config = PopulationFile {
                path: path.clone(),
                unit,
                total_collateral,
                resample: None,
            };
            let request = self.request("population", Path::new(""), self.grid, 0);
            PopulationConfig::File(config).resolve(&request, &terms)
        };
        // The columns' names say which unit it is: the market refuses dollars that are called tokens.
        let (unit, found) = match accounts(Unit::Token) {
            Err(MarketError::Impossible { key, .. }) if key == "unit" => {
                ("usd", accounts(Unit::Usd))
            }
            other => ("token", other),
        };
        self.set("population.unit", Some(unit.to_owned()));
        Ok(found?)
    }
}

fn left_out(row: &breakwater_market::LeftOut) -> LeftOut {
    let reason = match row.reason {
        LeftOutReason::Nothing => "neither collateral nor debt".to_owned(),
        LeftOutReason::NoCollateral => "debt without collateral".to_owned(),
        LeftOutReason::AboveMaxLtv => {
            format!(
                "debt of {:.2} against {:.4} collateral tokens: above the LTV up to which the scenario lends",
                row.debt, row.collateral
            )
        }
    };
    LeftOut {
        row: row.row,
        account: row.name.clone(),
        reason,
    }
}

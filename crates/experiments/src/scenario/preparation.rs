//! The parts of a run, each from the command line's file, the scenario's file, or its figures.

use std::path::Path;

use breakwater_market::accounts::Terms;
use breakwater_market::depth::DepthFile;
use breakwater_market::gas::{GasFile, read_gas};
use breakwater_market::generate::PriceFile;
use breakwater_market::population::PopulationFile;
use breakwater_market::{
    Accounts, Bars, DepthConfig, GasConfig, Grid, Interpolation, MarketError, PopulationConfig,
    PriceConfig, Request, Series, Unit,
};

use super::error::ScenarioError;
use super::prepare::Overrides;
use super::window::align;
use super::{Parameter, Scenario};
use crate::report::Setting;

/// A scenario with its overrides, while its parts are being resolved.
pub(super) struct Preparation<'a> {
    pub scenario: &'a Scenario,
    pub overrides: &'a Overrides,
    /// One entry a block and one for the start.
    pub grid: Grid,
    pub seed: u64,
    pub settings: Vec<Setting>,
    pub notes: Vec<String>,
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
    pub(super) fn set(&mut self, key: &str, value: Option<String>) {
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
    pub(super) fn prices(&mut self) -> Result<(u64, Vec<f64>), ScenarioError> {
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

    /// Lets the price fall at once, if the scenario has it so.
    pub(super) fn shock(&self, prices: &mut [f64]) -> Result<(), ScenarioError> {
        let Some(shock) = self.scenario.file.shock else {
            return Ok(());
        };
        let first = shock.at.div_ceil(self.grid.slot_seconds()) as usize;
        match prices.get_mut(first..) {
            Some(after) if !after.is_empty() => {
                for price in after {
                    *price *= 1.0 - shock.fall;
                }
                Ok(())
            }
            _ => Err(ScenarioError::Value {
                file: self.scenario.source.file.clone(),
                line: self.scenario.source.line_of("shock.at"),
                key: "shock.at".to_owned(),
                value: shock.at.to_string(),
                expected: format!(
                    "within the run, which takes {} seconds",
                    (self.grid.blocks() as u64 - 1) * self.grid.slot_seconds()
                ),
            }),
        }
    }

    /// The native token's price path.
    pub(super) fn native_prices(
        &self,
        start: u64,
        prices: &[f64],
    ) -> Result<Vec<f64>, ScenarioError> {
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

    /// The going gas price.
    pub(super) fn gas(&mut self, start: u64) -> Result<Vec<f64>, ScenarioError> {
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
    pub(super) fn depth(
        &mut self,
        start: u64,
        total: f64,
    ) -> Result<(f64, Vec<f64>), ScenarioError> {
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

    /// The accounts, and those left out.
    pub(super) fn accounts(&mut self, collateral_price: f64) -> Result<Accounts, ScenarioError> {
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

//! What a block's gas costs.

use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::error::MarketError;
use crate::knots;
use crate::request::Request;
use crate::series::{Interpolation, Series};

/// Unit of a gas price column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum GasUnit {
    /// 10^-18 of the chain's coin per gas.
    Wei,
    /// 10^-9 of the chain's coin per gas.
    Gwei,
}

impl GasUnit {
    fn in_gwei(self) -> f64 {
        match self {
            Self::Wei => 1e-9,
            Self::Gwei => 1.0,
        }
    }
}

/// Columns tried when none is named, with their units: a plain `gwei` or `wei`, then the mean over the interval of the
/// ten-minute series that the readme describes.
const DEFAULT_COLUMNS: [(&str, GasUnit); 3] = [
    ("gwei", GasUnit::Gwei),
    ("wei", GasUnit::Wei),
    ("avgGasDay", GasUnit::Wei),
];

/// Where the gas price comes from: `source = "file"` or `source = "profile"`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(tag = "source", rename_all = "kebab-case")]
pub enum GasConfig {
    /// A file of gas prices.
    File(GasFile),
    /// A level and its spikes, typed in.
    Profile(GasProfile),
}

/// A file of gas prices at regular times.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GasFile {
    /// The file; a relative path is taken from the scenario's folder.
    pub path: PathBuf,
    /// Column to read. By default the first of `gwei`, `wei` and `avgGasDay` that there is.
    pub column: Option<String>,
    /// Unit of that column: needed with `column`, otherwise known.
    pub unit: Option<GasUnit>,
    /// Start of the window, unix seconds; the first row by default.
    pub start: Option<u64>,
    /// From row to row: a step by default, since such files hold averages.
    #[serde(default)]
    pub interpolation: Interpolation,
}

/// Gas through knots, linear in the logarithm between them; the last level holds from there on.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GasProfile {
    /// The knots, the first at 0 seconds.
    pub knots: Vec<GasKnot>,
}

/// A point of a gas profile.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GasKnot {
    /// Seconds from the start.
    pub seconds: u64,
    /// Gas price there, in gwei.
    pub gwei: f64,
}

impl GasConfig {
    /// Gas price of every block, in gwei.
    ///
    /// # Errors
    /// Whatever is wrong with the configuration or the file.
    pub fn resolve(&self, request: &Request<'_>) -> Result<Vec<f64>, MarketError> {
        match self {
            Self::File(file) => {
                file.read(request)?
                    .resolve(request.grid, file.start, file.interpolation)
            }
            Self::Profile(profile) => {
                let points: Vec<_> = profile.knots.iter().map(|k| (k.seconds, k.gwei)).collect();
                knots::check(request, &points, "gwei")?;
                Ok(knots::resolve(request, &points))
            }
        }
    }
}

impl GasFile {
    fn read(&self, request: &Request<'_>) -> Result<Series, MarketError> {
        let path = request.path(&self.path);
        match (&self.column, self.unit) {
            (Some(column), Some(unit)) => {
                Ok(Series::read(&path, &[column])?.scaled(unit.in_gwei()))
            }
            (None, None) => read_gas(&path),
            (Some(_), None) => Err(MarketError::impossible(
                request.key("unit"),
                "nothing",
                "\"wei\" or \"gwei\", since a column is named",
            )),
            (None, Some(_)) => Err(MarketError::impossible(
                request.key("column"),
                "nothing",
                "the column that the unit is about",
            )),
        }
    }
}

/// Reads the first of the columns `gwei`, `wei` and `avgGasDay` (mean over the row's interval, in wei), in gwei.
///
/// # Errors
/// As [`Series::read`].
pub fn read_gas(path: &Path) -> Result<Series, MarketError> {
    let series = Series::read(path, &DEFAULT_COLUMNS.map(|(name, _)| name))?;
    let unit = DEFAULT_COLUMNS
        .iter()
        .find(|(name, _)| name.eq_ignore_ascii_case(series.column()))
        .map_or(GasUnit::Wei, |&(_, unit)| unit);
    Ok(series.scaled(unit.in_gwei()))
}

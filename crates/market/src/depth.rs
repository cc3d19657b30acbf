//! How deep the venue is: the collateral held by its pool.

use std::path::PathBuf;

use serde::Deserialize;

use crate::error::MarketError;
use crate::knots;
use crate::request::{Request, check_amount, check_range};
use crate::series::{Interpolation, Series};

/// Where the pool's collateral reserve comes from: `source = "file"`, `"multiple"` or `"profile"`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(tag = "source", rename_all = "kebab-case")]
pub enum DepthConfig {
    /// Reserves of a real pool.
    File(DepthFile),
    /// A constant multiple x/C of all collateral.
    Multiple(DepthMultiple),
    /// A multiple x/C of all collateral that changes.
    Profile(DepthProfile),
}

/// Reserves of a constant-product pool at regular times, in whole tokens.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DepthFile {
    /// The file; a relative path is taken from the scenario's folder.
    pub path: PathBuf,
    /// Column of the collateral's reserve, in whole tokens, e.g. `WETH`.
    pub column: String,
    /// Start of the window, unix seconds; the first row by default.
    pub start: Option<u64>,
    /// From row to row: linear in the logarithm by default, since reserves are states at an instant.
    #[serde(default = "log_linear")]
    pub interpolation: Interpolation,
}

fn log_linear() -> Interpolation {
    Interpolation::LogLinear
}

/// A pool that holds a constant multiple of the collateral in the protocol.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DepthMultiple {
    /// x/C: the pool's collateral over all collateral in the protocol at the start, 10^-6 to 10^6.
    pub multiple: f64,
}

/// A pool whose multiple goes through knots, linear in the logarithm; the last one holds from there on.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DepthProfile {
    /// The knots, the first at 0 seconds.
    pub knots: Vec<DepthKnot>,
}

/// A point of a depth profile.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DepthKnot {
    /// Seconds from the start.
    pub seconds: u64,
    /// x/C there, as in [`DepthMultiple::multiple`].
    pub multiple: f64,
}

impl DepthConfig {
    /// The pool's collateral reserve at every block, in whole tokens. `total_collateral` is C, all collateral in the
    /// protocol at the start, in whole tokens; a file does not use it.
    ///
    /// # Errors
    /// Whatever is wrong with the configuration or the file.
    pub fn resolve(
        &self,
        request: &Request<'_>,
        total_collateral: f64,
    ) -> Result<Vec<f64>, MarketError> {
        check_amount("total_collateral".into(), total_collateral)?;
        let points: Vec<_> = match self {
            Self::File(file) => {
                return Series::read(&request.path(&file.path), &[&file.column])?.resolve(
                    request.grid,
                    file.start,
                    file.interpolation,
                );
            }
            Self::Multiple(constant) => {
                check_range(request.key("multiple"), constant.multiple, 1e-6, 1e6)?;
                vec![(0, constant.multiple)]
            }
            Self::Profile(profile) => {
                let points: Vec<_> = profile
                    .knots
                    .iter()
                    .map(|knot| (knot.seconds, knot.multiple))
                    .collect();
                knots::check(request, &points, "multiple")?;
                for (index, &(_, multiple)) in points.iter().enumerate() {
                    let key = request.key(&format!("knots[{index}].multiple"));
                    check_range(key, multiple, 1e-6, 1e6)?;
                }
                points
            }
        };
        let mut reserves = knots::resolve(request, &points);
        for reserve in &mut reserves {
            *reserve *= total_collateral;
        }
        Ok(reserves)
    }
}

//! All figures of a sweep, and `figures.parquet`: a row a path.

use std::path::Path;
use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array, StringArray, UInt64Array};
use arrow::datatypes::{DataType, Field};

use super::design::{PathFigures, Sweep};
use super::error::SweepError;
use super::plan::{Market, Origin, Point};
use crate::store::{StoreError, write_columns};

/// The figures of every path.
#[derive(Clone, Debug)]
pub struct Table {
    /// The markets in order.
    pub markets: Vec<Market>,
    /// The figures of each market's worlds, in the order of [`Sweep::worlds`].
    pub figures: Vec<Vec<PathFigures>>,
}

impl Table {
    /// Collects the figures of every path from where they are kept.
    ///
    /// # Errors
    /// [`SweepError::Incomplete`] if one is nowhere.
    pub fn collect(
        sweep: &Sweep,
        read: impl Fn(&str) -> Result<Option<PathFigures>, SweepError>,
    ) -> Result<Self, SweepError> {
        let markets = sweep.markets();
        let mut figures = Vec::with_capacity(markets.len());
        let (mut missing, mut first) = (0, None);
        for market in &markets {
            let mut worlds = Vec::with_capacity(sweep.worlds.len());
            for world in &sweep.worlds {
                let name = sweep.path_name(market, world);
                match read(&name)? {
                    Some(found) => worlds.push(found),
                    None => {
                        missing += 1;
                        first.get_or_insert(name);
                    }
                }
            }
            figures.push(worlds);
        }
        match first {
            None => Ok(Self { markets, figures }),
            Some(first) => Err(SweepError::Incomplete {
                missing,
                total: markets.len() * sweep.worlds.len(),
                first,
            }),
        }
    }

    /// Writes the table.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn write(&self, sweep: &Sweep, path: &Path) -> Result<(), StoreError> {
        let rows = || {
            self.markets
                .iter()
                .zip(&self.figures)
                .flat_map(|(market, worlds)| {
                    worlds
                        .iter()
                        .enumerate()
                        .map(move |(world, figures)| (market, world, figures))
                })
        };
        let number = |value: &dyn Fn(&Market) -> f64| -> ArrayRef {
            Arc::new(Float64Array::from_iter_values(
                rows().map(|(market, ..)| value(market)),
            ))
        };
        let mut columns: Vec<(&str, ArrayRef, bool)> = vec![
            (
                "scenario",
                Arc::new(StringArray::from_iter_values(
                    rows().map(|(market, ..)| sweep.scenarios[market.scenario].name()),
                )),
                false,
            ),
            ("depth", number(&|market| market.depth), false),
            ("pass_through", number(&|market| market.pass_through), false),
            (
                "recovery_half_life",
                number(&|market| market.recovery_half_life),
                false,
            ),
            (
                "policy",
                Arc::new(StringArray::from_iter_values(
                    rows().map(|(_, world, _)| &sweep.worlds[world].name),
                )),
                false,
            ),
            (
                "seed",
                Arc::new(UInt64Array::from_iter_values(
                    rows().map(|(market, ..)| market.seed),
                )),
                false,
            ),
        ];
        if let Some(sobol) = &sweep.specification.sobol {
            let row = |market: &Market| match market.origin {
                Origin::Sample { row, .. } => row as u64,
                Origin::Cell(_) => 0,
            };
            let point = |market: &Market| match market.origin {
                Origin::Sample {
                    point: Point::A, ..
                } => "a".to_owned(),
                Origin::Sample {
                    point: Point::B, ..
                } => "b".to_owned(),
                Origin::Sample {
                    point: Point::Input(input),
                    ..
                } => sobol.inputs[input].key.clone(),
                Origin::Sample {
                    point: Point::Seed, ..
                }
                | Origin::Cell(_) => "seed".to_owned(),
            };
            columns.push((
                "row",
                Arc::new(UInt64Array::from_iter_values(
                    rows().map(|(market, ..)| row(market)),
                )),
                false,
            ));
            columns.push((
                "point",
                Arc::new(StringArray::from_iter_values(
                    rows().map(|(market, ..)| point(market)),
                )),
                false,
            ));
            for (index, input) in sobol.inputs.iter().enumerate() {
                columns.push((&input.key, number(&|market| market.inputs[index]), false));
            }
        }
        for (index, figure) in sweep.figures().into_iter().enumerate() {
            let values = Float64Array::from_iter(rows().map(|(.., figures)| figures[index]));
            columns.push((figure.key, Arc::new(values), true));
        }
        let fields = columns
            .iter()
            .map(|(name, column, nullable)| {
                let kind: DataType = column.data_type().clone();
                Field::new(*name, kind, *nullable)
            })
            .collect();
        let arrays = columns.into_iter().map(|(_, column, _)| column).collect();
        let design = &sweep.design;
        let metadata = [
            ("breakwater.sweep", sweep.specification.name.clone()),
            (
                "breakwater.configuration_hash",
                design.configuration_hash.clone(),
            ),
            ("breakwater.commit", design.commit.clone()),
            ("breakwater.range", design.range.clone()),
            ("breakwater.seeds", design.seeds.to_string()),
            ("breakwater.baseline", sweep.specification.baseline.clone()),
        ];
        write_columns(path, fields, std::iter::once(arrays), &metadata)
    }
}

//! `sweep.json`: what a sweep was and what it showed, for programs and for the report.

use std::collections::BTreeMap;

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::design::Sweep;
use super::plan::{Origin, Point};
use super::sobol::{Evaluations, Indices};
use super::specification::Scale;
use super::statistics::{
    Estimate, LEVEL, RESAMPLES, RESAMPLING_SEED, Resamples, TAIL, has_tail, is_sparse, mean,
    relative, tail_mean,
};
use super::table::Table;
use crate::report::Figure;

/// The figures whose tail is reported beside their mean.
const TAILED: [&str; 2] = ["bad_debt_bp", "bad_debt_max_bp"];

/// The title of the comparison that every sweep has.
const AGAINST_BASELINE: &str = "Against the baseline";

/// The content of `sweep.json`. A figure's mean is over the seeds in which it applies, a difference over those in which it
/// applies on both sides.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SweepSummary {
    /// Short name.
    pub name: String,
    /// Title.
    pub title: String,
    /// What was asked.
    pub question: String,
    /// What cites the sweep: Keccak-256 of specification, scenarios, contracts and commit.
    pub configuration_hash: String,
    /// Commit of the program.
    pub commit: String,
    /// The command that gives it again.
    pub command: String,
    /// The range of seeds.
    pub range: String,
    /// The first seed.
    pub first_seed: u64,
    /// Seeds a cell, or base rows.
    pub seeds: u64,
    /// Paths, counterfactuals too.
    pub paths: u64,
    /// The policy that the others are compared with.
    pub baseline: String,
    /// How intervals came about.
    pub intervals: Intervals,
    /// The scenarios.
    pub scenarios: Vec<ScenarioSummary>,
    /// Keccak-256 of the contracts' creation code, by name.
    pub contracts: BTreeMap<String, String>,
    /// The policies in order, and the counterfactual as the last.
    pub policies: Vec<PolicySummary>,
    /// The grid's cells; empty where inputs are uncertain.
    pub cells: Vec<CellSummary>,
    /// Sobol indices; empty without uncertain inputs.
    pub sobol: Vec<SobolSummary>,
}

/// How intervals came about.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Intervals {
    /// The method.
    pub method: String,
    /// The share of resamples inside.
    pub level: f64,
    /// How many.
    pub resamples: u64,
    /// Seed of the resampling.
    pub seed: u64,
}

/// A scenario of the sweep.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScenarioSummary {
    /// Short name.
    pub name: String,
    /// Title.
    pub title: String,
    /// What happened.
    pub description: String,
    /// Blocks simulated.
    pub blocks: u64,
    /// Keccak-256 of every parameter.
    pub configuration_hash: String,
    /// Keccak-256 of its series and accounts on its own seed.
    pub input_hash: String,
}

/// A policy of the sweep.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PolicySummary {
    /// Its name.
    pub name: String,
    /// Its rules: rigid, target-health, damped, aave-v3, dumped or counterfactual.
    pub rules: String,
    /// What differs from the scenario's damped policy.
    pub damped: BTreeMap<String, String>,
    /// What differs from the scenario's backstop.
    #[serde(skip_serializing_if = "BTreeMap::is_empty", default)]
    pub backstop: BTreeMap<String, String>,
}

/// One cell of the grid.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CellSummary {
    /// The scenario's name.
    pub scenario: String,
    /// x/C at the start.
    pub depth: f64,
    /// φ.
    pub pass_through: f64,
    /// Seconds; 0 for never.
    pub recovery_half_life: f64,
    /// Mean of each figure that applies, by policy.
    pub means: BTreeMap<String, BTreeMap<String, Estimate>>,
    /// CVaR99 of bad debt, by policy.
    pub tails: BTreeMap<String, BTreeMap<String, Estimate>>,
    /// What differs between policies, seed by seed.
    pub comparisons: Vec<ComparisonSummary>,
}

/// Policies against one of them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ComparisonSummary {
    /// What it shows.
    pub title: String,
    /// The policy that the others are compared with.
    pub against: String,
    /// The others' figures, by policy.
    pub differences: BTreeMap<String, BTreeMap<String, Difference>>,
}

/// One policy's figure less the other's.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Difference {
    /// The mean over seeds.
    pub mean: Estimate,
    /// The mean over the other's mean, less 1; `None` if that is 0.
    pub relative: Option<Estimate>,
    /// Of the CVaR99, where it is reported.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub tail: Option<Estimate>,
}

/// The indices of one figure of one policy, or of the difference of two.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SobolSummary {
    /// The scenario's name.
    pub scenario: String,
    /// The policy.
    pub policy: String,
    /// The policy whose figure is subtracted, seed by seed.
    pub against: Option<String>,
    /// The figure's key.
    pub figure: String,
    /// Base rows in which it applies at every point.
    pub rows: u64,
    /// Mean over the inputs' ranges.
    pub mean: f64,
    /// Variance over the inputs' ranges and the seeds.
    pub variance: f64,
    /// The inputs in order, the seed as the last.
    pub inputs: Vec<InputSummary>,
}

/// An input's indices.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct InputSummary {
    /// Dotted key, or `seed`.
    pub key: String,
    /// The least value; `None` for the seed.
    pub low: Option<f64>,
    /// The greatest value; `None` for the seed.
    pub high: Option<f64>,
    /// Whether its logarithm was spread evenly.
    pub log: bool,
    /// First order; `None` if nothing varies.
    pub first: Option<Estimate>,
    /// Total order; `None` if nothing varies.
    pub total: Option<Estimate>,
}

impl SweepSummary {
    /// What a sweep's figures say.
    #[must_use]
    pub fn new(sweep: &Sweep, table: &Table) -> Self {
        let (specification, design) = (&sweep.specification, &sweep.design);
        let scenarios = sweep.scenarios.iter().zip(&design.scenarios);
        Self {
            name: specification.name.clone(),
            title: specification.title.clone(),
            question: specification.question.clone(),
            configuration_hash: design.configuration_hash.clone(),
            commit: design.commit.clone(),
            command: sweep.command(),
            range: design.range.clone(),
            first_seed: sweep.range.first,
            seeds: design.seeds,
            paths: (table.markets.len() * sweep.worlds.len()) as u64,
            baseline: specification.baseline.clone(),
            intervals: Intervals {
                method: "expanded percentile bootstrap over seeds".to_owned(),
                level: LEVEL,
                resamples: RESAMPLES as u64,
                seed: RESAMPLING_SEED,
            },
            scenarios: scenarios
                .map(|(scenario, record)| ScenarioSummary {
                    name: record.name.clone(),
                    title: scenario.title().to_owned(),
                    description: scenario.description().to_owned(),
                    blocks: specification.blocks.unwrap_or(scenario.blocks()),
                    configuration_hash: record.configuration_hash.clone(),
                    input_hash: record.input_hash.clone(),
                })
                .collect(),
            contracts: design.contracts.clone(),
            policies: sweep.worlds.iter().map(policy).collect(),
            cells: cells(sweep, table),
            sobol: sobol(sweep, table),
        }
    }

    /// The file's text: the same summary gives the same bytes.
    ///
    /// # Errors
    /// [`serde_json::Error`] if a number is none.
    pub fn to_json(&self) -> Result<String, serde_json::Error> {
        serde_json::to_string_pretty(self).map(|text| text + "\n")
    }
}

fn policy(world: &super::specification::World) -> PolicySummary {
    let written = |value: &toml::Value| match value {
        toml::Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let all = |table: &toml::Table| {
        let pairs = table.iter();
        pairs
            .map(|(key, value)| (key.clone(), written(value)))
            .collect()
    };
    PolicySummary {
        name: world.name.clone(),
        rules: crate::comparison::world_name(world.kind).to_owned(),
        damped: all(&world.damped),
        backstop: all(&world.backstop),
    }
}

/// The grid's cells in order, computed side by side.
fn cells(sweep: &Sweep, table: &Table) -> Vec<CellSummary> {
    if sweep.specification.sobol.is_some() {
        return Vec::new();
    }
    let seeds = sweep.design.seeds as usize;
    let resamples = Resamples::new(seeds);
    let starts: Vec<usize> = (0..table.markets.len()).step_by(seeds).collect();
    starts
        .par_iter()
        .map(|&start| {
            let cell = Cell {
                sweep,
                table,
                markets: start..start + seeds,
                resamples: &resamples,
            };
            cell.summary()
        })
        .collect()
}

/// A number that picked values give.
type Statistic = dyn Fn(&[f64], &[u32]) -> Option<f64>;

/// The seeds of one cell.
struct Cell<'a> {
    sweep: &'a Sweep,
    table: &'a Table,
    markets: std::ops::Range<usize>,
    resamples: &'a Resamples,
}

impl Cell<'_> {
    fn summary(&self) -> CellSummary {
        let market = &self.table.markets[self.markets.start];
        let names = self.sweep.worlds.iter().map(|world| &world.name);
        let known = self.sweep.figures();
        let of = |statistic: &dyn Fn(usize, usize) -> Option<Estimate>,
                  wanted: &dyn Fn(&str) -> bool| {
            names
                .clone()
                .enumerate()
                .map(|(world, name)| {
                    let figures = known
                        .iter()
                        .enumerate()
                        .filter(|(_, figure)| wanted(figure.key));
                    let estimates = figures.filter_map(|(index, figure)| {
                        Some((figure.key.to_owned(), statistic(world, index)?))
                    });
                    (name.clone(), estimates.collect())
                })
                .collect()
        };
        let tailed = |key: &str| TAILED.contains(&key);
        CellSummary {
            scenario: self.sweep.scenarios[market.scenario].name().to_owned(),
            depth: market.depth,
            pass_through: market.pass_through,
            recovery_half_life: market.recovery_half_life,
            means: of(&|world, figure| self.one(world, figure, &mean), &|_| true),
            tails: of(
                &|world, figure| {
                    let tail = |values: &[f64], picks: &[u32]| tail_mean(values, picks, TAIL);
                    self.one(world, figure, &tail).map(tail_known)
                },
                &tailed,
            ),
            comparisons: self.comparisons(),
        }
    }

    /// A statistic of the seeds in which a figure applies.
    fn one(&self, world: usize, figure: usize, statistic: &Statistic) -> Option<Estimate> {
        let rows = self.table.figures[self.markets.clone()].iter();
        let values: Vec<f64> = rows.filter_map(|worlds| worlds[world][figure]).collect();
        let found = self.estimate(values.len(), |picks| statistic(&values, picks))?;
        Some(known(&values, found))
    }

    fn estimate(&self, size: usize, statistic: impl Fn(&[u32]) -> Option<f64>) -> Option<Estimate> {
        if size == self.resamples.size() {
            self.resamples.estimate(statistic)
        } else {
            Resamples::new(size).estimate(statistic)
        }
    }

    fn comparisons(&self) -> Vec<ComparisonSummary> {
        let specification = &self.sweep.specification;
        let names: Vec<&String> = self.sweep.worlds.iter().map(|world| &world.name).collect();
        let policies = &names[..names.len() - 1];
        let others = policies
            .iter()
            .filter(|name| **name != &specification.baseline);
        let first = (
            AGAINST_BASELINE,
            &specification.baseline,
            others.copied().collect::<Vec<_>>(),
        );
        let further = specification.comparisons.iter().map(|comparison| {
            let policies: Vec<&String> = comparison.policies.iter().collect();
            (comparison.title.as_str(), &comparison.against, policies)
        });
        let number = |name: &String| {
            names
                .iter()
                .position(|each| *each == name)
                .unwrap_or_default()
        };
        std::iter::once(first)
            .chain(further)
            .map(|(title, against, policies)| ComparisonSummary {
                title: title.to_owned(),
                against: against.clone(),
                differences: policies
                    .into_iter()
                    .map(|policy| {
                        (
                            policy.clone(),
                            self.differences(number(policy), number(against)),
                        )
                    })
                    .collect(),
            })
            .collect()
    }

    /// Every figure of a world less another's, over the seeds in which it applies in both.
    fn differences(&self, world: usize, against: usize) -> BTreeMap<String, Difference> {
        let figures = self.sweep.figures().into_iter().enumerate();
        figures
            .filter_map(|(index, figure)| {
                let rows = self.table.figures[self.markets.clone()].iter();
                let pairs =
                    rows.filter_map(|worlds| worlds[world][index].zip(worlds[against][index]));
                let (own, base): (Vec<f64>, Vec<f64>) = pairs.unzip();
                let differences: Vec<f64> = own
                    .iter()
                    .zip(&base)
                    .map(|(own, base)| own - base)
                    .collect();
                let tail = |picks: &[u32]| {
                    Some(tail_mean(&own, picks, TAIL)? - tail_mean(&base, picks, TAIL)?)
                };
                let change = self.estimate(own.len(), |picks| relative(&own, &base, picks));
                let tailed = TAILED.contains(&figure.key);
                let tail = tailed.then(|| self.estimate(own.len(), tail)).flatten();
                let difference = Difference {
                    mean: known(
                        &differences,
                        self.estimate(own.len(), |picks| mean(&differences, picks))?,
                    ),
                    relative: change.map(|change| known(&differences, change)),
                    tail: tail.map(tail_known),
                };
                Some((figure.key.to_owned(), difference))
            })
            .collect()
    }
}

/// An estimate from these values, with its interval only where it can be known.
fn known(values: &[f64], estimate: Estimate) -> Estimate {
    if is_sparse(values) {
        estimate.bare()
    } else {
        estimate
    }
}

/// A tail's, likewise.
fn tail_known(estimate: Estimate) -> Estimate {
    if has_tail(estimate.seeds as usize) {
        estimate
    } else {
        estimate.bare()
    }
}

/// The indices of each figure asked for: of every policy, and of every policy less the baseline.
fn sobol(sweep: &Sweep, table: &Table) -> Vec<SobolSummary> {
    let Some(inputs) = &sweep.specification.sobol else {
        return Vec::new();
    };
    let policies = sweep.worlds.len() - 1;
    let baseline = sweep
        .worlds
        .iter()
        .position(|world| world.name == sweep.specification.baseline);
    let known: Vec<&Figure> = sweep.figures();
    let mut wanted = Vec::new();
    for scenario in 0..sweep.scenarios.len() {
        for figure in &inputs.figures {
            wanted.extend((0..policies).map(|policy| (scenario, figure, policy, None)));
            let others = (0..policies).filter(|&policy| Some(policy) != baseline);
            wanted.extend(others.map(|policy| (scenario, figure, policy, baseline)));
        }
    }
    wanted
        .par_iter()
        .filter_map(|&(scenario, figure, policy, against)| {
            let index = known.iter().position(|each| each.key == figure)?;
            let value = |market: usize| {
                let worlds = &table.figures[market];
                let own = worlds[policy][index]?;
                against.map_or(Some(own), |against| Some(own - worlds[against][index]?))
            };
            let evaluations = evaluations(sweep, table, scenario, value);
            let (mean, variance) = evaluations.moments()?;
            let found = evaluations.indices();
            let keys = inputs.inputs.iter().map(|input| InputSummary {
                key: input.key.clone(),
                low: Some(input.low),
                high: Some(input.high),
                log: input.scale == Scale::Log,
                first: None,
                total: None,
            });
            let seed = InputSummary {
                key: "seed".to_owned(),
                low: None,
                high: None,
                log: false,
                first: None,
                total: None,
            };
            let with = |(input, indices): (InputSummary, Option<Indices>)| InputSummary {
                first: indices.map(|indices| indices.first),
                total: indices.map(|indices| indices.total),
                ..input
            };
            Some(SobolSummary {
                scenario: sweep.scenarios[scenario].name().to_owned(),
                policy: sweep.worlds[policy].name.clone(),
                against: against.map(|against| sweep.worlds[against].name.clone()),
                figure: figure.clone(),
                rows: evaluations.a.len() as u64,
                mean,
                variance,
                inputs: keys.chain([seed]).zip(found).map(with).collect(),
            })
        })
        .collect()
}

/// The rows of a scenario in which a value applies at every point.
fn evaluations(
    sweep: &Sweep,
    table: &Table,
    scenario: usize,
    value: impl Fn(usize) -> Option<f64>,
) -> Evaluations {
    let inputs = sweep
        .specification
        .sobol
        .as_ref()
        .map_or(0, |sobol| sobol.inputs.len());
    let points = inputs + 3;
    let mut found = Evaluations {
        exchanged: vec![Vec::new(); inputs + 1],
        ..Evaluations::default()
    };
    let own: Vec<usize> = (0..table.markets.len())
        .filter(|&market| table.markets[market].scenario == scenario)
        .collect();
    for row in own.chunks_exact(points) {
        let Some(values) = row
            .iter()
            .map(|&market| value(market))
            .collect::<Option<Vec<f64>>>()
        else {
            continue;
        };
        for (&market, value) in row.iter().zip(values) {
            match table.markets[market].origin {
                Origin::Sample {
                    point: Point::A, ..
                } => found.a.push(value),
                Origin::Sample {
                    point: Point::B, ..
                } => found.b.push(value),
                Origin::Sample {
                    point: Point::Input(input),
                    ..
                } => found.exchanged[input].push(value),
                Origin::Sample {
                    point: Point::Seed, ..
                } => found.exchanged[inputs].push(value),
                Origin::Cell(_) => {}
            }
        }
    }
    found
}

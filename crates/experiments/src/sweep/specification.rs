//! What a sweep's file says.

mod check;

use std::collections::BTreeMap;
use std::path::Path;

use breakwater_sim::WorldKind;
use breakwater_sim::config::Policy;
use breakwater_sim::trace::COUNTERFACTUAL;
use serde::Deserialize;

use super::error::SweepError;
use crate::scenario::{ScenarioError, Source};
use check::Checker;

/// The value of `scenarios` that stands for every shipped one.
const ALL: &str = "all";

/// A sweep as its file has it, checked alone; whether its scenarios exist and take its values is seen later.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Specification {
    /// Short name.
    pub name: String,
    /// The report's title.
    pub title: String,
    /// What is asked.
    pub question: String,
    /// Shipped scenarios by name, files by path; `["all"]` for every shipped one.
    pub scenarios: Vec<String>,
    /// What each scenario is run with, one after the other; as it is if left out.
    #[serde(default)]
    pub changes: Vec<Change>,
    /// Blocks to simulate; each scenario's own if left out.
    pub blocks: Option<u64>,
    /// Policies.
    pub policies: Vec<Policy>,
    /// The policy that the others are compared with.
    pub baseline: String,
    /// Variants of policies.
    #[serde(default)]
    pub variants: Vec<Variant>,
    /// What the scenarios are crossed with.
    pub grid: Grid,
    /// Ranges of seeds, by what they are for.
    pub seeds: BTreeMap<String, SeedRange>,
    /// Comparisons beside that with the baseline.
    #[serde(default)]
    pub comparisons: Vec<Comparison>,
    /// Uncertain inputs, for Sobol indices.
    pub sobol: Option<SobolInputs>,
}

/// Values that every scenario is run with instead of its own.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Change {
    /// What ends the scenario's name.
    pub name: String,
    /// What ends its title.
    pub title: String,
    /// Values of dotted keys.
    pub set: BTreeMap<String, toml::Value>,
}

/// A policy with some of its parameters, or those of a backstop before it, changed.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Variant {
    /// What it is called.
    pub name: String,
    /// Which policy; the damped one if left out.
    #[serde(default = "damped")]
    pub policy: Policy,
    /// Keys of a scenario's table `damped`.
    #[serde(default)]
    pub damped: toml::Table,
    /// Keys of a scenario's table `backstop`.
    #[serde(default)]
    pub backstop: toml::Table,
}

const fn damped() -> Policy {
    Policy::Damped
}

/// The market's cells: every combination, but one recovery where nothing passes through: there is nothing to recover from.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Grid {
    /// x/C at the start. A scenario's own profile of depth keeps its shape.
    pub depth: Vec<f64>,
    /// φ.
    pub pass_through: Vec<f64>,
    /// Seconds; 0 for never.
    pub recovery_half_life: Vec<f64>,
}

impl Grid {
    /// The recoveries that a pass-through is combined with.
    #[must_use]
    pub fn recoveries(&self, pass_through: f64) -> &[f64] {
        if pass_through == 0.0 {
            &self.recovery_half_life[..1]
        } else {
            &self.recovery_half_life
        }
    }
}

/// Seeds one after another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SeedRange {
    /// The first.
    pub first: u64,
    /// How many.
    pub count: u64,
}

/// Policies against one of them.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Comparison {
    /// What the comparison shows.
    pub title: String,
    /// The policy that the others are compared with.
    pub against: String,
    /// The others.
    pub policies: Vec<String>,
}

/// Uncertain inputs and the figures whose variance they share.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SobolInputs {
    /// Keys of figures.
    pub figures: Vec<String>,
    /// The inputs, independent of each other.
    pub inputs: Vec<Input>,
}

/// An uncertain input.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// Dotted key of the scenario.
    pub key: String,
    /// The least value.
    pub low: f64,
    /// The greatest value.
    pub high: f64,
    /// Uniform in the value or in its logarithm.
    #[serde(default)]
    pub scale: Scale,
}

/// How an input is spread over its range.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Scale {
    /// Uniform.
    #[default]
    Linear,
    /// Uniform in the logarithm.
    Log,
}

impl Input {
    /// The value at a share of the range.
    #[must_use]
    pub fn at(&self, share: f64) -> f64 {
        match self.scale {
            Scale::Linear => self.low + share * (self.high - self.low),
            Scale::Log => (self.low.ln() + share * (self.high / self.low).ln()).exp(),
        }
    }
}

/// A world that every market is run in.
#[derive(Clone, Debug, PartialEq)]
pub struct World {
    /// Its name in results.
    pub name: String,
    /// Its rules.
    pub kind: WorldKind,
    /// What differs from the scenario's damped policy.
    pub damped: toml::Table,
    /// What differs from the scenario's backstop.
    pub backstop: toml::Table,
}

impl Specification {
    /// Reads and checks a file's text.
    ///
    /// # Errors
    /// [`SweepError::Specification`] with the line.
    pub fn parse(source: &Source) -> Result<Self, SweepError> {
        let specification: Self = toml::from_str(&source.text)
            .map_err(|error| SweepError::Specification(ScenarioError::from_toml(source, &error)))?;
        specification
            .check(source)
            .map_err(SweepError::Specification)?;
        Ok(specification)
    }

    /// The worlds in the order of results; the counterfactual is the last.
    #[must_use]
    pub fn worlds(&self) -> Vec<World> {
        let plain = |name: &str, kind| World {
            name: name.to_owned(),
            kind,
            damped: toml::Table::new(),
            backstop: toml::Table::new(),
        };
        let policies = self.policies.iter();
        let policies = policies.map(|policy| plain(policy.name(), WorldKind::Policy(*policy)));
        let variants = self.variants.iter().map(|variant| World {
            damped: variant.damped.clone(),
            backstop: variant.backstop.clone(),
            ..plain(&variant.name, WorldKind::Policy(variant.policy))
        });
        let without = plain(COUNTERFACTUAL, WorldKind::Counterfactual);
        policies.chain(variants).chain([without]).collect()
    }

    /// The texts of the scenarios.
    ///
    /// # Errors
    /// [`SweepError::Specification`] for a scenario that does not exist.
    pub fn sources(&self, folder: &Path) -> Result<Vec<Source>, SweepError> {
        if self.scenarios == [ALL] {
            return Ok(Source::shipped().collect());
        }
        let find = |name: &String| {
            let beside = folder.join(name);
            let path = if name.ends_with(".toml") {
                beside.to_string_lossy()
            } else {
                name.into()
            };
            Source::find(&path).map_err(SweepError::Specification)
        };
        self.scenarios.iter().map(find).collect()
    }

    fn check(&self, source: &Source) -> Result<(), ScenarioError> {
        let checker = Checker { source };
        checker.distinct("scenarios", &self.scenarios)?;
        checker.word("name", &self.name)?;
        checker.changes(&self.changes)?;
        if let Some(blocks) = self.blocks {
            checker.within("blocks", blocks as f64, (1.0, 1e6))?;
        }
        let names: Vec<String> = self.worlds().into_iter().map(|world| world.name).collect();
        checker.policies(self, &names)?;
        for (key, values) in [
            ("depth", &self.grid.depth),
            ("pass_through", &self.grid.pass_through),
            ("recovery_half_life", &self.grid.recovery_half_life),
        ] {
            checker.grid(key, values)?;
        }
        checker.seeds(&self.seeds)?;
        if let Some(sobol) = &self.sobol {
            checker.sobol(self, sobol)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_nothing_passes_through_one_recovery_stands_for_all() {
        let grid = Grid {
            depth: vec![2.0],
            pass_through: vec![0.0, 0.5],
            recovery_half_life: vec![60.0, 300.0, 0.0],
        };
        assert_eq!(grid.recoveries(0.0), [60.0]);
        assert_eq!(grid.recoveries(0.5), [60.0, 300.0, 0.0]);
    }
}

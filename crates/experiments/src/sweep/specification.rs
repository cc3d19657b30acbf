//! What a sweep's file says.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use breakwater_sim::WorldKind;
use breakwater_sim::config::Policy;
use breakwater_sim::trace::COUNTERFACTUAL;
use serde::Deserialize;

use super::error::SweepError;
use super::sobol::MOST_INPUTS;
use crate::report::{Figure, all_figures};
use crate::scenario::{PARAMETERS, Parameter, ScenarioError, Source, nearest};

/// The value of `scenarios` that stands for every shipped one.
const ALL: &str = "all";

/// The greatest seed.
const LAST_SEED: u64 = 9_300_000_000_000_000_000;

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

/// Refuses what no sweep can do.
struct Checker<'a> {
    source: &'a Source,
}

impl Checker<'_> {
    fn refuse(
        &self,
        key: &str,
        value: impl ToString,
        expected: impl Into<String>,
    ) -> ScenarioError {
        ScenarioError::Value {
            file: self.source.file.clone(),
            line: self.source.line_of(key),
            key: key.to_owned(),
            value: value.to_string(),
            expected: expected.into(),
        }
    }

    fn within(&self, key: &str, value: f64, (low, high): (f64, f64)) -> Result<(), ScenarioError> {
        if (low..=high).contains(&value) {
            return Ok(());
        }
        Err(self.refuse(key, value, format!("{low} to {high}")))
    }

    /// Names become parts of paths.
    fn word(&self, key: &str, name: &str) -> Result<(), ScenarioError> {
        let plain = |character: char| {
            character.is_ascii_lowercase() || character.is_ascii_digit() || character == '-'
        };
        if !name.is_empty() && name.chars().all(plain) {
            return Ok(());
        }
        Err(self.refuse(
            key,
            format!("`{name}`"),
            "lower-case letters, digits and hyphens",
        ))
    }

    fn distinct(&self, key: &str, names: &[String]) -> Result<(), ScenarioError> {
        if names.is_empty() {
            return Err(self.refuse(key, "empty", "one at least"));
        }
        let mut seen = BTreeSet::new();
        match names.iter().find(|name| !seen.insert(*name)) {
            Some(twice) => Err(self.refuse(key, format!("`{twice}` twice"), "each once")),
            None => Ok(()),
        }
    }

    fn known(&self, key: &str, name: &str, known: &[String]) -> Result<(), ScenarioError> {
        if known.iter().any(|each| each == name) {
            return Ok(());
        }
        let nearest = nearest(name, known.iter().map(String::as_str)).unwrap_or_default();
        let known = known.join(", ");
        Err(self.refuse(
            key,
            format!("`{name}`"),
            format!("one of {known} (nearest: `{nearest}`)"),
        ))
    }

    fn changes(&self, changes: &[Change]) -> Result<(), ScenarioError> {
        let mut seen = BTreeSet::new();
        for (index, change) in changes.iter().enumerate() {
            let key = format!("changes[{index}].name");
            self.word(&key, &change.name)?;
            if !seen.insert(&change.name) {
                return Err(self.refuse(&key, format!("`{}` twice", change.name), "each once"));
            }
            let of_the_grid = [
                "venue.depth",
                "venue.pass_through",
                "venue.recovery_half_life",
            ];
            if let Some(taken) = of_the_grid
                .iter()
                .find(|key| change.set.contains_key(**key))
            {
                let key = format!("changes[{index}].set");
                return Err(self.refuse(&key, taken, "keys that [grid] does not have"));
            }
        }
        Ok(())
    }

    fn policies(
        &self,
        specification: &Specification,
        names: &[String],
    ) -> Result<(), ScenarioError> {
        if specification.policies.is_empty() {
            return Err(self.refuse("policies", "empty", "one at least"));
        }
        for (index, variant) in specification.variants.iter().enumerate() {
            self.word(&format!("variants[{index}].name"), &variant.name)?;
            if !variant.damped.is_empty() && variant.policy != Policy::Damped {
                return Err(self.refuse(
                    &format!("variants[{index}].damped"),
                    format!("set for the policy {}", variant.policy.name()),
                    "only where the policy is damped",
                ));
            }
        }
        self.distinct("policies", names)?;
        let policies = &names[..names.len() - 1];
        self.known("baseline", &specification.baseline, policies)?;
        for (index, comparison) in specification.comparisons.iter().enumerate() {
            self.known(
                &format!("comparisons[{index}].against"),
                &comparison.against,
                policies,
            )?;
            let key = format!("comparisons[{index}].policies");
            self.distinct(&key, &comparison.policies)?;
            for policy in &comparison.policies {
                self.known(&key, policy, policies)?;
            }
        }
        Ok(())
    }

    fn grid(&self, key: &str, values: &[f64]) -> Result<(), ScenarioError> {
        let range = Parameter::of(&format!("venue.{key}")).and_then(|parameter| parameter.range);
        let key = format!("grid.{key}");
        self.distinct(&key, &values.iter().map(f64::to_string).collect::<Vec<_>>())?;
        for value in values {
            self.within(&key, *value, range.unwrap_or((f64::MIN, f64::MAX)))?;
        }
        Ok(())
    }

    fn seeds(&self, ranges: &BTreeMap<String, SeedRange>) -> Result<(), ScenarioError> {
        if ranges.is_empty() {
            return Err(self.refuse("seeds", "empty", "a range at least, as [seeds.reporting]"));
        }
        for (name, range) in ranges {
            let key = format!("seeds.{name}");
            if range.count == 0 || range.first > LAST_SEED - range.count.min(LAST_SEED) {
                let value = format!("{} seeds from {} on", range.count, range.first);
                return Err(self.refuse(&key, value, format!("1 or more, up to {LAST_SEED}")));
            }
            let overlapping = ranges.iter().find(|(other, them)| {
                *other != name
                    && range.first < them.first + them.count
                    && them.first < range.first + range.count
            });
            if let Some((other, them)) = overlapping {
                let value = format!("{} to {}", range.first, range.first + range.count - 1);
                let theirs = format!("{} to {}", them.first, them.first + them.count - 1);
                return Err(self.refuse(
                    &key,
                    value,
                    format!("none of `{other}`, {theirs}: no seed serves two purposes"),
                ));
            }
        }
        Ok(())
    }

    fn sobol(
        &self,
        specification: &Specification,
        sobol: &SobolInputs,
    ) -> Result<(), ScenarioError> {
        let grid = &specification.grid;
        for (key, values) in [
            ("grid.depth", &grid.depth),
            ("grid.pass_through", &grid.pass_through),
            ("grid.recovery_half_life", &grid.recovery_half_life),
        ] {
            if values.len() > 1 {
                return Err(self.refuse(
                    key,
                    format!("{} values", values.len()),
                    "one, since inputs vary by their ranges",
                ));
            }
        }
        let keys: Vec<String> = sobol.inputs.iter().map(|input| input.key.clone()).collect();
        self.distinct("sobol.inputs", &keys)?;
        if keys.len() > MOST_INPUTS {
            return Err(self.refuse(
                "sobol.inputs",
                format!("{} inputs", keys.len()),
                format!("{MOST_INPUTS} at most"),
            ));
        }
        for (index, input) in sobol.inputs.iter().enumerate() {
            let place = |field: &str| format!("sobol.inputs[{index}].{field}");
            if Parameter::of(&input.key).is_none() {
                let known = PARAMETERS.iter().map(|parameter| parameter.key);
                return Err(ScenarioError::UnknownKey {
                    file: self.source.file.clone(),
                    line: self.source.line_of(&place("key")),
                    nearest: nearest(&input.key, known).unwrap_or_default().to_owned(),
                    key: input.key.clone(),
                });
            }
            if input.low >= input.high || !input.low.is_finite() || !input.high.is_finite() {
                return Err(self.refuse(
                    &place("high"),
                    input.high,
                    format!("more than low, {}", input.low),
                ));
            }
            if input.scale == Scale::Log && input.low <= 0.0 {
                return Err(self.refuse(
                    &place("low"),
                    input.low,
                    "more than 0 where the scale is log",
                ));
            }
        }
        let known: Vec<String> = all_figures(true)
            .map(|figure| figure.key.to_owned())
            .collect();
        self.distinct("sobol.figures", &sobol.figures)?;
        for figure in &sobol.figures {
            if Figure::of(figure).is_none() {
                self.known("sobol.figures", figure, &known)?;
            }
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

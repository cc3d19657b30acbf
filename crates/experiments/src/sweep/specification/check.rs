//! What no sweep can do, refused with its line.

use std::collections::{BTreeMap, BTreeSet};

use breakwater_sim::config::Policy;

use super::super::sobol::MOST_INPUTS;
use super::{Change, Scale, SeedRange, SobolInputs, Specification};
use crate::report::{Figure, all_figures};
use crate::scenario::{PARAMETERS, Parameter, ScenarioError, Source, nearest};

/// The greatest seed.
const LAST_SEED: u64 = 9_300_000_000_000_000_000;

/// Refuses what no sweep can do.
pub(super) struct Checker<'a> {
    pub(super) source: &'a Source,
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

    pub(super) fn within(
        &self,
        key: &str,
        value: f64,
        (low, high): (f64, f64),
    ) -> Result<(), ScenarioError> {
        if (low..=high).contains(&value) {
            return Ok(());
        }
        Err(self.refuse(key, value, format!("{low} to {high}")))
    }

    /// Names become parts of paths.
    pub(super) fn word(&self, key: &str, name: &str) -> Result<(), ScenarioError> {
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

    pub(super) fn distinct(&self, key: &str, names: &[String]) -> Result<(), ScenarioError> {
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

    pub(super) fn changes(&self, changes: &[Change]) -> Result<(), ScenarioError> {
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

    pub(super) fn policies(
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

    pub(super) fn grid(&self, key: &str, values: &[f64]) -> Result<(), ScenarioError> {
        let range = Parameter::of(&format!("venue.{key}")).and_then(|parameter| parameter.range);
        let key = format!("grid.{key}");
        self.distinct(&key, &values.iter().map(f64::to_string).collect::<Vec<_>>())?;
        for value in values {
            self.within(&key, *value, range.unwrap_or((f64::MIN, f64::MAX)))?;
        }
        Ok(())
    }

    pub(super) fn seeds(&self, ranges: &BTreeMap<String, SeedRange>) -> Result<(), ScenarioError> {
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

    pub(super) fn sobol(
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

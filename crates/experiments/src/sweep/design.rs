//! A sweep that can be run: its specification, its scenarios, and what they are hashed to.

use std::collections::BTreeMap;
use std::path::Path;

use alloy_primitives::Keccak256;
use breakwater_sim::WorldKind;
use breakwater_sim::config::{Policy, WorldParameters};
use serde::{Deserialize, Serialize};
use toml::Value;

use super::error::SweepError;
use super::plan::{Market, markets, most_seeds};
use super::specification::{Change, SeedRange, Specification, World};
use crate::report::{Figure, all_figures};
use crate::scenario::{Overrides, Prepared, Scenario, ScenarioError, Source, nearest};

/// The range of seeds that is taken if none is named.
pub const REPORTING: &str = "reporting";

/// What the command line says about which seeds run.
#[derive(Clone, Debug, Default)]
pub struct Selection {
    /// The range's name; [`REPORTING`] if left out.
    pub range: Option<String>,
    /// How many of its seeds, or of base rows; all if left out.
    pub seeds: Option<u64>,
}

/// What is known of the program.
#[derive(Clone, Debug)]
pub struct Program {
    /// Its commit.
    pub commit: String,
    /// Keccak-256 of the contracts' creation code, by name.
    pub contracts: BTreeMap<String, String>,
}

/// A scenario as a sweep holds it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScenarioRecord {
    /// Its short name.
    pub name: String,
    /// Keccak-256 of every parameter.
    pub configuration_hash: String,
    /// Keccak-256 of its series and accounts on its own seed, files included.
    pub input_hash: String,
    /// Its file, without what the specification changes.
    pub text: String,
}

/// All that determines a sweep's results: `design.json`, from which they can be put together without any other file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Design {
    /// Keccak-256 of all below but the seeds.
    pub configuration_hash: String,
    /// The range of seeds.
    pub range: String,
    /// Seeds, or base rows.
    pub seeds: u64,
    /// Commit of the program.
    pub commit: String,
    /// Keccak-256 of the contracts' creation code, by name.
    pub contracts: BTreeMap<String, String>,
    /// The specification's file name.
    pub file: String,
    /// The specification.
    pub specification: String,
    /// The scenarios.
    pub scenarios: Vec<ScenarioRecord>,
}

impl Design {
    fn hash(&self, specification: &toml::Table) -> Result<String, SweepError> {
        let mut hash = Keccak256::new();
        // Keys in order and without comments: what it says, not how it is written.
        hash.update(serde_json::to_string(specification)?);
        for scenario in &self.scenarios {
            hash.update(&scenario.name);
            hash.update(&scenario.configuration_hash);
            hash.update(&scenario.input_hash);
        }
        for (name, code) in &self.contracts {
            hash.update(name);
            hash.update(code);
        }
        hash.update(&self.commit);
        Ok(hash.finalize().to_string())
    }

    /// What differs from another design, the seeds aside; `None` if nothing does.
    #[must_use]
    pub fn difference(&self, other: &Self) -> Option<String> {
        if self.configuration_hash == other.configuration_hash {
            return None;
        }
        let scenario = self.scenarios.iter().zip(&other.scenarios).find(|(a, b)| {
            (&a.configuration_hash, &a.input_hash) != (&b.configuration_hash, &b.input_hash)
        });
        Some(if self.commit != other.commit {
            format!(
                "the program's commit ({} there, {} here)",
                other.commit, self.commit
            )
        } else if self.contracts != other.contracts {
            "a contract's code".to_owned()
        } else if let Some((scenario, _)) = scenario {
            format!("the scenario {}", scenario.name)
        } else {
            format!("the specification {}", self.file)
        })
    }
}

/// A sweep that can be run.
#[derive(Clone, Debug)]
pub struct Sweep {
    /// What determines it.
    pub design: Design,
    /// Its file.
    pub specification: Specification,
    /// Its scenarios, in order.
    pub scenarios: Vec<Scenario>,
    /// The worlds of every market; the counterfactual is the last.
    pub worlds: Vec<World>,
    /// The seeds to take.
    pub range: SeedRange,
}

impl Sweep {
    /// Reads a specification and its scenarios, and checks that every cell can be run.
    ///
    /// # Errors
    /// [`SweepError`] with what cannot be.
    pub fn read(path: &Path, selection: &Selection, program: &Program) -> Result<Self, SweepError> {
        let text = std::fs::read_to_string(path).map_err(|source| SweepError::Unreadable {
            file: path.to_path_buf(),
            source,
        })?;
        let source = Source::new(path, text.clone());
        let specification = Specification::parse(&source)?;
        let sources = specification.sources(path.parent().unwrap_or(Path::new("")))?;
        let mut scenarios = Vec::new();
        for source in &sources {
            let scenario = Scenario::read(source).map_err(SweepError::Specification)?;
            match &specification.changes[..] {
                [] => scenarios.push(scenario),
                changes => {
                    for change in changes {
                        scenarios.push(varied(&scenario, change)?);
                    }
                }
            }
        }
        let overrides = Overrides {
            blocks: specification.blocks,
            ..Overrides::default()
        };
        let records = scenarios
            .iter()
            .map(|scenario| {
                let prepared = scenario.prepare(&overrides)?;
                Ok(ScenarioRecord {
                    name: scenario.name().to_owned(),
                    configuration_hash: prepared.configuration_hash,
                    input_hash: prepared.input_hash,
                    text: scenario.text().to_owned(),
                })
            })
            .collect::<Result<Vec<_>, ScenarioError>>()
            .map_err(SweepError::Specification)?;
        let name = path
            .file_name()
            .map_or_else(String::new, |name| name.to_string_lossy().into_owned());
        let range = selection.range.as_deref().unwrap_or(REPORTING).to_owned();
        let mut contracts = program.contracts.clone();
        let runs_aave = |world: &World| world.kind == WorldKind::Policy(Policy::AaveV3);
        if specification.worlds().iter().any(runs_aave) {
            contracts.extend(breakwater_sim::aave::contracts()?);
        }
        let mut sweep = Self::assemble(
            Design {
                configuration_hash: String::new(),
                range,
                seeds: 0,
                commit: program.commit.clone(),
                contracts,
                file: name,
                specification: text,
                scenarios: records,
            },
            specification,
            scenarios,
        )?;
        let most = most_seeds(&sweep.specification, sweep.range);
        sweep.design.seeds = selection.seeds.unwrap_or(most);
        if !(1..=most).contains(&sweep.design.seeds) {
            return Err(SweepError::Option {
                option: "--seeds",
                value: sweep.design.seeds.to_string(),
                expected: format!(
                    "1 to {most}, what the range `{}` of {} gives",
                    sweep.design.range, sweep.design.file
                ),
            });
        }
        sweep.check()?;
        Ok(sweep)
    }

    /// A sweep from what its results carry with them. `path` is what errors call it.
    ///
    /// # Errors
    /// [`SweepError::Foreign`] if its parts do not have its hash.
    pub fn from_design(design: Design, path: &Path) -> Result<Self, SweepError> {
        let foreign = |reason: String| SweepError::Foreign {
            path: path.to_path_buf(),
            reason,
        };
        let source = Source::new(Path::new(&design.file), design.specification.clone());
        let specification = Specification::parse(&source)?;
        let mut scenarios = Vec::new();
        for (index, record) in design.scenarios.iter().enumerate() {
            let source = Source::new(Path::new(&record.name), record.text.clone());
            let scenario = Scenario::read(&source).map_err(SweepError::Specification)?;
            let changes = &specification.changes;
            scenarios.push(match changes.get(index % changes.len().max(1)) {
                Some(change) => varied(&scenario, change)?,
                None => scenario,
            });
        }
        let recorded = design.configuration_hash.clone();
        let sweep = Self::assemble(design, specification, scenarios)?;
        if sweep.design.configuration_hash != recorded {
            return Err(foreign(format!(
                "expected the configuration hash {}, it says {recorded}",
                sweep.design.configuration_hash
            )));
        }
        Ok(sweep)
    }

    fn assemble(
        mut design: Design,
        specification: Specification,
        scenarios: Vec<Scenario>,
    ) -> Result<Self, SweepError> {
        let Some(range) = specification.seeds.get(&design.range).copied() else {
            let known = || specification.seeds.keys().map(String::as_str);
            return Err(SweepError::Option {
                option: "--range",
                value: design.range.clone(),
                expected: format!(
                    "one of {} (nearest: `{}`)",
                    known().collect::<Vec<_>>().join(", "),
                    nearest(&design.range, known()).unwrap_or_default()
                ),
            });
        };
        let mut names = std::collections::BTreeSet::new();
        for scenario in &scenarios {
            let name = scenario.name();
            let plain =
                |character: char| character.is_ascii_alphanumeric() || "-_".contains(character);
            if name.is_empty() || !name.chars().all(plain) || !names.insert(name) {
                return Err(SweepError::Option {
                    option: "scenario",
                    value: format!("`{name}`"),
                    expected: "scenarios whose names are distinct and of letters, digits, - and _"
                        .to_owned(),
                });
            }
        }
        // The hash of what the specification says.
        let table: toml::Table = toml::from_str(&design.specification).map_err(|error| {
            let source = Source::new(Path::new(&design.file), design.specification.clone());
            SweepError::Specification(ScenarioError::from_toml(&source, &error))
        })?;
        design.configuration_hash = design.hash(&table)?;
        Ok(Self {
            worlds: specification.worlds(),
            design,
            specification,
            scenarios,
            range,
        })
    }

    /// The markets in the order of results.
    #[must_use]
    pub fn markets(&self) -> Vec<Market> {
        markets(
            &self.specification,
            self.scenarios.len(),
            self.range,
            self.design.seeds,
        )
    }

    /// The command that gives these results again.
    #[must_use]
    pub fn command(&self) -> String {
        let range = if self.design.range == REPORTING {
            String::new()
        } else {
            format!(" --range {}", self.design.range)
        };
        format!(
            "breakwater sweep {} --seeds {}{range} --out DIR",
            self.design.file, self.design.seeds
        )
    }

    /// A path's name: the market's and the world's.
    #[must_use]
    pub fn path_name(&self, market: &Market, world: &World) -> String {
        format!(
            "{}/{}/{}",
            self.scenarios[market.scenario].name(),
            market.name,
            world.name
        )
    }

    /// Blocks of a market's worlds.
    #[must_use]
    pub fn blocks(&self, market: &Market) -> u64 {
        self.specification
            .blocks
            .unwrap_or_else(|| self.scenarios[market.scenario].blocks())
    }

    /// The market's scenario as it has it.
    ///
    /// # Errors
    /// [`SweepError::Scenario`].
    pub fn changed(&self, market: &Market) -> Result<Scenario, SweepError> {
        let number = |key: &str, value: f64| (key.to_owned(), Value::Float(value));
        let mut changes = vec![
            number("venue.pass_through", market.pass_through),
            number("venue.recovery_half_life", market.recovery_half_life),
        ];
        if let Some(sobol) = &self.specification.sobol {
            let inputs = sobol.inputs.iter().zip(&market.inputs);
            changes.extend(inputs.map(|(input, value)| number(&input.key, *value)));
        }
        changed(&self.scenarios[market.scenario], &changes)
    }

    /// The market's series, accounts and parameters.
    ///
    /// # Errors
    /// [`SweepError::Scenario`].
    pub fn prepare(&self, scenario: &Scenario, market: &Market) -> Result<Prepared, SweepError> {
        let overrides = Overrides {
            blocks: self.specification.blocks,
            seed: Some(market.seed),
            ..Overrides::default()
        };
        let mut prepared = scenario
            .prepare(&overrides)
            .map_err(|source| SweepError::Scenario {
                scenario: scenario.name().to_owned(),
                what: format!("seed {}", market.seed),
                source: Box::new(source),
            })?;
        // Not by its key: where a scenario has a profile or a file of depth, that sets the depth at the start. This keeps the
        // shape and moves the level.
        prepared.parameters.venue.depth = market.depth;
        Ok(prepared)
    }

    /// The parameters of a world in a market whose parameters are `general`.
    ///
    /// # Errors
    /// [`SweepError::Scenario`].
    pub fn parameters(
        &self,
        scenario: &Scenario,
        world: &World,
        general: &WorldParameters,
    ) -> Result<WorldParameters, SweepError> {
        let own = in_world(scenario, world)?;
        Ok(WorldParameters {
            damped: own.damped().clone(),
            backstop: own.backstop().cloned(),
            ..general.clone()
        })
    }

    /// The figures of its paths, in the order of results: those of a backstop where any world may have one.
    #[must_use]
    pub fn figures(&self) -> Vec<&'static Figure> {
        let guarded = self.worlds.iter().any(|world| !world.backstop.is_empty())
            || self.scenarios.iter().any(|each| each.backstop().is_some())
            || self.specification.sobol.iter().any(|sobol| {
                let mut inputs = sobol.inputs.iter();
                inputs.any(|input| input.key.starts_with("backstop."))
            });
        all_figures(guarded).collect()
    }

    /// Refuses what would only be found out in the middle: a variant or an end of a range that a scenario cannot take.
    fn check(&self) -> Result<(), SweepError> {
        for scenario in &self.scenarios {
            for world in &self.worlds {
                in_world(scenario, world)?;
            }
            for input in self
                .specification
                .sobol
                .iter()
                .flat_map(|sobol| &sobol.inputs)
            {
                for value in [input.low, input.high] {
                    changed(scenario, &[(input.key.clone(), Value::Float(value))])?;
                }
            }
        }
        Ok(())
    }
}

/// A scenario as a world has it.
fn in_world(scenario: &Scenario, world: &World) -> Result<Scenario, SweepError> {
    let tables = [("damped", &world.damped), ("backstop", &world.backstop)];
    let changes: Vec<_> = tables
        .into_iter()
        .flat_map(|(name, table)| {
            let keys = table.iter();
            keys.map(move |(key, value)| (format!("{name}.{key}"), value.clone()))
        })
        .collect();
    changed(scenario, &changes)
}

/// A scenario as the specification changes it.
fn varied(scenario: &Scenario, change: &Change) -> Result<Scenario, SweepError> {
    let set = change.set.iter();
    let changes: Vec<_> = set
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect();
    let varied = scenario.varied(&change.name, &change.title, &changes);
    varied.map_err(|source| refused(scenario, &changes, source))
}

/// A scenario with these values.
fn changed(scenario: &Scenario, changes: &[(String, Value)]) -> Result<Scenario, SweepError> {
    let changed = scenario.changed(changes);
    changed.map_err(|source| refused(scenario, changes, source))
}

fn refused(scenario: &Scenario, changes: &[(String, Value)], source: ScenarioError) -> SweepError {
    SweepError::Scenario {
        scenario: scenario.name().to_owned(),
        what: described(changes),
        source: Box::new(source),
    }
}

/// Changes as errors name them.
fn described(changes: &[(String, Value)]) -> String {
    let each = changes
        .iter()
        .map(|(key, value)| format!("{key} = {value}"));
    each.collect::<Vec<_>>().join(", ")
}

/// The figures of a path, in the order of [`Sweep::figures`].
pub type PathFigures = Vec<Option<f64>>;

//! Plants the mutations of `test/mutants/mutants.toml` one after the other and tells which of unit tests, invariants and fuzzing detect each.
//!
//! `make mutants`, or `make mutants ONLY=text` for those whose identifier contains a text. Results are kept after each mutant in
//! `test/mutants/results.json`, and a mutant that has one is not run again until its entry there is removed. `make mutants-smoke` runs
//! one that has a result again, writes nothing, and fails unless all that detected it still do.
//!
//! The counterexample that fuzzing finds is put among the tests as it is printed: forge must find that it holds of the mutant and, once
//! that is mended, that it does not.

#![allow(
    clippy::print_stdout,
    reason = "it is a program whose output is the result"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;
use std::fs;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::AtomicBool;

use breakwater_fuzz::{
    Artifacts, Corpus, Ending, Limit, Settings, WORLDS, World, WorldPlan, campaign, solidity_test,
};
use serde::{Deserialize, Serialize};

type Failure = Box<dyn Error>;

/// Calls after which the search gives up: below the number from which on an idle campaign is a failure.
const EXECUTIONS: u64 = 60_000;

/// The tests of `test/invariants`; all others are unit tests.
const INVARIANTS: &str = "test/invariants/";

/// The fuzzer's printed sequences, which compare a whole final state with a recorded one and so fail for almost any change that they
/// meet: they tell nothing of what is tested, and are left out.
const REPRODUCTIONS: [&str; 2] = ["--no-match-contract", "Reproduction"];

/// Where a counterexample is put.
const PASTED: &str = "test/fuzz/Counterexample.t.sol";

/// The tests' own campaigns cut short: what a part of one detects, the whole does. It takes a fifth of the time, and most mutants are
/// detected by it.
const SHORT: [(&str, &str); 2] = [("FOUNDRY_FUZZ_RUNS", "8"), ("FOUNDRY_INVARIANT_RUNS", "2")];

#[derive(Deserialize)]
struct List {
    mutant: Vec<Mutant>,
}

#[derive(Deserialize)]
struct Mutant {
    id: String,
    property: String,
    file: String,
    find: String,
    replace: String,
}

/// The contracts of which a test fails, as `test/lending/Deposit.t.sol:DepositTest`.
#[derive(Default, PartialEq, Eq)]
struct Failing(BTreeSet<String>);

impl Failing {
    fn invariants(&self) -> bool {
        self.0.iter().any(|place| place.starts_with(INVARIANTS))
    }

    fn unit(&self) -> bool {
        self.0.iter().any(|place| !place.starts_with(INVARIANTS))
    }
}

/// What detects a mutant.
#[derive(Clone, Debug, Deserialize, Serialize)]
struct Detected {
    property: String,
    unit: bool,
    invariants: bool,
    fuzz: Option<String>,
    /// The test contracts that fail: all of those that do in short, or the first that does in full. Older results have none.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    tests: BTreeSet<String>,
}

impl Detected {
    const fn parts(&self) -> (bool, bool, bool) {
        (self.unit, self.invariants, self.fuzz.is_some())
    }

    const fn dies(&self) -> bool {
        self.unit || self.invariants || self.fuzz.is_some()
    }

    fn summary(&self) -> String {
        format!(
            "unit tests {}, invariants {}, fuzzing {}",
            self.unit,
            self.invariants,
            self.fuzz.as_deref().unwrap_or("false")
        )
    }
}

type Results = BTreeMap<String, Detected>;

/// What a campaign found.
struct Found {
    property: String,
    /// The counterexample as it is printed; nothing where the world cannot even be built.
    test: Option<String>,
}

/// A copy of the sources in which mutations are planted.
struct Tree {
    path: PathBuf,
    forge: PathBuf,
}

impl Tree {
    fn grow(root: &Path) -> Result<Self, Failure> {
        let path = root.join("target/mutants");
        fs::create_dir_all(&path)?;
        for name in [
            "contracts",
            "script",
            "test",
            "foundry.toml",
            "out",
            "cache",
        ] {
            // What is compiled already is only worth copying once.
            let compiled = matches!(name, "out" | "cache");
            if compiled && (path.join(name).exists() || !root.join(name).exists()) {
                continue;
            }
            // Nor is anything left of what a run that was ended had put there.
            if path.join(name).is_dir() {
                fs::remove_dir_all(path.join(name))?;
            }
            copy(&root.join(name), &path)?;
        }
        let modules = path.join("node_modules");
        if !modules.exists() {
            std::os::unix::fs::symlink(root.join("node_modules"), modules)?;
        }
        let forge = root.join("script/forge");
        let tree = Self { path, forge };
        Ok(tree)
    }

    /// What fails without a mutation detects nothing.
    fn check(&self) -> Result<(), Failure> {
        for settings in [&SHORT[..], &[]] {
            let Failing(tests) = self.test(&[], settings)?;
            if !tests.is_empty() {
                return Err(format!("{tests:?} fail without a mutation").into());
            }
        }
        match self.fuzz()? {
            Some(found) => Err(format!("{} breaks without a mutation", found.property).into()),
            None => Ok(()),
        }
    }

    /// Which tests fail, of those that the arguments choose.
    ///
    /// # Errors
    /// If what is there does not compile.
    fn test(&self, arguments: &[&str], settings: &[(&str, &str)]) -> Result<Failing, Failure> {
        let output = Command::new(&self.forge)
            .arg("test")
            .args(REPRODUCTIONS)
            .args(arguments)
            .current_dir(&self.path)
            .envs(settings.iter().copied())
            // That it is found counts, not how short the way is.
            .env("FOUNDRY_INVARIANT_SHRINK_RUN_LIMIT", "0")
            .stderr(Stdio::inherit())
            .output()?;
        let text = String::from_utf8(output.stdout)?;
        // A line a file with a failing test: `Encountered 2 failing tests in test/lending/Deposit.t.sol:DepositTest`.
        let places = text
            .lines()
            .filter(|line| line.starts_with("Encountered "))
            .filter_map(|line| line.split_once(" in ").map(|(_, place)| place.to_owned()));
        let failing: BTreeSet<String> = places.collect();
        // forge ends with an error if a test fails, and says so and how many passed.
        if output.status.success() == failing.is_empty() && text.contains("Suite result: ") {
            Ok(Failing(failing))
        } else {
            Err(format!("forge test did not run: {text}").into())
        }
    }

    /// Which tests fail: first in short, then in full of those that did not, until the first that does.
    fn failing(&self) -> Result<Failing, Failure> {
        let mut failing = self.test(&[], &SHORT)?;
        let all = format!("{INVARIANTS}**");
        for (detected, which) in [
            (failing.unit(), "--no-match-path"),
            (failing.invariants(), "--match-path"),
        ] {
            if !detected {
                let arguments = ["--fail-fast", which, &all];
                failing.0.extend(self.test(&arguments, &[])?.0);
            }
        }
        Ok(failing)
    }

    fn plant(&self, mutant: &Mutant) -> Result<Detected, Failure> {
        let file = self.path.join(&mutant.file);
        let original = fs::read_to_string(&file)?;
        if original.matches(&mutant.find).count() != 1 {
            return Err(format!("{}: its text is not there once", mutant.id).into());
        }
        fs::write(&file, original.replace(&mutant.find, &mutant.replace))?;
        let examined = self.examine(mutant);
        fs::write(&file, original)?;
        let (detected, test) = examined?;
        if let Some(test) = test {
            let said = self.paste(mutant, &test, false)?;
            println!("{}: what fuzzing found, once mended: {said}", mutant.id);
        }
        Ok(detected)
    }

    /// What detects a mutant that is planted, and the counterexample, which forge has run.
    fn examine(&self, mutant: &Mutant) -> Result<(Detected, Option<String>), Failure> {
        // What was found in one mutant is not to be tried on the next.
        for kept in ["cache/fuzz", "cache/invariant"] {
            let _ = fs::remove_dir_all(self.path.join(kept));
        }
        let failing = self
            .failing()
            .map_err(|error| format!("{}: {error}", mutant.id))?;
        let found = self.fuzz()?;
        let (fuzz, test) = found.map_or((None, None), |found| (Some(found.property), found.test));
        if let Some(test) = &test {
            self.paste(mutant, test, true)?;
        }
        let detected = Detected {
            property: mutant.property.clone(),
            unit: failing.unit(),
            invariants: failing.invariants(),
            fuzz,
            tests: failing.0,
        };
        Ok((detected, test))
    }

    /// Puts a counterexample among the tests and has forge run it alone. It must pass if it `holds`, and fail by one of its own assertions
    /// if not; answers the line that says so.
    fn paste(&self, mutant: &Mutant, test: &str, holds: bool) -> Result<String, Failure> {
        let path = self.path.join(PASTED);
        fs::write(&path, test)?;
        let output = Command::new(&self.forge)
            .args(["test", "--match-path", PASTED])
            .current_dir(&self.path)
            .output();
        fs::remove_file(&path)?;
        let output = output?;
        let said = String::from_utf8([output.stdout, output.stderr].concat())?;
        let begins = if holds { "[PASS]" } else { "[FAIL" };
        let verdict = said
            .lines()
            .find(|line| line.starts_with(begins) && line.contains(" test_sequence_"));
        match verdict {
            Some(line) if output.status.success() == holds => Ok(line.to_owned()),
            _ => Err(format!(
                "{}: {PASTED}, which fuzzing printed, should {} {}:\n{test}\nforge says:\n{said}",
                mutant.id,
                if holds { "pass with" } else { "fail without" },
                mutant.file,
            )
            .into()),
        }
    }

    /// What a campaign finds, if one in any world finds something.
    fn fuzz(&self) -> Result<Option<Found>, Failure> {
        for plan in &WORLDS {
            if let Some(found) = self.fuzz_in(plan)? {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }

    /// The same of one world. One that cannot even be built is broken as well.
    fn fuzz_in(&self, plan: &'static WorldPlan) -> Result<Option<Found>, Failure> {
        let artifacts = Artifacts::read(&self.path.join("out"))?;
        let world = match World::build(&artifacts, plan) {
            Ok(world) => world,
            Err(error) => {
                return Ok(Some(Found {
                    property: error.to_string(),
                    test: None,
                }));
            }
        };
        let folder = tempfile::tempdir()?;
        let mut corpus = Corpus::open(folder.path())?;
        let settings = Settings {
            seed: 1,
            jobs: std::thread::available_parallelism().map_or(1, usize::from),
            limit: Limit::Executions(EXECUTIONS),
            extra: None,
        };
        let (ending, _) = campaign(
            &world,
            &mut corpus,
            &settings,
            &mut |_| ControlFlow::Continue(()),
            &AtomicBool::new(false),
        )?;
        Ok(match ending {
            Ending::Found(found) => Some(Found {
                property: found.violation.property.id().to_owned(),
                test: Some(solidity_test(
                    &world,
                    "Counterexample",
                    &found.outcome,
                    Some(&found.violation),
                )),
            }),
            _ => None,
        })
    }
}

fn copy(from: &Path, to: &Path) -> Result<(), Failure> {
    let status = Command::new("cp").arg("-a").arg(from).arg(to).status()?;
    if status.success() {
        Ok(())
    } else {
        Err(format!("cannot copy {}", from.display()).into())
    }
}

/// A file that is there whole or not at all.
fn write_whole(path: &Path, results: &Results) -> Result<(), Failure> {
    let temporary = path.with_extension("part");
    fs::write(&temporary, serde_json::to_string_pretty(results)? + "\n")?;
    Ok(fs::rename(&temporary, path)?)
}

/// Runs these again and compares.
fn smoke(tree: &Tree, list: &List, results: &Results, ids: &[String]) -> Result<(), Failure> {
    for id in ids {
        let mutant = list
            .mutant
            .iter()
            .find(|one| one.id == *id)
            .ok_or_else(|| format!("{id} is no mutant of the list"))?;
        let before = results
            .get(id)
            .ok_or_else(|| format!("{id} has no result in test/mutants/results.json"))?;
        let now = tree.plant(mutant)?;
        println!("{id} ({}): {}", mutant.property, now.summary());
        if now.parts() != before.parts() {
            return Err(format!("{id}: it was {}", before.summary()).into());
        }
    }
    Ok(())
}

fn main() -> Result<(), Failure> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    // Of the checkout that cargo runs: where several share a target directory, this may have been compiled in another one.
    let package = std::env::var_os("CARGO_MANIFEST_DIR").ok_or("run it by cargo")?;
    let root = Path::new(&package).join("../..").canonicalize()?;
    let list: List = toml::from_str(&fs::read_to_string(root.join("test/mutants/mutants.toml"))?)?;
    let path = root.join("test/mutants/results.json");
    let mut results: Results = match fs::read_to_string(&path) {
        Ok(text) => serde_json::from_str(&text)?,
        Err(_) => BTreeMap::new(),
    };
    let tree = Tree::grow(&root)?;
    if let Some(("--again", ids)) = arguments
        .split_first()
        .map(|(first, rest)| (first.as_str(), rest))
    {
        return smoke(&tree, &list, &results, ids);
    }
    let only = arguments.first().map_or("", String::as_str);
    let mut wanted: Vec<&Mutant> = list.mutant.iter().collect();
    wanted.retain(|one| one.id.contains(only) && !results.contains_key(&one.id));
    tree.check()?;
    for (place, mutant) in wanted.iter().enumerate() {
        let detected = tree.plant(mutant)?;
        println!(
            "{} of {}: {} ({}): {}{}",
            place + 1,
            wanted.len(),
            mutant.id,
            mutant.property,
            detected.summary(),
            if detected.dies() { "" } else { ": SURVIVES" }
        );
        results.insert(mutant.id.clone(), detected);
        write_whole(&path, &results)?;
    }
    let alive = results.values().filter(|one| !one.dies()).count();
    println!("{} mutants were run, {alive} survive", results.len());
    if alive == 0 {
        Ok(())
    } else {
        Err(format!("{alive} mutants survive").into())
    }
}

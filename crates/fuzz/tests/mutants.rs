//! The list of mutations fits the contracts as they are.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde::Deserialize;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct List {
    mutant: Vec<Mutant>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Mutant {
    id: String,
    property: String,
    file: String,
    find: String,
    replace: String,
    why: String,
}

#[test]
fn each_mutation_changes_one_place_of_a_contract() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let text = std::fs::read_to_string(root.join("test/mutants/mutants.toml")).unwrap();
    let list: List = toml::from_str(&text).unwrap();
    assert!(list.mutant.len() >= 25, "{}", list.mutant.len());
    let ids: BTreeSet<&str> = list.mutant.iter().map(|one| one.id.as_str()).collect();
    assert_eq!(ids.len(), list.mutant.len(), "identifiers are unique");
    for mutant in &list.mutant {
        let id = &mutant.id;
        assert!(mutant.file.starts_with("contracts/"), "{id}");
        let source = std::fs::read_to_string(root.join(&mutant.file)).unwrap();
        assert_eq!(source.matches(&mutant.find).count(), 1, "{id}");
        assert_ne!(mutant.find, mutant.replace, "{id}");
        assert!(
            !mutant.property.is_empty() && !mutant.why.is_empty(),
            "{id}"
        );
    }
    // Two for each property of the pool at least, and for each further one of the fuzzer's and of protocol.md section 9.
    let spec = std::fs::read_to_string(root.join("test/invariants/PoolSpec.sol")).unwrap();
    let properties: BTreeSet<&str> = spec
        .lines()
        .filter_map(|line| {
            line.trim()
                .strip_prefix("/// - ")?
                .split_whitespace()
                .next()
        })
        .collect();
    assert!(properties.len() >= 15, "{properties:?}");
    let further = ["A1", "C2", "D2", "D3", "D5", "D6", "O2", "O3", "V1"];
    let design = ["9.3", "9.4", "9.5", "9.6", "9.7", "9.8", "9.9"];
    for property in properties.into_iter().chain(further).chain(design) {
        let of_property = list.mutant.iter().filter(|one| one.property == property);
        assert!(of_property.count() >= 2, "{property}");
    }
}

#[derive(Deserialize)]
struct Outcome {
    property: String,
    unit: bool,
    invariants: bool,
    fuzz: Option<String>,
}

#[test]
fn each_mutant_of_the_list_has_a_result_and_something_detects_it() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../test/mutants");
    let read = |name: &str| std::fs::read_to_string(folder.join(name)).unwrap();
    let list: List = toml::from_str(&read("mutants.toml")).unwrap();
    let properties: BTreeMap<&str, &str> = (list.mutant.iter())
        .map(|one| (one.id.as_str(), one.property.as_str()))
        .collect();
    let results: BTreeMap<String, Outcome> = serde_json::from_str(&read("results.json")).unwrap();
    let of_results: BTreeMap<&str, &str> = (results.iter())
        .map(|(id, result)| (id.as_str(), result.property.as_str()))
        .collect();
    assert_eq!(properties, of_results);
    for (id, result) in &results {
        assert!(
            result.unit || result.invariants || result.fuzz.is_some(),
            "{id} survives"
        );
    }
}

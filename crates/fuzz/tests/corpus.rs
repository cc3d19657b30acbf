//! The corpus on disk: what is written is read, what is damaged is named, and a campaign goes on from it.
#![allow(clippy::unwrap_used, missing_docs)]

mod common;

use std::fs;
use std::path::PathBuf;

use breakwater_fuzz::{Action, Artifacts, Corpus, CorpusError, Random, WORLDS, World, next};
use common::{quiet, settings};

fn stored() -> (tempfile::TempDir, Vec<Vec<Action>>) {
    let folder = tempfile::tempdir().unwrap();
    let mut corpus = Corpus::open(folder.path()).unwrap();
    for number in 0..20 {
        corpus.add(next(
            &WORLDS[0],
            &[],
            &mut Random::of_input([9; 32], number),
        ));
    }
    corpus.save().unwrap();
    let entries = corpus.entries().to_vec();
    (folder, entries)
}

fn files(folder: &tempfile::TempDir) -> Vec<PathBuf> {
    let mut files: Vec<_> = fs::read_dir(folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    files
}

#[test]
fn what_is_written_is_read() {
    let (folder, mut entries) = stored();
    let mut read = Corpus::open(folder.path()).unwrap().entries().to_vec();
    let key = |actions: &Vec<Action>| format!("{actions:?}");
    entries.sort_by_key(key);
    read.sort_by_key(key);
    assert_eq!(read, entries);
    assert_eq!(files(&folder).len(), 20, "nothing else is left behind");
}

#[test]
fn other_files_are_let_be() {
    let (folder, _) = stored();
    fs::write(folder.path().join("half.1.part"), "breakwater").unwrap();
    fs::write(folder.path().join("Counterexample.t.sol"), "contract").unwrap();
    assert_eq!(Corpus::open(folder.path()).unwrap().entries().len(), 20);
}

#[test]
fn damage_names_the_file_and_what_was_expected() {
    type Damage = fn(&str) -> String;
    let cases: [(&str, Damage, &str); 6] = [
        ("empty", |_| String::new(), "a first line"),
        (
            "other format",
            |text| text.replacen("fuzz-1", "fuzz-9", 1),
            "a first line",
        ),
        (
            "cut",
            |text| text[..text.len() - 9].to_owned(),
            "lines with the hash",
        ),
        (
            "changed",
            |text| text.replacen("\"who\":", "\"who\": ", 1),
            "lines with the hash",
        ),
        ("longer", |text| format!("{text}\n"), "lines with the hash"),
        (
            "miscounted",
            |text| {
                let (header, body) = text.split_once('\n').unwrap();
                let words: Vec<_> = header.split(' ').collect();
                format!("{} 9999 {}\n{body}", words[0], words[2])
            },
            "9999 actions",
        ),
    ];
    for (name, damage, expected) in cases {
        let (folder, _) = stored();
        let file = files(&folder)[3].clone();
        let text = fs::read_to_string(&file).unwrap();
        fs::write(&file, damage(&text)).unwrap();
        let error = Corpus::open(folder.path()).unwrap_err();
        assert!(matches!(error, CorpusError::Damaged { .. }), "{name}");
        let said = error.to_string();
        assert!(said.contains(&file.display().to_string()), "{name}: {said}");
        assert!(said.contains(expected), "{name}: {said}");
    }
    let (folder, _) = stored();
    let file = files(&folder)[0].clone();
    fs::write(&file, [0xff, 0xfe]).unwrap();
    let said = Corpus::open(folder.path()).unwrap_err().to_string();
    assert!(said.contains(&file.display().to_string()), "{said}");
}

/// A second campaign in the same folder knows what the first reached, and draws other inputs.
#[test]
fn a_campaign_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let world = World::build(&Artifacts::built_in(), &WORLDS[0]).unwrap();
    let mut corpus = Corpus::open(folder.path()).unwrap();
    let (_, first) = quiet(&world, &mut corpus, &settings(1, 2, 6_000));
    let mut again = Corpus::open(folder.path()).unwrap();
    let before = again.entries().len();
    assert_eq!(before, corpus.entries().len());
    let (_, second) = quiet(&world, &mut again, &settings(1, 2, 1));
    assert!(
        second.edges >= first.edges,
        "{} after {}",
        second.edges,
        first.edges
    );
    assert_ne!(second.tally, first.tally);
    let found = again.entries().len() - before;
    assert!(
        found < before,
        "{found} of one round are new beside {before}"
    );
}

//! `breakwater scenarios`: a line each, and everything about one.

#![allow(clippy::unwrap_used, reason = "a test may stop")]

use std::process::{Command, Output};

fn breakwater(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_breakwater"))
        .args(arguments)
        .output()
        .unwrap()
}

fn said(arguments: &[&str]) -> String {
    let output = breakwater(arguments);
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

const NAMES: [&str; 13] = [
    "black-thursday",
    "dai-spike",
    "may-19",
    "loop-depeg",
    "toxic-short",
    "stable-depeg",
    "oct-10",
    "oracle-misset",
    "worthless",
    "persistent-30",
    "grind",
    "adversary",
    "manipulator",
];

#[test]
fn every_scenario_has_a_line() {
    let list = said(&["scenarios"]);
    let names: Vec<_> = list
        .lines()
        .map(|line| line.split_whitespace().next().unwrap())
        .collect();
    assert_eq!(names, NAMES);
    for line in list.lines() {
        assert!(line.ends_with('.') && line.len() > 60, "{line}");
    }
}

#[test]
fn a_scenario_is_explained_with_values_units_and_sources() {
    let text = said(&["scenarios", "oracle-misset"]);
    assert!(text.starts_with("oracle-misset: A mis-set oracle, 10 March 2026\n"));
    assert!(text.contains("600 blocks of 12 s, 2 hours"));
    assert!(text.contains("wstETH of 34 accounts"));
    let errors = text.split_once("feed.errors = ").unwrap().1;
    let mut lines = errors.lines();
    assert_eq!(lines.next(), Some("1200 to 2400 s: -0.0285"));
    assert!(lines.next().unwrap().contains("seconds from block 0"));
    assert!(
        lines
            .next()
            .unwrap()
            .trim()
            .starts_with("source: the event")
    );
    // Whatever a run reports as its parameters is explained.
    for name in NAMES {
        let text = said(&["scenarios", name]);
        assert!(text.matches(" = ").count() > 40, "{name}");
        assert!(text.contains("venue.recovery_half_life = "), "{name}");
    }
}

#[test]
fn an_unknown_name_is_refused_with_the_nearest() {
    let output = breakwater(&["scenarios", "may-9"]);
    assert_eq!(output.status.code(), Some(2));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("nearest: `may-19`"), "{said}");
    assert_eq!(said.lines().count(), 1);
}

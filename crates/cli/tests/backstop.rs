//! A backstop through the program: set on the command line and in sweeps, its files and figures, and what is refused.

#![allow(clippy::unwrap_used, reason = "a test may stop")]

mod sweeps;

use std::fs;
use std::path::Path;

use breakwater_experiments::metrics::{depositor_drawdown, holding_seconds};
use breakwater_experiments::store::{read_absorptions, read_backstop, read_blocks};
use serde_json::Value;
use sweeps::Folder;

const FILES: [&str; 6] = [
    "absorptions.parquet",
    "backstop.parquet",
    "blocks.parquet",
    "liquidations.parquet",
    "report.html",
    "summary.json",
];

fn simulate<'a>(folder: &Folder, out: &'a str, more: &[&'a str]) -> String {
    let mut arguments = vec![
        "simulate",
        "crash.toml",
        "--blocks",
        "60",
        "--policy",
        "rigid,damped",
        "--out",
        out,
    ];
    arguments.extend(more);
    folder.succeed(&arguments)
}

fn entries(path: &Path) -> Vec<String> {
    let mut names: Vec<_> = fs::read_dir(path)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

fn summary(path: &Path) -> Value {
    serde_json::from_str(&fs::read_to_string(path.join("summary.json")).unwrap()).unwrap()
}

const GUARDED: [&str; 2] = ["--set", "backstop.capital=0.2"];

#[test]
fn a_backstop_is_set_on_the_command_line_and_its_figures_follow_from_its_files() {
    let folder = Folder::new();
    let said = simulate(&folder, "with", &GUARDED);
    for part in ["Absorptions", "Depositors' profit", "Hours to leave"] {
        assert!(said.contains(part), "`{part}` is not in:\n{said}");
    }
    let path = folder.path("with");
    assert_eq!(entries(&path), FILES);
    let summary = summary(&path);
    assert!(summary["counterfactual"].get("backstop").is_none());
    let backstop = read_backstop(&path.join("backstop.parquet")).unwrap();
    let absorptions = read_absorptions(&path.join("absorptions.parquet")).unwrap();
    let blocks = read_blocks(&path.join("blocks.parquet")).unwrap();
    for policy in ["rigid", "damped"] {
        let figures = &summary["policies"][policy]["backstop"];
        let rows: Vec<_> = backstop
            .iter()
            .filter(|row| row.policy == policy)
            .cloned()
            .collect();
        let states: Vec<_> = blocks
            .iter()
            .filter(|row| row.policy == policy)
            .cloned()
            .collect();
        assert_eq!((rows.len(), states.len()), (61, 61));
        let own: Vec<_> = absorptions
            .iter()
            .filter(|row| row.policy == policy)
            .collect();
        assert!(own.len() > 5, "{policy}: {}", own.len());
        assert_eq!(figures["absorptions"], own.len());
        let (last, end) = (rows.last().unwrap(), states.last().unwrap());
        let spent: f64 = own.iter().map(|row| row.absorbed).sum();
        let expected = [
            ("absorbed_volume", spent / states[0].debt),
            ("capital_used", spent / last.deposits),
            ("capital_left", last.assets / last.deposits),
            ("depositor_return", last.depositor_profit / last.deposits),
            ("depositor_drawdown", depositor_drawdown(&rows)),
            (
                "inventory_left",
                last.inventory * end.reference_price / last.deposits,
            ),
            (
                "holding_hours",
                holding_seconds(&rows, &states) / last.received / 3_600.0,
            ),
        ];
        for (key, value) in expected {
            let found = figures[key].as_f64().unwrap();
            let off = (found - value).abs();
            assert!(off <= 1e-9 * value.abs() + 1e-12, "{key}: {found}, {value}");
        }
    }
    let report = fs::read_to_string(path.join("report.html")).unwrap();
    for part in [
        "The backstop and its depositors",
        "Depositors lend the debt asset and agree to take collateral",
        "What they may lose is the price of collateral",
        "backstop.capital",
        "replaces the file",
    ] {
        assert!(report.contains(part), "the report lacks `{part}`");
    }
    assert!(!report.contains("NaN"));
}

#[test]
fn the_same_seed_gives_the_same_bytes_and_capital_of_0_those_of_no_backstop() {
    let folder = Folder::new();
    simulate(&folder, "first", &GUARDED);
    simulate(&folder, "second", &GUARDED);
    simulate(&folder, "without", &[]);
    // Over the results of a run with one: nothing of those stays.
    simulate(&folder, "second-without", &GUARDED);
    simulate(&folder, "second-without", &["--set", "backstop.capital=0"]);
    let read = |run: &str, file: &str| fs::read(folder.path(run).join(file)).unwrap();
    for file in FILES.iter().filter(|file| file.ends_with("parquet")) {
        assert!(read("first", file) == read("second", file), "{file}");
    }
    assert_eq!(
        entries(&folder.path("without")),
        entries(&folder.path("second-without"))
    );
    let (without, nothing) = (
        summary(&folder.path("without")),
        summary(&folder.path("second-without")),
    );
    assert_eq!(without["policies"], nothing["policies"]);
    assert_eq!(without["input_hash"], nothing["input_hash"]);
    // The configuration says what was set, so the tables' footers differ and their rows do not.
    let rows = |run: &str| read_blocks(&folder.path(run).join("blocks.parquet")).unwrap();
    assert_eq!(rows("without"), rows("second-without"));
}

#[test]
fn what_no_backstop_can_be_is_refused() {
    let folder = Folder::new();
    let refused = |setting: &str| {
        let arguments = ["simulate", "crash.toml", "--set", setting, "--out", "out"];
        let output = folder.command(&arguments).output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{setting}: {said}");
        assert!(!folder.path("out").exists());
        said
    };
    for (setting, parts) in [
        ("backstop.capital=11", ["backstop.capital is 11", "0 to 10"]),
        (
            "backstop.captial=0.1",
            ["unknown key `backstop.captial`", "`backstop.capital`"],
        ),
        (
            "backstop.release_share=0.01",
            ["missing field `capital`", "crash.toml"],
        ),
        ("backstop.first=often", ["invalid type", "boolean"]),
        ("backstop", ["KEY=VALUE", "backstop"]),
    ] {
        let said = refused(setting);
        assert!(said.contains("--set"), "where: {said}");
        for part in parts {
            assert!(said.contains(part), "`{part}` is not in: {said}");
        }
    }
    let output = folder
        .command(&[
            "simulate",
            "crash.toml",
            "--set",
            "backstop.capital=0.1",
            "--set",
            "backstop.loss_share=0.9",
            "--out",
            "out",
        ])
        .output()
        .unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("shares that sum to at most 1"), "{said}");
}

#[test]
fn a_sweep_compares_capital_before_each_policy() {
    let folder = Folder::new();
    let variants = "[[variants]]\nname = \"rigid-20\"\npolicy = \"rigid\"\nbackstop = { capital = 0.2 }\n\n[[variants]]\nname = \"damped-20\"\nbackstop = { capital = 0.2 }\n\n[[comparisons]]\ntitle = \"At equal capital\"\nagainst = \"rigid-20\"\npolicies = [\"damped-20\"]\n";
    let (before, _) = sweeps::SPECIFICATION.split_once("[[variants]]").unwrap();
    let (_, after) = sweeps::SPECIFICATION.split_once("[grid]").unwrap();
    let text = format!("{before}{variants}\n[grid]{after}")
        .replace("[0.5, 2.0]", "[0.5]")
        .replace("count = 2", "count = 5");
    fs::write(folder.path("capital.toml"), &text).unwrap();
    folder.succeed(&["sweep", "capital.toml", "--out", "whole"]);
    let sweep: Value =
        serde_json::from_str(&fs::read_to_string(folder.path("whole/sweep.json")).unwrap())
            .unwrap();
    let means = &sweep["cells"][0]["means"];
    let mean = |policy: &str, figure: &str| means[policy][figure]["value"].as_f64().unwrap();
    assert!(mean("rigid-20", "absorbed_volume") > 0.01);
    // What the backstop takes keepers do not sell. (The overshoot of forty accounts goes either way.)
    for (with, without) in [("rigid-20", "rigid"), ("damped-20", "damped")] {
        assert!(mean(with, "liquidated_volume") < mean(without, "liquidated_volume"));
    }
    assert!(means["rigid"].get("absorbed_volume").is_none());
    folder.succeed(&["report", "whole"]);
    let report = fs::read_to_string(folder.path("whole/report.html")).unwrap();
    assert!(report.contains("At equal capital") && report.contains("Absorbed volume"));

    let wrong = text.replace(
        "policy = \"rigid\"\n",
        "policy = \"rigid\"\ndamped = { turn_mode = \"off\" }\n",
    );
    fs::write(folder.path("wrong.toml"), wrong).unwrap();
    let output = folder
        .command(&["sweep", "wrong.toml", "--out", "refused"])
        .output()
        .unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains("only where the policy is damped"), "{said}");
}

//! What no sweep can do is refused with one line before it begins; what is shipped can be run.

#![allow(clippy::unwrap_used, reason = "a test may stop")]

mod sweeps;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use breakwater_experiments::sweep::{Program, SeedRange, Selection, Sweep};
use breakwater_market::testdata::file;
use sweeps::{Folder, SPECIFICATION};

#[test]
fn what_no_sweep_can_do_is_refused_before_it_begins() {
    let folder = Folder::new();
    let said = |from: &str, to: &str| {
        let changed = SPECIFICATION.replacen(from, to, 1);
        assert_ne!(changed, SPECIFICATION, "{from}");
        fs::write(folder.path("bad.toml"), changed).unwrap();
        let said = folder.refused(&["sweep", "bad.toml", "--out", "out"]);
        assert!(!folder.path("out").exists(), "{said}");
        said
    };
    let sobol = "[sobol]\nfigures = [\"overshoot\"]\n[[sobol.inputs]]\nkey = \"venue.depth\"\nlow = 1.0\nhigh = 2.0\n\n[grid]";
    for (from, to, expected) in [
        (
            "title = ",
            "titel = ",
            "bad.toml: line 3: unknown key `titel`, the nearest known key is `title`",
        ),
        (
            "baseline = \"rigid\"",
            "",
            "bad.toml: line 1: missing field `baseline`",
        ),
        ("[grid]", "[grid", "bad.toml: line"),
        (
            "name = \"small\"",
            "name = \"Small sweep\"",
            "line 2: name is `Small sweep`, expected lower-case letters, digits and hyphens",
        ),
        (
            "\"crash.toml\"]",
            "]",
            "line 5: scenarios is empty, expected one at least",
        ),
        (
            "\"crash.toml\"]",
            "\"crash.toml\", \"crash.toml\"]",
            "line 5: scenarios is `crash.toml` twice, expected each once",
        ),
        (
            "[grid]",
            "[[changes]]\nname = \"a b\"\ntitle = \"\"\nset = {}\n\n[grid]",
            "changes[0].name is `a b`, expected lower-case letters, digits and hyphens",
        ),
        (
            "[grid]",
            "[[changes]]\nname = \"a\"\ntitle = \"\"\nset = { \"venue.depth\" = 1.0 }\n\n[grid]",
            "changes[0].set is venue.depth, expected keys that [grid] does not have",
        ),
        (
            "[grid]",
            "[[changes]]\nname = \"a\"\ntitle = \"\"\nset = { \"shock.fal\" = 0.1 }\n\n[grid]",
            "unknown key `shock.fal`, the nearest known key is `shock.fall`",
        ),
        (
            "[grid]",
            "[[changes]]\nname = \"a\"\ntitle = \"\"\nset = { \"shock.fall\" = 1.0 }\n\n[grid]",
            "shock.fall is 1.0, expected 0 to 0.99",
        ),
        (
            "\"crash.toml\"",
            "\"black-thursdy\"",
            "unknown scenario `black-thursdy`: expected one of black-thursday,",
        ),
        (
            "\"crash.toml\"",
            "\"nowhere.toml\"",
            "nowhere.toml: expected a scenario file",
        ),
        (
            "blocks = 60",
            "blocks = 0",
            "line 6: blocks is 0, expected 1 to 1000000",
        ),
        (
            "[\"rigid\", \"damped\"]",
            "[]",
            "line 7: policies is empty, expected one at least",
        ),
        (
            "[\"rigid\", \"damped\"]",
            "[\"rigid\", \"dampd\"]",
            "unknown variant `dampd`, expected one of `rigid`, `target-health`, `damped`",
        ),
        (
            "\"rigid\", \"damped\"",
            "\"rigid\", \"damped\", \"rigid\"",
            "line 7: policies is `rigid` twice, expected each once",
        ),
        (
            "baseline = \"rigid\"",
            "baseline = \"target-health\"",
            "line 8: baseline is `target-health`, expected one of rigid, damped, without-turns",
        ),
        (
            "name = \"without-turns\"",
            "name = \"without turns\"",
            "line 11: variants[0].name is `without turns`, expected lower-case",
        ),
        (
            "name = \"without-turns\"",
            "name = \"damped\"",
            "policies is `damped` twice, expected each once",
        ),
        (
            "turn_mode = \"off\"",
            "turn_mod = \"off\"",
            "crash with damped.confirmation = false, damped.turn_mod = \"off\": crash.toml: line 1: unknown key `damped.turn_mod`",
        ),
        (
            "turn_mode = \"off\"",
            "turn_floor = 2.0",
            "damped.turn_floor is 2.0, expected 0.015625 to 1",
        ),
        (
            "turn_mode = \"off\"",
            "slippage_margin = 0.6",
            "damped.slippage_margin is 0.6, expected 0 to 0.5",
        ),
        (
            "turn_mode = \"off\"",
            "breaker = 0",
            "crash with damped.breaker = 0, damped.confirmation = false: crash.toml: line 1: invalid type: integer `0`, expected a boolean",
        ),
        (
            "against = \"damped\"",
            "against = \"damp\"",
            "line 16: comparisons[0].against is `damp`, expected one of rigid, damped, without-turns (nearest: `damped`)",
        ),
        (
            "policies = [\"without-turns\"]",
            "policies = [\"turns\"]",
            "line 17: comparisons[0].policies is `turns`, expected one of",
        ),
        (
            "depth = [0.5, 2.0]",
            "depth = []",
            "line 20: grid.depth is empty, expected one at least",
        ),
        (
            "depth = [0.5, 2.0]",
            "depth = [0.5, 0.5]",
            "line 20: grid.depth is `0.5` twice, expected each once",
        ),
        (
            "pass_through = [0.5]",
            "pass_through = [1.5]",
            "line 21: grid.pass_through is 1.5, expected 0 to 1",
        ),
        (
            "recovery_half_life = [300.0]",
            "recovery_half_life = [-1.0]",
            "line 22: grid.recovery_half_life is -1, expected 0 to",
        ),
        (
            "count = 5",
            "count = 0",
            "line 24: seeds.tuning is 0 seeds from 1 on, expected 1 or more",
        ),
        (
            "count = 5",
            "count = 11",
            "is 11 to 12, expected none of `tuning`, 1 to 11: no seed serves two purposes",
        ),
        (
            "[seeds.reporting]",
            "[seeds.report]",
            "--range reporting: expected one of report, tuning (nearest: `report`)",
        ),
        (
            "[grid]",
            sobol,
            "grid.depth is 2 values, expected one, since inputs vary by their ranges",
        ),
    ] {
        let found = said(from, to);
        assert!(
            found.contains(expected),
            "{to}: `{expected}` is not in: {found}"
        );
    }
    // With uncertain inputs.
    let one = SPECIFICATION.replace("depth = [0.5, 2.0]", "depth = [2.0]");
    for (from, to, expected) in [
        (
            "\"venue.depth\"",
            "\"venue.dept\"",
            "unknown key `venue.dept`, the nearest known key is `venue.depth`",
        ),
        (
            "high = 2.0",
            "high = 1.0",
            "sobol.inputs[0].high is 1, expected more than low, 1",
        ),
        (
            "low = 1.0",
            "low = 0.0\nscale = \"log\"",
            "sobol.inputs[0].low is 0, expected more than 0 where the scale is log",
        ),
        (
            "high = 2.0",
            "high = 2e6",
            "crash with venue.depth = 2000000.0: crash.toml: line",
        ),
        (
            "\"overshoot\"",
            "\"overshot\"",
            "sobol.figures is `overshot`, expected one of overshoot,",
        ),
        (
            "[\"overshoot\"]",
            "[]",
            "sobol.figures is empty, expected one at least",
        ),
    ] {
        let text = sobol.replacen(from, to, 1);
        assert_ne!(text, sobol);
        fs::write(folder.path("bad.toml"), one.replace("[grid]", &text)).unwrap();
        let said = folder.refused(&["sweep", "bad.toml", "--out", "out"]);
        assert!(said.contains(expected), "`{expected}` is not in: {said}");
        assert!(!folder.path("out").exists());
    }
    // The command line.
    for (arguments, expected) in [
        (
            &["sweep"][..],
            "required arguments were not provided: <SPEC>",
        ),
        (
            &["sweep", "nowhere.toml"],
            "nowhere.toml: expected the specification of a sweep (No such file",
        ),
        (
            &["sweep", "small.toml", "--seeds", "0"],
            "--seeds 0: expected 1 to 2, what the range `reporting` of small.toml gives",
        ),
        (
            &["sweep", "small.toml", "--seeds", "3"],
            "--seeds 3: expected 1 to 2",
        ),
        (
            &["sweep", "small.toml", "--range", "turing"],
            "--range turing: expected one of reporting, tuning (nearest: `tuning`)",
        ),
        (
            &["sweep", "small.toml", "--jobs", "0"],
            "0 is not in 1..=1024",
        ),
        (
            &["sweep", "small.toml", "--shard", "3/2"],
            "expected i/n with i from 1 to n",
        ),
        (
            &["sweep", "small.toml", "--shard", "half"],
            "expected i/n with i from 1 to n",
        ),
        (&["sweep", "merge", "--out", "merged"], "<DIR>..."),
        (
            &["sweep", "merge", "nowhere", "--out", "merged"],
            "nowhere: expected the directory of a sweep; it has no design.json",
        ),
        (
            &["report", "nowhere"],
            "nowhere: expected the directory of a sweep; it has no sweep.json",
        ),
    ] {
        let said = folder.refused(arguments);
        assert!(
            said.contains(expected),
            "{arguments:?}: `{expected}` is not in: {said}"
        );
    }
}

#[test]
fn a_sweep_of_aave_without_its_package_is_refused() {
    let folder = Folder::new();
    let variant = "[[variants]]\nname = \"real\"\npolicy = \"aave-v3\"\n\n[grid]";
    for (value, changed) in [
        (
            "policies = [\"rigid\"",
            "policies = [\"aave-v3\", \"rigid\"",
        ),
        ("[grid]", variant),
    ] {
        let changed = SPECIFICATION.replacen(value, changed, 1);
        assert_ne!(changed, SPECIFICATION);
        fs::write(folder.path("aave.toml"), changed).unwrap();
        let said = folder.refused(&["sweep", "aave.toml", "--out", "out"]);
        assert!(said.contains("run `npm ci`"), "{said}");
        assert!(!folder.path("out").exists(), "{said}");
    }
}

#[test]
fn shipped_specifications_can_be_run() {
    let sweeps = Path::new(env!("CARGO_MANIFEST_DIR")).join("../experiments/sweeps");
    let program = Program {
        commit: "unknown".to_owned(),
        contracts: BTreeMap::new(),
    };
    let mut ranges = Vec::new();
    // Its bars are not part of the repository.
    let real_days = file("price_ethusdt_1m_2021-05-18_2021-05-20.csv").map(|_| ("real-days", 100));
    for (name, least) in [
        ("headline", 300),
        ("grid", 30),
        ("ablations", 30),
        ("sobol", 64),
        ("aave", 30),
        ("shocks", 100),
        ("turns", 100),
        ("dumped", 30),
        ("illiquid", 100),
        ("grinder", 30),
    ]
    .into_iter()
    .chain(real_days)
    {
        let file = sweeps.join(format!("{name}.toml"));
        let sweep = Sweep::read(&file, &Selection::default(), &program).unwrap();
        assert_eq!(sweep.specification.name, name);
        assert!(
            sweep.design.seeds >= least,
            "{name}: {} seeds",
            sweep.design.seeds
        );
        for market in [
            sweep.markets().first().unwrap(),
            sweep.markets().last().unwrap(),
        ] {
            let scenario = sweep.changed(market).unwrap();
            let prepared = sweep.prepare(&scenario, market).unwrap();
            assert_eq!(prepared.parameters.venue.depth, market.depth);
            assert_eq!(prepared.parameters.venue.pass_through, market.pass_through);
        }
        if name == "grid" {
            // Three depths; two pass-throughs with and without recovery, and none.
            let markets = 13 * 3 * (2 * 2 + 1) * sweep.design.seeds;
            assert_eq!(sweep.markets().len() as u64, markets);
        }
        // Results say all that they need to be put together again.
        let again = Sweep::from_design(sweep.design.clone(), &file).unwrap();
        let names = |sweep: &Sweep| -> Vec<String> {
            let scenarios = sweep.scenarios.iter();
            scenarios.map(|each| each.name().to_owned()).collect()
        };
        assert_eq!(names(&again), names(&sweep));
        if name == "shocks" {
            assert_eq!(names(&sweep)[2], "calm-fall-05");
            let market = &sweep.markets()[2 * sweep.design.seeds as usize];
            for sweep in [&sweep, &again] {
                let scenario = sweep.changed(market).unwrap();
                assert_eq!(scenario.name(), "calm-fall-05");
                let prices = sweep.prepare(&scenario, market).unwrap().input.prices;
                assert!(prices[50] < prices[49] * 0.96, "{prices:?}");
            }
        }
        ranges.push(sweep.range);
        // Tuning seeds are those of every sweep.
        let tuning = Selection {
            range: Some("tuning".to_owned()),
            ..Selection::default()
        };
        ranges.push(Sweep::read(&file, &tuning, &program).unwrap().range);
    }
    // No seed that results are reported on was tuned on, in whichever sweep.
    let (reporting, tuning): (Vec<&SeedRange>, Vec<&SeedRange>) =
        ranges.iter().partition(|range| range.first > 1);
    assert!(tuning.iter().all(|tuned| {
        reporting
            .iter()
            .all(|range| tuned.first + tuned.count <= range.first)
    }));
}

//! Whatever cannot be used is refused with exit code 2 and one line that says why, and leaves nothing behind.

#![allow(clippy::unwrap_used, reason = "a test may stop")]

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

fn breakwater(arguments: &[&str], folder: &Path) -> Output {
    Command::new(env!("CARGO_BIN_EXE_breakwater"))
        .args(arguments)
        .current_dir(folder)
        .output()
        .unwrap()
}

/// Runs `simulate` with these arguments and an `--out` of `out`, and returns the one line it must say.
fn refused(folder: &Path, arguments: &[&str]) -> String {
    let all: Vec<_> = ["simulate"]
        .iter()
        .chain(arguments)
        .chain(&["--out", "out"])
        .copied()
        .collect();
    let output = breakwater(&all, folder);
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{arguments:?}: {said}");
    assert!(output.stdout.is_empty(), "{arguments:?}");
    assert_eq!(said.lines().count(), 1, "{arguments:?}: {said}");
    assert!(
        !folder.join("out").exists(),
        "{arguments:?} left something behind"
    );
    said.trim_end().to_owned()
}

/// Bars of a minute that cover the first blocks of the shipped scenario.
fn bars(change: impl Fn(usize, String) -> Vec<String>) -> String {
    let rows =
        (0..20).flat_map(|bar| change(bar, format!("{},100,101,99,100", 1_583_996_400 + 60 * bar)));
    std::iter::once("timestamp,open,high,low,close".to_owned())
        .chain(rows)
        .fold(String::new(), |text, row| text + &row + "\n")
}

#[test]
fn price_files() {
    let folder = tempfile::tempdir().unwrap();
    let time = |bar: usize| 1_583_996_400 + 60 * bar;
    let replace = |at: usize, with: &str| {
        let with = with.to_owned();
        bars(move |bar, row| {
            vec![if bar == at {
                with.replace("TIME", &time(bar).to_string())
            } else {
                row
            }]
        })
    };
    // Bar 3 stands in row 5: the header is row 1.
    let cases: Vec<(&str, Vec<u8>, &[&str])> = vec![
        (
            "gap",
            bars(|bar, row| if bar == 3 { vec![] } else { vec![row] }).into(),
            &["row 5", "gap of 60 s", "expected a row every 60 s"],
        ),
        (
            "duplicate",
            bars(|bar, row| {
                if bar == 3 {
                    vec![row.clone(), row]
                } else {
                    vec![row]
                }
            })
            .into(),
            &["row 6", "appears twice"],
        ),
        (
            "unsorted",
            replace(3, "1583996401,100,101,99,100").into(),
            &["row 5", "expected rows sorted by time"],
        ),
        (
            "zero",
            replace(3, "TIME,100,101,0,100").into(),
            &["row 5", "low", "found 0", "expected"],
        ),
        (
            "negative",
            replace(3, "TIME,-100,101,99,100").into(),
            &["row 5", "open", "found -100", "expected"],
        ),
        (
            "word",
            replace(3, "TIME,100,high,99,100").into(),
            &["row 5", "high", "found high", "expected"],
        ),
        (
            "not a number",
            replace(3, "TIME,100,NaN,99,100").into(),
            &["row 5", "high", "expected"],
        ),
        (
            "short row",
            replace(3, "TIME,100,101").into(),
            &["row 5", "expected"],
        ),
        (
            "no column",
            bars(|_, row| vec![row]).replace("low", "bottom").into(),
            &["row 1", "no column low"],
        ),
        ("empty", Vec::new(), &["empty"]),
        (
            "header only",
            b"timestamp,open,high,low,close\n".to_vec(),
            &["no rows"],
        ),
        (
            "binary",
            (0..=255).cycle().take(5000).collect(),
            &["not text", "expected comma-separated values"],
        ),
        (
            "too short",
            bars(|_, row| vec![row]).into(),
            &["covers 100 blocks", "expected"],
        ),
    ];
    for (name, content, expected) in cases {
        let file = folder.path().join("prices.csv");
        fs::write(&file, content).unwrap();
        let blocks = if name == "too short" { "200" } else { "10" };
        let said = refused(
            folder.path(),
            &[
                "black-thursday",
                "--blocks",
                blocks,
                "--prices",
                "prices.csv",
            ],
        );
        assert!(said.starts_with("error: prices.csv: "), "{name}: {said}");
        for part in expected {
            assert!(said.contains(part), "{name}: `{part}` is not in: {said}");
        }
    }
    let said = refused(
        folder.path(),
        &["black-thursday", "--prices", "nowhere.csv"],
    );
    assert_eq!(said, "error: nowhere.csv: no such file");
    let said = refused(folder.path(), &["black-thursday", "--prices", "."]);
    assert!(
        said.contains("expected a file of comma-separated values"),
        "{said}"
    );
}

#[test]
fn account_files() {
    let folder = tempfile::tempdir().unwrap();
    let cases: [(&str, &str, &[&str]); 8] = [
        (
            "word",
            "account,collateral,debt\na,1,10\nb,many,10\n",
            &["row 3", "collateral", "found many", "expected"],
        ),
        (
            "negative",
            "account,collateral,debt\na,1,-10\n",
            &["row 2", "debt", "found -10", "expected"],
        ),
        (
            "short row",
            "account,collateral,debt\na,1\n",
            &["row 2", "expected"],
        ),
        (
            "no column",
            "account,collateral\na,1\n",
            &["row 1", "no column debt"],
        ),
        (
            "twice",
            "account,collateral,debt\na,1,10\na,1,10\n",
            &["row 3", "already listed in row 2"],
        ),
        ("empty", "", &["empty"]),
        (
            "nameless",
            "account,collateral,debt\n,1,10\n",
            &["row 2", "expected an account's name"],
        ),
        (
            "nobody",
            "user,total_collateral_usd,total_debt_usd\na,10,10\n",
            &["none of its 1 rows"],
        ),
    ];
    for (name, content, expected) in cases {
        fs::write(folder.path().join("accounts.csv"), content).unwrap();
        let said = refused(
            folder.path(),
            &[
                "black-thursday",
                "--blocks",
                "10",
                "--accounts",
                "accounts.csv",
            ],
        );
        assert!(said.starts_with("error: accounts.csv: "), "{name}: {said}");
        for part in expected {
            assert!(said.contains(part), "{name}: `{part}` is not in: {said}");
        }
    }
}

#[test]
fn gas_and_depth_files() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(
        folder.path().join("gas.csv"),
        "timestamp,gwei\n1583996400,10\n1583997000,0\n",
    )
    .unwrap();
    let said = refused(folder.path(), &["black-thursday", "--gas", "gas.csv"]);
    assert!(
        said.starts_with("error: gas.csv: row 3, column gwei: found 0"),
        "{said}"
    );
    fs::write(
        folder.path().join("depth.csv"),
        "timestamp,DAI,ETH\n1583996400,10,1\n",
    )
    .unwrap();
    let said = refused(folder.path(), &["black-thursday", "--depth", "depth.csv"]);
    assert!(
        said.starts_with("error: depth.csv: row 1: no column WETH"),
        "{said}"
    );
}

#[test]
fn scenarios() {
    let folder = tempfile::tempdir().unwrap();
    let said = refused(folder.path(), &["black-friday"]);
    assert!(
        said.contains(
            "unknown scenario `black-friday`: expected one of black-thursday, dai-spike, may-19, "
        ),
        "{said}"
    );
    assert!(refused(folder.path(), &["nowhere.toml"]).starts_with("error: nowhere.toml: "));

    let shipped =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../experiments/scenarios/may-19.toml");
    let text = fs::read_to_string(shipped).unwrap();
    let line = text
        .lines()
        .position(|line| line.starts_with("pass_through"))
        .unwrap()
        + 1;
    fs::write(
        folder.path().join("x.toml"),
        text.replace("pass_through", "pass_thruogh"),
    )
    .unwrap();
    let said = refused(folder.path(), &["x.toml"]);
    assert_eq!(
        said,
        format!(
            "error: x.toml: line {line}: unknown key `pass_thruogh`, the nearest known key is `pass_through`"
        )
    );
    fs::write(folder.path().join("x.toml"), [0xff, 0xfe, 0x00]).unwrap();
    assert!(
        refused(folder.path(), &["x.toml"]).starts_with("error: x.toml: expected a scenario file")
    );
}

#[test]
fn arguments() {
    let folder = tempfile::tempdir().unwrap();
    let said = refused(folder.path(), &["black-thursday", "--policy", "rigid,soft"]);
    assert!(
        said.contains("'soft'") && said.contains("expected rigid, target-health, damped, aave-v3"),
        "{said}"
    );
    for arguments in [
        ["--blocks", "0"],
        ["--blocks", "many"],
        ["--seed", "-1"],
        ["--sede", "1"],
    ] {
        let said = refused(
            folder.path(),
            &["black-thursday", arguments[0], arguments[1]],
        );
        assert!(said.contains(arguments[0]), "{said}");
    }
    let output = breakwater(&["simulate", "--help"], folder.path());
    assert!(
        output.status.success()
            && String::from_utf8(output.stdout)
                .unwrap()
                .contains("--accounts <FILE>")
    );
    let output = breakwater(&["scenarios"], folder.path());
    assert!(output.status.success());
    assert!(
        String::from_utf8(output.stdout)
            .unwrap()
            .lines()
            .all(|line| line.len() > 30)
    );
}

#[test]
fn aave_without_its_package() {
    let folder = tempfile::tempdir().unwrap();
    let said = refused(folder.path(), &["black-thursday", "--policy", "aave-v3"]);
    assert!(
        said.contains("@aave/core-v3 1.19.3") && said.contains("run `npm ci`"),
        "{said}"
    );
}

#[test]
fn directories_that_cannot_be_written() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("file"), "mine").unwrap();
    for out in ["file", "file/below", "/proc/nowhere"] {
        let output = breakwater(&["simulate", "black-thursday", "--out", out], folder.path());
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert_eq!(said.lines().count(), 1, "{said}");
        assert!(
            said.starts_with(&format!(
                "error: {out}: expected a directory that can be written to"
            )),
            "{said}"
        );
    }
    assert_eq!(
        fs::read_to_string(folder.path().join("file")).unwrap(),
        "mine"
    );
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}

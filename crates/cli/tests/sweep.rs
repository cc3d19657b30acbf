//! Sweeps through the program: however they are run, the same bytes come out.

#![allow(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "a test may stop, and says what it skips"
)]

mod sweeps;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant, SystemTime};

use arrow::array::{Array, AsArray};
use arrow::datatypes::{DataType, Float64Type, UInt64Type};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use serde_json::Value;
use sweeps::{Folder, PATHS, SPECIFICATION};

/// The whole paths in a directory, and when they were written.
fn paths(directory: &Path) -> BTreeMap<PathBuf, SystemTime> {
    fn walk(folder: &Path, into: &mut BTreeMap<PathBuf, SystemTime>) {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            if entry.file_type().unwrap().is_dir() {
                walk(&entry.path(), into);
            } else if !entry.file_name().to_string_lossy().starts_with('.') {
                let written = entry.metadata().unwrap().modified().unwrap();
                into.insert(entry.path(), written);
            }
        }
    }
    let mut found = BTreeMap::new();
    walk(&directory.join("paths"), &mut found);
    found
}

/// Waits until so many paths are whole.
fn wait_for(child: &mut Child, directory: &Path, wanted: usize) {
    let began = Instant::now();
    while paths(directory).len() < wanted {
        assert!(
            child.try_wait().unwrap().is_none(),
            "it ended before it was to be stopped"
        );
        assert!(
            began.elapsed() < Duration::from_secs(300),
            "it never came so far"
        );
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn stop(folder: &Folder, directory: &str, signal: &str, after: usize) -> Output {
    let mut child = folder
        .command(&["sweep", "small.toml", "--jobs", "1", "--out", directory])
        .spawn()
        .unwrap();
    wait_for(&mut child, &folder.path(directory), after);
    let kill = Command::new("kill")
        .args([&format!("-{signal}"), &child.id().to_string()])
        .status();
    assert!(kill.unwrap().success());
    child.wait_with_output().unwrap()
}

#[test]
fn threads_shards_and_interruptions_change_no_byte() {
    let folder = Folder::new();
    let said = folder.succeed(&["sweep", "small.toml", "--jobs", "1", "--out", "one"]);
    for part in [
        "A small <sweep>",
        "16 paths",
        "crash, x/C 0.5",
        "without-turns",
        "one/sweep.json",
    ] {
        assert!(said.contains(part), "`{part}` is not in:\n{said}");
    }
    let whole = folder.results("one");
    assert_eq!(paths(&folder.path("one")).len(), PATHS);

    folder.succeed(&["sweep", "small.toml", "--jobs", "2", "--out", "two"]);
    assert!(folder.results("two") == whole, "two threads");

    // Killed in the middle, with half a file left behind, and continued.
    let output = stop(&folder, "killed", "KILL", 3);
    assert_eq!(output.status.code(), None);
    let before = paths(&folder.path("killed"));
    assert!((3..PATHS).contains(&before.len()), "{}", before.len());
    assert!(!folder.path("killed/sweep.json").exists());
    let half = folder.path("killed/paths/crash/.partial-damped");
    fs::write(&half, "configuration").unwrap();
    folder.succeed(&["sweep", "small.toml", "--jobs", "2", "--out", "killed"]);
    assert!(folder.results("killed") == whole, "killed and continued");
    assert!(!half.exists());
    let after = paths(&folder.path("killed"));
    for (path, written) in before {
        assert_eq!(after[&path], written, "{} was run again", path.display());
    }

    // Interrupted, said, and continued.
    let output = stop(&folder, "stopped", "INT", 2);
    assert_eq!(output.status.code(), Some(130));
    assert!(output.stdout.is_empty());
    let said = String::from_utf8(output.stderr).unwrap();
    let found = paths(&folder.path("stopped")).len();
    // Above it may be progress, on a slow machine.
    assert_eq!(
        said.lines().last(),
        Some(&*format!(
            "error: interrupted; {found} of {PATHS} paths are in stopped, and the same command goes on from there"
        ))
    );
    folder.succeed(&["sweep", "small.toml", "--out", "stopped"]);
    assert!(
        folder.results("stopped") == whole,
        "interrupted and continued"
    );

    // Two machines.
    let said = folder.succeed(&["sweep", "small.toml", "--shard", "1/2", "--out", "first"]);
    assert!(
        said.contains("Shard 1/2: 8 of 16 paths are in first"),
        "{said}"
    );
    let said = folder.refused(&["sweep", "merge", "first", "--out", "half"]);
    assert!(
        said.starts_with(
            "error: 8 of 16 paths are missing, the first is crash/0.5x-0.5-300s/12/rigid"
        ),
        "{said}"
    );
    assert!(!folder.path("half").exists());
    folder.succeed(&["sweep", "small.toml", "--shard", "2/2", "--out", "second"]);
    folder.succeed(&["sweep", "merge", "second", "first", "--out", "merged"]);
    assert!(folder.results("merged") == whole, "two shards");

    // More seeds go on from fewer, and give what they would have given at once.
    folder.succeed(&["sweep", "small.toml", "--seeds", "1", "--out", "grown"]);
    let before = paths(&folder.path("grown"));
    assert_eq!(before.len(), PATHS / 2);
    let said = folder.refused(&["sweep", "merge", "one", "grown", "--out", "mixed"]);
    assert!(
        said.ends_with("the choice of seeds differs; expected shards of one sweep"),
        "{said}"
    );
    folder.succeed(&["sweep", "small.toml", "--seeds", "2", "--out", "grown"]);
    assert!(folder.results("grown") == whole, "more seeds");
    let after = paths(&folder.path("grown"));
    assert!(before.iter().all(|(path, written)| after[path] == *written));

    what_the_files_say(&folder);
    a_directory_is_of_one_sweep(&folder);
    the_report_is_one_file(&folder);
    python_computes_the_same(&folder);
}

/// A column as numbers or text.
enum Column {
    Numbers(Vec<Option<f64>>),
    Text(Vec<String>),
}

fn columns(path: &Path) -> BTreeMap<String, Column> {
    let file = fs::File::open(path).unwrap();
    let mut reader = ParquetRecordBatchReaderBuilder::try_new(file)
        .unwrap()
        .build()
        .unwrap();
    let batch = reader.next().unwrap().unwrap();
    assert!(reader.next().is_none());
    let column = |column: &dyn Array| match column.data_type() {
        DataType::Utf8 => Column::Text(
            column
                .as_string::<i32>()
                .iter()
                .map(|text| text.unwrap().to_owned())
                .collect(),
        ),
        DataType::UInt64 => Column::Numbers(
            column
                .as_primitive::<UInt64Type>()
                .iter()
                .map(|value| value.map(|value| value as f64))
                .collect(),
        ),
        _ => Column::Numbers(column.as_primitive::<Float64Type>().iter().collect()),
    };
    let schema = batch.schema();
    schema
        .fields()
        .iter()
        .zip(batch.columns())
        .map(|(field, values)| (field.name().clone(), column(values)))
        .collect()
}

/// The rows are the runs that `simulate` makes, and `sweep.json` holds their means and paired differences.
fn what_the_files_say(folder: &Folder) {
    let table = columns(&folder.path("one/figures.parquet"));
    let text = |name: &str| match &table[name] {
        Column::Text(values) => values,
        Column::Numbers(_) => panic!("{name} is no text"),
    };
    let numbers = |name: &str| match &table[name] {
        Column::Numbers(values) => values,
        Column::Text(_) => panic!("{name} is text"),
    };
    assert_eq!(text("policy").len(), PATHS);
    let row = |policy: &str, depth: f64, seed: f64| {
        (0..PATHS)
            .find(|&row| {
                text("policy")[row] == policy
                    && numbers("depth")[row] == Some(depth)
                    && numbers("seed")[row] == Some(seed)
            })
            .unwrap()
    };
    // The shipped scenario's depth is 2, its pass-through 0.5 and its half-life 300.
    folder.succeed(&[
        "simulate",
        "crash.toml",
        "--policy",
        "rigid,damped",
        "--blocks",
        "60",
        "--seed",
        "12",
        "--out",
        "run",
    ]);
    let run: Value =
        serde_json::from_slice(&fs::read(folder.path("run/summary.json")).unwrap()).unwrap();
    for policy in ["rigid", "damped", "counterfactual"] {
        let figures = if policy == "counterfactual" {
            &run[policy]
        } else {
            &run["policies"][policy]
        };
        assert!(
            figures["liquidations"].as_u64().unwrap() > 0,
            "{policy}: nothing happened"
        );
        for (name, value) in figures.as_object().unwrap() {
            let written = numbers(name)[row(policy, 2.0, 12.0)];
            let near = match (written, value.as_f64()) {
                (Some(a), Some(b)) => (a - b).abs() <= 1e-15 * a.abs().max(b.abs()),
                (a, b) => a == b,
            };
            assert!(
                near,
                "{policy}: {name} is {written:?}, simulate says {value}"
            );
        }
    }
    let summary = folder.summary("one");
    assert_eq!(
        (&summary["seeds"], &summary["paths"], &summary["baseline"]),
        (&2.into(), &16.into(), &"rigid".into())
    );
    assert_eq!(
        summary["command"],
        "breakwater sweep small.toml --seeds 2 --out DIR"
    );
    assert_eq!(summary["cells"].as_array().unwrap().len(), 2);
    let cell = &summary["cells"][1];
    assert_eq!(cell["depth"], 2.0);
    let values = |policy: &str| {
        [11.0, 12.0].map(|seed| numbers("overshoot")[row(policy, 2.0, seed)].unwrap())
    };
    let ([rigid, rigid_2], [damped, damped_2]) = (values("rigid"), values("damped"));
    let near = |found: &Value, expected: f64| {
        let found = found.as_f64().unwrap();
        assert!(
            (found - expected).abs() <= 1e-14,
            "{found}, expected {expected}"
        );
    };
    near(
        &cell["means"]["rigid"]["overshoot"]["value"],
        (rigid + rigid_2) / 2.0,
    );
    let difference = &cell["comparisons"][0]["differences"]["damped"]["overshoot"];
    near(
        &difference["mean"]["value"],
        (damped - rigid + damped_2 - rigid_2) / 2.0,
    );
    near(
        &difference["relative"]["value"],
        (damped + damped_2) / (rigid + rigid_2) - 1.0,
    );
    // The mean of two seeds lies between them, and so do all resamples.
    near(
        &difference["mean"]["low"],
        (damped - rigid).min(damped_2 - rigid_2),
    );
    near(
        &difference["mean"]["high"],
        (damped - rigid).max(damped_2 - rigid_2),
    );
    assert_eq!(cell["comparisons"][1]["against"], "damped");
    assert!(
        cell["comparisons"][1]["differences"]["without-turns"]["overshoot"]["mean"]["value"]
            .is_number()
    );
    assert!(cell["tails"]["rigid"]["bad_debt_bp"]["value"].is_number());
}

/// What stands in a directory is neither mixed with another sweep's nor overwritten.
fn a_directory_is_of_one_sweep(folder: &Folder) {
    let sweep = |out: &str| folder.refused(&["sweep", "changed.toml", "--out", out]);
    let change = |from: &str, to: &str| {
        let changed = SPECIFICATION.replace(from, to);
        assert_ne!(changed, SPECIFICATION);
        fs::write(folder.path("changed.toml"), changed).unwrap();
    };
    let before = folder.results("one");
    change("depth = [0.5, 2.0]", "depth = [0.5, 4.0]");
    assert_eq!(
        sweep("one"),
        "error: one: holds a sweep in which the specification changed.toml differs; give another --out, or delete it to begin again"
    );
    change("blocks = 60", "blocks = 61");
    assert!(sweep("one").contains("the scenario crash differs"));
    // What is written differently and says the same is the same sweep.
    change("blocks = 60", "# a comment\nblocks = 60");
    folder.succeed(&["sweep", "changed.toml", "--out", "one"]);
    folder.succeed(&["sweep", "small.toml", "--out", "one"]);
    assert!(folder.results("one") == before);
    let shipped = fs::read_to_string(folder.path("crash.toml")).unwrap();
    fs::write(
        folder.path("crash.toml"),
        shipped.replace("price = 1200.0", "price = 1201.0"),
    )
    .unwrap();
    let said = folder.refused(&["sweep", "small.toml", "--out", "one"]);
    assert!(said.contains("the scenario crash differs"), "{said}");
    fs::write(folder.path("crash.toml"), shipped).unwrap();

    fs::create_dir(folder.path("other")).unwrap();
    fs::write(folder.path("other/letter.txt"), "mine").unwrap();
    assert_eq!(
        folder.refused(&["sweep", "small.toml", "--out", "other"]),
        "error: other: expected an empty directory or one of this sweep; it has files and no design.json"
    );
    assert_eq!(
        folder.refused(&["report", "other"]),
        "error: other: expected the directory of a sweep; it has no sweep.json"
    );
    assert_eq!(
        folder.refused(&["sweep", "merge", "other", "--out", "merged"]),
        "error: other: expected the directory of a sweep; it has no design.json"
    );
    // A path that somebody edited, and two machines that disagree.
    let path = "second/paths/crash/0.5x-0.5-300s/12/rigid";
    let text = fs::read_to_string(folder.path(path)).unwrap();
    fs::write(
        folder.path(path),
        text.replace("overshoot 0", "overshoot one"),
    )
    .unwrap();
    let merge = ["sweep", "merge", "second", "first", "--out", "merged"];
    let said = folder.refused(&merge);
    assert!(
        said.contains(
            "expected the figures of a path of this sweep; delete it to run the path again"
        ),
        "{said}"
    );
    fs::write(
        folder.path(path),
        text.replace("overshoot 0.", "overshoot 1."),
    )
    .unwrap();
    let output = folder
        .command(&["sweep", "merge", "second", "one", "--out", "merged"])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(
        said.contains("the path crash/0.5x-0.5-300s/12/rigid came out differently"),
        "{said}"
    );
    let design = folder.path("second/design.json");
    let text = fs::read_to_string(&design).unwrap();
    fs::write(
        &design,
        text.replace("depth = [0.5, 2.0]", "depth = [0.5, 3.0]"),
    )
    .unwrap();
    let said = folder.refused(&["sweep", "merge", "second", "--out", "merged"]);
    assert!(said.contains("expected the configuration hash"), "{said}");
    fs::write(&design, "{").unwrap();
    let said = folder.refused(&merge);
    assert!(said.contains("expected the design of a sweep"), "{said}");
}

fn the_report_is_one_file(folder: &Folder) {
    let said = folder.succeed(&["report", "one"]);
    assert_eq!(said, "one/report.html\n");
    let html = fs::read_to_string(folder.path("one/report.html")).unwrap();
    let summary = folder.summary("one");
    for part in [
        "A small &lt;sweep&gt;",
        "Does a sweep do what it says?",
        "How it was done",
        "Bad debt against delay",
        "What dampening costs and where it fails",
        "<h3>Against the baseline</h3><p>Of ",
        "<h3>Without turns</h3><p>Of ",
        "data-tip=\"How far the reference price fell at most below",
        "data-tip=\"The mean over the worst hundredth of seeds",
        summary["configuration_hash"].as_str().unwrap(),
        "breakwater sweep small.toml --seeds 2 --out DIR",
        "without-turns",
        "2 seeds: too few",
    ] {
        assert!(html.contains(part), "`{part}` is not in the report");
    }
    for outside in ["http://", "https://", "src=", "@import", "url(", "file:"] {
        assert!(!html.contains(outside), "the report reaches for {outside}");
    }
    assert!(
        !html.contains("NaN") && !html.contains("inf "),
        "numbers that are none"
    );
    folder.succeed(&["report", "one", "--out", "elsewhere.html"]);
    assert!(fs::read(folder.path("elsewhere.html")).unwrap() == html.as_bytes());
    what_a_report_may_replace(folder, &html);
    // Seeds on which parameters may have been chosen are no results, and the report says so.
    folder.succeed(&[
        "sweep",
        "small.toml",
        "--range",
        "tuning",
        "--seeds",
        "1",
        "--out",
        "tuned",
    ]);
    folder.succeed(&["report", "tuned"]);
    let tuned = fs::read_to_string(folder.path("tuned/report.html")).unwrap();
    assert!(tuned.contains("These are not results.") && !html.contains("These are not results."));
    assert!(tuned.contains("--seeds 1 --range tuning --out DIR"));
}

/// A file, what a link leads to, a pipe; nothing that it needs, and no file for two.
fn what_a_report_may_replace(folder: &Folder, html: &str) {
    let summary = fs::read(folder.path("one/sweep.json")).unwrap();
    let same = |name: &str| assert!(fs::read(folder.path(name)).unwrap() == html.as_bytes());
    std::os::unix::fs::symlink("one/sweep.json", folder.path("summary")).unwrap();
    std::os::unix::fs::symlink("elsewhere.html", folder.path("link.html")).unwrap();
    std::os::unix::fs::symlink("not-yet.html", folder.path("ahead.html")).unwrap();
    for (arguments, expected) in [
        (
            ["--excerpt", "one/sweep.json"].as_slice(),
            "--excerpt one/sweep.json: expected another file than the summary that the report is made of",
        ),
        (
            &["--excerpt", "one/../one/sweep.json"],
            "--excerpt one/../one/sweep.json: expected another file than the summary that the report is made of",
        ),
        (
            &["--out", "summary"],
            "--out summary: expected another file than the summary that the report is made of",
        ),
        (
            &["--excerpt", "one/report.html"],
            "--excerpt one/report.html: expected another file than the report's",
        ),
        (
            &["--out", "x", "--excerpt", "./x"],
            "--excerpt ./x: expected another file than the report's",
        ),
        (
            &["--out", "link.html", "--excerpt", "elsewhere.html"],
            "--excerpt elsewhere.html: expected another file than the report's",
        ),
    ] {
        let said = folder.refused(&[&["report", "one"], arguments].concat());
        assert_eq!(said, format!("error: {expected}"));
    }
    assert!(fs::read(folder.path("one/sweep.json")).unwrap() == summary);
    assert!(!folder.path("x").exists());
    let nowhere = ["report", "one", "--excerpt", "nowhere/x"];
    let output = folder.command(&nowhere).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(said, "error: nowhere/x: there is no folder nowhere\n");

    // A neighbour that has the name of what was once a temporary one.
    fs::write(folder.path("ahead.part"), "precious").unwrap();
    for (link, file) in [
        ("link.html", "elsewhere.html"),
        ("ahead.html", "not-yet.html"),
    ] {
        fs::remove_file(folder.path(file)).unwrap_or_default();
        folder.succeed(&["report", "one", "--out", link]);
        assert!(folder.path(link).is_symlink());
        same(file);
    }
    assert_eq!(fs::read(folder.path("ahead.part")).unwrap(), b"precious");
    let said = folder.succeed(&["report", "one", "--out", "/dev/stdout"]);
    assert!(said == html, "{} bytes of {}", said.len(), html.len());
    let said = folder.succeed(&["report", "one", "--excerpt", "excerpt.json"]);
    assert_eq!(said, "one/report.html\nexcerpt.json\n");
    let mode = std::os::unix::fs::PermissionsExt::mode;
    let of = |name: &str| mode(&fs::metadata(folder.path(name)).unwrap().permissions());
    assert_eq!(of("excerpt.json"), of("small.toml"), "others may read it");
}

/// Skipped, with a word, where Python has no library that reads Parquet; `PYTHON` names another interpreter.
fn python_computes_the_same(folder: &Folder) {
    let python = std::env::var("PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let has = |library: &str| {
        let status = Command::new(&python)
            .args(["-c", &format!("import {library}")])
            .stderr(Stdio::null())
            .status();
        status.is_ok_and(|status| status.success())
    };
    if !has("polars") && !has("pandas, pyarrow") {
        assert!(
            std::env::var_os("PYTHON").is_none(),
            "PYTHON has neither polars nor pandas with pyarrow"
        );
        eprintln!("skipped: {python} has neither polars nor pandas with pyarrow");
        return;
    }
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../experiments/examples/figures.py");
    let run = || {
        Command::new(&python)
            .arg(&script)
            .arg(folder.path("one"))
            .output()
            .unwrap()
    };
    let output = run();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        output.status.success(),
        "{said}{}",
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(said.contains("from 16 paths, 0 differ"), "{said}");
    // It can fail: one number of the summary changed.
    let file = folder.path("one/sweep.json");
    let text = fs::read_to_string(&file).unwrap();
    let at = text.find("\"value\": ").unwrap() + "\"value\": ".len();
    fs::write(&file, format!("{}1{}", &text[..at], &text[at..])).unwrap();
    let output = run();
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stdout).contains("1 differ"));
    fs::write(&file, text).unwrap();
}

#[test]
fn sobol_indices_come_from_the_same_machinery() {
    let folder = Folder::new();
    let inputs = r#"
[sobol]
figures = ["overshoot", "liquidated_volume"]
[[sobol.inputs]]
key = "venue.depth"
low = 0.5
high = 8.0
scale = "log"
[[sobol.inputs]]
key = "keepers.count"
low = 1.0
high = 6.0
"#;
    let specification = SPECIFICATION
        .replace("depth = [0.5, 2.0]", "depth = [2.0]")
        .replace("count = 2", "count = 6");
    let (head, tail) = specification.split_once("[[variants]]").unwrap();
    let (_, tail) = tail.split_once("[grid]").unwrap();
    fs::write(
        folder.path("sobol.toml"),
        format!("{head}{inputs}\n[grid]{tail}"),
    )
    .unwrap();
    let said = folder.refused(&["sweep", "sobol.toml", "--seeds", "4", "--out", "sobol"]);
    assert_eq!(
        said,
        "error: --seeds 4: expected 1 to 3, what the range `reporting` of sobol.toml gives"
    );
    folder.succeed(&["sweep", "sobol.toml", "--seeds", "3", "--out", "sobol"]);
    // Two inputs: A, B, one point an input, one for the seed; three worlds at each.
    assert_eq!(paths(&folder.path("sobol")).len(), 3 * 5 * 3);
    let table = columns(&folder.path("sobol/figures.parquet"));
    let Column::Numbers(keepers) = &table["keepers.count"] else {
        panic!("no column of an input")
    };
    let Column::Numbers(depths) = &table["venue.depth"] else {
        panic!("no column of an input")
    };
    assert!(
        keepers
            .iter()
            .all(|value| value.is_some_and(|value| (1.0..=6.0).contains(&value)))
    );
    assert!(
        depths
            .iter()
            .all(|value| value.is_some_and(|value| (0.5..=8.0).contains(&value)))
    );
    let summary = folder.summary("sobol");
    let found = summary["sobol"].as_array().unwrap();
    // Two figures: rigid, damped, damped less rigid.
    assert_eq!(found.len(), 6);
    for each in found {
        assert_eq!(each["rows"], 3);
        let keys: Vec<_> = each["inputs"]
            .as_array()
            .unwrap()
            .iter()
            .map(|input| input["key"].as_str().unwrap())
            .collect();
        assert_eq!(keys, ["venue.depth", "keepers.count", "seed"]);
        assert!(each["inputs"][0]["total"]["value"].as_f64().unwrap() >= 0.0);
    }
    folder.succeed(&["report", "sobol"]);
    let html = fs::read_to_string(folder.path("sobol/report.html")).unwrap();
    for part in [
        "What the results depend on",
        "keepers.count",
        "first order by the estimator",
    ] {
        assert!(html.contains(part), "`{part}` is not in the report");
    }
    assert!(!html.contains("NaN"));
}

#[test]
fn two_sweeps_do_not_share_a_directory() {
    let folder = Folder::new();
    let mut child = folder
        .command(&["sweep", "small.toml", "--jobs", "1", "--out", "out"])
        .spawn()
        .unwrap();
    wait_for(&mut child, &folder.path("out"), 1);
    let said = folder.refused(&["sweep", "small.toml", "--out", "out"]);
    assert_eq!(said, "error: out: another sweep is writing there");
    child.kill().unwrap();
    child.wait().unwrap();
}

//! Small crashes through the program: the files are what they should be, and an interrupted run leaves none.

#![allow(clippy::unwrap_used, reason = "a test may stop")]

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use arrow::array::{Array, AsArray};
use arrow::datatypes::{DataType, Float64Type, UInt8Type, UInt32Type, UInt64Type};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use serde_json::Value;

const FILES: [&str; 4] = [
    "blocks.parquet",
    "liquidations.parquet",
    "report.html",
    "summary.json",
];

fn command(arguments: &[&str], folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_breakwater"));
    command.args(arguments).current_dir(folder);
    command
}

fn succeed(arguments: &[&str], folder: &Path) -> Output {
    let output = command(arguments, folder).output().unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    output
}

fn entries(path: &Path) -> Vec<String> {
    let mut names: Vec<_> = fs::read_dir(path)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

/// A fall of 40% in twelve minutes for 120 accounts, with a venue so thin that everything happens at once.
fn write_crash(folder: &Path) {
    let shipped =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../experiments/scenarios/may-19.toml");
    let shipped = fs::read_to_string(shipped).unwrap();
    let (before, rest) = shipped.split_once("[prices]").unwrap();
    let (_, after) = rest.split_once("[population]").unwrap();
    let knots = "source = \"profile\"\nknots = [{ seconds = 0, price = 2000.0 }, { seconds = 720, price = 1200.0 }, { seconds = 1440, price = 1500.0 }]";
    let gas = "source = \"profile\"\nknots = [{ seconds = 0, gwei = 20.0 }, { seconds = 720, gwei = 300.0 }]";
    let crash = format!("{before}[prices]\n{knots}\n\n[gas]\n{gas}\n\n[population]{after}")
        .replace("blocks = 7200", "blocks = 80")
        .replace("accounts = 1000", "accounts = 120")
        .replace("total_collateral = 100000.0", "total_collateral = 12000.0")
        .replace("name = \"may-19\"", "name = \"crash\"");
    fs::write(folder.join("crash.toml"), crash).unwrap();
}

#[test]
fn the_same_seed_gives_the_same_bytes_and_another_seed_does_not() {
    let folder = tempfile::tempdir().unwrap();
    write_crash(folder.path());
    let said = succeed(&["simulate", "crash.toml", "--out", "first"], folder.path());
    let said = String::from_utf8(said.stdout).unwrap();
    for part in [
        "rigid",
        "target-health",
        "damped",
        "counterfactual",
        "Overshoot",
        "first/summary.json",
    ] {
        assert!(said.contains(part), "`{part}` is not in:\n{said}");
    }
    // One thread against as many as there are: the order in which worlds run is nobody's business.
    let output = command(
        &["simulate", "crash.toml", "--out", "second"],
        folder.path(),
    )
    .env("RAYON_NUM_THREADS", "1")
    .output();
    assert!(output.unwrap().status.success());
    succeed(
        &["simulate", "crash.toml", "--out", "third", "--seed", "2"],
        folder.path(),
    );
    assert_eq!(entries(&folder.path().join("first")), FILES);
    let read = |run: &str, file: &str| fs::read(folder.path().join(run).join(file)).unwrap();
    for file in ["summary.json", "blocks.parquet", "liquidations.parquet"] {
        assert!(
            read("first", file) == read("second", file),
            "{file} differs between two runs of one seed"
        );
        assert!(
            read("first", file) != read("third", file),
            "{file} is alike for two seeds"
        );
    }
}

/// A table as plain columns: numbers, and one of text.
struct Columns {
    policy: Vec<String>,
    numbers: BTreeMap<String, Vec<f64>>,
}

impl Columns {
    fn read(path: &Path) -> Self {
        let mut columns = Self {
            policy: Vec::new(),
            numbers: BTreeMap::new(),
        };
        for batch in ParquetRecordBatchReaderBuilder::try_new(fs::File::open(path).unwrap())
            .unwrap()
            .build()
            .unwrap()
        {
            let batch = batch.unwrap();
            for (field, column) in batch.schema().fields().iter().zip(batch.columns()) {
                let values: Vec<f64> = match field.data_type() {
                    DataType::Utf8 => {
                        columns.policy.extend(
                            column
                                .as_string::<i32>()
                                .iter()
                                .map(|text| text.unwrap().to_owned()),
                        );
                        continue;
                    }
                    DataType::Float64 => column.as_primitive::<Float64Type>().values().to_vec(),
                    DataType::UInt64 => column
                        .as_primitive::<UInt64Type>()
                        .values()
                        .iter()
                        .map(|&each| each as f64)
                        .collect(),
                    DataType::UInt32 => column
                        .as_primitive::<UInt32Type>()
                        .values()
                        .iter()
                        .map(|&each| f64::from(each))
                        .collect(),
                    DataType::UInt8 => column
                        .as_primitive::<UInt8Type>()
                        .values()
                        .iter()
                        .map(|&each| f64::from(each))
                        .collect(),
                    DataType::Boolean => column
                        .as_boolean()
                        .iter()
                        .map(|each| f64::from(u8::from(each.unwrap())))
                        .collect(),
                    other => panic!("a column of type {other}"),
                };
                assert_eq!(column.null_count(), 0);
                columns
                    .numbers
                    .entry(field.name().clone())
                    .or_default()
                    .extend(values);
            }
        }
        columns
    }

    /// The values of a column in one world's rows, in order.
    fn of(&self, policy: &str, name: &str) -> Vec<f64> {
        let mut values = Vec::new();
        for (row, of) in self.policy.iter().enumerate() {
            if of == policy {
                values.push(self.numbers[name][row]);
            }
        }
        values
    }
}

fn least(values: &[f64]) -> f64 {
    let mut least = values[0];
    for &value in values {
        if value < least {
            least = value;
        }
    }
    least
}

fn total(values: &[f64]) -> f64 {
    let mut sum = 0.0;
    for value in values {
        sum += value;
    }
    sum
}

fn positive(values: &[f64]) -> f64 {
    let mut count = 0.0;
    for &value in values {
        if value > 0.0 {
            count += 1.0;
        }
    }
    count
}

/// Every figure of one world, from the files alone; `None` is not applicable.
fn recompute(
    blocks: &Columns,
    sales: &Columns,
    policy: &str,
) -> BTreeMap<&'static str, Option<f64>> {
    let without = "counterfactual";
    let (price, price_cf) = (
        blocks.of(policy, "reference_price"),
        blocks.of(without, "reference_price"),
    );
    let mut overshoot = 0.0;
    for block in 0..price.len() {
        let gap = 1.0 - price[block] / price_cf[block];
        if gap > overshoot {
            overshoot = gap;
        }
    }
    let fall = 1.0 - least(&price) / price[0];
    let fall_cf = 1.0 - least(&price_cf) / price_cf[0];
    let debt = blocks.of(policy, "debt")[0];
    let volume = total(&sales.of(policy, "repaid")) / debt;
    let volume_cf = total(&sales.of(without, "repaid")) / blocks.of(without, "debt")[0];
    let (shortfall, written_off) = (
        blocks.of(policy, "shortfall"),
        blocks.of(policy, "written_off"),
    );
    let mut worst = 0.0;
    let mut last = 0.0;
    for block in 0..price.len() {
        last = (written_off[block] + shortfall[block]) * 1e4 / debt;
        if last > worst {
            worst = last;
        }
    }
    let column = |name: &str| sales.of(policy, name);
    let (account, keeper) = (column("account"), column("keeper"));
    let (repaid, seized, at, settlement) = (
        column("repaid"),
        column("seized"),
        column("reference_price"),
        column("settlement"),
    );
    let (before, after, hard) = (
        column("health_before"),
        column("health_after"),
        column("health_hard"),
    );
    let lost = column("written_off");
    let [debts, waited, bonus] = ["debt", "waited", "bonus"].map(column);
    let (mut toxic, mut in_hard, mut liquidated) = (0.0, 0.0, 0.0);
    let (mut cost, mut rebound) = (0.0, 0.0);
    let (mut accounts, mut squares) = (0.0, 0.0);
    for sale in 0..repaid.len() {
        if !account[..sale].contains(&account[sale]) {
            accounts += 1.0;
        }
        if !keeper[..sale].contains(&keeper[sale]) {
            let mut own = 0.0;
            for other in sale..repaid.len() {
                if keeper[other] == keeper[sale] {
                    own += repaid[other];
                }
            }
            squares += own * own;
        }
    }
    for sale in 0..repaid.len() {
        if after[sale] < before[sale] || lost[sale] > 0.0 {
            toxic += repaid[sale];
        }
        if settlement[sale] == 0.0 {
            liquidated += repaid[sale];
            if before[sale] <= hard[sale] {
                in_hard += repaid[sale];
            }
        }
        cost += seized[sale] * at[sale] - repaid[sale];
        rebound += seized[sale] * (price[price.len() - 1] - at[sale]);
    }
    let (fast, utilisation, level, time) = (
        blocks.of(policy, "fast_price"),
        blocks.of(policy, "utilisation"),
        blocks.of(policy, "breaker_level"),
        blocks.of(policy, "timestamp"),
    );
    let (mut error, mut error_max, mut priced) = (0.0, 0.0, 0.0);
    let (mut full, mut without_need, mut missing) = (0.0, 0.0, 0.0);
    for block in 0..price.len() {
        if fast[block] > 0.0 {
            let off = (fast[block] / price[block] - 1.0).abs();
            error += off;
            priced += 1.0;
            if off > error_max {
                error_max = off;
            }
        }
        if block + 1 == price.len() {
            break;
        }
        let minutes = (time[block + 1] - time[block]) / 60.0;
        if utilisation[block] >= 1.0 {
            full += minutes;
        }
        let mut falls = false;
        for later in block..price.len() {
            if time[later] - time[block] <= 3600.0 && price[later] <= price[block] * 0.95 {
                falls = true;
            }
        }
        if level[block] > 0.0 && !falls {
            without_need += minutes;
        }
        if level[block] == 0.0 && falls {
            missing += minutes;
        }
    }
    let (transactions, reverted) = (
        total(&blocks.of(policy, "transactions")),
        total(&blocks.of(policy, "reverted")),
    );
    let end = |name: &str| blocks.of(policy, name).last().copied();
    let over = |a: f64, b: f64| if b == 0.0 { None } else { Some(a / b) };
    let settlements = total(&settlement);
    BTreeMap::from([
        ("overshoot", Some(overshoot)),
        ("drawdown_amplification", over(fall, fall_cf)),
        ("liquidated_volume", Some(volume)),
        ("liquidation_amplification", over(volume, volume_cf)),
        ("bad_debt_bp", Some(last)),
        ("bad_debt_max_bp", Some(worst)),
        ("toxic_volume", Some(toxic)),
        (
            "blocks_to_solvency",
            Some(positive(&blocks.of(policy, "unhealthy"))),
        ),
        ("keeper_profit", end("keeper_profit")),
        ("adversary_profit", end("adversary_profit")),
        ("reverted_share", over(reverted, transactions)),
        ("transactions", Some(transactions)),
        (
            "blocks_with_insolvency",
            Some(positive(&blocks.of(policy, "insolvent"))),
        ),
        ("liquidations", Some(repaid.len() as f64 - settlements)),
        ("settlements", Some(settlements)),
        ("liquidated_accounts", Some(accounts)),
        (
            "keeper_concentration",
            over(squares, total(&repaid) * total(&repaid)),
        ),
        ("hard_zone_share", over(in_hard, liquidated)),
        (
            "mean_wait_minutes",
            over(weighted(&repaid, &waited) / 60.0, total(&repaid)),
        ),
        ("wait_by_size", by_size(&account, &debts, &waited)),
        ("bonus_spread", spread(&settlement, &repaid, &bonus)),
        ("borrower_cost", Some(cost)),
        ("rebound_forgone", Some(rebound)),
        ("fully_utilised_minutes", Some(full)),
        ("oracle_error", over(error, priced)),
        ("oracle_error_max", Some(error_max)),
        ("breaker_false_minutes", Some(without_need)),
        ("breaker_missed_minutes", Some(missing)),
        ("lender_loss", end("lender_loss")),
        ("lowest_reference_price", Some(least(&price))),
        (
            "lowest_venue_price",
            Some(least(&blocks.of(policy, "venue_price"))),
        ),
        (
            "venue_low_against_counterfactual",
            Some(least(&blocks.of(policy, "venue_price")) / least(&price_cf) - 1.0),
        ),
    ])
}

fn weighted(weights: &[f64], values: &[f64]) -> f64 {
    let mut sum = 0.0;
    for row in 0..weights.len() {
        sum += weights[row] * values[row];
    }
    sum
}

/// Of liquidations: the standard deviation of `bonus` weighted by `repaid`.
fn spread(settlement: &[f64], repaid: &[f64], bonus: &[f64]) -> Option<f64> {
    let (mut weight, mut first, mut base) = (0.0, 0.0, None);
    for row in 0..repaid.len() {
        if settlement[row] == 0.0 {
            let base = *base.get_or_insert(bonus[row]);
            weight += repaid[row];
            first += repaid[row] * (bonus[row] - base);
        }
    }
    if weight == 0.0 {
        return None;
    }
    let (mean, base) = (first / weight, base?);
    let mut second = 0.0;
    for row in 0..repaid.len() {
        if settlement[row] == 0.0 {
            let off = bonus[row] - base - mean;
            second += repaid[row] * (off * off);
        }
    }
    Some((second / weight).sqrt())
}

/// Spearman's correlation of debts and waits over each account's first row, ranks by counting.
fn by_size(account: &[f64], debts: &[f64], waited: &[f64]) -> Option<f64> {
    let mut first = Vec::new();
    for row in 0..account.len() {
        if !account[..row].contains(&account[row]) {
            first.push(row);
        }
    }
    if first.len() < 10 {
        return None;
    }
    let rank = |column: &[f64], row: usize| {
        let mut rank = 0.5;
        for &other in &first {
            if column[other] < column[row] {
                rank += 1.0;
            } else if column[other] == column[row] {
                rank += 0.5;
            }
        }
        rank
    };
    let middle = (first.len() as f64 + 1.0) / 2.0;
    let (mut both, mut own_debts, mut own_waits) = (0.0, 0.0, 0.0);
    for &row in &first {
        let (debt, wait) = (rank(debts, row) - middle, rank(waited, row) - middle);
        both += debt * wait;
        own_debts += debt * debt;
        own_waits += wait * wait;
    }
    if own_debts == 0.0 || own_waits == 0.0 {
        return None;
    }
    Some(both / (own_debts * own_waits).sqrt())
}

#[test]
fn every_figure_of_the_summary_comes_out_of_the_parquet_files() {
    let folder = tempfile::tempdir().unwrap();
    write_crash(folder.path());
    succeed(&["simulate", "crash.toml", "--out", "out"], folder.path());
    let out = folder.path().join("out");
    let summary: Value =
        serde_json::from_slice(&fs::read(out.join("summary.json")).unwrap()).unwrap();
    let (blocks, sales) = (
        Columns::read(&out.join("blocks.parquet")),
        Columns::read(&out.join("liquidations.parquet")),
    );
    assert_eq!(
        (&summary["scenario"], &summary["seed"], &summary["blocks"]),
        (&"crash".into(), &1.into(), &80.into())
    );
    assert_eq!(summary["accounts"], 120);
    assert!(summary["commit"].is_string());
    let worlds = ["rigid", "target-health", "damped", "counterfactual"];
    assert_eq!(blocks.policy.len(), worlds.len() * 81);
    for world in worlds {
        let written = if world == "counterfactual" {
            &summary[world]
        } else {
            &summary["policies"][world]
        };
        let written = written.as_object().unwrap();
        let computed = recompute(&blocks, &sales, world);
        assert_eq!(
            written.len(),
            computed.len(),
            "figures that this test does not know"
        );
        for (name, value) in computed {
            // serde_json reads a number to within its last binary digit.
            let near = |a: f64, b: f64| (a - b).abs() <= 1e-15 * a.abs().max(b.abs());
            let agree = match (written[name].as_f64(), value) {
                (Some(written), Some(computed)) => near(written, computed),
                (written, computed) => written == computed,
            };
            assert!(
                agree,
                "{world}: {name} is {}, recomputed {value:?}",
                written[name]
            );
        }
        assert!(
            written["liquidations"].as_u64().unwrap() > 0,
            "{world}: a crash in which nothing happens proves nothing"
        );
    }
    assert!(summary["policies"]["rigid"]["overshoot"].as_f64().unwrap() > 0.0);
    let report = fs::read_to_string(out.join("report.html")).unwrap();
    assert!(
        report.contains("breakwater simulate crash.toml --out out"),
        "the command that gives it again"
    );
}

#[test]
fn one_policy_runs_alone() {
    let folder = tempfile::tempdir().unwrap();
    write_crash(folder.path());
    succeed(
        &[
            "simulate",
            "crash.toml",
            "--policy",
            "damped",
            "--blocks",
            "5",
        ],
        folder.path(),
    );
    let summary: Value = serde_json::from_slice(
        &fs::read(folder.path().join("results/crash/summary.json")).unwrap(),
    )
    .unwrap();
    assert_eq!(
        summary["policies"]
            .as_object()
            .unwrap()
            .keys()
            .collect::<Vec<_>>(),
        ["damped"]
    );
    assert_eq!(summary["blocks"], 5);
}

/// Waits until the run has passed its checks: it then has a hidden directory in `out`.
fn wait_until_running(child: &mut Child, out: &Path) {
    let began = Instant::now();
    let staged = || {
        fs::read_dir(out).is_ok_and(|entries| {
            entries.flatten().any(|entry| {
                entry
                    .file_name()
                    .to_string_lossy()
                    .starts_with(".breakwater-")
            })
        })
    };
    while !staged() {
        assert!(
            child.try_wait().unwrap().is_none(),
            "it ended before it began"
        );
        assert!(began.elapsed() < Duration::from_secs(60), "it never began");
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn an_interrupted_run_leaves_what_was_there() {
    let folder = tempfile::tempdir().unwrap();
    for (signal, earlier) in [("INT", false), ("TERM", true)] {
        let out = folder.path().join("out");
        if earlier {
            fs::create_dir(&out).unwrap();
            fs::write(out.join("summary.json"), "of an earlier run").unwrap();
        }
        let mut child = command(
            &["simulate", "black-thursday", "--out", "out"],
            folder.path(),
        )
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
        wait_until_running(&mut child, &out);
        let kill = Command::new("sh")
            .args(["-c", &format!("kill -{signal} {}", child.id())])
            .status()
            .unwrap();
        assert!(kill.success());
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(130));
        assert!(output.stdout.is_empty());
        assert!(
            String::from_utf8(output.stderr)
                .unwrap()
                .ends_with("error: interrupted, nothing was written\n")
        );
        if earlier {
            assert_eq!(entries(&out), ["summary.json"]);
            assert_eq!(
                fs::read_to_string(out.join("summary.json")).unwrap(),
                "of an earlier run"
            );
        } else {
            assert!(!out.exists());
        }
    }
}

#[test]
fn both_events_run_from_real_files() {
    use breakwater_market::testdata::file;
    let names = [
        "price_ethusdt_5m_2020-03-10_2020-03-16.csv",
        "price_ethusdt_1m_2021-05-18_2021-05-20.csv",
        "gas_price_10m_6crashdays_2020-2021.csv",
        "liquidity_univ2_daiweth_reserves_10m_6crashdays.csv",
        "positions_aave_v3_top1000_users_2025-12-02.csv",
    ];
    let found: Vec<_> = names
        .iter()
        .filter_map(|name| file(name))
        .map(|path| path.display().to_string())
        .collect();
    let [march, may, gas, depth, accounts] = &found[..] else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let common = [
        "--gas",
        gas,
        "--accounts",
        accounts,
        "--blocks",
        "3",
        "--out",
        "out",
    ];
    for (event, prices, reserves) in [
        ("black-thursday", march, None),
        ("may-19", may, Some(depth)),
    ] {
        let mut arguments = vec!["simulate", event, "--prices", prices];
        arguments.extend(common);
        arguments.extend(reserves.iter().flat_map(|path| ["--depth", path.as_str()]));
        succeed(&arguments, folder.path());
        let summary: Value =
            serde_json::from_slice(&fs::read(folder.path().join("out/summary.json")).unwrap())
                .unwrap();
        assert_eq!(
            (&summary["accounts"], &summary["accounts_left_out"]["count"]),
            (&725.into(), &275.into()),
            "{event}"
        );
        let report = fs::read_to_string(folder.path().join("out/report.html")).unwrap();
        assert!(report.contains("275 rows of the accounts file took no part"));
    }
}

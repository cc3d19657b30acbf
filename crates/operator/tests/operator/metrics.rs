//! The table of metrics is what is exported, and what the dashboard asks for.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use breakwater_operator::metrics::{Latencies, METRICS, MetricKind, render};
use breakwater_operator::status::{ServedStatus, Status};
use serde_json::Value;

use super::{NOW, sample};

fn rendered(status: Status) -> String {
    let latencies = Latencies::new();
    latencies.planned(Duration::from_micros(700));
    latencies.planned(Duration::from_millis(3));
    latencies.submitted(Duration::from_millis(31));
    render(
        &ServedStatus::new(status, NOW, Duration::from_secs(60)),
        &latencies,
    )
}

/// Name and type of what is exported.
fn types(text: &str) -> BTreeMap<&str, &str> {
    text.lines()
        .filter_map(|line| line.strip_prefix("# TYPE ")?.split_once(' '))
        .collect()
}

#[test]
fn the_table_is_what_is_exported_and_nothing_else() {
    let text = rendered(sample::filled(NOW));
    let table: BTreeMap<_, _> = METRICS
        .iter()
        .map(|metric| (metric.name, metric.kind.name()))
        .collect();
    assert_eq!(table.len(), METRICS.len(), "a name stands twice");
    assert_eq!(types(&text), table);
    for metric in METRICS {
        let help = format!("# HELP {} {}\n", metric.name, metric.help);
        assert!(text.contains(&help), "{help}");
    }
}

#[test]
fn labels_are_those_of_the_table() {
    let text = rendered(sample::filled(NOW));
    for metric in METRICS
        .iter()
        .filter(|metric| metric.kind != MetricKind::Histogram)
    {
        let expected: BTreeSet<&str> = metric
            .labels
            .split(", ")
            .filter(|label| !label.is_empty())
            .collect();
        let lines: Vec<_> = text
            .lines()
            .filter(|line| {
                line.starts_with(&format!("{} ", metric.name))
                    || line.starts_with(&format!("{}{{", metric.name))
            })
            .collect();
        assert!(!lines.is_empty(), "{}", metric.name);
        for line in lines {
            let labels = line
                .split_once('{')
                .map_or("", |(_, rest)| rest.rsplit_once('}').unwrap().0);
            let found: BTreeSet<&str> = labels
                .split(',')
                .filter_map(|label| Some(label.split_once('=')?.0))
                .collect();
            assert_eq!(found, expected, "{line}");
        }
    }
}

#[test]
fn values_are_those_of_the_status() {
    let text = rendered(sample::filled(NOW));
    for line in [
        "breakwater_ready 1",
        "breakwater_head_block 19482113",
        "breakwater_head_age_seconds 3",
        "breakwater_base_fee_wei 84310000000",
        "breakwater_breaker_level 1",
        "breakwater_price{collateral=\"0\",symbol=\"WETH\",source=\"slow\"} 1951.1",
        "breakwater_price_status{collateral=\"2\",symbol=\"WBTC\"} 1",
        "breakwater_debt{zone=\"hard\"} 38120.3",
        "breakwater_pending_bids{state=\"replaced\"} 1",
        "breakwater_pending_bids{state=\"cancelling\"} 0",
        "breakwater_oldest_bid_age_seconds 23",
        "breakwater_profit_net 15294.48",
        "breakwater_transactions_total{result=\"reverted\"} 3",
        "breakwater_missed_liquidations_total{reason=\"outbid\"} 9",
        "breakwater_mirror_drift_wei 0",
        "breakwater_rpc_healthy{node=\"2\",endpoint=\"https://rpc.example.org/…\"} 0",
        "breakwater_task_alive{task=\"planner\"} 1",
        "breakwater_head_to_plan_seconds_bucket{le=\"0.001\"} 1",
        "breakwater_head_to_plan_seconds_count 2",
        "breakwater_head_to_submit_seconds_sum 0.031",
    ] {
        assert!(
            text.lines().any(|found| found == line),
            "{line}\nnot in\n{text}"
        );
    }
    // Cumulative: the last step holds all.
    let all: f64 = sample::filled(NOW)
        .falls
        .iter()
        .filter(|step| step.collateral_id == 0)
        .map(|step| step.debt)
        .sum();
    let last = text
        .lines()
        .find(|line| {
            line.starts_with("breakwater_debt_at_drop{collateral=\"0\"")
                && line.contains("drop=\"0.5\"")
        })
        .unwrap();
    let found: f64 = last.rsplit_once(' ').unwrap().1.parse().unwrap();
    assert!((found - all).abs() < 1e-6 * all, "{found} {all}");
}

#[test]
fn a_keeper_that_saw_nothing_exports_too() {
    let text = rendered(sample::empty(NOW));
    assert!(text.contains("breakwater_ready 0\n") && !text.contains("breakwater_head_block"));
}

#[test]
fn hostile_labels_stay_inside_their_quotes() {
    let text = rendered(sample::troubled(NOW));
    assert!(
        text.contains(r#"symbol="<img src=x onerror=\"document.title"#),
        "{text}"
    );
    for line in text
        .lines()
        .filter(|line| !line.starts_with('#') && !line.is_empty())
    {
        let value = line.rsplit_once(' ').unwrap().1;
        assert!(value.parse::<f64>().is_ok(), "{line}");
    }
}

#[test]
fn scrapes_do_not_remember_what_is_gone() {
    let latencies = Latencies::new();
    let scrape = |status: Status| {
        render(
            &ServedStatus::new(status, NOW, Duration::from_secs(60)),
            &latencies,
        )
    };
    assert!(scrape(sample::filled(NOW)).contains("symbol=\"WBTC\""));
    assert!(!scrape(sample::empty(NOW)).contains("symbol=\"WBTC\""));
    latencies.clone().planned(Duration::from_millis(1));
    assert!(scrape(sample::empty(NOW)).contains("breakwater_head_to_plan_seconds_count 1\n"));
}

/// Every `expr` and `query` anywhere in a document.
fn expressions(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                match value {
                    Value::String(text) if name == "expr" || name == "query" => {
                        found.push(text.clone())
                    }
                    other => expressions(other, found),
                }
            }
        }
        Value::Array(entries) => entries.iter().for_each(|entry| expressions(entry, found)),
        _ => {}
    }
}

#[test]
fn the_dashboard_asks_only_for_metrics_that_are_exported() {
    let dashboard: Value =
        serde_json::from_str(include_str!("../../grafana/dashboard.json")).unwrap();
    let mut asked = Vec::new();
    expressions(&dashboard, &mut asked);
    let mut names = BTreeSet::new();
    for text in &asked {
        let words = text.split(|letter: char| !(letter.is_ascii_alphanumeric() || letter == '_'));
        names.extend(
            words
                .filter(|word| word.starts_with("breakwater_"))
                .map(str::to_owned),
        );
    }
    assert!(names.len() >= 25, "{names:?}");
    for name in &names {
        let known = METRICS.iter().any(|metric| match metric.kind {
            MetricKind::Histogram => ["_bucket", "_sum", "_count"]
                .iter()
                .any(|part| *name == format!("{}{part}", metric.name)),
            MetricKind::Counter | MetricKind::Gauge => name == metric.name,
        });
        assert!(known, "{name}");
    }
    let panels = dashboard["panels"].as_array().unwrap();
    let ids: BTreeSet<_> = panels
        .iter()
        .map(|panel| panel["id"].as_u64().unwrap())
        .collect();
    assert_eq!(ids.len(), panels.len());
    for panel in panels {
        let place = &panel["gridPos"];
        assert!(
            place["x"].as_u64().unwrap() + place["w"].as_u64().unwrap() <= 24,
            "{panel}"
        );
        assert!(!panel["targets"].as_array().unwrap().is_empty(), "{panel}");
    }
}

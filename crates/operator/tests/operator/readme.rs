//! The README's tables are the code's.

use breakwater_operator::{config, metrics};

const README: &str = include_str!("../../README.md");

#[test]
fn the_reference_of_keys_is_current() {
    let table = config::reference();
    assert!(README.contains(&table), "expected in README.md:\n{table}");
}

#[test]
fn the_reference_of_metrics_is_current() {
    let table = metrics::reference();
    assert!(README.contains(&table), "expected in README.md:\n{table}");
}

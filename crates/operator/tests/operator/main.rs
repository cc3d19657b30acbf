//! What an operator writes and sees, through the public interface.
#![allow(clippy::unwrap_used, reason = "tests")]

#[path = "../sample/mod.rs"]
mod sample;

mod account;
mod config;
mod http;
mod metrics;
mod readme;
mod status;
mod view;

/// A moment at which samples are taken where no clock runs.
const NOW: u64 = 1_700_000_000;

/// Whether two statuses say the same, figures up to the last digit: the JSON reader rounds it as it likes.
fn alike(a: &breakwater_operator::status::Status, b: &breakwater_operator::status::Status) -> bool {
    fn same(a: &serde_json::Value, b: &serde_json::Value) -> bool {
        use serde_json::Value::{Array, Number, Object};
        match (a, b) {
            (Number(a), Number(b)) if a.is_f64() && b.is_f64() => {
                let (a, b) = (a.as_f64().unwrap(), b.as_f64().unwrap());
                (a - b).abs() <= 1e-15 * a.abs().max(b.abs())
            }
            (Array(a), Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b)),
            (Object(a), Object(b)) => {
                a.len() == b.len()
                    && a.iter()
                        .all(|(name, a)| b.get(name).is_some_and(|b| same(a, b)))
            }
            _ => a == b,
        }
    }
    same(
        &serde_json::to_value(a).unwrap(),
        &serde_json::to_value(b).unwrap(),
    )
}

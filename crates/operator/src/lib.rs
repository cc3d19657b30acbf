#![doc = include_str!("../README.md")]
#![cfg_attr(test, allow(clippy::unwrap_used, reason = "tests"))]

pub mod account;
pub mod config;
pub mod http;
pub mod metrics;
pub mod redact;
pub mod status;
pub mod telemetry;
#[cfg(feature = "testing")]
pub mod testing;
pub mod view;

#![doc = include_str!("../README.md")]

pub mod account;
pub mod config;
pub mod http;
pub mod metrics;
pub mod redact;
pub mod status;
pub mod telemetry;
pub mod view;

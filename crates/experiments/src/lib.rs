#![doc = include_str!("../README.md")]

pub mod comparison;
pub mod metrics;
pub mod report;
pub mod results;
pub mod scenario;
pub mod store;
pub mod summary;
pub mod sweep;

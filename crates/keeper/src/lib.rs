#![doc = include_str!("../README.md")]
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod clocks;
pub mod drill;
mod engine;
mod error;
pub mod execute;
pub mod explain;
mod history;
pub mod identity;
pub mod planner;
pub mod reading;
pub mod receipt;
pub mod replay;
pub mod run;
pub mod store;
pub mod system;
pub mod thought;
pub mod units;

pub use error::RunError;
pub use run::{Keeper, Options, run, start};

#![doc = include_str!("../README.md")]

pub mod adversary;
pub mod allocation;
pub mod arbitrageur;
pub mod backstop;
pub mod borrower;
pub mod depositor;
pub mod dumper;
pub mod grinder;
pub mod index;
pub mod keeper;
pub mod noise;
pub mod observation;
pub mod provider;
pub mod reporter;
#[cfg(test)]
mod testing;
pub mod timing;
pub mod venue;

pub use observation::{Action, Bid, Intent, Observation, Prices};
pub use venue::Venue;

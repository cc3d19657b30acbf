#![doc = include_str!("../README.md")]

mod action;
mod artifacts;
mod campaign;
mod corpus;
mod coverage;
mod encode;
mod mutate;
mod properties;
mod random;
mod resolve;
mod run;
mod sample;
mod seen;
mod shrink;
mod solidity;
mod tally;
mod world;

pub use action::{Action, Kind, Size};
pub use artifacts::{ArtifactError, Artifacts, CONTRACTS};
pub use campaign::{Ending, IDLE_FLOOR, Limit, Settings, Status, campaign};
pub use corpus::{Corpus, CorpusError};
pub use mutate::{MAX_LENGTH, next};
pub use properties::{Property, Violation};
pub use random::Random;
pub use run::{Extra, Outcome, run};
pub use sample::Sample;
pub use seen::{Halves, Seen};
pub use shrink::{Shrunk, shrink};
pub use solidity::test as solidity_test;
pub use tally::{Mark, Tally};
pub use world::{WORLDS, World, WorldError, WorldPlan};

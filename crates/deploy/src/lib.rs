#![doc = include_str!("../README.md")]

mod account;
mod calls;
mod chain;
pub mod config;
mod create2;
pub mod defaults;
mod error;
mod estimate;
mod execution;
pub mod local;
pub mod manifest;
mod plan;
mod receipt;
mod scale;
pub mod verify;

pub use account::Account;
pub use calls::Call;
pub use chain::{RpcViews, Views, chain_id, connect};
pub use config::{ConfigError, Configuration};
pub use create2::{FACTORY, FACTORY_CODE};
pub use error::DeployError;
pub use estimate::Estimate;
pub use execution::{Execution, Progress, Settings, StepState};
pub use manifest::{
    Backstop, Collateral, Deployment, Manifest, ManifestError, ManifestFile, PolicyKind,
};
pub use plan::{Creation, Plan, Step, find_multicall, inspect_feeds};

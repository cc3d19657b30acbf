#![doc = include_str!("../README.md")]

pub mod manifest;

pub use manifest::{Collateral, Deployment, Manifest, ManifestError, ManifestFile, PolicyKind};

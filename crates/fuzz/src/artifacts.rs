//! Which bytecode is searched: what was compiled in, or what `forge build` left in a folder.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use alloy_primitives::{Bytes, hex};
use breakwater_bindings::{
    AdaptiveRateModel, BackstopPolicy, BackstopPool, CircuitBreaker, DampedPolicy, LendingPool,
    LendingPoolExtension, PremiumSteward, RigidPolicy, TargetHealthPolicy, TwapOracle,
    UniswapV3Source,
};
use thiserror::Error;

/// The contracts under search; everything else in a world is the repository's own test equipment.
pub const CONTRACTS: [&str; 12] = [
    "AdaptiveRateModel",
    "BackstopPolicy",
    "BackstopPool",
    "CircuitBreaker",
    "DampedPolicy",
    "LendingPool",
    "LendingPoolExtension",
    "PremiumSteward",
    "RigidPolicy",
    "TargetHealthPolicy",
    "TwapOracle",
    "UniswapV3Source",
];

/// Why a folder's artifacts cannot be used.
#[derive(Debug, Error)]
pub enum ArtifactError {
    /// A file is missing or cannot be read.
    #[error("cannot read {}, expected the artifact of `forge build`: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A file is not what forge writes.
    #[error("{}: expected {expected}", path.display())]
    Format {
        /// The file.
        path: PathBuf,
        /// What should be there.
        expected: &'static str,
    },
}

/// Creation code by contract.
#[derive(Clone, Debug)]
pub struct Artifacts(BTreeMap<&'static str, Bytes>);

impl Artifacts {
    /// What this program was built with.
    #[must_use]
    pub fn built_in() -> Self {
        let codes = [
            AdaptiveRateModel::BYTECODE.clone(),
            BackstopPolicy::BYTECODE.clone(),
            BackstopPool::BYTECODE.clone(),
            CircuitBreaker::BYTECODE.clone(),
            DampedPolicy::BYTECODE.clone(),
            LendingPool::BYTECODE.clone(),
            LendingPoolExtension::BYTECODE.clone(),
            PremiumSteward::BYTECODE.clone(),
            RigidPolicy::BYTECODE.clone(),
            TargetHealthPolicy::BYTECODE.clone(),
            TwapOracle::BYTECODE.clone(),
            UniswapV3Source::BYTECODE.clone(),
        ];
        Self(CONTRACTS.into_iter().zip(codes).collect())
    }

    /// What forge wrote to `directory` (its `out`): `<Name>.sol/<Name>.json` of each of [`CONTRACTS`].
    ///
    /// # Errors
    /// [`ArtifactError`] names the file and what was expected of it.
    pub fn read(directory: &Path) -> Result<Self, ArtifactError> {
        let read = |name: &'static str| {
            let path = directory
                .join(format!("{name}.sol"))
                .join(format!("{name}.json"));
            let text = fs::read(&path).map_err(|source| ArtifactError::Read {
                path: path.clone(),
                source,
            })?;
            let artifact: serde_json::Value = serde_json::from_slice(&text)
                .map_err(|_| format_error(&path, "a JSON object as forge writes it"))?;
            let code = artifact["bytecode"]["object"]
                .as_str()
                .and_then(|code| hex::decode(code).ok())
                .filter(|code| !code.is_empty())
                .ok_or_else(|| {
                    format_error(&path, "linked creation code, hex, in `bytecode.object`")
                })?;
            Ok((name, code.into()))
        };
        CONTRACTS
            .into_iter()
            .map(read)
            .collect::<Result<_, _>>()
            .map(Self)
    }

    /// The creation code of one of [`CONTRACTS`], without constructor arguments; empty for any other name.
    #[must_use]
    pub fn code(&self, name: &str) -> Bytes {
        self.0.get(name).cloned().unwrap_or_default()
    }
}

fn format_error(path: &Path, expected: &'static str) -> ArtifactError {
    ArtifactError::Format {
        path: path.to_owned(),
        expected,
    }
}

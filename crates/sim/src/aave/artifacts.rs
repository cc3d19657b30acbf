//! Reads and links what the npm package publishes (hardhat's format).

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use alloy_primitives::{Address, Bytes, hex, keccak256};
use serde::Deserialize;
use thiserror::Error;

/// The version of `@aave/core-v3` that results are about, as `package.json` pins it.
pub const VERSION: &str = "1.19.3";

/// Where the package is below the folder that was installed into.
const PACKAGE: &str = "node_modules/@aave/core-v3";

/// Every contract and library that a world deploys, and its source below `contracts/`.
const SOURCES: [(&str, &str); 17] = [
    ("AaveOracle", "misc"),
    ("ACLManager", "protocol/configuration"),
    ("AToken", "protocol/tokenization"),
    ("BorrowLogic", "protocol/libraries/logic"),
    ("BridgeLogic", "protocol/libraries/logic"),
    ("ConfiguratorLogic", "protocol/libraries/logic"),
    ("DefaultReserveInterestRateStrategy", "protocol/pool"),
    ("EModeLogic", "protocol/libraries/logic"),
    ("FlashLoanLogic", "protocol/libraries/logic"),
    ("LiquidationLogic", "protocol/libraries/logic"),
    ("Pool", "protocol/pool"),
    ("PoolAddressesProvider", "protocol/configuration"),
    ("PoolConfigurator", "protocol/pool"),
    ("PoolLogic", "protocol/libraries/logic"),
    ("StableDebtToken", "protocol/tokenization"),
    ("SupplyLogic", "protocol/libraries/logic"),
    ("VariableDebtToken", "protocol/tokenization"),
];

/// Libraries on the chain, by name.
pub type Libraries = BTreeMap<String, Address>;

/// Where code has an address to be filled in: by source, by library.
type Links = BTreeMap<String, BTreeMap<String, Vec<Place>>>;

/// Why Aave's contracts cannot be had.
#[derive(Debug, Error)]
pub enum ArtifactError {
    /// The package is not installed.
    #[error(
        "aave-v3 runs the contracts of the npm package @aave/core-v3 {VERSION}, and neither {} nor a folder above it has {PACKAGE}: run `npm ci` in Breakwater's repository, and this command inside it", from.display()
    )]
    Absent {
        /// Where it was looked for.
        from: PathBuf,
    },
    /// Another version is installed.
    #[error("{}: expected version {VERSION} of @aave/core-v3, found {found}; run `npm ci`", path.display())]
    Version {
        /// The package's own description.
        path: PathBuf,
        /// What it says.
        found: String,
    },
    /// A file that is not what was expected.
    #[error("{}: {reason}", path.display())]
    Unusable {
        /// Which.
        path: PathBuf,
        /// Why.
        reason: String,
    },
}

/// The installed package.
#[derive(Clone, Debug)]
pub struct Artifacts {
    package: PathBuf,
}

#[derive(Deserialize)]
struct Description {
    version: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Artifact {
    bytecode: String,
    link_references: Links,
}

/// Bytes of the code.
#[derive(Deserialize)]
pub struct Place {
    pub start: usize,
    pub length: usize,
}

impl Artifacts {
    /// The package as Node.js would find it from the current folder: in its `node_modules`, or in one above it.
    ///
    /// # Errors
    /// [`ArtifactError::Absent`] and [`ArtifactError::Version`].
    pub fn find() -> Result<Self, ArtifactError> {
        let from = std::env::current_dir().map_err(|error| ArtifactError::Unusable {
            path: PathBuf::from("."),
            reason: error.to_string(),
        })?;
        Self::find_from(&from)
    }

    pub(super) fn find_from(from: &Path) -> Result<Self, ArtifactError> {
        let package = from
            .ancestors()
            .map(|folder| folder.join(PACKAGE))
            .find(|package| package.is_dir())
            .ok_or_else(|| ArtifactError::Absent {
                from: from.to_owned(),
            })?;
        let path = package.join("package.json");
        let description: Description = read(&path)?;
        if description.version != VERSION {
            return Err(ArtifactError::Version {
                path,
                found: description.version,
            });
        }
        Ok(Self { package })
    }

    /// A contract's creation code without constructor arguments, linked.
    ///
    /// # Errors
    /// [`ArtifactError::Unusable`], also for a library that is not among `libraries`.
    pub fn creation_code(&self, name: &str, libraries: &Libraries) -> Result<Bytes, ArtifactError> {
        let path = self.path(name);
        let artifact: Artifact = read(&path)?;
        link(&artifact.bytecode, &artifact.link_references, libraries)
            .map_err(|reason| ArtifactError::Unusable { path, reason })
    }

    /// Keccak-256 of each creation code's text, links open, under `aave-v3/` and the contract's name.
    ///
    /// # Errors
    /// [`ArtifactError::Unusable`].
    pub fn hashes(&self) -> Result<BTreeMap<String, String>, ArtifactError> {
        SOURCES
            .iter()
            .map(|(name, _)| {
                let artifact: Artifact = read(&self.path(name))?;
                let hash = keccak256(artifact.bytecode.as_bytes());
                Ok((format!("aave-v3/{name}"), hash.to_string()))
            })
            .collect()
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        let folder = SOURCES
            .iter()
            .find(|(known, _)| *known == name)
            .map_or("", |(_, folder)| folder);
        self.package
            .join("artifacts/contracts")
            .join(folder)
            .join(format!("{name}.sol/{name}.json"))
    }

    #[cfg(test)]
    pub(super) fn package(&self) -> &Path {
        &self.package
    }
}

/// Reads a JSON file.
pub(super) fn read<T: for<'de> Deserialize<'de>>(path: &Path) -> Result<T, ArtifactError> {
    let unusable = |reason: String| ArtifactError::Unusable {
        path: path.to_owned(),
        reason,
    };
    let bytes = fs::read(path).map_err(|error| unusable(error.to_string()))?;
    serde_json::from_slice(&bytes).map_err(|error| unusable(error.to_string()))
}

/// Code from its hexadecimal text, in which the links are no digits until the libraries' addresses are written there.
pub(super) fn link(code: &str, links: &Links, libraries: &Libraries) -> Result<Bytes, String> {
    let mut text = code.trim_start_matches("0x").to_owned();
    for (name, places) in links.values().flatten() {
        let library = libraries
            .get(name)
            .ok_or_else(|| format!("the library {name} is not deployed"))?;
        for place in places {
            let digits = 2 * place.start..2 * (place.start + place.length);
            if place.length != Address::len_bytes() || text.get(digits.clone()).is_none() {
                return Err(format!("no link to {name} at byte {}", place.start));
            }
            text.replace_range(digits, &hex::encode(library));
        }
    }
    hex::decode(text)
        .map(Bytes::from)
        .map_err(|error| error.to_string())
}

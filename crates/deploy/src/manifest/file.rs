//! The manifest on disk.

use std::fs::{self, File, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use alloy_primitives::B256;

use super::{Deployment, Manifest, VERSION};

/// Why a manifest cannot be read, or not be written to.
#[derive(Debug, thiserror::Error)]
pub enum ManifestError {
    /// The file cannot be read.
    #[error("{path}: cannot read the manifest: {source}", path = path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file cannot be written; the old one is untouched.
    #[error("{path}: cannot write the manifest: {source}", path = path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file is not a manifest.
    #[error("{path}: not a manifest: {reason}", path = path.display())]
    Corrupt {
        /// The file.
        path: PathBuf,
        /// What is wrong with it, and where.
        reason: String,
    },
    /// The file holds no system on this chain.
    #[error("{path}: no system on chain {chain_id}; the file has {present}", path = path.display())]
    UnknownChain {
        /// The file.
        path: PathBuf,
        /// The chain asked for.
        chain_id: u64,
        /// The chains that are there.
        present: String,
    },
    /// The file holds another configuration's system on this chain.
    #[error(
        "{path}: holds the system of another configuration on chain {chain_id}: {found}, not {expected}; \
         name another file", path = path.display()
    )]
    AnotherConfiguration {
        /// The file.
        path: PathBuf,
        /// The chain.
        chain_id: u64,
        /// The configuration's hash.
        expected: B256,
        /// The file's.
        found: B256,
    },
}

/// Anybody may read a manifest, as far as the umask allows: a keeper need not be the user that deployed.
const MODE: u32 = 0o666;

/// A manifest file. Every change is written whole to a temporary name beside it, synchronised and renamed: a reader sees
/// the old content or the new one. Writers take turns, each on top of what is there then.
#[derive(Clone, Debug)]
pub struct ManifestFile {
    path: PathBuf,
    manifest: Manifest,
}

impl ManifestFile {
    /// Reads it; an empty manifest where there is no file yet.
    ///
    /// # Errors
    /// [`ManifestError::Read`], [`ManifestError::Corrupt`].
    pub fn open(path: impl Into<PathBuf>) -> Result<Self, ManifestError> {
        let path = path.into();
        let manifest = read(&path)?;
        Ok(Self { path, manifest })
    }

    /// The file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What it holds.
    #[must_use]
    pub const fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// The system on a chain.
    ///
    /// # Errors
    /// [`ManifestError::UnknownChain`].
    pub fn deployment(&self, chain_id: u64) -> Result<&Deployment, ManifestError> {
        let chains = &self.manifest.chains;
        chains.get(&chain_id).ok_or_else(|| {
            let present: Vec<_> = chains.keys().map(u64::to_string).collect();
            ManifestError::UnknownChain {
                path: self.path.clone(),
                chain_id,
                present: if present.is_empty() {
                    "none".to_owned()
                } else {
                    present.join(", ")
                },
            }
        })
    }

    /// Puts a system in, in place of an earlier state of the same one, and writes the file. What others have put in since it
    /// was read stays. Waits for others that write to a manifest in the same folder.
    ///
    /// # Errors
    /// [`ManifestError`], all but `UnknownChain`.
    pub fn record(&mut self, deployment: Deployment) -> Result<(), ManifestError> {
        let failed = |source| ManifestError::Write {
            path: self.path.clone(),
            source,
        };
        // The file itself is replaced by each writer; the lock on its folder leaves nothing behind, and ends with the process.
        let folder = File::open(self.folder()).map_err(failed)?;
        folder.lock().map_err(failed)?;
        self.manifest = read(&self.path)?;
        self.check(deployment.chain_id, deployment.configuration_hash)?;
        self.manifest.chains.insert(deployment.chain_id, deployment);
        self.write(&folder).map_err(|source| ManifestError::Write {
            path: self.path.clone(),
            source,
        })
    }

    /// Whether a system of this configuration may be recorded here.
    ///
    /// # Errors
    /// [`ManifestError::AnotherConfiguration`].
    pub fn check(&self, chain_id: u64, configuration_hash: B256) -> Result<(), ManifestError> {
        match self.manifest.chains.get(&chain_id) {
            Some(there) if there.configuration_hash != configuration_hash => {
                Err(ManifestError::AnotherConfiguration {
                    path: self.path.clone(),
                    chain_id,
                    expected: configuration_hash,
                    found: there.configuration_hash,
                })
            }
            _ => Ok(()),
        }
    }

    fn folder(&self) -> &Path {
        let parent = self.path.parent();
        parent
            .filter(|parent| !parent.as_os_str().is_empty())
            .unwrap_or(Path::new("."))
    }

    fn write(&self, folder: &File) -> io::Result<()> {
        let mut file = tempfile::Builder::new()
            .permissions(Permissions::from_mode(MODE))
            .tempfile_in(self.folder())?;
        serde_json::to_writer_pretty(&mut file, &self.manifest)?;
        file.write_all(b"\n")?;
        file.as_file().sync_all()?;
        file.persist(&self.path).map_err(|error| error.error)?;
        // The rename itself survives a power cut only once the folder is on disk.
        folder.sync_all()
    }
}

fn read(path: &Path) -> Result<Manifest, ManifestError> {
    match fs::read(path) {
        Ok(bytes) => parse(path, &bytes),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Manifest {
            version: VERSION,
            chains: Default::default(),
        }),
        Err(source) => Err(ManifestError::Read {
            path: path.to_owned(),
            source,
        }),
    }
}

fn parse(path: &Path, bytes: &[u8]) -> Result<Manifest, ManifestError> {
    let corrupt = |reason: String| ManifestError::Corrupt {
        path: path.to_owned(),
        reason,
    };
    let manifest: Manifest =
        serde_json::from_slice(bytes).map_err(|error| corrupt(error.to_string()))?;
    if manifest.version != VERSION {
        return Err(corrupt(format!(
            "version {}, expected {VERSION}",
            manifest.version
        )));
    }
    for (chain_id, deployment) in &manifest.chains {
        if *chain_id != deployment.chain_id {
            return Err(corrupt(format!(
                "the system of chain {} stands under chain {chain_id}",
                deployment.chain_id
            )));
        }
    }
    Ok(manifest)
}

//! Exclusive locks, so that two processes with one key, or on one journal, refuse each other.
//!
//! The kernel holds the locks and drops them when the process ends, however it ends; nothing is stale after a crash. Two processes
//! with different journals meet at the account's lock file, two with different keys but one journal at the journal's.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{Read, Seek, Write};
use std::path::{Path, PathBuf};

use alloy_primitives::Address;

use crate::LockError;

/// Held for as long as it lives.
#[derive(Debug)]
pub(crate) struct Locks {
    _account: File,
    _journal: File,
}

impl Locks {
    pub fn take(
        directory: &Path,
        journal: &Path,
        address: Address,
        chain_id: u64,
    ) -> Result<Self, LockError> {
        let path = directory.join(format!("{chain_id}-{address:x}.lock"));
        let account = lock(&path)?.map_err(|holder| LockError::Account {
            address,
            chain_id,
            holder,
            path: path.clone(),
        })?;
        Ok(Self {
            _account: account,
            _journal: lock_database(journal)?,
        })
    }
}

/// Takes a database for this process alone; dropping the file, or the process's end, gives it back.
///
/// # Errors
/// [`LockError::Journal`] with the process that has it, [`LockError::Io`].
pub fn lock_database(database: &Path) -> Result<File, LockError> {
    let path = lock_of(database);
    lock(&path)?.map_err(|holder| LockError::Journal {
        holder,
        path: path.clone(),
    })
}

/// The lock stands beside the journal: SQLite has its own use for locks on the journal itself.
fn lock_of(journal: &Path) -> PathBuf {
    let mut name = journal.as_os_str().to_owned();
    name.push(".lock");
    name.into()
}

/// The locked file, or the process id that its holder wrote.
fn lock(path: &Path) -> Result<Result<File, String>, LockError> {
    let io = |source| LockError::Io {
        path: path.into(),
        source,
    };
    if let Some(parent) = path
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty())
    {
        fs::create_dir_all(parent).map_err(io)?;
    }
    let mut file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(path)
        .map_err(io)?;
    match file.try_lock() {
        Ok(()) => {
            file.set_len(0).map_err(io)?;
            file.rewind().map_err(io)?;
            write!(file, "{}", std::process::id()).map_err(io)?;
            Ok(Ok(file))
        }
        Err(TryLockError::WouldBlock) => {
            let mut holder = String::new();
            let known = file.read_to_string(&mut holder).is_ok() && !holder.is_empty();
            Ok(Err(if known { holder } else { "unknown".to_owned() }))
        }
        Err(TryLockError::Error(source)) => Err(io(source)),
    }
}

//! Exclusive locks, so that two processes with one key, or on one journal, refuse each other.
//!
//! The kernel holds the locks and drops them when the process ends, however it ends; nothing is stale after a crash. Two processes
//! with different journals meet at the account's lock file, two with different keys but one journal at the journal's.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{Read, Seek, Write};
use std::path::{Path, PathBuf};

use alloy_primitives::Address;

use crate::LockError;

/// Both locks of a sender, held for as long as it lives.
#[derive(Debug)]
pub(crate) struct Locks {
    _account: Lock,
    _journal: Lock,
}

/// A locked file, held for as long as it lives.
///
/// Dropping it unlocks it before the file is closed. Closing alone would not do: a process that this one starts shares its open files
/// until it runs its own program, and with them the lock.
#[derive(Debug)]
pub struct Lock(File);

impl Drop for Lock {
    fn drop(&mut self) {
        // Without success the kernel unlocks it with the last copy of the file.
        let _ = self.0.unlock();
    }
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

/// Takes a database for this process alone; dropping the lock, or the process's end, gives it back.
///
/// # Errors
/// [`LockError::Journal`] with the process that has it, [`LockError::Io`].
pub fn lock_database(database: &Path) -> Result<Lock, LockError> {
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

/// The lock, or the process id that its holder wrote.
fn lock(path: &Path) -> Result<Result<Lock, String>, LockError> {
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
            Ok(Ok(Lock(file)))
        }
        Err(TryLockError::WouldBlock) => {
            let mut holder = String::new();
            let known = file.read_to_string(&mut holder).is_ok() && !holder.is_empty();
            Ok(Err(if known { holder } else { "unknown".to_owned() }))
        }
        Err(TryLockError::Error(source)) => Err(io(source)),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_ends_while_a_starting_process_still_shares_its_file() {
        let directory = tempfile::tempdir().unwrap();
        let database = directory.path().join("journal.sqlite");
        let held = lock_database(&database).unwrap();
        let shared = held.0.try_clone().unwrap();
        assert!(matches!(
            lock_database(&database),
            Err(LockError::Journal { .. })
        ));
        drop(held);
        lock_database(&database).unwrap();
        drop(shared);
    }
}

//! What the keeper keeps on disk beside the sender's journal: the mirror's snapshot, what it ordered and why, and the ledger of
//! every liquidation on chain. One SQLite file in WAL mode with full synchronisation; every write is one transaction.

mod fate;
mod ledger;
mod orders;
mod snapshot;
mod write;

use std::path::{Path, PathBuf};

use alloy_primitives::Address;
use breakwater_sender::Edge;
use rusqlite::{Connection, OptionalExtension as _};

pub use ledger::{Doer, Entry, Kind};
pub use orders::{ActionKind, Ordered, Realised, Totals};
pub use write::{Write, WriteHook};

/// The layout that this version reads and writes.
const SCHEMA_VERSION: i64 = 1;

const SCHEMA: &str = "
CREATE TABLE belongs (chain_id INTEGER NOT NULL, pool BLOB NOT NULL) STRICT;
CREATE TABLE snapshot (
    only INTEGER PRIMARY KEY CHECK (only = 1),
    number INTEGER NOT NULL, hash BLOB NOT NULL, state BLOB NOT NULL
) STRICT;
CREATE TABLE orders (
    id BLOB PRIMARY KEY, kind TEXT NOT NULL, account BLOB NOT NULL, collateral INTEGER NOT NULL,
    planned_block INTEGER NOT NULL, planned_at INTEGER NOT NULL, expected REAL NOT NULL, native_price REAL NOT NULL,
    open INTEGER NOT NULL
) STRICT;
CREATE INDEX orders_open ON orders (open) WHERE open = 1;
CREATE TABLE transactions (hash BLOB PRIMARY KEY, id BLOB NOT NULL REFERENCES orders (id)) STRICT;
CREATE TABLE realised (
    id BLOB PRIMARY KEY REFERENCES orders (id), hash BLOB NOT NULL, block INTEGER NOT NULL, success INTEGER,
    gross REAL NOT NULL, gas REAL NOT NULL, final INTEGER NOT NULL
) STRICT;
CREATE TABLE ledger (
    block INTEGER NOT NULL, log_index INTEGER NOT NULL, timestamp INTEGER NOT NULL, hash BLOB NOT NULL,
    kind TEXT NOT NULL, account BLOB NOT NULL, liquidator BLOB NOT NULL, collateral INTEGER,
    repaid REAL NOT NULL, seized REAL NOT NULL, bonus REAL NOT NULL, reason TEXT, detail TEXT NOT NULL,
    PRIMARY KEY (block, log_index)
) STRICT;
CREATE INDEX ledger_hash ON ledger (hash);
";

/// The file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// SQLite's own words.
    #[error("{path}: {source}")]
    Sqlite {
        /// The file.
        path: PathBuf,
        /// What SQLite says.
        source: rusqlite::Error,
    },
    /// The folder cannot be made.
    #[error("{path}: {source}")]
    Folder {
        /// The folder.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A layout of another version.
    #[error(
        "{path} has layout {found}, this program reads {SCHEMA_VERSION}: use another state directory"
    )]
    Schema {
        /// The file.
        path: PathBuf,
        /// Its layout.
        found: i64,
    },
    /// A keeper of another pool wrote it.
    #[error(
        "{path} belongs to pool {found_pool} on chain {found_chain}, the configuration names {pool} on chain {chain}: \
         one state directory serves one keeper"
    )]
    Belongs {
        /// The file.
        path: PathBuf,
        /// Its chain.
        found_chain: u64,
        /// Its pool.
        found_pool: Address,
        /// The configuration's chain.
        chain: u64,
        /// The configuration's pool.
        pool: Address,
    },
    /// A row does not hold what this program writes.
    #[error("{path}: {what} is damaged")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// Which row or value.
        what: &'static str,
    },
}

/// The open file.
#[derive(Debug)]
pub struct Store {
    connection: Connection,
    path: PathBuf,
    hook: Option<WriteHook>,
    writes: u64,
}

impl Store {
    /// Opens `keeper.sqlite` in `directory`, made if it is not there, for one pool of one chain.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub fn open(directory: &Path, chain: u64, pool: Address) -> Result<Self, StoreError> {
        std::fs::create_dir_all(directory).map_err(|source| StoreError::Folder {
            path: directory.to_owned(),
            source,
        })?;
        let path = directory.join("keeper.sqlite");
        let connection = Connection::open(&path).map_err(|source| StoreError::Sqlite {
            path: path.clone(),
            source,
        })?;
        let mut store = Self {
            connection,
            path,
            hook: None,
            writes: 0,
        };
        store.prepare(chain, pool)?;
        Ok(store)
    }

    /// Calls `hook` around every durable write from now on.
    pub fn set_hook(&mut self, hook: WriteHook) {
        self.hook = Some(hook);
    }

    /// The file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// How often orders and ledger have been written to since it was opened.
    #[must_use]
    pub const fn writes(&self) -> u64 {
        self.writes
    }

    fn prepare(&mut self, chain: u64, pool: Address) -> Result<(), StoreError> {
        self.sqlite(|connection| {
            connection.busy_timeout(std::time::Duration::from_secs(5))?;
            connection.pragma_update(None, "journal_mode", "WAL")?;
            connection.pragma_update(None, "synchronous", "FULL")?;
            connection.pragma_update(None, "foreign_keys", true)
        })?;
        let found: i64 = self.sqlite(|connection| {
            connection.query_row("PRAGMA user_version", [], |row| row.get(0))
        })?;
        match found {
            0 => self.sqlite(|connection| {
                let transaction = connection.transaction()?;
                transaction.execute_batch(SCHEMA)?;
                transaction.execute(
                    "INSERT INTO belongs VALUES (?1, ?2)",
                    (chain as i64, pool.as_slice()),
                )?;
                transaction.pragma_update(None, "user_version", SCHEMA_VERSION)?;
                transaction.commit()
            }),
            SCHEMA_VERSION => self.check_owner(chain, pool),
            found => Err(StoreError::Schema {
                path: self.path.clone(),
                found,
            }),
        }
    }

    fn check_owner(&mut self, chain: u64, pool: Address) -> Result<(), StoreError> {
        let row: Option<(i64, Vec<u8>)> = self.sqlite(|connection| {
            connection
                .query_row("SELECT chain_id, pool FROM belongs", [], |row| {
                    Ok((row.get(0)?, row.get(1)?))
                })
                .optional()
        })?;
        let (found_chain, found_pool) = row.ok_or_else(|| self.damaged("the owner"))?;
        let found_pool =
            Address::try_from(found_pool.as_slice()).map_err(|_| self.damaged("the owner"))?;
        if (found_chain as u64, found_pool) != (chain, pool) {
            return Err(StoreError::Belongs {
                path: self.path.clone(),
                found_chain: found_chain as u64,
                found_pool,
                chain,
                pool,
            });
        }
        Ok(())
    }

    fn sqlite<T>(
        &mut self,
        action: impl FnOnce(&mut Connection) -> rusqlite::Result<T>,
    ) -> Result<T, StoreError> {
        action(&mut self.connection).map_err(|source| StoreError::Sqlite {
            path: self.path.clone(),
            source,
        })
    }

    /// One durable write: a statement or a transaction that is on disk when this returns.
    fn write(
        &mut self,
        kind: Write,
        action: impl FnOnce(&mut Connection) -> rusqlite::Result<()>,
    ) -> Result<(), StoreError> {
        let hook = self.hook.clone();
        let call = |edge| {
            if let Some(hook) = &hook {
                hook.call(kind, edge);
            }
        };
        call(Edge::Before);
        self.sqlite(action)?;
        self.writes += u64::from(!matches!(kind, Write::Snapshot | Write::SnapshotDropped));
        call(Edge::After);
        Ok(())
    }

    fn damaged(&self, what: &'static str) -> StoreError {
        StoreError::Damaged {
            path: self.path.clone(),
            what,
        }
    }
}

#[cfg(test)]
mod tests;

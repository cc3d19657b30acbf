//! The journal: what was accepted, signed and seen, on disk before anything is done about it.

mod load;
mod rows;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use alloy_primitives::{Address, B256};
use rusqlite::{Connection, OpenFlags, Transaction, params};

use crate::slot::{Attempt, Goal, Slot};
use crate::{Edge, Inclusion, JournalError, Order, OrderState, Stage, StageHook};
pub(crate) use load::Loaded;
use rows::{GoalRow, StateRow, amount};

const SCHEMA: &str = include_str!("schema.sql");
/// Kept in SQLite's `user_version`.
const SCHEMA_VERSION: i64 = 1;
/// Longest wait for somebody else's write lock. Nobody should have one: the lock file keeps other senders out.
const BUSY_WAIT: Duration = Duration::from_secs(1);

/// Whose journal it is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Owner {
    pub address: Address,
    pub chain_id: u64,
    /// Hash of block 0: private chains share identifiers.
    pub genesis: B256,
}

#[derive(Debug)]
pub(crate) struct Journal {
    connection: Connection,
    path: PathBuf,
    hook: Option<StageHook>,
}

type Result<T> = std::result::Result<T, JournalError>;

impl Journal {
    /// Opens or makes the journal, checks it against its owner and reads what is unfinished.
    pub fn open(path: &Path, owner: Owner, hook: Option<StageHook>) -> Result<(Self, Loaded)> {
        if let Some(parent) = path
            .parent()
            .filter(|parent| !parent.as_os_str().is_empty())
        {
            fs::create_dir_all(parent).map_err(|source| JournalError::Io {
                path: parent.into(),
                source,
            })?;
        }
        let sqlite = |source| JournalError::Sqlite {
            path: path.into(),
            source,
        };
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
            | OpenFlags::SQLITE_OPEN_CREATE
            | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(path, flags).map_err(sqlite)?;
        let mut journal = Self {
            connection,
            path: path.into(),
            hook,
        };
        journal
            .prepare(owner)
            .map_err(|error| journal.name_damage(error))?;
        let loaded = journal
            .load(owner)
            .map_err(|error| journal.name_damage(error))?;
        Ok((journal, loaded))
    }

    fn prepare(&mut self, owner: Owner) -> Result<()> {
        // A write-ahead log with FULL is synced at every commit: what a commit returned from is on disk.
        self.sql(|db| {
            db.busy_timeout(BUSY_WAIT)?;
            db.pragma_update(None, "journal_mode", "WAL")?;
            db.pragma_update(None, "synchronous", "FULL")?;
            db.pragma_update(None, "foreign_keys", true)
        })?;
        let damage: String =
            self.sql(|db| db.query_row("PRAGMA quick_check(1)", [], |row| row.get(0)))?;
        if damage != "ok" {
            return Err(self.corrupt(damage));
        }
        let version: i64 =
            self.sql(|db| db.query_row("PRAGMA user_version", [], |row| row.get(0)))?;
        let path = self.path.clone();
        let transaction = self
            .connection
            .transaction()
            .map_err(|source| JournalError::Sqlite { path, source })?;
        let done = match version {
            0 => create(&transaction, owner),
            // A write, so that a journal that cannot be written is refused now, not after the first signature.
            SCHEMA_VERSION => transaction
                .execute("UPDATE meta SET value = value WHERE key = 'address'", [])
                .map(|_| ()),
            found => {
                drop(transaction);
                return Err(JournalError::Schema {
                    path: self.path.clone(),
                    found,
                    expected: SCHEMA_VERSION,
                });
            }
        };
        let done = done.and_then(|()| transaction.commit());
        done.map_err(|source| JournalError::Sqlite {
            path: self.path.clone(),
            source,
        })
    }

    /// An order without a nonce.
    pub fn plan(&mut self, order: &Order) -> Result<()> {
        self.write(Stage::Planned, |db| rows::insert_order(db, order))
    }

    /// The first attempt of a nonce.
    pub fn open_slot(&mut self, slot: &Slot) -> Result<()> {
        let stage = if slot.goal == Goal::Fill {
            Stage::FillSigned
        } else {
            Stage::Signed
        };
        self.write(stage, |db| {
            let GoalRow { goal, reason } = GoalRow::from(&slot.goal);
            db.execute(
                "INSERT INTO slots (nonce, order_id, goal, reason, opened_at, ceiling) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                params![
                    rows::nonce(slot.nonce)?,
                    slot.order.as_ref().map(|order| order.id.to_vec()),
                    goal,
                    reason,
                    slot.opened_at.cast_signed(),
                    amount(slot.ceiling),
                ],
            )?;
            rows::insert_attempt(db, slot.nonce, 0, slot.latest())
        })
    }

    /// A deliberate second transaction for a nonce.
    pub fn replace(&mut self, slot: &Slot, goal: &Goal, attempt: &Attempt) -> Result<()> {
        let stage = if *goal == slot.goal {
            Stage::ReplacementSigned
        } else {
            Stage::CancelSigned
        };
        let (nonce, ordinal) = (slot.nonce, slot.attempts.len());
        self.write(stage, |db| {
            let GoalRow { goal, reason } = GoalRow::from(goal);
            db.execute(
                "UPDATE slots SET goal = ?2, reason = ?3 WHERE nonce = ?1",
                params![rows::nonce(nonce)?, goal, reason],
            )?;
            rows::insert_attempt(db, nonce, ordinal, attempt)
        })
    }

    /// A node took the attempt.
    pub fn acknowledge(&mut self, hash: B256) -> Result<()> {
        self.write(Stage::Broadcast, |db| {
            db.execute(
                "UPDATE attempts SET acknowledged = 1 WHERE hash = ?1",
                [hash.as_slice()],
            )
            .map(|_| ())
        })
    }

    /// An attempt of ours is in a block.
    pub fn include(&mut self, inclusion: &Inclusion) -> Result<()> {
        self.write(Stage::Included, |db| rows::include(db, inclusion))
    }

    /// The nonce is open again.
    pub fn reopen(&mut self, nonce: u64) -> Result<()> {
        self.write(Stage::Reopened, |db| {
            db.execute(
                "UPDATE slots SET state = ?2, tx_hash = NULL, block_number = NULL, block_hash = NULL, success = NULL, \
                 gas_used = NULL, gas_price = NULL WHERE nonce = ?1",
                params![rows::nonce(nonce)?, StateRow::Open],
            )
            .map(|_| ())
        })
    }

    /// Settles a nonce; its signed bytes are not needed any more.
    pub fn finalise(&mut self, nonce: u64, foreign: bool) -> Result<()> {
        let state = if foreign {
            StateRow::ForeignFinal
        } else {
            StateRow::Final
        };
        self.write(Stage::Final, |db| {
            let nonce = rows::nonce(nonce)?;
            db.execute(
                "UPDATE slots SET state = ?2 WHERE nonce = ?1",
                params![nonce, state],
            )?;
            db.execute("UPDATE attempts SET raw = x'' WHERE nonce = ?1", [nonce])
                .map(|_| ())
        })
    }

    /// A planned order ran out.
    pub fn expire(&mut self, id: B256) -> Result<()> {
        self.write(Stage::Expired, |db| {
            db.execute(
                "UPDATE orders SET expired = 1 WHERE id = ?1",
                [id.as_slice()],
            )
            .map(|_| ())
        })
    }

    /// Somebody else has the nonce.
    pub fn foreign(&mut self, nonce: u64, hash: Option<B256>, block_number: u64) -> Result<()> {
        self.write(Stage::Foreign, |db| {
            db.execute(
                "UPDATE slots SET state = ?2, tx_hash = ?3, block_number = ?4 WHERE nonce = ?1",
                params![
                    rows::nonce(nonce)?,
                    StateRow::Foreign,
                    hash.map(|hash| hash.to_vec()),
                    block_number.cast_signed()
                ],
            )
            .map(|_| ())
        })
    }

    /// Where an order stands.
    pub fn lookup(&self, id: B256) -> Result<Option<OrderState>> {
        self.sql(|db| rows::lookup(db, id))
    }

    /// One durable write: a transaction that is synced when this returns, with the hook around it.
    fn write(
        &mut self,
        stage: Stage,
        body: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<()>,
    ) -> Result<()> {
        if let Some(hook) = &self.hook {
            hook.call(stage, Edge::Before);
        }
        let commit = |connection: &mut Connection| {
            let transaction = connection.transaction()?;
            body(&transaction)?;
            transaction.commit()
        };
        commit(&mut self.connection).map_err(|source| JournalError::Sqlite {
            path: self.path.clone(),
            source,
        })?;
        if let Some(hook) = &self.hook {
            hook.call(stage, Edge::After);
        }
        Ok(())
    }

    fn sql<T>(&self, body: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T> {
        body(&self.connection).map_err(|source| JournalError::Sqlite {
            path: self.path.clone(),
            source,
        })
    }

    fn corrupt(&self, what: String) -> JournalError {
        JournalError::Corrupt {
            path: self.path.clone(),
            what,
        }
    }

    /// SQLite's own words for a damaged file, as the error that says so.
    fn name_damage(&self, error: JournalError) -> JournalError {
        use rusqlite::ErrorCode::{DatabaseCorrupt, NotADatabase};
        match error {
            JournalError::Sqlite { source, .. }
                if matches!(
                    source.sqlite_error_code(),
                    Some(DatabaseCorrupt | NotADatabase)
                ) || matches!(source, rusqlite::Error::FromSqlConversionFailure(..)) =>
            {
                self.corrupt(source.to_string())
            }
            other => other,
        }
    }
}

fn create(transaction: &Transaction<'_>, owner: Owner) -> rusqlite::Result<()> {
    transaction.execute_batch(SCHEMA)?;
    for (key, value) in owner.rows() {
        transaction.execute("INSERT INTO meta VALUES (?1, ?2)", params![key, value])?;
    }
    transaction.pragma_update(None, "user_version", SCHEMA_VERSION)
}

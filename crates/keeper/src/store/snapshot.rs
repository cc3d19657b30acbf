//! The mirror as it stood at a block: replaced whole, in one transaction, so that a broken write leaves the one before.

use alloy_primitives::B256;
use rusqlite::OptionalExtension as _;

use super::{Store, StoreError, Write};

/// A stored mirror.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// The last block that it knows.
    pub number: u64,
    /// Its hash, by which a resume sees whether it is still canonical.
    pub hash: B256,
    /// The mirror.
    pub state: Vec<u8>,
}

impl Store {
    /// Replaces the snapshot.
    ///
    /// # Errors
    /// [`StoreError::Sqlite`].
    pub fn save_snapshot(&mut self, checkpoint: &Checkpoint) -> Result<(), StoreError> {
        self.write(Write::Snapshot, |connection| {
            connection
                .execute(
                    "INSERT OR REPLACE INTO snapshot VALUES (1, ?1, ?2, ?3)",
                    (
                        checkpoint.number as i64,
                        checkpoint.hash.as_slice(),
                        &checkpoint.state,
                    ),
                )
                .map(drop)
        })
    }

    /// The snapshot, if one was written.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn snapshot(&mut self) -> Result<Option<Checkpoint>, StoreError> {
        let row: Option<(i64, Vec<u8>, Vec<u8>)> = self.sqlite(|connection| {
            connection
                .query_row("SELECT number, hash, state FROM snapshot", [], |row| {
                    Ok((row.get(0)?, row.get(1)?, row.get(2)?))
                })
                .optional()
        })?;
        row.map(|(number, hash, state)| {
            Ok(Checkpoint {
                number: number as u64,
                hash: B256::try_from(hash.as_slice()).map_err(|_| self.damaged("the snapshot"))?,
                state,
            })
        })
        .transpose()
    }

    /// Forgets the snapshot: the mirror it holds was found to be wrong.
    ///
    /// # Errors
    /// [`StoreError::Sqlite`].
    pub fn drop_snapshot(&mut self) -> Result<(), StoreError> {
        self.write(Write::SnapshotDropped, |connection| {
            connection.execute("DELETE FROM snapshot", []).map(drop)
        })
    }
}

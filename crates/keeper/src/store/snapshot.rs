//! The mirror as it stood at a block: replaced whole, in one transaction, so that a broken write leaves the one before.

use alloy_primitives::B256;
use breakwater_protocol::{Description, Mirror};
use rusqlite::{MAIN_DB, OptionalExtension as _};

use super::{Store, StoreError, Write};

impl Store {
    /// Writes a mirror to disk in place of the one before. Piece by piece: bound as a value, a large one would be in memory three
    /// times.
    ///
    /// # Errors
    /// [`StoreError::Sqlite`].
    pub fn save_mirror(&mut self, mirror: &Mirror) -> Result<(), StoreError> {
        let head = mirror.head();
        self.write(Write::Snapshot, |connection| {
            let transaction = connection.transaction()?;
            transaction.execute(
                "INSERT OR REPLACE INTO snapshot VALUES (1, ?1, ?2, ZEROBLOB(?3))",
                (
                    head.number as i64,
                    head.hash.as_slice(),
                    mirror.snapshot_length() as i64,
                ),
            )?;
            let mut blob = transaction.blob_open(MAIN_DB, "snapshot", "state", 1, false)?;
            let mut written = 0;
            mirror.write_snapshot(|piece| -> rusqlite::Result<()> {
                blob.write_at(piece, written)?;
                written += piece.len();
                Ok(())
            })?;
            blob.close()?;
            transaction.commit()
        })
    }

    /// What is stored, if anything: the block's number and hash, by which a resume sees whether it is still canonical, and the
    /// mirror's bytes.
    fn snapshot(&mut self) -> Result<Option<(u64, B256, Vec<u8>)>, StoreError> {
        let row = self.sqlite(|connection| {
            let row: Option<(i64, Vec<u8>)> = connection
                .query_row("SELECT number, hash FROM snapshot", [], |row| {
                    Ok((row.get(0)?, row.get(1)?))
                })
                .optional()?;
            let Some((number, hash)) = row else {
                return Ok(None);
            };
            // A column's value would be there twice.
            let blob = connection.blob_open(MAIN_DB, "snapshot", "state", 1, true)?;
            let mut state = vec![0; blob.len()];
            blob.read_at_exact(&mut state, 0)?;
            Ok(Some((number as u64, hash, state)))
        })?;
        row.map(|(number, hash, state)| {
            let hash = B256::try_from(hash.as_slice()).map_err(|_| self.damaged("the snapshot"))?;
            Ok((number, hash, state))
        })
        .transpose()
    }

    /// The mirror on disk, if it is of the pool described. One that does not fit is said in the log and left: the chain has
    /// everything. So is one of another policy than the one described: what the new one stores is in no block that is still to come.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn restore_mirror(
        &mut self,
        description: &Description,
    ) -> Result<Option<Mirror>, StoreError> {
        let Some((number, hash, state)) = self.snapshot()? else {
            return Ok(None);
        };
        match Mirror::restore(&state, description) {
            Ok(mirror) if mirror.description().policy != description.policy => {
                tracing::info!(
                    stored = %mirror.description().policy.address, now = %description.policy.address,
                    "the snapshot is of another policy: the mirror is rebuilt from the chain"
                );
                Ok(None)
            }
            Ok(mirror) if (mirror.head().number, mirror.head().hash) == (number, hash) => {
                Ok(Some(mirror))
            }
            Ok(_) => {
                tracing::warn!(
                    "the snapshot is of another block than it says: the mirror is rebuilt from the chain"
                );
                Ok(None)
            }
            Err(error) => {
                tracing::warn!(%error, "the snapshot cannot be used: the mirror is rebuilt from the chain");
                Ok(None)
            }
        }
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

//! Every liquidation and settlement on chain: ours, or why not.

use std::ops::RangeInclusive;

use alloy_primitives::{Address, B256};
use breakwater_operator::status::MissedReason;
use rusqlite::Row;

use super::{Store, StoreError, Write};
use crate::system::System;

/// How a position was closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A liquidation.
    Liquidated,
    /// A settlement.
    Settled,
    /// A liquidation by the backstop.
    Absorbed,
}

impl Kind {
    /// What a liquidation by `liquidator` is.
    #[must_use]
    pub fn of_liquidation(system: &System, liquidator: Address) -> Self {
        match system.backstop {
            Some(backstop) if backstop.address == liquidator => Self::Absorbed,
            _ => Self::Liquidated,
        }
    }

    /// As stored and shown.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Liquidated => "liquidated",
            Self::Settled => "settled",
            Self::Absorbed => "absorbed",
        }
    }
}

/// Whose it was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Doer {
    /// Ours.
    Us,
    /// Somebody else's, and why it was not ours.
    Others {
        /// The reason.
        reason: MissedReason,
        /// More about it; may be empty.
        detail: String,
    },
}

/// A liquidation or settlement on chain.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// Its block.
    pub block: u64,
    /// Its place among the block's logs.
    pub log_index: u64,
    /// The block's time.
    pub timestamp: u64,
    /// The transaction.
    pub hash: B256,
    /// Which of them.
    pub kind: Kind,
    /// Whose position.
    pub account: Address,
    /// Who called the pool.
    pub liquidator: Address,
    /// Which collateral; `None` for a settlement, which takes all.
    pub collateral: Option<u32>,
    /// Debt tokens repaid.
    pub repaid: f64,
    /// Collateral tokens seized; 0 for a settlement.
    pub seized: f64,
    /// The bonus; 0 for a settlement.
    pub bonus: f64,
    /// Whose it was.
    pub doer: Doer,
}

impl Store {
    /// Writes down everything that `blocks` held. What is told again (after a restart) changes nothing; what those blocks held before
    /// and do not hold now is forgotten: they were reorganised while nobody looked.
    ///
    /// # Errors
    /// [`StoreError::Sqlite`].
    pub fn record(
        &mut self,
        blocks: RangeInclusive<u64>,
        entries: &[Entry],
    ) -> Result<(), StoreError> {
        let (first, last) = (*blocks.start() as i64, *blocks.end() as i64);
        let before = self.sqlite(|connection| {
            connection
                .prepare_cached("SELECT hash FROM ledger WHERE block BETWEEN ?1 AND ?2")?
                .query_map([first, last], |row| row.get::<_, Vec<u8>>(0))?
                .collect::<rusqlite::Result<Vec<_>>>()
        })?;
        let stays = |hash: &[u8]| entries.iter().any(|entry| entry.hash.as_slice() == hash);
        let gone: Vec<_> = before.into_iter().filter(|hash| !stays(hash)).collect();
        if entries.is_empty() && gone.is_empty() {
            return Ok(());
        }
        self.write(Write::Recorded, |connection| {
            let transaction = connection.transaction()?;
            for hash in &gone {
                transaction.execute(
                    "DELETE FROM ledger WHERE hash = ?1 AND block BETWEEN ?2 AND ?3",
                    (hash, first, last),
                )?;
            }
            for entry in entries {
                let (reason, detail) = match &entry.doer {
                    Doer::Us => (None, ""),
                    Doer::Others { reason, detail } => (Some(reason.name()), detail.as_str()),
                };
                transaction.execute(
                    "INSERT OR IGNORE INTO ledger VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
                    rusqlite::params![
                        entry.block as i64,
                        entry.log_index as i64,
                        entry.timestamp as i64,
                        entry.hash.as_slice(),
                        entry.kind.name(),
                        entry.account.as_slice(),
                        entry.liquidator.as_slice(),
                        entry.collateral,
                        entry.repaid,
                        entry.seized,
                        entry.bonus,
                        reason,
                        detail,
                    ],
                )?;
            }
            transaction.commit()
        })
    }

    /// Blocks above `ancestor` have left the chain.
    ///
    /// # Errors
    /// [`StoreError::Sqlite`].
    pub fn rewind(&mut self, ancestor: u64) -> Result<(), StoreError> {
        self.write(Write::Rewound, |connection| {
            connection
                .execute("DELETE FROM ledger WHERE block > ?1", [ancestor as i64])
                .map(drop)
        })
    }

    /// A transaction of ours for `account` failed in `block`: whoever liquidated it there was not merely first.
    ///
    /// # Errors
    /// [`StoreError::Sqlite`].
    pub fn reverted(
        &mut self,
        block: u64,
        account: Address,
        detail: &str,
    ) -> Result<(), StoreError> {
        self.write(Write::Reverted, |connection| {
            connection
                .execute(
                    "UPDATE ledger SET reason = ?3, detail = ?4 WHERE block = ?1 AND account = ?2 AND reason = ?5",
                    (
                        block as i64,
                        account.as_slice(),
                        MissedReason::Reverted.name(),
                        detail,
                        MissedReason::Outbid.name(),
                    ),
                )
                .map(drop)
        })
    }

    /// The latest entries, the last first; `missed` leaves out our own.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn latest(&mut self, count: usize, missed: bool) -> Result<Vec<Entry>, StoreError> {
        let rows = self.sqlite(|connection| {
            connection
                .prepare(
                    "SELECT * FROM ledger WHERE NOT ?2 OR reason IS NOT NULL
                     ORDER BY block DESC, log_index DESC LIMIT ?1",
                )?
                .query_map((count as i64, missed), read)?
                .collect::<rusqlite::Result<Vec<_>>>()
        })?;
        rows.into_iter()
            .map(|entry| entry.ok_or_else(|| self.damaged("the ledger")))
            .collect()
    }

    /// How many were missed, by reason.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn missed(&mut self) -> Result<Vec<(MissedReason, u64)>, StoreError> {
        let rows: Vec<(String, i64)> = self.sqlite(|connection| {
            connection
                .prepare(
                    "SELECT reason, COUNT(*) FROM ledger WHERE reason IS NOT NULL GROUP BY reason",
                )?
                .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
                .collect()
        })?;
        rows.into_iter()
            .map(|(name, count)| {
                let reason = parse(&name).ok_or_else(|| self.damaged("the ledger"))?;
                Ok((reason, count as u64))
            })
            .collect()
    }
}

fn parse(name: &str) -> Option<MissedReason> {
    MissedReason::ALL
        .into_iter()
        .find(|reason| reason.name() == name)
}

/// `None` if a value is not what this program writes.
fn read(row: &Row<'_>) -> rusqlite::Result<Option<Entry>> {
    let (block, log_index, timestamp): (i64, i64, i64) = (row.get(0)?, row.get(1)?, row.get(2)?);
    let (hash, kind, account, liquidator): (Vec<u8>, String, Vec<u8>, Vec<u8>) =
        (row.get(3)?, row.get(4)?, row.get(5)?, row.get(6)?);
    let (collateral, repaid, seized, bonus) = (row.get(7)?, row.get(8)?, row.get(9)?, row.get(10)?);
    let (reason, detail): (Option<String>, String) = (row.get(11)?, row.get(12)?);
    Ok((|| {
        Some(Entry {
            block: block as u64,
            log_index: log_index as u64,
            timestamp: timestamp as u64,
            hash: B256::try_from(hash.as_slice()).ok()?,
            kind: [Kind::Liquidated, Kind::Settled, Kind::Absorbed]
                .into_iter()
                .find(|known| known.name() == kind)?,
            account: Address::try_from(account.as_slice()).ok()?,
            liquidator: Address::try_from(liquidator.as_slice()).ok()?,
            collateral,
            repaid,
            seized,
            bonus,
            doer: match reason {
                None => Doer::Us,
                Some(name) => Doer::Others {
                    reason: parse(&name)?,
                    detail,
                },
            },
        })
    })())
}

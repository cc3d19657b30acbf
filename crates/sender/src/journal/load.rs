//! Reading back what is unfinished, distrustfully.

use std::collections::BTreeMap;

use alloy::consensus::{Transaction, TxEnvelope};
use alloy::eips::Decodable2718;
use alloy_primitives::B256;
use rusqlite::OptionalExtension;

use super::rows::{self, StateRow};
use super::{Journal, Owner, Result};
use crate::slot::{Slot, SlotState};
use crate::{JournalError, Order};

/// What a start goes on with.
#[derive(Debug)]
pub(crate) struct Loaded {
    /// Orders without a nonce, oldest first.
    pub planned: Vec<Order>,
    /// Nonces that are not settled.
    pub slots: BTreeMap<u64, Slot>,
    /// Lowest nonce that may be signed for: one above the highest in the journal.
    pub floor: u64,
    /// One above the highest settled nonce: the chain can never again have used fewer.
    pub settled: u64,
}

impl Owner {
    pub(super) fn rows(self) -> [(&'static str, Vec<u8>); 3] {
        [
            ("address", self.address.to_vec()),
            ("chain", self.chain_id.to_be_bytes().to_vec()),
            ("genesis", self.genesis.to_vec()),
        ]
    }
}

impl Journal {
    pub(super) fn load(&self, owner: Owner) -> Result<Loaded> {
        for (key, expected) in owner.rows() {
            let found: Option<Vec<u8>> = self.sql(|db| {
                db.query_row("SELECT value FROM meta WHERE key = ?1", [key], |row| {
                    row.get(0)
                })
                .optional()
            })?;
            let found = found.ok_or_else(|| self.corrupt(format!("it does not say its {key}")))?;
            if found != expected {
                return Err(JournalError::Belongs {
                    path: self.path.clone(),
                    what: key,
                    found: show(&found),
                    expected: show(&expected),
                });
            }
        }
        let slots = self.slots()?;
        for slot in slots.values() {
            self.verify(slot, owner)?;
        }
        let one_above = |query: &str| -> Result<u64> {
            let highest: Option<i64> = self.sql(|db| db.query_row(query, [], |row| row.get(0)))?;
            Ok(highest.map_or(0, |nonce| nonce.cast_unsigned() + 1))
        };
        let planned = self.sql(|db| {
            let mut statement = db.prepare(
                "SELECT o.* FROM orders o LEFT JOIN slots s ON s.order_id = o.id \
                 WHERE s.nonce IS NULL AND o.expired = 0 ORDER BY o.rowid",
            )?;
            statement.query_map([], rows::order)?.collect()
        })?;
        Ok(Loaded {
            planned,
            slots,
            floor: one_above("SELECT MAX(nonce) FROM slots")?,
            settled: one_above("SELECT MAX(nonce) FROM slots WHERE state IN (2, 4)")?,
        })
    }

    fn slots(&self) -> Result<BTreeMap<u64, Slot>> {
        let mut slots: BTreeMap<u64, Slot> = self.sql(|db| {
            let mut statement =
                db.prepare("SELECT * FROM slots WHERE state IN (0, 1, 3) ORDER BY nonce")?;
            let rows = statement.query_map([], |row| {
                let id: Option<[u8; 32]> = row.get("order_id")?;
                let order = id
                    .map(|id| db.query_row("SELECT * FROM orders WHERE id = ?1", [id], rows::order))
                    .transpose()?;
                let state = match row.get("state")? {
                    StateRow::Foreign | StateRow::ForeignFinal => SlotState::Foreign {
                        hash: row.get::<_, Option<[u8; 32]>>("tx_hash")?.map(B256::from),
                        block_number: rows::count(row, "block_number")?,
                    },
                    StateRow::Included | StateRow::Final => {
                        SlotState::Included(rows::inclusion(row)?)
                    }
                    StateRow::Open => SlotState::Open,
                };
                let nonce = rows::count(row, "nonce")?;
                let slot = Slot {
                    nonce,
                    order,
                    goal: rows::goal(row.get("goal")?, row.get("reason")?)?,
                    state,
                    opened_at: rows::count(row, "opened_at")?,
                    offered_at: rows::count(row, "opened_at")?,
                    ceiling: rows::wei(row, "ceiling")?,
                    attempts: Vec::new(),
                };
                Ok((nonce, slot))
            })?;
            rows.collect()
        })?;
        for slot in slots.values_mut() {
            slot.attempts = self.sql(|db| {
                let mut statement =
                    db.prepare("SELECT * FROM attempts WHERE nonce = ?1 ORDER BY ordinal")?;
                statement
                    .query_map([rows::nonce(slot.nonce)?], rows::attempt)?
                    .collect()
            })?;
        }
        Ok(slots)
    }

    /// A slot's bytes must be what its row says, signed by the owner: a flipped bit on disk must not be broadcast, nor hide that a nonce
    /// was signed for.
    fn verify(&self, slot: &Slot, owner: Owner) -> Result<()> {
        let nonce = slot.nonce;
        if slot.attempts.is_empty() {
            return Err(self.corrupt(format!("nonce {nonce} has no signed transaction")));
        }
        for attempt in &slot.attempts {
            let hash = attempt.hash;
            let wrong =
                |what: &str| self.corrupt(format!("transaction {hash} of nonce {nonce}: {what}"));
            let decoded = TxEnvelope::decode_2718(&mut attempt.raw.as_ref())
                .map_err(|error| wrong(&format!("its bytes do not decode: {error}")))?;
            if *decoded.tx_hash() != hash {
                return Err(wrong("its bytes have another hash"));
            }
            if decoded.nonce() != nonce || decoded.chain_id() != Some(owner.chain_id) {
                return Err(wrong("its bytes have another nonce or chain"));
            }
            let signer = decoded
                .signature()
                .recover_address_from_prehash(&decoded.signature_hash())
                .map_err(|error| wrong(&error.to_string()))?;
            if signer != owner.address {
                return Err(wrong(&format!("it is signed by {signer}")));
            }
        }
        Ok(())
    }
}

fn show(bytes: &[u8]) -> String {
    match <[u8; 8]>::try_from(bytes) {
        Ok(number) => u64::from_be_bytes(number).to_string(),
        Err(_) => alloy_primitives::hex::encode_prefixed(bytes),
    }
}

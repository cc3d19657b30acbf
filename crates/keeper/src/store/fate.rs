//! What became of an order, as far as another of the same may follow it.

use alloy_primitives::{Address, B256};
use rusqlite::OptionalExtension as _;

use super::{Store, StoreError};
use crate::identity::Fate;

impl Store {
    /// Whether the order with this identifier can still have an effect. One that ended without a success, or is in a block in which it
    /// had none, cannot; where its block leaves the chain, [`Store::unrealise`] takes that back.
    ///
    /// # Errors
    /// [`StoreError::Sqlite`].
    pub fn fate(&mut self, id: B256) -> Result<Fate, StoreError> {
        let row: Option<(bool, bool, Option<bool>)> = self.sqlite(|connection| {
            connection
                .prepare_cached(
                    "SELECT o.open, r.id IS NOT NULL, r.success FROM orders o LEFT JOIN realised r ON r.id = o.id
                     WHERE o.id = ?1",
                )?
                .query_row([id.as_slice()], |row| {
                    Ok((row.get(0)?, row.get(1)?, row.get(2)?))
                })
                .optional()
        })?;
        Ok(match row {
            None => Fate::Unknown,
            Some((_, _, Some(true)) | (true, false, _)) => Fate::Taken,
            Some(_) => Fate::Spent,
        })
    }

    /// Every account that was ever ordered for.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn accounts_ordered(&mut self) -> Result<Vec<Address>, StoreError> {
        let rows: Vec<Vec<u8>> = self.sqlite(|connection| {
            connection
                .prepare("SELECT DISTINCT account FROM orders")?
                .query_map([], |row| row.get(0))?
                .collect()
        })?;
        rows.iter()
            .map(|row| Address::try_from(row.as_slice()).map_err(|_| self.damaged("an order")))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{ActionKind, Ordered, Realised};

    #[test]
    fn an_order_is_spent_once_it_came_to_nothing_and_not_before() {
        let folder = tempfile::tempdir().unwrap();
        let open = || Store::open(folder.path(), 31_337, Address::ZERO).unwrap();
        let mut store = open();
        let (id, account) = (B256::repeat_byte(1), Address::repeat_byte(2));
        let ordered = Ordered {
            id,
            kind: ActionKind::Liquidate,
            account,
            collateral: 0,
            planned_block: 7,
            planned_at: 100,
            expected: 12.5,
            native_price: 2_000.0,
        };
        assert_eq!(store.fate(id).unwrap(), Fate::Unknown);
        assert!(store.accounts_ordered().unwrap().is_empty());
        store.order(&ordered).unwrap();
        assert_eq!(store.fate(id).unwrap(), Fate::Taken);
        assert_eq!(store.accounts_ordered().unwrap(), [account]);
        let realised = |success| Realised {
            id,
            hash: B256::repeat_byte(8),
            block: 9,
            success,
            gross: 0.0,
            gas: 3.0,
        };
        // Reverted or cancelled, it is spent; a block that leaves the chain takes that back.
        for success in [Some(false), None] {
            store.realise(&realised(success)).unwrap();
            store = open();
            assert_eq!(store.fate(id).unwrap(), Fate::Spent);
            store.unrealise(id).unwrap();
            assert_eq!(store.fate(id).unwrap(), Fate::Taken);
        }
        // Run out, dropped, or never sent.
        store.close_order(id).unwrap();
        assert_eq!(open().fate(id).unwrap(), Fate::Spent);
        store.order(&ordered).unwrap();
        assert_eq!(store.fate(id).unwrap(), Fate::Taken);
        // What had an effect had it for good.
        store.realise(&realised(Some(true))).unwrap();
        assert_eq!(store.fate(id).unwrap(), Fate::Taken);
        store.close_order(id).unwrap();
        assert_eq!(store.fate(id).unwrap(), Fate::Taken);
    }
}

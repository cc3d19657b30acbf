//! What was ordered: written before the sender is asked, so that a restart knows whose account a transaction under way is for.

use alloy_primitives::{Address, B256};
use rusqlite::{OptionalExtension as _, Row};

use super::{Store, StoreError, Write};

/// What an order does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ActionKind {
    /// Repay and seize.
    Liquidate,
    /// Close an insolvent position.
    Settle,
    /// Start an auction's clock.
    Flag,
    /// Record the depth for a collateral's bucket.
    RecordDepth,
    /// Let the backstop take a position, or a part of it.
    Absorb,
    /// Let the backstop close an insolvent position.
    SettleByBackstop,
    /// Start the clock of the backstop's sale.
    ObserveSale,
    /// Buy collateral of the backstop.
    BuyInventory,
}

impl ActionKind {
    /// As stored and shown.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Liquidate => "liquidate",
            Self::Settle => "settle",
            Self::Flag => "flag",
            Self::RecordDepth => "record-depth",
            Self::Absorb => "absorb",
            Self::SettleByBackstop => "settle-by-backstop",
            Self::ObserveSale => "observe-sale",
            Self::BuyInventory => "buy-inventory",
        }
    }

    /// Whether it repays debt, rather than prepare for that.
    #[must_use]
    pub const fn closes(self) -> bool {
        self.repays() || matches!(self, Self::Absorb | Self::SettleByBackstop)
    }

    /// Whether it brings nothing by itself, and its gain comes later.
    #[must_use]
    pub const fn prepares(self) -> bool {
        matches!(self, Self::Flag | Self::RecordDepth | Self::ObserveSale)
    }

    /// Whether it repays debt itself, by whatever capital, rather than by the backstop's.
    #[must_use]
    pub const fn repays(self) -> bool {
        matches!(self, Self::Liquidate | Self::Settle)
    }

    /// Whether another may come first and leave nothing, so that what became of it says how often we do.
    #[must_use]
    pub const fn competes(self) -> bool {
        self.closes() || matches!(self, Self::BuyInventory)
    }

    /// Whether it may take debt tokens, the account's own or a flash's.
    #[must_use]
    pub const fn spends(self) -> bool {
        self.repays() || matches!(self, Self::SettleByBackstop | Self::BuyInventory)
    }

    fn parse(name: &str) -> Option<Self> {
        [
            Self::Liquidate,
            Self::Settle,
            Self::Flag,
            Self::RecordDepth,
            Self::Absorb,
            Self::SettleByBackstop,
            Self::ObserveSale,
            Self::BuyInventory,
        ]
        .into_iter()
        .find(|kind| kind.name() == name)
    }
}

/// An order.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ordered {
    /// The sender's identifier.
    pub id: B256,
    /// What it does.
    pub kind: ActionKind,
    /// Whose position; the policy or the backstop where it is nobody's.
    pub account: Address,
    /// Which collateral.
    pub collateral: u32,
    /// The head at which it was planned.
    pub planned_block: u64,
    /// The time it was planned for.
    pub planned_at: u64,
    /// Profit expected, net of gas and margin; debt tokens.
    pub expected: f64,
    /// The native token in debt tokens when it was planned, for the gas.
    pub native_price: f64,
}

/// What came of an order that was included.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Realised {
    /// The order.
    pub id: B256,
    /// The transaction.
    pub hash: B256,
    /// Its block.
    pub block: u64,
    /// Whether the call succeeded; `None` if the order was cancelled, and this is what the cancellation cost.
    pub success: Option<bool>,
    /// Debt tokens received, less paid; with collateral that was kept (seized in inventory mode, a backstop's reward, bought of it) at the
    /// price it was planned at.
    pub gross: f64,
    /// Gas paid, debt tokens.
    pub gas: f64,
}

/// Everything realised in final transactions.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Totals {
    /// Before gas; debt tokens.
    pub gross: f64,
    /// Gas; debt tokens.
    pub gas: f64,
    /// Transactions that succeeded.
    pub succeeded: u64,
    /// Transactions that reverted.
    pub reverted: u64,
}

impl Store {
    /// Writes down an order before it is given to the sender. One that is there already is only opened again: the sender says
    /// what became of it.
    ///
    /// # Errors
    /// [`StoreError::Sqlite`].
    pub fn order(&mut self, order: &Ordered) -> Result<(), StoreError> {
        self.write(Write::Order, |connection| {
            connection
                .execute(
                    "INSERT INTO orders VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, 1)
                     ON CONFLICT (id) DO UPDATE SET open = 1",
                    (
                        order.id.as_slice(),
                        order.kind.name(),
                        order.account.as_slice(),
                        order.collateral,
                        order.planned_block as i64,
                        order.planned_at as i64,
                        order.expected,
                        order.native_price,
                    ),
                )
                .map(drop)
        })
    }

    /// The order with this identifier.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn ordered(&mut self, id: B256) -> Result<Option<Ordered>, StoreError> {
        let found = self.sqlite(|connection| {
            connection
                .query_row("SELECT * FROM orders WHERE id = ?1", [id.as_slice()], read)
                .optional()
        })?;
        found
            .map(|order| order.ok_or_else(|| self.damaged("an order")))
            .transpose()
    }

    /// Orders of which nothing final is known.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn open_orders(&mut self) -> Result<Vec<Ordered>, StoreError> {
        let rows = self.sqlite(|connection| {
            connection
                .prepare("SELECT * FROM orders WHERE open = 1 ORDER BY planned_block")?
                .query_map([], read)?
                .collect::<rusqlite::Result<Vec<_>>>()
        })?;
        rows.into_iter()
            .map(|order| order.ok_or_else(|| self.damaged("an order")))
            .collect()
    }

    /// Nothing more will become of an order.
    ///
    /// # Errors
    /// [`StoreError::Sqlite`].
    pub fn close_order(&mut self, id: B256) -> Result<(), StoreError> {
        self.write(Write::Closed, |connection| {
            let transaction = connection.transaction()?;
            transaction.execute("UPDATE orders SET open = 0 WHERE id = ?1", [id.as_slice()])?;
            transaction.execute(
                "UPDATE realised SET final = 1 WHERE id = ?1",
                [id.as_slice()],
            )?;
            transaction.commit()
        })
    }

    /// A transaction was sent for an order: liquidations in it are ours.
    ///
    /// # Errors
    /// [`StoreError::Sqlite`].
    pub fn sent(&mut self, id: B256, hash: B256) -> Result<(), StoreError> {
        self.write(Write::Sent, |connection| {
            let transaction = connection.transaction()?;
            transaction.execute(
                "INSERT OR IGNORE INTO transactions SELECT ?1, id FROM orders WHERE id = ?2",
                (hash.as_slice(), id.as_slice()),
            )?;
            // The block may have been read before the node's acknowledgement.
            transaction.execute(
                "UPDATE ledger SET reason = NULL, detail = '' WHERE hash = ?1",
                [hash.as_slice()],
            )?;
            transaction.commit()
        })
    }

    /// Whether a transaction is ours.
    ///
    /// # Errors
    /// [`StoreError::Sqlite`].
    pub fn is_ours(&mut self, hash: B256) -> Result<bool, StoreError> {
        self.sqlite(|connection| {
            connection.query_row(
                "SELECT EXISTS (SELECT 1 FROM transactions WHERE hash = ?1)",
                [hash.as_slice()],
                |row| row.get(0),
            )
        })
    }

    /// Whether what came of an order is written down.
    ///
    /// # Errors
    /// [`StoreError::Sqlite`].
    pub fn is_realised(&mut self, id: B256) -> Result<bool, StoreError> {
        self.sqlite(|connection| {
            connection.query_row(
                "SELECT EXISTS (SELECT 1 FROM realised WHERE id = ?1)",
                [id.as_slice()],
                |row| row.get(0),
            )
        })
    }

    /// What came of an order; a later inclusion replaces it. What was final stays so: a receipt may arrive late.
    ///
    /// # Errors
    /// [`StoreError::Sqlite`].
    pub fn realise(&mut self, realised: &Realised) -> Result<(), StoreError> {
        self.write(Write::Realised, |connection| {
            connection
                .execute(
                    "INSERT INTO realised VALUES (?1, ?2, ?3, ?4, ?5, ?6, 0)
                     ON CONFLICT (id) DO UPDATE SET hash = ?2, block = ?3, success = ?4, gross = ?5, gas = ?6",
                    (
                        realised.id.as_slice(),
                        realised.hash.as_slice(),
                        realised.block as i64,
                        realised.success,
                        realised.gross,
                        realised.gas,
                    ),
                )
                .map(drop)
        })
    }

    /// The block that an order was in has left the chain.
    ///
    /// # Errors
    /// [`StoreError::Sqlite`].
    pub fn unrealise(&mut self, id: B256) -> Result<(), StoreError> {
        self.write(Write::Unrealised, |connection| {
            connection
                .execute("DELETE FROM realised WHERE id = ?1", [id.as_slice()])
                .map(drop)
        })
    }

    /// Sums over what was realised, of final transactions or of all.
    ///
    /// # Errors
    /// [`StoreError::Sqlite`].
    pub fn totals(&mut self, only_final: bool) -> Result<Totals, StoreError> {
        self.sqlite(|connection| {
            connection.query_row(
                "SELECT COALESCE(SUM(gross), 0.0), COALESCE(SUM(gas), 0.0), COALESCE(SUM(success), 0),
                        COALESCE(SUM(1 - success), 0)
                 FROM realised WHERE final >= ?1",
                [only_final],
                |row| {
                    Ok(Totals {
                        gross: row.get(0)?,
                        gas: row.get(1)?,
                        succeeded: row.get::<_, i64>(2)? as u64,
                        reverted: row.get::<_, i64>(3)? as u64,
                    })
                },
            )
        })
    }
}

/// `None` if a value is not what this program writes.
fn read(row: &Row<'_>) -> rusqlite::Result<Option<Ordered>> {
    let (id, kind, account): (Vec<u8>, String, Vec<u8>) = (row.get(0)?, row.get(1)?, row.get(2)?);
    let (planned_block, planned_at): (i64, i64) = (row.get(4)?, row.get(5)?);
    let (collateral, expected, native_price) = (row.get(3)?, row.get(6)?, row.get(7)?);
    Ok((|| {
        Some(Ordered {
            id: B256::try_from(id.as_slice()).ok()?,
            kind: ActionKind::parse(&kind)?,
            account: Address::try_from(account.as_slice()).ok()?,
            collateral,
            planned_block: planned_block as u64,
            planned_at: planned_at as u64,
            expected,
            native_price,
        })
    })())
}

//! Rows and back. Amounts are big-endian blobs, since SQLite's integers end at 2⁶³; 64-bit counts that are never compared in SQL
//! keep their bits.

use alloy_primitives::{Address, B256, Bytes, U256};
use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ToSql, ToSqlOutput, ValueRef};
use rusqlite::{Connection, OptionalExtension, Row, Transaction, params};

use crate::fees::Fees;
use crate::slot::{Attempt, Goal};
use crate::{Cause, Inclusion, Order, OrderState};

/// State of a nonce on disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum StateRow {
    Open,
    Included,
    Final,
    Foreign,
    ForeignFinal,
}

const STATES: [StateRow; 5] = [
    StateRow::Open,
    StateRow::Included,
    StateRow::Final,
    StateRow::Foreign,
    StateRow::ForeignFinal,
];

impl ToSql for StateRow {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::from(*self as i64))
    }
}

impl FromSql for StateRow {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        let index = value.as_i64()?;
        let state = usize::try_from(index)
            .ok()
            .and_then(|index| STATES.get(index));
        state.copied().ok_or(FromSqlError::OutOfRange(index))
    }
}

/// Goal of a nonce on disk.
pub(super) struct GoalRow<'a> {
    pub goal: i64,
    pub reason: &'a str,
}

impl<'a> From<&'a Goal> for GoalRow<'a> {
    fn from(goal: &'a Goal) -> Self {
        match goal {
            Goal::Execute => Self {
                goal: 0,
                reason: "",
            },
            Goal::Cancel(Cause::Expired) => Self {
                goal: 1,
                reason: "",
            },
            Goal::Cancel(Cause::Rejected(reason)) => Self { goal: 2, reason },
            Goal::Fill => Self {
                goal: 3,
                reason: "",
            },
            Goal::Cancel(Cause::Outpriced) => Self {
                goal: 4,
                reason: "",
            },
        }
    }
}

pub(super) fn goal(goal: i64, reason: String) -> rusqlite::Result<Goal> {
    match goal {
        0 => Ok(Goal::Execute),
        1 => Ok(Goal::Cancel(Cause::Expired)),
        2 => Ok(Goal::Cancel(Cause::Rejected(reason))),
        3 => Ok(Goal::Fill),
        4 => Ok(Goal::Cancel(Cause::Outpriced)),
        other => Err(FromSqlError::OutOfRange(other).into()),
    }
}

pub(super) fn amount(value: u128) -> [u8; 16] {
    value.to_be_bytes()
}

/// A nonce is compared and ordered in SQL, so it has to be an SQLite integer. No account gets to 2⁶³.
pub(super) fn nonce(nonce: u64) -> rusqlite::Result<i64> {
    i64::try_from(nonce).map_err(|error| rusqlite::Error::ToSqlConversionFailure(error.into()))
}

pub(super) fn blob<const N: usize>(row: &Row<'_>, column: &str) -> rusqlite::Result<[u8; N]> {
    row.get(column)
}

pub(super) fn count(row: &Row<'_>, column: &str) -> rusqlite::Result<u64> {
    row.get(column).map(i64::cast_unsigned)
}

pub(super) fn wei(row: &Row<'_>, column: &str) -> rusqlite::Result<u128> {
    blob(row, column).map(u128::from_be_bytes)
}

pub(super) fn insert_order(db: &Transaction<'_>, order: &Order) -> rusqlite::Result<()> {
    db.execute(
        "INSERT INTO orders (id, label, callee, data, value, gas_limit, max_fee, priority, ceiling, valid_until) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
        params![
            order.id.as_slice(),
            order.label,
            order.to.as_slice(),
            order.data.as_ref(),
            order.value.to_be_bytes::<32>(),
            order.gas_limit.cast_signed(),
            amount(order.max_fee_per_gas),
            amount(order.max_priority_fee_per_gas),
            amount(order.max_fee_ceiling),
            order.valid_until.cast_signed(),
        ],
    )
    .map(|_| ())
}

pub(super) fn order(row: &Row<'_>) -> rusqlite::Result<Order> {
    Ok(Order {
        id: B256::from(blob(row, "id")?),
        label: row.get("label")?,
        to: Address::from(blob(row, "callee")?),
        data: Bytes::from(row.get::<_, Vec<u8>>("data")?),
        value: U256::from_be_bytes(blob::<32>(row, "value")?),
        gas_limit: count(row, "gas_limit")?,
        max_fee_per_gas: wei(row, "max_fee")?,
        max_priority_fee_per_gas: wei(row, "priority")?,
        max_fee_ceiling: wei(row, "ceiling")?,
        valid_until: count(row, "valid_until")?,
    })
}

pub(super) fn insert_attempt(
    db: &Transaction<'_>,
    of: u64,
    ordinal: usize,
    attempt: &Attempt,
) -> rusqlite::Result<()> {
    db.execute(
        "INSERT INTO attempts (hash, nonce, ordinal, cancels, max_fee, priority, raw) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        params![
            attempt.hash.as_slice(),
            nonce(of)?,
            i64::try_from(ordinal).unwrap_or(i64::MAX),
            attempt.cancels,
            amount(attempt.fees.max_fee),
            amount(attempt.fees.priority),
            attempt.raw.as_ref(),
        ],
    )
    .map(|_| ())
}

pub(super) fn attempt(row: &Row<'_>) -> rusqlite::Result<Attempt> {
    Ok(Attempt {
        hash: B256::from(blob(row, "hash")?),
        fees: Fees {
            max_fee: wei(row, "max_fee")?,
            priority: wei(row, "priority")?,
        },
        cancels: row.get("cancels")?,
        raw: Bytes::from(row.get::<_, Vec<u8>>("raw")?),
        acknowledged: row.get("acknowledged")?,
    })
}

pub(super) fn include(db: &Transaction<'_>, inclusion: &Inclusion) -> rusqlite::Result<()> {
    db.execute(
        "UPDATE slots SET state = ?2, tx_hash = ?3, block_number = ?4, block_hash = ?5, success = ?6, gas_used = ?7, \
         gas_price = ?8 WHERE nonce = ?1",
        params![
            nonce(inclusion.nonce)?,
            StateRow::Included,
            inclusion.hash.as_slice(),
            inclusion.block_number.cast_signed(),
            inclusion.block_hash.as_slice(),
            inclusion.success,
            inclusion.gas_used.cast_signed(),
            amount(inclusion.effective_gas_price),
        ],
    )
    .map(|_| ())
}

pub(super) fn inclusion(row: &Row<'_>) -> rusqlite::Result<Inclusion> {
    Ok(Inclusion {
        hash: B256::from(blob(row, "tx_hash")?),
        nonce: count(row, "nonce")?,
        block_number: count(row, "block_number")?,
        block_hash: B256::from(blob(row, "block_hash")?),
        success: row.get("success")?,
        gas_used: count(row, "gas_used")?,
        effective_gas_price: wei(row, "gas_price")?,
    })
}

pub(super) fn lookup(db: &Connection, id: B256) -> rusqlite::Result<Option<OrderState>> {
    db.query_row(
        "SELECT o.expired, s.*, a.cancels FROM orders o LEFT JOIN slots s ON s.order_id = o.id \
         LEFT JOIN attempts a ON a.hash = s.tx_hash WHERE o.id = ?1",
        [id.as_slice()],
        |row| {
            let Some(nonce) = row.get::<_, Option<i64>>("nonce")? else {
                let expired: bool = row.get("expired")?;
                return Ok(if expired {
                    OrderState::Expired
                } else {
                    OrderState::Planned
                });
            };
            let state = row.get("state")?;
            let goal = goal(row.get("goal")?, row.get("reason")?)?;
            match (state, goal) {
                (StateRow::Open, Goal::Cancel(cause)) => Ok(OrderState::Cancelling(cause)),
                (StateRow::Open, _) => Ok(OrderState::InFlight {
                    nonce: nonce.cast_unsigned(),
                }),
                (StateRow::Foreign | StateRow::ForeignFinal, _) => Ok(OrderState::Dropped {
                    is_final: state == StateRow::ForeignFinal,
                }),
                (StateRow::Included | StateRow::Final, goal) => {
                    let inclusion = inclusion(row)?;
                    match goal {
                        Goal::Cancel(cause) if row.get("cancels")? => Ok(OrderState::Cancelled {
                            cause,
                            inclusion,
                            is_final: state == StateRow::Final,
                        }),
                        _ if state == StateRow::Final => Ok(OrderState::Final(inclusion)),
                        _ => Ok(OrderState::Included(inclusion)),
                    }
                }
            }
        },
    )
    .optional()
}

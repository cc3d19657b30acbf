//! The two tables of a run: `blocks` and `liquidations`. A column is named like the field of the row it holds; the
//! health-factor histogram becomes one column a bin.

use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, RecordBatch};
use arrow::datatypes::{Field, Schema};
use breakwater_sim::trace::{
    AbsorptionRow, BackstopRow, BlockRow, HEALTH_BIN_EDGES, HEALTH_BINS, LiquidationRow,
};
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::basic::Compression;
use parquet::file::metadata::KeyValue;
use parquet::file::properties::WriterProperties;

use super::StoreError;
use super::columns::Cell;

/// A row that has a table.
trait Table: Sized {
    /// The table's columns.
    fn fields() -> Vec<Field>;
    /// The columns of these rows.
    fn columns(rows: &[Self]) -> Vec<ArrayRef>;
    /// The rows of a batch.
    fn rows(batch: &RecordBatch, path: &Path) -> Result<Vec<Self>, StoreError>;
}

/// Implements [`Table`] for a row type from its fields in order; `bins` names a field that is an array of `u32`.
macro_rules! table {
    ($row:ty { $($field:ident: $type:ty),* $(,)? } $(bins $bins:ident: $names:ident)?) => {
        impl Table for $row {
            fn fields() -> Vec<Field> {
                #[allow(unused_mut)]
                let mut fields = vec![$(Field::new(stringify!($field), <$type as Cell>::TYPE, false)),*];
                $(fields.extend($names().map(|name| Field::new(name, <u32 as Cell>::TYPE, false)));)?
                fields
            }

            fn columns(rows: &[Self]) -> Vec<ArrayRef> {
                #[allow(unused_mut)]
                let mut columns = vec![$(<$type as Cell>::column(rows.iter().map(|row| row.$field.clone()))),*];
                $(columns.extend((0..HEALTH_BINS).map(|bin| <u32 as Cell>::column(rows.iter().map(|row| row.$bins[bin]))));)?
                columns
            }

            fn rows(batch: &RecordBatch, path: &Path) -> Result<Vec<Self>, StoreError> {
                $(let mut $field = values::<$type>(batch, stringify!($field), path)?.into_iter();)*
                $(let $bins = $names().map(|name| values::<u32>(batch, &name, path)).collect::<Result<Vec<_>, _>>()?;)?
                let next = |_row: usize| {
                    Some(Self {
                        $($field: $field.next()?,)*
                        $($bins: std::array::from_fn(|bin| $bins[bin][_row]),)?
                    })
                };
                Ok((0..batch.num_rows()).map_while(next).collect())
            }
        }
    };
}

table!(BlockRow {
    policy: String,
    block: u64,
    timestamp: u64,
    exogenous_price: f64,
    reference_price: f64,
    venue_price: f64,
    fast_price: f64,
    slow_price: f64,
    confirm_price: f64,
    base_fee_gwei: f64,
    gas_used: u64,
    background_gas: u64,
    transactions: u64,
    reverted: u64,
    waiting: u64,
    dropped: u64,
    breaker_level: u8,
    bucket_level: f64,
    bucket_capacity: f64,
    accounts: u64,
    unhealthy: u64,
    insolvent: u64,
    shortfall: f64,
    written_off: f64,
    lender_loss: f64,
    debt: f64,
    collateral: f64,
    lender_assets: f64,
    cash: f64,
    utilisation: f64,
    keeper_profit: f64,
    arbitrage_profit: f64,
    adversary_profit: f64,
    venue_liquidity: f64,
} bins health_histogram: bin_names);

table!(LiquidationRow {
    policy: String,
    block: u64,
    index: u64,
    keeper: u32,
    account: u32,
    settlement: bool,
    repaid: f64,
    seized: f64,
    written_off: f64,
    bonus: f64,
    debt: f64,
    waited: u64,
    health_before: f64,
    health_after: f64,
    health_hard: f64,
    fast_price: f64,
    reference_price: f64,
    venue_price_before: f64,
    venue_price_after: f64,
    gas_used: u64,
    gas_price_gwei: f64,
    profit: f64,
});

table!(BackstopRow {
    policy: String,
    block: u64,
    assets: f64,
    entering: f64,
    leaving: f64,
    inventory: f64,
    sale_open: bool,
    sale_price: f64,
    for_sale: f64,
    deposits: f64,
    absorbed: f64,
    received: f64,
    discount: f64,
    released: f64,
    release_proceeds: f64,
    premium: f64,
    claimed_assets: f64,
    claimed_collateral: f64,
    dumped: f64,
    dump_proceeds: f64,
    depositor_gas: f64,
    depositor_profit: f64,
    caller_profit: f64,
    buyer_profit: f64,
    entries: u64,
    exits: u64,
    exit_wait: u64,
    longest_exit_wait: u64,
});

table!(AbsorptionRow {
    policy: String,
    block: u64,
    index: u64,
    account: u32,
    settlement: bool,
    repaid: f64,
    absorbed: f64,
    received: f64,
    handed_over: f64,
    written_off: f64,
    bonus: f64,
    health_before: f64,
    health_after: f64,
    health_hard: f64,
    fast_price: f64,
    reference_price: f64,
    gas_used: u64,
    gas_price_gwei: f64,
    profit: f64,
});

/// The columns' names of the health-factor histogram: `health_below_0_90`, …, `health_from_3_00`.
fn bin_names() -> impl Iterator<Item = String> {
    (0..HEALTH_BINS).map(|bin| {
        let name = match (HEALTH_BIN_EDGES.get(bin), HEALTH_BIN_EDGES.last()) {
            (Some(edge), _) => format!("health_below_{edge:.2}"),
            (None, Some(last)) => format!("health_from_{last:.2}"),
            (None, None) => "health".to_owned(),
        };
        name.replace('.', "_")
    })
}

/// The values of a named column.
fn values<T: Cell>(batch: &RecordBatch, name: &str, path: &Path) -> Result<Vec<T>, StoreError> {
    batch
        .column_by_name(name)
        .map(|column| column as &dyn Array)
        .and_then(T::values)
        .ok_or_else(|| StoreError::Column {
            path: path.to_path_buf(),
            column: name.to_owned(),
            expected: T::TYPE_NAME,
        })
}

/// Writes the worlds' block rows to `path`, one row group a world, with `metadata` in the file's footer.
///
/// # Errors
/// [`StoreError`] if the file cannot be written.
pub fn write_blocks(
    path: &Path,
    worlds: &[&[BlockRow]],
    metadata: &[(&str, String)],
) -> Result<(), StoreError> {
    write(path, worlds, metadata)
}

/// Writes the worlds' liquidation rows to `path`, one row group a world, with `metadata` in the file's footer.
///
/// # Errors
/// [`StoreError`] if the file cannot be written.
pub fn write_liquidations(
    path: &Path,
    worlds: &[&[LiquidationRow]],
    metadata: &[(&str, String)],
) -> Result<(), StoreError> {
    write(path, worlds, metadata)
}

/// Writes the worlds' backstop rows to `path`, one row group a world, with `metadata` in the file's footer.
///
/// # Errors
/// [`StoreError`] if the file cannot be written.
pub fn write_backstop(
    path: &Path,
    worlds: &[&[BackstopRow]],
    metadata: &[(&str, String)],
) -> Result<(), StoreError> {
    write(path, worlds, metadata)
}

/// Writes the worlds' absorptions to `path`, one row group a world, with `metadata` in the file's footer.
///
/// # Errors
/// [`StoreError`] if the file cannot be written.
pub fn write_absorptions(
    path: &Path,
    worlds: &[&[AbsorptionRow]],
    metadata: &[(&str, String)],
) -> Result<(), StoreError> {
    write(path, worlds, metadata)
}

/// Reads what [`write_backstop`] wrote, all worlds one after another.
///
/// # Errors
/// [`StoreError`] if the file cannot be read or a column is missing or of another type.
pub fn read_backstop(path: &Path) -> Result<Vec<BackstopRow>, StoreError> {
    read(path)
}

/// Reads what [`write_absorptions`] wrote, all worlds one after another.
///
/// # Errors
/// [`StoreError`] if the file cannot be read or a column is missing or of another type.
pub fn read_absorptions(path: &Path) -> Result<Vec<AbsorptionRow>, StoreError> {
    read(path)
}

/// Reads what [`write_blocks`] wrote, all worlds one after another.
///
/// # Errors
/// [`StoreError`] if the file cannot be read or a column is missing or of another type.
pub fn read_blocks(path: &Path) -> Result<Vec<BlockRow>, StoreError> {
    read(path)
}

/// Reads what [`write_liquidations`] wrote, all worlds one after another.
///
/// # Errors
/// [`StoreError`] if the file cannot be read or a column is missing or of another type.
pub fn read_liquidations(path: &Path) -> Result<Vec<LiquidationRow>, StoreError> {
    read(path)
}

/// Writes a table of rows.
fn write<T: Table>(
    path: &Path,
    worlds: &[&[T]],
    metadata: &[(&str, String)],
) -> Result<(), StoreError> {
    let groups = worlds.iter().map(|rows| T::columns(rows));
    write_columns(path, T::fields(), groups, metadata)
}

/// Writes a table, one row group for each group of columns. What goes into the file depends on the columns and the metadata
/// only: no time, no library version.
pub(crate) fn write_columns(
    path: &Path,
    fields: Vec<Field>,
    groups: impl Iterator<Item = Vec<ArrayRef>>,
    metadata: &[(&str, String)],
) -> Result<(), StoreError> {
    let parquet = |source| StoreError::Parquet {
        path: path.to_path_buf(),
        source,
    };
    let file = |source| StoreError::File {
        path: path.to_path_buf(),
        source,
    };
    let metadata = metadata
        .iter()
        .map(|(key, value)| KeyValue::new((*key).to_owned(), value.clone()))
        .collect();
    let properties = WriterProperties::builder()
        .set_compression(Compression::SNAPPY)
        .set_created_by("breakwater".to_owned())
        .set_key_value_metadata(Some(metadata))
        .build();
    let schema = Arc::new(Schema::new(fields));
    let mut writer = ArrowWriter::try_new(
        File::create(path).map_err(file)?,
        Arc::clone(&schema),
        Some(properties),
    )
    .map_err(parquet)?;
    for columns in groups {
        let batch = RecordBatch::try_new(Arc::clone(&schema), columns).map_err(|source| {
            StoreError::Arrow {
                path: path.to_path_buf(),
                source,
            }
        })?;
        writer
            .write(&batch)
            .and_then(|()| writer.flush())
            .map_err(parquet)?;
    }
    writer
        .into_inner()
        .map_err(parquet)?
        .sync_all()
        .map_err(file)
}

/// Reads a table.
fn read<T: Table>(path: &Path) -> Result<Vec<T>, StoreError> {
    let parquet = |source| StoreError::Parquet {
        path: path.to_path_buf(),
        source,
    };
    let file = File::open(path).map_err(|source| StoreError::File {
        path: path.to_path_buf(),
        source,
    })?;
    let reader = ParquetRecordBatchReaderBuilder::try_new(file)
        .and_then(|builder| builder.build())
        .map_err(parquet)?;
    let mut rows = Vec::new();
    for batch in reader {
        let batch = batch.map_err(|source| StoreError::Arrow {
            path: path.to_path_buf(),
            source,
        })?;
        rows.extend(T::rows(&batch, path)?);
    }
    Ok(rows)
}

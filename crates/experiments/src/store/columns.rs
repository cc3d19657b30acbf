//! How one field of a row becomes a column and comes back.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, Float64Array, StringArray, UInt8Array, UInt32Array,
    UInt64Array,
};
use arrow::datatypes::{DataType, Float64Type, UInt8Type, UInt32Type, UInt64Type};

/// A type that has a column type.
pub(super) trait Cell: Sized {
    /// The column's type.
    const TYPE: DataType;
    /// The column's type as an error names it.
    const TYPE_NAME: &'static str;
    /// A column of these values.
    fn column(values: impl Iterator<Item = Self>) -> ArrayRef;
    /// The values of a column; `None` if its type is another or a value is missing.
    fn values(column: &dyn Array) -> Option<Vec<Self>>;
}

/// Implements [`Cell`] for a number.
macro_rules! number {
    ($type:ty, $data_type:ident, $array:ident, $arrow:ident) => {
        impl Cell for $type {
            const TYPE: DataType = DataType::$data_type;
            const TYPE_NAME: &'static str = stringify!($data_type);

            fn column(values: impl Iterator<Item = Self>) -> ArrayRef {
                Arc::new($array::from_iter_values(values))
            }

            fn values(column: &dyn Array) -> Option<Vec<Self>> {
                let column = column.as_primitive_opt::<$arrow>()?;
                (column.null_count() == 0).then(|| column.values().to_vec())
            }
        }
    };
}

number!(u8, UInt8, UInt8Array, UInt8Type);
number!(u32, UInt32, UInt32Array, UInt32Type);
number!(u64, UInt64, UInt64Array, UInt64Type);
number!(f64, Float64, Float64Array, Float64Type);

impl Cell for bool {
    const TYPE: DataType = DataType::Boolean;
    const TYPE_NAME: &'static str = "Boolean";

    fn column(values: impl Iterator<Item = Self>) -> ArrayRef {
        Arc::new(BooleanArray::from(values.collect::<Vec<_>>()))
    }

    fn values(column: &dyn Array) -> Option<Vec<Self>> {
        let column = column.as_boolean_opt()?;
        (column.null_count() == 0).then(|| column.values().iter().collect())
    }
}

impl Cell for String {
    const TYPE: DataType = DataType::Utf8;
    const TYPE_NAME: &'static str = "Utf8";

    fn column(values: impl Iterator<Item = Self>) -> ArrayRef {
        Arc::new(StringArray::from_iter_values(values))
    }

    fn values(column: &dyn Array) -> Option<Vec<Self>> {
        let column = column.as_string_opt::<i32>()?;
        column
            .iter()
            .map(|value| value.map(str::to_owned))
            .collect()
    }
}

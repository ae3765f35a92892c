//! In which Arrow types the lake keeps what a query returns.
//!
//! A query may return text and lists in several layouts, dictionaries, units of time that Parquet does not know. A new table gets
//! types that every DuckLake client reads; the rows are cast to their table's types in one place, [`cast_to`].

use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::compute::{CastOptions, cast_with_options};
use arrow::datatypes::{DataType, Field, FieldRef, Fields, Schema, SchemaRef, TimeUnit};
use arrow::error::ArrowError;

/// The type in which a new table keeps values of a type: plain text, plain lists, NULL allowed everywhere. Spans of time are kept as
/// text, because Parquet has none to the nanosecond; a column of nothing but NULL is one of text.
pub(super) fn storable(data_type: &DataType) -> DataType {
    match data_type {
        DataType::Null | DataType::Duration(_) | DataType::Interval(_) => DataType::Utf8,
        DataType::FixedSizeBinary(_) => DataType::Binary,
        DataType::Dictionary(_, values) => storable(values),
        DataType::RunEndEncoded(_, values) => storable(values.data_type()),
        DataType::Float16 => DataType::Float32,
        DataType::Decimal32(precision, scale) | DataType::Decimal64(precision, scale) => {
            DataType::Decimal128(*precision, *scale)
        }
        DataType::Date64 => DataType::Date32,
        DataType::Time32(_) | DataType::Time64(_) => DataType::Time64(TimeUnit::Microsecond),
        DataType::Timestamp(TimeUnit::Second | TimeUnit::Millisecond, zone) => {
            DataType::Timestamp(TimeUnit::Microsecond, zone.as_ref().map(|_| "UTC".into()))
        }
        DataType::Timestamp(unit, Some(_)) => DataType::Timestamp(*unit, Some("UTC".into())),
        other => layout(other, storable),
    }
}

/// The same type in a layout that every reader of Parquet knows: text and bytes in no views.
pub(super) fn plain(data_type: &DataType) -> DataType {
    layout(data_type, plain)
}

/// Plain text, bytes and lists, of items that `item` has.
fn layout(data_type: &DataType, item: fn(&DataType) -> DataType) -> DataType {
    let child = |field: &FieldRef| Field::new(field.name(), item(field.data_type()), true);
    match data_type {
        DataType::Utf8View | DataType::LargeUtf8 => DataType::Utf8,
        DataType::BinaryView | DataType::LargeBinary => DataType::Binary,
        DataType::List(field)
        | DataType::LargeList(field)
        | DataType::ListView(field)
        | DataType::LargeListView(field)
        | DataType::FixedSizeList(field, _) => {
            DataType::List(Arc::new(Field::new_list_field(item(field.data_type()), true)))
        }
        DataType::Struct(fields) => DataType::Struct(fields.iter().map(child).collect::<Fields>()),
        DataType::Map(entries, sorted) => match entries.data_type() {
            DataType::Struct(pair) => {
                // The key of a map is never NULL.
                let pair = pair.iter().zip([false, true]).map(|(field, nullable)| child(field).with_nullable(nullable));
                let pair = DataType::Struct(pair.collect::<Fields>());
                DataType::Map(Arc::new(Field::new(entries.name(), pair, false)), *sorted)
            }
            _ => data_type.clone(),
        },
        other => other.clone(),
    }
}

/// The columns of `schema` with other types; NULL is allowed in a column where it is allowed there, or everywhere if `nullable`.
pub(super) fn with_types(schema: &Schema, nullable: bool, types: fn(&DataType) -> DataType) -> SchemaRef {
    let field = |f: &FieldRef| Field::new(f.name(), types(f.data_type()), nullable || f.is_nullable());
    Arc::new(Schema::new(schema.fields().iter().map(field).collect::<Fields>()))
}

/// The rows of `batch` as columns of `schema`, by their places.
///
/// # Errors
/// A value that the type of its column cannot hold.
pub(super) fn cast_to(batch: &RecordBatch, schema: &SchemaRef) -> Result<RecordBatch, ArrowError> {
    let strict = CastOptions { safe: false, ..CastOptions::default() };
    let columns = batch.columns().iter().zip(schema.fields()).map(|(column, field)| {
        let cast = cast_with_options(column, field.data_type(), &strict);
        cast.map_err(|e| ArrowError::CastError(format!("column '{}': {e}", field.name())))
    });
    RecordBatch::try_new(schema.clone(), columns.collect::<Result<_, _>>()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_stored_has_plain_lists_and_may_be_null() {
        let peak = DataType::Struct(Fields::from(vec![
            Field::new("d", DataType::Float64, false),
            Field::new("hkl", DataType::new_fixed_size_list(DataType::Int32, 3, false), false),
        ]));
        let stored = storable(&DataType::new_large_list(peak, false));
        let expected = DataType::Struct(Fields::from(vec![
            Field::new("d", DataType::Float64, true),
            Field::new("hkl", DataType::new_list(DataType::Int32, true), true),
        ]));
        assert_eq!(stored, DataType::new_list(expected, true));
    }

    #[test]
    fn a_layout_is_no_other_type() {
        let text = DataType::new_list(DataType::Utf8View, true);
        assert_eq!(plain(&text), DataType::new_list(DataType::Utf8, true));
        let seconds = DataType::Timestamp(TimeUnit::Second, None);
        assert_eq!(plain(&seconds), seconds);
        assert_eq!(storable(&seconds), DataType::Timestamp(TimeUnit::Microsecond, None));
        let dictionary = DataType::Dictionary(Box::new(DataType::Int8), Box::new(DataType::Utf8View));
        assert_eq!(storable(&dictionary), DataType::Utf8);
    }
}

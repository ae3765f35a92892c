//! Arrow columns as serde reads them: each row is the object that a line of JSON would be, with no text in between.
//!
//! A NULL member of a struct is left out; NaN and infinities are null, as JSON has none of them. A number of 32 bits is the decimal
//! that it is printed as (0.1 and not 0.10000000149); dates and times are texts.

use arrow::array::{Array, AsArray, RecordBatch, StructArray};
use arrow::datatypes::{
    DataType, Float16Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type, UInt8Type, UInt16Type,
    UInt32Type, UInt64Type,
};
use arrow::util::display::{ArrayFormatter, FormatOptions};
use serde::de::{
    Deserialize, DeserializeOwned, Deserializer, Error as _, IntoDeserializer, Visitor,
    value::{BorrowedStrDeserializer, MapDeserializer, SeqDeserializer},
};
use serde_json::{Error, Number};

/// One value of a column.
#[derive(Debug, Clone, Copy)]
pub struct Cell<'a> {
    column: &'a dyn Array,
    row: usize,
}

/// The rows of a batch.
///
/// # Errors
/// The first value that `T` cannot be read from.
pub fn rows<T: DeserializeOwned>(batch: RecordBatch) -> Result<Vec<T>, Error> {
    let rows = StructArray::from(batch);
    (0..rows.len()).map(|row| T::deserialize(Cell::new(&rows, row))).collect()
}

impl<'a> Cell<'a> {
    /// The value of `column` in row `row`, from 0.
    pub fn new(column: &'a dyn Array, row: usize) -> Self {
        Self { column, row }
    }

    /// A number, or nothing where it is none.
    fn real(self) -> Option<f64> {
        let Self { column, row } = self;
        let decimal = |x: f32| x.to_string().parse().unwrap_or(f64::NAN);
        let x = match column.data_type() {
            DataType::Float64 => column.as_primitive::<Float64Type>().value(row),
            DataType::Float32 => decimal(column.as_primitive::<Float32Type>().value(row)),
            _ => decimal(column.as_primitive::<Float16Type>().value(row).to_f32()),
        };
        Some(x).filter(|x| x.is_finite())
    }

    fn is_null(self) -> bool {
        *self.column.data_type() == DataType::Null || self.column.is_null(self.row)
    }
}

/// The values of `column` in some rows, as a list.
fn list<'de, V: Visitor<'de>>(column: &'de dyn Array, begin: usize, end: usize, visitor: V) -> Result<V::Value, Error> {
    SeqDeserializer::new((begin..end).map(|row| Cell { column, row })).deserialize_any(visitor)
}

impl<'de> Deserializer<'de> for Cell<'de> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        let Self { column, row } = self;
        if self.is_null() {
            return visitor.visit_unit();
        }
        match column.data_type() {
            DataType::Boolean => visitor.visit_bool(column.as_boolean().value(row)),
            DataType::Int8 => visitor.visit_i8(column.as_primitive::<Int8Type>().value(row)),
            DataType::Int16 => visitor.visit_i16(column.as_primitive::<Int16Type>().value(row)),
            DataType::Int32 => visitor.visit_i32(column.as_primitive::<Int32Type>().value(row)),
            DataType::Int64 => visitor.visit_i64(column.as_primitive::<Int64Type>().value(row)),
            DataType::UInt8 => visitor.visit_u8(column.as_primitive::<UInt8Type>().value(row)),
            DataType::UInt16 => visitor.visit_u16(column.as_primitive::<UInt16Type>().value(row)),
            DataType::UInt32 => visitor.visit_u32(column.as_primitive::<UInt32Type>().value(row)),
            DataType::UInt64 => visitor.visit_u64(column.as_primitive::<UInt64Type>().value(row)),
            kind if kind.is_floating() => match self.real() {
                Some(x) => visitor.visit_f64(x),
                None => visitor.visit_unit(),
            },
            DataType::Utf8 => visitor.visit_borrowed_str(column.as_string::<i32>().value(row)),
            DataType::LargeUtf8 => visitor.visit_borrowed_str(column.as_string::<i64>().value(row)),
            DataType::Utf8View => visitor.visit_borrowed_str(column.as_string_view().value(row)),
            DataType::List(_) => {
                let (values, ends) = (column.as_list::<i32>().values(), column.as_list::<i32>().value_offsets());
                list(values, ends[row] as usize, ends[row + 1] as usize, visitor)
            }
            DataType::LargeList(_) => {
                let (values, ends) = (column.as_list::<i64>().values(), column.as_list::<i64>().value_offsets());
                list(values, ends[row] as usize, ends[row + 1] as usize, visitor)
            }
            DataType::FixedSizeList(_, size) => {
                let size = *size as usize;
                list(column.as_fixed_size_list().values(), row * size, (row + 1) * size, visitor)
            }
            DataType::Struct(fields) => {
                let names = fields.iter().map(|field| BorrowedStrDeserializer::<Error>::new(field.name()));
                let members = names.zip(column.as_struct().columns().iter().map(|column| Cell { column, row }));
                MapDeserializer::new(members.filter(|(_, member)| !member.is_null())).deserialize_any(visitor)
            }
            DataType::Map(..) => {
                let (entries, ends) = (column.as_map(), column.as_map().value_offsets());
                let member = |row| (Cell { column: entries.keys(), row }, Cell { column: entries.values(), row });
                let rows = ends[row] as usize..ends[row + 1] as usize;
                MapDeserializer::new(rows.map(member)).deserialize_any(visitor)
            }
            DataType::Dictionary(..) => {
                let dictionary = column.as_any_dictionary();
                let key = usize::deserialize(Cell { column: dictionary.keys(), row })?;
                Cell { column: dictionary.values(), row: key }.deserialize_any(visitor)
            }
            kind => {
                let options = FormatOptions::default();
                let text = ArrayFormatter::try_new(column, &options).map_err(Error::custom)?;
                let text = text.value(row).try_to_string().map_err(Error::custom)?;
                match kind.is_decimal() {
                    true => text.parse::<Number>()?.deserialize_any(visitor),
                    false => visitor.visit_string(text),
                }
            }
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        let is_none = self.is_null() || self.column.data_type().is_floating() && self.real().is_none();
        if is_none { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_unit()
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct seq tuple tuple_struct
        map struct enum identifier
    }
}

impl<'de> IntoDeserializer<'de, Error> for Cell<'de> {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{
        ArrayRef, BooleanArray, Date32Array, Decimal128Array, DictionaryArray, FixedSizeListArray, Float32Array,
        Float64Array, Int8Array, Int32Array, Int64Array, LargeListArray, LargeStringArray, ListArray, MapBuilder,
        NullArray, StringArray, StringBuilder, StringViewArray, TimestampMicrosecondArray, UInt64Array,
    };
    use arrow::datatypes::{Field, Int32Type};
    use arrow::json::LineDelimitedWriter;
    use serde_json::Value;

    use super::*;

    /// Two rows of every kind of column, the second with what is missing.
    fn batch() -> RecordBatch {
        let mut map = MapBuilder::new(None, StringBuilder::new(), arrow::array::Int32Builder::new());
        map.keys().append_value("a");
        map.values().append_value(1);
        map.append(true).unwrap();
        map.append(false).unwrap();
        let list = ListArray::from_iter_primitive::<Float64Type, _, _>([Some(vec![Some(0.1), None]), Some(vec![])]);
        let large = LargeListArray::from_iter_primitive::<Int64Type, _, _>([Some(vec![Some(-1), Some(7)]), None]);
        let rows = FixedSizeListArray::from_iter_primitive::<Float32Type, _, _>(
            [Some([Some(0.1), Some(1e-9)]), Some([None, Some(f32::NAN)])],
            2,
        );
        let text = |name: &str| Arc::new(Field::new(name, DataType::Utf8, true));
        let inner: ArrayRef = Arc::new(StructArray::from(vec![
            (text("t"), Arc::new(StringArray::from(vec![Some("\"q\"\n"), None])) as ArrayRef),
            (Arc::new(Field::new("l", list.data_type().clone(), true)), Arc::new(list.clone()) as ArrayRef),
        ]));
        let words: DictionaryArray<Int32Type> = [Some("x"), None].into_iter().collect();
        RecordBatch::try_from_iter_with_nullable(
            [
                ("bool", Arc::new(BooleanArray::from(vec![Some(true), None])) as ArrayRef),
                ("i8", Arc::new(Int8Array::from(vec![-3, 4]))),
                ("i32", Arc::new(Int32Array::from(vec![Some(i32::MIN), None]))),
                ("i64", Arc::new(Int64Array::from(vec![i64::MAX, 0]))),
                ("u64", Arc::new(UInt64Array::from(vec![u64::MAX, 0]))),
                ("f32", Arc::new(Float32Array::from(vec![0.1, f32::INFINITY]))),
                ("f64", Arc::new(Float64Array::from(vec![1.0 / 3.0, f64::NAN]))),
                ("whole", Arc::new(Float64Array::from(vec![-13.0, 1e300]))),
                ("utf8", Arc::new(StringArray::from(vec!["é", ""]))),
                ("large", Arc::new(LargeStringArray::from(vec![Some("y"), None]))),
                ("view", Arc::new(StringViewArray::from(vec!["a text that is too long for a view", "z"]))),
                ("words", Arc::new(words)),
                ("list", Arc::new(list)),
                ("large_list", Arc::new(large)),
                ("rows", Arc::new(rows)),
                ("struct", inner),
                ("map", Arc::new(map.finish())),
                ("null", Arc::new(NullArray::new(2))),
                ("date", Arc::new(Date32Array::from(vec![Some(19_000), None]))),
                ("time", Arc::new(TimestampMicrosecondArray::from(vec![1_600_000_000_123_456, 0]))),
                ("decimal", Arc::new(Decimal128Array::from(vec![1250, -7]).with_precision_and_scale(9, 2).unwrap())),
                ("whole_decimal", Arc::new(Decimal128Array::from(vec![12, 3]).with_precision_and_scale(9, 0).unwrap())),
            ]
            .map(|(name, column)| (name, column, true)),
        )
        .unwrap()
    }

    #[test]
    fn a_row_is_read_as_the_json_of_the_same_row() {
        for batch in [batch(), batch().slice(1, 1)] {
            let mut writer = LineDelimitedWriter::new(Vec::new());
            writer.write(&batch).unwrap();
            writer.finish().unwrap();
            let text = String::from_utf8(writer.into_inner()).unwrap();
            let expected: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
            assert_eq!(rows::<Value>(batch).unwrap(), expected);
        }
    }

    #[test]
    fn a_value_of_another_kind_is_named_as_in_json() {
        let batch = RecordBatch::try_from_iter([("x", Arc::new(StringArray::from(vec!["wide"])) as ArrayRef)]).unwrap();
        let said = rows::<std::collections::BTreeMap<String, f64>>(batch).unwrap_err().to_string();
        assert_eq!(said, "invalid type: string \"wide\", expected f64");
    }
}

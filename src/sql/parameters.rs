//! Rows of Arrow as the values of statements.

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Float64Type, Int64Type};
use arrow::util::display::{ArrayFormatter, FormatOptions};

use super::bind::{Bound, Values, longer};
use crate::Error;
use columns::StructureColumn;

impl Values {
    /// A row of parameters: by name where the columns have names, in order where they are numbered.
    ///
    /// # Errors
    /// A value of a type that SQL has no constant of, or a crystal that is none.
    pub fn of_row(batch: &RecordBatch, row: usize) -> Result<Self, Error> {
        Self::of_row_within(batch, row, usize::MAX)
    }

    /// The same, of at most so many numbers and letters: a list of NULL has any length, and takes no bytes on its way.
    ///
    /// # Errors
    /// Those of [`Values::of_row`], and [`DataFusionError::ResourcesExhausted`](datafusion::common::DataFusionError::ResourcesExhausted)
    /// of values that are more.
    pub fn of_row_within(batch: &RecordBatch, row: usize, most: usize) -> Result<Self, Error> {
        let mut left = Left { most, left: most };
        let values =
            batch.columns().iter().map(|column| bound(column, row, &mut left)).collect::<Result<Vec<_>, _>>()?;
        let schema = batch.schema();
        let names: Vec<&String> = schema.fields().iter().map(|field| field.name()).collect();
        if names.iter().all(|name| is_number(name)) {
            return Ok(Self::InOrder(values));
        }
        Ok(Self::Named(names.into_iter().cloned().zip(values).collect()))
    }
}

/// Whether a name is that of a place: `1`, `$1`, or nothing.
fn is_number(name: &str) -> bool {
    name.trim_start_matches(['$', '?']).bytes().all(|b| b.is_ascii_digit())
}

/// What may still come.
struct Left {
    most: usize,
    left: usize,
}

impl Left {
    fn take(&mut self, size: usize) -> Result<(), Error> {
        self.left = self.left.checked_sub(size).ok_or_else(|| longer(self.most))?;
        Ok(())
    }
}

/// A cell as a value of SQL.
fn bound(column: &ArrayRef, row: usize, left: &mut Left) -> Result<Bound, Error> {
    // By itself: what is converted below is not the whole column.
    let (column, row) = (&column.slice(row, 1), 0);
    left.take(1)?;
    if column.is_null(row) {
        return Ok(Bound::Null);
    }
    let mut text = || -> Result<String, Error> {
        let format = ArrayFormatter::try_new(column, &FormatOptions::new())?;
        let text = format.value(row).to_string();
        left.take(text.len())?;
        Ok(text)
    };
    Ok(match column.data_type() {
        DataType::Null => Bound::Null,
        DataType::Boolean => Bound::Flag(column.as_boolean().value(row)),
        kind if kind.is_integer() => {
            Bound::Integer(cast(column, &DataType::Int64)?.as_primitive::<Int64Type>().value(row))
        }
        kind if kind.is_numeric() => {
            Bound::Number(cast(column, &DataType::Float64)?.as_primitive::<Float64Type>().value(row))
        }
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => Bound::Text(text()?),
        DataType::Date32 | DataType::Date64 => Bound::Day(text()?),
        DataType::Timestamp(..) => Bound::Moment(text()?),
        DataType::List(item) | DataType::LargeList(item) | DataType::FixedSizeList(item, _) => {
            let lists = cast(column, &DataType::List(item.clone()))?;
            let items = lists.as_list::<i32>().value(row);
            Bound::List((0..items.len()).map(|i| bound(&items, i, left)).collect::<Result<_, _>>()?)
        }
        DataType::Struct(_) => {
            let crystals = StructureColumn::try_new(column).map_err(Error::Sql)?;
            match crystals.get(row) {
                Some(crystal) => {
                    let crystal = crystal?;
                    left.take(crystal.len())?;
                    Bound::Crystal(Box::new(crystal))
                }
                None => Bound::Null,
            }
        }
        other => return Err(Error::Sql(format!("a parameter of the type {other} has no place in SQL"))),
    })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{BinaryArray, Float32Array, Int8Array, ListArray, NullArray, StringViewArray, UInt8Array};
    use arrow::buffer::OffsetBuffer;
    use arrow::datatypes::Field;

    use super::*;

    #[test]
    fn a_row_is_values_by_name_or_by_place() {
        let columns = |names: [&str; 3]| {
            RecordBatch::try_from_iter([
                (names[0], Arc::new(UInt8Array::from(vec![None, Some(3)])) as ArrayRef),
                (names[1], Arc::new(Float32Array::from(vec![1.0, 0.5]))),
                (names[2], Arc::new(StringViewArray::from(vec!["a", "b'"]))),
            ])
            .unwrap()
        };
        let second = [Bound::Integer(3), Bound::Number(0.5), Bound::Text("b'".into())];
        for names in [["1", "2", "3"], ["$1", "$2", "$3"]] {
            assert_eq!(Values::of_row(&columns(names), 1).unwrap(), Values::InOrder(second.to_vec()));
        }
        let Values::Named(named) = Values::of_row(&columns(["n", "x", "t"]), 0).unwrap() else { panic!("no names") };
        assert_eq!(named[0], ("n".into(), Bound::Null));
        let bytes = Arc::new(BinaryArray::from(vec![b"x".as_slice()])) as ArrayRef;
        let error = Values::of_row(&RecordBatch::try_from_iter([("1", bytes)]).unwrap(), 0).unwrap_err().to_string();
        assert!(error.contains("Binary has no place"), "{error}");
    }

    #[test]
    fn values_that_are_more_than_they_may_be_end_soon() {
        let list = |items: ArrayRef| {
            let field = Arc::new(Field::new("item", items.data_type().clone(), true));
            let lists = ListArray::new(field, OffsetBuffer::from_lengths([items.len()]), items, None);
            RecordBatch::try_from_iter([("1", Arc::new(lists) as ArrayRef)]).unwrap()
        };
        let began = std::time::Instant::now();
        let nulls = list(Arc::new(NullArray::new(i32::MAX as usize)));
        let one_text = StringViewArray::from(vec!["x".repeat(1000)]);
        let texts = arrow::compute::take(&one_text, &arrow::array::UInt32Array::from(vec![0; 100_000]), None).unwrap();
        for batch in [nulls, list(texts)] {
            assert!(Values::of_row_within(&batch, 0, 1 << 20).unwrap_err().to_string().contains("longer than"));
        }
        let small = Values::of_row(&list(Arc::new(Int8Array::from(vec![7; 100_000]))), 0).unwrap();
        assert_eq!(small, Values::InOrder(vec![Bound::List(vec![Bound::Integer(7); 100_000])]));
        assert!(began.elapsed().as_secs() < 10, "{:?}", began.elapsed());
    }
}

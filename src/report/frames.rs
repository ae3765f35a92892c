//! A query result as a polars frame. DataFusion and polars each carry their own Arrow; a result is small beside the table
//! it came from, so columns cross by a typed copy: plain, safe, and exact for numbers, text, lists and structs.

use arrow::array::{Array, ArrayRef, AsArray, OffsetSizeTrait, RecordBatch, StringArray};
use arrow::compute::{cast, concat_batches};
use arrow::datatypes::{DataType, Float32Type, Float64Type, Int32Type, Int64Type, SchemaRef, UInt32Type, UInt64Type};
use polars::chunked_array::builder::get_list_builder;
use polars::prelude::{
    ChunkAgg, ChunkQuantile, ChunkVar, Column, DataFrame, DataType as PlDataType, IdxCa, IdxSize, IntoSeries,
    NamedFrom, NewChunkedArray, PlSmallStr, QuantileMethod, Series, StructChunked,
};
use std::sync::Arc;

use crate::ReportError;

/// The frame of a result. Integers narrower than 32 bits are widened, decimals become floats, and what polars is built
/// without here (dates, times, binary) becomes its text.
///
/// # Errors
/// A column that polars has no type for.
pub fn dataframe(schema: &SchemaRef, batches: &[RecordBatch]) -> Result<DataFrame, ReportError> {
    let batch = concat_batches(schema, batches)?;
    let columns = schema.fields().iter().zip(batch.columns());
    let columns =
        columns.map(|(f, c)| Ok(Column::from(series(f.name(), c)?))).collect::<Result<Vec<_>, ReportError>>()?;
    Ok(DataFrame::new(batch.num_rows(), columns)?)
}

fn series(name: &str, array: &ArrayRef) -> Result<Series, ReportError> {
    let named = PlSmallStr::from_str(name);
    macro_rules! primitive {
        ($t:ty) => {
            Series::new(named, array.as_primitive::<$t>().iter().collect::<Vec<_>>())
        };
    }
    Ok(match array.data_type() {
        DataType::Boolean => Series::new(named, array.as_boolean().iter().collect::<Vec<_>>()),
        DataType::Int32 => primitive!(Int32Type),
        DataType::Int64 => primitive!(Int64Type),
        DataType::UInt32 => primitive!(UInt32Type),
        DataType::UInt64 => primitive!(UInt64Type),
        DataType::Float32 => primitive!(Float32Type),
        DataType::Float64 => primitive!(Float64Type),
        DataType::Utf8 => Series::new(named, array.as_string::<i32>().iter().collect::<Vec<_>>()),
        DataType::Int8 | DataType::Int16 => series(name, &cast(array, &DataType::Int32)?)?,
        DataType::UInt8 | DataType::UInt16 => series(name, &cast(array, &DataType::UInt32)?)?,
        DataType::Float16 => series(name, &cast(array, &DataType::Float32)?)?,
        dt if dt.is_decimal() => series(name, &cast(array, &DataType::Float64)?)?,
        DataType::List(_) => lists(named, array.as_list::<i32>())?,
        DataType::LargeList(_) => lists(named, array.as_list::<i64>())?,
        DataType::FixedSizeList(item, _) | DataType::ListView(item) => {
            series(name, &cast(array, &DataType::List(item.clone()))?)?
        }
        DataType::Struct(_) => structs(named, array)?,
        DataType::Dictionary(_, value) => series(name, &cast(array, value)?)?,
        _ => series(name, &cast(array, &DataType::Utf8)?)?,
    })
}

fn lists<O: OffsetSizeTrait>(
    name: PlSmallStr,
    array: &arrow::array::GenericListArray<O>,
) -> Result<Series, ReportError> {
    let items = series("item", array.values())?;
    let mut builder = get_list_builder(items.dtype(), items.len(), array.len(), name);
    for row in 0..array.len() {
        if array.is_null(row) {
            builder.append_null();
        } else {
            let (start, end) = (array.value_offsets()[row].as_usize(), array.value_offsets()[row + 1].as_usize());
            builder.append_series(&items.slice(start as i64, end - start))?;
        }
    }
    Ok(builder.finish().into_series())
}

fn structs(name: PlSmallStr, array: &ArrayRef) -> Result<Series, ReportError> {
    let rows = array.as_struct();
    let fields = rows.fields().iter().zip(rows.columns());
    let fields = fields.map(|(f, c)| series(f.name(), c)).collect::<Result<Vec<_>, _>>()?;
    let whole = StructChunked::from_series(name.clone(), array.len(), fields.iter())?.into_series();
    if array.null_count() == 0 {
        return Ok(whole);
    }
    // Taking "no row" is how polars says that a row is NULL as a whole and not merely full of NULLs.
    let rows = (0..array.len()).map(|row| array.is_valid(row).then_some(row as IdxSize));
    Ok(whole.take(&IdxCa::from_iter_options(name, rows))?)
}

/// The statistics that [`describe`] gives, in the order of its rows.
const STATISTICS: [&str; 9] = ["count", "null_count", "mean", "std", "min", "25%", "50%", "75%", "max"];

/// Summary statistics of each column: a first column `statistic` with count (of values that are not NULL), null_count,
/// mean, std (sample, n - 1), min, quartiles (linear interpolation) and max; then one column per column of the frame,
/// as numbers where it holds numbers, and as text where it holds text (which has no mean). Lists and structs are only counted.
///
/// # Errors
/// As polars, of a column that it cannot sort.
pub fn describe(frame: &DataFrame) -> Result<DataFrame, ReportError> {
    let mut columns = vec![Column::new("statistic".into(), STATISTICS.to_vec())];
    for column in frame.columns() {
        let series = column.as_materialized_series();
        let (nulls, name) = (series.null_count(), series.name().clone());
        let count = series.len() - nulls;
        columns.push(match series.dtype() {
            PlDataType::String => {
                let text = series.str()?;
                let (mut min, mut max) = (None::<&str>, None::<&str>);
                for value in text.iter().flatten() {
                    min = Some(min.map_or(value, |m| m.min(value)));
                    max = Some(max.map_or(value, |m| m.max(value)));
                }
                let (count, nulls) = (count.to_string(), nulls.to_string());
                Column::new(name, vec![Some(count.as_str()), Some(&nulls), None, None, min, None, None, None, max])
            }
            dtype if dtype.is_primitive_numeric() || dtype.is_bool() => {
                let numbers = series.cast(&PlDataType::Float64)?;
                let numbers = numbers.f64()?;
                let quantile = |q| numbers.quantile(q, QuantileMethod::Linear);
                let (count, nulls) = (Some(count as f64), Some(nulls as f64));
                let spread = [
                    numbers.mean(),
                    numbers.std(1),
                    numbers.min(),
                    quantile(0.25)?,
                    quantile(0.5)?,
                    quantile(0.75)?,
                    numbers.max(),
                ];
                Column::new(name, [count, nulls].into_iter().chain(spread).collect::<Vec<_>>())
            }
            _ => {
                let counts = [Some(count as f64), Some(nulls as f64)];
                Column::new(name, counts.into_iter().chain([None; 7]).collect::<Vec<_>>())
            }
        });
    }
    Ok(DataFrame::new(STATISTICS.len(), columns)?)
}

/// The way back for what [`describe`] returns: columns of floats and of text, as one Arrow batch that can be rendered.
///
/// # Errors
/// Columns of unlike lengths.
pub fn record_batch(frame: &DataFrame) -> Result<RecordBatch, ReportError> {
    let mut columns: Vec<(String, ArrayRef, bool)> = Vec::new();
    for column in frame.columns() {
        let series = column.as_materialized_series();
        let array: ArrayRef = match series.dtype() {
            PlDataType::String => Arc::new(series.str()?.iter().collect::<StringArray>()),
            _ => {
                let numbers = series.cast(&PlDataType::Float64)?;
                Arc::new(numbers.f64()?.iter().collect::<arrow::array::Float64Array>())
            }
        };
        columns.push((series.name().to_string(), array, true));
    }
    Ok(RecordBatch::try_from_iter_with_nullable(columns)?)
}

#[cfg(test)]
mod tests {
    use arrow::array::*;
    use arrow::datatypes::{Field, Fields};
    use polars::prelude::AnyValue;

    use super::*;

    fn frame(columns: Vec<(&str, ArrayRef)>) -> DataFrame {
        let batch = RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(n, c)| (n, c, true))).unwrap();
        dataframe(&batch.schema(), &[batch.slice(0, 1), batch.slice(1, batch.num_rows() - 1)]).unwrap()
    }

    #[test]
    fn every_kind_of_column_crosses_with_its_nulls() {
        let lists = ListArray::from_iter_primitive::<Int32Type, _, _>([Some(vec![Some(8), None]), None, Some(vec![])]);
        let fields = Fields::from(vec![Field::new("numbers", lists.data_type().clone(), true)]);
        let structs = StructArray::new(fields, vec![Arc::new(lists.clone())], Some(vec![true, false, true].into()));
        let fixed = FixedSizeListArray::from_iter_primitive::<Float64Type, _, _>(
            vec![Some(vec![Some(1.5), Some(2.5)]), None, None],
            2,
        );
        let decimals = Decimal128Array::from(vec![Some(125), None, Some(-5)]).with_precision_and_scale(10, 2).unwrap();
        let f = frame(vec![
            ("b", Arc::new(BooleanArray::from(vec![Some(true), None, Some(false)]))),
            ("i8", Arc::new(Int8Array::from(vec![Some(-3), None, Some(4)]))),
            ("u64", Arc::new(UInt64Array::from(vec![Some(u64::MAX), None, Some(0)]))),
            ("f32", Arc::new(Float32Array::from(vec![Some(0.5), None, Some(f32::INFINITY)]))),
            (
                "text",
                Arc::new(StringViewArray::from(vec![Some("TiO2"), None, Some("a string longer than twelve bytes")])),
            ),
            ("list", Arc::new(lists)),
            ("struct", Arc::new(structs)),
            ("fixed", Arc::new(fixed)),
            ("decimal", Arc::new(decimals)),
            ("date", Arc::new(Date32Array::from(vec![Some(0), None, Some(1)]))),
        ]);
        assert_eq!(f.height(), 3);
        for column in f.columns() {
            let series = column.as_materialized_series();
            let nulls: Vec<bool> = (0..3).map(|i| series.get(i).unwrap().is_null()).collect();
            let expected = if column.name() == "fixed" { vec![false, true, true] } else { vec![false, true, false] };
            assert_eq!(nulls, expected, "column {}", column.name());
        }
        let at = |name: &str, row: usize| f.column(name).unwrap().get(row).unwrap().into_static();
        assert_eq!(at("i8", 2), AnyValue::Int32(4));
        assert_eq!(at("u64", 0), AnyValue::UInt64(u64::MAX));
        assert_eq!(at("decimal", 2), AnyValue::Float64(-0.05));
        assert_eq!(at("date", 2).get_str(), Some("1970-01-02"));
        assert_eq!(at("text", 2).get_str(), Some("a string longer than twelve bytes"));
        let AnyValue::List(items) = at("list", 0) else { panic!("a list") };
        assert_eq!(items.i32().unwrap().iter().collect::<Vec<_>>(), [Some(8), None]);
        let AnyValue::List(items) = at("fixed", 0) else { panic!("a list") };
        assert_eq!(items.f64().unwrap().iter().flatten().collect::<Vec<_>>(), [1.5, 2.5]);
        assert_eq!(f.column("struct").unwrap().null_count(), 1);
    }

    #[test]
    fn describe_agrees_with_hand_computed_figures() {
        // 1, 2, 3, 4, 10 and a NULL: mean 4, sample variance (9 + 4 + 1 + 0 + 36) / 4 = 12.5, quartiles 2, 3, 4.
        let f = frame(vec![
            ("x", Arc::new(Int64Array::from(vec![Some(4), Some(1), None, Some(10), Some(2), Some(3)]))),
            ("t", Arc::new(StringArray::from(vec![Some("b"), None, None, Some("a"), Some("c"), Some("b")]))),
        ]);
        let d = describe(&f).unwrap();
        let x: Vec<f64> = d.column("x").unwrap().f64().unwrap().iter().flatten().collect();
        let expected = [5.0, 1.0, 4.0, 12.5f64.sqrt(), 1.0, 2.0, 3.0, 4.0, 10.0];
        assert!(x.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-12), "{x:?}");
        let t: Vec<_> = d.column("t").unwrap().str().unwrap().iter().map(|v| v.map(str::to_string)).collect();
        let some = |s: &str| Some(s.to_string());
        assert_eq!(t, [some("4"), some("2"), None, None, some("a"), None, None, None, some("c")]);
        let batch = record_batch(&d).unwrap();
        assert_eq!((batch.num_rows(), batch.num_columns()), (9, 3));
    }

    #[test]
    fn an_empty_result_is_an_empty_frame() {
        let schema =
            RecordBatch::try_from_iter([("x", Arc::new(Int64Array::from(vec![1])) as ArrayRef)]).unwrap().schema();
        let f = dataframe(&schema, &[]).unwrap();
        assert_eq!((f.height(), f.width()), (0, 1));
        let d = describe(&f).unwrap();
        assert_eq!(d.column("x").unwrap().get(0).unwrap(), AnyValue::Float64(0.0));
        assert!(d.column("x").unwrap().get(2).unwrap().is_null(), "the mean of nothing is NULL");
    }
}

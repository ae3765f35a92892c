//! Values between Python and SQL: what takes the place of `$1`, and the cells of a result.

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::compute::cast;
use arrow::datatypes::{
    DataType, Date32Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type, TimeUnit,
    TimestampMicrosecondType, UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};
use arrow::util::display::{ArrayFormatter, FormatOptions};
use hollandite::columns::StructureColumn;
use hollandite::sql::{Bound as Value, Values};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyBytes, PyDict, PyFloat, PyInt, PyList, PyMapping, PyString, PyTuple};

use crate::arrow_capsules::fault;
use crate::crystal::{Crystal, of_row};

/// The parameters of a statement: a sequence for `$1` and `?`, a mapping for `:name`.
///
/// # Errors
/// A value that SQL has no place for.
pub fn parameters(given: Option<&Bound<'_, PyAny>>) -> PyResult<Values> {
    let Some(given) = given else { return Ok(Values::InOrder(Vec::new())) };
    if let Ok(named) = given.cast::<PyMapping>() {
        let pair = |pair: PyResult<Bound<'_, PyAny>>| {
            let (name, value): (String, Bound<'_, PyAny>) = pair?.extract()?;
            Ok((name, parameter(&value)?))
        };
        return Ok(Values::Named(named.items()?.try_iter()?.map(pair).collect::<PyResult<_>>()?));
    }
    if given.is_instance_of::<PyString>() {
        return Err(PyTypeError::new_err("parameters are a list or a dict, and this is one text: write [text]"));
    }
    let values = given.try_iter()?.map(|value| parameter(&value?));
    Ok(Values::InOrder(values.collect::<PyResult<_>>()?))
}

/// One value.
///
/// # Errors
/// A value that SQL has no place for.
pub fn parameter(value: &Bound<'_, PyAny>) -> PyResult<Value> {
    let py = value.py();
    if value.is_none() {
        return Ok(Value::Null);
    }
    if let Ok(flag) = value.cast::<PyBool>() {
        return Ok(Value::Flag(flag.is_true()));
    }
    if value.is_instance_of::<PyInt>() {
        return Ok(Value::Integer(value.extract()?));
    }
    if value.is_instance_of::<PyFloat>() {
        return Ok(Value::Number(value.extract()?));
    }
    if value.is_instance_of::<PyString>() {
        return Ok(Value::Text(value.extract()?));
    }
    if let Ok(crystal) = value.cast::<Crystal>() {
        return Ok(Value::Crystal(Box::new(crystal.get().0.as_ref().clone())));
    }
    let dates = py.import("datetime")?;
    if value.is_instance(&dates.getattr("datetime")?)? {
        return Ok(Value::Moment(value.str()?.extract()?));
    }
    if value.is_instance(&dates.getattr("date")?)? {
        return Ok(Value::Day(value.str()?.extract()?));
    }
    if value.is_instance_of::<PyList>() || value.is_instance_of::<PyTuple>() {
        return Ok(Value::List(value.try_iter()?.map(|item| parameter(&item?)).collect::<PyResult<_>>()?));
    }
    // Arrays and scalars of numpy.
    if value.hasattr("dtype")? && value.hasattr("tolist")? {
        return parameter(&value.call_method0("tolist")?);
    }
    let packed = py.import("hollandite._structures")?.call_method1("pack", (value,))?;
    let packed: Option<(Vec<u8>, Vec<u8>, Vec<u8>)> = packed.extract().ok();
    match packed {
        Some((lattice, numbers, places)) => {
            let crystal = crate::crystal::unpacked(&lattice, &numbers, &places)?;
            Ok(Value::Crystal(Box::new(crystal.0.as_ref().clone())))
        }
        None => Err(PyTypeError::new_err(format!(
            "{} is no value of SQL: expected None, bool, int, float, str, a date, a list of them, or a crystal",
            value.get_type().name()?
        ))),
    }
}

/// The cells of a column as objects of Python.
///
/// # Errors
/// A crystal that is none.
pub fn objects<'py>(py: Python<'py>, column: &ArrayRef) -> PyResult<Vec<Bound<'py, PyAny>>> {
    let none = || py.None().into_bound(py);
    /// Each value that is not NULL, by a function of its number.
    macro_rules! each {
        ($array:expr, $value:expr) => {{
            let array = $array;
            let value = $value;
            (0..array.len()).map(|i| if array.is_null(i) { Ok(none()) } else { value(&array, i) }).collect()
        }};
    }
    macro_rules! numbers {
        ($kind:ty) => {
            each!(column.as_primitive::<$kind>(), |array: &&arrow::array::PrimitiveArray<$kind>, i| Ok(array
                .value(i)
                .into_pyobject(py)?
                .into_any()))
        };
    }
    match column.data_type() {
        DataType::Null => Ok((0..column.len()).map(|_| none()).collect()),
        DataType::Boolean => {
            each!(column.as_boolean(), |array: &&arrow::array::BooleanArray, i| Ok(PyBool::new(py, array.value(i))
                .to_owned()
                .into_any()))
        }
        DataType::Int8 => numbers!(Int8Type),
        DataType::Int16 => numbers!(Int16Type),
        DataType::Int32 => numbers!(Int32Type),
        DataType::Int64 => numbers!(Int64Type),
        DataType::UInt8 => numbers!(UInt8Type),
        DataType::UInt16 => numbers!(UInt16Type),
        DataType::UInt32 => numbers!(UInt32Type),
        DataType::UInt64 => numbers!(UInt64Type),
        DataType::Float32 => numbers!(Float32Type),
        DataType::Float64 => numbers!(Float64Type),
        DataType::Float16 => objects(py, &cast(column, &DataType::Float32).map_err(fault)?),
        DataType::Utf8 => each!(column.as_string::<i32>(), |array: &&arrow::array::StringArray, i| Ok(PyString::new(
            py,
            array.value(i)
        )
        .into_any())),
        DataType::LargeUtf8 | DataType::Utf8View => objects(py, &cast(column, &DataType::Utf8).map_err(fault)?),
        DataType::Binary => each!(column.as_binary::<i32>(), |array: &&arrow::array::BinaryArray, i| Ok(PyBytes::new(
            py,
            array.value(i)
        )
        .into_any())),
        DataType::LargeBinary | DataType::BinaryView | DataType::FixedSizeBinary(_) => {
            objects(py, &cast(column, &DataType::Binary).map_err(fault)?)
        }
        DataType::List(_) => {
            let lists = column.as_list::<i32>();
            // The items of all rows at once, then the share of each row.
            let items = objects(py, lists.values())?;
            each!(lists, |lists: &&arrow::array::ListArray, i: usize| {
                let offsets = lists.value_offsets();
                Ok(PyList::new(py, &items[offsets[i] as usize..offsets[i + 1] as usize])?.into_any())
            })
        }
        DataType::LargeList(item) | DataType::FixedSizeList(item, _) => {
            objects(py, &cast(column, &DataType::List(item.clone())).map_err(fault)?)
        }
        DataType::Struct(_) => match StructureColumn::try_new(column) {
            Ok(crystals) => {
                (0..crystals.len()).map(|i| Ok(of_row(&crystals, i)?.into_pyobject(py)?.into_any())).collect()
            }
            Err(_) => structs(py, column),
        },
        DataType::Dictionary(_, of) => objects(py, &cast(column, of).map_err(fault)?),
        DataType::Date32 => {
            let date = py.import("datetime")?.getattr("date")?;
            // Days since 1970-01-01, which is day 719163 of the calendar of Python.
            each!(column.as_primitive::<Date32Type>(), |array: &&arrow::array::Date32Array, i| {
                date.call_method1("fromordinal", (719_163 + i64::from(array.value(i)),))
            })
        }
        DataType::Timestamp(TimeUnit::Microsecond, zone) => moments(py, column, zone.is_some()),
        DataType::Timestamp(_, zone) => {
            let micros = DataType::Timestamp(TimeUnit::Microsecond, zone.clone());
            objects(py, &cast(column, &micros).map_err(fault)?)
        }
        DataType::Decimal32(..) | DataType::Decimal64(..) | DataType::Decimal128(..) | DataType::Decimal256(..) => {
            let decimal = py.import("decimal")?.getattr("Decimal")?;
            texts(column)?.into_iter().map(|text| text.map_or_else(|| Ok(none()), |t| decimal.call1((t,)))).collect()
        }
        _ => texts(column)?.into_iter().map(|text| Ok(text.into_pyobject(py)?.into_any())).collect(),
    }
}

/// As they are printed.
fn texts(column: &ArrayRef) -> PyResult<Vec<Option<String>>> {
    let format = ArrayFormatter::try_new(column, &FormatOptions::new()).map_err(fault)?;
    let text = |i| if column.is_null(i) { None } else { Some(format.value(i).to_string()) };
    Ok((0..column.len()).map(text).collect())
}

/// A dict for each row.
fn structs<'py>(py: Python<'py>, column: &ArrayRef) -> PyResult<Vec<Bound<'py, PyAny>>> {
    let rows = column.as_struct();
    let fields = rows.columns().iter().map(|field| objects(py, field)).collect::<PyResult<Vec<_>>>()?;
    let row = |i: usize| {
        if rows.is_null(i) {
            return Ok(py.None().into_bound(py));
        }
        let row = PyDict::new(py);
        for (name, values) in rows.column_names().iter().zip(&fields) {
            row.set_item(name, &values[i])?;
        }
        Ok(row.into_any())
    };
    (0..rows.len()).map(row).collect()
}

/// A `datetime` for each row, in UTC where the column has a zone.
fn moments<'py>(py: Python<'py>, column: &ArrayRef, zoned: bool) -> PyResult<Vec<Bound<'py, PyAny>>> {
    let dates = py.import("datetime")?;
    let zone = if zoned { dates.getattr("timezone")?.getattr("utc")? } else { py.None().into_bound(py) };
    let epoch = dates.getattr("datetime")?.call1((1970, 1, 1, 0, 0, 0, 0, zone))?;
    let delta = dates.getattr("timedelta")?;
    let array = column.as_primitive::<TimestampMicrosecondType>();
    let moment = |i: usize| match array.is_null(i) {
        true => Ok(py.None().into_bound(py)),
        false => epoch.add(delta.call1((0, 0, array.value(i)))?),
    };
    (0..array.len()).map(moment).collect()
}

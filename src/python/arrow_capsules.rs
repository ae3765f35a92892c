//! Arrow data to and from other libraries, by the PyCapsule interface: pyarrow, polars, pandas, DuckDB, and others.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, RecordBatch, RecordBatchReader, StructArray, make_array};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use arrow::error::ArrowError;
use arrow::ffi::{FFI_ArrowArray, FFI_ArrowSchema, from_ffi, from_ffi_and_data_type};
use arrow::ffi_stream::{ArrowArrayStreamReader, FFI_ArrowArrayStream};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyCapsule, PyTuple};

use crate::errors::HollanditeError;

pub fn fault(error: ArrowError) -> PyErr {
    HollanditeError::new_err(error.to_string())
}

/// An error of a stream, which goes to its reader as a text of C: one with no byte of zero in it.
pub fn failed(error: &impl std::fmt::Display) -> ArrowError {
    ArrowError::ComputeError(error.to_string().replace('\0', "\\0"))
}

/// A stream of batches.
pub(crate) fn stream<'py>(
    py: Python<'py>,
    reader: Box<dyn RecordBatchReader + Send>,
) -> PyResult<Bound<'py, PyCapsule>> {
    PyCapsule::new_with_value(py, FFI_ArrowArrayStream::new(reader), c"arrow_array_stream")
}

/// The columns of a stream.
pub(crate) fn schema<'py>(py: Python<'py>, schema: &Schema) -> PyResult<Bound<'py, PyCapsule>> {
    PyCapsule::new_with_value(py, FFI_ArrowSchema::try_from(schema).map_err(fault)?, c"arrow_schema")
}

/// One column, with its type.
pub(crate) fn array<'py>(py: Python<'py>, array: &ArrayRef) -> PyResult<Bound<'py, PyTuple>> {
    let data = array.to_data();
    let field = Field::new("", data.data_type().clone(), true);
    let schema = PyCapsule::new_with_value(py, FFI_ArrowSchema::try_from(&field).map_err(fault)?, c"arrow_schema")?;
    let array = PyCapsule::new_with_value(py, FFI_ArrowArray::new(&data), c"arrow_array")?;
    PyTuple::new(py, [schema, array])
}

/// The rows of anything that exports a stream or an array of structs.
///
/// # Errors
/// An object that exports neither, or an error of its own.
pub fn read(object: &Bound<'_, PyAny>) -> PyResult<(SchemaRef, Vec<RecordBatch>)> {
    if object.hasattr("__arrow_c_stream__")? {
        let capsule = object.call_method0("__arrow_c_stream__")?;
        let mut reader = reader(&capsule)?;
        let schema = reader.schema();
        // Threads of the stream may ask Python for its batches, and would wait for ever for a lock that is held here.
        let batches = object.py().detach(|| reader.by_ref().collect::<Result<Vec<_>, _>>()).map_err(fault)?;
        return Ok((schema, batches));
    }
    let column = read_array(object)?;
    let rows = column.as_any().downcast_ref::<StructArray>().ok_or_else(|| no_table(object))?;
    let batch = RecordBatch::from(rows.clone());
    Ok((batch.schema(), vec![batch]))
}

/// One column of anything that exports an array, or a stream of arrays as a chunked one does.
///
/// # Errors
/// An object that exports none, or an error of its own.
pub fn read_array(object: &Bound<'_, PyAny>) -> PyResult<ArrayRef> {
    if object.hasattr("__arrow_c_array__")? {
        let exported = object.call_method0("__arrow_c_array__")?.cast_into::<PyTuple>()?;
        let (schema, array) = (exported.get_item(0)?, exported.get_item(1)?);
        let schema = pointer::<FFI_ArrowSchema>(&schema, c"arrow_schema")?;
        let array = pointer::<FFI_ArrowArray>(&array, c"arrow_array")?;
        // SAFETY: the capsules, which are alive, hold an array and its schema by the protocol; taking the array leaves a released one.
        let data = unsafe { from_ffi(FFI_ArrowArray::from_raw(array), &*schema) }.map_err(fault)?;
        return Ok(make_array(data));
    }
    if object.hasattr("__arrow_c_stream__")? {
        let capsule = object.call_method0("__arrow_c_stream__")?;
        return chunks(&capsule);
    }
    Err(no_table(object))
}

/// The chunks of a stream of arrays that need not be structs, as one.
fn chunks(capsule: &Bound<'_, PyAny>) -> PyResult<ArrayRef> {
    let stream = pointer::<FFI_ArrowArrayStream>(capsule, c"arrow_array_stream")?;
    // SAFETY: the capsule holds a stream by the protocol; taking it leaves a released one.
    let mut stream = unsafe { FFI_ArrowArrayStream::from_raw(stream) };
    let broken = || HollanditeError::new_err("the stream of Arrow arrays ended with an error");
    let (Some(get_schema), Some(get_next)) = (stream.get_schema, stream.get_next) else { return Err(broken()) };
    let mut schema = FFI_ArrowSchema::empty();
    // SAFETY: functions of a stream that is not released, called as the protocol says.
    if unsafe { get_schema(&mut stream, &mut schema) } != 0 {
        return Err(broken());
    }
    let data_type = DataType::try_from(&schema).map_err(fault)?;
    let mut chunks: Vec<ArrayRef> = Vec::new();
    loop {
        let mut array = FFI_ArrowArray::empty();
        // SAFETY: as above.
        if unsafe { get_next(&mut stream, &mut array) } != 0 {
            return Err(broken());
        }
        if array.is_released() {
            break;
        }
        // SAFETY: an array of the stream's own type.
        chunks.push(make_array(unsafe { from_ffi_and_data_type(array, data_type.clone()) }.map_err(fault)?));
    }
    match chunks.as_slice() {
        [] => Ok(arrow::array::new_empty_array(&data_type)),
        [one] => Ok(Arc::clone(one)),
        several => {
            let several: Vec<&dyn Array> = several.iter().map(AsRef::as_ref).collect();
            arrow::compute::concat(&several).map_err(fault)
        }
    }
}

fn reader(capsule: &Bound<'_, PyAny>) -> PyResult<ArrowArrayStreamReader> {
    let stream = pointer::<FFI_ArrowArrayStream>(capsule, c"arrow_array_stream")?;
    // SAFETY: the capsule, which is alive, holds a stream by the protocol; the reader takes it and leaves a released one.
    unsafe { ArrowArrayStreamReader::from_raw(stream) }.map_err(fault)
}

fn pointer<T>(capsule: &Bound<'_, PyAny>, name: &'static std::ffi::CStr) -> PyResult<*mut T> {
    Ok(capsule.cast::<PyCapsule>()?.pointer_checked(Some(name))?.as_ptr().cast())
}

fn no_table(object: &Bound<'_, PyAny>) -> PyErr {
    let name = object.get_type().name().map_or_else(|_| "this".to_owned(), |name| name.to_string());
    PyTypeError::new_err(format!(
        "{name} holds no Arrow data: expected a polars or pandas frame, a pyarrow table, a result, or a list of structures"
    ))
}

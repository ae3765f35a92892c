//! A column of Arrow as an object of Python, made of a list of crystals, texts or plain values.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, Float64Array, Int64Array, NullArray, StringArray};
use hollandite::columns::{StructureColumn, structures};
use hollandite::crystal::Structure;
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyBytes, PyFloat, PyInt, PyList, PyString, PyTuple};

use crate::arrow_capsules;
use crate::crystal::{Crystal, unpacked};
use crate::errors::CrystalError;
use crate::values;

/// A column, as `pyarrow.array` and `polars.Series` take it.
#[pyclass(frozen, module = "hollandite._lib")]
pub struct Column(pub ArrayRef);

#[pymethods]
impl Column {
    #[pyo3(signature = (requested_schema = None))]
    fn __arrow_c_array__<'py>(
        &self,
        py: Python<'py>,
        requested_schema: Option<Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyTuple>> {
        let _ = requested_schema; // A wish, which an exporter need not fulfil.
        arrow_capsules::array(py, &self.0)
    }

    fn __len__(&self) -> usize {
        self.0.len()
    }

    /// The values as objects of Python, crystals as `Crystal`.
    fn to_list<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        PyList::new(py, values::objects(py, &self.0)?)
    }

    /// Whether it holds crystals.
    #[getter]
    fn is_crystals(&self) -> bool {
        StructureColumn::try_new(&self.0).is_ok()
    }

    /// Of a column of numbers without NULL its bytes and the name that numpy gives their type; None for any other.
    fn _numbers<'py>(&self, py: Python<'py>) -> Option<(Bound<'py, PyBytes>, &'static str)> {
        use arrow::datatypes::{DataType, Float64Type, Int32Type, Int64Type};
        if self.0.null_count() > 0 {
            return None;
        }
        let (bytes, name) = match self.0.data_type() {
            DataType::Float64 => (self.0.as_primitive::<Float64Type>().values().inner().as_slice(), "float64"),
            DataType::Int64 => (self.0.as_primitive::<Int64Type>().values().inner().as_slice(), "int64"),
            DataType::Int32 => (self.0.as_primitive::<Int32Type>().values().inner().as_slice(), "int32"),
            _ => return None,
        };
        Some((PyBytes::new(py, bytes), name))
    }

    /// The crystals as bytes: lattices (float64, nine a row), atomic numbers (int32), fractions (float64), and where the sites of
    /// each row end (int64); a row that is NULL has no sites and a lattice of zeros.
    fn _packed<'py>(&self, py: Python<'py>) -> PyResult<[Bound<'py, PyBytes>; 4]> {
        let column = StructureColumn::try_new(&self.0).map_err(CrystalError::new_err)?;
        let (mut lattices, mut numbers, mut places, mut ends) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for i in 0..column.len() {
            match (column.lattice(i), column.numbers(i), column.frac_coords(i)) {
                (Some(lattice), Some(z), Some(fractions)) if lattice.len() == 9 && fractions.len() == 3 * z.len() => {
                    lattices.extend_from_slice(lattice);
                    numbers.extend_from_slice(z);
                    places.extend_from_slice(fractions);
                }
                (None, ..) => lattices.extend_from_slice(&[0.0; 9]),
                // What is wrong with it is said by the crystal itself.
                _ => {
                    return Err(column.get(i).and_then(Result::err).map_or_else(
                        || CrystalError::new_err("a row is no crystal"),
                        |e| CrystalError::new_err(e.to_string()),
                    ));
                }
            }
            ends.push(numbers.len() as i64);
        }
        let floats = |numbers: &[f64]| numbers.iter().flat_map(|x| x.to_ne_bytes()).collect::<Vec<u8>>();
        let whole: Vec<u8> = numbers.iter().flat_map(|x: &i32| x.to_ne_bytes()).collect();
        let ends: Vec<u8> = ends.iter().flat_map(|x| x.to_ne_bytes()).collect();
        Ok([floats(&lattices), whole, floats(&places), ends].map(|bytes| PyBytes::new(py, &bytes)))
    }
}

/// The column of a list: crystals (`Crystal`, or their bytes as `Crystal._pack` has them), texts, numbers or truth values; None is NULL.
/// What already is Arrow data is taken as it is.
#[pyfunction]
pub fn column(py: Python<'_>, items: &Bound<'_, PyAny>) -> PyResult<Column> {
    if let Ok(column) = items.cast::<Column>() {
        return Ok(Column(Arc::clone(&column.get().0)));
    }
    if items.hasattr("__arrow_c_array__")? || items.hasattr("__arrow_c_stream__")? {
        return Ok(Column(arrow_capsules::read_array(items)?));
    }
    let items: Vec<Bound<'_, PyAny>> = items.try_iter()?.collect::<PyResult<_>>()?;
    let Some(first) = items.iter().find(|item| !item.is_none()) else {
        return Ok(Column(Arc::new(NullArray::new(items.len()))));
    };
    let column: ArrayRef = if first.is_instance_of::<PyString>() {
        Arc::new(each::<String>(&items, "a text")?.into_iter().collect::<StringArray>())
    } else if first.is_instance_of::<PyBool>() {
        Arc::new(each::<bool>(&items, "true or false")?.into_iter().collect::<BooleanArray>())
    } else if first.is_instance_of::<PyInt>() && !items.iter().any(|item| item.is_instance_of::<PyFloat>()) {
        Arc::new(each::<i64>(&items, "a whole number")?.into_iter().collect::<Int64Array>())
    } else if first.is_instance_of::<PyFloat>() || first.is_instance_of::<PyInt>() {
        Arc::new(each::<f64>(&items, "a number")?.into_iter().collect::<Float64Array>())
    } else {
        let crystals = items.iter().map(crystal).collect::<PyResult<Vec<_>>>()?;
        let crystals: Vec<Option<Arc<Structure>>> = crystals.into_iter().map(|row| row.map(|c| c.0)).collect();
        Arc::new(py.detach(|| structures(crystals.iter().map(|row| row.as_deref()))))
    };
    Ok(Column(column))
}

/// Every item as a value of one type.
fn each<'py, T: FromPyObjectOwned<'py>>(items: &[Bound<'py, PyAny>], kind: &str) -> PyResult<Vec<Option<T>>> {
    let one = |(i, item): (usize, &Bound<'py, PyAny>)| match item.is_none() {
        true => Ok(None),
        false => item.extract::<T>().map(Some).map_err(|_| unlike(i, item, kind)),
    };
    items.iter().enumerate().map(one).collect()
}

fn unlike(i: usize, item: &Bound<'_, PyAny>, kind: &str) -> PyErr {
    let name = item.get_type().name().map_or_else(|_| "another kind".to_owned(), |name| name.to_string());
    PyTypeError::new_err(format!("item {i} is {name}; expected {kind}, as the first one is"))
}

fn crystal(item: &Bound<'_, PyAny>) -> PyResult<Option<Crystal>> {
    if item.is_none() {
        return Ok(None);
    }
    if let Ok(crystal) = item.cast::<Crystal>() {
        return Ok(Some(crystal.get().clone()));
    }
    if let Ok((lattice, numbers, places)) = item.extract::<(Vec<u8>, Vec<u8>, Vec<u8>)>() {
        return unpacked(&lattice, &numbers, &places).map(Some);
    }
    let name = item.get_type().name()?;
    Err(PyTypeError::new_err(format!(
        "{name} is no crystal: expected a Structure of pymatgen, Atoms of ASE, a hollandite.Crystal, or the text of a CIF, POSCAR or JSON"
    )))
}

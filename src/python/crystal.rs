//! A crystal as an object of Python: light, without pymatgen or numpy, and made into theirs on request.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use hollandite::columns::{StructureColumn, structures};
use hollandite::crystal::{Element, Lattice, Structure};
use hollandite::formats::{parse_structure, to_cif, to_json, to_poscar};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict};

use crate::errors::{CrystalError, UsageError, raised};

/// A crystal: its lattice, the elements of its sites and where they are.
///
/// `Crystal(lattice, species, frac_coords)` takes the vectors a, b and c in Å, symbols or atomic numbers, and fractions of the
/// vectors; `Crystal.read(text)` takes CIF, POSCAR or JSON, or the Path of a file. Two crystals are
/// equal if lattice, elements and fractions are, number by number.
#[pyclass(frozen, eq, hash, module = "hollandite", from_py_object)]
#[derive(Clone, PartialEq)]
pub struct Crystal(pub Arc<Structure>);

impl Hash for Crystal {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let column = structures([Some(self.0.as_ref())].into_iter());
        let exact = StructureColumn::try_new(&column).ok().and_then(|column| column.exact_hash(0));
        exact.hash(state);
    }
}

/// A symbol or an atomic number.
#[derive(FromPyObject)]
enum Kind {
    Symbol(String),
    Number(i64),
}

impl Kind {
    fn element(&self) -> PyResult<Element> {
        match self {
            Self::Symbol(symbol) => Element::from_symbol(symbol).map_err(raised),
            Self::Number(z) => Element::from_z(*z).map_err(raised),
        }
    }
}

#[pymethods]
impl Crystal {
    #[new]
    fn new(lattice: &Bound<'_, PyAny>, species: &Bound<'_, PyAny>, frac_coords: &Bound<'_, PyAny>) -> PyResult<Self> {
        let lattice: [[f64; 3]; 3] = taken(lattice, "lattice", "three vectors of three numbers, Å")?;
        let species: Vec<Kind> = taken(species, "species", "the symbol or atomic number of each site")?;
        let frac_coords: Vec<[f64; 3]> = taken(frac_coords, "frac_coords", "three fractions for each site")?;
        let species = species.iter().map(Kind::element).collect::<PyResult<_>>()?;
        let structure = Structure::new(Lattice::new(lattice).map_err(raised)?, species, frac_coords).map_err(raised)?;
        Ok(Self(Arc::new(structure)))
    }

    /// The crystal of a text: CIF, POSCAR, or JSON of pymatgen, the Materials Project or OPTIMADE.
    #[staticmethod]
    fn read(py: Python<'_>, text: String) -> PyResult<Self> {
        let structure = py.detach(|| parse_structure(&text)).map_err(raised)?;
        Ok(Self(Arc::new(structure)))
    }

    /// The vectors a, b and c, Å.
    #[getter]
    fn lattice(&self) -> [[f64; 3]; 3] {
        *self.0.lattice().rows()
    }

    /// a, b, c in Å, and alpha, beta, gamma in degrees.
    #[getter]
    fn parameters(&self) -> (f64, f64, f64, f64, f64, f64) {
        let [a, b, c, alpha, beta, gamma] = self.0.lattice().parameters();
        (a, b, c, alpha, beta, gamma)
    }

    /// The atomic number of each site.
    #[getter]
    fn numbers(&self) -> Vec<u16> {
        // Of u8 Python would make bytes.
        self.0.species().iter().map(|element| u16::from(element.z())).collect()
    }

    /// The symbol of each site.
    #[getter]
    fn species(&self) -> Vec<&'static str> {
        self.0.species().iter().map(|element| element.symbol()).collect()
    }

    /// The fractional coordinates of each site.
    #[getter]
    fn frac_coords(&self) -> Vec<[f64; 3]> {
        self.0.frac_coords().to_vec()
    }

    /// The reduced formula.
    #[getter]
    fn formula(&self) -> String {
        self.0.composition().reduced_formula()
    }

    /// Volume of the cell, Å³.
    #[getter]
    fn volume(&self) -> f64 {
        self.0.volume()
    }

    fn __len__(&self) -> usize {
        self.0.len()
    }

    fn __repr__(&self) -> String {
        let [a, b, c, alpha, beta, gamma] = self.0.lattice().parameters();
        let angles = if [alpha, beta, gamma].iter().all(|x| (x - 90.0).abs() < 0.05) {
            String::new()
        } else {
            format!(", {alpha:.1} {beta:.1} {gamma:.1}°")
        };
        let (formula, count) = (self.formula(), self.0.len());
        let atoms = if count == 1 { "atom" } else { "atoms" };
        format!("Crystal({formula}, {count} {atoms}, {a:.3} {b:.3} {c:.3} Å{angles})")
    }

    /// For pickle and copy.
    fn __getnewargs__(&self) -> ([[f64; 3]; 3], Vec<u16>, Vec<[f64; 3]>) {
        (self.lattice(), self.numbers(), self.frac_coords())
    }

    /// The crystal of the bytes of its numbers: lattice (float64), atomic numbers (int32) and fractions (float64).
    #[staticmethod]
    fn _unpack(lattice: &[u8], numbers: &[u8], places: &[u8]) -> PyResult<Self> {
        unpacked(lattice, numbers, places)
    }

    /// The bytes of its numbers, as `_unpack` takes them.
    fn _pack<'py>(&self, py: Python<'py>) -> (PyPacked, PyPacked, PyPacked) {
        self.packed(py)
    }

    /// The text of a CIF in which every atom is listed.
    #[pyo3(signature = (name = "crystal"))]
    fn to_cif(&self, name: &str) -> String {
        to_cif(&self.0, name)
    }

    /// The text of a POSCAR.
    #[pyo3(signature = (name = "crystal"))]
    fn to_poscar(&self, name: &str) -> String {
        to_poscar(&self.0, name)
    }

    /// The JSON that pymatgen reads, as a dict.
    fn as_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let text = to_json(&self.0).to_string();
        py.import("json")?.call_method1("loads", (text,))
    }

    /// A `pymatgen.core.Structure`.
    fn to_pymatgen<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        ours(py, "to_pymatgen", self)
    }

    /// An `ase.Atoms` with periodic boundaries.
    fn to_ase<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        ours(py, "to_ase", self)
    }

    /// The crystal as a model that a notebook shows and the mouse turns.
    #[pyo3(signature = (height = 420))]
    fn view<'py>(&self, py: Python<'py>, height: u32) -> PyResult<Bound<'py, PyAny>> {
        let options = PyDict::new(py);
        options.set_item("height", height)?;
        py.import("hollandite._view")?.call_method("view", (self.clone(),), Some(&options))
    }

    /// The page of `view`.
    fn _page(&self, py: Python<'_>, title: String) -> PyResult<String> {
        let structure = Arc::clone(&self.0);
        py.detach(move || hollandite::report::page::crystal(&title, &structure))
            .map_err(|e| crate::errors::of_report(&e))
    }
}

type PyPacked = Py<PyBytes>;

impl Crystal {
    fn packed(&self, py: Python<'_>) -> (PyPacked, PyPacked, PyPacked) {
        let floats = |numbers: &[f64]| {
            let bytes: Vec<u8> = numbers.iter().flat_map(|x| x.to_ne_bytes()).collect();
            PyBytes::new(py, &bytes).unbind()
        };
        let numbers: Vec<u8> = self.0.species().iter().flat_map(|e| i32::from(e.z()).to_ne_bytes()).collect();
        (
            floats(self.0.lattice().rows().as_flattened()),
            PyBytes::new(py, &numbers).unbind(),
            floats(self.0.frac_coords().as_flattened()),
        )
    }
}

/// The crystal of three runs of bytes.
///
/// # Errors
/// Numbers that are no crystal. Sites are not searched for overlaps: what is stored is checked when it is imported.
pub fn unpacked(lattice: &[u8], numbers: &[u8], places: &[u8]) -> PyResult<Crystal> {
    let short =
        || UsageError::new_err("a crystal is 9 numbers of its lattice, an atomic number and three fractions a site");
    let floats = |bytes: &[u8]| {
        let (numbers, rest) = bytes.as_chunks::<8>();
        rest.is_empty().then(|| numbers.iter().map(|bytes| f64::from_ne_bytes(*bytes)).collect::<Vec<f64>>())
    };
    let (lattice, places) = (floats(lattice).ok_or_else(short)?, floats(places).ok_or_else(short)?);
    let rows: [f64; 9] = lattice.try_into().map_err(|_| short())?;
    let (numbers, rest) = numbers.as_chunks::<4>();
    let (places, more) = places.as_chunks::<3>();
    if !rest.is_empty() || !more.is_empty() {
        return Err(short());
    }
    let species = numbers.iter().map(|z| Element::from_z(i64::from(i32::from_ne_bytes(*z)))).collect::<Result<_, _>>();
    let lattice = Lattice::new(std::array::from_fn(|r| std::array::from_fn(|c| rows[3 * r + c]))).map_err(raised)?;
    let structure = Structure::with_overlaps(lattice, species.map_err(raised)?, places.to_vec()).map_err(raised)?;
    Ok(Crystal(Arc::new(structure)))
}

/// The crystal of row `i` of a column; `None` for NULL.
///
/// # Errors
/// A row that is no crystal.
pub fn of_row(column: &StructureColumn<'_>, i: usize) -> PyResult<Option<Crystal>> {
    let found = column.get(i).transpose();
    found.map(|row| row.map(|structure| Crystal(Arc::new(structure)))).map_err(|e| CrystalError::new_err(e.to_string()))
}

/// An argument as a value of Rust.
///
/// # Errors
/// One of another form.
fn taken<'py, T: FromPyObjectOwned<'py>>(value: &Bound<'py, PyAny>, name: &str, expected: &str) -> PyResult<T> {
    let listed = listed(value)?;
    listed.extract::<T>().map_err(|_| {
        let said = value.repr().map_or_else(|_| "something else".to_owned(), |text| text.to_string());
        let said =
            if said.chars().count() > 80 { format!("{} ..", said.chars().take(77).collect::<String>()) } else { said };
        UsageError::new_err(format!("{name}: expected {expected}, and this is {said}"))
    })
}

/// Arrays of numpy as lists; anything else as it is.
fn listed<'py>(values: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    if values.hasattr("tolist")? { values.call_method0("tolist") } else { Ok(values.clone()) }
}

/// Calls a function of the package's own conversions.
fn ours<'py>(py: Python<'py>, name: &str, crystal: &Crystal) -> PyResult<Bound<'py, PyAny>> {
    py.import("hollandite._structures")?.call_method1(name, (crystal.clone(),))
}

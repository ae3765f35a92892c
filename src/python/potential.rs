//! An energy model for ASE: energies, forces, stresses and moments of single crystals.

use std::sync::Arc;

use hollandite::models::potential::Potential as _;
use hollandite::models::{Model, ModelPotential};
use pyo3::prelude::*;

use crate::connection::Connection;
use crate::crystal::Crystal;
use crate::errors::raised;
use crate::runtime::not_forked;

/// An energy model by its name or path.
#[pyclass(frozen, module = "hollandite._lib")]
pub struct Potential(Arc<ModelPotential>);

/// Energy (eV), forces (eV/Å), stress (eV/Å³, three rows) and moments (μ_B) where the model has them.
type Answer = (f64, Vec<[f64; 3]>, [[f64; 3]; 3], Option<Vec<f64>>);

#[pymethods]
impl Potential {
    #[new]
    #[pyo3(signature = (model, connection = None))]
    fn new(py: Python<'_>, model: String, connection: Option<&Connection>) -> PyResult<Self> {
        not_forked()?;
        let folder = match connection {
            Some(connection) => connection.open()?.store.map(|store| store.models_folder()),
            None => None,
        };
        let found = py.detach(|| Model::find(&model, folder.as_deref()).and_then(|model| model.potential()));
        Ok(Self(Arc::new(found.map_err(raised)?)))
    }

    /// Its name.
    #[getter]
    fn name(&self) -> String {
        self.0.name().to_owned()
    }

    /// Identity of its weights.
    #[getter]
    fn id(&self) -> String {
        self.0.id().to_owned()
    }

    /// Energy (eV), forces (eV/Å), stress (eV/Å³, positive on the diagonal where the cell tends to shrink) and moments (μ_B) of each
    /// crystal.
    fn evaluate(&self, py: Python<'_>, crystals: Vec<Crystal>) -> PyResult<Vec<Answer>> {
        not_forked()?;
        let answers = py.detach(|| {
            let structures: Vec<_> = crystals.iter().map(|crystal| crystal.0.as_ref()).collect();
            self.0.single_points(&structures)
        });
        let answer = |answer: Result<hollandite::models::potential::SinglePoint, _>| {
            let answer = answer.map_err(|e: hollandite::error::ModelError| raised(e))?;
            Ok((answer.energy, answer.forces, answer.stress, answer.magmoms))
        };
        answers.into_iter().map(answer).collect()
    }
}

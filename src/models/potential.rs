//! What an energy model answers: the total energy of a cell, and its gradients.

use crate::ModelError;
use crystal::Structure;

/// Pressure of 1 eV/Å³, GPa (CODATA 2018).
pub const GPA_PER_EV_PER_CUBIC_ANGSTROM: f64 = 160.217_663_4;

/// The answer of an energy model for one crystal.
#[derive(Debug, Clone, PartialEq)]
pub struct SinglePoint {
    /// Total energy of the cell, eV, on the scale of the calculations the model learned from.
    pub energy: f64,
    /// Force on each site, eV/Å: the negative gradient of the energy in its Cartesian position.
    pub forces: Vec<[f64; 3]>,
    /// Derivative of the energy in the strain over the cell volume, eV/Å³, row-major, symmetric. Positive on the diagonal: the
    /// cell would shrink. [`GPA_PER_EV_PER_CUBIC_ANGSTROM`] makes it GPa.
    pub stress: [[f64; 3]; 3],
    /// Magnetic moment of each site, μ_B, without sign; `None` by a model that has none.
    pub magmoms: Option<Vec<f64>>,
}

/// An energy model: a smooth energy surface over positions and cell.
pub trait Potential: Send + Sync {
    /// Name in queries.
    fn name(&self) -> &str;

    /// Identity of the weights: the key of its cached answers.
    fn id(&self) -> &str;

    /// Energies, forces, stresses and magnetic moments, one answer per structure.
    ///
    /// # Errors
    /// Per structure: an element outside the coverage, or an atom without neighbours.
    fn single_points(&self, structures: &[&Structure]) -> Vec<Result<SinglePoint, ModelError>>;

    /// Total energies of the cells, eV, where no gradient is needed.
    ///
    /// # Errors
    /// As [`Potential::single_points`].
    fn energies(&self, structures: &[&Structure]) -> Vec<Result<f64, ModelError>> {
        self.single_points(structures).into_iter().map(|answer| answer.map(|point| point.energy)).collect()
    }
}

//! SQL functions of crystals: one [`Function`] each, which says all that is known of it, in a file for each theme. To add one, write
//! one: signature, documentation, units and checks follow from it, the kernel calls what computes on a crystal.
//!
//! NULL in, NULL out. A row that is no crystal, or for which the quantity is not defined, answers NULL and is counted in
//! the session's warnings.

pub(crate) mod arguments;
mod bonding;
mod comparison;
mod composition;
mod curve;
mod declaration;
mod descriptors;
mod diffraction;
mod energies;
mod geometry;
mod intervals;
mod ions;
mod json;
pub(crate) mod kernel;
pub(crate) mod migration;
mod models;
mod pores;
mod prototypes;
mod stability;
mod surface;
mod symmetry;
mod text;
mod udf;
mod voltages;

pub use declaration::{Function, Kind, Omitted, Parameter, UNIT_OF_MODEL, number, optional, required};
pub(crate) use energies::ENERGY;
pub use kernel::{Arguments, FieldDoc, Kernel};
pub use udf::CrystalUdf;

/// All functions by section of the reference.
pub fn themes() -> Vec<(&'static str, Vec<Function>)> {
    vec![
        ("Bonding", bonding::functions()),
        ("Comparison", comparison::functions()),
        ("Composition", composition::functions()),
        ("Descriptors", descriptors::functions()),
        ("Diffraction", diffraction::functions()),
        (
            "Energies",
            [energies::functions(), curve::functions(), intervals::functions(), voltages::functions()]
                .into_iter()
                .flatten()
                .collect(),
        ),
        ("Geometry", geometry::functions()),
        ("Ions", [ions::functions(), migration::functions()].into_iter().flatten().collect()),
        ("JSON", json::functions()),
        ("Models", models::functions()),
        ("Pores", pores::functions()),
        ("Stability", stability::functions()),
        ("Symmetry", [symmetry::functions(), prototypes::functions()].into_iter().flatten().collect()),
        ("Text", text::functions()),
    ]
}

#[cfg(test)]
mod tests {
    use datafusion::logical_expr::Volatility;

    use super::*;

    #[test]
    fn what_reads_the_session_is_stable() {
        let all = themes().into_iter().flat_map(|(_, functions)| functions);
        let stable = all.filter(|function| function.kernel.volatility() == Volatility::Stable);
        let names: Vec<&str> = stable.map(|function| function.name).collect();
        let energies = ["adsorption", "extraction_voltage", "predict_energy", "predict_forces", "predict_magmoms"];
        let others = [
            "predict_stress",
            "relax",
            "voltage_curve",
            "adsorption_interval",
            "electrode_voltage",
            "adsorption_potential",
            "reference_energy",
            "migration_barrier",
            "predict",
            "predict_ef",
        ];
        assert_eq!(names, [energies.as_slice(), &others, &["formation_energy"]].concat());
    }
}

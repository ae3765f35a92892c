//! SQL functions of crystals, one file each: a name, its documentation, its types, and one call of a pure function. What
//! they share is here: the description that the planner reads ([`CrystalFunction`]), the adapter to the engine
//! ([`CrystalUdf`]) and the loop over rows ([`executor`]).
//!
//! NULL in, NULL out. A row that is no crystal, or for which the quantity is not defined, answers NULL and is counted in
//! the session's warnings.

mod coulomb_eigenvalues;
mod coulomb_matrix;
mod density;
mod distance_min;
mod ewald_sum_eigenvalues;
mod ewald_sum_matrix;
mod executor;
mod fingerprint;
mod formula;
mod has_element;
mod lists;
mod magpie;
mod magpie_names;
mod natoms;
mod orbital_field_matrix;
mod packing_fraction;
pub(super) mod predict_ef;
mod prototype;
mod reduced_formula;
mod same_prototype;
mod same_structure;
mod similarity;
mod sine_coulomb_eigenvalues;
mod sine_coulomb_matrix;
mod site_orbital_field_matrices;
mod soap;
mod soap_average;
mod spacegroup;
mod spacegroup_symbol;
mod structure;
mod structure_match;
mod symmetry_functions;
mod to_cif;
mod to_poscar;
mod udf;
mod void;
mod volume;
mod xrd;
mod xrd_pattern;
mod xrd_peaks;

pub use coulomb_eigenvalues::CoulombEigenvalues;
pub use coulomb_matrix::CoulombMatrix;
pub use density::Density;
pub use distance_min::DistanceMin;
pub use ewald_sum_eigenvalues::EwaldSumEigenvalues;
pub use ewald_sum_matrix::EwaldSumMatrix;
pub use fingerprint::Fingerprint;
pub use formula::Formula;
pub use has_element::HasElement;
pub use magpie::Magpie;
pub use magpie_names::MagpieNames;
pub use natoms::Natoms;
pub use orbital_field_matrix::OrbitalFieldMatrixOf;
pub use packing_fraction::PackingFraction;
pub use predict_ef::PredictEf;
pub use prototype::Prototype;
pub use reduced_formula::ReducedFormula;
pub use same_prototype::SamePrototype;
pub use same_structure::SameStructure;
pub use similarity::Similarity;
pub use sine_coulomb_eigenvalues::SineCoulombEigenvalues;
pub use sine_coulomb_matrix::SineCoulombMatrix;
pub use site_orbital_field_matrices::SiteOrbitalFieldMatrices;
pub use soap::SoapOf;
pub use soap_average::SoapAverage;
pub use spacegroup::Spacegroup;
pub use spacegroup_symbol::SpacegroupSymbol;
pub use structure::StructureOf;
pub use structure_match::StructureMatch;
pub use symmetry_functions::SymmetryFunctionsOf;
pub use to_cif::ToCif;
pub use to_poscar::ToPoscar;
pub use udf::{Arguments, CrystalFunction, CrystalUdf, Kind, Parameter};
pub use void::Void;
pub use volume::Volume;
pub use xrd::Xrd;
pub use xrd_pattern::XrdPattern;
pub use xrd_peaks::XrdPeaks;

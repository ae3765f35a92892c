//! What an import and the usual queries ask of every crystal. `tests/fuzz` includes this file.

use hollandite::crystal::{DEFAULT_SYMPREC, Radii, Structure, Symmetry, content_hash, neighbors};
use hollandite::features;
use hollandite::formats::{to_cif, to_json};

/// Asks all of it: nothing may panic, whatever the crystal.
pub fn everything(structure: &Structure) {
    content_hash(structure);
    let _ = neighbors(structure, 5.0);
    let _ = structure.distance_min();
    let _ = Symmetry::of(structure, DEFAULT_SYMPREC).map(|s| (s.prototype(structure), s.conventional().is_ok()));
    let _ = structure.primitive(DEFAULT_SYMPREC);
    let _ = features::default_void(structure);
    let _ = features::packing_fraction(structure, Radii::Atomic);
    let _ = features::coordination(structure, features::COORDINATION_TOLERANCE);
    let _ = features::bond_valence_sums(structure, 1.0);
    let _ = features::fingerprint(structure);
    let _ = features::magpie(&structure.composition());
    let _ = features::xrd_vector(structure);
    let _ = features::voronoi(structure);
    let _ = (to_cif(structure, "x"), to_json(structure));
}

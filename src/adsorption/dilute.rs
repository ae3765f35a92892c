//! How far inserted ions are from one another, and a cell in which one is far from its own images.
//!
//! A calculation with periodic boundaries never holds one ion: it holds one in each cell. Along a tunnel the cell is often a single
//! octahedron long, 3.9 Å, and the ion stands in a dense row of itself. The distance is therefore part of every answer, and a larger one
//! can be requested.

use crate::AdsorptionError;
use crystal::{DEFAULT_SYMPREC, HermiteForm, Lattice, Structure, Superbase, hermite_forms, neighbors};

/// The most atoms of a cell that is enlarged to keep ions apart: a relaxation of more takes hours.
pub const MOST_ATOMS: usize = 400;
/// Distances this near, Å, are equal.
const EQUAL: f64 = 1e-3;

/// The shortest distance between two of the last `n` atoms of a crystal, their images in other cells included, Å.
pub fn ion_spacing(structure: &Structure, n: usize) -> f64 {
    let first = structure.len().saturating_sub(n);
    let ions = (structure.species()[first..].to_vec(), structure.frac_coords()[first..].to_vec());
    // No pair is farther apart than an ion and its nearest image.
    let image = shortest(structure.lattice());
    let Ok(alone) = Structure::with_overlaps(*structure.lattice(), ions.0, ions.1) else { return image };
    neighbors(&alone, image * (1.0 + 1e-6)).distance.iter().copied().fold(image, f64::min)
}

/// The primitive cell of `host`, and the rows by which it becomes the smallest cell no lattice vector of which is shorter than
/// `spacing`, Å: of the cells of that size the one whose shortest vector is longest.
///
/// # Errors
/// A spacing that is not positive, or that needs more than [`MOST_ATOMS`] atoms.
pub fn spaced(host: &Structure, spacing: f64) -> Result<(Structure, HermiteForm), AdsorptionError> {
    if !(spacing > 0.0 && spacing.is_finite()) {
        return Err(AdsorptionError::Undefined(format!(
            "spacing = {spacing} Å; give a positive distance between an ion and its images"
        )));
    }
    let primitive = host.primitive(DEFAULT_SYMPREC);
    // A lattice of shortest vector d has a cell of d³/√2 or more (the close packing of spheres).
    let least = (spacing.powi(3) / 2.0_f64.sqrt() / primitive.volume()).ceil().max(1.0) as usize;
    for cells in least..=MOST_ATOMS / primitive.len() {
        let reach = |form: HermiteForm| Some((shortest(&lattice_of(&primitive, &form)?), form));
        let best =
            hermite_forms(cells).into_iter().filter_map(reach).reduce(|a, b| if b.0 > a.0 + EQUAL { b } else { a });
        if let Some((_, form)) = best.filter(|(length, _)| *length >= spacing - EQUAL) {
            return Ok((primitive, form));
        }
    }
    Err(AdsorptionError::Undefined(format!(
        "a spacing of {spacing} Å needs a supercell of more than {MOST_ATOMS} atoms: the primitive cell has {}; ask for less",
        primitive.len()
    )))
}

/// The lattice whose rows are those of `form` times the crystal's.
fn lattice_of(structure: &Structure, form: &HermiteForm) -> Option<Lattice> {
    let old = structure.lattice().rows();
    let row = |n: [usize; 3]| std::array::from_fn(|k| (0..3).map(|i| n[i] as f64 * old[i][k]).sum());
    Lattice::new(form.map(row)).ok()
}

/// The shortest lattice vector, Å.
fn shortest(lattice: &Lattice) -> f64 {
    Superbase::of(lattice).extent().0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crystal::Element;

    fn cell(a: f64, c: f64, atoms: &[[f64; 3]]) -> Structure {
        let lattice = Lattice::from_parameters(a, a, c, 90.0, 90.0, 90.0).unwrap();
        let tungsten = Element::from_symbol("W").unwrap();
        Structure::new(lattice, vec![tungsten; atoms.len()], atoms.to_vec()).unwrap()
    }

    #[test]
    fn an_ion_is_as_far_as_its_nearest_image_or_companion() {
        let row = cell(10.0, 3.87, &[[0.0; 3], [0.5, 0.5, 0.0], [0.5, 0.5, 0.5]]);
        assert!((ion_spacing(&row, 1) - 3.87).abs() < 1e-6, "{}", ion_spacing(&row, 1));
        assert!((ion_spacing(&row, 2) - 3.87 / 2.0).abs() < 1e-6);
    }

    #[test]
    fn the_cell_grows_along_its_short_axis_only() {
        let tunnel = cell(10.0, 3.87, &[[0.0; 3], [0.1, 0.4, 0.2]]);
        let (primitive, form) = spaced(&tunnel, 7.5).unwrap();
        let large = primitive.superlattice(&form).unwrap();
        assert_eq!((primitive.len(), large.len()), (2, 4));
        assert!(shortest(large.lattice()) >= 7.5, "{}", shortest(large.lattice()));
        // A supercell of the file is no larger crystal.
        let long = tunnel.supercell([1, 1, 3]).unwrap();
        let (again, form) = spaced(&long, 7.5).unwrap();
        assert_eq!(again.superlattice(&form).unwrap().len(), 4);
        // Centred cells are allowed: two cells of a 4 Å cube in a checkerboard are 5.7 Å apart, four 6.9 Å.
        let (cube, form) = spaced(&cell(4.0, 4.0, &[[0.0; 3]]), 6.9).unwrap();
        assert_eq!(cube.superlattice(&form).unwrap().len(), 4);
    }

    #[test]
    fn what_is_too_large_or_no_distance_is_said() {
        let tunnel = cell(10.0, 3.87, &[[0.0; 3]]);
        for (spacing, part) in [(0.0, "positive"), (f64::NAN, "positive"), (200.0, "more than 400 atoms")] {
            let message = spaced(&tunnel, spacing).unwrap_err().to_string();
            assert!(message.contains(part), "{message}");
        }
    }
}

//! A periodic structure: a lattice and its fully occupied sites.

use super::{Composition, Element, Lattice, nearest::shortest_distance};
use crate::CrystalError;

/// Two sites nearer than this, Å, are one atom entered twice or a wrong symmetry operation. The shortest real bond in a
/// solid, H–H, is 0.74 Å.
pub const MIN_SITE_DISTANCE: f64 = 0.5;
/// Most sites of a cell. The largest cells of crystals that were solved, such as that of Al55Cu5Ta39, hold some 23 000 atoms.
pub const MAX_SITES: usize = 100_000;
/// Furthest a site may lie from the cell, in its vectors: atoms of a long simulation whose paths were never folded back
/// wander over some tens of cells.
pub const MAX_FRACTION: f64 = 1000.0;
/// Least volume to an atom, Å³. Hydrogen at 500 GPa has more than 1 Å³.
pub const MIN_SITE_VOLUME: f64 = 0.5;

/// A crystal: lattice, elements and fractional coordinates of `len()` sites. Valid by construction.
#[derive(Debug, Clone, PartialEq)]
pub struct Structure {
    lattice: Lattice,
    species: Vec<Element>,
    frac_coords: Vec<[f64; 3]>,
}

impl Structure {
    /// Structure of `species` at `frac_coords` (fractions of the lattice vectors, kept as given, not wrapped).
    ///
    /// # Errors
    /// No site or more than [`MAX_SITES`], lists of unlike lengths, less than [`MIN_SITE_VOLUME`] to a site, a coordinate
    /// that is not finite or beyond ±[`MAX_FRACTION`], or two sites (or a site and its own periodic image) nearer than
    /// [`MIN_SITE_DISTANCE`].
    pub fn new(lattice: Lattice, species: Vec<Element>, frac_coords: Vec<[f64; 3]>) -> Result<Self, CrystalError> {
        let structure = Self::with_overlaps(lattice, species, frac_coords)?;
        if let Some((i, j, distance)) = shortest_distance(&structure, MIN_SITE_DISTANCE) {
            return Err(CrystalError::Overlap {
                i: i + 1,
                j: j + 1,
                first: structure.species[i].symbol(),
                second: structure.species[j].symbol(),
                distance,
                limit: MIN_SITE_DISTANCE,
            });
        }
        Ok(structure)
    }

    /// As [`Structure::new`] without the search for overlapping sites: for rows that were checked when they were imported.
    ///
    /// # Errors
    /// As [`Structure::new`], overlapping sites aside.
    pub fn with_overlaps(
        lattice: Lattice,
        species: Vec<Element>,
        frac_coords: Vec<[f64; 3]>,
    ) -> Result<Self, CrystalError> {
        if species.is_empty() {
            return Err(CrystalError::Sites("the structure has no atom".into()));
        }
        if species.len() != frac_coords.len() {
            return Err(CrystalError::Sites(format!(
                "{} species but {} coordinates: each site needs both",
                species.len(),
                frac_coords.len()
            )));
        }
        if species.len() > MAX_SITES {
            return Err(CrystalError::Sites(format!("{} sites, more than the {MAX_SITES} accepted", species.len())));
        }
        let volume = lattice.volume() / species.len() as f64;
        if volume < MIN_SITE_VOLUME {
            return Err(CrystalError::Sites(format!(
                "the cell has {volume:.3} Å³ for each of {} sites, below {MIN_SITE_VOLUME} Å³: is its length unit Å?",
                species.len()
            )));
        }
        if let Some(i) = frac_coords.iter().position(|x| x.iter().any(|x| x.is_nan() || x.abs() > MAX_FRACTION)) {
            let fault = if frac_coords[i].iter().all(|x| x.is_finite()) {
                format!("more than {MAX_FRACTION} cells away: check the units of cell and coordinates")
            } else {
                "which are not finite".into()
            };
            return Err(CrystalError::Sites(format!(
                "site {} ({}) has coordinates {:?}, {fault}",
                i + 1,
                species[i].symbol(),
                frac_coords[i]
            )));
        }
        Ok(Self { lattice, species, frac_coords })
    }

    /// The same sites in another basis of the same lattice; in a skewed one the coordinates may be large.
    pub fn in_basis(&self, lattice: Lattice, frac_coords: Vec<[f64; 3]>) -> Self {
        debug_assert_eq!(frac_coords.len(), self.len());
        Self { lattice, species: self.species.clone(), frac_coords }
    }

    /// The lattice, Å.
    #[inline]
    pub fn lattice(&self) -> &Lattice {
        &self.lattice
    }

    /// Element of each site.
    #[inline]
    pub fn species(&self) -> &[Element] {
        &self.species
    }

    /// Fractional coordinates of each site.
    #[inline]
    pub fn frac_coords(&self) -> &[[f64; 3]] {
        &self.frac_coords
    }

    /// Number of atoms in the cell.
    #[allow(clippy::len_without_is_empty, reason = "a structure is never empty")]
    #[inline]
    pub fn len(&self) -> usize {
        self.species.len()
    }

    /// Cartesian coordinates of each site, Å.
    pub fn cart_coords(&self) -> Vec<[f64; 3]> {
        self.frac_coords.iter().map(|&x| self.lattice.to_cartesian(x)).collect()
    }

    /// The same sites with other elements: what `element` makes of the number of a site and its element.
    pub fn relabelled(&self, mut element: impl FnMut(usize, Element) -> Element) -> Self {
        let species = self.species.iter().enumerate().map(|(site, &old)| element(site, old)).collect();
        Self { species, ..self.clone() }
    }

    /// The same crystal with every length times `factor`. Sites are not searched for overlaps.
    ///
    /// # Errors
    /// A lattice that is no longer valid.
    pub fn scaled(&self, factor: f64) -> Result<Self, CrystalError> {
        let lattice = Lattice::new(self.lattice.rows().map(|row| row.map(|x| x * factor)))?;
        Ok(Self { lattice, ..self.clone() })
    }

    /// What the cell is made of, amounts per cell.
    pub fn composition(&self) -> Composition {
        Composition::from_elements(&self.species)
    }

    /// Cell volume, Å³.
    pub fn volume(&self) -> f64 {
        self.lattice.volume()
    }

    /// The shortest distance between two atoms, periodic images included, Å.
    pub fn distance_min(&self) -> f64 {
        // Every crystal has a distance no longer than its shortest lattice vector: the atom and its own image.
        let shortest_vector = self.lattice.parameters()[..3].iter().copied().fold(f64::INFINITY, f64::min);
        shortest_distance(self, shortest_vector * (1.0 + 1e-9)).map_or(shortest_vector, |(_, _, d)| d)
    }

    /// The same crystal with every coordinate in [0, 1).
    pub fn wrapped(&self) -> Self {
        let frac_coords = self.frac_coords.iter().map(|x| x.map(wrap)).collect();
        Self { frac_coords, ..self.clone() }
    }
}

/// Into [0, 1); -1e-17 becomes 0 and not 1.
fn wrap(x: f64) -> f64 {
    let wrapped = x - x.floor();
    if wrapped >= 1.0 { 0.0 } else { wrapped }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::rutile;

    #[test]
    fn shortest_distance_of_rutile_is_the_equatorial_bond() {
        // Four equatorial Ti-O bonds: |(0.5 - x, 0.5 - x, 0.5)| in Å.
        let d = ((0.195 * 4.594_f64).powi(2) * 2.0 + (0.5 * 2.959_f64).powi(2)).sqrt();
        assert!((rutile().distance_min() - d).abs() < 1e-12);
    }

    #[test]
    fn overlapping_sites_are_refused_even_across_the_cell_border() {
        let r = rutile();
        let mut species = r.species().to_vec();
        let mut coords = r.frac_coords().to_vec();
        species.push(species[0]);
        coords.push([0.999, 1.001, -0.999]);
        let error = Structure::new(*r.lattice(), species, coords).unwrap_err();
        assert!(matches!(error, CrystalError::Overlap { i: 1, j: 7, .. }), "{error}");
    }

    #[test]
    fn a_site_without_finite_coordinates_is_named() {
        let r = rutile();
        let mut coords = r.frac_coords().to_vec();
        coords[3][1] = f64::NAN;
        let message = Structure::new(*r.lattice(), r.species().to_vec(), coords).unwrap_err().to_string();
        assert!(message.starts_with("site 4 (O)"), "{message}");
    }

    #[test]
    fn hostile_numbers_are_refused_by_name() {
        let r = rutile();
        let with = |lattice: Lattice, x: f64| {
            let mut coords = r.frac_coords().to_vec();
            coords[1][2] = x;
            Structure::with_overlaps(lattice, r.species().to_vec(), coords).map_err(|e| e.to_string())
        };
        assert!(with(*r.lattice(), 999.5).is_ok());
        let far = with(*r.lattice(), -2e9).unwrap_err();
        assert!(far.starts_with("site 2 (Ti)") && far.contains("more than 1000 cells away"), "{far}");
        let small = Lattice::from_parameters(1.0, 1.0, 1.0, 90.0, 90.0, 90.0).unwrap();
        let dense = with(small, 0.5).unwrap_err();
        assert!(dense.contains("0.167 Å³ for each of 6 sites, below 0.5 Å³"), "{dense}");
        let vast = Lattice::from_parameters(1e3, 1e3, 1e3, 90.0, 90.0, 90.0).unwrap();
        let many = Structure::with_overlaps(vast, vec![Element::O; 100_001], vec![[0.0; 3]; 100_001]).unwrap_err();
        assert!(many.to_string().contains("100001 sites, more than the 100000"), "{many}");
    }
}

//! Sites by their Voronoi cells, as pymatgen's `VoronoiNN` describes them.
//!
//! The faces of a site's Voronoi cell name its neighbours without a cutoff, and the solid angle of a face at the site is the weight of that
//! neighbour (O'Keeffe, *Acta Cryst. A* **35** (1979) 772). A tiny face counts as much as any other in [`Cell::coordination`]; in
//! [`Cell::weighted_coordination`] it counts for nothing.

use super::{Cell, Tessellation, tessellate};
use crate::FeatureError;
use crystal::Structure;

/// The Voronoi cells of the sites of `structure`: points belong to the site nearest to them.
///
/// # Errors
/// As [`tessellate`].
pub fn voronoi(structure: &Structure) -> Result<Tessellation, FeatureError> {
    tessellate(structure, &vec![0.0; structure.len()])
}

impl Cell {
    /// The largest solid angle of a face, sr; 0 for an empty cell.
    pub fn max_solid_angle(&self) -> f64 {
        self.faces.iter().map(|f| f.solid_angle).fold(0.0, f64::max)
    }

    /// How many faces have a solid angle above `tolerance` times the largest one. At 0 all faces count.
    pub fn coordination(&self, tolerance: f64) -> usize {
        let least = tolerance * self.max_solid_angle();
        self.faces.iter().filter(|f| f.solid_angle > least).count()
    }

    /// The faces, each counted as its solid angle over the largest one: 4π over the largest.
    pub fn weighted_coordination(&self) -> f64 {
        let largest = self.max_solid_angle();
        if largest == 0.0 { 0.0 } else { self.faces.iter().map(|f| f.solid_angle).sum::<f64>() / largest }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crystal::{Element, Lattice};

    #[test]
    fn caesium_chloride_has_eight_neighbors_and_six_smaller_faces() {
        let lattice = Lattice::from_parameters(4.12, 4.12, 4.12, 90.0, 90.0, 90.0).unwrap();
        let pair = ["Cs", "Cl"].map(|s| Element::from_symbol(s).unwrap()).to_vec();
        let cells = voronoi(&Structure::new(lattice, pair, vec![[0.0; 3], [0.5; 3]]).unwrap()).unwrap().cells;
        for cell in cells {
            assert_eq!([0.0, 0.3, 0.4].map(|t| cell.coordination(t)), [14, 14, 8]);
            let weighted = 4.0 * std::f64::consts::PI / cell.max_solid_angle();
            assert!((cell.weighted_coordination() - weighted).abs() < 1e-12 && 8.0 < weighted && weighted < 14.0);
        }
    }
}

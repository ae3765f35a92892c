//! From slopes with the vectors of bonds to forces and stress.

use crate::bond_graph::BondGraph;

/// Slopes with the vectors of bonds, gathered into forces and the slope with strain.
pub struct Virial {
    /// Force on each atom, eV/Å.
    pub forces: Vec<[f64; 3]>,
    strain: [[f64; 3]; 3],
}

impl Virial {
    /// Of no bond so far.
    pub fn new(graph: &BondGraph) -> Self {
        Self { forces: vec![[0.0; 3]; graph.numbers.len()], strain: [[0.0; 3]; 3] }
    }

    /// The slope with the vector of directed bond `e` of atom `center`, which points to that atom from its neighbour.
    pub fn add(&mut self, graph: &BondGraph, center: usize, e: usize, slope: [f64; 3]) {
        let neighbor = graph.neighbor[e] as usize;
        for (k, slope) in slope.into_iter().enumerate() {
            self.forces[center][k] -= slope;
            self.forces[neighbor][k] += slope;
            for (strain, x) in self.strain[k].iter_mut().zip(graph.vector[e]) {
                *strain += slope * x;
            }
        }
    }

    /// Slope with strain over the volume, eV/Å³, symmetric.
    pub fn stress(&self, graph: &BondGraph) -> [[f64; 3]; 3] {
        let stress = |r: usize, c: usize| (self.strain[r][c] + self.strain[c][r]) / (2.0 * graph.volume);
        std::array::from_fn(|r| std::array::from_fn(|c| stress(r, c)))
    }
}

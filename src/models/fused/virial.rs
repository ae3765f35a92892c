//! From gradients in the vectors of bonds to forces and stress.

use crate::bond_graph::BondGraph;

/// Gradients in the vectors of bonds, gathered into forces and the gradient in the strain.
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

    /// The gradient in the vector of directed bond `e` of atom `center`, which points to that atom from its neighbour.
    pub fn add(&mut self, graph: &BondGraph, center: usize, e: usize, gradient: [f64; 3]) {
        let neighbor = graph.neighbor[e] as usize;
        for (k, gradient) in gradient.into_iter().enumerate() {
            self.forces[center][k] -= gradient;
            self.forces[neighbor][k] += gradient;
            for (strain, x) in self.strain[k].iter_mut().zip(graph.vector[e]) {
                *strain += gradient * x;
            }
        }
    }

    /// Gradient in the strain over the volume, eV/Å³, symmetric.
    pub fn stress(&self, graph: &BondGraph) -> [[f64; 3]; 3] {
        let stress = |r: usize, c: usize| (self.strain[r][c] + self.strain[c][r]) / (2.0 * graph.volume);
        std::array::from_fn(|r| std::array::from_fn(|c| stress(r, c)))
    }
}

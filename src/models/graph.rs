//! A crystal as a graph: atoms are nodes, every pair within a cutoff is a pair of directed edges, periodic images included.

use crate::{
    crystal::{Structure, neighbors},
    error::ModelError,
};

/// The crystal graph of one structure.
#[derive(Debug, Clone, PartialEq)]
pub struct Graph {
    /// Atomic number of each node.
    pub numbers: Vec<u8>,
    /// Node at which each edge is gathered, ascending.
    pub center: Vec<u32>,
    /// Node at the other end of each edge.
    pub neighbor: Vec<u32>,
    /// Length of each edge, Å.
    pub distance: Vec<f32>,
}

impl Graph {
    /// Graph of all pairs at most `cutoff` Å apart (an atom's own periodic images too).
    ///
    /// # Errors
    /// [`ModelError::NoBonds`] where no pair is that near.
    pub fn new(structure: &Structure, cutoff: f64) -> Result<Self, ModelError> {
        let pairs = neighbors(structure, cutoff);
        if pairs.is_empty() {
            return Err(ModelError::NoBonds { cutoff });
        }
        Ok(Self {
            numbers: structure.species().iter().map(|e| e.z()).collect(),
            center: pairs.center,
            neighbor: pairs.neighbor,
            distance: pairs.distance.into_iter().map(|d| d as f32).collect(),
        })
    }

    /// Number of atoms.
    pub fn nodes(&self) -> usize {
        self.numbers.len()
    }

    /// Number of directed edges.
    pub fn edges(&self) -> usize {
        self.center.len()
    }
}

/// Edges in one pass where many graphs are at hand: edge tensors of 64 columns then stay within a few MB of cache.
pub(super) const EDGES_PER_PASS: usize = 6_000;

/// Splits `0..sizes.len()`, ordered by size, into runs of which none exceeds `limit` in total (a single larger one stands
/// alone): graphs of like size share a forward pass.
pub fn batches_by_size(sizes: &[usize], limit: usize) -> Vec<Vec<usize>> {
    let mut order: Vec<usize> = (0..sizes.len()).collect();
    order.sort_by_key(|&i| sizes[i]);
    let mut batches: Vec<Vec<usize>> = Vec::new();
    let mut total = 0;
    for i in order {
        match batches.last_mut() {
            Some(batch) if total + sizes[i] <= limit => batch.push(i),
            _ => {
                batches.push(vec![i]);
                total = 0;
            }
        }
        total += sizes[i];
    }
    batches
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crystal::{Element, Lattice};

    #[test]
    fn a_lone_atom_beyond_the_cutoff_has_no_graph() {
        let lattice = Lattice::from_parameters(9.0, 9.0, 9.0, 90.0, 90.0, 90.0).unwrap();
        let far = Structure::new(lattice, vec![Element::O], vec![[0.0; 3]]).unwrap();
        assert!(matches!(Graph::new(&far, 5.0), Err(ModelError::NoBonds { .. })));
        let graph = Graph::new(&far, 9.0).unwrap();
        assert_eq!((graph.nodes(), graph.edges()), (1, 6));
    }

    #[test]
    fn batches_hold_every_index_once_and_respect_the_limit() {
        let sizes = [5, 100, 1, 30, 30, 2, 70];
        let batches = batches_by_size(&sizes, 64);
        let mut all: Vec<usize> = batches.concat();
        all.sort_unstable();
        assert_eq!(all, (0..sizes.len()).collect::<Vec<_>>());
        for batch in batches {
            assert!(batch.len() == 1 || batch.iter().map(|&i| sizes[i]).sum::<usize>() <= 64);
        }
    }
}

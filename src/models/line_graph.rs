//! The line graph of a crystal graph: a node for every bond, an edge for every two bonds that meet at an atom.
//!
//! An edge of the crystal graph runs from its neighbour to the centre that gathers it. Bond a = (u → v) passes its
//! message on to every bond b = (v → w): the line graph's edge is (a, b), its feature the cosine of the angle at v,
//! cos = -(r_a · r_b) / (|r_a| |r_b|), +1 where b leads straight back along a. That backtracking pair is kept, as ALIGNN does
//! (Choudhary and DeCost, npj Comput. Mater. 2021, 7, 185).
//!
//! Edges of a crystal graph are sorted by centre, so that the bonds a which end at v are one run, and the line graph's
//! edges, sorted by b, are a concatenation of such runs.

use super::graph::Graph;

/// Pairs (a, b) of bonds, sorted by b.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct LineGraph {
    /// Bond that gathers, ascending.
    pub center: Vec<u32>,
    /// Bond that is gathered; it ends where the other begins.
    pub neighbor: Vec<u32>,
    /// Cosine of the angle between them, -1 to 1.
    pub cosine: Vec<f32>,
}

impl LineGraph {
    /// All pairs of bonds of `graph` that follow one another.
    pub fn new(graph: &Graph) -> Self {
        let nodes = graph.nodes();
        // Where the run of edges gathered at each atom begins.
        let mut first = vec![0_u32; nodes + 1];
        for &v in &graph.center {
            first[v as usize + 1] += 1;
        }
        for v in 0..nodes {
            first[v + 1] += first[v];
        }
        let pairs = graph.neighbor.iter().map(|&v| (first[v as usize + 1] - first[v as usize]) as usize).sum();
        let mut line = Self {
            center: Vec::with_capacity(pairs),
            neighbor: Vec::with_capacity(pairs),
            cosine: Vec::with_capacity(pairs),
        };
        for (b, &v) in graph.neighbor.iter().enumerate() {
            let (rb, db) = (graph.displacement[b], graph.distance[b]);
            for a in first[v as usize]..first[v as usize + 1] {
                let (ra, da) = (graph.displacement[a as usize], graph.distance[a as usize]);
                let dot: f32 = ra.iter().zip(rb).map(|(x, y)| x * y).sum();
                line.center.push(b as u32);
                line.neighbor.push(a);
                line.cosine.push((-dot / (da * db)).clamp(-1.0, 1.0));
            }
        }
        line
    }

    /// Number of pairs.
    pub fn len(&self) -> usize {
        self.center.len()
    }

    /// Whether no two bonds meet.
    pub fn is_empty(&self) -> bool {
        self.center.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::Neighborhood;
    use crystal::{Element, Lattice, Structure};

    #[test]
    fn simple_cubic_bonds_meet_at_right_angles() {
        let lattice = Lattice::from_parameters(3.0, 3.0, 3.0, 90.0, 90.0, 90.0).unwrap();
        let one = Structure::new(lattice, vec![Element::O], vec![[0.2; 3]]).unwrap();
        let graph = Graph::new(&one, Neighborhood::Within { cutoff: 3.1 }).unwrap();
        let line = LineGraph::new(&graph);
        assert_eq!((graph.edges(), line.len()), (6, 36));
        // Each bond meets itself reversed (+1), its continuation (-1) and four others at 90 degrees.
        let count = |c: f32| line.cosine.iter().filter(|x| (**x - c).abs() < 1e-6).count();
        assert_eq!((count(1.0), count(-1.0), count(0.0)), (6, 6, 24));
        for (a, b) in line.neighbor.iter().zip(&line.center) {
            assert_eq!(graph.center[*a as usize], graph.neighbor[*b as usize]);
        }
    }
}

//! The crystals of a pass, end to end.

use super::{kernels::Bonds, table::Grid};
use crate::graph::Graph;

/// Graphs whose nodes are numbered through.
#[derive(Debug, Default)]
pub(super) struct Crystals {
    /// Atomic number of each node.
    pub numbers: Vec<u8>,
    /// Share of each node in the atoms of its crystal.
    pub shares: Vec<f32>,
    /// Where the nodes of each crystal begin, and where the last ones end.
    pub first: Vec<usize>,
    starts: Vec<usize>,
    neighbor: Vec<u32>,
    below: Vec<u32>,
    fraction: Vec<f32>,
}

impl Crystals {
    /// Takes these graphs in place of those it had.
    pub fn fill<'a>(&mut self, graphs: impl Iterator<Item = &'a Graph>, grid: &Grid) {
        self.numbers.clear();
        self.shares.clear();
        self.neighbor.clear();
        self.below.clear();
        self.fraction.clear();
        self.first.clear();
        self.first.push(0);
        self.starts.clear();
        self.starts.push(0);
        for graph in graphs {
            let first = self.nodes();
            self.numbers.extend(&graph.numbers);
            self.shares.extend(graph.shares());
            self.neighbor.extend(graph.neighbor.iter().map(|&node| first as u32 + node));
            for &length in &graph.distance {
                let place = grid.place(length);
                self.below.push(place.below);
                self.fraction.push(place.fraction);
            }
            let before = self.starts[first];
            self.starts.resize(first + graph.nodes() + 1, before);
            graph.center.iter().for_each(|&node| self.starts[first + node as usize + 1] += 1);
            // Counts of edges become sums of them.
            for node in first..first + graph.nodes() {
                self.starts[node + 1] += self.starts[node] - before;
            }
            self.first.push(self.nodes());
        }
    }

    /// Number of nodes.
    pub fn nodes(&self) -> usize {
        self.numbers.len()
    }

    /// The bonds.
    pub fn bonds(&self) -> Bonds<'_> {
        Bonds { starts: &self.starts, neighbor: &self.neighbor, below: &self.below, fraction: &self.fraction }
    }

    /// The nodes of each crystal.
    pub fn each(&self) -> impl Iterator<Item = std::ops::Range<usize>> {
        self.first.windows(2).map(|w| w[0]..w[1])
    }
}

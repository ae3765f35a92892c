//! What networks read of a crystal.

use super::{bond_graph::BondGraph, graph::Graph, line_graph::LineGraph};

/// What a network reads of one crystal.
#[derive(Debug, Clone, PartialEq)]
pub enum Input {
    /// The crystal graph.
    Graph(Graph),
    /// The crystal graph and its line graph.
    Lines(Graph, LineGraph),
    /// The graphs of bonds and of angles.
    Bonds(BondGraph),
    /// A vector of descriptors.
    Vector(Vec<f32>),
}

/// A network reads one kind of input; another kind is a bug of the caller, and panics.
impl Input {
    /// What a forward pass over it costs, in rows of its largest tensors: bonds, angles, or one.
    pub fn rows(&self) -> usize {
        match self {
            Self::Graph(graph) => graph.edges(),
            Self::Lines(_, line) => line.len(),
            Self::Bonds(graph) => graph.neighbor.len() + graph.angles(),
            Self::Vector(_) => 1,
        }
    }

    /// The crystal graph.
    pub(super) fn graph(&self) -> &Graph {
        match self {
            Self::Graph(graph) | Self::Lines(graph, _) => graph,
            _ => panic!("the network reads a crystal graph"),
        }
    }

    /// The crystal graph and its line graph.
    pub(super) fn lines(&self) -> (&Graph, &LineGraph) {
        match self {
            Self::Lines(graph, line) => (graph, line),
            _ => panic!("the network reads a line graph"),
        }
    }

    /// The graphs of bonds and of angles.
    pub(super) fn bonds(&self) -> &BondGraph {
        match self {
            Self::Bonds(graph) => graph,
            _ => panic!("the network reads graphs of bonds and angles"),
        }
    }

    /// The vector.
    pub(super) fn vector(&self) -> &[f32] {
        match self {
            Self::Vector(vector) => vector,
            _ => panic!("the network reads a vector"),
        }
    }
}

/// The crystal graphs of these inputs.
pub(super) fn graphs<'a>(inputs: &[&'a Input]) -> Vec<&'a Graph> {
    inputs.iter().map(|input| input.graph()).collect()
}

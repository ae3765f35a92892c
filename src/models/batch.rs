//! Several crystal graphs laid end to end as tensors: one forward pass for all of them.

use burn::prelude::*;
use burn::tensor::{IndexingUpdateOp, TensorData};

use super::{activation::gaussians, graph::Graph, line_graph::LineGraph};

/// Gaussian basis of the bond length: exp(-gamma (d - c)²) for `count` centres c evenly from `first` to `last` Å.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct GaussianBasis {
    /// First centre, Å.
    pub first: f32,
    /// Last centre, Å.
    pub last: f32,
    /// Number of centres.
    pub count: usize,
    /// 1/width², Å⁻².
    pub gamma: f32,
}

impl GaussianBasis {
    /// The centres, Å.
    pub fn centers(&self) -> Vec<f32> {
        let step = (self.last - self.first) / (self.count - 1) as f32;
        (0..self.count).map(|k| self.first + step * k as f32).collect()
    }

    /// The expansion of one length, `[1, count]`.
    pub fn at(&self, distance: f32, device: &Device) -> Tensor<2> {
        let mut row = vec![0.0; self.count];
        gaussians(&[distance], &self.centers(), self.gamma, &mut row);
        Tensor::from_data(TensorData::new(row, [1, self.count]), device)
    }
}

/// Tensors of a batch of B graphs with N nodes and E edges in all.
pub struct GraphBatch {
    /// Atomic numbers, `[N]`.
    pub numbers: Tensor<1, Int>,
    /// Expanded bond lengths, `[E, count]`.
    pub bonds: Tensor<2>,
    /// Node that gathers each edge, `[E]`, ascending.
    pub center: Tensor<1, Int>,
    /// Node at the other end, `[E]`.
    pub neighbor: Tensor<1, Int>,
    /// Graph of each node, `[N]`, and of each edge, `[E]`.
    pub node_graph: Tensor<1, Int>,
    /// See `node_graph`.
    pub edge_graph: Tensor<1, Int>,
    /// Edges of each node, `[N]`.
    pub degree: Tensor<1, Int>,
    /// 1 / edges of each node, `[N, 1]`; 0 for a node without edges.
    pub per_degree: Tensor<2>,
    /// Atoms that each node stands for, and the same of the node that gathers each edge.
    pub node_weights: Vec<f32>,
    /// See `node_weights`.
    pub edge_weights: Vec<f32>,
    /// Share of each node in the atoms of its graph, `[N, 1]`.
    pub share: Tensor<2>,
    /// Share of an edge of each node in the edges of its graph, `[N, 1]`.
    pub edge_share: Tensor<2>,
    /// Number of graphs B.
    pub graphs: usize,
    /// The line graphs, where the network works on angles.
    pub line: Option<LineBatch>,
}

/// Tensors of the line graphs of a batch with T pairs of bonds in all.
pub struct LineBatch {
    /// Bond that gathers each pair, `[T]`, ascending.
    pub center: Tensor<1, Int>,
    /// Bond that is gathered, `[T]`.
    pub neighbor: Tensor<1, Int>,
    /// Expanded cosines, `[T, count]`.
    pub angles: Tensor<2>,
}

impl GraphBatch {
    /// Lays `graphs` end to end on `device`.
    pub fn new(graphs: &[&Graph], basis: &GaussianBasis, device: &Device) -> Self {
        let (nodes, edges): (usize, usize) =
            (graphs.iter().map(|g| g.nodes()).sum(), graphs.iter().map(|g| g.edges()).sum());
        let mut numbers = Vec::with_capacity(nodes);
        let mut node_graph = Vec::with_capacity(nodes);
        let mut per_degree = vec![0.0_f32; nodes];
        let (mut center, mut neighbor) = (Vec::with_capacity(edges), Vec::with_capacity(edges));
        let mut edge_graph = Vec::with_capacity(edges);
        let mut distances = Vec::with_capacity(edges);
        for (b, graph) in graphs.iter().enumerate() {
            let first = numbers.len() as i32;
            numbers.extend(graph.numbers.iter().map(|&z| i32::from(z)));
            node_graph.resize(numbers.len(), b as i32);
            center.extend(graph.center.iter().map(|&i| first + i as i32));
            neighbor.extend(graph.neighbor.iter().map(|&i| first + i as i32));
            edge_graph.resize(center.len(), b as i32);
            distances.extend_from_slice(&graph.distance);
            for &i in &graph.center {
                per_degree[first as usize + i as usize] += 1.0;
            }
        }
        let degree = per_degree.iter().map(|&n| n as i32).collect();
        for count in &mut per_degree {
            *count = if *count > 0.0 { count.recip() } else { 0.0 };
        }
        let mut bonds = vec![0.0; edges * basis.count];
        gaussians(&distances, &basis.centers(), basis.gamma, &mut bonds);

        let ints = |v: Vec<i32>| integers(v, device);
        let column = |v: Vec<f32>| {
            let n = v.len();
            Tensor::<2>::from_data(TensorData::new(v, [n, 1]), device)
        };
        Self {
            numbers: ints(numbers),
            bonds: Tensor::from_data(TensorData::new(bonds, [edges, basis.count]), device),
            center: ints(center),
            neighbor: ints(neighbor),
            node_graph: ints(node_graph),
            edge_graph: ints(edge_graph),
            degree: ints(degree),
            per_degree: column(per_degree),
            node_weights: graphs.iter().flat_map(|g| g.weight.iter().copied()).collect(),
            edge_weights: graphs.iter().flat_map(|g| g.edge_weights()).collect(),
            share: column(graphs.iter().flat_map(|g| g.shares()).collect()),
            edge_share: column(graphs.iter().flat_map(|g| g.edge_shares()).collect()),
            graphs: graphs.len(),
            line: None,
        }
    }

    /// Fraction of each element in each crystal, `[B, width]`; the column is the atomic number.
    pub fn composition(&self, width: usize) -> Tensor<2> {
        let [nodes] = self.numbers.dims();
        let place = self.node_graph.clone() * width as i64 + self.numbers.clone();
        let none = Tensor::<1>::zeros([self.graphs * width], &self.share.device());
        let share = self.share.clone().reshape([nodes]);
        none.select_assign(0, place, share, IndexingUpdateOp::Add).reshape([self.graphs, width])
    }

    /// The batch with the line graphs of its graphs, whose cosines are expanded in `basis`.
    pub fn with_lines(mut self, lines: &[(&Graph, &LineGraph)], basis: &GaussianBasis, device: &Device) -> Self {
        let pairs: usize = lines.iter().map(|(_, line)| line.len()).sum();
        let (mut center, mut neighbor) = (Vec::with_capacity(pairs), Vec::with_capacity(pairs));
        let mut cosines = Vec::with_capacity(pairs);
        let mut first = 0;
        for (graph, line) in lines {
            center.extend(line.center.iter().map(|&b| first + b as i32));
            neighbor.extend(line.neighbor.iter().map(|&a| first + a as i32));
            cosines.extend_from_slice(&line.cosine);
            first += graph.edges() as i32;
        }
        let mut angles = vec![0.0; pairs * basis.count];
        gaussians(&cosines, &basis.centers(), basis.gamma, &mut angles);
        self.line = Some(LineBatch {
            center: integers(center, device),
            neighbor: integers(neighbor, device),
            angles: Tensor::from_data(TensorData::new(angles, [pairs, basis.count]), device),
        });
        self
    }
}

fn integers(values: Vec<i32>, device: &Device) -> Tensor<1, Int> {
    let n = values.len();
    Tensor::from_data(TensorData::new(values, [n]), device)
}

//! ALIGNN, both normalisations.
//!
//! Of an edge-gated convolution, four of the five products are taken per node, in one; the fifth goes along the edges a tile
//! at a time: gather, product, gates, their sums at the node, and the residuals of edges and nodes, while the tile is in the
//! cache. Angles exist once, as the vectors that layers update in place; the last layer on the line graph leaves them be.

use super::{AlignnConfig, module};
use crate::fused::{
    Inference,
    basis::Basis,
    linear::{Linear, Plan, padded, values},
    norm::{Affine, Norm},
    rows::{Ends, Part, add_sum, dot, gather, of_elements},
    runs::{Runs, Tile, blocks},
    scratch::{Pool, sized},
};
use crate::{
    activation::silu_in_place,
    atoms::atom_features,
    exponential::sigmoid,
    graph::{Graph, starts},
    input::Input,
    line_graph::LineGraph,
    simd::kernels,
};

/// Linear, normalisation, SiLU.
#[derive(Debug)]
struct Dense {
    linear: Linear,
    /// `None` where it is part of the linear layer.
    norm: Option<Norm>,
}

impl Dense {
    fn new(dense: &module::Dense) -> Self {
        let plan = Plan::of(&dense.linear);
        match &dense.norm {
            module::Norm::Batch(norm) => Self { linear: plan.then(&Affine::of(norm)).pack(), norm: None },
            module::Norm::Layer(norm) => Self { linear: plan.pack(), norm: Some(Norm::layer(norm)) },
        }
    }

    /// One row of `out` for each of `x`; `spare` is for values before normalisation.
    fn apply(&self, x: &[f32], stride: usize, out: &mut [f32], spare: &mut Vec<f32>) {
        match &self.norm {
            None => {
                self.linear.apply(x, stride, out);
                silu_in_place(out);
            }
            Some(norm) => {
                let before = sized(spare, out.len());
                self.linear.apply(x, stride, before);
                out.fill(0.0);
                norm.add_silu(before, out);
            }
        }
    }
}

/// From a length or a cosine to a vector.
#[derive(Debug)]
struct Embedding {
    basis: Basis,
    first: Dense,
    second: Dense,
}

impl Embedding {
    fn new(basis: Basis, layers: &[module::Dense]) -> Self {
        let [first, second] = layers else { unreachable!("built with two layers") };
        Self { basis, first: Dense::new(first), second: Dense::new(second) }
    }

    fn cost(&self) -> usize {
        self.first.linear.cost() + self.second.linear.cost()
    }

    fn apply(&self, x: &[f32], out: &mut [f32], spare: &mut Spare) {
        let expanded = self.basis.rows(x, &mut spare.expanded);
        let narrow = self.first.linear.width();
        let embedded = sized(&mut spare.embedded, x.len() * narrow);
        self.first.apply(expanded, self.basis.width(), embedded, &mut spare.before);
        self.second.apply(embedded, narrow, out, &mut spare.before);
    }
}

/// Edge-gated convolution.
#[derive(Debug)]
struct Gated {
    /// Gate by source, gate by target, update by source, update by target, side by side.
    nodes: Linear,
    /// Gate by edge.
    edges: Linear,
    norm_nodes: Norm,
    norm_edges: Norm,
}

/// The edges of a graph as a convolution reads them.
struct Edges<'a> {
    starts: &'a [usize],
    source: &'a [u32],
    /// How the edges' vectors are made, where this layer is the first to read them, and of what.
    fresh: Option<(&'a Embedding, &'a [f32])>,
    /// Whether a later layer reads them.
    kept: bool,
}

/// Buffers of one tile.
#[derive(Debug, Default)]
struct Spare {
    expanded: Vec<f32>,
    embedded: Vec<f32>,
    before: Vec<f32>,
    gates: Vec<f32>,
    sums: Vec<f32>,
}

impl Gated {
    fn new(layer: &module::EdgeGated) -> Self {
        let norm = |norm: &module::Norm| match norm {
            module::Norm::Batch(norm) => Norm::Batch(Affine::of(norm).padded()),
            module::Norm::Layer(norm) => Norm::layer(norm),
        };
        let (edges, bias) = Plan::of(&layer.edge_gate).without_bias();
        let nodes = Plan::beside(&[
            Plan::of(&layer.src_gate).plus(&bias),
            Plan::of(&layer.dst_gate),
            Plan::of(&layer.dst_update),
            Plan::of(&layer.src_update),
        ]);
        Self { nodes, edges: edges.pack(), norm_nodes: norm(&layer.bn_nodes), norm_edges: norm(&layer.bn_edges) }
    }

    /// Nodes `x` and edges `y` in place.
    fn apply(&self, edges: &Edges<'_>, x: &mut [f32], y: &mut [f32], parts: &mut Vec<f32>, pool: &Pool<Spare>) {
        let width = self.edges.width();
        let stride = self.nodes.width();
        let parts = sized(parts, x.len() / width * stride);
        let read: &[f32] = x;
        blocks(parts, stride, self.nodes.cost(), &|first, out| self.nodes.apply(&read[first * width..], width, out));
        let parts: &[f32] = parts;
        let part = |k| Part::new(parts, stride, k, width);
        let embedding = edges.fresh.map_or(0, |(embedding, _)| embedding.cost());
        let runs = Runs { starts: edges.starts, cost: self.edges.cost() + embedding };
        runs.tiles((y, width), (x, width), &|tile: Tile<'_>| {
            pool.with(|spare| {
                if let Some((embedding, of)) = edges.fresh {
                    embedding.apply(&of[tile.edges.clone()], tile.of_edges, spare);
                }
                let gates = sized(&mut spare.gates, tile.len() * width);
                let ends =
                    Ends { first: tile.nodes.start, starts: tile.starts, other: &edges.source[tile.edges.clone()] };
                gather(gates, width, ends, part(1), part(0));
                self.edges.add(tile.of_edges, width, gates);
                let sums = sized(&mut spare.sums, tile.nodes.len() * width);
                gated_sums(sums, width, gates, ends, part(2), part(3));
                if edges.kept {
                    self.norm_edges.add_silu(gates, tile.of_edges);
                }
                self.norm_nodes.add_silu(sums, tile.of_nodes);
            });
        });
    }
}

kernels! {
    /// Row i of `out`: the node's own update, plus the mean of its sources' updates weighed by the sigmoid of their gates.
    fn gated_sums<S>(
        out: &mut [f32],
        width: usize,
        gates: &[f32],
        ends: Ends<'_>,
        of_source: Part<'_>,
        of_target: Part<'_>,
    ) {
        let (starts, source) = (ends.starts, ends.other);
        assert!(width.is_multiple_of(16) && gates.len() == source.len() * width);
        assert!(out.len() == (starts.len() - 1) * width && starts[starts.len() - 1] - starts[0] == source.len());
        assert!(source.iter().all(|&s| of_source.holds(s as usize, width)));
        for k in 0..starts.len() - 1 {
            let run = starts[k] - starts[0]..starts[k + 1] - starts[0];
            let own = of_target.at(ends.first + k, width);
            let mut c = 0;
            while c < width {
                let (mut weight, mut sum) = (S::splat(0.0), S::splat(0.0));
                for e in run.clone() {
                    let gate = sigmoid::<S>(S::load(gates.as_ptr().add(e * width + c)));
                    let update = S::load(of_source.unchecked(source[e] as usize).add(c));
                    weight = S::add(weight, gate);
                    sum = S::fma(gate, update, sum);
                }
                let mean = S::div(sum, S::add(weight, S::splat(1e-6)));
                S::store(out.as_mut_ptr().add(k * width + c), S::add(S::load(own.add(c)), mean));
                c += S::LANES;
            }
        }
    }
}

/// Buffers of one crystal.
#[derive(Debug, Default)]
struct Buffers {
    atom_starts: Vec<usize>,
    bond_starts: Vec<usize>,
    atoms: Vec<f32>,
    bonds: Vec<f32>,
    angles: Vec<f32>,
    parts: Vec<f32>,
    mean: Vec<f32>,
}

/// The network.
#[derive(Debug)]
pub struct Alignn {
    width: usize,
    /// Vectors of the elements, by atomic number.
    elements: Vec<f32>,
    bonds: Embedding,
    angles: Embedding,
    /// On the crystal graph and on the line graph.
    alignn: Vec<(Gated, Gated)>,
    gcn: Vec<Gated>,
    out: Vec<f32>,
    out_bias: f32,
    buffers: Pool<Buffers>,
    spare: Pool<Spare>,
}

impl Alignn {
    /// The network with burn's weights.
    pub fn new(net: &module::Alignn, config: &AlignnConfig) -> Self {
        let width = padded(config.hidden);
        let features = atom_features(&burn::prelude::Device::flex());
        let [rows, columns] = features.dims();
        let mut elements = vec![0.0; rows * width];
        Dense::new(&net.atom_embedding).apply(&values(features), columns, &mut elements, &mut Vec::new());
        let mut out = values(net.fc.weight.val());
        out.resize(width, 0.0);
        Self {
            width,
            elements,
            bonds: Embedding::new(Basis::new(&config.bonds), &net.edge_embedding),
            angles: Embedding::new(Basis::new(&config.angles), &net.angle_embedding),
            alignn: net
                .alignn_layers
                .iter()
                .map(|layer| (Gated::new(&layer.node_update), Gated::new(&layer.edge_update)))
                .collect(),
            gcn: net.gcn_layers.iter().map(Gated::new).collect(),
            out,
            out_bias: net.fc.bias.as_ref().map_or(0.0, |bias| values(bias.val())[0]),
            buffers: Pool::default(),
            spare: Pool::default(),
        }
    }

    /// The crystal's number, in the units the weights were trained in.
    pub fn forward(&self, graph: &Graph, line: &LineGraph) -> f32 {
        self.buffers.with(|buffers| self.forward_in(buffers, graph, line))
    }

    fn forward_in(&self, buffers: &mut Buffers, graph: &Graph, line: &LineGraph) -> f32 {
        let (nodes, edges, width) = (graph.nodes(), graph.edges(), self.width);
        starts(&graph.center, nodes, &mut buffers.atom_starts);
        starts(&line.center, edges, &mut buffers.bond_starts);
        let x = sized(&mut buffers.atoms, nodes * width);
        of_elements(x, width, &self.elements, &graph.numbers);
        let y = sized(&mut buffers.bonds, edges * width);
        let z = sized(&mut buffers.angles, if self.alignn.is_empty() { 0 } else { line.len() * width });
        let crystal = |fresh: bool, kept| Edges {
            starts: &buffers.atom_starts,
            source: &graph.neighbor,
            fresh: fresh.then_some((&self.bonds, &graph.distance[..])),
            kept,
        };
        let layers = self.alignn.len() + self.gcn.len();
        for (k, (on_atoms, on_bonds)) in self.alignn.iter().enumerate() {
            let (first, last) = (k == 0, k + 1 == self.alignn.len());
            let bonds_are_read = k + 1 < layers;
            on_atoms.apply(&crystal(first, bonds_are_read), x, y, &mut buffers.parts, &self.spare);
            if bonds_are_read {
                let edges = Edges {
                    starts: &buffers.bond_starts,
                    source: &line.neighbor,
                    fresh: first.then_some((&self.angles, &line.cosine[..])),
                    kept: !last,
                };
                on_bonds.apply(&edges, y, z, &mut buffers.parts, &self.spare);
            }
        }
        for (k, layer) in self.gcn.iter().enumerate() {
            let k = self.alignn.len() + k;
            layer.apply(&crystal(k == 0, k + 1 < layers), x, y, &mut buffers.parts, &self.spare);
        }
        let mean = sized(&mut buffers.mean, width);
        mean.fill(0.0);
        add_sum(mean, x, 1.0 / nodes as f32);
        dot(mean, &self.out) + self.out_bias
    }
}

impl Inference for Alignn {
    fn one(&self, input: &Input) -> f32 {
        let (graph, line) = input.lines();
        self.forward(graph, line)
    }
}

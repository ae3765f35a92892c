//! MEGNet, both variants.
//!
//! The encoders of atoms and of the state read nothing but the element, or nothing at all: their values are a table. The
//! encoder of bonds shares a tile with the first block. In each block the products with atoms and state are taken per node
//! and added along the edges; a tile of edges goes through the whole bond update before the next is touched.

use super::{
    MegnetConfig,
    module::{self, WIDTH},
};
use crate::fused::{
    Inference,
    basis::Basis,
    linear::{Linear, Plan, padded, values},
    rows::{Part, add, add_sum, gather, of_elements, scale, sum_runs},
    runs::{Runs, Tile},
    scratch::{Pool, sized},
    set2set::Set2Set,
};
use crate::{
    activation::softplus_in_place,
    graph::{Graph, starts},
    input::Input,
    set2set::Set2SetMode,
};

/// Layers with shifted softplus after each, the last one where requested.
#[derive(Debug)]
struct Chain(Vec<Linear>);

impl Chain {
    fn new(mlp: &module::Mlp) -> Self {
        Self(mlp.layers.iter().map(|layer| Plan::of(layer).pack()).collect())
    }

    /// The layers after the first.
    fn after_first(mlp: &module::Mlp) -> Self {
        Self(mlp.layers[1..].iter().map(|layer| Plan::of(layer).pack()).collect())
    }

    fn cost(&self) -> usize {
        self.0.iter().map(Linear::cost).sum()
    }

    /// A row of `out` for each row of `x`.
    fn apply(&self, x: &[f32], stride: usize, out: &mut [f32], activate_last: bool, spare: &mut [Vec<f32>; 2]) {
        let last = self.0.len() - 1;
        let rows = out.len() / self.0[last].width();
        let [mut here, mut there] = spare.each_mut();
        for (k, layer) in self.0.iter().enumerate() {
            let stride = if k == 0 { stride } else { self.0[k - 1].width() };
            if k == last {
                layer.apply(if k == 0 { x } else { here }, stride, out);
                if activate_last {
                    softplus_in_place(out);
                }
            } else {
                let next = sized(there, rows * layer.width());
                layer.apply(if k == 0 { x } else { here }, stride, next);
                softplus_in_place(next);
                std::mem::swap(&mut here, &mut there);
            }
        }
    }
}

/// Dense layers on atoms, bonds and state.
#[derive(Debug)]
struct Dense {
    nodes: Chain,
    edges: Chain,
    state: Chain,
}

#[derive(Debug)]
struct Block {
    dense: Option<Dense>,
    /// First layer of the bond update: by its center and its neighbor side by side, by the bond, and by the state with bias.
    edges_by_nodes: Linear,
    edges_by_edges: Linear,
    edges_by_state: Linear,
    edges: Chain,
    /// First layer of the atom update: by the mean of its bonds, by the atom, and by the state with bias.
    nodes_by_edges: Linear,
    nodes_by_nodes: Linear,
    nodes_by_state: Linear,
    nodes: Chain,
    state: Chain,
}

impl Block {
    fn new(block: &module::Block, activated: bool) -> Self {
        let dense = |update: &module::Update| Dense {
            nodes: Chain::new(&update.node_func),
            edges: Chain::new(&update.edge_func),
            state: Chain::new(&update.state_func),
        };
        let update = &block.conv;
        let (edge, edge_bias) = Plan::of(&update.edge_func.layers[0]).without_bias();
        let (node, node_bias) = Plan::of(&update.node_func.layers[0]).without_bias();
        let part = |plan: &Plan, k: usize| plan.inputs(k * WIDTH, (k + 1) * WIDTH);
        // Order of the concatenation: the original puts the bonds first, matgl the atoms.
        let (bonds_at, atoms_at) = if activated { (1, 0) } else { (0, 1) };
        Self {
            dense: block.dense.as_ref().map(dense),
            edges_by_nodes: Plan::beside(&[part(&edge, 0), part(&edge, 1)]),
            edges_by_edges: part(&edge, 2).pack(),
            edges_by_state: part(&edge, 3).with_bias(edge_bias).pack(),
            edges: Chain::after_first(&update.edge_func),
            nodes_by_edges: part(&node, bonds_at).pack(),
            nodes_by_nodes: part(&node, atoms_at).pack(),
            nodes_by_state: part(&node, 2).with_bias(node_bias).pack(),
            nodes: Chain::after_first(&update.node_func),
            state: Chain::new(&update.state_func),
        }
    }

    fn edge_cost(&self) -> usize {
        self.dense.as_ref().map_or(0, |dense| dense.edges.cost()) + self.edges_by_edges.cost() + self.edges.cost()
    }
}

/// Buffers of one crystal.
#[derive(Debug, Default)]
struct Buffers {
    starts: Vec<usize>,
    nodes: Vec<f32>,
    edges: Vec<f32>,
    inner: Vec<f32>,
    parts: Vec<f32>,
    sums: Vec<f32>,
    first: Vec<f32>,
    fresh: Vec<f32>,
    spare: [Vec<f32>; 2],
}

/// Buffers of one tile.
#[derive(Debug, Default)]
struct Spare {
    expanded: Vec<f32>,
    inner: Vec<f32>,
    first: Vec<f32>,
    fresh: Vec<f32>,
    spare: [Vec<f32>; 2],
}

/// The network.
#[derive(Debug)]
pub struct Megnet {
    /// Vectors of the elements, by row of the embedding.
    elements: Vec<f32>,
    /// The state before the first block.
    state: Vec<f32>,
    basis: Basis,
    bonds: Chain,
    blocks: Vec<Block>,
    of_nodes: Set2Set,
    of_edges: Set2Set,
    out: Chain,
    activated: bool,
    buffers: Pool<Buffers>,
    spare: Pool<Spare>,
}

impl Megnet {
    /// The network with burn's weights.
    pub fn new(net: &module::Megnet, config: &MegnetConfig) -> Self {
        let embedding = net.embedding.val();
        let [rows, columns] = embedding.dims();
        let mut elements = vec![0.0; rows * WIDTH];
        let spare = &mut <[Vec<f32>; 2]>::default();
        Chain::new(&net.encoder.node_func).apply(&values(embedding), columns, &mut elements, true, spare);
        let mut state = vec![0.0; WIDTH];
        Chain::new(&net.encoder.state_func).apply(&[0.0; 2], 2, &mut state, true, spare);
        let steps = config.steps.unwrap_or(config.variant.steps());
        let activated = config.variant == Set2SetMode::Matgl;
        Self {
            elements,
            state,
            basis: Basis::new(&config.basis),
            bonds: Chain::new(&net.encoder.edge_func),
            blocks: net.blocks.iter().map(|block| Block::new(block, activated)).collect(),
            of_nodes: Set2Set::new(&net.node_s2s, config.variant, steps),
            of_edges: Set2Set::new(&net.edge_s2s, config.variant, steps),
            out: Chain::new(&net.output_proj),
            activated,
            buffers: Pool::default(),
            spare: Pool::default(),
        }
    }

    /// The crystal's number, in the units the weights were trained in.
    pub fn forward(&self, graph: &Graph) -> f32 {
        self.buffers.with(|buffers| self.forward_in(buffers, graph))
    }

    fn forward_in(&self, buffers: &mut Buffers, graph: &Graph) -> f32 {
        let (nodes, edges) = (graph.nodes(), graph.edges());
        starts(&graph.center, nodes, &mut buffers.starts);
        let x = sized(&mut buffers.nodes, nodes * WIDTH);
        of_elements(x, WIDTH, &self.elements, &graph.numbers);
        let y = sized(&mut buffers.edges, edges * WIDTH);
        let mut state = [0.0; WIDTH];
        state.copy_from_slice(&self.state);
        let spare = &mut buffers.spare;
        for (k, block) in self.blocks.iter().enumerate() {
            // Atoms and state after the dense layers.
            let v = sized(&mut buffers.inner, nodes * WIDTH);
            let mut u = state;
            match &block.dense {
                Some(dense) => {
                    dense.nodes.apply(x, WIDTH, v, true, spare);
                    dense.state.apply(&state, WIDTH, &mut u, true, spare);
                }
                None => v.copy_from_slice(x),
            }

            let hidden = block.edges_by_edges.width();
            let parts = sized(&mut buffers.parts, nodes * 2 * hidden);
            let of_state = sized(&mut buffers.first, hidden);
            block.edges_by_state.apply(&u, WIDTH, of_state);
            for row in parts.chunks_exact_mut(2 * hidden) {
                row[..hidden].copy_from_slice(of_state);
                row[hidden..].fill(0.0);
            }
            block.edges_by_nodes.add(v, WIDTH, parts);
            let sums = sized(&mut buffers.sums, nodes * WIDTH);
            self.edges(k, graph, &buffers.starts, parts, y, sums);

            // The state reads the sums over bonds, the atoms their means.
            let mut read = [0.0; 3 * WIDTH];
            let (at_edges, at_nodes, at_state) = if self.activated { (1, 2, 0) } else { (0, 1, 2) };
            for (row, share) in sums.chunks_exact(WIDTH).zip(graph.edge_shares()) {
                add_sum(&mut read[at_edges * WIDTH..][..WIDTH], row, share);
            }
            for (row, w) in sums.chunks_exact_mut(WIDTH).zip(buffers.starts.windows(2)) {
                scale(row, if w[1] > w[0] { 1.0 / (w[1] - w[0]) as f32 } else { 0.0 });
            }
            let hidden = block.nodes_by_edges.width();
            let of_state = sized(&mut buffers.fresh, hidden);
            block.nodes_by_state.apply(&u, WIDTH, of_state);
            let first = sized(&mut buffers.first, nodes * hidden);
            for row in first.chunks_exact_mut(hidden) {
                row.copy_from_slice(of_state);
            }
            block.nodes_by_edges.add(sums, WIDTH, first);
            block.nodes_by_nodes.add(v, WIDTH, first);
            softplus_in_place(first);
            let fresh = sized(&mut buffers.fresh, nodes * WIDTH);
            block.nodes.apply(first, hidden, fresh, self.activated, spare);
            add(x, fresh);

            for (row, share) in fresh.chunks_exact(WIDTH).zip(graph.shares()) {
                add_sum(&mut read[at_nodes * WIDTH..][..WIDTH], row, share);
            }
            read[at_state * WIDTH..][..WIDTH].copy_from_slice(&u);
            block.state.apply(&read, 3 * WIDTH, &mut u, self.activated, spare);
            add(&mut state, &u);
        }
        let edge_weights: Vec<f32> = graph.edge_weights().collect();
        let mut summary = self.of_nodes.apply(x, &graph.weight, &mut buffers.first, &mut buffers.fresh);
        summary.extend(self.of_edges.apply(y, &edge_weights, &mut buffers.first, &mut buffers.fresh));
        summary.extend(state);
        let mut out = [0.0; padded(1)];
        self.out.apply(&summary, summary.len(), &mut out, false, spare);
        out[0]
    }

    /// The bond update of block `k`: bonds `y` in place, and their sums at the nodes.
    fn edges(&self, k: usize, graph: &Graph, starts: &[usize], parts: &[f32], y: &mut [f32], sums: &mut [f32]) {
        let block = &self.blocks[k];
        let hidden = block.edges_by_edges.width();
        let part = |k| Part::new(parts, 2 * hidden, k, hidden);
        let cost = block.edge_cost() + if k == 0 { self.bonds.cost() } else { 0 };
        Runs { starts, cost }.tiles((y, WIDTH), (sums, WIDTH), &|tile: Tile<'_>| {
            self.spare.with(|spare| {
                let rows = tile.len();
                if k == 0 {
                    let expanded = self.basis.rows(&graph.distance[tile.edges.clone()], &mut spare.expanded);
                    self.bonds.apply(expanded, self.basis.width(), tile.of_edges, true, &mut spare.spare);
                }
                let first = sized(&mut spare.first, rows * hidden);
                gather(first, hidden, tile.ends(&graph.neighbor), part(0), part(1));
                match &block.dense {
                    Some(dense) => {
                        let inner = sized(&mut spare.inner, rows * WIDTH);
                        dense.edges.apply(tile.of_edges, WIDTH, inner, true, &mut spare.spare);
                        block.edges_by_edges.add(inner, WIDTH, first);
                    }
                    None => block.edges_by_edges.add(tile.of_edges, WIDTH, first),
                }
                softplus_in_place(first);
                let fresh = sized(&mut spare.fresh, rows * WIDTH);
                block.edges.apply(first, hidden, fresh, self.activated, &mut spare.spare);
                add(tile.of_edges, fresh);
                sum_runs(tile.of_nodes, WIDTH, fresh, tile.starts);
            });
        });
    }
}

impl Inference for Megnet {
    fn one(&self, input: &Input) -> f32 {
        self.forward(input.graph())
    }
}

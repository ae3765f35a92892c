//! The network in burn: a definition of what it computes, and what training fits.

use burn::module::Param;
use burn::nn::{Initializer, Linear, LinearConfig};
use burn::prelude::*;
use burn::tensor::Distribution;

use super::MegnetConfig;
use crate::{
    batch::GraphBatch,
    kernels::{gather_add, shifted_softplus, sum_runs},
    set2set::{Set2Set, Set2SetMode},
};

/// Width of the vectors that atoms, bonds and the state carry between blocks.
pub(super) const WIDTH: usize = 32;

/// A chain of linear layers with shifted softplus between them.
#[derive(Module, Debug)]
pub(super) struct Mlp {
    pub(super) layers: Vec<Linear>,
}

impl Mlp {
    fn new(widths: &[usize], device: &Device) -> Self {
        // Glorot's uniform initialisation, as Keras does by default.
        let linear = |w: &[usize]| {
            LinearConfig::new(w[0], w[1]).with_initializer(Initializer::XavierUniform { gain: 1.0 }).init(device)
        };
        Self { layers: widths.windows(2).map(linear).collect() }
    }

    /// Every layer followed by the activation, the last one only where `activate_last`.
    fn forward(&self, x: Tensor<2>, activate_last: bool) -> Tensor<2> {
        let x = self.layers[0].forward(x);
        self.after_first(x, activate_last)
    }

    /// The rest of the chain, from the first layer's value before activation.
    fn after_first(&self, x: Tensor<2>, activate_last: bool) -> Tensor<2> {
        let mut x = x;
        for layer in &self.layers[1..] {
            x = layer.forward(shifted_softplus(x));
        }
        if activate_last { shifted_softplus(x) } else { x }
    }

    /// Rows `part * WIDTH ..` of the first layer's weight, applied to x: its share in the product with a concatenation.
    fn first_slice(&self, part: usize, x: Tensor<2>) -> Tensor<2> {
        let weight = self.layers[0].weight.val();
        let [_, out] = weight.dims();
        x.matmul(weight.slice([part * WIDTH..(part + 1) * WIDTH, 0..out]))
    }

    fn first_bias(&self) -> Tensor<2> {
        let bias = self.layers[0].bias.as_ref().expect("layers have a bias").val();
        let [out] = bias.dims();
        bias.reshape([1, out])
    }
}

#[derive(Module, Debug)]
pub(super) struct Update {
    pub(super) edge_func: Mlp,
    pub(super) node_func: Mlp,
    pub(super) state_func: Mlp,
}

impl Update {
    fn new(edge: &[usize], node: &[usize], state: &[usize], device: &Device) -> Self {
        Self {
            edge_func: Mlp::new(edge, device),
            node_func: Mlp::new(node, device),
            state_func: Mlp::new(state, device),
        }
    }
}

#[derive(Module, Debug)]
pub(super) struct Block {
    pub(super) dense: Option<Update>,
    pub(super) conv: Update,
}

/// The network. Weights only: the configuration is handed to every call.
#[derive(Module, Debug)]
pub struct Megnet {
    pub(super) embedding: Param<Tensor<2>>,
    pub(super) encoder: Update,
    pub(super) blocks: Vec<Block>,
    pub(super) node_s2s: Set2Set,
    pub(super) edge_s2s: Set2Set,
    pub(super) output_proj: Mlp,
}

impl Megnet {
    /// Random weights on `device`.
    pub fn new(config: &MegnetConfig, device: &Device) -> Self {
        let conv = |parts| [parts * WIDTH, 64, 64, WIDTH];
        let block = |k| Block {
            dense: (k > 0).then(|| Update::new(&[WIDTH, 64, WIDTH], &[WIDTH, 64, WIDTH], &[WIDTH, 64, WIDTH], device)),
            conv: Update::new(&conv(4), &conv(3), &conv(3), device),
        };
        let summary = match config.variant {
            Set2SetMode::Megnet => 32,
            Set2SetMode::Matgl => 64,
        };
        // Keras' embedding initialiser: uniform in ±0.05.
        let embedding = Tensor::random([config.embedding_rows, 16], Distribution::Uniform(-0.05, 0.05), device);
        Self {
            embedding: Param::from_tensor(embedding),
            encoder: Update::new(&[config.basis.count, 64, WIDTH], &[16, 64, WIDTH], &[2, 64, WIDTH], device),
            blocks: (0..config.blocks).map(block).collect(),
            node_s2s: Set2Set::new(config.variant, WIDTH, device),
            edge_s2s: Set2Set::new(config.variant, WIDTH, device),
            output_proj: Mlp::new(&[2 * summary + WIDTH, 32, 16, 1], device),
        }
    }

    /// One number per graph, `[B]`, in the units the weights were trained in.
    pub fn forward(&self, config: &MegnetConfig, batch: &GraphBatch) -> Tensor<1> {
        let graphs = batch.graphs;
        let readout = self.readout(config, batch);
        self.output_proj.forward(readout, false).reshape([graphs])
    }

    /// What the last network reads: summaries of atoms and bonds, and the state, `[B, 96]` (original) or `[B, 160]`.
    pub fn readout(&self, config: &MegnetConfig, batch: &GraphBatch) -> Tensor<2> {
        let device = batch.bonds.device();
        let embedded = self.embedding.val().select(0, batch.numbers.clone());
        let mut nodes = self.encoder.node_func.forward(embedded, true);
        let mut edges = self.encoder.edge_func.forward(batch.bonds.clone(), true);
        // The state of a crystal without temperature or fidelity is [0, 0].
        let mut state = self.encoder.state_func.forward(Tensor::zeros([batch.graphs, 2], &device), true);
        for block in &self.blocks {
            let (v, e, u) = match &block.dense {
                Some(dense) => (
                    dense.node_func.forward(nodes.clone(), true),
                    dense.edge_func.forward(edges.clone(), true),
                    dense.state_func.forward(state.clone(), true),
                ),
                None => (nodes.clone(), edges.clone(), state.clone()),
            };
            let (v, e, u) = convolve(&block.conv, config.variant, batch, v, e, u);
            // The shortcut goes around the dense layers too.
            (nodes, edges, state) = (nodes + v, edges + e, state + u);
        }
        let steps = config.steps.unwrap_or(config.variant.steps());
        let of_nodes = self.node_s2s.forward(
            config.variant,
            steps,
            nodes,
            batch.node_graph.clone(),
            batch.graphs,
            &batch.node_weights,
        );
        let of_edges = self.edge_s2s.forward(
            config.variant,
            steps,
            edges,
            batch.edge_graph.clone(),
            batch.graphs,
            &batch.edge_weights,
        );
        Tensor::cat(vec![of_nodes, of_edges, state], 1)
    }
}

/// One MEGNet layer: bonds from atoms and state, then atoms from their bonds, then the state from both.
fn convolve(
    layer: &Update,
    variant: Set2SetMode,
    batch: &GraphBatch,
    v: Tensor<2>,
    e: Tensor<2>,
    u: Tensor<2>,
) -> (Tensor<2>, Tensor<2>, Tensor<2>) {
    // The original returns the last value before its activation; matgl activates it.
    let activate = variant == Set2SetMode::Matgl;
    let [nodes, _] = v.dims();

    let phi = &layer.edge_func;
    let of_state = phi.first_slice(3, u.clone()) + phi.first_bias();
    let of_center = phi.first_slice(0, v.clone()) + of_state.select(0, batch.node_graph.clone());
    let of_neighbor = phi.first_slice(1, v.clone());
    let e = gather_add(of_center, &batch.center, of_neighbor, &batch.neighbor, phi.first_slice(2, e));
    let e = phi.after_first(e, activate);

    let sum_at_nodes = sum_runs(e.clone(), batch.center.clone(), nodes);
    let mean_at_nodes = sum_at_nodes.clone() * batch.per_degree.clone();
    // Order of the concatenation: the original puts the bonds first, matgl the atoms.
    let (bonds_at, atoms_at) = if activate { (1, 0) } else { (0, 1) };
    let phi = &layer.node_func;
    let of_state = phi.first_slice(2, u.clone()) + phi.first_bias();
    let v = phi.first_slice(bonds_at, mean_at_nodes)
        + phi.first_slice(atoms_at, v)
        + of_state.select(0, batch.node_graph.clone());
    let v = phi.after_first(v, activate);

    let mean_by_graph =
        |x: Tensor<2>, share: &Tensor<2>| sum_runs(x * share.clone(), batch.node_graph.clone(), batch.graphs);
    // Edges are summed at their nodes first: far fewer rows to add up.
    let of_edges = mean_by_graph(sum_at_nodes, &batch.edge_share);
    let of_nodes = mean_by_graph(v.clone(), &batch.share);
    let parts = if activate { vec![u, of_edges, of_nodes] } else { vec![of_edges, of_nodes, u] };
    let u = layer.state_func.forward(Tensor::cat(parts, 1), activate);
    (v, e, u)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::{Graph, Neighborhood};
    use crystal::{Element, Lattice, Structure};

    fn perovskite(order: &[usize], shift: f64, rows: [[f64; 3]; 3]) -> Structure {
        let [sr, ti, o] = ["Sr", "Ti", "O"].map(|s| Element::from_symbol(s).unwrap());
        let sites = [(sr, [0.5; 3]), (ti, [0.0; 3]), (o, [0.5, 0.0, 0.0]), (o, [0.0, 0.5, 0.0]), (o, [0.0, 0.0, 0.47])];
        Structure::new(
            Lattice::new(rows).unwrap(),
            order.iter().map(|&i| sites[i].0).collect(),
            order.iter().map(|&i| sites[i].1.map(|x| x + shift)).collect(),
        )
        .unwrap()
    }

    const CUBE: [[f64; 3]; 3] = [[3.9, 0.0, 0.0], [0.0, 3.9, 0.0], [0.0, 0.0, 3.9]];

    fn values(config: &MegnetConfig, net: &Megnet, structures: &[Structure]) -> Vec<f32> {
        let graphs: Vec<Graph> =
            structures.iter().map(|s| Graph::new(s, Neighborhood::Within { cutoff: config.cutoff }).unwrap()).collect();
        let batch = GraphBatch::new(&graphs.iter().collect::<Vec<_>>(), &config.basis, &Device::flex());
        net.forward(config, &batch).into_data().try_to_vec().unwrap()
    }

    #[test]
    fn the_original_has_167_761_parameters() {
        let net = Megnet::new(&MegnetConfig::original(), &Device::flex());
        assert_eq!(net.num_params(), 167_761);
    }

    #[test]
    fn permutation_shift_rotation_supercell_and_company_do_not_matter() {
        for config in [MegnetConfig::original(), MegnetConfig::matgl()] {
            let net = Megnet::new(&config, &Device::flex());
            let plain = perovskite(&[0, 1, 2, 3, 4], 0.0, CUBE);
            let reference = values(&config, &net, std::slice::from_ref(&plain))[0];
            let (s, c) = 0.7_f64.sin_cos();
            let turned = CUBE.map(|[x, y, z]| [c * x - s * y, s * x + c * y, z]);
            let other = perovskite(&[0, 1, 2, 3, 4], 0.0, [[4.4, 0.0, 0.3], [0.0, 4.1, 0.0], [0.0, 0.2, 5.0]]);
            let same = [
                perovskite(&[4, 2, 0, 3, 1], 0.0, CUBE),
                perovskite(&[0, 1, 2, 3, 4], 0.3, CUBE),
                perovskite(&[0, 1, 2, 3, 4], 0.0, turned),
                // The same lattice by other vectors.
                Structure::new(
                    Lattice::new([CUBE[0], [3.9, 3.9, 0.0], CUBE[2]]).unwrap(),
                    plain.species().to_vec(),
                    plain.frac_coords().iter().map(|x| [x[0] - x[1], x[1], x[2]]).collect(),
                )
                .unwrap(),
                plain.supercell([2, 1, 1]).unwrap(),
                other,
            ];
            let got = values(&config, &net, &same);
            for (k, value) in got[..5].iter().enumerate() {
                assert!((value - reference).abs() < 1e-5, "variant {k}: {value} against {reference}");
            }
            assert!((got[5] - reference).abs() > 1e-6, "another crystal has another value");
        }
    }
}

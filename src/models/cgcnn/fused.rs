//! CGCNN. Both normalisations are constants: the one over edges is part of the linear layer, the one over sums a
//! multiplication and an addition. The products with the two atoms of an edge are taken per atom.

use super::{CgcnnConfig, module};
use crate::fused::{
    Inference,
    basis::Basis,
    linear::{Linear, Plan, padded, values},
    norm::Affine,
    rows::{Part, add_sum, gather, of_elements},
    runs::{Runs, Tile},
    scratch::{Pool, sized},
};
use crate::{
    activation::plain_softplus_in_place,
    atoms::{ATOM_FEATURES, atom_features},
    exponential::{sigmoid, softplus},
    graph::{Graph, starts},
    input::Input,
    simd::kernels,
};

#[derive(Debug)]
struct Convolution {
    /// By the center, with bias, and by the neighbor, side by side; each has the gate and the core side by side.
    nodes: Linear,
    edges: Linear,
    norm: Affine,
}

impl Convolution {
    fn new(layer: &module::Convolution, atom: usize) -> Self {
        let full = Plan::of(&layer.fc_full).then(&Affine::of(&layer.bn1));
        let (full, bias) = full.without_bias();
        let basis = full.len() - 2 * atom;
        let halves = |plan: Plan| [plan.outputs_of(0, atom), plan.outputs_of(atom, 2 * atom)];
        let center = halves(full.inputs(0, atom).with_bias(bias));
        let neighbor = halves(full.inputs(atom, 2 * atom));
        Self {
            nodes: Plan::beside(&[center, neighbor].concat()),
            edges: Plan::beside(&halves(full.inputs(2 * atom, 2 * atom + basis))),
            norm: Affine::of(&layer.bn2).padded(),
        }
    }
}

/// Buffers of one crystal.
#[derive(Debug, Default)]
struct Buffers {
    starts: Vec<usize>,
    nodes: Vec<f32>,
    expanded: Vec<f32>,
    parts: Vec<f32>,
    sums: Vec<f32>,
}

/// The network.
#[derive(Debug)]
pub struct Cgcnn {
    /// Vectors of the elements, by atomic number.
    elements: Vec<f32>,
    width: usize,
    basis: Basis,
    convolutions: Vec<Convolution>,
    crystal: Linear,
    out: Linear,
    buffers: Pool<Buffers>,
    spare: Pool<Vec<f32>>,
}

/// The embedding of every element, a row of `width` for each; `features` as [`atom_features`] has them.
pub(super) fn embedded(net: &module::Cgcnn, features: &[f32], width: usize) -> Vec<f32> {
    let mut elements = vec![0.0; features.len() / ATOM_FEATURES * width];
    Plan::of(&net.embedding).pack().apply(features, ATOM_FEATURES, &mut elements);
    elements
}

impl Cgcnn {
    /// The network with burn's weights.
    pub fn new(net: &module::Cgcnn, config: &CgcnnConfig) -> Self {
        let width = padded(config.atom);
        Self {
            elements: embedded(net, &values(atom_features(&burn::prelude::Device::flex())), width),
            width,
            basis: Basis::new(&config.bonds),
            convolutions: net.convs.iter().map(|layer| Convolution::new(layer, config.atom)).collect(),
            crystal: Plan::of(&net.conv_to_fc).pack(),
            out: Plan::of(&net.fc_out).pack(),
            buffers: Pool::default(),
            spare: Pool::default(),
        }
    }

    /// The crystal's number, in the units the weights were trained in.
    pub fn forward(&self, graph: &Graph) -> f32 {
        self.buffers.with(|buffers| self.forward_in(buffers, graph))
    }

    fn forward_in(&self, buffers: &mut Buffers, graph: &Graph) -> f32 {
        let (nodes, width) = (graph.nodes(), self.width);
        starts(&graph.center, nodes, &mut buffers.starts);
        let x = sized(&mut buffers.nodes, nodes * width);
        of_elements(x, width, &self.elements, &graph.numbers);
        let expanded: &[f32] = self.basis.rows(&graph.distance, &mut buffers.expanded);
        for layer in &self.convolutions {
            let parts = sized(&mut buffers.parts, nodes * 4 * width);
            layer.nodes.apply(x, width, parts);
            let part = |k| Part::new(parts, 4 * width, k, 2 * width);
            let sums = sized(&mut buffers.sums, nodes * width);
            let runs = Runs { starts: &buffers.starts, cost: layer.edges.cost() };
            runs.tiles((&mut [], 0), (sums, width), &|tile: Tile<'_>| {
                self.spare.with(|spare| {
                    let gated = sized(spare, tile.len() * 2 * width);
                    gather(gated, 2 * width, tile.ends(&graph.neighbor), part(0), part(1));
                    layer.edges.add(&expanded[tile.edges.start * self.basis.width()..], self.basis.width(), gated);
                    gated_sums(tile.of_nodes, width, gated, tile.starts);
                });
            });
            update(x, sums, &layer.norm.scale, &layer.norm.shift);
        }
        let mut mean = vec![0.0; width];
        for (row, share) in x.chunks_exact(width).zip(graph.shares()) {
            add_sum(&mut mean, row, share);
        }
        plain_softplus_in_place(&mut mean);
        let mut crystal = vec![0.0; self.crystal.width()];
        self.crystal.apply(&mean, width, &mut crystal);
        plain_softplus_in_place(&mut crystal);
        let mut out = [0.0; padded(1)];
        self.out.apply(&crystal, crystal.len(), &mut out);
        out[0]
    }
}

kernels! {
    /// Row i of `out`: the sum over the run of sigmoid(gate) softplus(core).
    fn gated_sums<S>(out: &mut [f32], width: usize, gated: &[f32], starts: &[usize]) {
        let edges = starts[starts.len() - 1] - starts[0];
        assert!(width.is_multiple_of(16) && gated.len() == edges * 2 * width && out.len() == (starts.len() - 1) * width);
        for k in 0..starts.len() - 1 {
            let mut c = 0;
            while c < width {
                let mut sum = S::splat(0.0);
                for e in starts[k] - starts[0]..starts[k + 1] - starts[0] {
                    let row = gated.as_ptr().add(e * 2 * width + c);
                    sum = S::fma(sigmoid::<S>(S::load(row)), softplus::<S>(S::load(row.add(width))), sum);
                }
                S::store(out.as_mut_ptr().add(k * width + c), sum);
                c += S::LANES;
            }
        }
    }

    /// `x = softplus(x + sums scale + shift)`.
    fn update<S>(x: &mut [f32], sums: &[f32], scale: &[f32], shift: &[f32]) {
        let width = scale.len();
        assert!(x.len() == sums.len() && shift.len() == width && width.is_multiple_of(16) && x.len().is_multiple_of(width));
        for row in (0..x.len()).step_by(width) {
            let mut c = 0;
            while c < width {
                let at = x.as_mut_ptr().add(row + c);
                let normal = S::fma(
                    S::load(sums.as_ptr().add(row + c)),
                    S::load(scale.as_ptr().add(c)),
                    S::load(shift.as_ptr().add(c)),
                );
                S::store(at, softplus::<S>(S::add(S::load(at), normal)));
                c += S::LANES;
            }
        }
    }
}

impl Inference for Cgcnn {
    fn one(&self, input: &Input) -> f32 {
        self.forward(input.graph())
    }
}

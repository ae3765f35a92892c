//! GATGNN. Its attention is that of DeeperGATGNN without the loops of atoms to themselves, the normalisation after each a
//! multiplication and an addition.

use super::{
    GatgnnConfig,
    module::{self, COMPOSITION},
};
use crate::{
    activation::plain_softplus_in_place,
    atoms::atom_features,
    deeper_gatgnn::fused::{Attention, Spare, leaky},
    fused::{
        Inference,
        basis::Basis,
        linear::{Linear, Plan, padded, values},
        norm::Affine,
        rows::{dot, of_elements},
        scratch::{Pool, sized},
        set2set::{weighted_softmax, weighted_sum},
    },
    graph::{Graph, starts},
    input::Input,
};

/// Buffers of one crystal.
#[derive(Debug, Default)]
struct Buffers {
    starts: Vec<usize>,
    nodes: Vec<f32>,
    edges: Vec<f32>,
    parts: Vec<f32>,
    fresh: Vec<f32>,
    expanded: Vec<f32>,
    hidden: Vec<f32>,
    scores: Vec<f32>,
}

/// The network.
#[derive(Debug)]
pub struct Gatgnn {
    /// Vectors of the elements, by atomic number.
    elements: Vec<f32>,
    width: usize,
    basis: Basis,
    bonds: Linear,
    layers: Vec<(Attention, Affine)>,
    /// What weighs an atom: by the atom with bias, then a row for the fraction of each element, and of both the weight.
    weigh: Linear,
    by_element: Vec<f32>,
    weight: Vec<f32>,
    crystal: [Linear; 2],
    out: Linear,
    buffers: Pool<Buffers>,
    spare: Pool<Spare>,
}

impl Gatgnn {
    /// The network with burn's weights.
    pub fn new(net: &module::Gatgnn, config: &GatgnnConfig) -> Self {
        let features = atom_features(&burn::prelude::Device::flex());
        let [rows, columns] = features.dims();
        let (hidden, width) = (config.hidden, padded(config.hidden));
        let mut elements = vec![0.0; rows * width];
        Plan::of(&net.atom).pack().apply(&values(features), columns, &mut elements);
        let (by_atom, bias) = Plan::of(&net.weigh).without_bias();
        let weigh = by_atom.inputs(0, hidden).with_bias(bias).pack();
        let mut by_element = vec![0.0; COMPOSITION * weigh.width()];
        let of_fractions = values(net.weigh.weight.val()).split_off(hidden * config.weigher);
        for (row, of_fraction) in
            by_element.chunks_exact_mut(weigh.width()).zip(of_fractions.chunks_exact(config.weigher))
        {
            row[..config.weigher].copy_from_slice(of_fraction);
        }
        // Its bias is the same for all atoms, and does not change their shares.
        let mut weight = values(net.weight.weight.val());
        weight.resize(weigh.width(), 0.0);
        let layer = |l: &module::Layer| (Attention::new(&l.attention, hidden, None), Affine::of(&l.norm).padded());
        Self {
            elements,
            width,
            basis: Basis::new(&config.bonds),
            bonds: Plan::of(&net.bond).pack(),
            layers: net.layers.iter().map(layer).collect(),
            weigh,
            by_element,
            weight,
            crystal: [Plan::of(&net.first).pack(), Plan::of(&net.second).pack()],
            out: Plan::of(&net.out).pack(),
            buffers: Pool::default(),
            spare: Pool::default(),
        }
    }

    /// The crystal's number, in the units the weights were trained in.
    pub fn forward(&self, graph: &Graph) -> f32 {
        self.buffers.with(|buffers| self.forward_in(buffers, graph))
    }

    fn forward_in(&self, buffers: &mut Buffers, graph: &Graph) -> f32 {
        let (nodes, edges, width) = (graph.nodes(), graph.edges(), self.width);
        starts(&graph.center, nodes, &mut buffers.starts);
        let x = sized(&mut buffers.nodes, nodes * width);
        of_elements(x, width, &self.elements, &graph.numbers);
        let expanded = self.basis.rows(&graph.distance, &mut buffers.expanded);
        let e = sized(&mut buffers.edges, edges * width);
        self.bonds.apply(expanded, self.basis.width(), e);
        leaky(e);
        let fresh = sized(&mut buffers.fresh, nodes * width);
        for (attention, norm) in &self.layers {
            attention.apply(graph, &buffers.starts, x, e, &mut buffers.parts, fresh, &self.spare);
            for (x, fresh) in x.chunks_exact_mut(width).zip(fresh.chunks_exact(width)) {
                let columns = fresh.iter().zip(norm.scale.iter().zip(&norm.shift));
                x.iter_mut().zip(columns).for_each(|(x, (fresh, (scale, shift)))| *x = fresh * scale + shift);
            }
            plain_softplus_in_place(x);
        }
        self.readout(x, graph, &mut buffers.hidden, &mut buffers.scores)
    }

    /// The crystal's number from its atoms, each of which counts as its composition decides.
    fn readout(&self, x: &[f32], graph: &Graph, hidden: &mut Vec<f32>, scores: &mut Vec<f32>) -> f32 {
        let (numbers, mut composition) = (&graph.numbers, [0.0; COMPOSITION]);
        numbers.iter().zip(graph.shares()).for_each(|(&z, share)| composition[usize::from(z) - 1] += share);
        let mut of_composition = vec![0.0; self.weigh.width()];
        weighted_sum(&mut of_composition, &self.by_element, &composition, 1.0);
        let hidden = sized(hidden, numbers.len() * self.weigh.width());
        self.weigh.apply(x, self.width, hidden);
        for row in hidden.chunks_exact_mut(self.weigh.width()) {
            row.iter_mut().zip(&of_composition).for_each(|(x, more)| *x += more);
        }
        plain_softplus_in_place(hidden);
        let scores = sized(scores, numbers.len());
        for (score, row) in scores.iter_mut().zip(hidden.chunks_exact(self.weigh.width())) {
            *score = dot(row, &self.weight);
        }
        let total = weighted_softmax(scores, &graph.weight);
        let mut crystal = vec![0.0; self.width];
        weighted_sum(&mut crystal, x, scores, 1.0 / total);
        for layer in &self.crystal {
            let mut next = vec![0.0; layer.width()];
            layer.apply(&crystal, crystal.len(), &mut next);
            plain_softplus_in_place(&mut next);
            crystal = next;
        }
        let mut out = [0.0; padded(1)];
        self.out.apply(&crystal, crystal.len(), &mut out);
        out[0]
    }
}

impl Inference for Gatgnn {
    fn one(&self, input: &Input) -> f32 {
        self.forward(input.graph())
    }
}

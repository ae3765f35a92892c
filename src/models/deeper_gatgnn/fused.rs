//! DeeperGATGNN. Batch normalisations are constants, so that a group normalisation is one product with the clusters' factors,
//! and the loops of atoms to themselves, all of length 0, share one vector per layer, known beforehand.
//!
//! An attention works on tiles of whole neighbourhoods: scores, their softmax and the weighted sum need nothing from outside.

use super::{
    DeeperGatgnnConfig,
    module::{self, COMPOSITION, DEGREES, ELEMENTS, GROUP_WEIGHT, GROUPS, HEADS, SLOPE},
};
use crate::fused::{
    Inference,
    basis::Basis,
    linear::{Linear, Plan, padded, values},
    norm::Affine,
    rows::dot,
    runs::{Runs, Tile},
    scratch::{Pool, sized},
    set2set::{softmax, weighted_softmax, weighted_sum},
};
use crate::{
    activation::plain_softplus_in_place,
    exponential::softplus,
    graph::{Graph, starts},
    input::Input,
    simd::kernels,
};

/// Augmented graph attention.
#[derive(Debug)]
pub(crate) struct Attention {
    /// By atom and by bond; the heads side by side.
    nodes: Linear,
    edges: Linear,
    /// What a loop adds to its atom; empty where atoms have none.
    of_loop: Vec<f32>,
    /// Weights of scores, by the centre and by the neighbour: a row for each head.
    of_center: Vec<f32>,
    of_neighbor: Vec<f32>,
    /// Normalisation of the scores.
    norm: Affine,
    bias: Vec<f32>,
}

/// x (1 + weight Σ share factor) + weight Σ shift.
#[derive(Debug)]
struct GroupNorm {
    cluster: Linear,
    /// A row for each cluster.
    factors: Vec<f32>,
    shift: Vec<f32>,
}

/// Buffers of one crystal.
#[derive(Debug, Default)]
struct Buffers {
    starts: Vec<usize>,
    nodes: Vec<f32>,
    edges: Vec<f32>,
    parts: Vec<f32>,
    fresh: Vec<f32>,
    shares: Vec<f32>,
    expanded: Vec<f32>,
    scores: Vec<f32>,
    first: Vec<f32>,
    second: Vec<f32>,
}

/// Buffers of one tile.
#[derive(Debug, Default)]
pub(crate) struct Spare {
    by_bond: Vec<f32>,
    out: Vec<f32>,
    scores: Vec<f32>,
}

/// The network.
#[derive(Debug)]
pub struct DeeperGatgnn {
    width: usize,
    /// Rows of the first layer, padded: by atomic number from 1, then by degree.
    elements: Vec<f32>,
    element_bias: Vec<f32>,
    basis: Basis,
    bonds: Linear,
    layers: Vec<(Attention, GroupNorm)>,
    /// Attention over atoms: by the atom with bias, a row for each atomic number's fraction, then the rest.
    weigh: [Linear; 3],
    by_element: Vec<f32>,
    out: Vec<f32>,
    out_bias: f32,
    buffers: Pool<Buffers>,
    spare: Pool<Spare>,
}

impl Attention {
    /// With burn's weights; `loops` is the vector of an atom's bond to itself, where it has one.
    pub fn new(layer: &module::Attention, hidden: usize, loops: Option<&[f32]>) -> Self {
        let width = padded(hidden);
        let plan = Plan::new(layer.weight.val());
        let heads =
            |plan: Plan| -> Vec<Plan> { (0..HEADS).map(|h| plan.outputs_of(h * hidden, (h + 1) * hidden)).collect() };
        let edges = Plan::beside(&heads(plan.inputs(hidden, 2 * hidden)));
        let mut of_loop = Vec::new();
        if let Some(loops) = loops {
            of_loop.resize(HEADS * width, 0.0);
            edges.apply(loops, hidden, &mut of_loop);
        }
        let att = values(layer.att.val());
        let scores = |part: usize| {
            let mut rows = vec![0.0; HEADS * width];
            for (row, att) in rows.chunks_exact_mut(width).zip(att.chunks_exact(2 * hidden)) {
                row[..hidden].copy_from_slice(&att[part * hidden..][..hidden]);
            }
            rows
        };
        let mut bias = values(layer.bias.val());
        bias.resize(width, 0.0);
        Self {
            nodes: Plan::beside(&heads(plan.inputs(0, hidden))),
            edges,
            of_loop,
            of_center: scores(0),
            of_neighbor: scores(1),
            norm: Affine::of(&layer.norm),
            bias,
        }
    }
}

impl GroupNorm {
    fn new(norm: &module::GroupNorm, hidden: usize) -> Self {
        let width = padded(hidden);
        let affine = Affine::of(&norm.norm);
        let mut factors = vec![0.0; GROUPS * width];
        let mut shift = vec![0.0; width];
        for group in 0..GROUPS {
            for k in 0..hidden {
                factors[group * width + k] = GROUP_WEIGHT * affine.scale[group * hidden + k];
                shift[k] += GROUP_WEIGHT * affine.shift[group * hidden + k];
            }
        }
        Self { cluster: Plan::of(&norm.cluster).pack(), factors, shift }
    }

    /// `x += norm(fresh)`.
    fn add(&self, fresh: &[f32], x: &mut [f32], shares: &mut Vec<f32>) {
        let width = self.shift.len();
        let rows = fresh.len() / width;
        let shares = sized(shares, rows * self.cluster.width());
        self.cluster.apply(fresh, width, shares);
        let mut mix = vec![0.0; width];
        let rows = fresh.chunks_exact(width).zip(x.chunks_exact_mut(width));
        for ((fresh, x), shares) in rows.zip(shares.chunks_exact_mut(self.cluster.width())) {
            let shares = &mut shares[..GROUPS];
            let total = softmax(shares);
            mix.fill(1.0);
            weighted_sum(&mut mix, &self.factors, shares, 1.0 / total);
            add_product(x, fresh, &mix, &self.shift);
        }
    }
}

impl DeeperGatgnn {
    /// The network with burn's weights.
    pub fn new(net: &module::DeeperGatgnn, config: &DeeperGatgnnConfig) -> Self {
        let hidden = config.hidden;
        let width = padded(hidden);
        let padded_rows = |rows: Vec<f32>| -> Vec<f32> {
            let mut out = vec![0.0; rows.len() / hidden * width];
            for (out, row) in out.chunks_exact_mut(width).zip(rows.chunks_exact(hidden)) {
                out[..hidden].copy_from_slice(row);
            }
            out
        };
        let basis = Basis::new(&config.bonds);
        let bonds = Plan::of(&net.bond).pack();
        let mut at_zero = vec![0.0; basis.width()];
        basis.expand(&[0.0], &mut at_zero);
        let mut loops = vec![0.0; width];
        bonds.apply(&at_zero, basis.width(), &mut loops);
        leaky(&mut loops);
        let [first, second, last] = &net.weigh.layers[..] else { unreachable!("built with three layers") };
        let (by_atom, bias) = Plan::of(first).without_bias();
        let layers = net.layers.iter();
        let mut out = values(net.out.weight.val());
        out.resize(width, 0.0);
        Self {
            width,
            elements: padded_rows(values(net.atom.weight.val())),
            element_bias: padded_rows(net.atom.bias.as_ref().map_or_else(|| vec![0.0; hidden], |b| values(b.val()))),
            basis,
            bonds,
            layers: layers
                .map(|l| (Attention::new(&l.attention, hidden, Some(&loops)), GroupNorm::new(&l.norm, hidden)))
                .collect(),
            weigh: [by_atom.inputs(0, hidden).with_bias(bias).pack(), Plan::of(second).pack(), Plan::of(last).pack()],
            by_element: padded_rows(values(first.weight.val())[hidden * hidden..].to_vec()),
            out,
            out_bias: net.out.bias.as_ref().map_or(0.0, |bias| values(bias.val())[0]),
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
        for (i, row) in x.chunks_exact_mut(width).enumerate() {
            // A loop counts as a bond.
            let degree = (buffers.starts[i + 1] - buffers.starts[i] + 1).min(DEGREES - 1);
            let of_element = &self.elements[(usize::from(graph.numbers[i]) - 1) * width..][..width];
            let of_degree = &self.elements[(ELEMENTS + degree) * width..][..width];
            for (k, x) in row.iter_mut().enumerate() {
                *x = of_element[k] + of_degree[k] + self.element_bias[k];
            }
        }
        leaky(x);
        let expanded = self.basis.rows(&graph.distance, &mut buffers.expanded);
        let e = sized(&mut buffers.edges, edges * width);
        self.bonds.apply(expanded, self.basis.width(), e);
        leaky(e);
        let e: &[f32] = e;
        for (attention, norm) in &self.layers {
            let fresh = sized(&mut buffers.fresh, nodes * width);
            attention.apply(graph, &buffers.starts, x, e, &mut buffers.parts, fresh, &self.spare);
            norm.add(fresh, x, &mut buffers.shares);
        }

        let mut composition = [0.0; COMPOSITION];
        let elements = graph.numbers.iter().zip(graph.shares());
        elements.for_each(|(&z, share)| composition[usize::from(z)] += share);
        let mut of_composition = vec![0.0; width];
        weighted_sum(&mut of_composition, &self.by_element, &composition, 1.0);
        let first = sized(&mut buffers.first, nodes * width);
        self.weigh[0].apply(x, width, first);
        for row in first.chunks_exact_mut(width) {
            row.iter_mut().zip(&of_composition).for_each(|(x, more)| *x += more);
        }
        plain_softplus_in_place(first);
        let second = sized(&mut buffers.second, nodes * width);
        self.weigh[1].apply(first, width, second);
        plain_softplus_in_place(second);
        let third = sized(&mut buffers.first, nodes * self.weigh[2].width());
        self.weigh[2].apply(second, width, third);
        let scores = sized(&mut buffers.scores, nodes);
        for (score, row) in scores.iter_mut().zip(third.chunks_exact(self.weigh[2].width())) {
            *score = row[0];
        }
        let total = weighted_softmax(scores, &graph.weight);
        let mut sum = vec![0.0; width];
        weighted_sum(&mut sum, x, scores, 1.0 / total);
        dot(&sum, &self.out) + self.out_bias
    }
}

impl Attention {
    /// New atoms from the atoms `x` and the bonds `e` of a graph.
    #[allow(clippy::too_many_arguments)]
    pub fn apply(
        &self,
        graph: &Graph,
        starts: &[usize],
        x: &[f32],
        e: &[f32],
        parts: &mut Vec<f32>,
        fresh: &mut [f32],
        spare: &Pool<Spare>,
    ) {
        let width = self.bias.len();
        let parts = sized(parts, graph.nodes() * HEADS * width);
        self.nodes.apply(x, width, parts);
        let parts: &[f32] = parts;
        let runs = Runs { starts, cost: 2 * self.edges.cost() };
        runs.tiles((&mut [], 0), (fresh, width), &|tile: Tile<'_>| {
            spare.with(|spare| self.tile(tile, &graph.neighbor, e, width, parts, spare));
        });
    }

    /// The nodes of a tile: a loop, where there is one, comes after the edges of its atom.
    fn tile(&self, tile: Tile<'_>, neighbor: &[u32], e: &[f32], width: usize, parts: &[f32], spare: &mut Spare) {
        let by_bond = sized(&mut spare.by_bond, tile.len() * HEADS * width);
        self.edges.apply(&e[tile.edges.start * width..], width, by_bond);
        for ((k, node), fresh) in tile.nodes.clone().enumerate().zip(tile.of_nodes.chunks_exact_mut(width)) {
            let run = tile.starts[k]..tile.starts[k + 1];
            let rows = run.len() + usize::from(!self.of_loop.is_empty());
            fresh.copy_from_slice(&self.bias);
            if rows == 0 {
                continue;
            }
            let out = sized(&mut spare.out, rows * HEADS * width);
            let scores = sized(&mut spare.scores, HEADS * rows);
            let own = &parts[node * HEADS * width..][..HEADS * width];
            for (row, out) in out.chunks_exact_mut(HEADS * width).enumerate() {
                let (bond, other) = if row < run.len() {
                    let edge = run.start + row;
                    let bond = &by_bond[(edge - tile.edges.start) * HEADS * width..][..HEADS * width];
                    (bond, &parts[neighbor[edge] as usize * HEADS * width..][..HEADS * width])
                } else {
                    (&self.of_loop[..], own)
                };
                let of_heads = score(own, other, bond, &self.of_center, &self.of_neighbor, out);
                for (head, score) in of_heads.into_iter().enumerate() {
                    scores[head * rows + row] = score;
                }
            }
            plain_softplus_in_place(scores);
            for (head, scores) in scores.chunks_exact_mut(rows).enumerate() {
                scores.iter_mut().for_each(|s| *s = *s * self.norm.scale[head] + self.norm.shift[head]);
            }
            plain_softplus_in_place(scores);
            for (head, scores) in scores.chunks_exact_mut(rows).enumerate() {
                let total = softmax(scores);
                let factor = 1.0 / (total * HEADS as f32);
                strided_sum(fresh, &out[head * width..], HEADS * width, scores, factor);
            }
        }
    }
}

/// LeakyReLU in place.
pub(crate) fn leaky(x: &mut [f32]) {
    x.iter_mut().filter(|x| **x < 0.0).for_each(|x| *x *= SLOPE as f32);
}

kernels! {
    /// The scores of a bond in each head, before any activation; `out` is what its neighbor sends.
    fn score<S>(
        center: &[f32],
        neighbor: &[f32],
        bond: &[f32],
        of_center: &[f32],
        of_neighbor: &[f32],
        out: &mut [f32],
    ) -> [f32; HEADS] {
        let n = out.len();
        let width = n / HEADS;
        assert!(width.is_multiple_of(16) && n == width * HEADS);
        assert!([center, neighbor, bond, of_center, of_neighbor].iter().all(|x| x.len() == n));
        let mut scores = [0.0; HEADS];
        for (head, score) in scores.iter_mut().enumerate() {
            let mut sum = S::splat(0.0);
            let mut k = head * width;
            while k < (head + 1) * width {
                let bond = S::load(bond.as_ptr().add(k));
                let here = softplus::<S>(S::add(S::load(center.as_ptr().add(k)), bond));
                let there = softplus::<S>(S::add(S::load(neighbor.as_ptr().add(k)), bond));
                S::store(out.as_mut_ptr().add(k), there);
                sum = S::fma(here, S::load(of_center.as_ptr().add(k)), sum);
                sum = S::fma(there, S::load(of_neighbor.as_ptr().add(k)), sum);
                k += S::LANES;
            }
            *score = S::sum(sum);
        }
        scores
    }

    /// `out += factor Σ weight row`, for rows that begin `stride` apart.
    fn strided_sum<S>(out: &mut [f32], rows: &[f32], stride: usize, weights: &[f32], factor: f32) {
        let width = out.len();
        assert!(width.is_multiple_of(16) && rows.len() >= weights.len().saturating_sub(1) * stride + width);
        let mut c = 0;
        while c < width {
            let mut sum = S::splat(0.0);
            for (row, &weight) in weights.iter().enumerate() {
                sum = S::fma(S::splat(weight), S::load(rows.as_ptr().add(row * stride + c)), sum);
            }
            let to = out.as_mut_ptr().add(c);
            S::store(to, S::fma(sum, S::splat(factor), S::load(to)));
            c += S::LANES;
        }
    }

    /// `x += a b + c`.
    fn add_product<S>(x: &mut [f32], a: &[f32], b: &[f32], c: &[f32]) {
        let n = x.len();
        assert!(n.is_multiple_of(16) && a.len() == n && b.len() == n && c.len() == n);
        let mut k = 0;
        while k < n {
            let more = S::fma(S::load(a.as_ptr().add(k)), S::load(b.as_ptr().add(k)), S::load(c.as_ptr().add(k)));
            let at = x.as_mut_ptr().add(k);
            S::store(at, S::add(S::load(at), more));
            k += S::LANES;
        }
    }
}

impl Inference for DeeperGatgnn {
    fn one(&self, input: &Input) -> f32 {
        self.forward(input.graph())
    }
}

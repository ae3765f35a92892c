//! A training step without tensors: forward and back over the passes of a mini-batch, the gradients of every weight by hand.
//!
//! Rows of bonds before their normalisation are kept for the way back, gates are computed again: reading them from memory would take as
//! long.

use burn::{nn, optim::GradientsParams, prelude::Device};

use super::{
    CgcnnConfig,
    fused::embedded,
    kernels::{Affine, Ends, Sums, gated_sums, gates_back, normal_back, softplus_back},
    module,
};
use crate::{
    activation::plain_softplus_in_place,
    atoms::{ATOM_FEATURES, atom_features},
    fused::{
        basis::Basis,
        gradients::{OfLinear, register},
        linear::{Linear, Plan, padded, values},
        outer::add_outer,
        rows::{Ends as Gathered, Part, add, add_sum, gather, of_elements},
    },
    graph::Graph,
    input::Input,
    kernels::Moments,
    loss::Loss,
    running::Buffers,
    step::{Step, even_passes},
    threads::on_threads,
};

/// Gate and core of the bonds, by centre, neighbour and bond: columns of the layer that works on all three.
struct Convolution {
    /// By the centre, with bias, and by the neighbour, side by side; each has gate and core.
    nodes: Linear,
    edges: Linear,
    /// The way back of `nodes`.
    back: Linear,
    bonds: Normal,
    atoms: Normal,
}

/// Scale and shift of a normalisation, in padded columns.
struct Normal {
    gamma: Vec<f32>,
    beta: Vec<f32>,
    epsilon: f32,
}

impl Normal {
    /// Of `parts` side by side, each padded.
    fn new(norm: &nn::BatchNorm, parts: usize) -> Self {
        let widened = |all: Vec<f32>| {
            let part = all.len() / parts;
            let widened = all.chunks_exact(part).flat_map(|part| {
                let mut part = part.to_vec();
                part.resize(padded(part.len()), 0.0);
                part
            });
            widened.collect::<Vec<f32>>()
        };
        let [gamma, beta] = [&norm.gamma, &norm.beta].map(|p| widened(values(p.val())));
        Self { gamma, beta, epsilon: norm.epsilon as f32 }
    }
}

impl Convolution {
    fn new(layer: &module::Convolution, atom: usize) -> Self {
        let (full, bias) = Plan::of(&layer.fc_full).without_bias();
        let halves = |plan: Plan| [plan.outputs_of(0, atom), plan.outputs_of(atom, 2 * atom)];
        let center = halves(full.inputs(0, atom).with_bias(bias));
        let parts = [center, halves(full.inputs(atom, 2 * atom))].concat();
        Self {
            nodes: Plan::beside(&parts),
            edges: Plan::beside(&halves(full.inputs(2 * atom, full.len()))),
            back: Plan::back_padded(&parts),
            bonds: Normal::new(&layer.bn1, 2),
            atoms: Normal::new(&layer.bn2, 1),
        }
    }
}

/// The weights as a step reads them.
struct Weights {
    /// Vectors of the elements, by atomic number.
    elements: Vec<f32>,
    width: usize,
    basis: Basis,
    convolutions: Vec<Convolution>,
    crystal: Linear,
    crystal_back: Linear,
    out: Linear,
    out_back: Linear,
}

impl Weights {
    fn new(net: &module::Cgcnn, config: &CgcnnConfig, features: &[f32]) -> Self {
        let width = padded(config.atom);
        let back = |layer| Plan::back(&[Plan::of(layer)]);
        Self {
            elements: embedded(net, features, width),
            width,
            basis: Basis::new(&config.bonds),
            convolutions: net.convs.iter().map(|layer| Convolution::new(layer, config.atom)).collect(),
            crystal: Plan::of(&net.conv_to_fc).pack(),
            crystal_back: back(&net.conv_to_fc),
            out: Plan::of(&net.fc_out).pack(),
            out_back: back(&net.fc_out),
        }
    }
}

/// Gradients of the weights of a convolution.
struct OfConvolution {
    /// By the atoms' parts, four of them side by side, and by the bonds, two.
    nodes: Vec<f32>,
    bias: Vec<f32>,
    edges: Vec<f32>,
    bonds: [Vec<f32>; 2],
    atoms: [Vec<f32>; 2],
}

/// Gradients of all weights, by a pass.
struct Gradients {
    loss: f64,
    elements: Vec<f32>,
    convolutions: Vec<OfConvolution>,
    crystal: OfLinear,
    out: OfLinear,
}

impl Gradients {
    fn zeros(config: &CgcnnConfig, weights: &Weights) -> Self {
        let width = weights.width;
        let convolution = || OfConvolution {
            nodes: vec![0.0; config.atom * 4 * width],
            bias: vec![0.0; 4 * width],
            edges: vec![0.0; config.bonds.count * 2 * width],
            bonds: [vec![0.0; 2 * width], vec![0.0; 2 * width]],
            atoms: [vec![0.0; width], vec![0.0; width]],
        };
        Self {
            loss: 0.0,
            elements: vec![0.0; weights.elements.len()],
            convolutions: (0..config.convolutions).map(|_| convolution()).collect(),
            crystal: OfLinear::zeros(config.atom, config.crystal),
            out: OfLinear::zeros(config.crystal, 1),
        }
    }

    fn add(mut self, other: Self) -> Self {
        self.loss += other.loss;
        add(&mut self.elements, &other.elements);
        for (own, other) in self.convolutions.iter_mut().zip(&other.convolutions) {
            add(&mut own.nodes, &other.nodes);
            add(&mut own.bias, &other.bias);
            add(&mut own.edges, &other.edges);
            let pairs = own.bonds.iter_mut().zip(&other.bonds).chain(own.atoms.iter_mut().zip(&other.atoms));
            pairs.for_each(|(own, other)| add(own, other));
        }
        self.crystal.add(&other.crystal);
        self.out.add(&other.out);
        self
    }
}

/// Losses, gradients and statistics of a mini-batch, the same on any number of threads.
pub(super) fn step(
    net: &module::Cgcnn,
    config: &CgcnnConfig,
    items: &[(&Input, f32)],
    loss: Loss,
    threads: usize,
) -> Step {
    let features = values(atom_features(&Device::flex()));
    let weights = Weights::new(net, config, &features);
    let passes = even_passes(items, super::ROWS_PER_PASS);
    let of_passes = on_threads(threads, passes.len(), |k| {
        pass(net, &weights, config, &items[passes[k].clone()], loss, items.len())
    });
    let mut all = Gradients::zeros(config, &weights);
    let mut buffers = Vec::with_capacity(passes.len());
    for ((gradients, own), pass) in of_passes.into_iter().zip(&passes) {
        all = all.add(gradients);
        buffers.push((pass.len() as f32 / items.len() as f32, own));
    }
    let gradients = registered(net, config, &all, &features);
    Step { loss: all.loss, gradients, buffers: Buffers::mean(buffers) }
}

/// The crystals of a pass, end to end.
struct Crystals {
    numbers: Vec<u8>,
    shares: Vec<f32>,
    node_weights: Vec<f32>,
    edge_weights: Vec<f32>,
    /// Nodes of each crystal.
    sizes: Vec<usize>,
    starts: Vec<usize>,
    neighbor: Vec<u32>,
    expanded: Vec<f32>,
}

impl Crystals {
    fn new<'a>(graphs: impl Iterator<Item = &'a Graph>, basis: &Basis) -> Self {
        let (mut numbers, mut shares, mut node_weights, mut edge_weights) = (vec![], vec![], vec![], vec![]);
        let (mut sizes, mut degrees, mut neighbor, mut lengths) = (vec![], vec![], vec![], vec![]);
        for graph in graphs {
            let first = numbers.len();
            numbers.extend(&graph.numbers);
            shares.extend(graph.shares());
            node_weights.extend(&graph.weight);
            edge_weights.extend(graph.edge_weights());
            sizes.push(graph.nodes());
            degrees.resize(numbers.len(), 0);
            graph.center.iter().for_each(|&node| degrees[first + node as usize] += 1);
            neighbor.extend(graph.neighbor.iter().map(|&node| first as u32 + node));
            lengths.extend_from_slice(&graph.distance);
        }
        let mut starts = vec![0];
        starts.extend(degrees.iter().scan(0, |sum, degree| {
            *sum += degree;
            Some(*sum)
        }));
        let mut expanded = Vec::new();
        basis.rows(&lengths, &mut expanded);
        Self { numbers, shares, node_weights, edge_weights, sizes, starts, neighbor, expanded }
    }

    /// The nodes of each crystal.
    fn each(&self) -> impl Iterator<Item = std::ops::Range<usize>> {
        self.sizes.iter().scan(0, |end, size| {
            *end += size;
            Some(*end - size..*end)
        })
    }
}

/// What a convolution leaves for the way back.
struct Trace {
    /// The atoms before it.
    x: Vec<f32>,
    /// Gate and core of the bonds before their normalisation, and what the atoms gather.
    rows: Vec<f32>,
    gathered: Vec<f32>,
    bonds: Moments,
    atoms: Moments,
}

/// Forward and back over the crystals of a pass, with the statistics of its normalisations; gradients are of the mean loss over `of`
/// crystals.
fn pass(
    net: &module::Cgcnn,
    weights: &Weights,
    config: &CgcnnConfig,
    items: &[(&Input, f32)],
    loss: Loss,
    of: usize,
) -> (Gradients, Buffers) {
    let crystals = Crystals::new(items.iter().map(|(input, _)| input.graph()), &weights.basis);
    let width = weights.width;
    let mut x = vec![0.0; crystals.numbers.len() * width];
    of_elements(&mut x, width, &weights.elements, &crystals.numbers);
    let mut traces = Vec::with_capacity(weights.convolutions.len());
    for convolution in &weights.convolutions {
        let (fresh, trace) = forward(convolution, &crystals, x, width);
        traces.push(trace);
        x = fresh;
    }
    let mut gradients = Gradients::zeros(config, weights);
    let mut of_x = vec![0.0; x.len()];
    readout(weights, &crystals, items, loss, of, &x, &mut of_x, &mut gradients);
    for (k, trace) in traces.iter().enumerate().rev() {
        back(&weights.convolutions[k], weights, &crystals, trace, &x, &mut of_x, &mut gradients.convolutions[k]);
        x.clone_from(&trace.x);
    }
    for (row, &z) in of_x.chunks_exact(width).zip(&crystals.numbers) {
        add(&mut gradients.elements[usize::from(z) * width..][..width], row);
    }
    let moments = net.convs.iter().zip(traces);
    (
        gradients,
        Buffers::after(
            moments.flat_map(|(layer, t)| [(&layer.bn1, t.bonds.halves(config.atom, width)), (&layer.bn2, t.atoms)]),
        ),
    )
}

/// A convolution: the atoms after it, and what it leaves.
fn forward(convolution: &Convolution, crystals: &Crystals, x: Vec<f32>, width: usize) -> (Vec<f32>, Trace) {
    let (nodes, edges, wide) = (crystals.numbers.len(), crystals.neighbor.len(), 2 * width);
    let mut parts = vec![0.0; nodes * 2 * wide];
    convolution.nodes.apply(&x, width, &mut parts);
    let part = |k| Part::new(&parts, 2 * wide, k, wide);
    let mut rows = vec![0.0; edges * wide];
    let ends = Gathered { first: 0, starts: &crystals.starts, other: &crystals.neighbor };
    gather(&mut rows, wide, ends, part(0), part(1));
    convolution.edges.add(&crystals.expanded, crystals.expanded.len() / edges.max(1), &mut rows);
    let bonds = Moments::of(&rows, wide, &crystals.edge_weights);
    let mut gathered = vec![0.0; nodes * width];
    gated_sums(&mut gathered, width, &rows, &crystals.starts, &affine(&bonds, &convolution.bonds));
    let atoms = Moments::of(&gathered, width, &crystals.node_weights);
    let Affine { scale, shift, .. } = affine(&atoms, &convolution.atoms);
    let mut fresh = x.clone();
    for (row, gathered) in fresh.chunks_exact_mut(width).zip(gathered.chunks_exact(width)) {
        for (k, x) in row.iter_mut().enumerate() {
            *x += gathered[k] * scale[k] + shift[k];
        }
    }
    plain_softplus_in_place(&mut fresh);
    (fresh, Trace { x, rows, gathered, bonds, atoms })
}

fn affine<'a>(moments: &'a Moments, normal: &Normal) -> Affine<'a> {
    let [scale, shift] = moments.affine(&normal.gamma, &normal.beta, normal.epsilon);
    Affine { mean: &moments.mean, scale, shift }
}

/// The crystals' numbers and losses, and the gradients in the atoms' last vectors, `of_x`.
#[allow(clippy::too_many_arguments)]
fn readout(
    weights: &Weights,
    crystals: &Crystals,
    items: &[(&Input, f32)],
    loss: Loss,
    of: usize,
    x: &[f32],
    of_x: &mut [f32],
    gradients: &mut Gradients,
) {
    let (width, wide) = (weights.width, weights.crystal.width());
    let mut means = vec![0.0; items.len() * width];
    for (mean, nodes) in means.chunks_exact_mut(width).zip(crystals.each()) {
        for node in nodes {
            add_sum(mean, &x[node * width..][..width], crystals.shares[node]);
        }
    }
    plain_softplus_in_place(&mut means);
    let mut hidden = vec![0.0; items.len() * wide];
    weights.crystal.apply(&means, width, &mut hidden);
    plain_softplus_in_place(&mut hidden);
    let mut out = vec![0.0; items.len() * weights.out.width()];
    weights.out.apply(&hidden, wide, &mut out);

    let mut of_out = vec![0.0; out.len()];
    for (k, (_, label)) in items.iter().enumerate() {
        let at = k * weights.out.width();
        let (value, gradient) = loss.of(f64::from(out[at] - label));
        gradients.loss += value;
        of_out[at] = (gradient / of as f64) as f32;
    }
    gradients.out.gain((&hidden, wide), &of_out);
    let mut of_hidden = vec![0.0; hidden.len()];
    weights.out_back.apply(&of_out, weights.out.width(), &mut of_hidden);
    softplus_back(&mut of_hidden, &hidden);
    gradients.crystal.gain((&means, width), &of_hidden);
    let mut of_means = vec![0.0; means.len()];
    weights.crystal_back.apply(&of_hidden, wide, &mut of_means);
    softplus_back(&mut of_means, &means);
    for (of_mean, nodes) in of_means.chunks_exact(width).zip(crystals.each()) {
        for node in nodes {
            add_sum(&mut of_x[node * width..][..width], of_mean, crystals.shares[node]);
        }
    }
}

/// From the gradients of the atoms `after` a convolution to those before it, both `of_x`.
fn back(
    convolution: &Convolution,
    weights: &Weights,
    crystals: &Crystals,
    trace: &Trace,
    after: &[f32],
    of_x: &mut [f32],
    gradients: &mut OfConvolution,
) {
    let (width, nodes, edges) = (weights.width, crystals.numbers.len(), crystals.neighbor.len());
    let wide = 2 * width;
    softplus_back(of_x, after);
    let of_gathered = atoms_back(&convolution.atoms, crystals, trace, of_x, &mut gradients.atoms);
    let [of_gamma, of_beta] = &mut gradients.bonds;
    let mut sums = Sums { products: std::mem::take(of_gamma), gradients: std::mem::take(of_beta) };
    let (norm, mut of_rows) = (affine(&trace.bonds, &convolution.bonds), vec![0.0; edges * wide]);
    gates_back(&of_gathered, width, &trace.rows, &crystals.starts, &norm, &mut of_rows, &mut sums);
    let normal =
        trace.bonds.back(&convolution.bonds.gamma, convolution.bonds.epsilon, &mut sums.products, &sums.gradients);
    (*of_gamma, *of_beta) = (sums.products, sums.gradients);
    let mut of_parts = vec![0.0; nodes * 2 * wide];
    let ends = Ends { neighbor: &crystals.neighbor, of_parts: &mut of_parts };
    normal_back(&mut of_rows, width, &trace.rows, &crystals.starts, &crystals.node_weights, &normal, ends);
    let stride = crystals.expanded.len() / edges.max(1);
    add_outer(&mut gradients.edges, wide, (&crystals.expanded, stride), &of_rows);
    add_outer(&mut gradients.nodes, 2 * wide, (&trace.x, width), &of_parts);
    add_sum(&mut gradients.bias, &of_parts, 1.0);
    let mut of_nodes = vec![0.0; nodes * width];
    convolution.back.apply(&of_parts, 2 * wide, &mut of_nodes);
    add(of_x, &of_nodes);
}

/// Through the normalisation of what atoms gather: from the gradients of its result to those of the sums.
fn atoms_back(
    norm: &Normal,
    crystals: &Crystals,
    trace: &Trace,
    gradients: &[f32],
    [of_gamma, of_beta]: &mut [Vec<f32>; 2],
) -> Vec<f32> {
    let width = norm.gamma.len();
    let rows = || gradients.chunks_exact(width).zip(trace.gathered.chunks_exact(width));
    for (gradient, gathered) in rows() {
        for (k, (of_gamma, of_beta)) in of_gamma.iter_mut().zip(of_beta.iter_mut()).enumerate() {
            *of_gamma += gradient[k] * (gathered[k] - trace.atoms.mean[k]);
            *of_beta += gradient[k];
        }
    }
    let normal = trace.atoms.back(&norm.gamma, norm.epsilon, of_gamma, of_beta);
    let of_sums = rows().zip(&crystals.node_weights).flat_map(|((gradient, gathered), weight)| {
        let of_mean = |k: usize| normal.of_value[k] * gathered[k] + normal.constant[k];
        let of = |k: usize| normal.factor[k] * gradient[k] + weight * of_mean(k);
        (0..width).map(of).collect::<Vec<f32>>()
    });
    of_sums.collect()
}

/// The gradients as burn's optimiser takes them.
fn registered(net: &module::Cgcnn, config: &CgcnnConfig, gradients: &Gradients, features: &[f32]) -> GradientsParams {
    let (found, atom) = (&mut GradientsParams::new(), config.atom);
    let width = padded(atom);
    let mut embedding = OfLinear::zeros(ATOM_FEATURES, atom);
    embedding.gain((features, ATOM_FEATURES), &gradients.elements);
    embedding.register(found, &net.embedding);
    for (layer, gradients) in net.convs.iter().zip(&gradients.convolutions) {
        // Gate and core side by side, each padded, as one row of the layer, padded at its end.
        let joined = |row: &[f32]| {
            let mut joined = [&row[..atom], &row[width..width + atom]].concat();
            joined.resize(padded(2 * atom), 0.0);
            joined
        };
        let by_nodes =
            |part: usize| gradients.nodes.chunks_exact(4 * width).map(move |row| &row[part * 2 * width..][..2 * width]);
        let rows = by_nodes(0).chain(by_nodes(1)).chain(gradients.edges.chunks_exact(2 * width));
        let full = OfLinear { weight: rows.flat_map(joined).collect(), bias: joined(&gradients.bias[..2 * width]) };
        full.register(found, &layer.fc_full);
        for (norm, [of_gamma, of_beta]) in [(&layer.bn1, &gradients.bonds), (&layer.bn2, &gradients.atoms)] {
            let parts = of_gamma.len() / width;
            for (weight, of) in [(&norm.gamma, of_gamma), (&norm.beta, of_beta)] {
                let of = if parts == 2 { joined(of) } else { of.clone() };
                register(found, weight, &of);
            }
        }
    }
    gradients.crystal.register(found, &net.conv_to_fc);
    gradients.out.register(found, &net.fc_out);
    std::mem::take(found)
}

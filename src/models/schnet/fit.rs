//! A training step without tensors: forward and back over the passes of a mini-batch, the gradients of every weight by hand.
//!
//! The filters of a step are tabulated once. Each pass leaves the gradients of the tables, which are added up before they go back through
//! the two layers behind a filter.

use burn::{nn, optim::GradientsParams};

use super::{
    SchnetConfig,
    crystals::Crystals,
    fused::{self, Readout, Trace},
    kernels::{convolve_back, normalise_back, silu_back},
    module::{self, FILTER},
};
use crate::{
    activation::silu_in_place,
    fused::{
        gradients::{OfLinear, register},
        linear::{Linear, Plan, padded},
        outer::add_outer,
        rows::{add, scale},
        scratch::sized,
    },
    input::Input,
    loss::Loss,
    running::Buffers,
    step::{Step, even_passes},
    threads::on_threads,
};

/// Gradients of the weights of an interaction, those of its filters as a table.
#[derive(Debug)]
struct OfInteraction {
    table: Vec<f32>,
    sent: OfLinear,
    hidden: OfLinear,
    output: OfLinear,
}

/// Gradients of all weights, by a pass.
#[derive(Debug)]
struct Gradients {
    loss: f64,
    elements: Vec<f32>,
    interactions: Vec<OfInteraction>,
    dense: OfLinear,
    out: Vec<f32>,
    bias: f32,
}

impl Gradients {
    fn zeros(config: &SchnetConfig) -> Self {
        let (w, width) = (config.hidden, padded(config.hidden));
        let interaction = || OfInteraction {
            table: vec![0.0; config.points * width],
            sent: OfLinear::zeros(w, w),
            hidden: OfLinear::zeros(w, w),
            output: OfLinear::zeros(w, w),
        };
        Self {
            loss: 0.0,
            elements: vec![0.0; module::ELEMENTS * width],
            interactions: (0..config.layers).map(|_| interaction()).collect(),
            dense: OfLinear::zeros(w, config.readout),
            out: vec![0.0; padded(config.readout)],
            bias: 0.0,
        }
    }

    fn add(mut self, other: Self) -> Self {
        self.loss += other.loss;
        add(&mut self.elements, &other.elements);
        for (own, other) in self.interactions.iter_mut().zip(&other.interactions) {
            add(&mut own.table, &other.table);
            own.sent.add(&other.sent);
            own.hidden.add(&other.hidden);
            own.output.add(&other.output);
        }
        self.dense.add(&other.dense);
        add(&mut self.out, &other.out);
        self.bias += other.bias;
        self
    }
}

/// The layers the other way.
struct Back {
    interactions: Vec<[Linear; 3]>,
    dense: Linear,
}

impl Back {
    fn new(net: &module::Schnet) -> Self {
        let back = |layer: &nn::Linear| Plan::back(&[Plan::of(layer)]);
        let interaction = |layer: &module::Interaction| [back(&layer.sent), back(&layer.hidden), back(&layer.output)];
        Self { interactions: net.interactions.iter().map(interaction).collect(), dense: back(&net.dense) }
    }
}

/// Losses and gradients of a mini-batch, the same on any number of threads.
pub(super) fn step(
    net: &module::Schnet,
    config: &SchnetConfig,
    items: &[(&Input, f32)],
    loss: Loss,
    threads: usize,
) -> Step {
    let forward = fused::Schnet::on_threads(net, config, threads);
    let back = Back::new(net);
    let passes = even_passes(items, super::ROWS_PER_PASS);
    let of_passes = on_threads(threads, passes.len(), |k| {
        pass(&forward, &back, config, &items[passes[k].clone()], loss, items.len())
    });
    let all = of_passes.into_iter().reduce(Gradients::add).unwrap_or_else(|| Gradients::zeros(config));
    let filters = on_threads(threads, net.interactions.len(), |k| {
        of_filters(&net.interactions[k], &forward, k, &all.interactions[k].table, config)
    });
    Step { loss: all.loss, gradients: registered(net, config, &all, &filters), buffers: Buffers::default() }
}

/// Forward and back over the crystals of a pass; gradients are of the mean loss over `of` crystals.
fn pass(
    net: &fused::Schnet,
    back: &Back,
    config: &SchnetConfig,
    items: &[(&Input, f32)],
    loss: Loss,
    of: usize,
) -> Gradients {
    let mut crystals = Crystals::default();
    crystals.fill(items.iter().map(|(input, _)| input.graph()), &net.lengths.grid);
    let (mut x, mut spare, mut readout) = (Vec::new(), Vec::new(), Readout::default());
    let mut traces: Vec<Trace> = net.interactions.iter().map(|_| Trace::default()).collect();
    let x = net.begin(&crystals, &mut x);
    for (interaction, trace) in net.interactions.iter().zip(&mut traces) {
        interaction.forward(&crystals, x, net.columns, trace, &mut spare);
    }
    let (mut means, mut numbers) = (Vec::new(), Vec::new());
    net.finish(&crystals, x, &mut readout, &mut spare, &mut means, &mut numbers);

    let mut gradients = Gradients::zeros(config);
    let of_numbers: Vec<f32> = numbers
        .iter()
        .zip(items)
        .map(|(number, (_, label))| {
            let (value, gradient) = loss.of(f64::from(number - label));
            gradients.loss += value;
            (gradient / of as f64) as f32
        })
        .collect();
    let mut of_x = vec![0.0; x.len()];
    readout_back(net, back, &crystals, &readout, (&means, &of_numbers), &mut of_x, &mut gradients);
    for (k, trace) in traces.iter().enumerate().rev() {
        interaction_back(net, back, k, &crystals, trace, &mut of_x, &mut gradients.interactions[k]);
    }
    let width = net.width();
    for (row, &z) in of_x.chunks_exact(width).zip(&crystals.numbers) {
        add(&mut gradients.elements[usize::from(z) * width..][..width], row);
    }
    gradients
}

/// From the gradients of the crystals' numbers to those of the atoms' last vectors, `of_x`.
fn readout_back(
    net: &fused::Schnet,
    back: &Back,
    crystals: &Crystals,
    readout: &Readout,
    (means, of_numbers): (&[f32], &[f32]),
    of_x: &mut [f32],
    gradients: &mut Gradients,
) {
    let (nodes, width, wide) = (crystals.nodes(), net.width(), net.out.len());
    let mut of_dense = vec![0.0; nodes * wide];
    for ((mean, gradient), of_crystal) in means.chunks_exact(wide).zip(of_numbers).zip(crystals.each()) {
        gradients.bias += gradient;
        gradients.out.iter_mut().zip(mean).for_each(|(sum, mean)| *sum += gradient * mean);
        for node in of_crystal {
            let factor = gradient * crystals.shares[node];
            let row = &mut of_dense[node * wide..][..wide];
            row.iter_mut().zip(&net.out).for_each(|(of, weight)| *of = factor * weight);
        }
    }
    silu_back(&mut of_dense, &readout.before[..nodes * wide]);
    let normal = &readout.normal[..nodes * width];
    gradients.dense.gain((normal, width), &of_dense);
    let mut of_normal = vec![0.0; nodes * width];
    back.dense.apply(&of_dense, wide, &mut of_normal);
    normalise_back(of_x, &of_normal, normal, &readout.inverse[..nodes], width, net.columns);
}

/// From the gradients of the atoms' vectors after an interaction to those before it, both `of_x`.
fn interaction_back(
    net: &fused::Schnet,
    back: &Back,
    k: usize,
    crystals: &Crystals,
    trace: &Trace,
    of_x: &mut [f32],
    gradients: &mut OfInteraction,
) {
    let (nodes, width) = (crystals.nodes(), net.width());
    let [sent_back, hidden_back, output_back] = &back.interactions[k];
    let numbers = nodes * width;
    let (before, gathered) = (&trace.before[..numbers], &trace.gathered[..numbers]);
    let mut hidden = before.to_vec();
    silu_in_place(&mut hidden);
    gradients.output.gain((&hidden, width), of_x);
    let of_hidden = &mut hidden;
    output_back.apply(of_x, width, of_hidden);
    silu_back(of_hidden, before);
    gradients.hidden.gain((gathered, width), of_hidden);
    let mut of_gathered = vec![0.0; numbers];
    hidden_back.apply(of_hidden, width, &mut of_gathered);
    let of_sent = sized(of_hidden, numbers);
    of_sent.fill(0.0);
    let read = (&trace.sent[..numbers], &net.interactions[k].filters.table[..]);
    convolve_back(&of_gathered, width, &crystals.bonds(), read, (of_sent, &mut gradients.table));
    let normal = &trace.normal[..numbers];
    add_outer(&mut gradients.sent.weight, width, (normal, width), of_sent);
    let of_normal = &mut of_gathered;
    sent_back.apply(of_sent, width, of_normal);
    normalise_back(of_x, of_normal, normal, &trace.inverse[..nodes], width, net.columns);
}

/// From the gradients of a table to those of the two layers that made it.
fn of_filters(
    layer: &module::Interaction,
    net: &fused::Schnet,
    k: usize,
    of_table: &[f32],
    config: &SchnetConfig,
) -> [OfLinear; 2] {
    let (width, lengths) = (net.width(), &net.lengths);
    let before = &net.interactions[k].filters.before;
    let mut of_table = of_table.to_vec();
    scale(&mut of_table, FILTER);
    let mut hidden = before.clone();
    silu_in_place(&mut hidden);
    let mut second = OfLinear::zeros(config.hidden, config.hidden);
    add_outer(&mut second.weight, width, (&hidden, width), &of_table);
    let of_hidden = &mut hidden;
    Plan::back(&[Plan::of(&layer.filter_out)]).apply(&of_table, width, of_hidden);
    silu_back(of_hidden, before);
    let mut first = OfLinear::zeros(config.bonds.count, config.hidden);
    first.gain((&lengths.expanded, lengths.width), of_hidden);
    [first, second]
}

/// The gradients as burn's optimiser takes them.
fn registered(
    net: &module::Schnet,
    config: &SchnetConfig,
    gradients: &Gradients,
    filters: &[[OfLinear; 2]],
) -> GradientsParams {
    let found = &mut GradientsParams::new();
    for ((layer, gradients), [first, second]) in net.interactions.iter().zip(&gradients.interactions).zip(filters) {
        first.register(found, &layer.filter);
        second.register(found, &layer.filter_out);
        gradients.sent.register(found, &layer.sent);
        gradients.hidden.register(found, &layer.hidden);
        gradients.output.register(found, &layer.output);
    }
    gradients.dense.register(found, &net.dense);
    let mut out = OfLinear::zeros(config.readout, 1);
    out.weight.iter_mut().step_by(padded(1)).zip(&gradients.out).for_each(|(weight, gradient)| *weight = *gradient);
    out.bias[0] = gradients.bias;
    out.register(found, &net.out);
    register(found, &net.elements.weight, &gradients.elements);
    std::mem::take(found)
}

//! A training step without tensors: forward and back over the passes of a mini-batch, the slopes of every weight by hand.
//!
//! The filters of a step are tabulated once. Each pass leaves the slopes of the tables, which are added up before they go back through
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
        linear::{Linear, Plan, padded},
        outer::add_outer,
        rows::{add, scale},
        scratch::sized,
        slopes::{OfLinear, register},
    },
    input::Input,
    loss::Loss,
    running::Buffers,
    step::{Step, even_passes},
    threads::on_threads,
};

/// Slopes of the weights of an interaction, those of its filters as a table.
#[derive(Debug)]
struct OfInteraction {
    table: Vec<f32>,
    sent: OfLinear,
    hidden: OfLinear,
    output: OfLinear,
}

/// Slopes of all weights, by a pass.
#[derive(Debug)]
struct Slopes {
    loss: f64,
    elements: Vec<f32>,
    interactions: Vec<OfInteraction>,
    dense: OfLinear,
    out: Vec<f32>,
    bias: f32,
}

impl Slopes {
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

/// Losses and gradients of a mini-batch, on so many threads; the numbers do not depend on how many.
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
    let all = of_passes.into_iter().reduce(Slopes::add).unwrap_or_else(|| Slopes::zeros(config));
    let filters = on_threads(threads, net.interactions.len(), |k| {
        of_filters(&net.interactions[k], &forward, k, &all.interactions[k].table, config)
    });
    Step { loss: all.loss, gradients: registered(net, config, &all, &filters), buffers: Buffers::default() }
}

/// Forward and back over the crystals of a pass; slopes are of the mean loss over `of` crystals.
fn pass(
    net: &fused::Schnet,
    back: &Back,
    config: &SchnetConfig,
    items: &[(&Input, f32)],
    loss: Loss,
    of: usize,
) -> Slopes {
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

    let mut slopes = Slopes::zeros(config);
    let of_numbers: Vec<f32> = numbers
        .iter()
        .zip(items)
        .map(|(number, (_, label))| {
            let (value, slope) = loss.of(f64::from(number - label));
            slopes.loss += value;
            (slope / of as f64) as f32
        })
        .collect();
    let mut of_x = vec![0.0; x.len()];
    readout_back(net, back, &crystals, &readout, (&means, &of_numbers), &mut of_x, &mut slopes);
    for (k, trace) in traces.iter().enumerate().rev() {
        interaction_back(net, back, k, &crystals, trace, &mut of_x, &mut slopes.interactions[k]);
    }
    let width = net.width();
    for (row, &z) in of_x.chunks_exact(width).zip(&crystals.numbers) {
        add(&mut slopes.elements[usize::from(z) * width..][..width], row);
    }
    slopes
}

/// From the slopes of the crystals' numbers to those of the atoms' last vectors, `of_x`.
fn readout_back(
    net: &fused::Schnet,
    back: &Back,
    crystals: &Crystals,
    readout: &Readout,
    (means, of_numbers): (&[f32], &[f32]),
    of_x: &mut [f32],
    slopes: &mut Slopes,
) {
    let (nodes, width, wide) = (crystals.nodes(), net.width(), net.out.len());
    let mut of_dense = vec![0.0; nodes * wide];
    for ((mean, slope), of_crystal) in means.chunks_exact(wide).zip(of_numbers).zip(crystals.each()) {
        slopes.bias += slope;
        slopes.out.iter_mut().zip(mean).for_each(|(sum, mean)| *sum += slope * mean);
        for node in of_crystal {
            let factor = slope * crystals.shares[node];
            let row = &mut of_dense[node * wide..][..wide];
            row.iter_mut().zip(&net.out).for_each(|(of, weight)| *of = factor * weight);
        }
    }
    silu_back(&mut of_dense, &readout.before[..nodes * wide]);
    let normal = &readout.normal[..nodes * width];
    slopes.dense.gain((normal, width), &of_dense);
    let mut of_normal = vec![0.0; nodes * width];
    back.dense.apply(&of_dense, wide, &mut of_normal);
    normalise_back(of_x, &of_normal, normal, &readout.inverse[..nodes], width, net.columns);
}

/// From the slopes of the atoms' vectors after an interaction to those before it, both `of_x`.
fn interaction_back(
    net: &fused::Schnet,
    back: &Back,
    k: usize,
    crystals: &Crystals,
    trace: &Trace,
    of_x: &mut [f32],
    slopes: &mut OfInteraction,
) {
    let (nodes, width) = (crystals.nodes(), net.width());
    let [sent_back, hidden_back, output_back] = &back.interactions[k];
    let numbers = nodes * width;
    let (before, gathered) = (&trace.before[..numbers], &trace.gathered[..numbers]);
    let mut hidden = before.to_vec();
    silu_in_place(&mut hidden);
    slopes.output.gain((&hidden, width), of_x);
    let of_hidden = &mut hidden;
    output_back.apply(of_x, width, of_hidden);
    silu_back(of_hidden, before);
    slopes.hidden.gain((gathered, width), of_hidden);
    let mut of_gathered = vec![0.0; numbers];
    hidden_back.apply(of_hidden, width, &mut of_gathered);
    let of_sent = sized(of_hidden, numbers);
    of_sent.fill(0.0);
    let read = (&trace.sent[..numbers], &net.interactions[k].filters.table[..]);
    convolve_back(&of_gathered, width, &crystals.bonds(), read, (of_sent, &mut slopes.table));
    let normal = &trace.normal[..numbers];
    add_outer(&mut slopes.sent.weight, width, (normal, width), of_sent);
    let of_normal = &mut of_gathered;
    sent_back.apply(of_sent, width, of_normal);
    normalise_back(of_x, of_normal, normal, &trace.inverse[..nodes], width, net.columns);
}

/// From the slopes of a table to those of the two layers that made it.
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

/// The slopes as burn's optimiser takes them.
fn registered(
    net: &module::Schnet,
    config: &SchnetConfig,
    slopes: &Slopes,
    filters: &[[OfLinear; 2]],
) -> GradientsParams {
    let gradients = &mut GradientsParams::new();
    for ((layer, slopes), [first, second]) in net.interactions.iter().zip(&slopes.interactions).zip(filters) {
        first.register(gradients, &layer.filter);
        second.register(gradients, &layer.filter_out);
        slopes.sent.register(gradients, &layer.sent);
        slopes.hidden.register(gradients, &layer.hidden);
        slopes.output.register(gradients, &layer.output);
    }
    slopes.dense.register(gradients, &net.dense);
    let mut out = OfLinear::zeros(config.readout, 1);
    out.weight.iter_mut().step_by(padded(1)).zip(&slopes.out).for_each(|(weight, slope)| *weight = *slope);
    out.bias[0] = slopes.bias;
    out.register(gradients, &net.out);
    register(gradients, &net.elements.weight, &slopes.elements);
    std::mem::take(gradients)
}

//! The network without tensors: inference, and the forward half of a training step.

use super::{
    SchnetConfig,
    crystals::Crystals,
    kernels::{convolve, normalise},
    module::{self, FILTER},
    table::Grid,
};
use crate::{
    activation::silu_in_place,
    fused::{
        Inference,
        basis::Basis,
        linear::{Linear, Plan, padded, values},
        rows::{add, dot, of_elements, scale},
        scratch::{Pool, sized},
    },
    input::Input,
};

/// The filters of an interaction at the lengths of the table.
#[derive(Debug)]
pub(super) struct Filters {
    /// What the first layer puts out, before the activation.
    pub before: Vec<f32>,
    /// The filters.
    pub table: Vec<f32>,
}

/// An interaction.
#[derive(Debug)]
pub(super) struct Interaction {
    pub filters: Filters,
    sent: Linear,
    hidden: Linear,
    output: Linear,
}

/// What a step of the way forward leaves for the way back.
#[derive(Debug, Default)]
pub(super) struct Trace {
    /// The normalised vectors of the atoms, and what they were multiplied with.
    pub normal: Vec<f32>,
    pub inverse: Vec<f32>,
    /// What the atoms send, and what they gather.
    pub sent: Vec<f32>,
    pub gathered: Vec<f32>,
    /// What the hidden layer puts out, before the activation.
    pub before: Vec<f32>,
}

impl Interaction {
    fn new(layer: &module::Interaction, lengths: &Lengths) -> Self {
        Self {
            filters: Filters::new(layer, lengths),
            sent: Plan::of(&layer.sent).pack(),
            hidden: Plan::of(&layer.hidden).pack(),
            output: Plan::of(&layer.output).pack(),
        }
    }

    /// The new vectors of the atoms, in `x`.
    pub fn forward(&self, crystals: &Crystals, x: &mut [f32], columns: usize, trace: &mut Trace, spare: &mut Vec<f32>) {
        let nodes = crystals.nodes();
        let width = padded(columns);
        let normal = sized(&mut trace.normal, nodes * width);
        normalise(normal, sized(&mut trace.inverse, nodes), x, width, columns);
        let sent = sized(&mut trace.sent, nodes * width);
        self.sent.apply(normal, width, sent);
        let gathered = sized(&mut trace.gathered, nodes * width);
        convolve(gathered, width, &crystals.bonds(), sent, &self.filters.table);
        let before = sized(&mut trace.before, nodes * width);
        self.hidden.apply(gathered, width, before);
        let both = sized(spare, 2 * nodes * width);
        let (hidden, output) = both.split_at_mut(nodes * width);
        hidden.copy_from_slice(before);
        silu_in_place(hidden);
        self.output.apply(hidden, width, output);
        add(x, output);
    }
}

/// The lengths of the table in their basis.
#[derive(Debug)]
pub(super) struct Lengths {
    /// The lengths.
    pub grid: Grid,
    /// A row for each.
    pub expanded: Vec<f32>,
    /// Length of a row.
    pub width: usize,
    points: usize,
}

impl Lengths {
    /// Those of the network.
    pub fn new(config: &SchnetConfig) -> Self {
        let (grid, basis) = (Grid::new(&config.bonds, config.points), Basis::new(&config.bonds));
        let mut expanded = Vec::new();
        basis.rows(&grid.lengths(), &mut expanded);
        Self { grid, expanded, width: basis.width(), points: config.points }
    }
}

impl Filters {
    fn new(layer: &module::Interaction, lengths: &Lengths) -> Self {
        let (first, second) = (Plan::of(&layer.filter).pack(), Plan::of(&layer.filter_out).pack());
        let width = first.width();
        let mut before = vec![0.0; lengths.points * width];
        first.apply(&lengths.expanded, lengths.width, &mut before);
        let mut hidden = before.clone();
        silu_in_place(&mut hidden);
        let mut table = vec![0.0; lengths.points * second.width()];
        second.apply(&hidden, width, &mut table);
        scale(&mut table, FILTER);
        Self { before, table }
    }
}

/// The network.
#[derive(Debug)]
pub struct Schnet {
    /// Numbers of an atom's vector; rows are padded.
    pub(super) columns: usize,
    pub(super) lengths: Lengths,
    /// Vectors of the elements, by atomic number.
    elements: Vec<f32>,
    pub(super) interactions: Vec<Interaction>,
    dense: Linear,
    pub(super) out: Vec<f32>,
    bias: f32,
    buffers: Pool<Buffers>,
}

/// Buffers of one crystal.
#[derive(Debug, Default)]
struct Buffers {
    crystals: Crystals,
    x: Vec<f32>,
    trace: Trace,
    spare: Vec<f32>,
    means: Vec<f32>,
}

/// What the readout leaves for the way back.
#[derive(Debug, Default)]
pub(super) struct Readout {
    pub normal: Vec<f32>,
    pub inverse: Vec<f32>,
    /// What the dense layer puts out, before the activation.
    pub before: Vec<f32>,
}

impl Schnet {
    /// The network with burn's weights.
    pub fn new(net: &module::Schnet, config: &SchnetConfig) -> Self {
        Self::on_threads(net, config, 1)
    }

    /// [`Schnet::new`], its tables made on so many threads.
    pub(super) fn on_threads(net: &module::Schnet, config: &SchnetConfig, threads: usize) -> Self {
        let (columns, lengths) = (config.hidden, Lengths::new(config));
        let width = padded(columns);
        let mut elements = vec![0.0; module::ELEMENTS * width];
        let rows = values(net.elements.weight.val());
        for (row, from) in elements.chunks_exact_mut(width).zip(rows.chunks_exact(columns)) {
            row[..columns].copy_from_slice(from);
        }
        let interaction = |k: usize| Interaction::new(&net.interactions[k], &lengths);
        let interactions = crate::threads::on_threads(threads, net.interactions.len(), interaction);
        let mut out = values(net.out.weight.val());
        out.resize(padded(out.len()), 0.0);
        let bias = net.out.bias.as_ref().map_or(0.0, |bias| values(bias.val())[0]);
        let dense = Plan::of(&net.dense).pack();
        Self { columns, lengths, elements, interactions, dense, out, bias, buffers: Pool::default() }
    }

    /// Length of a row of an atom.
    pub(super) fn width(&self) -> usize {
        padded(self.columns)
    }

    /// The first vectors of the atoms.
    pub(super) fn begin<'a>(&self, crystals: &Crystals, x: &'a mut Vec<f32>) -> &'a mut [f32] {
        let x = sized(x, crystals.nodes() * self.width());
        of_elements(x, self.width(), &self.elements, &crystals.numbers);
        x
    }

    /// The mean vector of each crystal into `means`, and its number into `numbers`.
    pub(super) fn finish(
        &self,
        crystals: &Crystals,
        x: &[f32],
        readout: &mut Readout,
        spare: &mut Vec<f32>,
        means: &mut Vec<f32>,
        numbers: &mut Vec<f32>,
    ) {
        let (nodes, width, wide) = (crystals.nodes(), self.width(), self.dense.width());
        let normal = sized(&mut readout.normal, nodes * width);
        normalise(normal, sized(&mut readout.inverse, nodes), x, width, self.columns);
        let before = sized(&mut readout.before, nodes * wide);
        self.dense.apply(normal, width, before);
        let dense = sized(spare, nodes * wide);
        dense.copy_from_slice(before);
        silu_in_place(dense);
        let means = sized(means, (crystals.first.len() - 1) * wide);
        means.fill(0.0);
        numbers.clear();
        for (mean, nodes) in means.chunks_exact_mut(wide).zip(crystals.each()) {
            for node in nodes {
                let share = crystals.shares[node];
                let row = &dense[node * wide..][..wide];
                mean.iter_mut().zip(row).for_each(|(mean, x)| *mean += share * x);
            }
            numbers.push(dot(mean, &self.out) + self.bias);
        }
    }
}

impl Inference for Schnet {
    fn one(&self, input: &Input) -> f32 {
        self.buffers.with(|Buffers { crystals, x, trace, spare, means }| {
            crystals.fill(std::iter::once(input.graph()), &self.lengths.grid);
            let x = self.begin(crystals, x);
            for interaction in &self.interactions {
                interaction.forward(crystals, x, self.columns, trace, spare);
            }
            let (mut readout, mut numbers) = (Readout::default(), Vec::new());
            self.finish(crystals, x, &mut readout, spare, means, &mut numbers);
            numbers[0]
        })
    }
}

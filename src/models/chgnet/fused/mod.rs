//! CHGNet: energy, forces, stress and magnetic moments of a crystal.
//!
//! The way back is written out by hand and runs on the same rows as the way forward, three products for each two, where a tape
//! of tensors would keep and revisit every intermediate result. No weight has a gradient here: only positions and cell do.
//!
//! ```text
//! basis    lengths and angles to vectors          gated    what lies between two products
//! layers   convolutions of atoms and bonds, updates of angles
//! ```

mod basis;
mod gated;
mod layers;

use burn::prelude::*;

use crate::fused::{
    linear::{Plan, values},
    product::{Product, Sum},
    row_norm::{RowNorm, norm_rows, norm_rows_back},
    scratch::{Pool, sized},
    virial::Virial,
};
use crate::{
    activation::{silu_back, silu_in_place},
    bond_graph::BondGraph,
    chgnet::{
        COSINE, ChgnetConfig, WIDTH,
        module::{self, cosine},
    },
    fused::{Surface, runs},
    potential::SinglePoint,
};
use basis::{Bessel, Fourier};
use layers::{AngleUpdate, AtomConv, BondConv, Crystal, Gradients, Index, Passing, Spare};

/// The network.
#[derive(Debug)]
pub struct Chgnet {
    /// Energy of an atom of each element to which the network adds, eV.
    references: Vec<f32>,
    /// Vectors of the elements.
    embedding: Vec<f32>,
    /// Of bonds among atoms, and of bonds among angles.
    of_atoms: Bessel,
    of_bonds: Bessel,
    of_angles: Fourier,
    bond_embedding: Product,
    weights_ag: Product,
    weights_bg: Product,
    angle_embedding: Product,
    atom_convs: Vec<AtomConv>,
    bond_convs: Vec<BondConv>,
    /// All but the last, which nothing reads.
    angle_layers: Vec<AngleUpdate>,
    moments: Sum,
    readout_norm: RowNorm,
    readout: Vec<Product>,
    energy: Sum,
    buffers: Pool<Buffers>,
    spare: Pool<Spare>,
}

/// Buffers of one crystal.
#[derive(Debug, Default)]
struct Buffers {
    index: Index,
    bessel: Vec<f32>,
    bessel_short: Vec<f32>,
    fourier: Vec<f32>,
    atoms: Vec<f32>,
    bonds: Vec<f32>,
    angles: Vec<f32>,
    weights_ag: Vec<f32>,
    weights_bg: Vec<f32>,
    /// Rows of the layers, for the way back.
    atom_rows: Vec<Vec<f32>>,
    bond_rows: Vec<(Vec<f32>, Vec<f32>)>,
    angle_rows: Vec<Vec<f32>>,
    normal: Vec<f32>,
    hidden: Vec<Vec<f32>>,
    gradients: Gradients,
    back: Vec<f32>,
    passing: Passing,
}

impl Chgnet {
    /// The network with burn's weights.
    pub fn new(net: &module::Chgnet, config: &ChgnetConfig) -> Self {
        let product = |layer: &nn::Linear| Product::new(&[Plan::of(layer)]);
        let frequencies = |param: &burn::module::Param<Tensor<1>>| values(param.val());
        let (energy, readout) = net.mlp.split_last().expect("the readout has four layers");
        let updates = net.angle_layers.len().saturating_sub(1);
        Self {
            references: values(net.elements.weight.val()),
            embedding: values(net.atom_embedding.weight.val()),
            of_atoms: Bessel::new(config.atom_graph_cutoff, config, &frequencies(&net.atom_frequencies)),
            of_bonds: Bessel::new(config.bond_graph_cutoff, config, &frequencies(&net.bond_frequencies)),
            of_angles: Fourier::new(frequencies(&net.angle_frequencies)),
            bond_embedding: product(&net.bond_embedding),
            weights_ag: product(&net.bond_weights_ag),
            weights_bg: product(&net.bond_weights_bg),
            angle_embedding: product(&net.angle_embedding),
            atom_convs: net.atom_convs.iter().map(AtomConv::new).collect(),
            bond_convs: net.bond_convs.iter().map(BondConv::new).collect(),
            angle_layers: net.angle_layers[..updates].iter().map(AngleUpdate::new).collect(),
            moments: Sum::of(&net.site_wise),
            readout_norm: RowNorm::new(&net.readout_norm),
            readout: readout.iter().map(product).collect(),
            energy: Sum::of(energy),
            buffers: Pool::default(),
            spare: Pool::default(),
        }
    }

    /// Energy and magnetic moments; the rows of all layers are kept where requested.
    fn forward(&self, graph: &BondGraph, buffers: &mut Buffers, keep: bool) -> (f64, Vec<f64>) {
        let b = buffers;
        b.index.fill(graph);
        let (atoms, bonds, short, angles) =
            (graph.numbers.len(), graph.direction.len(), graph.short_directions.len(), graph.angles());
        let length = |bond: usize| graph.length[graph.direction[bond] as usize];
        let expand = |bessel: &Bessel, count: usize, out: &mut Vec<f32>| {
            let width = bessel.width();
            for (bond, row) in sized(out, count * width).chunks_exact_mut(width).enumerate() {
                bessel.expand(length(bond), row);
            }
        };
        expand(&self.of_atoms, bonds, &mut b.bessel);
        expand(&self.of_bonds, short, &mut b.bessel_short);
        let width = self.of_angles.width();
        let pairs = b.index.first.iter().zip(&b.index.second);
        for (row, (&i, &j)) in sized(&mut b.fourier, angles * width).chunks_exact_mut(width).zip(pairs) {
            self.of_angles.expand((COSINE * cosine(graph, i as usize, j as usize)).acos(), row);
        }
        let embed = |product: &Product, width: usize, x: &[f32], rows: usize, out: &mut Vec<f32>| {
            let out = sized(out, rows * WIDTH);
            runs::blocks(out, WIDTH, product.forward.cost(), &|first, out| {
                product.forward.apply(&x[first * width..], width, out);
            });
        };
        embed(&self.bond_embedding, self.of_atoms.width(), &b.bessel, bonds, &mut b.bonds);
        embed(&self.weights_ag, self.of_atoms.width(), &b.bessel, bonds, &mut b.weights_ag);
        embed(&self.weights_bg, self.of_bonds.width(), &b.bessel_short, short, &mut b.weights_bg);
        embed(&self.angle_embedding, width, &b.fourier, angles, &mut b.angles);
        let x = sized(&mut b.atoms, atoms * WIDTH);
        for (row, &z) in x.chunks_exact_mut(WIDTH).zip(&graph.numbers) {
            row.copy_from_slice(&self.embedding[(usize::from(z) - 1) * WIDTH..][..WIDTH]);
        }

        let crystal =
            Crystal { graph, index: &b.index, weights_ag: &b.weights_ag, weights_bg: &b.weights_bg, pool: &self.spare };
        let place = |layer: usize| if keep { layer } else { 0 };
        b.atom_rows.resize_with(self.atom_convs.len(), Vec::new);
        b.bond_rows.resize_with(self.bond_convs.len(), Default::default);
        b.angle_rows.resize_with(self.angle_layers.len(), Vec::new);
        let (e, a) = (&mut b.bonds[..bonds * WIDTH], &mut b.angles[..angles * WIDTH]);
        let mut magmoms = Vec::new();
        for (t, layer) in self.atom_convs.iter().enumerate() {
            if t + 1 == self.atom_convs.len() {
                magmoms = x.chunks_exact(WIDTH).map(|row| f64::from(self.moments.of_row(row).abs())).collect();
            }
            layer.forward(&crystal, x, e, &mut b.atom_rows[place(t)], &mut b.passing);
            if let (Some(layer), true) = (self.bond_convs.get(t), angles > 0) {
                let (rows, sums) = &mut b.bond_rows[place(t)];
                layer.forward(&crystal, (x, e, a), (rows, sums), &mut b.passing);
            }
            if let (Some(layer), true) = (self.angle_layers.get(t), angles > 0) {
                layer.forward(&crystal, (x, e, a), &mut b.angle_rows[place(t)], &mut b.passing);
            }
        }

        let mut row = sized(&mut b.normal, atoms * WIDTH);
        norm_rows(x, &self.readout_norm, row);
        b.hidden.resize_with(2 * self.readout.len(), Vec::new);
        // Before and after each activation.
        for (layer, pair) in self.readout.iter().zip(b.hidden.chunks_exact_mut(2)) {
            let [before, after] = pair else { unreachable!("chunks of two") };
            let (before, after) = (sized(before, atoms * WIDTH), sized(after, atoms * WIDTH));
            layer.apply(row, before);
            after.copy_from_slice(before);
            silu_in_place(after);
            row = after;
        }
        let site = |(row, &z): (&[f32], &u8)| {
            f64::from(self.energy.of_row(row)) + f64::from(self.references[usize::from(z) - 1])
        };
        (row.chunks_exact(WIDTH).zip(&graph.numbers).map(site).sum(), magmoms)
    }

    /// Forces and stress, from the rows of a way forward.
    fn back(&self, graph: &BondGraph, buffers: &mut Buffers) -> (Vec<[f64; 3]>, [[f64; 3]; 3]) {
        let b = buffers;
        let (atoms, bonds, short, angles) =
            (graph.numbers.len(), graph.direction.len(), graph.short_directions.len(), graph.angles());
        let s = &mut b.gradients;
        for (gradients, rows) in [
            (&mut s.atoms, atoms),
            (&mut s.bonds, bonds),
            (&mut s.angles, angles),
            (&mut s.weights_ag, bonds),
            (&mut s.weights_bg, short),
        ] {
            sized(gradients, rows * WIDTH).fill(0.0);
        }
        let x = &mut s.atoms[..atoms * WIDTH];
        x.chunks_exact_mut(WIDTH).for_each(|row| row.copy_from_slice(&self.energy.weight));
        for (layer, before) in self.readout.iter().zip(b.hidden.chunks_exact(2)).rev() {
            silu_back(&before[0][..x.len()], x);
            let out = sized(&mut b.back, x.len());
            out.fill(0.0);
            layer.add_back(x, out);
            x.copy_from_slice(out);
        }
        norm_rows_back(&b.atoms[..atoms * WIDTH], &self.readout_norm, x);

        let crystal =
            Crystal { graph, index: &b.index, weights_ag: &b.weights_ag, weights_bg: &b.weights_bg, pool: &self.spare };
        for (t, layer) in self.atom_convs.iter().enumerate().rev() {
            if let (Some(layer), true) = (self.angle_layers.get(t), angles > 0) {
                layer.back(&crystal, s, &mut b.angle_rows[t], &mut b.passing);
            }
            if let (Some(layer), true) = (self.bond_convs.get(t), angles > 0) {
                let (rows, sums) = &mut b.bond_rows[t];
                layer.back(&crystal, s, (rows, &sums[..short * WIDTH]), &mut b.passing);
            }
            layer.back(&crystal, s, &mut b.atom_rows[t], &mut b.passing);
        }

        // From here on each bond and angle has one derivative, in its length or itself.
        let mut virial = Virial::new(graph);
        let width = self.of_atoms.width();
        let with = sized(&mut b.back, bonds * width);
        with.fill(0.0);
        self.bond_embedding.add_back(&s.bonds[..bonds * WIDTH], with);
        self.weights_ag.add_back(&s.weights_ag[..bonds * WIDTH], with);
        let mut of_length: Vec<f64> = Vec::with_capacity(bonds);
        let length = |bond: usize| graph.length[graph.direction[bond] as usize];
        of_length.extend(with.chunks_exact(width).enumerate().map(|(k, row)| self.of_atoms.back(length(k), row)));
        let width = self.of_bonds.width();
        let with = sized(&mut b.back, short * width);
        with.fill(0.0);
        self.weights_bg.add_back(&s.weights_bg[..short * WIDTH], with);
        for (bond, row) in with.chunks_exact(width).enumerate() {
            of_length[bond] += self.of_bonds.back(length(bond), row);
        }
        for (bond, gradient) in of_length.into_iter().enumerate() {
            let e = graph.direction[bond] as usize;
            virial.add(graph, b.index.center[e] as usize, e, graph.vector[e].map(|x| gradient * x / graph.length[e]));
        }
        let width = self.of_angles.width();
        let with = sized(&mut b.back, angles * width);
        with.fill(0.0);
        self.angle_embedding.add_back(&s.angles[..angles * WIDTH], with);
        for (k, (row, expanded)) in with.chunks_exact(width).zip(b.fourier.chunks_exact(width)).enumerate() {
            let [i, j] = [b.index.first[k], b.index.second[k]].map(|s| s as usize);
            let cosine = cosine(graph, i, j);
            let gradient = -COSINE * self.of_angles.back(expanded, row) / (1.0 - (COSINE * cosine).powi(2)).sqrt();
            let [i, j] = [i, j].map(|s| graph.short[s] as usize);
            for (e, other) in [(i, j), (j, i)] {
                let (d, f) = (graph.length[e], graph.length[other]);
                let gradients = std::array::from_fn(|k| {
                    gradient * (graph.vector[other][k] / f - cosine * graph.vector[e][k] / d) / d
                });
                virial.add(graph, b.index.center[e] as usize, e, gradients);
            }
        }
        let stress = virial.stress(graph);
        (virial.forces, stress)
    }
}

impl Surface for Chgnet {
    fn energy(&self, graph: &BondGraph) -> f64 {
        self.buffers.with(|buffers| self.forward(graph, buffers, false).0)
    }

    fn single_point(&self, graph: &BondGraph) -> SinglePoint {
        self.buffers.with(|buffers| {
            let (energy, magmoms) = self.forward(graph, buffers, true);
            let (forces, stress) = self.back(graph, buffers);
            SinglePoint { energy, forces, stress, magmoms: Some(magmoms) }
        })
    }
}

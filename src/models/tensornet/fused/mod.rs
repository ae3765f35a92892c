//! TensorNet: energy, forces and stress of a crystal.
//!
//! Matrices of three by three are kept in nine components, of which the products with weights mix channels part by part: a third of the
//! multiplications that whole matrices take. Weights of bonds come from polynomials of their lengths. The way back is written out by
//! hand: what it needs of the way forward lies in the buffers of the layers, and every step of it is its step forward turned round.
//!
//! ```text
//! radial     weights of bonds by their length      matrices   what is done at an atom, and its way back
//! bonds      messages along bonds, and back
//! ```

mod bonds;
mod matrices;
mod radial;

use burn::nn;
use burn::prelude::*;

use crate::fused::{
    linear::{PANEL, Plan, values},
    product::{Product, Sum},
    radial::{Asked, Place, Radial},
    row_norm::{RowNorm, norm_rows, norm_rows_back},
    scratch::{Pool, sized},
    strips::{Strip, shares},
    virial::Virial,
};
use crate::{
    activation::{sigmoid, silu_back, silu_in_place},
    bond_graph::BondGraph,
    fused::Surface,
    potential::SinglePoint,
    tensornet::{ELEMENTS, TensornetConfig, basis::Basis, module},
};
use bonds::{Bonds, Pairs, direction_back, directions, first, first_back, messages, messages_back};
use matrices::{
    NINE, PART_OF, bounded, bounded_back, by_panels, joined, joined_back, part_sizes, part_sizes_back, scaled,
    scaled_back, sizes, sizes_back, updated, updated_back,
};
use radial::{of_perceptron, of_products};

/// Hidden layers of the readout and of its gate.
const HIDDEN: usize = 3;

/// The network.
#[derive(Debug)]
pub struct Tensornet {
    /// Energy of an atom of each element to which the network adds, eV.
    references: Vec<f32>,
    units: usize,
    first: First,
    layers: Vec<Layer>,
    norm: RowNorm,
    out: Product,
    /// The value of an atom, and its gate.
    readout: [(Vec<Product>, Sum); 2],
    buffers: Pool<Buffers>,
    spare: Pool<Spare>,
}

/// The first layer.
#[derive(Debug)]
struct First {
    /// What an element gives to a pair as the atom, and as the neighbour.
    pairs: [Vec<f32>; 2],
    length: Radial,
    norm: RowNorm,
    scalar: [Product; 2],
    turned: Turned,
}

/// An interaction.
#[derive(Debug)]
struct Layer {
    length: Radial,
    before: Turned,
    after: Turned,
}

/// A product for each part of the matrices, over their channels.
#[derive(Debug)]
struct Turned([Product; 3]);

impl Turned {
    fn new(layers: &[nn::Linear]) -> Self {
        Self(std::array::from_fn(|part| Product::new(&[Plan::of(&layers[part])])))
    }

    /// `out = x W`, component by component.
    fn apply(&self, x: &[f32], units: usize, out: &mut [f32]) {
        let rows = x.len() / (NINE * units);
        for (k, part) in PART_OF.into_iter().enumerate().filter(|_| rows > 0) {
            self.0[part].forward.apply_into(&x[k * units..], NINE * units, &mut out[k * units..], NINE * units, rows);
        }
    }

    /// `out += after Wᵀ`.
    fn add_back(&self, after: &[f32], units: usize, out: &mut [f32]) {
        let rows = after.len() / (NINE * units);
        for (k, part) in PART_OF.into_iter().enumerate().filter(|_| rows > 0) {
            self.0[part].back.add_into(&after[k * units..], NINE * units, &mut out[k * units..], NINE * units, rows);
        }
    }

    /// `out = after Wᵀ`.
    fn back(&self, after: &[f32], units: usize, out: &mut [f32]) {
        out.fill(0.0);
        self.add_back(after, units, out);
    }
}

/// Buffers of one crystal; what a layer writes on the way forward stays for the way back.
#[derive(Debug, Default)]
struct Buffers {
    places: Vec<Place>,
    directions: Vec<f32>,
    /// Weights of bonds and their derivatives, of one layer after the other.
    values: Vec<f32>,
    derivatives: Vec<f32>,
    /// Matrices by panels, of one layer after the other.
    panels: Vec<f32>,
    /// Of the first layer: matrices before its products and after them, squared sizes, and the numbers before each activation.
    sums: Vec<f32>,
    turned: Vec<f32>,
    sizes: Vec<f32>,
    scalar: [Vec<f32>; 2],
    layers: Vec<Rows>,
    /// Matrices after the last layer.
    x: Vec<f32>,
    /// Of the readout: squared sizes of parts, the numbers before each activation, value and gate of each atom.
    parts: Vec<f32>,
    hidden: [Vec<f32>; 2 * HIDDEN],
    sites: Vec<f32>,
    /// Gradients in matrices, on the way back.
    back: Vec<f32>,
    of_own: Vec<f32>,
    /// Gradients of each directed bond.
    of_edges: Vec<f32>,
}

/// Matrices of an interaction.
#[derive(Debug, Default)]
struct Rows {
    /// As they came, bounded, and by what.
    x: Vec<f32>,
    factors: Vec<f32>,
    /// After the first products, what arrived from the neighbours, and after the last products.
    own: Vec<f32>,
    messages: Vec<f32>,
    change: Vec<f32>,
}

/// Buffers of one share of the atoms.
#[derive(Debug, Default)]
struct Spare {
    nine: Vec<f32>,
    a: Vec<f32>,
    b: Vec<f32>,
}

impl Tensornet {
    /// The network with burn's weights.
    pub fn new(net: &module::Tensornet, config: &TensornetConfig) -> Self {
        let (basis, cutoff, units) = (Basis::new(config.cutoff, config.bessel), config.cutoff, config.units);
        let product = |layer: &nn::Linear| Product::new(&[Plan::of(layer)]);
        let layer = |layer: &module::Interaction| Layer {
            length: of_perceptron(&basis, cutoff, &layer.scalar),
            before: Turned::new(&layer.tensor[..3]),
            after: Turned::new(&layer.tensor[3..]),
        };
        let readout = |layers: &[nn::Linear]| {
            let (last, hidden) = layers.split_last().expect("the readout has four layers");
            assert!(hidden.len() == HIDDEN, "the readout has four layers");
            (hidden.iter().map(product).collect(), Sum::of(last))
        };
        let first = &net.first;
        Self {
            references: values(net.references.val()),
            units,
            first: First {
                pairs: pairs(&first.pair, &values(first.elements.weight.val()), units),
                length: of_products(&basis, cutoff, &first.length),
                norm: RowNorm::new(&first.norm),
                scalar: [product(&first.scalar[0]), Product::new(&[by_parts(&first.scalar[1], units)])],
                turned: Turned::new(&first.tensor),
            },
            layers: net.layers.iter().map(layer).collect(),
            norm: RowNorm::new(&net.norm),
            out: product(&net.out),
            readout: [readout(&net.value), readout(&net.gate)],
            buffers: Pool::default(),
            spare: Pool::default(),
        }
    }

    fn pairs(&self) -> Pairs<'_> {
        let [center, neighbor] = &self.first.pairs;
        Pairs { center, neighbor, units: self.units }
    }

    fn forward(&self, graph: &BondGraph, b: &mut Buffers) -> f64 {
        let (units, atoms) = (self.units, graph.numbers.len());
        let nine = NINE * units;
        b.places.clear();
        // All layers reach equally far.
        b.places.extend(graph.direction.iter().map(|&e| self.first.length.place(graph.length[e as usize])));
        directions(graph, &mut b.directions);
        b.layers.resize_with(self.layers.len(), Rows::default);
        self.begin(graph, b);
        for (t, layer) in self.layers.iter().enumerate() {
            let (now, later) = b.layers.split_at_mut(t + 1);
            let rows = &mut now[t];
            let strips = [
                Strip::of_atoms(sized(&mut rows.x, atoms * nine), nine),
                Strip::of_atoms(sized(&mut rows.factors, atoms * units), units),
                Strip::of_atoms(sized(&mut rows.own, atoms * nine), nine),
            ];
            shares(&graph.starts, strips, &|_, [x, factors, own]| {
                bounded(x, units, factors);
                layer.before.apply(x, units, own);
            });
            let (x, own) = (&rows.x[..atoms * nine], &rows.own[..atoms * nine]);
            let panels = sized(&mut b.panels, atoms * nine);
            by_panels(own, units, panels);
            let values = sized(&mut b.values, layer.length.size(b.places.len()));
            layer.length.ask(&b.places, Asked::Values, values);
            let (bonds, panels): (_, &[f32]) = (Bonds::new(graph, values, &[]), panels);
            let next = later.first_mut().map_or(&mut b.x, |rows| &mut rows.x);
            let strips = [
                Strip::of_atoms(sized(&mut rows.messages, atoms * nine), nine),
                Strip::of_atoms(sized(&mut rows.change, atoms * nine), nine),
                Strip::of_atoms(sized(next, atoms * nine), nine),
            ];
            shares(&graph.starts, strips, &|atoms, [arrived, change, next]| {
                self.spare.with(|spare| {
                    let own = &own[atoms.start * nine..atoms.end * nine];
                    let x = &x[atoms.start * nine..atoms.end * nine];
                    messages(bonds, panels, units, atoms, arrived);
                    let both = sized(&mut spare.nine, own.len());
                    joined(arrived, own, units, both);
                    layer.after.apply(both, units, change);
                    updated(x, change, units, next);
                });
            });
        }
        self.read(graph, b)
    }

    /// The first layer: into the matrices of the first interaction.
    fn begin(&self, graph: &BondGraph, b: &mut Buffers) {
        let (units, atoms, layer) = (self.units, graph.numbers.len(), &self.first);
        let nine = NINE * units;
        let values = sized(&mut b.values, layer.length.size(b.places.len()));
        layer.length.ask(&b.places, Asked::Values, values);
        let bonds = Bonds::new(graph, values, &[]);
        let [wide, factors] = &mut b.scalar;
        let x = b.layers.first_mut().map_or(&mut b.x, |rows| &mut rows.x);
        let strips = [
            Strip::of_atoms(sized(&mut b.sums, atoms * nine), nine),
            Strip::of_atoms(sized(&mut b.sizes, atoms * units), units),
            Strip::of_atoms(sized(wide, atoms * 2 * units), 2 * units),
            Strip::of_atoms(sized(factors, atoms * 3 * units), 3 * units),
            Strip::of_atoms(sized(&mut b.turned, atoms * nine), nine),
            Strip::of_atoms(sized(x, atoms * nine), nine),
        ];
        shares(&graph.starts, strips, &|atoms, [sums, squares, wide, factors, turned, x]| {
            self.spare.with(|spare| {
                first(bonds, self.pairs(), &b.directions, atoms, sums);
                sizes(sums, units, squares);
                let normal = sized(&mut spare.a, squares.len());
                norm_rows(squares, &layer.norm, normal);
                layer.scalar[0].forward.apply(normal, units, wide);
                let hidden = sized(&mut spare.b, wide.len());
                hidden.copy_from_slice(wide);
                silu_in_place(hidden);
                layer.scalar[1].forward.apply(hidden, 2 * units, factors);
                let gates = sized(&mut spare.a, factors.len());
                gates.copy_from_slice(factors);
                silu_in_place(gates);
                layer.turned.apply(sums, units, turned);
                scaled(turned, units, gates, x);
            });
        });
    }

    /// The energy, eV, from the matrices after the last layer.
    fn read(&self, graph: &BondGraph, b: &mut Buffers) -> f64 {
        let (units, atoms) = (self.units, graph.numbers.len());
        let nine = NINE * units;
        let x = &b.x[..atoms * nine];
        let [p, q, r, u, v, w] = b.hidden.each_mut().map(|hidden| Strip::of_atoms(sized(hidden, atoms * units), units));
        let parts = Strip::of_atoms(sized(&mut b.parts, atoms * 3 * units), 3 * units);
        let strips = [parts, p, q, r, u, v, w, Strip::of_atoms(sized(&mut b.sites, atoms * 2), 2)];
        shares(&graph.starts, strips, &|atoms, [parts, mut hidden @ .., sites]| {
            self.spare.with(|spare| {
                part_sizes(&x[atoms.start * nine..atoms.end * nine], units, parts);
                let normal = sized(&mut spare.a, parts.len());
                norm_rows(parts, &self.norm, normal);
                let out = sized(&mut spare.nine, atoms.len() * units);
                self.out.forward.apply(normal, 3 * units, out);
                for (branch, (layers, last)) in self.readout.iter().enumerate() {
                    let value = sized(&mut spare.b, out.len());
                    value.copy_from_slice(out);
                    for (layer, hidden) in layers.iter().zip(&mut hidden[branch * HIDDEN..]) {
                        layer.forward.apply(value, units, hidden);
                        value.copy_from_slice(hidden);
                        silu_in_place(value);
                    }
                    for (site, value) in sites.chunks_exact_mut(2).zip(value.chunks_exact(units)) {
                        site[branch] = last.of_row(value);
                    }
                }
            });
        });
        let site = |(site, &z): (&[f32], &u8)| {
            f64::from(site[0] * sigmoid(site[1])) + f64::from(self.references[usize::from(z) - 1])
        };
        b.sites[..atoms * 2].chunks_exact(2).zip(&graph.numbers).map(site).sum()
    }

    /// Forces and stress, after a way forward.
    fn back(&self, graph: &BondGraph, b: &mut Buffers) -> (Vec<[f64; 3]>, [[f64; 3]; 3]) {
        let (units, atoms, edges) = (self.units, graph.numbers.len(), graph.neighbor.len());
        let nine = NINE * units;
        self.read_back(graph, b);
        sized(&mut b.of_edges, edges * PANEL).fill(0.0);
        for (layer, rows) in self.layers.iter().zip(&mut b.layers).rev() {
            let (own, change) = (&rows.own[..atoms * nine], &rows.change[..atoms * nine]);
            let back = &b.back[..atoms * nine];
            let strips = [
                Strip::of_atoms(&mut rows.messages[..atoms * nine], nine),
                Strip::of_atoms(sized(&mut b.of_own, atoms * nine), nine),
            ];
            // What arrived gives its place to the gradients in it.
            shares(&graph.starts, strips, &|atoms, [arrived, of_own]| {
                self.spare.with(|spare| {
                    let these = || atoms.start * nine..atoms.end * nine;
                    let with = sized(&mut spare.nine, arrived.len());
                    updated_back(&change[these()], units, &back[these()], with);
                    layer.after.back(with, units, of_own);
                    joined_back(arrived, &own[these()], units, of_own);
                });
            });
            let panels = sized(&mut b.panels, atoms * nine);
            by_panels(&rows.messages[..atoms * nine], units, panels);
            let size = layer.length.size(b.places.len());
            let (values, derivatives) = (sized(&mut b.values, size), sized(&mut b.derivatives, size));
            layer.length.ask(&b.places, Asked::Values, values);
            layer.length.ask(&b.places, Asked::Derivatives, derivatives);
            let (bonds, panels): (_, &[f32]) = (Bonds::new(graph, values, derivatives), panels);
            let (x, factors) = (&rows.x[..atoms * nine], &rows.factors[..atoms * units]);
            let strips = [
                Strip::of_atoms(&mut b.of_own[..atoms * nine], nine),
                Strip::of_runs(&mut b.of_edges[..edges * PANEL], PANEL, &graph.starts),
                Strip::of_atoms(&mut b.back[..atoms * nine], nine),
            ];
            shares(&graph.starts, strips, &|atoms, [of_own, of_edges, back]| {
                let (of_nine, of_one) = (atoms.start * nine..atoms.end * nine, atoms.start * units..atoms.end * units);
                messages_back(bonds, own, panels, units, atoms, of_own, of_edges);
                layer.before.add_back(of_own, units, back);
                bounded_back(&x[of_nine], units, &factors[of_one], back);
            });
        }
        self.begin_back(graph, b);
        self.gathered(graph, b)
    }

    /// From the energy to the gradients in the matrices after the last layer.
    fn read_back(&self, graph: &BondGraph, b: &mut Buffers) {
        let (units, atoms) = (self.units, graph.numbers.len());
        let nine = NINE * units;
        let (x, parts, sites) = (&b.x[..atoms * nine], &b.parts[..atoms * 3 * units], &b.sites[..atoms * 2]);
        let hidden = &b.hidden;
        let strips = [Strip::of_atoms(sized(&mut b.back, atoms * nine), nine)];
        shares(&graph.starts, strips, &|atoms, [back]| {
            self.spare.with(|spare| {
                let of = |width: usize| atoms.start * width..atoms.end * width;
                let of_out = sized(&mut spare.nine, atoms.len() * units);
                of_out.fill(0.0);
                for (branch, (layers, last)) in self.readout.iter().enumerate() {
                    let with = sized(&mut spare.a, atoms.len() * units);
                    for (with, site) in with.chunks_exact_mut(units).zip(sites[of(2)].chunks_exact(2)) {
                        let gate = sigmoid(site[1]);
                        let derivative = if branch == 0 { gate } else { site[0] * gate * (1.0 - gate) };
                        with.iter_mut().zip(&last.weight).for_each(|(with, w)| *with = derivative * w);
                    }
                    for (k, (layer, hidden)) in layers.iter().zip(&hidden[branch * HIDDEN..]).enumerate().rev() {
                        silu_back(&hidden[of(units)], with);
                        if k == 0 {
                            layer.back.add(with, units, of_out);
                        } else {
                            let before = sized(&mut spare.b, with.len());
                            before.fill(0.0);
                            layer.back.add(with, units, before);
                            with.copy_from_slice(before);
                        }
                    }
                }
                let of_parts = sized(&mut spare.a, atoms.len() * 3 * units);
                of_parts.fill(0.0);
                self.out.back.add(of_out, units, of_parts);
                norm_rows_back(&parts[of(3 * units)], &self.norm, of_parts);
                part_sizes_back(&x[of(nine)], units, of_parts, back);
            });
        });
    }

    /// From the gradients in the matrices that the first layer made to those of the directed bonds.
    fn begin_back(&self, graph: &BondGraph, b: &mut Buffers) {
        let (units, atoms, edges, layer) = (self.units, graph.numbers.len(), graph.neighbor.len(), &self.first);
        let nine = NINE * units;
        let (sums, turned, squares) = (&b.sums[..atoms * nine], &b.turned[..atoms * nine], &b.sizes[..atoms * units]);
        let [wide, factors] = &b.scalar;
        let strips = [
            Strip::of_atoms(&mut b.back[..atoms * nine], nine),
            Strip::of_atoms(sized(&mut b.of_own, atoms * nine), nine),
        ];
        shares(&graph.starts, strips, &|atoms, [back, of_sums]| {
            self.spare.with(|spare| {
                let of = |width: usize| atoms.start * width..atoms.end * width;
                let gates = sized(&mut spare.nine, atoms.len() * 3 * units);
                gates.copy_from_slice(&factors[of(3 * units)]);
                silu_in_place(gates);
                let of_factors = sized(&mut spare.a, atoms.len() * 3 * units);
                scaled_back(&turned[of(nine)], units, gates, back, of_factors);
                silu_back(&factors[of(3 * units)], of_factors);
                let of_wide = sized(&mut spare.b, atoms.len() * 2 * units);
                of_wide.fill(0.0);
                layer.scalar[1].back.add(of_factors, 3 * units, of_wide);
                silu_back(&wide[of(2 * units)], of_wide);
                let of_squares = sized(&mut spare.a, atoms.len() * units);
                of_squares.fill(0.0);
                layer.scalar[0].back.add(of_wide, 2 * units, of_squares);
                norm_rows_back(&squares[of(units)], &layer.norm, of_squares);
                layer.turned.back(back, units, of_sums);
                sizes_back(&sums[of(nine)], units, of_squares, of_sums);
            });
        });
        let size = layer.length.size(b.places.len());
        let (values, derivatives) = (sized(&mut b.values, size), sized(&mut b.derivatives, size));
        layer.length.ask(&b.places, Asked::Values, values);
        layer.length.ask(&b.places, Asked::Derivatives, derivatives);
        let (bonds, of_sums) = (Bonds::new(graph, values, derivatives), &b.of_own[..atoms * nine]);
        let strips = [Strip::of_runs(&mut b.of_edges[..edges * PANEL], PANEL, &graph.starts)];
        shares(&graph.starts, strips, &|atoms, [rows]| {
            first_back(bonds, self.pairs(), &b.directions, atoms, of_sums, rows);
        });
    }

    /// Forces and stress from the gradients in length and direction of each directed bond.
    fn gathered(&self, graph: &BondGraph, b: &Buffers) -> (Vec<[f64; 3]>, [[f64; 3]; 3]) {
        let mut virial = Virial::new(graph);
        for (atom, run) in graph.starts.windows(2).enumerate() {
            for e in run[0]..run[1] {
                let row = &b.of_edges[e * PANEL..(e + 1) * PANEL];
                let of_length = f64::from(row[0]);
                let length = graph.length[e];
                // From the atom to its neighbour, against the bond's vector.
                let u = graph.vector[e].map(|x| -x / length);
                let of_u = direction_back(u, std::array::from_fn(|k| f64::from(row[1 + k])));
                let along: f64 = u.iter().zip(of_u).map(|(u, gradient)| u * gradient).sum();
                let gradient = |k: usize| -(of_length * u[k] + (of_u[k] - along * u[k]) / length);
                virial.add(graph, atom, e, std::array::from_fn(gradient));
            }
        }
        let stress = virial.stress(graph);
        (virial.forces, stress)
    }
}

/// What the layer of pairs makes of each element as the atom, with its bias, and as the neighbour.
fn pairs(layer: &nn::Linear, elements: &[f32], units: usize) -> [Vec<f32>; 2] {
    let whole = Plan::of(layer);
    let (bare, bias) = whole.without_bias();
    [bare.inputs(0, units).with_bias(bias), bare.inputs(units, 2 * units)].map(|share| {
        let mut out = vec![0.0; ELEMENTS * units];
        share.pack().apply(elements, units, &mut out);
        out
    })
}

/// A layer whose outputs are three numbers for each channel in turn, with those of a part together.
fn by_parts(layer: &nn::Linear, units: usize) -> Plan {
    let weight: Tensor<2> = layer.weight.val();
    let [inputs, _] = weight.dims();
    let weight = weight.reshape([inputs, units, 3]).swap_dims(1, 2).reshape([inputs, 3 * units]);
    let bias = layer.bias.as_ref().map_or_else(|| vec![0.0; 3 * units], |b| values(b.val()));
    Plan::new(weight).with_bias((0..3 * units).map(|k| bias[k % units * 3 + k / units]).collect())
}

impl Surface for Tensornet {
    fn energy(&self, graph: &BondGraph) -> f64 {
        self.buffers.with(|buffers| self.forward(graph, buffers))
    }

    fn single_point(&self, graph: &BondGraph) -> SinglePoint {
        self.buffers.with(|buffers| {
            let energy = self.forward(graph, buffers);
            let (forces, stress) = self.back(graph, buffers);
            SinglePoint { energy, forces, stress, magmoms: None }
        })
    }
}

//! The layers of CHGNet, forward and back.
//!
//! A product with several vectors side by side is split: the share of an atom or a bond is taken once for each, the shares are added along
//! directed bonds and angles, and only what is different for each of those goes through a product there. What a layer needs on the way
//! back, its numbers before each activation, stays in its rows; on the way back the gradients in them take their place. Sums over the
//! neighbours of an atom are gathered from the reverse directions of its own bonds, so that no two threads write to one place and the
//! result does not depend on their number.

use super::gated::{Rows, add_rows, add_three, add_weighted, gated, gated_back, products, silu_rows, silu_rows_back};
use crate::fused::{
    linear::Plan,
    product::Product,
    row_norm::RowNorm,
    rows::{Part, add},
    scratch::{Pool, sized},
    strips::{Strip, tiles},
};
use crate::{
    bond_graph::BondGraph,
    chgnet::{
        WIDTH,
        module::{self, angle_pairs},
    },
};

/// Core and gate side by side.
const BOTH: usize = 2 * WIDTH;

/// What goes on in a gated perceptron after its first product.
#[derive(Debug)]
struct Gated {
    /// Core and gate of the second product, where there is one.
    second: Option<[Product; 2]>,
    core: RowNorm,
    gate: RowNorm,
}

impl Gated {
    fn new(mlp: &module::GatedMlp) -> Self {
        let second = mlp.core.get(1).zip(mlp.gate.get(1));
        let product = |layer| Product::new(&[Plan::of(layer)]);
        Self {
            second: second.map(|(core, gate)| [product(core), product(gate)]),
            core: RowNorm::new(&mlp.core_norm),
            gate: RowNorm::new(&mlp.gate_norm),
        }
    }

    /// Core and gate of the first product over the inputs `from..to`, without their bias.
    fn share(mlp: &module::GatedMlp, from: usize, to: usize) -> [Plan; 2] {
        [&mlp.core[0], &mlp.gate[0]].map(|layer| Plan::of(layer).inputs(from * WIDTH, to * WIDTH))
    }

    /// The same with it.
    fn biased(mlp: &module::GatedMlp, from: usize, to: usize) -> [Plan; 2] {
        let bias = [&mlp.core[0], &mlp.gate[0]].map(|layer| Plan::of(layer).without_bias().1);
        let [core, gate] = Self::share(mlp, from, to);
        [core.with_bias(bias[0].clone()), gate.with_bias(bias[1].clone())]
    }

    /// Numbers in a row: those before each activation.
    fn width(&self) -> usize {
        if self.second.is_some() { 2 * BOTH } else { BOTH }
    }

    /// Where the numbers before the last activation lie.
    fn last(&self) -> Rows {
        Rows { at: self.width() - BOTH, stride: self.width() }
    }

    fn first(&self) -> Rows {
        Rows { at: 0, stride: self.width() }
    }

    /// Gated values of rows that begin with the first product.
    fn forward(&self, rows: &mut [f32], hidden: &mut Vec<f32>, out: &mut [f32]) {
        let (width, count) = (self.width(), out.len() / WIDTH);
        if let Some([core, gate]) = &self.second
            && count > 0
        {
            let hidden = sized(hidden, count * BOTH);
            silu_rows(rows, self.first(), hidden);
            core.forward.apply_into(hidden, BOTH, &mut rows[BOTH..], width, count);
            gate.forward.apply_into(&hidden[WIDTH..], BOTH, &mut rows[BOTH + WIDTH..], width, count);
        }
        gated(rows, self.last(), &self.core, &self.gate, out);
    }

    /// From gradients in the gated values to those in the first product, at the beginning of the rows; the gated values
    /// take the place of the gradients.
    fn back(&self, rows: &mut [f32], hidden: &mut Vec<f32>, gradients: &mut [f32]) {
        let (width, count) = (self.width(), gradients.len() / WIDTH);
        gated_back(rows, self.last(), &self.core, &self.gate, gradients);
        if let Some([core, gate]) = &self.second
            && count > 0
        {
            let hidden = sized(hidden, count * BOTH);
            core.back.apply_into(&rows[BOTH..], width, hidden, BOTH, count);
            gate.back.apply_into(&rows[BOTH + WIDTH..], width, &mut hidden[WIDTH..], BOTH, count);
            silu_rows_back(rows, self.first(), hidden);
        }
    }
}

/// Buffers of one tile.
#[derive(Debug, Default)]
pub struct Spare {
    hidden: Vec<f32>,
    values: Vec<f32>,
    to: Vec<u32>,
    from: Vec<u32>,
    other: Vec<u32>,
}

/// `index - first`, written over `out`.
fn relative<'a>(index: &[u32], first: usize, out: &'a mut Vec<u32>) -> &'a [u32] {
    out.clear();
    out.extend(index.iter().map(|i| i - first as u32));
    out
}

/// 0, 1, 2, ...
fn count(n: usize, out: &mut Vec<u32>) -> &[u32] {
    out.clear();
    out.extend(0..n as u32);
    out
}

/// Which rows the directed bonds and the angles of a crystal read.
#[derive(Debug, Default)]
pub struct Index {
    /// Atom of each directed bond.
    pub center: Vec<u32>,
    /// Short directed bonds of each angle.
    pub first: Vec<u32>,
    pub second: Vec<u32>,
    /// The bonds they are directions of.
    pub first_bond: Vec<u32>,
    pub second_bond: Vec<u32>,
    /// Atom of each angle.
    pub vertex: Vec<u32>,
}

impl Index {
    /// Of a crystal.
    pub fn fill(&mut self, graph: &BondGraph) {
        let atoms = |starts: &[usize], out: &mut Vec<u32>| {
            out.clear();
            for (atom, run) in starts.windows(2).enumerate() {
                out.extend(std::iter::repeat_n(atom as u32, run[1] - run[0]));
            }
        };
        atoms(&graph.starts, &mut self.center);
        atoms(&graph.angle_starts, &mut self.vertex);
        let bond = |s: usize| graph.bond[graph.short[s] as usize];
        let of = [&mut self.first, &mut self.second, &mut self.first_bond, &mut self.second_bond];
        of.into_iter().for_each(Vec::clear);
        for [a, b] in angle_pairs(graph) {
            self.first.push(a as u32);
            self.second.push(b as u32);
            self.first_bond.push(bond(a));
            self.second_bond.push(bond(b));
        }
    }
}

/// One crystal on its way through the layers.
pub struct Crystal<'a> {
    pub graph: &'a BondGraph,
    pub index: &'a Index,
    /// Weights of the bonds in sums over an atom's bonds, and in sums over a bond's angles.
    pub weights_ag: &'a [f32],
    pub weights_bg: &'a [f32],
    pub pool: &'a Pool<Spare>,
}

/// Gradients of the energy that grow on the way back.
#[derive(Debug, Default)]
pub struct Gradients {
    pub atoms: Vec<f32>,
    pub bonds: Vec<f32>,
    pub angles: Vec<f32>,
    pub weights_ag: Vec<f32>,
    pub weights_bg: Vec<f32>,
}

/// Buffers of a layer that nothing reads after it.
#[derive(Debug, Default)]
pub struct Passing {
    of_atoms: Vec<f32>,
    of_bonds: Vec<f32>,
    sums: Vec<f32>,
    messages: Vec<f32>,
    at_bonds: Vec<f32>,
}

/// `buffer` with n zeros.
fn zeros(buffer: &mut Vec<f32>, n: usize) -> &mut [f32] {
    let buffer = sized(buffer, n);
    buffer.fill(0.0);
    buffer
}

/// Messages along bonds, summed at atoms.
#[derive(Debug)]
pub struct AtomConv {
    /// Shares of the atom and of its neighbour.
    atoms: Product,
    bonds: Product,
    gated: Gated,
    out: Product,
}

impl AtomConv {
    /// With burn's weights.
    pub fn new(layer: &module::Convolution) -> Self {
        let [[core, gate], [of_core, of_gate]] =
            [Gated::biased(&layer.message, 0, 1), Gated::share(&layer.message, 2, 3)];
        Self {
            atoms: Product::new(&[core, gate, of_core, of_gate]),
            bonds: Product::new(&Gated::share(&layer.message, 1, 2)),
            gated: Gated::new(&layer.message),
            out: Product::new(&[Plan::of(&layer.out)]),
        }
    }

    /// Atoms in place; the rows of the directed bonds are kept in `rows` for the way back.
    pub fn forward(
        &self,
        crystal: &Crystal<'_>,
        atoms: &mut [f32],
        bonds: &[f32],
        rows: &mut Vec<f32>,
        passing: &mut Passing,
    ) {
        let (graph, index) = (crystal.graph, crystal.index);
        let of_atoms = sized(&mut passing.of_atoms, graph.numbers.len() * 2 * BOTH);
        self.atoms.apply(atoms, of_atoms);
        let of_bonds = sized(&mut passing.of_bonds, graph.direction.len() * BOTH);
        self.bonds.apply(bonds, of_bonds);
        let (of_atoms, of_bonds): (&[f32], &[f32]) = (of_atoms, of_bonds);
        let parts = [
            Part::new(of_atoms, 2 * BOTH, 0, BOTH),
            Part::new(of_atoms, 2 * BOTH, 1, BOTH),
            Part::new(of_bonds, BOTH, 0, BOTH),
        ];
        let width = self.gated.width();
        let sums = sized(&mut passing.sums, atoms.len());
        let strips = [
            Strip::of_runs(sized(rows, graph.neighbor.len() * width), width, &graph.starts),
            Strip::of_atoms(sums, WIDTH),
        ];
        tiles(&graph.starts, strips, &|atoms, [rows, sums]| {
            crystal.pool.with(|spare| {
                let edges = graph.starts[atoms.start]..graph.starts[atoms.end];
                rows.fill(0.0);
                let along = [&index.center[edges.clone()], &graph.neighbor[edges.clone()], &graph.bond[edges.clone()]];
                add_three(rows, self.gated.first(), parts, along);
                let values = sized(&mut spare.values, edges.len() * WIDTH);
                self.gated.forward(rows, &mut spare.hidden, values);
                sums.fill(0.0);
                let to = relative(along[0], atoms.start, &mut spare.to);
                add_weighted(sums, to, values, crystal.weights_ag, along[2]);
            });
        });
        self.out.add(sums, atoms);
    }

    /// Gradients in the atoms before from those in the atoms after, in place, and what the bonds and their weights add.
    pub fn back(&self, crystal: &Crystal<'_>, gradients: &mut Gradients, rows: &mut [f32], passing: &mut Passing) {
        let (graph, index) = (crystal.graph, crystal.index);
        let atoms = graph.numbers.len();
        let of_sums = zeros(&mut passing.sums, atoms * WIDTH);
        self.out.add_back(&gradients.atoms[..atoms * WIDTH], of_sums);
        let of_sums: &[f32] = of_sums;
        let width = self.gated.width();
        let rows = &mut rows[..graph.neighbor.len() * width];
        tiles(&graph.starts, [Strip::of_runs(rows, width, &graph.starts)], &|atoms, [rows]| {
            crystal.pool.with(|spare| {
                let edges = graph.starts[atoms.start]..graph.starts[atoms.end];
                let (center, bond) = (&index.center[edges.clone()], &graph.bond[edges.clone()]);
                let values = sized(&mut spare.values, edges.len() * WIDTH);
                let plain = Rows { at: 0, stride: WIDTH };
                products(values, plain, of_sums, center, crystal.weights_ag, bond);
                self.gated.back(rows, &mut spare.hidden, values);
                // The gradient in the bond's weight takes the place of what is not needed any more.
                let own = count(edges.len(), &mut spare.from);
                products(rows, self.gated.last(), of_sums, center, values, own);
            });
        });
        let rows: &[f32] = rows;
        let of_atoms = zeros(&mut passing.of_atoms, atoms * 2 * BOTH);
        tiles(&graph.starts, [Strip::of_atoms(of_atoms, 2 * BOTH)], &|atoms, [out]| {
            crystal.pool.with(|spare| {
                let edges = graph.starts[atoms.start]..graph.starts[atoms.end];
                let to = relative(&index.center[edges.clone()], atoms.start, &mut spare.to);
                let own = relative(&graph.reverse[edges.clone()], 0, &mut spare.other);
                add_rows(BOTH, out, Rows { at: BOTH, stride: 2 * BOTH }, to, rows, self.gated.first(), own);
                spare.from.clear();
                spare.from.extend(edges.start as u32..edges.end as u32);
                add_rows(BOTH, out, Rows { at: 0, stride: 2 * BOTH }, to, rows, self.gated.first(), &spare.from);
            });
        });
        self.atoms.add_back(of_atoms, &mut gradients.atoms[..atoms * WIDTH]);
        let of_bonds = zeros(&mut passing.of_bonds, graph.direction.len() * BOTH);
        crystal.pool.with(|spare| {
            let to = count(graph.direction.len(), &mut spare.to);
            let back = &mut spare.from;
            back.clear();
            back.extend(graph.direction.iter().map(|&e| graph.reverse[e as usize]));
            for from in [&graph.direction, back] {
                add_rows(BOTH, of_bonds, Rows { at: 0, stride: BOTH }, to, rows, self.gated.first(), from);
                let weights = Rows { at: 0, stride: WIDTH };
                add_rows(WIDTH, &mut gradients.weights_ag, weights, to, rows, self.gated.last(), from);
            }
        });
        self.bonds.add_back(of_bonds, &mut gradients.bonds[..graph.direction.len() * WIDTH]);
    }
}

/// The gated perceptron of an angle: of its two bonds, itself and its atom.
#[derive(Debug)]
struct OfAngles {
    /// Shares of the first bond and of the second.
    bonds: Product,
    angles: Product,
    atoms: Product,
    gated: Gated,
}

impl OfAngles {
    fn new(mlp: &module::GatedMlp) -> Self {
        let [[core, gate], [of_core, of_gate]] = [Gated::share(mlp, 0, 1), Gated::share(mlp, 1, 2)];
        Self {
            bonds: Product::new(&[core, gate, of_core, of_gate]),
            angles: Product::new(&Gated::biased(mlp, 2, 3)),
            atoms: Product::new(&Gated::share(mlp, 3, 4)),
            gated: Gated::new(mlp),
        }
    }

    /// `then(short bonds of the tile, angles of the tile, gated values, rows of the last strip)` for every tile.
    fn forward(
        &self,
        crystal: &Crystal<'_>,
        (atoms, bonds, angles): (&[f32], &[f32], Strip<'_>),
        rows: &mut Vec<f32>,
        passing: (&mut Vec<f32>, &mut Vec<f32>),
        messages: Strip<'_>,
        then: &(impl Fn(Tile<'_>, &mut [f32], &mut [f32]) + Sync),
    ) {
        let (graph, index) = (crystal.graph, crystal.index);
        let of_atoms = sized(passing.0, graph.numbers.len() * BOTH);
        self.atoms.apply(atoms, of_atoms);
        let of_bonds = sized(passing.1, graph.short_directions.len() * 2 * BOTH);
        self.bonds.apply(bonds, of_bonds);
        let parts = [
            Part::new(of_bonds, 2 * BOTH, 0, BOTH),
            Part::new(of_bonds, 2 * BOTH, 1, BOTH),
            Part::new(of_atoms, BOTH, 0, BOTH),
        ];
        let width = self.gated.width();
        let rows = Strip::of_runs(sized(rows, graph.angles() * width), width, &graph.angle_starts);
        tiles(&graph.angle_starts, [rows, angles, messages], &|atoms, [rows, of_angles, messages]| {
            crystal.pool.with(|spare| {
                let angles = graph.angle_starts[atoms.start]..graph.angle_starts[atoms.end];
                self.angles.forward.apply_into(of_angles, WIDTH, rows, width, angles.len());
                let along = [&index.first_bond, &index.second_bond, &index.vertex].map(|i| &i[angles.clone()]);
                add_three(rows, self.gated.first(), parts, along);
                let mut values = std::mem::take(&mut spare.values);
                let gated = sized(&mut values, angles.len() * WIDTH);
                self.gated.forward(rows, &mut spare.hidden, gated);
                then(Tile { first: graph.short_starts[atoms.start], angles, gated, spare }, of_angles, messages);
                spare.values = values;
            });
        });
    }

    /// From gradients in the gated values, which `gradients_of` writes for a tile, to those in atoms, short bonds and angles.
    /// `then` may use the rows of a tile, which begin with the gradients, and its gated values.
    fn back(
        &self,
        crystal: &Crystal<'_>,
        gradients: &mut Gradients,
        rows: &mut [f32],
        passing: &mut Passing,
        gradients_of: &(impl Fn(std::ops::Range<usize>, &[f32], &mut [f32]) + Sync),
        weigh: Option<&[f32]>,
    ) {
        let (graph, index) = (crystal.graph, crystal.index);
        let width = self.gated.width();
        // Gradients in the shares of the first and second bond, and in the weight of the second.
        let stride = 2 * BOTH + WIDTH;
        let at_bonds = zeros(&mut passing.at_bonds, graph.short.len() * stride);
        let strips = [
            Strip::of_runs(&mut rows[..graph.angles() * width], width, &graph.angle_starts),
            Strip::of_runs(&mut gradients.angles[..graph.angles() * WIDTH], WIDTH, &graph.angle_starts),
            Strip::of_runs(at_bonds, stride, &graph.short_starts),
        ];
        tiles(&graph.angle_starts, strips, &|atoms, [rows, of_angles, at_bonds]| {
            crystal.pool.with(|spare| {
                let angles = graph.angle_starts[atoms.start]..graph.angle_starts[atoms.end];
                let values = sized(&mut spare.values, angles.len() * WIDTH);
                gradients_of(angles.clone(), of_angles, values);
                self.gated.back(rows, &mut spare.hidden, values);
                self.angles.back.add(rows, width, of_angles);
                let short = graph.short_starts[atoms.start];
                let own = count(angles.len(), &mut spare.from);
                let first = relative(&index.first[angles.clone()], short, &mut spare.to);
                add_rows(BOTH, at_bonds, Rows { at: 0, stride }, first, rows, self.gated.first(), own);
                let second = relative(&index.second[angles.clone()], short, &mut spare.other);
                add_rows(BOTH, at_bonds, Rows { at: BOTH, stride }, second, rows, self.gated.first(), own);
                if let Some(of_sums) = weigh {
                    let first = &index.first_bond[angles.clone()];
                    products(rows, self.gated.last(), of_sums, first, values, own);
                    let weights = Rows { at: 2 * BOTH, stride };
                    add_rows(WIDTH, at_bonds, weights, second, rows, self.gated.last(), own);
                }
            });
        });
        let at_bonds: &[f32] = at_bonds;
        let of_bonds = zeros(&mut passing.of_bonds, graph.short_directions.len() * 2 * BOTH);
        let of_atoms = zeros(&mut passing.of_atoms, graph.numbers.len() * BOTH);
        crystal.pool.with(|spare| {
            let own = count(graph.short_directions.len(), &mut spare.to);
            let whole = Rows { at: 0, stride };
            for side in [0, 1] {
                spare.from.clear();
                spare.from.extend(graph.short_directions.iter().map(|directions| directions[side]));
                let bonds = Rows { at: 0, stride: 2 * BOTH };
                add_rows(2 * BOTH, of_bonds, bonds, own, at_bonds, whole, &spare.from);
                if weigh.is_some() {
                    let (weights, of_weights) = (Rows { at: 2 * BOTH, stride }, Rows { at: 0, stride: WIDTH });
                    add_rows(WIDTH, &mut gradients.weights_bg, of_weights, own, at_bonds, weights, &spare.from);
                }
            }
            spare.other.clear();
            spare.other.extend(graph.short.iter().map(|&e| index.center[e as usize]));
            let own = count(graph.short.len(), &mut spare.to);
            add_rows(BOTH, of_atoms, Rows { at: 0, stride: BOTH }, &spare.other, at_bonds, whole, own);
        });
        self.bonds.add_back(of_bonds, &mut gradients.bonds[..graph.short_directions.len() * WIDTH]);
        self.atoms.add_back(of_atoms, &mut gradients.atoms[..graph.numbers.len() * WIDTH]);
    }
}

/// The angles of a few atoms.
struct Tile<'a> {
    /// The first of their short directed bonds.
    first: usize,
    angles: std::ops::Range<usize>,
    gated: &'a [f32],
    spare: &'a mut Spare,
}

/// Messages along angles, summed at bonds.
#[derive(Debug)]
pub struct BondConv {
    message: OfAngles,
    out: Product,
}

impl BondConv {
    /// With burn's weights.
    pub fn new(layer: &module::Convolution) -> Self {
        Self { message: OfAngles::new(&layer.message), out: Product::new(&[Plan::of(&layer.out)]) }
    }

    /// Short bonds in place. `rows` and `sums` are for the way back.
    pub fn forward(
        &self,
        crystal: &Crystal<'_>,
        (atoms, bonds, angles): (&[f32], &mut [f32], &mut [f32]),
        (rows, sums): (&mut Vec<f32>, &mut Vec<f32>),
        passing: &mut Passing,
    ) {
        let (graph, index) = (crystal.graph, crystal.index);
        let short = graph.short_directions.len() * WIDTH;
        let messages = sized(&mut passing.messages, graph.short.len() * WIDTH);
        self.message.forward(
            crystal,
            (atoms, &bonds[..short], Strip::of_runs(angles, WIDTH, &graph.angle_starts)),
            rows,
            (&mut passing.of_atoms, &mut passing.of_bonds),
            Strip::of_runs(messages, WIDTH, &graph.short_starts),
            &|tile, _, messages| {
                messages.fill(0.0);
                let to = relative(&index.first[tile.angles.clone()], tile.first, &mut tile.spare.to);
                add_weighted(messages, to, tile.gated, crystal.weights_bg, &index.second_bond[tile.angles]);
            },
        );
        let sums = zeros(sums, short);
        let weighted = sized(&mut passing.sums, short);
        crystal.pool.with(|spare| {
            let own = count(graph.short_directions.len(), &mut spare.to);
            let plain = Rows { at: 0, stride: WIDTH };
            for side in [0, 1] {
                spare.from.clear();
                spare.from.extend(graph.short_directions.iter().map(|directions| directions[side]));
                add_rows(WIDTH, sums, plain, own, messages, plain, &spare.from);
            }
            products(weighted, plain, sums, own, crystal.weights_bg, own);
        });
        self.out.add(weighted, &mut bonds[..short]);
    }

    /// Gradients in the bonds before from those in the bonds after, in place, and what atoms, angles and weights add.
    pub fn back(
        &self,
        crystal: &Crystal<'_>,
        gradients: &mut Gradients,
        (rows, sums): (&mut [f32], &[f32]),
        passing: &mut Passing,
    ) {
        let (graph, index) = (crystal.graph, crystal.index);
        let short = graph.short_directions.len() * WIDTH;
        let of_sums = zeros(&mut passing.sums, short);
        self.out.add_back(&gradients.bonds[..short], of_sums);
        let plain = Rows { at: 0, stride: WIDTH };
        let mut weighted = std::mem::take(&mut passing.messages);
        crystal.pool.with(|spare| {
            let own = count(graph.short_directions.len(), &mut spare.to);
            // One of the two weights of a message is that of the bond where it arrives.
            let with_weights = sized(&mut spare.values, short);
            products(with_weights, plain, of_sums, own, sums, own);
            add_rows(WIDTH, &mut gradients.weights_bg, plain, own, with_weights, plain, own);
            products(sized(&mut weighted, short), plain, of_sums, own, crystal.weights_bg, own);
        });
        let of_sums: &[f32] = &weighted[..short];
        let gradients_of = |angles: std::ops::Range<usize>, _: &[f32], out: &mut [f32]| {
            let (first, second) = (&index.first_bond[angles.clone()], &index.second_bond[angles]);
            products(out, plain, of_sums, first, crystal.weights_bg, second);
        };
        self.message.back(crystal, gradients, rows, passing, &gradients_of, Some(of_sums));
        passing.messages = weighted;
    }
}

/// Message passing from bonds to angles.
#[derive(Debug)]
pub struct AngleUpdate(OfAngles);

impl AngleUpdate {
    /// With burn's weights.
    pub fn new(layer: &module::GatedMlp) -> Self {
        Self(OfAngles::new(layer))
    }

    /// Angles in place; `rows` are for the way back.
    pub fn forward(
        &self,
        crystal: &Crystal<'_>,
        (atoms, bonds, angles): (&[f32], &[f32], &mut [f32]),
        rows: &mut Vec<f32>,
        passing: &mut Passing,
    ) {
        let graph = crystal.graph;
        self.0.forward(
            crystal,
            (atoms, &bonds[..graph.short_directions.len() * WIDTH], Strip::of_runs(angles, WIDTH, &graph.angle_starts)),
            rows,
            (&mut passing.of_atoms, &mut passing.of_bonds),
            Strip::of_atoms(&mut [], 0),
            &|tile, of_angles, _| add(of_angles, tile.gated),
        );
    }

    /// What bonds and atoms add to their gradients, and the gradients in the angles before, in place.
    pub fn back(&self, crystal: &Crystal<'_>, gradients: &mut Gradients, rows: &mut [f32], passing: &mut Passing) {
        self.0.back(crystal, gradients, rows, passing, &|_, after, out| out.copy_from_slice(after), None);
    }
}

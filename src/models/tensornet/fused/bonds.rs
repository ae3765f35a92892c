//! What goes along bonds: the messages of the first layer and of the others, and their gradients.
//!
//! A message is a number of the bond for each channel and part times a matrix, and the weights are the same both ways. So gradients go back
//! along the bonds as messages do, and what arrives at an atom is gathered from its own bonds alone: no two threads write to
//! one place, and the result does not depend on their number. A panel of channels is taken through the whole crystal before the next:
//! what is read of it again and again lies in the first-level cache.

use std::ops::Range;

use super::matrices::{NINE, PART_OF};
use super::radial::THREE;
use crate::bond_graph::BondGraph;
use crate::fused::linear::PANEL;
use crate::simd::kernels;

/// Numbers of a direction: three, and five products of two of them.
pub const EIGHT: usize = 8;

/// Weights of bonds, and their derivatives, as [`crate::fused::radial::Radial::ask`] writes them, beside the graph.
#[derive(Clone, Copy)]
pub struct Bonds<'a> {
    graph: &'a BondGraph,
    values: &'a [f32],
    derivatives: &'a [f32],
}

impl<'a> Bonds<'a> {
    /// Without derivatives, no way back may be taken.
    pub fn new(graph: &'a BondGraph, values: &'a [f32], derivatives: &'a [f32]) -> Self {
        let (atoms, edges, bonds) = (graph.numbers.len(), graph.neighbor.len(), graph.direction.len());
        assert!(graph.starts.len() == atoms + 1 && graph.starts[atoms] == edges && graph.starts.is_sorted());
        assert!(graph.bond.len() == edges && graph.bond.iter().all(|&b| (b as usize) < bonds));
        assert!(graph.neighbor.iter().all(|&j| (j as usize) < atoms));
        Self { graph, values, derivatives }
    }

    fn atoms(&self) -> usize {
        self.graph.numbers.len()
    }

    /// Directed bonds of an atom.
    #[inline(always)]
    fn of(&self, atom: usize) -> Range<usize> {
        self.graph.starts[atom]..self.graph.starts[atom + 1]
    }

    /// Whether there are weights for so many channels, and rows of `out` for these atoms.
    fn fit(&self, units: usize, atoms: &Range<usize>, out: &[f32]) -> bool {
        let enough = self.values.len() >= units / PANEL * self.graph.direction.len() * THREE;
        let rows = atoms.start <= atoms.end && atoms.end <= self.atoms() && out.len() == atoms.len() * NINE * units;
        enough && rows && units.is_multiple_of(PANEL)
    }

    /// Whether there are derivatives too, and a panel in `rows` for each directed bond of these atoms.
    fn fit_back(&self, units: usize, atoms: &Range<usize>, rows: &[f32]) -> bool {
        let edges = self.graph.starts[atoms.end] - self.graph.starts[atoms.start];
        self.derivatives.len() >= units / PANEL * self.graph.direction.len() * THREE && rows.len() == edges * PANEL
    }

    /// Where the weights of a directed bond begin.
    #[inline(always)]
    fn place(&self, panel: usize, edge: usize) -> usize {
        (panel * self.graph.direction.len() + self.graph.bond[edge] as usize) * THREE
    }
}

/// What the elements of a bond give, the sum of a row for each, by atomic number from hydrogen on.
#[derive(Clone, Copy)]
pub struct Pairs<'a> {
    /// Of the atom.
    pub center: &'a [f32],
    /// Of its neighbour.
    pub neighbor: &'a [f32],
    /// Length of a row.
    pub units: usize,
}

impl Pairs<'_> {
    fn fit(&self, graph: &BondGraph) -> bool {
        let rows = graph.numbers.iter().max().map_or(0, |&z| usize::from(z));
        let least = rows * self.units;
        graph.numbers.iter().all(|&z| z > 0) && self.center.len() >= least && self.neighbor.len() >= least
    }

    /// Where the row of an atom begins.
    #[inline(always)]
    fn row(&self, graph: &BondGraph, atom: usize) -> usize {
        (usize::from(graph.numbers[atom]) - 1) * self.units
    }
}

/// The directions of all directed bonds, from their atom to the neighbour, `[edge][8]`: the components of u and of u uᵀ without its
/// trace.
pub fn directions(graph: &BondGraph, out: &mut Vec<f32>) {
    out.clear();
    for (vector, length) in graph.vector.iter().zip(&graph.length) {
        let [x, y, z] = vector.map(|v| -v / length);
        let (two, half) = (2.0_f64.sqrt(), 0.5_f64.sqrt());
        let squares =
            [two * x * y, two * x * z, two * y * z, half * (x * x - y * y), 1.5_f64.sqrt() * (z * z - 1.0 / 3.0)];
        out.extend([x, y, z].iter().chain(&squares).map(|v| *v as f32));
    }
}

/// The gradient in u from those in the eight components of a direction.
pub fn direction_back([x, y, z]: [f64; 3], gradients: [f64; EIGHT]) -> [f64; 3] {
    let [a, b, c, xy, xz, yz, apart, along] = gradients;
    let two = 2.0_f64.sqrt();
    [
        a + two * (xy * y + xz * z + apart * x),
        b + two * (xy * x + yz * z - apart * y),
        c + two * (xz * x + yz * y) + 6.0_f64.sqrt() * along * z,
    ]
}

kernels! {
    /// The messages of the first layer, summed at `atoms`: products of what their elements give, of their lengths and directions.
    pub fn first<S>(bonds: Bonds<'_>, pairs: Pairs<'_>, directions: &[f32], atoms: Range<usize>, out: &mut [f32]) {
        let (graph, units) = (bonds.graph, pairs.units);
        assert!(bonds.fit(units, &atoms, out) && pairs.fit(graph) && directions.len() == graph.neighbor.len() * EIGHT);
        let mut channel = 0;
        while channel < units {
            let (panel, lane) = (channel / PANEL, channel % PANEL);
            for atom in atoms.clone() {
                let of_center = S::load(pairs.center.as_ptr().add(pairs.row(graph, atom) + channel));
                let mut sums = [S::splat(0.0); NINE];
                for edge in bonds.of(atom) {
                    let row = pairs.row(graph, graph.neighbor[edge] as usize);
                    let pair = S::add(of_center, S::load(pairs.neighbor.as_ptr().add(row + channel)));
                    let weights = bonds.values.as_ptr().add(bonds.place(panel, edge) + lane);
                    let direction = directions.as_ptr().add(edge * EIGHT);
                    let mut parts = [S::splat(0.0); 3];
                    for (part, value) in parts.iter_mut().enumerate() {
                        *value = S::mul(pair, S::load(weights.add(part * PANEL)));
                    }
                    sums[0] = S::add(sums[0], parts[0]);
                    for k in 1..NINE {
                        sums[k] = S::fma(parts[PART_OF[k]], S::splat(*direction.add(k - 1)), sums[k]);
                    }
                }
                let to = out.as_mut_ptr().add((atom - atoms.start) * NINE * units + channel);
                for (k, sum) in sums.into_iter().enumerate() {
                    S::store(to.add(k * units), sum);
                }
            }
            channel += S::LANES;
        }
    }

    /// Gradients in the length and the eight components of each directed bond of `atoms`, in `rows` of sixteen, from those in what
    /// arrives at all atoms. A gradient in the length may lie in several numbers of the row, whose sum it is.
    pub fn first_back<S>(
        bonds: Bonds<'_>, pairs: Pairs<'_>, directions: &[f32], atoms: Range<usize>, gradients: &[f32], rows: &mut [f32],
    ) {
        let (graph, units) = (bonds.graph, pairs.units);
        assert!(bonds.fit(units, &(0..bonds.atoms()), gradients) && bonds.fit_back(units, &atoms, rows));
        assert!(pairs.fit(graph) && directions.len() == graph.neighbor.len() * EIGHT);
        let first = graph.starts[atoms.start];
        for atom in atoms {
            let of_atom = gradients.as_ptr().add(atom * NINE * units);
            let of_center = pairs.center.as_ptr().add(pairs.row(graph, atom));
            for edge in bonds.of(atom) {
                let of_neighbor = pairs.neighbor.as_ptr().add(pairs.row(graph, graph.neighbor[edge] as usize));
                let direction = directions.as_ptr().add(edge * EIGHT);
                let mut length = S::splat(0.0);
                let mut sums = [S::splat(0.0); EIGHT];
                let mut channel = 0;
                while channel < units {
                    let place = bonds.place(channel / PANEL, edge) + channel % PANEL;
                    let (weights, steps) = (bonds.values.as_ptr().add(place), bonds.derivatives.as_ptr().add(place));
                    let pair = S::add(S::load(of_center.add(channel)), S::load(of_neighbor.add(channel)));
                    let mut parts = [S::splat(0.0); 3];
                    for (part, value) in parts.iter_mut().enumerate() {
                        *value = S::mul(pair, S::load(weights.add(part * PANEL)));
                    }
                    // What each part's weight is multiplied by.
                    let mut with = [S::load(of_atom.add(channel)), S::splat(0.0), S::splat(0.0)];
                    for k in 1..NINE {
                        let gradient = S::load(of_atom.add(k * units + channel));
                        sums[k - 1] = S::fma(parts[PART_OF[k]], gradient, sums[k - 1]);
                        with[PART_OF[k]] = S::fma(gradient, S::splat(*direction.add(k - 1)), with[PART_OF[k]]);
                    }
                    let mut sum = S::splat(0.0);
                    for (part, with) in with.into_iter().enumerate() {
                        sum = S::fma(with, S::load(steps.add(part * PANEL)), sum);
                    }
                    length = S::fma(pair, sum, length);
                    channel += S::LANES;
                }
                let row = rows.as_mut_ptr().add((edge - first) * PANEL);
                let mut before = S::splat(0.0);
                let mut lane = 0;
                while lane < PANEL {
                    before = S::add(before, S::load(row.add(lane)));
                    lane += S::LANES;
                }
                *row = S::sum(S::add(length, before));
                for (k, sum) in sums.into_iter().enumerate() {
                    *row.add(1 + k) = S::sum(sum);
                }
            }
        }
    }

    /// The messages of an interaction, summed at `atoms`: the matrices of their neighbours, by panels, times the bonds' weights.
    pub fn messages<S>(bonds: Bonds<'_>, x: &[f32], units: usize, atoms: Range<usize>, out: &mut [f32]) {
        assert!(bonds.fit(units, &atoms, out) && x.len() == bonds.atoms() * NINE * units);
        let mut channel = 0;
        while channel < units {
            let (panel, lane) = (channel / PANEL, channel % PANEL);
            let of_panel = x.as_ptr().add(panel * bonds.atoms() * NINE * PANEL + lane);
            for atom in atoms.clone() {
                let mut sums = [S::splat(0.0); NINE];
                for edge in bonds.of(atom) {
                    let weights = bonds.values.as_ptr().add(bonds.place(panel, edge) + lane);
                    let other = of_panel.add(bonds.graph.neighbor[edge] as usize * NINE * PANEL);
                    let mut parts = [S::splat(0.0); 3];
                    for (part, value) in parts.iter_mut().enumerate() {
                        *value = S::load(weights.add(part * PANEL));
                    }
                    for k in 0..NINE {
                        sums[k] = S::fma(parts[PART_OF[k]], S::load(other.add(k * PANEL)), sums[k]);
                    }
                }
                let to = out.as_mut_ptr().add((atom - atoms.start) * NINE * units + channel);
                for (k, sum) in sums.into_iter().enumerate() {
                    S::store(to.add(k * units), sum);
                }
            }
            channel += S::LANES;
        }
    }

    /// From gradients in what arrived at all atoms, by panels: those in the matrices of `atoms`, added to `out`, and those in the
    /// lengths of their directed bonds, added to `rows` of sixteen, whose sum each is. `x`: the matrices of all atoms.
    pub fn messages_back<S>(
        bonds: Bonds<'_>, x: &[f32], gradients: &[f32], units: usize, atoms: Range<usize>, out: &mut [f32], rows: &mut [f32],
    ) {
        assert!(bonds.fit(units, &atoms, out) && bonds.fit_back(units, &atoms, rows));
        assert!([x.len(), gradients.len()] == [bonds.atoms() * NINE * units; 2]);
        let first = bonds.graph.starts[atoms.start];
        let mut channel = 0;
        while channel < units {
            let (panel, lane) = (channel / PANEL, channel % PANEL);
            let of_panel = gradients.as_ptr().add(panel * bonds.atoms() * NINE * PANEL + lane);
            for atom in atoms.clone() {
                let to = out.as_mut_ptr().add((atom - atoms.start) * NINE * units + channel);
                let (mut own, mut sums) = ([S::splat(0.0); NINE], [S::splat(0.0); NINE]);
                for k in 0..NINE {
                    own[k] = S::load(x.as_ptr().add((atom * NINE + k) * units + channel));
                    sums[k] = S::load(to.add(k * units));
                }
                for edge in bonds.of(atom) {
                    let place = bonds.place(panel, edge) + lane;
                    let (weights, steps) = (bonds.values.as_ptr().add(place), bonds.derivatives.as_ptr().add(place));
                    let other = of_panel.add(bonds.graph.neighbor[edge] as usize * NINE * PANEL);
                    let (mut parts, mut with) = ([S::splat(0.0); 3], [S::splat(0.0); 3]);
                    for (part, value) in parts.iter_mut().enumerate() {
                        *value = S::load(weights.add(part * PANEL));
                    }
                    for k in 0..NINE {
                        let gradient = S::load(other.add(k * PANEL));
                        sums[k] = S::fma(parts[PART_OF[k]], gradient, sums[k]);
                        with[PART_OF[k]] = S::fma(own[k], gradient, with[PART_OF[k]]);
                    }
                    let row = rows.as_mut_ptr().add((edge - first) * PANEL + lane);
                    let mut length = S::load(row);
                    for (part, with) in with.into_iter().enumerate() {
                        length = S::fma(with, S::load(steps.add(part * PANEL)), length);
                    }
                    S::store(row, length);
                }
                for (k, sum) in sums.into_iter().enumerate() {
                    S::store(to.add(k * units), sum);
                }
            }
            channel += S::LANES;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn directions_have_the_gradients_of_differences() {
        let of = |[x, y, z]: [f64; 3]| {
            let (two, half) = (2.0_f64.sqrt(), 0.5_f64.sqrt());
            [
                x,
                y,
                z,
                two * x * y,
                two * x * z,
                two * y * z,
                half * (x * x - y * y),
                1.5_f64.sqrt() * (z * z - 1.0 / 3.0),
            ]
        };
        let (u, weights) = ([0.48, -0.6, 0.64], [0.3, -1.1, 0.7, 0.9, -0.2, 1.3, -0.8, 0.5]);
        let got = direction_back(u, weights);
        for k in 0..3 {
            let moved = |by: f64| {
                let mut v = u;
                v[k] += by;
                of(v).iter().zip(weights).map(|(a, w)| a * w).sum::<f64>()
            };
            assert!((got[k] - (moved(1e-5) - moved(-1e-5)) / 2e-5).abs() < 1e-8);
        }
    }
}

//! Messages along a path of degrees, and their gradients.
//!
//! What a neighbour sends, times the bond's matrix, times the bond's weights: sums over channels there are none. So a panel of sixteen
//! channels goes through the whole crystal before the next, with the sums of an atom in registers. The weights are computed from their
//! polynomials on the way: the terms of a panel lie in a cache near by, those of all bonds and paths would not. On the way back what an
//! atom sent is found along its own bonds, so that no two threads write to one place, and the result does not depend on their number.

use std::ops::Range;

use crate::bond_graph::BondGraph;
use crate::fused::linear::PANEL;
use crate::fused::radial::{Place, Radial, TERMS, polynomial};
use crate::nequix::harmonics::components;
use crate::simd::{Simd, kernels};

/// Numbers that the gradients of a directed bond are summed in: panels for the length and for two axes across the bond.
pub const THREE: usize = 3 * PANEL;

/// A panel of channels of a path.
#[derive(Clone, Copy)]
pub struct Messages<'a> {
    pub graph: &'a BondGraph,
    /// Of each bond.
    pub places: &'a [Place],
    /// The polynomials of the panel's weights, and how fast places change with lengths.
    pub terms: &'a [f32],
    pub pace: f32,
    /// The matrices of the path and their derivatives; none where what is sent arrives as it is.
    pub matrices: &'a [f32],
    pub derivatives: &'a [f32],
    /// Of each directed bond; the matrices of odd harmonics change their sign with it.
    pub signs: &'a [f32],
    pub odd: bool,
    /// Degrees of what is sent and of what arrives.
    pub from: usize,
    pub to: usize,
}

/// Rows of atoms in which a panel of a degree is written: length of a row, where the panel begins, and how far apart components lie.
#[derive(Clone, Copy)]
pub struct Target {
    pub width: usize,
    pub start: usize,
    pub apart: usize,
}

impl Messages<'_> {
    /// Whether everything is there for a way forward; the graph has been looked at by [`check`].
    fn fit(&self, x: &[f32], atoms: &Range<usize>) -> bool {
        let (all, bonds) = (self.graph.numbers.len(), self.graph.direction.len());
        let size = components(self.from) * components(self.to);
        let matrices =
            if self.matrices.is_empty() { self.from == self.to } else { self.matrices.len() == bonds * size };
        let rows = atoms.start <= atoms.end && atoms.end <= all && x.len() == all * components(self.from) * PANEL;
        let weights = self.places.len() == bonds && self.terms.len().is_multiple_of(TERMS * PANEL);
        matrices && rows && weights && self.signs.len() == self.graph.neighbor.len()
    }

    /// The weights of a directed bond at a place of the panel, with the sign of its matrix, and their derivatives in the length.
    #[inline(always)]
    unsafe fn weights<S: Simd>(&self, edge: usize, lane: usize, sign: f32) -> (S::V, S::V) {
        // SAFETY: the lengths have been checked, and the place is that of a length in this table.
        unsafe {
            let place = *self.places.get_unchecked(self.bond(edge));
            let from = self.terms.as_ptr().add(place.interval as usize * TERMS * PANEL + lane);
            let (value, derivative) = polynomial::<S>(from, S::splat(place.at));
            if self.odd {
                let sign = S::splat(sign * *self.signs.get_unchecked(edge));
                return (S::mul(value, sign), S::mul(derivative, sign));
            }
            (value, derivative)
        }
    }

    #[inline(always)]
    unsafe fn bond(&self, edge: usize) -> usize {
        // SAFETY: as above.
        unsafe { *self.graph.bond.get_unchecked(edge) as usize }
    }

    #[inline(always)]
    unsafe fn neighbor(&self, edge: usize) -> usize {
        // SAFETY: as above.
        unsafe { *self.graph.neighbor.get_unchecked(edge) as usize }
    }
}

/// Whether the graph is one whose lists may be followed without looking again, and every place one of the table.
pub fn check(graph: &BondGraph, places: &[Place], radial: &Radial) {
    let (atoms, edges, bonds) = (graph.numbers.len(), graph.neighbor.len(), graph.direction.len());
    assert!(graph.starts.len() == atoms + 1 && graph.starts[atoms] == edges && graph.starts.is_sorted());
    assert!(graph.bond.len() == edges && graph.bond.iter().all(|&b| (b as usize) < bonds) && places.len() == bonds);
    assert!(graph.neighbor.iter().all(|&j| (j as usize) < atoms));
    let intervals = radial.panel(0).len() / (TERMS * PANEL);
    assert!(places.iter().all(|place| (place.interval as usize) < intervals));
}

/// Where the number lies that joins component a of the first degree to b of the second, in a matrix whose rows are of the lower.
#[inline(always)]
const fn entry<const A: usize, const B: usize>(a: usize, b: usize) -> usize {
    if A <= B { a * B + b } else { b * A + a }
}

/// Calls a function of the numbers of components of two degrees from 0 to 3.
macro_rules! by_degrees {
    ($from:expr, $to:expr, $call:ident::<$S:ident>($($arg:expr),*)) => {
        match ($from, $to) {
            (0, 0) => $call::<$S, 1, 1>($($arg),*),
            (0, 1) => $call::<$S, 1, 3>($($arg),*),
            (0, 2) => $call::<$S, 1, 5>($($arg),*),
            (0, _) => $call::<$S, 1, 7>($($arg),*),
            (1, 0) => $call::<$S, 3, 1>($($arg),*),
            (1, 1) => $call::<$S, 3, 3>($($arg),*),
            (1, 2) => $call::<$S, 3, 5>($($arg),*),
            (1, _) => $call::<$S, 3, 7>($($arg),*),
            (2, 0) => $call::<$S, 5, 1>($($arg),*),
            (2, 1) => $call::<$S, 5, 3>($($arg),*),
            (2, 2) => $call::<$S, 5, 5>($($arg),*),
            (2, _) => $call::<$S, 5, 7>($($arg),*),
            (_, 0) => $call::<$S, 7, 1>($($arg),*),
            (_, 1) => $call::<$S, 7, 3>($($arg),*),
            (_, 2) => $call::<$S, 7, 5>($($arg),*),
            (_, _) => $call::<$S, 7, 7>($($arg),*),
        }
    };
}

/// The sums at atoms of what their neighbours sent along a path.
#[inline(always)]
#[allow(clippy::needless_range_loop, reason = "the loops are unrolled and their indices constants")]
unsafe fn sums<S: Simd, const A: usize, const B: usize>(
    messages: &Messages<'_>,
    x: *const f32,
    atoms: Range<usize>,
    out: *mut f32,
    target: Target,
) {
    // SAFETY: the caller has checked the lengths.
    unsafe {
        let first = atoms.start;
        let plain = messages.matrices.is_empty();
        for atom in atoms {
            let mut lane = 0;
            while lane < PANEL {
                let mut sums = [S::splat(0.0); B];
                for edge in messages.graph.starts[atom]..messages.graph.starts[atom + 1] {
                    let (weight, _) = messages.weights::<S>(edge, lane, 1.0);
                    let from = x.add(messages.neighbor(edge) * A * PANEL + lane);
                    if plain {
                        for b in 0..B.min(A) {
                            sums[b] = S::fma(weight, S::load(from.add(b * PANEL)), sums[b]);
                        }
                        continue;
                    }
                    let matrix = messages.matrices.as_ptr().add(messages.bond(edge) * A * B);
                    let mut made = [S::splat(0.0); B];
                    for a in 0..A {
                        let x = S::load(from.add(a * PANEL));
                        for b in 0..B {
                            let factor = S::splat(*matrix.add(entry::<A, B>(a, b)));
                            made[b] = if a == 0 { S::mul(x, factor) } else { S::fma(x, factor, made[b]) };
                        }
                    }
                    for b in 0..B {
                        sums[b] = S::fma(weight, made[b], sums[b]);
                    }
                }
                let to = out.add((atom - first) * target.width + target.start + lane);
                for b in 0..B {
                    S::store(to.add(b * target.apart), sums[b]);
                }
                lane += S::LANES;
            }
        }
    }
}

/// From gradients in what arrives to those in what atoms sent, added to `out`, and in their bonds, added to `rows`.
#[inline(always)]
#[allow(clippy::needless_range_loop, reason = "as above")]
#[allow(clippy::too_many_arguments, reason = "what a kernel reads and writes are plain pointers")]
unsafe fn sums_back<S: Simd, const A: usize, const B: usize>(
    messages: &Messages<'_>,
    x: *const f32,
    gradients: *const f32,
    atoms: Range<usize>,
    out: *mut f32,
    target: Target,
    rows: *mut f32,
) {
    // SAFETY: as above.
    unsafe {
        let (first, first_edge) = (atoms.start, messages.graph.starts[atoms.start]);
        let (plain, pace) = (messages.matrices.is_empty(), S::splat(messages.pace));
        for atom in atoms {
            let mut lane = 0;
            while lane < PANEL {
                let to = out.add((atom - first) * target.width + target.start + lane);
                let (mut own, mut sums) = ([S::splat(0.0); A], [S::splat(0.0); A]);
                for a in 0..A {
                    own[a] = S::load(x.add((atom * A + a) * PANEL + lane));
                    sums[a] = S::load(to.add(a * target.apart));
                }
                for edge in messages.graph.starts[atom]..messages.graph.starts[atom + 1] {
                    // What the atom sent went along the other direction of its bond.
                    let (weight, step) = messages.weights::<S>(edge, lane, -1.0);
                    let from = gradients.add(messages.neighbor(edge) * B * PANEL + lane);
                    let row = rows.add((edge - first_edge) * THREE + lane);
                    let mut of_length = S::splat(0.0);
                    if plain {
                        for a in 0..A.min(B) {
                            let gradient = S::load(from.add(a * PANEL));
                            sums[a] = S::fma(weight, gradient, sums[a]);
                            of_length = S::fma(own[a], gradient, of_length);
                        }
                    } else {
                        let bond = messages.bond(edge) * A * B;
                        let matrix = messages.matrices.as_ptr().add(bond);
                        let [one, two] = [0, 1].map(|k| messages.derivatives.as_ptr().add(2 * bond + k * A * B));
                        let mut gradient = [S::splat(0.0); B];
                        for b in 0..B {
                            gradient[b] = S::load(from.add(b * PANEL));
                        }
                        let [mut across, mut other] = [S::splat(0.0); 2];
                        for a in 0..A {
                            let [mut made, mut turned, mut tilted] = [S::splat(0.0); 3];
                            for b in 0..B {
                                let place = entry::<A, B>(a, b);
                                made = S::fma(gradient[b], S::splat(*matrix.add(place)), made);
                                turned = S::fma(gradient[b], S::splat(*one.add(place)), turned);
                                tilted = S::fma(gradient[b], S::splat(*two.add(place)), tilted);
                            }
                            sums[a] = S::fma(weight, made, sums[a]);
                            of_length = S::fma(own[a], made, of_length);
                            across = S::fma(own[a], turned, across);
                            other = S::fma(own[a], tilted, other);
                        }
                        for (k, gradient) in [across, other].into_iter().enumerate() {
                            let row = row.add((k + 1) * PANEL);
                            S::store(row, S::fma(weight, gradient, S::load(row)));
                        }
                    }
                    S::store(row, S::fma(S::mul(step, pace), of_length, S::load(row)));
                }
                for a in 0..A {
                    S::store(to.add(a * target.apart), sums[a]);
                }
                lane += S::LANES;
            }
        }
    }
}

kernels! {
    /// What arrives at `atoms` along a path. `x`: what all atoms send, `[atom][component][16]`.
    pub fn arrive<S>(messages: Messages<'_>, x: &[f32], atoms: Range<usize>, out: &mut [f32], target: Target) {
        assert!(messages.fit(x, &atoms) && out.len() == atoms.len() * target.width);
        assert!(target.start + (components(messages.to) - 1) * target.apart + PANEL <= target.width);
        let (x, out) = (x.as_ptr(), out.as_mut_ptr());
        by_degrees!(messages.from, messages.to, sums::<S>(&messages, x, atoms, out, target));
    }

    /// From gradients in what arrived at all atoms, `[atom][component][16]`: those in what `atoms` sent, added to `out`, and those in
    /// their directed bonds' lengths and axes, added to `rows` of three panels, which have to be summed.
    pub fn arrive_back<S>(
        messages: Messages<'_>, x: &[f32], gradients: &[f32], atoms: Range<usize>, out: &mut [f32], target: Target, rows: &mut [f32],
    ) {
        let (graph, bonds) = (messages.graph, messages.graph.direction.len());
        assert!(messages.fit(x, &atoms) && out.len() == atoms.len() * target.width);
        assert!(target.start + (components(messages.from) - 1) * target.apart + PANEL <= target.width);
        assert!(gradients.len() == graph.numbers.len() * components(messages.to) * PANEL);
        let size = components(messages.from) * components(messages.to);
        assert!(messages.matrices.is_empty() || messages.derivatives.len() == 2 * bonds * size);
        assert!(rows.len() == (graph.starts[atoms.end] - graph.starts[atoms.start]) * THREE);
        let (x, gradients, out, rows) = (x.as_ptr(), gradients.as_ptr(), out.as_mut_ptr(), rows.as_mut_ptr());
        by_degrees!(messages.from, messages.to, sums_back::<S>(&messages, x, gradients, atoms, out, target, rows));
    }
}

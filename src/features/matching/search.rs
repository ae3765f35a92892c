//! The placements of one crystal on another, and the best of them.

use super::{Match, Reduced, Tolerances};
use crate::assignment::{Edges, assign};
use crystal::{Lattice, dot};

/// Most lattice vectors that are looked through for those of another cell: a needle-shaped cell has millions as long as
/// its axis.
pub(super) const MAX_VECTORS: f64 = 1e7;

/// How many lattice vectors are looked through for those up to `length`, Å.
pub(super) fn vectors_within(lattice: &Lattice, length: f64) -> f64 {
    lattice.plane_spacings().iter().map(|h| 2.0 * (length / h).floor() + 1.0).product()
}

/// What a search looks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Aim {
    /// Any placement within the tolerance.
    Same,
    /// The placement of least rms.
    Least,
}

/// An rms that no better placement can improve on: float noise.
const PERFECT: f64 = 1e-5;

impl Aim {
    pub(super) fn is_reached(self, found: &Match) -> bool {
        match self {
            Self::Same => found.same,
            Self::Least => found.rms < PERFECT,
        }
    }
}

/// A way to lay the lattice of one crystal on that of another.
struct Overlay {
    /// Coordinates of the first crystal's sites in the second's basis.
    frac: Vec<[f64; 3]>,
    /// The mean of both lattices, on which distances are measured.
    mean: Lattice,
}

pub(super) struct Search<'a> {
    onto: &'a Reduced,
    from: &'a Reduced,
    tolerances: &'a Tolerances,
    aim: Aim,
    best: Match,
    edges: Edges,
    steps: Vec<(u32, [f64; 3])>,
}

impl<'a> Search<'a> {
    pub(super) fn new(onto: &'a Reduced, from: &'a Reduced, tolerances: &'a Tolerances, aim: Aim) -> Self {
        let best = Match { same: false, rms: f64::INFINITY, largest: f64::INFINITY };
        Self { onto, from, tolerances, aim, best, edges: Edges::default(), steps: Vec::new() }
    }

    /// The best over all placements, kinds laid on kinds as each pairing says.
    pub(super) fn run(mut self, pairings: &[Vec<usize>]) -> Match {
        if pairings.is_empty() {
            return self.best;
        }
        for vectors in lattice_vectors(&self.onto.rows, &self.from.rows, self.tolerances) {
            let Some(overlay) = self.overlay(vectors) else { continue };
            for pairing in pairings {
                self.place(&overlay, pairing);
                if self.aim.is_reached(&self.best) {
                    return self.best;
                }
            }
        }
        self.best
    }

    /// The lattice `vectors` of `onto` (integers in its basis, one row a vector) taken as the cell of `from`.
    fn overlay(&self, vectors: [[i32; 3]; 3]) -> Option<Overlay> {
        let m = vectors.map(|row| row.map(f64::from));
        let rows: [[f64; 3]; 3] =
            m.map(|row| std::array::from_fn(|k| (0..3).map(|l| row[l] * self.onto.rows[l][k]).sum()));
        let [p, q] = [Lattice::new(rows).ok()?.parameters(), Lattice::new(self.from.rows).ok()?.parameters()];
        let [a, b, c, alpha, beta, gamma] = std::array::from_fn(|k| (p[k] + q[k]) / 2.0);
        let mean = Lattice::from_parameters(a, b, c, alpha, beta, gamma).ok()?;
        // x = x' M for row vectors x' in the new basis: x' = x M⁻¹, by cofactors since |M| is ±1.
        let cofactor = |i: usize, j: usize| {
            let [i1, i2, j1, j2] = [(i + 1) % 3, (i + 2) % 3, (j + 1) % 3, (j + 2) % 3];
            m[i1][j1] * m[i2][j2] - m[i1][j2] * m[i2][j1]
        };
        let determinant: f64 = (0..3).map(|j| m[0][j] * cofactor(0, j)).sum();
        let inverse: [[f64; 3]; 3] = std::array::from_fn(|i| std::array::from_fn(|j| cofactor(j, i) / determinant));
        let turn = |x: &[f64; 3]| std::array::from_fn(|k| (0..3).map(|l| x[l] * inverse[l][k]).sum());
        Some(Overlay { frac: self.onto.frac.iter().map(turn).collect(), mean })
    }

    /// Tries every translation that lays the first site of `from` on a site of its partner kind.
    fn place(&mut self, overlay: &Overlay, pairing: &[usize]) {
        let n = self.from.len() as f64;
        let unit = (overlay.mean.volume() / n).cbrt();
        let spacings = overlay.mean.plane_spacings();
        // Taking off the mean moves each atom by less than the tolerance, else the pair of reference would fail: no
        // partner is further than twice the tolerance.
        let reach = spacings.map(|h| 2.0 * self.tolerances.site * unit / h);
        let near = 0.5 * spacings.into_iter().fold(f64::INFINITY, f64::min);
        for reference in self.onto.sites(pairing[0]) {
            let shift: [f64; 3] = std::array::from_fn(|k| overlay.frac[reference][k] - self.from.frac[0][k]);
            if !self.reachable(overlay, pairing, shift, reach, near) {
                continue;
            }
            let Some(partner) = assign(&self.edges) else { continue };
            let found = self.measure(&partner, unit);
            let same = self.best.same || found.same;
            if found.rms < self.best.rms {
                self.best = found;
            }
            self.best.same = same;
            if self.aim.is_reached(&self.best) {
                return;
            }
        }
    }

    /// Lists, for each site of `from` moved by `shift`, the sites it may be laid on; false where one has none.
    fn reachable(&mut self, overlay: &Overlay, pairing: &[usize], shift: [f64; 3], reach: [f64; 3], near: f64) -> bool {
        self.edges.clear();
        self.steps.clear();
        for (kind, &partner) in pairing.iter().enumerate() {
            let partners = self.onto.sites(partner);
            for site in self.from.sites(kind) {
                let x: [f64; 3] = std::array::from_fn(|k| self.from.frac[site][k] + shift[k]);
                for onto in partners.clone() {
                    let y = &overlay.frac[onto];
                    let apart = |k: usize| {
                        let d = y[k] - x[k];
                        d - d.round()
                    };
                    let d0 = apart(0);
                    if d0.abs() > reach[0] {
                        continue;
                    }
                    let d = [d0, apart(1), apart(2)];
                    if d[1].abs() > reach[1] || d[2].abs() > reach[2] {
                        continue;
                    }
                    let (step, d2) = shortest(&overlay.mean, d, near);
                    self.edges.push(onto, d2);
                    self.steps.push((onto as u32, step));
                }
                if !self.edges.end_row() {
                    return false;
                }
            }
        }
        true
    }

    /// Distances of an assignment, its mean displacement taken off.
    fn measure(&self, partner: &[usize], unit: f64) -> Match {
        let n = partner.len() as f64;
        let chosen: Vec<[f64; 3]> = partner
            .iter()
            .enumerate()
            .filter_map(|(i, &column)| {
                let steps = &self.steps[self.edges.span(i)];
                steps.iter().find(|(onto, _)| *onto as usize == column).map(|(_, step)| *step)
            })
            .collect();
        let mean: [f64; 3] = std::array::from_fn(|k| chosen.iter().map(|v| v[k]).sum::<f64>() / n);
        let (mut sum, mut largest) = (0.0, 0.0_f64);
        for v in &chosen {
            let d2: f64 = (0..3).map(|k| (v[k] - mean[k]).powi(2)).sum();
            sum += d2;
            largest = largest.max(d2);
        }
        let (rms, largest) = ((sum / n).sqrt() / unit, largest.sqrt() / unit);
        Match { same: largest < self.tolerances.site, rms, largest }
    }
}

/// The shortest vector among the images of a wrapped difference, and its square. Below half the smallest plane spacing
/// no image is shorter.
fn shortest(lattice: &Lattice, d: [f64; 3], near: f64) -> ([f64; 3], f64) {
    let square = |v: [f64; 3]| dot(v, v);
    let v = lattice.to_cartesian(d);
    let mut best = (v, square(v));
    if best.1 > near * near {
        for image in (0..27).map(|i| [i / 9 - 1, i / 3 % 3 - 1, i % 3 - 1]) {
            let v = lattice.to_cartesian(std::array::from_fn(|k| d[k] + f64::from(image[k])));
            if square(v) < best.1 {
                best = (v, square(v));
            }
        }
    }
    best
}

/// Every triple of lattice vectors of `onto` (integers in its basis) that spans a primitive cell with the lengths and
/// angles of `from`, within the tolerances.
fn lattice_vectors(onto: &[[f64; 3]; 3], from: &[[f64; 3]; 3], tolerances: &Tolerances) -> Vec<[[i32; 3]; 3]> {
    let (Ok(lattice), Ok(target)) = (Lattice::new(*onto), Lattice::new(*from)) else { return Vec::new() };
    let p = target.parameters();
    let lengths = [p[0], p[1], p[2]];
    let most = lengths.into_iter().fold(0.0, f64::max) * (1.0 + tolerances.length);
    // A primitive cell may be thinner than the one that was given.
    if vectors_within(&lattice, most) > MAX_VECTORS {
        return Vec::new();
    }
    let bound = lattice.plane_spacings().map(|h| (most / h) as i32);
    // Of each axis of `from`, the lattice vectors of its length: integers, Å, length.
    type Vector = ([i32; 3], [f64; 3], f64);
    let mut candidates: [Vec<Vector>; 3] = Default::default();
    for i in -bound[0]..=bound[0] {
        for j in -bound[1]..=bound[1] {
            for k in -bound[2]..=bound[2] {
                let v = lattice.to_cartesian([i, j, k].map(f64::from));
                let length = dot(v, v).sqrt();
                for (axis, list) in candidates.iter_mut().enumerate() {
                    let ratio = length / lengths[axis];
                    if ratio < 1.0 + tolerances.length && ratio > 1.0 / (1.0 + tolerances.length) {
                        list.push(([i, j, k], v, length));
                    }
                }
            }
        }
    }
    let fits = |u: &([i32; 3], [f64; 3], f64), v: &([i32; 3], [f64; 3], f64), angle: f64| {
        let found = (dot(u.1, v.1) / (u.2 * v.2)).clamp(-1.0, 1.0).acos().to_degrees();
        (found - angle).abs() <= tolerances.angle
    };
    let mut triples = Vec::new();
    for a in &candidates[0] {
        for b in candidates[1].iter().filter(|b| fits(a, b, p[5])) {
            for c in candidates[2].iter().filter(|c| fits(a, c, p[4]) && fits(b, c, p[3])) {
                let [u, v, w] = [a.0, b.0, c.0];
                let determinant = u[0] * (v[1] * w[2] - v[2] * w[1]) - u[1] * (v[0] * w[2] - v[2] * w[0])
                    + u[2] * (v[0] * w[1] - v[1] * w[0]);
                if determinant.abs() == 1 {
                    triples.push([u, v, w]);
                }
            }
        }
    }
    triples
}

//! The maxima of the clearance d(p) = min_j (|p - x_j| - R_j), exactly.
//!
//! Each |p - x_j| is convex, so it lies above its tangents: where the least of the tangents rises by t on a step s, the
//! clearance rises by t or more. The best step in a small cube is a linear program in (s, t); taken again and again it climbs without a
//! choice of step length, and as fast as Newton's method where four atoms or more meet the sphere.

use super::{around::images_near, cross, dot, minus, norm};
use crystal::Structure;

/// Half the edge of the cube that a step stays in, Å.
const STRIDE: f64 = 0.3;
/// A step shorter than this, Å, is none.
const STILL: f64 = 1e-10;
/// Steps before a climb ends where it is; a dozen are the rule.
const STEPS: usize = 60;
/// Atoms whose clearance is within this of the least touch, Å: more than coordinates are uncertain by.
const TOUCH: f64 = 0.05;
/// Pivots after which the first column that gains is taken, which cannot go round in a circle (Bland's rule).
const PIVOTS: usize = 50;

/// The clearance among the atoms of a crystal.
pub(super) struct Clearance<'a> {
    structure: &'a Structure,
    radii: &'a [f64],
    largest: f64,
}

/// An atom as seen from a point: the direction away from it, and its clearance, Å.
type Tangent = ([f64; 3], f64);

impl<'a> Clearance<'a> {
    pub fn new(structure: &'a Structure, radii: &'a [f64]) -> Self {
        Self { structure, radii, largest: radii.iter().copied().fold(0.0, f64::max) }
    }

    /// The clearance at a Cartesian point where it is known not to be above `guess`.
    pub fn at(&self, p: [f64; 3], guess: f64) -> f64 {
        self.tangents(p, guess).into_iter().fold(guess, |least, (_, d)| least.min(d))
    }

    /// The atoms with a clearance of at most `reach`.
    fn tangents(&self, p: [f64; 3], reach: f64) -> Vec<Tangent> {
        let images = images_near(self.structure, p, (reach + self.largest).max(0.0) + 1e-6);
        let seen = images.into_iter().filter_map(|(site, _, x)| {
            let away = minus(p, x);
            let distance = norm(away);
            (distance > 0.0 && distance - self.radii[site] <= reach)
                .then(|| (away.map(|c| c / distance), distance - self.radii[site]))
        });
        seen.collect()
    }

    /// The maximum that a climb from `p` ends on, and the clearance there; `guess` is not below that at `p`. `None` where there is no
    /// maximum bounded by several atoms, or it is inside an atom.
    pub fn summit(&self, mut p: [f64; 3], guess: f64) -> Option<([f64; 3], f64)> {
        let mut here = self.at(p, guess);
        for _ in 0..STEPS {
            // Atoms beyond the corners of the cube do not affect the step.
            let s = step(&self.tangents(p, here + 4.0 * STRIDE), here)?;
            let next = std::array::from_fn(|k| p[k] + s[k]);
            let there = self.at(next, here + 2.0 * STRIDE);
            if there <= here {
                break;
            }
            (p, here) = (next, there);
            if norm(s) < STILL {
                break;
            }
        }
        let touching: Vec<[f64; 3]> = self.tangents(p, here + TOUCH).into_iter().map(|(g, _)| g).collect();
        (here > 0.0 && surrounded(&touching)).then_some((p, here))
    }
}

/// The step within the cube on which the least of the tangents rises most, and `here` the least of their clearances.
fn step(tangents: &[Tangent], here: f64) -> Option<[f64; 3]> {
    // x = (s + STRIDE, t - floor) >= 0, the floor low enough for x = 0 to be allowed.
    let floor = here - 2.0 * STRIDE;
    let mut rows: Vec<([f64; 4], f64)> = tangents
        .iter()
        .map(|(g, d)| ([-g[0], -g[1], -g[2], 1.0], d - floor - STRIDE * g.iter().sum::<f64>()))
        .collect();
    rows.extend((0..3).map(|k| (std::array::from_fn(|m| f64::from(u8::from(m == k))), 2.0 * STRIDE)));
    let x = highest(rows)?;
    Some(std::array::from_fn(|k| x[k] - STRIDE))
}

/// The x >= 0 of largest x[3] with a · x <= b for all rows (a, b), b >= 0: the simplex method, in its dense form of inequalities with
/// slacks over four variables; that of `stability` solves equations with hundreds of columns.
fn highest(mut rows: Vec<([f64; 4], f64)>) -> Option<[f64; 4]> {
    let mut gain = [0.0, 0.0, 0.0, 1.0_f64];
    // The variable of each column and each row; those from 4 on are slacks.
    let mut columns = [0, 1, 2, 3];
    let mut basis: Vec<usize> = (4..4 + rows.len()).collect();
    for pivot in 0..10 * PIVOTS {
        let gaining = (0..4).filter(|&c| gain[c] > 1e-12);
        let column = if pivot < PIVOTS {
            gaining.max_by(|&a, &b| gain[a].total_cmp(&gain[b]))
        } else {
            gaining.min_by_key(|&c| columns[c])
        };
        let Some(c) = column else { break };
        let bounding = (0..rows.len()).filter(|&r| rows[r].0[c] > 1e-12);
        let r = bounding.min_by(|&p, &q| {
            let ratio = |r: usize| rows[r].1 / rows[r].0[c];
            ratio(p).total_cmp(&ratio(q)).then(basis[p].cmp(&basis[q]))
        })?;
        let (mut row, mut right) = rows[r];
        let by = row[c];
        row[c] = 1.0;
        row = row.map(|x| x / by);
        right /= by;
        for (i, (other, bound)) in rows.iter_mut().enumerate() {
            if i != r {
                let times = std::mem::take(&mut other[c]);
                (0..4).for_each(|k| other[k] -= times * row[k]);
                *bound -= times * right;
            }
        }
        rows[r] = (row, right);
        let times = std::mem::take(&mut gain[c]);
        (0..4).for_each(|k| gain[k] -= times * row[k]);
        std::mem::swap(&mut columns[c], &mut basis[r]);
    }
    let mut x = [0.0; 4];
    basis.iter().zip(&rows).filter(|(v, _)| **v < 4).for_each(|(&v, (_, value))| x[v] = *value);
    Some(x)
}

/// Whether no closed half-space holds all of the unit vectors `g`: the origin is inside their hull.
fn surrounded(g: &[[f64; 3]]) -> bool {
    // If one does, one of those does whose border holds two of the vectors.
    let mut planes = 0;
    for (i, &u) in g.iter().enumerate() {
        for &v in &g[i + 1..] {
            let n = cross(u, v);
            let length = norm(n);
            if length < 1e-6 {
                continue;
            }
            planes += 1;
            let (mut above, mut below) = (false, false);
            for &w in g {
                let height = dot(n, w) / length;
                above |= height > 1e-6;
                below |= height < -1e-6;
                if above && below {
                    break;
                }
            }
            if !(above && below) {
                return false;
            }
        }
    }
    planes > 0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crystal::{Element, Lattice};

    #[test]
    fn a_point_is_surrounded_when_no_plane_leaves_all_on_one_side() {
        let square = [[1.0, 0.0, 0.0], [-1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, -1.0, 0.0]];
        assert!(!surrounded(&square));
        assert!(!surrounded(&[&square[..], &[[0.0, 0.0, 1.0]]].concat()));
        assert!(surrounded(&[&square[..], &[[0.0, 0.0, 1.0], [0.0, 0.0, -1.0]]].concat()));
        let t = 1.0 / 3.0_f64.sqrt();
        let tetrahedron = [[t, t, t], [t, -t, -t], [-t, t, -t], [-t, -t, t]];
        assert!(surrounded(&tetrahedron));
        assert!(!surrounded(&tetrahedron[..3]) && !surrounded(&[]));
    }

    #[test]
    fn a_linear_program_known_by_hand() {
        // x + y + t <= 4, t <= x, t <= y, z <= 1: t = 4/3.
        let rows = vec![
            ([1.0, 1.0, 0.0, 1.0], 4.0),
            ([-1.0, 0.0, 0.0, 1.0], 0.0),
            ([0.0, -1.0, 0.0, 1.0], 0.0),
            ([0.0, 0.0, 1.0, 0.0], 1.0),
        ];
        let x = highest(rows).unwrap();
        assert!((x[3] - 4.0 / 3.0).abs() < 1e-12, "{x:?}");
        assert_eq!(highest(vec![([1.0, 0.0, 0.0, 0.0], 1.0)]), None);
    }

    #[test]
    fn four_unlike_spheres_are_equally_far_from_the_summit() {
        let lattice = Lattice::from_parameters(30.0, 30.0, 30.0, 90.0, 90.0, 90.0).unwrap();
        let sites = [[1.0, 1.0, 1.0], [1.0, -1.0, -1.0], [-1.0, 1.0, -1.0], [-1.0, -1.0, 1.1]];
        let radii = [0.4, 1.0, 0.7, 0.5];
        let s = Structure::new(lattice, vec![Element::O; 4], sites.map(|x| x.map(|x| 0.5 + 2.0 * x / 30.0)).to_vec())
            .unwrap();
        let (p, clearance) = Clearance::new(&s, &radii).summit([15.4, 14.7, 15.2], 10.0).unwrap();
        for (x, r) in s.cart_coords().into_iter().zip(radii) {
            assert!((norm(minus(p, x)) - r - clearance).abs() < 1e-9, "{p:?} {clearance}");
        }
    }
}

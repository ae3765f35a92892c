//! The generator nearest to a point, for any lattice: no radius to search, no image too many.
//!
//! The images of a site make a lattice; the one nearest to a point is found by going through its planes, the lines in a
//! plane and the points on a line, each outward from the nearest, until they are further away than the best so far
//! (Schnorr & Euchner, *Math. Program.* **66** (1994) 181). In a compact basis that is one or two of each.

use crystal::{Lattice, Structure, cross, dot, norm};

/// A lattice in axes along which its basis is triangular.
pub(crate) struct Closest {
    /// Orthonormal axes: the first along row 0, the second in the plane of rows 0 and 1.
    axes: [[f64; 3]; 3],
    /// The basis in these axes, from the shortest row to the longest: row k ends at its k-th component. In a thin cell the long
    /// steps are few, and tried first.
    rows: [[f64; 3]; 3],
    /// Which row of the basis given each is.
    order: [usize; 3],
}

impl Closest {
    pub fn new(lattice: &Lattice) -> Self {
        let given = lattice.rows();
        let mut order = [0, 1, 2];
        order.sort_by(|&i, &j| norm(given[i]).total_cmp(&norm(given[j])));
        let basis = order.map(|k| given[k]);
        let unit = |v: [f64; 3]| v.map(|x| x / norm(v));
        let third = unit(cross(basis[0], basis[1]));
        let first = unit(basis[0]);
        let axes = [first, cross(third, first), third];
        Self { axes, rows: basis.map(|row| axes.map(|e| dot(e, row))), order }
    }

    /// Length of the shortest vector that is `step` (Cartesian) and a lattice vector, Å.
    pub fn shortest(&self, step: [f64; 3]) -> f64 {
        self.image(self.turn(step), f64::INFINITY).map_or(norm(step), |(d2, _)| d2.sqrt())
    }

    fn turn(&self, v: [f64; 3]) -> [f64; 3] {
        self.axes.map(|e| dot(e, v))
    }

    /// The shortest of `from` (in these axes) + lattice vectors, squared, if below `limit`.
    fn image(&self, from: [f64; 3], mut limit: f64) -> Option<(f64, [i32; 3])> {
        let [[x0, ..], [x1, y1, _], [x2, y2, z2]] = self.rows;
        let mut best = None;
        for (n2, z) in outward(from[2], z2) {
            if z * z >= limit {
                break;
            }
            for (n1, y) in outward(from[1] + f64::from(n2) * y2, y1) {
                if z * z + y * y >= limit {
                    break;
                }
                // On a line the nearest point is the first.
                let start = from[0] + f64::from(n2) * x2 + f64::from(n1) * x1;
                if let Some((n0, x)) = outward(start, x0).next() {
                    let d2 = x * x + y * y + z * z;
                    if d2 < limit {
                        limit = d2;
                        best = Some((d2, [n0, n1, n2]));
                    }
                }
            }
        }
        best.map(|(d2, found)| {
            let mut image = [0; 3];
            self.order.iter().zip(found).for_each(|(&k, n)| image[k] = n);
            (d2, image)
        })
    }
}

/// The sites of a crystal in the axes of its lattice.
pub(super) struct Sites {
    lattice: Closest,
    places: Vec<[f64; 3]>,
}

impl Sites {
    pub fn new(structure: &Structure) -> Self {
        let lattice = Closest::new(structure.lattice());
        let places = structure.cart_coords().into_iter().map(|x| lattice.turn(x)).collect();
        Self { lattice, places }
    }

    /// The site and image whose power |p - x_j|² - R_j² at p is the least and below `power`; p is `at` from site `i`.
    pub fn nearest(&self, i: usize, at: [f64; 3], power: f64, radii: &[f64]) -> Option<(usize, [i32; 3])> {
        let p = self.lattice.turn(at);
        let (mut best, mut found) = (power, None);
        for (j, &r) in radii.iter().enumerate() {
            let from = std::array::from_fn(|k| self.places[j][k] - self.places[i][k] - p[k]);
            if let Some((d2, image)) = self.lattice.image(from, best + r * r) {
                best = d2 - r * r;
                found = Some((j, image));
            }
        }
        found
    }
}

/// `start` + n `step` for whole n, nearest to zero first.
fn outward(start: f64, step: f64) -> impl Iterator<Item = (i32, f64)> {
    let center = -start / step;
    let nearest = center.round();
    let side = if center >= nearest { 1 } else { -1 };
    (1..).map(move |k: i32| {
        let n = nearest as i32 + side * if k % 2 == 0 { k / 2 } else { -(k / 2) };
        (n, start + f64::from(n) * step)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crystal::Element;

    #[test]
    fn whole_steps_go_outward_from_the_nearest() {
        let first: Vec<i32> = outward(-2.6, 1.0).take(4).map(|(n, _)| n).collect();
        assert_eq!(first, [3, 2, 4, 1]);
        let first: Vec<i32> = outward(-2.4, 1.0).take(4).map(|(n, _)| n).collect();
        assert_eq!(first, [2, 3, 1, 4]);
    }

    #[test]
    fn a_needle_is_searched_in_a_moment_whichever_axis_is_long() {
        for long in 0..3 {
            let rows = std::array::from_fn(|i| {
                std::array::from_fn(|k| match (i == k, i == long) {
                    (false, _) => 0.0,
                    (_, true) => 9e3,
                    _ => 0.8,
                })
            });
            let s = Structure::new(Lattice::new(rows).unwrap(), vec![Element::O], vec![[0.0; 3]]).unwrap();
            let sites = Sites::new(&s);
            let mut at = [0.3; 3];
            at[long] = 4000.0;
            let begun = std::time::Instant::now();
            (0..1000).for_each(|_| assert_eq!(sites.nearest(0, at, 1e9, &[0.0]), Some((0, [0; 3]))));
            assert!(begun.elapsed().as_secs() < 5, "{:?}", begun.elapsed());
        }
    }

    #[test]
    fn the_nearest_generator_is_that_of_a_brute_search() {
        for (a, b, c, alpha, beta, gamma) in [
            (3.0, 4.0, 5.0, 70.0, 95.0, 110.0),
            (3.0, 3.0, 90.0, 90.0, 90.0, 90.0),
            (90.0, 3.0, 4.0, 90.0, 80.0, 100.0),
        ] {
            let lattice = Lattice::from_parameters(a, b, c, alpha, beta, gamma).unwrap();
            let sites = vec![[0.1, 0.2, 0.3], [0.7, 0.4, 0.9], [0.3, 0.3, 0.6]];
            let s = Structure::new(lattice, vec![Element::O; 3], sites.clone()).unwrap();
            let radii = [0.3, 1.2, 0.0];
            for m in 0..50 {
                let at = [m % 7, m % 5, m % 3].map(|k| f64::from(k) * 0.37 - 0.9);
                let mut want = (f64::INFINITY, None);
                for (j, x) in sites.iter().enumerate() {
                    for n in (0..1331).map(|n| [n % 11 - 5, n / 11 % 11 - 5, n / 121 - 5]) {
                        let frac = std::array::from_fn(|k| x[k] + f64::from(n[k]) - sites[0][k]);
                        let to = lattice.to_cartesian(frac);
                        let d2: f64 = (0..3).map(|k| (to[k] - at[k]).powi(2)).sum();
                        if d2 - radii[j] * radii[j] < want.0 {
                            want = (d2 - radii[j] * radii[j], Some((j, n)));
                        }
                    }
                }
                assert_eq!(Sites::new(&s).nearest(0, at, 1e6, &radii), want.1);
                assert_eq!(Sites::new(&s).nearest(0, at, want.0 - 1e-9, &radii), None);
            }
        }
    }
}

//! The shortest distance of a crystal: the test for overlapping sites, made on every crystal that is read.
//!
//! Sites are sorted along the axis with the widest plane spacing, and a site is compared with those that follow it within
//! the limit, around the cell's border; a pair further apart along any axis than the limit is dismissed without a
//! distance. The limit shrinks to the nearest pair found.

use super::{Structure, lattice::norm};

/// Distances that differ by less, Å, are equal by symmetry.
const SAME: f64 = 1e-9;

/// The nearest pair closer than `limit` Å, as (i, j, distance) with i <= j; of equally near pairs the first.
pub(super) fn shortest_distance(structure: &Structure, limit: f64) -> Option<(usize, usize, f64)> {
    let spacings = structure.lattice().plane_spacings();
    let mut search = Search { structure, spacings, limit, nearest: None };
    // Every site is as far from its own images as the first is from its own.
    search.compare(0, 0, [0.0; 3]);

    let axis = (0..3).max_by(|&a, &b| spacings[a].total_cmp(&spacings[b])).unwrap_or(0);
    let wrapped: Vec<[f64; 3]> = structure.frac_coords().iter().map(|x| x.map(|x| x - x.floor())).collect();
    let mut order: Vec<usize> = (0..wrapped.len()).collect();
    order.sort_unstable_by(|&a, &b| wrapped[a][axis].total_cmp(&wrapped[b][axis]));
    for (place, &i) in order.iter().enumerate() {
        for &j in order[place + 1..].iter().chain(&order[..place]) {
            let ahead = wrapped[j][axis] - wrapped[i][axis];
            let ahead = if ahead < 0.0 { ahead + 1.0 } else { ahead };
            if ahead * spacings[axis] > search.limit {
                break;
            }
            search.compare(i, j, std::array::from_fn(|k| wrapped[j][k] - wrapped[i][k]));
        }
    }
    search.nearest
}

struct Search<'a> {
    structure: &'a Structure,
    spacings: [f64; 3],
    limit: f64,
    nearest: Option<(usize, usize, f64)>,
}

impl Search<'_> {
    /// Compares sites i and j, `delta` apart in fractions (each component in -1..=1).
    fn compare(&mut self, i: usize, j: usize, delta: [f64; 3]) {
        let mut from = [0; 3];
        let mut to = [0; 3];
        for k in 0..3 {
            let reach = (self.limit + SAME) / self.spacings[k];
            (from[k], to[k]) = (ceil(-reach - delta[k]), floor(reach - delta[k]));
            if from[k] > to[k] {
                return;
            }
        }
        let mut best = f64::INFINITY;
        for n0 in from[0]..=to[0] {
            for n1 in from[1]..=to[1] {
                for n2 in from[2]..=to[2] {
                    if i != j || [n0, n1, n2] != [0; 3] {
                        let frac = [delta[0] + f64::from(n0), delta[1] + f64::from(n1), delta[2] + f64::from(n2)];
                        best = best.min(norm(self.structure.lattice().to_cartesian(frac)));
                    }
                }
            }
        }
        let pair = (i.min(j), i.max(j));
        let name = match self.nearest {
            _ if best >= self.limit + SAME => return,
            None if best < self.limit => pair,
            None => return,
            Some((a, b, _)) if best > self.limit - SAME => pair.min((a, b)),
            Some(_) => pair,
        };
        self.limit = self.limit.min(best);
        self.nearest = Some((name.0, name.1, self.limit));
    }
}

/// `x.floor()` of a small number without the call that the oldest x86-64 needs for it.
fn floor(x: f64) -> i32 {
    let whole = x as i32;
    whole - i32::from(f64::from(whole) > x)
}

fn ceil(x: f64) -> i32 {
    -floor(-x)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Element, Lattice, neighbors};

    fn oxygen(lattice: Lattice, sites: &[[f64; 3]]) -> Structure {
        Structure::with_overlaps(lattice, vec![Element::O; sites.len()], sites.to_vec()).unwrap()
    }

    #[test]
    fn pairs_across_every_border_are_seen() {
        let lattice = Lattice::from_parameters(9.0, 10.0, 11.0, 75.0, 85.0, 105.0).unwrap();
        for border in [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0], [1.0, 1.0, 1.0], [-1.0, 1.0, 0.0]] {
            let far = border.map(|b: f64| b * 0.99 + 0.005);
            let s = oxygen(lattice, &[[0.4, 0.4, 0.4], [0.005; 3], far, [0.005, 0.5, 0.7]]);
            let want = norm(lattice.to_cartesian(border.map(|b: f64| b * 0.01)));
            let (i, j, d) = shortest_distance(&s, 0.5).unwrap();
            assert!((i, j) == (1, 2) && (d - want).abs() < 1e-12, "{border:?}: {i} {j} {d} {want}");
        }
    }

    #[test]
    fn the_nearest_pair_is_that_of_the_neighbor_list() {
        let lattice = Lattice::from_parameters(6.0, 7.0, 9.0, 75.0, 105.0, 115.0).unwrap();
        let sites = [[0.01, 0.3, 0.6], [0.4, 0.02, 0.99], [0.98, 0.28, 0.63], [3.41, -0.96, 0.03], [0.5, 0.5, 0.3]];
        let structure = oxygen(lattice, &sites);
        for limit in [2.0, 5.0, 20.0] {
            let (i, j, distance) = shortest_distance(&structure, limit).unwrap();
            let all = neighbors(&structure, limit.min(5.0));
            let least = all.distance.iter().copied().fold(f64::INFINITY, f64::min);
            assert!((distance - least).abs() < 1e-12, "{distance} {least}");
            let at = all.distance.iter().position(|d| (d - least).abs() < 1e-12).unwrap();
            assert_eq!((i, j), (all.center[at] as usize, all.neighbor[at] as usize));
        }
        assert_eq!(shortest_distance(&structure, 0.01), None);
    }

    #[test]
    fn a_flat_cell_is_near_its_own_images() {
        let s = oxygen(Lattice::from_parameters(8.0, 8.0, 0.4, 90.0, 90.0, 90.0).unwrap(), &[[0.0; 3], [0.5; 3]]);
        assert_eq!(shortest_distance(&s, 0.5), Some((0, 0, 0.4)));
    }

    #[test]
    fn of_equal_pairs_the_first_is_named() {
        let lattice = Lattice::from_parameters(9.0, 9.0, 9.0, 90.0, 90.0, 90.0).unwrap();
        let one = [[0.5, 0.1, 0.9], [0.5, 0.5, 0.1], [0.1, 0.2, 0.3]];
        let twice: Vec<[f64; 3]> = one.iter().chain(&one.map(|x| x.map(|x| x + 0.01))).copied().collect();
        let (i, j, _) = shortest_distance(&oxygen(lattice, &twice), 0.5).unwrap();
        assert_eq!((i, j), (0, 3));
    }

    #[test]
    fn rounding_down_and_up() {
        for x in [-2.5, -2.0, -0.1, 0.0, 0.1, 1.0, 1.9] {
            assert_eq!((floor(x), ceil(x)), (f64::floor(x) as i32, f64::ceil(x) as i32), "{x}");
        }
    }
}

//! Every pair of atoms within a cutoff, periodic images included, for any cell and any cutoff.
//!
//! For a pair of sites the image range along each axis follows from the plane spacing h: an image n can lie within the
//! cutoff r only where |Δ + n| h <= r. The bounds are exact, so no skewed cell loses a neighbour.

use super::{Structure, lattice::norm};

/// Distances up to `cutoff + TOLERANCE` count, as in pymatgen's `get_neighbor_list` (`numerical_tol`).
const TOLERANCE: f64 = 1e-8;

/// Directed pairs, ordered by centre; the pair (i, j) and its reverse (j, i) are both there, and a site's own images too.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Neighbors {
    /// Centre site of each pair, ascending.
    pub center: Vec<u32>,
    /// Neighbouring site of each pair.
    pub neighbor: Vec<u32>,
    /// Lattice translation of the neighbour: it sits at `frac_coords[neighbor] + image`.
    pub image: Vec<[i32; 3]>,
    /// Distance of each pair, Å.
    pub distance: Vec<f64>,
}

impl Neighbors {
    /// Number of directed pairs.
    pub fn len(&self) -> usize {
        self.center.len()
    }

    /// Whether no pair lies within the cutoff.
    pub fn is_empty(&self) -> bool {
        self.center.is_empty()
    }
}

/// All directed pairs of `structure` at most `cutoff` Å apart, ordered by centre site.
pub fn neighbors(structure: &Structure, cutoff: f64) -> Neighbors {
    let mut found = Neighbors::default();
    let spacings = structure.lattice().plane_spacings();
    for i in 0..structure.len() {
        for j in 0..structure.len() {
            let limit = cutoff + TOLERANCE;
            visit_images(structure, spacings, i, j, limit, |image, distance| {
                // The only pair at no distance is the atom and itself: overlapping sites were refused before.
                if distance <= limit && !(i == j && image == [0; 3]) {
                    found.center.push(i as u32);
                    found.neighbor.push(j as u32);
                    found.image.push(image);
                    found.distance.push(distance);
                }
            });
        }
    }
    found
}

/// The nearest pair closer than `limit` Å, as (i, j, distance) with i <= j; of equally near pairs the first.
pub(super) fn shortest_distance(structure: &Structure, limit: f64) -> Option<(usize, usize, f64)> {
    let spacings = structure.lattice().plane_spacings();
    if spacings.iter().all(|h| limit < 0.499 * h) {
        return shortest_of_nearest_images(structure, limit, spacings);
    }
    let mut nearest = None;
    let mut limit = limit;
    for i in 0..structure.len() {
        for j in i..structure.len() {
            let mut best = f64::INFINITY;
            visit_images(structure, spacings, i, j, limit, |image, distance| {
                if !(i == j && image == [0; 3]) {
                    best = best.min(distance);
                }
            });
            if best < limit {
                (nearest, limit) = (Some((i, j, best)), best);
            }
        }
    }
    nearest
}

/// [`shortest_distance`] for a limit below half of every plane spacing: one image of each pair can matter and no site's own
/// image. Sites sorted along the thickest direction are compared with those in reach only, so that importing costs O(n log n).
fn shortest_of_nearest_images(structure: &Structure, limit: f64, spacings: [f64; 3]) -> Option<(usize, usize, f64)> {
    let (lattice, coords) = (structure.lattice(), structure.frac_coords());
    let axis = (0..3).max_by(|&k, &l| spacings[k].total_cmp(&spacings[l])).unwrap_or(0);
    let reach = spacings.map(|h| limit / h);
    let mut sorted: Vec<(f64, usize)> =
        coords.iter().enumerate().map(|(i, x)| (x[axis] - x[axis].floor(), i)).collect();
    sorted.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
    let mut nearest: Option<(f64, usize, usize)> = None;
    for (p, &(height, i)) in sorted.iter().enumerate() {
        // Upwards from p, and once around the border of the cell.
        let above = sorted[p + 1..].iter().map(|&(h, j)| (h - height, j));
        let around = sorted[..p].iter().map(|&(h, j)| (h + 1.0 - height, j));
        for (_, j) in above.chain(around).take_while(|(gap, _)| *gap <= reach[axis]) {
            let delta: [f64; 3] = std::array::from_fn(|k| {
                let d = coords[j][k] - coords[i][k];
                d - d.round()
            });
            if (0..3).any(|k| delta[k].abs() > reach[k]) {
                continue;
            }
            let pair = (norm(lattice.to_cartesian(delta)), i.min(j), i.max(j));
            if pair.0 < limit && nearest.is_none_or(|best| pair < best) {
                nearest = Some(pair);
            }
        }
    }
    nearest.map(|(distance, i, j)| (i, j, distance))
}

/// Calls `visit(image, distance)` for every image of site j that can lie within `limit` of site i (and perhaps a few more).
#[inline]
fn visit_images(
    structure: &Structure,
    spacings: [f64; 3],
    i: usize,
    j: usize,
    limit: f64,
    mut visit: impl FnMut([i32; 3], f64),
) {
    let lattice = structure.lattice();
    let (from, to) = (structure.frac_coords()[i], structure.frac_coords()[j]);
    let delta: [f64; 3] = std::array::from_fn(|k| to[k] - from[k]);
    let range: [[i32; 2]; 3] = std::array::from_fn(|k| {
        let reach = limit / spacings[k];
        [(-reach - delta[k]).ceil() as i32, (reach - delta[k]).floor() as i32]
    });
    for n0 in range[0][0]..=range[0][1] {
        for n1 in range[1][0]..=range[1][1] {
            for n2 in range[2][0]..=range[2][1] {
                let frac = [delta[0] + f64::from(n0), delta[1] + f64::from(n1), delta[2] + f64::from(n2)];
                visit([n0, n1, n2], norm(lattice.to_cartesian(frac)));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crystal::{Element, Lattice};

    fn one_atom(lattice: Lattice) -> Structure {
        Structure::new(lattice, vec![Element::from_symbol("Po").unwrap()], vec![[0.3, 0.9, -4.2]]).unwrap()
    }

    #[test]
    fn the_sorted_search_finds_the_pair_of_the_full_search() {
        // A skewed cell with pairs across each border; a limit just below half of the smallest spacing takes the fast way.
        let lattice = Lattice::from_parameters(6.0, 7.0, 9.0, 75.0, 105.0, 115.0).unwrap();
        let o = Element::O;
        let sites = [[0.01, 0.3, 0.6], [0.4, 0.02, 0.99], [0.98, 0.28, 0.63], [3.41, -0.96, 0.03], [0.5, 0.5, 0.3]];
        let structure = Structure::with_overlaps(lattice, vec![o; 5], sites.to_vec()).unwrap();
        let spacings = structure.lattice().plane_spacings();
        let limit = 0.49 * spacings.iter().copied().fold(f64::INFINITY, f64::min);
        let (i, j, distance) = shortest_distance(&structure, limit).unwrap();
        let all = neighbors(&structure, limit);
        let expected = all.distance.iter().copied().fold(f64::INFINITY, f64::min);
        assert!((distance - expected).abs() < 1e-12, "{distance} {expected}");
        let at = all.distance.iter().position(|d| *d == expected).unwrap();
        assert_eq!((i, j), (all.center[at] as usize, all.neighbor[at] as usize));
        assert_eq!(shortest_distance(&structure, 0.01), None);
    }

    #[test]
    fn shells_of_simple_cubic() {
        let cubic = one_atom(Lattice::from_parameters(1.0, 1.0, 1.0, 90.0, 90.0, 90.0).unwrap());
        // Shells at 1, √2, √3, 2: 6, 12, 8, 6 neighbours.
        for (cutoff, count) in [(0.99, 0), (1.0, 6), (1.5, 18), (1.8, 26), (2.0, 32)] {
            assert_eq!(neighbors(&cubic, cutoff).len(), count, "cutoff {cutoff}");
        }
    }

    #[test]
    fn a_sheared_cell_of_the_same_lattice_has_the_same_neighbors() {
        let cubic = one_atom(Lattice::new([[3.0, 0.0, 0.0], [0.0, 3.0, 0.0], [0.0, 0.0, 3.0]]).unwrap());
        let sheared = one_atom(Lattice::new([[3.0, 0.0, 0.0], [15.0, 3.0, 0.0], [-12.0, 21.0, 3.0]]).unwrap());
        let sorted = |s: &Structure| {
            let mut d = neighbors(s, 7.5).distance;
            d.sort_by(f64::total_cmp);
            d
        };
        let (a, b) = (sorted(&cubic), sorted(&sheared));
        assert_eq!(a.len(), b.len());
        assert!(a.iter().zip(&b).all(|(x, y)| (x - y).abs() < 1e-9));
    }

    #[test]
    fn every_pair_has_its_reverse() {
        let lattice = Lattice::from_parameters(4.1, 5.2, 6.3, 75.0, 85.0, 105.0).unwrap();
        let o = Element::from_symbol("O").unwrap();
        let s = Structure::new(lattice, vec![o, o], vec![[0.1, 0.2, 0.3], [0.6, 1.7, -0.4]]).unwrap();
        let n = neighbors(&s, 6.0);
        let pairs: std::collections::HashSet<_> =
            (0..n.len()).map(|k| (n.center[k], n.neighbor[k], n.image[k])).collect();
        assert!(pairs.iter().all(|(i, j, t)| pairs.contains(&(*j, *i, t.map(|x| -x)))));
        assert!(n.center.is_sorted());
    }
}

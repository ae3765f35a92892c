//! Every pair of atoms within a cutoff, periodic images included, for any cell and any cutoff.
//!
//! The atoms are wrapped into the cell and every image that can matter, those inside the cell widened by the cutoff, is
//! listed once: along axis k an image can lie within r of an atom only where their fractions differ by no more than r / h_k,
//! h_k being the spacing of the lattice planes. The bounds are exact, so no skewed cell loses a neighbour. Then each atom
//! scans the images: all of them in a small cell, those of the surrounding bins in a large one.

use std::ops::Range;

use super::Structure;

/// Distances up to `cutoff + TOLERANCE` count, as in pymatgen's `get_neighbor_list` (`numerical_tol`).
const TOLERANCE: f64 = 1e-8;
/// From this many bins on (a cell of about 300 atoms at 5 Å), binning costs less than scanning all images, as
/// `benches/neighbors.rs` measures.
const BINNED: usize = 100;

/// Directed pairs, ordered by centre; the pair (i, j) and its reverse (j, i) are both there, and a site's own images too.
/// The neighbours of one centre are ordered by site, then by image.
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

/// All directed pairs of `structure` at most `cutoff` Å apart, ordered by centre site. A cutoff that is not a number, or
/// is negative, has none.
pub fn neighbors(structure: &Structure, cutoff: f64) -> Neighbors {
    let mut found = Neighbors::default();
    if cutoff.is_nan() || cutoff < 0.0 {
        return found;
    }
    let limit = cutoff + TOLERANCE;
    let sites = Wrapped::new(structure);
    let images = Images::new(structure, &sites, limit);
    let mut hits = Hits::default();
    for i in 0..structure.len() {
        hits.clear();
        match &images.bins {
            None => hits.scan(&images, 0..images.len(), sites.cartesian[i], limit),
            Some((bins, order)) => {
                bins.around(sites.frac[i], |run| hits.scan(&images, run, sites.cartesian[i], limit));
                hits.restore(order);
            }
        }
        for &(m, d2) in hits.found() {
            let (j, image) = images.which[m as usize];
            // The only pair at no distance is the atom and itself: overlapping sites were refused before.
            if j as usize == i && image == [0; 3] {
                continue;
            }
            found.center.push(i as u32);
            found.neighbor.push(j);
            found.image.push(std::array::from_fn(|k| image[k] + sites.cell[i][k] - sites.cell[j as usize][k]));
            found.distance.push(d2.sqrt());
        }
    }
    found
}

/// The sites moved into the cell.
struct Wrapped {
    /// Fractional coordinates in [0, 1].
    frac: Vec<[f64; 3]>,
    cartesian: Vec<[f64; 3]>,
    /// The whole part that was taken off: `frac = given - cell`.
    cell: Vec<[i32; 3]>,
}

impl Wrapped {
    fn new(structure: &Structure) -> Self {
        let given = structure.frac_coords();
        let frac: Vec<[f64; 3]> = given.iter().map(|x| x.map(|x| x - x.floor())).collect();
        let cell = given.iter().map(|x| x.map(|x| x.floor() as i32)).collect();
        let cartesian = frac.iter().map(|&x| structure.lattice().to_cartesian(x)).collect();
        Self { frac, cartesian, cell }
    }
}

/// Every image that can lie within the limit of a site of the cell.
struct Images {
    x: Vec<f64>,
    y: Vec<f64>,
    z: Vec<f64>,
    /// Site, and lattice translation from its wrapped place, ascending.
    which: Vec<(u32, [i32; 3])>,
    /// Where binned, coordinates are in the order of the bins: the second part leads from their places to those of `which`.
    bins: Option<(Bins, Vec<u32>)>,
}

impl Images {
    fn new(structure: &Structure, sites: &Wrapped, limit: f64) -> Self {
        let spacings = structure.lattice().plane_spacings();
        let reach = spacings.map(|h| limit / h);
        let bound = |pick: fn(f64, f64) -> f64, k: usize| sites.frac.iter().map(|x| x[k]).reduce(pick).unwrap_or(0.0);
        let low: [f64; 3] = std::array::from_fn(|k| bound(f64::min, k) - reach[k]);
        let high: [f64; 3] = std::array::from_fn(|k| bound(f64::max, k) + reach[k]);
        let mut images = Self { x: vec![], y: vec![], z: vec![], which: vec![], bins: None };
        let mut frac = Vec::new();
        for (j, at) in sites.frac.iter().enumerate() {
            let range = |k: usize| (low[k] - at[k]).ceil() as i32..=(high[k] - at[k]).floor() as i32;
            for n0 in range(0) {
                for n1 in range(1) {
                    for n2 in range(2) {
                        let moved = [at[0] + f64::from(n0), at[1] + f64::from(n1), at[2] + f64::from(n2)];
                        images.push((j as u32, [n0, n1, n2]), structure.lattice().to_cartesian(moved));
                        frac.push(moved);
                    }
                }
            }
        }
        let mut bins = Bins::new(frac.len(), low, high, reach);
        if bins.len() >= BINNED {
            let order = bins.sort(&frac);
            let permute = |v: &[f64]| order.iter().map(|&m| v[m as usize]).collect();
            (images.x, images.y, images.z) = (permute(&images.x), permute(&images.y), permute(&images.z));
            images.bins = Some((bins, order));
        }
        images
    }

    fn push(&mut self, which: (u32, [i32; 3]), [x, y, z]: [f64; 3]) {
        self.which.push(which);
        self.x.push(x);
        self.y.push(y);
        self.z.push(z);
    }

    fn len(&self) -> usize {
        self.which.len()
    }
}

/// Images sorted into bins no narrower than the reach along each axis, so that 27 bins hold all of a site's neighbours.
struct Bins {
    low: [f64; 3],
    width: [f64; 3],
    count: [usize; 3],
    /// Images of bin b are `start[b]..start[b + 1]`.
    start: Vec<usize>,
}

impl Bins {
    fn new(images: usize, low: [f64; 3], high: [f64; 3], reach: [f64; 3]) -> Self {
        // No more bins than images: a crystal of few atoms in a vast cell has mostly empty space.
        let most = (images as f64).cbrt().ceil();
        let count = std::array::from_fn(|k| ((high[k] - low[k]) / reach[k]).floor().clamp(1.0, most) as usize);
        let width = std::array::from_fn(|k| (high[k] - low[k]) / count[k] as f64);
        Self { low, width, count, start: vec![] }
    }

    fn len(&self) -> usize {
        self.count.iter().product()
    }

    fn place(&self, x: [f64; 3]) -> [usize; 3] {
        std::array::from_fn(|k| (((x[k] - self.low[k]) / self.width[k]).max(0.0) as usize).min(self.count[k] - 1))
    }

    fn index(&self, [a, b, c]: [usize; 3]) -> usize {
        (a * self.count[1] + b) * self.count[2] + c
    }

    /// Counts the images of each bin and returns them in the order of the bins.
    fn sort(&mut self, frac: &[[f64; 3]]) -> Vec<u32> {
        let bin_of: Vec<usize> = frac.iter().map(|&x| self.index(self.place(x))).collect();
        self.start = vec![0; self.len() + 1];
        bin_of.iter().for_each(|b| self.start[b + 1] += 1);
        for b in 1..self.start.len() {
            self.start[b] += self.start[b - 1];
        }
        let mut next = self.start.clone();
        let mut order = vec![0; frac.len()];
        for (m, &b) in bin_of.iter().enumerate() {
            order[next[b]] = m as u32;
            next[b] += 1;
        }
        order
    }

    /// The runs of images in the bins around a place: bins in a row along the last axis are one run.
    fn around(&self, x: [f64; 3], mut visit: impl FnMut(Range<usize>)) {
        let at = self.place(x);
        let [first, last]: [[usize; 3]; 2] =
            [at.map(|n| n.saturating_sub(1)), std::array::from_fn(|k| (at[k] + 1).min(self.count[k] - 1))];
        for a in first[0]..=last[0] {
            for b in first[1]..=last[1] {
                visit(self.start[self.index([a, b, first[2]])]..self.start[self.index([a, b, last[2]]) + 1]);
            }
        }
    }
}

/// Images found within the limit of one site: index and squared distance. The buffer is kept from site to site.
#[derive(Default)]
struct Hits {
    buffer: Vec<(u32, f64)>,
    len: usize,
}

impl Hits {
    fn clear(&mut self) {
        self.len = 0;
    }

    fn found(&self) -> &[(u32, f64)] {
        &self.buffer[..self.len]
    }

    /// Adds the images of `run` within `limit` of `centre`. Written without a branch: one image in ten is a hit.
    fn scan(&mut self, images: &Images, run: Range<usize>, centre: [f64; 3], limit: f64) {
        let (limit2, first) = (limit * limit, run.start as u32);
        if self.buffer.len() < self.len + run.len() {
            self.buffer.resize(self.len + run.len(), (0, 0.0));
        }
        let (x, y, z) = (&images.x[run.clone()], &images.y[run.clone()], &images.z[run]);
        let room = &mut self.buffer[self.len..];
        let mut n = 0;
        for (m, ((x, y), z)) in x.iter().zip(y).zip(z).enumerate() {
            let d = [x - centre[0], y - centre[1], z - centre[2]];
            let d2 = d[0] * d[0] + d[1] * d[1] + d[2] * d[2];
            room[n] = (first + m as u32, d2);
            n += usize::from(d2 <= limit2);
        }
        self.len += n;
    }

    /// From places in the bins to places in `which`, ascending.
    fn restore(&mut self, order: &[u32]) {
        let found = &mut self.buffer[..self.len];
        found.iter_mut().for_each(|(m, _)| *m = order[*m as usize]);
        found.sort_unstable_by_key(|&(m, _)| m);
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
    fn binning_changes_nothing() {
        // The same crystal at one cutoff as a small cell (scanned) and as a large one (binned).
        let lattice = Lattice::from_parameters(4.1, 5.2, 6.3, 75.0, 85.0, 105.0).unwrap();
        let o = Element::from_symbol("O").unwrap();
        let small = Structure::new(lattice, vec![o, o], vec![[0.1, 0.2, 0.3], [0.6, 1.7, -0.4]]).unwrap();
        let large = small.supercell([5, 4, 3]).unwrap();
        let count = |s: &Structure| Images::new(s, &Wrapped::new(s), 5.0);
        assert!(count(&small).bins.is_none() && count(&large).bins.is_some());
        let (a, b) = (neighbors(&small, 5.0), neighbors(&large, 5.0));
        assert_eq!(60 * a.len(), b.len());
        assert!((60.0 * a.distance.iter().sum::<f64>() - b.distance.iter().sum::<f64>()).abs() < 1e-6);
        let keys: Vec<_> = (0..b.len()).map(|k| (b.center[k], b.neighbor[k], b.image[k])).collect();
        assert!(keys.is_sorted());
        // What the image says is what the distance is.
        let x = large.frac_coords();
        for k in 0..b.len() {
            let (from, to) = (x[b.center[k] as usize], x[b.neighbor[k] as usize]);
            let step = std::array::from_fn(|m| to[m] + f64::from(b.image[k][m]) - from[m]);
            let d = super::super::lattice::norm(large.lattice().to_cartesian(step));
            assert!((d - b.distance[k]).abs() < 1e-9);
        }
    }

    #[test]
    fn no_cutoff_no_pairs() {
        let cubic = one_atom(Lattice::from_parameters(1.0, 1.0, 1.0, 90.0, 90.0, 90.0).unwrap());
        assert!([f64::NAN, -1.0, 0.0].iter().all(|&cutoff| neighbors(&cubic, cutoff).is_empty()));
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

//! Every pair of atoms within a cutoff, periodic images included, for any cell and any cutoff.
//!
//! The atoms are wrapped into the cell and every image that can matter, those inside the cell widened by the cutoff, is
//! listed once: along axis k an image can lie within r of an atom only where their fractions differ by no more than r / h_k,
//! h_k being the spacing of the lattice planes. The bounds are exact, so no skewed cell loses a neighbour; as they would
//! list far more images than a sphere holds, a very skewed cell is searched in the compact basis of its lattice. Then each
//! atom scans the images: all of them in a small cell, those of the surrounding bins in a large one.

use std::ops::Range;

use super::{Lattice, Structure, Superbase, add, sub};

/// Distances up to `cutoff + TOLERANCE` count, as in pymatgen's `get_neighbor_list` (`numerical_tol`).
const TOLERANCE: f64 = 1e-8;
/// From this many bins on (a cell of about 300 atoms at 5 Å), binning costs less than scanning all images, as
/// `benches/neighbors.rs` measures.
const BINNED: usize = 100;
/// A cell less compact than this is searched in another basis: it would list fifty times the images it needs. Of a hundred
/// thousand crystals of the Materials Project none is.
const SKEWED: f64 = 0.02;

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
    neighbors_up_to(structure, cutoff, usize::MAX).unwrap_or_default()
}

/// [`neighbors`], or `None` as soon as there are more than `most`: a crystal may be far denser in places than on the whole.
pub fn neighbors_up_to(structure: &Structure, cutoff: f64, most: usize) -> Option<Neighbors> {
    search(structure, cutoff, 0..structure.len(), most)
}

/// The pairs of [`neighbors`] whose centre is `site`, without those of the others.
pub fn neighbors_of(structure: &Structure, site: usize, cutoff: f64) -> Neighbors {
    search(structure, cutoff, site..site + 1, usize::MAX).unwrap_or_default()
}

fn search(structure: &Structure, cutoff: f64, centers: Range<usize>, most: usize) -> Option<Neighbors> {
    let mut found = Neighbors::default();
    if cutoff.is_nan() || cutoff < 0.0 {
        return Some(found);
    }
    let limit = cutoff + TOLERANCE;
    let sites = Sites::new(structure);
    let images = Images::new(&sites, limit);
    let mut hits = Hits::default();
    for i in centers {
        hits.clear();
        match &images.bins {
            None => hits.scan(&images, 0..images.len(), sites.cartesian[i], limit),
            Some((bins, order)) => {
                bins.around(sites.frac[i], |run| hits.scan(&images, run, sites.cartesian[i], limit));
                hits.restore(order);
            }
        }
        let first = found.len();
        if hits.found().len() > most - first {
            return None;
        }
        for &(m, d2) in hits.found() {
            let (j, image) = images.which[m as usize];
            // The only pair at no distance is the atom and itself: overlapping sites were refused before.
            if j as usize == i && image == [0; 3] {
                continue;
            }
            found.center.push(i as u32);
            found.neighbor.push(j);
            found.image.push(sites.image(i, j as usize, image));
            found.distance.push(d2.sqrt());
        }
        if sites.base.is_some() {
            found.sort_from(first);
        }
    }
    Some(found)
}

impl Neighbors {
    /// Orders the pairs from `first` on, all of one centre, by site and image.
    fn sort_from(&mut self, first: usize) {
        let mut order: Vec<usize> = (first..self.len()).collect();
        order.sort_unstable_by_key(|&k| (self.neighbor[k], self.image[k]));
        let sorted: Vec<_> = order.iter().map(|&k| (self.neighbor[k], self.image[k], self.distance[k])).collect();
        for (k, pair) in (first..).zip(sorted) {
            (self.neighbor[k], self.image[k], self.distance[k]) = pair;
        }
    }
}

/// The sites moved into the cell that is searched.
struct Sites {
    lattice: Lattice,
    /// Fractional coordinates in [0, 1].
    frac: Vec<[f64; 3]>,
    cartesian: Vec<[f64; 3]>,
    /// The whole part that was taken off: `frac = given - cell`.
    cell: Vec<[i32; 3]>,
    /// Of a very skewed cell the compact basis, and the whole part that was taken off in the basis given before.
    base: Option<(Superbase, Vec<[i32; 3]>)>,
}

impl Sites {
    fn new(structure: &Structure) -> Self {
        let lattice = *structure.lattice();
        let (frac, cell) = fold(structure.frac_coords());
        if lattice.compactness() < SKEWED {
            let base = Superbase::of(&lattice);
            if let Ok(compact) = Lattice::new(base.rows) {
                let turned: Vec<[f64; 3]> = frac.iter().map(|&x| base.fractions(x)).collect();
                let (frac, inner) = fold(&turned);
                return Self::of(compact, frac, inner, Some((base, cell)));
            }
        }
        Self::of(lattice, frac, cell, None)
    }

    fn of(
        lattice: Lattice,
        frac: Vec<[f64; 3]>,
        cell: Vec<[i32; 3]>,
        base: Option<(Superbase, Vec<[i32; 3]>)>,
    ) -> Self {
        let cartesian = frac.iter().map(|&x| lattice.to_cartesian(x)).collect();
        Self { lattice, frac, cartesian, cell, base }
    }

    /// The lattice translation between sites i and j as given, from that between them as moved.
    fn image(&self, i: usize, j: usize, image: [i32; 3]) -> [i32; 3] {
        let image = add(image, sub(self.cell[i], self.cell[j]));
        match &self.base {
            None => image,
            Some((base, cell)) => add(base.image(image), sub(cell[i], cell[j])),
        }
    }
}

/// Coordinates in [0, 1] and the whole part that was taken off.
fn fold(given: &[[f64; 3]]) -> (Vec<[f64; 3]>, Vec<[i32; 3]>) {
    given.iter().map(|x| (x.map(|x| x - x.floor()), x.map(|x| x.floor() as i32))).unzip()
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
    fn new(sites: &Sites, limit: f64) -> Self {
        let spacings = sites.lattice.plane_spacings();
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
                        images.push((j as u32, [n0, n1, n2]), sites.lattice.to_cartesian(moved));
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
    use crate::{Element, Lattice};

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
    fn a_skewed_cell_names_its_neighbors_in_its_own_basis() {
        let o = Element::O;
        let lattice = Lattice::new([[3.0, 0.0, 0.0], [15.0, 3.0, 0.0], [-12.0, 21.0, 3.0]]).unwrap();
        assert!(lattice.compactness() < SKEWED);
        let s =
            Structure::new(lattice, vec![o; 3], vec![[0.1, 0.2, 0.3], [7.6, -2.3, 0.65], [0.6, 0.1, 999.0]]).unwrap();
        let n = neighbors(&s, 4.0);
        for k in 0..n.len() {
            let (i, j) = (n.center[k] as usize, n.neighbor[k] as usize);
            let x = s.frac_coords();
            let step = std::array::from_fn(|m| x[j][m] + f64::from(n.image[k][m]) - x[i][m]);
            let d = super::super::lattice::norm(lattice.to_cartesian(step));
            assert!((d - n.distance[k]).abs() < 1e-8 && d < 4.0 + 1e-8, "{d} {}", n.distance[k]);
        }
        let keys: Vec<_> = (0..n.len()).map(|k| (n.center[k], n.neighbor[k], n.image[k])).collect();
        assert!(keys.is_sorted() && keys.windows(2).all(|w| w[0] != w[1]));
        // As many as the same search along the skewed axes, which lists every image in reach.
        let (frac, cell) = fold(s.frac_coords());
        let along = Sites::of(lattice, frac, cell, None);
        let images = Images::new(&along, 4.0 + TOLERANCE);
        let within = |i: usize, m: usize| {
            let to = [images.x[m], images.y[m], images.z[m]];
            (0..3).map(|k| (to[k] - along.cartesian[i][k]).powi(2)).sum::<f64>().sqrt() <= 4.0 + TOLERANCE
        };
        let hits: usize = (0..3).map(|i| (0..images.len()).filter(|&m| within(i, m)).count()).sum();
        assert!(images.bins.is_none() && hits == n.len() + 3, "{hits} {}", n.len());
    }

    #[test]
    fn the_neighbors_of_one_site_are_its_part_of_the_list() {
        let lattice = Lattice::from_parameters(4.1, 5.2, 6.3, 75.0, 85.0, 105.0).unwrap();
        let s = Structure::new(lattice, vec![Element::O; 2], vec![[0.1, 0.2, 0.3], [0.6, 1.7, -0.4]]).unwrap();
        let (all, one) = (neighbors(&s, 6.0), neighbors_of(&s, 1, 6.0));
        let first = all.center.partition_point(|&c| c < 1);
        assert_eq!((one.distance.as_slice(), one.image.as_slice()), (&all.distance[first..], &all.image[first..]));
        assert!(one.center.iter().all(|&c| c == 1));
    }

    #[test]
    fn too_many_pairs_end_the_search() {
        let cubic = one_atom(Lattice::from_parameters(1.0, 1.0, 1.0, 90.0, 90.0, 90.0).unwrap());
        let all = neighbors(&cubic, 2.0);
        // One more: the atom itself is counted before it is left out.
        assert_eq!(neighbors_up_to(&cubic, 2.0, all.len() + 1), Some(all.clone()));
        assert_eq!(neighbors_up_to(&cubic, 2.0, all.len() - 1), None);
    }

    #[test]
    fn binning_changes_nothing() {
        // The same crystal at one cutoff as a small cell (scanned) and as a large one (binned).
        let lattice = Lattice::from_parameters(4.1, 5.2, 6.3, 75.0, 85.0, 105.0).unwrap();
        let o = Element::from_symbol("O").unwrap();
        let small = Structure::new(lattice, vec![o, o], vec![[0.1, 0.2, 0.3], [0.6, 1.7, -0.4]]).unwrap();
        let large = small.supercell([5, 4, 3]).unwrap();
        let count = |s: &Structure| Images::new(&Sites::new(s), 5.0);
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

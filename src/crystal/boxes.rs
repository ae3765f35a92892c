//! Sites sorted into boxes along the cell's axes, so that those near a point are found without looking at all.

use super::Structure;

/// Boxes of equal size, about one site in each.
pub(super) struct Boxes {
    count: [usize; 3],
    /// Half the edges of what a search looks at, in fractions.
    reach: [f64; 3],
    /// Sites of box b are `sites[start[b]..start[b + 1]]`, ascending.
    start: Vec<usize>,
    sites: Vec<usize>,
}

impl Boxes {
    /// The sites of `structure` for searches up to `reach`, Å.
    pub fn new(structure: &Structure, reach: f64) -> Self {
        let spacings = structure.lattice().plane_spacings();
        // As many boxes as sites, longer ones along no axis than along another.
        let edge = (structure.volume() / structure.len() as f64).cbrt();
        let most = structure.len() as f64;
        let count = spacings.map(|h| (h / edge).round().clamp(1.0, most) as usize);
        let reach = spacings.map(|h| reach / h);
        let mut boxes = Self { count, reach, start: vec![0; count.iter().product::<usize>() + 1], sites: Vec::new() };
        let of: Vec<usize> = structure.frac_coords().iter().map(|&x| boxes.index(boxes.place(x))).collect();
        of.iter().for_each(|b| boxes.start[b + 1] += 1);
        (1..boxes.start.len()).for_each(|b| boxes.start[b] += boxes.start[b - 1]);
        boxes.sites = (0..of.len()).collect();
        boxes.sites.sort_by_key(|&site| of[site]);
        boxes
    }

    /// All sites within the reach of `x` (fractions), and others; in no order, each once.
    pub fn near(&self, x: [f64; 3]) -> impl Iterator<Item = usize> {
        let (count, reach) = (self.count, self.reach);
        let along = move |k: usize| {
            let n = count[k] as i64;
            let [first, last] = [-1.0, 1.0].map(|side| ((x[k] + side * reach[k]) * n as f64).floor() as i64);
            (first..=last.min(first + n - 1)).map(move |b| b.rem_euclid(n) as usize)
        };
        let all = along(0).flat_map(move |a| along(1).flat_map(move |b| along(2).map(move |c| [a, b, c])));
        all.flat_map(|place| {
            let b = self.index(place);
            self.sites[self.start[b]..self.start[b + 1]].iter().copied()
        })
    }

    fn place(&self, x: [f64; 3]) -> [usize; 3] {
        std::array::from_fn(|k| (((x[k] - x[k].floor()) * self.count[k] as f64) as usize).min(self.count[k] - 1))
    }

    fn index(&self, [a, b, c]: [usize; 3]) -> usize {
        (a * self.count[1] + b) * self.count[2] + c
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Element, Lattice, lattice::norm};

    #[test]
    fn whatever_is_in_reach_is_found_once() {
        let lattice = Lattice::from_parameters(9.0, 14.0, 3.0, 80.0, 95.0, 110.0).unwrap();
        let frac: Vec<[f64; 3]> =
            (0..200).map(|i| [0.618, 0.414, 0.732].map(|g| 3.0 * f64::from(i) * g - 40.0)).collect();
        let s = Structure::with_overlaps(lattice, vec![Element::O; 200], frac.clone()).unwrap();
        for reach in [0.3, 1.1, 2.0, 7.0] {
            let boxes = Boxes::new(&s, reach);
            for x in &frac[..50] {
                let mut found: Vec<usize> = boxes.near(*x).collect();
                found.sort_unstable();
                assert!(found.windows(2).all(|w| w[0] != w[1]));
                for (site, y) in frac.iter().enumerate() {
                    let step = std::array::from_fn(|k| (y[k] - x[k]) - (y[k] - x[k]).round());
                    assert!(norm(lattice.to_cartesian(step)) > reach || found.binary_search(&site).is_ok());
                }
            }
        }
        assert!(Boxes::new(&s, 0.3).near(frac[0]).count() < 100);
    }
}

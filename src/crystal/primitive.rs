//! The primitive cell within a tolerance, Niggli-reduced: translations that nearly map the crystal onto itself are made
//! exact by averaging the sites they join. No other symmetry is imposed.

use moyo::base::Lattice as MoyoLattice;
use nalgebra::{Matrix3, Vector3};

use super::{Lattice, Structure, boxes::Boxes, guard::guarded, lattice::norm};

impl Structure {
    /// The smallest cell whose translations move every site by less than `tolerance` Å from a site of its element, its
    /// vectors Niggli-reduced. Where the translations found are no group, because the tolerance is wide against a
    /// distortion of the crystal, none is used and the cell is only reduced.
    pub fn primitive(&self, tolerance: f64) -> Self {
        let reduced = self.niggli();
        reduced.without_translations(tolerance).map_or(reduced, |primitive| primitive.niggli())
    }

    /// The same crystal in its Niggli-reduced cell.
    fn niggli(&self) -> Self {
        let given = MoyoLattice::from_basis(*self.lattice().rows());
        let Ok((reduced, _)) = guarded(|| given.unchecked_niggli_reduce()) else { return self.clone() };
        let turn = reduced.basis.try_inverse().map(|inverse| inverse * given.basis);
        let (Some(turn), Ok(lattice)) = (turn, Lattice::new(reduced.basis_as_array())) else { return self.clone() };
        // The transformation is unimodular; its elements are whole but for rounding.
        let turn = turn.map(f64::round);
        let frac = self.frac_coords().iter().map(|&x| (turn * Vector3::from(x)).into()).collect();
        self.in_basis(lattice, frac)
    }

    /// The cell with its pure translations divided out; `None` where it has none.
    fn without_translations(&self, tolerance: f64) -> Option<Self> {
        let species = self.species();
        let mut count = [0; 256];
        species.iter().for_each(|e| count[usize::from(e.z())] += 1);
        let pivot = (0..self.len()).min_by_key(|&i| count[usize::from(species[i].z())])?;
        let boxes = Boxes::new(self, 2.0 * tolerance);
        let mut found: Vec<Translation> = (0..self.len())
            .filter(|&i| species[i] == species[pivot])
            .filter_map(|i| self.translation(pivot, i, tolerance, &boxes))
            .collect();
        if found.len() < 2 || !is_group(&found, pivot) {
            return None;
        }
        let size = found.len() as i64;
        for t in &mut found {
            t.shift = t.shift.map(|x| (x * size as f64).round() / size as f64);
        }
        let steps = found.iter().map(|t| t.shift.map(|x| (x * size as f64).round() as i64));
        let basis = triangular(steps.collect(), size)?;
        let vectors = Matrix3::from_fn(|i, k| basis[i][k] as f64 / size as f64);
        let rows = Matrix3::from_fn(|i, k| self.lattice().rows()[i][k]);
        let smaller = vectors * rows;
        let lattice = Lattice::new(std::array::from_fn(|i| std::array::from_fn(|k| smaller[(i, k)]))).ok()?;
        let inverse = vectors.try_inverse()?;
        let (mut kept, mut frac) = (Vec::new(), Vec::new());
        for (site, x) in self.frac_coords().iter().enumerate() {
            if found.iter().any(|t| t.target[site] < site) {
                continue;
            }
            // The mean over the sites that the translations make one.
            let mut mean = Vector3::from(*x);
            for t in &found {
                let y = self.frac_coords()[t.target[site]];
                let d = Vector3::from_fn(|k, _| y[k] - t.shift[k] - x[k]);
                mean += (d - d.map(f64::round)) / size as f64;
            }
            kept.push(species[site]);
            frac.push((mean.transpose() * inverse).transpose().into());
        }
        Self::with_overlaps(lattice, kept, frac).ok()
    }

    /// The translation that moves site `from` to site `to`, if it moves every site to within `tolerance` of one of its
    /// element. The displacements' mean is part of it.
    fn translation(&self, from: usize, to: usize, tolerance: f64, boxes: &Boxes) -> Option<Translation> {
        let (x, species) = (self.frac_coords(), self.species());
        let shift: [f64; 3] = std::array::from_fn(|k| x[to][k] - x[from][k]);
        let mut taken = vec![false; self.len()];
        let (mut target, mut steps) = (Vec::with_capacity(self.len()), Vec::with_capacity(self.len()));
        for site in 0..self.len() {
            let step = |other: usize| {
                let d = std::array::from_fn(|k| {
                    let d = x[other][k] - x[site][k] - shift[k];
                    d - d.round()
                });
                (norm(self.lattice().to_cartesian(d)), d)
            };
            // Twice the tolerance, because the pair that names the translation is displaced itself.
            let (other, (_, d)) = boxes
                .near(std::array::from_fn(|k| x[site][k] + shift[k]))
                .filter(|&other| species[other] == species[site] && !taken[other])
                .map(|other| (other, step(other)))
                .filter(|(_, (distance, _))| *distance < 2.0 * tolerance)
                .min_by_key(|(other, _)| *other)?;
            taken[other] = true;
            target.push(other);
            steps.push(d);
        }
        let n = self.len() as f64;
        let mean: [f64; 3] = std::array::from_fn(|k| steps.iter().map(|d| d[k]).sum::<f64>() / n);
        let far =
            |d: &[f64; 3]| norm(self.lattice().to_cartesian(std::array::from_fn(|k| d[k] - mean[k]))) >= tolerance;
        (!steps.iter().any(far)).then(|| Translation { shift: std::array::from_fn(|k| shift[k] + mean[k]), target })
    }
}

/// A pure translation of a crystal: fractions of the cell vectors, and the site to which each site comes.
struct Translation {
    shift: [f64; 3],
    target: Vec<usize>,
}

/// Whether the translations, one of each image of the site `pivot`, combine to translations of the list. A group of
/// permutations that commute is built from generators, each product of one looked up by where it takes the pivot.
fn is_group(found: &[Translation], pivot: usize) -> bool {
    let mut by_image = vec![None; found[0].target.len()];
    for (t, translation) in found.iter().enumerate() {
        if by_image[translation.target[pivot]].replace(t).is_some() {
            return false;
        }
    }
    let product = |t: usize, u: usize| {
        let (t, u) = (&found[t].target, &found[u].target);
        let v = by_image[u[t[pivot]]]?;
        t.iter().zip(&found[v].target).all(|(&i, &image)| u[i] == image).then_some(v)
    };
    let Some(identity) = by_image[pivot] else { return false };
    let (mut known, mut list, mut generators) = (vec![false; found.len()], vec![identity], Vec::new());
    known[identity] = true;
    for g in 0..found.len() {
        if known[g] {
            continue;
        }
        if generators.iter().any(|&h| product(g, h).is_none() || product(g, h) != product(h, g)) {
            return false;
        }
        generators.push(g);
        // The coset of each power of g, until one is known.
        let mut coset = list.clone();
        loop {
            let Some(next) = coset.iter().map(|&t| product(t, g)).collect::<Option<Vec<usize>>>() else { return false };
            if known[next[0]] {
                if next.iter().any(|&t| !known[t]) {
                    return false;
                }
                break;
            }
            if next.iter().any(|&t| std::mem::replace(&mut known[t], true)) {
                return false;
            }
            list.extend(&next);
            coset = next;
        }
    }
    product(identity, identity) == Some(identity)
}

/// Basis of the lattice that `vectors` and `size` times the unit vectors generate, by elimination over whole numbers.
fn triangular(mut vectors: Vec<[i64; 3]>, size: i64) -> Option<[[i64; 3]; 3]> {
    vectors.extend((0..3).map(|k| std::array::from_fn(|l| if k == l { size } else { 0 })));
    let mut basis = [[0; 3]; 3];
    for k in 0..3 {
        // Euclid's algorithm on component k leaves one vector that has it.
        loop {
            let least = (0..vectors.len()).filter(|&i| vectors[i][k] != 0).min_by_key(|&i| vectors[i][k].abs())?;
            let pivot = vectors[least];
            let mut done = true;
            for (i, v) in vectors.iter_mut().enumerate() {
                if i != least && v[k] != 0 {
                    let factor = v[k].div_euclid(pivot[k]);
                    (0..3).for_each(|l| v[l] -= factor * pivot[l]);
                    done &= v[k] == 0;
                }
            }
            if done {
                basis[k] = vectors.swap_remove(least);
                break;
            }
        }
    }
    Some(basis)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Element;
    use crate::testing::rutile;

    #[test]
    fn a_supercell_returns_to_its_cell_and_a_primitive_one_stays() {
        for n in [[1, 1, 1], [2, 1, 3], [2, 2, 2]] {
            let cell = rutile().supercell(n).unwrap().primitive(0.01);
            assert_eq!(cell.len(), 6, "{n:?}");
            assert!((cell.volume() - rutile().volume()).abs() < 1e-9);
            assert!((cell.distance_min() - rutile().distance_min()).abs() < 1e-9);
        }
    }

    #[test]
    fn a_cell_of_a_thousand_sites_is_reduced_in_a_moment() {
        let large = rutile().supercell([6, 6, 5]).unwrap();
        let begun = std::time::Instant::now();
        assert_eq!(large.primitive(0.1).len(), 6);
        assert!(begun.elapsed().as_secs() < 20, "{:?}", begun.elapsed());
    }

    #[test]
    fn a_centred_cell_is_halved_and_a_displaced_atom_decides() {
        let w = Element::from_symbol("W").unwrap();
        let lattice = Lattice::from_parameters(3.165, 3.165, 3.165, 90.0, 90.0, 90.0).unwrap();
        let cell = |shift: f64| Structure::new(lattice, vec![w; 2], vec![[0.0; 3], [0.5 + shift, 0.5, 0.5]]).unwrap();
        assert_eq!(cell(0.0).primitive(0.01).len(), 1);
        assert_eq!(cell(0.05).primitive(0.25).len(), 1);
        assert_eq!(cell(0.2).primitive(0.1).len(), 2);
    }
}

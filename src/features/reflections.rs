//! Kinematic diffraction: every reciprocal-lattice point within a shell, and the square of its structure factor
//!
//! ```text
//! F(hkl) = Σ_elements f_e(|g|/2) Σ_atoms exp(2πi (h x + k y + l z))
//! ```
//!
//! The exponential is a product of three, one an axis, and exp(2πi h x) follows from exp(2πi (h - 1) x) by one
//! multiplication: sine and cosine are computed three times for each atom, never for a reflection. Points hkl and hk-l share their products
//! (the last factor is conjugate), and scattering factors are real, so the half space of Friedel's law is enough.

use std::f64::consts::TAU;

use super::scattering::Scattering;
use crate::FeatureError;
use crystal::{Lattice, Structure};

/// Atoms that are summed at a time.
const LANES: usize = 4;
/// Most reflections of one pattern.
const MAX_REFLECTIONS: f64 = 4.0e6;
/// Most terms (reflections times atoms) of one pattern: some ten seconds.
const MAX_TERMS: f64 = 1.0e10;
/// Most phase factors kept at once: 256 MB.
const MAX_PHASES: f64 = 1.6e7;

/// A point of the reciprocal lattice and its Friedel mate.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reflection {
    /// Miller indices; the first of them that is not zero is positive.
    pub hkl: [i32; 3],
    /// 1/d, 1/Å.
    pub g: f64,
    /// |F|² of one of the two, electrons².
    pub square: f64,
}

/// Every reflection with `range[0] <= 1/d <= range[1]` (1/Å), one of each Friedel pair, the origin left out.
///
/// # Errors
/// An element without a scattering factor, or a cell so large that the sum would not end in seconds.
pub(super) fn reflections(structure: &Structure, range: [f64; 2]) -> Result<Vec<Reflection>, FeatureError> {
    let [least, most] = range;
    let metric = reciprocal_metric(structure.lattice());
    // h = g · a, so |h| <= |g| |a|.
    let lengths = structure.lattice().parameters();
    let reach: [f64; 3] = std::array::from_fn(|k| (most * lengths[k] + 1e-9).floor());
    let expected = bound_work(structure, most, reach)?;
    let [last_h, last_k, last_l] = reach.map(|x| x as i32);

    let atoms = Atoms::new(structure)?;
    let [along_a, along_b, along_c] = [0, 1, 2].map(|axis| atoms.phases(axis, reach[axis] as usize));
    let mut found = Vec::with_capacity(expected);
    let mut column = Phase { re: vec![0.0; atoms.len], im: vec![0.0; atoms.len] };
    for h in 0..=last_h {
        for k in (if h == 0 { 0 } else { -last_k })..=last_k {
            // |g|² = plane + 2 tilt l + metric[2][2] l².
            let [x, y] = [f64::from(h), f64::from(k)];
            let plane = metric[0][0] * x * x + 2.0 * metric[0][1] * x * y + metric[1][1] * y * y;
            let tilt = metric[0][2] * x + metric[1][2] * y;
            let root = tilt * tilt - metric[2][2] * (plane - most * most);
            if root < 0.0 {
                continue;
            }
            let furthest = ((tilt.abs() + root.sqrt()) / metric[2][2] + 1e-9).floor() as i32;
            column.multiply(along_a.at(h), along_b.at(k), k < 0);
            let first = h > 0 || k > 0;
            let distance = |l: f64| (plane + l * (2.0 * tilt + metric[2][2] * l)).max(0.0).sqrt();
            for l in 0..=furthest.min(last_l) {
                let both = [distance(f64::from(l)), distance(f64::from(-l))];
                let [within, within_too] = both.map(|g| (least..=most).contains(&g));
                let wanted = [within && (first || l > 0), within_too && first && l > 0];
                if wanted == [false; 2] {
                    continue;
                }
                let squares = atoms.squares(&column, along_c.at(l), both.map(|g| 0.5 * g));
                for (side, l) in [l, -l].into_iter().enumerate() {
                    if wanted[side] {
                        found.push(Reflection { hkl: [h, k, l], g: both[side], square: squares[side] });
                    }
                }
            }
        }
    }
    Ok(found)
}

/// Refuses patterns that would take minutes; else about how many reflections there will be.
fn bound_work(structure: &Structure, most: f64, reach: [f64; 3]) -> Result<usize, FeatureError> {
    let atoms = structure.len() as f64;
    let count = 2.0 / 3.0 * std::f64::consts::PI * most.powi(3) * structure.volume();
    let phases = (reach.iter().sum::<f64>() + 3.0) * atoms;
    if count > MAX_REFLECTIONS || count * atoms > MAX_TERMS || phases > MAX_PHASES {
        return Err(FeatureError::Undefined(format!(
            "{count:.0} reflections of {atoms} atoms in a cell of {:.0} Å³ are too many for a powder pattern; take the \
             primitive cell, a narrower range of angles or a longer wavelength",
            structure.volume()
        )));
    }
    Ok(count as usize + 16)
}

/// Scalar products of the reciprocal vectors a*, b*, c* (without 2π), 1/Å².
fn reciprocal_metric(lattice: &Lattice) -> [[f64; 3]; 3] {
    // Row i: component i of a*, b*, c*.
    let inverse = [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]].map(|e| lattice.to_fractional(e));
    std::array::from_fn(|j| std::array::from_fn(|k| (0..3).map(|i| inverse[i][j] * inverse[i][k]).sum()))
}

/// The atoms of a cell, element by element, each element filled up to whole lanes with atoms that do not scatter.
struct Atoms {
    elements: Vec<(&'static Scattering, std::ops::Range<usize>)>,
    coords: Vec<Option<[f64; 3]>>,
    len: usize,
}

impl Atoms {
    fn new(structure: &Structure) -> Result<Self, FeatureError> {
        let mut order: Vec<usize> = (0..structure.len()).collect();
        order.sort_by_key(|&i| structure.species()[i]);
        let (mut elements, mut coords) = (Vec::new(), Vec::new());
        for group in order.chunk_by(|&i, &j| structure.species()[i] == structure.species()[j]) {
            let start = coords.len();
            coords.extend(group.iter().map(|&i| Some(structure.frac_coords()[i])));
            coords.resize(coords.len().next_multiple_of(LANES), None);
            elements.push((Scattering::of(structure.species()[group[0]])?, start..coords.len()));
        }
        Ok(Self { elements, len: coords.len(), coords })
    }

    /// exp(2πi n x) of every atom for n = 0 ... last, x its coordinate along `axis`.
    fn phases(&self, axis: usize, last: usize) -> Phases {
        let mut phases =
            Phases { len: self.len, re: vec![0.0; (last + 1) * self.len], im: vec![0.0; (last + 1) * self.len] };
        for (j, coords) in self.coords.iter().enumerate() {
            let Some(coords) = coords else { continue };
            let x = coords[axis];
            let (sin, cos) = (TAU * (x - x.round())).sin_cos();
            let [mut re, mut im] = [1.0, 0.0];
            for n in 0..=last {
                (phases.re[n * self.len + j], phases.im[n * self.len + j]) = (re, im);
                (re, im) = (re * cos - im * sin, re * sin + im * cos);
            }
        }
        phases
    }

    /// |F|² at hkl and at hk-l, from the phases along hk, those along l, and s of both.
    fn squares(&self, column: &Phase, (c, d): (&[f64], &[f64]), s: [f64; 2]) -> [f64; 2] {
        let mut f = [[0.0; 2]; 2];
        for (scattering, range) in &self.elements {
            let range = range.clone();
            let [ac, bd, ad, bc] =
                products([&column.re[range.clone()], &column.im[range.clone()]], [&c[range.clone()], &d[range]]);
            // In a cell with right angles both are as far out.
            let plus = scattering.at(s[0]);
            let minus = if s[1] == s[0] { plus } else { scattering.at(s[1]) };
            f[0][0] += plus * (ac - bd);
            f[0][1] += plus * (bc + ad);
            f[1][0] += minus * (ac + bd);
            f[1][1] += minus * (bc - ad);
        }
        f.map(|[re, im]| re * re + im * im)
    }
}

/// Σ ac, Σ bd, Σ ad, Σ bc.
#[inline]
fn products([a, b]: [&[f64]; 2], [c, d]: [&[f64]; 2]) -> [f64; 4] {
    let quads = |x| <[f64]>::as_chunks::<LANES>(x).0.iter();
    let mut sums = [[0.0; LANES]; 4];
    for (((a, b), c), d) in quads(a).zip(quads(b)).zip(quads(c)).zip(quads(d)) {
        for k in 0..LANES {
            sums[0][k] += a[k] * c[k];
            sums[1][k] += b[k] * d[k];
            sums[2][k] += a[k] * d[k];
            sums[3][k] += b[k] * c[k];
        }
    }
    sums.map(|lanes| lanes.iter().sum())
}

/// A unit complex number for each atom, real and imaginary parts apart.
struct Phase {
    re: Vec<f64>,
    im: Vec<f64>,
}

impl Phase {
    /// The product of `p` and `q`, or of `p` and the conjugate of `q`.
    fn multiply(&mut self, (p_re, p_im): (&[f64], &[f64]), (q_re, q_im): (&[f64], &[f64]), conjugate: bool) {
        let sign = if conjugate { -1.0 } else { 1.0 };
        let factors = p_re.iter().zip(p_im).zip(q_re.iter().zip(q_im));
        for ((re, im), ((pr, pi), (qr, qi))) in self.re.iter_mut().zip(&mut self.im).zip(factors) {
            let qi = sign * qi;
            (*re, *im) = (pr * qr - pi * qi, pr * qi + pi * qr);
        }
    }
}

/// The phases of every atom along one axis, for each index n >= 0.
struct Phases {
    len: usize,
    re: Vec<f64>,
    im: Vec<f64>,
}

impl Phases {
    /// Those of index |n|.
    fn at(&self, n: i32) -> (&[f64], &[f64]) {
        let row = n.unsigned_abs() as usize * self.len..(n.unsigned_abs() as usize + 1) * self.len;
        (&self.re[row.clone()], &self.im[row])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crystal::Element;
    use crystal::testing::alpha_moo3;

    /// |F|² and 1/d straight from the definitions.
    fn by_definition(structure: &Structure, hkl: [i32; 3]) -> (f64, f64) {
        let inverse = [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]].map(|e| structure.lattice().to_fractional(e));
        let g = inverse.map(|row| (0..3).map(|k| row[k] * f64::from(hkl[k])).sum::<f64>());
        let g = g.iter().map(|x| x * x).sum::<f64>().sqrt();
        let (mut re, mut im) = (0.0, 0.0);
        for (&element, x) in structure.species().iter().zip(structure.frac_coords()) {
            let phase = TAU * (0..3).map(|k| f64::from(hkl[k]) * x[k]).sum::<f64>();
            let f = Scattering::of(element).unwrap().at(0.5 * g);
            (re, im) = (re + f * phase.cos(), im + f * phase.sin());
        }
        (g, re * re + im * im)
    }

    fn triclinic() -> Structure {
        let lattice = Lattice::from_parameters(4.1, 7.0, 5.6, 75.0, 98.0, 110.0).unwrap();
        let [ti, v] = ["Ti", "V"].map(|s| Element::from_symbol(s).unwrap());
        let sites = vec![[0.1, 0.2, 0.3], [-3.38, 0.71, 0.9], [0.3, 8.8, 0.55], [0.8, 0.15, 0.6], [0.5, 0.5, 0.1]];
        Structure::new(lattice, vec![Element::O, ti, Element::O, v, Element::O], sites).unwrap()
    }

    #[test]
    fn structure_factors_follow_the_definition() {
        for structure in [triclinic(), alpha_moo3()] {
            for r in reflections(&structure, [0.0, 1.1]).unwrap() {
                let (g, square) = by_definition(&structure, r.hkl);
                assert!((r.g - g).abs() < 1e-12 && (r.square - square).abs() < 1e-7, "{r:?}: {g} {square}");
            }
        }
    }

    #[test]
    fn one_of_each_friedel_pair_and_none_is_left_out() {
        let (structure, range) = (triclinic(), [0.3, 0.9]);
        let mut found: Vec<_> = reflections(&structure, range).unwrap().iter().map(|r| r.hkl).collect();
        found.sort_unstable();
        let mut wanted = Vec::new();
        for n in 0..21 * 21 * 21 {
            let hkl = [n / 441 - 10, n / 21 % 21 - 10, n % 21 - 10];
            if hkl > [0; 3] && (range[0]..=range[1]).contains(&by_definition(&structure, hkl).0) {
                wanted.push(hkl);
            }
        }
        wanted.sort_unstable();
        assert_eq!(found, wanted);
    }

    #[test]
    fn work_without_end_is_refused() {
        let lattice = Lattice::from_parameters(900.0, 900.0, 900.0, 90.0, 90.0, 90.0).unwrap();
        let huge = Structure::new(lattice, vec![Element::O], vec![[0.0; 3]]).unwrap();
        let message = reflections(&huge, [0.0, 1.3]).unwrap_err().to_string();
        assert!(message.contains("too many for a powder pattern"), "{message}");
        let skewed = Lattice::new([[5.0, 0.0, 0.0], [290.0, 5.0, 0.0], [285.0, 10.0, 5.0]]).unwrap();
        let skewed = Structure::new(skewed, vec![Element::O; 1], vec![[0.0; 3]]).unwrap();
        // A cube of 5 Å in a skewed basis: 100, 110 and their equivalents lie below 0.3 1/Å.
        assert_eq!(reflections(&skewed, [0.0, 0.3]).unwrap().len(), 9);
    }
}

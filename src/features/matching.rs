//! Whether two crystals are the same structure, and how far apart their atoms are.
//!
//! Both are brought to their primitive cell, Niggli-reduced and scaled to one volume per atom. Every triple of lattice
//! vectors of the first whose lengths and angles are those of the second's cell, within tolerances, is a way to lay one
//! lattice on the other; every atom of the rarest element of the first is a place for the second's first such atom.
//! For each of these placements the atoms are assigned one to one, element by element, so that the sum of the squared
//! distances is least (exactly, see `assignment`), and the mean displacement is taken off. Distances are measured
//! between the mean of both lattices and given in units of (V / N)^(1/3), the edge of the cube of one atom: they are
//! pure numbers. The criterion, its units and its default tolerances are those of pymatgen's `StructureMatcher`
//! (Ong *et al.*, *Comput. Mater. Sci.* **68** (2013) 314), so that verdicts can be compared; unlike there, both
//! directions are tried, so that the order of the two crystals does not matter.
//!
//! A mirror image counts as the same structure.

use super::assignment::{Edges, assign};
use crate::FeatureError;
use crystal::{Element, Lattice, Structure, dot};

/// How far two crystals may differ and still be one structure.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Tolerances {
    /// Relative difference of the lengths of cell vectors.
    pub length: f64,
    /// Distance of an atom from its partner, in units of (V / N)^(1/3).
    pub site: f64,
    /// Difference of cell angles, degrees.
    pub angle: f64,
}

impl Default for Tolerances {
    /// 0.2, 0.3 and 5°: pymatgen's defaults.
    fn default() -> Self {
        Self { length: 0.2, site: 0.3, angle: 5.0 }
    }
}

impl Tolerances {
    /// The tolerances themselves, where the search can work with them.
    ///
    /// # Errors
    /// What is wrong: not a number, negative, or so wide that any two lattices would match.
    pub fn checked(self) -> Result<Self, String> {
        for (name, value, most) in
            [("ltol", self.length, 0.5), ("stol", self.site, 1.0), ("angle_tol", self.angle, 30.0)]
        {
            if !(value > 0.0 && value <= most) {
                return Err(format!("{name} is {value}; it must be above 0 and at most {most}"));
            }
        }
        Ok(self)
    }
}

/// How well one crystal lies on another.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Match {
    /// Whether in some placement every atom is within the site tolerance of its partner.
    pub same: bool,
    /// Least root mean square of the distances over all placements, in units of (V / N)^(1/3).
    pub rms: f64,
    /// The largest distance in the placement of least rms, same units.
    pub largest: f64,
}

/// How well `a` and `b` lie on each other, element on element; `None` where no placement has an rms within the site
/// tolerance.
pub fn match_structures(a: &Structure, b: &Structure, tolerances: &Tolerances) -> Option<Match> {
    comparable(a, b).then(|| Reduced::of(a).compare(&Reduced::of(b), tolerances))?
}

/// Whether `a` and `b` are the same structure: [`Match::same`], found at the first placement that shows it.
pub fn same_structure(a: &Structure, b: &Structure, tolerances: &Tolerances) -> bool {
    comparable(a, b) && Reduced::of(a).is_same(&Reduced::of(b), tolerances)
}

/// Whether `a` and `b` are the same structure once the elements of one are exchanged, one for one, for those of the
/// other: rutile TiO2 and SnO2, but also CaF2 and Li2O.
///
/// # Errors
/// More than eight elements that occur equally often: too many ways to exchange them.
pub fn same_arrangement(a: &Structure, b: &Structure, tolerances: &Tolerances) -> Result<bool, FeatureError> {
    let (a, b) = (Reduced::of(a), Reduced::of(b));
    let pairings = a.exchanges(&b)?;
    Ok([(&a, &b, false), (&b, &a, true)].into_iter().any(|(onto, from, turned)| {
        let pairings: Vec<_> = if turned { pairings.iter().map(|p| inverse(p)).collect() } else { pairings.clone() };
        Search::new(onto, from, tolerances, Aim::Same).run(&pairings).same
    }))
}

/// Most ways to exchange elements that are tried: those of eight that occur equally often.
const MAX_EXCHANGES: f64 = 40_320.0;

/// Most distances between sites of a crystal and those of its placements: under half a minute for the lattices of a cube.
const MAX_DISTANCES: f64 = 1e8;
/// Cells of no more sites than this have no more distances, whatever they are made of.
const SMALL: usize = 400;

/// Most lattice vectors that are looked through for those of another cell: a needle has millions as long as its axis.
const MAX_VECTORS: f64 = 1e7;

/// How many lattice vectors are looked through for those up to `length`, Å.
fn vectors_within(lattice: &Lattice, length: f64) -> f64 {
    lattice.plane_spacings().iter().map(|h| 2.0 * (length / h).floor() + 1.0).product()
}

/// Whether a crystal is small enough to be compared.
///
/// # Errors
/// A primitive cell of so many sites that the comparison would take minutes: from some 500 sites of one element on, some 1000 of
/// several; or a cell so much longer than thin that too many lattice vectors are as long.
pub fn matchable(structure: &Structure) -> Result<(), FeatureError> {
    let [a, b, c, ..] = structure.lattice().parameters();
    if vectors_within(structure.lattice(), a.max(b).max(c)) > MAX_VECTORS {
        return Err(FeatureError::Undefined(format!(
            "a cell of {a:.1} x {b:.1} x {c:.1} Å is too thin to be laid on another: over {MAX_VECTORS:.0e} lattice vectors are as long"
        )));
    }
    if structure.len() <= SMALL {
        return Ok(());
    }
    let reduced = Reduced::of(structure);
    let runs = (0..reduced.kinds.len()).map(|kind| reduced.sites(kind).len() as f64);
    let distances = reduced.sites(0).len() as f64 * runs.map(|n| n * n).sum::<f64>();
    if distances > MAX_DISTANCES {
        return Err(FeatureError::Undefined(format!(
            "a primitive cell of {} sites is too large to be laid on another: {distances:.0e} distances a lattice, over {MAX_DISTANCES:.0e}",
            reduced.len()
        )));
    }
    Ok(())
}

/// Cheap and necessary: the same elements in the same proportions.
fn comparable(a: &Structure, b: &Structure) -> bool {
    a.composition().same_proportions(&b.composition(), 1e-9)
}

/// Displacement that a translation may leave, Å, and still make the cell smaller: rattled supercells reduce.
const PRIMITIVE: f64 = 0.25;

/// A crystal ready for comparison: primitive, Niggli-reduced, 1 Å³ an atom, sites by element, the rarest first.
#[derive(Debug, Clone)]
pub struct Reduced {
    rows: [[f64; 3]; 3],
    frac: Vec<[f64; 3]>,
    /// Elements with the end of their run of sites.
    kinds: Vec<(Element, usize)>,
}

impl Reduced {
    /// The reduced form of a crystal.
    pub fn of(structure: &Structure) -> Self {
        let cell = structure.primitive(PRIMITIVE);
        let mut sites: Vec<(Element, [f64; 3])> =
            cell.species().iter().copied().zip(cell.frac_coords().iter().copied()).collect();
        let count = |e: Element| cell.species().iter().filter(|other| **other == e).count();
        sites.sort_by_cached_key(|(e, _)| (count(*e), e.z()));
        let mut kinds: Vec<(Element, usize)> = Vec::new();
        for (i, &(element, _)) in sites.iter().enumerate() {
            match kinds.last_mut() {
                Some((last, end)) if *last == element => *end = i + 1,
                _ => kinds.push((element, i + 1)),
            }
        }
        let scale = (sites.len() as f64 / cell.volume()).cbrt();
        Self {
            rows: cell.lattice().rows().map(|row| row.map(|x| x * scale)),
            frac: sites.into_iter().map(|(_, x)| x).collect(),
            kinds,
        }
    }

    /// Number of atoms in the primitive cell.
    #[allow(clippy::len_without_is_empty, reason = "a structure is never empty")]
    pub fn len(&self) -> usize {
        self.frac.len()
    }

    /// As [`match_structures`].
    pub fn compare(&self, other: &Self, tolerances: &Tolerances) -> Option<Match> {
        let found = self.search(other, tolerances, Aim::Least)?;
        (found.rms < tolerances.site).then_some(found)
    }

    /// As [`same_structure`].
    pub fn is_same(&self, other: &Self, tolerances: &Tolerances) -> bool {
        self.search(other, tolerances, Aim::Same).is_some_and(|found| found.same)
    }

    fn search(&self, other: &Self, tolerances: &Tolerances, aim: Aim) -> Option<Match> {
        if self.kinds != other.kinds {
            return None;
        }
        let pairing = [(0..self.kinds.len()).collect()];
        let found = Search::new(self, other, tolerances, aim).run(&pairing);
        if aim.is_reached(&found) {
            return Some(found);
        }
        let back = Search::new(other, self, tolerances, aim).run(&pairing);
        let least = if back.rms < found.rms { back } else { found };
        Some(Match { same: found.same || back.same, ..least })
    }

    fn sites(&self, kind: usize) -> std::ops::Range<usize> {
        let start = if kind == 0 { 0 } else { self.kinds[kind - 1].1 };
        start..self.kinds[kind].1
    }

    /// Every way to exchange the elements of `from` for those of `self` that occur as often: pairing[k] is the kind of
    /// `self` on which kind k of `from` is laid.
    fn exchanges(&self, from: &Self) -> Result<Vec<Vec<usize>>, FeatureError> {
        // Kinds are in order of their number: equal runs of sites mean equal numbers.
        let ends = |r: &Self| r.kinds.iter().map(|(_, end)| *end).collect::<Vec<_>>();
        if ends(self) != ends(from) {
            return Ok(Vec::new());
        }
        let counts: Vec<_> = (0..self.kinds.len()).map(|kind| self.sites(kind).len()).collect();
        let ways: f64 = counts.chunk_by(|a, b| a == b).flat_map(|equal| 1..=equal.len()).map(|n| n as f64).product();
        if ways > MAX_EXCHANGES {
            let kinds = counts.len();
            return Err(FeatureError::Undefined(format!(
                "{kinds} elements can be exchanged in {ways:.0e} ways, over {MAX_EXCHANGES:.0e}"
            )));
        }
        let mut pairings = vec![Vec::new()];
        for kind in 0..self.kinds.len() {
            let equal = |other: &usize| self.sites(*other).len() == from.sites(kind).len();
            pairings = pairings
                .into_iter()
                .flat_map(|taken: Vec<usize>| {
                    let free: Vec<_> = (0..self.kinds.len()).filter(equal).filter(|k| !taken.contains(k)).collect();
                    free.into_iter().map(move |k| [taken.as_slice(), &[k]].concat())
                })
                .collect();
        }
        Ok(pairings)
    }
}

fn inverse(pairing: &[usize]) -> Vec<usize> {
    let mut inverse = vec![0; pairing.len()];
    pairing.iter().enumerate().for_each(|(from, &onto)| inverse[onto] = from);
    inverse
}

/// What a search looks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Aim {
    /// Any placement within the tolerance.
    Same,
    /// The placement of least rms.
    Least,
}

/// An rms that no better placement can improve on: float noise.
const PERFECT: f64 = 1e-5;

impl Aim {
    fn is_reached(self, found: &Match) -> bool {
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

struct Search<'a> {
    onto: &'a Reduced,
    from: &'a Reduced,
    tolerances: &'a Tolerances,
    aim: Aim,
    best: Match,
    edges: Edges,
    steps: Vec<(u32, [f64; 3])>,
}

impl<'a> Search<'a> {
    fn new(onto: &'a Reduced, from: &'a Reduced, tolerances: &'a Tolerances, aim: Aim) -> Self {
        let best = Match { same: false, rms: f64::INFINITY, largest: f64::INFINITY };
        Self { onto, from, tolerances, aim, best, edges: Edges::default(), steps: Vec::new() }
    }

    /// The best over all placements, kinds laid on kinds as each pairing says.
    fn run(mut self, pairings: &[Vec<usize>]) -> Match {
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::void::tests::{rutile, srtio3, v2o5};

    fn swapped(structure: &Structure, elements: &[(&str, &str)]) -> Structure {
        let element = |s: &str| Element::from_symbol(s).unwrap();
        let swap =
            |e: &Element| elements.iter().find(|(from, _)| element(from) == *e).map_or(*e, |(_, onto)| element(onto));
        let species = structure.species().iter().map(swap).collect();
        Structure::new(*structure.lattice(), species, structure.frac_coords().to_vec()).unwrap()
    }

    /// TiO2, anatase, I4_1/amd, in its primitive cell: a = 3.785, c = 9.514 Å, O at z = 0.208.
    fn anatase() -> Structure {
        let (a, c, z) = (3.785 / 2.0, 9.514 / 2.0, 0.208);
        let lattice = Lattice::new([[-a, a, c], [a, -a, c], [a, a, -c]]).unwrap();
        let (ti, o) = (Element::from_symbol("Ti").unwrap(), Element::O);
        let frac = [
            [0.0, 0.0, 0.0],
            [0.75, 0.25, 0.5],
            [z, z, 0.0],
            [-z, -z, 0.0],
            [0.75 + z, 0.25 + z, 0.5],
            [0.75 - z, 0.25 - z, 0.5],
        ];
        Structure::new(lattice, vec![ti, ti, o, o, o, o], frac.to_vec()).unwrap()
    }

    /// Another description of the same crystal: basis, origin, order and scale.
    fn disguised(structure: &Structure, shift: [f64; 3], scale: f64, turn: usize) -> Structure {
        let [a, b, c] = *structure.lattice().rows();
        let add = |u: [f64; 3], v: [f64; 3]| std::array::from_fn(|k| (u[k] + v[k]) * scale);
        let zero = [0.0; 3];
        // Rows a + b, b, b + c; then x' = x M⁻¹ with M⁻¹ = [[1, -1, 0], [0, 1, 0], [0, -1, 1]].
        let lattice = Lattice::new([add(a, b), add(b, zero), add(b, c)]).unwrap();
        let n = structure.len();
        let order = (0..n).map(|i| (i + turn) % n);
        let sites = order.map(|i| {
            let x: [f64; 3] = std::array::from_fn(|k| structure.frac_coords()[i][k] + shift[k]);
            (structure.species()[i], [x[0], x[1] - x[0] - x[2], x[2]])
        });
        let (species, frac) = sites.unzip();
        Structure::new(lattice, species, frac).unwrap()
    }

    #[test]
    fn elements_with_too_many_exchanges_are_named() {
        let row = |n: u16| {
            let lattice = Lattice::from_parameters(3.0 * f64::from(n), 3.0, 3.0, 90.0, 90.0, 90.0).unwrap();
            let species = (1..=n).map(|z| Element::from_z(z.into()).unwrap()).collect();
            Structure::new(lattice, species, (0..n).map(|i| [f64::from(i) / f64::from(n), 0.0, 0.0]).collect()).unwrap()
        };
        let t = Tolerances::default();
        assert_eq!(same_arrangement(&row(5), &row(5), &t), Ok(true));
        let error = same_arrangement(&row(24), &row(24), &t).unwrap_err().to_string();
        assert!(error.contains("24 elements can be exchanged in 6e23 ways"), "{error}");
    }

    #[test]
    fn a_cell_too_large_to_compare_is_named_and_its_supercell_of_a_small_one_is_not() {
        let lattice = Lattice::from_parameters(40.0, 40.0, 40.0, 90.0, 90.0, 90.0).unwrap();
        let site = |i: usize| [0.618, 0.414, 0.732].map(|g: f64| (g * (i + 1) as f64).fract());
        let glass = Structure::with_overlaps(lattice, vec![Element::O; 600], (0..600).map(site).collect()).unwrap();
        let error = matchable(&glass).unwrap_err().to_string();
        assert!(error.contains("a primitive cell of 600 sites is too large"), "{error}");
        let cube = Lattice::from_parameters(3.0, 3.0, 3.0, 90.0, 90.0, 90.0).unwrap();
        let po = Structure::new(cube, vec![Element::O], vec![[0.0; 3]]).unwrap();
        assert_eq!(matchable(&po.supercell([8, 9, 10]).unwrap()), Ok(()));
        let needle = Structure::new(
            Lattice::from_parameters(0.8, 0.8, 9e3, 90.0, 90.0, 90.0).unwrap(),
            vec![Element::O],
            vec![[0.0; 3]],
        );
        let error = matchable(&needle.unwrap()).unwrap_err().to_string();
        assert!(error.contains("too thin"), "{error}");
    }

    #[test]
    fn rutile_is_no_anatase_though_both_are_tio2() {
        let t = Tolerances::default();
        assert!(!same_structure(&rutile(), &anatase(), &t));
        assert!(match_structures(&rutile(), &anatase(), &t).is_none());
        assert!(same_structure(&anatase(), &anatase(), &t));
    }

    #[test]
    fn one_displaced_atom_is_the_rms() {
        let v = v2o5();
        let mut frac = v.frac_coords().to_vec();
        frac[4][1] += 0.3 / 3.564;
        let moved = Structure::new(*v.lattice(), v.species().to_vec(), frac).unwrap();
        let n = v.len() as f64;
        // One of n atoms is displaced by d = 0.3 Å, and the mean displacement d/n is taken off.
        let unit = (v.volume() / n).cbrt();
        let found = match_structures(&v, &moved, &Tolerances::default()).unwrap();
        assert!((found.rms - 0.3 * (1.0 / n - 1.0 / (n * n)).sqrt() / unit).abs() < 1e-6, "{found:?}");
        assert!((found.largest - 0.3 * (1.0 - 1.0 / n) / unit).abs() < 1e-6, "{found:?}");
        assert!(found.same);
        assert!(!same_structure(&v, &moved, &Tolerances { site: 0.05, ..Tolerances::default() }));
    }

    #[test]
    fn elements_are_exchanged_only_where_asked() {
        let t = Tolerances::default();
        let tin = swapped(&rutile(), &[("Ti", "Sn")]);
        assert!(!same_structure(&rutile(), &tin, &t) && same_arrangement(&rutile(), &tin, &t).unwrap());
        // Sr and Ti exchanged: another crystal of the same arrangement.
        let anti = swapped(&srtio3(), &[("Sr", "Ti"), ("Ti", "Sr")]);
        assert!(same_arrangement(&srtio3(), &anti, &t).unwrap());
        assert!(!same_arrangement(&rutile(), &anatase(), &t).unwrap());
        assert!(!same_arrangement(&rutile(), &srtio3(), &t).unwrap());
    }

    #[test]
    fn a_vacancy_or_another_element_is_another_structure() {
        let t = Tolerances::default();
        let mut species = rutile().species().to_vec();
        species[0] = Element::from_symbol("V").unwrap();
        let doped = Structure::new(*rutile().lattice(), species, rutile().frac_coords().to_vec()).unwrap();
        assert!(!same_structure(&rutile(), &doped, &t));
        let fewer =
            Structure::new(*rutile().lattice(), rutile().species()[..5].to_vec(), rutile().frac_coords()[..5].to_vec());
        assert!(!same_structure(&rutile(), &fewer.unwrap(), &t));
    }

    #[test]
    fn tolerances_that_match_everything_are_refused() {
        assert!(Tolerances::default().checked().is_ok());
        for t in [
            Tolerances { site: 0.0, ..Tolerances::default() },
            Tolerances { length: f64::NAN, ..Tolerances::default() },
            Tolerances { angle: 90.0, ..Tolerances::default() },
        ] {
            assert!(t.checked().is_err(), "{t:?}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]
        #[test]
        fn a_crystal_matches_itself_however_it_is_described(
            shift in prop::array::uniform3(-1.0..1.0_f64),
            scale in 0.9..1.1_f64,
            turn in 0..14_usize,
            which in 0..4_usize,
        ) {
            let crystal = [rutile(), anatase(), srtio3(), v2o5()][which].clone();
            let other = disguised(&crystal.supercell([1, 1, 1 + turn % 2]).unwrap(), shift, scale, turn);
            let t = Tolerances::default();
            let [there, back] = [(&crystal, &other), (&other, &crystal)].map(|(a, b)| match_structures(a, b, &t).unwrap());
            prop_assert!(there.same && there.rms < 1e-5 && there.largest < 1e-4, "{there:?}");
            prop_assert!(back.same && back.rms < 1e-5);
            prop_assert!(same_structure(&crystal, &other, &t) && same_arrangement(&other, &crystal, &t).unwrap());
        }
    }
}

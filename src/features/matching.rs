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

mod reduced;
mod search;

use crate::FeatureError;
use crystal::Structure;

pub use reduced::Reduced;
use search::{Aim, MAX_VECTORS, Search, vectors_within};

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

/// Whether `a` and `b` are the same structure: [`Match::same`], decided at the first placement that fits.
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
        let pairings: Vec<_> =
            if turned { pairings.iter().map(|p| reduced::inverse(p)).collect() } else { pairings.clone() };
        Search::new(onto, from, tolerances, Aim::Same).run(&pairings).same
    }))
}

/// Most distances between sites of a crystal and those of its placements: under half a minute for the lattices of a cube.
const MAX_DISTANCES: f64 = 1e8;
/// Cells of no more sites than this have no more distances, whatever they are made of.
const SMALL: usize = 400;

/// Whether a crystal is small enough to be compared.
///
/// # Errors
/// A primitive cell of so many sites that the comparison would take minutes: from some 500 sites of one element on, some 1000 of
/// several; or a cell so much longer than thin that too many lattice vectors are as long.
pub fn matchable(structure: &Structure) -> Result<(), FeatureError> {
    let [a, b, c, ..] = structure.lattice().parameters();
    if vectors_within(structure.lattice(), a.max(b).max(c)) > MAX_VECTORS {
        return Err(FeatureError::Undefined(format!(
            "a cell of {a:.1} x {b:.1} x {c:.1} Å is too thin to compare: over {MAX_VECTORS:.0e} lattice vectors are no longer than its longest"
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
            "a primitive cell of {} sites is too large to compare: {distances:.0e} distances between its sites, over {MAX_DISTANCES:.0e}",
            reduced.len()
        )));
    }
    Ok(())
}

/// Cheap and necessary: the same elements in the same proportions.
fn comparable(a: &Structure, b: &Structure) -> bool {
    a.composition().same_proportions(&b.composition(), 1e-9)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crystal::{Element, Lattice};

    use crystal::testing::{rutile, srtio3, v2o5};

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

//! An ordered crystal in the place of a disordered one.
//!
//! The smallest supercell of the primitive cell is taken in which every occupancy is a whole number of atoms, within a tolerance, and
//! of all the shapes that a supercell of that size has ([`hermite_forms`]), and all the ways to divide the atoms among the sites, the
//! one of least electrostatic energy: Ewald's sum over the formal charges of the composition ([`ewald_potentials`]). Sites that hold
//! the same on average are filled together. No two atoms are put nearer than [`MIN_SITE_DISTANCE`], so that of a split site one half is
//! taken. Where few ways exist every one is tried; else the search goes downhill from several starts (see `search`).
//!
//! Elements of one charge on one site have no electrostatic order. They are spread as if one were charged a little more, by atomic number:
//! a difference so small that it decides only between equal energies.

mod search;

use rayon::prelude::*;

use crystal::{Composition, Disordered, Element, HermiteForm, MIN_SITE_DISTANCE, Structure, hermite_forms, neighbors};
use features::{MAX_MATRIX_SITES, ewald_potentials, neutral_states, oxidation_states};
use search::{Label, Search};

/// Largest supercell that is tried, in primitive cells.
pub const MAX_CELLS: usize = 12;
/// Most sites of it, empty ones counted.
pub const MAX_SITES: usize = 256;
/// Default for how much an occupancy may change: two printed digits.
pub const OCCUPANCY_TOLERANCE: f64 = 0.02;
/// Sites nearer than this, Å, are mapped onto each other by the translations of the primitive cell.
const PRIMITIVE: f64 = 0.01;
/// Occupancies that differ by less are equal, and nearer to 1 are full.
const EQUAL: f64 = 1e-3;
/// Accuracy of the sums: energies of orderings differ by far more.
const ACCURACY: f64 = 1e-8;
/// Charge by which elements of one charge on one site are made to differ, e.
const APART: f64 = 1e-3;
/// Energies that differ by less, e²/Å, are equal.
const GAIN: f64 = 1e-9;

/// An ordered crystal.
#[derive(Debug, Clone, PartialEq)]
pub struct Ordered {
    /// The crystal.
    pub structure: Structure,
    /// Formula of the disordered primitive cell: `Li0.5CoO2`.
    pub from: String,
    /// Primitive cells in the crystal's.
    pub cells: usize,
    /// The largest change of an occupancy.
    pub change: f64,
}

/// Orders `crystal`, changing no occupancy by more than `tolerance`.
///
/// # Errors
/// No supercell of up to [`MAX_CELLS`] cells and [`MAX_SITES`] sites holds such occupancies, a crystal without cations or anions, or
/// split sites that cannot all be filled.
pub fn order(crystal: &Disordered, tolerance: f64) -> Result<Ordered, String> {
    let Average { cell, kinds } = Average::of(crystal)?;
    let amounts: Composition = (0..cell.len()).flat_map(|site| kinds[kind_of(&cell, site)].iter().copied()).collect();
    let from = amounts.formula();
    let largest = MAX_CELLS.min(MAX_SITES / cell.len());
    let whole = (1..=largest).find_map(|cells| Some((cells, Filling::new(&cell, &kinds, cells, tolerance)?)));
    let Some((cells, filling)) = whole else {
        return Err(format!(
            "{from}: no supercell of up to {MAX_CELLS} primitive cells and {MAX_SITES} sites holds its occupancies within {tolerance}; \
             allow a larger change of them, as in --order={}",
            3.0 * tolerance
        ));
    };
    let labels = filling.labels()?;
    let forms = hermite_forms(cells);
    let tried: Vec<(f64, Structure)> =
        forms.par_iter().map(|form| fill(&cell, form, &labels)).collect::<Result<Vec<_>, _>>()?;
    let best = tried.into_iter().reduce(|best, other| if other.0 < best.0 - GAIN { other } else { best });
    let (_, filled) = best.ok_or("there is no supercell")?;
    let structure = Structure::new(*filled.lattice(), filled.species().to_vec(), filled.frac_coords().to_vec());
    let structure = structure.map_err(|e| format!("{from}: split sites cannot all be filled: {e}"))?;
    // Six digits are more than any occupancy is known to.
    let change = (filling.change * 1e6).round() / 1e6;
    Ok(Ordered { structure, from, cells, change })
}

/// What a kind of site holds on average.
type Occupants = Vec<(Element, f64)>;

/// The average crystal in its primitive cell.
struct Average {
    /// The sites, with elements that stand for their kinds: hydrogen for the first.
    cell: Structure,
    kinds: Vec<Occupants>,
}

/// The kind of a site of a cell whose elements stand for kinds.
fn kind_of(cell: &Structure, site: usize) -> usize {
    usize::from(cell.species()[site].z()) - 1
}

impl Average {
    fn of(crystal: &Disordered) -> Result<Self, String> {
        let mut kinds: Vec<Occupants> = Vec::new();
        let same = |a: &Occupants, b: &Occupants| {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a.0 == b.0 && (a.1 - b.1).abs() < EQUAL)
        };
        let mut labels = Vec::with_capacity(crystal.sites().len());
        for site in crystal.sites() {
            let kind = kinds.iter().position(|kind| same(kind, &site.occupants)).unwrap_or_else(|| {
                kinds.push(site.occupants.clone());
                kinds.len() - 1
            });
            let label = Element::from_z(kind as i64 + 1);
            labels.push(label.map_err(|_| "it has too many kinds of sites".to_owned())?);
        }
        let frac = crystal.sites().iter().map(|site| site.frac).collect();
        let cell = Structure::with_overlaps(*crystal.lattice(), labels, frac).map_err(|e| e.to_string())?;
        Ok(Self { cell: cell.primitive(PRIMITIVE), kinds })
    }
}

/// How many atoms of each element the sites of each kind hold in a supercell.
struct Filling {
    /// By kind: the elements and, in the last place, the number of empty sites.
    atoms: Vec<(Vec<(Element, usize)>, usize)>,
    /// The largest change of an occupancy.
    change: f64,
}

impl Filling {
    /// `None` where an occupancy would change by more than `tolerance`, an element vanish or a full site be empty.
    fn new(cell: &Structure, kinds: &[Occupants], cells: usize, tolerance: f64) -> Option<Self> {
        let mut change = 0.0_f64;
        let mut atoms = Vec::with_capacity(kinds.len());
        for (kind, occupants) in kinds.iter().enumerate() {
            let sites = cells * (0..cell.len()).filter(|&site| kind_of(cell, site) == kind).count();
            let mut held = Vec::with_capacity(occupants.len());
            for &(element, occupancy) in occupants {
                let count = (occupancy * sites as f64).round();
                change = change.max((count / sites as f64 - occupancy).abs());
                if count < 1.0 || change > tolerance {
                    return None;
                }
                held.push((element, count as usize));
            }
            let sum: f64 = occupants.iter().map(|(_, n)| n).sum();
            let empty = sites.checked_sub(held.iter().map(|(_, n)| n).sum())?;
            if empty > 0 && sum > 1.0 - EQUAL {
                return None;
            }
            atoms.push((held, empty));
        }
        Some(Self { atoms, change })
    }

    /// What is put on the sites of each kind, with the charges that the composition of the supercell gives.
    fn labels(&self) -> Result<Vec<Vec<Label>>, String> {
        let all = self.atoms.iter().flat_map(|(held, _)| held.iter().map(|&(e, n)| (e, n as f64)));
        let composition: Composition = all.collect();
        let states = neutral_states(&composition).unwrap_or_else(|| {
            oxidation_states(&composition).into_iter().map(|(element, q)| (element, f64::from(q))).collect()
        });
        let has = |sign: f64| states.iter().any(|(_, q)| q * sign > 0.0);
        let charge = |element: Element| states.iter().find(|(e, _)| *e == element).map_or(0.0, |(_, q)| *q);
        if !(has(1.0) && has(-1.0)) {
            return Err(format!("{} has no cations and anions: electrostatics do not order it", composition.formula()));
        }
        let labels = |(held, empty): &(Vec<(Element, usize)>, usize)| {
            let atoms = held.iter().enumerate().map(|(i, &(element, count))| Label {
                element: Some(element),
                charge: charge(element) + if held.len() > 1 { APART * i as f64 } else { 0.0 },
                count,
            });
            let none = (*empty > 0).then_some(Label { element: None, charge: 0.0, count: *empty });
            atoms.chain(none).collect()
        };
        Ok(self.atoms.iter().map(labels).collect())
    }
}

/// The best way to fill a supercell of a given shape, and its energy, e²/Å.
fn fill(cell: &Structure, form: &HermiteForm, labels: &[Vec<Label>]) -> Result<(f64, Structure), String> {
    let points = cell.superlattice(form).map_err(|e| e.to_string())?;
    debug_assert!(points.len() <= MAX_MATRIX_SITES);
    let potentials = ewald_potentials(&points, ACCURACY).map_err(|e| e.to_string())?;
    let near = neighbors(&points, MIN_SITE_DISTANCE);
    let pairs = near.center.iter().zip(&near.neighbor).map(|(&i, &j)| (i as usize, j as usize));
    let kinds = (0..points.len()).map(|site| kind_of(&points, site)).collect();
    let search = Search::new(&potentials, pairs.filter(|(i, j)| i != j).collect(), kinds, labels);
    let (energy, chosen) = search.best();
    let filled = chosen.iter().enumerate().filter_map(|(site, label)| Some((site, label.element?)));
    let (sites, species): (Vec<usize>, Vec<Element>) = filled.unzip();
    let frac = sites.iter().map(|&site| points.frac_coords()[site]).collect();
    let structure = Structure::with_overlaps(*points.lattice(), species, frac).map_err(|e| e.to_string())?;
    Ok((energy, structure))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crystal::{Lattice, Symmetry};

    fn element(symbol: &str) -> Element {
        Element::from_symbol(symbol).unwrap()
    }

    /// Rock salt with such cations on its face-centred sites, a = 4.2 Å.
    fn salt(cations: &[(&str, f64)], anion: &str) -> Disordered {
        let lattice = Lattice::from_parameters(4.2, 4.2, 4.2, 90.0, 90.0, 90.0).unwrap();
        let corners = [[0.0; 3], [0.0, 0.5, 0.5], [0.5, 0.0, 0.5], [0.5, 0.5, 0.0]];
        let mut atoms = Vec::new();
        for x in corners {
            atoms.extend(cations.iter().map(|&(symbol, n)| (element(symbol), x, n)));
            atoms.push((element(anion), [x[0] + 0.5, x[1], x[2]], 1.0));
        }
        Disordered::new(lattice, &atoms).unwrap()
    }

    #[test]
    fn two_charges_on_one_site_take_the_lower_of_two_layerings() {
        let ordered = order(&salt(&[("Li", 0.5), ("Fe", 0.5)], "O"), 0.01).unwrap();
        assert_eq!((ordered.from.as_str(), ordered.cells, ordered.change), ("Li0.5Fe0.5O", 2, 0.0));
        assert_eq!(ordered.structure.composition().formula(), "LiFeO2");
        // Of the two orderings with one formula unit, layers along [100] or [111], pymatgen's EwaldSummation has -103.5945 eV for the
        // first and -101.8555 eV for the second.
        assert_eq!(Symmetry::of(&ordered.structure, 0.01).unwrap().symbol, "P4/mmm");
    }

    #[test]
    fn occupancies_are_met_within_the_tolerance_or_refused() {
        let third = salt(&[("Li", 0.667), ("Ti", 0.333)], "O");
        let ordered = order(&third, 0.01).unwrap();
        assert_eq!((ordered.cells, ordered.structure.composition().formula()), (3, "Li2TiO3".to_owned()));
        assert!((ordered.change - 1.0 / 3000.0).abs() < 1e-4, "{}", ordered.change);
        let odd = salt(&[("Li", 0.93), ("Ti", 0.07)], "O");
        let refused = order(&odd, 0.01).unwrap_err();
        assert!(refused.contains("up to 12 primitive cells") && refused.contains("--order=0.03"), "{refused}");
        assert_eq!(order(&odd, 0.06).unwrap().cells, 8);
    }

    #[test]
    fn empty_sites_keep_apart_the_ions_that_are_left() {
        let half = salt(&[("Na", 0.5)], "Cl");
        let ordered = order(&half, 0.01).unwrap();
        assert_eq!(ordered.structure.composition().formula(), "NaCl2");
        let na = (0..3).filter(|&i| ordered.structure.species()[i] == element("Na")).count();
        assert_eq!((na, ordered.cells), (1, 2));
    }

    #[test]
    fn of_a_split_site_one_half_is_taken() {
        let lattice = Lattice::from_parameters(4.0, 4.0, 4.0, 90.0, 90.0, 90.0).unwrap();
        let atoms = [
            (element("Li"), [0.45, 0.5, 0.5], 0.5),
            (element("Li"), [0.55, 0.5, 0.5], 0.5),
            (element("F"), [0.0; 3], 1.0),
        ];
        let ordered = order(&Disordered::new(lattice, &atoms).unwrap(), 0.01).unwrap();
        assert_eq!(ordered.structure.composition().formula(), "LiF");
        assert_eq!(ordered.cells, 1);
    }

    #[test]
    fn elements_of_one_charge_are_spread() {
        let alloy = salt(&[("Mg", 0.5), ("Ni", 0.5)], "O");
        let ordered = order(&alloy, 0.01).unwrap();
        assert_eq!(ordered.structure.composition().formula(), "MgNiO2");
        let metals = [("Fe", 0.5), ("Ni", 0.5)];
        let lattice = Lattice::from_parameters(3.0, 3.0, 3.0, 90.0, 90.0, 90.0).unwrap();
        let atoms: Vec<_> = metals.iter().map(|&(symbol, n)| (element(symbol), [0.0; 3], n)).collect();
        let refused = order(&Disordered::new(lattice, &atoms).unwrap(), 0.01).unwrap_err();
        assert!(refused.contains("electrostatics do not order"), "{refused}");
    }
}

//! Inserted ions: the ordered cell of lowest energy in a rigid host of formal charges.
//!
//! Of all ways to choose n of the sites, none two nearer than [`MIN_ION_DISTANCE`], the one in which the sum of the sites'
//! energies and of the ions' Coulomb energies with one another and with all their images is least, among those with the fewest ions afloat
//! in a cage that is too wide for them. Where there are few ways each is tried; else the ions go one by one to the site of lowest energy,
//! and then move, one ion at a time, while that lowers the energy. Equal energies are decided by the order of the sites, so the answer is
//! always the same.
//!
//! Formal charges in a rigid host rank roughly: a relaxation from the first place may end above one from the third. [`starts`] gives
//! several configurations to begin from, [`at`] one that the user states.

use super::{
    rigid::{Field, with_ions},
    sites::{InsertionSite, Sites, Within},
};
use crate::AdsorptionError;
use crystal::{Radii, Structure, neighbors};
use features::{Ion, site_radii};

/// No two inserted ions are put nearer than this, Å: below any distance of cations in a crystal, 2.4 Å in Li2O.
pub const MIN_ION_DISTANCE: f64 = 2.0;
/// First sites for each requested choice, where choices are not all tried.
const STARTED: usize = 4;
/// Up to this many choices, each is tried.
const TRIED: usize = 200_000;
/// A configuration is better where it gains more than this, eV.
const GAIN: f64 = 1e-6;
/// Configurations whose energies differ by less than this, eV, are taken for one that symmetry repeats.
const ALIKE: f64 = 1e-3;
/// What an ion without neighbours costs while configurations are ranked, eV: more than any difference of rigid energies.
const FLOATING: f64 = 1e4;

/// A host with inserted ions.
#[derive(Debug, Clone, PartialEq)]
pub struct Insertion {
    /// The host's sites in their order, then the ions.
    pub structure: Structure,
    /// Sites of the ions, in their order in the structure.
    pub sites: Vec<InsertionSite>,
    /// Energy of the ions in the rigid host and of one another, their own images included, eV: it compares configurations of equally many
    /// ions in one cell only.
    pub energy: f64,
}

/// `n` of `ion` in the cell of `structure`, at sites `within`.
///
/// # Errors
/// No site or fewer than `n` that are far enough apart, `n` = 0, or as [`insertion_sites`](super::insertion_sites).
pub fn insert(structure: &Structure, ion: &Ion, n: usize, within: Within) -> Result<Insertion, AdsorptionError> {
    let found = starts(structure, ion, n, within, 1)?.into_iter().next();
    found.ok_or_else(|| AdsorptionError::Undefined(format!("no configuration of {n} ions of {}", ion.element.symbol())))
}

/// Up to `most` different configurations of `n` of `ion`, to relax and compare: the first is that of [`insert`], the second the one of
/// lowest rigid energy regardless of neighbours, where that is another, and then the next of those with neighbours.
///
/// # Errors
/// As [`insert`].
pub fn starts(
    structure: &Structure,
    ion: &Ion,
    n: usize,
    within: Within,
    most: usize,
) -> Result<Vec<Insertion>, AdsorptionError> {
    let symbol = ion.element.symbol();
    if n == 0 {
        return Err(AdsorptionError::Undefined(format!("0 ions of {symbol}: nothing to insert")));
    }
    let all = Sites::new(structure, ion, within)?;
    if all.sites.is_empty() {
        return Err(AdsorptionError::Undefined(format!(
            "no site for {symbol}: nowhere asked for does a sphere of half its radius of {} Å fit",
            ion.radius
        )));
    }
    let search = Search::of_sites(structure, ion, &all)?;
    let (held, free) = (search.holding(ion, &all).lowest(n, most), search.lowest(n, 1));
    let mut chosen: Vec<Vec<usize>> = Vec::new();
    for sites in held.iter().take(1).chain(&free).chain(held.iter().skip(1)).map(|(sites, _)| sites) {
        if !chosen.contains(sites) {
            chosen.push(sites.clone());
        }
    }
    chosen.truncate(most);
    if chosen.is_empty() {
        return Err(AdsorptionError::Undefined(format!(
            "no room for {n} ions of {symbol}: the cell has {} sites, and inserted ions keep {MIN_ION_DISTANCE} Å apart; insert fewer, \
             or insert them into a supercell",
            all.sites.len()
        )));
    }
    let filled = |chosen: &Vec<usize>| {
        let sites = chosen.iter().map(|&i| all.sites[i].clone()).collect();
        filled(structure, ion, sites, search.energy(chosen))
    };
    chosen.iter().map(filled).collect()
}

/// `n` of `ion`, one at each of `points` (fractions of the cell), which need not be hollows and may be nearer to one another than
/// [`insert`] puts them: a stated configuration.
///
/// # Errors
/// Another number of points, one on an atom or on another, an element without a radius, cells too large for the matrix of their
/// potentials.
pub fn at(structure: &Structure, ion: &Ion, n: usize, points: &[[f64; 3]]) -> Result<Insertion, AdsorptionError> {
    if points.is_empty() || points.len() != n {
        return Err(AdsorptionError::Undefined(format!("{} sites for {n} ions; give as many of both", points.len())));
    }
    let radii = site_radii(structure, Radii::Shannon)?;
    let field = Field::new(structure, &radii, ion, points)?;
    let site = |(i, point): (usize, &[f64; 3])| InsertionSite {
        frac: *point,
        radius: field.clearance[i],
        channel: None,
        ring: None,
        passes: false,
        coordination: field.coordination[i],
        multiplicity: 1,
        score: field.energy[i],
    };
    let sites = points.iter().enumerate().map(site).collect();
    let search = Search::new(field.energy, &field.between);
    let energy = search.energy(&(0..points.len()).collect::<Vec<_>>());
    filled(structure, ion, sites, energy)
}

/// Reads points as the user writes them: three numbers each, separated by semicolons.
///
/// # Errors
/// Text that is no such list.
pub fn parse_sites(text: &str) -> Result<Vec<[f64; 3]>, AdsorptionError> {
    let point = |part: &str| -> Option<[f64; 3]> {
        let numbers = part.split([' ', ',', '\t']).filter(|word| !word.is_empty()).map(str::parse);
        let numbers: Vec<f64> = numbers.collect::<Result<_, _>>().ok()?;
        numbers.try_into().ok().filter(|point: &[f64; 3]| point.iter().all(|x| x.is_finite()))
    };
    text.split(';').map(point).collect::<Option<_>>().ok_or_else(|| {
        AdsorptionError::Undefined(format!(
            "sites '{text}' are not points; give three fractions of the cell for each ion, such as '0.5 0.5 0; 0.5 0.5 0.5'"
        ))
    })
}

/// The host with ions at `sites`.
fn filled(
    structure: &Structure,
    ion: &Ion,
    sites: Vec<InsertionSite>,
    energy: f64,
) -> Result<Insertion, AdsorptionError> {
    let points: Vec<[f64; 3]> = sites.iter().map(|site| site.frac).collect();
    let crowd = with_ions(structure, ion.element, &points)?;
    let structure = Structure::new(*crowd.lattice(), crowd.species().to_vec(), crowd.frac_coords().to_vec())?;
    Ok(Insertion { structure, sites, energy })
}

/// A choice of sites, ascending, and its energy, eV.
type Choice = (Vec<usize>, f64);

/// The ways to choose sites.
#[derive(Clone)]
pub(super) struct Search<'a> {
    /// Energy of a single ion at each site, eV.
    energy: Vec<f64>,
    /// Of ions at two sites; see [`Field::between`](super::rigid::Field::between).
    between: &'a [Vec<f64>],
    /// Whether two sites cannot both be taken.
    clash: Vec<Vec<bool>>,
}

impl<'a> Search<'a> {
    /// Among sites with such energies, all of which may be taken at once.
    pub(super) fn new(energy: Vec<f64>, between: &'a [Vec<f64>]) -> Self {
        let clash = vec![vec![false; energy.len()]; energy.len()];
        Self { energy, between, clash }
    }

    /// Among the hollows of a host.
    fn of_sites(structure: &Structure, ion: &Ion, all: &'a Sites) -> Result<Self, AdsorptionError> {
        let mut search = Self::new(all.sites.iter().map(|site| site.score).collect(), &all.between);
        let species = vec![ion.element; all.sites.len()];
        let points = all.sites.iter().map(|site| site.frac).collect();
        let pairs = neighbors(&Structure::with_overlaps(*structure.lattice(), species, points)?, MIN_ION_DISTANCE);
        for (&i, &j) in pairs.center.iter().zip(&pairs.neighbor) {
            // An ion's own images are always there.
            search.clash[i as usize][j as usize] = i != j;
        }
        Ok(search)
    }

    /// The same, with sites where the ion floats left to the last.
    fn holding(&self, ion: &Ion, all: &Sites) -> Self {
        let mut search = self.clone();
        for (energy, site) in search.energy.iter_mut().zip(&all.sites) {
            *energy += if site.floats(ion) { FLOATING } else { 0.0 };
        }
        search
    }

    /// What ion `i` adds to those at `others`, eV; infinite where it is too near.
    fn cost(&self, i: usize, others: &[usize]) -> f64 {
        if others.iter().any(|&j| j == i || self.clash[i][j]) {
            return f64::INFINITY;
        }
        let own = self.energy[i] + 0.5 * self.between[i][i];
        own + others.iter().map(|&j| self.between[i][j]).sum::<f64>()
    }

    /// Energy of ions at all of `chosen`, eV.
    fn energy(&self, chosen: &[usize]) -> f64 {
        (0..chosen.len()).map(|k| self.cost(chosen[k], &chosen[..k])).sum()
    }

    /// The sites of lowest energy, ascending, and the energy, eV; `None` where `n` do not fit.
    pub(super) fn best(&self, n: usize) -> Option<Choice> {
        self.lowest(n, 1).pop()
    }

    /// Up to `most` choices of `n` sites, of lowest energy first; none where so many do not fit. Of those alike in energy, one.
    fn lowest(&self, n: usize, most: usize) -> Vec<Choice> {
        let mut found = Lowest { most, choices: Vec::new() };
        if ways(self.energy.len(), n).is_some_and(|ways| ways <= TRIED) {
            self.try_all(n, 0, &mut Vec::new(), 0.0, &mut found);
            return found.choices;
        }
        // Begun at each of the sites in turn, until there are enough: the first start is the best site of a single ion.
        let mut first: Vec<usize> = (0..self.energy.len()).collect();
        first.sort_by(|&i, &j| self.cost(i, &[]).total_cmp(&self.cost(j, &[])));
        for start in first.into_iter().take(STARTED * most) {
            if let Some(choice) = self.greedy(start, n).and_then(|chosen| self.improve(chosen)) {
                found.offer(choice);
            }
            if most == 1 && !found.choices.is_empty() {
                break;
            }
        }
        found.choices
    }

    /// Extends `chosen` by sites from `from` on in every way.
    fn try_all(&self, n: usize, from: usize, chosen: &mut Vec<usize>, energy: f64, found: &mut Lowest) {
        if chosen.len() == n {
            found.offer((chosen.clone(), energy));
            return;
        }
        for i in from..self.energy.len() {
            let cost = self.cost(i, chosen);
            if cost < f64::INFINITY {
                chosen.push(i);
                self.try_all(n, i + 1, chosen, energy + cost, found);
                chosen.pop();
            }
        }
    }

    /// Ions one by one where they cost least beside the others, the first at `start`.
    fn greedy(&self, start: usize, n: usize) -> Option<Vec<usize>> {
        let mut chosen = vec![start];
        for _ in 1..n {
            chosen.push(self.cheapest(&chosen)?.0);
        }
        Some(chosen)
    }

    /// The first of the cheapest sites beside `others`.
    fn cheapest(&self, others: &[usize]) -> Option<(usize, f64)> {
        let mut best: Option<(usize, f64)> = None;
        for i in 0..self.energy.len() {
            let cost = self.cost(i, others);
            if cost < best.map_or(f64::INFINITY, |(_, lowest)| lowest - GAIN) {
                best = Some((i, cost));
            }
        }
        best
    }

    /// Moves one ion after another while the energy falls.
    fn improve(&self, mut chosen: Vec<usize>) -> Option<(Vec<usize>, f64)> {
        let mut moved = true;
        while moved {
            moved = false;
            for k in 0..chosen.len() {
                let others: Vec<usize> = (0..chosen.len()).filter(|&m| m != k).map(|m| chosen[m]).collect();
                let (to, cost) = self.cheapest(&others)?;
                if cost < self.cost(chosen[k], &others) - GAIN {
                    chosen[k] = to;
                    moved = true;
                }
            }
        }
        chosen.sort_unstable();
        let energy = self.energy(&chosen);
        Some((chosen, energy))
    }
}

/// The choices of lowest energy so far, ascending.
struct Lowest {
    most: usize,
    choices: Vec<Choice>,
}

impl Lowest {
    /// Keeps a choice that is lower than one of the list and unlike all of them; of those that are alike the first stays.
    fn offer(&mut self, choice: Choice) {
        let energy = choice.1;
        if self.choices.len() == self.most && self.choices.last().is_some_and(|(_, worst)| energy > worst - GAIN) {
            return;
        }
        if let Some(k) = self.choices.iter().position(|(_, known)| (known - energy).abs() < ALIKE) {
            if energy < self.choices[k].1 - GAIN {
                self.choices[k] = choice;
            }
            return;
        }
        let place = self.choices.partition_point(|(_, known)| *known <= energy);
        self.choices.insert(place, choice);
        self.choices.truncate(self.most);
    }
}

/// Ways to choose `n` of `m`; `None` where they are too many to count.
fn ways(m: usize, n: usize) -> Option<usize> {
    (0..n).try_fold(1_usize, |ways, k| Some(ways.checked_mul(m.checked_sub(k)?)? / (k + 1)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crystal::norm;
    use formats::hosts::host;

    fn ion(symbol: &str) -> Ion {
        Ion::parse(symbol).unwrap()
    }

    /// Distance of the two ions at the end of a structure, Å.
    fn apart(structure: &Structure) -> f64 {
        let x = structure.frac_coords();
        let (a, b) = (x[x.len() - 2], x[x.len() - 1]);
        let step = std::array::from_fn(|k| (a[k] - b[k]) - (a[k] - b[k]).round());
        norm(structure.lattice().to_cartesian(step))
    }

    #[test]
    fn guests_stand_as_far_apart_as_their_channel_allows() {
        // Four periods of one tunnel of hollandite: two ions leave two periods between them.
        let long = host("hollandite-mno2").unwrap().supercell([1, 1, 4]).unwrap();
        let found = insert(&long, &ion("K"), 2, Within::Channel(0)).unwrap();
        assert_eq!(found.structure.len(), long.len() + 2);
        assert_eq!(&found.structure.species()[..long.len()], long.species());
        let period = host("hollandite-mno2").unwrap().lattice().parameters()[2];
        assert!((apart(&found.structure) - 2.0 * period).abs() < 1e-3, "{}", apart(&found.structure));
        assert!(found.sites.iter().all(|site| site.channel == Some(0)), "{:?}", found.sites);
        // With both kinds of tunnel open to them they take one each.
        let found = insert(&host("hollandite-mno2").unwrap(), &ion("K"), 2, Within::Ring(8)).unwrap();
        assert_ne!(found.sites[0].channel, found.sites[1].channel);
    }

    #[test]
    fn one_guest_takes_the_best_site_and_the_energy_is_that_of_all_charges() {
        let host = host("lambda-mno2").unwrap();
        let one = insert(&host, &ion("Li"), 1, Within::Everywhere).unwrap();
        assert_eq!(one.sites[0], super::super::insertion_sites(&host, &ion("Li"), Within::Everywhere).unwrap()[0]);
        assert_eq!(one, insert(&host, &ion("Li"), 1, Within::Everywhere).unwrap());
        // All eight 8a sites: the spinel LiMn2O4.
        let full = insert(&host, &ion("Li"), 8, Within::Everywhere).unwrap();
        assert!(full.sites.iter().all(|site| site.coordination == 4), "{:?}", full.sites);
        assert_eq!(full.structure.composition().reduced_formula(), "LiMn2O4");
    }

    #[test]
    fn the_short_search_finds_what_the_full_one_does() {
        let host = host("hollandite-mno2").unwrap().supercell([1, 1, 3]).unwrap();
        let all = Sites::new(&host, &ion("Li"), Within::Channels).unwrap();
        let search = Search::of_sites(&host, &ion("Li"), &all).unwrap();
        for n in 1..4 {
            let mut full = Lowest { most: 1, choices: Vec::new() };
            search.try_all(n, 0, &mut Vec::new(), 0.0, &mut full);
            let first = search.cheapest(&[]).unwrap().0;
            let (_, short) = search.improve(search.greedy(first, n).unwrap()).unwrap();
            assert!((full.choices[0].1 - short).abs() < 1e-3, "{n}: {short}");
        }
    }

    #[test]
    fn starts_are_different_and_those_with_neighbours_come_first() {
        // The cage of Nb12WO33 is so wide that charges alone would leave lithium floating in its middle.
        let host = host("nb12wo33").unwrap();
        let found = starts(&host, &ion("Li"), 1, Within::Everywhere, 4).unwrap();
        assert_eq!(found.len(), 4);
        assert_eq!(found[0], insert(&host, &ion("Li"), 1, Within::Everywhere).unwrap());
        assert!(found[0].sites[0].is_bonded() && !found[1].sites[0].is_bonded(), "{found:?}");
        assert!(found[1].energy < found[0].energy, "the second is the one that charges alone prefer");
        for (i, one) in found.iter().enumerate() {
            assert!(found[..i].iter().all(|other| (other.energy - one.energy).abs() > ALIKE));
        }
    }

    #[test]
    fn there_are_no_more_starts_than_there_are_configurations() {
        let host = host("lambda-mno2").unwrap();
        let found = starts(&host, &ion("Li"), 8, Within::Everywhere, 3).unwrap();
        assert!(!found.is_empty() && found.len() <= 3, "{}", found.len());
        assert_eq!(found[0], insert(&host, &ion("Li"), 8, Within::Everywhere).unwrap());
    }

    #[test]
    fn a_configuration_that_is_stated_is_made_as_it_is() {
        // Two lithium in one column of Nb12WO33, nearer than the search would put them.
        let host = host("hollandite-mno2").unwrap();
        let points = [[0.0, 0.0, 0.0], [0.0, 0.0, 0.5]];
        let found = at(&host, &ion("Li"), 2, &points).unwrap();
        assert_eq!(found.sites.iter().map(|site| site.frac).collect::<Vec<_>>(), points);
        assert!(apart(&found.structure) < MIN_ION_DISTANCE, "{}", apart(&found.structure));
        // The energy of a site that the search finds is the energy that the search gives it.
        let one = insert(&host, &ion("Li"), 1, Within::Everywhere).unwrap();
        let again = at(&host, &ion("Li"), 1, &[one.sites[0].frac]).unwrap();
        assert!((again.energy - one.energy).abs() < 1e-6 && again.structure == one.structure);
        assert!((again.sites[0].radius - one.sites[0].radius).abs() < 1e-3);
        for (n, points) in [(0, vec![]), (2, vec![[0.0; 3]]), (1, vec![[f64::NAN; 3]]), (2, vec![[0.25; 3], [0.25; 3]])]
        {
            assert!(at(&host, &ion("Li"), n, &points).is_err(), "{points:?}");
        }
    }

    #[test]
    fn sites_are_read_as_they_are_written() {
        let two = parse_sites("0.5 0.5 0; 0.5,0.5, -0.25").unwrap();
        assert_eq!(two, [[0.5, 0.5, 0.0], [0.5, 0.5, -0.25]]);
        for text in ["", "0.5 0.5", "a b c", "0 0 0;", "0 0 inf"] {
            assert!(parse_sites(text).unwrap_err().to_string().contains("three fractions"), "{text}");
        }
    }

    #[test]
    fn no_site_and_no_room_are_said() {
        let host = host("hollandite-mno2").unwrap();
        for (symbol, n, within, part) in [
            ("K", 0, Within::Everywhere, "nothing to insert"),
            ("K", 1, Within::Ring(3), "no site for K"),
            ("Ca", 1, Within::Cavities, "no site for Ca"),
            ("K", 40, Within::Everywhere, "no room for 40"),
        ] {
            let message = insert(&host, &ion(symbol), n, within).unwrap_err().to_string();
            assert!(message.contains(part), "{message}");
        }
        assert_eq!([ways(5, 2), ways(3, 4), ways(10_000, 40)], [Some(10), Some(0), None]);
    }
}

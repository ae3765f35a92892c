//! Guests put into a host: the ordered cell of lowest energy in a rigid host of formal charges.
//!
//! Of all ways to choose n of the sites, none two nearer than [`MIN_ION_DISTANCE`], the one in which the sum of the sites'
//! energies and of the guests' Coulomb energies with one another and with all their images is least. Where there are few
//! ways each is tried; else the guests go one by one where the energy gains most, and then change places while one move
//! of one guest still gains. Equal energies are decided by the order of the sites, so the answer is always the same.

use super::{
    rigid::with_guests,
    sites::{InsertionSite, Sites, Within},
};
use crate::AdsorptionError;
use crystal::{Structure, neighbors};
use features::Ion;

/// No two guests of a cell are put nearer than this, Å: less than any cations of a crystal keep, 2.4 Å in Li2O.
pub const MIN_ION_DISTANCE: f64 = 2.0;
/// So many ways are tried one by one.
const TRIED: usize = 200_000;
/// A configuration is better where it gains more than this, eV.
const GAIN: f64 = 1e-6;

/// A host with guests.
#[derive(Debug, Clone, PartialEq)]
pub struct Insertion {
    /// The host's sites in their order, then the guests.
    pub structure: Structure,
    /// Where the guests sit, in the order in which they stand in the structure.
    pub sites: Vec<InsertionSite>,
    /// Energy of the guests in the rigid host and of one another, their own images included, eV: it compares configurations
    /// of as many guests in one cell only.
    pub energy: f64,
}

/// `n` of `ion` in the cell of `structure`, at sites `within`.
///
/// # Errors
/// No site or fewer than `n` that are far enough apart, `n` = 0, or as [`insertion_sites`](super::insertion_sites).
pub fn insert(structure: &Structure, ion: &Ion, n: usize, within: Within) -> Result<Insertion, AdsorptionError> {
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
    let (chosen, energy) = search.best(n).ok_or_else(|| {
        AdsorptionError::Undefined(format!(
            "no room for {n} ions of {symbol}: the cell has {} sites, and guests keep {MIN_ION_DISTANCE} Å apart; insert \
             fewer, or into a supercell",
            all.sites.len()
        ))
    })?;
    let sites: Vec<InsertionSite> = chosen.iter().map(|&i| all.sites[i].clone()).collect();
    let points: Vec<[f64; 3]> = sites.iter().map(|site| site.frac).collect();
    let crowd = with_guests(structure, ion.element, &points)?;
    let structure = Structure::new(*crowd.lattice(), crowd.species().to_vec(), crowd.frac_coords().to_vec())?;
    Ok(Insertion { structure, sites, energy })
}

/// The ways to choose sites.
pub(super) struct Search<'a> {
    /// Energy of a guest alone at each site, eV.
    energy: Vec<f64>,
    /// Of guests at two sites; see [`Field::between`](super::rigid::Field::between).
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
        let guests = vec![ion.element; all.sites.len()];
        let points = all.sites.iter().map(|site| site.frac).collect();
        let pairs = neighbors(&Structure::with_overlaps(*structure.lattice(), guests, points)?, MIN_ION_DISTANCE);
        for (&i, &j) in pairs.center.iter().zip(&pairs.neighbor) {
            // A guest's own images are there whatever is chosen.
            search.clash[i as usize][j as usize] = i != j;
        }
        Ok(search)
    }

    /// What guest `i` adds to those at `others`, eV; infinite where it cannot stand beside them.
    fn cost(&self, i: usize, others: &[usize]) -> f64 {
        if others.iter().any(|&j| j == i || self.clash[i][j]) {
            return f64::INFINITY;
        }
        let own = self.energy[i] + 0.5 * self.between[i][i];
        own + others.iter().map(|&j| self.between[i][j]).sum::<f64>()
    }

    /// The sites of lowest energy, ascending, and the energy, eV; `None` where `n` do not fit.
    pub(super) fn best(&self, n: usize) -> Option<(Vec<usize>, f64)> {
        if ways(self.energy.len(), n).is_some_and(|ways| ways <= TRIED) {
            let mut best = None;
            self.try_all(n, 0, &mut Vec::new(), 0.0, &mut best);
            return best;
        }
        self.improve(self.greedy(n)?)
    }

    /// Extends `chosen` by sites from `from` on in every way.
    fn try_all(
        &self,
        n: usize,
        from: usize,
        chosen: &mut Vec<usize>,
        energy: f64,
        best: &mut Option<(Vec<usize>, f64)>,
    ) {
        if chosen.len() == n {
            if best.as_ref().is_none_or(|(_, lowest)| energy < lowest - GAIN) {
                *best = Some((chosen.clone(), energy));
            }
            return;
        }
        for i in from..self.energy.len() {
            let cost = self.cost(i, chosen);
            if cost < f64::INFINITY {
                chosen.push(i);
                self.try_all(n, i + 1, chosen, energy + cost, best);
                chosen.pop();
            }
        }
    }

    fn greedy(&self, n: usize) -> Option<Vec<usize>> {
        let mut chosen = Vec::new();
        for _ in 0..n {
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

    /// Moves one guest after another while the energy falls.
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
        let energy = (0..chosen.len()).map(|k| self.cost(chosen[k], &chosen[..k])).sum();
        Some((chosen, energy))
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

    /// Distance of the two guests at the end of a structure, Å.
    fn apart(structure: &Structure) -> f64 {
        let x = structure.frac_coords();
        let (a, b) = (x[x.len() - 2], x[x.len() - 1]);
        let step = std::array::from_fn(|k| (a[k] - b[k]) - (a[k] - b[k]).round());
        norm(structure.lattice().to_cartesian(step))
    }

    #[test]
    fn guests_stand_as_far_apart_as_their_channel_allows() {
        // Four periods of one tunnel of hollandite: two guests leave two periods between them.
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
            let mut best = None;
            search.try_all(n, 0, &mut Vec::new(), 0.0, &mut best);
            let (_, short) = search.improve(search.greedy(n).unwrap()).unwrap();
            assert!((best.unwrap().1 - short).abs() < 1e-3, "{n}: {short}");
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

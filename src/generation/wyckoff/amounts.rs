//! What can still end in a given composition: which amounts of each element the positions that are left can hold.
//!
//! Each element is treated alone, as if the positions were its own. Two elements may then wait for the same fixed position, and a draw may
//! end without either; that is rare, and gives no crystal.

use crystal::{Composition, Element};

use super::written::Written;

/// Amounts nearer to a whole number than this are that number.
const WHOLE: f64 = 1e-6;

/// A composition in whole atoms per formula.
#[derive(Debug, Clone)]
pub(super) struct Amounts(Vec<(Element, i64)>);

impl Amounts {
    /// Of a composition of whole numbers of atoms; `None` of another.
    pub fn of(composition: &Composition) -> Option<Self> {
        let whole =
            |(element, n): (Element, f64)| ((n - n.round()).abs() < WHOLE).then_some((element, n.round() as i64));
        let all: Vec<(Element, i64)> = composition.reduced().iter().map(whole).collect::<Option<_>>()?;
        (!all.is_empty()).then_some(Self(all))
    }

    /// Atoms of the formula.
    fn natoms(&self) -> i64 {
        self.0.iter().map(|(_, n)| n).sum()
    }

    /// What is missing of each element to so many formulas; `None` where more is written.
    fn missing<'a>(&'a self, written: &'a Written, formulas: i64) -> impl Iterator<Item = Option<i64>> + 'a {
        self.0.iter().map(move |(element, n)| {
            let there = written.amounts.iter().find(|(e, _)| e == element).map_or(0, |(_, n)| *n);
            Some(formulas * n - there).filter(|missing| *missing >= 0)
        })
    }

    /// Whether it is of the composition as it stands.
    pub fn are_met(&self, written: &Written) -> bool {
        let formulas = written.sites / self.natoms();
        formulas > 0 && self.missing(written, formulas).all(|missing| missing == Some(0))
    }

    /// Whether what is written can end in the composition with so many more orbits, and at most so many atoms in all.
    pub fn allow(&self, written: &Written, orbits: usize, atoms: i64) -> bool {
        if written.amounts.iter().any(|(e, _)| self.0.iter().all(|(wanted, _)| wanted != e)) {
            return false;
        }
        let least = least_orbits(written, atoms);
        let of = |missing: Option<i64>| missing.and_then(|n| least[n as usize]);
        let fewest = |formulas| self.missing(written, formulas).map(of).sum::<Option<usize>>();
        (1..=atoms / self.natoms()).any(|formulas| fewest(formulas).is_some_and(|n| n <= orbits))
    }
}

/// The fewest orbits by which the places that are left hold each number of atoms up to `most`; `None` where they cannot.
fn least_orbits(written: &Written, most: i64) -> Vec<Option<usize>> {
    let mut least = vec![None; usize::try_from(most).unwrap_or(0) + 1];
    least[0] = Some(0);
    let one_more = |least: &mut [Option<usize>], sum: usize, n: usize| {
        let with = least[sum - n].map(|orbits| orbits + 1);
        least[sum] = [least[sum], with].into_iter().flatten().min();
    };
    for (_, place) in written.places().iter().enumerate().filter(|(k, _)| written.has_room(*k)) {
        let n = place.multiplicity as usize;
        match place.fixed {
            // Once: from the largest number down.
            true => (n..least.len()).rev().for_each(|sum| one_more(&mut least, sum, n)),
            false => (n..least.len()).for_each(|sum| one_more(&mut least, sum, n)),
        }
    }
    least
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tokens::tests::species;

    #[test]
    fn rutile_is_completed_by_its_anions_alone() {
        let amounts = Amounts::of(&Composition::parse("Ti2O4").unwrap()).unwrap();
        let mut written = Written::new(136);
        let at = |letter: char| written.places().iter().position(|p| p.letter == letter).unwrap();
        let (a, f) = (at('a'), at('f'));
        assert!(amounts.allow(&written, 9, 6) && !amounts.allow(&written, 9, 5));
        written.add(species("Ti", 4), a);
        assert!(amounts.allow(&written, 1, 6) && !amounts.allow(&written, 0, 6) && !amounts.are_met(&written));
        written.add(species("O", -2), f);
        assert!(amounts.are_met(&written) && amounts.allow(&written, 0, 6));
        // Two more of titanium wait for four more of oxygen.
        written.add(species("Ti", 4), at_of(&written, 'b'));
        assert!(!amounts.are_met(&written) && amounts.allow(&written, 9, 12) && !amounts.allow(&written, 9, 11));
        written.add(species("V", 4), f);
        assert!(!amounts.allow(&written, 32, 400));
        assert!(Amounts::of(&Composition::parse("Ti0.3O0.7").unwrap()).is_none());
    }

    fn at_of(written: &Written, letter: char) -> usize {
        written.places().iter().position(|p| p.letter == letter).unwrap()
    }

    #[test]
    fn fixed_places_count_once() {
        let mut written = Written::new(225);
        let held = |written: &Written| -> Vec<usize> {
            let least = least_orbits(written, 16);
            (0..least.len()).filter(|n| least[*n].is_some()).collect()
        };
        // 4a, 4b and 8c.
        assert_eq!(held(&written), [0, 4, 8, 12, 16]);
        written.add(species("O", -2), at_of(&written, 'a'));
        written.add(species("O", -2), at_of(&written, 'b'));
        assert_eq!(held(&written), [0, 8]);
    }
}

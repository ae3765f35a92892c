//! A crystal of which some orbits are written: what stands there, and what may still come.

use crystal::Element;

use super::places::{Place, WORDS};
use crate::Species;

/// A crystal that is being written.
#[derive(Debug, Clone)]
pub(super) struct Written {
    /// Its space group.
    pub group: u16,
    /// Which of the group's places are taken.
    taken: Vec<bool>,
    /// Atoms of each element in the conventional cell, in the order of writing.
    pub amounts: Vec<(Element, i64)>,
    /// Least and largest total charge of the conventional cell, e.
    pub charge: (i64, i64),
    /// Atoms in the conventional cell.
    pub sites: i64,
    /// Orbits so far.
    pub orbits: usize,
}

impl Written {
    /// Nothing yet of a crystal of this space group.
    pub fn new(group: u16) -> Self {
        let taken = vec![false; WORDS.of_group(group).len()];
        Self { group, taken, amounts: Vec::new(), charge: (0, 0), sites: 0, orbits: 0 }
    }

    /// The places of its group.
    pub fn places(&self) -> &'static [Place] {
        WORDS.of_group(self.group)
    }

    /// Whether an orbit may be on the place: a fixed one holds no second.
    pub fn has_room(&self, place: usize) -> bool {
        !(self.taken[place] && self.places()[place].fixed)
    }

    /// Writes an orbit.
    pub fn add(&mut self, species: Species, place: usize) {
        let n = self.places()[place].multiplicity;
        self.taken[place] = true;
        self.charge.0 += n * i64::from(species.charge.low);
        self.charge.1 += n * i64::from(species.charge.high);
        self.sites += n;
        self.orbits += 1;
        match self.amounts.iter_mut().find(|(e, _)| *e == species.element) {
            Some((_, amount)) => *amount += n,
            None => self.amounts.push((species.element, n)),
        }
    }

    /// Whether it is charge-neutral as it stands.
    pub fn is_neutral(&self) -> bool {
        self.orbits > 0 && self.charge.0 <= 0 && self.charge.1 >= 0
    }

    /// Its state, which a network reads with the last orbit, as pairs of place and number; see [`state_len`].
    pub fn state(&self, elements: &[Element]) -> Vec<(usize, f32)> {
        if self.orbits == 0 {
            return Vec::new();
        }
        let sites = self.sites as f32;
        let mut state = Vec::with_capacity(2 * self.amounts.len() + 4);
        for (element, amount) in &self.amounts {
            if let Ok(k) = elements.binary_search(element) {
                state.push((k, 1.0));
                state.push((elements.len() + k, *amount as f32 / sites));
            }
        }
        let first = 2 * elements.len();
        state.push((first, self.charge.0 as f32 / sites));
        state.push((first + 1, self.charge.1 as f32 / sites));
        state.push((first + 2, sites.ln() / 4.0));
        state.push((first + 3, self.orbits as f32 / 16.0));
        state
    }
}

/// How many numbers [`Written::state`] is of.
pub(super) fn state_len(elements: usize) -> usize {
    2 * elements + 4
}

//! A crystal made ready to be compared.

use super::search::{Aim, Search};
use super::{Match, Tolerances};
use crate::FeatureError;
use crystal::{Element, Structure};

/// Most ways to exchange elements that are tried: those of eight that occur equally often.
const MAX_EXCHANGES: f64 = 40_320.0;

/// Displacement that a translation may leave, Å, and still make the cell smaller: rattled supercells reduce.
const PRIMITIVE: f64 = 0.25;

/// A crystal ready for comparison: primitive, Niggli-reduced, 1 Å³ an atom, sites by element, the rarest first.
#[derive(Debug, Clone)]
pub struct Reduced {
    pub(super) rows: [[f64; 3]; 3],
    pub(super) frac: Vec<[f64; 3]>,
    /// Elements with the end of their run of sites.
    pub(super) kinds: Vec<(Element, usize)>,
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

    /// As [`super::match_structures`].
    pub fn compare(&self, other: &Self, tolerances: &Tolerances) -> Option<Match> {
        let found = self.search(other, tolerances, Aim::Least)?;
        (found.rms < tolerances.site).then_some(found)
    }

    /// As [`super::same_structure`].
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

    pub(super) fn sites(&self, kind: usize) -> std::ops::Range<usize> {
        let start = if kind == 0 { 0 } else { self.kinds[kind - 1].1 };
        start..self.kinds[kind].1
    }

    /// Every way to exchange the elements of `from` for those of `self` that occur as often: pairing[k] is the kind of
    /// `self` on which kind k of `from` is laid.
    pub(super) fn exchanges(&self, from: &Self) -> Result<Vec<Vec<usize>>, FeatureError> {
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

pub(super) fn inverse(pairing: &[usize]) -> Vec<usize> {
    let mut inverse = vec![0; pairing.len()];
    pairing.iter().enumerate().for_each(|(from, &onto)| inverse[onto] = from);
    inverse
}

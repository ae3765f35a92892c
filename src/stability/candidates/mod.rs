//! Crystals that are in no database: known ones with other elements in them.
//!
//! Each prototype gives the places of its cations; every choice of elements for them is kept if it is charge-neutral ([`neutral_states`],
//! every place keeping the sign of its charge), its ions are size-compatible, and the crystal is neither known nor made already. What is
//! left gets a cell scaled to its bonds, as by [`substitute`](super::substitute()).
//!
//! Two crystals are the same where they are of one structure type, the sites laid on each other with signs for elements, and have the
//! same elements in the same places: their free parameters differ only because nothing is relaxed. So each structure type is filled once,
//! from the first of its prototypes; and a comparison with a million crystals is a look-up in a set of their keys, 12 bytes each. Templates
//! and keys are held in memory, crystals only one batch at a time.

mod orderings;
mod template;
mod types;

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

use rayon::prelude::*;

use crystal::{Element, MIN_SITE_DISTANCE, Structure};
use features::{cation_radii, cation_radius, neutral_states};

use super::substitute::bond;
use template::{Slot, Template};
use types::{Key, Types, key};

/// Choices of elements that are judged together.
const BATCH: usize = 8192;

/// What to put into the prototypes.
#[derive(Debug, Clone, PartialEq)]
pub struct CandidateOptions {
    /// Elements that may take the place of a cation.
    pub elements: Vec<Element>,
    /// Orderings, for each share of sites, in which one element of a prototype is divided between two; 0 divides none.
    pub orderings: usize,
    /// Largest cell whose sites are divided, in primitive cells.
    pub cells: usize,
    /// Most elements of a prototype that are replaced at once.
    pub replaced: Option<usize>,
    /// Largest relative change of an ionic radius, Shannon's in the states of both compositions.
    pub radius_change: Option<f64>,
    /// Candidates after which no more are made; those that were made before count.
    pub limit: Option<u64>,
}

/// How many passed each step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct CandidateCounts {
    /// Crystals that prototypes were to be made of.
    pub prototypes: u64,
    /// Of these, those that gave none: not charge-neutral, no cation, no consistent symmetry.
    pub unusable: u64,
    /// Structure types, those with a divided element included.
    pub types: u64,
    /// Choices of elements that are not the prototype's own. Where sizes must be compatible, an element that fits in no state is no choice.
    pub choices: u64,
    /// Of these, those that are charge-neutral.
    pub neutral: u64,
    /// Of these, those whose ions fit.
    pub fitting: u64,
    /// Of these, those that are known.
    pub known: u64,
    /// And those that were made from another prototype or in another way, or by an earlier run.
    pub repeated: u64,
    /// What is left: candidates.
    pub candidates: u64,
}

/// A crystal made from a known one.
#[derive(Debug, Clone, PartialEq)]
pub struct Candidate {
    /// The crystal that it was made from.
    pub parent: String,
    /// What was exchanged for what: `Ti>Sn,La>Y`; `Ti>Nb1V1#2` for an element divided between two, the second ordering; `#3.2` in the
    /// third of the cells of that size.
    pub substitution: String,
    /// Anonymous label of its structure type.
    pub prototype: String,
    /// The largest relative change of an ionic radius; `None` where one of the radii is not known.
    pub radius_change: Option<f64>,
    /// The crystal, in a primitive cell.
    pub structure: Structure,
}

impl Candidate {
    /// A name: the parent's and what was exchanged, in characters that file names may have.
    pub fn id(&self) -> String {
        format!("{}_{}", self.parent, self.substitution.replace('>', "-").replace(',', "_").replace('#', "."))
    }
}

/// All candidates of some prototypes, batch by batch, in the order of the prototypes.
pub struct Candidates {
    templates: Vec<Template>,
    numbers: Vec<u32>,
    types: Types,
    options: CandidateOptions,
    counts: Arc<Mutex<CandidateCounts>>,
    known: HashSet<Key>,
    made: HashSet<Key>,
    before: HashSet<Key>,
    /// How many candidates of earlier runs came again.
    again: u64,
    at: usize,
    choices: Option<Choices>,
}

impl Candidates {
    /// The candidates of `prototypes`, crystals with their names. Of those of one structure type the first is used.
    pub fn new(prototypes: Vec<(String, Structure)>, mut options: CandidateOptions) -> Self {
        let mut named = HashSet::new();
        options.elements.retain(|element| named.insert(*element));
        let all: Vec<Result<Vec<Template>, &'static str>> = prototypes
            .into_par_iter()
            .map(|(id, structure)| Template::all(id, &structure, options.orderings, options.cells))
            .collect();
        let mut counts = CandidateCounts { prototypes: all.len() as u64, ..CandidateCounts::default() };
        counts.unusable = all.iter().filter(|made| made.is_err()).count() as u64;
        let mut templates: Vec<Template> = all.into_iter().flatten().flatten().collect();
        let (types, numbers) = Types::of(&mut templates);
        counts.types = types.len() as u64;
        let mut candidates = Self {
            templates,
            numbers,
            types,
            options,
            counts: Arc::new(Mutex::new(counts)),
            known: HashSet::new(),
            made: HashSet::new(),
            before: HashSet::new(),
            again: 0,
            at: 0,
            choices: None,
        };
        candidates.known = (0..candidates.templates.len()).filter_map(|at| candidates.own(at)).collect();
        candidates.leave_out_the_like();
        candidates
    }

    /// Remembers known crystals, which become no candidates.
    pub fn know(&mut self, crystals: &[Structure]) {
        let types = &self.types;
        self.known.par_extend(crystals.par_iter().filter_map(|structure| types.key(structure)));
    }

    /// Remembers candidates that were made before: they are not made again, and count where there is a limit. So making candidates
    /// twice is the same as making them once.
    pub fn made_before(&mut self, crystals: &[Structure]) {
        let types = &self.types;
        self.before.par_extend(crystals.par_iter().filter_map(|structure| types.key(structure)));
    }

    /// How many have passed each step so far; the handle stays good while candidates are made.
    pub fn counts(&self) -> Arc<Mutex<CandidateCounts>> {
        Arc::clone(&self.counts)
    }

    /// The key of a template with elements in its slots.
    fn key(&self, at: usize, elements: &[Element]) -> Option<Key> {
        let orders = self.templates[at].orders.iter();
        key(self.numbers[at], orders.map(|order| order.iter().map(|&slot| elements[usize::from(slot)])))
    }

    /// The key of the parent itself, where no element is divided.
    fn own(&self, at: usize) -> Option<Key> {
        let template = &self.templates[at];
        let elements: Vec<Element> = template.slots.iter().map(|slot| slot.element).collect();
        if template.ordering.is_some() { None } else { self.key(at, &elements) }
    }

    /// Leaves out templates of a type that an earlier one fills with the same elements.
    fn leave_out_the_like(&mut self) {
        if self.options.replaced.is_some() {
            // What counts as replaced depends on the prototype.
            return;
        }
        let mut filled = HashSet::new();
        let stays: Vec<bool> = (0..self.templates.len())
            .map(|at| {
                let slots = &self.templates[at].slots;
                if slots.iter().any(|slot| !slot.is_fixed() && !self.options.elements.contains(&slot.element)) {
                    return true;
                }
                let orders = self.templates[at].orders.iter();
                let fixed = |&slot: &u8| {
                    let slot = &slots[usize::from(slot)];
                    slot.is_fixed().then_some(slot.element)
                };
                let least = orders.map(|order| order.iter().map(fixed).collect::<Vec<_>>()).min();
                filled.insert((self.numbers[at], least))
            })
            .collect();
        let mut stays = stays.into_iter();
        let kept = std::mem::take(&mut self.templates).into_iter().zip(std::mem::take(&mut self.numbers));
        (self.templates, self.numbers) = kept.filter(|_| stays.next() == Some(true)).unzip();
    }

    /// The next choices of elements, of whichever templates.
    fn next_choices(&mut self) -> Vec<(usize, Vec<Element>)> {
        let mut found = Vec::with_capacity(BATCH);
        while found.len() < BATCH && self.at < self.templates.len() {
            let (template, options) = (&self.templates[self.at], &self.options);
            let choices = self.choices.get_or_insert_with(|| Choices::new(template, options));
            match choices.next() {
                Some(elements) => {
                    let changed = template.slots.iter().zip(&elements).filter(|(slot, e)| slot.element != **e).count();
                    if changed > 0 && options.replaced.is_none_or(|most| changed <= most) {
                        found.push((self.at, elements));
                    }
                }
                None => {
                    self.choices = None;
                    self.at += 1;
                }
            }
        }
        found
    }
}

impl Iterator for Candidates {
    type Item = Vec<Candidate>;

    /// The next candidates: up to a few thousand, never none.
    fn next(&mut self) -> Option<Vec<Candidate>> {
        loop {
            let there = lock(&self.counts).candidates + self.again;
            let left = self.options.limit.map(|limit| limit.saturating_sub(there));
            let mut again = 0;
            let choices = if left == Some(0) { Vec::new() } else { self.next_choices() };
            if choices.is_empty() {
                return None;
            }
            let mut counts = CandidateCounts { choices: choices.len() as u64, ..CandidateCounts::default() };
            let judge = |(at, elements): &(usize, Vec<Element>)| radius_change(&self.templates[*at], elements);
            let judged: Vec<Option<Option<f64>>> = choices.par_iter().map(judge).collect();
            let mut fresh = Vec::new();
            for ((at, elements), change) in choices.into_iter().zip(judged) {
                let Some(change) = change else { continue };
                counts.neutral += 1;
                if !self.options.radius_change.is_none_or(|most| change.is_some_and(|change| change <= most)) {
                    continue;
                }
                counts.fitting += 1;
                let Some(key) = self.key(at, &elements) else { continue };
                if self.known.contains(&key) {
                    counts.known += 1;
                } else if left.is_some_and(|left| counts.candidates + again >= left) {
                    break;
                } else if !self.made.insert(key) {
                    counts.repeated += 1;
                } else if self.before.contains(&key) {
                    counts.repeated += 1;
                    again += 1;
                } else {
                    counts.candidates += 1;
                    fresh.push((at, elements, change));
                }
            }
            self.again += again;
            let templates = &self.templates;
            let made: Vec<Candidate> = fresh
                .into_par_iter()
                .filter_map(|(at, elements, change)| candidate(&templates[at], &elements, change))
                .collect();
            // A cell that would be too small is no candidate.
            counts.candidates = made.len() as u64;
            lock(&self.counts).add(&counts);
            if !made.is_empty() {
                return Some(made);
            }
        }
    }
}

impl CandidateCounts {
    fn add(&mut self, more: &Self) {
        self.choices += more.choices;
        self.neutral += more.neutral;
        self.fitting += more.fitting;
        self.known += more.known;
        self.repeated += more.repeated;
        self.candidates += more.candidates;
    }
}

fn lock(counts: &Mutex<CandidateCounts>) -> std::sync::MutexGuard<'_, CandidateCounts> {
    counts.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The largest relative change of a radius, `None` within where one is not known; `None` where it is not charge-neutral with
/// every place keeping its sign.
fn radius_change(template: &Template, elements: &[Element]) -> Option<Option<f64>> {
    let states = neutral_states(&template.composition(elements))?;
    let mut largest = Some(0.0_f64);
    for (slot, &element) in template.slots.iter().zip(elements) {
        let (_, state) = *states.iter().find(|(e, _)| *e == element)?;
        if state.partial_cmp(&0.0) != slot.state.partial_cmp(&0.0) {
            return None;
        }
        if slot.is_fixed() {
            continue;
        }
        let radii = slot.radius.zip(cation_radius(element, state.round() as i8)).filter(|(old, _)| *old > 0.0);
        largest = largest.zip(radii).map(|(largest, (old, new))| largest.max(change(old, new)));
    }
    Some(largest)
}

/// Relative change of a radius.
fn change(old: f64, new: f64) -> f64 {
    (new - old).abs() / old
}

fn candidate(template: &Template, elements: &[Element], radius_change: Option<f64>) -> Option<Candidate> {
    let parent = &template.parent;
    let scale = bond(&template.composition(elements)).zip(parent.bond).map_or(1.0, |(new, old)| new / old);
    if scale * parent.distance_min < MIN_SITE_DISTANCE {
        return None;
    }
    Some(Candidate {
        parent: parent.id.clone(),
        substitution: template.substitution(elements),
        prototype: template.label.clone(),
        radius_change,
        structure: template.filled(elements).scaled(scale).ok()?,
    })
}

/// Every way to fill the slots of a template with elements that are all different.
struct Choices {
    /// Of each slot.
    elements: Vec<Vec<Element>>,
    /// The choice in each slot; empty before the first.
    at: Vec<usize>,
}

impl Choices {
    fn new(template: &Template, options: &CandidateOptions) -> Self {
        let fits = |slot: &Slot, element: Element| {
            let Some(most) = options.radius_change else { return true };
            slot.radius.is_some_and(|old| cation_radii(element).any(|new| change(old, new) <= most))
        };
        let of_slot = |slot: &Slot| {
            let others = options.elements.iter().copied().filter(|&e| e != slot.element && !slot.is_fixed());
            [slot.element].into_iter().chain(others.filter(|&e| fits(slot, e))).collect()
        };
        Self { elements: template.slots.iter().map(of_slot).collect(), at: Vec::new() }
    }

    /// Counts on by one at `slot`, carrying to those before it.
    fn step(&mut self, slot: usize) -> bool {
        for k in (0..=slot).rev() {
            self.at[k] += 1;
            if self.at[k] < self.elements[k].len() {
                return true;
            }
            self.at[k] = 0;
        }
        false
    }
}

impl Iterator for Choices {
    type Item = Vec<Element>;

    fn next(&mut self) -> Option<Vec<Element>> {
        let slots = self.elements.len();
        if self.at.is_empty() {
            self.at = vec![0; slots];
        } else if !self.step(slots - 1) {
            return None;
        }
        loop {
            let chosen: Vec<Element> = self.at.iter().zip(&self.elements).map(|(&k, elements)| elements[k]).collect();
            let Some(twice) = (1..slots).find(|&k| chosen[..k].contains(&chosen[k])) else { return Some(chosen) };
            // Later slots do not matter: every choice from here on repeats the element.
            self.at[twice + 1..].fill(0);
            if !self.step(twice) {
                return None;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;
    use formats::hosts::host;

    fn options(elements: &str) -> CandidateOptions {
        let elements = elements.split(' ').map(|symbol| Element::from_symbol(symbol).unwrap()).collect();
        CandidateOptions { elements, orderings: 0, cells: 1, replaced: None, radius_change: None, limit: None }
    }

    fn all(candidates: Candidates) -> (Vec<Candidate>, CandidateCounts) {
        let counts = candidates.counts();
        let found = candidates.flatten().collect();
        (found, *lock(&counts))
    }

    fn formulas(candidates: &[Candidate]) -> Vec<String> {
        candidates.iter().map(|c| c.structure.composition().reduced_formula()).collect()
    }

    #[test]
    fn only_what_balances_is_made() {
        let rutile = vec![("r".to_owned(), host("rutile").unwrap())];
        let (found, counts) = all(Candidates::new(rutile, options("Sn Zr Sn Ca Nb Ti Pt")));
        // Nb is +4 beside +5, Ca never.
        assert_eq!(formulas(&found), ["SnO2", "ZrO2", "NbO2", "PtO2"]);
        assert_eq!(found[0].id(), "r_Ti-Sn");
        assert_eq!((found[0].substitution.as_str(), found[0].prototype.as_str()), ("Ti>Sn", "AB2_tP6_136_a_f"));
        // Shannon: Ti4+ 0.605, Sn4+ 0.69 Å.
        assert!((found[0].radius_change.unwrap() - 0.085 / 0.605).abs() < 1e-9);
        let substituted = super::super::substitute(
            &host("rutile").unwrap(),
            &[(Element::from_symbol("Ti").unwrap(), Element::from_symbol("Sn").unwrap())],
            true,
        );
        assert!((found[0].structure.volume() - substituted.unwrap().volume()).abs() < 1e-9);
        let counted = CandidateCounts {
            prototypes: 1,
            types: 1,
            choices: 5,
            neutral: 4,
            fitting: 4,
            candidates: 4,
            ..CandidateCounts::default()
        };
        assert_eq!(counts, counted);
    }

    #[test]
    fn the_known_and_the_repeated_are_left_out() {
        let rutile = host("rutile").unwrap();
        let tin = super::super::substitute(
            &rutile,
            &[(Element::from_symbol("Ti").unwrap(), Element::from_symbol("Sn").unwrap())],
            true,
        )
        .unwrap();
        let prototypes = vec![("r".to_owned(), rutile.clone()), ("s".to_owned(), tin.supercell([2, 1, 1]).unwrap())];
        let mut candidates = Candidates::new(prototypes, options("Zr Pt Mn"));
        let zirconium = super::super::substitute(
            &rutile,
            &[(Element::from_symbol("Ti").unwrap(), Element::from_symbol("Zr").unwrap())],
            false,
        );
        candidates.know(&[zirconium.unwrap(), host("anatase").unwrap()]);
        let (found, counts) = all(candidates);
        // Ti and Sn are not in the list, so that both prototypes are used: Zr is known, twice.
        assert_eq!(formulas(&found), ["PtO2", "MnO2"]);
        assert_eq!((counts.types, counts.known, counts.repeated), (1, 2, 2));
        assert!(found.iter().all(|c| c.parent == "r"));
    }

    #[test]
    fn a_divided_site_gives_each_ordering_once() {
        let rutile = vec![("r".to_owned(), host("rutile").unwrap())];
        let with = CandidateOptions { orderings: 8, ..options("Nb V Fe") };
        let (found, _) = all(Candidates::new(rutile, with));
        let mut mixed: Vec<_> = found.iter().filter(|c| c.substitution.contains('#')).collect();
        mixed.sort_by_key(|c| c.id());
        let substitutions: Vec<_> = mixed.iter().map(|c| c.substitution.as_str()).collect();
        let formulas: Vec<_> = mixed.iter().map(|c| c.structure.composition().reduced_formula()).collect();
        // Both metals of a pair change places by the symmetry of the sites: each pair is there once.
        let unique: HashSet<_> = formulas.iter().collect();
        assert_eq!(unique.len(), formulas.len(), "{substitutions:?}");
        assert!(formulas.contains(&"NbVO4".to_owned()), "{formulas:?}");
        assert!(substitutions.iter().all(|s| s.starts_with("Ti>")), "{substitutions:?}");
    }

    #[test]
    fn every_candidate_has_a_name_of_its_own() {
        let prototypes = || ["rutile", "anatase"].map(|name| (name.to_owned(), host(name).unwrap())).to_vec();
        let with = |orderings| CandidateOptions { orderings, cells: 2, ..options("Nb V Fe") };
        let (found, _) = all(Candidates::new(prototypes(), with(4)));
        let larger = found.iter().filter(|c| c.structure.len() > 6 && c.substitution.contains('.')).count();
        let names: HashMap<String, &Candidate> = found.iter().map(|c| (c.id(), c)).collect();
        assert!(larger > 20 && names.len() == found.len(), "{larger}, {} names of {}", names.len(), found.len());
        // What a name means does not depend on how many others there are.
        let (fewer, _) = all(Candidates::new(prototypes(), with(1)));
        assert!(fewer.len() < found.len());
        for candidate in fewer {
            assert!(
                names.get(&candidate.id()).is_none_or(|same| same.structure == candidate.structure),
                "{}",
                candidate.id()
            );
        }
    }

    #[test]
    fn limits_are_kept() {
        let perovskite = || vec![("p".to_owned(), host("lanthanum-cobaltate").unwrap())];
        let elements = "La Y Gd Sr Ca Ba Ti Zr Mn Fe Co Ni Al Cr";
        let (found, counts) = all(Candidates::new(perovskite(), options(elements)));
        assert_eq!(counts.choices, 14 * 13 - 1);
        assert!(found.len() > 20 && counts.candidates == found.len() as u64);
        let one = CandidateOptions { replaced: Some(1), ..options(elements) };
        let (single, counts) = all(Candidates::new(perovskite(), one));
        assert_eq!(counts.choices, 24);
        assert!(single.iter().all(|c| !c.substitution.contains(',')) && single.len() < found.len());
        let narrow = CandidateOptions { radius_change: Some(0.1), ..options(elements) };
        let (near, counts) = all(Candidates::new(perovskite(), narrow));
        assert!(near.iter().all(|c| c.radius_change.unwrap() <= 0.1) && near.len() < found.len());
        assert!(counts.fitting < counts.neutral);
        let few = CandidateOptions { limit: Some(3), ..options(elements) };
        assert_eq!(all(Candidates::new(perovskite(), few)).0, found[..3]);
    }
}

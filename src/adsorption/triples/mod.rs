//! Host, host with ions, ion: which calculations belong together, and what the insertion gains.
//!
//! Two calculations are host and inserted where they differ by ions of one kind alone: without the ions their crystals are
//! the same framework (the criterion of [`same_structure`], which lets the cell breathe),
//! and they were computed alike, so that their energies have a common zero. Of the calculations of a framework those with
//! the fewest ions are the host, and of these the one of lowest energy: relaxations that were done in several parts, or
//! with several orders of the moments. Cells may hold several of the host's.
//!
//! The reference of the ion is a calculation of its metal, done alike except for the Hubbard terms, which a metal does not have. Without
//! one, it is a stated energy of the same functional. A reference is never assumed: without one, or with several that contradict each
//! other, there is no potential.
//!
//! Every calculation that is left out is named, with the reason.

mod alike;
mod given;
mod reference;

use std::collections::BTreeMap;

use crystal::{Composition, Element, Structure};
use features::{Reduced, Tolerances, same_structure};
use formats::vasp::Run;

use alike::difference;
pub use given::{Asked, given, read_triples};
use reference::Energy;
pub use reference::{Reference, References};

/// Ions that are looked for, with their charge.
pub const WORKING_IONS: [(&str, u8); 14] = [
    ("Li", 1),
    ("Na", 1),
    ("K", 1),
    ("Rb", 1),
    ("Cs", 1),
    ("Mg", 2),
    ("Ca", 2),
    ("Sr", 2),
    ("Ba", 2),
    ("Zn", 2),
    ("Al", 3),
    ("Sc", 3),
    ("Y", 3),
    ("La", 3),
];

/// Charge of a working ion, e.
pub fn working_charge(ion: Element) -> Option<u8> {
    WORKING_IONS.iter().find(|(symbol, _)| *symbol == ion.symbol()).map(|(_, charge)| *charge)
}

/// Ions that went into a host, with the calculations, by their number, and their energies. The potentials follow from these.
#[derive(Debug, Clone, PartialEq)]
pub struct Triple {
    /// The host's calculation.
    pub host: usize,
    /// The calculation with the ions.
    pub inserted: usize,
    /// That of the ion's metal, where the reference is one.
    pub ion_run: Option<usize>,
    /// The ion.
    pub ion: Element,
    /// Ions in the cell, beside those that the host has.
    pub n: u32,
    /// The tunnel, where it is stated.
    pub channel: Option<String>,
    /// Cells of the host in that of the inserted crystal.
    pub cells: f64,
    /// Energy of as much host as the cell holds, eV.
    pub e_host: f64,
    /// Energy of the cell with the ions, eV.
    pub e_inserted: f64,
    /// Reference of the ion, eV/atom.
    pub e_ion: f64,
    /// Where the reference is from, and what is not known of it; `None` for a calculation done alike.
    pub note: Option<String>,
}

/// A calculation that would have been part of a triple, and why it is not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// Its number.
    pub run: usize,
    /// Why.
    pub reason: String,
}

/// What was found among calculations.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Triples {
    /// Those that belong together.
    pub found: Vec<Triple>,
    /// What was left out.
    pub refused: Vec<Refused>,
}

impl Triples {
    /// Names a calculation that is left out, once for a reason.
    fn refuse(&mut self, run: usize, reason: String) {
        let refused = Refused { run, reason };
        if !self.refused.contains(&refused) {
            self.refused.push(refused);
        }
    }
}

/// A calculation seen as a framework with ions in it.
struct Member<'a> {
    run: usize,
    of: &'a Run,
    ions: usize,
    framework: usize,
    reduced: Reduced,
}

impl Member<'_> {
    /// Ions for each atom of the framework.
    fn content(&self) -> f64 {
        self.ions as f64 / self.framework as f64
    }

    /// Energy for each atom of the framework, eV.
    fn energy(&self) -> f64 {
        self.of.energy / self.framework as f64
    }
}

/// Contents nearer than this are one.
const SAME_CONTENT: f64 = 1e-9;

/// Finds what belongs together among `runs`.
pub fn find(runs: &[Run], references: &References) -> Triples {
    let mut triples = Triples::default();
    for (symbol, _) in WORKING_IONS {
        let Ok(ion) = Element::from_symbol(symbol) else { continue };
        let mut families: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        for (k, run) in runs.iter().enumerate() {
            if let Some(framework) = framework(&run.structure, ion) {
                families.entry(framework.composition().reduced_formula()).or_default().push(k);
            }
        }
        for family in families.values().filter(|family| family.len() > 1) {
            let with_ion = |k: &usize| runs[*k].structure.species().contains(&ion);
            if family.iter().any(with_ion) {
                relate(runs, references, ion, family, &mut triples);
            }
        }
    }
    lowest_of_the_same(runs, &mut triples);
    triples
}

/// The triples of one ion among calculations whose frameworks have one formula.
fn relate(runs: &[Run], references: &References, ion: Element, family: &[usize], triples: &mut Triples) {
    let members: Vec<Member> = family
        .iter()
        .filter_map(|&k| {
            let framework = framework(&runs[k].structure, ion)?;
            let (all, of) = (runs[k].structure.len(), &runs[k]);
            let reduced = Reduced::of(&framework);
            Some(Member { run: k, of, ions: all - framework.len(), framework: framework.len(), reduced })
        })
        .collect();
    let tolerances = Tolerances::default();
    for member in members.iter().filter(|m| m.ions > 0) {
        let emptier: Vec<&Member> = members.iter().filter(|m| m.content() < member.content() - SAME_CONTENT).collect();
        let (hosts, others): (Vec<&Member>, Vec<&Member>) =
            emptier.into_iter().partition(|host| host.reduced.is_same(&member.reduced, &tolerances));
        if hosts.is_empty() {
            if let Some(other) = others.first() {
                let reason = format!("without {ion} its framework is not that of {}", other.of.name);
                triples.refuse(member.run, reason);
            }
            continue;
        }
        if let Some(fault) = member.of.fault() {
            triples.refuse(member.run, fault);
            continue;
        }
        match host_of(member, &hosts, triples).and_then(|host| triple(runs, references, ion, host, member)) {
            Ok(triple) => triples.found.push(triple),
            Err(reason) => triples.refuse(member.run, reason),
        }
    }
}

/// The host of an inserted crystal among those of its framework; what cannot be one is named.
fn host_of<'a>(member: &Member, hosts: &[&'a Member<'a>], triples: &mut Triples) -> Result<&'a Member<'a>, String> {
    let mut sound = Vec::new();
    for host in hosts {
        match host.of.fault() {
            Some(fault) => triples.refuse(host.run, fault),
            None => sound.push(*host),
        }
    }
    let Some(least) = sound.iter().map(|h| h.content()).reduce(f64::min) else {
        return Err(format!("no host for it: {} may not be used", names(hosts)));
    };
    sound.retain(|host| host.content() < least + SAME_CONTENT);
    let alike = sound.iter().filter(|host| difference(host.of, member.of).is_none());
    if let Some(host) = alike.min_by(|a, b| a.energy().total_cmp(&b.energy())) {
        return Ok(host);
    }
    let reasons = sound.iter().filter_map(|host| {
        difference(host.of, member.of)
            .map(|difference| format!("{} was computed otherwise: {difference}", host.of.name))
    });
    Err(reasons.collect::<Vec<_>>().join("; "))
}

/// The triple of a host, an inserted crystal and a reference for the ion.
fn triple(
    runs: &[Run],
    references: &References,
    ion: Element,
    host: &Member,
    member: &Member,
) -> Result<Triple, String> {
    let cells = member.framework as f64 / host.framework as f64;
    let n = member.ions as f64 - cells * host.ions as f64;
    if (n - n.round()).abs() > SAME_CONTENT * member.framework as f64 || n.round() < 1.0 {
        return Err(format!(
            "its cell holds {cells} of {}, which makes {n} {ion}; use cells that hold whole ones",
            host.of.name
        ));
    }
    let Energy { run, per_atom, note } = reference::of(runs, references, ion, member.of)?;
    Ok(Triple {
        host: host.run,
        inserted: member.run,
        ion_run: run,
        ion,
        n: n.round() as u32,
        channel: None,
        cells,
        e_host: cells * host.of.energy,
        e_inserted: member.of.energy,
        e_ion: per_atom,
        note,
    })
}

/// Of triples that end in one crystal, by several calculations, keeps the one of lowest energy.
fn lowest_of_the_same(runs: &[Run], triples: &mut Triples) {
    let found = std::mem::take(&mut triples.found);
    let tolerances = Tolerances::default();
    let same = |a: &Triple, b: &Triple| {
        (a.host, a.ion, a.n, a.cells) == (b.host, b.ion, b.n, b.cells)
            && difference(&runs[a.inserted], &runs[b.inserted]).is_none()
            && same_structure(&runs[a.inserted].structure, &runs[b.inserted].structure, &tolerances)
    };
    for (k, triple) in found.iter().enumerate() {
        let lower = |(i, other): &(usize, &Triple)| {
            let below = other.e_inserted.total_cmp(&triple.e_inserted).then(i.cmp(&k));
            *i != k && below.is_lt() && same(other, triple)
        };
        match found.iter().enumerate().find(lower) {
            Some((_, other)) => {
                let reason = format!("the same crystal as {}, which has the lower energy", runs[other.inserted].name);
                triples.refuse(triple.inserted, reason);
            }
            None => triples.found.push(triple.clone()),
        }
    }
}

/// The crystal without its atoms of an element; `None` where nothing is left.
fn framework(structure: &Structure, without: Element) -> Option<Structure> {
    let sites = structure.species().iter().copied().zip(structure.frac_coords().iter().copied());
    let (species, coords): (Vec<_>, Vec<_>) = sites.filter(|(element, _)| *element != without).unzip();
    Structure::with_overlaps(*structure.lattice(), species, coords).ok()
}

/// Atoms of a composition that are not of an element.
fn others(composition: &Composition, element: Element) -> f64 {
    composition.natoms() - composition.amount(element)
}

fn names(members: &[&Member]) -> String {
    members.iter().map(|m| m.of.name.as_str()).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests;

//! From a crystal that holds ions to the potential at which they leave: relaxation, removal, relaxation, energies.
//!
//! The crystal is relaxed with its cell; n ions are taken out of the relaxed crystal by [`remove`]; what is left is relaxed with its
//! cell in turn. With the elemental reference energy of the ion, all three from one model,
//!
//! ```text
//! potential = -(E(X_n host) - E(host) - n E(X)) / n      eV per ion, positive = held
//! ```
//!
//! the quantity of [`adsorb`](super::adsorb()) reached from its other end: over the charge of the ion it is the average voltage
//! against the metal between the full crystal and what is left, on charging as on discharging. The two ends differ where the
//! framework relaxes into another minimum.

use std::{collections::BTreeMap, ops::ControlFlow};

use super::{
    adsorb::NUDGE,
    adsorption_potential,
    elements::reference,
    relax::{Follower, Job, RelaxOptions, Relaxed, run_all},
    remove::remove,
};
use crate::AdsorptionError;
use crystal::{ContentHash, Structure, content_hash};
use features::Ion;
use models::potential::Potential;

/// A request: so many ions out of a crystal.
#[derive(Debug, Clone, Copy)]
pub struct Extraction<'a> {
    /// The crystal that holds them.
    pub crystal: &'a Structure,
    /// What goes.
    pub ion: Ion,
    /// How many of its cell; `None`: all.
    pub n: Option<usize>,
}

/// A crystal without its ions, relaxed.
#[derive(Debug, Clone, PartialEq)]
pub struct Extracted {
    /// Ions that went.
    pub n: usize,
    /// Energy of the relaxed crystal with them, eV.
    pub e_full: f64,
    /// Energy of what is left, relaxed, eV.
    pub e_left: f64,
    /// Elemental reference energy of the ion, eV/atom.
    pub e_ion: f64,
    /// eV per ion, positive where the ions are held.
    pub potential: f64,
    /// Volume of what is left over that of the relaxed crystal, less 1.
    pub volume_change: f64,
    /// What is left.
    pub structure: Structure,
    /// Whether both relaxations converged.
    pub converged: bool,
}

/// Answers `requests`. `references`: elemental reference energies on the scale of the model, eV/atom. The follower goes
/// along with the relaxations.
///
/// # Errors
/// Per request: an element that the model does not know, no such ions, no energy of the ion, a crystal that disintegrates.
pub fn extract(
    potential: &dyn Potential,
    references: &BTreeMap<String, f64>,
    requests: &[Extraction<'_>],
    options: &RelaxOptions,
    follower: &mut impl Follower,
) -> ControlFlow<(), Vec<Result<Extracted, AdsorptionError>>> {
    let mut ends: Vec<Option<Result<Extracted, AdsorptionError>>> = requests.iter().map(|_| None).collect();
    let mut known: BTreeMap<ContentHash, usize> = BTreeMap::new();
    let mut crystals: Vec<&Structure> = Vec::new();
    // By crystal: the requests for it, and the elemental reference energy of their ion, eV/atom.
    let mut of_crystal: Vec<Vec<(usize, f64)>> = Vec::new();
    for (number, request) in requests.iter().enumerate() {
        match reference(references, request.ion.element, potential.name()) {
            Ok(e_ion) => {
                let crystal = *known.entry(content_hash(request.crystal)).or_insert(crystals.len());
                if crystal == crystals.len() {
                    crystals.push(request.crystal);
                    of_crystal.push(Vec::new());
                }
                of_crystal[crystal].push((number, e_ion));
            }
            Err(error) => ends[number] = Some(Err(error)),
        }
    }
    let job = |(key, crystal): (usize, &&Structure)| Job {
        key,
        structure: (*crystal).clone(),
        options: *options,
        then: of_crystal[key].len(),
    };
    let jobs = crystals.iter().enumerate().map(job).collect();
    let mut begun: Vec<(usize, Begun)> = Vec::new();
    run_all(potential, jobs, follower, |key, end| match key.checked_sub(crystals.len()) {
        None => {
            let full = end.map_err(|e| format!("the crystal with its ions: {e}"));
            let mut jobs = Vec::new();
            for &(number, e_ion) in &of_crystal[key] {
                let full = full.as_ref().map_err(|e| AdsorptionError::Undefined(e.clone()));
                match full.and_then(|full| Begun::new(full, &requests[number], e_ion)) {
                    Ok((structure, next)) => {
                        let options = RelaxOptions { nudge: NUDGE, ..*options };
                        jobs.push(Job { key: crystals.len() + begun.len(), structure, options, then: 0 });
                        begun.push((number, next));
                    }
                    Err(error) => ends[number] = Some(Err(error)),
                }
            }
            jobs
        }
        Some(k) => {
            let (number, begun) = &begun[k];
            ends[*number] = Some(end.and_then(|end| begun.finish(end)));
            Vec::new()
        }
    })?;
    let unanswered = || Err(AdsorptionError::Undefined("the relaxation did not finish".into()));
    ControlFlow::Continue(ends.into_iter().map(|end| end.unwrap_or_else(unanswered)).collect())
}

/// Ions taken out of a relaxed crystal.
struct Begun {
    n: usize,
    e_full: f64,
    e_ion: f64,
    volume: f64,
    converged: bool,
}

impl Begun {
    /// What is left, and what is to be compared with it.
    fn new(full: &Relaxed, request: &Extraction<'_>, e_ion: f64) -> Result<(Structure, Self), AdsorptionError> {
        let (left, n) = remove(&full.structure, &request.ion, request.n)?;
        let (e_full, volume, converged) = (full.energy, full.structure.volume(), full.converged);
        Ok((left, Self { n, e_full, e_ion, volume, converged }))
    }

    fn finish(&self, end: Relaxed) -> Result<Extracted, AdsorptionError> {
        let Self { n, e_full, e_ion, volume, converged } = *self;
        Ok(Extracted {
            n,
            e_full,
            e_left: end.energy,
            e_ion,
            potential: adsorption_potential(e_full, end.energy, e_ion, n as f64)?,
            volume_change: end.structure.volume() / volume - 1.0,
            converged: converged && end.converged,
            structure: end.structure,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Round, Within, flat::Flat, insert};
    use formats::hosts::host;

    #[test]
    fn taking_out_gains_what_putting_in_costs() {
        let li = Ion::parse("Li").unwrap();
        let spinel = insert(&host("lambda-mno2").unwrap(), &li, 8, Within::Everywhere).unwrap().structure;
        let references = BTreeMap::from([("Li".to_owned(), -1.5)]);
        let ask = |n| Extraction { crystal: &spinel, ion: li, n };
        let sodium = Extraction { ion: Ion::parse("Na").unwrap(), ..ask(None) };
        let requests = [ask(None), ask(Some(2)), ask(Some(9)), sodium];
        let mut of = 0;
        let mut watch = |round: Round| {
            of = round.of;
            ControlFlow::Continue(())
        };
        let end = extract(&Flat, &references, &requests, &RelaxOptions::default(), &mut watch);
        let ControlFlow::Continue(answers) = end else { panic!("no follower broke off") };
        // One crystal is relaxed for all of the requests, then what is left of two.
        assert_eq!(of, 3);
        let all = answers[0].as_ref().unwrap();
        assert_eq!((all.n, all.e_full, all.e_left, all.converged), (8, -64.0, -48.0, true));
        assert!((all.potential - 0.5).abs() < 1e-12, "{}", all.potential);
        let two = answers[1].as_ref().unwrap();
        assert_eq!((two.n, two.structure.len()), (2, 54));
        assert!((two.potential - 0.5).abs() < 1e-12);
        let said = |i: usize| answers[i].as_ref().unwrap_err().to_string();
        assert!(
            said(2).contains("a cell that has 8") && said(3).contains("elemental reference energy of Na"),
            "{} {}",
            said(2),
            said(3)
        );
    }
}

//! From an empty host to the potential at which an ion is held in it: sites, insertion, relaxation, energies.
//!
//! The host is relaxed with its cell; n ions are put where [`insert`] finds them best in the relaxed host; the cell with them is
//! relaxed in turn. With the energy of the ion by itself, all three from one model,
//!
//! ```text
//! potential = -(E(X_n host) - E(host) - n E(X)) / n      eV per ion, positive = favourable
//! ```
//!
//! Many go in one queue: each host is relaxed once, whatever the number of ions and channels that are asked for, and what is put
//! into it follows at once, so that the first answers are there long before the last host is relaxed.

use std::{collections::BTreeMap, ops::ControlFlow};

use super::{
    adsorption_potential,
    elements::reference,
    insert::{Insertion, insert},
    relax::{Follower, Job, RelaxOptions, Relaxed, run_all},
    sites::{InsertionSite, Within},
};
use crate::AdsorptionError;
use crystal::{ContentHash, Radii, Structure, content_hash};
use features::{Ion, site_radii, tunnels};
use models::potential::Potential;

/// Atoms are moved by so much before the cell with ions is relaxed, Å: the middle of a tunnel is a saddle more often than not.
pub(super) const NUDGE: f64 = 0.02;

/// What is asked for: so many ions in a host.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// The empty host.
    pub host: &'a Structure,
    /// What goes in.
    pub ion: Ion,
    /// How many in its cell.
    pub n: usize,
    /// Where; `None`: in each of the channels of the relaxed host in turn, in its cavities where it has none.
    pub within: Option<Within>,
}

impl Request<'_> {
    /// The places that are asked for, in the relaxed host.
    fn places(&self, relaxed: &Structure) -> Result<Vec<Within>, AdsorptionError> {
        if let Some(within) = self.within {
            return Ok(vec![within]);
        }
        let channels = tunnels(relaxed, &site_radii(relaxed, Radii::Shannon)?)?.len();
        Ok(match channels {
            0 => vec![Within::Cavities],
            _ => (0..channels).map(Within::Channel).collect(),
        })
    }
}

/// Ions in a host, relaxed.
#[derive(Debug, Clone, PartialEq)]
pub struct Adsorbed {
    /// Index of the channel where the first ion was put, among the tunnels of the relaxed host; `None` in a closed cavity.
    pub channel: Option<usize>,
    /// Polyhedra around it.
    pub ring: Option<usize>,
    /// Ions in the cell.
    pub n: usize,
    /// Fractional coordinates where they were put.
    pub sites: Vec<[f64; 3]>,
    /// Energy of the relaxed host, eV.
    pub e_host: f64,
    /// Energy of the relaxed cell with the ions, eV.
    pub e_inserted: f64,
    /// Energy of the ion by itself, eV/atom.
    pub e_ion: f64,
    /// eV per ion, positive = favourable.
    pub potential: f64,
    /// Volume of the cell with ions over that of the relaxed host, less 1.
    pub volume_change: f64,
    /// The relaxed cell with the ions, which come last.
    pub structure: Structure,
    /// Whether both relaxations converged.
    pub converged: bool,
    /// Steps of both.
    pub steps: usize,
}

/// What became of one place that was asked for.
pub type Answer = Result<Adsorbed, AdsorptionError>;

/// What became of the places of a request, or why there are none.
pub type Answers = Result<Vec<Answer>, AdsorptionError>;

/// Answers `requests`: for each, what became of the places that it asks for. `references`: energies of the elements by
/// themselves on the scale of the model, eV/atom. The follower goes along with the relaxations; `answered` is told the number of
/// each request and its answers as soon as they are there.
///
/// # Errors
/// Per request: an element that the model does not know, a host that falls apart. Per place: no energy of the ion, no site
/// or no room.
pub fn adsorb(
    potential: &dyn Potential,
    references: &BTreeMap<String, f64>,
    requests: &[Request<'_>],
    options: &RelaxOptions,
    follower: &mut impl Follower,
    answered: impl FnMut(usize, &Answers),
) -> ControlFlow<(), Vec<Answers>> {
    let mut asked =
        Asked { requests, options, states: Vec::new(), of_host: Vec::new(), fillings: Vec::new(), answered };
    let mut known: BTreeMap<ContentHash, usize> = BTreeMap::new();
    let mut hosts: Vec<&Structure> = Vec::new();
    for (number, request) in requests.iter().enumerate() {
        asked.states.push(State::default());
        match reference(references, request.ion.element, potential.name()) {
            Ok(e_ion) => {
                let host = *known.entry(content_hash(request.host)).or_insert(hosts.len());
                if host == hosts.len() {
                    hosts.push(request.host);
                    asked.of_host.push(Vec::new());
                }
                asked.of_host[host].push((number, e_ion));
            }
            // Nothing to measure from, whatever the relaxations would say.
            Err(error) => asked.end(number, Ok(vec![Err(error)])),
        }
    }
    let job = |(key, host): (usize, &&Structure)| Job {
        key,
        structure: (*host).clone(),
        options: *options,
        then: asked.of_host[key].len(),
    };
    let jobs = hosts.iter().enumerate().map(job).collect();
    run_all(potential, jobs, follower, |key, end| match key.checked_sub(hosts.len()) {
        None => asked.fill(key, end, hosts.len()),
        Some(filling) => {
            asked.filled(filling, end);
            Vec::new()
        }
    })?;
    let unanswered = || Err(AdsorptionError::Undefined("no end of the relaxation".into()));
    ControlFlow::Continue(asked.states.into_iter().map(|state| state.end.unwrap_or_else(unanswered)).collect())
}

/// Requests on their way.
struct Asked<'a, F> {
    requests: &'a [Request<'a>],
    options: &'a RelaxOptions,
    states: Vec<State>,
    /// By host: the requests for it, and the energy of their ion by itself, eV/atom.
    of_host: Vec<Vec<(usize, f64)>>,
    /// Cells that were filled: the number of the request, the place among its places, and what was put where.
    fillings: Vec<(usize, usize, Begun)>,
    answered: F,
}

/// Where a request stands.
#[derive(Default)]
struct State {
    /// `None` for a place whose relaxation has not ended.
    places: Vec<Option<Answer>>,
    end: Option<Answers>,
}

impl<F: FnMut(usize, &Answers)> Asked<'_, F> {
    /// A host is relaxed: the jobs of the cells that it is filled to.
    fn fill(&mut self, host: usize, end: Result<Relaxed, AdsorptionError>, hosts: usize) -> Vec<Job> {
        let host_end = end.map_err(|e| format!("the empty host: {e}"));
        let mut jobs = Vec::new();
        for (number, e_ion) in std::mem::take(&mut self.of_host[host]) {
            let request = self.requests[number];
            let places = host_end.as_ref().map_err(|e| AdsorptionError::Undefined(e.clone()));
            let places = places.and_then(|host| Ok((host, request.places(&host.structure)?)));
            let (host, places) = match places {
                Ok(found) => found,
                Err(error) => {
                    self.end(number, Err(error));
                    continue;
                }
            };
            for (place, within) in places.into_iter().enumerate() {
                let answer = match insert(&host.structure, &request.ion, request.n, within) {
                    Ok(insertion) => {
                        jobs.push(Job {
                            key: hosts + self.fillings.len(),
                            structure: insertion.structure.clone(),
                            options: RelaxOptions { nudge: NUDGE, ..*self.options },
                            then: 0,
                        });
                        self.fillings.push((number, place, Begun::new(host, e_ion, &insertion)));
                        None
                    }
                    Err(error) => Some(Err(error)),
                };
                self.states[number].places.push(answer);
            }
            self.check(number);
        }
        jobs
    }

    /// A cell with ions is relaxed.
    fn filled(&mut self, filling: usize, end: Result<Relaxed, AdsorptionError>) {
        let (number, place, begun) = &self.fillings[filling];
        let (number, answer) = (*number, end.and_then(|end| begun.finish(end)));
        self.states[number].places[*place] = Some(answer);
        self.check(number);
    }

    /// Ends a request of which no place is open.
    fn check(&mut self, number: usize) {
        let places = &mut self.states[number].places;
        if places.iter().all(Option::is_some) {
            let places = std::mem::take(places).into_iter().flatten().collect();
            self.end(number, Ok(places));
        }
    }

    fn end(&mut self, number: usize, answers: Answers) {
        (self.answered)(number, &answers);
        self.states[number].end = Some(answers);
    }
}

/// Ions put into a relaxed host.
struct Begun {
    e_host: f64,
    volume: f64,
    converged: bool,
    steps: usize,
    e_ion: f64,
    sites: Vec<InsertionSite>,
}

impl Begun {
    fn new(host: &Relaxed, e_ion: f64, insertion: &Insertion) -> Self {
        Self {
            e_host: host.energy,
            volume: host.structure.volume(),
            converged: host.converged,
            steps: host.steps,
            e_ion,
            sites: insertion.sites.clone(),
        }
    }

    fn finish(&self, end: Relaxed) -> Answer {
        let (n, first) = (self.sites.len(), self.sites.first());
        Ok(Adsorbed {
            channel: first.and_then(|site| site.channel),
            ring: first.and_then(|site| site.ring),
            n,
            e_host: self.e_host,
            e_inserted: end.energy,
            e_ion: self.e_ion,
            potential: adsorption_potential(end.energy, self.e_host, self.e_ion, n as f64)?,
            volume_change: end.structure.volume() / self.volume - 1.0,
            structure: end.structure,
            converged: end.converged && self.converged,
            steps: end.steps + self.steps,
            sites: self.sites.iter().map(|site| site.frac).collect(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Round, flat::Flat};
    use crystal::{Element, Lattice};

    fn tungsten_trioxide() -> Structure {
        let lattice = Lattice::from_parameters(3.8, 3.8, 3.8, 90.0, 90.0, 90.0).unwrap();
        let w = Element::from_symbol("W").unwrap();
        let sites = vec![[0.0; 3], [0.5, 0.0, 0.0], [0.0, 0.5, 0.0], [0.0, 0.0, 0.5]];
        Structure::new(lattice, vec![w, Element::O, Element::O, Element::O], sites).unwrap()
    }

    fn answers(requests: &[Request<'_>]) -> Vec<Result<Vec<Answer>, AdsorptionError>> {
        let references = BTreeMap::from([("Li".to_owned(), -1.5)]);
        let mut told = Vec::new();
        let mut rounds = Vec::new();
        let mut watch = |round: Round| {
            rounds.push((round.active, round.of));
            ControlFlow::Continue(())
        };
        let end = adsorb(&Flat, &references, requests, &RelaxOptions::default(), &mut watch, |number, answers| {
            told.push((number, answers.as_ref().map_or(0, Vec::len)));
        });
        let ControlFlow::Continue(answers) = end else { panic!("nobody broke off") };
        told.sort_unstable();
        let each: Vec<_> = answers.iter().map(|a| a.as_ref().map_or(0, Vec::len)).enumerate().collect();
        assert_eq!(told, each, "each request is told once");
        // The one host, and a place for each of the three requests of Li, of which one has no room for so many.
        assert_eq!(rounds, [(2, 3), (0, 3)]);
        answers
    }

    #[test]
    fn a_flat_surface_gives_what_its_atoms_have() {
        let host = tungsten_trioxide();
        let ask = |ion, n, within| Request { host: &host, ion: Ion::parse(ion).unwrap(), n, within };
        let given = answers(&[
            ask("Li", 1, Some(Within::Everywhere)),
            ask("Li", 1, None),
            ask("Ca", 1, None),
            ask("Li", 40, Some(Within::Everywhere)),
        ]);
        let one = given[0].as_ref().unwrap()[0].as_ref().unwrap();
        // The centre of the cube, 12 O around it: -((-6) - (-4) - (-1.5)).
        assert!((one.potential - 0.5).abs() < 1e-12 && one.converged && one.n == 1);
        assert!(one.sites[0].iter().all(|x| (x - 0.5).abs() < 1e-6), "{:?}", one.sites);
        assert_eq!((one.structure.len(), one.e_host, one.e_inserted), (5, -4.0, -6.0));
        // The tunnels of the three directions are one channel.
        let each = given[1].as_ref().unwrap();
        assert_eq!((each.len(), each[0].as_ref().unwrap().channel), (1, Some(0)));
        let calcium = given[2].as_ref().unwrap()[0].as_ref().unwrap_err().to_string();
        assert!(calcium.contains("elemental reference energy of Ca"), "{calcium}");
        assert!(given[3].as_ref().unwrap()[0].as_ref().unwrap_err().to_string().contains("no room"));
    }

    #[test]
    fn whoever_watches_may_break_off() {
        let host = tungsten_trioxide();
        let request = Request { host: &host, ion: Ion::parse("Li").unwrap(), n: 1, within: None };
        let references = BTreeMap::from([("Li".to_owned(), -1.5)]);
        let mut watch = |_: Round| ControlFlow::Break(());
        let end = adsorb(&Flat, &references, &[request], &RelaxOptions::default(), &mut watch, |_, _| {});
        assert!(end.is_break());
    }
}

//! Requests on their way: which relaxation belongs to which, and what follows when one ends.

use std::{collections::BTreeMap, sync::Arc};

use super::{Adsorbed, Answer, Answers, Emptied, Freedom, Request, SAME_ENERGY, bonds::bonds_kept};
use crate::{
    AdsorptionError, adsorption_potential,
    dilute::ion_spacing,
    elements::reference,
    insert::Insertion,
    relax::{Job, RelaxOptions, Relaxed},
    sites::InsertionSite,
};
use crystal::{ContentHash, HermiteForm, Structure, content_hash, norm};
use features::{Tolerances, same_structure};

/// An atom that is this near to where it was, Å, has stayed: half of what makes an ion of lithium change its site.
const STAYED: f64 = 0.5;
/// Relative changes of the cell's edges up to this leave it the same cell.
const STRAIN: f64 = 0.05;

/// Each request, and the relaxations that are done for it.
pub(super) struct Asked<'a, F> {
    requests: &'a [Request<'a>],
    options: &'a RelaxOptions,
    states: Vec<State>,
    /// What each relaxation is for, by its key.
    tasks: Vec<Task>,
    answered: F,
}

/// What a relaxation is for.
enum Task {
    /// A host, for these requests.
    Host(Vec<Wanted>),
    /// A configuration of ions in one of the places of a request.
    Filled { number: usize, place: usize, sites: Vec<InsertionSite> },
    /// The host of the best configuration of a place, without the ions.
    Emptied { number: usize, place: usize },
}

/// A request that waits for its host.
struct Wanted {
    number: usize,
    /// Elemental reference energy of the ion, eV/atom.
    e_ion: f64,
    /// How the relaxed host is enlarged.
    form: Option<HermiteForm>,
}

/// Where a request stands.
#[derive(Default)]
struct State {
    places: Vec<Open>,
    end: Option<Answers>,
}

/// Where a place stands.
struct Open {
    host: Arc<Host>,
    /// Relaxations that have not ended.
    left: usize,
    /// Potentials of those that have, eV per ion.
    potentials: Vec<f64>,
    /// The best of them so far, or why there is none.
    best: Answer,
}

/// A relaxed host, in the cell that is filled.
struct Host {
    structure: Structure,
    energy: f64,
    e_ion: f64,
    converged: bool,
    steps: usize,
}

impl<'a, F: FnMut(usize, &Answers)> Asked<'a, F> {
    pub fn new(requests: &'a [Request<'a>], options: &'a RelaxOptions, answered: F) -> Self {
        Self {
            requests,
            options,
            states: requests.iter().map(|_| State::default()).collect(),
            tasks: Vec::new(),
            answered,
        }
    }

    /// The relaxations of the hosts, each once.
    pub fn hosts(&mut self, references: &BTreeMap<String, f64>, model: &str) -> Vec<Job> {
        let mut known: BTreeMap<ContentHash, usize> = BTreeMap::new();
        let mut hosts: Vec<(Structure, Vec<Wanted>)> = Vec::new();
        for (number, request) in self.requests.iter().enumerate() {
            let e_ion = match reference(references, request.ion.element, model) {
                Ok(e_ion) => e_ion,
                // No reference to measure from: relaxations would be useless.
                Err(error) => {
                    self.end(number, Ok(vec![Err(error)]));
                    continue;
                }
            };
            match request.host() {
                Ok((structure, form)) => {
                    let host = *known.entry(content_hash(&structure)).or_insert(hosts.len());
                    if host == hosts.len() {
                        hosts.push((structure, Vec::new()));
                    }
                    hosts[host].1.push(Wanted { number, e_ion, form });
                }
                Err(error) => self.end(number, Err(error)),
            }
        }
        let mut jobs = Vec::new();
        for (structure, wanted) in hosts {
            // Each request brings a cell with ions, which brings one without.
            let then = 2 * wanted.len();
            jobs.push(Job { key: self.tasks.len(), structure, options: *self.options, then });
            self.tasks.push(Task::Host(wanted));
        }
        jobs
    }

    /// A relaxation has ended: those that follow from it.
    pub fn ended(&mut self, key: usize, end: Result<Relaxed, AdsorptionError>) -> Vec<Job> {
        match std::mem::replace(&mut self.tasks[key], Task::Host(Vec::new())) {
            Task::Host(wanted) => {
                let host = end.map_err(|e| format!("the empty host: {e}"));
                wanted.into_iter().flat_map(|wanted| self.fill(wanted, &host)).collect()
            }
            Task::Filled { number, place, sites } => self.filled(number, place, &sites, end),
            Task::Emptied { number, place } => {
                self.states[number].places[place].emptied(end);
                self.check(number);
                Vec::new()
            }
        }
    }

    /// What became of the requests.
    pub fn answers(self) -> Vec<Answers> {
        let unanswered = || Err(AdsorptionError::Undefined("the relaxation did not finish".into()));
        self.states.into_iter().map(|state| state.end.unwrap_or_else(unanswered)).collect()
    }

    /// The relaxations of the cells that a host is filled to.
    fn fill(&mut self, wanted: Wanted, host: &Result<Relaxed, String>) -> Vec<Job> {
        let Wanted { number, .. } = wanted;
        let request = &self.requests[number];
        let host = host.as_ref().map_err(|e| AdsorptionError::Undefined(e.clone()));
        let found = host.and_then(|host| Host::new(host, &wanted));
        let found = found.and_then(|host| Ok((request.places(&host.structure)?, Arc::new(host))));
        let (places, host) = match found {
            Ok(found) => found,
            Err(error) => {
                self.end(number, Err(error));
                return Vec::new();
            }
        };
        let mut jobs = Vec::new();
        for (place, insertions) in places.into_iter().enumerate() {
            let nothing = AdsorptionError::Undefined("no configuration of the ions".into());
            let (insertions, best) = insertions.map_or_else(|error| (Vec::new(), error), |found| (found, nothing));
            let left = insertions.len();
            self.states[number].places.push(Open {
                host: Arc::clone(&host),
                left,
                potentials: Vec::new(),
                best: Err(best),
            });
            for Insertion { structure, sites, .. } in insertions {
                let options = request.freedom.options(self.options, structure.len(), sites.len());
                jobs.push(Job { key: self.tasks.len(), structure, options, then: 1 });
                self.tasks.push(Task::Filled { number, place, sites });
            }
        }
        self.check(number);
        jobs
    }

    /// A cell with ions is relaxed. When all configurations of its place are, the best is emptied.
    fn filled(
        &mut self,
        number: usize,
        place: usize,
        sites: &[InsertionSite],
        end: Result<Relaxed, AdsorptionError>,
    ) -> Vec<Job> {
        let open = &mut self.states[number].places[place];
        let answer = end.and_then(|end| open.host.holding(sites, end));
        open.take(answer);
        let mut jobs = Vec::new();
        if open.left == 0
            && self.requests[number].freedom == Freedom::All
            && let Ok(best) = &open.best
            && let Ok(structure) = without_last(&best.structure, best.n)
        {
            open.left = 1;
            jobs.push(Job { key: self.tasks.len(), structure, options: *self.options, then: 0 });
            self.tasks.push(Task::Emptied { number, place });
        }
        self.check(number);
        jobs
    }

    /// Ends a request of which no place is open.
    fn check(&mut self, number: usize) {
        let places = &mut self.states[number].places;
        if places.iter().all(|place| place.left == 0) {
            let places = std::mem::take(places).into_iter().map(|place| place.best).collect();
            self.end(number, Ok(places));
        }
    }

    fn end(&mut self, number: usize, answers: Answers) {
        (self.answered)(number, &answers);
        self.states[number].end = Some(answers);
    }
}

impl Open {
    /// One more configuration: the lowest of those that have converged stays, of the others where none has.
    fn take(&mut self, answer: Answer) {
        self.left -= 1;
        let better = |new: &Adsorbed, old: &Adsorbed| {
            (new.converged, new.potential)
                .partial_cmp(&(old.converged, old.potential))
                .is_some_and(|order| order.is_gt())
        };
        self.potentials.extend(answer.as_ref().ok().map(|found| found.potential));
        match (&answer, &self.best) {
            (Ok(new), Ok(old)) if !better(new, old) => {}
            // Of several reasons the last is reported.
            (Err(_), Ok(_)) => {}
            _ => self.best = answer,
        }
        let (low, high) =
            self.potentials.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), &x| (l.min(x), h.max(x)));
        if let Ok(best) = &mut self.best {
            (best.starts, best.spread) = (self.potentials.len(), high - low);
        }
    }

    /// The host is recovered. A relaxation that fails or does not converge is not.
    fn emptied(&mut self, end: Result<Relaxed, AdsorptionError>) {
        self.left -= 1;
        if let (Ok(best), Ok(end)) = (&mut self.best, end) {
            let energy_change = (end.energy - self.host.energy) / self.host.structure.len() as f64;
            // Noise may hide the smaller cell of one of the two from a comparison of structures, but not where the atoms are.
            let (before, after) = (&self.host.structure, &end.structure);
            let same = || stayed(before, after) || same_structure(before, after, &Tolerances::default());
            // Both are tolerant, the comparison of structures even of the volume: layers may have collapsed on one another.
            let kept = end.converged && energy_change.abs() < SAME_ENERGY && same() && bonds_kept(before, after);
            best.emptied = Some(Emptied { energy_change, kept });
        }
    }
}

impl Host {
    fn new(host: &Relaxed, wanted: &Wanted) -> Result<Self, AdsorptionError> {
        let structure =
            wanted.form.as_ref().map_or_else(|| Ok(host.structure.clone()), |f| host.structure.superlattice(f))?;
        let cells = structure.len() as f64 / host.structure.len() as f64;
        let energy = host.energy * cells;
        Ok(Self { structure, energy, e_ion: wanted.e_ion, converged: host.converged, steps: host.steps })
    }

    /// The answer from the relaxed cell with ions at `sites`.
    fn holding(&self, sites: &[InsertionSite], end: Relaxed) -> Answer {
        let (n, first) = (sites.len(), sites.first());
        Ok(Adsorbed {
            channel: first.and_then(|site| site.channel),
            ring: first.and_then(|site| site.ring),
            n,
            e_host: self.energy,
            e_inserted: end.energy,
            e_ion: self.e_ion,
            potential: adsorption_potential(end.energy, self.energy, self.e_ion, n as f64)?,
            starts: 1,
            spread: 0.0,
            spacing: ion_spacing(&end.structure, n),
            volume_change: end.structure.volume() / self.structure.volume() - 1.0,
            emptied: None,
            structure: end.structure,
            converged: end.converged && self.converged,
            steps: end.steps + self.steps,
            sites: sites.iter().map(|site| site.frac).collect(),
        })
    }
}

/// Whether every atom is where it was in the cell, the drift of all aside, within [`STAYED`], and the cell's edges are as long within
/// [`STRAIN`].
fn stayed(before: &Structure, after: &Structure) -> bool {
    let steps: Vec<[f64; 3]> = before
        .frac_coords()
        .iter()
        .zip(after.frac_coords())
        .map(|(x, y)| std::array::from_fn(|k| (y[k] - x[k]) - (y[k] - x[k]).round()))
        .collect();
    let drift: [f64; 3] = std::array::from_fn(|k| steps.iter().map(|step| step[k]).sum::<f64>() / steps.len() as f64);
    let moved = |step: &[f64; 3]| norm(before.lattice().to_cartesian(std::array::from_fn(|k| step[k] - drift[k])));
    let edges = before.lattice().parameters().into_iter().zip(after.lattice().parameters()).take(3);
    steps.iter().all(|step| moved(step) < STAYED) && edges.into_iter().all(|(a, b)| (b / a - 1.0).abs() < STRAIN)
}

/// The crystal without its last `n` atoms.
fn without_last(structure: &Structure, n: usize) -> Result<Structure, AdsorptionError> {
    let left = structure.len() - n;
    let (species, frac) = (structure.species()[..left].to_vec(), structure.frac_coords()[..left].to_vec());
    Ok(Structure::with_overlaps(*structure.lattice(), species, frac)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crystal::{Element, Lattice};

    #[test]
    fn an_atom_that_stays_may_drift_with_the_others_and_none_may_leave() {
        let cell = |c: f64, x: [[f64; 3]; 2]| {
            let lattice = Lattice::from_parameters(4.0, 4.0, c, 90.0, 90.0, 90.0).unwrap();
            Structure::new(lattice, vec![Element::O; 2], x.to_vec()).unwrap()
        };
        let host = cell(4.0, [[0.0; 3], [0.5; 3]]);
        // All have drifted by 0.8 Å, out of the cell at one side and in at the other; noise of 0.1 Å, and a cell longer by 4 %.
        assert!(stayed(&host, &cell(4.16, [[0.8, 0.0, 0.02], [0.3, 0.5, 0.5]])));
        assert!(!stayed(&host, &cell(4.3, [[0.0; 3], [0.5; 3]])), "the cell has grown by 7 %");
        assert!(
            !stayed(&host, &cell(4.0, [[0.0; 3], [0.5, 0.5, 0.8]])),
            "an atom has gone 0.6 Å from the middle of both"
        );
    }
}

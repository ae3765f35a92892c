//! Crystals of a batch through the whole loop of [`adsorb`]: what was computed before is read, equal questions are answered once,
//! and the rest goes through the energy model.

use std::collections::{BTreeMap, HashMap, HashSet};

use datafusion::common::{Result as SqlResult, exec_err};
use serde::{Deserialize, Serialize};

use adsorption::{
    Adsorbed, AdsorptionError, Answer, Answers, Emptied, Filling, Freedom, RelaxOptions, Request, Within, adsorb,
    parse_sites,
};
use crystal::{Composition, ContentHash, Element, Structure, content_hash};
use features::Ion;
use models::ModelPotential;
use models::potential::Potential;

use super::environment::Environment;
use super::relaxations::{Remembering, crystal_of};

/// Raised whenever the numbers change: what was computed at another version is computed again.
const VERSION: u32 = 5;

/// One question, as the call has it.
#[derive(Debug, Clone)]
pub(super) struct Question {
    pub host: Structure,
    pub ion: Ion,
    pub n: usize,
    /// `each` for each channel, or as [`Within::parse`] reads it.
    pub channel: String,
    /// Least distance of an ion from its images, Å; 0: no bound.
    pub spacing: f64,
    /// Stated points as [`parse_sites`] reads them; empty: searched for.
    pub sites: String,
    pub freedom: Freedom,
    pub starts: usize,
}

impl Question {
    fn request(&self) -> Result<Request<'_>, AdsorptionError> {
        let place = match (self.sites.trim(), self.channel.trim()) {
            ("", EACH) => adsorption::Place::EachChannel,
            ("", within) => adsorption::Place::Within(Within::parse(within)?),
            (sites, _) => adsorption::Place::Sites(parse_sites(sites)?),
        };
        let spacing = (self.spacing != 0.0).then_some(self.spacing);
        let Self { host, ion, n, freedom, starts, .. } = self;
        Ok(Request { host, ion: *ion, n: *n, place, spacing, freedom: *freedom, starts: *starts })
    }

    fn task(&self, options: &RelaxOptions) -> String {
        let Self { ion: Ion { element, charge, .. }, n, channel, spacing, sites, freedom, starts, .. } = self;
        let (fmax, steps) = (options.fmax, options.steps);
        format!(
            "adsorption/{VERSION} {}{charge:+} {n} {channel} spacing={spacing} sites={sites} {freedom:?} starts={starts} \
             fmax={fmax} steps={steps}",
            element.symbol()
        )
    }
}

/// What a call says that asks for each channel by itself.
pub(super) const EACH: &str = "each";

/// What became of one place, as it is kept.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) enum Kept {
    Done(Box<Place>),
    Failed(String),
}

/// Ions in one place of a host, relaxed; see [`Adsorbed`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Place {
    pub channel: Option<usize>,
    pub ring: Option<usize>,
    pub n: usize,
    pub sites: Vec<[f64; 3]>,
    pub e_host: f64,
    pub e_inserted: f64,
    pub e_ion: f64,
    pub potential: f64,
    pub starts: usize,
    pub spread: f64,
    pub spacing: f64,
    pub volume_change: f64,
    /// Of the host once it is empty again: change of its energy, eV/atom, and whether it is the same.
    pub emptied: Option<(f64, bool)>,
    pub converged: bool,
    pub steps: usize,
    lattice: [[f64; 3]; 3],
    numbers: Vec<u8>,
    frac_coords: Vec<[f64; 3]>,
}

impl From<Adsorbed> for Place {
    fn from(a: Adsorbed) -> Self {
        Self {
            channel: a.channel,
            ring: a.ring,
            n: a.n,
            sites: a.sites,
            e_host: a.e_host,
            e_inserted: a.e_inserted,
            e_ion: a.e_ion,
            potential: a.potential,
            starts: a.starts,
            spread: a.spread,
            spacing: a.spacing,
            volume_change: a.volume_change,
            emptied: a.emptied.map(|Emptied { energy_change, kept }| (energy_change, kept)),
            converged: a.converged,
            steps: a.steps,
            lattice: *a.structure.lattice().rows(),
            numbers: a.structure.species().iter().map(|e| e.z()).collect(),
            frac_coords: a.structure.frac_coords().to_vec(),
        }
    }
}

impl Place {
    /// Ions per reduced formula of the host.
    pub fn ions_per_formula(&self) -> Option<f64> {
        let host = self.numbers.get(..self.numbers.len().checked_sub(self.n)?)?;
        let species: Result<Vec<Element>, _> = host.iter().map(|&z| Element::from_z(z.into())).collect();
        let composition = Composition::from_elements(&species.ok()?);
        Some(self.n as f64 * composition.reduced().natoms() / composition.natoms())
    }

    /// As a point of a discharge.
    pub fn filling(&self) -> Filling {
        let volume = self.structure().map_or(f64::NAN, |cell| cell.volume());
        Filling { n: self.n, energy: self.e_inserted, volume }
    }

    /// The host that it was put into, as the beginning of that discharge.
    pub fn empty(&self) -> Filling {
        Filling { n: 0, energy: self.e_host, volume: self.filling().volume / (1.0 + self.volume_change) }
    }

    /// The relaxed cell with the ions.
    pub fn structure(&self) -> Option<Structure> {
        crystal_of(self.lattice, &self.numbers, self.frac_coords.clone())
    }
}

impl Kept {
    /// What was computed, where it was.
    pub fn done(&self) -> Option<&Place> {
        match self {
            Self::Done(place) => Some(place),
            Self::Failed(_) => None,
        }
    }

    /// Whether it still holds: a reference energy of the ion may have come, or become another, with the card of the model.
    fn holds(&self, e_ion: Option<f64>) -> bool {
        match self {
            Self::Done(place) => e_ion == Some(place.e_ion),
            Self::Failed(_) => e_ion.is_some(),
        }
    }
}

/// The relaxed insertion sites of one crystal, or why there are none.
pub(super) type Places = Result<Vec<Kept>, String>;

type Key = (String, ContentHash);

/// Answers, one a question. Each is remembered as soon as it is there, and so is each relaxation on the way to it.
pub(super) fn answers(
    environment: &Environment,
    model: &ModelPotential,
    questions: &[Option<Question>],
    options: &RelaxOptions,
    cached: bool,
) -> SqlResult<Vec<Option<Places>>> {
    let references: &BTreeMap<String, f64> = &model.model().card().references;
    let keys: Vec<Option<Key>> =
        questions.iter().map(|q| q.as_ref().map(|q| (q.task(options), content_hash(&q.host)))).collect();
    let mut known: HashMap<Key, Places> = HashMap::new();
    let mut asked: Vec<(&Key, &Question)> = Vec::new();
    let mut requests: Vec<Request<'_>> = Vec::new();
    let mut seen: HashSet<&Key> = HashSet::new();
    for (question, key) in questions.iter().zip(&keys) {
        let (Some(question), Some(key)) = (question, key) else { continue };
        if !seen.insert(key) {
            continue;
        }
        let places: Option<Vec<Kept>> = if cached { environment.recall(model.id(), &key.0, key.1)? } else { None };
        let e_ion = references.get(question.ion.element.symbol()).copied();
        match (places.filter(|places| places.iter().all(|place| place.holds(e_ion))), question.request()) {
            (Some(places), _) => drop(known.insert(key.clone(), Ok(places))),
            (None, Ok(request)) => {
                asked.push((key, question));
                requests.push(request);
            }
            (None, Err(error)) => drop(known.insert(key.clone(), Err(error.to_string()))),
        }
    }
    let mut follower = Remembering::new(environment, model.id(), cached);
    let outcome = adsorb(model, references, &requests, options, &mut follower, |number, answers| {
        let (key, question) = asked[number];
        let places = kept(answers);
        let measured = references.contains_key(question.ion.element.symbol());
        if let (true, true, Ok(places)) = (cached, measured, &places) {
            environment.remember("adsorption potentials", model.id(), &key.0, key.1, places);
        }
        known.insert(key.clone(), places);
    });
    if outcome.is_break() {
        return exec_err!("the relaxations were cancelled; those that had finished are remembered");
    }
    Ok(keys.into_iter().map(|key| key.and_then(|key| known.get(&key).cloned())).collect())
}

fn kept(answers: &Answers) -> Places {
    let one = |place: &Answer| match place {
        Ok(adsorbed) => Kept::Done(Box::new(adsorbed.clone().into())),
        Err(error) => Kept::Failed(error.to_string()),
    };
    answers.as_ref().map(|places| places.iter().map(one).collect()).map_err(ToString::to_string)
}

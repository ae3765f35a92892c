//! Ions on their way through the crystals of a batch: what was computed before is read, equal questions are answered once, and the rest
//! goes through the energy model.

use std::collections::HashMap;

use datafusion::common::{Result as SqlResult, exec_err};
use serde::{Deserialize, Serialize};

use adsorption::{Journey, Migration, RelaxOptions, Walked, Within, migrate};
use crystal::{ContentHash, Structure, content_hash};
use features::Ion;
use models::ModelPotential;
use models::potential::Potential;

use super::environment::Environment;
use super::relaxations::{Remembering, crystal_of};

/// Raised whenever the numbers change: what was computed at another version is computed again.
const VERSION: u32 = 2;

/// One question, as the call has it.
#[derive(Debug, Clone)]
pub(super) struct Question {
    pub host: Structure,
    pub ion: Ion,
    /// As [`Within::parse`] reads it.
    pub channel: String,
    pub images: usize,
    pub spacing: f64,
    pub starts: usize,
}

impl Question {
    fn task(&self, options: &RelaxOptions) -> String {
        let Self { ion: Ion { element, charge, .. }, channel, images, spacing, starts, .. } = self;
        let (fmax, steps) = (options.fmax, options.steps);
        format!(
            "migration/{VERSION} {}{charge:+} {channel} images={images} spacing={spacing} starts={starts} fmax={fmax} \
             steps={steps}",
            element.symbol()
        )
    }
}

/// The way of an ion, as it is kept; see [`Migration`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Kept {
    pub channel: Option<usize>,
    pub ring: Option<usize>,
    pub barrier: f64,
    pub uneven: f64,
    pub spacing: f64,
    pub converged: bool,
    pub steps: usize,
    hops: Vec<KeptHop>,
    lattice: [[f64; 3]; 3],
    numbers: Vec<u8>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct KeptHop {
    energies: Vec<f64>,
    distances: Vec<f64>,
    fmax: f64,
    /// Fractions of the atoms of each image.
    images: Vec<Vec<[f64; 3]>>,
}

/// An image of the way, in the order in which the ion comes by.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Image {
    pub hop: usize,
    pub image: usize,
    pub distance: f64,
    pub energy: f64,
    pub structure: Option<Structure>,
}

impl From<Migration> for Kept {
    fn from(found: Migration) -> Self {
        let first = found.hops.first().and_then(|hop| hop.images.first());
        let hop = |hop: &Walked| KeptHop {
            energies: hop.energies.clone(),
            distances: hop.distances.clone(),
            fmax: hop.fmax,
            images: hop.images.iter().map(|image| image.frac_coords().to_vec()).collect(),
        };
        Self {
            channel: found.channel,
            ring: found.ring,
            barrier: found.barrier,
            uneven: found.uneven,
            spacing: found.spacing,
            converged: found.converged,
            steps: found.steps,
            hops: found.hops.iter().map(hop).collect(),
            lattice: first.map_or([[0.0; 3]; 3], |s| *s.lattice().rows()),
            numbers: first.map_or_else(Vec::new, |s| s.species().iter().map(|e| e.z()).collect()),
        }
    }
}

impl Kept {
    /// Atoms of the cell, the ion among them.
    pub fn natoms(&self) -> usize {
        self.numbers.len()
    }

    /// The longest force left on a band, eV/Å.
    pub fn fmax(&self) -> f64 {
        self.hops.iter().map(|hop| hop.fmax).fold(0.0, f64::max)
    }

    /// The images, hop after hop; distances go on from hop to hop.
    pub fn path(&self) -> Vec<Image> {
        let mut come = 0.0;
        let mut path = Vec::new();
        for (number, hop) in self.hops.iter().enumerate() {
            for (image, frac) in hop.images.iter().enumerate() {
                path.push(Image {
                    hop: number + 1,
                    image,
                    distance: come + hop.distances[image],
                    energy: hop.energies[image],
                    structure: crystal_of(self.lattice, &self.numbers, frac.clone()),
                });
            }
            come += hop.distances.last().copied().unwrap_or_default();
        }
        path
    }
}

/// What became of a question.
pub(super) type Outcome = Result<Kept, String>;

/// Answers, one a question. Each is remembered, and so is each relaxation on the way to it.
pub(super) fn answers(
    environment: &Environment,
    model: &ModelPotential,
    questions: &[Option<Question>],
    options: &RelaxOptions,
    cached: bool,
) -> SqlResult<Vec<Option<Outcome>>> {
    type Key = (String, ContentHash);
    let key = |question: &Question| (question.task(options), content_hash(&question.host));
    let keys: Vec<Option<Key>> = questions.iter().map(|question| question.as_ref().map(key)).collect();
    let mut known: HashMap<&Key, Outcome> = HashMap::new();
    let mut asked: Vec<(&Key, Journey<'_>)> = Vec::new();
    for (question, key) in questions.iter().zip(&keys) {
        let (Some(question), Some(key)) = (question, key) else { continue };
        if known.contains_key(key) || asked.iter().any(|(other, _)| *other == key) {
            continue;
        }
        let remembered: Option<Kept> = if cached { environment.recall(model.id(), &key.0, key.1)? } else { None };
        match (remembered, Within::parse(&question.channel)) {
            (Some(kept), _) => drop(known.insert(key, Ok(kept))),
            (None, Err(error)) => drop(known.insert(key, Err(error.to_string()))),
            (None, Ok(within)) => {
                let Question { host, ion, images, spacing, starts, .. } = question;
                let (spacing, images, starts) = (*spacing, *images, *starts);
                asked.push((key, Journey { host, ion: *ion, within, spacing, images, starts }));
            }
        }
    }
    let (asked, journeys): (Vec<&Key>, Vec<Journey<'_>>) = asked.into_iter().unzip();
    let mut follower = Remembering::new(environment, model.id(), cached);
    let std::ops::ControlFlow::Continue(found) = migrate(model, &journeys, options, &mut follower) else {
        return exec_err!("the paths were cancelled; the relaxations that had finished are remembered");
    };
    for (key, found) in asked.into_iter().zip(found) {
        let outcome = found.map(Kept::from).map_err(|error| error.to_string());
        if let (true, Ok(kept)) = (cached, &outcome) {
            environment.remember("migration paths", model.id(), &key.0, key.1, kept);
        }
        known.insert(key, outcome);
    }
    Ok(keys.iter().map(|key| key.as_ref().and_then(|key| known.get(key).cloned())).collect())
}

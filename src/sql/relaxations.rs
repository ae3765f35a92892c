//! What is remembered of relaxations: each as it ends, by the model, the options and the very start, so that no function and no
//! query relaxes the same crystal again, and one that is broken off has lost only what was on its way.

use std::ops::ControlFlow;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::environment::Environment;
use adsorption::{Follower, Method, RelaxOptions, Relaxed, Round};
use crystal::{Element, Lattice, Structure, content_hash, hex};

/// Raised whenever the numbers change: what was computed at another version is computed again.
const VERSION: u32 = 1;

/// Goes along with the relaxations of one call.
pub(super) struct Remembering<'a> {
    environment: &'a Environment,
    model: &'a str,
    /// Whether the session remembers at all.
    cached: bool,
}

impl<'a> Remembering<'a> {
    /// `model`: identity of its weights.
    pub fn new(environment: &'a Environment, model: &'a str, cached: bool) -> Self {
        Self { environment, model, cached }
    }
}

impl Follower for Remembering<'_> {
    fn known(&mut self, start: &Structure, options: &RelaxOptions) -> Option<Relaxed> {
        if !self.cached {
            return None;
        }
        let kept = self.environment.recall::<Kept>(self.model, &task(start, options), content_hash(start));
        kept.ok()??.into_relaxed()
    }

    fn keep(&mut self, start: &Structure, options: &RelaxOptions, end: &Relaxed) {
        if !self.cached {
            return;
        }
        let (task, crystal) = (task(start, options), content_hash(start));
        self.environment.remember("relaxations", self.model, &task, crystal, &Kept::from(end));
    }

    fn round(&mut self, round: Round) -> ControlFlow<()> {
        self.environment.watch(round)
    }
}

/// A crystal as answers keep it: lattice vectors in Å, atomic numbers, fractions; `None` of what is none.
pub(super) fn crystal_of(lattice: [[f64; 3]; 3], numbers: &[u8], frac_coords: Vec<[f64; 3]>) -> Option<Structure> {
    let species: Result<Vec<Element>, _> = numbers.iter().map(|&z| Element::from_z(z.into())).collect();
    Structure::with_overlaps(Lattice::new(lattice).ok()?, species.ok()?, frac_coords).ok()
}

/// What is asked, with its settings. Crystals of one content hash may list their sites in another order or stand otherwise in
/// space, and the end is given in the setting of the start: to the last bit of that.
fn task(start: &Structure, options: &RelaxOptions) -> String {
    let RelaxOptions { method, fmax, steps, cell, nudge, held } = *options;
    let method = Method::NAMES.iter().find(|(_, other)| *other == method).map_or("", |(name, _)| name);
    let mut hasher = Sha256::new();
    let numbers = start.lattice().rows().as_flattened().iter().chain(start.frac_coords().as_flattened());
    numbers.for_each(|x| hasher.update(x.to_le_bytes()));
    start.species().iter().for_each(|e| hasher.update([e.z()]));
    let exact = hex(&hasher.finalize()[..8]);
    let held = if held == 0 { String::new() } else { format!(" held={held}") };
    format!("relax/{VERSION} {method} fmax={fmax} steps={steps} cell={cell} nudge={nudge}{held} of {exact}")
}

/// A relaxed crystal, as it is kept.
#[derive(Debug, Serialize, Deserialize)]
struct Kept {
    lattice: [[f64; 3]; 3],
    numbers: Vec<u8>,
    frac_coords: Vec<[f64; 3]>,
    energy: f64,
    fmax: f64,
    converged: bool,
    steps: usize,
    volume_change: f64,
}

impl From<&Relaxed> for Kept {
    fn from(end: &Relaxed) -> Self {
        Self {
            lattice: *end.structure.lattice().rows(),
            numbers: end.structure.species().iter().map(|e| e.z()).collect(),
            frac_coords: end.structure.frac_coords().to_vec(),
            energy: end.energy,
            fmax: end.fmax,
            converged: end.converged,
            steps: end.steps,
            volume_change: end.volume_change,
        }
    }
}

impl Kept {
    /// `None` of what is no crystal: it is computed again.
    fn into_relaxed(self) -> Option<Relaxed> {
        Some(Relaxed {
            structure: crystal_of(self.lattice, &self.numbers, self.frac_coords)?,
            energy: self.energy,
            fmax: self.fmax,
            converged: self.converged,
            steps: self.steps,
            volume_change: self.volume_change,
            trace: Vec::new(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rutile(order: [usize; 2]) -> Structure {
        let lattice = Lattice::from_parameters(4.6, 4.6, 2.96, 90.0, 90.0, 90.0).unwrap();
        let sites = [("Ti", [0.0, 0.0, 1.0 / 3.0]), ("O", [0.3, 0.3, 0.1])];
        let species = order.iter().map(|&i| Element::from_symbol(sites[i].0).unwrap()).collect();
        Structure::new(lattice, species, order.iter().map(|&i| sites[i].1).collect()).unwrap()
    }

    #[test]
    fn a_relaxation_is_known_by_its_start_and_options_to_the_last_bit() {
        let environment = Environment::default();
        let (start, options) = (rutile([0, 1]), RelaxOptions::default());
        let end = Relaxed {
            structure: rutile([0, 1]),
            energy: -0.1 - 0.2,
            fmax: 0.01,
            converged: true,
            steps: 7,
            volume_change: 1e-17 / 3.0,
            trace: vec![],
        };
        let mut follower = Remembering::new(&environment, "m", true);
        assert_eq!(follower.known(&start, &options), None);
        follower.keep(&start, &options, &end);
        assert_eq!(follower.known(&start, &options), Some(end.clone()));
        // The same content in another order: no answer in the order of the first.
        assert_eq!(content_hash(&rutile([1, 0])), content_hash(&start));
        assert_eq!(follower.known(&rutile([1, 0]), &options), None);
        for other in [
            RelaxOptions { steps: 201, ..options },
            RelaxOptions { cell: false, ..options },
            RelaxOptions { fmax: 0.051, ..options },
            RelaxOptions { nudge: 0.02, ..options },
            RelaxOptions { held: 1, ..options },
            RelaxOptions { method: Method::Bfgs, ..options },
        ] {
            assert_eq!(follower.known(&start, &other), None, "{other:?}");
        }
        assert_eq!(Remembering::new(&environment, "n", true).known(&start, &options), None);
        assert_eq!(Remembering::new(&environment, "m", false).known(&start, &options), None);
    }
}

//! Relaxation: a crystal moved downhill on the energy surface of a [`Potential`] until no force is left.
//!
//! Atoms move by FIRE or BFGS (see `fire`, `bfgs`), and the cell with them if requested (see `frame`). Many crystals go in lock-step, a few
//! at a time (see `queue`): every round calls the potential once for all that are in progress, each with an optimiser of its own, so the
//! answer for one does not depend on the others. A crystal is done when the longest of its forces, those on the cell included, is below
//! `fmax`; one whose energy cannot be computed is an error of its own and does not stop the others.

mod bfgs;
mod fire;
mod frame;
mod queue;

use std::ops::{ControlFlow, Range};

use crate::AdsorptionError;
use bfgs::Bfgs;
use crystal::Structure;
pub(super) use fire::Fire;
use frame::Frame;
use models::potential::{Potential, SinglePoint};
pub use queue::{Follower, Round};
pub(super) use queue::{Job, run_all, unanswered};

/// How a crystal moves downhill.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Method {
    /// The fast inertial relaxation engine: robust far from the minimum.
    #[default]
    Fire,
    /// Broyden, Fletcher, Goldfarb and Shanno's quasi-Newton method: fewer steps near the minimum, and a matrix over all
    /// coordinates.
    Bfgs,
}

impl Method {
    /// Name and method, the default first.
    pub const NAMES: [(&'static str, Self); 2] = [("fire", Self::Fire), ("bfgs", Self::Bfgs)];
}

/// When a relaxation ends, and what may move.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RelaxOptions {
    /// Optimiser.
    pub method: Method,
    /// Longest force left, eV/Å. Of the cell it is the derivative of the energy in the logarithm of its deformation over
    /// the number of atoms, by rows.
    pub fmax: f64,
    /// Most steps.
    pub steps: usize,
    /// Whether the cell relaxes too.
    pub cell: bool,
    /// Å by which every atom is first moved, each in a direction of its own: off the saddles where symmetry leaves no
    /// force, such as the middle of a wide tunnel. 0 leaves the crystal as it is.
    pub nudge: f64,
    /// So many of the last atoms are held where they are, as fractions of the cell, whatever the forces on them.
    pub held: usize,
}

impl Default for RelaxOptions {
    fn default() -> Self {
        Self { method: Method::Fire, fmax: 0.05, steps: 200, cell: true, nudge: 0.0, held: 0 }
    }
}

/// A crystal after its relaxation.
#[derive(Debug, Clone, PartialEq)]
pub struct Relaxed {
    /// Where it ended.
    pub structure: Structure,
    /// Its energy there, eV.
    pub energy: f64,
    /// The longest force left, eV/Å.
    pub fmax: f64,
    /// Whether the longest force is below `fmax`.
    pub converged: bool,
    /// Steps taken.
    pub steps: usize,
    /// V / V₀ - 1.
    pub volume_change: f64,
    /// The start and every step; none where the end was remembered (see [`Follower::known`]).
    pub trace: Vec<Point>,
}

/// One step of a relaxation.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Point {
    /// eV.
    pub energy: f64,
    /// Longest force, eV/Å.
    pub fmax: f64,
    /// Of the cell, Å³.
    pub volume: f64,
}

/// Relaxes `structures` on the surface of `potential`, each an answer of its own. The follower is called at every end and every round, and
/// may break off, which drops the relaxations in progress.
///
/// # Errors
/// Per structure: as [`Potential::single_points`]; an energy or force that is not a number; a cell that collapses; an `fmax` that is
/// not above 0, a `nudge` below.
pub fn relax(
    potential: &dyn Potential,
    structures: &[&Structure],
    options: &RelaxOptions,
    mut follower: impl Follower,
) -> ControlFlow<(), Vec<Result<Relaxed, AdsorptionError>>> {
    let job = |(key, structure): (usize, &&Structure)| Job {
        key,
        structure: (*structure).clone(),
        options: *options,
        then: 0,
    };
    let mut ends: Vec<Option<Result<Relaxed, AdsorptionError>>> = structures.iter().map(|_| None).collect();
    run_all(potential, structures.iter().enumerate().map(job).collect(), &mut follower, |key, end| {
        ends[key] = Some(end);
        Vec::new()
    })?;
    ControlFlow::Continue(ends.into_iter().map(|end| end.unwrap_or_else(|| Err(unanswered(potential)))).collect())
}

/// One crystal on its way.
struct Run {
    frame: Frame,
    structure: Structure,
    volume: f64,
    at: Vec<f64>,
    /// Coordinates that stay.
    held: Range<usize>,
    optimiser: Optimiser,
    trace: Vec<Point>,
}

enum Optimiser {
    Fire(Fire),
    Bfgs(Bfgs),
}

impl Run {
    fn new(structure: &Structure, options: &RelaxOptions) -> Result<Self, AdsorptionError> {
        let RelaxOptions { fmax, nudge, .. } = *options;
        if !(fmax > 0.0 && nudge >= 0.0) {
            let message = format!("fmax = {fmax} eV/Å, nudge = {nudge} Å: no such relaxation");
            return Err(AdsorptionError::Undefined(message));
        }
        let frame = Frame::new(structure, options.cell);
        let mut at = frame.start();
        let free = structure.len().saturating_sub(options.held);
        spread(&mut at[..3 * free], nudge);
        let optimiser = match options.method {
            Method::Fire => Optimiser::Fire(Fire::default()),
            Method::Bfgs => Optimiser::Bfgs(Bfgs::default()),
        };
        let structure = frame.structure(&at)?;
        let held = 3 * free..3 * structure.len();
        Ok(Self { volume: structure.volume(), frame, structure, at, held, optimiser, trace: Vec::new() })
    }

    /// The crystal whose energy is needed next.
    fn structure(&self) -> &Structure {
        &self.structure
    }

    /// Takes the potential's answer for the current crystal: ends, or makes a step.
    fn go_on(
        &mut self,
        answer: Result<SinglePoint, AdsorptionError>,
        options: &RelaxOptions,
    ) -> Option<Result<Relaxed, AdsorptionError>> {
        self.advance(answer, options).transpose()
    }

    fn advance(
        &mut self,
        answer: Result<SinglePoint, AdsorptionError>,
        options: &RelaxOptions,
    ) -> Result<Option<Relaxed>, AdsorptionError> {
        let point = answer?;
        let mut forces = self.frame.forces(&self.at, self.structure.volume(), &point);
        // What is held is held by a force of its own, which ends no relaxation.
        forces[self.held.clone()].fill(0.0);
        let fmax = longest(&forces);
        let steps = self.trace.len();
        if !(point.energy.is_finite() && forces.iter().all(|f| f.is_finite())) {
            return Err(AdsorptionError::Undefined(format!(
                "the energy or a force is not a number after {steps} steps"
            )));
        }
        self.trace.push(Point { energy: point.energy, fmax, volume: self.structure.volume() });
        if fmax < options.fmax || steps == options.steps {
            return Ok(Some(Relaxed {
                structure: self.structure.clone(),
                energy: point.energy,
                fmax,
                converged: fmax < options.fmax,
                steps,
                volume_change: self.structure.volume() / self.volume - 1.0,
                trace: std::mem::take(&mut self.trace),
            }));
        }
        match &mut self.optimiser {
            Optimiser::Fire(fire) => fire.step(&mut self.at, &forces),
            Optimiser::Bfgs(bfgs) => bfgs.step(&mut self.at, &forces),
        }
        self.structure = self.frame.structure(&self.at)?;
        Ok(None)
    }
}

/// The length of the longest of the vectors that follow one another in `forces`.
pub(super) fn longest(forces: &[f64]) -> f64 {
    forces.chunks_exact(3).map(|f| f.iter().map(|x| x * x).sum::<f64>()).fold(0.0, f64::max).sqrt()
}

/// Moves each atom by `length` along its own point of a spiral over the sphere (Vogel's, by the golden angle).
fn spread(at: &mut [f64], length: f64) {
    let n = at.len() as f64 / 3.0;
    let golden = std::f64::consts::PI * (3.0 - 5.0_f64.sqrt());
    for (i, x) in at.chunks_exact_mut(3).enumerate() {
        let z = 1.0 - (2.0 * i as f64 + 1.0) / n;
        let (sin, cos) = (golden * (i as f64 + 0.5)).sin_cos();
        let r = (1.0 - z * z).sqrt();
        x.iter_mut().zip([r * cos, r * sin, z]).for_each(|(x, u)| *x += length * u);
    }
}

#[cfg(test)]
mod tests;

//! From an empty host to the potential at which an ion is held in it: sites, insertion, relaxation, energies.
//!
//! The host is relaxed with its cell. n ions are put into the relaxed host in several ways (see [`starts`](super::starts)), each cell
//! is relaxed, and the lowest that has converged is the answer: a rigid host of formal charges ranks places too roughly to trust the
//! first. With the elemental reference energy of the ion, all three from one model,
//!
//! ```text
//! potential = -(E(X_n host) - E(host) - n E(X)) / n      eV per ion, positive = favourable
//! ```
//!
//! Then the ions are taken out and what is left is relaxed again: where it is not the original host, part of the energy is a change of the
//! host and not the ion's (see [`Emptied`]).
//!
//! Many go in one queue: each host is relaxed once, for any number of ions and channels requested, and what is put into it follows at once,
//! so that the first answers are there long before the last host is relaxed.

mod asked;
mod bonds;
mod request;
#[cfg(test)]
mod tests;

use std::{collections::BTreeMap, ops::ControlFlow};

use super::relax::{Follower, RelaxOptions, run_all};
use crate::AdsorptionError;
use asked::Asked;
use crystal::Structure;
use models::potential::Potential;
pub use request::{Freedom, Place, Request};

/// Atoms are moved by so much before the cell with ions is relaxed, Å: the middle of a tunnel is a saddle more often than not.
pub(super) const NUDGE: f64 = 0.02;

/// Ions in a host, relaxed.
#[derive(Debug, Clone, PartialEq)]
pub struct Adsorbed {
    /// Index of the channel where the first ion was put, among the tunnels of the relaxed host; `None` in a closed cavity, and
    /// where the sites were stated.
    pub channel: Option<usize>,
    /// Polyhedra around it.
    pub ring: Option<usize>,
    /// Ions in the cell.
    pub n: usize,
    /// Fractional coordinates where they were put.
    pub sites: Vec<[f64; 3]>,
    /// Energy of the relaxed host, of the cell that was filled, eV.
    pub e_host: f64,
    /// Energy of the relaxed cell with the ions, eV.
    pub e_inserted: f64,
    /// Elemental reference energy of the ion, eV/atom.
    pub e_ion: f64,
    /// eV per ion, positive = favourable.
    pub potential: f64,
    /// How many configurations were relaxed.
    pub starts: usize,
    /// By how much their potentials differ, the best from the worst, eV per ion.
    pub spread: f64,
    /// The shortest distance between two ions of the relaxed cell, periodic images included, Å.
    pub spacing: f64,
    /// Volume of the cell with ions over that of the relaxed host, less 1.
    pub volume_change: f64,
    /// What the host is without the ions again; `None` where part of the filled cell was held.
    pub emptied: Option<Emptied>,
    /// The relaxed cell with the ions, which come last.
    pub structure: Structure,
    /// Whether both relaxations converged.
    pub converged: bool,
    /// Steps of both.
    pub steps: usize,
}

/// The cell without its ions, relaxed again.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Emptied {
    /// Its energy less that of the host, eV per atom of the host. Below 0: the ions have led the host to a phase that is more stable
    /// without them. Above: to a less stable one that it does not leave.
    pub energy_change: f64,
    /// Whether it is the host: the same structure with the same bonds, within [`SAME_ENERGY`] of its energy.
    pub kept: bool,
}

/// A host that is emptied is the same as before within this, eV/atom: what relaxations to 0.05 eV/Å leave open.
pub const SAME_ENERGY: f64 = 0.01;

/// The answer for one requested place.
pub type Answer = Result<Adsorbed, AdsorptionError>;

/// The answers for the places of a request, or why there are none.
pub type Answers = Result<Vec<Answer>, AdsorptionError>;

/// Answers `requests`: for each, the answers for its places. `references`: elemental reference energies on the scale of the model, eV/atom.
/// The follower is called with the relaxations, `answered` with the number and the answers of each request as soon as they are there.
///
/// # Errors
/// Per request: an element that the model does not know, a host that disintegrates. Per place: no energy of the ion, no site or no room.
pub fn adsorb(
    potential: &dyn Potential,
    references: &BTreeMap<String, f64>,
    requests: &[Request<'_>],
    options: &RelaxOptions,
    follower: &mut impl Follower,
    answered: impl FnMut(usize, &Answers),
) -> ControlFlow<(), Vec<Answers>> {
    let mut asked = Asked::new(requests, options, answered);
    let jobs = asked.hosts(references, potential.name());
    run_all(potential, jobs, follower, |key, end| asked.ended(key, end))?;
    ControlFlow::Continue(asked.answers())
}

//! How fast an ion moves in a tunnel: the barrier from its site to the next, by an energy model.
//!
//! The host is relaxed with its cell. In a supercell that keeps the ion apart from its images the best sites of a channel are relaxed,
//! and the lowest that has converged is where the ion rests. Its way to the same site a period of the channel on is cut into hops (see
//! `ways`), the far end of each is relaxed, and a band of images between the two is moved to the path of least energy (see
//! [`band()`]). The cell is that of the relaxed host throughout. Where no channel is requested, there are up to three ways, along
//! independent lattice vectors, and the lowest is the answer.
//!
//! The barrier is the highest energy of all hops above the lowest: what an ion needs to get from cell to cell, for the path repeats. It
//! is that of an ion alone in an empty host where the spacing is wide, of a row of ions that move as one where it is the period of
//! the tunnel. It holds no entropy and no zero-point motion, and quantum effects of electrons that follow the ion only as far as the
//! model has learned them.

mod band;
mod ends;
mod first;
mod walk;
mod way;
mod ways;

use std::ops::ControlFlow;

use crate::{
    AdsorptionError,
    adsorb::NUDGE,
    relax::{Follower, RelaxOptions},
    sites::Within,
};
use crystal::Structure;
use features::Ion;
use models::potential::Potential;

pub use band::{Band, Path, band};
use ends::far_ends;
use walk::walk;
use way::{Way, hosts, rest};

/// An ion that is to move through a host.
#[derive(Debug, Clone)]
pub struct Journey<'a> {
    /// The empty host.
    pub host: &'a Structure,
    /// What moves.
    pub ion: Ion,
    /// Among which sites it rests: the best that lies on a channel says which it goes along. [`Within::Everywhere`] and
    /// [`Within::Cavities`] let it hop from site to site whether a channel leads there or not.
    pub within: Within,
    /// Least distance of the ion from its periodic images, Å.
    pub spacing: f64,
    /// Moving images of each hop.
    pub images: usize,
    /// The most sites that are relaxed to find where it rests.
    pub starts: usize,
}

/// The way of an ion from cell to cell.
#[derive(Debug, Clone, PartialEq)]
pub struct Migration {
    /// Index of the channel among the tunnels of the relaxed host; `None` where it was to follow none.
    pub channel: Option<usize>,
    /// Polyhedra around it.
    pub ring: Option<usize>,
    /// The highest energy of the hops above the lowest, eV.
    pub barrier: f64,
    /// The hops that take it from cell to cell, those that symmetry makes alike once.
    pub hops: Vec<Walked>,
    /// By how much the energies of the ends differ, eV, which symmetry makes equal: where it is not small, the ion or the host has relaxed
    /// otherwise at one of them, and the path is none from a site to its like.
    pub uneven: f64,
    /// Distance of the ion from its nearest image, Å.
    pub spacing: f64,
    /// Whether all relaxations and bands converged.
    pub converged: bool,
    /// Steps of all of them.
    pub steps: usize,
}

/// A hop of the ion.
#[derive(Debug, Clone, PartialEq)]
pub struct Walked {
    /// The images, ends included; the ion is the last atom.
    pub images: Vec<Structure>,
    /// Energy of each above that of the cell where the ion rests, eV.
    pub energies: Vec<f64>,
    /// How far the ion has come at each image, Å.
    pub distances: Vec<f64>,
    /// The longest force left, eV/Å.
    pub fmax: f64,
}

/// Answers `journeys` on the surface of `potential`, each an answer of its own. `options`: forces and steps at which relaxations and bands
/// end.
///
/// # Errors
/// Per journey: no site on a channel, no image or spacing, a spacing that needs too large a cell, an element that the model does not know,
/// an ion that does not stay at its site.
pub fn migrate(
    potential: &dyn Potential,
    journeys: &[Journey<'_>],
    options: &RelaxOptions,
    follower: &mut impl Follower,
) -> ControlFlow<(), Vec<Result<Migration, AdsorptionError>>> {
    let mut ways: Vec<Result<Way, AdsorptionError>> = hosts(potential, journeys, options, follower)?;
    let atoms = RelaxOptions { cell: false, nudge: NUDGE, ..*options };
    rest(potential, &mut ways, &atoms, follower)?;
    let ends = far_ends(potential, &mut ways, &atoms, follower)?;
    walk(potential, journeys, ways, ends, options, follower)
}

#[cfg(test)]
mod published;
#[cfg(test)]
mod tests;

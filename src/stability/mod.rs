//! Can a phase exist? The lower convex hull of formation energies over composition, and how far above it a phase lies.
//!
//! A phase that lies above the hull gains energy by falling apart into the phases of the hull at its composition, so that at zero
//! temperature it does not last. [`PhaseDiagram`] holds the phases, [`simplex`] solves the linear program that finds the hull
//! at one composition, and a [`Surface`] is the whole of it over two elements or three.
//!
//! [`substitute`] makes one phase to ask about, [`Candidates`] all that known crystals and a list of elements suggest.
//!
//! Energies are formation energies in eV/atom: the elements lie at 0, and are there without being named.

mod candidates;
mod diagram;
mod facets;
mod simplex;
mod substitute;

pub use candidates::{Candidate, CandidateCounts, CandidateOptions, Candidates};
pub use diagram::{Part, PhaseDiagram, one_scheme};
pub use facets::{Corner, Surface};
pub use substitute::substitute;

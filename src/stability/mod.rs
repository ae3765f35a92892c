//! Can a phase exist? The lower convex hull of formation energies over composition, and how far above it a phase lies.
//!
//! A phase that lies above the hull gains energy by decomposing into the phases of the hull at its composition, so that at zero temperature
//! it does not last. [`PhaseDiagram`] holds the phases, [`simplex`] solves the linear program that finds the hull at one composition, and a
//! [`Surface`] is the whole of it over two elements or three.
//!
//! [`substitute`] makes one such phase, [`Candidates`] all that known crystals and a list of elements suggest;
//! [`order`](order()) makes one of a crystal whose sites are shared.
//!
//! Energies are formation energies in eV/atom: the elements are at 0, and always present. [`formation_energy`] makes them of total energies
//! and the energies of the elements ([`elemental_references`]), after a [`correction`] where calculations by PBE and PBE + U are to have
//! one zero.

mod anions;
mod candidates;
mod competition;
mod conversion;
mod corrections;
mod diagram;
mod facets;
mod order;
mod references;
mod simplex;
mod substitute;

pub use anions::{OxideType, oxide_type};
pub use candidates::{Candidate, CandidateCounts, CandidateOptions, Candidates};
pub use competition::{Competition, converts};
pub use conversion::conversion_voltage;
pub use corrections::{Computed, Correction, Part as CorrectionPart, Scheme, correction};
pub use diagram::{Part, PhaseDiagram, one_scheme};
pub use facets::{Corner, Surface};
pub use order::{MAX_CELLS, OCCUPANCY_TOLERANCE, Ordered, order};
pub use references::{ElementalReferences, elemental_references, formation_energy, reference_schemes};
pub use substitute::substitute;

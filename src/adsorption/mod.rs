//! Ions in tunnels: where they sit, what their insertion gains, and the charge they leave.
//!
//! [`insertion_sites`] finds the hollows of a host, [`insert`] fills them and [`remove`] empties them, [`relax`] moves the crystal
//! downhill on a model's energy surface, [`migrate`] an ion over the pass to its next site, and [`adsorb`] and [`extract`] do all
//! of it for many crystals at once. [`charge`] divides calculated densities among their ions, and [`triples`] matches hosts, filled hosts
//! and metals among calculations of other programs.

mod adsorb;
pub mod calibration;
mod capacity;
pub mod charge;
mod curve;
mod dilute;
mod electrode;
mod elements;
mod error;
mod extract;
#[cfg(test)]
mod flat;
mod gibbs;
mod insert;
mod migration;
mod potential;
mod profile;
mod reference;
mod relax;
mod remove;
mod rigid;
mod sites;
pub mod triples;

pub use adsorb::{Adsorbed, Answer, Answers, Emptied, Freedom, Place, Request, SAME_ENERGY, adsorb};
pub use capacity::{Capacity, capacity, redox_ions};
pub use curve::{Curve, Discharge, Filling, curve};
pub use dilute::{MOST_ATOMS, spaced};
pub use electrode::{electrode_voltage, taken_up};
pub use elements::{element_energies, reference};
pub use error::AdsorptionError;
pub use extract::{Extracted, Extraction, extract};
pub use gibbs::gibbs;
pub use insert::{Insertion, MIN_ION_DISTANCE, at, insert, parse_sites, starts};
pub use migration::{Band, Journey, Migration, Path, Walked, band, migrate};
pub use potential::{adsorption_potential, insertion_voltage};
pub use profile::{VoltageStep, voltage_profile};
pub use reference::{Reference, reference_energy};
pub use relax::{Follower, Method, Point, RelaxOptions, Relaxed, Round, relax};
pub use remove::remove;
pub use sites::{InsertionSite, Within, insertion_sites};

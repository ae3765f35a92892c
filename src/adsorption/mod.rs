//! Ions in tunnels: where they sit, what their insertion gains, and the charge they leave.
//!
//! [`insertion_sites`] finds the hollows of a host, [`insert`] fills them, [`relax`] moves the crystal downhill on a model's energy
//! surface, and [`adsorb`] does all of it for many hosts at once.

mod adsorb;
mod elements;
mod insert;
mod potential;
mod relax;
mod rigid;
mod sites;

pub use adsorb::{Adsorbed, Answer, Request, adsorb};
pub use elements::{element_energies, ground_state, reference};
pub use insert::{Insertion, MIN_ION_DISTANCE, insert};
pub use potential::{adsorption_potential, insertion_energy, insertion_voltage};
pub use relax::{Method, Point, RelaxOptions, Relaxed, Round, relax};
pub use sites::{InsertionSite, Within, insertion_sites};

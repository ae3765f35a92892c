//! Ions in tunnels: where they sit, what their insertion gains, and the charge they leave.

mod insert;
mod relax;
mod rigid;
mod sites;

pub use insert::{Insertion, MIN_ION_DISTANCE, insert};
pub use relax::{Method, Point, RelaxOptions, Relaxed, Round, relax};
pub use sites::{InsertionSite, Within, insertion_sites};

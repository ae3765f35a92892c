//! SQL functions of a group of rows, one file each: a name, its documentation, its types, and one call of a pure function on
//! all rows of the group. The adapter to the engine, which collects the rows, is [`CrystalUdaf`].
//!
//! Rows with a NULL argument are left out. A group without rows, or for which the quantity is not defined, answers NULL.

mod phase_diagram;
mod udaf;
mod voltage_profile;

pub use phase_diagram::PhaseDiagramOf;
pub use udaf::{CrystalAggregate, CrystalUdaf};
pub use voltage_profile::VoltageProfile;

//! SQL functions of a group of rows, one file each: a [`Function`] whose kernel is one call of a pure function on all rows of the
//! group. The adapter to the engine, which collects the rows, is [`CrystalUdaf`].
//!
//! Rows with a NULL argument are left out. A group without rows, or for which the quantity is not defined, answers NULL.

mod phase_diagram;
mod udaf;
mod voltage_profile;

use super::functions::Function;

pub use udaf::{CrystalUdaf, Group};

/// All of them, each with its section of the reference.
pub fn themes() -> Vec<(&'static str, Function<Group>)> {
    vec![("Stability", phase_diagram::function()), ("Ions", voltage_profile::function())]
}

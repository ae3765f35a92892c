//! A crystal in a row of results.

use serde::{Deserialize, Serialize};

use crystal::Structure;

/// A crystal as the column `structure` has it.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Crystal {
    lattice: Vec<f64>,
    numbers: Vec<i32>,
    frac_coords: Vec<f64>,
}

impl From<&Structure> for Crystal {
    fn from(structure: &Structure) -> Self {
        Self {
            lattice: structure.lattice().rows().as_flattened().to_vec(),
            numbers: structure.species().iter().map(|e| i32::from(e.z())).collect(),
            frac_coords: structure.frac_coords().as_flattened().to_vec(),
        }
    }
}

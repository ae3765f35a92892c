//! An insertion electrode as a row.

use serde::{Deserialize, Serialize};

use super::{Crystal, ResultRow};

/// A row of `electrodes`: a host that takes ions up, and the voltage at which it does. The columns are explained in `schema/lake.sql`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Electrode {
    /// Its name in the source.
    pub battery_id: String,
    /// Symbol of the element that goes in.
    pub ion: String,
    /// Charge of the ion.
    pub valence: i32,
    /// Reduced formula with the fewer ions.
    pub formula_charged: Option<String>,
    /// Reduced formula with the more.
    pub formula_discharged: Option<String>,
    /// Name of the charged crystal in its source.
    pub charged_id: Option<String>,
    /// Name of the discharged one.
    pub discharged_id: Option<String>,
    /// The charged crystal.
    pub charged: Option<Crystal>,
    /// The discharged crystal.
    pub discharged: Option<Crystal>,
    /// Ions that a cell of `charged` takes up.
    pub n: Option<f64>,
    /// Cells of `discharged` that hold the host of a cell of `charged`.
    pub cells: Option<f64>,
    /// Average voltage against the metal, V.
    pub voltage: f64,
    /// Largest relative change of volume on the way.
    pub volume_change: Option<f64>,
    /// Whether formation energies of both crystals give the voltage again.
    pub checked: Option<bool>,
    /// `DFT` or `experiment`.
    pub method: String,
    /// Citation.
    pub source: String,
    /// What a reader must know.
    pub note: Option<String>,
}

impl ResultRow for Electrode {
    const TABLE: &'static str = "electrodes";
    const KEY: &'static [&'static str] = &["battery_id", "ion", "charged_id", "discharged_id", "voltage", "source"];
}

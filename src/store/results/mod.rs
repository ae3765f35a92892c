//! Tables of results: what is known of ions in tunnels, from the paper or computed here.
//!
//! `adsorption`, `charges`, `electrodes` and `reference_energies` are tables of the lake like `tmo`, declared in `schema/lake.sql`, open to
//! SQL and to any DuckLake client. A struct here is one row of each; [`Store::append`] adds rows in one snapshot, [`Store::results`] reads
//! them back. Every store has the paper's rows ([`published`]): a computed row stands beside the published one, and `source` tells
//! them apart.
//!
//! [`Store::append`]: super::Store::append
//! [`Store::results`]: super::Store::results

mod append;
mod corrected;
mod crystal;
mod dft_run;
mod electrode;
mod published;
mod read;

pub use crystal::Crystal;
pub use dft_run::DftRunRow;
pub use electrode::Electrode;
pub use read::References;

use serde::{Deserialize, Serialize};

/// A row of a table of results. Its serialised fields are columns of the table; one that is left out is NULL.
pub trait ResultRow: Serialize + Sync {
    /// The table, one of `schema/lake.sql`.
    const TABLE: &'static str;
    /// The columns that distinguish rows: two rows equal in these are the same row.
    const KEY: &'static [&'static str];
    /// How many of the last columns came after the table was first made: a store of an older program may lack them.
    const ADDED: usize = 0;
}

/// A row of `adsorption`: ions in a channel of a host, and how strongly they are held. Energies in eV.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct AdsorptionRow {
    /// The empty host: its name in the source, or the id of its row.
    pub host: String,
    /// Its reduced formula.
    pub host_formula: Option<String>,
    /// Its content hash, 32 hex digits.
    pub structure_hash: Option<String>,
    /// Symbol of the element that goes in.
    pub ion: String,
    /// Ions in the cell.
    pub n: i32,
    /// The tunnel.
    pub channel: Option<String>,
    /// Cross-section of the tunnel, Å².
    pub area: Option<f64>,
    /// eV per ion, positive = favourable.
    pub adsorption_potential: Option<f64>,
    /// V against the metal.
    pub voltage: Option<f64>,
    /// Of the empty cell, eV.
    pub e_host: Option<f64>,
    /// Of the cell with `n` ions, eV.
    pub e_inserted: Option<f64>,
    /// Reference of the ion, eV/atom.
    pub e_ion: Option<f64>,
    /// Functional with what was added, or the energy model.
    pub functional: Option<String>,
    /// Citation, or what computed the row.
    pub source: String,
    /// Section, table or figure.
    pub where_in_paper: Option<String>,
    /// Run of `e_host`.
    pub host_run: Option<String>,
    /// Run of `e_inserted`.
    pub inserted_run: Option<String>,
    /// Run of `e_ion`.
    pub ion_run: Option<String>,
    /// What a reader must know.
    pub note: Option<String>,
}

impl ResultRow for AdsorptionRow {
    const TABLE: &'static str = "adsorption";
    const KEY: &'static [&'static str] = &[
        "host",
        "structure_hash",
        "ion",
        "n",
        "channel",
        "functional",
        "source",
        "host_run",
        "inserted_run",
        "ion_run",
    ];
}

/// A row of `charges`: an atom of a cell with ions, or the average over the ions. Charges in e, positive = cation.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct ChargeRow {
    /// The empty host: its name in the source, or the id of its row.
    pub host: String,
    /// Its reduced formula.
    pub host_formula: Option<String>,
    /// Its content hash, 32 hex digits.
    pub structure_hash: Option<String>,
    /// Symbol of the element that was inserted.
    pub ion: Option<String>,
    /// Ions in the cell.
    pub n: Option<i32>,
    /// The tunnel.
    pub channel: Option<String>,
    /// The atom, from 1; `None` for an average over the ions.
    pub site: Option<i32>,
    /// Its symbol.
    pub element: Option<String>,
    /// Valence electrons of the neutral atom less those of its basin, e.
    pub net_charge: Option<f64>,
    /// Electrons given by the insertion, e per atom.
    pub charge_transfer: Option<f64>,
    /// Valence electrons in its basin.
    pub electrons: Option<f64>,
    /// Of its basin, Å³.
    pub volume: Option<f64>,
    /// The partition.
    pub method: Option<String>,
    /// Functional with what was added, or the energy model.
    pub functional: Option<String>,
    /// Citation, or what computed the row.
    pub source: String,
    /// Section, table or figure.
    pub where_in_paper: Option<String>,
    /// Run of the density.
    pub run: Option<String>,
    /// What a reader must know.
    pub note: Option<String>,
}

impl ResultRow for ChargeRow {
    const TABLE: &'static str = "charges";
    const KEY: &'static [&'static str] =
        &["host", "structure_hash", "ion", "n", "channel", "site", "element", "method", "functional", "source", "run"];
}

/// A row of `reference_energies`: an elemental reference energy.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct ReferenceEnergy {
    /// Symbol.
    pub ion: String,
    /// eV/atom.
    pub energy: f64,
    /// Crystal or molecule that it is of.
    pub phase: Option<String>,
    /// Functional with what was added, or the energy model.
    pub functional: Option<String>,
    /// Dispersion correction.
    pub dispersion: Option<String>,
    /// Pseudopotential.
    pub potential: Option<String>,
    /// Citation, or what computed the row.
    pub source: String,
    /// Section, table or figure.
    pub where_in_paper: Option<String>,
    /// Run of the energy.
    pub run: Option<String>,
    /// What a reader must know.
    pub note: Option<String>,
}

impl ResultRow for ReferenceEnergy {
    const TABLE: &'static str = "reference_energies";
    const KEY: &'static [&'static str] = &["ion", "phase", "functional", "dispersion", "potential", "source", "run"];
}

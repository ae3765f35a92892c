//! The result of a VASP calculation: the crystal before and after, energies, forces, stress, moments, whether it converged, and the
//! settings that decide with which other calculations it may be compared.
//!
//! A calculation is a folder with `vasprun.xml` and `OUTCAR` ([`calculations`] finds them, [`read_calculation`] reads one).
//! `vasprun.xml` goes first: it has more digits, and states the settings used and not those requested. `OUTCAR` adds the magnetic moments,
//! and stands in where there is no `vasprun.xml`.
//!
//! # Which energy
//!
//! [`Run::energy`] is E(σ→0), the mean of the free energy and of the energy without the entropy of the smeared electrons
//! (`energy(sigma->0)` in `OUTCAR`); [`Run::free_energy`] is the energy whose negative gradients are the forces (`TOTEN`). In `vasprun.xml`
//! the energies at the end of an ionic step are mislabelled before VASP 6 (`e_0_energy` is the entropy term), and those at
//! the end of its electronic loop lack what is added after the loop (dispersion). So E(σ→0) is the free energy of the ionic
//! step, which is right in every version, plus the difference of the two in the last electronic step.

mod folder;
mod functional;
mod settings;

use std::path::PathBuf;

use sha2::{Digest, Sha256};

use super::MAX_ATOMS;
use crate::FormatError;
use crystal::CrystalError;
use crystal::{ContentHash, Element, Lattice, Structure};

pub use folder::{Calculation, Reading, calculations, read_calculation};
pub use settings::{HubbardU, Kpoints, Settings, Species};

pub(super) use settings::Tags;

/// Pressure of 1 eV/Å³ in kbar (CODATA 2018).
const KBAR_PER_EV_PER_CUBIC_ANGSTROM: f64 = 1_602.176_634;
/// An energy added after the electronic loop that is larger than this, eV a cell, is a dispersion correction.
const ADDED_LATER: f64 = 1e-3;

/// One finished calculation.
#[derive(Debug, Clone, PartialEq)]
pub struct Run {
    /// Where it stands: its folder as seen from the one that was searched, or the file's label where a folder holds several.
    pub name: String,
    /// The file that it was read from.
    pub path: PathBuf,
    /// First 128 bits of the SHA-256 of that file, unpacked.
    pub hash: ContentHash,
    /// Version of VASP: `5.4.4.18Apr17-6-g9f103f2a35`; an OUTCAR may not name it.
    pub version: Option<String>,
    /// How it was computed.
    pub settings: Settings,
    /// The crystal that it began with.
    pub initial: Structure,
    /// The crystal that energy, forces and stress are of: that of the last ionic step.
    pub structure: Structure,
    /// E(σ→0) of the cell, eV.
    pub energy: f64,
    /// Free energy of the cell, eV.
    pub free_energy: f64,
    /// Force on each site, eV/Å.
    pub forces: Option<Vec<[f64; 3]>>,
    /// Derivative of the energy in the strain over the volume, eV/Å³: positive on the diagonal where the cell would shrink. VASP
    /// prints the opposite sign, in kbar.
    pub stress: Option<[[f64; 3]; 3]>,
    /// Magnetic moment of each site, μ_B, projected on its sphere: collinear calculations with `OUTCAR` only.
    pub magmoms: Option<Vec<f64>>,
    /// Magnetic moment of the cell, μ_B.
    pub magnetization: Option<f64>,
    /// Ionic steps.
    pub ionic_steps: usize,
    /// Electronic steps of the last ionic step.
    pub electronic_steps: usize,
    /// Whether the last electronic loop ended because it had converged.
    pub electronic_converged: bool,
    /// Whether the ions reached the requested tolerance: always, where they were fixed.
    pub ionic_converged: bool,
}

impl Run {
    /// The largest force on a site, eV/Å.
    pub fn max_force(&self) -> Option<f64> {
        let norm = |f: &[f64; 3]| f.iter().map(|x| x * x).sum::<f64>().sqrt();
        self.forces.as_ref().map(|forces| forces.iter().map(norm).fold(0.0, f64::max))
    }

    /// Why its energy is not that of a ground state; `None` where it may be used.
    pub fn fault(&self) -> Option<String> {
        let Self { settings: s, electronic_steps: steps, ionic_steps: ions, .. } = self;
        if !self.electronic_converged {
            return Some(format!("the electronic loop did not converge in {steps} steps (NELM {})", s.nelm));
        }
        if s.fixed_density {
            return Some("its density was read and kept (ICHARG above 10): the energy is not self-consistent".into());
        }
        if s.is_dynamics() {
            return Some(format!("it is molecular dynamics ({ions} steps): the energy is an instantaneous one"));
        }
        if !self.ionic_converged {
            return Some(format!("the ionic relaxation did not converge in {ions} steps (NSW {})", s.nsw));
        }
        if s.ediffg == 0.0 && s.nsw > 1 {
            return Some("EDIFFG = 0: ionic convergence cannot be determined".into());
        }
        (s.charge().abs() > 1e-3).then(|| format!("the cell is charged: {:+} e", s.charge()))
    }
}

/// Whether ions that moved `steps` times with these settings are done: converged, or through all steps of the dynamics. `stopped`: by the
/// user.
pub(super) fn ions_at_rest(settings: &Settings, steps: usize, stopped: bool) -> bool {
    let requested = settings.nsw.max(0) as usize;
    if stopped {
        false
    } else if settings.is_dynamics() || settings.ediffg == 0.0 {
        requested <= 1 || steps == requested
    } else {
        requested <= 1 || steps < requested
    }
}

/// A cell and its sites as a file has them, with the line where they begin.
#[derive(Debug, Clone, Default)]
pub(super) struct Geometry {
    pub rows: Vec<[f64; 3]>,
    pub sites: Vec<[f64; 3]>,
    pub line: usize,
}

/// The crystal of fractional or (`cartesian`) Å coordinates.
pub(super) fn structure(of: &Geometry, species: &[Element], cartesian: bool) -> Result<Structure, FormatError> {
    let fault = |source: CrystalError| super::at_line(of.line)(source);
    let rows: [[f64; 3]; 3] =
        of.rows.as_slice().try_into().map_err(|_| {
            FormatError::syntax(of.line, 0, format!("the cell has {} vectors, expected 3", of.rows.len()))
        })?;
    if of.sites.len() != species.len() {
        let message = format!("{} positions for {} atoms", of.sites.len(), species.len());
        return Err(FormatError::syntax(of.line, 0, message));
    }
    let lattice = Lattice::new(rows).map_err(fault)?;
    let coords = match cartesian {
        true => of.sites.iter().map(|&x| lattice.to_fractional(x)).collect(),
        false => of.sites.clone(),
    };
    Structure::new(lattice, species.to_vec(), coords).map_err(fault)
}

/// The elements of the sites: each of `species` as often as it counts.
pub(super) fn sites(species: &[Species], line: usize) -> Result<Vec<Element>, FormatError> {
    let total = species.iter().fold(0_usize, |n, s| n.saturating_add(s.count));
    match total {
        0 => Err(FormatError::syntax(line, 0, "the file names no atom")),
        n if n > MAX_ATOMS => {
            Err(FormatError::syntax(line, 0, format!("{n} atoms, more than the {MAX_ATOMS} accepted")))
        }
        _ => Ok(species.iter().flat_map(|s| std::iter::repeat_n(s.element, s.count)).collect()),
    }
}

/// The first 128 bits of a digest.
pub(super) fn hash(of: Sha256) -> ContentHash {
    let digest = of.finalize();
    ContentHash(u128::from_be_bytes(std::array::from_fn(|k| digest[k])))
}

/// VASP's stress in kbar as the derivative of the energy in the strain, eV/Å³.
pub(super) fn stress(kbar: [[f64; 3]; 3]) -> [[f64; 3]; 3] {
    kbar.map(|row| row.map(|x| -x / KBAR_PER_EV_PER_CUBIC_ANGSTROM))
}

/// The numbers of a line. Fortran writes fixed columns: a minus may stand at the end of the number before (`1.5-0.2`).
///
/// # Errors
/// The word that is no finite number (`*****` where one was wider than its column).
pub(super) fn numbers(line: &str) -> Result<Vec<f64>, String> {
    let mut found = Vec::new();
    for word in line.split_whitespace() {
        let mut start = 0;
        let bytes = word.as_bytes();
        for at in 1..=bytes.len() {
            let split =
                at == bytes.len() || (bytes[at] == b'-' && (bytes[at - 1].is_ascii_digit() || bytes[at - 1] == b'.'));
            if split && let Some(part) = word.get(start..at) {
                match part.parse::<f64>() {
                    Ok(x) if x.is_finite() => found.push(x),
                    _ => {
                        return Err(format!(
                            "expected a number, found '{}'",
                            part.chars().take(40).collect::<String>()
                        ));
                    }
                }
                start = at;
            }
        }
    }
    Ok(found)
}

/// Exactly `N` numbers of a line.
pub(super) fn exactly<const N: usize>(line: &str) -> Result<[f64; N], String> {
    let found = numbers(line)?;
    found.as_slice().try_into().map_err(|_| format!("expected {N} numbers, found {}", found.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_that_fortran_ran_together_come_apart() {
        assert_eq!(numbers("  1.5-0.25  -3 1.0E-05-2."), Ok(vec![1.5, -0.25, -3.0, 1e-5, -2.0]));
        assert_eq!(numbers("-.1E+00 .5"), Ok(vec![-0.1, 0.5]));
        assert!(numbers("1.0 ******").unwrap_err().contains("'******'"));
        assert!(numbers("NaN").is_err() && numbers("1e999").is_err());
        assert_eq!(exactly::<2>("1 2"), Ok([1.0, 2.0]));
        assert!(exactly::<3>("1 2").unwrap_err().contains("3 numbers, found 2"));
    }

    #[test]
    fn a_pressure_of_vasp_is_a_cell_that_would_expand() {
        let under_pressure = stress([[10.0, 0.0, 0.0], [0.0; 3], [0.0; 3]]);
        assert!((under_pressure[0][0] + 10.0 / 1602.176634).abs() < 1e-12);
    }
}

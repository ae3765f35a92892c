//! What an insertion gains, per ion and as a voltage, and in which sign.
//!
//! Let n ions X of valence z enter the host G. The insertion energy
//!
//! ```text
//! Δ = E(XₙG) - [E(G) + n E(X)]        eV a cell; negative = favourable
//! ```
//!
//! compares the filled cell with the empty one and n atoms of the reference, the metal. Two quantities follow:
//!
//! ```text
//! adsorption potential = -Δ/n         eV per ion; positive = favourable
//! insertion voltage    = -Δ/(n z)     V against X/Xᶻ⁺, the average between the empty and the filled host
//! ```
//!
//! **The sign.** Datta et al. (Energy Adv. 2024, 3, 968) write V = ΔG/n_f with ΔE_f = E(XₙG) - (n E(X) + E(G)) (eqs. 1 and 3).
//! Taken literally, that is negative where an ion is held, but the text quotes 4.73 eV for Li at its best site and -1.95 eV for Al, which
//! does not go in. They tabulate -Δ/n, and so do we. The two quantities are equal in number for Li only: 3.4 eV per Ca is 1.7 V. A number
//! per ion is never called a voltage.
//!
//! The voltage is that of Aydinol et al., Phys. Rev. B 56 (1997) 1354, with energies in place of Gibbs energies;
//! [`gibbs`](super::gibbs()) adds the rest.

use crate::AdsorptionError;

/// Δ, eV: energy of the cell with `n` ions less those of the empty cell and of `n` atoms of the reference. `e_inserted` and
/// `e_host` in eV for the same cell, `e_ion` in eV/atom.
///
/// # Errors
/// `n` that is not positive, or an energy that is not finite.
pub fn insertion_energy(e_inserted: f64, e_host: f64, e_ion: f64, n: f64) -> Result<f64, AdsorptionError> {
    if !(n > 0.0 && n.is_finite()) {
        return Err(AdsorptionError::Undefined(format!("n = {n}; the number of inserted ions n must be positive")));
    }
    let delta = e_inserted - e_host - n * e_ion;
    if delta.is_finite() {
        Ok(delta)
    } else {
        Err(AdsorptionError::Undefined(format!(
            "energies of {e_inserted}, {e_host} and {e_ion} eV have no finite difference"
        )))
    }
}

/// -Δ/n: eV per ion, positive = favourable. Arguments as of [`insertion_energy`].
///
/// # Errors
/// As [`insertion_energy`].
pub fn adsorption_potential(e_inserted: f64, e_host: f64, e_ion: f64, n: f64) -> Result<f64, AdsorptionError> {
    Ok(-insertion_energy(e_inserted, e_host, e_ion, n)? / n)
}

/// -Δ/(n z): the average voltage against the metal, V, for ions of `valence` z. Other arguments as of [`insertion_energy`].
///
/// # Errors
/// As [`insertion_energy`], and a valence that is not positive.
pub fn insertion_voltage(
    e_inserted: f64,
    e_host: f64,
    e_ion: f64,
    n: f64,
    valence: f64,
) -> Result<f64, AdsorptionError> {
    Ok(adsorption_potential(e_inserted, e_host, e_ion, n)? / positive_valence(valence)?)
}

/// The valence, checked.
pub(super) fn positive_valence(valence: f64) -> Result<f64, AdsorptionError> {
    if valence > 0.0 && valence.is_finite() {
        return Ok(valence);
    }
    let message = format!("a valence of {valence}; give the charge of the cation: 1 for Li, 2 for Ca, 3 for Al");
    Err(AdsorptionError::Undefined(message))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_favourable_insertion_is_positive_and_a_voltage_is_divided_by_the_charge() {
        // Two Ca that gain 6.8 eV together: 3.4 eV each, the paper's potential of Ca in Nb12WO33, or 1.7 V.
        let (host, ion) = (-400.0, -1.980);
        let inserted = host + 2.0 * ion - 6.8;
        assert!((insertion_energy(inserted, host, ion, 2.0).unwrap() + 6.8).abs() < 1e-12);
        assert!((adsorption_potential(inserted, host, ion, 2.0).unwrap() - 3.4).abs() < 1e-12);
        assert!((insertion_voltage(inserted, host, ion, 2.0, 2.0).unwrap() - 1.7).abs() < 1e-12);
        // An ion that costs energy has a negative one.
        assert!(adsorption_potential(host + ion + 1.95, host, ion, 1.0).unwrap() < 0.0);
    }

    #[test]
    fn what_has_no_answer_says_why() {
        for n in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            assert!(adsorption_potential(-1.0, 0.0, 0.0, n).unwrap_err().to_string().contains("n must be positive"));
        }
        assert!(adsorption_potential(f64::NAN, 0.0, 0.0, 1.0).unwrap_err().to_string().contains("no finite"));
        let message = insertion_voltage(-1.0, 0.0, 0.0, 1.0, 0.0).unwrap_err().to_string();
        assert!(message.contains("2 for Ca"), "{message}");
    }
}

//! From an energy to a Gibbs energy: ΔG = ΔE + P ΔV - T ΔS (Datta et al., Energy Adv. 2024, 3, 968, eq. 2).
//!
//! In a solid at ambient conditions the two terms are small beside ΔE, and energies are commonly used alone: at 1 bar
//! (1e-4 GPa) a swelling by 10 Å³ costs 6 µeV, at 300 K an entropy of 1 k_B is worth 26 meV.

use crate::AdsorptionError;

/// 1 eV/Å³ in GPa, from the elementary charge of the SI.
const GPA: f64 = 160.217_663_4;

/// E + P ΔV - T ΔS, eV: `e` in eV, `p` in GPa, `dv` in Å³, `t` in K, `ds` in eV/K.
///
/// # Errors
/// A negative temperature, or numbers that are not finite.
pub fn gibbs(e: f64, p: f64, dv: f64, t: f64, ds: f64) -> Result<f64, AdsorptionError> {
    if t < 0.0 {
        return Err(AdsorptionError::Undefined(format!("a temperature of {t} K; kelvins are not negative")));
    }
    let g = e + p / GPA * dv - t * ds;
    if g.is_finite() { Ok(g) } else { Err(AdsorptionError::Undefined("a term is not a finite number".into())) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pressure_and_entropy_enter_with_their_signs() {
        assert_eq!(gibbs(-4.4, 0.0, 10.0, 0.0, 1.0).unwrap(), -4.4);
        // 1 eV/Å³ over 1 Å³ is 1 eV; 1 bar over 10 Å³ is 6.24e-6 eV.
        assert!((gibbs(0.0, GPA, 1.0, 0.0, 0.0).unwrap() - 1.0).abs() < 1e-15);
        assert!((gibbs(0.0, 1e-4, 10.0, 0.0, 0.0).unwrap() - 6.2415e-6).abs() < 1e-10);
        // k_B at 300 K: 25.85 meV.
        assert!((gibbs(0.0, 0.0, 0.0, 300.0, 8.617_333_262e-5).unwrap() + 0.025_852).abs() < 1e-6);
        assert!(gibbs(0.0, 0.0, 0.0, -1.0, 0.0).is_err() && gibbs(f64::NAN, 0.0, 0.0, 0.0, 0.0).is_err());
    }
}

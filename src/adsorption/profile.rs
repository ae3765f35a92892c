//! The voltage profile: which fillings of a host appear on the way, and at which voltage each turns into the next.
//!
//! Over n, the ions in the cell, the energies of the fillings have a lower convex hull. A filling above it decays into the two
//! beside it and never appears; along an edge from n₁ to n₂ both coexist, and the voltage is that of the edge,
//! V = -[E(n₂) - E(n₁) - (n₂ - n₁) E(X)] / [(n₂ - n₁) z]. Edges of a convex hull fall in voltage as n rises.
//!
//! The average voltages are those of pymatgen's `InsertionElectrode`. A negative one is kept: there the metal separates before
//! the host fills further.

use super::potential::{insertion_voltage, positive_valence};
use crate::AdsorptionError;

/// Points that lie on an edge to this, eV, are no corners of the hull.
const TOLERANCE: f64 = 1e-9;

/// A plateau of the profile.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct VoltageStep {
    /// Ions in the cell where it begins.
    pub n_from: f64,
    /// Ions in the cell where it ends.
    pub n_to: f64,
    /// Average voltage against the metal, V.
    pub voltage: f64,
}

/// The plateaus, n rising and voltage falling, of fillings (n, energy of the cell in eV); `e_ion` in eV/atom. Of several energies
/// of one n the lowest counts. The empty host is n = 0; without it the profile begins at the smallest n.
///
/// # Errors
/// Fewer than two different n, a negative or infinite number, or a valence that is not positive.
pub fn voltage_profile(fillings: &[(f64, f64)], e_ion: f64, valence: f64) -> Result<Vec<VoltageStep>, AdsorptionError> {
    positive_valence(valence)?;
    if let Some((n, e)) = fillings.iter().find(|(n, e)| !(n.is_finite() && e.is_finite() && *n >= 0.0)) {
        return Err(AdsorptionError::Undefined(format!(
            "{n} ions at {e} eV: a filling needs a number of ions from 0 and a finite energy"
        )));
    }
    let mut sorted = fillings.to_vec();
    sorted.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)));
    sorted.dedup_by(|later, first| later.0 == first.0);
    if sorted.len() < 2 {
        return Err(AdsorptionError::Undefined(
            "a voltage lies between two fillings; give energies of at least two different n, 0 for the empty host"
                .into(),
        ));
    }
    // Andrew's monotone chain.
    let mut hull: Vec<(f64, f64)> = Vec::new();
    for point in sorted {
        while let [.., a, b] = hull.as_slice()
            && a.1 + (point.1 - a.1) * (b.0 - a.0) / (point.0 - a.0) <= b.1 + TOLERANCE
        {
            hull.pop();
        }
        hull.push(point);
    }
    let step = |edge: &[(f64, f64)]| {
        let [(n_from, below), (n_to, above)] = [edge[0], edge[1]];
        let voltage = insertion_voltage(above, below, e_ion, n_to - n_from, valence)?;
        Ok(VoltageStep { n_from, n_to, voltage })
    };
    hull.windows(2).map(step).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filling_above_the_hull_does_not_appear() {
        // Potentials of Li in Nb12WO33 by the paper: 4.4 eV for one, 3.44 eV each for two.
        let energy = |n: f64, each: f64| (n, -n * each);
        let steps = voltage_profile(&[energy(2.0, 3.44), (0.0, 0.0), energy(1.0, 4.4)], 0.0, 1.0).unwrap();
        let expected = [(0.0, 1.0, 4.4), (1.0, 2.0, 2.48)];
        for (step, (from, to, voltage)) in steps.iter().zip(expected) {
            assert!((step.n_from, step.n_to) == (from, to) && (step.voltage - voltage).abs() < 1e-12, "{step:?}");
        }
        assert_eq!(steps.len(), 2);
        // A second ion that costs more than it brings: the metal would separate. (The numbers are those of Ca in the paper, which
        // are of two ions in one channel and no minimum.)
        let steps = voltage_profile(&[(0.0, 0.0), energy(1.0, 3.4), energy(2.0, -0.82)], 0.0, 2.0).unwrap();
        assert!((steps[0].voltage - 1.7).abs() < 1e-12 && (steps[1].voltage + 2.52).abs() < 1e-12);
        // A middle above the line between its neighbours: one plateau.
        let steps = voltage_profile(&[(0.0, 0.0), energy(1.0, 1.0), energy(2.0, 3.0)], 0.0, 1.0).unwrap();
        assert_eq!(steps.len(), 1);
        assert!((steps[0].n_to, steps[0].voltage) == (2.0, 3.0));
    }

    #[test]
    fn voltages_fall_and_the_charge_is_kept() {
        // A parabola with noise: whatever is on the hull, the steps add up to the whole.
        let noise = |i: i32| 0.05 * f64::from((i * 7919) % 13 - 6);
        let fillings: Vec<_> = (0..=20)
            .map(|i| {
                (f64::from(i), -3.0 * f64::from(i) + 0.05 * f64::from(i * i) + if i % 20 == 0 { 0.0 } else { noise(i) })
            })
            .collect();
        let steps = voltage_profile(&fillings, -1.5, 2.0).unwrap();
        assert!(steps.len() > 3 && steps.is_sorted_by(|a, b| a.voltage > b.voltage && a.n_to == b.n_from));
        let whole: f64 = steps.iter().map(|s| s.voltage * (s.n_to - s.n_from) * 2.0).sum();
        assert!((whole - (fillings[0].1 + 20.0 * -1.5 - fillings[20].1)).abs() < 1e-9);
    }

    #[test]
    fn the_lowest_energy_of_one_filling_counts_and_one_filling_is_no_profile() {
        let steps = voltage_profile(&[(0.0, 0.0), (1.0, -1.0), (1.0, -2.0)], 0.0, 1.0).unwrap();
        assert_eq!(steps, [VoltageStep { n_from: 0.0, n_to: 1.0, voltage: 2.0 }]);
        assert!(
            voltage_profile(&[(1.0, 0.0), (1.0, 1.0)], 0.0, 1.0).unwrap_err().to_string().contains("two different n")
        );
        assert!(voltage_profile(&[(0.0, 0.0), (-1.0, 1.0)], 0.0, 1.0).is_err());
    }
}

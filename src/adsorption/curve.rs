//! The whole discharge of a host: from its fillings to plateaus, capacity and energy.
//!
//! Each filling n has an energy, that of its lowest ordering. Those on the lower hull over n appear on the way (see
//! [`voltage_profile`]); the discharge ends with the last plateau that is not below 0 V, for from there on the metal separates. Capacity is
//! that of the charge taken up by then, over the mass and the volume of the filled host; energy is the charge times its voltage, ∫ V dQ.

use crate::{AdsorptionError, VoltageStep, capacity, voltage_profile};
use crystal::{Composition, Element};

/// So many ions in a cell, at the lowest energy that was found.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Filling {
    /// Ions in the cell.
    pub n: usize,
    /// Energy of the cell, eV.
    pub energy: f64,
    /// Volume of the cell, Å³.
    pub volume: f64,
}

/// The discharge of a host.
#[derive(Debug, Clone, PartialEq)]
pub struct Curve {
    /// Plateaus, n rising and voltage falling, those below 0 V included.
    pub plateaus: Vec<VoltageStep>,
    /// What is taken up above 0 V; `None` where nothing is.
    pub discharge: Option<Discharge>,
}

impl Curve {
    /// Whether the filling of `n` ions appears, as the end of a plateau.
    pub fn reaches(&self, n: usize) -> bool {
        self.plateaus.iter().any(|step| step.n_to == n as f64)
    }
}

/// What a host takes up above 0 V.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Discharge {
    /// Ions in the cell at the end.
    pub n: usize,
    /// Average voltage, V.
    pub voltage: f64,
    /// mAh per gram of the filled host.
    pub gravimetric: f64,
    /// mAh per cm³ of the filled host.
    pub volumetric: f64,
    /// Wh per kilogram of the filled host.
    pub specific_energy: f64,
    /// Wh per litre of the filled host.
    pub energy_density: f64,
    /// Volume over that of the empty host, less 1.
    pub volume_change: f64,
}

/// The discharge of `host`, the composition of the cell, of `empty` and its `fillings`; `e_ion` in eV/atom, the ion with its charge.
///
/// # Errors
/// No filling, or as [`voltage_profile`].
pub fn curve(
    host: &Composition,
    empty: Filling,
    fillings: &[Filling],
    (ion, charge): (Element, i8),
    e_ion: f64,
) -> Result<Curve, AdsorptionError> {
    let points: Vec<(f64, f64)> =
        std::iter::once(&empty).chain(fillings).map(|filling| (filling.n as f64, filling.energy)).collect();
    let plateaus = voltage_profile(&points, e_ion, f64::from(charge))?;
    let above = plateaus.iter().take_while(|step| step.voltage > 0.0);
    let Some(last) = above.clone().last() else { return Ok(Curve { plateaus, discharge: None }) };
    let n = last.n_to;
    let lowest = fillings.iter().filter(|filling| filling.n as f64 == n).min_by(|a, b| a.energy.total_cmp(&b.energy));
    let end = lowest.ok_or_else(|| AdsorptionError::Undefined(format!("no filling of {n} ions")))?;
    let voltage = above.map(|step| step.voltage * (step.n_to - step.n_from)).sum::<f64>() / n;
    let taken = capacity(host, ion, n, f64::from(charge), Some(end.volume))?;
    let volumetric = taken.volumetric.unwrap_or_default();
    let discharge = Discharge {
        n: end.n,
        voltage,
        gravimetric: taken.gravimetric,
        volumetric,
        specific_energy: voltage * taken.gravimetric,
        energy_density: voltage * volumetric,
        volume_change: end.volume / empty.volume - 1.0,
    };
    Ok(Curve { plateaus, discharge: Some(discharge) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filling(n: usize, energy: f64) -> Filling {
        Filling { n, energy, volume: 100.0 + 2.0 * n as f64 }
    }

    fn lithium() -> (Element, i8) {
        (Element::from_symbol("Li").unwrap(), 1)
    }

    #[test]
    fn plateaus_sum_to_the_energy_and_end_where_the_metal_separates() {
        let host = Composition::parse("Fe2P2O8").unwrap();
        // 3.5 V for both, which half a filling lies above; a third ion below the metal.
        let fillings = [filling(1, -4.9), filling(2, -10.8), filling(3, -12.0)];
        let found = curve(&host, filling(0, 0.0), &fillings, lithium(), -1.9).unwrap();
        let voltages: Vec<(f64, f64, f64)> = found.plateaus.iter().map(|s| (s.n_from, s.n_to, s.voltage)).collect();
        assert_eq!(voltages.len(), 2, "{voltages:?}");
        assert_eq!([1, 2, 3].map(|n| found.reaches(n)), [false, true, true]);
        assert!((voltages[0].2 - 3.5).abs() < 1e-9 && (voltages[1].2 + 0.7).abs() < 1e-9, "{voltages:?}");
        let end = found.discharge.unwrap();
        assert_eq!(end.n, 2);
        // LiFePO4 holds 169.9 mAh/g.
        assert!((end.gravimetric - 169.9).abs() < 0.1 && (end.voltage - 3.5).abs() < 1e-9, "{end:?}");
        assert!((end.specific_energy - 3.5 * end.gravimetric).abs() < 1e-9);
        assert!((end.energy_density - 3.5 * end.volumetric).abs() < 1e-9);
        assert!((end.volume_change - 0.04).abs() < 1e-12);
    }

    #[test]
    fn a_host_that_holds_nothing_has_no_discharge() {
        let host = Composition::parse("MgO").unwrap();
        let found = curve(&host, filling(0, 0.0), &[filling(1, 3.0)], lithium(), -1.9).unwrap();
        assert!(found.discharge.is_none() && found.plateaus[0].voltage < 0.0);
        assert!(curve(&host, filling(0, 0.0), &[], lithium(), -1.9).is_err());
    }
}

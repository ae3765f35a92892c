//! How much charge a host takes: n ions of valence z carry n z electrons, 26.8 Ah a mole.
//!
//! Per mass it is divided by the mass of the filled host, XₙG, per volume by the volume of the cell.

use crate::AdsorptionError;
use crystal::{Composition, Element};
use features::TRANSITION_METALS;

use super::potential::positive_valence;

/// Faraday's constant, mAh/mol: e N_A / 3.6 C, both exact in the SI.
const FARADAY: f64 = 1.602_176_634e-19 * 6.022_140_76e23 / 3.6;
/// An electron in 1 Å³, in mAh/cm³.
const PER_VOLUME: f64 = 1.602_176_634e-19 / 3.6 * 1e24;

/// What a filled host holds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Capacity {
    /// mAh/g of the filled host.
    pub gravimetric: f64,
    /// mAh/cm³, where the volume is known.
    pub volumetric: Option<f64>,
}

/// The capacity of `host`, a formula unit or a cell, for `n` ions of `valence`; `volume` is that of the same unit, Å³.
///
/// # Errors
/// `n`, a valence or a volume that is not positive.
pub fn capacity(
    host: &Composition,
    ion: Element,
    n: f64,
    valence: f64,
    volume: Option<f64>,
) -> Result<Capacity, AdsorptionError> {
    if !(n > 0.0 && n.is_finite()) {
        return Err(AdsorptionError::Undefined(format!("n = {n}; the number of ions n must be positive")));
    }
    if let Some(volume) = volume.filter(|v| !(*v > 0.0 && v.is_finite())) {
        return Err(AdsorptionError::Undefined(format!("a volume of {volume} Å³; give that of the cell")));
    }
    let electrons = n * positive_valence(valence)?;
    Ok(Capacity {
        gravimetric: FARADAY * electrons / (host.mass() + n * ion.mass()),
        volumetric: volume.map(|volume| PER_VOLUME * electrons / volume),
    })
}

/// Ions of a charge that bring one electron to each transition-metal atom of a host; one where that is none.
pub fn redox_ions(host: &Composition, charge: i8) -> usize {
    let metals = host.iter().filter(|(e, _)| TRANSITION_METALS.contains(&e.symbol()));
    let electrons: f64 = metals.map(|(_, amount)| amount).sum();
    ((electrons / f64::from(charge.unsigned_abs().max(1))) as usize).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_metal_takes_one_electron() {
        let of = |formula: &str, charge| redox_ions(&Composition::parse(formula).unwrap(), charge);
        assert_eq!((of("Fe4P4O16", 1), of("Mn3O6", 2), of("V2O5", 2)), (4, 1, 1));
        assert_eq!((of("MgO", 1), of("VO2", 3)), (1, 1));
    }

    #[test]
    fn lithium_iron_phosphate_holds_170_mah_a_gram() {
        let host = Composition::parse("FePO4").unwrap();
        let li = Element::from_symbol("Li").unwrap();
        // LiFePO4: 169.9 mAh/g; four formula units in 291.4 Å³ make 3.60 g/cm³ and 611 mAh/cm³.
        let cell = Composition::parse("Fe4P4O16").unwrap();
        let [unit, cell] = [(&host, 1.0, None), (&cell, 4.0, Some(291.4))]
            .map(|(host, n, volume)| capacity(host, li, n, 1.0, volume).unwrap());
        assert!((unit.gravimetric - 169.9).abs() < 0.05 && unit.volumetric.is_none(), "{unit:?}");
        assert!((cell.gravimetric - unit.gravimetric).abs() < 1e-9);
        let density = 4.0 * 157.757 * 1.660_539_067 / 291.4;
        assert!((cell.volumetric.unwrap() - cell.gravimetric * density).abs() < 0.05, "{cell:?}");
        // Ca carries twice the charge of Li.
        let ca = capacity(&host, Element::from_symbol("Ca").unwrap(), 1.0, 2.0, Some(100.0)).unwrap();
        assert!(
            (ca.volumetric.unwrap() / capacity(&host, li, 1.0, 1.0, Some(100.0)).unwrap().volumetric.unwrap() - 2.0)
                .abs()
                < 1e-12
        );
        assert!(capacity(&host, li, 0.0, 1.0, None).is_err() && capacity(&host, li, 1.0, 1.0, Some(0.0)).is_err());
    }
}

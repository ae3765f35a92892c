//! Two crystals of one host, with fewer ions and with more, and the average voltage between them.
//!
//! The cells need not be of the same size: what counts is how many ions a cell of the charged crystal takes up, and how many cells
//! of the discharged one hold the same host. The voltage is that of [`insertion_voltage`](super::insertion_voltage).

use super::insertion_voltage;
use crate::AdsorptionError;
use crystal::{Composition, Element};

/// Amounts this near, per cell, are equal.
const EQUAL: f64 = 1e-6;

/// Ions that a cell of the composition `empty` takes up on the way to `full`, and how many cells of `full` hold its host.
///
/// # Errors
/// Two hosts, or none; nothing that is taken up.
pub fn taken_up(empty: &Composition, full: &Composition, ion: Element) -> Result<(f64, f64), AdsorptionError> {
    let host: Vec<(Element, f64)> = full.iter().filter(|(e, _)| *e != ion).collect();
    let cells = host.first().map_or(0.0, |&(first, amount)| empty.amount(first) / amount);
    let same = |&(e, amount): &(Element, f64)| (empty.amount(e) - cells * amount).abs() < EQUAL;
    let alone = empty.iter().all(|(e, _)| e == ion || full.amount(e) > 0.0);
    let n = cells * full.amount(ion) - empty.amount(ion);
    if cells > 0.0 && alone && host.iter().all(same) && n > EQUAL {
        return Ok((n, cells));
    }
    let symbol = ion.symbol();
    let [empty, full] = [empty, full].map(Composition::formula);
    Err(AdsorptionError::Undefined(format!(
        "{empty} and {full} are not one host with fewer {symbol} and with more; give the charged crystal first"
    )))
}

/// The average voltage, V, between two crystals with energies of their cells (eV) `e_charged` and `e_discharged`, for an ion of energy
/// `e_ion`, the elemental reference energy, eV/atom.
///
/// # Errors
/// As [`taken_up`] and [`insertion_voltage`].
pub fn electrode_voltage(
    [charged, discharged]: [&Composition; 2],
    [e_charged, e_discharged]: [f64; 2],
    (ion, valence): (Element, i8),
    e_ion: f64,
) -> Result<f64, AdsorptionError> {
    let (n, cells) = taken_up(charged, discharged, ion)?;
    insertion_voltage(cells * e_discharged, e_charged, e_ion, n, f64::from(valence))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn formula(text: &str) -> Composition {
        Composition::parse(text).unwrap()
    }

    #[test]
    fn what_is_taken_up_follows_from_the_two_crystals() {
        let lithium = Element::from_symbol("Li").unwrap();
        let of = |empty: &str, full: &str| taken_up(&formula(empty), &formula(full), lithium).ok();
        assert_eq!(of("FePO4", "LiFePO4"), Some((1.0, 1.0)));
        assert_eq!(of("Fe4P4O16", "LiFePO4"), Some((4.0, 4.0)));
        assert_eq!(of("TiO2", "Li2Ti4O8"), Some((0.5, 0.25)));
        assert_eq!(of("Li4Ti5O12", "Li7Ti5O12"), Some((3.0, 1.0)));
        for (empty, full) in
            [("FePO4", "FePO4"), ("FePO4", "LiCoPO4"), ("FePO4", "LiFePO5"), ("LiCoO2", "CoO2"), ("Li", "Li2")]
        {
            assert_eq!(of(empty, full), None, "{empty} {full}");
        }
    }

    #[test]
    fn a_voltage_does_not_depend_on_the_cells() {
        let calcium = (Element::from_symbol("Ca").unwrap(), 2);
        let voltage = |empty: &str, full: &str, energies| {
            let (empty, full) = (formula(empty), formula(full));
            electrode_voltage([&empty, &full], energies, calcium, -2.0).unwrap()
        };
        // -(-41 - -32 - -2) / 2.
        assert!((voltage("MoO3", "CaMoO3", [-32.0, -41.0]) - 3.5).abs() < 1e-12);
        assert!((voltage("Mo2O6", "CaMoO3", [-64.0, -41.0]) - 3.5).abs() < 1e-12);
        assert!((voltage("MoO3", "Ca4Mo4O12", [-32.0, -164.0]) - 3.5).abs() < 1e-12);
    }
}

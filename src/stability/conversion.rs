//! What insertion competes with: a host that reacts with the ions to other phases.
//!
//! ```text
//! G + n X → the phases of the hull at XₙG        V = -(E_hull(XₙG) - E(G)) / (n z)
//! ```
//!
//! with formation energies of whole formulas, so that the metal X stands at 0. Insertion into XₙG at the energy above the hull h (per
//! atom) lies below that voltage by h N(XₙG) / (n z). Against multivalent metals the difference decides: nearly every oxide of a
//! reducible cation gains by calcium, and most of them gain more as CaO and a lower oxide.

use super::PhaseDiagram;
use crystal::{Composition, Element};

/// The voltage, V, of the reaction of `host` (formation energy `energy`, eV/atom) with `n` ions of charge `valence` per formula as it
/// is written to the phases of the hull.
///
/// # Errors
/// `n`, `valence` or an energy that is no positive, or no finite, number.
pub fn conversion_voltage(
    diagram: &PhaseDiagram,
    host: &Composition,
    energy: f64,
    (ion, valence): (Element, i8),
    n: f64,
) -> Result<f64, String> {
    if !(n > 0.0 && n.is_finite()) {
        return Err(format!("n = {n} ions; give a positive number per formula"));
    }
    if valence < 1 {
        return Err(format!("{ion} with the charge {valence} is not a cation"));
    }
    let filled: Composition = host.iter().chain([(ion, n)]).collect();
    let products = diagram.hull_energy(&filled)? * filled.natoms();
    let voltage = (energy * host.natoms() - products) / (n * f64::from(valence));
    if voltage.is_finite() { Ok(voltage) } else { Err(format!("a formation energy of {energy} eV/atom")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn formula(text: &str) -> Composition {
        Composition::parse(text).unwrap()
    }

    #[test]
    fn the_products_decide_and_insertion_above_the_hull_lies_lower() {
        let mut diagram = PhaseDiagram::new(None);
        for (phase, energy) in [("TiO2", -3.3), ("Li2O", -2.0), ("LiTiO2", -2.9)] {
            diagram.add(&formula(phase), energy).unwrap();
        }
        let lithium = (Element::from_symbol("Li").unwrap(), 1);
        let voltage = |n| conversion_voltage(&diagram, &formula("TiO2"), -3.3, lithium, n).unwrap();
        // To LiTiO2, which is on the hull: -(4 · -2.9 + 3 · 3.3).
        assert!((voltage(1.0) - 1.7).abs() < 1e-9, "{}", voltage(1.0));
        // To 2 Li2O and Ti: -(6 · -2.0 + 3 · 3.3) / 4.
        assert!((voltage(4.0) - 0.525).abs() < 1e-9, "{}", voltage(4.0));
        // The same per formula, however it is written.
        let doubled = conversion_voltage(&diagram, &formula("Ti2O4"), -3.3, lithium, 2.0).unwrap();
        assert!((doubled - voltage(1.0)).abs() < 1e-9);
        // Lithium in LiTiO2, at 0.1 eV/atom above the hull: 0.4 V below for the four atoms and one charge.
        let above = 0.1;
        let insertion = -(4.0 * (-2.9 + above) + 3.0 * 3.3);
        assert!((voltage(1.0) - insertion - above * 4.0).abs() < 1e-9);
    }

    #[test]
    fn what_is_no_reaction_is_said() {
        let diagram = PhaseDiagram::new(None);
        let lithium = Element::from_symbol("Li").unwrap();
        for (valence, n, part) in [(1, 0.0, "positive"), (1, f64::NAN, "positive"), (0, 1.0, "not a cation")] {
            let error = conversion_voltage(&diagram, &formula("TiO2"), -3.3, (lithium, valence), n).unwrap_err();
            assert!(error.contains(part), "{error}");
        }
    }
}

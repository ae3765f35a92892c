//! One element for another: the crystal that a known one suggests.
//!
//! Sites keep their fractional coordinates. The cell is scaled to what the new bonds need: along every axis by the ratio, new over old,
//! of the mean radius of the cations plus that of the anions (Shannon's, in the states of the composition; of cations in sixfold
//! coordination, since the place that one leaves to another keeps its neighbours). Where an ion has no
//! such radius, or there are no ions of both signs, the cell stays. A guess to begin a relaxation with, some per cent off in volume.

use crystal::CrystalError;
use crystal::{Composition, Element, Lattice, Structure};
use features::{cation_radius, ionic_radius, oxidation_states};

/// `structure` with the first of each pair replaced by the second, all at once: pairs may swap. Its cell is scaled where
/// `rescale` is set.
///
/// # Errors
/// A cell that is no longer valid, as [`Structure::new`].
pub fn substitute(
    structure: &Structure,
    pairs: &[(Element, Element)],
    rescale: bool,
) -> Result<Structure, CrystalError> {
    let new = |element: &Element| pairs.iter().find(|(from, _)| from == element).map_or(*element, |(_, to)| *to);
    let species: Vec<Element> = structure.species().iter().map(new).collect();
    if species == structure.species() {
        return Ok(structure.clone());
    }
    let bonds = || bond(&Composition::from_elements(&species)).zip(bond(&structure.composition()));
    let lattice = match rescale.then(bonds).flatten() {
        Some((new, old)) => Lattice::new(structure.lattice().rows().map(|row| row.map(|x| x * (new / old))))?,
        None => *structure.lattice(),
    };
    Structure::new(lattice, species, structure.frac_coords().to_vec())
}

/// Mean length of the bonds between the ions of a composition, Å.
pub(super) fn bond(composition: &Composition) -> Option<f64> {
    let states = oxidation_states(composition);
    let mean = |sign: i8| {
        let ions = || states.iter().filter(|(_, q)| q.signum() == sign);
        let count: f64 = ions().map(|(e, _)| composition.amount(*e)).sum();
        let radius = |e, q| if q > 0 { cation_radius(e, q) } else { ionic_radius(e, q) };
        let radii = ions().map(|&(e, q)| Some(composition.amount(e) * radius(e, q)?)).sum::<Option<f64>>()?;
        (count > 0.0).then(|| radii / count)
    };
    Some(mean(1)? + mean(-1)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use formats::hosts::host;

    fn element(symbol: &str) -> Element {
        Element::from_symbol(symbol).unwrap()
    }

    #[test]
    fn the_cell_follows_the_ions() {
        let rutile = host("rutile").unwrap();
        let tin = substitute(&rutile, &[(element("Ti"), element("Sn"))], true).unwrap();
        assert_eq!(tin.composition().reduced_formula(), "SnO2");
        // Cassiterite: 71.5 Å³ (Bolzan et al., Acta Crystallogr. B 53 (1997) 373); rutile: 62.4.
        assert!((tin.volume() - 71.5).abs() < 1.0, "{}", tin.volume());
        let kept = substitute(&rutile, &[(element("Ti"), element("Sn"))], false).unwrap();
        assert_eq!(kept.volume(), rutile.volume());
    }

    #[test]
    fn a_place_keeps_its_coordination() {
        // From CaTiO3, 55.9 Å³ a formula, to SrTiO3, 59.5 (a = 3.905 Å). Twelvefold strontium beside sixfold calcium would make it 75.
        let lattice = Lattice::from_parameters(3.8237, 3.8237, 3.8237, 90.0, 90.0, 90.0).unwrap();
        let species = ["Ca", "Ti", "O", "O", "O"].map(element).to_vec();
        let frac = vec![[0.0; 3], [0.5; 3], [0.5, 0.5, 0.0], [0.5, 0.0, 0.5], [0.0, 0.5, 0.5]];
        let perovskite = Structure::new(lattice, species, frac).unwrap();
        let strontium = substitute(&perovskite, &[(element("Ca"), element("Sr"))], true).unwrap();
        assert!((strontium.volume() - 59.5).abs() < 4.0, "{}", strontium.volume());
    }

    #[test]
    fn elements_swap() {
        let perovskite = host("lanthanum-cobaltate").unwrap();
        let [la, co] = ["La", "Co"].map(element);
        let swapped = substitute(&perovskite, &[(la, co), (co, la)], false).unwrap();
        assert_ne!(swapped, perovskite);
        assert_eq!(substitute(&swapped, &[(la, co), (co, la)], false).unwrap(), perovskite);
        assert_eq!(substitute(&perovskite, &[(element("Ba"), la)], true).unwrap(), perovskite);
    }
}

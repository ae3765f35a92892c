//! The elements in their reference states: what a model's total energies are measured from.
//!
//! A formation energy, and the gain of an ion that comes from its metal, need the energy of each element on the scale of the model that
//! gave the other energies. So that model relaxes the ground state of each element, with its cell, from the published structure in
//! `schema/elements/ground_states.csv`.

use std::{collections::BTreeMap, ops::ControlFlow, sync::LazyLock};

use super::relax::{RelaxOptions, Round, relax};
use crate::AdsorptionError;
use crystal::{Element, Lattice, Structure};
use models::potential::Potential;

/// The ground states, primitive cells, in the order of atomic numbers.
static GROUND_STATES: LazyLock<Vec<(Element, Structure)>> = LazyLock::new(|| {
    let rows = include_str!("../../schema/elements/ground_states.csv").lines();
    rows.filter(|line| !line.starts_with(['#', 's']))
        .map(|line| read(line).unwrap_or_else(|| panic!("schema/elements/ground_states.csv: {line}")))
        .collect()
});

fn read(line: &str) -> Option<(Element, Structure)> {
    let [symbol, _, lattice, coords] = line.split(',').collect::<Vec<_>>()[..] else { return None };
    let numbers = |text: &str| text.split(' ').map(str::parse).collect::<Result<Vec<f64>, _>>().ok();
    let element = Element::from_symbol(symbol).ok()?;
    let (rows, coords) = (numbers(lattice)?, numbers(coords)?);
    let lattice = Lattice::new(std::array::from_fn(|r| std::array::from_fn(|c| rows[3 * r + c]))).ok()?;
    let sites: Vec<[f64; 3]> = coords.as_chunks().0.to_vec();
    Some((element, Structure::new(lattice, vec![element; sites.len()], sites).ok()?))
}

/// Energy of each element by `potential`, eV/atom, of its ground state relaxed with its cell; elements that the model does not
/// know, or whose relaxation does not converge, are left out. Crystals of molecules are soft: solid oxygen takes more than 500
/// steps. `watch` may break off.
pub fn element_energies(
    potential: &dyn Potential,
    watch: impl FnMut(Round) -> ControlFlow<()>,
) -> ControlFlow<(), BTreeMap<String, f64>> {
    let structures: Vec<&Structure> = GROUND_STATES.iter().map(|(_, structure)| structure).collect();
    let options = RelaxOptions { fmax: 0.02, steps: 1000, ..RelaxOptions::default() };
    let relaxed = relax(potential, &structures, &options, watch)?;
    let found = GROUND_STATES.iter().zip(relaxed).filter_map(|((element, structure), end)| {
        let end = end.ok().filter(|end| end.converged)?;
        Some((element.symbol().to_owned(), end.energy / structure.len() as f64))
    });
    ControlFlow::Continue(found.collect())
}

/// The elemental reference energy of `ion` in a table of such energies, eV/atom.
///
/// # Errors
/// It has none, and no other replaces it.
pub fn reference(energies: &BTreeMap<String, f64>, ion: Element, model: &str) -> Result<f64, AdsorptionError> {
    energies.get(ion.symbol()).copied().ok_or_else(|| {
        AdsorptionError::Undefined(format!("model {model} has no elemental reference energy of {}", ion.symbol()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ground_states_are_crystals_of_one_element_with_sound_distances() {
        assert!(GROUND_STATES.len() >= 85);
        assert!(GROUND_STATES.windows(2).all(|pair| pair[0].0.z() < pair[1].0.z()));
        let nearest = |symbol: &str| {
            let (_, structure) = GROUND_STATES.iter().find(|(element, _)| element.symbol() == symbol).unwrap();
            structure.distance_min()
        };
        // Body-centred Li at 3.44 Å, face-centred Al at 4.04 Å, and molecules.
        assert!((nearest("Li") - 2.98).abs() < 0.02 && (nearest("Al") - 2.86).abs() < 0.02);
        for (symbol, bond) in [("H", 0.75), ("N", 1.10), ("O", 1.23), ("F", 1.41), ("Cl", 2.0), ("Br", 2.4), ("I", 2.8)]
        {
            assert!((nearest(symbol) - bond).abs() < 0.03, "{symbol}: {}", nearest(symbol));
        }
    }

    #[test]
    fn an_ion_without_a_reference_is_an_error_that_names_it() {
        let energies = BTreeMap::from([("Li".to_owned(), -1.9)]);
        assert_eq!(reference(&energies, Element::from_symbol("Li").unwrap(), "m").unwrap(), -1.9);
        let message = reference(&energies, Element::from_symbol("Ca").unwrap(), "m").unwrap_err().to_string();
        assert!(message.contains("Ca") && message.contains("model m"), "{message}");
    }
}

//! Valences of bonds, and how well those of a crystal add up.
//!
//! A bond of length d carries `exp((R - d) / 0.31 Å)` (I. D. Brown, D. Altermatt, Acta Crystallogr. B 41 (1985) 244), with R from
//! the size and the electronegativity of the two elements (M. O'Keeffe, N. E. Brese, J. Am. Chem. Soc. 113 (1991) 3226), as pymatgen's
//! `calculate_bv_sum` has it. On an ion they should sum to its oxidation state; the root mean square of the deviations is the global
//! instability index (A. Salinas-Sanchez *et al.*, J. Solid State Chem. 100 (1992) 201): stable crystals stay below 0.2, and above it a new
//! phase is doubtful, or its cell far from relaxed.
//!
//! [`electrostatic_valence`] is the same without lengths, by Pauling's second rule (J. Am. Chem. Soc. 51 (1929) 1010): cations give an
//! oxide ion their charge over their coordination number each. Most oxides break it somewhat (J. George *et al.*, Angew. Chem. Int. Ed. 59
//! (2020) 7569): it ranks candidates and excludes none.

use std::{collections::HashMap, sync::LazyLock};

use super::{
    coordination::{COORDINATION_TOLERANCE, bonded},
    environment::pairs_within,
    neutral_states,
};
use crate::FeatureError;
use crystal::{Element, Structure};

const TABLE: &str = include_str!("../../schema/elements/bond_valence.csv");
/// The softness of bonds, Å.
const SOFTNESS: f64 = 0.31;
/// Atoms further apart than this, Å, are not bonded: 0.01 of a valence at most.
const LONGEST: f64 = 4.0;
/// Of two elements at least one is of these, or there is no ionic bond between them.
const ELECTRONEGATIVE: [&str; 16] =
    ["H", "B", "C", "Si", "N", "P", "As", "Sb", "O", "S", "Se", "Te", "F", "Cl", "Br", "I"];

/// Size, Å, and electronegativity in bonds.
static PARAMETERS: LazyLock<HashMap<&'static str, [f64; 2]>> = LazyLock::new(|| {
    let row = |line: &'static str| {
        let mut fields = line.split(',');
        Some((fields.next()?, [fields.next()?.parse().ok()?, fields.next()?.parse().ok()?]))
    };
    TABLE.lines().filter(|line| !line.starts_with('#')).filter_map(row).collect()
});

/// Sum of the valences of the bonds of each site, in its order: positive on cations. `scale` stretches the distances: 1.015 makes up
/// for cells that a GGA functional has relaxed.
///
/// # Errors
/// An element without parameters, a scale that is not positive.
pub fn bond_valence_sums(structure: &Structure, scale: f64) -> Result<Vec<f64>, FeatureError> {
    if !(scale > 0.0 && scale.is_finite()) {
        return Err(FeatureError::Argument(format!("scale = {scale} is not positive")));
    }
    let species = structure.species();
    let mut pairs: HashMap<(Element, Element), Option<f64>> = HashMap::new();
    let mut sums = vec![0.0; species.len()];
    let near = pairs_within(structure, LONGEST)?;
    for k in 0..near.len() {
        let (center, other) = (near.center[k] as usize, species[near.neighbor[k] as usize]);
        let pair = (species[center], other);
        let length = match pairs.get(&pair) {
            Some(known) => *known,
            None => *pairs.entry(pair).or_insert(length_of_one(pair.0, pair.1)?),
        };
        let Some(length) = length else { continue };
        let valence = ((length - near.distance[k] * scale) / SOFTNESS).exp();
        let gives = pair.0.electronegativity() < other.electronegativity();
        sums[center] += if gives { valence } else { -valence };
    }
    Ok(sums)
}

/// Length of a bond of valence 1 between two elements, Å; `None` where they make no ionic bond.
fn length_of_one(a: Element, b: Element) -> Result<Option<f64>, FeatureError> {
    let pulls = |e: Element| ELECTRONEGATIVE.contains(&e.symbol());
    if a == b || !(pulls(a) || pulls(b)) {
        return Ok(None);
    }
    let of = |e: Element| {
        PARAMETERS.get(e.symbol()).copied().ok_or_else(|| {
            FeatureError::Undefined(format!("{e} has no bond valence parameters (O'Keeffe & Brese, 1991)"))
        })
    };
    let ([r, c], [s, d]) = (of(a)?, of(b)?);
    Ok(Some(r + s - r * s * (c.sqrt() - d.sqrt()).powi(2) / (c * r + d * s)))
}

/// Root mean square over the sites of the deviation of bond valences from oxidation states, valence units.
///
/// # Errors
/// As [`bond_valence_sums`]; a composition without neutral states.
pub fn global_instability_index(structure: &Structure, scale: f64) -> Result<f64, FeatureError> {
    let states = states_of(structure)?;
    let sums = bond_valence_sums(structure, scale)?;
    Ok(root_mean_square(sums.iter().zip(&states).map(|(sum, state)| sum - state)))
}

/// Root mean square over the anions of the deviation of Pauling's electrostatic bond strengths from their charge,
/// valence units.
///
/// # Errors
/// A composition without neutral states or without anions, a crystal that cannot be divided into Voronoi cells.
pub fn electrostatic_valence(structure: &Structure) -> Result<f64, FeatureError> {
    let states = states_of(structure)?;
    let bonds = bonded(structure, COORDINATION_TOLERANCE)?;
    // A bond counts once for each end that sees it, with the strength of its cation.
    let strength = |cation: usize| states[cation] / bonds[cation].len().max(1) as f64;
    let mut received = vec![0.0; states.len()];
    for (cation, around) in bonds.iter().enumerate().filter(|(i, _)| states[*i] > 0.0) {
        for &anion in around {
            received[anion] += strength(cation);
        }
    }
    let anions: Vec<usize> = (0..states.len()).filter(|&i| states[i] < 0.0).collect();
    if anions.is_empty() {
        return Err(FeatureError::Undefined("a crystal without anions".into()));
    }
    Ok(root_mean_square(anions.iter().map(|&i| received[i] + states[i])))
}

/// The oxidation state of each site.
fn states_of(structure: &Structure) -> Result<Vec<f64>, FeatureError> {
    let composition = structure.composition();
    let states = neutral_states(&composition).ok_or_else(|| {
        FeatureError::Undefined(format!("{} has no neutral oxidation states", composition.reduced_formula()))
    })?;
    let states: HashMap<Element, f64> = states.into_iter().collect();
    Ok(structure.species().iter().map(|e| states[e]).collect())
}

fn root_mean_square(values: impl ExactSizeIterator<Item = f64>) -> f64 {
    let n = values.len() as f64;
    (values.map(|x| x * x).sum::<f64>() / n).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;
    use formats::hosts::host;

    /// pymatgen 2026.10.24: `calculate_bv_sum(site, structure.get_neighbors(site, 4))`.
    #[test]
    fn sums_are_pymatgens() {
        let sums = bond_valence_sums(&host("rutile").unwrap(), 1.0).unwrap();
        let (ti, o) = (3.810_231_395_976_7, -1.905_115_697_988_35);
        for (ours, want) in sums.iter().zip([ti, ti, o, o, o, o]) {
            assert!((ours - want).abs() < 1e-9, "{sums:?}");
        }
        let total: f64 = bond_valence_sums(&host("nb12wo33").unwrap(), 1.015).unwrap().iter().sum();
        assert!(total.abs() < 1e-6, "what cations give anions take: {total}");
    }

    #[test]
    fn sound_crystals_add_up_and_squeezed_ones_do_not() {
        let rutile = host("rutile").unwrap();
        let index = global_instability_index(&rutile, 1.0).unwrap();
        assert!(index < 0.2, "{index}");
        assert!(global_instability_index(&rutile, 0.9).unwrap() > 1.0);
        assert!(global_instability_index(&rutile, 0.0).unwrap_err().to_string().contains("scale"));
    }

    #[test]
    fn paulings_second_rule_holds_in_rutile_and_not_in_v2o5() {
        assert!(electrostatic_valence(&host("rutile").unwrap()).unwrap() < 1e-9);
        // One, two or three square pyramids of V5+ meet at two, one and two of five oxygens: 1, 2 and 3 valences.
        let found = electrostatic_valence(&host("vanadium-pentoxide").unwrap()).unwrap();
        assert!((found - 0.8_f64.sqrt()).abs() < 1e-9, "{found}");
    }
}

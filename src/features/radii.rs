//! The radius of every site of a structure in one of the four sets.

use super::ionic::{ionic_radius, oxidation_states};
use crate::FeatureError;
use crystal::{Radii, Structure};

/// Radius of each site, Å. Shannon's radii need an oxidation state: see [`oxidation_states`] and [`ionic_radius`].
///
/// # Errors
/// [`FeatureError::MissingElementData`] where the set has no radius for an element (in its oxidation state).
pub fn site_radii(structure: &Structure, radii: Radii) -> Result<Vec<f64>, FeatureError> {
    let composition = structure.composition();
    let states = if radii == Radii::Shannon { oxidation_states(&composition) } else { Vec::new() };
    let mut of_z = [f64::NAN; 119];
    for (element, _) in composition.iter() {
        let radius = match radii {
            Radii::Atomic => element.atomic_radius(),
            Radii::Covalent => element.covalent_radius(),
            Radii::VanDerWaals => element.vdw_radius(),
            Radii::Shannon => {
                states.iter().find(|(e, _)| *e == element).and_then(|&(_, charge)| ionic_radius(element, charge))
            }
        };
        of_z[usize::from(element.z())] = radius.ok_or(FeatureError::MissingElementData {
            element: element.symbol(),
            quantity: "radius",
            table: radii.name(),
        })?;
    }
    Ok(structure.species().iter().map(|e| of_z[usize::from(e.z())]).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crystal::testing::srtio3;
    use crystal::{Element, Lattice};

    #[test]
    fn each_set_gives_its_own_radii() {
        let s = srtio3(); // Sr, Ti, 3 O
        let of = |radii| site_radii(&s, radii).unwrap();
        assert_eq!(of(Radii::Atomic), [2.0, 1.4, 0.6, 0.6, 0.6]);
        assert_eq!(of(Radii::Covalent), [1.95, 1.6, 0.66, 0.66, 0.66]);
        assert_eq!(of(Radii::Shannon)[1..], [0.605, 1.36, 1.36, 1.36]);
    }

    #[test]
    fn an_element_without_a_radius_is_named() {
        let lattice = Lattice::from_parameters(5.0, 5.0, 5.0, 90.0, 90.0, 90.0).unwrap();
        let krypton = Structure::new(lattice, vec![Element::from_symbol("Kr").unwrap()], vec![[0.0; 3]]).unwrap();
        for radii in [Radii::Atomic, Radii::Shannon] {
            let message = site_radii(&krypton, radii).unwrap_err().to_string();
            assert!(message.contains("Kr") && message.contains(radii.name()), "{message}");
        }
    }
}

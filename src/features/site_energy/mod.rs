//! Bond-valence site energies: how an ion is held at each point of a rigid framework, and the energy that it needs to get through.
//!
//! An ion with charge q at p has, by softBV (H. Chen, L. L. Wong, S. Adams, *Acta Crystallogr. B* **75** (2019) 18),
//!
//! E(p) = Σ_X ½ D [(exp(α (R_min - R)) - 1)² - 1] + Σ_M k q q_M / √(n n_M) · erfc(R / ρ) / R
//!
//! over the anions X and the cations M of the framework, with k = 14.4 eV Å, principal quantum numbers n and ρ = 0.74 (r + r_M) for
//! the radii r. Parameters are those of softBV (H. Chen, S. Adams, *IUCrJ* **4** (2017) 614), charges formal (see
//! [`oxidation_states`]): what BVlain computes (A. Dembitskiy *et al.*), whose numbers the tests hold. The framework is rigid and ions do
//! not interact, so the barriers rank crystals and are no activation energies.
//!
//! [`bvse_barrier`] is the height of the lowest pass over which the ion gets from a cell to the next, above the lowest point of
//! the valley that leads there. The energy is taken on a grid of [`STEP`], its points join their 26 neighbours as the level rises
//! (see `percolation`), and the valley is endless when a loop of it ends in another cell.

mod landscape;
mod parameters;
mod percolation;

use std::collections::HashMap;

use crate::{FeatureError, Ion, environment::pairs_within, ewald::erfc, oxidation_states};
use crystal::{DEFAULT_SYMPREC, Element, Structure};
use landscape::Landscape;
use parameters::{Morse, morse, radius, shell};

/// Spacing of the grid, Å; barriers of one of half of it differ by some hundredths of an eV.
const STEP: f64 = 0.2;
/// e² / 4πε₀ as softBV rounds it, eV Å.
const COULOMB: f64 = 14.4;
/// How far cations are screened, of the sum of the radii.
const SCREENING: f64 = 0.74;
/// Anions farther away than this, Å, are left out: a thousandth of the depth of a bond, each.
const REACH: f64 = 8.0;
/// Nearer than this, Å, an atom counts as at this distance.
const CORE: f64 = 0.5;

/// The interaction of an ion with one atom of the framework.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Interaction {
    Anion(Morse),
    /// q q_M / √(n n_M), and how far it is screened, Å.
    Cation {
        charges: f64,
        screening: f64,
    },
    /// Without a charge.
    Nothing,
}

impl Interaction {
    /// Energy at distance r > 0 Å, eV.
    fn energy(self, r: f64) -> f64 {
        match self {
            Self::Anion(Morse { r_min, depth, alpha }) => {
                0.5 * depth * (((alpha * (r_min - r)).exp() - 1.0).powi(2) - 1.0)
            }
            Self::Cation { charges, screening } => COULOMB * charges * erfc(r / screening) / r,
            Self::Nothing => 0.0,
        }
    }
}

/// The crystal without its ions of the moving element, and the interaction of such an ion with each element that is
/// left.
fn framework(structure: &Structure, ion: &Ion) -> Result<(Structure, HashMap<Element, Interaction>), FeatureError> {
    let kept: Vec<usize> = (0..structure.len()).filter(|&i| structure.species()[i] != ion.element).collect();
    let species: Vec<Element> = kept.iter().map(|&i| structure.species()[i]).collect();
    let frac = kept.iter().map(|&i| structure.frac_coords()[i]).collect();
    let framework = Structure::with_overlaps(*structure.lattice(), species, frac)
        .map_err(|_| FeatureError::Undefined(format!("a crystal of {} alone has no framework", ion.element)))?;
    let states = oxidation_states(&structure.composition());
    let charge = |e: Element| states.iter().find(|(x, _)| *x == e).map_or(0, |&(_, q)| q);
    let mut interactions = HashMap::new();
    for &element in framework.species() {
        if interactions.contains_key(&element) {
            continue;
        }
        let of = match charge(element) {
            0 => Interaction::Nothing,
            q if q < 0 => Interaction::Anion(morse(ion, element, q)?),
            q => Interaction::Cation {
                charges: f64::from(ion.charge) * f64::from(q) / (shell(ion.element) * shell(element)).sqrt(),
                screening: SCREENING * (radius(ion.element)? + radius(element)?),
            },
        };
        interactions.insert(element, of);
    }
    if !interactions.values().any(|of| matches!(of, Interaction::Anion(_))) {
        return Err(FeatureError::Undefined("a framework without anions holds no cation".into()));
    }
    Ok((framework, interactions))
}

/// The barrier of `ion` through `structure`, eV: from the lowest point of the valley that is endless along `dimensions` (1 to 3)
/// independent directions to the pass that makes it so. Ions of that element that are in the crystal are taken out first; formal
/// charges are those of the crystal as it is given. `None` where the pass is higher than 10 eV.
///
/// # Errors
/// An ion or anions that softBV has no parameters for, a cell too large for the grid.
pub fn bvse_barrier(structure: &Structure, ion: &Ion, dimensions: usize) -> Result<Option<f64>, FeatureError> {
    barrier_at(structure, ion, dimensions, STEP)
}

/// The energy of `ion` at each of `points` (fractions of the cell) of `structure` without its ions of that element, eV: far below 0
/// where it is held, above where atoms push it away.
///
/// # Errors
/// As [`bvse_barrier`].
pub fn bvse_energies(structure: &Structure, ion: &Ion, points: &[[f64; 3]]) -> Result<Vec<f64>, FeatureError> {
    let (framework, interactions) = framework(structure, ion)?;
    let n = framework.len();
    let species = framework.species().iter().copied().chain(points.iter().map(|_| ion.element)).collect();
    let frac = framework.frac_coords().iter().chain(points).copied().collect();
    let all = Structure::with_overlaps(*framework.lattice(), species, frac)
        .map_err(|e| FeatureError::Undefined(e.to_string()))?;
    let mut energies = vec![0.0; points.len()];
    let pairs = pairs_within(&all, REACH)?;
    for ((&i, &j), &r) in pairs.center.iter().zip(&pairs.neighbor).zip(&pairs.distance) {
        if let (Some(point), true) = ((i as usize).checked_sub(n), (j as usize) < n) {
            energies[point] += interactions[&framework.species()[j as usize]].energy(r.max(CORE));
        }
    }
    Ok(energies)
}

fn barrier_at(structure: &Structure, ion: &Ion, dimensions: usize, step: f64) -> Result<Option<f64>, FeatureError> {
    let (framework, interactions) = framework(structure, ion)?;
    let landscape = Landscape::new(&framework.primitive(DEFAULT_SYMPREC), &interactions, step)?;
    Ok(percolation::passes(&landscape)[dimensions.clamp(1, 3) - 1].map(|pass| pass.height - pass.floor))
}

#[cfg(test)]
mod tests;

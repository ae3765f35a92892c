//! Families of crystals that are built and not learned: octahedra in walls around tunnels, and in blocks.

mod blocks;
mod net;
mod tunnels;

use crystal::{Composition, Element, Structure, neighbors_of};
use features::{cation_radius, ionic_radius, neutral_states};

use crate::GenerationError;

/// Octahedra along one side of a wall or of a block at most.
const WIDEST: usize = 12;
/// Largest distance of an inserted ion from the anions around it, Å.
const FAR: f64 = 40.0;

/// A family of crystals with two widths, counted in octahedra.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Prototype {
    /// MX2 with walls of m and n edge-sharing octahedra around tunnels: 1 x 1 is rutile, 2 x 2 hollandite, 2 x 3 romanechite, 3 x 3
    /// todorokite.
    Tunnels(usize, usize),
    /// ReO3-type blocks of n x m corner-sharing octahedra that share edges with the next: 3 x 3 is TiNb2O7, 3 x 4 Nb12O29.
    Blocks(usize, usize),
}

/// The elements of a crystal to build.
#[derive(Debug, Clone, PartialEq)]
pub struct Build {
    /// Of the octahedra: one element for all, or one for each.
    pub metals: Vec<Element>,
    /// Of their corners.
    pub anion: Element,
    /// Of the tunnels: one ion for each period along the tunnel.
    pub ion: Option<Element>,
}

impl Prototype {
    /// Number of octahedra in the primitive cell.
    pub fn octahedra(self) -> usize {
        match self {
            Self::Tunnels(m, n) => m + n,
            Self::Blocks(n, m) => n * m,
        }
    }

    /// The crystal, in a primitive cell. Bonds are as long as the sum of Shannon's radii in sixfold coordination, in the oxidation states
    /// in which it is charge-neutral: a guess to begin a relaxation with.
    ///
    /// # Errors
    /// Widths outside 1 to 12, blocks narrower than two octahedra, an ion in blocks, metals that are neither one nor one for each
    /// octahedron, a composition that is not charge-neutral, or an ion of which Shannon lists no radius.
    pub fn build(self, build: &Build) -> Result<Structure, GenerationError> {
        let wrong = |message: String| Err(GenerationError::Prototype(message));
        let (Self::Tunnels(m, n) | Self::Blocks(m, n)) = self;
        let least = if matches!(self, Self::Blocks(..)) { 2 } else { 1 };
        if !(least..=WIDEST).contains(&m) || !(least..=WIDEST).contains(&n) {
            return wrong(format!("{m} x {n} octahedra are outside {least} x {least} to {WIDEST} x {WIDEST}"));
        }
        let metals = match build.metals.as_slice() {
            [one] => vec![*one; self.octahedra()],
            all if all.len() == self.octahedra() => all.to_vec(),
            all => {
                let (given, wanted) = (all.len(), self.octahedra());
                return wrong(format!("{given} metals for {wanted} octahedra: give one, or one for each"));
            }
        };
        if matches!(self, Self::Blocks(..)) && build.ion.is_some() {
            return wrong("blocks are built empty: insert ions into the crystal".into());
        }
        let bond = self.bond(&metals, build)?;
        let net = match self {
            Self::Tunnels(m, n) => tunnels::net(m, n, bond)?,
            Self::Blocks(n, m) => blocks::net(n, m, bond)?,
        };
        let framework = net.crystal(&metals, build.anion)?;
        build.ion.map_or(Ok(framework.clone()), |ion| with_ion(&framework, (m, n), ion))
    }

    /// Length of a bond, Å: the mean radius of the metals and the radius of the anion.
    fn bond(self, metals: &[Element], build: &Build) -> Result<f64, GenerationError> {
        let anions = match self {
            Self::Tunnels(..) => 2 * self.octahedra(),
            Self::Blocks(n, m) => 3 * n * m - n - m,
        };
        let ions = build.ion.iter().map(|&ion| (ion, 1.0));
        let composition: Composition =
            metals.iter().map(|&metal| (metal, 1.0)).chain(ions).chain([(build.anion, anions as f64)]).collect();
        let states =
            neutral_states(&composition).ok_or_else(|| GenerationError::Charges(composition.reduced_formula()))?;
        let state = |element: Element| states.iter().find(|(e, _)| *e == element).map_or(0.0, |(_, q)| *q);
        let unknown = |element: Element, charge| GenerationError::Radius { element: element.symbol(), charge };
        // Between the radii of both states where valence is mixed.
        let of_metal = |&metal: &Element| {
            let q = state(metal);
            let at = |q: f64| cation_radius(metal, q as i8).ok_or_else(|| unknown(metal, q as i8));
            let (low, high) = (at(q.floor())?, at(q.ceil())?);
            Ok(low + (high - low) * (q - q.floor()))
        };
        let radii = metals.iter().map(of_metal).collect::<Result<Vec<f64>, GenerationError>>()?;
        let charge = state(build.anion).floor() as i8;
        if charge >= 0 {
            let message = format!("{} is no anion in {}", build.anion, composition.reduced_formula());
            return Err(GenerationError::Prototype(message));
        }
        let anion = ionic_radius(build.anion, charge).ok_or_else(|| unknown(build.anion, charge))?;
        Ok(radii.iter().sum::<f64>() / radii.len() as f64 + anion)
    }
}

/// The framework with an ion where its tunnels are widest, of the places on their axes that symmetry offers.
fn with_ion(framework: &Structure, (m, n): (usize, usize), ion: Element) -> Result<Structure, GenerationError> {
    let with = |at: [f64; 3]| {
        let species = framework.species().iter().copied().chain([ion]).collect();
        let frac = framework.frac_coords().iter().copied().chain([at]).collect();
        Structure::with_overlaps(*framework.lattice(), species, frac)
    };
    let mut best: Option<(f64, Structure)> = None;
    for at in tunnels::axes(m, n) {
        let filled = with(at)?;
        let site = framework.len();
        let around = neighbors_of(&filled, site, FAR.min(2.0 * framework.volume().cbrt()));
        let others = (0..around.len()).filter(|&k| around.neighbor[k] as usize != site);
        let nearest = others.map(|k| around.distance[k]).fold(f64::INFINITY, f64::min);
        // Places that are alike but for rounding are one: the first is taken.
        if best.as_ref().is_none_or(|(known, _)| nearest > known + 1e-6) {
            best = Some((nearest, filled));
        }
    }
    let (_, filled) = best.unwrap_or_else(|| (0.0, framework.clone()));
    Ok(Structure::new(*filled.lattice(), filled.species().to_vec(), filled.frac_coords().to_vec())?)
}

#[cfg(test)]
mod tests;

//! The energy of inserted ions in a rigid host of formal charges: Coulomb sums and a repulsion without a fitted
//! parameter.
//!
//! Every atom carries its oxidation state (see [`oxidation_states`]), every inserted ion its own charge z. An ion at p
//! has
//!
//! E(p) = z φ(p) + Σ_j B_j exp((R_j - |p - x_j|) / ρ), the sum over the host's ions of the other sign,
//!
//! with φ the Ewald potential of the host and R_j the sum of the Shannon radii. B_j = α k |z q_j| ρ / (6 R_j²) makes R_j the
//! equilibrium distance of the pair in rock salt (α = 1.74756 Madelung's constant, k = 14.3996 eV Å; Born & Mayer,
//! *Z. Phys.* **75** (1932) 1), so the distances that the radii were made for are those that it prefers. Formal charges
//! exaggerate: the energies rank sites of one ion in one host, and are no adsorption energies.

use crystal::{Element, Structure, neighbors};
use features::FeatureError;
use features::{CONVERGED, Ion, ewald_potentials, oxidation_states};

/// e² / 4πε₀, eV Å (CODATA 2018).
const COULOMB: f64 = 14.399_645_48;
/// Madelung's constant of rock salt for the nearest distance.
const ROCK_SALT: f64 = 1.747_564_595;
/// Softness of the repulsion, Å.
const SOFTNESS: f64 = 0.3;
/// Up to where ions repel, Å: ten times the softness beyond any bond.
const REPULSION: f64 = 6.0;
/// An inserted ion and an ion of the host are bonded up to the sum of their radii and this, Å.
const SLACK: f64 = 0.45;

/// Energies of an inserted ion at each of several points of a host, and of ions at these points with one another.
pub(super) struct Field {
    /// Energy of an ion at each point, eV.
    pub energy: Vec<f64>,
    /// Ions of the host's other sign within bonding reach of each point.
    pub coordination: Vec<usize>,
    /// From each point to the surface of the nearest ion of the host, Å; no farther than [`REPULSION`].
    pub clearance: Vec<f64>,
    /// Coulomb energy of ions at two points with all their periodic images, eV; of one with its own images, twice, on
    /// the diagonal.
    pub between: Vec<Vec<f64>>,
}

impl Field {
    /// `ion` at the `points` (fractions) of `host`, whose ions have `radii`, Å.
    ///
    /// # Errors
    /// Cells and points too many for the matrix of their potentials.
    pub fn new(host: &Structure, radii: &[f64], ion: &Ion, points: &[[f64; 3]]) -> Result<Self, FeatureError> {
        let states = oxidation_states(&host.composition());
        let charge = |e: &Element| states.iter().find(|(x, _)| x == e).map_or(0.0, |&(_, q)| f64::from(q));
        let charges: Vec<f64> = host.species().iter().map(charge).collect();
        let z = f64::from(ion.charge);
        let all = with_ions(host, ion.element, points)?;
        let potentials = ewald_potentials(&all, CONVERGED)?;
        let mut energy: Vec<f64> = potentials
            .rows()
            .skip(host.len())
            .map(|row| COULOMB * z * row.iter().zip(&charges).map(|(phi, q)| phi * q).sum::<f64>())
            .collect();
        let mut coordination = vec![0; points.len()];
        let mut clearance = vec![REPULSION; points.len()];
        let pairs = neighbors(&all, REPULSION);
        for ((&i, &j), &distance) in pairs.center.iter().zip(&pairs.neighbor).zip(&pairs.distance) {
            let (Some(k), j) = ((i as usize).checked_sub(host.len()), j as usize) else { continue };
            if j < host.len() {
                clearance[k] = clearance[k].min(distance - radii[j]);
            }
            if j < host.len() && z * charges[j] < 0.0 {
                let bond = ion.radius + radii[j];
                let hardness = ROCK_SALT * COULOMB * (z * charges[j]).abs() * SOFTNESS / (6.0 * bond * bond);
                energy[k] += hardness * ((bond - distance) / SOFTNESS).exp();
                coordination[k] += usize::from(distance <= bond + SLACK);
            }
        }
        let between = potentials
            .rows()
            .skip(host.len())
            .map(|row| row[host.len()..].iter().map(|phi| COULOMB * z * z * phi).collect());
        Ok(Self { energy, coordination, clearance, between: between.collect() })
    }
}

/// The host's sites and, after them, ions at `points`, at any distances.
///
/// # Errors
/// None for points that are finite.
pub(super) fn with_ions(host: &Structure, ion: Element, points: &[[f64; 3]]) -> Result<Structure, FeatureError> {
    let species = host.species().iter().copied().chain(points.iter().map(|_| ion)).collect();
    let frac = host.frac_coords().iter().chain(points).copied().collect();
    Ok(Structure::with_overlaps(*host.lattice(), species, frac)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crystal::{Lattice, Radii, testing::wo3};
    use features::site_radii;

    #[test]
    fn the_cube_of_reo3_by_madelung_constants() {
        let host = wo3();
        let radii = site_radii(&host, Radii::Shannon).unwrap();
        let k = Ion::parse("K").unwrap();
        let field = Field::new(&host, &radii, &k, &[[0.5; 3]]).unwrap();
        // A unit simple cubic lattice of unit charges in a background has the potential -2.837297479 at a charge. Those of
        // CsCl (2.035361509) and of rock salt with the cubic close packing (4.584862) leave -0.801935970 for the body
        // centre and -0.582521531 for a face centre: six W6+ at the first, three O2- at the second.
        let coulomb = 14.399_645_48 / 3.8 * (6.0 * -0.801_935_970 - 6.0 * -0.582_521_531);
        let bond = 1.38 + 1.36;
        let b = 1.747_564_595 * 14.399_645_48 * 2.0 * 0.3 / (6.0 * bond * bond);
        let repulsion = 12.0 * b * ((bond - 3.8 / 2.0_f64.sqrt()) / 0.3).exp();
        // The next twelve oxygens, at 4.65 Å, add a thousandth of it.
        assert!((field.energy[0] - coulomb - repulsion).abs() < 0.02, "{} {coulomb} {repulsion}", field.energy[0]);
        assert_eq!(field.coordination, [12]);
        // Its own images: a simple cubic lattice again.
        assert!((field.between[0][0] + 14.399_645_48 / 3.8 * 2.837_297_479).abs() < 1e-6);
    }

    #[test]
    fn a_pair_in_rock_salt_is_in_equilibrium_at_the_sum_of_its_radii() {
        // CaO with the bond 1.00 + 1.36 Å: the energy of a Ca removed and put back is least, along the cell's size, there.
        let energy = |d: f64| {
            let lattice = Lattice::from_parameters(2.0 * d, 2.0 * d, 2.0 * d, 90.0, 90.0, 90.0).unwrap();
            let coulomb = -ROCK_SALT * COULOMB * 4.0 / d;
            let ion = Ion::parse("Ca").unwrap();
            let o = [[0.5, 0.0, 0.0], [0.0, 0.5, 0.0], [0.0, 0.0, 0.5], [0.5; 3]];
            let host = Structure::new(lattice, vec![Element::O; 4], o.to_vec()).unwrap();
            let field = Field::new(&host, &[1.36; 4], &ion, &[[0.0; 3]]).unwrap();
            let bare = Field::new(&host, &[-20.0; 4], &ion, &[[0.0; 3]]).unwrap();
            coulomb + field.energy[0] - bare.energy[0]
        };
        let (low, at, high) = (energy(2.34), energy(2.36), energy(2.38));
        assert!(at < low && at < high, "{low} {at} {high}");
    }
}

//! Whether a host has the bonds that it had.

use crystal::{Element, Structure};
use features::{COORDINATION_TOLERANCE, Coordination, coordination};

/// What spans less than this part of the largest solid angle is no neighbour, what spans more than [`COORDINATION_TOLERANCE`] is
/// one. What lies between may be either: there a bond is neither made nor broken by the noise of a relaxation.
const LOOSE: f64 = 0.3;

/// Whether each atom of `after` has as many neighbours of each element as in `before`, which holds the same atoms in the same
/// order. `false` where that cannot be decided.
pub(super) fn bonds_kept(before: &Structure, after: &Structure) -> bool {
    let neighbours = |crystal: &Structure| {
        let [bonds, loose] = [COORDINATION_TOLERANCE, LOOSE].map(|tolerance| coordination(crystal, tolerance));
        Some((bonds.ok()?, loose.ok()?))
    };
    let (Some(before), Some(after)) = (neighbours(before), neighbours(after)) else { return false };
    // None is broken, and none is new.
    among(&before.0, &after.1) && among(&after.0, &before.1)
}

/// Whether the neighbours of each site are among others.
fn among(bonds: &[Coordination], others: &[Coordination]) -> bool {
    let count =
        |of: &Coordination, element: Element| of.elements.iter().find(|of| of.0 == element).map_or(0, |of| of.1);
    bonds.iter().zip(others).all(|(few, many)| few.elements.iter().all(|&(e, n)| n <= count(many, e)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crystal::{
        Lattice,
        testing::{reo3, v2o5},
    };

    /// V2O5 with its layers, which lie at z = 0, as they are, and another distance from layer to layer, Å.
    fn stacked(spacing: f64) -> Structure {
        let host = v2o5();
        let [a, b, c, ..] = host.lattice().parameters();
        let frac = host.frac_coords().iter().map(|&[x, y, z]| [x, y, (z - z.round()) * c / spacing]);
        let lattice = Lattice::from_parameters(a, b, spacing, 90.0, 90.0, 90.0).unwrap();
        Structure::new(lattice, host.species().to_vec(), frac.collect()).unwrap()
    }

    #[test]
    fn layers_that_settle_keep_their_bonds_and_layers_that_collapse_make_new_ones() {
        let host = stacked(4.368);
        assert!(bonds_kept(&host, &host) && bonds_kept(&host, &stacked(4.0)));
        // By 17.5 % of the volume: vanadium has the vanadyl oxygen of the next layer as a sixth neighbour.
        let collapsed = stacked(3.6);
        assert!(!bonds_kept(&host, &collapsed) && !bonds_kept(&collapsed, &host));
    }

    #[test]
    fn an_oxygen_may_shift_and_not_leave() {
        let cube = reo3("W", 3.8);
        let shifted = |x: f64| {
            let mut frac = cube.frac_coords().to_vec();
            frac[1][0] = x;
            Structure::with_overlaps(*cube.lattice(), cube.species().to_vec(), frac).unwrap()
        };
        assert!(bonds_kept(&cube, &shifted(0.47)));
        assert!(!bonds_kept(&cube, &shifted(0.2)));
    }
}

//! Where electrons go when an ion comes in: Δρ = ρ(host with ions) - ρ(host) - ρ(ions).
//!
//! The three are calculated in one cell, on one grid, with the atoms at the same places; a difference of anything else shows
//! displacements of atoms and not of electrons, and is refused.

use super::DEFAULT_REACH;
use crate::AdsorptionError;
use crystal::norm;
use formats::Volumetric;

/// Lattice vectors and sites differ by no more than files round them, Å.
const SAME_LATTICE: f64 = 2e-3;
const SAME_PLACE: f64 = 1e-2;

/// Whether two densities stand on one grid over one cell; with `sites`, of one crystal too.
///
/// # Errors
/// The first difference.
pub fn common_grid(a: &Volumetric, b: &Volumetric, sites: bool) -> Result<(), AdsorptionError> {
    let undefined = |message: String| Err(AdsorptionError::Undefined(message));
    if a.shape != b.shape {
        let ([i, j, k], [l, m, n]) = (a.shape, b.shape);
        return undefined(format!(
            "the grids differ: {i} x {j} x {k} and {l} x {m} x {n} points; calculate both with the same NGXF, NGYF, NGZF"
        ));
    }
    let rows = a.structure.lattice().rows().iter().zip(b.structure.lattice().rows());
    for (name, (u, v)) in ["a", "b", "c"].iter().zip(rows) {
        if norm(std::array::from_fn(|k| u[k] - v[k])) > SAME_LATTICE {
            return undefined(format!("the cells differ: {name} = {u:?} Å and {v:?} Å; calculate both in one cell"));
        }
    }
    if sites {
        if a.structure.species() != b.structure.species() {
            let formulas = [a, b].map(|v| v.structure.composition().formula());
            return undefined(format!("the crystals differ: {} and {}, or their order", formulas[0], formulas[1]));
        }
        for i in 0..a.structure.len() {
            let apart = distance(a, i, b, i);
            if apart > SAME_PLACE {
                return undefined(format!("site {} of one is {apart:.3} Å from that of the other", i + 1));
            }
        }
    }
    Ok(())
}

/// Between site i of one and site j of the other, Å, in nearly the same cell.
fn distance(a: &Volumetric, i: usize, b: &Volumetric, j: usize) -> f64 {
    let (x, y) = (a.structure.frac_coords()[i], b.structure.frac_coords()[j]);
    norm(a.structure.lattice().to_cartesian(std::array::from_fn(|k| x[k] - y[k] - (x[k] - y[k]).round())))
}

/// `whole` less all of `parts`: totals only, on the crystal of the whole.
///
/// # Errors
/// Quantities, grids or cells that differ, or parts whose atoms are not, one for one, those of the whole at the same places.
pub fn difference(whole: &Volumetric, parts: &[Volumetric]) -> Result<Volumetric, AdsorptionError> {
    let undefined = |message: String| Err(AdsorptionError::Undefined(message));
    let mut taken = vec![false; whole.structure.len()];
    for (number, part) in (1..).zip(parts) {
        if part.quantity != whole.quantity {
            return undefined(format!("part {number} is not a {:?}, as the whole is", whole.quantity));
        }
        common_grid(whole, part, false)?;
        for (j, element) in part.structure.species().iter().enumerate() {
            let same = |i: &usize| whole.structure.species()[*i] == *element;
            let nearest = (0..taken.len()).filter(same).map(|i| (i, distance(whole, i, part, j)));
            let nearest = nearest.min_by(|a, b| a.1.total_cmp(&b.1));
            match nearest {
                Some((i, apart)) if apart <= SAME_PLACE && !taken[i] => taken[i] = true,
                Some((i, apart)) if apart <= SAME_PLACE => {
                    return undefined(format!("site {} ({}) of the whole is in two parts", i + 1, element.symbol()));
                }
                Some((i, apart)) if apart < DEFAULT_REACH => {
                    return undefined(format!(
                        "site {} ({}) of part {number} is {apart:.3} Å from its place in the whole (site {}): calculate the parts \
                         at the places that the atoms have in the whole, without relaxing them",
                        j + 1,
                        element.symbol(),
                        i + 1
                    ));
                }
                _ => {
                    return undefined(format!(
                        "site {} ({}) of part {number} is not in the whole",
                        j + 1,
                        element.symbol()
                    ));
                }
            }
        }
    }
    if let Some(i) = taken.iter().position(|t| !t) {
        let symbol = whole.structure.species()[i].symbol();
        return undefined(format!(
            "site {} ({symbol}) of the whole is in no part; give a density for each part",
            i + 1
        ));
    }
    let mut values = whole.total().to_vec();
    for part in parts {
        values.iter_mut().zip(part.total()).for_each(|(value, less)| *value -= less);
    }
    Ok(Volumetric {
        structure: whole.structure.clone(),
        quantity: whole.quantity,
        shape: whole.shape,
        fields: vec![values],
    })
}

/// How many electrons moved: half the integral of |Δρ|, and the integral of Δρ, which is 0 where parts and whole have equally
/// many electrons.
pub fn moved(difference: &Volumetric) -> (f64, f64) {
    let size: f64 = difference.total().iter().map(|x| x.abs()).sum();
    (0.5 * size * difference.voxel(), difference.integral())
}

/// The mean of a field over each plane of grid points at right angles to a reciprocal axis (0, 1, 2: the planes that b and c, c
/// and a, a and b span), in the unit of the field: a list of the height of the plane over the first, Å, and the mean.
///
/// # Errors
/// Another axis.
pub fn planar_average(field: &Volumetric, axis: usize) -> Result<Vec<(f64, f64)>, AdsorptionError> {
    let Some(&n) = field.shape.get(axis) else {
        return Err(AdsorptionError::Undefined(format!("axis {axis}; expected 0, 1 or 2")));
    };
    let before: usize = field.shape[..axis].iter().product();
    let mut sums = vec![0.0; n];
    for (row, values) in field.total().chunks(before).enumerate() {
        sums[row % n] += values.iter().sum::<f64>();
    }
    let points = (field.total().len() / n) as f64;
    let step = field.structure.lattice().plane_spacings()[axis] / n as f64;
    Ok(sums.iter().enumerate().map(|(i, sum)| (i as f64 * step, sum / points)).collect())
}

#[cfg(test)]
mod tests {
    use super::super::testing::Gaussians;
    use super::*;
    use crystal::Structure;
    use formats::Quantity;

    const SHAPE: [usize; 3] = [28, 32, 36];

    /// One site of the triclinic cell with its electrons.
    fn part(site: usize, electrons: f64, width: f64) -> Volumetric {
        let whole = Gaussians::triclinic().structure;
        let one =
            Structure::new(*whole.lattice(), vec![whole.species()[site]], vec![whole.frac_coords()[site]]).unwrap();
        Gaussians::new(one, &[electrons], &[width]).volumetric(SHAPE)
    }

    #[test]
    fn parts_that_make_the_whole_leave_nothing() {
        let whole = Gaussians::triclinic().volumetric(SHAPE);
        let rest = difference(&whole, &[part(0, 2.0, 0.45), part(1, 6.0, 0.6)]).unwrap();
        assert!(rest.total().iter().all(|x| x.abs() < 1e-12));
        assert!(moved(&rest).0 < 1e-9);
    }

    #[test]
    fn an_electron_that_moves_is_counted_once() {
        let whole = Gaussians::triclinic().volumetric(SHAPE);
        // In the parts lithium has kept the electron that oxygen has in the whole: far apart, it counts as one. The two widths
        // are those of the atoms, which do not reach each other's centres.
        let (count, net) = moved(&difference(&whole, &[part(0, 3.0, 0.45), part(1, 5.0, 0.6)]).unwrap());
        assert!(net.abs() < 1e-9 && (count - 1.0).abs() < 0.02, "{count} {net}");
        let (count, net) = moved(&difference(&whole, &[part(0, 2.0, 0.45), part(1, 5.0, 0.6)]).unwrap());
        assert!((net - 1.0).abs() < 1e-6 && (count - 0.5).abs() < 1e-6, "{count} {net}");
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let whole = Gaussians::triclinic().volumetric(SHAPE);
        let said = |parts: &[Volumetric]| difference(&whole, parts).unwrap_err().to_string();
        let (li, o) = (part(0, 2.0, 0.45), part(1, 6.0, 0.6));
        assert!(said(std::slice::from_ref(&li)).contains("site 2 (O) of the whole is in no part"));
        assert!(said(&[li.clone(), o.clone(), o.clone()]).contains("in two parts"));
        let mut other = o.clone();
        other.shape = [28, 36, 32];
        assert!(said(&[li.clone(), other]).contains("28 x 32 x 36 and 28 x 36 x 32"));
        let moved = |x: f64| {
            let s = &o.structure;
            let [a, b, c] = s.frac_coords()[0];
            Volumetric {
                structure: Structure::new(*s.lattice(), s.species().to_vec(), vec![[a + x, b, c]]).unwrap(),
                ..o.clone()
            }
        };
        assert!(said(&[li.clone(), moved(0.1)]).contains("without relaxing them"));
        assert!(said(&[li.clone(), moved(0.5)]).contains("is not in the whole"));
        let mut potential = o;
        potential.quantity = Quantity::Potential;
        assert!(said(&[li, potential]).contains("Density"));
    }

    #[test]
    fn planar_averages_integrate_to_the_electrons_along_every_axis() {
        let whole = Gaussians::triclinic().volumetric(SHAPE);
        for (axis, points) in SHAPE.into_iter().enumerate() {
            let profile = planar_average(&whole, axis).unwrap();
            assert_eq!(profile.len(), points);
            let spacing = whole.structure.lattice().plane_spacings()[axis];
            let area = whole.structure.volume() / spacing;
            let electrons = profile.iter().map(|(_, mean)| mean).sum::<f64>() * area * spacing / points as f64;
            assert!((electrons - 8.0).abs() < 1e-6);
            assert!((profile[1].0 - spacing / points as f64).abs() < 1e-12);
            // Highest at the plane of the heavier atom.
            let top = profile.iter().max_by(|a, b| a.1.total_cmp(&b.1)).unwrap().0 / spacing;
            assert!((top - whole.structure.frac_coords()[1][axis]).abs() < 0.03, "{axis}: {top}");
        }
        assert!(planar_average(&whole, 3).is_err());
    }
}

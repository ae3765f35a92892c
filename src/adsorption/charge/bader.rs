//! Bader's atoms in a density on a grid, by the weight method of Yu & Trinkle (*J. Chem. Phys.* **134** (2011) 064111).
//!
//! From a grid point the density flows uphill to each higher neighbour q, in proportion to (ρ_q - ρ_p) A_q/d_q, A_q being the
//! face that their Voronoi cells share and d_q their distance. What part of a point belongs to a basin is what part of it
//! arrives at the basin's maximum; so boundaries are smooth, free of the directions of the grid, and integrals converge with
//! the square of its spacing.
//!
//! Yu & Trinkle go downhill, and carry for every point its list of basins with weights. Here the very sum is done in its
//! transposed order: each point, the lowest first, hands what it holds (volume, electrons, moment) on to its higher
//! neighbours, and all that is left at the end lies in the maxima. There are no lists and no tolerance below which a weight
//! is dropped, nothing is lost but rounding, and no sort is needed: a point is ready once all its lower neighbours are done.
//!
//! Points of equal density are put in order by levels.rs.

use super::{
    levels::{DONE, Levels, MOST},
    nearest::Sites,
    voxels::Voxels,
};
use crate::AdsorptionError;
use crystal::Structure;

/// Density, e/Å³, below which a point belongs to no atom.
pub const DEFAULT_VACUUM: f64 = 1e-6;

/// What a region of the cell holds.
#[derive(Debug, Clone, PartialEq)]
pub struct Amounts {
    /// Å³.
    pub volume: f64,
    /// The integral of each field: electrons of a density in e/Å³.
    pub integrals: Vec<f64>,
}

/// The points whose density climbs to one maximum.
#[derive(Debug, Clone, PartialEq)]
pub struct Basin {
    /// Fractional coordinates of the maximum.
    pub maximum: [f64; 3],
    /// The site nearest to it, from 0.
    pub site: usize,
    /// Its distance from that site, Å.
    pub distance: f64,
    /// What it holds.
    pub amounts: Amounts,
}

/// A cell divided.
#[derive(Debug, Clone, PartialEq)]
pub struct Basins {
    /// In the order of their maxima on the grid.
    pub basins: Vec<Basin>,
    /// What lies where the reference density is below the vacuum threshold.
    pub vacuum: Amounts,
}

/// Divides the cell into the basins of `reference` (e/Å³) and integrates each of `fields` (one to four) over them. All stand on
/// the grid of `shape` over the cell of `structure`, the first index running fastest.
///
/// # Errors
/// Lists of unlike lengths, no field or more than four, more than 2³² points, or a threshold that is no number.
pub fn basins(
    structure: &Structure,
    shape: [usize; 3],
    reference: &[f64],
    fields: &[&[f64]],
    vacuum: f64,
) -> Result<Basins, AdsorptionError> {
    let points = reference.len();
    let undefined = |message: String| Err(AdsorptionError::Undefined(message));
    if shape.iter().product::<usize>() != points || fields.iter().any(|f| f.len() != points) || points == 0 {
        return undefined(format!("fields of unlike lengths on a grid of {shape:?}"));
    }
    if u32::try_from(points).is_err() || vacuum.is_nan() {
        return undefined(format!("basins on {points} points with a vacuum below {vacuum} e/Å³ are not defined"));
    }
    let voxels = Voxels::new(structure.lattice(), shape)?;
    let level = Levels::new(&voxels, reference, vacuum);
    let (maxima, vacuum) = match fields {
        [a] => flow(&voxels, level, |p| [1.0, a[p]]),
        [a, b] => flow(&voxels, level, |p| [1.0, a[p], b[p]]),
        [a, b, c] => flow(&voxels, level, |p| [1.0, a[p], b[p], c[p]]),
        [a, b, c, d] => flow(&voxels, level, |p| [1.0, a[p], b[p], c[p], d[p]]),
        _ => return undefined(format!("{} fields over basins; expected one to four", fields.len())),
    };
    let voxel = structure.volume() / points as f64;
    let amounts = |held: &[f64]| Amounts {
        volume: held.first().copied().unwrap_or(0.0) * voxel,
        integrals: held.iter().skip(1).map(|x| x * voxel).collect(),
    };
    let sites = Sites::new(structure);
    let basins = maxima
        .iter()
        .map(|(at, held)| {
            let point = voxels.point(*at);
            let maximum = std::array::from_fn(|k| point[k] as f64 / shape[k] as f64);
            let (site, distance) = sites.nearest(maximum);
            Basin { maximum, site, distance, amounts: amounts(held) }
        })
        .collect();
    Ok(Basins { basins, vacuum: amounts(&vacuum) })
}

/// Maxima with what arrives at them, and what lies in the vacuum.
type Flown<const N: usize> = (Vec<(usize, [f64; N])>, [f64; N]);

/// Hands what `held` says of each point uphill. Amounts are in units of a voxel.
fn flow_to<const N: usize>(voxels: &Voxels, mut levels: Levels, held: impl Fn(usize) -> [f64; N]) -> Flown<N> {
    let density = levels.density;
    let mut vacuum = [0.0; N];
    let mut carried: Vec<[f64; N]> = (0..density.len()).map(held).collect();
    for (amounts, rho) in carried.iter().zip(density) {
        if *rho < levels.vacuum {
            add(&mut vacuum, amounts, 1.0);
        }
    }
    let mut maxima = Vec::new();
    let mut ready: Vec<u32> = Vec::new();
    for start in 0..density.len() {
        if levels.lower[start] != 0 {
            continue;
        }
        levels.lower[start] = DONE;
        ready.push(start as u32);
        while let Some(p) = ready.pop() {
            let p = p as usize;
            let rho = density[p];
            let (mut above, mut count, mut sum) = ([(0_usize, 0.0); MOST], 0, 0.0);
            let (mut level, mut level_sum) = (false, 0.0);
            for (q, weight) in voxels.around(p, voxels.point(p)) {
                let rise = density[q] - rho;
                if rise > 0.0 {
                    above[count] = (q, rise * weight);
                    sum += rise * weight;
                    count += 1;
                } else if rise == 0.0 && q != p && levels.above(q, p) {
                    // Nothing flows along a level, unless there is no way up.
                    above[count] = (q, -weight);
                    level_sum -= weight;
                    level = true;
                    count += 1;
                }
            }
            let above = &mut above[..count];
            if level {
                for (_, share) in above.iter_mut() {
                    *share = if sum > 0.0 { share.max(0.0) } else { share.min(0.0) };
                }
            }
            let total = if sum > 0.0 { sum } else { level_sum };
            let amounts = carried[p];
            if above.is_empty() {
                maxima.push((p, amounts));
            }
            for &(q, share) in above.iter() {
                add(&mut carried[q], &amounts, share / total);
                levels.lower[q] -= 1;
                if levels.lower[q] == 0 {
                    levels.lower[q] = DONE;
                    ready.push(q as u32);
                }
            }
        }
    }
    maxima.sort_unstable_by_key(|m| m.0);
    (maxima, vacuum)
}

#[inline]
fn add<const N: usize>(to: &mut [f64; N], amounts: &[f64; N], share: f64) {
    for (to, amount) in to.iter_mut().zip(amounts) {
        *to += share * amount;
    }
}

/// As [`flow_to`], for any number of amounts.
fn flow<const N: usize>(
    voxels: &Voxels,
    levels: Levels,
    held: impl Fn(usize) -> [f64; N],
) -> (Vec<(usize, Vec<f64>)>, Vec<f64>) {
    let (maxima, vacuum) = flow_to(voxels, levels, held);
    (maxima.into_iter().map(|(at, amounts)| (at, amounts.to_vec())).collect(), vacuum.to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::charge::testing::Gaussians;
    use crystal::{Element, Lattice};

    fn cube(edge: f64, sites: Vec<[f64; 3]>) -> Structure {
        let lattice = Lattice::new([[edge, 0.0, 0.0], [0.0, edge, 0.0], [0.0, 0.0, edge]]).unwrap();
        let h = Element::from_symbol("H").unwrap();
        Structure::new(lattice, vec![h; sites.len()], sites).unwrap()
    }

    /// A product of cosines: eight equal octants around its maximum and no other.
    #[test]
    fn a_cosine_has_one_basin_that_is_the_cell() {
        let n = 12;
        let wave = |i: usize| 2.0 + (std::f64::consts::TAU * i as f64 / n as f64).cos();
        let rho: Vec<f64> = (0..n * n * n).map(|p| wave(p % n) * wave(p / n % n) * wave(p / n / n)).collect();
        let crystal = cube(3.0, vec![[0.0; 3]]);
        let found = basins(&crystal, [n; 3], &rho, &[&rho], 0.0).unwrap();
        assert_eq!(found.basins.len(), 1);
        let Basin { maximum, distance, amounts, .. } = &found.basins[0];
        assert_eq!((*maximum, *distance), ([0.0; 3], 0.0));
        assert!((amounts.volume - 27.0).abs() < 1e-11 && (amounts.integrals[0] - 8.0 * 27.0).abs() < 1e-10);
    }

    /// Bader's boundary between waves of unlike height lies where the density is least, and each half is known.
    #[test]
    fn two_waves_divide_at_the_minimum_between_them() {
        let n = 40;
        // Maxima at x = 0 and x = 1/2, minima at x = ±arccos(-1/4)/2π.
        let wave = |i: usize| {
            let t = std::f64::consts::TAU * i as f64 / n as f64;
            3.0 + 0.5 * t.cos() + (2.0 * t).cos()
        };
        let rho: Vec<f64> = (0..n * 4).map(|p| wave(p % n)).collect();
        let crystal = cube(4.0, vec![[0.0; 3], [0.5, 0.0, 0.0]]);
        let found = basins(&crystal, [n, 2, 2], &rho, &[&rho], 0.0).unwrap();
        // Flat along y and z: one maximum for each level all the same.
        assert_eq!(found.basins.iter().map(|b| b.site).collect::<Vec<_>>(), [0, 1]);
        let minimum = (-0.125_f64).acos() / std::f64::consts::TAU;
        let volume = found.basins[0].amounts.volume / 64.0;
        assert!((volume - 2.0 * minimum).abs() < 0.5 / n as f64, "{volume} {minimum}");
    }

    #[test]
    fn amounts_sum_to_those_of_the_cell_whatever_the_vacuum() {
        let g = Gaussians::triclinic();
        let (rho, fine) = (g.density([24, 20, 28]), g.structure.volume() / (24.0 * 20.0 * 28.0));
        let spin: Vec<f64> = rho.iter().map(|x| x.sin()).collect();
        for vacuum in [0.0, 1e-3, 0.05, 10.0, f64::INFINITY] {
            let found = basins(&g.structure, [24, 20, 28], &rho, &[&rho, &spin], vacuum).unwrap();
            let all = || found.basins.iter().map(|b| &b.amounts).chain([&found.vacuum]);
            assert!((all().map(|a| a.volume).sum::<f64>() - g.structure.volume()).abs() < 1e-9);
            for (k, field) in [&rho, &spin].into_iter().enumerate() {
                let expected = field.iter().sum::<f64>() * fine;
                assert!((all().map(|a| a.integrals[k]).sum::<f64>() - expected).abs() < 1e-10);
            }
            let below = rho.iter().filter(|x| **x < vacuum).count() as f64 * fine;
            assert!((found.vacuum.volume - below).abs() < 1e-9);
        }
    }

    #[test]
    fn equal_atoms_have_equal_charges_though_the_grid_breaks_the_symmetry() {
        // A mirror at 1/2 maps the two onto each other; 25 points do not have it.
        let g = Gaussians::new(cube(6.0, vec![[0.25, 0.5, 0.5], [0.75, 0.5, 0.5]]), &[4.0, 4.0], &[0.5, 0.5]);
        for n in [24, 25] {
            let rho = g.density([n; 3]);
            let found = basins(&g.structure, [n; 3], &rho, &[&rho], 0.0).unwrap();
            let electrons: Vec<f64> = found.basins.iter().map(|b| b.amounts.integrals[0]).collect();
            let of = |site: usize| {
                found.basins.iter().zip(&electrons).filter(|b| b.0.site == site).map(|b| b.1).sum::<f64>()
            };
            assert!((of(0) - of(1)).abs() < 1e-6 && (of(0) + of(1) - 8.0).abs() < 1e-6, "{n}: {} {}", of(0), of(1));
        }
    }

    #[test]
    fn integrals_converge_with_the_square_of_the_spacing() {
        let g = Gaussians::triclinic();
        let electrons = |n: usize| {
            let shape = [n, n, n];
            let rho = g.density(shape);
            let found = basins(&g.structure, shape, &rho, &[&rho], 0.0).unwrap();
            found.basins.iter().filter(|b| b.site == 0).map(|b| b.amounts.integrals[0]).sum::<f64>()
        };
        let finest = electrons(64);
        let errors = [16, 32].map(|n| (electrons(n) - finest).abs());
        assert!(errors[1] < 0.4 * errors[0] && errors[1] < 2e-3, "{errors:?}");
    }

    #[test]
    fn a_level_drains_to_its_exit_and_a_flat_summit_is_one_maximum() {
        let crystal = cube(3.0, vec![[0.0; 3]]);
        // Along x: a summit of three equal points, a slope with a terrace, the valley.
        let profile = [9.0, 9.0, 5.0, 4.0, 4.0, 4.0, 1.0, 1.0, 2.0, 9.0];
        let found = basins(&crystal, [10, 1, 1], &profile, &[&profile], 0.0).unwrap();
        assert_eq!(found.basins.len(), 1, "{found:?}");
        assert!((found.basins[0].amounts.integrals[0] - profile.iter().sum::<f64>() * 2.7).abs() < 1e-12);
        let flat = vec![1.0; 64];
        assert_eq!(basins(&crystal, [4; 3], &flat, &[&flat], 0.0).unwrap().basins.len(), 1);
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        let crystal = cube(3.0, vec![[0.0; 3]]);
        let rho = vec![1.0; 8];
        for (shape, fields, vacuum) in [
            ([2; 3], vec![], 0.0),
            ([2; 3], vec![&rho[..7]], 0.0),
            ([3; 3], vec![&rho[..]], 0.0),
            ([2; 3], vec![&rho[..]], f64::NAN),
        ] {
            assert!(basins(&crystal, shape, &rho, &fields, vacuum).is_err());
        }
    }
}

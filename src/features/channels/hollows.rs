//! Hollows: where the void is locally widest, the sites for an inserted ion.
//!
//! The corners of the power diagram are the maxima of the clearance where all radii are equal, and near them where they
//! differ: from each corner a climb ends on the maximum itself (see `summit`). A hollow whose atoms are not quite symmetric
//! is split into several maxima very near each other, and one that an atom bulges into is split into several some tenths of an Ångström
//! apart: these count as one place.

use super::{Channel, Tunnels, norm, summit::Clearance};
use crate::FeatureError;
use crystal::Structure;

/// Maxima nearer than this, Å, are one hollow: an ion in one reaches the other by its own vibration.
const MERGE: f64 = 0.5;
/// Maxima nearer than this, Å, are one point.
const SAME: f64 = 1e-4;
/// Clearances this near, Å, are equal: the maxima of one hollow that symmetry makes alike.
const ALIKE: f64 = 1e-3;

/// A place where the void is locally widest.
#[derive(Debug, Clone, PartialEq)]
pub struct Hollow {
    /// Fractional coordinates in [0, 1).
    pub frac: [f64; 3],
    /// Radius of the largest sphere there, Å; above 0.
    pub radius: f64,
    /// Indices of the [`tunnels`](super::tunnels) into which it drains, ascending; none for a closed cavity.
    pub channels: Vec<usize>,
}

/// The tunnels of `structure` with `radii` (Å, one per site) and every hollow of the cell, widest first. Maxima within 0.5 Å
/// of one another, by way of others too, are one hollow: at the widest of them, or in the middle of those as wide.
///
/// # Errors
/// As [`tessellate`](crate::tessellate).
pub fn hollows(structure: &Structure, radii: &[f64]) -> Result<(Vec<Channel>, Vec<Hollow>), FeatureError> {
    let Tunnels { channels, pores, of_node } = Tunnels::new(structure, radii)?;
    let clearance = Clearance::new(structure, radii);
    let lattice = structure.lattice();
    // Each maximum with its distance to the nearest corner that leads to it, whose channels it has.
    let mut maxima: Vec<(f64, Hollow)> = Vec::new();
    for ((&frac, &fits), of) in pores.frac.iter().zip(&pores.clearance).zip(of_node) {
        let start = lattice.to_cartesian(frac);
        let Some((top, radius)) = clearance.summit(start, fits) else { continue };
        let climbed = norm(super::minus(top, start));
        let top = lattice.to_fractional(top);
        let same = |(_, known): &&mut (f64, Hollow)| norm(lattice.to_cartesian(step(top, known.frac))) < SAME;
        match maxima.iter_mut().find(same) {
            Some((least, known)) if climbed < *least - SAME => (*least, known.channels) = (climbed, of),
            Some((least, known)) if climbed < *least + SAME => known.channels.extend(of),
            Some(_) => {}
            None => maxima.push((climbed, Hollow { frac: top, radius, channels: of })),
        }
    }
    let mut hollows = merge(structure, &clearance, maxima.into_iter().map(|(_, hollow)| hollow).collect());
    hollows.sort_by(|a, b| b.radius.total_cmp(&a.radius));
    Ok((channels, hollows))
}

/// From a to the image of b nearest in fractions: that of a step shorter than half the spacing of the lattice planes.
fn step(a: [f64; 3], b: [f64; 3]) -> [f64; 3] {
    std::array::from_fn(|k| {
        let x = b[k] - a[k];
        x - x.round()
    })
}

/// Into [0, 1), a value just below a whole number onto it.
fn wrap(x: f64) -> f64 {
    let wrapped = x - x.floor();
    if wrapped > 1.0 - 1e-9 { 0.0 } else { wrapped }
}

/// The maxima, those within reach of one another taken together.
fn merge(structure: &Structure, clearance: &Clearance, mut maxima: Vec<Hollow>) -> Vec<Hollow> {
    let lattice = structure.lattice();
    maxima.sort_by(|a, b| b.radius.total_cmp(&a.radius));
    let mut taken = vec![false; maxima.len()];
    let mut merged = Vec::new();
    for first in 0..maxima.len() {
        if taken[first] {
            continue;
        }
        taken[first] = true;
        // Each member's place relative to the first, the widest.
        let mut members = vec![(first, maxima[first].frac)];
        let mut next = 0;
        while let Some(&(_, from)) = members.get(next) {
            next += 1;
            for other in first + 1..maxima.len() {
                let s = step(from, maxima[other].frac);
                if !taken[other] && norm(lattice.to_cartesian(s)) < MERGE {
                    taken[other] = true;
                    members.push((other, std::array::from_fn(|k| from[k] + s[k])));
                }
            }
        }
        let widest = maxima[first].radius;
        let alike: Vec<_> = members.iter().filter(|(m, _)| maxima[*m].radius > widest - ALIKE).collect();
        let frac: [f64; 3] = std::array::from_fn(|k| alike.iter().map(|(_, x)| x[k]).sum::<f64>() / alike.len() as f64);
        let mut channels: Vec<usize> = alike.iter().flat_map(|(m, _)| &maxima[*m].channels).copied().collect();
        channels.sort_unstable();
        channels.dedup();
        let radius = clearance.at(lattice.to_cartesian(frac), widest + MERGE);
        if radius > 0.0 {
            merged.push(Hollow { frac: frac.map(wrap), radius, channels });
        }
    }
    merged
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{largest_included_sphere, site_radii};
    use crystal::Radii;
    use crystal::testing::*;
    use formats::hosts;

    #[test]
    fn the_cube_of_reo3_is_one_hollow_and_hollandite_has_one_in_each_cage() {
        let (_, found) = hollows(&wo3(), &site_radii(&wo3(), Radii::Shannon).unwrap()).unwrap();
        assert!(found[0].frac.iter().all(|x| (x - 0.5).abs() < 1e-9), "{found:?}");
        assert!((found[0].radius - (3.8 / 2.0_f64.sqrt() - 1.36)).abs() < 1e-9);
        assert_eq!(found[0].channels, [0]);

        // The 2 x 2 tunnel: the middle of eight oxygens, half a period from the squares that are its windows.
        let s = hollandite();
        let (channels, found) = hollows(&s, &site_radii(&s, Radii::Shannon).unwrap()).unwrap();
        let oxygen = s.lattice().to_cartesian([0.153, 0.2, 0.5]);
        for hollow in &found[..2] {
            assert!((hollow.radius - (norm(oxygen) - 1.36)).abs() < 1e-9, "{hollow:?}");
            assert_eq!(hollow.channels.len(), 1);
            assert_eq!(channels[hollow.channels[0]].ring.as_ref().unwrap().size(), 8);
        }
        assert!(found[2].radius < 1.0 && found[0].channels != found[1].channels, "{found:?}");
    }

    #[test]
    fn the_widest_hollow_is_the_largest_included_sphere() {
        for host in hosts::embedded() {
            let Ok(radii) = site_radii(&host.structure, Radii::Shannon) else { continue };
            let (_, found) = hollows(&host.structure, &radii).unwrap();
            let want = largest_included_sphere(&host.structure, &radii).unwrap();
            let got = found.first().map_or(0.0, |h| 2.0 * h.radius);
            // The middle of several equal maxima is a little less open than they are.
            // The middle of several maxima as wide is a little less open than they are.
            assert!(got <= want + 1e-6 && got > want - 0.05, "{}: {got}, expected {want}", host.id);
        }
    }
}

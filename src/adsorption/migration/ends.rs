//! The ends of the hops.

use std::ops::ControlFlow;

use super::way::{Way, each, nothing, relax_all, settled};
use crate::{
    AdsorptionError,
    relax::{Follower, RelaxOptions, Relaxed},
};
use crystal::{Structure, norm};
use models::potential::Potential;

/// Two sites are a lattice vector apart to this, in fractions.
const WHOLE: f64 = 1e-3;

/// The ends of a hop.
pub(super) type Ends = [Relaxed; 2];

/// The ends of every hop, or why it has none. The first is where the ion rests; what lies a lattice vector of the host from there is that
/// cell, shifted; the others are relaxed.
pub(super) fn far_ends(
    potential: &dyn Potential,
    ways: &mut [Result<Way, AdsorptionError>],
    options: &RelaxOptions,
    follower: &mut impl Follower,
) -> ControlFlow<(), Vec<Vec<Result<Ends, AdsorptionError>>>> {
    let crystals = each(ways, |way| {
        let relaxed = way.ends().into_iter().filter(|&point| way.shift(point).is_none());
        relaxed.map(|point| way.with_ion(point)).collect()
    });
    let mut all = Vec::with_capacity(ways.len());
    for (way, found) in ways.iter_mut().zip(relax_all(potential, crystals, options, follower)?) {
        let mut ends = Vec::new();
        settled(way, |way| {
            let rest = way.rest.clone().ok_or_else(nothing)?;
            let (mut found, mut of_hops) = (found.into_iter(), Vec::new());
            for point in way.ends() {
                of_hops.push(match way.shift(point) {
                    Some(cells) => {
                        let structure = shifted(&way.host, &way.cell, &rest.structure, cells)?;
                        Ok(Relaxed { structure, ..rest.clone() })
                    }
                    None => {
                        let end = found.next().unwrap_or_else(|| Err(nothing()));
                        way.steps += end.as_ref().map_or(0, |end| end.steps);
                        end
                    }
                });
            }
            let mut of_hops = of_hops.into_iter();
            while let (Some(a), Some(b)) = (of_hops.next(), of_hops.next()) {
                ends.push(a.and_then(|a| Ok([a, b?])));
            }
            Ok(())
        });
        all.push(ends);
    }
    ControlFlow::Continue(all)
}

impl Way {
    /// Where the hops begin and end, hop after hop.
    fn ends(&self) -> Vec<[f64; 3]> {
        self.net.hops.iter().flat_map(|hop| [hop.points[0], hop.points[hop.points.len() - 1]]).collect()
    }

    /// The lattice vector of the host from the first of the ends to `point`, where it is one.
    fn shift(&self, point: [f64; 3]) -> Option<[f64; 3]> {
        let first = self.net.hops.first()?.points[0];
        let step = self.host.lattice().to_fractional(std::array::from_fn(|k| point[k] - first[k]));
        step.iter().all(|x| (x - x.round()).abs() < WHOLE).then(|| step.map(f64::round))
    }
}

/// A relaxed cell with an ion, shifted by a lattice vector of the `host`: each atom goes to the place of its like, in the order of `cell`.
///
/// # Errors
/// None for a vector of the host.
fn shifted(
    host: &Structure,
    cell: &Structure,
    relaxed: &Structure,
    cells: [f64; 3],
) -> Result<Structure, AdsorptionError> {
    let step = cell.lattice().to_fractional(host.lattice().to_cartesian(cells));
    let ion = relaxed.len() - 1;
    let mut frac = vec![[0.0; 3]; relaxed.len()];
    for (from, x) in cell.frac_coords().iter().enumerate() {
        let moved: [f64; 3] = std::array::from_fn(|k| x[k] + step[k]);
        let off = |y: &[f64; 3]| {
            norm(cell.lattice().to_cartesian(std::array::from_fn(|k| (moved[k] - y[k]) - (moved[k] - y[k]).round())))
        };
        let like = (0..cell.len()).filter(|&to| cell.species()[to] == cell.species()[from]);
        let to = like.min_by(|&a, &b| off(&cell.frac_coords()[a]).total_cmp(&off(&cell.frac_coords()[b])));
        let to = to.ok_or_else(nothing)?;
        let place = cell.frac_coords()[to];
        let at = relaxed.frac_coords()[from];
        frac[to] = std::array::from_fn(|k| at[k] + step[k] - (moved[k] - place[k]).round());
    }
    frac[ion] = std::array::from_fn(|k| relaxed.frac_coords()[ion][k] + step[k]);
    Ok(Structure::with_overlaps(*relaxed.lattice(), relaxed.species().to_vec(), frac)?)
}

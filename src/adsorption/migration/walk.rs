//! The bands of all hops, and their barriers.

use std::ops::ControlFlow;

use super::{
    Journey, Migration, Walked,
    band::{Band, band},
    ends::Ends,
    first::first_paths,
    way::{Way, nothing},
    ways::Hop,
};
use crate::{
    AdsorptionError,
    dilute::ion_spacing,
    relax::{Follower, RelaxOptions},
};
use crystal::{Structure, norm};
use models::potential::Potential;

/// Moves the bands of all hops, and gathers the answers.
pub(super) fn walk(
    potential: &dyn Potential,
    journeys: &[Journey<'_>],
    ways: Vec<Result<Way, AdsorptionError>>,
    ends: Vec<Vec<Result<Ends, AdsorptionError>>>,
    options: &RelaxOptions,
    follower: &mut impl Follower,
) -> ControlFlow<(), Vec<Result<Migration, AdsorptionError>>> {
    let mut paths = Vec::new();
    let mut laid = Vec::with_capacity(ways.len());
    for ((way, ends), journey) in ways.into_iter().zip(ends).zip(journeys) {
        let mut lay = |hop: &Hop, ends: Result<Ends, AdsorptionError>| -> Laid {
            let ends = ends?;
            let found = first_paths(hop, &ends, journey.images)?;
            let count = found.len();
            paths.extend(found);
            Ok((count, ends.iter().all(|end| end.converged)))
        };
        laid.push(way.map(|way| {
            let hops: Vec<Laid> = way.net.hops.iter().zip(ends).map(|(hop, ends)| lay(hop, ends)).collect();
            (way, hops)
        }));
    }
    let mut bands = band(potential, paths, (options.fmax, options.steps), follower)?.into_iter();
    let gather = |of: Result<(Way, Vec<Laid>), AdsorptionError>| {
        let (way, hops) = of?;
        let one = |laid: Laid| -> Result<Band, AdsorptionError> {
            let (count, settled) = laid?;
            let band = lowest(bands.by_ref().take(count).collect())?;
            Ok(Band { converged: band.converged && settled, ..band })
        };
        let found: Vec<Result<Band, AdsorptionError>> = hops.into_iter().map(one).collect();
        easiest(&way, &found)
    };
    ControlFlow::Continue(laid.into_iter().map(gather).collect())
}

/// How many bands are begun for a hop, and whether its ends have converged.
type Laid = Result<(usize, bool), AdsorptionError>;

/// Of the ways the one with the lowest barrier, among those that converged where any has.
fn easiest(way: &Way, bands: &[Result<Band, AdsorptionError>]) -> Result<Migration, AdsorptionError> {
    let steps = way.steps + bands.iter().flatten().map(|band| band.steps).sum::<usize>();
    let mut best: Option<Migration> = None;
    let mut fault = nothing();
    for hops in &way.net.ways {
        let found: Result<Vec<&Band>, &AdsorptionError> = hops.iter().map(|&hop| bands[hop].as_ref()).collect();
        match found {
            Ok(found) => {
                let new = gathered(way, &found, steps)?;
                let better = |old: &Migration| (!new.converged, new.barrier) < (!old.converged, old.barrier);
                if best.as_ref().is_none_or(better) {
                    best = Some(new);
                }
            }
            Err(error) => fault = AdsorptionError::Undefined(error.to_string()),
        }
    }
    best.ok_or(fault)
}

/// Of the bands that were begun for a hop the one with the lowest top, among those that converged where any has.
fn lowest(bands: Vec<Result<Band, AdsorptionError>>) -> Result<Band, AdsorptionError> {
    let top = |band: &Band| band.energies.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let mut fault = nothing();
    let mut best: Option<Band> = None;
    for band in bands {
        match band {
            Ok(band) if best.as_ref().is_none_or(|old| (!band.converged, top(&band)) < (!old.converged, top(old))) => {
                best = Some(band);
            }
            Ok(_) => {}
            Err(error) => fault = error,
        }
    }
    best.ok_or(fault)
}

/// The answer from the bands of a way.
fn gathered(way: &Way, bands: &[&Band], steps: usize) -> Result<Migration, AdsorptionError> {
    let rest = way.rest.as_ref().ok_or_else(nothing)?;
    let energies = || bands.iter().flat_map(|band| &band.energies).copied();
    let (low, high) = energies().fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), e| (l.min(e), h.max(e)));
    let site = way.sites.first().ok_or_else(nothing)?;
    let ends = bands.iter().flat_map(|band| [band.energies[0], band.energies[band.energies.len() - 1]]);
    let walked = |band: &&Band| Walked {
        distances: distances(&band.images),
        energies: band.energies.iter().map(|e| e - rest.energy).collect(),
        images: band.images.clone(),
        fmax: band.fmax,
    };
    Ok(Migration {
        channel: way.channel,
        ring: way.channel.and(site.ring),
        barrier: high - low,
        uneven: ends.map(|energy| (energy - rest.energy).abs()).fold(0.0, f64::max),
        spacing: ion_spacing(&rest.structure, 1),
        converged: way.converged && bands.iter().all(|band| band.converged),
        steps,
        hops: bands.iter().map(walked).collect(),
    })
}

/// How far the last atom has come at each image, Å.
fn distances(images: &[Structure]) -> Vec<f64> {
    let at = |s: &Structure| s.lattice().to_cartesian(s.frac_coords()[s.len() - 1]);
    let mut come = vec![0.0];
    for pair in images.windows(2) {
        let (a, b) = (at(&pair[0]), at(&pair[1]));
        come.push(come[come.len() - 1] + norm(std::array::from_fn(|k| b[k] - a[k])));
    }
    come
}

//! The bands of all hops, and what they say.

use std::ops::ControlFlow;

use super::{
    Journey, Migration, Walked,
    band::{Band, band},
    ends::Ends,
    first::first_paths,
    way::{Way, nothing},
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
    ends: Vec<Vec<Ends>>,
    options: &RelaxOptions,
    follower: &mut impl Follower,
) -> ControlFlow<(), Vec<Result<Migration, AdsorptionError>>> {
    let mut paths = Vec::new();
    let mut laid = Vec::with_capacity(ways.len());
    for ((way, ends), journey) in ways.into_iter().zip(&ends).zip(journeys) {
        let of = way.and_then(|way| {
            let hops = way.hops.iter().zip(ends).map(|(hop, ends)| first_paths(hop, ends, journey.images));
            let hops = hops.collect::<Result<Vec<_>, _>>()?;
            let counts: Vec<usize> = hops.iter().map(Vec::len).collect();
            paths.extend(hops.into_iter().flatten());
            Ok((way, counts))
        });
        laid.push(of);
    }
    let mut bands = band(potential, paths, (options.fmax, options.steps), follower)?.into_iter();
    let gather = |of: Result<(Way, Vec<usize>), AdsorptionError>| {
        let (way, counts) = of?;
        let found: Vec<Vec<_>> = counts.iter().map(|&count| bands.by_ref().take(count).collect()).collect();
        gathered(&way, found.into_iter().map(lowest).collect::<Result<Vec<_>, _>>()?)
    };
    ControlFlow::Continue(laid.into_iter().map(gather).collect())
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

/// What the bands of a way say.
fn gathered(way: &Way, bands: Vec<Band>) -> Result<Migration, AdsorptionError> {
    let rest = way.rest.as_ref().ok_or_else(nothing)?;
    let energies = || bands.iter().flat_map(|band| &band.energies).copied();
    let (low, high) = energies().fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), e| (l.min(e), h.max(e)));
    let site = way.sites.first().ok_or_else(nothing)?;
    let ends = bands.iter().flat_map(|band| [band.energies[0], band.energies[band.energies.len() - 1]]);
    let walked = |band: &Band| Walked {
        distances: distances(&band.images),
        energies: band.energies.iter().map(|e| e - rest.energy).collect(),
        images: band.images.clone(),
        fmax: band.fmax,
    };
    Ok(Migration {
        channel: way.channel,
        ring: site.ring,
        barrier: high - low,
        uneven: ends.map(|energy| (energy - rest.energy).abs()).fold(0.0, f64::max),
        spacing: ion_spacing(&rest.structure, 1),
        converged: way.converged && bands.iter().all(|band| band.converged),
        steps: way.steps + bands.iter().map(|band| band.steps).sum::<usize>(),
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

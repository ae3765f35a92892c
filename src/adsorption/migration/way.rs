//! State of a journey, and how it finds where the ion rests.

use std::ops::ControlFlow;

use super::{
    Journey,
    ways::{Net, begin, hops, nearest},
};
use crate::{
    AdsorptionError,
    dilute::spaced,
    relax::{Follower, RelaxOptions, Relaxed, relax},
    rigid::with_ions,
    sites::InsertionSite,
};
use crystal::Structure;
use features::Ion;
use models::potential::Potential;

/// An ion that relaxes out of reach of its site, Å, rests elsewhere.
pub(super) const STRAYED: f64 = 2.0;

/// Where a journey stands.
pub(super) struct Way {
    pub ion: Ion,
    /// The relaxed host, and the cell of it that is filled.
    pub host: Structure,
    pub cell: Structure,
    /// Along which channel it goes, where it is along one.
    pub channel: Option<usize>,
    /// Where the ion may rest; once that is known, where it does.
    pub sites: Vec<InsertionSite>,
    pub rest: Option<Relaxed>,
    pub net: Net,
    pub converged: bool,
    pub steps: usize,
}

/// Relaxes `crystals`, a list for each of the ways that go on, and gives the ends to each.
pub(super) fn relax_all(
    potential: &dyn Potential,
    crystals: Vec<Vec<Structure>>,
    options: &RelaxOptions,
    follower: &mut impl Follower,
) -> ControlFlow<(), Vec<Vec<Result<Relaxed, AdsorptionError>>>> {
    let all: Vec<&Structure> = crystals.iter().flatten().collect();
    let mut ends = relax(potential, &all, options, Passing(follower))?.into_iter();
    ControlFlow::Continue(crystals.iter().map(|list| ends.by_ref().take(list.len()).collect()).collect())
}

/// A follower that is lent.
struct Passing<'a, F>(&'a mut F);

impl<F: Follower> Follower for Passing<'_, F> {
    fn known(&mut self, start: &Structure, options: &RelaxOptions) -> Option<Relaxed> {
        self.0.known(start, options)
    }

    fn keep(&mut self, start: &Structure, options: &RelaxOptions, end: &Relaxed) {
        self.0.keep(start, options, end);
    }

    fn round(&mut self, round: crate::Round) -> ControlFlow<()> {
        self.0.round(round)
    }
}

/// Relaxes the hosts and finds where the ions may rest.
pub(super) fn hosts(
    potential: &dyn Potential,
    journeys: &[Journey<'_>],
    options: &RelaxOptions,
    follower: &mut impl Follower,
) -> ControlFlow<(), Vec<Result<Way, AdsorptionError>>> {
    let primitive = |journey: &Journey<'_>| match journey.images {
        0 => Err(AdsorptionError::Undefined("a path of 0 images has no highest point; give one or more".into())),
        _ => spaced(journey.host, journey.spacing),
    };
    let cells: Vec<_> = journeys.iter().map(primitive).collect();
    let crystals = cells.iter().map(|cell| cell.iter().map(|(host, _)| host.clone()).collect()).collect();
    let ends = relax_all(potential, crystals, options, follower)?;
    let way = |((journey, cell), mut ends): ((&Journey<'_>, Result<_, _>), Vec<_>)| {
        let (_, form) = cell?;
        let end: Result<Relaxed, AdsorptionError> = ends.pop().unwrap_or_else(|| Err(nothing()));
        let end = end.map_err(|e| AdsorptionError::Undefined(format!("the empty host: {e}")))?;
        let found = begin(&end.structure, &journey.ion, journey.within)?;
        Ok(Way {
            ion: journey.ion,
            cell: end.structure.superlattice(&form)?,
            host: end.structure,
            channel: found.channel,
            sites: found.sites.into_iter().take(journey.starts.max(1)).collect(),
            rest: None,
            net: Net::default(),
            converged: end.converged,
            steps: end.steps,
        })
    };
    ControlFlow::Continue(journeys.iter().zip(cells).zip(ends).map(way).collect())
}

pub(super) fn strayed() -> AdsorptionError {
    AdsorptionError::Undefined(format!("the ion does not stay at its site: it relaxes more than {STRAYED} Å away"))
}

pub(super) fn nothing() -> AdsorptionError {
    AdsorptionError::Undefined("the relaxation did not finish".into())
}

impl Way {
    /// The cell with the ion at a Cartesian point.
    ///
    /// # Errors
    /// As [`Structure::with_overlaps`].
    pub fn with_ion(&self, at: [f64; 3]) -> Result<Structure, AdsorptionError> {
        Ok(with_ions(&self.cell, self.ion.element, &[self.cell.lattice().to_fractional(at)])?)
    }

    /// The Cartesian point of a site of the host.
    fn point(&self, site: &InsertionSite) -> [f64; 3] {
        self.host.lattice().to_cartesian(site.frac)
    }

    /// The crystals in which the ion may rest.
    fn candidates(&self) -> Result<Vec<Structure>, AdsorptionError> {
        self.sites.iter().map(|site| self.with_ion(self.point(site))).collect()
    }

    /// Takes the lowest of the relaxed candidates, converged ones first, and finds the hops from there.
    fn settle(&mut self, ends: Vec<Result<Relaxed, AdsorptionError>>) -> Result<(), AdsorptionError> {
        let mut best: Option<Relaxed> = None;
        let mut fault = nothing();
        for end in ends {
            match end {
                Ok(end) => {
                    self.steps += end.steps;
                    let better = |old: &Relaxed| (!end.converged, end.energy) < (!old.converged, old.energy);
                    if best.as_ref().is_none_or(better) {
                        best = Some(end);
                    }
                }
                Err(error) => fault = error,
            }
        }
        let end = best.ok_or(fault)?;
        self.converged &= end.converged;
        // It may have moved on to another site than it was put to.
        let at = end.structure.cart_coords();
        let rests = nearest(&self.host, &self.ion, self.channel, at[at.len() - 1])?;
        if rests.distance > STRAYED {
            return Err(strayed());
        }
        self.net = hops(&self.host, &self.ion, self.channel, &rests)?;
        self.sites = vec![rests.site];
        self.rest = Some(end);
        Ok(())
    }
}

/// Relaxes where the ions may rest and settles them.
pub(super) fn rest(
    potential: &dyn Potential,
    ways: &mut [Result<Way, AdsorptionError>],
    options: &RelaxOptions,
    follower: &mut impl Follower,
) -> ControlFlow<()> {
    let crystals = each(ways, |way| way.candidates());
    for (way, ends) in ways.iter_mut().zip(relax_all(potential, crystals, options, follower)?) {
        settled(way, |way| way.settle(ends));
    }
    ControlFlow::Continue(())
}

/// What each way that goes on needs; one that fails to say so ends.
pub(super) fn each(
    ways: &mut [Result<Way, AdsorptionError>],
    ask: impl Fn(&Way) -> Result<Vec<Structure>, AdsorptionError>,
) -> Vec<Vec<Structure>> {
    let mut asked = Vec::with_capacity(ways.len());
    for way in ways {
        let mut of = Vec::new();
        settled(way, |way| {
            of = ask(way)?;
            Ok(())
        });
        asked.push(of);
    }
    asked
}

/// Does the next thing for a way, which ends where it fails.
pub(super) fn settled(
    way: &mut Result<Way, AdsorptionError>,
    next: impl FnOnce(&mut Way) -> Result<(), AdsorptionError>,
) {
    if let Ok(going) = way
        && let Err(error) = next(going)
    {
        *way = Err(error);
    }
}

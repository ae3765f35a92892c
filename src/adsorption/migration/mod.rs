//! How fast an ion moves in a tunnel: the barrier from its site to the next, by an energy model.
//!
//! The host is relaxed with its cell. In a supercell that keeps the ion apart from its images the best sites of a channel are relaxed,
//! and the lowest that has converged is where the ion rests. Its way to the same site a period of the channel on is cut into hops (see
//! `ways`), the far end of each is relaxed, and a band of images between the two is moved to the path of least energy (see
//! [`band()`]). The cell is that of the relaxed host throughout.
//!
//! The barrier is the highest energy of all hops above the lowest: what an ion needs to get from cell to cell, for the path repeats. It
//! is that of an ion alone in an empty host where the spacing is wide, of a row of ions that move as one where it is the period of
//! the tunnel. It holds no entropy and no zero-point motion, and quantum effects of electrons that follow the ion only as far as the
//! model has learned them.

mod band;
mod ways;

use std::ops::ControlFlow;

use crate::{
    AdsorptionError,
    adsorb::NUDGE,
    dilute::{ion_spacing, spaced},
    relax::{Follower, RelaxOptions, Relaxed, relax},
    rigid::with_guests,
    sites::{InsertionSite, Within},
};
use crystal::{Structure, norm};
use features::Ion;
use models::potential::Potential;

use band::placed;
pub use band::{Band, Path, band};
use ways::{Hop, begin, hops, nearest};

/// An ion that relaxes out of reach of its site, Å, rests elsewhere.
const STRAYED: f64 = 2.0;

/// Two sites are a lattice vector apart to this, in fractions.
const WHOLE: f64 = 1e-3;

/// A way that leaves the straight one by more than this, Å, is another.
const BENT: f64 = 0.3;
/// No atoms are nearer than this on a straight way that is tried, Å.
const CLEAR: f64 = 1.5;

/// An ion that is to move through a host.
#[derive(Debug, Clone)]
pub struct Journey<'a> {
    /// The empty host.
    pub host: &'a Structure,
    /// What moves.
    pub ion: Ion,
    /// Among which sites it rests: the best that lies on a channel says which.
    pub within: Within,
    /// Least distance of the ion from its periodic images, Å.
    pub spacing: f64,
    /// Moving images of each hop.
    pub images: usize,
    /// The most sites that are relaxed to find where it rests.
    pub starts: usize,
}

/// The way of an ion along a channel.
#[derive(Debug, Clone, PartialEq)]
pub struct Migration {
    /// Index of the channel among the tunnels of the relaxed host.
    pub channel: usize,
    /// Polyhedra around it.
    pub ring: Option<usize>,
    /// The highest energy of the hops above the lowest, eV.
    pub barrier: f64,
    /// The hops that take it from cell to cell, those that symmetry makes alike once.
    pub hops: Vec<Walked>,
    /// By how much the energies of the ends differ, eV, which symmetry makes equal: where it is not small, the ion or the host has relaxed
    /// otherwise at one of them, and the path is none from a site to its like.
    pub uneven: f64,
    /// Distance of the ion from its nearest image, Å.
    pub spacing: f64,
    /// Whether all relaxations and bands converged.
    pub converged: bool,
    /// Steps of all of them.
    pub steps: usize,
}

/// A hop of the ion.
#[derive(Debug, Clone, PartialEq)]
pub struct Walked {
    /// The images, ends included; the ion is the last atom.
    pub images: Vec<Structure>,
    /// Energy of each above that of the cell where the ion rests, eV.
    pub energies: Vec<f64>,
    /// How far the ion has come at each image, Å.
    pub distances: Vec<f64>,
    /// The longest force left, eV/Å.
    pub fmax: f64,
}

/// Answers `journeys` on the surface of `potential`, each an answer of its own. `options`: forces and steps at which relaxations and bands
/// end.
///
/// # Errors
/// Per journey: no site on a channel, no image or spacing, a spacing that asks for too large a cell, an element that the model does not
/// know, an ion that does not stay at its site.
pub fn migrate(
    potential: &dyn Potential,
    journeys: &[Journey<'_>],
    options: &RelaxOptions,
    follower: &mut impl Follower,
) -> ControlFlow<(), Vec<Result<Migration, AdsorptionError>>> {
    let mut ways: Vec<Result<Way, AdsorptionError>> = hosts(potential, journeys, options, follower)?;
    let atoms = RelaxOptions { cell: false, nudge: NUDGE, ..*options };
    rest(potential, &mut ways, &atoms, follower)?;
    let ends = far_ends(potential, &mut ways, &atoms, follower)?;
    walk(potential, journeys, ways, ends, options, follower)
}

/// Where a journey stands.
struct Way {
    ion: Ion,
    /// The relaxed host, and the cell of it that is filled.
    host: Structure,
    cell: Structure,
    channel: usize,
    /// Where the ion may rest; once that is known, where it does.
    sites: Vec<InsertionSite>,
    rest: Option<Relaxed>,
    hops: Vec<Hop>,
    converged: bool,
    steps: usize,
}

/// Relaxes `crystals`, a list for each of the ways that go on, and gives the ends to each.
fn relax_all(
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
fn hosts(
    potential: &dyn Potential,
    journeys: &[Journey<'_>],
    options: &RelaxOptions,
    follower: &mut impl Follower,
) -> ControlFlow<(), Vec<Result<Way, AdsorptionError>>> {
    let primitive = |journey: &Journey<'_>| match journey.images {
        0 => Err(AdsorptionError::Undefined("a path of 0 images has no top; give one or more".into())),
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
            hops: Vec::new(),
            converged: end.converged,
            steps: end.steps,
        })
    };
    ControlFlow::Continue(journeys.iter().zip(cells).zip(ends).map(way).collect())
}

fn strayed() -> AdsorptionError {
    AdsorptionError::Undefined(format!("the ion does not stay at its site: it relaxes more than {STRAYED} Å away"))
}

fn nothing() -> AdsorptionError {
    AdsorptionError::Undefined("no end of the relaxation".into())
}

impl Way {
    /// The cell with the ion at a Cartesian point.
    fn with_ion(&self, at: [f64; 3]) -> Result<Structure, AdsorptionError> {
        Ok(with_guests(&self.cell, self.ion.element, &[self.cell.lattice().to_fractional(at)])?)
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
        self.hops = hops(&self.host, &self.ion, self.channel, &rests)?;
        self.sites = vec![rests.site];
        self.rest = Some(end);
        Ok(())
    }
}

/// Relaxes where the ions may rest and settles them.
fn rest(
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

/// What each way that goes on asks for; one that cannot ask ends.
fn each(
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
fn settled(way: &mut Result<Way, AdsorptionError>, next: impl FnOnce(&mut Way) -> Result<(), AdsorptionError>) {
    if let Ok(going) = way
        && let Err(error) = next(going)
    {
        *way = Err(error);
    }
}

/// The ends of a hop.
type Ends = [Relaxed; 2];

/// The ends of every hop. The first is where the ion rests; what lies a lattice vector of the host from there is that cell, shifted; the
/// others are relaxed.
fn far_ends(
    potential: &dyn Potential,
    ways: &mut [Result<Way, AdsorptionError>],
    options: &RelaxOptions,
    follower: &mut impl Follower,
) -> ControlFlow<(), Vec<Vec<Ends>>> {
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
                        Relaxed { structure: shifted(&way.host, &way.cell, &rest.structure, cells)?, ..rest.clone() }
                    }
                    None => {
                        let end = found.next().unwrap_or_else(|| Err(nothing()))?;
                        way.converged &= end.converged;
                        way.steps += end.steps;
                        end
                    }
                });
            }
            ends = of_hops.chunks_exact(2).map(|pair| [pair[0].clone(), pair[1].clone()]).collect();
            Ok(())
        });
        all.push(ends);
    }
    ControlFlow::Continue(all)
}

impl Way {
    /// Where the hops begin and end, hop after hop.
    fn ends(&self) -> Vec<[f64; 3]> {
        self.hops.iter().flat_map(|hop| [hop.points[0], hop.points[hop.points.len() - 1]]).collect()
    }

    /// The lattice vector of the host from the first of the ends to `point`, where it is one.
    fn shift(&self, point: [f64; 3]) -> Option<[f64; 3]> {
        let first = self.hops.first()?.points[0];
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

/// Moves the bands of all hops, and gathers the answers.
fn walk(
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

/// The paths that a hop begins from: by the hollows, and straight on where that is another way and no atom stands in it. The middle of a
/// tunnel is where there is most room, which small ions do not look for: they go along the walls.
fn first_paths(hop: &Hop, ends: &Ends, images: usize) -> Result<Vec<Path>, AdsorptionError> {
    let by_hollows = first_path(hop, ends, images)?;
    let straight = Hop { points: vec![hop.points[0], hop.points[hop.points.len() - 1]] };
    let straight = first_path(&straight, ends, images)?;
    let ion = |image: &Structure| image.lattice().to_cartesian(image.frac_coords()[image.len() - 1]);
    let apart = |(a, b): (&Structure, &Structure)| {
        let (a, b) = (ion(a), ion(b));
        norm(std::array::from_fn(|k| b[k] - a[k]))
    };
    let bends = by_hollows.images.iter().zip(&straight.images).map(apart).fold(0.0, f64::max);
    let clear = straight.images.iter().all(|image| image.distance_min() > CLEAR);
    let also = (bends > BENT && clear).then_some(straight);
    Ok(std::iter::once(by_hollows).chain(also).collect())
}

/// The path before it is moved: the atoms of the host go straight from where they are at one end to where they are at the other, the ion by
/// the points of the hop.
fn first_path(hop: &Hop, [a, b]: &Ends, images: usize) -> Result<Path, AdsorptionError> {
    let lattice = a.structure.lattice();
    let near = |x: [f64; 3], to: [f64; 3]| -> [f64; 3] { std::array::from_fn(|k| x[k] + (to[k] - x[k]).round()) };
    let ion = a.structure.len() - 1;
    let mut points = hop.points.clone();
    let last = points.len() - 1;
    for (place, end) in [(0, a), (last, b)] {
        // The ion in the cell that the hop says, where it has relaxed to.
        let stated = lattice.to_fractional(points[place]);
        let relaxed = lattice.to_cartesian(near(end.structure.frac_coords()[ion], stated));
        if norm(std::array::from_fn(|k| relaxed[k] - points[place][k])) > STRAYED {
            return Err(strayed());
        }
        points[place] = relaxed;
    }
    let from = a.structure.cart_coords();
    let to: Vec<[f64; 3]> = a
        .structure
        .frac_coords()
        .iter()
        .zip(b.structure.frac_coords())
        .map(|(&x, &y)| lattice.to_cartesian(near(y, x)))
        .collect();
    let image = |i: usize| {
        let t = i as f64 / (images + 1) as f64;
        let mut at: Vec<[f64; 3]> =
            from.iter().zip(&to).map(|(a, b)| std::array::from_fn(|k| a[k] + t * (b[k] - a[k]))).collect();
        at[ion] = along(&points, t);
        placed(&a.structure, at.as_flattened())
    };
    Ok(Path { images: (0..=images + 1).map(image).collect::<Result<_, _>>()?, ends: [a.energy, b.energy] })
}

/// The point at a part t of the length of a line through `points`.
fn along(points: &[[f64; 3]], t: f64) -> [f64; 3] {
    let lengths: Vec<f64> =
        points.windows(2).map(|pair| norm(std::array::from_fn(|k| pair[1][k] - pair[0][k]))).collect();
    let mut left = t * lengths.iter().sum::<f64>();
    for (pair, &length) in points.windows(2).zip(&lengths) {
        if left <= length {
            let part = if length > 0.0 { left / length } else { 0.0 };
            return std::array::from_fn(|k| pair[0][k] + part * (pair[1][k] - pair[0][k]));
        }
        left -= length;
    }
    points[points.len() - 1]
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

#[cfg(test)]
mod tests;

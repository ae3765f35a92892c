//! The way of an ion along a channel: from a site to the same site a period of the channel on, by the hollows between.
//!
//! The hollows of the channel and the nodes of its widest path are the places; from place to place leads the straight line, at a cost of
//! exp(-d / [`WIDTH`]) per Å of it, d being the clearance to the nearest atom. The cheapest way therefore keeps to the middle of the void and
//! passes its widest windows. It is cut where it comes to a site that symmetry makes one with the first: each piece is a
//! hop, and pieces that symmetry makes alike are walked once.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};

use crate::{
    AdsorptionError,
    sites::{InsertionSite, Sites, Within},
};
use crystal::{DEFAULT_SYMPREC, Radii, Structure, Symmetry, add, norm};
use features::{Channel, Ion, site_radii, tunnels};

/// What makes a way narrow, Å of clearance.
const WIDTH: f64 = 0.25;
/// Places farther apart than this, Å, are not joined by a line.
const FARTHEST: f64 = 5.0;
/// Points on a line this far apart, Å, are looked at.
const LOOK: f64 = 0.25;
/// Places nearer than this, Å, are one.
const ONE: f64 = 0.3;
/// Hops whose lengths and middles differ by less than this, Å, are alike.
const ALIKE: f64 = 0.1;

/// A hop of the ion.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Hop {
    /// Cartesian points from site to site, Å.
    pub points: Vec<[f64; 3]>,
}

/// Where an ion can begin, and on which channel.
pub(super) struct Begin {
    /// The channel, by index.
    pub channel: usize,
    /// Sites of that channel, one of each kind, best first.
    pub sites: Vec<InsertionSite>,
}

/// The best site `within` the host that lies on a channel, and the others of that channel.
///
/// # Errors
/// No site on a channel.
pub(super) fn begin(host: &Structure, ion: &Ion, within: Within) -> Result<Begin, AdsorptionError> {
    let found = Sites::new(host, ion, within)?;
    let channel = found.sites.iter().find_map(|site| site.channel).ok_or_else(|| {
        AdsorptionError::Undefined(format!(
            "no channel with a site for {}: nothing leads from cell to cell where half its radius of {} Å fits",
            ion.element.symbol(),
            ion.radius
        ))
    })?;
    let along = Sites::new(host, ion, Within::Channel(channel))?;
    let distinct = along.sites.iter().enumerate().filter(|(i, _)| along.orbit[*i] == *i);
    Ok(Begin { channel, sites: distinct.map(|(_, site)| site.clone()).collect() })
}

/// A site of the channel, and how an ion stands to it.
#[derive(Debug)]
pub(super) struct Rests {
    pub site: InsertionSite,
    /// The cell of the host in which the site is meant.
    pub cell: [f64; 3],
    /// From the ion to the site, Å.
    pub distance: f64,
}

/// The site of channel number `channel` that is nearest to an ion at a Cartesian point.
///
/// # Errors
/// A channel without a site.
pub(super) fn nearest(host: &Structure, ion: &Ion, channel: usize, at: [f64; 3]) -> Result<Rests, AdsorptionError> {
    let at = host.lattice().to_fractional(at);
    let from = |site: InsertionSite| {
        let cell = std::array::from_fn(|k| (at[k] - site.frac[k]).round());
        let step = std::array::from_fn(|k| at[k] - site.frac[k] - cell[k]);
        Rests { distance: norm(host.lattice().to_cartesian(step)), site, cell }
    };
    let found = Sites::new(host, ion, Within::Channel(channel))?.sites.into_iter().map(from);
    found
        .min_by(|a, b| a.distance.total_cmp(&b.distance))
        .ok_or_else(|| AdsorptionError::Undefined("no site on the channel".into()))
}

/// The hops that take `ion` from where it `rests` to the image of that site a period of channel number `channel` on, those alike once.
///
/// # Errors
/// A way that leads nowhere.
pub(super) fn hops(
    host: &Structure,
    ion: &Ion,
    channel: usize,
    Rests { site, cell, .. }: &Rests,
) -> Result<Vec<Hop>, AdsorptionError> {
    let radii = site_radii(host, Radii::Shannon)?;
    let channels = tunnels(host, &radii)?;
    let lost = || AdsorptionError::Undefined("no way from the site to its next image along the channel".into());
    let channel_found = channels.get(channel).ok_or_else(lost)?;
    let vector = channel_found.paths.first().ok_or_else(lost)?.vector;
    let all = Sites::new(host, ion, Within::Channel(channel))?;
    let places = places(host, &all, channel_found);
    let first = places.iter().position(|place| apart(host, place.frac, site.frac) < 1e-6).ok_or_else(lost)?;
    let way = Ways { host, radii: &radii, places: &places }.cheapest(first, vector).ok_or_else(lost)?;
    let mut pieces: Vec<Hop> = Vec::new();
    let mut points = Vec::new();
    for (k, &(place, image)) in way.iter().enumerate() {
        let frac = std::array::from_fn(|axis| places[place].frac[axis] + cell[axis] + f64::from(image[axis]));
        points.push(host.lattice().to_cartesian(frac));
        if k > 0 && places[place].orbit == places[first].orbit {
            let next = *points.last().unwrap_or(&[0.0; 3]);
            pieces.push(Hop { points: std::mem::replace(&mut points, vec![next]) });
        }
    }
    distinct(host, pieces)
}

/// A place on the way.
struct Place {
    frac: [f64; 3],
    /// What symmetry makes one; none of a node of the network alone.
    orbit: Option<usize>,
}

/// The hollows, and the nodes of the paths that are none.
fn places(host: &Structure, all: &Sites, channel: &Channel) -> Vec<Place> {
    let site = |(site, orbit): (&InsertionSite, &usize)| Place { frac: site.frac, orbit: Some(*orbit) };
    let mut places: Vec<Place> = all.sites.iter().zip(&all.orbit).map(site).collect();
    for (node, _) in channel.paths.iter().flat_map(|path| &path.nodes) {
        if places.iter().all(|place| apart(host, place.frac, *node) > ONE) {
            places.push(Place { frac: node.map(|x| x - x.floor()), orbit: None });
        }
    }
    places
}

/// Distance of a point from the nearest image of another, Å, where that is short.
fn apart(host: &Structure, a: [f64; 3], b: [f64; 3]) -> f64 {
    norm(host.lattice().to_cartesian(std::array::from_fn(|k| (a[k] - b[k]) - (a[k] - b[k]).round())))
}

/// A place and the cell it lies in.
type Stop = (usize, [i32; 3]);

struct Ways<'a> {
    host: &'a Structure,
    radii: &'a [f64],
    places: &'a [Place],
}

impl Ways<'_> {
    /// The cheapest way from a place to its image in another cell (Dijkstra).
    fn cheapest(&self, first: usize, vector: [i32; 3]) -> Option<Vec<Stop>> {
        let lines = self.lines();
        let goal: Stop = (first, vector);
        // No way needs to stray farther than a cell beyond the straight one.
        let near = |cell: [i32; 3]| (0..3).all(|k| cell[k] >= vector[k].min(0) - 1 && cell[k] <= vector[k].max(0) + 1);
        let mut best: BTreeMap<Stop, (f64, Option<Stop>)> = BTreeMap::from([((first, [0; 3]), (0.0, None))]);
        let mut open = BinaryHeap::from([Reverse((Cost(0.0), (first, [0; 3])))]);
        while let Some(Reverse((Cost(cost), stop))) = open.pop() {
            if stop == goal {
                break;
            }
            if best.get(&stop).is_some_and(|known| known.0 < cost) {
                continue;
            }
            for &(to, image, price) in &lines[stop.0] {
                let next = (to, add(stop.1, image));
                let total = cost + price;
                if near(next.1) && best.get(&next).is_none_or(|known| total < known.0 - 1e-9) {
                    best.insert(next, (total, Some(stop)));
                    open.push(Reverse((Cost(total), next)));
                }
            }
        }
        let mut way = vec![goal];
        while let Some(before) = best.get(way.last()?)?.1 {
            way.push(before);
        }
        way.reverse();
        Some(way)
    }

    /// From each place the places within reach, the cell they lie in, and the price of the line.
    fn lines(&self) -> Vec<Vec<(usize, [i32; 3], f64)>> {
        let spacings = self.host.lattice().plane_spacings();
        let reach = spacings.map(|h| (FARTHEST / h).ceil() as i32 + 1);
        let atoms = self.atoms();
        let from = |a: &Place| {
            let mut lines = Vec::new();
            for (to, b) in self.places.iter().enumerate() {
                for i in -reach[0]..=reach[0] {
                    for j in -reach[1]..=reach[1] {
                        for k in -reach[2]..=reach[2] {
                            let image = [i, j, k];
                            let step = std::array::from_fn(|m| b.frac[m] + f64::from(image[m]) - a.frac[m]);
                            let length = norm(self.host.lattice().to_cartesian(step));
                            if length > 1e-6 && length < FARTHEST {
                                lines.push((to, image, self.price(a.frac, step, length, &atoms)));
                            }
                        }
                    }
                }
            }
            lines
        };
        self.places.iter().map(from).collect()
    }

    /// The images of atoms that any line may come near, Cartesian, each with its radius.
    fn atoms(&self) -> Vec<([f64; 3], f64)> {
        let lattice = self.host.lattice();
        let reach = lattice.plane_spacings().map(|h| ((FARTHEST + 3.0) / h).ceil() as i32);
        let mut atoms = Vec::new();
        for (x, &radius) in self.host.frac_coords().iter().zip(self.radii) {
            let x = x.map(|x| x - x.floor());
            for i in -reach[0]..=reach[0] {
                for j in -reach[1]..=reach[1] {
                    for k in -reach[2]..=reach[2] {
                        let shifted = [x[0] + f64::from(i), x[1] + f64::from(j), x[2] + f64::from(k)];
                        atoms.push((lattice.to_cartesian(shifted), radius));
                    }
                }
            }
        }
        atoms
    }

    /// The price of a line from a point of the home cell.
    fn price(&self, from: [f64; 3], step: [f64; 3], length: f64, atoms: &[([f64; 3], f64)]) -> f64 {
        let n = (length / LOOK).ceil() as usize;
        let at = |t: f64| self.host.lattice().to_cartesian(std::array::from_fn(|k| from[k] + t * step[k]));
        let narrow = |i: usize| {
            let p = at((i as f64 + 0.5) / n as f64);
            let gap = |(x, r): &([f64; 3], f64)| norm(std::array::from_fn(|k| p[k] - x[k])) - r;
            let clearance = atoms.iter().map(gap).fold(f64::INFINITY, f64::min);
            (-clearance / WIDTH).exp()
        };
        (0..n).map(narrow).sum::<f64>() * length / n as f64
    }
}

/// A price that is a number.
#[derive(PartialEq)]
struct Cost(f64);

impl Eq for Cost {}

impl PartialOrd for Cost {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Cost {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.total_cmp(&other.0)
    }
}

/// The hops of which no symmetry makes one of another.
fn distinct(host: &Structure, pieces: Vec<Hop>) -> Result<Vec<Hop>, AdsorptionError> {
    let symmetry = Symmetry::of(host, DEFAULT_SYMPREC)?;
    let ends = |hop: &Hop| (hop.points[0], hop.points[hop.points.len() - 1]);
    let length = |hop: &Hop| {
        let (a, b) = ends(hop);
        norm(std::array::from_fn(|k| b[k] - a[k]))
    };
    let middle = |hop: &Hop| {
        let (a, b) = ends(hop);
        host.lattice().to_fractional(std::array::from_fn(|k| (a[k] + b[k]) / 2.0))
    };
    let mut kept: Vec<Hop> = Vec::new();
    for hop in pieces {
        let images: Vec<[f64; 3]> = symmetry.images(middle(&hop)).collect();
        let same = |other: &Hop| {
            (length(&hop) - length(other)).abs() < ALIKE
                && images.iter().any(|&image| apart(host, image, middle(other)) < ALIKE)
        };
        if !kept.iter().any(same) {
            kept.push(hop);
        }
    }
    Ok(kept)
}

#[cfg(test)]
mod tests {
    use super::*;
    use formats::hosts::host;

    fn walked(structure: &Structure, ion: &str) -> Vec<Hop> {
        let ion = Ion::parse(ion).unwrap();
        let Begin { channel, sites } = begin(structure, &ion, Within::Channels).unwrap();
        let at = structure.lattice().to_cartesian(sites[0].frac.map(|x| x + 1.0));
        let rests = nearest(structure, &ion, channel, at).unwrap();
        assert!(rests.distance < 1e-6 && rests.cell == [1.0; 3], "{rests:?}");
        let hops = hops(structure, &ion, channel, &rests).unwrap();
        assert!(norm(std::array::from_fn(|k| hops[0].points[0][k] - at[k])) < 1e-6, "it begins where the ion is");
        hops
    }

    fn lengths(hops: &[Hop]) -> Vec<f64> {
        let ends = |hop: &Hop| norm(std::array::from_fn(|k| hop.points[hop.points.len() - 1][k] - hop.points[0][k]));
        hops.iter().map(ends).collect()
    }

    #[test]
    fn potassium_hops_along_the_tunnel_of_hollandite_from_cage_to_cage() {
        let host = host("hollandite-mno2").unwrap().primitive(DEFAULT_SYMPREC);
        let hops = walked(&host, "K");
        assert_eq!(hops.len(), 1, "{hops:?}");
        assert!((lengths(&hops)[0] - 2.847).abs() < 1e-3, "{hops:?}");
    }

    #[test]
    fn lithium_hops_from_tetrahedron_to_tetrahedron_in_spinel() {
        // By the octahedra between them: 8a to 8a, a √3 / 4.
        let host = host("lambda-mno2").unwrap().primitive(DEFAULT_SYMPREC);
        let hops = walked(&host, "Li");
        let edge = (4.0 * host.volume()).cbrt();
        assert_eq!(hops.len(), 1, "{hops:?}");
        assert!((lengths(&hops)[0] - edge * 3.0_f64.sqrt() / 4.0).abs() < 0.05, "{:?} {edge}", lengths(&hops));
        assert!(hops[0].points.len() > 2, "by way of 16c: {hops:?}");
    }

    #[test]
    fn a_dense_crystal_has_no_way() {
        let halite = host("manganosite").unwrap();
        let message = begin(&halite, &Ion::parse("K").unwrap(), Within::Channels).err().map(|e| e.to_string());
        assert!(message.is_some_and(|m| m.contains("no channel with a site for K")));
    }
}

//! The ways of an ion through a host: from a site to the same site a period on, by the hollows between.
//!
//! Along a channel the period is that of the channel. Where none is requested, it is each of the three shortest independent lattice vectors
//! that lead over hops of up to [`LONGEST`] from a site to the next of its like: layers that touch by their radii have no channel between
//! them, but an ion still goes there, for they part.
//!
//! The hollows of the channel and the nodes of its widest path are the places; from place to place leads the straight line, at a cost of
//! exp(-d / [`WIDTH`]) per Å of it, d being the clearance to the nearest atom. The cheapest way therefore keeps to the middle of
//! the void and passes its widest windows. It is cut where it comes to a site that symmetry makes one with the first: each piece is
//! a hop, and pieces that symmetry makes alike are walked once.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap};

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
/// Without a channel a site farther than this from the next of its like, Å, is no neighbour of it.
const LONGEST: f64 = 7.0;

/// A hop of the ion.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Hop {
    /// Cartesian points from site to site, Å.
    pub points: Vec<[f64; 3]>,
}

impl Hop {
    fn ends(&self) -> [[f64; 3]; 2] {
        [self.points[0], self.points[self.points.len() - 1]]
    }

    /// From end to end, Å.
    fn length(&self) -> f64 {
        let [a, b] = self.ends();
        norm(std::array::from_fn(|k| b[k] - a[k]))
    }
}

/// The ways that an ion can take from cell to cell.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Net {
    /// The hops of all of them, those that symmetry makes alike once.
    pub hops: Vec<Hop>,
    /// The hops that each way is made of, by index.
    pub ways: Vec<Vec<usize>>,
}

/// Where an ion can begin, and on which channel.
pub(super) struct Begin {
    /// The channel, by index; `None` where the ways are not those of a channel.
    pub channel: Option<usize>,
    /// Sites of that channel, or of all requested ones, one of each kind, best first.
    pub sites: Vec<InsertionSite>,
}

/// Where an ion begins `within` the host: at the sites of the channel on which the best of them lies, or at any where the ways need
/// follow no channel.
///
/// # Errors
/// No site, or none on a channel.
pub(super) fn begin(host: &Structure, ion: &Ion, within: Within) -> Result<Begin, AdsorptionError> {
    let found = Sites::new(host, ion, within)?;
    let (symbol, radius) = (ion.element.symbol(), ion.radius);
    let (channel, found) = match within {
        Within::Everywhere | Within::Cavities if found.sites.is_empty() => {
            let message = format!("no site for {symbol}: half its radius of {radius} Å fits nowhere");
            return Err(AdsorptionError::Undefined(message));
        }
        Within::Everywhere | Within::Cavities => (None, found),
        _ => {
            let channel = found.sites.iter().find_map(|site| site.channel).ok_or_else(|| {
                AdsorptionError::Undefined(format!(
                    "no channel with a site for {symbol}: nothing leads from cell to cell where half its radius of {radius} Å \
                     fits; 'everywhere' asks for hops between neighbouring sites"
                ))
            })?;
            (Some(channel), Sites::new(host, ion, Within::Channel(channel))?)
        }
    };
    let distinct = found.sites.iter().enumerate().filter(|(i, _)| found.orbit[*i] == *i);
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

/// The site of channel number `channel`, or of all, that is nearest to an ion at a Cartesian point.
///
/// # Errors
/// A channel without a site.
pub(super) fn nearest(
    host: &Structure,
    ion: &Ion,
    channel: Option<usize>,
    at: [f64; 3],
) -> Result<Rests, AdsorptionError> {
    let at = host.lattice().to_fractional(at);
    let from = |site: InsertionSite| {
        let cell = std::array::from_fn(|k| (at[k] - site.frac[k]).round());
        let step = std::array::from_fn(|k| at[k] - site.frac[k] - cell[k]);
        Rests { distance: norm(host.lattice().to_cartesian(step)), site, cell }
    };
    let found = Sites::new(host, ion, sites_of(channel))?.sites.into_iter().map(from);
    found
        .min_by(|a, b| a.distance.total_cmp(&b.distance))
        .ok_or_else(|| AdsorptionError::Undefined("no site on the channel".into()))
}

/// The sites on the ways: those of a channel, or all.
fn sites_of(channel: Option<usize>) -> Within {
    channel.map_or(Within::Everywhere, Within::Channel)
}

/// The ways that take `ion` from where it `rests` to an image of that site: a period of channel number `channel` on, or of the lattice
/// where none is named.
///
/// # Errors
/// No way.
pub(super) fn hops(
    host: &Structure,
    ion: &Ion,
    channel: Option<usize>,
    Rests { site, cell, .. }: &Rests,
) -> Result<Net, AdsorptionError> {
    let radii = site_radii(host, Radii::Shannon)?;
    let mut channels = tunnels(host, &radii)?;
    let lost = || {
        AdsorptionError::Undefined(match channel {
            Some(_) => "no way from the site to its next image along the channel".into(),
            None => format!("no way from the site to its images over hops of at most {LONGEST} Å"),
        })
    };
    let periods = match channel {
        Some(index) if index < channels.len() => {
            channels = vec![channels.swap_remove(index)];
            vec![channels[0].paths.first().ok_or_else(lost)?.vector]
        }
        Some(_) => return Err(lost()),
        None => shortest_periods(host),
    };
    let all = Sites::new(host, ion, sites_of(channel))?;
    let places = places(host, &all, &channels);
    let first = places.iter().position(|place| apart(host, place.frac, site.frac) < 1e-6).ok_or_else(lost)?;
    let lines = Ways { host, radii: &radii, places: &places }.lines();
    let stops = periods.into_iter().filter_map(|vector| cheapest(&lines, first, vector));
    let mut ways: Vec<Vec<Hop>> = stops.map(|way| cut(host, &places, *cell, &way)).collect();
    if channel.is_none() {
        ways.retain(|pieces| pieces.iter().all(|hop| hop.length() <= LONGEST));
    }
    if ways.is_empty() { Err(lost()) } else { distinct(host, ways) }
}

/// The three shortest lattice vectors of a reduced cell that are independent of one another.
fn shortest_periods(host: &Structure) -> Vec<[i32; 3]> {
    let length = |v: &[i32; 3]| norm(host.lattice().to_cartesian(v.map(f64::from)));
    // One of a vector and its opposite, so that two are never parallel.
    let all = (0..27).map(|i| [i / 9 - 1, i / 3 % 3 - 1, i % 3 - 1]);
    let mut all: Vec<[i32; 3]> = all.filter(|&v| v > [0; 3]).collect();
    all.sort_by(|a, b| length(a).total_cmp(&length(b)));
    let mut found: Vec<[i32; 3]> = Vec::new();
    for v in all {
        let independent = match found[..] {
            [a, b] => spanned(a, b, v) != 0,
            _ => found.len() < 2,
        };
        if independent {
            found.push(v);
        }
    }
    found
}

/// The determinant of three vectors.
fn spanned(a: [i32; 3], b: [i32; 3], c: [i32; 3]) -> i32 {
    (0..3).map(|k| a[k] * (b[(k + 1) % 3] * c[(k + 2) % 3] - b[(k + 2) % 3] * c[(k + 1) % 3])).sum()
}

/// A way in pieces, each of which ends where symmetry makes a place one with the first; `cell` is that of the first.
fn cut(host: &Structure, places: &[Place], cell: [f64; 3], way: &[Stop]) -> Vec<Hop> {
    let mut pieces: Vec<Hop> = Vec::new();
    let mut points = Vec::new();
    for &(place, image) in way {
        let frac = std::array::from_fn(|axis| places[place].frac[axis] + cell[axis] + f64::from(image[axis]));
        let at = host.lattice().to_cartesian(frac);
        points.push(at);
        if points.len() > 1 && places[place].orbit == places[way[0].0].orbit {
            pieces.push(Hop { points: std::mem::replace(&mut points, vec![at]) });
        }
    }
    pieces
}

/// A place on the way.
struct Place {
    frac: [f64; 3],
    /// What symmetry makes one; none of a node of the network alone.
    orbit: Option<usize>,
}

/// The hollows, and the nodes of the paths that are none.
fn places(host: &Structure, all: &Sites, channels: &[Channel]) -> Vec<Place> {
    let site = |(site, orbit): (&InsertionSite, &usize)| Place { frac: site.frac, orbit: Some(*orbit) };
    let mut places: Vec<Place> = all.sites.iter().zip(&all.orbit).map(site).collect();
    for (node, _) in channels.iter().flat_map(|channel| &channel.paths).flat_map(|path| &path.nodes) {
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

/// A line to a place in another cell, and its price.
type Line = (usize, [i32; 3], f64);

/// The cheapest way from a place to its image in another cell (Dijkstra).
fn cheapest(lines: &[Vec<Line>], first: usize, vector: [i32; 3]) -> Option<Vec<Stop>> {
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

struct Ways<'a> {
    host: &'a Structure,
    radii: &'a [f64],
    places: &'a [Place],
}

impl Ways<'_> {
    /// From each place the places within reach, the cell they lie in, and the price of the line.
    fn lines(&self) -> Vec<Vec<Line>> {
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

/// The hops of which no symmetry makes one of another, and the ways that differ in them.
fn distinct(host: &Structure, ways: Vec<Vec<Hop>>) -> Result<Net, AdsorptionError> {
    let symmetry = Symmetry::of(host, DEFAULT_SYMPREC)?;
    let middle = |hop: &Hop| {
        let [a, b] = hop.ends();
        host.lattice().to_fractional(std::array::from_fn(|k| (a[k] + b[k]) / 2.0))
    };
    let mut net = Net::default();
    for pieces in ways {
        let mut way = BTreeSet::new();
        for hop in pieces {
            let images: Vec<[f64; 3]> = symmetry.images(middle(&hop)).collect();
            let same = |other: &Hop| {
                (hop.length() - other.length()).abs() < ALIKE
                    && images.iter().any(|&image| apart(host, image, middle(other)) < ALIKE)
            };
            let known = net.hops.iter().position(same);
            way.insert(known.unwrap_or(net.hops.len()));
            if known.is_none() {
                net.hops.push(hop);
            }
        }
        let way: Vec<usize> = way.into_iter().collect();
        if !net.ways.contains(&way) {
            net.ways.push(way);
        }
    }
    Ok(net)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crystal::{Element, Lattice, testing::v2o5};
    use formats::hosts::host;

    fn net(structure: &Structure, ion: &str, within: Within) -> Net {
        let ion = Ion::parse(ion).unwrap();
        let Begin { channel, sites } = begin(structure, &ion, within).unwrap();
        assert_eq!(channel.is_none(), within == Within::Everywhere);
        let at = structure.lattice().to_cartesian(sites[0].frac.map(|x| x + 1.0));
        let rests = nearest(structure, &ion, channel, at).unwrap();
        assert!(rests.distance < 1e-6 && rests.cell == [1.0; 3], "{rests:?}");
        let net = hops(structure, &ion, channel, &rests).unwrap();
        assert!(norm(std::array::from_fn(|k| net.hops[0].points[0][k] - at[k])) < 1e-6, "it begins where the ion is");
        net
    }

    fn walked(structure: &Structure, ion: &str) -> Vec<Hop> {
        let net = net(structure, ion, Within::Channels);
        assert_eq!(net.ways, [(0..net.hops.len()).collect::<Vec<_>>()], "a channel is one way");
        net.hops
    }

    fn lengths(hops: &[Hop]) -> Vec<f64> {
        hops.iter().map(Hop::length).collect()
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

    /// Layers normal to c, parameter 4.368 Å, which touch by their radii: the only channel leads through them.
    #[test]
    fn lithium_goes_between_the_layers_of_vanadium_pentoxide_where_no_channel_is_asked_for() {
        let host = v2o5();
        let steps = |net: &Net| -> Vec<[f64; 3]> {
            let step = |hop: &Hop| {
                let [a, b] = hop.ends();
                std::array::from_fn(|k| (b[k] - a[k]).abs())
            };
            net.hops.iter().map(step).collect()
        };
        let along = |step: &[f64; 3], to: [f64; 3]| (0..3).all(|k| (step[k] - to[k]).abs() < 0.01);
        let (between, through) = ([0.0, 3.564, 0.0], [0.0, 0.0, 4.368]);
        let channel = steps(&net(&host, "Li", Within::Channels));
        assert!(channel.len() == 1 && along(&channel[0], through), "{channel:?}");
        let free = net(&host, "Li", Within::Everywhere);
        let found = steps(&free);
        assert!(found.iter().any(|step| along(step, through)), "{found:?}");
        let hop = found.iter().position(|step| along(step, between)).unwrap_or_else(|| panic!("{found:?}"));
        assert!(free.ways.contains(&vec![hop]), "it is a way by itself: {:?}", free.ways);
        // Half-way between the planes of vanadium at 0.108 and 0.892 of c, where the site is.
        let heights = free.hops[hop].points.iter().map(|&x| host.lattice().to_fractional(x)[2].rem_euclid(1.0));
        assert!(heights.clone().all(|z| (0.3..0.7).contains(&z)), "{:?}", heights.collect::<Vec<_>>());
        assert!(lengths(&free.hops).iter().all(|&length| length <= LONGEST), "{free:?}");
    }

    #[test]
    fn the_shortest_periods_span_the_lattice() {
        // In a layered cell the third of the three short vectors in the plane is the sum of the others.
        let lattice = Lattice::from_parameters(2.8, 2.8, 14.0, 90.0, 90.0, 120.0).unwrap();
        let layers = Structure::new(lattice, vec![Element::O], vec![[0.0; 3]]).unwrap();
        let found = shortest_periods(&layers);
        assert!(found.len() == 3 && spanned(found[0], found[1], found[2]).abs() == 1, "{found:?}");
        assert!(found[..2].iter().all(|v| v[2] == 0) && found[2] == [0, 0, 1], "{found:?}");
    }

    #[test]
    fn a_dense_crystal_has_no_way() {
        let halite = host("manganosite").unwrap();
        let message = begin(&halite, &Ion::parse("K").unwrap(), Within::Channels).err().map(|e| e.to_string());
        assert!(message.is_some_and(|m| m.contains("no channel with a site for K")));
        let nowhere = begin(&halite, &Ion::parse("Cs").unwrap(), Within::Everywhere).err().map(|e| e.to_string());
        assert!(nowhere.is_some_and(|m| m.contains("no site for Cs")));
    }
}

//! The ring of polyhedra around a channel: a channel is named by its size (a hexagonal channel has six).
//!
//! Cations that share an anion are linked. The crystal is projected along the channel, and the ring is the shortest closed
//! walk over links that goes once around the channel's axis: fewest cations, then the shortest in the projection. As in
//! zeolites, where an 8-ring has 8 tetrahedral atoms, only cations count; those that Pauling's radius ratio rule gives
//! more than six neighbours (K, Na, Ca, Ba ... in oxides) fill cages and channels and build no wall.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet, BinaryHeap, HashMap},
};

use super::{
    around::images_near,
    dot, minus, norm,
    window::{LONGEST, frame},
};
use crate::{ionic_radius, oxidation_states};
use crystal::{Element, Structure, add, neighbors, sub};

/// A cation and an anion are bonded up to the sum of their ionic radii and this, Å.
const SLACK: f64 = 0.45;
/// Radius ratio beyond which a cation has more than six neighbours (Pauling's first rule): √3 - 1.
const RATIO: f64 = 0.732;
/// Rings are searched up to this distance from the axis, Å.
const REACH: f64 = 10.0;
/// An anion with more cations than this around it links none: no crystal has one, and all pairs of a thousand are a million.
const CROWD: usize = 48;
/// A cation nearer than this to the axis, Å, is on it.
const ON_AXIS: f64 = 1e-3;

/// A ring of polyhedra around a channel.
#[derive(Debug, Clone, PartialEq)]
pub struct Ring {
    /// The cations in order around the channel.
    pub elements: Vec<Element>,
    /// The same as sites, each with its lattice translation: one of its places along the channel.
    pub sites: Vec<(u32, [i32; 3])>,
    /// Area of the polygon of the cations, projected along the channel, Å².
    pub area: f64,
}

impl Ring {
    /// Number of polyhedra.
    pub fn size(&self) -> usize {
        self.elements.len()
    }

    /// What it is made of: `Mn8`, `Mo5 V2`.
    pub fn formula(&self) -> String {
        tally(&self.elements)
    }

    /// `triangular`, `rectangular`, `pentagonal`, `hexagonal`, `heptagonal` ... as the channel is called.
    pub fn name(&self) -> String {
        ring_name(self.size())
    }
}

/// Names of channels with rings of 3 to 12 polyhedra.
const NAMES: [&str; 10] = [
    "triangular",
    "rectangular",
    "pentagonal",
    "hexagonal",
    "heptagonal",
    "octagonal",
    "nonagonal",
    "decagonal",
    "hendecagonal",
    "dodecagonal",
];

/// Name of a channel whose ring has `size` polyhedra: `hexagonal`, or `14-gonal`.
pub fn ring_name(size: usize) -> String {
    let name = size.checked_sub(3).and_then(|i| NAMES.get(i));
    name.map_or_else(|| format!("{size}-gonal"), |s| (*s).to_owned())
}

/// The size of the ring of channels called `name`, in any case: as [`ring_name`], and `square`, `trigonal`.
pub fn ring_size(name: &str) -> Option<usize> {
    let name = name.trim().to_ascii_lowercase();
    match name.as_str() {
        "square" => Some(4),
        "trigonal" => Some(3),
        _ => match NAMES.iter().position(|known| *known == name) {
            Some(i) => Some(i + 3),
            None => name.strip_suffix("-gonal")?.parse().ok(),
        },
    }
}

/// What a list of atoms is made of, symbols in alphabetical order: `Mo5 V2`.
pub(super) fn tally(elements: &[Element]) -> String {
    let mut counts = BTreeMap::new();
    elements.iter().for_each(|e| *counts.entry(e.symbol()).or_insert(0) += 1);
    let words: Vec<String> = counts.iter().map(|(symbol, n)| format!("{symbol}{n}")).collect();
    words.join(" ")
}

/// Cations linked through anions.
pub(super) struct Framework {
    /// Links of each site: the other site and its image.
    links: Vec<Vec<(u32, [i32; 3])>>,
}

impl Framework {
    pub fn new(structure: &Structure) -> Self {
        let states = oxidation_states(&structure.composition());
        let ion = |e: Element| {
            let &(_, charge) = states.iter().find(|(x, _)| *x == e)?;
            Some((charge, ionic_radius(e, charge)?))
        };
        let ions: Vec<Option<(i8, f64)>> = structure.species().iter().map(|&e| ion(e)).collect();
        let of_sign = |sign: i8| ions.iter().flatten().filter(move |(q, _)| q.signum() == sign).map(|&(_, r)| r);
        let anion = of_sign(-1).fold(0.0, f64::max);
        let wall = |q: i8, r: f64| q > 0 && r < RATIO * anion;
        let cation = ions.iter().flatten().filter(|&&(q, r)| wall(q, r)).map(|&(_, r)| r).fold(0.0, f64::max);
        let pairs = neighbors(structure, anion + cation + SLACK);
        // For each anion its cations; every two of them are linked.
        let mut around: Vec<Vec<(u32, [i32; 3])>> = vec![Vec::new(); structure.len()];
        for i in 0..pairs.len() {
            let (a, b) = (pairs.center[i] as usize, pairs.neighbor[i] as usize);
            if let (Some((qa, ra)), Some((qb, rb))) = (ions[a], ions[b])
                && qa < 0
                && wall(qb, rb)
                && pairs.distance[i] <= ra + rb + SLACK
            {
                around[a].push((b as u32, pairs.image[i]));
            }
        }
        let mut links = vec![BTreeSet::new(); structure.len()];
        for cations in around.iter().filter(|cations| cations.len() <= CROWD) {
            for &(a, at_a) in cations {
                for &(b, at_b) in cations {
                    if (a, at_a) != (b, at_b) {
                        links[a as usize].insert((b, sub(at_b, at_a)));
                    }
                }
            }
        }
        Self { links: links.into_iter().map(|set| set.into_iter().collect()).collect() }
    }

    /// The ring around the line through `centre` (Cartesian) along the lattice vector `axis`.
    pub fn ring(&self, structure: &Structure, centre: [f64; 3], axis: [i32; 3]) -> Option<Ring> {
        let along = structure.lattice().to_cartesian(axis.map(f64::from));
        if norm(along) > LONGEST {
            return None;
        }
        let (_, e1, e2) = frame(along);
        let pivot = (0..3).find(|&k| axis[k] != 0)?;
        // One name for all images of a cation along the axis.
        let class = |site: u32, image: [i32; 3]| {
            let times = image[pivot].div_euclid(axis[pivot]);
            (site, std::array::from_fn(|k| image[k] - times * axis[k]))
        };
        let flat = |x: [f64; 3]| {
            let step = minus(x, centre);
            [dot(step, e1), dot(step, e2)]
        };
        let mut places: HashMap<(u32, [i32; 3]), u32> = HashMap::new();
        let (mut keys, mut flats) = (Vec::new(), Vec::new());
        for (site, image, x) in images_near(structure, centre, REACH.hypot(0.5 * norm(along)) + 1e-6) {
            let at = flat(x);
            // Where the channel winds, a cation may lie on the line itself: no ring goes around through it.
            if !self.links[site].is_empty() && (ON_AXIS..=REACH).contains(&at[0].hypot(at[1])) {
                let key = class(site as u32, image);
                places.entry(key).or_insert_with(|| {
                    keys.push(key);
                    flats.push(at);
                    keys.len() as u32 - 1
                });
            }
        }
        // A ray from the axis; the walk that goes around crosses it once more one way than the other.
        let ray = (0..1000)
            .map(|i| f64::sin_cos(0.7345 + 0.1 * f64::from(i)))
            .map(|(s, c)| [c, s])
            .find(|u| flats.iter().all(|p: &[f64; 2]| (u[0] * p[1] - u[1] * p[0]).abs() > 1e-6))?;
        let crossing = |a: [f64; 2], b: [f64; 2]| {
            let side = |p: [f64; 2]| ray[0] * p[1] - ray[1] * p[0];
            let (sa, sb) = (side(a), side(b));
            if (sa < 0.0) == (sb < 0.0) {
                return 0;
            }
            let t = sa / (sa - sb);
            let ahead = ray[0] * (a[0] + t * (b[0] - a[0])) + ray[1] * (a[1] + t * (b[1] - a[1]));
            if ahead <= 0.0 {
                0
            } else if sb > sa {
                1
            } else {
                -1
            }
        };
        // Fewest cations, then the shortest projection: a link costs 1 and a thousandth of its length.
        let steps: Vec<Vec<(u32, i8, u32)>> = (0..keys.len())
            .map(|i| {
                let (site, image) = keys[i];
                let there = self.links[site as usize].iter().filter_map(|&(b, step)| {
                    let &j = places.get(&class(b, add(image, step)))?;
                    let (p, q) = (flats[i], flats[j as usize]);
                    let cost = 1_000_000 + (1e3 * (p[0] - q[0]).hypot(p[1] - q[1])).round() as u32;
                    Some((j, crossing(p, q), cost))
                });
                there.collect()
            })
            .collect();
        let mut best: Option<(u32, Vec<u32>)> = None;
        for (a, out) in steps.iter().enumerate() {
            for &(b, _, cost) in out.iter().filter(|(_, turn, _)| *turn == 1) {
                let limit = best.as_ref().map_or(u32::MAX, |(c, _)| *c);
                if let Some((rest, mut walk)) = shortest(&steps, b, a as u32, limit.saturating_sub(cost)) {
                    walk.reverse();
                    best = Some((rest + cost, walk));
                }
            }
        }
        let (_, walk) = best?;
        let corners: Vec<[f64; 2]> = walk.iter().map(|&i| flats[i as usize]).collect();
        let next = corners.iter().cycle().skip(1);
        let twice: f64 = corners.iter().zip(next).map(|(p, q)| p[0] * q[1] - p[1] * q[0]).sum();
        let sites: Vec<(u32, [i32; 3])> = walk.iter().map(|&i| keys[i as usize]).collect();
        let elements = sites.iter().map(|&(site, _)| structure.species()[site as usize]).collect();
        Some(Ring { elements, sites, area: 0.5 * twice.abs() })
    }
}

/// The cheapest walk from `from` to `to` that crosses the ray as often one way as the other, below `limit`; the nodes in
/// reverse.
fn shortest(steps: &[Vec<(u32, i8, u32)>], from: u32, to: u32, limit: u32) -> Option<(u32, Vec<u32>)> {
    type State = (u32, i8);
    let mut reached: HashMap<State, (u32, Option<State>)> = HashMap::from([((from, 0), (0, None))]);
    let mut open = BinaryHeap::from([Reverse((0, (from, 0_i8)))]);
    while let Some(Reverse((cost, state))) = open.pop() {
        if state == (to, 0) {
            let mut walk = vec![to];
            let mut at = state;
            while let Some(before) = reached[&at].1 {
                walk.push(before.0);
                at = before;
            }
            return Some((cost, walk));
        }
        if cost > reached[&state].0 {
            continue;
        }
        for &(next, turn, step) in &steps[state.0 as usize] {
            let (winding, cost) = (state.1 + turn, cost + step);
            let there = (next, winding);
            if winding.abs() <= 1 && cost < limit && reached.get(&there).is_none_or(|(old, _)| cost < *old) {
                reached.insert(there, (cost, Some(state)));
                open.push(Reverse((cost, there)));
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crystal::testing::rutile;

    #[test]
    fn names_and_sizes_belong_together() {
        for size in 3..20 {
            assert_eq!(ring_size(&ring_name(size)), Some(size));
        }
        assert_eq!([ring_size("Square"), ring_size("hexagon"), ring_size("")], [Some(4), None, None]);
    }

    #[test]
    fn no_ring_goes_through_a_cation_on_its_axis() {
        let rutile = rutile();
        let framework = Framework::new(&rutile);
        // The line along c through Ti at the origin; then the channel's own, where four Ti make the ring.
        let through = framework.ring(&rutile, [0.0; 3], [0, 0, 1]).unwrap();
        assert!(through.sites.iter().all(|&(site, image)| (site, image[0], image[1]) != (0, 0, 0)), "{through:?}");
        let channel = rutile.lattice().to_cartesian([0.0, 0.5, 0.25]);
        assert_eq!(framework.ring(&rutile, channel, [0, 0, 1]).unwrap().size(), 4);
    }
}

//! Channels: which spheres fit among the atoms of a crystal, and which pass through it.
//!
//! With the clearance d(p) = min_j (|p - x_j| - R_j) of a point p among all atoms and their images:
//!
//! | quantity | meaning |
//! |---|---|
//! | Di | the largest included sphere: 2 max d |
//! | Df | the largest free sphere: twice the largest t for which {d >= t} holds a path into another cell |
//! | Dif | the largest sphere that fits somewhere along the way of the free sphere |
//! | Df along 2, 3 directions | the largest t for which the paths of one connected part span 2, 3 independent directions |
//!
//! as Zeo++ defines them (Willems et al., Micropor. Mesopor. Mater. 149 (2012) 134); Zeo++ reports the first three. A
//! channel is a connected part of {d >= probe} that repeats along 1, 2 or 3 directions; a part that repeats along none
//! is a pocket.
//!
//! All of them are read off the nodes and edges of the radical Voronoi diagram ([`tessellate`]), widest edge first (see
//! `pores` and `loops`): no grid, no sampling. Where radii differ the diagram of the radii themselves, which Zeo++ uses,
//! is an approximation: the clearance is governed by |p - x| - R, the diagram by |p - x|² - R². But the set {d >= t} is
//! the outside of balls of radius R + t, whose pieces and whose connections are exactly those of the nodes and edges
//! outside the balls in the diagram of the radii R + t. So [`channels`] takes the diagram at its own probe, and
//! [`exact_spheres`] the one at the very value it reports; [`spheres`] is Zeo++'s approximation.

mod around;
mod basins;
mod exact;
mod flow;
mod hollows;
mod loops;
mod pores;
mod ring;
mod spheres;
mod summit;
mod volume;
mod walk;
mod window;

use std::{cmp::Ordering, collections::BTreeMap};

use super::tessellation::{Tessellation, tessellate};
use crate::FeatureError;
use around::bounded;
use basins::Basins;
use crystal::{Element, Structure, cross, dot, gcd, norm};
use exact::{Part, passing};
use pores::{Pores, TIE};
use ring::Framework;

pub(super) use loops::Components;

pub use hollows::{Hollow, hollows};
pub use ring::{Ring, ring_name, ring_size};
pub use spheres::{
    Spheres, exact_spheres, largest_free_sphere, largest_included_sphere, largest_sphere_along_path, spheres,
};

/// Largest probe accepted, Å.
const MAX_PROBE: f64 = 20.0;
/// The largest cell whose pores are searched, sites; their network is made several times for a crystal.
const MAX_PORE_SITES: usize = 5000;

/// A channel: a connected part of the space open to a probe's centre that repeats along a lattice vector.
#[derive(Debug, Clone, PartialEq)]
pub struct Channel {
    /// Direction [u v w] of its widest path, without common divisor.
    pub axis: [i32; 3],
    /// Number of independent directions in which it goes on without end, 1 to 3.
    pub dimensionality: usize,
    /// Radius of the largest sphere that travels along the axis, Å.
    pub bottleneck_radius: f64,
    /// Radius of the largest sphere that fits somewhere in it, Å.
    pub included_radius: f64,
    /// The elements of the atoms that bound the window, in order around it; without a window, of those around the
    /// bottleneck.
    pub window: Vec<Element>,
    /// Area of the window, Å²: looking along the axis, the part of a plane normal to it that no atom covers, as far as it
    /// is seen from the bottleneck. `None` where the channel winds or the view is open, as between layers.
    pub area: Option<f64>,
    /// The ring of polyhedra around the axis. `None` where there is none, as between layers.
    pub ring: Option<Ring>,
    /// Volume in the cell that the centre of the probe reaches, Å³.
    pub accessible_volume: f64,
    /// One path for each independent direction, widest first.
    pub paths: Vec<ChannelPath>,
}

impl Channel {
    /// The atoms that bound the window: `O8`.
    pub fn window_formula(&self) -> String {
        ring::tally(&self.window)
    }

    /// The axis as crystallographers write it: `[001]`, or `[1 -1 0]` where digits would run together.
    pub fn direction(&self) -> String {
        let plain = self.axis.iter().all(|x| (0..=9).contains(x));
        let words = self.axis.map(|x| x.to_string());
        format!("[{}]", words.join(if plain { "" } else { " " }))
    }
}

/// The widest path through a channel along one lattice vector; of those the shortest.
#[derive(Debug, Clone, PartialEq)]
pub struct ChannelPath {
    /// From its first node to its last, in cells.
    pub vector: [i32; 3],
    /// Radius of the largest sphere that travels along it, Å.
    pub radius: f64,
    /// Fractional coordinates, not wrapped, each with the radius of the largest sphere there, Å.
    pub nodes: Vec<([f64; 3], f64)>,
}

/// The channels of `structure` with `radii` (Å, one per site) that are open to the centre of a sphere of radius `probe`:
/// every connected part of {d >= probe} that repeats, widest first.
///
/// # Errors
/// A probe outside 0..=20 Å, or as [`tessellate`].
pub fn channels(structure: &Structure, radii: &[f64], probe: f64) -> Result<Vec<Channel>, FeatureError> {
    check_probe(probe)?;
    let tessellation = grown(structure, radii, probe)?;
    let pores = Pores::new(structure, radii, &tessellation);
    bounded(structure, radii, &pores)?;
    let mut components = pores.sweep(&pores.all(), probe, |_, _, _| true);
    let open = pores.passages.iter().take_while(|p| p.clearance >= probe - TIE).count();
    let mut parts: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
    for i in 0..open as u32 {
        let root = components.find(pores.passages[i as usize].from).0;
        if components.loops(root).rank() > 0 {
            parts.entry(root).or_default().push(i);
        }
    }
    if parts.is_empty() {
        return Ok(Vec::new());
    }
    let owner: Vec<Option<u32>> = (0..pores.frac.len() as u32).map(|n| Some(components.find(n).0)).collect();
    let volumes = volume::open_volumes(structure, radii, probe, &tessellation, &pores, &owner);
    let framework = Framework::new(structure);
    let mut found: Vec<Channel> = parts
        .iter()
        .filter_map(|(root, passages)| {
            let volume = volumes.get(root).copied().unwrap_or(0.0);
            describe(structure, radii, &pores, &framework, passages, volume)
        })
        .collect();
    if !equal(radii) {
        refine(structure, radii, &mut found, Some(probe))?;
    }
    found.sort_by(widest_first);
    Ok(found)
}

/// The number of independent directions, 0 to 3, in which the widest-ranging channel open to `probe` (Å) goes on.
///
/// # Errors
/// As [`channels`].
pub fn passes(structure: &Structure, radii: &[f64], probe: f64) -> Result<usize, FeatureError> {
    check_probe(probe)?;
    let pores = Pores::new(structure, radii, &grown(structure, radii, probe)?);
    let mut components = pores.sweep(&pores.all(), probe, |_, _, _| true);
    let ranks = (0..pores.frac.len() as u32).map(|n| {
        let root = components.find(n).0;
        components.loops(root).rank()
    });
    Ok(ranks.max().unwrap_or(0))
}

fn check_probe(probe: f64) -> Result<(), FeatureError> {
    if (0.0..=MAX_PROBE).contains(&probe) {
        return Ok(());
    }
    Err(FeatureError::Argument(format!("probe = {probe} Å is outside 0 to {MAX_PROBE} Å")))
}

/// The channels of `structure` with `radii` (Å, one per site) without a probe: every channel at the width of its own
/// bottleneck, before narrower gaps join it to others. The accessible volume is that of {d >= 0} nearest to the channel
/// on the way of the widest passages: all void from which a wider way leads into it than into any other channel.
///
/// # Errors
/// As [`tessellate`].
pub fn tunnels(structure: &Structure, radii: &[f64]) -> Result<Vec<Channel>, FeatureError> {
    Ok(Tunnels::new(structure, radii)?.channels)
}

/// The result of [`tunnels`], and its network.
struct Tunnels {
    channels: Vec<Channel>,
    pores: Pores,
    /// The channels into which the void around each node drains, ascending indices; several where it drains into all of
    /// them alike, none from a closed pocket.
    of_node: Vec<Vec<usize>>,
}

impl Tunnels {
    fn new(structure: &Structure, radii: &[f64]) -> Result<Self, FeatureError> {
        let tessellation = grown(structure, radii, 0.0)?;
        let pores = Pores::new(structure, radii, &tessellation);
        bounded(structure, radii, &pores)?;
        let mut basins = Basins::new(pores.frac.len());
        let mut open = 0;
        // The passages of each channel when it first repeats.
        let mut born: Vec<Vec<u32>> = Vec::new();
        pores.sweep(&pores.all(), TIE, |_, components, group| {
            open += group.len() as u32;
            for root in basins.flood(&pores, components, group) {
                let inside = |i: &u32| components.find(pores.passages[*i as usize].from).0 == root;
                born.push((0..open).filter(inside).collect());
            }
            true
        });
        let volumes = basins.divide(&volume::open_volumes(structure, radii, 0.0, &tessellation, &pores, &basins.owner));
        let framework = Framework::new(structure);
        let (births, mut channels): (Vec<usize>, Vec<Channel>) = born
            .iter()
            .zip(volumes)
            .enumerate()
            .filter_map(|(birth, (passages, volume))| {
                Some((birth, describe(structure, radii, &pores, &framework, passages, volume)?))
            })
            .unzip();
        if !equal(radii) {
            refine(structure, radii, &mut channels, None)?;
        }
        let mut order: Vec<(usize, Channel)> = births.into_iter().zip(channels).collect();
        order.sort_by(|a, b| widest_first(&a.1, &b.1));
        let (births, channels): (Vec<usize>, Vec<Channel>) = order.into_iter().unzip();
        let index = |birth: u32| births.iter().position(|&b| b == birth as usize);
        let of_node = (0..pores.frac.len()).map(|node| {
            let mut of: Vec<usize> = basins.channels(node).filter_map(index).collect();
            of.sort_unstable();
            of
        });
        Ok(Self { of_node: of_node.collect(), channels, pores })
    }
}

/// Replaces the widths of the network by those of the clearance, for each channel at `probe` or at its own bottleneck.
fn refine(
    structure: &Structure,
    radii: &[f64],
    channels: &mut [Channel],
    probe: Option<f64>,
) -> Result<(), FeatureError> {
    // Channels that symmetry makes alike are measured once.
    let mut known: Vec<([f64; 2], [f64; 2])> = Vec::new();
    for channel in channels {
        let first = [channel.bottleneck_radius, channel.included_radius];
        let alike = known.iter().find(|(k, _)| (k[0] - first[0]).abs() < TIE && (k[1] - first[1]).abs() < TIE);
        let [bottleneck, included] = match alike {
            Some((_, exact)) => *exact,
            None => {
                let by_radius = |a: &&([f64; 3], f64), b: &&([f64; 3], f64)| a.1.total_cmp(&b.1);
                let Some((seed, _)) = channel.paths.iter().flat_map(|p| &p.nodes).max_by(by_radius) else { continue };
                let seed = structure.lattice().to_cartesian(*seed);
                let bottleneck = passing(structure, radii, seed, (probe.unwrap_or(0.0), first[0]))?;
                let level = probe.unwrap_or(bottleneck - TIE).max(0.0);
                let included = Part::around(structure, radii, level, seed)?.widest(structure, radii)?;
                known.push((first, [bottleneck, included]));
                [bottleneck, included]
            }
        };
        (channel.bottleneck_radius, channel.included_radius) = (bottleneck, included);
    }
    Ok(())
}

fn equal(radii: &[f64]) -> bool {
    radii.windows(2).all(|pair| pair[0] == pair[1])
}

/// The channel made of `passages`, widest first.
fn describe(
    structure: &Structure,
    radii: &[f64],
    pores: &Pores,
    framework: &Framework,
    passages: &[u32],
    accessible_volume: f64,
) -> Option<Channel> {
    let mut paths: Vec<ChannelPath> = Vec::new();
    let mut bottleneck = None;
    let mut rank = 0;
    pores.sweep(passages, f64::NEG_INFINITY, |width, components, group| {
        // Parts that are alike may become endless at one width, along different vectors.
        loop {
            let known: Vec<[i32; 3]> = paths.iter().map(|p| p.vector).collect();
            let mut walks = Vec::new();
            for &i in group {
                let node = pores.passages[i as usize].from;
                let root = components.find(node).0;
                let loops = *components.loops(root);
                if loops.rank() > known.len()
                    && let Some(vector) = loops.shortest(structure.lattice(), &known)
                    && let Some(walk) = pores.walk(structure, node, vector, width)
                {
                    walks.push((vector, walk));
                }
            }
            let length = |v: [i32; 3]| norm(structure.lattice().to_cartesian(v.map(f64::from)));
            let Some((vector, walk)) = walks.into_iter().min_by(|(v, a), (w, b)| {
                let by = |x: f64, y: f64| if (x - y).abs() < 1e-6 { Ordering::Equal } else { x.total_cmp(&y) };
                by(length(*v), length(*w)).then(w.cmp(v)).then(by(a.length, b.length))
            }) else {
                break;
            };
            if paths.is_empty() {
                let passage = &pores.passages[walk.bottleneck as usize];
                let at = std::array::from_fn(|k| passage.narrowest[k] + f64::from(walk.bottleneck_cell[k]));
                bottleneck = Some((walk.bottleneck, structure.lattice().to_cartesian(at)));
            }
            paths.push(ChannelPath { vector, radius: width, nodes: walk.nodes });
        }
        rank = paths.len();
        rank < 3
    });
    let (narrowest, centre) = bottleneck?;
    let vector = paths.first()?.vector;
    let view = window::view(structure, radii, centre, vector);
    let bounding: Vec<usize> = match &view {
        Some(view) => view.sites.clone(),
        None => {
            let link = pores.passages[narrowest as usize].link;
            pores.network.edges[link as usize].sites.iter().map(|&(site, _)| site as usize).collect()
        }
    };
    let nodes = passages.iter().flat_map(|&i| [pores.passages[i as usize].from, pores.passages[i as usize].to]);
    let divisor = vector.iter().fold(0, |a, b| gcd(a, u64::from(b.unsigned_abs()))) as i32;
    Some(Channel {
        axis: vector.map(|x| x / divisor),
        dimensionality: paths.len(),
        bottleneck_radius: paths[0].radius,
        included_radius: nodes.map(|n| pores.clearance[n as usize]).fold(f64::NEG_INFINITY, f64::max),
        window: bounding.iter().map(|&site| structure.species()[site]).collect(),
        area: view.map(|view| view.area),
        ring: framework.ring(structure, centre, vector),
        accessible_volume,
        paths,
    })
}

/// The tessellation of `radii` grown by `growth`.
///
/// # Errors
/// More than [`MAX_PORE_SITES`] sites, or as [`tessellate`].
fn grown(structure: &Structure, radii: &[f64], growth: f64) -> Result<Tessellation, FeatureError> {
    if structure.len() > MAX_PORE_SITES {
        return Err(FeatureError::Argument(format!(
            "the pores of {} sites are not searched, {MAX_PORE_SITES} at most; reduce the crystal to its primitive cell",
            structure.len()
        )));
    }
    let radii: Vec<f64> = radii.iter().map(|r| r + growth).collect();
    tessellate(structure, &radii)
}

/// Widest bottleneck first, then most dimensions, then the axis: an order that does not depend on the order of sites.
fn widest_first(a: &Channel, b: &Channel) -> Ordering {
    let key = |c: &Channel| (-(c.bottleneck_radius / 1e-6).round() as i64, c.dimensionality, c.axis);
    let ((ra, da, xa), (rb, db, xb)) = (key(a), key(b));
    ra.cmp(&rb).then(db.cmp(&da)).then(xb.cmp(&xa)).then(b.accessible_volume.total_cmp(&a.accessible_volume))
}

fn minus(a: [f64; 3], b: [f64; 3]) -> [f64; 3] {
    [a[0] - b[0], a[1] - b[1], a[2] - b[2]]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{site_radii, void_fraction};
    use crystal::Radii;
    use crystal::testing::*;

    /// The radii of the published table, by element.
    fn stated(structure: &Structure) -> Vec<f64> {
        let radius = |e: &Element| match e.symbol() {
            "O" => 1.36,
            "Ti" => 0.605,
            "V" => 0.54,
            "Mo" => 0.59,
            "W" => 0.60,
            _ => 0.53,
        };
        structure.species().iter().map(radius).collect()
    }

    fn assert_close(name: &str, got: f64, want: f64) {
        assert!((got - want).abs() < 1e-5, "{name}: {got}, expected {want}");
    }

    #[test]
    fn voids_too_wide_and_cells_too_large_are_refused() {
        let error = tunnels(&rutile().supercell([10, 10, 9]).unwrap(), &[1.0; 5400]).unwrap_err().to_string();
        assert!(error.contains("the pores of 5400 sites are not searched, 5000 at most"), "{error}");
        // A stack of sheets 3000 Å apart, thirty sites to a cell that is 5 Å wide.
        let lattice = crystal::Lattice::from_parameters(5.0, 5.0, 3000.0, 90.0, 90.0, 90.0).unwrap();
        let site = |i: usize| [(i % 5) as f64 / 5.0, (i / 5 % 3) as f64 / 3.0, (i / 15) as f64 * 4e-4];
        let sheets = Structure::new(lattice, vec![Element::O; 30], (0..30).map(site).collect()).unwrap();
        let error = tunnels(&sheets, &[0.5; 30]).unwrap_err().to_string();
        assert!(error.contains("fits into this cell of 30 sites"), "{error}");
    }

    #[test]
    fn reo3_has_closed_forms() {
        // The centre of the cube sees 12 oxygens at a/√2; the square of four oxygens is a/2 from its middle.
        let (s, a, o) = (wo3(), 3.8, 1.36);
        for spheres in [spheres(&s, &stated(&s)).unwrap(), exact_spheres(&s, &stated(&s)).unwrap()] {
            assert_close("Di", spheres.di, 2.0 * (a / 2.0_f64.sqrt() - o));
            assert_close("Dif", spheres.dif, 2.0 * (a / 2.0_f64.sqrt() - o));
            for df in spheres.df_by_dimension {
                assert_close("Df", df, 2.0 * (a / 2.0 - o));
            }
        }
    }

    #[test]
    fn published_table_of_spheres() {
        // Di, Df, Dif of Zeo++ (pyzeo 0.2.0) with the radii above.
        for (name, s, want) in [
            ("cubic WO3", wo3(), [2.65401, 1.08000, 2.65401]),
            ("hollandite", hollandite(), [2.98432, 2.22306, 2.98432]),
            ("V2O5", v2o5(), [2.29647, 0.88801, 2.29647]),
            ("alpha-MoO3", alpha_moo3(), [1.28546, 0.87332, 1.28546]),
            ("rutile", rutile(), [0.92034, 0.74846, 0.92034]),
        ] {
            let got = spheres(&s, &stated(&s)).unwrap();
            for (quantity, got, want) in [("Di", got.di, want[0]), ("Df", got.df, want[1]), ("Dif", got.dif, want[2])] {
                assert_close(&format!("{name}, {quantity}"), got, want);
            }
        }
    }

    /// Axis, dimensionality, bottleneck radius and ring of each channel.
    fn summary(channels: &[Channel]) -> Vec<String> {
        let ring = |c: &Channel| c.ring.as_ref().map_or("none".to_owned(), Ring::name);
        channels
            .iter()
            .map(|c| format!("{:?} {} {:.4} {}", c.axis, c.dimensionality, c.bottleneck_radius, ring(c)))
            .collect()
    }

    #[test]
    fn hollandite_has_two_wide_and_two_narrow_tunnels_along_c() {
        let s = hollandite();
        let radii = site_radii(&s, Radii::Shannon).unwrap();
        let (wide, narrow) = ("[0, 0, 1] 1 1.1115 octagonal", "[0, 0, 1] 1 0.3912 rectangular");
        let all = tunnels(&s, &radii).unwrap();
        assert_eq!(summary(&all), [wide, wide, narrow, narrow]);
        // The 2 x 2 tunnels alone let calcium pass; at 0.2 Å all is one.
        assert_eq!(summary(&channels(&s, &radii, 1.0).unwrap()), [wide, wide]);
        assert_eq!(summary(&channels(&s, &radii, 0.2).unwrap()), ["[0, 0, 1] 3 1.1115 octagonal"]);
        assert!(channels(&s, &radii, 1.2).unwrap().is_empty());
        // Equal by symmetry, and together all the void there is.
        assert!((all[0].accessible_volume - all[1].accessible_volume).abs() < 1e-9);
        let sum: f64 = all.iter().map(|c| c.accessible_volume).sum();
        let void = void_fraction(&s, Radii::Shannon, 0.0).unwrap() * s.volume();
        assert!((sum - void).abs() < 1e-6, "{sum} of {void} Å3");
    }

    #[test]
    fn a_path_ends_where_it_began_one_vector_on() {
        for s in [wo3(), hollandite(), v2o5(), alpha_moo3(), rutile(), srtio3()] {
            let radii = site_radii(&s, Radii::Shannon).unwrap();
            for channel in tunnels(&s, &radii).unwrap() {
                assert_eq!(channel.paths.len(), channel.dimensionality);
                for path in &channel.paths {
                    let (first, last) = (path.nodes[0].0, path.nodes[path.nodes.len() - 1].0);
                    let apart = |k: usize| last[k] - first[k] - f64::from(path.vector[k]);
                    assert!((0..3).all(|k| apart(k).abs() < 1e-9), "{first:?} {last:?}");
                    let least = path.nodes.iter().map(|(_, r)| *r).fold(f64::INFINITY, f64::min);
                    assert!((least - path.radius).abs() < 1e-6, "{least} {}", path.radius);
                }
            }
        }
    }

    #[test]
    fn a_probe_out_of_range_is_refused() {
        let s = wo3();
        for probe in [-0.1, f64::NAN, 1e9] {
            assert!(matches!(channels(&s, &stated(&s), probe), Err(FeatureError::Argument(_))));
        }
        assert!(spheres(&s, &[1.0]).is_err());
    }
}

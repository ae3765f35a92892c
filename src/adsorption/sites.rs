//! Sites of an inserted ion: the symmetry-distinct hollows of the host.
//!
//! A site is a maximum of the void (see [`hollows`]) in which a sphere of at least half the ion's radius fits: a host gives
//! way by some tenths of an Ångström, not by more. Sites where the ion floats come last: formal charges alone prefer the
//! middle of a wide cage, out of reach of every oxygen, to the pockets in its walls. Each belongs to the channel that its widest
//! way leads into, whether or not the ion passes there, or to none where it is a closed cavity. Channels are those of [`tunnels`],
//! widest first, numbered from 0 here and from 1 for the user.
//!
//! [`tunnels`]: features::tunnels

use super::rigid::Field;
use crate::AdsorptionError;
use crystal::{DEFAULT_SYMPREC, Radii, Structure, Symmetry, norm};
use features::{Channel, Hollow, Ion, MAX_MATRIX_SITES, hollows, ring_size, site_radii};

/// The part of the ion's radius that must fit.
const ROOM: f64 = 0.5;
/// A hollow this near to the image of another, Å, is that image: half of what makes two hollows one.
const IMAGE: f64 = 0.25;
/// Energies this near, eV, are equal.
const EQUAL: f64 = 1e-6;
/// Without neighbours, and farther than this from touching any, Å, an ion floats in a cage that is too wide for it. Large ions bond over
/// such lengths: potassium on the axis of the hexagonal bronze.
const WIDE: f64 = 0.6;
/// An ion with so many neighbours within bonding reach is held by the host.
pub const BONDED: usize = 3;

/// A site for an ion.
#[derive(Debug, Clone, PartialEq)]
pub struct InsertionSite {
    /// Fractional coordinates in [0, 1).
    pub frac: [f64; 3],
    /// Radius of the largest sphere there, Å: the clearance to the nearest ion of the host.
    pub radius: f64,
    /// Index of its channel among [`tunnels`](features::tunnels), the widest of those it drains into; `None` in a
    /// closed cavity.
    pub channel: Option<usize>,
    /// Polyhedra around that channel, where they make a ring.
    pub ring: Option<usize>,
    /// Whether the ion travels along that channel: whether its radius is no larger than the bottleneck's.
    pub passes: bool,
    /// Ions of the host's other sign, in oxides O, within bonding reach: the sum of the Shannon radii and 0.45 Å.
    pub coordination: usize,
    /// Number of sites of the cell that symmetry makes alike.
    pub multiplicity: usize,
    /// Energy of the ion there in a rigid host of formal charges, eV: lower is better (see the source, `rigid`). It
    /// compares sites of one ion in one host only.
    pub score: f64,
}

/// Which sites are requested.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Within {
    /// All of them.
    #[default]
    Everywhere,
    /// Those in channels, wide enough for the ion to travel or not.
    Channels,
    /// Those in channels that the ion passes.
    Passing,
    /// Those in closed cavities.
    Cavities,
    /// Those of one channel, by index from 0.
    Channel(usize),
    /// Those of channels with a ring of so many polyhedra.
    Ring(usize),
}

impl InsertionSite {
    /// Whether the cage is too wide for the ion: it touches nothing there and has no neighbours.
    pub(super) fn floats(&self, ion: &Ion) -> bool {
        !self.is_bonded() && self.radius > ion.radius + WIDE
    }

    /// Whether the host holds the ion there, by [`BONDED`] neighbours or more.
    pub fn is_bonded(&self) -> bool {
        self.coordination >= BONDED
    }
}

impl Within {
    /// Reads `everywhere`, `channels`, `passing`, `cavities`, the number of a channel from 1, or what channels are called
    /// by their ring (`hexagonal`).
    ///
    /// # Errors
    /// Any other text.
    pub fn parse(text: &str) -> Result<Self, AdsorptionError> {
        let name = text.trim().to_ascii_lowercase();
        Ok(match name.as_str() {
            "everywhere" => Self::Everywhere,
            "channels" => Self::Channels,
            "passing" => Self::Passing,
            "cavities" => Self::Cavities,
            _ => match (name.parse::<f64>(), ring_size(&name)) {
                (Ok(number), _) if number >= 1.0 && number.fract() == 0.0 => Self::Channel(number as usize - 1),
                (_, Some(size)) => Self::Ring(size),
                _ => {
                    return Err(AdsorptionError::Undefined(format!(
                        "no channel '{text}'; give everywhere, channels, passing, cavities, a number of channels(structure) \
                         from 1, or a ring such as triangular, rectangular, hexagonal or heptagonal"
                    )));
                }
            },
        })
    }

    fn holds(self, hollow: &Hollow, channels: &[Channel], ion: &Ion) -> bool {
        let mut of = hollow.channels.iter();
        match self {
            Self::Everywhere => true,
            Self::Channels => !hollow.channels.is_empty(),
            Self::Passing => of.any(|&c| passes(&channels[c], ion)),
            Self::Cavities => hollow.channels.is_empty(),
            Self::Channel(index) => hollow.channels.contains(&index),
            Self::Ring(size) => of.any(|&c| channels[c].ring.as_ref().is_some_and(|r| r.size() == size)),
        }
    }
}

fn passes(channel: &Channel, ion: &Ion) -> bool {
    channel.bottleneck_radius >= ion.radius - EQUAL
}

/// The symmetry-distinct sites for `ion` in `structure`, of lowest score first, those in which it floats last;
/// radii are Shannon's, symmetry at [`DEFAULT_SYMPREC`].
///
/// # Errors
/// A host with an element without a radius, or of more than [`MAX_MATRIX_SITES`] sites.
pub fn insertion_sites(
    structure: &Structure,
    ion: &Ion,
    within: Within,
) -> Result<Vec<InsertionSite>, AdsorptionError> {
    let all = Sites::new(structure, ion, within)?;
    let mut distinct: Vec<InsertionSite> = Vec::new();
    for (i, site) in all.sites.iter().enumerate() {
        if all.orbit[i] == i {
            distinct.push(site.clone());
        }
    }
    Ok(distinct)
}

/// Every site of the cell.
pub(super) struct Sites {
    /// In an order that does not depend on the order of the host's atoms: those that hold the ion first, then by score of the orbit, then
    /// by channel, then by coordinates. The first of an orbit stands for it.
    pub sites: Vec<InsertionSite>,
    /// The first of each site's orbit.
    pub orbit: Vec<usize>,
    /// Coulomb energy of ions at two sites, eV; see [`Field::between`].
    pub between: Vec<Vec<f64>>,
}

impl Sites {
    /// # Errors
    /// As [`insertion_sites`].
    pub fn new(structure: &Structure, ion: &Ion, within: Within) -> Result<Self, AdsorptionError> {
        // Of a larger host the potentials are refused, after minutes in which its hollows are found.
        if structure.len() > MAX_MATRIX_SITES {
            return Err(AdsorptionError::Undefined(format!(
                "a host of {} sites is larger than the {MAX_MATRIX_SITES} in which places for ions are searched; reduce it to \
                 its primitive cell",
                structure.len()
            )));
        }
        let radii = site_radii(structure, Radii::Shannon)?;
        let (channels, mut found) = hollows(structure, &radii)?;
        found.retain(|hollow| hollow.radius >= ROOM * ion.radius && within.holds(hollow, &channels, ion));
        if found.is_empty() {
            return Ok(Self { sites: Vec::new(), orbit: Vec::new(), between: Vec::new() });
        }
        let points: Vec<[f64; 3]> = found.iter().map(|hollow| hollow.frac).collect();
        let field = Field::new(structure, &radii, ion, &points)?;
        let orbits = orbits(structure, &points)?;
        let lowest = |orbit: usize| {
            let of = (0..points.len()).filter(|&i| orbits[i] == orbit).map(|i| field.energy[i]);
            of.fold(f64::INFINITY, f64::min)
        };
        let lowest: Vec<f64> = orbits.iter().map(|&orbit| lowest(orbit)).collect();
        let site = |i: usize| {
            let channel = found[i].channels.first().copied();
            let ring = channel.and_then(|c| channels[c].ring.as_ref()).map(|ring| ring.size());
            InsertionSite {
                frac: points[i],
                radius: found[i].radius,
                channel,
                ring,
                passes: channel.is_some_and(|c| passes(&channels[c], ion)),
                coordination: field.coordination[i],
                multiplicity: orbits.iter().filter(|&&orbit| orbit == orbits[i]).count(),
                score: field.energy[i],
            }
        };
        let sites: Vec<InsertionSite> = (0..points.len()).map(site).collect();
        // Numbers that rounding does not order.
        let steps = |x: f64, step: f64| (x / step).round() as i64;
        let mut order: Vec<usize> = (0..sites.len()).collect();
        let floats = |i: usize| (0..sites.len()).any(|j| orbits[j] == orbits[i] && sites[j].floats(ion));
        order.sort_by_cached_key(|&i| {
            (
                floats(i),
                (steps(lowest[i], 1e3 * EQUAL), steps(field.energy[i], 1e3 * EQUAL)),
                sites[i].channel.map_or(usize::MAX, |c| c),
                sites[i].frac.map(|x| steps(x, 1e-4)),
            )
        });
        let place = |i: usize| order.iter().position(|&j| j == i).unwrap_or(i);
        let first = |i: usize| order.iter().position(|&j| orbits[j] == orbits[i]).unwrap_or_else(|| place(i));
        Ok(Self {
            orbit: order.iter().map(|&i| first(i)).collect(),
            between: order.iter().map(|&i| order.iter().map(|&j| field.between[i][j]).collect()).collect(),
            sites: order.iter().map(|&i| sites[i].clone()).collect(),
        })
    }
}

/// The first of the points that symmetry takes each of `points` to. The symmetry is that of the primitive cell: a larger one
/// need not have every rotation of the crystal.
fn orbits(structure: &Structure, points: &[[f64; 3]]) -> Result<Vec<usize>, AdsorptionError> {
    let primitive = structure.primitive(DEFAULT_SYMPREC);
    let symmetry = Symmetry::of(&primitive, DEFAULT_SYMPREC)?;
    let lattice = primitive.lattice();
    let points: Vec<[f64; 3]> =
        points.iter().map(|&x| lattice.to_fractional(structure.lattice().to_cartesian(x))).collect();
    let apart = |x: [f64; 3], y: [f64; 3]| {
        let step = std::array::from_fn(|k| (x[k] - y[k]) - (x[k] - y[k]).round());
        norm(lattice.to_cartesian(step))
    };
    let mut orbit: Vec<usize> = (0..points.len()).collect();
    for i in 0..points.len() {
        if orbit[i] != i {
            continue;
        }
        let images: Vec<[f64; 3]> = symmetry.images(points[i]).collect();
        for j in i + 1..points.len() {
            if orbit[j] == j && images.iter().any(|&image| apart(image, points[j]) < IMAGE) {
                orbit[j] = i;
            }
        }
    }
    Ok(orbit)
}

#[cfg(test)]
mod tests;

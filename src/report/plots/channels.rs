//! The channels of a crystal, laid over its picture: down a channel the circle of the largest sphere that passes through and
//! the ring of polyhedra around it; from the side a band as wide as that sphere.

use std::collections::HashSet;

use super::labels;
use super::svg::{Anchor, Picture};
use crystal::{Radii, Structure};
use features::FeatureError;
use features::{self, Channel, ChannelPath};

/// The channels of a picture.
#[derive(Debug, Clone)]
pub struct Tunnels {
    /// Those wide enough, widest first.
    pub channels: Vec<Channel>,
    /// Radius of the smallest sphere that must pass, Å.
    pub probe: f64,
    /// Which radii the atoms have: `ionic`.
    pub radii: &'static str,
}

/// Blue of Okabe and Ito.
pub(super) const COLOUR: &str = "#0072B2";
/// Kinds of channels that have a line of their own.
const MOST: usize = 5;

/// Channels that are alike, as those that symmetry makes equal.
pub(super) struct Kind<'a> {
    letter: char,
    pub(super) members: Vec<&'a Channel>,
}

impl Tunnels {
    /// Those of a crystal through which a sphere of radius `probe`, Å, passes between atoms of these radii.
    ///
    /// # Errors
    /// As [`features::tunnels`].
    pub fn of(crystal: &Structure, radii: Radii, probe: f64) -> Result<Self, FeatureError> {
        let mut channels = features::tunnels(crystal, &features::site_radii(crystal, radii)?)?;
        channels.retain(|channel| channel.bottleneck_radius >= probe);
        Ok(Self { channels, probe, radii: radii.name() })
    }

    /// The kinds, widest first, at most [`MOST`].
    pub(super) fn kinds(&self) -> Vec<Kind<'_>> {
        let alike = |a: &Channel, b: &Channel| {
            (a.bottleneck_radius - b.bottleneck_radius).abs() < 5e-3
                && a.dimensionality == b.dimensionality
                && a.ring.as_ref().map(|r| r.formula()) == b.ring.as_ref().map(|r| r.formula())
        };
        let mut kinds: Vec<Kind> = Vec::new();
        for channel in &self.channels {
            match kinds.iter_mut().find(|k| alike(k.members[0], channel)) {
                Some(kind) => kind.members.push(channel),
                None => kinds.push(Kind { letter: 'A', members: vec![channel] }),
            }
        }
        kinds.truncate(MOST);
        for (kind, letter) in kinds.iter_mut().zip('A'..) {
            kind.letter = letter;
        }
        kinds
    }

    /// The spheres that the picture must have room for: centres in Cartesian Å and radii in Å.
    pub(super) fn spheres(&self, crystal: &Structure, cells: [usize; 3]) -> Vec<([f64; 3], f64)> {
        let mut all = Vec::new();
        for path in self.kinds().iter().flat_map(|k| &k.members).flat_map(|c| &c.paths) {
            for shift in shifts(narrowest(path), cells) {
                let place = |&(x, _): &([f64; 3], f64)| (crystal.lattice().to_cartesian(moved(x, shift)), path.radius);
                all.extend(path.nodes.iter().map(place));
            }
        }
        all
    }

    /// The sites of one ring of each kind that is seen end on, the one nearest to the middle of the cells, each with its
    /// translation from its place in `crystal`: they belong in the picture even where they are outside the cells.
    pub(super) fn ring_sites(&self, crystal: &Structure, cells: [usize; 3], axis: [i32; 3]) -> Vec<(usize, [i32; 3])> {
        let middle: [f64; 3] = cells.map(|n| n as f64 / 2.0);
        let from_middle = |x: [f64; 3]| {
            let step = crystal.lattice().to_cartesian(std::array::from_fn(|k| x[k] - middle[k]));
            step.iter().map(|d| d * d).sum::<f64>()
        };
        let mut sites = Vec::new();
        for kind in self.kinds() {
            let places = kind.members.iter().filter_map(|channel| {
                let path = channel.paths.first().filter(|p| parallel(p.vector, axis))?;
                let shift = shifts(narrowest(path), cells).into_iter().min_by(|a, b| {
                    let [a, b] = [a, b].map(|n| from_middle(moved(narrowest(path), *n)));
                    a.total_cmp(&b)
                })?;
                Some((from_middle(moved(narrowest(path), shift)), shift, channel.ring.as_ref()?, path.vector))
            });
            if let Some((_, shift, ring, vector)) = places.min_by(|a, b| a.0.total_cmp(&b.0)) {
                sites.extend(ring.sites.iter().map(|&(site, image)| {
                    // A ring stands for all its images along the channel: take the one within the cells.
                    let at = std::array::from_fn(|k| image[k] + shift[k]);
                    let x = moved(crystal.frac_coords()[site as usize], at);
                    let pivot = (0..3).find(|&k| vector[k] != 0).unwrap_or(0);
                    let back = (x[pivot] / f64::from(vector[pivot])).floor() as i32;
                    (site as usize, std::array::from_fn(|k| at[k] - back * vector[k]))
                }));
            }
        }
        sites
    }

    /// What stands under the picture, a line for every kind.
    pub(crate) fn words(&self) -> Vec<String> {
        let kinds = self.kinds();
        if kinds.is_empty() {
            return vec![format!(
                "No channel lets a sphere of radius {} Å through ({} radii).",
                self.probe, self.radii
            )];
        }
        kinds.iter().map(|k| k.words(self.radii)).collect()
    }
}

impl Kind<'_> {
    fn words(&self, radii: &str) -> String {
        let channel = self.members[0];
        let mut text = format!("{}: a sphere of radius {:.2} Å passes", self.letter, channel.bottleneck_radius);
        text += &match channel.dimensionality {
            1 => format!(" along [{}]", labels::indices(&channel.axis)),
            n => format!(" in {n} directions"),
        };
        text += &format!(" ({radii} radii)");
        if let Some(ring) = &channel.ring {
            text += &format!("; {} ring, {}", ring.name(), labels::formula(&ring.formula()));
        }
        if let Some(area) = channel.area {
            text += &format!("; window {area:.1} Å²");
        }
        if self.members.len() > 1 {
            text += &format!("; {} in the cell", self.members.len());
        }
        text
    }
}

/// Where the channels are drawn.
pub(super) struct Page<'a> {
    /// The crystal of the picture, and its cells along a, b and c.
    pub crystal: &'a Structure,
    /// Cells along a, b and c.
    pub cells: [usize; 3],
    /// The direction of the view.
    pub axis: [i32; 3],
    /// px to the Å.
    pub scale: f64,
    /// Place in px of a point in Cartesian Å.
    pub place: &'a dyn Fn([f64; 3]) -> [f64; 2],
    /// Places in px of the atoms that are drawn.
    pub atoms: &'a [[f64; 2]],
}

impl Page<'_> {
    /// Draw all kinds.
    pub fn draw(&self, picture: &mut Picture, kinds: &[Kind]) {
        for kind in kinds {
            // What is the same at several depths is drawn once.
            let mut taken = HashSet::new();
            for channel in &kind.members {
                if let Some(path) = channel.paths.first().filter(|p| parallel(p.vector, self.axis)) {
                    self.circles(picture, kind.letter, channel, path, &mut taken);
                } else {
                    channel.paths.iter().for_each(|path| self.bands(picture, path, &mut taken));
                }
            }
        }
    }

    fn circles(
        &self,
        picture: &mut Picture,
        letter: char,
        channel: &Channel,
        path: &ChannelPath,
        taken: &mut HashSet<Vec<[i64; 2]>>,
    ) {
        let middle = narrowest(path);
        let radius = path.radius * self.scale;
        for shift in shifts(middle, self.cells) {
            let at = self.point(moved(middle, shift));
            if !taken.insert(rounded(&[at])) {
                continue;
            }
            let frac = self.crystal.frac_coords();
            let corner = |&(site, image): &(u32, [i32; 3])| self.point(moved(moved(frac[site as usize], image), shift));
            let ring = channel.ring.as_ref().map(|ring| ring.sites.iter().map(corner).collect::<Vec<_>>());
            // A ring stands out only where its atoms are in the picture.
            let drawn = |p: &[f64; 2]| self.atoms.iter().any(|a| (a[0] - p[0]).hypot(a[1] - p[1]) < 1.0);
            if let Some(ring) = ring.filter(|ring| ring.iter().all(drawn)) {
                let line = format!("fill=\"none\" stroke=\"{COLOUR}\" stroke-width=\"1.6\" stroke-dasharray=\"5 4\"");
                picture.polygon(&ring, &line);
            }
            let disc = format!("fill=\"{COLOUR}\" fill-opacity=\"0.22\" stroke=\"{COLOUR}\" stroke-width=\"1.3\"");
            picture.circle(at, radius, &disc);
            // Beside the middle, through which the edges of a cell often go.
            let size = (0.8 * radius).clamp(8.0, 14.0);
            let beside = [at[0] + 0.36 * radius, at[1] - 0.12 * radius];
            picture.text(beside, size, Anchor::Middle, "fill=\"#003F66\"", &letter.to_string());
        }
    }

    /// One period of the path from each of its places in the cells.
    fn bands(&self, picture: &mut Picture, path: &ChannelPath, taken: &mut HashSet<Vec<[i64; 2]>>) {
        for shift in shifts(narrowest(path), self.cells) {
            let points: Vec<[f64; 2]> = path.nodes.iter().map(|&(x, _)| self.point(moved(x, shift))).collect();
            if !taken.insert(rounded(&points)) {
                continue;
            }
            let points: Vec<String> = points.iter().map(|[x, y]| format!("{x:.2},{y:.2}")).collect();
            picture.raw(&format!(
                "<polyline points=\"{}\" fill=\"none\" stroke=\"{COLOUR}\" stroke-opacity=\"0.22\" stroke-linejoin=\"round\" \
                 stroke-width=\"{:.2}\"/>",
                points.join(" "),
                2.0 * path.radius * self.scale
            ));
        }
    }

    fn point(&self, frac: [f64; 3]) -> [f64; 2] {
        (self.place)(self.crystal.lattice().to_cartesian(frac))
    }
}

/// The lattice translations that bring a point into the cells or onto their faces.
fn shifts(x: [f64; 3], cells: [usize; 3]) -> Vec<[i32; 3]> {
    const ON_FACE: f64 = 1e-3;
    let range = |k: usize| ((-ON_FACE - x[k]).ceil() as i32)..=((cells[k] as f64 + ON_FACE - x[k]).floor() as i32);
    let mut all = Vec::new();
    for n0 in range(0) {
        for n1 in range(1) {
            all.extend(range(2).map(|n2| [n0, n1, n2]));
        }
    }
    all
}

/// Points to the px.
fn rounded(points: &[[f64; 2]]) -> Vec<[i64; 2]> {
    points.iter().map(|p| p.map(|x| x.round() as i64)).collect()
}

/// Where the path is narrowest.
pub(super) fn narrowest(path: &ChannelPath) -> [f64; 3] {
    path.nodes.iter().min_by(|a, b| a.1.total_cmp(&b.1)).map_or([0.0; 3], |&(x, _)| x)
}

fn moved(x: [f64; 3], by: [i32; 3]) -> [f64; 3] {
    std::array::from_fn(|k| x[k] + f64::from(by[k]))
}

/// Whether two directions are one, forwards or backwards.
fn parallel(u: [i32; 3], v: [i32; 3]) -> bool {
    (0..3).all(|k| u[k] * v[(k + 1) % 3] == u[(k + 1) % 3] * v[k])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn directions_along_one_line_are_parallel() {
        assert!(parallel([0, 0, 1], [0, 0, -2]) && parallel([1, -1, 0], [2, -2, 0]));
        assert!(!parallel([1, 0, 0], [0, 1, 0]) && !parallel([1, 1, 0], [1, 1, 1]));
    }
}

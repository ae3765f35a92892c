//! m x n tunnels: walls of edge-sharing octahedra, m and n wide, that meet at their corners, as in rutile (1 x 1), hollandite (2 x 2),
//! romanechite (2 x 3) and todorokite (3 x 3); S. Turner & P. R. Buseck, *Science* **212** (1981) 1024.
//!
//! A wall is a strip of a CdI2 layer. Its chains of octahedra run along c, each half a period beside the next. Seen along c the corners
//! at its ends are of two kinds: one of a single bond, and one of two, on top of each other. Where walls meet each kind lies on the other,
//! so that every anion has three bonds. That fixes the lattice, for walls at right angles: with the ends `single` and `double` of a
//! wall, seen from its centre, the walls across lie at ±(single + R double) and ±(double - R single), R a quarter turn. Octahedra have six
//! equal bonds, and are stretched along the edges that they share, across which cations repel each other.

use crystal::Lattice;

use super::net::{Net, Octahedron};

/// Distance of cations across a shared edge, over √2 bonds. Rutile, c = 2.959 Å, and hollandite MnO2, c = 2.847 Å, both have 1.065 with
/// the bonds of Shannon's radii.
const STRETCH: f64 = 1.065;

/// A wall of `width` octahedra, seen from its centre, in bonds.
struct Wall {
    width: usize,
}

/// The projection of an octahedron of unit bonds: along the wall from the centre to its corners of two bonds, to those of one, and the
/// height of both above the wall's middle.
struct Profile {
    double: f64,
    single: f64,
    height: f64,
}

impl Profile {
    fn of_unit_bonds() -> Self {
        // The triangle above the middle of a layer: an edge along c and the corner across.
        let radius = STRETCH * (2.0_f64 / 3.0).sqrt();
        Self { double: radius / 2.0, single: radius, height: (1.0 - radius * radius).sqrt() }
    }

    /// Distance of two chains.
    fn spacing(&self) -> f64 {
        self.single + self.double
    }
}

impl Wall {
    /// Where the octahedron `k` of the wall stands.
    fn along(&self, k: usize, profile: &Profile) -> f64 {
        (k as f64 - (self.width - 1) as f64 / 2.0) * profile.spacing()
    }

    /// The end of a single bond, at the height of the first octahedron.
    fn single(&self, profile: &Profile) -> [f64; 2] {
        [self.along(0, profile) - profile.single, profile.height]
    }

    /// The end of two bonds, at half a period from the last octahedron.
    fn double(&self, profile: &Profile) -> [f64; 2] {
        [self.along(self.width - 1, profile) + profile.double, profile.height]
    }

    /// Its octahedra: directions along and across the wall, the place of its centre, and the height of the first along c in periods.
    fn octahedra(&self, profile: &Profile, turned: bool, center: [f64; 2], height: f64, bond: f64) -> Vec<Octahedron> {
        let period = period();
        let turn = |[x, y]: [f64; 2]| if turned { quarter([x, y]) } else { [x, y] };
        let place = |flat: [f64; 2], z: f64| [flat[0] * bond, flat[1] * bond, z * bond];
        let bonds = [1.0, -1.0].map(|side| {
            let double = turn([side * profile.double, side * profile.height]);
            let single = turn([-side * profile.single, side * profile.height]);
            [place(double, period / 2.0), place(double, -period / 2.0), place(single, 0.0)]
        });
        let [[a, b, c], [d, e, f]] = bonds;
        let one = |k: usize| {
            let at = turn([self.along(k, profile), 0.0]);
            let flat = [center[0] + at[0], center[1] + at[1]];
            Octahedron { center: place(flat, (height + k as f64 / 2.0) * period), bonds: [a, b, c, d, e, f] }
        };
        (0..self.width).map(one).collect()
    }
}

/// The period along c, in bonds.
fn period() -> f64 {
    STRETCH * 2.0_f64.sqrt()
}

/// How far the vector of the cell rises that leads along walls beside those of `width`, in periods.
fn half(width: usize) -> f64 {
    (width + 1) as f64 / 2.0 % 1.0
}

fn quarter([x, y]: [f64; 2]) -> [f64; 2] {
    [-y, x]
}

fn sum(a: [f64; 2], b: [f64; 2]) -> [f64; 2] {
    [a[0] + b[0], a[1] + b[1]]
}

fn difference(a: [f64; 2], b: [f64; 2]) -> [f64; 2] {
    [a[0] - b[0], a[1] - b[1]]
}

/// The primitive cell of m x n tunnels with bonds of `bond` Å.
pub(super) fn net(m: usize, n: usize, bond: f64) -> Result<Net, crystal::CrystalError> {
    let profile = Profile::of_unit_bonds();
    let (wall, across) = (Wall { width: m }, Wall { width: n });
    let first = sum(wall.single(&profile), quarter(across.double(&profile)));
    let second = difference(wall.double(&profile), quarter(across.single(&profile)));
    let row = |flat: [f64; 2], z: f64| [flat[0] * bond, flat[1] * bond, z * period() * bond];
    let cell = Lattice::new([
        row(sum(first, second), half(n)),
        row(difference(first, second), half(m)),
        [0.0, 0.0, period() * bond],
    ])?;
    let mut octahedra = wall.octahedra(&profile, false, [0.0; 2], 0.0, bond);
    octahedra.extend(across.octahedra(&profile, true, first, 0.5, bond));
    Ok(Net { octahedra, ideal: cell, cell })
}

/// Places on the axes of m x n and of 1 x 1 tunnels, which differ in the crystal, on the mirror planes that hold all atoms: fractions of
/// the cell.
pub(super) fn axes(m: usize, n: usize) -> impl Iterator<Item = [f64; 3]> {
    [([0.5, 0.0], n), ([0.0, 0.5], m)].into_iter().flat_map(|([a, b], width)| {
        // Half a vector that rises by half a period is a quarter of one above the plane.
        let plane = -half(width) / 2.0;
        [0.0, 0.5].map(|z| [a, b, z + plane])
    })
}

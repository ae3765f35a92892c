//! The periodic power diagram (radical Voronoi tessellation) of a crystal.
//!
//! The power cell of site i holds the points p for which |p - x_i|² - R_i² is least among all sites and their images; with
//! equal radii it is the ordinary Voronoi cell. Cells are convex, meet face to face and fill space, so their volumes sum
//! to that of the lattice cell. That is checked for every crystal.
//!
//! Each cell starts as the Voronoi cell of the lattice, which the site's own images cut out, and is cut by its neighbours
//! from near to far. A generator further off than r + √(r² + R_max² - R_i²), r being the distance of the farthest corner,
//! cannot cut any more. Where the neighbours listed do not reach that far (pores, molecules, slabs), each corner in doubt looks up the
//! generator nearest to it: if none is nearer than site i the corner is final, else that generator cuts. A cell is done when all its
//! corners are: there is no search radius to choose.

pub(super) mod closest;
mod network;
mod polyhedron;

pub use network::{Link, Network, Node};

use crate::FeatureError;
use closest::Sites;
use crystal::{Lattice, Structure, Superbase, neighbors, norm};
use polyhedron::{Outcome, Polyhedron, Torn};

/// Corners this near a plane, as a part of the cell's size, are on it: ten thousand times the rounding of coordinates.
/// Where two features of a crystal straddle it, the next one is tried.
const TOLERANCES: [f64; 5] = [1e-11, 1e-13, 1e-10, 1e-12, 1e-9];
/// The volumes of the cells sum to that of the lattice cell within this part of it.
const VOLUME: f64 = 1e-9;
/// Neighbours listed for each site at first, on the average. Cells of crystals need 20 to 40.
const LISTED: f64 = 40.0;
/// Most comparisons of corners in doubt with generators: some seconds. Crystals without vacuum need none.
const MAX_COMPARISONS: u64 = 200_000_000;
/// Generators nearer than this, Å, are one point.
const SAME_POINT: f64 = 1e-9;

/// The power cells of a crystal, one for each site, in the order of the sites.
#[derive(Debug, Clone, PartialEq)]
pub struct Tessellation {
    /// `cells[i]` belongs to site i.
    pub cells: Vec<Cell>,
}

/// A convex polyhedron around a site. With unlike radii it need not contain its site, and may be empty.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Cell {
    /// The site.
    pub center: usize,
    /// Å³; 0 where other cells leave nothing.
    pub volume: f64,
    /// Ordered by neighbour and image. None where the cell is empty.
    pub faces: Vec<Face>,
    /// Cartesian, Å, relative to the site.
    pub vertices: Vec<[f64; 3]>,
    /// Pairs of `vertices`, the smaller index first.
    pub edges: Vec<(u32, u32)>,
}

/// What a cell shares with the cell of one neighbour.
#[derive(Debug, Clone, PartialEq)]
pub struct Face {
    /// The neighbour's site.
    pub neighbor: usize,
    /// Its lattice translation: it sits at `frac_coords[neighbor] + image`.
    pub image: [i32; 3],
    /// From site to neighbour, Å.
    pub distance: f64,
    /// Å².
    pub area: f64,
    /// Solid angle of the face at the site, sr; negative where the site is beyond it. They sum to 4π, or to 0 for a site outside its cell.
    pub solid_angle: f64,
    /// Corners in order, counter-clockwise seen from the neighbour; indices into [`Cell::vertices`].
    pub vertices: Vec<u32>,
}

/// The power diagram of `structure`, `radii` in Å, one per site (all equal: the Voronoi diagram). Of sites on one point
/// the largest has the cell, or else the first.
///
/// # Errors
/// A number of radii other than that of sites, a radius that is negative or not finite, thousands of sites at the border of a
/// void wider than any pore, or cells whose volumes do not sum to that of the lattice cell within 1e-9 of it.
pub fn tessellate(structure: &Structure, radii: &[f64]) -> Result<Tessellation, FeatureError> {
    if radii.len() != structure.len() {
        return Err(FeatureError::Argument(format!("{} radii for {} sites", radii.len(), structure.len())));
    }
    if let Some(r) = radii.iter().find(|r| !(r.is_finite() && **r >= 0.0)) {
        return Err(FeatureError::Argument(format!("radius {r} Å is not a length")));
    }
    let generators = Generators::new(structure, radii)?;
    let mut filled = f64::NAN;
    for tolerance in TOLERANCES {
        if let Ok(cells) = generators.cells(tolerance) {
            filled = cells.iter().map(|c| c.volume).sum();
            if (filled - structure.volume()).abs() <= VOLUME * structure.volume() {
                return Ok(Tessellation { cells });
            }
        }
        if generators.comparisons.get() > MAX_COMPARISONS {
            return Err(FeatureError::Undefined(format!(
                "the cells of {} sites reach too far into empty space: over {MAX_COMPARISONS} comparisons of their corners with sites",
                structure.len()
            )));
        }
    }
    Err(FeatureError::Tessellation { filled, volume: structure.volume() })
}

/// The crystal in its most compact cell.
struct Generators<'a> {
    base: Superbase,
    structure: Structure,
    radii: &'a [f64],
    largest: f64,
    /// Up to where all neighbours are listed, Å.
    reach: f64,
    sites: Sites,
    /// How often a corner was compared with a generator so far.
    comparisons: std::cell::Cell<u64>,
}

/// One that bounds the cell being cut; `image` in the compact cell's basis.
#[derive(Clone, Copy)]
struct Generator {
    site: usize,
    image: [i32; 3],
    distance: f64,
}

impl<'a> Generators<'a> {
    fn new(given: &Structure, radii: &'a [f64]) -> Result<Self, FeatureError> {
        let base = Superbase::of(given.lattice());
        let frac = given.frac_coords().iter().map(|&x| base.fractions(x)).collect();
        let lattice = Lattice::new(base.rows)?;
        let structure = given.in_basis(lattice, frac);
        let per_site = structure.volume() / structure.len() as f64;
        Ok(Self {
            base,
            largest: radii.iter().copied().fold(0.0, f64::max),
            radii,
            reach: (LISTED * per_site * 0.75 / std::f64::consts::PI).cbrt(),
            sites: Sites::new(&structure),
            comparisons: std::cell::Cell::new(0),
            structure,
        })
    }

    /// All cells, corners within `tolerance` of a plane being on it.
    fn cells(&self, tolerance: f64) -> Result<Vec<Cell>, Torn> {
        let (lattice_cell, own) = self.lattice_cell(tolerance)?;
        let pairs = neighbors(&self.structure, self.reach);
        let (mut cell, mut bounds, mut order) = (Polyhedron::default(), Vec::new(), Vec::new());
        let mut next = 0;
        (0..self.structure.len())
            .map(|i| {
                cell.copy(&lattice_cell);
                bounds.clear();
                order.clear();
                while next < pairs.len() && pairs.center[next] as usize == i {
                    if pairs.neighbor[next] as usize != i {
                        order.push((pairs.distance[next], next));
                    }
                    next += 1;
                }
                order.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
                bounds.extend(own.iter().map(|g| Generator { site: i, ..*g }));
                let mut cutter = Cutter { all: self, i, tolerance, cell: &mut cell, bounds: &mut bounds };
                let listed = order.iter().map(|&(distance, k)| Generator {
                    site: pairs.neighbor[k] as usize,
                    image: pairs.image[k],
                    distance,
                });
                if !cutter.by_neighbors(listed)? {
                    cutter.by_corners()?;
                }
                Ok(cutter.finish())
            })
            .collect()
    }

    /// The Voronoi cell of the lattice and the images that bound it.
    fn lattice_cell(&self, tolerance: f64) -> Result<(Polyhedron, Vec<Generator>), Torn> {
        let lattice = self.structure.lattice();
        let mut cell = Polyhedron::cube(lattice.rows().iter().map(|&row| norm(row)).sum());
        let mut own: Vec<Generator> = Superbase::voronoi_vectors()
            .map(|image| Generator { site: 0, image, distance: norm(lattice.to_cartesian(image.map(f64::from))) })
            .collect();
        own.sort_by(|a, b| a.distance.total_cmp(&b.distance));
        for (label, g) in own.iter().enumerate() {
            let normal = lattice.to_cartesian(g.image.map(f64::from)).map(|x| x / g.distance);
            cell.cut(normal, g.distance / 2.0, label as u32, tolerance)?;
        }
        Ok((cell, own))
    }

    /// From site i to a generator, Å.
    fn step(&self, i: usize, g: Generator) -> [f64; 3] {
        let frac = self.structure.frac_coords();
        let step = std::array::from_fn(|k| frac[g.site][k] + f64::from(g.image[k]) - frac[i][k]);
        self.structure.lattice().to_cartesian(step)
    }
}

/// The cell of site `i` while it is cut.
struct Cutter<'a> {
    all: &'a Generators<'a>,
    i: usize,
    tolerance: f64,
    cell: &'a mut Polyhedron,
    /// By the labels of the cell's planes.
    bounds: &'a mut Vec<Generator>,
}

impl Cutter<'_> {
    /// Cuts by neighbours from near to far; true where no generator beyond those listed can cut any more.
    fn by_neighbors(&mut self, listed: impl Iterator<Item = Generator>) -> Result<bool, Torn> {
        for g in listed {
            if g.distance > self.security() {
                return Ok(true);
            }
            self.cut(g)?;
        }
        if self.security() <= self.all.reach {
            return Ok(true);
        }
        let (spread, reach) = (self.spread(), self.all.reach);
        for corner in self.cell.corners_mut() {
            let r = norm(corner.at);
            corner.sealed = r + (r * r + spread).sqrt() <= reach;
        }
        Ok(false)
    }

    /// Cuts by the generator nearest to each corner, until every corner is nearest to the site.
    fn by_corners(&mut self) -> Result<(), Torn> {
        let r2 = self.all.radii[self.i].powi(2);
        while let Some(k) = self.cell.corners_mut().iter().position(|c| !c.sealed) {
            let compared = self.all.comparisons.get() + self.all.radii.len() as u64;
            self.all.comparisons.set(compared);
            if compared > MAX_COMPARISONS {
                return Err(Torn);
            }
            let corner = &mut self.cell.corners_mut()[k];
            corner.sealed = true;
            let at = corner.at;
            let power = norm(at).powi(2) - r2;
            // A corner on a face may be slightly beyond it; its generator has already cut.
            let has_cut = |g: &(usize, [i32; 3])| self.bounds.iter().any(|b| (b.site, b.image) == *g);
            let nearest = self.all.sites.nearest(self.i, at, power, self.all.radii);
            if let Some((site, image)) = nearest.filter(|g| !has_cut(g)) {
                let mut g = Generator { site, image, distance: 0.0 };
                g.distance = norm(self.all.step(self.i, g));
                self.cut(g)?;
            }
        }
        Ok(())
    }

    /// Largest square of a radius less that of site i.
    fn spread(&self) -> f64 {
        self.all.largest.powi(2) - self.all.radii[self.i].powi(2)
    }

    /// Beyond this distance no generator can cut, Å.
    fn security(&self) -> f64 {
        let r = self.cell.farthest();
        if r == 0.0 { 0.0 } else { r + (r * r + self.spread()).sqrt() }
    }

    fn cut(&mut self, g: Generator) -> Result<Outcome, Torn> {
        let (r, other, d) = (self.all.radii[self.i], self.all.radii[g.site], g.distance);
        if d < SAME_POINT {
            if other > r || (other == r && g.site < self.i) {
                self.cell.clear();
                return Ok(Outcome::Emptied);
            }
            return Ok(Outcome::Missed);
        }
        let height = (d * d + r * r - other * other) / (2.0 * d);
        if height >= self.cell.farthest() {
            return Ok(Outcome::Missed);
        }
        let normal = self.all.step(self.i, g).map(|x| x / d);
        let label = self.bounds.len() as u32;
        let cut = self.cell.cut(normal, height, label, self.tolerance)?;
        if cut == Outcome::Cut {
            self.bounds.push(g);
        }
        Ok(cut)
    }

    /// The finished cell, in the basis of the lattice given.
    fn finish(&self) -> Cell {
        let mut cell = Cell { center: self.i, ..Cell::default() };
        let mut names = vec![u32::MAX; self.cell.len()];
        for (label, ring) in self.cell.faces() {
            let mut vertices = Vec::with_capacity(ring.len());
            for &corner in ring {
                let name = &mut names[corner as usize];
                if *name == u32::MAX {
                    *name = cell.vertices.len() as u32;
                    cell.vertices.push(self.cell.at(corner));
                }
                vertices.push(*name);
            }
            // Each edge runs forward in one of its two faces and back in the other.
            let ends = vertices.iter().zip(vertices.iter().cycle().skip(1));
            cell.edges.extend(ends.filter(|(u, v)| u < v).map(|(&u, &v)| (u, v)));
            cell.volume += self.cell.cone(ring);
            let g = self.bounds[label as usize];
            cell.faces.push(Face {
                neighbor: g.site,
                image: self.all.base.image(g.image),
                distance: g.distance,
                area: self.cell.area(ring),
                solid_angle: self.cell.solid_angle(ring),
                vertices,
            });
        }
        cell.faces.sort_unstable_by_key(|f| (f.neighbor, f.image));
        cell
    }
}

#[cfg(test)]
mod tests;

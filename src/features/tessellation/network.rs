//! The edges and corners of a power diagram as one periodic graph.
//!
//! A corner belongs to four cells or more, and each has computed it for itself; an edge belongs to three or more. Corners
//! that coincide modulo the lattice become one node: nodes gather all corners within reach of one another, so that a
//! vertex split by rounding is whole again and no path is lost.

use super::Tessellation;
use crystal::{Structure, add, norm, sub};

/// Corners this near one another are one node, as a part of the edge of a cube that holds one site on the average.
const MERGE: f64 = 1e-6;

/// The distinct corners of a diagram modulo the lattice, and its distinct edges.
#[derive(Debug, Clone, PartialEq)]
pub struct Network {
    /// In the order of the cells in which they first occur.
    pub nodes: Vec<Node>,
    /// Each edge once, ordered by `from`, `to` and `image`.
    pub edges: Vec<Link>,
}

/// A corner of the diagram: a point of equal power with respect to all its generators.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// Fractional coordinates in [0, 1).
    pub frac: [f64; 3],
    /// The generators whose cells meet there: site, and the image of it seen from `frac`. Four or more, ascending.
    pub sites: Vec<(u32, [i32; 3])>,
}

/// An edge of the diagram.
#[derive(Debug, Clone, PartialEq)]
pub struct Link {
    /// One end; never larger than `to`.
    pub from: u32,
    /// The other end.
    pub to: u32,
    /// It runs from `nodes[from].frac` to `nodes[to].frac + image`.
    pub image: [i32; 3],
    /// The generators around it, as seen from `nodes[from].frac`. Three or more, ascending.
    pub sites: Vec<(u32, [i32; 3])>,
}

type Image = [i32; 3];

impl Tessellation {
    /// The network of the diagram of `structure`, the crystal that was tessellated.
    pub fn network(&self, structure: &Structure) -> Network {
        let corners = Corners::new(self, structure);
        let places = corners.gather(structure);
        let node = |&c: &u32| Node { frac: corners.frac[c as usize], sites: Vec::new() };
        let mut nodes: Vec<Node> = places.leaders.iter().map(node).collect();
        let mut links = Vec::new();
        let mut first = 0;
        for cell in &self.cells {
            let places = &places.of[first..first + cell.vertices.len()];
            first += cell.vertices.len();
            for &(node, at) in places {
                nodes[node as usize].sites.push((cell.center as u32, sub([0; 3], at)));
            }
            for face in &cell.faces {
                for &v in &face.vertices {
                    let (node, at) = places[v as usize];
                    nodes[node as usize].sites.push((face.neighbor as u32, sub(face.image, at)));
                }
            }
            for &(u, v) in &cell.edges {
                let ((from, at), (to, reached)) = (places[u as usize], places[v as usize]);
                let [there, back] = [sub(reached, at), sub(at, reached)];
                links.push(if (from, back) < (to, there) { (from, to, there) } else { (to, from, back) });
            }
        }
        for node in &mut nodes {
            node.sites.sort_unstable();
            node.sites.dedup();
        }
        links.sort_unstable();
        links.dedup();
        // An edge within one node is a point.
        links.retain(|&(from, to, image)| from != to || image != [0; 3]);
        // What has equal power at both ends has it all along the edge.
        let common = |(from, to, image): (u32, u32, Image)| {
            let far = &nodes[to as usize].sites;
            let shared = |s: &&(u32, Image)| far.binary_search(&(s.0, sub(s.1, image))).is_ok();
            nodes[from as usize].sites.iter().filter(shared).copied().collect()
        };
        let edges = links.iter().map(|&l| Link { from: l.0, to: l.1, image: l.2, sites: common(l) }).collect();
        Network { nodes, edges }
    }
}

/// All corners of all cells, wrapped into the lattice cell.
struct Corners {
    /// In [0, 1).
    frac: Vec<[f64; 3]>,
    /// What was taken off.
    whole: Vec<Image>,
}

/// Where each corner went.
struct Places {
    /// The corner that gives each node its coordinates.
    leaders: Vec<u32>,
    /// Node and image of each corner.
    of: Vec<(u32, Image)>,
}

impl Corners {
    fn new(tessellation: &Tessellation, structure: &Structure) -> Self {
        let (mut frac, mut whole) = (Vec::new(), Vec::new());
        for cell in &tessellation.cells {
            let site = structure.frac_coords()[cell.center];
            for &v in &cell.vertices {
                let step = structure.lattice().to_fractional(v);
                let x: [f64; 3] = std::array::from_fn(|k| site[k] + step[k]);
                // A value just below zero rounds up to 1 when its floor, -1, is taken off.
                let below = x.map(|x| if x - x.floor() < 1.0 { x.floor() } else { x.floor() + 1.0 });
                frac.push(std::array::from_fn(|k| (x[k] - below[k]).max(0.0)));
                whole.push(below.map(|n| n as i32));
            }
        }
        Self { frac, whole }
    }

    /// Joins corners that lie within reach of one another, by way of others too.
    fn gather(&self, structure: &Structure) -> Places {
        let reach = MERGE * (structure.volume() / structure.len() as f64).cbrt();
        let grid = Grid::new(&self.frac, structure.lattice().plane_spacings().map(|h| reach / h));
        let mut places = Places { leaders: Vec::new(), of: vec![(u32::MAX, [0; 3]); self.frac.len()] };
        let mut queue = Vec::new();
        for c in 0..self.frac.len() {
            if places.of[c].0 != u32::MAX {
                continue;
            }
            let node = places.leaders.len() as u32;
            places.leaders.push(c as u32);
            places.of[c] = (node, [0; 3]);
            queue.push(c);
            while let Some(p) = queue.pop() {
                let from = places.of[p].1;
                grid.around(self.frac[p], |q| {
                    if places.of[q].0 != u32::MAX {
                        return;
                    }
                    let apart: [f64; 3] = std::array::from_fn(|k| self.frac[q][k] - self.frac[p][k]);
                    let border = apart.map(f64::round);
                    let short = std::array::from_fn(|k| apart[k] - border[k]);
                    if norm(structure.lattice().to_cartesian(short)) <= reach {
                        places.of[q] = (node, add(from, border.map(|n| n as i32)));
                        queue.push(q);
                    }
                });
            }
        }
        // So far relative to wrapped corners.
        for (place, &whole) in places.of.iter_mut().zip(&self.whole) {
            place.1 = add(place.1, whole);
        }
        places
    }
}

/// Corners by bins, in chains.
struct Grid {
    bins: usize,
    reach: [f64; 3],
    head: Vec<u32>,
    next: Vec<u32>,
}

impl Grid {
    fn new(frac: &[[f64; 3]], reach: [f64; 3]) -> Self {
        let bins = (frac.len() as f64 / 4.0).cbrt().ceil().max(1.0) as usize;
        let mut grid = Self { bins, reach, head: vec![u32::MAX; bins.pow(3)], next: Vec::with_capacity(frac.len()) };
        for (c, &x) in frac.iter().enumerate() {
            let bin = grid.index(x.map(|x| grid.bin(x)));
            grid.next.push(std::mem::replace(&mut grid.head[bin], c as u32));
        }
        grid
    }

    /// Bins are laid around the border of the cell, where symmetric crystals have their corners, not along it.
    fn bin(&self, x: f64) -> usize {
        ((x + 0.37 / self.bins as f64).rem_euclid(1.0) * self.bins as f64) as usize % self.bins
    }

    fn index(&self, [a, b, c]: [usize; 3]) -> usize {
        (a * self.bins + b) * self.bins + c
    }

    /// Every corner in the bins within reach of x.
    fn around(&self, x: [f64; 3], mut visit: impl FnMut(usize)) {
        let near = |k: usize| {
            let [low, high] = [x[k] - self.reach[k], x[k] + self.reach[k]].map(|x| self.bin(x));
            std::iter::once(low).chain((high != low).then_some(high))
        };
        for a in near(0) {
            for b in near(1) {
                for c in near(2) {
                    let mut at = self.head[self.index([a, b, c])];
                    while at != u32::MAX {
                        visit(at as usize);
                        at = self.next[at as usize];
                    }
                }
            }
        }
    }
}

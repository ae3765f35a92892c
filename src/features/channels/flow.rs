//! To which node of the network an open point belongs.
//!
//! In the power cell of atom i only its own ball is closed. From a point of the cell outside that ball go straight away
//! from the atom to a face, from there straight away from the atom's foot on the face to an edge, from there away from
//! the foot on the edge to a corner. The distance to the atom never falls, so the ball is never met: the point and the
//! corner lie in one connected part of the space outside all balls.

use super::{around::images_near, cross, dot, minus, norm};
use crate::tessellation::{Cell, Network, Tessellation};
use crystal::Structure;

/// The tessellation of the radii grown by a probe, to find the way of points in it.
pub(super) struct Flow<'a> {
    structure: &'a Structure,
    radii: Vec<f64>,
    tessellation: &'a Tessellation,
    nodes: Vec<Vec<u32>>,
}

impl<'a> Flow<'a> {
    pub fn new(
        structure: &'a Structure,
        radii: &[f64],
        probe: f64,
        tessellation: &'a Tessellation,
        network: &Network,
    ) -> Self {
        let nodes = corner_nodes(structure, tessellation, network);
        Self { structure, radii: radii.iter().map(|r| r + probe).collect(), tessellation, nodes }
    }

    /// The node to which the open point `p` (Cartesian) leads.
    pub fn corner(&self, p: [f64; 3]) -> Option<u32> {
        // The cell of p is that of the least power; an empty sphere around p is no larger than the crystal's widest.
        let power = |site: usize, x: [f64; 3]| {
            let d = minus(p, x);
            dot(d, d) - self.radii[site].powi(2)
        };
        let reach = self.tessellation.cells.iter().flat_map(|c| &c.vertices).map(|&v| norm(v)).fold(0.0, f64::max);
        let images = images_near(self.structure, p, reach + 1e-6);
        let (site, _, x) = images.into_iter().min_by(|a, b| power(a.0, a.2).total_cmp(&power(b.0, b.2)))?;
        let cell = &self.tessellation.cells[site];
        let corner = self.corner_of_cell(cell, minus(p, x))?;
        Some(self.nodes[site][corner as usize])
    }

    /// The corner to which a point of the cell leads; the point relative to the cell's atom.
    fn corner_of_cell(&self, cell: &Cell, p: [f64; 3]) -> Option<u32> {
        let ball = self.radii[cell.center];
        let frac = self.structure.frac_coords();
        let planes = cell.faces.iter().map(|face| {
            let step =
                std::array::from_fn(|k| frac[face.neighbor][k] + f64::from(face.image[k]) - frac[cell.center][k]);
            let normal = self.structure.lattice().to_cartesian(step).map(|x| x / face.distance);
            let other = self.radii[face.neighbor];
            (face, normal, (face.distance.powi(2) + ball * ball - other * other) / (2.0 * face.distance))
        });
        // The face through which the ray from the atom leaves the cell.
        let leaving = planes.filter(|(_, n, _)| dot(*n, p) > 0.0);
        let (face, normal, height) = leaving.min_by(|a, b| (a.2 / dot(a.1, p)).total_cmp(&(b.2 / dot(b.1, p))))?;
        let foot = normal.map(|x| x * height);
        let q = p.map(|x| x * height / dot(normal, p));
        let away = minus(q, foot);
        // The edge through which the ray from the foot leaves the face: the nearest ahead whose outer side it faces.
        let mut nearest = (f64::INFINITY, None);
        for (&u, &v) in face.vertices.iter().zip(face.vertices.iter().cycle().skip(1)) {
            let (a, b) = (minus(cell.vertices[u as usize], foot), minus(cell.vertices[v as usize], foot));
            let along = minus(b, a);
            let outwards = cross(along, normal);
            let facing = dot(outwards, away);
            if facing > 0.0 {
                let t = dot(outwards, a) / facing;
                if t < nearest.0 {
                    let r = away.map(|x| x * t);
                    nearest = (t, Some(if dot(r, along) < 0.0 { u } else { v }));
                }
            }
        }
        nearest.1
    }
}

/// The node at each corner of each cell.
pub(super) fn corner_nodes(structure: &Structure, tessellation: &Tessellation, network: &Network) -> Vec<Vec<u32>> {
    // The nodes around each site, relative to it.
    let mut around: Vec<Vec<(u32, [f64; 3])>> = vec![Vec::new(); structure.len()];
    for (n, node) in network.nodes.iter().enumerate() {
        for &(site, image) in &node.sites {
            let x = structure.frac_coords()[site as usize];
            let step = std::array::from_fn(|k| node.frac[k] - x[k] - f64::from(image[k]));
            around[site as usize].push((n as u32, structure.lattice().to_cartesian(step)));
        }
    }
    let node = |site: usize, v: [f64; 3]| {
        let apart = |p: [f64; 3]| norm(minus(p, v));
        around[site].iter().min_by(|p, q| apart(p.1).total_cmp(&apart(q.1))).map_or(u32::MAX, |(n, _)| *n)
    };
    tessellation.cells.iter().map(|cell| cell.vertices.iter().map(|&v| node(cell.center, v)).collect()).collect()
}

//! The pore network: nodes and edges of the radical Voronoi diagram with the sphere that fits at each node and the sphere
//! that passes along each edge, and the sweep from the widest edge to the narrowest.
//!
//! The clearance of a point among atoms j of radius R_j is the least |p - x_j| - R_j. At a node it is taken over the
//! atoms whose cells meet there; along an edge over the atoms around it, at its narrowest point: the foot of the atoms on
//! the edge, or the nearer end where the foot lies outside. Where all radii are equal this is the exact clearance.

use super::{dot, loops::Components, minus, norm};
use crate::tessellation::{Network, Tessellation};
use crystal::Structure;

/// Clearances closer than this, Å, are equal: symmetry makes many edges alike, and rounding must not order them.
pub(super) const TIE: f64 = 1e-7;

/// An edge of the network.
#[derive(Debug, Clone)]
pub(super) struct Passage {
    pub from: u32,
    pub to: u32,
    /// Translation of `to` when `from` is in the home cell.
    pub image: [i32; 3],
    /// Radius of the largest sphere that passes, Å; negative where the atoms overlap.
    pub clearance: f64,
    /// Where it is narrowest: fractional, when `from` is in the home cell.
    pub narrowest: [f64; 3],
    /// Index of the edge in the network, for the atoms around it.
    pub link: u32,
}

/// The weighted network.
pub(super) struct Pores {
    /// Fractional coordinates of each node.
    pub frac: Vec<[f64; 3]>,
    /// Radius of the largest sphere at each node, Å.
    pub clearance: Vec<f64>,
    /// The edges, widest first.
    pub passages: Vec<Passage>,
    pub network: Network,
}

impl Pores {
    pub fn new(structure: &Structure, radii: &[f64], tessellation: &Tessellation) -> Self {
        let lattice = structure.lattice();
        let sites = structure.cart_coords();
        let network = tessellation.network(structure);
        let atom = |&(site, image): &(u32, [i32; 3])| {
            let shift = lattice.to_cartesian(image.map(f64::from));
            let x = sites[site as usize];
            ([x[0] + shift[0], x[1] + shift[1], x[2] + shift[2]], radii[site as usize])
        };
        let frac: Vec<[f64; 3]> = network.nodes.iter().map(|n| n.frac).collect();
        let cartesian: Vec<[f64; 3]> = frac.iter().map(|&x| lattice.to_cartesian(x)).collect();
        let clearance = network.nodes.iter().zip(&cartesian).map(|(node, &p)| {
            node.sites.iter().map(atom).map(|(x, r)| norm(minus(p, x)) - r).fold(f64::INFINITY, f64::min)
        });
        let clearance = clearance.collect();
        let mut passages: Vec<Passage> = network
            .edges
            .iter()
            .enumerate()
            .map(|(link, edge)| {
                let start = cartesian[edge.from as usize];
                let shift = lattice.to_cartesian(edge.image.map(f64::from));
                let end = cartesian[edge.to as usize];
                let along = minus([end[0] + shift[0], end[1] + shift[1], end[2] + shift[2]], start);
                let length2 = dot(along, along);
                let mut least = (f64::INFINITY, 0.0);
                for (x, r) in edge.sites.iter().map(atom) {
                    let t = if length2 > 0.0 { (dot(minus(x, start), along) / length2).clamp(0.0, 1.0) } else { 0.0 };
                    let p = std::array::from_fn(|k| start[k] + t * along[k]);
                    let fits = norm(minus(p, x)) - r;
                    if fits < least.0 {
                        least = (fits, t);
                    }
                }
                let narrowest = std::array::from_fn(|k| start[k] + least.1 * along[k]);
                Passage {
                    from: edge.from,
                    to: edge.to,
                    image: edge.image,
                    clearance: least.0,
                    narrowest: lattice.to_fractional(narrowest),
                    link: link as u32,
                }
            })
            .collect();
        passages.sort_by(|a, b| b.clearance.total_cmp(&a.clearance));
        Self { frac, clearance, passages, network }
    }

    /// Every passage.
    pub fn all(&self) -> Vec<u32> {
        (0..self.passages.len() as u32).collect()
    }

    /// Joins the passages `of` the list into components, widest first, and calls `level` after each group of equal clearance with the
    /// clearance, the components and the indices of the group, until it returns false or clearances fall below `floor`.
    pub fn sweep(
        &self,
        of: &[u32],
        floor: f64,
        mut level: impl FnMut(f64, &mut Components, &[u32]) -> bool,
    ) -> Components {
        let mut components = Components::new(self.frac.len());
        let mut rest = of;
        while let Some(&first) = rest.first() {
            let width = self.passages[first as usize].clearance;
            if width < floor - TIE {
                break;
            }
            let group = rest.iter().take_while(|&&i| self.passages[i as usize].clearance >= width - TIE).count();
            let (now, later) = rest.split_at(group);
            for &i in now {
                let p = &self.passages[i as usize];
                components.join(p.from, p.to, p.image);
            }
            if !level(width, &mut components, now) {
                break;
            }
            rest = later;
        }
        components
    }
}

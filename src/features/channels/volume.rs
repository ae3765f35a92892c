//! The volume open to a probe's centre, divided among the nodes of the network, exactly.
//!
//! Every open point leads to one corner of its cell (see `flow`). The points that arrive at one corner by one edge of one
//! face fill a cone over a part of the face, less a part of the ball, and both have closed forms (as in `balls`). Feet
//! that lie outside their face or edge need no special case: the cones are signed, and add up.

use std::collections::BTreeMap;

use super::{dot, flow::corner_nodes, minus, norm, pores::Pores};
use crate::tessellation::{Cell, Tessellation};
use crystal::Structure;

/// An edge nearer to the foot than this, Å, bounds no cone.
const FLAT: f64 = 1e-12;

/// Volume outside all balls of radius `radii` + `probe`, Å³, by owner of the node to which it belongs. `tessellation` is
/// that of these balls and `pores` its network; nodes without an owner are left out.
pub(super) fn open_volumes(
    structure: &Structure,
    radii: &[f64],
    probe: f64,
    tessellation: &Tessellation,
    pores: &Pores,
    owner: &[Option<u32>],
) -> BTreeMap<u32, f64> {
    let nodes = corner_nodes(structure, tessellation, &pores.network);
    let mut volumes = BTreeMap::new();
    for cell in &tessellation.cells {
        cell_volumes(structure, radii, probe, cell, |corner, volume| {
            if let Some(&Some(whose)) = owner.get(nodes[cell.center][corner as usize] as usize) {
                *volumes.entry(whose).or_insert(0.0) += volume;
            }
        });
    }
    volumes
}

/// The open volume of one cell, corner by corner.
fn cell_volumes(structure: &Structure, radii: &[f64], probe: f64, cell: &Cell, mut give: impl FnMut(u32, f64)) {
    let (lattice, frac) = (structure.lattice(), structure.frac_coords());
    let ball = radii[cell.center] + probe;
    for face in &cell.faces {
        let step = std::array::from_fn(|k| frac[face.neighbor][k] + f64::from(face.image[k]) - frac[cell.center][k]);
        let normal = lattice.to_cartesian(step).map(|x| x / face.distance);
        let other = radii[face.neighbor] + probe;
        let height = (face.distance.powi(2) + ball * ball - other * other) / (2.0 * face.distance);
        let disc = (ball * ball - height * height).max(0.0).sqrt();
        let foot = normal.map(|x| x * height);
        for (&u, &v) in face.vertices.iter().zip(face.vertices.iter().cycle().skip(1)) {
            let (p, q) = (minus(cell.vertices[u as usize], foot), minus(cell.vertices[v as usize], foot));
            let along = minus(q, p);
            let length = norm(along);
            if length < FLAT {
                continue;
            }
            // The edge lies at the signed distance e from the foot; s runs along it.
            let e = dot(normal, super::cross(p, q)) / length;
            let [s0, s1] = [p, q].map(|x| dot(x, along) / length);
            if e.abs() < FLAT {
                continue;
            }
            let cone = Cone { height, ball, disc, e };
            if e.abs() >= disc {
                give(u, cone.open(s0, s1));
            } else {
                let w = (disc * disc - e * e).sqrt();
                if s0 < -w {
                    give(u, cone.open(s0, s1.min(-w)));
                }
                if s1 > w {
                    give(v, cone.open(s0.max(w), s1));
                }
            }
        }
    }
}

/// What lies over a face along one of its edges.
struct Cone {
    /// Of the face over the atom, signed, Å.
    height: f64,
    /// Radius of the ball.
    ball: f64,
    /// Radius of the disc in which the ball meets the plane of the face; 0 where it does not.
    disc: f64,
    /// Distance of the edge from the foot, signed.
    e: f64,
}

impl Cone {
    /// Volume outside the ball over the stretch from s0 to s1 of the edge, which the disc does not cover.
    fn open(&self, s0: f64, s1: f64) -> f64 {
        let Self { height, ball, disc, e } = *self;
        let h = height.abs();
        // Angle of the stretch seen from the foot, and what the atom sees of it.
        let turn = (e * (s1 - s0)).atan2(e * e + s0 * s1);
        let tilt = |s: f64| (h * s / (e * (h * h + e * e + s * s).sqrt())).atan();
        let area = 0.5 * e * (s1 - s0) - 0.5 * disc * disc * turn;
        let covered = if disc > 0.0 { (1.0 - h / ball) * turn } else { 0.0 };
        let angle = turn - (tilt(s1) - tilt(s0)) - covered;
        (height * area - height.signum() * ball.powi(3) * angle) / 3.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{site_radii, tessellation::tessellate, void_fraction_among};
    use crystal::testing::*;
    use crystal::{Element, Lattice, Radii};

    /// Open volume of the whole cell, pockets and all.
    fn total(structure: &Structure, radii: &[f64], probe: f64) -> f64 {
        let grown: Vec<f64> = radii.iter().map(|r| r + probe).collect();
        let tessellation = tessellate(structure, &grown).unwrap();
        let pores = Pores::new(structure, radii, &tessellation);
        let owner = vec![Some(0); pores.frac.len()];
        open_volumes(structure, radii, probe, &tessellation, &pores, &owner).get(&0).copied().unwrap_or(0.0)
    }

    #[test]
    fn the_parts_add_up_to_the_void_outside_the_union_of_balls() {
        let triclinic = Lattice::from_parameters(4.1, 5.0, 4.6, 75.0, 98.0, 110.0).unwrap();
        let sites = vec![[0.1, 0.2, 0.3], [0.62, 0.71, 0.9], [0.3, 0.8, 0.55], [0.8, 0.15, 0.6]];
        let crowded = Structure::new(triclinic, vec![Element::O; 4], sites).unwrap();
        let mut cases = vec![(crowded.clone(), vec![1.4, 0.7, 1.1, 0.9]), (crowded, vec![0.9, 1.9, 0.4, 1.5])];
        for s in [rutile(), srtio3(), alpha_moo3(), v2o5()] {
            for set in [Radii::Shannon, Radii::Atomic] {
                cases.push((s.clone(), site_radii(&s, set).unwrap()));
            }
        }
        for (structure, radii) in &cases {
            for probe in [0.0, 0.2, 0.5] {
                let want = void_fraction_among(structure, radii, probe).unwrap() * structure.volume();
                let got = total(structure, radii, probe);
                assert!((got - want).abs() < 1e-9 * structure.volume(), "{radii:?}, {probe} Å: {got}, expected {want}");
            }
        }
    }
}

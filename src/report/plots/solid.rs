//! A crystal and its channels in space, for a viewer that turns them: balls, sticks, the edges of the cells, and along each
//! channel the tube that the largest sphere sweeps out on its way through.
//!
//! Places are in Å as the scene's direction of view lays them: x to the right, y up, z towards the eye.

use std::collections::{BTreeMap, HashSet};

use serde::Serialize;

use super::atoms::cartesian;
use super::channels::{Tunnels, narrowest};
use super::colors::of_element;
use super::structure::{Layout, STICK, Scene, ball};
use super::view::{View, usual_cells};
use crate::ReportError;
use crystal::{Element, Lattice, Structure};
use features::ChannelPath;

/// A place, Å, to a thousandth.
type Point = [f64; 3];

/// What a viewer draws; as JSON the data of a page.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Solid {
    /// The elements, by atomic number.
    pub elements: Vec<Look>,
    /// Atoms: index into `elements`, and place.
    pub atoms: Vec<(usize, Point)>,
    /// Pairs of `atoms` that are joined.
    pub bonds: Vec<[usize; 2]>,
    /// Radius of a stick, Å.
    pub stick: f64,
    /// Edges of the cells, each once.
    pub edges: Vec<[Point; 2]>,
    /// The origin of the cell, and the ends of a, b and c.
    pub axes: [Point; 4],
    /// The ways of the channels.
    pub tubes: Vec<Tube>,
}

/// How the atoms of an element look.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Look {
    /// Its symbol.
    pub symbol: &'static str,
    /// Its colour, `#BFC2C7`.
    pub colour: String,
    /// Radius of its balls, Å.
    pub radius: f64,
}

/// The way of the largest sphere that passes through a channel, from where it enters the cells to where it leaves them.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Tube {
    /// Radius of the sphere, Å.
    pub radius: f64,
    /// Places of its centre.
    pub points: Vec<Point>,
}

/// More atoms than this are more than a page should turn.
const MOST_ATOMS: usize = 500;

/// Cells along each axis for a look from all sides: those of a picture, and at least 6 Å deep; one where that is many atoms.
pub fn roomy_cells(crystal: &Structure, axis: [i32; 3]) -> [usize; 3] {
    let (usual, lengths) = (usual_cells(crystal, axis), crystal.lattice().parameters());
    let cells: [usize; 3] = std::array::from_fn(|k| usual[k].max((6.0 / lengths[k]).ceil() as usize));
    if cells.iter().product::<usize>() * crystal.len() > MOST_ATOMS { [1; 3] } else { cells }
}

/// The scene in space.
///
/// # Errors
/// As [`super::structure::structure`].
pub fn solid(scene: &Scene) -> Result<Solid, ReportError> {
    let Layout { view, crystal, atoms } = Layout::new(scene)?;
    let lattice = crystal.lattice();
    let place = |cartesian: [f64; 3]| {
        let ([x, y], z) = view.project(cartesian);
        [x, y, z].map(|x| (x * 1e3).round() / 1e3)
    };
    let mut index: BTreeMap<Element, usize> = crystal.species().iter().map(|&e| (e, 0)).collect();
    index.values_mut().enumerate().for_each(|(i, at)| *at = i);
    let look = |e: &Element| Look { symbol: e.symbol(), colour: of_element(*e).to_string(), radius: ball(*e) };
    let corner = |k: usize| place(lattice.to_cartesian(std::array::from_fn(|m| f64::from(u8::from(m + 1 == k)))));
    let tubes = scene.tunnels.as_ref().map(|t| tubes(t, scene, &view)).unwrap_or_default();
    Ok(Solid {
        elements: index.keys().map(look).collect(),
        atoms: (atoms.places.iter())
            .map(|&at| (index[&crystal.species()[at.0]], place(cartesian(&crystal, at))))
            .collect(),
        bonds: atoms.sticks.iter().map(|&(i, j)| [i, j]).collect(),
        stick: STICK,
        edges: edges(lattice, scene.cells).into_iter().map(|ends| ends.map(place)).collect(),
        axes: std::array::from_fn(corner),
        tubes: tubes
            .into_iter()
            .map(|(radius, points)| Tube { radius, points: points.into_iter().map(place).collect() })
            .collect(),
    })
}

/// The edges along each axis through all corners of the cells, over the whole length.
fn edges(lattice: &Lattice, cells: [usize; 3]) -> Vec<[[f64; 3]; 2]> {
    let mut all = Vec::new();
    for k in 0..3 {
        let (m, n) = ((k + 1) % 3, (k + 2) % 3);
        for (i, j) in (0..=cells[m]).flat_map(|i| (0..=cells[n]).map(move |j| (i, j))) {
            all.push([0, cells[k]].map(|end| {
                let mut frac = [0.0; 3];
                (frac[k], frac[m], frac[n]) = (end as f64, i as f64, j as f64);
                lattice.to_cartesian(frac)
            }));
        }
    }
    all
}

/// Radius and way, Cartesian Å, of the tubes of all channels within the cells.
fn tubes(tunnels: &Tunnels, scene: &Scene, view: &View) -> Vec<(f64, Vec<[f64; 3]>)> {
    let lattice = scene.crystal.lattice();
    let mut taken = HashSet::new();
    let mut all = Vec::new();
    for kind in tunnels.kinds() {
        for path in kind.members.iter().flat_map(|channel| &channel.paths) {
            for way in within(path, scene.cells) {
                let way: Vec<[f64; 3]> = way.into_iter().map(|x| lattice.to_cartesian(x)).collect();
                // What two channels, or two paths of one, have in common is drawn once.
                let key = |at: &[f64; 3]| {
                    let ([x, y], z) = view.project(*at);
                    [x, y, z].map(|x| (x * 20.0).round() as i64)
                };
                let mut ends = [key(&way[0]), key(&way[way.len() - 1])];
                ends.sort_unstable();
                if taken.insert(ends) {
                    all.push((path.radius, way));
                }
            }
        }
    }
    all
}

/// The images of an endless path, fractional, as far as they run within the cells: along the directions in which it goes it is
/// cut at the faces, and in the others it is taken whole where its narrowest place lies in the cells or on their faces.
fn within(path: &ChannelPath, cells: [usize; 3]) -> Vec<Vec<[f64; 3]>> {
    const ON_FACE: f64 = 1e-3;
    let vector = path.vector;
    let Some(pivot) = (0..3).find(|&k| vector[k] != 0).filter(|_| path.nodes.len() > 1) else { return Vec::new() };
    let middle = narrowest(path);
    let most = *cells.iter().max().unwrap_or(&1) as i32 + 2;
    // Images that differ by the vector itself are one.
    let range = |k: usize| match (k == pivot, vector[k]) {
        (true, step) => 0..=step.abs() - 1,
        (false, 0) => {
            let last = cells[k] as f64 + ON_FACE - middle[k];
            (-ON_FACE - middle[k]).ceil() as i32..=last.floor() as i32
        }
        (false, step) => -most * (1 + step.abs())..=most * (1 + step.abs()),
    };
    let mut all = Vec::new();
    for n in range(0).flat_map(|a| range(1).flat_map(move |b| range(2).map(move |c| [a, b, c]))) {
        let mut endless: Vec<[f64; 3]> = Vec::new();
        for period in -most..=most {
            let moved =
                |&(x, _): &([f64; 3], f64)| std::array::from_fn(|k| x[k] + f64::from(n[k] + period * vector[k]));
            // The last node of a period is the first of the next.
            endless.extend(path.nodes[1..].iter().map(moved));
        }
        let mut pieces = vec![endless];
        for k in (0..3).filter(|&k| vector[k] != 0) {
            pieces = pieces.iter().flat_map(|piece| cut(piece, k, cells[k] as f64)).collect();
        }
        all.extend(pieces);
    }
    all
}

/// The pieces of a line of points that run between 0 and `high` in component `k`.
fn cut(line: &[[f64; 3]], k: usize, high: f64) -> Vec<Vec<[f64; 3]>> {
    let mut pieces = vec![Vec::new()];
    for pair in line.windows(2) {
        let (from, to) = (pair[0], pair[1]);
        let step = to[k] - from[k];
        // Shares of the step at which it comes in and goes out.
        let (mut enter, mut leave) = (0.0_f64, 1.0_f64);
        if step.abs() < 1e-12 {
            if from[k] < 0.0 || from[k] > high {
                leave = -1.0;
            }
        } else {
            let [a, b] = [-from[k] / step, (high - from[k]) / step];
            (enter, leave) = (enter.max(a.min(b)), leave.min(a.max(b)));
        }
        if leave <= enter {
            pieces.push(Vec::new());
            continue;
        }
        let at = |share: f64| std::array::from_fn(|m| from[m] + share * (to[m] - from[m]));
        if enter > 0.0 {
            pieces.push(Vec::new());
        }
        if let Some(piece) = pieces.last_mut() {
            if piece.is_empty() {
                piece.push(at(enter));
            }
            piece.push(at(leave));
        }
        if leave < 1.0 {
            pieces.push(Vec::new());
        }
    }
    pieces.retain(|piece| piece.len() > 1);
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;
    use crystal::{Radii, testing::reo3};

    #[test]
    fn a_line_is_cut_where_it_crosses_the_faces() {
        let line = [[-0.5, 0.0, 0.0], [0.5, 1.0, 0.0], [1.5, 1.0, 0.0], [0.75, 0.0, 0.0]];
        let pieces = cut(&line, 0, 1.0);
        assert_eq!(pieces.len(), 2);
        assert_eq!(pieces[0], [[0.0, 0.5, 0.0], [0.5, 1.0, 0.0], [1.0, 1.0, 0.0]]);
        let [from, to] = [pieces[1][0], pieces[1][1]];
        assert!((from[0] - 1.0).abs() < 1e-12 && (from[1] - 1.0 / 3.0).abs() < 1e-12 && to == [0.75, 0.0, 0.0]);
        assert!(cut(&[[2.0, 0.0, 0.0], [3.0, 0.0, 0.0]], 0, 1.0).is_empty());
    }

    #[test]
    fn tubes_run_from_face_to_face_at_every_image_of_their_channel() {
        let path = ChannelPath {
            vector: [0, 0, 1],
            radius: 1.0,
            nodes: vec![([0.5, 0.0, 0.25], 1.0), ([0.5, 0.1, 0.75], 1.2), ([0.5, 0.0, 1.25], 1.0)],
        };
        let ways = within(&path, [1, 1, 2]);
        assert_eq!(ways.len(), 2, "at y = 0 and y = 1");
        for way in &ways {
            assert!((way[0][2], way[way.len() - 1][2]) == (0.0, 2.0), "{way:?}");
            assert_eq!(way.len(), 6, "two faces and four nodes: {way:?}");
        }
        let diagonal =
            ChannelPath { vector: [1, 1, 0], radius: 1.0, nodes: vec![([0.0; 3], 1.0), ([1.0, 1.0, 0.0], 1.0)] };
        for way in within(&diagonal, [1; 3]) {
            assert!(way.iter().flatten().all(|x| (-1e-9..=1.0 + 1e-9).contains(x)), "{way:?}");
        }
    }

    #[test]
    fn a_scene_has_its_atoms_edges_and_channels_in_the_frame_of_the_view() {
        let crystal = reo3("Re", 3.75);
        let tunnels = Tunnels::of(&crystal, Radii::Shannon, 0.1).unwrap();
        let scene = Scene {
            crystal: &crystal,
            title: String::new(),
            cell: "cell",
            axis: [0, 0, 1],
            cells: [1; 3],
            tunnels: Some(tunnels),
            trail: None,
        };
        let solid = solid(&scene).unwrap();
        let symbols: Vec<_> = solid.elements.iter().map(|look| look.symbol).collect();
        assert_eq!(symbols, ["O", "Re"]);
        assert_eq!(solid.atoms.iter().filter(|(e, _)| *e == 1).count(), 8, "Re on the corners");
        assert_eq!(solid.edges.len(), 12);
        assert_eq!(solid.axes, [[0.0; 3], [3.75, 0.0, 0.0], [0.0, 3.75, 0.0], [0.0, 0.0, 3.75]]);
        assert_eq!(solid.tubes.len(), 3, "along a, b and c");
        for tube in &solid.tubes {
            let [from, to] = [tube.points[0], tube.points[tube.points.len() - 1]];
            let length = (0..3).map(|k| (to[k] - from[k]).powi(2)).sum::<f64>().sqrt();
            assert!((length - 3.75).abs() < 0.01 && tube.radius > 0.1, "{tube:?}");
        }
        assert_eq!(roomy_cells(&crystal, [0, 0, 1]), [3, 3, 2]);
    }
}

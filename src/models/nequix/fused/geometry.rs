//! What the directions of bonds make of the paths: for each bond and triple of degrees a matrix from what is sent to what arrives, and its
//! derivatives in the direction across the bond.
//!
//! Paths from degree a to b and from b to a share a matrix, turned; and both directions of a bond share one, by a sign that is the
//! parity of the harmonics' degree. A path by degree 0 needs none.

use crate::bond_graph::BondGraph;
use crate::nequix::harmonics::{DEGREES, Harmonics, Joint, components, joints};
use crate::nequix::paths::Path;

/// Which matrices there are.
#[derive(Debug)]
pub struct Triples {
    harmonics: Vec<Harmonics>,
    triples: Vec<Triple>,
}

#[derive(Debug)]
struct Triple {
    /// Degrees, the first no higher than the last.
    degrees: [usize; 3],
    joints: Vec<Joint>,
    /// Numbers of all matrices before it, for one bond.
    before: usize,
}

impl Triple {
    /// Numbers of a matrix.
    fn size(&self) -> usize {
        components(self.degrees[0]) * components(self.degrees[2])
    }
}

/// Where the matrices of a path begin for one bond, and how large they are; `None` of a path that needs none.
pub type Block = Option<(usize, usize)>;

impl Triples {
    /// Those of the paths of a network with so many degrees.
    pub fn new(degrees: usize, paths: impl Iterator<Item = Path>) -> Self {
        let mut found: Vec<[usize; 3]> = paths.filter_map(|path| key(&path)).collect();
        found.sort_unstable();
        found.dedup();
        let mut before = 0;
        let triples = found.into_iter().map(|degrees| {
            let [from, by, to] = degrees;
            let triple = Triple { degrees, joints: joints(from, by, to), before };
            before += triple.size();
            triple
        });
        let triples = triples.collect();
        Self { harmonics: (0..degrees).map(Harmonics::new).collect(), triples }
    }

    /// The matrices of a path.
    pub fn block(&self, path: &Path) -> Block {
        let key = key(path)?;
        let triple = self.triples.iter().find(|triple| triple.degrees == key)?;
        Some((triple.before, triple.size()))
    }

    /// Numbers of all matrices of a bond.
    fn size(&self) -> usize {
        self.triples.last().map_or(0, |last| last.before + last.size())
    }

    /// All matrices, and their derivatives along the two axes across the bond: `[triple][bond][first degree][last]`,
    /// `[triple][bond][axis][first degree][last]`.
    pub fn fill(&self, graph: &BondGraph, geometry: &mut Geometry) {
        let bonds = graph.direction.len();
        let Geometry { matrices, derivatives, axes, signs } = geometry;
        matrices.clear();
        matrices.resize(self.size() * bonds, 0.0);
        derivatives.clear();
        derivatives.resize(2 * self.size() * bonds, 0.0);
        axes.clear();
        for bond in 0..bonds {
            let frame = frame(direction(graph, bond));
            axes.push(frame);
            let values = self.at(frame);
            for triple in &self.triples {
                let size = triple.size();
                let place = triple.before * bonds + bond * size;
                let columns = components(triple.degrees[2]);
                for joint in &triple.joints {
                    let [value, first, second] = values[triple.degrees[1]][joint.by].map(|y| (joint.factor * y) as f32);
                    let entry = joint.from * columns + joint.to;
                    matrices[place + entry] += value;
                    derivatives[2 * place + entry] += first;
                    derivatives[2 * place + size + entry] += second;
                }
            }
        }
        signs.clear();
        let forward = |e: usize| graph.direction[graph.bond[e] as usize] as usize == e;
        signs.extend((0..graph.neighbor.len()).map(|e| if forward(e) { 1.0 } else { -1.0 }));
    }

    /// The harmonics of a direction, and their derivatives along two axes across it.
    fn at(&self, [direction, first, second]: [[f64; 3]; 3]) -> [[[f64; 3]; components(DEGREES - 1)]; DEGREES] {
        let mut all = [[[0.0; 3]; components(DEGREES - 1)]; DEGREES];
        for (harmonics, all) in self.harmonics.iter().zip(&mut all) {
            let both = harmonics.at(direction).zip(harmonics.derivatives_at(direction));
            for ((value, derivative), out) in both.zip(all) {
                *out = [value, dot(derivative, first), dot(derivative, second)];
            }
        }
        all
    }
}

/// The degrees of a path's matrices, the lower end first.
fn key(path: &Path) -> Option<[usize; 3]> {
    (path.by > 0).then(|| [path.from.min(path.to), path.by, path.from.max(path.to)])
}

/// Matrices of a crystal.
#[derive(Debug, Default)]
pub struct Geometry {
    /// See [`Triples::fill`].
    pub matrices: Vec<f32>,
    pub derivatives: Vec<f32>,
    /// Of each bond: its direction, and two axes across it.
    pub axes: Vec<[[f64; 3]; 3]>,
    /// Of each directed bond: 1 where it is the one that stands for its bond, -1 where it is the other.
    pub signs: Vec<f32>,
}

/// The direction of a bond, from the atom whose it is to the neighbour.
fn direction(graph: &BondGraph, bond: usize) -> [f64; 3] {
    let edge = graph.direction[bond] as usize;
    graph.vector[edge].map(|x| -x / graph.length[edge])
}

fn dot(a: [f64; 3], b: [f64; 3]) -> f64 {
    a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
}

/// A direction with two axes across it, all at right angles.
fn frame(u: [f64; 3]) -> [[f64; 3]; 3] {
    let cross =
        |a: [f64; 3], b: [f64; 3]| [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]];
    let shortest = (0..3).min_by(|&a, &b| u[a].abs().total_cmp(&u[b].abs())).unwrap_or(0);
    let first = cross(u, std::array::from_fn(|k| f64::from(u8::from(k == shortest))));
    let length = dot(first, first).sqrt();
    let first = first.map(|x| x / length);
    [u, first, cross(u, first)]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fused::tests::crystals;
    use crate::nequix::paths::Shape;

    #[test]
    fn derivatives_are_those_of_turning_the_bond() {
        let shape = Shape::new(vec![16; 4], vec![16; 4], 4);
        let triples = Triples::new(4, shape.paths.iter().copied());
        // Eleven, of which three start at scalars.
        assert_eq!((triples.triples.len(), triples.size()), (11, 15 + 204));
        assert_eq!(shape.paths.iter().filter(|path| triples.block(path).is_none()).count(), 4);
        let graph = BondGraph::new(&crystals()[0], 4.0, 0.0).unwrap();
        let fill = |graph: &BondGraph| {
            let mut geometry = Geometry::default();
            triples.fill(graph, &mut geometry);
            geometry
        };
        let geometry = fill(&graph);
        let bonds = graph.direction.len();
        for axis in 0..2 {
            let turned = |by: f64| {
                let mut graph = graph.clone();
                for bond in 0..bonds {
                    let edge = graph.direction[bond] as usize;
                    let along = geometry.axes[bond][1 + axis];
                    let length = graph.length[edge];
                    let moved: [f64; 3] = std::array::from_fn(|k| graph.vector[edge][k] - by * length * along[k]);
                    graph.vector[edge] = moved.map(|x| x / (1.0 + by * by).sqrt());
                }
                fill(&graph).matrices
            };
            let (above, below) = (turned(1e-3), turned(-1e-3));
            for triple in &triples.triples {
                for bond in 0..bonds {
                    for entry in 0..triple.size() {
                        let place = triple.before * bonds + bond * triple.size();
                        let got = geometry.derivatives[2 * place + axis * triple.size() + entry];
                        let want = (above[place + entry] - below[place + entry]) / 2e-3;
                        assert!((got - want).abs() < 1e-3, "{:?}: {got}, {want}", triple.degrees);
                    }
                }
            }
        }
    }
}

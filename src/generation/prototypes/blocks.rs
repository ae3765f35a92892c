//! Wadsley-Roth phases of n x m blocks: columns of ReO3 type, n x m octahedra wide and without end, that share edges with columns half
//! an octahedron higher; A. D. Wadsley, *Acta Crystallogr.* **14** (1961) 660 (TiNb2O7); R. J. Cava *et al.*, *J. Electrochem.
//! Soc.* **130** (1983) 2345, who give the formula: M(nm) O(3nm - n - m), where blocks of one height are joined to endless ribbons.
//! 3 x 3 is TiNb2O7, 3 x 4 Nb12O29. Blocks that tetrahedra hold apart (Nb12WO33, Nb16W5O55) are not built.
//!
//! In the ideal arrangement the anions on the side of a block are those at the ends of the axes of the octahedra of the next: that block
//! stands half an edge of the octahedra further, and half an edge higher. Cations across a shared edge repel each other, and real
//! steps are wider; both are lengths of published cells.

use crystal::Lattice;

use super::net::{Net, Octahedron};

/// The edge of the ReO3 lattice over two bonds of Shannon's radii: 3.80 Å in TiNb2O7 and 3.83 Å in Nb12O29 make 0.956 in both, for their
/// cations are off the centres of their octahedra.
const EDGE: f64 = 0.956;
/// The step from the last octahedron of a block to the first of the next, in edges: ideal, and the mean of the steps in the cells of
/// TiNb2O7 (0.68, 0.70) and Nb12O29 (0.70, 0.76).
const STEP: [f64; 2] = [0.5, 0.71];
/// How far the next block along m is displaced along n, in edges: ideal, and in the cells of both.
const DISPLACED: [f64; 2] = [1.0, 1.1];

/// The primitive cell of n x m blocks with bonds of `bond` Å.
pub(super) fn net(n: usize, m: usize, bond: f64) -> Result<Net, crystal::CrystalError> {
    let edge = EDGE * 2.0 * bond;
    let cell = |kind: usize| {
        let (step, displaced) = (STEP[kind], DISPLACED[kind]);
        let row = |x: f64, y: f64, z: f64| [x * edge, y * edge, z * edge];
        let wide = |octahedra: usize| (octahedra - 1) as f64 + step;
        Lattice::new([row(wide(n), 0.0, 0.5), row(displaced, wide(m), 0.5), row(0.0, 0.0, 1.0)])
    };
    let half = edge / 2.0;
    let bonds =
        [[half, 0.0, 0.0], [-half, 0.0, 0.0], [0.0, half, 0.0], [0.0, -half, 0.0], [0.0, 0.0, half], [0.0, 0.0, -half]];
    let all = (0..n).flat_map(|i| (0..m).map(move |j| [i as f64 * edge, j as f64 * edge, 0.0]));
    Ok(Net { octahedra: all.map(|center| Octahedron { center, bonds }).collect(), ideal: cell(0)?, cell: cell(1)? })
}

//! Textbook crystals for the tests of every layer.

use crate::{Element, Lattice, Structure};

/// Sites by element in a cell with right angles; edges in Å, fractional coordinates.
///
/// # Panics
/// No such element, or what is no crystal.
pub fn orthogonal(cell: [f64; 3], sites: &[(&str, &[[f64; 3]])]) -> Structure {
    let lattice = Lattice::from_parameters(cell[0], cell[1], cell[2], 90.0, 90.0, 90.0).unwrap();
    let element = |symbol: &str| Element::from_symbol(symbol).unwrap();
    let species = sites.iter().flat_map(|(s, xs)| xs.iter().map(|_| element(s))).collect();
    Structure::new(lattice, species, sites.iter().flat_map(|(_, xs)| xs.iter().copied()).collect()).unwrap()
}

/// TiO2, P4_2/mnm, a = 4.594, c = 2.959 Å, O at (0.305, 0.305, 0).
pub fn rutile() -> Structure {
    rutile_of("Ti", 1.0)
}

/// Another dioxide of that structure; edges of the cell times `scale`.
pub fn rutile_of(metal: &str, scale: f64) -> Structure {
    let x = 0.305;
    let o = [[x, x, 0.0], [-x, -x, 0.0], [0.5 - x, 0.5 + x, 0.5], [0.5 + x, 0.5 - x, 0.5]];
    orthogonal([4.594, 4.594, 2.959].map(|edge| edge * scale), &[(metal, &[[0.0; 3], [0.5; 3]]), ("O", &o)])
}

/// SrTiO3, Pm-3m, a = 3.905 Å.
pub fn srtio3() -> Structure {
    let o = [[0.5, 0.5, 0.0], [0.5, 0.0, 0.5], [0.0, 0.5, 0.5]];
    orthogonal([3.905; 3], &[("Sr", &[[0.0; 3]]), ("Ti", &[[0.5; 3]]), ("O", &o)])
}

/// Cubic WO3, a = 3.80 Å.
pub fn wo3() -> Structure {
    reo3("W", 3.8)
}

/// ReO3 type, Pm-3m: octahedra that share their corners; the edge of the cube in Å.
pub fn reo3(metal: &str, edge: f64) -> Structure {
    orthogonal([edge; 3], &[(metal, &[[0.0; 3]]), ("O", &[[0.5, 0.0, 0.0], [0.0, 0.5, 0.0], [0.0, 0.0, 0.5]])])
}

/// MoO3, Pbnm, 3.9628 x 13.855 x 3.6964 Å, every atom on the mirror z = 1/4.
pub fn alpha_moo3() -> Structure {
    // Pbnm: (x, y, 1/4), (-x, -y, 3/4), (x + 1/2, 1/2 - y, 3/4), (1/2 - x, y + 1/2, 1/4).
    let orbit = |[x, y]: [f64; 2]| [[x, y, 0.25], [-x, -y, 0.75], [x + 0.5, 0.5 - y, 0.75], [0.5 - x, y + 0.5, 0.25]];
    let o = [[0.4994, 0.4351], [0.5212, 0.0866], [0.0373, 0.2214]].map(orbit).concat();
    orthogonal([3.9628, 13.855, 3.6964], &[("Mo", &orbit([0.08669, 0.10164])), ("O", &o)])
}

/// V2O5, Pmmn (origin 2), 11.512 x 3.564 x 4.368 Å, every atom on the mirror y = 1/4.
pub fn v2o5() -> Structure {
    // Pmmn: (x, 1/4, z), (1/2 - x, 1/4, z), (-x, 3/4, -z), (x + 1/2, 3/4, -z).
    let orbit = |[x, z]: [f64; 2]| vec![[x, 0.25, z], [0.5 - x, 0.25, z], [-x, 0.75, -z], [x + 0.5, 0.75, -z]];
    let bridging = vec![[0.25, 0.25, 0.001], [0.75, 0.75, -0.001]];
    let o = [orbit([0.1043, 0.531]), orbit([0.9311, 0.003]), bridging].concat();
    orthogonal([11.512, 3.564, 4.368], &[("V", &orbit([0.10118, 0.8917])), ("O", &o)])
}

/// MnO2 with the 2 x 2 tunnels of hollandite, I4/m, a = 9.815, c = 2.847 Å (illustrative coordinates).
pub fn hollandite() -> Structure {
    let orbit = |[x, y]: [f64; 2]| {
        let four = [[x, y, 0.0], [-x, -y, 0.0], [-y, x, 0.0], [y, -x, 0.0]];
        [four, four.map(|s| s.map(|x| x + 0.5))].concat()
    };
    let o = [orbit([0.153, 0.2]), orbit([0.542, 0.167])].concat();
    orthogonal([9.815, 9.815, 2.847], &[("Mn", &orbit([0.35, 0.167])), ("O", &o)])
}

/// CsCl type, Pm-3m: a metal at the corner of a cube and oxygen in its middle; the edge of the cube in Å.
pub fn cscl(metal: &str, edge: f64) -> Structure {
    orthogonal([edge; 3], &[(metal, &[[0.0; 3]]), ("O", &[[0.5; 3]])])
}

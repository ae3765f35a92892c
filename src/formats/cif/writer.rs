//! A crystal as a CIF in P1.

use std::fmt::Write;

use crate::crystal::Structure;

/// CIF text of a structure: every atom of the cell in P1, in order, with every digit that [`super::parse`] needs to read the
/// same coordinates. CIF states lengths and angles only, so the orientation of the lattice is lost; a left-handed lattice is
/// written as -a, -b, -c with coordinates -x, the same crystal in the same place.
pub fn to_cif(structure: &Structure, name: &str) -> String {
    let name: String = name.chars().map(|c| if c.is_ascii_graphic() { c } else { '_' }).collect();
    let name = if name.is_empty() { "crystal" } else { &name };
    let composition = structure.composition();
    let formula: Vec<String> = composition.iter().map(|(element, n)| format!("{element}{n}")).collect();
    let [a, b, c, alpha, beta, gamma] = structure.lattice().parameters();
    let mut text = format!("data_{name}\n");
    let out = &mut text;
    // Writing to a string cannot fail.
    let _ = writeln!(out, "_chemical_formula_sum '{}'", formula.join(" "));
    for (name, length) in [("a", a), ("b", b), ("c", c)] {
        let _ = writeln!(out, "_cell_length_{name} {length:?}");
    }
    for (name, angle) in [("alpha", alpha), ("beta", beta), ("gamma", gamma)] {
        let _ = writeln!(out, "_cell_angle_{name} {}", degrees(angle));
    }
    let _ = writeln!(out, "_cell_volume {:.6}", structure.volume());
    out.push_str("_space_group_name_H-M_alt 'P 1'\n_space_group_IT_number 1\n");
    out.push_str("loop_\n_space_group_symop_operation_xyz\n'x, y, z'\n");
    out.push_str("loop_\n_atom_site_label\n_atom_site_type_symbol\n");
    out.push_str("_atom_site_fract_x\n_atom_site_fract_y\n_atom_site_fract_z\n_atom_site_occupancy\n");
    let hand = if structure.lattice().is_right_handed() { 1.0 } else { -1.0 };
    for (i, (element, x)) in structure.species().iter().zip(structure.frac_coords()).enumerate() {
        let [x, y, z] = x.map(|x| x * hand);
        let _ = writeln!(out, "{element}{} {element} {x:?} {y:?} {z:?} 1", i + 1);
    }
    text
}

/// An angle to the 12 decimals that its arc cosine is good for, without the zeros at the end.
fn degrees(angle: f64) -> String {
    let text = format!("{angle:.12}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

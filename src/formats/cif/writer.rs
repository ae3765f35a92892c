//! A crystal as a CIF: in P1, or as its asymmetric unit with the operations of its space group.

use std::fmt::Write;

use crate::hosts::symbol;
use crystal::CrystalError;
use crystal::{Lattice, Setting, Structure, Symmetry, expand_sites};

/// CIF text of a structure: every atom of the cell in P1, in order, with every digit that `super::parse_noted` needs to read the
/// same coordinates. CIF states lengths and angles only, so the orientation of the lattice is lost; a left-handed lattice is
/// written as -a, -b, -c with coordinates -x, the same crystal in the same place.
pub fn to_cif(structure: &Structure, name: &str) -> String {
    let mut text = head(structure, name);
    text.push_str("_space_group_name_H-M_alt 'P 1'\n_space_group_IT_number 1\n");
    text.push_str("loop_\n_space_group_symop_operation_xyz\n'x, y, z'\n");
    text.push_str("loop_\n_atom_site_label\n_atom_site_type_symbol\n");
    text.push_str("_atom_site_fract_x\n_atom_site_fract_y\n_atom_site_fract_z\n_atom_site_occupancy\n");
    let hand = if structure.lattice().is_right_handed() { 1.0 } else { -1.0 };
    for (i, (element, x)) in structure.species().iter().zip(structure.frac_coords()).enumerate() {
        let [x, y, z] = x.map(|x| x * hand);
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{element}{} {element} {x:?} {y:?} {z:?} 1", i + 1);
    }
    text
}

/// CIF text of the standardised conventional cell of a structure: its space group, found with distances up to `symprec` Å taken as
/// equal, in spglib's default setting, with every operation and one site of each orbit. The sites are moved to where the symmetry
/// has them, by no more than that distance; origin and axes are those of the setting.
///
/// # Errors
/// As [`Symmetry::of`], and where the tolerance joins what is no crystal any more.
pub fn to_symmetrised_cif(structure: &Structure, name: &str, symprec: f64) -> Result<String, CrystalError> {
    let fault = |message: String| CrystalError::Symmetry { symprec, message };
    // A left-handed lattice would name the mirror image of the space group.
    let negated = |x: &[f64; 3]| x.map(|x| -x);
    let right_handed = match structure.lattice().is_right_handed() {
        true => structure.clone(),
        false => Structure::with_overlaps(
            Lattice::new(structure.lattice().rows().map(|row| negated(&row)))?,
            structure.species().to_vec(),
            structure.frac_coords().iter().map(negated).collect(),
        )?,
    };
    let symmetry = Symmetry::of(&right_handed, symprec)?;
    let cell = symmetry.conventional()?;
    let setting = Setting::of_hall_number(symmetry.hall_number)
        .ok_or_else(|| fault(format!("no setting has the Hall number {}", symmetry.hall_number)))?;
    let operations = setting.operations();
    let (lattice, sites) = (cell.lattice(), cell.frac_coords());
    let distance = |a: [f64; 3], b: [f64; 3]| {
        let step = std::array::from_fn(|k| (a[k] - b[k]) - (a[k] - b[k]).round());
        lattice.to_cartesian(step).iter().map(|x| x * x).sum::<f64>().sqrt()
    };
    // The first site of each orbit, and how many there are of it.
    let mut orbits: Vec<(usize, usize)> = Vec::new();
    let mut covered = vec![false; cell.len()];
    for first in 0..cell.len() {
        if covered[first] {
            continue;
        }
        let images = expand_sites(lattice, operations, &[sites[first]]);
        for (_, image) in &images {
            let near = |&other: &usize| cell.species()[other] == cell.species()[first] && !covered[other];
            let nearest = (0..cell.len()).filter(near).map(|other| (other, distance(sites[other], *image)));
            match nearest.min_by(|a, b| a.1.total_cmp(&b.1)) {
                Some((other, d)) if d <= symprec.max(1e-3) => covered[other] = true,
                _ => {
                    let site = format!("{}{}", cell.species()[first], first + 1);
                    return Err(fault(format!("the images of site {site} are not sites of {}", setting.short)));
                }
            }
        }
        orbits.push((first, images.len()));
    }
    let mut text = head(&cell, name);
    let (symbol, number) = (symbol(setting).replace('_', ""), setting.number);
    let _ = writeln!(text, "_space_group_name_H-M_alt '{symbol}'\n_space_group_IT_number {number}");
    text.push_str("loop_\n_space_group_symop_operation_xyz\n");
    for op in operations {
        let _ = writeln!(text, "'{op}'");
    }
    text.push_str("loop_\n_atom_site_label\n_atom_site_type_symbol\n_atom_site_symmetry_multiplicity\n");
    text.push_str("_atom_site_fract_x\n_atom_site_fract_y\n_atom_site_fract_z\n_atom_site_occupancy\n");
    for (i, (site, multiplicity)) in orbits.into_iter().enumerate() {
        let (element, [x, y, z]) = (cell.species()[site], sites[site].map(|x| decimals(x - x.floor(), 10)));
        let _ = writeln!(text, "{element}{} {element} {multiplicity} {x} {y} {z} 1", i + 1);
    }
    Ok(text)
}

/// What stands before the symmetry: name, formula, cell.
fn head(structure: &Structure, name: &str) -> String {
    let name: String = name.chars().map(|c| if c.is_ascii_graphic() { c } else { '_' }).collect();
    let name = if name.is_empty() { "crystal" } else { &name };
    let composition = structure.composition();
    let formula: Vec<String> = composition.iter().map(|(element, n)| format!("{element}{n}")).collect();
    let [a, b, c, alpha, beta, gamma] = structure.lattice().parameters();
    let mut text = format!("data_{name}\n");
    let out = &mut text;
    let _ = writeln!(out, "_chemical_formula_sum '{}'", formula.join(" "));
    for (name, length) in [("a", a), ("b", b), ("c", c)] {
        let _ = writeln!(out, "_cell_length_{name} {length:?}");
    }
    for (name, angle) in [("alpha", alpha), ("beta", beta), ("gamma", gamma)] {
        // The 12 decimals that an arc cosine is good for.
        let _ = writeln!(out, "_cell_angle_{name} {}", decimals(angle, 12));
    }
    let _ = writeln!(out, "_cell_volume {:.6}", structure.volume());
    text
}

/// A number to so many decimals, without the zeros at the end.
fn decimals(number: f64, places: usize) -> String {
    let text = format!("{number:.places$}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    if text == "-0" { "0".into() } else { text.to_owned() }
}

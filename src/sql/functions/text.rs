//! Crystals from text, and as text.

use super::arguments::{crystal, structure};
use super::kernel::crystals;
use super::{Function, Kind, Omitted, optional};
use crate::cost::Cost;
use formats;

pub(super) fn functions() -> Vec<Function> {
    vec![
        Function {
            name: "structure",
            text: "Reads a crystal from text: CIF, POSCAR or pymatgen's JSON, recognised by content. Text without a \
                   crystal gives NULL and a warning.",
            parameters: vec![crystal("text", "The whole text of one file.")],
            unit: None,
            example: "SELECT spacegroup(structure(to_cif(structure))) FROM tmo LIMIT 1",
            kernel: crystals(Cost::Crystal, |_, s| Ok(s.clone())),
        },
        Function {
            name: "to_cif",
            text: "The structure as CIF text. With a tolerance it is the standardised conventional cell with its \
                   space group, in spglib's setting, and one site of each orbit.",
            parameters: vec![
                structure(),
                optional(
                    "symprec",
                    Kind::Number,
                    Omitted::Means("no symmetry is used (P1), and every site is listed"),
                    "Tolerance of the symmetry search, Å, at most 1; the column spacegroup uses 0.1.",
                ),
            ],
            unit: None,
            example: "SELECT to_cif(structure, 0.1) FROM tmo LIMIT 1",
            kernel: crystals(Cost::Crystal, |row, s| {
                let name = s.composition().reduced_formula();
                match row.given(1) {
                    None => Ok(formats::to_cif(s, &name)),
                    Some(symprec) if symprec > 0.0 && symprec <= 1.0 => {
                        Ok(formats::to_symmetrised_cif(s, &name, symprec)?)
                    }
                    Some(symprec) => {
                        Err(format!("a tolerance of {symprec} Å; give one above 0 and up to 1, as 0.1").into())
                    }
                }
            }),
        },
        Function {
            name: "to_poscar",
            text: "The structure as VASP 5 POSCAR text, with fractional coordinates.",
            parameters: vec![structure()],
            unit: None,
            example: "SELECT to_poscar(structure) FROM tmo LIMIT 1",
            kernel: crystals(Cost::Crystal, |_, s| Ok(formats::to_poscar(s, &s.composition().reduced_formula()))),
        },
    ]
}

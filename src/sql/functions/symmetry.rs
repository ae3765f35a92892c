//! Space groups and structure types.

use super::Function;
use super::arguments::{structure, symmetry, symprec};
use super::kernel::crystals;
use crate::cost::Cost;

pub(super) fn functions() -> Vec<Function> {
    vec![
        Function {
            name: "primitive",
            text: "The crystal in its primitive cell, Niggli-reduced: the smallest cell whose translations move no atom by \
                   more than symprec. What is counted per cell, such as inserted ions, then no longer depends on the \
                   cell of the file. Of a primitive cell the first vector is the shortest.",
            parameters: vec![structure(), symprec()],
            unit: None,
            example: "SELECT id, natoms, natoms(primitive(structure)) AS primitive FROM tmo",
            kernel: crystals(Cost::Costly, |row, s| match row.number(1) {
                symprec if symprec > 0.0 && symprec.is_finite() => Ok(s.primitive(symprec)),
                symprec => Err(format!("symprec is {symprec} Å; it must be positive").into()),
            }),
        },
        Function {
            name: "prototype",
            text: "Label of the structure type, regardless of the elements: AB2_tP6_136_a_f is rutile. It joins the \
                   anonymous formula (A is the rarest element), the Pearson symbol, the space-group number and the \
                   Wyckoff positions of each letter. It does not depend on the choice of cell or origin.",
            parameters: vec![structure(), symprec()],
            unit: None,
            example: "SELECT prototype(structure) AS prototype, count(*) AS crystals FROM tmo GROUP BY prototype \
                      ORDER BY crystals DESC LIMIT 10",
            kernel: crystals(Cost::Costly, |row, s| Ok(symmetry(row, s)?.prototype(s))),
        },
        Function {
            name: "spacegroup",
            text: "Space-group number, 1 to 230.",
            parameters: vec![structure(), symprec()],
            unit: None,
            example: "SELECT id, spacegroup(structure, 0.01) FROM tmo",
            kernel: crystals(Cost::Costly, |row, s| Ok(i32::from(symmetry(row, s)?.number))),
        },
        Function {
            name: "spacegroup_symbol",
            text: "Hermann-Mauguin symbol of the space group: `P4_2/mnm` for rutile.",
            parameters: vec![structure(), symprec()],
            unit: None,
            example: "SELECT id, spacegroup_symbol(structure) FROM tmo",
            kernel: crystals(Cost::Costly, |row, s| Ok(symmetry(row, s)?.symbol)),
        },
    ]
}

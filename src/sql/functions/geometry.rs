//! What is in the cell, and how large it is.

use super::arguments::{radii, radius_set, structure};
use super::kernel::{crystals, slices};
use super::{Function, number};
use crate::cost::Cost;
use crystal::Lattice;
use features;

pub(super) fn functions() -> Vec<Function> {
    vec![
        Function {
            name: "density",
            text: "Mass density, from standard atomic weights.",
            parameters: vec![structure()],
            unit: Some("g/cm³"),
            example: "SELECT id, density(structure) FROM tmo",
            kernel: crystals(Cost::Crystal, |_, s| Ok(features::density(s))),
        },
        Function {
            name: "distance_min",
            text: "Shortest distance between two atoms, periodic images included.",
            parameters: vec![structure()],
            unit: Some("Å"),
            example: "SELECT id FROM tmo WHERE distance_min(structure) < 1.5",
            kernel: crystals(Cost::Costly, |_, s| Ok(s.distance_min())),
        },
        Function {
            name: "natoms",
            text: "Number of atoms in the cell.",
            parameters: vec![structure()],
            unit: None,
            example: "SELECT id, natoms(structure) FROM tmo",
            kernel: slices(|_, numbers| i32::try_from(numbers.len()).ok(), |s| Ok(i32::try_from(s.len())?)),
        },
        Function {
            name: "packing_fraction",
            text: "Total volume of the atomic spheres divided by the volume of the cell. Overlaps count twice, so it \
                   may exceed 1.",
            parameters: vec![structure(), radii("atomic")],
            unit: None,
            example: "SELECT id, packing_fraction(structure, 'ionic') FROM tmo",
            kernel: crystals(Cost::Crystal, |row, s| Ok(features::packing_fraction(s, radius_set(row.text(1))?)?)),
        },
        Function {
            name: "void",
            text: "Fraction of the cell outside all atomic spheres, or accessible to the centre of a probe sphere. \
                   It is exact, not sampled. With the structure alone it follows the convention of the column \
                   `void`.",
            parameters: vec![
                structure(),
                radii("atomic"),
                number("probe", 0.0, "Radius of the probe, Å: 0.76 for Li+, 1.00 for Ca2+."),
            ],
            unit: None,
            example: "SELECT id, void(structure, 'ionic', 0.76) FROM tmo WHERE void > 0.5",
            kernel: crystals(Cost::Costly, |row, s| {
                Ok(match row.omits(1) {
                    true => features::default_void(s)?,
                    false => features::void_fraction(s, radius_set(row.text(1))?, row.number(2))?,
                })
            }),
        },
        Function {
            name: "volume",
            text: "Volume of the cell.",
            parameters: vec![structure()],
            unit: Some("Å³"),
            example: "SELECT id, volume(structure) / natoms(structure) AS volume_per_atom FROM tmo",
            kernel: slices(|lattice, _| volume(lattice), |s| Ok(s.volume())),
        },
    ]
}

/// Volume, Å³, of a column of lattices, row by row.
fn volume(lattice: &[f64]) -> Option<f64> {
    let rows: &[f64; 9] = lattice.try_into().ok()?;
    Some(Lattice::new(std::array::from_fn(|r| std::array::from_fn(|c| rows[3 * r + c]))).ok()?.volume())
}

//! How alike two crystals are.

use arrow::array::{Array, AsArray, ListArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Float64Type};
use datafusion::common::Result;

use super::arguments::{compared, structure, tolerances};
use super::declaration::is_numbers;
use super::kernel::{Answer, Arguments, Columns, crystals, list_of, pairs, rows, structs, values};
use super::{Function, Kind, required};
use crate::cost::Cost;
use crate::structure_type::{Crystals, crystal_text};
use crystal::{Structure, content_hash};
use features::{self, Match, Tolerances};

pub(super) fn functions() -> Vec<Function> {
    vec![
        Function {
            name: "fingerprint",
            text: "Structure fingerprint: 144 numbers of Euclidean norm 1. They are the radial distributions \
                   cation-cation, cation-anion and anion-anion (weighted by electronegativity, regardless of \
                   element), at 48 distances each from 0.4 to 4 (V/N)^(1/3), logarithmically spaced and smoothed by \
                   5 % of the distance, minus those of randomly placed atoms.",
            parameters: vec![structure()],
            unit: None,
            example: "SELECT id, fingerprint(structure) FROM tmo LIMIT 1",
            kernel: crystals(Cost::Costly, |_, s| Ok(features::fingerprint(s)?)),
        },
        Function {
            name: "same_prototype",
            text: "True if two crystals are the same structure once the elements of one are mapped, one to one, onto \
                   those of the other, as for rutile TiO2 and SnO2. Tolerances as for same_structure.",
            parameters: compared(),
            unit: None,
            example: "SELECT q.id, q.formula FROM tmo p, tmo q WHERE p.id = 'rutile' AND \
                      same_prototype(p.structure, q.structure)",
            kernel: pairs(Cost::Costly, values(), |row, a, b| {
                matchable(a, b)?;
                Ok(features::same_arrangement(a, b, &tolerances(row)?)?)
            }),
        },
        Function {
            name: "same_structure",
            text: "True if two crystals are the same structure: their primitive cells, scaled to equal volume, can \
                   be superposed so that every atom is near one of its element. Cell, origin, orientation, order of \
                   the atoms and handedness do not matter. Criterion and default tolerances are those of pymatgen's \
                   StructureMatcher.",
            parameters: compared(),
            unit: None,
            example: "SELECT p.id, q.id FROM tmo p JOIN tmo q USING (formula) WHERE p.id < q.id AND \
                      same_structure(p.structure, q.structure)",
            kernel: pairs(Cost::Costly, values(), |row, a, b| {
                matchable(a, b)?;
                Ok(features::same_structure(a, b, &tolerances(row)?))
            }),
        },
        Function {
            name: "similarity",
            text: "Similarity of two crystals by their fingerprints, 0 to 1: (1 + cosine) / 2, which is 1 for equal \
                   structures. Isostructural compounds score above 0.99, other structures mostly below 0.95.",
            parameters: vec![
                required("a", Kind::CrystalOrFingerprint, crystal_text!("A structure, ", ", or a fingerprint.")),
                required("b", Kind::CrystalOrFingerprint, "The crystal or fingerprint to compare it with."),
            ],
            unit: None,
            example: "SELECT q.id, q.formula, similarity(p.structure, q.structure) AS similarity FROM tmo p, tmo q \
                      WHERE p.id = 'rutile' ORDER BY similarity DESC LIMIT 10",
            kernel: rows(Cost::Costly, values(), |arguments| {
                let [a, b] = [Side::of(arguments, 0)?, Side::of(arguments, 1)?];
                Ok(arguments.rows(|i| {
                    let (a, b) = (a.get(i)?, b.get(i)?);
                    Some(a.and_then(|a| Ok(features::similarity(&a, &b?)?)))
                }))
            }),
        },
        Function {
            name: "structure_hash",
            text: "Content hash, 32 hexadecimal digits, as in the column structure_hash: the same for any order of the sites, \
                   any lattice translation of a site, any rotation of the crystal and float noise well below 0.001 Å. \
                   Mirror images, other cells of the same lattice and other origins have others; same_structure \
                   compares those.",
            parameters: vec![structure()],
            unit: None,
            example: "SELECT structure_hash(structure) = structure_hash FROM tmo LIMIT 5",
            kernel: crystals(Cost::Crystal, |_, s| Ok(content_hash(s).to_string())),
        },
        Function {
            name: "structure_match",
            text: "How well two crystals can be superposed, and the tolerances that were used.",
            parameters: compared(),
            unit: None,
            example: "SELECT p.id, q.id, structure_match(p.structure, q.structure)['rms'] AS rms FROM tmo p JOIN tmo \
                      q USING (formula) WHERE p.id < q.id",
            kernel: pairs(Cost::Costly, structs(match_columns()), |row, a, b| {
                let tolerances = tolerances(row)?;
                matchable(a, b)?;
                Ok((features::match_structures(a, b, &tolerances), tolerances))
            }),
        },
    ]
}

/// Whether both crystals are small enough to be compared.
fn matchable(a: &Structure, b: &Structure) -> Answer<()> {
    Ok([a, b].into_iter().try_for_each(features::matchable)?)
}

fn match_columns() -> Columns<(Option<Match>, Tolerances)> {
    type Matched = (Option<Match>, Tolerances);
    Columns::<Matched>::new()
        .field("same", None, "As same_structure.", |(found, _)| found.as_ref().is_some_and(|m| m.same))
        .field(
            "rms",
            Some("(V/N)^(1/3)"),
            "Smallest root-mean-square distance of the atoms from their partners; NULL if no superposition has one \
             within stol.",
            |(found, _)| found.as_ref().map(|m| m.rms),
        )
        .field("largest", Some("(V/N)^(1/3)"), "Largest such distance in that superposition.", |(found, _)| {
            found.as_ref().map(|m| m.largest)
        })
        .field("ltol", None, "Tolerance of the cell lengths.", |(_, t)| t.length)
        .field("stol", Some("(V/N)^(1/3)"), "Tolerance of the distances.", |(_, t)| t.site)
        .field("angle_tol", Some("degrees"), "Tolerance of the cell angles.", |(_, t)| t.angle)
}

/// One of the two arguments of `similarity`.
enum Side<'a> {
    Crystals(Crystals<'a>),
    Fingerprints(ListArray),
}

impl<'a> Side<'a> {
    fn of(arguments: &'a Arguments, i: usize) -> Result<Self> {
        let column = &arguments.columns[i];
        if !is_numbers(column.data_type()) {
            return Ok(Self::Crystals(arguments.crystals(i)?));
        }
        Ok(Self::Fingerprints(cast(column, &list_of(DataType::Float64))?.as_list().clone()))
    }

    /// The fingerprint of row `i`; `None` for NULL; why there is none.
    fn get(&self, i: usize) -> Option<Answer<Vec<f64>>> {
        match self {
            Self::Crystals(crystals) => {
                let crystal = crystals.get(i)?;
                Some(crystal.map_err(Into::into).and_then(|structure| Ok(features::fingerprint(&structure)?)))
            }
            Self::Fingerprints(lists) => {
                let row = lists.is_valid(i).then(|| lists.value(i))?;
                let numbers = row.as_primitive::<Float64Type>();
                Some(match numbers.null_count() {
                    0 => Ok(numbers.values().to_vec()),
                    n => Err(format!("a fingerprint has {n} NULLs").into()),
                })
            }
        }
    }
}

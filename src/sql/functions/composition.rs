//! Functions of the composition: formulas, elements, oxidation states, Magpie descriptors.

use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Builder, StructArray};
use arrow::buffer::NullBuffer;
use arrow::datatypes::{DataType, Field, Fields};
use datafusion::common::Result;

use super::arguments::{composition, structure};
use super::kernel::{Arguments, Columns, FieldDoc, Kernel, compositions, lists_of, rows, slices, values};
use super::{Function, Kind, Omitted, optional, required};
use crate::cost::Cost;
use crystal::{Composition, Element};
use features::{self, MAGPIE_LEN, MissingProperty, magpie_names, magpie_of};

pub(super) fn functions() -> Vec<Function> {
    vec![
        Function {
            name: "electronegativity_balanced",
            text: "True if the composition can be charge-neutral with every cation less electronegative (Pauling) \
                   than every anion: the test of SMACT.",
            parameters: vec![composition()],
            unit: None,
            example: "SELECT count(*) FROM tmo WHERE electronegativity_balanced(formula)",
            kernel: compositions(Cost::Crystal, values(), |_, amounts| {
                Ok(features::electronegativity_balanced(&collected(amounts)))
            }),
        },
        Function {
            name: "formula",
            text: "Formula of the whole cell, electropositive elements first: `Ti2O4` for rutile.",
            parameters: vec![structure()],
            unit: None,
            example: "SELECT id, formula(structure) FROM tmo",
            kernel: slices(|_, numbers| Some(counted(numbers)?.formula()), |s| Ok(s.composition().formula())),
        },
        Function {
            name: "has_element",
            text: "True if the crystal contains an element.",
            parameters: vec![
                composition(),
                required("element", Kind::Text, "Symbol, such as `Mo`.").parsed(Element::from_symbol),
            ],
            unit: None,
            example: "SELECT id FROM tmo WHERE has_element(formula, 'Mo')",
            kernel: compositions(Cost::Crystal, values(), |row, amounts| {
                let element = Element::from_symbol(row.text(1))?;
                Ok(amounts.iter().any(|&(e, _)| e == element))
            }),
        },
        Function {
            name: "is_charge_neutral",
            text: "True if common oxidation states of the elements can sum to zero, with one state per element or \
                   one mixed-valence element (Fe3O4). Only the composition is used, so it is a cheap prefilter.",
            parameters: vec![composition()],
            unit: None,
            example: "SELECT count(*) FROM tmo WHERE NOT is_charge_neutral(formula)",
            kernel: compositions(Cost::Crystal, values(), |_, amounts| {
                Ok(features::neutral_states(&collected(amounts)).is_some())
            }),
        },
        Function {
            name: "magpie",
            text: "Magpie descriptors of a composition (Ward et al. 2016): six statistics of 22 properties of its \
                   elements, 132 numbers equal to matminer's `ElementProperty.from_preset('magpie')`. \
                   `magpie_names()` lists them; take one by its name: `magpie(structure)['mean \
                   Electronegativity']`.",
            parameters: vec![
                composition(),
                optional(
                    "impute",
                    Kind::Boolean,
                    Omitted::Flag(false),
                    "Whether a property that an element lacks is replaced by its mean over all elements (matminer's \
                     `impute_nan`).",
                ),
            ],
            unit: None,
            example: "SELECT id, magpie(structure)['mean Electronegativity'] AS mean_electronegativity FROM tmo \
                      ORDER BY 2 DESC LIMIT 5",
            kernel: Kernel::new(Cost::Crystal, DataType::Struct(magpie_fields()), magpie).with_fields(vec![
                FieldDoc::new(
                    "<statistic> <property>",
                    DataType::Float64,
                    None,
                    "The minimum, maximum, range, mean, avg_dev or mode of a property; NULL if an element has no \
                     value of it, as argon has no electronegativity.",
                ),
            ]),
        },
        Function {
            name: "magpie_names",
            text: "Names of the 132 numbers of `magpie`, in order, from `minimum Number` to `mode SpaceGroupNumber`.",
            parameters: vec![],
            unit: None,
            example: "SELECT unnest(magpie_names()) AS name",
            kernel: rows(Cost::Cheap, values(), |arguments| Ok(vec![Some(magpie_names().to_vec()); arguments.len()])),
        },
        Function {
            name: "oxidation_states",
            text: "Oxidation states with which a composition is charge-neutral. One state per element is preferred \
                   to mixed valence, then the more common states. NULL if no choice is neutral.",
            parameters: vec![composition()],
            unit: None,
            example: "SELECT formula, oxidation_states(formula) FROM tmo WHERE formula = 'Fe3O4'",
            kernel: compositions(Cost::Crystal, lists_of(state_columns()), |_, amounts| {
                let composition = collected(amounts);
                let none = || format!("{} has no neutral oxidation states", composition.reduced_formula());
                Ok(features::neutral_states(&composition).ok_or_else(none)?)
            }),
        },
        Function {
            name: "reduced_formula",
            text: "Formula in smallest whole numbers: `TiO2` for rutile.",
            parameters: vec![structure()],
            unit: None,
            example: "SELECT reduced_formula(structure), count(*) FROM tmo GROUP BY 1",
            kernel: slices(
                |_, numbers| Some(counted(numbers)?.reduced_formula()),
                |s| Ok(s.composition().reduced_formula()),
            ),
        },
    ]
}

/// Elements and their amounts as a composition.
pub(super) fn collected(amounts: &[(Element, f64)]) -> Composition {
    amounts.iter().copied().collect()
}

/// Composition of a list of atomic numbers; `None` where one is no element.
fn counted(numbers: &[i32]) -> Option<Composition> {
    let elements: Option<Vec<Element>> = numbers.iter().map(|&z| Element::from_z(i64::from(z)).ok()).collect();
    elements.filter(|elements| !elements.is_empty()).map(|elements| Composition::from_elements(&elements))
}

/// The fields of an oxidation state.
pub(super) fn state_columns() -> Columns<(Element, f64)> {
    Columns::<(Element, f64)>::new()
        .field("element", None, "Symbol of the element.", |(element, _)| element.symbol())
        .field("state", None, "Its oxidation state; the mean for mixed valence, 8/3 for Fe in Fe3O4.", |(_, state)| {
            *state
        })
}

fn magpie_fields() -> Fields {
    magpie_names().iter().map(|name| Field::new(name, DataType::Float64, true)).collect()
}

fn magpie(arguments: &Arguments) -> Result<ArrayRef> {
    let rows = arguments.map_compositions(|row, amounts| {
        Ok(magpie_of(amounts, if row.flag(1) { MissingProperty::Mean } else { MissingProperty::Missing }))
    })?;
    let mut columns: [_; MAGPIE_LEN] = std::array::from_fn(|_| Float64Builder::with_capacity(rows.len()));
    // Blocks of rows that fit a cache, turned into columns one after the other.
    for block in rows.chunks(64) {
        for (k, column) in columns.iter_mut().enumerate() {
            for row in block {
                column.append_option(row.map(|row| row[k]).filter(|x| !x.is_nan()));
            }
        }
    }
    let columns = columns.iter_mut().map(|column| Arc::new(column.finish()) as ArrayRef).collect();
    let valid: NullBuffer = rows.iter().map(Option::is_some).collect();
    Ok(Arc::new(StructArray::new(magpie_fields(), columns, Some(valid))))
}

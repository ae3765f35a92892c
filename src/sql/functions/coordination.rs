use std::sync::Arc;

use arrow::array::{ArrayRef, Int32Array, StringArray, StructArray};
use arrow::datatypes::{DataType, Fields};
use datafusion::common::Result;
use datafusion::logical_expr::Documentation;
use datafusion_macros::user_doc;

use super::lists::{fields, list_of, lists};
use super::{Arguments, CrystalFunction, Kind, Parameter};
use crate::crystal::Element;
use crate::features::{self, COORDINATION_TOLERANCE, Coordination};
use crate::sql::optimizer::Cost;

#[user_doc(
    doc_section(label = "Crystal Functions"),
    description = "Coordination of the sites: a list of STRUCTs with `site` (from 1), `element`, `coordination` and `neighbors`, a list of STRUCTs with `element` and `count`. A neighbour is an ion of opposite charge (any atom where no ions are expected, as in metals) whose Voronoi face spans more than `tolerance` of the largest solid angle of such faces: 6 for Ti and 3 for O in rutile, 5 for V in V2O5.",
    syntax_example = "coordination(structure[, tolerance])",
    sql_example = "SELECT id FROM tmo WHERE coordination(structure)[1]['coordination'] = 6",
    argument(name = "structure", description = "A structure, or CIF, POSCAR or JSON text."),
    argument(name = "tolerance", description = "Part of the largest solid angle, 0 to 1; 0.4 where left out.")
)]
/// `coordination(structure[, tolerance])`
#[derive(Debug)]
pub struct CoordinationOf;

fn neighbor_fields() -> Fields {
    fields([("element", DataType::Utf8), ("count", DataType::Int32)])
}

fn site_fields() -> Fields {
    fields([
        ("site", DataType::Int32),
        ("element", DataType::Utf8),
        ("coordination", DataType::Int32),
        ("neighbors", list_of(DataType::Struct(neighbor_fields()))),
    ])
}

impl CrystalFunction for CoordinationOf {
    fn name(&self) -> &'static str {
        "coordination"
    }

    fn parameters(&self) -> &'static [Parameter] {
        const { &[Parameter::required("structure", Kind::Crystal), Parameter::optional("tolerance", Kind::Number)] }
    }

    fn returns(&self) -> DataType {
        list_of(DataType::Struct(site_fields()))
    }

    fn cost(&self) -> Cost {
        Cost::Costly
    }

    fn documentation(&self) -> Option<&Documentation> {
        self.doc()
    }

    fn evaluate(&self, arguments: &Arguments) -> Result<ArrayRef> {
        let tolerance = arguments.numbers(1)?;
        let rows = arguments.map(|i, s| {
            let tolerance = tolerance.as_ref().map_or(COORDINATION_TOLERANCE, |t| t.value(i));
            let found = features::coordination(s, tolerance).map_err(|e| e.to_string())?;
            Ok(s.species().iter().copied().zip(found).collect::<Vec<_>>())
        })?;
        let lengths = rows.iter().map(|r| r.as_ref().map(Vec::len)).collect();
        Ok(Arc::new(lists(lengths, Arc::new(columns(&rows)))))
    }
}

fn columns(rows: &[Option<Vec<(Element, Coordination)>>]) -> StructArray {
    let sites = || rows.iter().flatten().flatten();
    let numbers = rows.iter().flatten().flat_map(|row| 1..=row.len() as i32);
    let elements = || sites().flat_map(|(_, c)| &c.elements);
    let neighbor_columns: Vec<ArrayRef> = vec![
        Arc::new(elements().map(|(e, _)| Some(e.symbol())).collect::<StringArray>()),
        Arc::new(elements().map(|(_, count)| *count as i32).collect::<Int32Array>()),
    ];
    let lengths = sites().map(|(_, c)| Some(c.elements.len())).collect();
    let columns: Vec<ArrayRef> = vec![
        Arc::new(numbers.collect::<Int32Array>()),
        Arc::new(sites().map(|(e, _)| Some(e.symbol())).collect::<StringArray>()),
        Arc::new(sites().map(|(_, c)| c.number as i32).collect::<Int32Array>()),
        Arc::new(lists(lengths, Arc::new(StructArray::new(neighbor_fields(), neighbor_columns, None)))),
    ];
    StructArray::new(site_fields(), columns, None)
}

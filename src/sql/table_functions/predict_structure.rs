//! `predict_structure(formula)`: crystals of one composition.

use std::sync::Arc;

use datafusion::catalog::{Session, TableProvider};
use datafusion::common::{Result, plan_datafusion_err};

use super::generated::{Draws, columns, drawn_how, draws, seed};
use super::table::Table;
use crate::functions::kernel::Row;
use crate::functions::{Function, Kind, required};
use crate::templates::request_of_formula;

/// Draws where a call does not say how many.
const USUAL: f64 = 100.0;

pub(super) fn function() -> Function<Table> {
    Function {
        name: "predict_structure",
        text: "Crystals of one composition, drawn as `generate` does, from the crystals of a table that have its proportions or by a \
               network: a structure prediction, once an energy model has relaxed and ranked them.",
        parameters: [
            vec![
                required("formula", Kind::Text, "The composition, as in 'Nb2O5'.").parsed(request_of_formula),
                draws(Some(USUAL)),
                seed(),
            ],
            drawn_how(),
        ]
        .concat(),
        unit: None,
        example: "SELECT id, spacegroup, template, instability FROM predict_structure('SnO2', 20) ORDER BY instability",
        kernel: Table { reads_files: false, columns: columns(), call },
    }
}

fn call(session: &dyn Session, row: Row) -> Result<Arc<dyn TableProvider>> {
    let request = request_of_formula(row.text(0)).map_err(|e| plan_datafusion_err!("predict_structure: {e}"))?;
    Ok(Arc::new(Draws::of_call("predict_structure", session, request, row, 3)?))
}

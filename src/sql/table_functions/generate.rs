//! `generate(elements, n)`: hypothetical crystals of some elements.

use std::sync::Arc;

use datafusion::catalog::{Session, TableProvider};
use datafusion::common::{Result, plan_datafusion_err};

use super::generated::{Draws, columns, drawn_how, draws, seed, sites};
use super::table::Table;
use crate::functions::kernel::Row;
use crate::functions::{Function, Kind, required};
use crate::templates::request_of_elements;

pub(super) fn function() -> Function<Table> {
    Function {
        name: "generate",
        text: "Hypothetical crystals of some elements: the pattern of orbits of a crystal of a table is drawn, as often as it is known \
               there, with elements on it that often stand on such sites and are charge-neutral; then a cell of the size of its ions \
               and coordinates in which they have room. It is a guess to begin a relaxation with, and nothing says that it \
               is stable. Crystals that are known, or the same, are not left out. The symmetry of the crystals of the table is read \
               first; a draw takes a tenth of a second. With sampler 'wyckoff' no table is read: a network writes the pattern, of \
               properties that may be asked for. They are wishes, and what comes of them is to be measured.",
        parameters: [
            vec![
                required("elements", Kind::Text, "Symbols, as in 'Mo,V,O': crystals have all of them or some.")
                    .parsed(request_of_elements),
                draws(None),
                seed(),
                sites(),
            ],
            drawn_how(),
        ]
        .concat(),
        unit: None,
        example: "SELECT id, spacegroup, template, instability FROM generate('Mn,Ti,O', 20, seed => 7) ORDER BY instability",
        kernel: Table { reads_files: false, columns: columns(), call },
    }
}

fn call(session: &dyn Session, row: Row) -> Result<Arc<dyn TableProvider>> {
    let mut request = request_of_elements(row.text(0)).map_err(|e| plan_datafusion_err!("generate: {e}"))?;
    request.sites = Some(row.number(3) as usize);
    Ok(Arc::new(Draws::of_call("generate", session, request, row, 4)?))
}

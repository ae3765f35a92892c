//! `migration_paths(crystal, ion)`: the images of the path of an ion through one crystal, a row each.

use std::sync::Arc;

use arrow::datatypes::DataType;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::Result;

use super::query::Query;
use super::table::{Table, id_or_crystal, is_crystal, table};
use crate::functions::arguments::{energy_model, ion};
use crate::functions::kernel::Row;
use crate::functions::migration::{images, path_channel, path_spacing};
use crate::functions::{FieldDoc, Function};
use crate::structure_type::crystal_text;
use crate::{quoted_name, quoted_text};
use columns::structure_type;

pub(super) fn function() -> Function<Table> {
    Function {
        name: "migration_paths",
        text: crystal_text!(
            "The images of the path of an ion through one crystal, as migration_barrier finds them, one row each. The crystal is named by its \
             id in a table, or given as ",
            "."
        ),
        parameters: vec![id_or_crystal(), ion(), path_channel(), images(), path_spacing(), energy_model(), table()],
        unit: None,
        example: "SELECT hop, image, distance, energy FROM migration_paths('hollandite-mno2', 'Li')",
        kernel: Table { reads_files: false, columns: columns(), call },
    }
}

fn columns() -> Vec<FieldDoc> {
    vec![
        FieldDoc::new("hop", DataType::Int32, None, "Number of the hop, from 1."),
        FieldDoc::new("image", DataType::Int32, None, "Number of the image in the hop; 0 and the last are its ends."),
        FieldDoc::new("distance", DataType::Float64, Some("Å"), "How far the ion has come, hops counted together."),
        FieldDoc::new("energy", DataType::Float64, Some("eV"), "Energy relative to that of the ion at its site."),
        FieldDoc::new("structure", structure_type(), None, "The cell; the ion is the last atom."),
        FieldDoc::new("barrier", DataType::Float64, Some("eV"), "Highest energy of the path minus the lowest."),
        FieldDoc::new("converged", DataType::Boolean, None, "True if all relaxations and bands converged."),
    ]
}

fn call(_: &dyn Session, row: Row) -> Result<Arc<dyn TableProvider>> {
    let (crystal, table) = (quoted_text(row.text(0)), quoted_name(row.text(6)));
    let rows = match is_crystal(row.text(0)) {
        Ok(false) => format!("SELECT structure FROM {table} WHERE id = {crystal} AND structure IS NOT NULL LIMIT 1"),
        _ => format!("SELECT {crystal} AS structure"),
    };
    let [ion, channel, model] = [1, 2, 5].map(|k| quoted_text(row.text(k)));
    let [images, spacing] = [3, 4].map(|k| row.number(k));
    let sql = format!(
        "SELECT p['hop'] AS hop, p['image'] AS image, p['distance'] AS distance, p['energy'] AS energy, p['structure'] AS structure, \
         barrier, converged FROM (SELECT unnest(m['path']) AS p, m['barrier'] AS barrier, m['converged'] AS converged FROM \
         (SELECT migration_barrier(structure, {ion}, {channel}, {images}, {spacing}, {model}) AS m FROM ({rows}))) ORDER BY hop, image"
    );
    Ok(Arc::new(Query::new(sql, &columns())))
}

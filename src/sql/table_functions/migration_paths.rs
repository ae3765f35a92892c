//! `migration_paths(crystal, ion)`: the images of the path of an ion through one crystal, a row each.

use std::sync::Arc;

use arrow::datatypes::DataType;
use datafusion::catalog::{TableFunctionArgs, TableProvider};
use datafusion::common::{Result, ScalarValue, plan_datafusion_err, plan_err};
use datafusion::logical_expr::Expr;

use super::query::Query;
use super::{Table, is_crystal, text};
use crate::functions::arguments::energy_model;
use crate::functions::migration::{CHANNEL, CHANNEL_TEXT, IMAGES, IMAGES_TEXT, SPACING, SPACING_TEXT};
use crate::functions::{FieldDoc, Function, Kind, Omitted, number, optional, required};
use crate::{quoted_name, quoted_text};
use columns::structure_type;
use features::Ion;

const NAME: &str = "migration_paths";

pub(super) fn function() -> Function<Table> {
    Function {
        name: NAME,
        text: "The images of the path of an ion along a channel of one crystal, as migration_barrier finds them, one row each. The crystal \
               is named by its id in a table, or given as CIF, POSCAR or JSON text.",
        parameters: vec![
            required("crystal", Kind::Text, "An id, or CIF, POSCAR or JSON text, as a constant."),
            required("ion", Kind::Text, "An ion such as 'Li', 'Ca' or 'Al3+', as a constant."),
            optional("channel", Kind::Text, Omitted::Text(CHANNEL), CHANNEL_TEXT),
            number("images", IMAGES, IMAGES_TEXT),
            number("spacing", SPACING, SPACING_TEXT),
            energy_model(),
            optional("table", Kind::Text, Omitted::Text("tmo"), "Name of the table."),
        ],
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

fn call(args: &TableFunctionArgs) -> Result<Arc<dyn TableProvider>> {
    let given = args.exprs();
    if !(2..=7).contains(&given.len()) {
        return plan_err!(
            "{NAME} takes a crystal, an ion and, if wanted, a channel, numbers of images and Å, an energy model and a table; found {} \
             arguments",
            given.len()
        );
    }
    let crystal = text(NAME, "an id or a crystal", &given[0])?;
    let ion = text(NAME, "an ion", &given[1])?;
    Ion::parse(&ion).map_err(|e| plan_datafusion_err!("{NAME}: {e}"))?;
    let channel = given.get(2).map_or_else(|| Ok(CHANNEL.to_owned()), |e| text(NAME, "a channel", e))?;
    let images = given.get(3).map_or(Ok(IMAGES), |e| constant("a number of images", e))?;
    let spacing = given.get(4).map_or(Ok(SPACING), |e| constant("a spacing in Å", e))?;
    let model = given.get(5).map_or_else(|| Ok(String::new()), |e| text(NAME, "a model's name", e))?;
    let table = given.get(6).map_or_else(|| Ok("tmo".to_owned()), |e| text(NAME, "a table's name", e))?;
    let rows = match is_crystal(NAME, &crystal)? {
        true => format!("SELECT {} AS structure", quoted_text(&crystal)),
        false => format!(
            "SELECT structure FROM {} WHERE id = {} AND structure IS NOT NULL LIMIT 1",
            quoted_name(&table),
            quoted_text(&crystal)
        ),
    };
    let [ion, channel, model] = [&ion, &channel, &model].map(|text| quoted_text(text));
    let sql = format!(
        "SELECT p['hop'] AS hop, p['image'] AS image, p['distance'] AS distance, p['energy'] AS energy, p['structure'] AS structure, \
         barrier, converged FROM (SELECT unnest(m['path']) AS p, m['barrier'] AS barrier, m['converged'] AS converged FROM \
         (SELECT migration_barrier(structure, {ion}, {channel}, {images}, {spacing}, {model}) AS m FROM ({rows}))) ORDER BY hop, image"
    );
    Ok(Arc::new(Query::new(sql, &columns())))
}

/// The number of a constant argument.
fn constant(what: &str, argument: &Expr) -> Result<f64> {
    match argument {
        Expr::Literal(value, _) => match value.cast_to(&DataType::Float64) {
            Ok(ScalarValue::Float64(Some(x))) => Ok(x),
            _ => plan_err!("{NAME} needs {what} as a number, found {value}"),
        },
        other => plan_err!("{NAME} needs {what} as a constant number, found {other}"),
    }
}

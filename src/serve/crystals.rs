//! One crystal of a table, as a file of it.

use columns::StructureColumn;
use formats::{to_cif, to_json, to_poscar};
use sql::{Bound, Values, quoted_name};

use crate::catalog::{is_there, no_table};
use crate::error::{Kind, Refusal};
use crate::gate::{Gate, Question};

/// Formats by name, with their types.
pub(crate) const FORMATS: [(&str, &str); 4] = [
    ("cif", "chemical/x-cif"),
    ("poscar", "text/plain; charset=utf-8"),
    ("json", "application/json"),
    ("html", "text/html; charset=utf-8"),
];

/// A crystal as text.
pub(crate) struct Found {
    pub text: String,
    pub kind: &'static str,
    pub snapshot: i64,
}

/// The crystal of an id, at a snapshot or the newest.
///
/// # Errors
/// No such table, one without crystals, or no such id in it.
pub(crate) async fn one(
    gate: &Gate,
    table: &str,
    id: &str,
    format: &str,
    snapshot: Option<i64>,
) -> Result<Found, Refusal> {
    let kind = FORMATS.iter().find(|(name, _)| *name == format).map(|(_, kind)| *kind);
    let kind = kind.ok_or_else(|| {
        Refusal::bad(format!("{format} is no format of a crystal; there are cif, poscar, json, html"))
    })?;
    let text = format!("SELECT structure FROM {} WHERE id = $1 LIMIT 1", quoted_name(table));
    let values = Values::InOrder(vec![Bound::Text(id.to_owned())]);
    let answer = match gate.ask(Question { values, snapshot, ..Question::from(text.as_str()) }).await {
        Err(refusal) if refusal.kind == Kind::Bad && !is_there(gate, table).await? => return Err(no_table(table)),
        asked => asked?,
    };
    let snapshot = answer.snapshot();
    let batches = answer.collect().await?;
    let missing = || Refusal::new(Kind::Missing, format!("{table} has no crystal '{id}'"));
    let batch = batches.iter().find(|batch| batch.num_rows() > 0).ok_or_else(missing)?;
    let crystals = StructureColumn::try_new(batch.column(0)).map_err(Refusal::bad)?;
    let crystal = crystals.get(0).ok_or_else(missing)?.map_err(|error| Refusal::new(Kind::Fault, error.to_string()))?;
    let text = match format {
        "cif" => to_cif(&crystal, id),
        "poscar" => to_poscar(&crystal, id),
        "html" => report::page::crystal(id, &crystal).map_err(|error| Refusal::new(Kind::Fault, error.to_string()))?,
        _ => format!("{}\n", to_json(&crystal)),
    };
    Ok(Found { text, kind, snapshot })
}

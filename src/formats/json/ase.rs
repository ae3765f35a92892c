//! A row of a JSON database of ASE (`ase.db` with the extension `.json`).

use serde_json::Value;

use crate::FormatError;
use crate::{
    Mapping, Properties, Record,
    ase::{Atoms, SCALARS, numbers, periodic},
};

/// The record of one row, whose key `id` replaces a missing name; after an error with its name, as far as known.
pub(super) fn record(
    text: &str,
    line: usize,
    mapping: &Mapping,
    id: impl FnOnce() -> String,
) -> Result<Record, (Option<String>, FormatError)> {
    let syntax = |message: String| FormatError::syntax(line, 0, message);
    let row: Value = serde_json::from_str(text).map_err(|e| (None, syntax(format!("the row is not JSON: {e}"))))?;
    let own = row.get("unique_id").and_then(Value::as_str).map(str::to_owned);
    let (mut properties, mut name) = (Properties::default(), own.clone());
    let fail = |error: FormatError| (own.clone(), error);
    if let Some(Value::Object(pairs)) = row.get("key_value_pairs") {
        for (key, value) in pairs {
            properties.enter(key, value.clone()).map_err(|message| fail(syntax(message)))?;
        }
    }
    if let Some(column) = mapping.column("id") {
        let value = properties.extra.remove(column).or_else(|| row.get(column).cloned());
        let Some(value) = value.filter(|value| !value.is_null()) else {
            return Err(fail(syntax(format!("it has no '{column}' to name it, as --map id= or --id asks"))));
        };
        name = Some(crate::properties::text(&value));
    } else if let Some(named) = properties.take_id() {
        name = Some(named);
    }
    if let Some(unique) = own.clone().filter(|unique| Some(unique) != name.as_ref()) {
        properties.extra.insert("unique_id".into(), unique.into());
    }
    for scalar in SCALARS {
        let value = row.get(scalar).cloned().unwrap_or_default();
        properties.enter(scalar, value).map_err(|message| fail(syntax(message)))?;
    }
    let array = |key: &str| {
        let value =
            row.get(key).ok_or_else(|| syntax(format!("the row has no '{key}'; expected atoms as ASE writes them")))?;
        numbers(value).ok_or_else(|| syntax(format!("'{key}' holds no numbers")))
    };
    let atoms = || {
        Ok(Atoms {
            numbers: array("numbers")?.into_iter().map(|z| z as i64).collect(),
            positions: array("positions")?,
            cell: array("cell")?,
            periodic: row.get("pbc").is_some_and(periodic),
        })
    };
    let structure = atoms().and_then(|atoms: Atoms| atoms.crystal(line)).map_err(fail)?;
    Ok(Record { id: name.unwrap_or_else(id), structure, line, properties })
}

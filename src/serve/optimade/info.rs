//! What the server says of itself: versions, properties, and its other tables.

use serde_json::{Map, Value, json};

use super::entries::all_of;
use super::lower::check;
use super::properties::{FUNCTIONS, Kind, NO_PROPERTIES, STANDARD, ucum};
use super::{TABLE, VERSION};
use crate::catalog;
use crate::error::Refusal;
use crate::gate::Gate;
use formats::optimade_name;
use sql::sql_type;

/// `info`: of the database under a base URL.
pub(super) fn base(url: &str) -> Value {
    json!({
        "id": "/",
        "type": "info",
        "attributes": {
            "api_version": VERSION,
            "available_api_versions": [{ "url": format!("{url}/v1"), "version": VERSION }],
            "formats": ["json"],
            "available_endpoints": ["info", "links", "structures"],
            "entry_types_by_format": { "json": ["structures"] },
            "is_index": false,
            "license": null,
        },
    })
}

/// `info/structures`: the properties of a table with their types, units and meanings.
///
/// # Errors
/// A table without crystals.
pub(super) async fn structures(gate: &Gate, table: &str) -> Result<Value, Refusal> {
    let properties = properties(gate, table).await?;
    let names: Vec<&String> = properties.keys().collect();
    Ok(json!({
        "id": "structures",
        "type": "info",
        "description": format!("Crystals of the table {table}."),
        "formats": ["json"],
        "output_fields_by_format": { "json": names },
        "properties": properties,
    }))
}

async fn properties(gate: &Gate, table: &str) -> Result<Map<String, Value>, Refusal> {
    let planned = gate.plan(all_of(table, None)).await?;
    check(table, &planned.schema)?;
    let meanings = store::meanings(table, &planned.schema);
    let property = |kind: Kind, unit: Option<String>, description: &str| json!({ "type": kind.word(), "unit": unit, "sortable": kind.sorts(), "description": description });
    let mut all = Map::new();
    for known in &STANDARD {
        let unit = matches!(known.kind, Kind::List(Kind::List(_))).then(|| ucum("Å"));
        let mut stated = property(known.kind, unit, known.summary);
        stated["sortable"] = (known.kind.sorts() && known.queried()).into();
        all.insert(known.name.to_owned(), stated);
    }
    for (field, units) in planned.schema.fields().iter().zip(&planned.units) {
        let name = field.name().as_str();
        if !NO_PROPERTIES.contains(&name) {
            let unit = units.unit.as_deref().map(ucum);
            let meaning = meanings.get(name).map_or_else(|| format!("Column {name} of {table}."), |m| (*m).to_owned());
            let kind = Kind::of(&sql_type(field.data_type()));
            all.entry(optimade_name(name)).or_insert_with(|| property(kind, unit, &meaning));
        }
    }
    for (name, function) in FUNCTIONS.iter() {
        let unit = (!function.unit.is_empty()).then(|| ucum(&function.unit));
        let meaning = format!("{} Computed where it is asked for.", function.summary());
        all.entry(name.clone()).or_insert_with(|| property(Kind::of(&function.returns), unit, &meaning));
    }
    Ok(all)
}

/// `links`: this database, and each other table of crystals as one of its own.
///
/// # Errors
/// A store that cannot be read, or a server that is too busy.
pub(super) async fn links(gate: &Gate, own: &str, url: &str) -> Result<Value, Refusal> {
    let (_, tables) = catalog::names(gate).await?;
    let mut links = Vec::new();
    for (table, _) in tables {
        let planned = match gate.plan(all_of(&table, None)).await {
            Ok(planned) => planned,
            Err(refusal) if refusal.is_lasting() => continue,
            Err(refusal) => return Err(refusal),
        };
        if check(&table, &planned.schema).is_ok() {
            let attributes = json!({
                "name": table,
                "description": format!("Crystals of the table {table}."),
                "base_url": base_url(url, &table),
                "homepage": null,
                "link_type": if table == own { "root" } else { "child" },
            });
            links.push(json!({ "id": table, "type": "links", "attributes": attributes }));
        }
    }
    Ok(Value::Array(links))
}

/// The base URL of a table.
pub(super) fn base_url(url: &str, table: &str) -> String {
    if table == TABLE {
        return url.to_owned();
    }
    let encoded: String = table
        .bytes()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' => char::from(byte).to_string(),
            other => format!("%{other:02X}"),
        })
        .collect();
    format!("{url}/{encoded}")
}

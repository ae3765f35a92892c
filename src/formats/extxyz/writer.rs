//! Crystals as frames of extended XYZ.

use std::fmt::Write;

use serde_json::{Map, Value};

use super::comment;
use crystal::Structure;

/// One frame: the crystal with Cartesian positions, Å, and `properties` as pairs of its comment line, every number with all of its
/// digits. Numbers, booleans and texts are written bare or quoted; what would be read as something else (the id `00123`, a text of several
/// lines, a list) is JSON behind the word `_JSON`, as ASE has it. NULL is left out.
pub fn to_extxyz(structure: &Structure, properties: &Map<String, Value>) -> String {
    let rows = structure.lattice().rows().as_flattened().iter().map(|x| format!("{x:?}")).collect::<Vec<_>>().join(" ");
    let mut text = format!("{}\nLattice=\"{rows}\" Properties=species:S:1:pos:R:3 pbc=\"T T T\"", structure.len());
    let out = &mut text;
    // Writing to a string cannot fail.
    for (key, value) in properties.iter().filter(|(_, value)| !value.is_null()) {
        // Three keys are the frame's own.
        let taken = matches!(key.as_str(), "Lattice" | "Properties" | "pbc");
        let _ = write!(out, " {}={}", quoted(key, taken), said(value));
    }
    out.push('\n');
    for (element, [x, y, z]) in structure.species().iter().zip(structure.cart_coords()) {
        let _ = writeln!(out, "{element} {x:?} {y:?} {z:?}");
    }
    text
}

/// A key; in quotes where it is no plain word, with a mark where it is `taken`.
fn quoted(key: &str, taken: bool) -> String {
    let plain = !key.is_empty() && key.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '.'));
    let mark = if taken { "_" } else { "" };
    if plain { format!("{key}{mark}") } else { enclosed(&format!("{}{mark}", key.replace(['\n', '\r'], " "))) }
}

/// In quotes; a backslash keeps the next character.
fn enclosed(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

fn said(value: &Value) -> String {
    match value {
        Value::Bool(true) => "T".into(),
        Value::Bool(false) => "F".into(),
        Value::Number(number) => number.to_string(),
        Value::String(text) if comment::scalar(text).as_ref() == Some(value) && !text.contains(char::is_control) => {
            enclosed(text)
        }
        other => enclosed(&format!("_JSON {other}")),
    }
}

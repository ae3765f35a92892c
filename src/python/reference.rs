//! What there is: the functions of SQL, the commands and the stored queries, as JSON for the package to make its own of.

use std::any::TypeId;
use std::collections::HashMap;
use std::path::PathBuf;

use arrow::datatypes::DataType;
use hollandite::cli::queries::QUERIES;
use hollandite::cli::{self, python};
use hollandite::sql::functions::{Function, Kind, Omitted, themes};
use hollandite::sql::{self, aggregates};
use pyo3::prelude::*;
use serde_json::{Value, json};

/// The functions of rows and of groups of rows: name, section, text, unit, example and parameters, and the type of those of rows.
#[pyfunction]
pub fn functions() -> String {
    let returns: HashMap<String, String> =
        sql::functions().into_iter().map(|function| (function.name, function.returns)).collect();
    let documented = |section: &str, of_a_group: bool, mut row: Value| {
        row["section"] = json!(section);
        row["returns"] = json!(row["name"].as_str().and_then(|name| returns.get(name)));
        row["of_a_group"] = json!(of_a_group);
        row
    };
    let rows = themes().into_iter().flat_map(|(section, functions)| functions.into_iter().map(move |f| (section, f)));
    let rows = rows.map(|(section, function)| {
        let mut row = documented(section, false, function_of(&function));
        row["type"] = json!(type_name(function.kernel.data_type()));
        row
    });
    let groups = aggregates::themes().into_iter();
    let groups = groups.map(|(section, function)| documented(section, true, function_of(&function)));
    Value::Array(rows.chain(groups).collect()).to_string()
}

/// A type as DuckDB reads it: with the fields of structs, any of whose names may be a word of SQL.
fn type_name(data_type: &DataType) -> String {
    match data_type {
        DataType::List(item) => format!("{}[]", type_name(item.data_type())),
        DataType::Struct(fields) => {
            let fields = fields.iter().map(|f| format!("{} {}", sql::quoted_name(f.name()), type_name(f.data_type())));
            format!("STRUCT({})", fields.collect::<Vec<_>>().join(", "))
        }
        other => sql::sql_type(other),
    }
}

fn function_of<K>(function: &Function<K>) -> Value {
    let parameters = function.parameters.iter().map(|parameter| {
        json!({
            "name": parameter.name,
            "argument": python::name(parameter.name),
            "kind": format!("{:?}", parameter.kind),
            "crystal": matches!(
                parameter.kind,
                Kind::Crystal | Kind::Composition | Kind::CrystalOrFingerprint | Kind::CrystalOrNumber
            ),
            "text": python::words(parameter.text),
            "omitted": parameter.omitted.map(|omitted| omitted.to_string()),
            "default": match parameter.omitted {
                Some(Omitted::Number(x)) => json!(x),
                Some(Omitted::Text(text)) => json!(text),
                Some(Omitted::Flag(flag)) => json!(flag),
                Some(Omitted::Means(_) | Omitted::Null) | None => Value::Null,
            },
        })
    });
    json!({
        "name": function.name,
        "text": python::words(function.text),
        "unit": function.unit,
        "example": function.example,
        "parameters": parameters.collect::<Vec<_>>(),
    })
}

/// The commands with their arguments.
#[pyfunction]
pub fn commands() -> String {
    let command = cli::command();
    Value::Array(command.get_subcommands().map(described).collect()).to_string()
}

fn described(command: &clap::Command) -> Value {
    let arguments = command.get_arguments().filter(|argument| {
        !argument.is_hide_set() && !matches!(argument.get_id().as_str(), "help" | "version" | "store")
    });
    let arguments = arguments.map(|argument| {
        let many = argument.get_num_args().is_some_and(|range| range.max_values() > 1);
        json!({
            "name": python::name(argument.get_long().unwrap_or(argument.get_id().as_str())),
            "long": argument.get_long(),
            "help": argument.get_help().map(|help| python::words(&help.to_string())),
            "value": argument.get_action().takes_values(),
            "file": argument.get_value_parser().type_id() == TypeId::of::<PathBuf>(),
            "many": many || matches!(argument.get_action(), clap::ArgAction::Append),
            "separator": argument.get_value_delimiter(),
            "required": argument.is_required_set(),
            "default": argument.get_default_values().first().map(|value| value.to_string_lossy().into_owned()),
        })
    });
    json!({
        "name": command.get_name(),
        "about": command.get_about().map(|about| python::words(&about.to_string())),
        "arguments": arguments.collect::<Vec<_>>(),
        "commands": command.get_subcommands().map(described).collect::<Vec<_>>(),
    })
}

/// The stored queries: name, what each answers, and its SQL.
#[pyfunction]
pub fn queries() -> Vec<(&'static str, Option<String>, &'static str)> {
    QUERIES.iter().map(|query| (query.name, query.header("What"), query.sql)).collect()
}

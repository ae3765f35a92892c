//! What editors and type checkers know of the package for Python is what the program says of itself: its functions and its commands.

use std::any::TypeId;
use std::collections::HashMap;
use std::path::PathBuf;

use clap::{Arg, ArgAction, Command};
use hollandite::cli::{self, python};
use hollandite::crystal::Element;
use hollandite::sql::functions::{Function, Kind, Omitted, Parameter, themes};
use hollandite::sql::{self, aggregates};

const COMMAND: &str = "UPDATE=1 cargo test --test docs drift";

/// Compares a file of the package with `text`, or writes it.
fn check(file: &str, text: &str) {
    let path = format!("{}/src/python/hollandite/{file}", env!("CARGO_MANIFEST_DIR"));
    if std::env::var_os("UPDATE").is_some() {
        return std::fs::write(path, text).unwrap();
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(written == text, "src/python/hollandite/{file} is out of date: {COMMAND}");
}

#[test]
fn drift_of_the_functions_of_the_package() {
    let returns: HashMap<String, String> = sql::functions().into_iter().map(|f| (f.name, f.returns)).collect();
    let rows = themes().into_iter().flat_map(|(_, functions)| functions);
    let mut functions: Vec<(&str, String)> = rows.map(|f| (f.name, overloads(&f, &returns[f.name]))).collect();
    functions.extend(aggregates::themes().into_iter().map(|(_, f)| (f.name, of_a_group(&f, &returns[f.name]))));
    functions.sort();
    // Names, not only their type: `from .functions import *` brings the ones that are listed.
    let names: String = functions.iter().map(|(name, _)| format!("    \"{name}\",\n")).collect();
    let mut text = format!(
        "# Written by `{COMMAND}`.\n# mypy: disable-error-code=\"overload-overlap\"\n# pyright: reportOverlappingOverload=false\n\n\
         from typing import Any, Callable, Sequence, overload\n\nfrom ._kinds import Column, Frame, Many, Object, OneCrystal, Rows, Some, Text\n\
         from ._lib import Connection, Crystal\n\n__all__ = [\n{names}]\n_docs: dict[str, dict[str, Any]]\n\n\
         def _shared() -> Connection: ...\n\nclass Functions:\n"
    );
    text += "    def __init__(self, connection: Callable[[], Connection]) -> None: ...\n";
    functions.iter().for_each(|(_, declared)| text += declared);
    text += "\n_all: Functions\n";
    functions.iter().for_each(|(name, _)| text += &format!("{name} = _all.{name}\n"));
    check("functions.pyi", &text);
}

/// A function of all rows of a group as a method: one answer for all.
fn of_a_group<K>(function: &Function<K>, returns: &str) -> String {
    let given: String = function.parameters.iter().map(|p| format!(", {}", parameter(p, true))).collect();
    // Of nothing that is NULL there is an answer.
    let or_none = if function.parameters.is_empty() { "" } else { " | None" };
    let (name, value, said) = (function.name, type_of(returns), docstring(function));
    format!("    def {name}(self{given}) -> {value}{or_none}:\n        \"\"\"{said}\"\"\"\n")
}

/// What a function answers, and in which unit.
fn docstring<K>(function: &Function<K>) -> String {
    let unit = function.unit.map(|unit| format!(" In {unit}.")).unwrap_or_default();
    python::words(&format!("{}{unit}", function.text)).replace('\\', "\\\\").replace('"', "'")
}

/// A function as a method: one answers a value, a column a column, many a list, and whatever a frame is made of a column of it.
fn overloads(function: &Function, returns: &str) -> String {
    let rest = |some: bool| -> String {
        function.parameters[1..].iter().map(|p| format!(", {}", parameter(p, some))).collect()
    };
    let Some(first) = function.parameters.first() else { return of_a_group(function, returns) };
    let crystal = is_crystal(first.kind);
    let value = type_of(returns);
    let mut ways: Vec<(String, bool, String)> = Vec::new();
    if returns == "STRUCTURE" && crystal {
        for (one, many, value) in [("Object", "Some[Object]", "Object"), ("Text", "Some[Text] | Rows", "Crystal")] {
            ways.push((format!("{one} | None"), false, format!("{value} | None")));
            ways.push((many.to_owned(), true, format!("list[{value} | None]")));
        }
        ways.insert(1, ("Column".to_owned(), true, "Column".to_owned()));
    } else {
        let one = kind(first.kind);
        let rows = if crystal { " | Rows" } else { "" };
        ways.push((format!("{one} | None"), false, format!("{value} | None")));
        ways.push(("Column".to_owned(), true, "Column".to_owned()));
        ways.push((format!("Some[{one}]{rows}"), true, format!("list[{value} | None]")));
    }
    if crystal {
        ways.push(("Frame".to_owned(), true, "Any".to_owned()));
    }
    let said = docstring(function);
    let name = python::name(first.name);
    let last = ways.len() - 1;
    let way = |(k, (one, some, value)): (usize, (String, bool, String))| {
        let body = if k == last { format!("\n        \"\"\"{said}\"\"\"") } else { " ...".to_owned() };
        format!("    @overload\n    def {}(self, {name}: {one}{}) -> {value}:{body}\n", function.name, rest(some))
    };
    ways.into_iter().enumerate().map(way).collect()
}

fn is_crystal(kind: Kind) -> bool {
    matches!(kind, Kind::Crystal | Kind::Composition | Kind::CrystalOrFingerprint | Kind::CrystalOrNumber)
}

/// The type of Python of one value of a parameter.
fn kind(kind: Kind) -> &'static str {
    match kind {
        Kind::Crystal | Kind::Composition => "OneCrystal",
        Kind::CrystalOrFingerprint => "OneCrystal | Sequence[float]",
        Kind::CrystalOrNumber => "OneCrystal | float",
        Kind::Text | Kind::Model | Kind::Diagram => "str",
        Kind::Number => "float",
        Kind::NumberOrName => "float | str",
        Kind::Boolean => "bool",
    }
}

/// The type of Python of a type of SQL.
fn type_of(returns: &str) -> String {
    match returns {
        "DOUBLE" | "FLOAT" => "float".to_owned(),
        "BIGINT" | "INTEGER" => "int".to_owned(),
        "VARCHAR" => "str".to_owned(),
        "BOOLEAN" => "bool".to_owned(),
        "STRUCT" => "dict[str, Any]".to_owned(),
        "STRUCTURE" => "Crystal".to_owned(),
        list => match list.strip_suffix("[]") {
            Some(item) => format!("list[{}]", type_of(item)),
            None => panic!("{list} has no type of Python here"),
        },
    }
}

/// A parameter after the first, of one value or of `some`.
fn parameter(parameter: &Parameter, some: bool) -> String {
    let kind = if some { format!("Some[{}]", kind(parameter.kind)) } else { kind(parameter.kind).to_owned() };
    let name = python::name(parameter.name);
    let default = match parameter.omitted {
        None => return format!("{name}: {kind}"),
        Some(Omitted::Number(x)) => format!("{x:?}"),
        Some(Omitted::Text(text)) => format!("{text:?}"),
        Some(Omitted::Flag(true)) => "True".to_owned(),
        Some(Omitted::Flag(false)) => "False".to_owned(),
        Some(Omitted::Means(_) | Omitted::Null) => "None".to_owned(),
    };
    format!("{name}: {kind} | None = {default}")
}

/// Commands that are methods of a connection: those that src/python/hollandite/_jobs.py names.
fn methods(command: &Command) -> Vec<&Command> {
    let jobs =
        std::fs::read_to_string(format!("{}/src/python/hollandite/_jobs.py", env!("CARGO_MANIFEST_DIR"))).unwrap();
    let named = jobs.split_once("COMMANDS = {").unwrap().1.split_once('}').unwrap().0;
    let is_named = |command: &&Command| named.contains(&format!("\"{}\":", command.get_name()));
    command.get_subcommands().filter(is_named).collect()
}

#[test]
fn drift_of_the_commands_of_the_package() {
    let command = cli::command();
    let mut text = format!(
        "# Written by `{COMMAND}`.\n\nfrom os import PathLike\nfrom pathlib import Path\nfrom typing import Any, Mapping, Sequence\n\n\
         from ._view import Page\n\nclass Said(str): ...\n\nclass Picture:\n    data: bytes\n    said: Said\n    path: Path | None\n\
         \x20   def save(self, path: str | Path) -> None: ...\n"
    );
    let mut class = String::from("\nclass Commands:\n");
    let methods = methods(&command);
    assert!(methods.len() > 10);
    for method in methods {
        let inner: Vec<&Command> = method.get_subcommands().filter(|c| c.get_name() != "help").collect();
        let name = method.get_name().replace('-', "_");
        if inner.is_empty() {
            class += &declared(method, if name == "report" { "Page" } else { "Said" });
            continue;
        }
        let group = format!("_{}", name.to_uppercase());
        text += &format!("\nclass {group}:\n");
        if name != "plot" {
            let itself = declared(method, "Said").replacen(&format!("def {name}("), "def __call__(", 1);
            text += &itself;
        }
        inner.iter().for_each(|c| text += &declared(c, if name == "plot" { "Picture" } else { "Said" }));
        class += &format!("    @property\n    def {name}(self) -> {group}:\n        \"\"\"{}\"\"\"\n", about(method));
    }
    check("_jobs.pyi", &(text + &class));
}

fn about(command: &Command) -> String {
    command.get_about().map(|about| python::words(&about.to_string()).replace('"', "'")).unwrap_or_default()
}

/// The type of Python of the values of an argument. `named`: what it is without being given is a word.
fn value_of(argument: &Arg, named: bool) -> String {
    if !argument.get_action().takes_values() {
        return "bool".to_owned();
    }
    let value = argument.get_value_names().and_then(|names| names.first()).map_or("", |name| name.as_str());
    let parsed = argument.get_value_parser().type_id();
    let is_any = |types: &[TypeId]| types.iter().any(|one| parsed == *one);
    let whole =
        [TypeId::of::<usize>(), TypeId::of::<u8>(), TypeId::of::<u32>(), TypeId::of::<u64>(), TypeId::of::<i64>()];
    let one = if is_any(&[TypeId::of::<PathBuf>()]) || ["FILE", "PATH"].iter().any(|word| value.contains(word)) {
        "str | PathLike[str]"
    } else if value.contains("SNAPSHOT") {
        "int | str"
    } else if value.chars().any(|c| c == '|') && !is_any(&[TypeId::of::<f64>()]) {
        "str"
    } else if is_any(&whole) {
        "int"
    } else if is_any(&[TypeId::of::<f64>(), TypeId::of::<f32>()]) {
        if named { "float | str" } else { "float" }
    } else if is_any(&[TypeId::of::<String>(), TypeId::of::<Element>()]) || !argument.get_possible_values().is_empty() {
        "str"
    } else {
        "str | Sequence[float]"
    };
    let many = argument.get_num_args().is_some_and(|n| n.max_values() > 1)
        || argument.get_value_delimiter().is_some()
        || matches!(argument.get_action(), ArgAction::Append);
    match many {
        true if value.contains('=') => format!("Mapping[str, Any] | Sequence[str] | {one}"),
        true => format!("Sequence[{one}] | {one}"),
        false => one.to_owned(),
    }
}

/// A method with its arguments.
fn declared(command: &Command, returns: &str) -> String {
    let (mut alone, mut options) = (Vec::new(), Vec::new());
    for argument in command.get_arguments() {
        if argument.is_hide_set() || matches!(argument.get_id().as_str(), "help" | "version" | "store") {
            continue;
        }
        let name = python::name(argument.get_long().unwrap_or(argument.get_id().as_str()));
        let default = argument.get_default_values().first().map(|value| value.to_string_lossy().into_owned());
        let file = (returns == "Picture" && name == "out") || (returns == "Page" && name == "to");
        let number = default.as_ref().is_some_and(|text| text.parse::<f64>().is_ok());
        let kind = value_of(argument, default.as_ref().is_some_and(|_| !number));
        let default = match default {
            _ if !argument.get_action().takes_values() => Some("False".to_owned()),
            _ if file => None,
            Some(text) if number => Some(text),
            text => text.map(|text| format!("{text:?}")),
        };
        let given = match default {
            Some(default) => format!("{name}: {kind} = {default}"),
            None if argument.is_required_set() && !file => format!("{name}: {kind}"),
            None => format!("{name}: {kind} | None = None"),
        };
        if argument.get_long().is_some() { options.push(given) } else { alone.push(given) }
    }
    alone.sort_by_key(|given| given.contains(" = "));
    let mut all = vec!["self".to_owned()];
    all.extend(alone);
    if !options.is_empty() {
        all.push("*".to_owned());
        all.extend(options);
    }
    let name = command.get_name().replace('-', "_");
    format!("    def {name}({}) -> {returns}:\n        \"\"\"{}\"\"\"\n", all.join(", "), about(command))
}

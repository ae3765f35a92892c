//! What editors and type checkers know of the package for Python is what the program says of itself: its functions and its commands.

use clap::{ArgAction, Command};
use hollandite::cli;
use hollandite::sql::functions::{Function, Kind, Omitted, themes};

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
    let mut functions: Vec<Function> = themes().into_iter().flat_map(|(_, functions)| functions).collect();
    functions.retain(|function| !function.parameters.is_empty());
    functions.sort_by_key(|function| function.name);
    // Names, not only their type: `from .functions import *` brings the ones that are listed.
    let names: String = functions.iter().map(|function| format!("    \"{}\",\n", function.name)).collect();
    let mut text = format!(
        "# Written by `{COMMAND}`.\n\nfrom typing import Any, Callable\n\n__all__ = [\n{names}]\n_docs: dict[str, dict[str, Any]]\n\n\
         def _shared() -> Any: ...\n\nclass Functions:\n"
    );
    text += "    def __init__(self, connection: Callable[[], Any]) -> None: ...\n";
    for function in &functions {
        text += &format!("    def {}(self, {}) -> Any: ...\n", function.name, parameters(function));
    }
    for function in &functions {
        let unit = function.unit.map(|unit| format!(" In {unit}.")).unwrap_or_default();
        let said = format!("{}{unit}", function.text).replace('\\', "\\\\").replace('"', "'");
        text += &format!("\ndef {}({}) -> Any:\n    \"\"\"{said}\"\"\"\n", function.name, parameters(function));
    }
    check("functions.pyi", &text);
}

fn parameters(function: &Function) -> String {
    let one = |parameter: &hollandite::sql::functions::Parameter| {
        let kind = match parameter.kind {
            Kind::Crystal | Kind::Composition | Kind::CrystalOrFingerprint | Kind::CrystalOrNumber => "Any",
            Kind::Text | Kind::Model | Kind::Diagram => "str",
            Kind::Number => "float",
            Kind::NumberOrName => "float | str",
            Kind::Boolean => "bool",
        };
        let name = python_name(parameter.name);
        let default = match parameter.omitted {
            None => return format!("{name}: {kind}"),
            Some(Omitted::Number(x)) => format!("{x:?}"),
            Some(Omitted::Text(text)) => format!("{text:?}"),
            Some(Omitted::Flag(true)) => "True".to_owned(),
            Some(Omitted::Flag(false)) => "False".to_owned(),
            Some(Omitted::Means(_)) => "None".to_owned(),
        };
        let kind = if kind == "Any" { kind.to_owned() } else { format!("{kind} | None") };
        format!("{name}: {kind} = {default}")
    };
    function.parameters.iter().map(one).collect::<Vec<_>>().join(", ")
}

/// A name of the program as a name of Python: no word of the language.
fn python_name(name: &str) -> String {
    const WORDS: [&str; 4] = ["from", "is", "in", "as"];
    let name = name.replace('-', "_");
    if WORDS.contains(&name.as_str()) { name + "_" } else { name }
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
        "# Written by `{COMMAND}`.\n\nfrom os import PathLike\nfrom pathlib import Path\nfrom typing import Any, Callable, Sequence\n\n\
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
    command.get_about().map(|about| about.to_string().replace('"', "'")).unwrap_or_default()
}

/// A method with its arguments.
fn declared(command: &Command, returns: &str) -> String {
    let (mut alone, mut options) = (Vec::new(), Vec::new());
    for argument in command.get_arguments() {
        if argument.is_hide_set() || matches!(argument.get_id().as_str(), "help" | "version" | "store") {
            continue;
        }
        let name = python_name(argument.get_long().unwrap_or(argument.get_id().as_str()));
        let many = argument.get_num_args().is_some_and(|n| n.max_values() > 1)
            || argument.get_value_delimiter().is_some()
            || matches!(argument.get_action(), ArgAction::Append);
        let default = argument.get_default_values().first().map(|value| value.to_string_lossy().into_owned());
        let number = default.as_ref().is_some_and(|text| text.parse::<f64>().is_ok());
        let file = (returns == "Picture" && name == "out") || (returns == "Page" && name == "to");
        let (kind, default) = match default {
            _ if !argument.get_action().takes_values() => ("bool", Some("False".to_owned())),
            _ if file => ("str | PathLike[str]", None),
            Some(text) if number => ("float", Some(text)),
            Some(text) => ("str", Some(format!("{text:?}"))),
            None if many => ("Sequence[Any] | Any", None),
            None => ("str | PathLike[str] | float | Sequence[Any]", None),
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

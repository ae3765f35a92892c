//! Messages and help of the command line, translated into the names of Python.

use std::sync::LazyLock;

use clap::{Arg, Command};

/// Words of the language, which no name may be.
const KEYWORDS: [&str; 32] = [
    "and", "as", "assert", "async", "await", "break", "class", "continue", "def", "del", "elif", "else", "except",
    "finally", "for", "from", "global", "if", "import", "in", "is", "lambda", "nonlocal", "not", "or", "pass", "raise",
    "return", "try", "while", "with", "yield",
];

static PROGRAM: LazyLock<Command> = LazyLock::new(super::command);

/// A name of the program as a name of Python: `batch_atoms` for `batch-atoms`, `from_` for `from`.
pub fn name(name: &str) -> String {
    let name = name.replace('-', "_");
    if KEYWORDS.contains(&name.as_str()) { name + "_" } else { name }
}

/// A text with its commands as calls on a connection and its options as arguments: `hollandite merge night` becomes
/// `db.merge("night")`, and `--into` becomes `into`.
pub fn words(text: &str) -> String {
    options(&commands(text))
}

/// Every `hollandite COMMAND ..`, to the end of its backticks, or else of its clause.
fn commands(text: &str) -> String {
    const PROGRAM: &str = "hollandite ";
    let (mut out, mut rest) = (String::new(), text);
    while let Some(at) = rest.find(PROGRAM) {
        let (before, from) = rest.split_at(at);
        out += before;
        let quoted = before.ends_with('`');
        let ends: &[&str] = if quoted { &["`"] } else { &["\n", ";", " (", ")", ", "] };
        let end = ends.iter().filter_map(|end| from.find(end)).min().unwrap_or(from.len());
        match called(&from[PROGRAM.len()..end]) {
            Some(call) if !before.ends_with(|c: char| c.is_alphanumeric() || c == '-' || c == '/') => out += &call,
            _ => out += &from[..end],
        }
        rest = &from[end..];
    }
    out + rest
}

/// A command line, without the name of the program, as a call; `None` where it is no command, or has none in Python.
fn called(line: &str) -> Option<String> {
    let mut words = split(line).into_iter().peekable();
    let (mut command, mut path) = (&*PROGRAM, Vec::new());
    // The store of a call is that of its connection.
    let store = words.next_if(|word| word == "--store").and_then(|_| words.next());
    while let Some(inner) = words.peek().and_then(|word| command.find_subcommand(word)) {
        command = inner;
        path.push(name(&words.next()?));
    }
    let (mut alone, mut arguments) = (Vec::new(), Vec::new());
    while let Some(word) = words.next() {
        let Some(option) = word.strip_prefix("--") else {
            alone.push(literal(&word));
            continue;
        };
        let (long, value) =
            option.split_once('=').map_or((option, None), |(long, value)| (long, Some(value.to_owned())));
        let argument = option_of(command, long)?;
        let value = match value {
            Some(value) => literal(&value),
            None if !argument.get_action().takes_values() => "True".to_owned(),
            // What may stand by itself takes no value from the words behind it.
            None if argument.is_require_equals_set() => argument.get_value_names()?.first()?.to_string(),
            None => literal(&words.next()?),
        };
        arguments.push(format!("{}={value}", name(long)));
    }
    alone.append(&mut arguments);
    let mut arguments = alone;
    let path: Vec<&str> = path.iter().map(String::as_str).collect();
    let what = match path.as_slice() {
        [] | ["shell" | "completions" | "man"] => return None,
        ["init"] => {
            arguments.extend(store.filter(|_| arguments.is_empty()).map(|store| literal(&store)));
            arguments.push("create=True".into());
            "hollandite.connect".to_owned()
        }
        ["functions"] => {
            return Some(format!("help(hollandite.{})", split(line).get(1).map_or("functions", String::as_str)));
        }
        ["import_"] => "db.import_files".to_owned(),
        path => format!("db.{}", path.join(".")),
    };
    Some(if arguments.is_empty() { what } else { format!("{what}({})", arguments.join(", ")) })
}

/// Every `--option` of a command, and the `<VALUE>` behind it, as the name of an argument.
fn options(text: &str) -> String {
    let (mut out, mut rest) = (String::new(), text);
    while let Some(at) = rest.find("--") {
        let (before, from) = rest.split_at(at);
        out += before;
        let long = from[2..].split(|c: char| !c.is_ascii_lowercase() && c != '-').next().unwrap_or_default();
        rest = &from[2 + long.len()..];
        if is_option(&PROGRAM, long) && !before.ends_with(|c: char| c.is_alphanumeric() || c == '-') {
            out += &name(long);
            if let Some((_, behind)) = rest.strip_prefix(" <").and_then(|value| value.split_once('>')) {
                rest = behind;
            }
        } else {
            out += "--";
            out += long;
        }
    }
    out + rest
}

fn option_of<'a>(command: &'a Command, long: &str) -> Option<&'a Arg> {
    command.get_arguments().find(|argument| argument.get_long() == Some(long))
}

fn is_option(command: &Command, long: &str) -> bool {
    option_of(command, long).is_some() || command.get_subcommands().any(|inner| is_option(inner, long))
}

/// A value as Python writes it.
fn literal(word: &str) -> String {
    match word.parse::<f64>() {
        Ok(_) => word.to_owned(),
        Err(_) => serde_json::Value::from(word).to_string(),
    }
}

/// The words of a command line; those in quotes are one.
fn split(line: &str) -> Vec<String> {
    let (mut words, mut word, mut quote) = (Vec::new(), None::<String>, None);
    for c in line.chars() {
        match quote {
            Some(open) if c == open => quote = None,
            None if c == '"' || c == '\'' => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            None if c.is_whitespace() => words.extend(word.take()),
            _ => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_become_calls_and_options_arguments() {
        for (typed, called) in [
            ("written by `hollandite train`", "written by `db.train`"),
            ("undo: hollandite restore tmo --to 7\n", "undo: db.restore(\"tmo\", to=7)\n"),
            ("when all are: hollandite merge night", "when all are: db.merge(\"night\")"),
            ("`hollandite models add chgnet-*.whl` brings it", "`db.models.add(\"chgnet-*.whl\")` brings it"),
            ("`hollandite models list` shows", "`db.models.list` shows"),
            ("`hollandite import --order=0.02 a.cif`", "`db.import_files(\"a.cif\", order=0.02)`"),
            ("`hollandite import --order` orders it", "`db.import_files(order=CHANGE)` orders it"),
            ("`hollandite featurize --list` shows them", "`db.featurize(list=True)` shows them"),
            ("hollandite init DIR (or --store DIR)", "hollandite.connect(\"DIR\", create=True) (or store DIR)"),
            ("`hollandite --store a/b init`", "`hollandite.connect(\"a/b\", create=True)`"),
            ("`hollandite --store a/b verify --deep`", "`db.verify(deep=True)`"),
            ("`hollandite functions` lists them", "`help(hollandite.functions)` lists them"),
            ("`hollandite sql \"SELECT count(*) ..\"` shows", "`db.sql(\"SELECT count(*) ..\")` shows"),
            ("lower --learning-rate or --clip", "lower learning_rate or clip"),
            ("invalid value 'x' for '--epochs <N>': no", "invalid value 'x' for 'epochs': no"),
            ("name one with --from-tuning, --from", "name one with from_tuning, from_"),
            // What is neither stays.
            ("SELECT 1 -- nothing; --nothing", "SELECT 1 -- nothing; --nothing"),
            ("made by hollandite 0.1.0 or `hollandite shell`", "made by hollandite 0.1.0 or `hollandite shell`"),
        ] {
            assert_eq!(words(typed), called);
        }
    }
}

//! The function reference: what `\df` lists, what `hollandite functions` prints and what queries/FUNCTIONS.md contains is
//! one list, read from the functions themselves.

use arrow::datatypes::DataType;

use super::aggregates;
use super::functions::{FieldDoc, Function, themes};
use super::structure_type::sql_type;
use super::table_functions;
use columns::structure_type;

/// What a user needs to call a function.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct FunctionDoc {
    /// Name in SQL.
    pub name: String,
    /// Call with its arguments, optional ones in brackets.
    pub signature: String,
    /// Section of the reference.
    pub section: String,
    /// What it returns.
    pub description: String,
    /// Type of the result; a table for a function that makes one.
    pub returns: String,
    /// Unit of the result, empty where it has none.
    pub unit: String,
    /// Of the structs of the result, or of the table, each field.
    pub fields: Vec<ResultField>,
    /// A query that runs on the default store.
    pub example: String,
    /// Name and meaning of each argument, in order.
    pub arguments: Vec<(String, String)>,
}

/// A field of the structs that a function returns, or a column of its table.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct ResultField {
    /// Name, after the names of the fields that it is in: `faces.distance`.
    pub name: String,
    /// Type.
    pub returns: String,
    /// Unit, empty where it has none.
    pub unit: String,
    /// What it holds.
    pub description: String,
}

/// Every function that hollandite adds to SQL, in alphabetical order.
pub fn functions() -> Vec<FunctionDoc> {
    let mut all = Vec::new();
    for (section, functions) in themes() {
        let doc = |f: Function| FunctionDoc::new(section, &f, type_name(f.kernel.data_type()), f.kernel.fields());
        all.extend(functions.into_iter().map(doc));
    }
    let aggregates = aggregates::themes().into_iter();
    all.extend(aggregates.map(|(s, f)| FunctionDoc::new(s, &f, type_name(&f.kernel.data_type), &f.kernel.fields)));
    let tables = table_functions::all().into_iter();
    all.extend(tables.map(|(section, f)| FunctionDoc::new(section, &f, "TABLE".to_owned(), &f.kernel.columns)));
    all.sort_by(|a, b| a.name.cmp(&b.name));
    all
}

impl FunctionDoc {
    fn new<K>(section: &str, function: &Function<K>, returns: String, fields: &[FieldDoc]) -> Self {
        Self {
            name: function.name.to_owned(),
            signature: function.signature(),
            section: section.to_owned(),
            description: function.text.to_owned(),
            returns,
            unit: function.unit.unwrap_or_default().to_owned(),
            fields: flat("", fields),
            example: function.example.to_owned(),
            arguments: function.parameters.iter().map(|p| (p.name.to_owned(), p.described())).collect(),
        }
    }

    /// The first sentence: up to a full stop before a capital, for those of "et al. 2016" and "0, 1, ... 127" end no sentence.
    pub fn summary(&self) -> &str {
        let text = self.description.as_str();
        let ends = |at: &usize| text[at + 2..].starts_with(char::is_uppercase);
        text.match_indices(". ").map(|(at, _)| at).find(ends).map_or(text, |end| &text[..=end])
    }

    /// What follows the type of the result: its unit, if it has one.
    pub fn in_unit(&self) -> String {
        if self.unit.is_empty() { String::new() } else { format!(", in {}", self.unit) }
    }
}

/// The name of a type; a crystal has one of its own, and the fields of other structs are listed beside it.
fn type_name(data_type: &DataType) -> String {
    match data_type {
        crystal if *crystal == structure_type() => "STRUCTURE".to_owned(),
        DataType::Struct(_) => "STRUCT".to_owned(),
        DataType::List(item) => format!("{}[]", type_name(item.data_type())),
        other => sql_type(other),
    }
}

/// Fields, and after each those inside it.
fn flat(inside: &str, fields: &[FieldDoc]) -> Vec<ResultField> {
    let one = |field: &FieldDoc| {
        let name = format!("{inside}{}", field.name);
        let within = flat(&format!("{name}."), &field.fields);
        let (returns, unit) = (type_name(&field.data_type), field.unit.unwrap_or_default().to_owned());
        std::iter::once(ResultField { name, returns, unit, description: field.text.to_owned() }).chain(within)
    };
    fields.iter().flat_map(one).collect()
}

/// A text in lines of at most 132 characters, those after the first indented.
fn wrapped(text: &str, indent: &str) -> String {
    let (mut out, mut column) = (String::new(), 0);
    for word in text.split(' ') {
        let length = word.chars().count();
        let gap = match column {
            0 => "",
            _ if column + 1 + length <= 132 => " ",
            _ => {
                column = 0;
                out.push('\n');
                indent
            }
        };
        out += gap;
        out += word;
        column += gap.len() + length;
    }
    out
}

/// The reference as Markdown: a table of all functions, then each with its arguments, its fields and an example.
pub fn reference_markdown() -> String {
    let functions = functions();
    let mut out = String::from("| function | returns | unit |\n|---|---|---|\n");
    for f in &functions {
        out += &format!("| `{}` | {} | {} |\n", f.signature, f.summary(), f.unit);
    }
    for f in &functions {
        out += &format!("\n### `{}`\n\n{}\n\n", f.signature, wrapped(&f.description, ""));
        for (name, meaning) in &f.arguments {
            out += &format!("{}\n", wrapped(&format!("- `{name}`: {meaning}"), "  "));
        }
        out += &format!("\nReturns `{}`{}", f.returns, f.in_unit());
        if f.fields.is_empty() {
            out += ".\n";
        } else {
            out += ":\n\n| field | type | unit | meaning |\n|---|---|---|---|\n";
            for field in &f.fields {
                let ResultField { name, returns, unit, description } = field;
                out += &format!("| `{name}` | `{returns}` | {unit} | {description} |\n");
            }
        }
        out += &format!("\n```sql\n{}\n```\n", f.example);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_function_is_documented_in_full_and_in_order() {
        let docs = functions();
        assert!(docs.is_sorted_by(|a, b| a.name < b.name), "a name stands for two functions");
        let sentence = |text: &str| text.ends_with('.') && text.starts_with(|c: char| !c.is_whitespace());
        for doc in docs {
            let name = &doc.name;
            assert!(sentence(&doc.description), "{name}: the description is a sentence");
            let example = doc.example.starts_with("SELECT") && doc.example.contains(name.as_str());
            assert!(example, "{name}: {}", doc.example);
            for (argument, meaning) in &doc.arguments {
                assert!(sentence(meaning), "{name}: {argument} is described by a sentence");
            }
            for field in &doc.fields {
                assert!(sentence(&field.description), "{name}: {} is described by a sentence", field.name);
            }
            // What holds structs says what is in them; a crystal is known.
            let structs = doc.returns.contains("STRUCT") && doc.returns != "STRUCTURE";
            assert!(!structs || !doc.fields.is_empty(), "{name} documents its fields");
            assert!(doc.fields.is_empty() || doc.unit.is_empty(), "{name}: the fields have units");
        }
    }

    #[test]
    fn long_lines_are_wrapped_between_words() {
        let text = ["four"; 60].join(" ");
        let lines = wrapped(&format!("- {text}"), "  ");
        assert_eq!(lines.lines().map(str::len).collect::<Vec<_>>(), [131, 131, 41]);
        assert!(lines.lines().skip(1).all(|line| line.starts_with("  four")));
        assert_eq!(wrapped("one line", "  "), "one line");
    }

    #[test]
    fn a_sentence_ends_before_a_capital() {
        let mut doc = functions().remove(0);
        doc.description = "Densities at 0, 1, ... 127 (Ward et al. 2016). More.".into();
        assert_eq!(doc.summary(), "Densities at 0, 1, ... 127 (Ward et al. 2016).");
        doc.description = "Alone.".into();
        assert_eq!(doc.summary(), "Alone.");
    }

    #[test]
    fn every_function_has_a_row_and_a_chapter() {
        let markdown = reference_markdown();
        for doc in functions() {
            for line in [format!("| `{}` |", doc.signature), format!("### `{}`\n", doc.signature)] {
                assert_eq!(markdown.matches(&line).count(), 1, "{line}");
            }
        }
        assert!(markdown.contains("| `faces.distance` | `DOUBLE` | Å |"), "fields within fields");
    }
}

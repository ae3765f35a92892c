//! The function reference: what `\df` lists, what `hollandite functions` prints and what queries/FUNCTIONS.md contains is
//! one list, read from the functions themselves.

use datafusion::logical_expr::Documentation;

use super::environment::Environment;
use super::register;

/// What a person needs to call a function.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct FunctionDoc {
    /// Name in SQL.
    pub name: String,
    /// Call with its arguments, optional ones in brackets.
    pub signature: String,
    /// Section of the reference.
    pub section: String,
    /// What it returns, in which unit.
    pub description: String,
    /// A query that runs on the default store.
    pub example: String,
    /// Name and meaning of each argument, in order.
    pub arguments: Vec<(String, String)>,
}

/// Every function that hollandite adds to SQL, in alphabetical order.
pub fn functions() -> Vec<FunctionDoc> {
    let scalar = register::udfs(&Environment::default());
    let scalar = scalar.iter().filter_map(|udf| Some(FunctionDoc::new(udf.name(), udf.documentation()?)));
    let aggregates = register::aggregates(&Environment::default());
    let aggregates = aggregates.iter().filter_map(|udaf| Some(FunctionDoc::new(udaf.name(), udaf.documentation()?)));
    let tables = register::table_functions();
    let tables = tables.iter().filter_map(|table| Some(FunctionDoc::new(table.name(), table.documentation()?)));
    let mut functions: Vec<_> = scalar.chain(aggregates).chain(tables).collect();
    functions.sort_by(|a, b| a.name.cmp(&b.name));
    functions
}

impl FunctionDoc {
    fn new(name: &str, doc: &Documentation) -> Self {
        Self {
            name: name.to_string(),
            signature: doc.syntax_example.clone(),
            section: doc.doc_section.label.to_string(),
            description: doc.description.clone(),
            example: doc.sql_example.clone().unwrap_or_default(),
            arguments: doc.arguments.clone().unwrap_or_default(),
        }
    }
}

/// The reference as Markdown: a table of all functions, then each with its arguments and an example.
pub fn reference_markdown() -> String {
    let functions = functions();
    let mut out = String::from("| function | returns |\n|---|---|\n");
    for f in &functions {
        out += &format!("| `{}` | {} |\n", f.signature, first_sentence(&f.description));
    }
    for f in &functions {
        out += &format!("\n### `{}`\n\n{}\n\n", f.signature, f.description);
        for (name, meaning) in &f.arguments {
            out += &format!("- `{name}`: {meaning}\n");
        }
        out += &format!("\n```sql\n{}\n```\n", f.example);
    }
    out
}

/// Up to a full stop before a capital: those of "et al. 2016" and "0, 1, ... 127" end no sentence.
fn first_sentence(text: &str) -> &str {
    let ends = |at: &usize| text[at + 2..].starts_with(char::is_uppercase);
    text.match_indices(". ").map(|(at, _)| at).find(ends).map_or(text, |end| &text[..=end])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_function_is_documented_in_full_and_in_order() {
        let docs = functions();
        let environment = Environment::default();
        let registered = register::udfs(&environment).len()
            + register::aggregates(&environment).len()
            + register::table_functions().len();
        assert_eq!(docs.len(), registered, "a function has no #[user_doc]");
        assert!(docs.is_sorted_by(|a, b| a.name < b.name), "a name stands for two functions");
        for doc in docs {
            let name = &doc.name;
            assert!(doc.signature.starts_with(&format!("{name}(")), "{name}: syntax is {}", doc.signature);
            assert!(doc.description.ends_with('.'), "{name}: the description is a sentence");
            assert!(
                doc.example.starts_with("SELECT") && doc.example.contains(name.as_str()),
                "{name}: {}",
                doc.example
            );
            assert_eq!(doc.arguments.is_empty(), doc.signature.ends_with("()"), "{name} has an argument not described");
            for (argument, meaning) in doc.arguments {
                assert!(doc.signature.contains(&argument), "{name}: '{argument}' is not in the signature");
                assert!(meaning.ends_with('.'), "{name}: {argument} is described by a sentence");
            }
        }
    }

    #[test]
    fn a_sentence_ends_before_a_capital() {
        assert_eq!(
            first_sentence("Densities at 0, 1, ... 127 (Ward et al. 2016). More."),
            "Densities at 0, 1, ... 127 (Ward et al. 2016)."
        );
        assert_eq!(first_sentence("Alone."), "Alone.");
    }

    #[test]
    fn every_function_has_a_row_and_a_chapter() {
        let markdown = reference_markdown();
        for doc in functions() {
            for line in [format!("| `{}` |", doc.signature), format!("### `{}`\n", doc.signature)] {
                assert_eq!(markdown.matches(&line).count(), 1, "{line}");
            }
        }
    }
}

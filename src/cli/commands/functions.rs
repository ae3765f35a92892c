//! `hollandite functions [NAME]`: the SQL functions, read from the one list in [`crate::sql`].

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, StringArray};

use crate::cli::CliError;
use crate::cli::args::{Format, Functions, ListFormat};
use crate::cli::render::{self, Printer};
use crate::sql::{FunctionDoc, ResultField, functions, reference_markdown};

pub(crate) fn run(options: &Functions) -> Result<(), CliError> {
    match (&options.name, options.format) {
        (Some(name), ListFormat::Json) => render::print(&format!("{}\n", json(&[find(name)?])?))?,
        (Some(name), _) => render::print(&page(name)?)?,
        (None, ListFormat::Table) => Printer::stdout(Format::Table)?.print_batch(&batch()?)?,
        (None, ListFormat::Markdown) => render::print(&reference_markdown())?,
        (None, ListFormat::Json) => render::print(&format!("{}\n", json(&functions())?))?,
    }
    Ok(())
}

/// Signature, first sentence and unit of every function.
pub(crate) fn batch() -> Result<RecordBatch, CliError> {
    let functions = functions();
    let column = |text: &dyn Fn(&FunctionDoc) -> String| -> ArrayRef {
        Arc::new(StringArray::from_iter_values(functions.iter().map(text)))
    };
    Ok(RecordBatch::try_from_iter([
        ("function", column(&|f| f.signature.clone())),
        ("returns", column(&|f| f.summary().to_string())),
        ("unit", column(&|f| f.unit.clone())),
    ])?)
}

/// One function in full.
pub(crate) fn page(name: &str) -> Result<String, CliError> {
    let f = find(name)?;
    let mut page = format!("{}\n\n{}\n", f.signature, f.description);
    let mut list = |title: &str, rows: Vec<(String, String)>| {
        page += title;
        let width = rows.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
        rows.iter().for_each(|(name, meaning)| page += &format!("  {name:width$}  {meaning}\n"));
    };
    if !f.arguments.is_empty() {
        list("\nArguments\n", f.arguments.clone());
    }
    list(&format!("\nReturns {}{}\n", f.returns, f.in_unit()), f.fields.iter().map(field).collect());
    page += &format!("\nExample\n  {}\n", f.example.replace('\n', "\n  "));
    Ok(page)
}

/// A field, with its unit behind its name.
fn field(field: &ResultField) -> (String, String) {
    let unit = if field.unit.is_empty() { String::new() } else { format!(" ({})", field.unit) };
    (format!("{}{unit}", field.name), field.description.clone())
}

fn find(name: &str) -> Result<FunctionDoc, CliError> {
    let wanted = name.trim_end_matches(['(', ')']).to_lowercase();
    functions().into_iter().find(|f| f.name == wanted).ok_or_else(|| {
        CliError::Failed(format!("there is no function '{name}' for crystals; `hollandite functions` lists them"))
    })
}

fn json(functions: &[FunctionDoc]) -> Result<String, CliError> {
    serde_json::to_string_pretty(functions).map_err(|e| CliError::Failed(e.to_string()))
}

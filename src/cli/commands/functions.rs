//! `hollandite functions [NAME]`: the SQL functions, read from the one list in [`crate::sql`].

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, StringArray};

use crate::cli::CliError;
use crate::cli::args::{Format, Functions, ListFormat};
use crate::cli::render::{self, Printer};
use crate::sql::{FunctionDoc, functions, reference_markdown};

pub fn run(options: &Functions) -> Result<(), CliError> {
    match (&options.name, options.format) {
        (Some(name), ListFormat::Json) => render::print(&format!("{}\n", json(&[find(name)?])?))?,
        (Some(name), _) => render::print(&page(name)?)?,
        (None, ListFormat::Table) => Printer::stdout(Format::Table)?.print_batch(&batch()?)?,
        (None, ListFormat::Markdown) => render::print(&reference_markdown())?,
        (None, ListFormat::Json) => render::print(&format!("{}\n", json(&functions())?))?,
    }
    Ok(())
}

/// Signature and first sentence of every function.
pub fn batch() -> Result<RecordBatch, CliError> {
    let functions = functions();
    let column = |text: &dyn Fn(&FunctionDoc) -> String| -> ArrayRef {
        Arc::new(StringArray::from_iter_values(functions.iter().map(text)))
    };
    let first = |text: &str| text.split_inclusive(". ").next().unwrap_or_default().trim_end().to_string();
    Ok(RecordBatch::try_from_iter([
        ("function", column(&|f| f.signature.clone())),
        ("returns", column(&|f| first(&f.description))),
    ])?)
}

/// One function in full.
pub fn page(name: &str) -> Result<String, CliError> {
    let f = find(name)?;
    let mut page = format!("{}\n\n{}\n", f.signature, f.description);
    if !f.arguments.is_empty() {
        page.push('\n');
        let width = f.arguments.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
        f.arguments.iter().for_each(|(name, meaning)| page += &format!("  {name:width$}  {meaning}\n"));
    }
    page += &format!("\nExample\n  {}\n", f.example.replace('\n', "\n  "));
    Ok(page)
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

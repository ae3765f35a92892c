//! `hollandite models`: the models that can be asked, or the card of one.

use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array, RecordBatch, StringArray, UInt64Array};

use crate::cli::args::Models;
use crate::cli::render::Printer;
use crate::cli::{CliError, render};
use crate::models::Model;

pub fn run(args: &Models) -> Result<(), CliError> {
    if let Some(name) = &args.name {
        let model = Model::load(name).map_err(|e| CliError::Below(e.into()))?;
        let card = model
            .card()
            .to_json()
            .and_then(|card| serde_json::to_string_pretty(&card))
            .map_err(|e| CliError::Failed(format!("the card of {name} cannot be printed: {e}")))?;
        return render::print(&format!("{card}\n"));
    }
    let cards = Model::embedded().map_err(|e| CliError::Below(e.into()))?;
    let text = |f: &dyn Fn(&crate::models::ModelCard) -> String| -> ArrayRef {
        Arc::new(StringArray::from_iter_values(cards.iter().map(f)))
    };
    let test = |f: fn(&crate::models::Metrics) -> f64| -> ArrayRef {
        Arc::new(Float64Array::from_iter(cards.iter().map(|c| c.metrics.get("test").map(f))))
    };
    let batch = RecordBatch::try_from_iter([
        ("model", text(&|c| c.name.clone())),
        ("id", text(&|c| c.id.clone())),
        ("predicts", text(&|c| c.target.clone())),
        ("unit", text(&|c| c.unit.clone())),
        ("parameters", Arc::new(UInt64Array::from_iter_values(cards.iter().map(|c| c.parameters as u64))) as ArrayRef),
        (
            "elements",
            Arc::new(UInt64Array::from_iter_values(cards.iter().map(|c| c.elements.len() as u64))) as ArrayRef,
        ),
        ("test_rmse", test(|m| m.rmse)),
        ("test_mae", test(|m| m.mae)),
    ])?;
    Printer::new(&args.output)?.print_batch(&batch)
}

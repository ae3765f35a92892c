//! `hollandite models`: the models that can be asked, the card of one, and ensembles of them.

mod ensemble;

use std::path::Path;
use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array, RecordBatch, StringArray, UInt64Array};

use crate::cli::args::{Models, ModelsCommand};
use crate::cli::render::Printer;
use crate::cli::{CliError, render};
use crate::models::Model;
use crate::models::ensemble::Ensemble;

pub async fn run(store: Option<&Path>, args: &Models) -> Result<(), CliError> {
    if let Some(ModelsCommand::Ensemble(args)) = &args.command {
        return ensemble::run(store, args).await;
    }
    if let Some(name) = &args.name {
        if let Some(file) = Ensemble::find(Path::new(name)) {
            let ensemble = Ensemble::load(&file).map_err(|e| CliError::Below(e.into()))?;
            return print_card(name, serde_json::to_value(ensemble.card()));
        }
        let model = Model::load(name).map_err(|e| CliError::Below(e.into()))?;
        return print_card(name, model.card().to_json());
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

fn print_card(name: &str, card: serde_json::Result<serde_json::Value>) -> Result<(), CliError> {
    let text = card.and_then(|card| serde_json::to_string_pretty(&card));
    let text = text.map_err(|e| CliError::Failed(format!("the card of {name} cannot be printed: {e}")))?;
    render::print(&format!("{text}\n"))
}

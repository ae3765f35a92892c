//! `hollandite models`: the models that can be asked, the card of one, models from elsewhere, and ensembles.

mod add;
mod ensemble;

use std::path::Path;
use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array, RecordBatch, StringArray, UInt64Array};

use crate::cli::args::{Models, ModelsCommand, Output};
use crate::cli::render::Printer;
use crate::cli::{CliError, render};
use crate::models::ensemble::Ensemble;
use crate::models::{Metrics, Model, ModelCard};

pub async fn run(store: Option<&Path>, args: &Models) -> Result<(), CliError> {
    match (&args.command, &args.name) {
        (Some(ModelsCommand::Add(args)), _) => add::run(store, args).await,
        (Some(ModelsCommand::Ensemble(args)), _) => ensemble::run(store, args).await,
        (Some(ModelsCommand::Remove { name }), _) => {
            super::open(store).await?.remove_model(name)?;
            render::print(&format!("model {name} is removed\n"))
        }
        (Some(ModelsCommand::Show { name }), _) | (None, Some(name)) => show(store, name).await,
        (Some(ModelsCommand::List(output)), _) => list(store, output).await,
        (None, None) => list(store, &args.output).await,
    }
}

async fn show(store: Option<&Path>, name: &str) -> Result<(), CliError> {
    let store = super::open(store).await?;
    let places = [Path::new(name).to_owned(), store.models_folder().join(name)];
    let card = match places.iter().find_map(|place| Ensemble::find(place)) {
        Some(file) => {
            let ensemble = Ensemble::load(&file).map_err(|e| CliError::Below(e.into()))?;
            serde_json::to_value(ensemble.card())
        }
        None => store.model(name)?.card().to_json(),
    };
    let text = card.and_then(|card| serde_json::to_string_pretty(&card));
    let text = text.map_err(|e| CliError::Failed(format!("the card of {name} cannot be printed: {e}")))?;
    render::print(&format!("{text}\n"))
}

async fn list(store: Option<&Path>, output: &Output) -> Result<(), CliError> {
    let store = super::open(store).await?;
    let mut cards = Model::embedded().map_err(|e| CliError::Below(e.into()))?;
    for name in store.model_names() {
        match store.model(&name) {
            // The folder's name is the one that queries know.
            Ok(model) => cards.push(ModelCard { name, ..model.card().clone() }),
            Err(error) => eprintln!("{name} cannot be asked: {error}"),
        }
    }
    let text =
        |f: &dyn Fn(&ModelCard) -> String| -> ArrayRef { Arc::new(StringArray::from_iter_values(cards.iter().map(f))) };
    let test = |f: fn(&Metrics) -> f64| -> ArrayRef {
        Arc::new(Float64Array::from_iter(cards.iter().map(|c| c.metrics.get("test").map(f))))
    };
    let count = |f: fn(&ModelCard) -> usize| -> ArrayRef {
        Arc::new(UInt64Array::from_iter_values(cards.iter().map(|c| f(c) as u64)))
    };
    let batch = RecordBatch::try_from_iter([
        ("model", text(&|c| c.name.clone())),
        ("id", text(&|c| c.id.clone())),
        ("predicts", text(&|c| c.target.clone())),
        ("unit", text(&|c| c.unit.clone())),
        ("architecture", text(&|c| c.architecture.clone())),
        ("parameters", count(|c| c.parameters)),
        ("elements", count(|c| c.elements.len())),
        ("test_rmse", test(|m| m.rmse)),
        ("test_mae", test(|m| m.mae)),
    ])?;
    Printer::new(output)?.print_batch(&batch)
}

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
use crate::models::{Metrics, Model, ModelCard, published_rmse};

/// The set of a card: test crystals of a formula that the training set does not have.
const NEW_FORMULA: &str = "test, formula not in training";

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
    let error = |set: &str, f: fn(&Metrics) -> f64| -> ArrayRef {
        let of = |card: &ModelCard| card.metrics.iter().find(|(name, _)| name.starts_with(set)).map(|(_, m)| f(m));
        Arc::new(Float64Array::from_iter(cards.iter().map(of)))
    };
    let count = |f: fn(&ModelCard) -> usize| -> ArrayRef {
        Arc::new(UInt64Array::from_iter_values(cards.iter().map(|c| f(c) as u64)))
    };
    let number =
        |f: fn(&ModelCard) -> Option<f64>| -> ArrayRef { Arc::new(Float64Array::from_iter(cards.iter().map(f))) };
    let batch = RecordBatch::try_from_iter([
        ("model", text(&|c| c.name.clone())),
        ("architecture", text(&|c| c.architecture.clone())),
        ("predicts", text(&|c| c.target.clone())),
        ("unit", text(&|c| c.unit.clone())),
        ("parameters", count(|c| c.parameters)),
        ("elements", count(|c| c.elements.len())),
        ("crystals", count(|c| c.split.train)),
        ("epochs", count(|c| c.training.epochs)),
        ("hours", number(|c| (c.training.seconds > 0.0).then_some(c.training.seconds / 3600.0))),
        ("test_rmse", error("test", |m| m.rmse)),
        ("test_mae", error("test", |m| m.mae)),
        ("new_formula_rmse", error(NEW_FORMULA, |m| m.rmse)),
        ("new_formula_mae", error(NEW_FORMULA, |m| m.mae)),
        ("formula_split_rmse", error("test of a run split by formula", |m| m.rmse)),
        ("formula_split_mae", error("test of a run split by formula", |m| m.mae)),
        ("paper_rmse", number(|c| published_rmse(&c.architecture))),
        ("mean_rmse", error("test", |m| m.baseline_rmse)),
        ("id", text(&|c| c.id.clone())),
    ])?;
    Printer::new(output)?.print_batch(&batch)
}

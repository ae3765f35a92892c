//! `hollandite models`: the models that can be asked, the card of one, models from elsewhere, and ensembles.

mod add;
mod ensemble;
mod show;

use std::path::Path;
use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array, RecordBatch, StringArray, UInt64Array};

use crate::cli::args::{Format, Models, ModelsCommand, Output};
use crate::cli::render::Printer;
use crate::cli::{CliError, render};
use crate::models::{Found, Metrics, ModelCard, Quantity, embedded, find, is_embedded, published_rmse};
use crate::store::Store;

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
        (Some(ModelsCommand::Show { name, format }), _) => show::run(store, name, *format).await,
        (None, Some(_)) if args.output.output.is_some() => {
            Err(CliError::Usage("--output is for the list: print a card with > FILE".into()))
        }
        (None, Some(name)) => show::run(store, name, args.output.format.unwrap_or(Format::Table)).await,
        (Some(ModelsCommand::List(output)), _) => list(store, output).await,
        (None, None) => list(store, &args.output).await,
    }
}

/// What can be asked under a name.
struct Row {
    name: String,
    found: Found,
}

impl Row {
    fn card(&self) -> Option<&ModelCard> {
        match &self.found {
            Found::Model(model) => Some(model.card()),
            Found::Ensemble(_) => None,
        }
    }

    fn quantity(&self) -> Quantity<'_> {
        match &self.found {
            Found::Model(model) => model.quantity(),
            Found::Ensemble(ensemble) => ensemble.quantity(),
        }
    }

    fn architecture(&self) -> String {
        match &self.found {
            Found::Model(model) => model.card().architecture.clone(),
            Found::Ensemble(ensemble) => format!("ensemble of {}", ensemble.members().len()),
        }
    }

    fn id(&self) -> &str {
        match &self.found {
            Found::Model(model) => model.id(),
            Found::Ensemble(ensemble) => &ensemble.card().id,
        }
    }

    /// The errors on the set whose name begins so.
    fn metrics(&self, set: &str) -> Option<&Metrics> {
        self.card()?.metrics.iter().find(|(name, _)| name.starts_with(set)).map(|(_, metrics)| metrics)
    }

    /// What the paper has to compare with: an error of formation energies.
    fn published(&self) -> Option<f64> {
        self.quantity().is_formation_energy().then(|| published_rmse(&self.card()?.architecture)).flatten()
    }
}

/// The models that ship with the program and those of the store, each under the name, or the path, that means it.
fn rows(store: &Store) -> Result<Vec<Row>, CliError> {
    let folder = store.models_folder();
    let mut rows = Vec::new();
    for name in embedded() {
        let found = find(name, None).map_err(|e| CliError::Below(e.into()))?;
        rows.push(Row { name: name.to_owned(), found });
    }
    for name in store.model_names() {
        let home = folder.join(&name).display().to_string();
        let asked = if is_embedded(&name) { &home } else { &name };
        if is_embedded(&name) {
            eprintln!(
                "{home} bears the name of a model that ships with the program, which is what '{name}' means: `hollandite \
                 models add {home} --name ANOTHER` brings it in under a name of its own, `hollandite models remove {name}` \
                 takes it away"
            );
        }
        match find(asked, Some(&folder)) {
            Ok(found) => rows.push(Row { name: asked.clone(), found }),
            Err(error) => eprintln!("{name} cannot be asked: {error}"),
        }
    }
    Ok(rows)
}

async fn list(store: Option<&Path>, output: &Output) -> Result<(), CliError> {
    let store = super::open(store).await?;
    let rows = rows(&store)?;
    let text = |f: &dyn Fn(&Row) -> String| -> ArrayRef { Arc::new(StringArray::from_iter_values(rows.iter().map(f))) };
    let error = |set: &str, f: fn(&Metrics) -> f64| -> ArrayRef {
        Arc::new(Float64Array::from_iter(rows.iter().map(|row| row.metrics(set).map(f))))
    };
    let count = |f: fn(&ModelCard) -> usize| -> ArrayRef {
        Arc::new(UInt64Array::from_iter(rows.iter().map(|row| row.card().map(|card| f(card) as u64))))
    };
    let hours = |card: &ModelCard| (card.training.seconds > 0.0).then_some(card.training.seconds / 3600.0);
    let hours = Float64Array::from_iter(rows.iter().map(|row| hours(row.card()?)));
    let batch = RecordBatch::try_from_iter([
        ("model", text(&|row| row.name.clone())),
        ("architecture", text(&Row::architecture)),
        ("predicts", text(&|row| row.quantity().target.to_owned())),
        ("unit", text(&|row| row.quantity().unit.to_owned())),
        ("parameters", count(|c| c.parameters)),
        ("elements", count(|c| c.elements.len())),
        ("crystals", count(|c| c.split.train)),
        ("epochs", count(|c| c.training.epochs)),
        ("hours", Arc::new(hours)),
        ("test_rmse", error("test", |m| m.rmse)),
        ("test_mae", error("test", |m| m.mae)),
        ("new_formula_rmse", error(NEW_FORMULA, |m| m.rmse)),
        ("new_formula_mae", error(NEW_FORMULA, |m| m.mae)),
        ("formula_split_rmse", error("test of a run split by formula", |m| m.rmse)),
        ("formula_split_mae", error("test of a run split by formula", |m| m.mae)),
        ("paper_rmse", Arc::new(Float64Array::from_iter(rows.iter().map(Row::published)))),
        ("mean_rmse", error("test", |m| m.baseline_rmse)),
        ("id", text(&|row| row.id().to_owned())),
    ])?;
    Printer::new(output)?.print_batch(&batch)
}

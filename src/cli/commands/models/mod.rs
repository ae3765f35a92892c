//! `hollandite models`: the usable models, the card of one, models from elsewhere, and ensembles.

mod add;
mod ensemble;
mod show;

use std::path::Path;

use arrow::compute::{filter_record_batch, is_null};

use crate::cli::args::{Format, Models, ModelsCommand, Output};
use crate::cli::console::note;
use crate::cli::render::Printer;
use crate::cli::{CliError, render};

/// The last columns of the table `models`, which its list is printed without.
const FOR_QUERIES: usize = 4;

pub(crate) async fn run(store: Option<&Path>, args: &Models) -> Result<(), CliError> {
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

async fn list(store: Option<&Path>, output: &Output) -> Result<(), CliError> {
    let store = super::open(store).await?;
    let models = store.known_models();
    for model in &models {
        let (home, name) = (&model.asked, &model.name);
        if model.is_shadowed() {
            note(&format!(
                "{home} bears the name of a model that ships with the program, which is what '{name}' means: `hollandite \
                 models add {home} --name ANOTHER` brings it in under a name of its own, `hollandite models remove {name}` \
                 takes it away"
            ));
        }
        if let Some(reason) = model.reason() {
            note(&format!("{name} cannot be asked: {reason}"));
        }
    }
    let models = store.table_of(&models).map_err(|e| CliError::Below(e.into()))?;
    let askable = is_null(models.column_by_name("reason").expect("the table has it"))?;
    let columns: Vec<usize> = (0..models.num_columns() - FOR_QUERIES).collect();
    Printer::new(output)?.print_batch(&filter_record_batch(&models, &askable)?.project(&columns)?)
}

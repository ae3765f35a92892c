//! `hollandite plot parity MODEL` and `plot errors MODEL`: what `evaluate` has kept, as pictures.

use std::path::{Path, PathBuf};

use arrow::array::{Array, AsArray};
use arrow::datatypes::Float64Type;

use crate::cli::CliError;
use crate::cli::args::PlotModel;
use crate::report::plots::Picture;
use crate::sql::{Session, quoted_name, quoted_text};

/// `name` is the picture's part of the file name; `draw` takes a title, a unit and (prediction, label).
pub(crate) async fn run(
    store: Option<&Path>,
    args: &PlotModel,
    name: &str,
    draw: fn(&str, &str, &[(f64, f64)]) -> Picture,
) -> Result<(), CliError> {
    if let Some(query) = super::pairs::query(&args.model) {
        return super::pairs::run(store, args, query, name, draw).await;
    }
    let (_, session) = super::super::session(store, args.at).await?;
    // A model is asked for by several spellings and by its path, and its answers are kept under one name; those of a model that
    // is gone are still there.
    let (model, unit) = match session.model(&args.model) {
        Ok(model) => (model.name().to_owned(), model.quantity().unit.to_owned()),
        Err(_) => (args.model.clone(), kept_unit(&session, &args.model).await?),
    };
    let condition = args.condition.as_ref().map_or_else(String::new, |c| format!(" WHERE {c}"));
    let split = match args.split.as_str() {
        "all" => String::new(),
        part => format!(" AND p.split = {}", quoted_text(part)),
    };
    let query = format!(
        "SELECT p.value, p.target, coalesce(p.split = 'train', false) FROM (SELECT id, structure_hash FROM {}{condition}) AS t \
         JOIN predictions AS p ON p.id = t.id AND p.structure_hash = t.structure_hash \
         WHERE p.table_name = {} AND p.model = {} AND p.value IS NOT NULL AND p.target IS NOT NULL{split}",
        quoted_name(&args.table),
        quoted_text(&args.table),
        quoted_text(&model)
    );
    let (mut pairs, mut fitted) = (Vec::new(), 0);
    for batch in session.sql(&query).await?.collect().await? {
        let [values, labels] = [0, 1].map(|i| batch.column(i).as_primitive::<Float64Type>());
        fitted += batch.column(2).as_boolean().true_count();
        pairs.extend(values.values().iter().copied().zip(labels.values().iter().copied()));
    }
    if pairs.is_empty() {
        return Err(CliError::Failed(format!(
            "no labelled row of {} has a prediction of {} for split {}: run `hollandite evaluate --model {} --table {}` \
             first, or look at --split all",
            args.table, args.model, args.split, args.model, args.table
        )));
    }
    let title = title(&model, &args.table, &args.split, fitted as f64 / pairs.len() as f64);
    let out = args.out.clone().unwrap_or_else(|| PathBuf::from(format!("{}-{name}.svg", model.replace('/', "_"))));
    super::save(&draw(&title, &unit, &pairs), &out)
}

/// The title of a picture of errors. Of all parts of the training together it says how much was fitted to: errors there are no
/// measure of those to come.
pub(crate) fn title(model: &str, table: &str, split: &str, fitted: f64) -> String {
    match split {
        "all" if fitted > 0.0 => {
            // Neither none nor all of it, where it is neither.
            let percent = if fitted < 1.0 { (100.0 * fitted).round().clamp(1.0, 99.0) } else { 100.0 };
            format!("{model} on {table}: {percent:.0} % of it training data")
        }
        "all" => format!("{model} on {table}"),
        part => format!("{model} on {table}, {part}"),
    }
}

/// The unit of the answers that a model has left.
async fn kept_unit(session: &Session, model: &str) -> Result<String, CliError> {
    let query = format!(
        "SELECT arrow_cast(max(unit), 'Utf8') FROM predictions WHERE id IS NOT NULL AND model = {}",
        quoted_text(model)
    );
    let batches = session.sql(&query).await?.collect().await?;
    let first = batches.first().map(|batch| batch.column(0).as_string::<i32>().clone());
    Ok(first.filter(|units| units.is_valid(0)).map_or_else(String::new, |units| units.value(0).to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_of_all_parts_says_how_much_was_fitted_to() {
        assert_eq!(title("cgcnn", "tmo", "all", 0.853), "cgcnn on tmo: 85 % of it training data");
        assert_eq!(title("cgcnn", "tmo", "all", 0.0001), "cgcnn on tmo: 1 % of it training data");
        assert_eq!(title("cgcnn", "tmo", "all", 0.0), "cgcnn on tmo");
        assert_eq!(title("cgcnn", "tmo", "test", 0.0), "cgcnn on tmo, test");
    }
}

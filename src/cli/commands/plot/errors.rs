//! `hollandite plot parity MODEL` and `plot errors MODEL`: what `evaluate` has kept, as pictures.

use std::path::{Path, PathBuf};

use arrow::array::AsArray;
use arrow::datatypes::Float64Type;

use crate::cli::CliError;
use crate::cli::args::PlotModel;
use crate::report::plots::Picture;
use crate::sql::{quoted_name, quoted_text};

/// `name` tells the picture apart in its file's name; `draw` takes a title and (prediction, label).
pub async fn run(
    store: Option<&Path>,
    args: &PlotModel,
    name: &str,
    draw: fn(&str, &[(f64, f64)]) -> Picture,
) -> Result<(), CliError> {
    let (_, session) = super::super::session(store, args.at).await?;
    let condition = args.condition.as_ref().map_or_else(String::new, |c| format!(" WHERE {c}"));
    let split = match args.split.as_str() {
        "all" => String::new(),
        part => format!(" AND p.split = {}", quoted_text(part)),
    };
    let query = format!(
        "SELECT p.value, p.target FROM (SELECT id, structure_hash FROM {}{condition}) AS t \
         JOIN predictions AS p ON p.id = t.id AND p.structure_hash = t.structure_hash \
         WHERE p.table_name = {} AND p.model = {} AND p.value IS NOT NULL AND p.target IS NOT NULL{split}",
        quoted_name(&args.table),
        quoted_text(&args.table),
        quoted_text(&args.model)
    );
    let mut pairs = Vec::new();
    for batch in session.sql(&query).await?.collect().await? {
        let [values, labels] = [0, 1].map(|i| batch.column(i).as_primitive::<Float64Type>());
        pairs.extend(values.values().iter().copied().zip(labels.values().iter().copied()));
    }
    if pairs.is_empty() {
        return Err(CliError::Failed(format!(
            "no labelled row of {} has a prediction of {} for split {}: run `hollandite evaluate --model {} --table {}` \
             first, or look at --split all",
            args.table, args.model, args.split, args.model, args.table
        )));
    }
    let part = if args.split == "all" { String::new() } else { format!(", {}", args.split) };
    let out = args.out.clone().unwrap_or_else(|| PathBuf::from(format!("{}-{name}.svg", args.model.replace('/', "_"))));
    super::save(&draw(&format!("{} on {}{part}", args.model, args.table), &pairs), &out)
}

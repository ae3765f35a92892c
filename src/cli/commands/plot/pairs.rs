//! `hollandite plot parity QUERY`, `plot errors QUERY`: the rows of a query with a label and a prediction.

use std::path::{Path, PathBuf};

use arrow::array::AsArray;
use arrow::compute::cast;
use arrow::datatypes::{DataType, Float64Type};

use crate::cli::args::PlotModel;
use crate::cli::queries::Query;
use crate::cli::{CliError, statements};
use crate::report::plots::Picture;
use crate::sql::units;

/// The statement that `text` is or names; `None` where it names a model.
pub fn query(text: &str) -> Option<&str> {
    let first = text.split_whitespace().next().unwrap_or_default();
    let is_statement = ["SELECT", "WITH"].iter().any(|word| first.eq_ignore_ascii_case(word));
    if is_statement { Some(text) } else { Query::named(text.trim().trim_end_matches(".sql")).map(|query| query.sql) }
}

/// As [`errors::run`](super::errors::run), of the pairs of `query`.
pub async fn run(
    store: Option<&Path>,
    args: &PlotModel,
    query: &str,
    name: &str,
    draw: fn(&str, &str, &[(f64, f64)]) -> Picture,
) -> Result<(), CliError> {
    let [statement] = statements::all(query)[..] else {
        return Err(CliError::Usage("a picture of errors is drawn of one statement, a SELECT".into()));
    };
    if args.condition.is_some() {
        return Err(CliError::Usage("--where is for the table of a model; write the condition into the query".into()));
    }
    let (_, session) = super::super::session(store, args.at).await?;
    let frame = session.sql(statement).await?;
    let fields = frame.schema().fields().clone();
    let place = |wanted: &str| match fields.iter().position(|field| field.name() == wanted) {
        Some(i) if fields[i].data_type().is_numeric() => Ok(i),
        Some(i) => {
            Err(CliError::Failed(format!("{wanted} is {}: label and prediction are numbers", fields[i].data_type())))
        }
        None => {
            let names: Vec<&str> = fields.iter().map(|field| field.name().as_str()).collect();
            let has = names.join(", ");
            Err(CliError::Failed(format!(
                "the query has no column {wanted}: name two label and prediction; it has {has}"
            )))
        }
    };
    let (label, prediction) = (place("label")?, place("prediction")?);
    let unit = units(&session, &frame).swap_remove(label).unwrap_or_default();
    let mut pairs = Vec::new();
    for batch in frame.collect().await? {
        let numbers = |i: usize| cast(batch.column(i), &DataType::Float64).map_err(|e| CliError::Failed(e.to_string()));
        let (labels, predictions) = (numbers(label)?, numbers(prediction)?);
        let both = predictions.as_primitive::<Float64Type>().iter().zip(labels.as_primitive::<Float64Type>());
        pairs.extend(both.filter_map(|(prediction, label)| Some((prediction?, label?))));
    }
    super::super::sql::warn(&session);
    if pairs.is_empty() {
        return Err(CliError::Failed("no row of the query has both a label and a prediction".into()));
    }
    let stored = Query::named(args.model.trim().trim_end_matches(".sql")).map(|query| query.name);
    let out = args.out.clone().unwrap_or_else(|| PathBuf::from(format!("{}-{name}.svg", stored.unwrap_or("query"))));
    super::save(&draw(stored.unwrap_or("query"), &unit, &pairs), &out)
}

#[cfg(test)]
mod tests {
    use super::query;

    #[test]
    fn statements_and_stored_queries_are_told_from_models() {
        assert_eq!(query(" select 1"), Some(" select 1"));
        assert!(query("voltages").unwrap().contains("electrode_voltage"));
        assert!(query("voltages.sql").is_some());
        for model in ["cgcnn", "chgnet", "models/selected", "folder/with spaces/model"] {
            assert_eq!(query(model), None);
        }
    }
}

//! `hollandite plot parity QUERY`, `plot errors QUERY`: the rows of a query with a label and a prediction.

use std::path::{Path, PathBuf};

use arrow::array::{Array, AsArray, Float64Array, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Float64Type};

use crate::cli::args::PlotModel;
use crate::cli::queries::Query;
use crate::cli::{CliError, statements};
use crate::report::plots::Picture;
use crate::sql::{Session, units};

/// The statement that `text` is or names; `None` where it names a model.
pub(crate) fn query(text: &str) -> Option<&str> {
    let first = text.split_whitespace().next().unwrap_or_default();
    let is_statement = ["SELECT", "WITH"].iter().any(|word| first.eq_ignore_ascii_case(word));
    if is_statement { Some(text) } else { Query::named(text.trim().trim_end_matches(".sql")).map(|query| query.sql) }
}

/// As [`errors::run`](super::errors::run), of the pairs of `query`.
pub(crate) async fn run(
    store: Option<&Path>,
    args: &PlotModel,
    query: &str,
    name: &str,
    draw: fn(&str, &str, &[(f64, f64)]) -> Picture,
) -> Result<(), CliError> {
    if args.condition.is_some() {
        return Err(CliError::Usage("--where is for the table of a model; write the condition into the query".into()));
    }
    let (_, session) = super::super::session(store, args.at).await?;
    let ([unit, _], pairs) = read(&session, query, ["label", "prediction"]).await?;
    let pairs: Vec<(f64, f64)> = pairs.into_iter().map(|(label, prediction)| (prediction, label)).collect();
    if pairs.is_empty() {
        return Err(CliError::Failed("no row of the query has both a label and a prediction".into()));
    }
    let stored = Query::named(args.model.trim().trim_end_matches(".sql")).map(|query| query.name);
    let out = args.out.clone().unwrap_or_else(|| PathBuf::from(format!("{}-{name}.svg", stored.unwrap_or("query"))));
    super::save(&draw(stored.unwrap_or("query"), &unit, &pairs), &out)
}

/// Two columns of numbers of `query` and their units; rows without one of them are left out.
pub(crate) async fn read(
    session: &Session,
    query: &str,
    names: [&str; 2],
) -> Result<([String; 2], Vec<(f64, f64)>), CliError> {
    let rows = rows(session, query, names).await?;
    let mut pairs = Vec::new();
    for batch in &rows.batches {
        pairs.extend(rows.numbers(batch)?.filter_map(|(a, b)| Some((a?, b?))));
    }
    Ok((rows.units, pairs))
}

/// What a query answers that has two columns of numbers.
pub struct Rows {
    /// Units of the two columns.
    pub units: [String; 2],
    /// All columns.
    pub batches: Vec<RecordBatch>,
    places: [usize; 2],
}

impl Rows {
    /// The two numbers of each row of a batch.
    pub(crate) fn numbers(
        &self,
        batch: &RecordBatch,
    ) -> Result<impl Iterator<Item = (Option<f64>, Option<f64>)>, CliError> {
        let numbers = |i: usize| cast(batch.column(i), &DataType::Float64).map_err(|e| CliError::Failed(e.to_string()));
        let [first, second] = self.places.map(numbers);
        let [first, second] = [first?, second?].map(|column| column.as_primitive::<Float64Type>().clone());
        Ok((0..batch.num_rows()).map(move |i| (given(&first, i), given(&second, i))))
    }
}

fn given(column: &Float64Array, i: usize) -> Option<f64> {
    column.is_valid(i).then(|| column.value(i))
}

/// The rows of `query`, which must have two columns of numbers of these names.
pub(crate) async fn rows(session: &Session, query: &str, names: [&str; 2]) -> Result<Rows, CliError> {
    let [statement] = statements::all(query)[..] else {
        return Err(CliError::Usage("the picture is drawn of one statement, a SELECT".into()));
    };
    let frame = session.sql(statement).await?;
    let fields = frame.schema().fields().clone();
    let place = |wanted: &str| match fields.iter().position(|field| field.name() == wanted) {
        Some(i) if fields[i].data_type().is_numeric() => Ok(i),
        Some(i) => {
            let [a, b] = names;
            Err(CliError::Failed(format!("{wanted} is {}: {a} and {b} are numbers", fields[i].data_type())))
        }
        None => {
            let has: Vec<&str> = fields.iter().map(|field| field.name().as_str()).collect();
            let [a, b] = names;
            let has = has.join(", ");
            Err(CliError::Failed(format!("the query has no column {wanted}: name two {a} and {b}; it has {has}")))
        }
    };
    let places = [place(names[0])?, place(names[1])?];
    let all = units(session, &frame);
    let units = places.map(|i| all[i].as_deref().unwrap_or_default().to_owned());
    let batches = frame.collect().await?;
    super::super::sql::warn(session);
    Ok(Rows { units, batches, places })
}

#[cfg(test)]
mod tests {
    use super::query;

    #[test]
    fn statements_and_stored_queries_are_not_taken_for_models() {
        assert_eq!(query(" select 1"), Some(" select 1"));
        assert!(query("voltages").unwrap().contains("electrode_voltage"));
        assert!(query("voltages.sql").is_some());
        for model in ["cgcnn", "chgnet", "models/selected", "folder/with spaces/model"] {
            assert_eq!(query(model), None);
        }
    }
}

//! The crystals of the first rows: from a column of the result, or looked up by their ids; and what a model says of them.

use std::collections::{HashMap, HashSet};

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::compute::{cast, concat_batches};
use arrow::datatypes::{DataType, Float64Type, SchemaRef};
use datafusion::execution::FunctionRegistry;
use datafusion::prelude::{DataFrame, col, lit};
use std::sync::Arc;

use crate::cli::CliError;
use crate::cli::args::Report;
use crate::columns::{StructureColumn, structures};
use crate::crystal::Structure;
use crate::report::page::{Candidate, Prediction};
use crate::report::structure_column;
use crate::sql::{Session, models_asked, quoted_name, quoted_text};

/// The rows that get a card.
#[derive(Default)]
pub struct Found {
    /// In the order of the rows.
    pub candidates: Vec<Candidate>,
    /// Why there are none, or fewer than rows.
    pub remark: Option<String>,
    /// The model that was called on them.
    pub model: Option<String>,
}

/// The candidates of a result, each crystal once.
pub(crate) async fn find(
    session: &Session,
    frame: &DataFrame,
    args: &Report,
    schema: &SchemaRef,
    batches: &[RecordBatch],
) -> Result<Found, CliError> {
    if args.cards == 0 {
        return Ok(Found::default());
    }
    let rows = concat_batches(schema, batches)?;
    let ids = schema.index_of("id").ok().map(|i| cast(rows.column(i), &DataType::Utf8)).transpose()?;
    let (crystals, source) = match (structure_column(schema), &ids) {
        (Some(column), _) => (of_column(rows.column(column))?, format!("the column {}", schema.field(column).name())),
        (None, Some(ids)) => (of_ids(session, args, ids).await?, format!("the ids in {}", args.table)),
        (None, None) => {
            let remark = "No cards: the query returns neither a crystal nor an id. Add the column structure, or id, to its SELECT.";
            return Ok(Found { remark: Some(remark.into()), ..Found::default() });
        }
    };
    let name = |row: usize| match &ids {
        Some(ids) if ids.is_valid(row) => ids.as_string::<i32>().value(row).to_string(),
        _ => format!("row {}", row + 1),
    };
    let mut seen = HashSet::new();
    let distinct: Vec<(usize, Structure)> = crystals
        .into_iter()
        .enumerate()
        .filter_map(|(row, crystal)| Some((row, crystal?)))
        .filter(|(row, crystal)| seen.insert((name(*row), crate::crystal::content_hash(crystal))))
        .collect();
    if distinct.is_empty() {
        let remark = format!("No cards: {source} lead to no crystal. Name the table of the ids with --table.");
        return Ok(Found { remark: Some(remark), ..Found::default() });
    }
    let all = distinct.len();
    let mut candidates: Vec<Candidate> = distinct
        .into_iter()
        .take(args.cards)
        .map(|(row, structure)| Candidate { id: name(row), row, structure, prediction: None })
        .collect();
    let remark = (candidates.len() < all)
        .then(|| format!("The first {} of the {all} crystals of the table; --cards draws more.", candidates.len()));
    let model = predict(session, frame, args, &mut candidates).await?;
    if let Some(model) = &model {
        label(&rows, &mut candidates, session.model(model)?.quantity().target)?;
    }
    Ok(Found { candidates, remark, model })
}

/// The crystals of a column; a row that is none is passed over.
fn of_column(column: &ArrayRef) -> Result<Vec<Option<Structure>>, CliError> {
    let column = StructureColumn::try_new(column).map_err(CliError::Failed)?;
    Ok((0..column.len()).map(|row| column.get(row).and_then(Result::ok)).collect())
}

/// The crystals of a table that have these ids, where one id has several the first by its hash.
async fn of_ids(session: &Session, args: &Report, ids: &ArrayRef) -> Result<Vec<Option<Structure>>, CliError> {
    let ids = ids.as_string::<i32>();
    // Ids repeat where a crystal has several rows.
    let mut wanted: Vec<&str> = Vec::new();
    let mut known = HashSet::new();
    wanted.extend(ids.iter().flatten().filter(|id| known.insert(*id)));
    let quoted: Vec<String> = wanted.iter().map(|id| quoted_text(id)).collect();
    if quoted.is_empty() {
        return Ok(vec![None; ids.len()]);
    }
    let table = quoted_name(&args.table);
    let query = format!(
        "SELECT arrow_cast(id, 'Utf8') AS id, structure FROM {table} WHERE id IN ({}) AND structure IS NOT NULL ORDER BY structure_hash",
        quoted.join(", ")
    );
    let mut found: HashMap<String, Structure> = HashMap::new();
    for batch in session.sql(&query).await?.collect().await? {
        let (names, crystals) = (batch.column(0).as_string::<i32>(), of_column(batch.column(1))?);
        for (row, crystal) in crystals.into_iter().enumerate() {
            if let Some(crystal) = crystal {
                found.entry(names.value(row).to_string()).or_insert(crystal);
            }
        }
    }
    Ok(ids.iter().map(|id| found.get(id?).cloned()).collect())
}

/// Asks the model about the candidates, with intervals, and returns its name.
async fn predict(
    session: &Session,
    frame: &DataFrame,
    args: &Report,
    candidates: &mut [Candidate],
) -> Result<Option<String>, CliError> {
    let asked = models_asked(frame);
    let by_query = asked.iter().find(|(function, _)| function == "predict_ef" || function == "predict");
    let model = args.model.as_deref().or(by_query.map(|(_, model)| model.as_str()));
    let column: ArrayRef = Arc::new(structures(candidates.iter().map(|c| Some(&c.structure))));
    let batch = RecordBatch::try_from_iter([("structure", column)])?;
    let context = session.context();
    let predict = context.udf("predict")?;
    let mut arguments = vec![col("structure")];
    arguments.extend(model.filter(|name| !name.is_empty()).map(lit));
    let answers = context.read_batch(batch)?.select(vec![predict.call(arguments).alias("p")])?.collect().await?;
    let coverage = coverage(session);
    let mut name = None;
    let mut rows = candidates.iter_mut();
    for batch in answers {
        let answer = batch.column(0).as_struct();
        let part = |field: &str| {
            answer
                .column_by_name(field)
                .cloned()
                .ok_or_else(|| CliError::Failed(format!("predict has no field {field}")))
        };
        let [value, lower, upper, model, reason] =
            [part("value")?, part("lower")?, part("upper")?, part("model")?, part("reason")?];
        let number =
            |array: &ArrayRef, i: usize| array.is_valid(i).then(|| array.as_primitive::<Float64Type>().value(i));
        let text =
            |array: &ArrayRef, i: usize| array.is_valid(i).then(|| array.as_string::<i32>().value(i).to_string());
        for (i, candidate) in (0..batch.num_rows()).zip(&mut rows) {
            let Some(model) = text(&model, i).filter(|_| answer.is_valid(i)) else { continue };
            name.get_or_insert_with(|| model.clone());
            let unit = session.model(&model)?.quantity().unit.to_owned();
            candidate.prediction = Some(Prediction {
                value: number(&value, i),
                lower: number(&lower, i),
                upper: number(&upper, i),
                unit,
                model,
                coverage,
                reason: text(&reason, i),
                label: None,
            });
        }
    }
    Ok(name)
}

/// The coverage of intervals in this session.
pub(crate) fn coverage(session: &Session) -> f64 {
    crate::sql::HollanditeOptions::of(session.context().copied_config().options()).coverage
}

/// Sets the labels beside the predictions, where the result has them.
fn label(rows: &RecordBatch, candidates: &mut [Candidate], target: &str) -> Result<(), CliError> {
    let Some(labels) = rows.column_by_name(target) else { return Ok(()) };
    let labels = cast(labels, &DataType::Float64)?;
    let labels = labels.as_primitive::<Float64Type>();
    for candidate in candidates {
        if let Some(prediction) = &mut candidate.prediction {
            prediction.label = labels.is_valid(candidate.row).then(|| labels.value(candidate.row));
        }
    }
    Ok(())
}

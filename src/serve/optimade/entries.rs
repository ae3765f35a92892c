//! Crystals as entries: a page of them, or one.

use std::collections::BTreeSet;

use arrow::array::AsArray;
use arrow::datatypes::Int64Type;
use crystal::DEFAULT_SYMPREC;
use datafusion::common::DataFusionError;
use datafusion::functions_aggregate::expr_fn::count;
use datafusion::logical_expr::{Expr, ExprFunctionExt, ident, lit};
use datafusion::prelude::DataFrame;
use formats::{OPTIMADE_PREFIX, OPTIMADE_SPACE_GROUP};
use report::{Sink, Written, optimade_exporter};
use serde_json::{Map, Value};
use sql::{Session, quoted_name};

use super::lower::Names;
use super::properties::{FUNCTIONS, STANDARD, UNKNOWN};
use super::query::Query;
use crate::error::{Kind, Refusal};
use crate::gate::{Answer, Gate, Question};

/// Crystals that are written between two looks at the deadline: a space group may take a while.
const AT_A_TIME: usize = 16;

/// Properties of other providers that a request may name beside all of ours.
const OTHERS: usize = 16;

/// Entries with what is said of them.
pub(super) struct Page {
    pub entries: Vec<Value>,
    /// Whether others follow.
    pub more: bool,
    /// How many there are in all; not counted where a filter would have all of them computed.
    pub found: Option<i64>,
    pub available: Option<i64>,
    pub warnings: Vec<String>,
    pub snapshot: i64,
}

/// What a plan was found to hold.
struct Found {
    /// The properties of each entry, by their names.
    fields: Vec<String>,
    warnings: Vec<String>,
    calls: bool,
}

/// The statement that everything is added to.
pub(super) fn all_of(table: &str, snapshot: Option<i64>) -> Question {
    Question { snapshot, ..Question::from(format!("SELECT * FROM {}", quoted_name(table)).as_str()) }
}

/// The entries of a page.
///
/// # Errors
/// A table without crystals, unknown properties, and what the gate refuses.
pub(super) async fn page(gate: &Gate, table: &str, query: Query, counted: bool) -> Result<Page, Refusal> {
    let (of, asked, said) = (table.to_owned(), query.clone(), engine(gate));
    let refine = move |session: &Session, frame: DataFrame| {
        let mut names = Names::of(session, &of, &frame)?;
        let condition = asked.filter.as_ref().map(|filter| names.condition(filter)).transpose()?;
        let calls = names.calls;
        let frame = crystals(frame, condition).map_err(&said)?;
        let (frame, fields) = planned(&mut names, frame, &asked, said)?;
        Ok((frame, Found { fields, calls, warnings: names.warnings.into_iter().collect() }))
    };
    let (answer, mut found) = gate.ask_with(all_of(table, query.snapshot), refine).await?;
    let (snapshot, planned) = (answer.snapshot(), answer.planned().clone());
    let mut entries = entries(answer, &found.fields).await?;
    let more = entries.len() > query.limit;
    entries.truncate(query.limit);
    found.warnings.extend(query.warnings.iter().cloned().chain(planned.warnings()));
    let mut page = Page { entries, more, found: None, available: None, warnings: found.warnings, snapshot };
    if counted {
        (page.found, page.available) = counts(gate, table, query, snapshot, found.calls).await?;
    }
    Ok(page)
}

fn engine(gate: &Gate) -> impl Fn(DataFusionError) -> Refusal + Clone + Send + 'static {
    let gate = gate.clone();
    move |error| gate.refusal(&error.into())
}

/// The plan of a page of what was found, and the properties of its entries: no other is computed, and of no other rows.
fn planned(
    names: &mut Names,
    frame: DataFrame,
    query: &Query,
    said: impl Fn(DataFusionError) -> Refusal,
) -> Result<(DataFrame, Vec<String>), Refusal> {
    let most = STANDARD.len() + UNKNOWN.len() + FUNCTIONS.len() + names.columns().count() + OTHERS;
    let named = query.fields.as_ref().map_or(0, BTreeSet::len).max(query.sort.len());
    if named > most {
        return Err(Refusal::bad(format!(
            "{named} properties are named; sort and response_fields take at most {most}"
        )));
    }
    let mut keys = Vec::new();
    for (name, descending) in &query.sort {
        let property = names.queried(name)?;
        if !property.kind.sorts() {
            return Err(Refusal::bad(format!("{name} has no order to sort by")));
        }
        keys.push(property.expr.sort(!descending, false));
    }
    // Pages follow one another only in an order without ties.
    keys.extend(names.order().into_iter().map(|key| key.sort(true, false)));
    let fields: Vec<String> = match &query.fields {
        Some(fields) => fields.iter().cloned().collect(),
        None => {
            let standard = STANDARD.iter().filter(|known| !known.on_request()).map(|known| known.name.to_owned());
            standard.chain(names.columns().map(|(name, _)| name)).collect()
        }
    };
    let mut columns = vec![ident("id"), ident("structure")];
    for name in &fields {
        let property = names.property(name)?;
        // The exporter puts the prefix before the names of columns.
        if let Some(own) = name.strip_prefix(OPTIMADE_PREFIX) {
            columns.push(property.expr.alias(own));
        }
    }
    let page = frame.sort(keys).and_then(|frame| frame.limit(query.offset, Some(query.limit + 1))?.select(columns));
    Ok((page.map_err(said)?, fields))
}

/// The rows that hold a crystal, and meet a condition.
fn crystals(frame: DataFrame, condition: Option<Expr>) -> Result<DataFrame, DataFusionError> {
    let known = ident("structure").is_not_null();
    frame.filter(condition.map_or(known.clone(), |condition| known.and(condition)))
}

/// The rows as entries, with these properties, unknown where they have no value.
async fn entries(mut answer: Answer, fields: &[String]) -> Result<Vec<Value>, Refusal> {
    let wrong = |error: String| Refusal::new(Kind::Fault, error);
    let written = Written::default();
    let schema = answer.schema().clone();
    let symprec = fields.iter().any(|name| OPTIMADE_SPACE_GROUP.contains(&name.as_str())).then_some(DEFAULT_SYMPREC);
    let mut exporter = optimade_exporter(&schema, symprec, Sink::Stream(Box::new(written.clone())))
        .map_err(|error| wrong(error.to_string()))?;
    // What an archive says before its entries is not of them.
    written.take();
    while let Some(batch) = answer.next().await {
        let batch = batch?;
        for from in (0..batch.num_rows()).step_by(AT_A_TIME) {
            if answer.planned().stop.is_given() {
                // The next call says why.
                break;
            }
            let some = batch.slice(from, AT_A_TIME.min(batch.num_rows() - from));
            tokio::task::block_in_place(|| exporter.write(&some)).map_err(|error| wrong(error.to_string()))?;
        }
    }
    exporter.finish().map_err(|error| wrong(error.to_string()))?;
    let entry = |mut entry: Value| {
        let attributes = fields.iter().filter(|name| !["id", "type"].contains(&name.as_str()));
        let attributes = attributes.map(|name| (name.clone(), entry["attributes"][name.as_str()].take()));
        entry["attributes"] = Value::Object(attributes.collect::<Map<_, _>>());
        entry
    };
    let lines = written.take();
    let lines = serde_json::Deserializer::from_slice(&lines).into_iter::<Value>();
    lines.map(|line| line.map(entry).map_err(|error| wrong(error.to_string()))).collect()
}

/// How many crystals meet the filter, and how many there are.
async fn counts(
    gate: &Gate,
    table: &str,
    query: Query,
    snapshot: i64,
    calls: bool,
) -> Result<(Option<i64>, Option<i64>), Refusal> {
    let (of, said) = (table.to_owned(), engine(gate));
    let refine = move |session: &Session, frame: DataFrame| {
        let mut names = Names::of(session, &of, &frame)?;
        let filter = query.filter.filter(|_| !calls);
        let mut all = vec![count(lit(1)).alias("available")];
        if let Some(filter) = &filter {
            let condition = names.condition(filter)?;
            all.push(count(lit(1)).filter(condition).build().map_err(&said)?.alias("found"));
        }
        let counted = crystals(frame, None).and_then(|frame| frame.aggregate(Vec::new(), all));
        Ok((counted.map_err(said)?, ()))
    };
    let (answer, ()) = gate.ask_with(all_of(table, Some(snapshot)), refine).await?;
    let batches = answer.collect().await?;
    let number = |i: usize| {
        let column = batches.first().and_then(|batch| batch.columns().get(i));
        column.map(|column| column.as_primitive::<Int64Type>().value(0))
    };
    let available = number(0);
    Ok((if calls { None } else { number(1).or(available) }, available))
}

//! Do the rows hold what their crystals give? Every derived column of every table of crystals is computed again.

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Float64Type};
use arrow::util::display::{ArrayFormatter, FormatOptions};
use datafusion::prelude::SessionContext;
use futures::StreamExt;

use super::derived::{columns_of_crystals, derive, derived, holds_crystals};
use super::lake::{CATALOG, SCHEMA, Store};
use crate::StoreError;
use crystal::Cause;
use crystal::progress::{Done, Progress};

/// Crystals whose columns are computed together.
const CRYSTALS: usize = 256;
/// Rows that are named of one table.
const NAMED: usize = 20;
/// Difference of two numbers that are the same, relative to them: another processor rounds otherwise.
const SAME: f64 = 1e-6;

/// What a comparison of rows with their crystals found.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct DeepReport {
    /// Tables of crystals.
    pub tables: u64,
    /// Their rows.
    pub rows: u64,
    /// Of these, rows that are not what their crystal gives.
    pub wrong: u64,
    /// What is wrong with the first of each table, and the remedy.
    pub problems: Vec<String>,
}

impl std::fmt::Display for DeepReport {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { tables, rows, wrong, problems } = self;
        let (s, t) = (if *rows == 1 { "" } else { "s" }, if *tables == 1 { "" } else { "s" });
        write!(f, "{rows} row{s} of {tables} table{t} of crystals computed anew; ")?;
        match wrong {
            0 => write!(f, "all are what their crystals give")?,
            1 => write!(f, "1 is not what its crystal gives")?,
            n => write!(f, "{n} are not what their crystals give")?,
        }
        problems.iter().try_for_each(|problem| write!(f, "\n{problem}"))
    }
}

impl Store {
    /// Computes the derived columns of every row of the newest snapshot again, and compares them. `progress` takes rows done and in
    /// all. In memory is a batch of rows.
    ///
    /// # Errors
    /// A file that cannot be read.
    pub async fn verify_deep(&self, progress: &dyn Progress) -> Result<DeepReport, StoreError> {
        let mut report = DeepReport::default();
        let tables = self.crystal_tables(&mut report).await?;
        let total: u64 = tables.iter().map(|(_, rows)| rows).sum();
        report.tables = tables.len() as u64;
        let ctx = SessionContext::new();
        self.register(&ctx, None).await?;
        for (table, _) in tables {
            let sql = format!(
                "SELECT id, structure, {} FROM {CATALOG}.{SCHEMA}.\"{table}\"",
                derived().collect::<Vec<_>>().join(", ")
            );
            let mut rows = ctx.sql(&sql).await.map_err(reading)?.execute_stream().await.map_err(reading)?;
            let mut wrong = 0;
            while let Some(batch) = rows.next().await.transpose().map_err(reading)? {
                for begin in (0..batch.num_rows()).step_by(CRYSTALS) {
                    let part = batch.slice(begin, CRYSTALS.min(batch.num_rows() - begin));
                    let count = part.num_rows() as u64;
                    let compared = tokio::task::spawn_blocking(move || compare(&part)).await;
                    let found = compared.map_err(reading)?.map_err(reading)?;
                    let room = NAMED.saturating_sub(wrong);
                    report.problems.extend(found.iter().take(room).map(|row| format!("{table}, {row}")));
                    wrong += found.len();
                    report.rows += count;
                    progress.step(&Done::rows(report.rows, total.max(report.rows)));
                }
            }
            if wrong > NAMED {
                report.problems.push(format!("{table}: and {} rows more", wrong - NAMED));
            }
            if wrong > 0 {
                let remedy = format!(
                    "{table}: `UPDATE {table} SET structure = structure` computes the columns anew; with a condition, as WHERE id = .., \
                     those of some rows"
                );
                report.problems.push(remedy);
            }
            report.wrong += wrong as u64;
        }
        Ok(report)
    }

    /// The tables of crystals and their rows; the report gets those that were such.
    async fn crystal_tables(&self, report: &mut DeepReport) -> Result<Vec<(String, u64)>, StoreError> {
        let mut tables = Vec::new();
        for table in self.info(None)?.tables {
            let Some(schema) = self.table_schema(&table.name).await? else { continue };
            if holds_crystals(&schema) {
                tables.push((table.name, table.rows.unwrap_or(0)));
                continue;
            }
            let has = |name: &str| schema.field_with_name(name).is_ok();
            let lacks: Vec<&str> = columns_of_crystals().filter(|name| !has(name)).collect();
            // Another program that drops or renames a column leaves the others behind.
            if has("structure") && has("structure_hash") && !lacks.is_empty() {
                report.problems.push(format!(
                    "{}: not compared, and its columns do not follow structure: it is no table of crystals, for want of {}",
                    table.name,
                    lacks.join(", ")
                ));
            }
        }
        Ok(tables)
    }
}

fn reading(error: impl Into<Cause>) -> StoreError {
    StoreError::lake("comparing rows with their crystals")(error)
}

/// The rows of a batch of id, structure and the derived columns that are not what their crystals give, each in words.
fn compare(batch: &RecordBatch) -> Result<Vec<String>, String> {
    let ids = text(batch.column(0))?;
    let mut wrong = Vec::new();
    let structures = batch.column(1);
    let computed = match derive(structures) {
        Ok(computed) => computed,
        // One that is no crystal spoils its batch: each by itself then.
        Err((_, why)) if batch.num_rows() == 1 => return Ok(vec![format!("row '{}': {why}", ids[0])]),
        Err(_) => {
            let alone = (0..batch.num_rows()).map(|i| compare(&batch.slice(i, 1)));
            return Ok(alone.collect::<Result<Vec<_>, _>>()?.concat());
        }
    };
    let kept = &batch.columns()[2..];
    let mut differences = vec![Vec::new(); batch.num_rows()];
    for ((name, kept), crystals) in derived().zip(kept).zip(&computed) {
        let (is, should) = (text(kept)?, text(crystals)?);
        let numbers = (*crystals.data_type() == DataType::Float64)
            .then(|| (crystals.as_primitive::<Float64Type>(), kept.as_primitive_opt::<Float64Type>()));
        for (i, found) in differences.iter_mut().enumerate() {
            let same = match numbers {
                Some((a, Some(b))) if a.is_valid(i) && b.is_valid(i) => {
                    (a.value(i) - b.value(i)).abs() <= SAME * a.value(i).abs().max(SAME)
                }
                _ => is[i] == should[i],
            };
            if !same {
                found.push(format!("{name} is {}, and {} of the crystal", is[i], should[i]));
            }
        }
    }
    for (id, found) in ids.iter().zip(differences) {
        if !found.is_empty() {
            wrong.push(format!("row '{id}': {}", found.join("; ")));
        }
    }
    Ok(wrong)
}

/// Values in readable form.
fn text(column: &ArrayRef) -> Result<Vec<String>, String> {
    // Text of one layout, so that lists of it read alike.
    let column = match column.data_type() {
        DataType::Utf8View => cast(column, &DataType::Utf8).map_err(|e| e.to_string())?,
        _ => column.clone(),
    };
    let options = FormatOptions::default().with_null("NULL");
    let formatter = ArrayFormatter::try_new(&column, &options).map_err(|e| e.to_string())?;
    Ok((0..column.len()).map(|i| formatter.value(i).to_string()).collect())
}

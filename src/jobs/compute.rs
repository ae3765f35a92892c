//! `compute`: columns of SQL for the rows of a table, into a table of their own, as `featurize` keeps functions of a crystal.
//!
//! It is one query over the rows that the table does not have yet, by id and content hash. Rows are committed in parts: what a process
//! that was killed had committed is kept, and the next call goes on from there. What took long for a single crystal, such as a
//! relaxation, is remembered besides as soon as it is there.

use std::time::Instant;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use datafusion::physical_plan::memory::MemoryStream;
use futures::StreamExt;

use super::evaluate::number_of;
use crystal::progress::{Done, Progress};
use sql::{Error, Session, quoted_name};
use store::{Onto, SCHEMA, Store};

/// What to compute.
#[derive(Debug, Clone, PartialEq)]
pub struct ComputeOptions {
    /// Columns as SQL has them, with their names: `adsorption_potential(structure, 'Ca') AS v_ca`.
    pub columns: Vec<String>,
    /// Table whose rows they are computed of; it has the columns id and structure_hash.
    pub table: String,
    /// SQL condition on its rows.
    pub condition: Option<String>,
    /// Table for the values, with the columns id and structure_hash in front; made where it does not exist.
    pub into: String,
    /// Rows after which they are committed.
    pub commit_rows: usize,
    /// Seconds after which they are, however few.
    pub commit_seconds: f64,
}

impl Default for ComputeOptions {
    fn default() -> Self {
        let (columns, condition, into) = (vec![], None, String::new());
        Self { columns, table: "tmo".into(), condition, into, commit_rows: 8192, commit_seconds: 60.0 }
    }
}

/// What `compute` did.
#[derive(Debug, Clone, PartialEq)]
pub struct ComputeSummary {
    /// The table whose rows were computed.
    pub table: String,
    /// The table that has the values.
    pub into: String,
    /// Rows that were computed now.
    pub computed: u64,
    /// Rows that were there before.
    pub present: u64,
    /// Wall time.
    pub seconds: f64,
}

impl std::fmt::Display for ComputeSummary {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { table, into, computed, present, seconds } = self;
        let s = if *computed == 1 { "" } else { "s" };
        write!(f, "{into}: {computed} row{s} of {table}")?;
        if *computed > 0 {
            write!(f, " in {seconds:.1} s ({:.0} rows/s)", *computed as f64 / seconds.max(1e-9))?;
        }
        match present {
            0 => Ok(()),
            n => write!(f, ", {n} already there"),
        }
    }
}

/// Computes columns for the rows of a table of `store`, which is the one that this session reads. Rows that [`ComputeOptions::into`]
/// has keep what they have; rows without id or structure are left out, for nothing could find them again.
///
/// # Errors
/// Columns that are no SQL or have other names than the table, an unknown table, or a store that cannot be written.
pub async fn compute(
    session: &Session,
    store: &Store,
    options: &ComputeOptions,
    progress: &dyn Progress,
) -> Result<ComputeSummary, Error> {
    let begun = Instant::now();
    let queries = Queries::new(options);
    let columns = session.sql(&queries.all()).await?.schema().as_arrow().clone();
    let columns = SchemaRef::new(columns);
    let mut present = 0;
    match session.context().table_exist(options.into.as_str())? {
        true => {
            same_names(session, &columns, &options.into).await?;
            present = number_of(session, &queries.present()).await?;
        }
        // At once, so that rows are found there when this goes on.
        false => write(store, &options.into, Onto::New, vec![], &columns).await.map(drop)?,
    }
    let total = number_of(session, &queries.missing("1 AS one")).await?;
    let mut pending = Pending { store, options, columns, rows: vec![], held: 0, begun: Instant::now(), computed: 0 };
    let ran = match total {
        0 => Ok(()),
        _ => run(session, &queries, &mut pending, total, progress).await,
    };
    // What was computed before an error is worth keeping too.
    pending.commit().await?;
    ran?;
    let (table, into) = (options.table.clone(), options.into.clone());
    Ok(ComputeSummary { table, into, computed: pending.computed, present, seconds: begun.elapsed().as_secs_f64() })
}

async fn run(
    session: &Session,
    queries: &Queries,
    pending: &mut Pending<'_>,
    total: u64,
    progress: &dyn Progress,
) -> Result<(), Error> {
    progress.step(&Done::rows(0, total));
    let mut stream = session.sql(&queries.missing(&queries.columns)).await?.execute_stream().await?;
    while let Some(batch) = stream.next().await.transpose()? {
        pending.push(batch).await?;
        progress.step(&Done::rows(pending.computed, total));
    }
    Ok(())
}

/// Rows on their way into the table.
struct Pending<'a> {
    store: &'a Store,
    options: &'a ComputeOptions,
    columns: SchemaRef,
    rows: Vec<RecordBatch>,
    held: usize,
    begun: Instant,
    computed: u64,
}

impl Pending<'_> {
    async fn push(&mut self, batch: RecordBatch) -> Result<(), Error> {
        self.computed += batch.num_rows() as u64;
        self.held += batch.num_rows();
        self.rows.push(batch);
        let is_old = self.begun.elapsed().as_secs_f64() >= self.options.commit_seconds;
        if self.held >= self.options.commit_rows || is_old { self.commit().await } else { Ok(()) }
    }

    async fn commit(&mut self) -> Result<(), Error> {
        let rows = std::mem::take(&mut self.rows);
        (self.held, self.begun) = (0, Instant::now());
        write(self.store, &self.options.into, Onto::Kept, rows, &self.columns).await.map(drop)
    }
}

async fn write(
    store: &Store,
    table: &str,
    onto: Onto,
    rows: Vec<RecordBatch>,
    columns: &SchemaRef,
) -> Result<u64, Error> {
    let rows = MemoryStream::try_new(rows, columns.clone(), None)?;
    Ok(store.write_rows(SCHEMA, table, onto, Box::pin(rows)).await?)
}

/// Refuses a table that has other columns than those asked for.
async fn same_names(session: &Session, asked: &SchemaRef, table: &str) -> Result<(), Error> {
    let found = session.context().table_provider(table).await?.schema();
    let names = |schema: &SchemaRef| schema.fields().iter().map(|field| field.name().clone()).collect::<Vec<_>>();
    let (found, asked) = (names(&found), names(asked));
    if found == asked {
        return Ok(());
    }
    Err(Error::Sql(format!(
        "table {table} has the columns {}, and these are {}: name another table with --into",
        found.join(", "),
        asked.join(", ")
    )))
}

/// The queries of one computation.
struct Queries {
    rows: String,
    into: String,
    columns: String,
}

impl Queries {
    fn new(options: &ComputeOptions) -> Self {
        let condition = options.condition.as_ref().map_or_else(String::new, |c| format!(" AND ({c})"));
        let table = quoted_name(&options.table);
        Self {
            rows: format!("SELECT * FROM {table} WHERE id IS NOT NULL AND structure_hash IS NOT NULL{condition}"),
            into: quoted_name(&options.into),
            columns: ["id", "structure_hash"]
                .into_iter()
                .chain(options.columns.iter().map(String::as_str))
                .collect::<Vec<_>>()
                .join(", "),
        }
    }

    const SAME: &str = "k.id = r.id AND k.structure_hash = r.structure_hash";

    fn all(&self) -> String {
        format!("SELECT {} FROM ({}) AS r", self.columns, self.rows)
    }

    fn present(&self) -> String {
        format!("SELECT 1 AS one FROM ({}) AS r JOIN {} AS k ON {}", self.rows, self.into, Self::SAME)
    }

    fn missing(&self, columns: &str) -> String {
        format!("SELECT {columns} FROM ({}) AS r LEFT ANTI JOIN {} AS k ON {}", self.rows, self.into, Self::SAME)
    }
}

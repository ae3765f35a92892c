//! Adding rows to a table of results: one snapshot, and no row twice.

use std::collections::HashSet;

use arrow::array::{Array, BooleanArray, RecordBatch};
use arrow::compute::{cast, filter_record_batch};
use arrow::datatypes::{DataType, SchemaRef};
use arrow::error::ArrowError;
use arrow::json::ReaderBuilder;
use arrow::util::display::{ArrayFormatter, FormatOptions};
use datafusion::prelude::SessionContext;
use datafusion_ducklake::{DuckLakeTableWriter, SnapshotCommitMetadata, TableWriteOptions, WriteMode};
use parquet::basic::{Compression, ZstdLevel};

use super::ResultRow;
use crate::StoreError;
use crate::lake::{CATALOG, SCHEMA, Store};
use crate::tables;

/// What an error here says was attempted.
const DOING: &str = "adding results";

impl Store {
    /// Adds rows to the table of results that `R` names, in one snapshot with `message`, and makes the table where it was
    /// dropped. A table of an older program gains the columns that came since, NULL in its old rows. Rows that are there already,
    /// or that come twice, by the columns of [`ResultRow::KEY`], are left out: the same rows again add nothing, and make no
    /// snapshot. Returns how many were added.
    ///
    /// # Errors
    /// A store that may not be written to, or a table of that name and of another shape.
    pub async fn append<R: ResultRow>(&self, rows: &[R], message: &str) -> Result<u64, StoreError> {
        self.writer()?;
        let _turn = self.lock().await?;
        self.append_in_turn(rows, message).await
    }

    /// As [`Store::append`], for a caller that has the writer's turn.
    pub(super) async fn append_in_turn<R: ResultRow>(&self, rows: &[R], message: &str) -> Result<u64, StoreError> {
        self.grow::<R>().await?;
        let fresh = self.fresh(rows).await?;
        let added = fresh.rows();
        let commit = SnapshotCommitMetadata::new().with_message(message.to_owned());
        self.commit_fresh(&[fresh], commit, None).await?;
        Ok(added)
    }

    /// Gives a table that an older program made the columns that came since, NULL in its rows; a snapshot of its own. For a caller
    /// that has the writer's turn.
    ///
    /// # Errors
    /// As [`Store::append`].
    pub(crate) async fn grow<R: ResultRow>(&self) -> Result<(), StoreError> {
        let (Some(found), Some(schema)) = (self.table_schema(R::TABLE).await?, tables::schema_of(R::TABLE)) else {
            return Ok(());
        };
        let has = found.fields().len();
        if has >= schema.fields().len() || tables::grows_to(&found, &schema, R::ADDED).is_err() {
            return Ok(());
        }
        let doing = "adding columns";
        let writer = DuckLakeTableWriter::new(self.writer()?, self.file_system());
        let nothing = RecordBatch::new_empty(schema);
        let written = writer.map_err(StoreError::lake(doing))?.append_table(SCHEMA, R::TABLE, &[nothing]).await;
        written.map_err(StoreError::lake(doing))?;
        let new = tables::dictionary(R::TABLE).unwrap_or_default().iter().skip(has);
        self.comment(R::TABLE, new.map(|c| (c.name.as_str(), c.comment.as_str())))
    }

    /// Of `rows` those that their table does not have yet.
    ///
    /// # Errors
    /// As [`Store::append`].
    pub(crate) async fn fresh<R: ResultRow>(&self, rows: &[R]) -> Result<Fresh, StoreError> {
        let arrow = StoreError::lake(DOING);
        let Some(schema) = tables::schema_of(R::TABLE) else {
            return Err(StoreError::lake(DOING)(format!("lake.sql has no table {}", R::TABLE)));
        };
        let found = self.table_schema(R::TABLE).await?;
        let mut seen = match &found {
            Some(found) => {
                tables::grows_to(found, &schema, R::ADDED).map_err(|difference| {
                    StoreError::lake(DOING)(format!(
                        "table {} has another shape: {difference}; rename or drop it",
                        R::TABLE
                    ))
                })?;
                self.keys::<R>().await?
            }
            None => HashSet::new(),
        };
        let batch = batch(rows, &schema).map_err(arrow)?;
        let fresh: BooleanArray =
            keys_of::<R>(&batch).map_err(arrow)?.into_iter().map(|key| Some(seen.insert(key))).collect();
        let batch = filter_record_batch(&batch, &fresh).map_err(arrow)?;
        Ok(Fresh { table: R::TABLE, new_table: found.is_none(), batch })
    }

    /// Commits rows of several tables in one snapshot, which fails where the lake is no longer at the snapshot `base`.
    /// Returns the snapshot; `None` where there is no row.
    ///
    /// # Errors
    /// A store that may not be written to, or that another program changed.
    pub(crate) async fn commit_fresh(
        &self,
        parts: &[Fresh],
        commit: SnapshotCommitMetadata,
        base: Option<i64>,
    ) -> Result<Option<i64>, StoreError> {
        let writer = DuckLakeTableWriter::new(self.writer()?, self.file_system())
            .map_err(StoreError::lake(DOING))?
            .with_compression(Compression::ZSTD(ZstdLevel::default()));
        let mut options = TableWriteOptions::new()
            .with_commit_metadata(commit.with_author(concat!("hollandite ", env!("CARGO_PKG_VERSION"))));
        if let Some(base) = base {
            options = options.with_expected_base_snapshot_id(base);
        }
        let mut transaction = writer.transaction().with_options(&options);
        for part in parts {
            if part.new_table && part.rows() > 0 {
                self.reserve_table(part.table)?;
            }
            let (schema, batch) = (part.batch.schema(), std::slice::from_ref(&part.batch));
            let staged = transaction.stage_write(SCHEMA, part.table, &schema, WriteMode::Append, batch).await;
            staged.map_err(StoreError::lake(DOING))?;
        }
        let written = transaction.commit().await.map_err(StoreError::lake(DOING))?;
        let Some(snapshot) = written.first().map(|table| table.snapshot_id) else { return Ok(None) };
        for part in parts.iter().filter(|part| part.new_table && part.rows() > 0) {
            let columns = tables::dictionary(part.table).unwrap_or_default();
            self.comment(part.table, columns.iter().map(|c| (c.name.as_str(), c.comment.as_str())))?;
        }
        Ok(Some(snapshot))
    }

    /// The keys of every row of a table of results.
    async fn keys<R: ResultRow>(&self) -> Result<HashSet<String>, StoreError> {
        let doing = "reading what the table holds";
        let lake = StoreError::lake(doing);
        let ctx = SessionContext::new();
        self.register(&ctx, None).await?;
        let sql = format!("SELECT {} FROM {CATALOG}.{SCHEMA}.{}", R::KEY.join(", "), R::TABLE);
        let batches = ctx.sql(&sql).await.map_err(lake)?.collect().await.map_err(lake)?;
        let keys = batches.iter().map(keys_of::<R>).collect::<Result<Vec<_>, _>>();
        Ok(keys.map_err(|e| lake(e.into()))?.into_iter().flatten().collect())
    }
}

/// Rows on their way into a table of results: those that it does not have yet.
pub(crate) struct Fresh {
    table: &'static str,
    /// Whether the table is yet to be made.
    new_table: bool,
    batch: RecordBatch,
}

impl Fresh {
    /// How many.
    pub(crate) fn rows(&self) -> u64 {
        self.batch.num_rows() as u64
    }
}

/// The batch of `rows`; a column that is no field of theirs is NULL.
fn batch<R: ResultRow>(rows: &[R], schema: &SchemaRef) -> Result<RecordBatch, ArrowError> {
    // Strict: a field that is no column would be lost without a word.
    let mut decoder = ReaderBuilder::new(schema.clone()).with_strict_mode(true).build_decoder()?;
    decoder.serialize(rows)?;
    Ok(decoder.flush()?.unwrap_or_else(|| RecordBatch::new_empty(schema.clone())))
}

/// The keys of the rows of a batch, a text each.
fn keys_of<R: ResultRow>(batch: &RecordBatch) -> Result<Vec<String>, ArrowError> {
    let mut keys = vec![String::new(); batch.num_rows()];
    for name in R::KEY {
        let column = batch.column_by_name(name);
        let column = column.ok_or_else(|| ArrowError::SchemaError(format!("no column {name}")))?;
        let column = cast(column, &DataType::Utf8)?;
        let texts = ArrayFormatter::try_new(&column, &FormatOptions::default())?;
        for (i, key) in keys.iter_mut().enumerate() {
            // Of unlike lengths, so that no two keys run together; NULL is no text.
            let text = if column.is_null(i) { "-".to_owned() } else { texts.value(i).to_string() };
            *key += &format!("{}:{text}", if column.is_null(i) { 0 } else { text.len() + 1 });
        }
    }
    Ok(keys)
}

#[cfg(test)]
mod tests {
    use arrow::datatypes::Schema;

    use super::super::{AdsorptionRow, ChargeRow, DftRunRow, Electrode, ReferenceEnergy};
    use super::*;

    fn row(host: &str, n: i32) -> AdsorptionRow {
        AdsorptionRow {
            host: host.into(),
            ion: "Ca".into(),
            n,
            adsorption_potential: Some(3.5),
            source: "test".into(),
            ..AdsorptionRow::default()
        }
    }

    async fn count(store: &Store, condition: &str) -> usize {
        let ctx = SessionContext::new();
        store.register(&ctx, None).await.unwrap();
        let sql = format!("SELECT * FROM adsorption WHERE {condition}");
        ctx.sql(&sql).await.unwrap().collect().await.unwrap().iter().map(RecordBatch::num_rows).sum()
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_row_is_added_once_and_in_one_snapshot() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::init(&dir.path().join("s")).await.unwrap();
        let before = store.snapshots().unwrap().len();
        let rows = [row("a", 1), row("a", 2), row("a", 1)];
        assert_eq!(store.append(&rows, "test").await.unwrap(), 2);
        assert_eq!(store.append(&rows, "test").await.unwrap(), 0);
        let snapshots = store.snapshots().unwrap();
        assert_eq!(snapshots.len(), before + 1);
        assert_eq!(snapshots.last().unwrap().message.as_deref(), Some("test"));
        assert_eq!(count(&store, "source = 'test' AND adsorption_potential = 3.5 AND voltage IS NULL").await, 2);
        // Another calculation of the same thing is another row.
        let other = AdsorptionRow { inserted_run: Some("r".into()), adsorption_potential: None, ..row("a", 1) };
        assert_eq!(store.append(&[other], "test").await.unwrap(), 1);
        let report = store.verify().await.unwrap();
        assert!(report.is_clean() && report.checksums == report.files, "{report}");
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_table_of_another_shape_is_refused_and_a_dropped_one_made_again() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::init(&dir.path().join("s")).await.unwrap();
        let ctx = SessionContext::new();
        store.register(&ctx, None).await.unwrap();
        let run = async |sql: &str| ctx.sql(sql).await.unwrap().collect().await.unwrap();
        run("DROP TABLE adsorption").await;
        assert_eq!(store.append(&[row("a", 1)], "test").await.unwrap(), 1);
        assert_eq!(count(&store, "true").await, 1);
        run("DROP TABLE adsorption").await;
        run("CREATE TABLE adsorption (host VARCHAR)").await;
        let error = store.append(&[row("a", 1)], "test").await.unwrap_err().to_string();
        assert!(error.contains("no column host_formula") && error.contains("rename or drop"), "{error}");
    }

    #[test]
    fn every_field_is_a_column_and_every_column_a_field() {
        fn check<R: ResultRow + Default>() {
            let schema = tables::schema_of(R::TABLE).unwrap();
            assert_eq!(batch(&[R::default()], &schema).unwrap().num_rows(), 1);
            let value = serde_json::to_value(R::default()).unwrap();
            let names: HashSet<&str> = schema.fields().iter().map(|f| f.name().as_str()).collect();
            assert_eq!(value.as_object().unwrap().keys().map(String::as_str).collect::<HashSet<_>>(), names);
            assert!(R::KEY.iter().all(|name| names.contains(name)));
        }
        check::<AdsorptionRow>();
        check::<ChargeRow>();
        check::<ReferenceEnergy>();
        check::<DftRunRow>();
        check::<Electrode>();
    }

    /// A store whose calculations came in before there were corrections.
    #[tokio::test(flavor = "multi_thread")]
    async fn a_table_of_an_older_program_grows() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("s");
        let store = Store::init(&path).await.unwrap();
        let now = tables::schema_of(DftRunRow::TABLE).unwrap();
        let then = Schema::new(now.fields()[..now.fields().len() - DftRunRow::ADDED].to_vec());
        let row = |run: &str| {
            let mut row = DftRunRow::default();
            row.run = run.into();
            row
        };
        let old = batch(&[row("a")], &now).unwrap();
        let old = old.project(&(0..then.fields().len()).collect::<Vec<_>>()).unwrap();
        let fresh = Fresh { table: DftRunRow::TABLE, new_table: true, batch: old };
        store.commit_fresh(&[fresh], SnapshotCommitMetadata::new(), None).await.unwrap();
        drop(store);
        let store = Store::open(&path).await.unwrap();
        let snapshot = store.newest_snapshot().unwrap();
        assert_eq!(store.append(&[row("a")], "test").await.unwrap(), 0, "the old row is known");
        assert_eq!(store.append(&[row("a"), row("b")], "test").await.unwrap(), 1);
        assert_eq!(store.append(&[row("b"), row("c")], "test").await.unwrap(), 1);
        let rows = async |sql: &str, snapshot| {
            let ctx = SessionContext::new();
            store.register(&ctx, snapshot).await.unwrap();
            let batches = ctx.sql(sql).await.unwrap().collect().await.unwrap();
            arrow::util::pretty::pretty_format_batches(&batches).unwrap().to_string()
        };
        let found = rows("SELECT run, correction_scheme, oxidation_states FROM dft_runs", None).await;
        assert!(["| a ", "| b ", "| c "].iter().all(|run| found.contains(run)), "{found}");
        assert!(rows("SELECT run FROM dft_runs", Some(snapshot)).await.contains("| a "));
        let column = "SELECT count(*) FROM ducklake_column_tag WHERE value LIKE 'why there is no correction%'";
        let comments: i64 = store.connect().unwrap().query_row(column, [], |row| row.get(0)).unwrap();
        assert_eq!(comments, 1, "the new columns are explained");
        assert!(store.verify().await.unwrap().is_clean());
    }
}

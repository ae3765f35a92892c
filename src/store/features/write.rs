//! Writing features: rows are appended between commits. A commit is one snapshot, with its checksums; a process that is killed loses
//! the rows that it had not committed, and nothing else.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Instant;

use arrow::array::{Array, ArrayRef, BooleanArray, RecordBatch, StringArray};
use arrow::compute::cast;
use arrow::datatypes::{Field, Schema, SchemaRef};
use datafusion_ducklake::{
    DuckLakeTableWriter, SnapshotCommitMetadata, TableWriteOptions, TableWriteSession, WriteMode,
};
use parquet::basic::{Compression, ZstdLevel};
use rusqlite::params;

use super::{Featurizer, registered};
use crate::StoreError;
use crate::import::{Identity, identity};
use crate::lake::{SCHEMA, Store};
use crate::storable::storable;
use crate::tables;
use crate::turn::Turn;
use columns::StructureColumn;

/// Rows of a Parquet row group: what is read as a whole to find one value.
const ROW_GROUP: usize = 1024;

/// The table of one feature, open for writing.
pub struct FeatureTable {
    store: Store,
    featurizer: Featurizer,
    schema: SchemaRef,
    present: HashSet<Identity>,
    pending: Option<Pending>,
}

/// Rows on their way into a snapshot.
struct Pending {
    session: TableWriteSession,
    begun: Instant,
    rows: usize,
    nulls: usize,
    seconds: f64,
}

impl Store {
    /// Takes the turn to featurize, after its holder. It ends when the file is dropped.
    ///
    /// # Errors
    /// A store that may not be written to.
    pub async fn featurizing(&self) -> Result<Turn, StoreError> {
        self.writer()?;
        self.lock_features().await
    }

    /// Opens the table of a feature, and makes it where there is none. Values of another version or of other arguments
    /// are dropped; `afresh`: all values are. The caller has the turn to featurize.
    ///
    /// # Errors
    /// A store that may not be written to, or a table of that name that is none of ours.
    pub async fn open_feature(&self, featurizer: Featurizer, afresh: bool) -> Result<FeatureTable, StoreError> {
        let table = featurizer.table();
        let schema = schema(&featurizer);
        let writer = self.writer()?;
        let _turn = self.lock().await?;
        let known = registered(&self.connect()?, &featurizer.name)?;
        let found = self.table_schema(&table).await?;
        if let (Some(found), None) = (&found, &known)
            && !found.fields().iter().zip(schema.fields()).all(|(a, b)| a.name() == b.name())
        {
            let message = "it was not made by `hollandite featurize`; rename or drop it".into();
            return Err(StoreError::Feature { table, message });
        }
        let mut present = HashSet::new();
        if !afresh && found.is_some() && known.as_ref() == Some(&featurizer.id) {
            present = self.identities(&table).await?;
        } else {
            // First: without it, the table that is dropped and made again is taken for what it was.
            self.connect()?.execute("DELETE FROM hollandite_featurizers WHERE name = ?", params![featurizer.name])?;
            if found.is_some() {
                writer.drop_table(SCHEMA, &table).map_err(StoreError::lake("dropping an older version"))?;
            }
            let comments = tables::feature_columns().iter().map(|c| (c.name.as_str(), c.comment.as_str()));
            let comments = comments.chain([(featurizer.name.as_str(), featurizer.comment.as_str())]);
            self.create_table(&table, schema.clone(), comments).await?;
            // Last: before it, the table is taken for one of another version and made again.
            self.connect()?.execute(
                "INSERT OR REPLACE INTO hollandite_featurizers (name, featurizer) VALUES (?, ?)",
                params![featurizer.name, featurizer.id],
            )?;
        }
        Ok(FeatureTable { store: self.clone(), featurizer, schema, present, pending: None })
    }

    /// Remembers that rows of `table` were featurized: the view `features` shows them.
    ///
    /// # Errors
    /// SQLite's own.
    pub fn remember_featurized(&self, table: &str) -> Result<(), StoreError> {
        let sql = "INSERT OR IGNORE INTO hollandite_featurized (table_name) VALUES (?)";
        self.connect()?.execute(sql, params![table])?;
        Ok(())
    }
}

impl FeatureTable {
    /// The feature.
    pub fn featurizer(&self) -> &Featurizer {
        &self.featurizer
    }

    /// Which rows have no value yet, by id and content hash. A row without either is never missing: nothing could find
    /// its value again.
    pub fn missing(&self, ids: &StringArray, hashes: &StringArray) -> BooleanArray {
        let missing = |(id, hash)| row_identity(id, hash).is_some_and(|row| !self.present.contains(&row));
        ids.iter().zip(hashes).map(|row| Some(missing(row))).collect()
    }

    /// Appends values to the next commit: of the crystals `structures` in the rows named by `ids` and `hashes`.
    ///
    /// # Errors
    /// Values that Parquet cannot hold, or a file that cannot be written.
    pub fn append(
        &mut self,
        ids: &StringArray,
        hashes: &StringArray,
        structures: &ArrayRef,
        values: &ArrayRef,
        seconds: f64,
    ) -> Result<(), StoreError> {
        let doing = "writing features";
        let lake = StoreError::lake(doing);
        let crystals = StructureColumn::try_new(structures).map_err(StoreError::lake(doing))?;
        let exact: StringArray =
            (0..crystals.len()).map(|i| crystals.exact_hash(i).map(|hash| format!("{hash:032x}"))).collect();
        let featurizer = StringArray::from(vec![self.featurizer.id.as_str(); ids.len()]);
        let values = cast(values, &storable(&self.featurizer.data_type)).map_err(lake)?;
        let nulls = values.null_count();
        let columns: Vec<ArrayRef> =
            vec![Arc::new(ids.clone()), Arc::new(hashes.clone()), Arc::new(exact), Arc::new(featurizer), values];
        let batch = RecordBatch::try_new(self.schema.clone(), columns).map_err(lake)?;
        let pending = match &mut self.pending {
            Some(pending) => pending,
            None => {
                let session = self.session()?;
                self.pending.insert(Pending { session, begun: Instant::now(), rows: 0, nulls: 0, seconds: 0.0 })
            }
        };
        pending.session.write_batch(&batch).map_err(StoreError::lake(doing))?;
        pending.rows += batch.num_rows();
        pending.nulls += nulls;
        pending.seconds += seconds;
        self.present.extend(ids.iter().zip(hashes).filter_map(|(id, hash)| row_identity(id, hash)));
        Ok(())
    }

    /// Rows that the next commit will keep, and seconds since the first of them came.
    pub fn pending(&self) -> (usize, f64) {
        self.pending.as_ref().map_or((0, 0.0), |pending| (pending.rows, pending.begun.elapsed().as_secs_f64()))
    }

    /// Commits the pending rows: from here on they are kept.
    ///
    /// # Errors
    /// A catalog that cannot be written; the pending rows are then still missing.
    pub async fn commit(&mut self) -> Result<(), StoreError> {
        let Some(pending) = self.pending.take() else { return Ok(()) };
        let Featurizer { name, id, .. } = &self.featurizer;
        let commit = SnapshotCommitMetadata::new()
            .with_author(concat!("hollandite ", env!("CARGO_PKG_VERSION")))
            .with_message(format!("featurize {} rows by {id}", pending.rows))
            .with_extra_info(super::commit_mark(name, pending.nulls, pending.seconds));
        let options = TableWriteOptions::new().with_commit_metadata(commit);
        let _turn = self.store.lock().await?;
        let written = pending.session.with_options(&options).finish().await;
        written.map(drop).map_err(StoreError::lake("committing features"))
    }

    fn session(&self) -> Result<TableWriteSession, StoreError> {
        let doing = "writing features";
        DuckLakeTableWriter::new(self.store.writer()?, self.store.file_system())
            .map_err(StoreError::lake(doing))?
            .with_compression(Compression::ZSTD(ZstdLevel::default()))
            .with_max_row_group_rows(ROW_GROUP)
            .begin_write(SCHEMA, &self.featurizer.table(), &self.schema, WriteMode::Append)
            .map_err(StoreError::lake(doing))
    }
}

fn row_identity(id: Option<&str>, hash: Option<&str>) -> Option<Identity> {
    Some(identity(id?, hash?.parse().ok()?))
}

/// Columns of a feature's table: those of the dictionary, then the values.
fn schema(featurizer: &Featurizer) -> SchemaRef {
    let keys = tables::feature_columns().iter().map(|c| Field::new(&c.name, c.data_type.clone(), true));
    let values = Field::new(&featurizer.name, storable(&featurizer.data_type), true);
    Arc::new(Schema::new(keys.chain([values]).collect::<Vec<_>>()))
}

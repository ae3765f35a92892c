//! The second stage: records become rows, on all cores. What the table has already, or does not admit, stays out.

use std::collections::{BTreeMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::Receiver;
use std::thread::JoinHandle;

use arrow::array::{AsArray, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::DataType;
use datafusion::prelude::SessionContext;
use futures::StreamExt;
use rayon::prelude::*;

use super::ImportOptions;
use super::dedupe::{Arrival, Known};
use super::read::Batch;
use crate::StoreError;
use crate::lake::{CATALOG, DEFAULT_TABLE, SCHEMA, Store};
use crate::tables::{self, Row, Shape};
use crystal::{ContentHash, content_hash, guard::guarded};
use formats::{Note, Record, Rejection};
use stability::{self, Ordered};

/// A batch, completed.
#[derive(Default)]
pub(super) struct Done {
    pub batch: Option<RecordBatch>,
    pub refused: Vec<Rejection>,
    pub added: u64,
    pub present: u64,
    pub duplicates: u64,
    pub skipped: u64,
    pub quarantined: u64,
    pub records: u64,
    /// Rows whose id an earlier row has.
    pub namesakes: u64,
    pub notes: BTreeMap<Note, u64>,
    /// Rows whose property does not fit the column of its name, by column.
    pub unfit: Vec<(String, u64)>,
    pub files: Vec<(Arc<PathBuf>, u64)>,
    /// See [`Batch::reading`].
    pub reading: u64,
}
impl Store {
    /// Identity of every row of a table.
    pub(crate) async fn identities(&self, table: &str) -> Result<HashSet<Identity>, StoreError> {
        let lake = StoreError::lake("reading what the table holds");
        let ctx = SessionContext::new();
        self.register(&ctx, None).await?;
        let sql = format!("SELECT id, structure_hash FROM {CATALOG}.{SCHEMA}.\"{}\"", table.replace('"', "\"\""));
        let mut stream = ctx.sql(&sql).await.map_err(lake)?.execute_stream().await.map_err(lake)?;
        let mut seen = HashSet::new();
        while let Some(batch) = stream.next().await {
            let batch = batch.map_err(lake)?;
            let text = |i: usize| cast(batch.column(i), &DataType::Utf8).map_err(|e| lake(e.into()));
            let (ids, hashes) = (text(0)?, text(1)?);
            for (id, hash) in ids.as_string::<i32>().iter().zip(hashes.as_string::<i32>()) {
                if let (Some(id), Some(Ok(hash))) = (id, hash.map(str::parse)) {
                    seen.insert(identity(id, hash));
                }
            }
        }
        Ok(seen)
    }
}

/// What makes two rows the same: id and content hash. The id enters by a hash of 64 bits.
pub(crate) type Identity = (u64, ContentHash);

pub(crate) fn identity(id: &str, hash: ContentHash) -> Identity {
    let mut hasher = DefaultHasher::new();
    id.hash(&mut hasher);
    (hasher.finish(), hash)
}
/// Completes batches on a thread of its own, that is: on all cores.
pub(super) fn complete(
    batches: Receiver<Batch>,
    shape: Shape,
    options: ImportOptions,
    mut seen: HashSet<Identity>,
    mut known: Option<Known>,
) -> (tokio::sync::mpsc::Receiver<Result<Done, StoreError>>, JoinHandle<()>) {
    let (done, received) = tokio::sync::mpsc::channel(1);
    let thread = std::thread::spawn(move || {
        let mut ids: HashSet<u64> = seen.iter().map(|(id, _)| *id).collect();
        for batch in batches {
            let completed = complete_batch(batch, &shape, &options, &mut seen, &mut ids, known.as_mut());
            if done.blocking_send(completed).is_err() {
                break;
            }
        }
    });
    (received, thread)
}

fn complete_batch(
    batch: Batch,
    shape: &Shape,
    options: &ImportOptions,
    seen: &mut HashSet<Identity>,
    ids: &mut HashSet<u64>,
    known: Option<&mut Known>,
) -> Result<Done, StoreError> {
    let mut done =
        Done { records: batch.items.len() as u64, files: batch.done, reading: batch.reading, ..Done::default() };
    let hashed: Vec<_> = batch
        .items
        .into_par_iter()
        .map(|(path, item)| {
            let item = match (item, options.order) {
                (Err(rejection), Some(tolerance)) => order(rejection, tolerance),
                (item, _) => item,
            };
            (path, item.map(|record| (content_hash(&record.structure), record)))
        })
        .collect();
    let mut fresh = Vec::new();
    for (path, item) in hashed {
        let (hash, record) = match item {
            Ok(found) => found,
            Err(rejection) => {
                done.quarantined += 1;
                done.refused.push(rejection);
                continue;
            }
        };
        if let Err(reason) = admits(&options.into, &record) {
            done.skipped += 1;
            done.refused.push(Rejection::plain(path.as_path(), record.line, Some(record.id), reason));
        } else if !seen.insert(identity(&record.id, hash)) {
            done.present += 1;
        } else {
            done.namesakes += u64::from(!ids.insert(identity(&record.id, hash).0));
            record.properties.notes.iter().for_each(|note| *done.notes.entry(*note).or_default() += 1);
            fresh.push((path, hash, record));
        }
    }
    if options.dry_run && known.is_none() {
        done.added = fresh.len() as u64;
        return Ok(done);
    }
    let rows: Vec<_> = fresh
        .into_par_iter()
        .map(|(path, hash, record)| {
            let (line, id) = (record.line, record.id.clone());
            let source = match &options.source {
                Some(source) => source.clone(),
                None => path.file_name().unwrap_or_default().to_string_lossy().into_owned(),
            };
            // A fault in a symmetry search costs its own record, not the import.
            match guarded(|| Row::new(record, hash, &source)) {
                Ok(row) => Ok(Arrival { path, line, row }),
                Err(_) => {
                    let reason = "its columns cannot be computed; please report this record";
                    Err(Rejection::plain(path.as_path(), line, Some(id), reason))
                }
            }
        })
        .collect();
    let (mut good, mut bad) = (Vec::with_capacity(rows.len()), Vec::new());
    for row in rows {
        match row {
            Ok(row) => good.push(row),
            Err(rejection) => bad.push(rejection),
        }
    }
    done.quarantined += bad.len() as u64;
    done.refused.append(&mut bad);
    let mut good = match known {
        Some(known) => {
            let (stay, mut doubles) = known.sift(good);
            done.duplicates = doubles.len() as u64;
            done.refused.append(&mut doubles);
            stay
        }
        None => good.into_iter().map(|arrival| arrival.row).collect(),
    };
    done.added = good.len() as u64;
    if !(good.is_empty() || options.dry_run) {
        done.unfit = tables::unfit(&good, shape).into_iter().map(|(column, n)| (column.to_owned(), n)).collect();
        let batch = tables::batch(&mut good, shape);
        done.batch = Some(batch.map_err(StoreError::lake("building rows"))?);
    }
    Ok(done)
}

/// A record of a crystal that was refused for its shared sites alone: an ordering of it, with what it was made from among its other
/// properties.
fn order(rejection: Rejection, tolerance: f64) -> Result<Record, Rejection> {
    let Some((crystal, mut properties)) = rejection.disordered.as_deref().cloned() else { return Err(rejection) };
    match stability::order(&crystal, tolerance) {
        Ok(Ordered { structure, from, cells, change }) => {
            let said =
                [("ordered_from", from.into()), ("ordered_cells", cells.into()), ("ordered_change", change.into())];
            properties.extra.extend(said.map(|(name, value)| (name.to_owned(), value)));
            properties.notes.insert(Note::Ordered);
            Ok(Record { id: rejection.id.unwrap_or_default(), structure, line: rejection.line, properties })
        }
        Err(why) => {
            let what = rejection.reason.split(';').next().unwrap_or_default();
            Err(Rejection { reason: format!("{what}; it cannot be ordered: {why}"), ..rejection })
        }
    }
}

/// Whether a table takes a crystal; otherwise why not, and the remedy.
fn admits(table: &str, record: &Record) -> Result<(), String> {
    if table != DEFAULT_TABLE {
        return Ok(());
    }
    features::is_transition_metal_oxide(&record.structure.composition())
        .map_err(|why| format!("outside {DEFAULT_TABLE}: {why}"))
}

//! Reading a table of results back as rows.

use std::sync::{Arc, Mutex};

use arrow::json::ArrayWriter;
use datafusion::prelude::SessionContext;
use serde::de::DeserializeOwned;

use super::{ReferenceEnergy, ResultRow};
use crate::StoreError;
use crate::lake::{CATALOG, SCHEMA, Store};

impl Store {
    /// Every row of the table of results that `R` names, at the newest snapshot; none where the table was dropped.
    ///
    /// # Errors
    /// A table that cannot be read, or that has another shape.
    pub async fn results<R: ResultRow + DeserializeOwned>(&self) -> Result<Vec<R>, StoreError> {
        let lake = |message: String| StoreError::Lake { doing: "reading results", message };
        if self.table_schema(R::TABLE).await?.is_none() {
            return Ok(Vec::new());
        }
        let ctx = SessionContext::new();
        self.register(&ctx, None).await?;
        let sql = format!("SELECT * FROM {CATALOG}.{SCHEMA}.{}", R::TABLE);
        let frame = ctx.sql(&sql).await.map_err(|e| lake(e.to_string()))?;
        let batches = frame.collect().await.map_err(|e| lake(e.to_string()))?;
        let mut writer = ArrayWriter::new(Vec::new());
        writer
            .write_batches(&batches.iter().collect::<Vec<_>>())
            .and_then(|()| writer.finish())
            .map_err(|e| lake(e.to_string()))?;
        let json = writer.into_inner();
        // Of no rows the writer writes nothing at all.
        if json.is_empty() { Ok(Vec::new()) } else { serde_json::from_slice(&json).map_err(|e| lake(e.to_string())) }
    }

    /// The reference energies of this store.
    pub fn references(&self) -> References {
        References { store: self.clone(), loaded: Mutex::default() }
    }
}

/// The table `reference_energies`, for functions that are asked in the middle of a query.
#[derive(Debug)]
pub struct References {
    store: Store,
    /// The rows, and the snapshot they are of.
    loaded: Mutex<Option<(i64, Arc<Vec<ReferenceEnergy>>)>>,
}

impl References {
    /// The rows at the newest snapshot. Blocks the thread where it has changed since they were read.
    ///
    /// # Errors
    /// As [`Store::results`].
    pub fn get(&self) -> Result<Arc<Vec<ReferenceEnergy>>, StoreError> {
        let newest = self.store.newest_snapshot()?;
        let mut loaded = self.loaded.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        if let Some((_, rows)) = loaded.as_ref().filter(|(snapshot, _)| *snapshot == newest) {
            return Ok(Arc::clone(rows));
        }
        let rows = Arc::new(blocking(self.store.results::<ReferenceEnergy>())?);
        *loaded = Some((newest, Arc::clone(&rows)));
        Ok(rows)
    }
}

/// Waits for a future on a runtime of its own: the caller's may be the one that is waiting.
fn blocking<T: Send>(future: impl Future<Output = Result<T, StoreError>> + Send) -> Result<T, StoreError> {
    let lake = |message: String| StoreError::Lake { doing: "reading results", message };
    let run = || {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
        runtime.map_err(|e| lake(e.to_string()))?.block_on(future)
    };
    std::thread::scope(|scope| scope.spawn(run).join()).unwrap_or_else(|_| Err(lake("a thread panicked".into())))
}

#[cfg(test)]
mod tests {
    use super::super::AdsorptionRow;
    use super::*;

    #[tokio::test(flavor = "multi_thread")]
    async fn rows_come_back_as_they_went_in() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::init(&dir.path().join("s")).await.unwrap();
        let references = store.references();
        assert_eq!(references.get().unwrap().len(), 3);
        let row = ReferenceEnergy {
            ion: "Ca".into(),
            energy: -0.1,
            functional: Some("SCAN".into()),
            source: "test".into(),
            ..ReferenceEnergy::default()
        };
        store.append(std::slice::from_ref(&row), "test").await.unwrap();
        assert!(references.get().unwrap().contains(&row), "a new snapshot is read");
        assert_eq!(store.results::<AdsorptionRow>().await.unwrap().len(), 21);
        store.writer().unwrap().drop_table(SCHEMA, ReferenceEnergy::TABLE).unwrap();
        assert!(references.get().unwrap().is_empty());
    }

    /// A query runs on whatever runtime its caller has.
    #[tokio::test]
    async fn they_are_read_on_a_runtime_of_one_thread() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::init(&dir.path().join("s")).await.unwrap();
        assert_eq!(store.references().get().unwrap().len(), 3);
    }
}

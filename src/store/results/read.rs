//! Reading a table of results back as rows.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

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
        let doing = "reading results";
        if self.table_schema(R::TABLE).await?.is_none() {
            return Ok(Vec::new());
        }
        let ctx = SessionContext::new();
        self.register(&ctx, None).await?;
        let sql = format!("SELECT * FROM {CATALOG}.{SCHEMA}.{}", R::TABLE);
        let frame = ctx.sql(&sql).await.map_err(StoreError::lake(doing))?;
        let batches = frame.collect().await.map_err(StoreError::lake(doing))?;
        let rows = batches.into_iter().map(formats::rows).collect::<Result<Vec<_>, _>>();
        Ok(rows.map_err(StoreError::lake(doing))?.into_iter().flatten().collect())
    }

    /// The reference energies of this store.
    pub fn references(&self) -> References {
        References { store: self.clone(), loaded: Mutex::default() }
    }
}

/// The table `reference_energies`, for functions that are asked in the middle of a query and cannot wait.
#[derive(Debug)]
pub struct References {
    store: Store,
    /// The rows, or why they cannot be read, and the snapshot they are of.
    loaded: Mutex<Option<(i64, Rows)>>,
}

/// The rows, or why they cannot be read.
pub type Rows = Result<Arc<Vec<ReferenceEnergy>>, String>;

impl References {
    fn loaded(&self) -> MutexGuard<'_, Option<(i64, Rows)>> {
        self.loaded.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads the rows at the newest snapshot, if it is another than when they were read last. Rows that cannot be read are an error
    /// for functions that use them.
    ///
    /// # Errors
    /// A catalog that cannot be read.
    pub async fn refresh(&self) -> Result<(), StoreError> {
        let newest = self.store.newest_snapshot()?;
        if self.loaded().as_ref().is_none_or(|(snapshot, _)| *snapshot != newest) {
            let rows = self.store.results::<ReferenceEnergy>().await;
            *self.loaded() = Some((newest, rows.map(Arc::new).map_err(|e| e.to_string())));
        }
        Ok(())
    }

    /// The rows as they were read last; none before that.
    ///
    /// # Errors
    /// Why they could not be read.
    pub fn get(&self) -> Rows {
        self.loaded().as_ref().map_or_else(|| Ok(Arc::default()), |(_, rows)| rows.clone())
    }
}

#[cfg(test)]
mod tests {
    use parquet::errors::ParquetError;

    use super::super::AdsorptionRow;
    use super::*;

    #[tokio::test(flavor = "multi_thread")]
    async fn a_damaged_file_is_the_source_of_the_error() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::init(&dir.path().join("s")).await.unwrap();
        for file in std::fs::read_dir(store.dir().join("data/main").join(ReferenceEnergy::TABLE)).unwrap() {
            std::fs::write(file.unwrap().path(), b"PAR1 and no footer").unwrap();
        }
        let error = store.results::<ReferenceEnergy>().await.unwrap_err();
        let mut chain = std::iter::successors(Some(&error as &dyn std::error::Error), |e| e.source());
        assert!(chain.any(|e| e.is::<ParquetError>()), "{error:?}");
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn rows_come_back_as_they_went_in() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::init(&dir.path().join("s")).await.unwrap();
        let references = store.references();
        references.refresh().await.unwrap();
        assert_eq!(references.get().unwrap().len(), 3);
        let row = ReferenceEnergy {
            ion: "Ca".into(),
            energy: -0.1,
            functional: Some("SCAN".into()),
            source: "test".into(),
            ..ReferenceEnergy::default()
        };
        store.append(std::slice::from_ref(&row), "test").await.unwrap();
        references.refresh().await.unwrap();
        assert!(references.get().unwrap().contains(&row), "a new snapshot is read");
        assert_eq!(store.results::<AdsorptionRow>().await.unwrap().len(), 21);
        store.writer().unwrap().drop_table(SCHEMA, ReferenceEnergy::TABLE).unwrap();
        references.refresh().await.unwrap();
        assert!(references.get().unwrap().is_empty());
    }
}

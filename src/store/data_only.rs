//! The files of a store as a session has them that is served to others: those of its data folder, read and never written.
//! Whatever a plan names, it meets no other file of the host here.

use std::ops::Range;
use std::path::{Path as FilePath, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use datafusion::object_store::path::Path;
use datafusion::object_store::{
    CopyOptions, Error, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore,
    PutMultipartOptions, PutOptions, PutPayload, PutResult, Result,
};
use futures::StreamExt;
use futures::stream::BoxStream;

use super::files::Files;
use super::layout::DATA_FOLDER;

/// The data of the store in `dir`, and of the store that it is the branch of.
pub(super) fn data_only(dir: &FilePath, main: Option<&FilePath>) -> Arc<dyn ObjectStore> {
    let folders = [Some(dir), main].into_iter().flatten().map(|store| store.join(DATA_FOLDER)).collect();
    Arc::new(DataOnly { files: Files::of(dir), folders })
}

/// Files below some folders.
#[derive(Debug)]
struct DataOnly {
    files: Files,
    folders: Vec<PathBuf>,
}

impl DataOnly {
    /// # Errors
    /// A file outside. It is not named: the client learns nothing of the host.
    fn check(&self, location: &Path) -> Result<()> {
        let path = FilePath::new("/").join(self.files.decode(location)?.as_ref());
        if self.folders.iter().any(|folder| path.starts_with(folder)) { Ok(()) } else { Err(refused()) }
    }
}

fn refused() -> Error {
    Error::NotSupported { source: "a session that is served reads the data of its store, and no other file".into() }
}

impl std::fmt::Display for DataOnly {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the data of the store")
    }
}

#[async_trait]
impl ObjectStore for DataOnly {
    async fn put_opts(&self, _: &Path, _: PutPayload, _: PutOptions) -> Result<PutResult> {
        Err(refused())
    }

    async fn put_multipart_opts(&self, _: &Path, _: PutMultipartOptions) -> Result<Box<dyn MultipartUpload>> {
        Err(refused())
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        self.check(location)?;
        self.files.get_opts(location, options).await
    }

    async fn get_ranges(&self, location: &Path, ranges: &[Range<u64>]) -> Result<Vec<Bytes>> {
        self.check(location)?;
        self.files.get_ranges(location, ranges).await
    }

    fn delete_stream(&self, locations: BoxStream<'static, Result<Path>>) -> BoxStream<'static, Result<Path>> {
        locations.map(|_| Err(refused())).boxed()
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        match prefix.map_or(Err(refused()), |prefix| self.check(prefix)) {
            Ok(()) => self.files.list(prefix),
            Err(error) => futures::stream::once(async { Err(error) }).boxed(),
        }
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        prefix.map_or(Err(refused()), |prefix| self.check(prefix))?;
        self.files.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, _: &Path, _: &Path, _: CopyOptions) -> Result<()> {
        Err(refused())
    }
}

#[cfg(test)]
mod tests {
    use arrow::array::RecordBatch;
    use datafusion::object_store::ObjectStoreExt;
    use datafusion::prelude::SessionContext;
    use rusqlite::params;

    use super::*;
    use crate::Store;

    #[tokio::test]
    async fn files_of_the_data_folder_are_read_and_no_others() {
        for name in ["plain", "jürgen #1"] {
            let dir = tempfile::tempdir().unwrap();
            let root = dir.path().canonicalize().unwrap().join(name);
            for file in ["data/main/t/a.parquet", "database/b.parquet", "catalog.sqlite"] {
                let path = root.join(file);
                std::fs::create_dir_all(path.parent().unwrap()).unwrap();
                std::fs::write(path, "bytes").unwrap();
            }
            let files = data_only(&root, None);
            let at = |file: &str| Path::from(root.join(file).to_string_lossy().into_owned());
            let inside = at("data/main/t/a.parquet");
            assert_eq!(files.get(&inside).await.unwrap().bytes().await.unwrap(), "bytes");
            assert_eq!(files.get_ranges(&inside, &[1..3, 4..5]).await.unwrap(), ["yt", "s"]);
            assert_eq!(files.list(Some(&at("data"))).count().await, 1);
            assert!(files.get(&at("data/../catalog.sqlite")).await.is_err());
            for outside in [at("catalog.sqlite"), at("database/b.parquet"), Path::from("etc/passwd"), Path::from("")] {
                assert!(files.get(&outside).await.is_err(), "{outside}");
                assert!(files.head(&outside).await.is_err(), "{outside}");
                assert!(files.get_ranges(&outside, &[0..1, 1..2]).await.is_err(), "{outside}");
                assert!(files.list(Some(&outside)).all(|found| async move { found.is_err() }).await, "{outside}");
                assert!(files.list_with_delimiter(Some(&outside)).await.is_err(), "{outside}");
            }
            let said = files.get(&at("catalog.sqlite")).await.unwrap_err().to_string();
            assert!(said.contains("no other file") && !said.contains("catalog"), "{said}");
            assert!(files.list(None).next().await.unwrap().is_err() && files.list_with_delimiter(None).await.is_err());
            // Nothing is written, in the folder as little as elsewhere.
            let new = at("data/main/t/new.parquet");
            assert!(files.put(&new, PutPayload::from_static(b"x")).await.is_err());
            assert!(files.put_multipart(&new).await.is_err());
            assert!(files.copy(&inside, &new).await.is_err() && files.rename(&inside, &new).await.is_err());
            assert!(files.delete(&inside).await.is_err());
            assert!(root.join("data/main/t/a.parquet").is_file() && !root.join("data/main/t/new.parquet").exists());
        }
    }

    async fn rows(ctx: &SessionContext, sql: &str) -> datafusion::error::Result<usize> {
        Ok(ctx.sql(sql).await?.collect().await?.iter().map(RecordBatch::num_rows).sum())
    }

    /// A catalog that names a file elsewhere is no way to it.
    #[tokio::test(flavor = "multi_thread")]
    async fn a_plan_of_a_served_session_meets_no_file_elsewhere() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::init(&dir.path().join("s")).await.unwrap();
        let session = async |store: &Store| {
            let ctx = SessionContext::new();
            store.register(&ctx, None).await.unwrap();
            ctx
        };
        let own = session(&store).await;
        for sql in ["CREATE TABLE t (a BIGINT)", "INSERT INTO t SELECT value FROM generate_series(1, 5)"] {
            rows(&own, sql).await.unwrap();
        }
        let served = session(&store.served()).await;
        assert_eq!(rows(&served, "SELECT a FROM t").await.unwrap(), 5);
        assert!(rows(&served, "INSERT INTO t VALUES (6)").await.is_err());

        let elsewhere = dir.path().canonicalize().unwrap().join("elsewhere.parquet");
        let data = store.data_dir().join("main").join("t");
        let file = std::fs::read_dir(data).unwrap().next().unwrap().unwrap().path();
        std::fs::copy(file, &elsewhere).unwrap();
        let connection = store.connect().unwrap();
        let moved = connection.execute(
            "UPDATE ducklake_data_file SET path = ?, path_is_relative = 0
             WHERE table_id = (SELECT table_id FROM ducklake_table WHERE table_name = 't')",
            params![elsewhere.to_string_lossy()],
        );
        assert_eq!(moved.unwrap(), 1);
        let (own, served) = (session(&store).await, session(&store.served()).await);
        assert_eq!(rows(&own, "SELECT a FROM t").await.unwrap(), 5);
        let said = rows(&served, "SELECT a FROM t").await.unwrap_err().to_string();
        assert!(said.contains("no other file"), "{said}");
    }
}

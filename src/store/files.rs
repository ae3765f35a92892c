//! Local files of any name, and new ones where the catalog looks for them.
//!
//! The lake percent-encodes paths (`/home/jürgen` becomes `/home/j%C3%BCrgen`), and object_store's local file system
//! takes what it is given literally. A store in such a folder gets a file system which decodes first.
//!
//! datafusion-ducklake writes the files of a table into a folder of the table's name. The catalog's word is what counts: a
//! table that was renamed keeps its folder, and so do its new files.

use std::ops::Range;
use std::path::{Component, Path as FilePath, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use datafusion::object_store::local::LocalFileSystem;
use datafusion::object_store::path::Path;
use datafusion::object_store::{
    CopyOptions, Error, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore,
    PutMultipartOptions, PutOptions, PutPayload, PutResult, Result,
};
use futures::StreamExt;
use futures::stream::BoxStream;
use rusqlite::{OptionalExtension, params};

use super::layout::{CATALOG_FILE, DATA_FOLDER};
use super::registry::{self, Access};
use super::sums::{OnDisk, Summed};
use crate::StoreError;

/// The file system for a store in `dir`, in whose catalog new files get their checksums.
pub(super) fn file_system(dir: &FilePath) -> Arc<dyn ObjectStore> {
    Arc::new(Summed::new(Arc::new(Files::of(dir)), dir.join(DATA_FOLDER), dir.join(CATALOG_FILE)))
}

impl OnDisk for Files {
    fn on_disk(&self, location: &Path) -> Result<PathBuf> {
        self.disk.path_to_filesystem(&self.place(location)?)
    }
}

/// The files of the host, under the names that the lake gives them.
#[derive(Debug, Clone)]
pub(super) struct Files {
    disk: LocalFileSystem,
    /// The store.
    dir: PathBuf,
    /// Whether paths come percent-encoded.
    encoded: bool,
}

impl std::fmt::Display for Files {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.disk.fmt(f)
    }
}

impl Files {
    /// For a store in `dir`.
    pub fn of(dir: &FilePath) -> Self {
        let plain = dir.to_string_lossy();
        let plain = plain.trim_start_matches('/');
        let encoded = Path::from(plain).as_ref() != plain;
        Self { disk: LocalFileSystem::new(), dir: dir.to_owned(), encoded }
    }

    /// The path of the host.
    ///
    /// # Errors
    /// A path that decodes to none.
    pub fn decode(&self, path: &Path) -> Result<Path> {
        if self.encoded { Ok(Path::from_url_path(path.as_ref())?) } else { Ok(path.clone()) }
    }

    /// Where a new file goes.
    fn place(&self, location: &Path) -> Result<Path> {
        let location = self.decode(location)?;
        let path = FilePath::new("/").join(location.as_ref());
        let data = self.dir.join(DATA_FOLDER);
        let Ok(inside) = path.strip_prefix(&data) else { return Ok(location) };
        let mut parts = inside.components();
        let (Some(Component::Normal(schema)), Some(Component::Normal(table))) = (parts.next(), parts.next()) else {
            return Ok(location);
        };
        let named = self.folder(&schema.to_string_lossy(), &table.to_string_lossy());
        let named = named.map_err(|e| Error::Generic { store: "catalog", source: Box::new(e) })?;
        match named {
            Some(folder) => Ok(Path::from_absolute_path(data.join(folder).join(parts.as_path()))?),
            None => Ok(location),
        }
    }

    /// The folder of a living table by the catalog, relative to the data folder or absolute; `None` where there is no such table,
    /// or where it is the one of its name.
    fn folder(&self, schema: &str, table: &str) -> Result<Option<PathBuf>, StoreError> {
        let connection = registry::connect(&self.dir.join(CATALOG_FILE), Access::Read)?;
        let found = connection.query_row(
            "SELECT s.path, t.path, t.path_is_relative
             FROM ducklake_table t JOIN ducklake_schema s USING (schema_id)
             WHERE schema_name = ? AND table_name = ? AND t.end_snapshot IS NULL AND s.end_snapshot IS NULL",
            params![schema, table],
            |row| {
                let text = |i: usize| row.get::<_, String>(i);
                let relative: bool = row.get(2)?;
                Ok(if relative { FilePath::new(&text(0)?).join(text(1)?) } else { PathBuf::from(text(1)?) })
            },
        );
        Ok(found.optional()?.filter(|folder| *folder != FilePath::new(schema).join(table)))
    }
}

#[async_trait]
impl ObjectStore for Files {
    async fn put_opts(&self, location: &Path, payload: PutPayload, options: PutOptions) -> Result<PutResult> {
        self.disk.put_opts(&self.place(location)?, payload, options).await
    }

    async fn put_multipart_opts(
        &self,
        location: &Path,
        options: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        self.disk.put_multipart_opts(&self.place(location)?, options).await
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        self.disk.get_opts(&self.decode(location)?, options).await
    }

    async fn get_ranges(&self, location: &Path, ranges: &[Range<u64>]) -> Result<Vec<Bytes>> {
        self.disk.get_ranges(&self.decode(location)?, ranges).await
    }

    /// A file that is not there may be one that was just written: a write that fails takes back its files.
    fn delete_stream(&self, locations: BoxStream<'static, Result<Path>>) -> BoxStream<'static, Result<Path>> {
        let files = self.clone();
        let found = locations.map(move |location| {
            let location = location?;
            let plain = files.decode(&location)?;
            if FilePath::new("/").join(plain.as_ref()).exists() { Ok(plain) } else { files.place(&location) }
        });
        self.disk.delete_stream(found.boxed())
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        match prefix.map(|prefix| self.decode(prefix)).transpose() {
            Ok(prefix) => self.disk.list(prefix.as_ref()),
            Err(error) => futures::stream::once(async { Err(error) }).boxed(),
        }
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        self.disk.list_with_delimiter(prefix.map(|prefix| self.decode(prefix)).transpose()?.as_ref()).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        self.disk.copy_opts(&self.decode(from)?, &self.place(to)?, options).await
    }
}

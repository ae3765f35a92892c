//! The checksum of every file of the lake, taken from its bytes on their way to disk.
//!
//! An import, or a statement that writes rows or deletions, hands a finished Parquet file to an object store. [`Summed`] is
//! that object store: it hashes what goes below the data folder, brings it to disk and records its checksum, all before
//! the catalog can name the file. So there is no commit without one.

use std::fs::File;
use std::io::Read;
use std::ops::Range;
use std::path::{Path as FilePath, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use datafusion::object_store::path::Path;
use datafusion::object_store::{
    CopyOptions, Error, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore,
    PutMultipartOptions, PutOptions, PutPayload, PutResult, Result, UploadPart,
};
use futures::stream::BoxStream;
use rusqlite::params;
use sha2::{Digest, Sha256};

use crystal::hex;

use super::registry::{self, Access};
use crate::StoreError;

/// The SHA-256 of a file, 64 hex digits.
pub(super) fn of_file(path: &FilePath) -> std::io::Result<String> {
    let mut file = File::open(path)?;
    let mut hasher = Sha256::new();
    let mut buffer = vec![0; 1 << 20];
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(hex(&hasher.finalize())),
            n => hasher.update(&buffer[..n]),
        }
    }
}

/// The name under which the checksum of a file is kept: names of data files are unique in a lake.
pub(super) fn key(path: &FilePath) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// Objects that are files.
pub(super) trait OnDisk: ObjectStore {
    /// The place of a new object.
    fn on_disk(&self, location: &Path) -> Result<PathBuf>;
}

/// Files on disk; those in the data folder with a checksum.
#[derive(Debug)]
pub(super) struct Summed {
    files: Arc<dyn OnDisk>,
    keeper: Keeper,
}

/// Who keeps the checksums.
#[derive(Debug, Clone)]
struct Keeper {
    data: PathBuf,
    catalog: PathBuf,
}

impl Summed {
    /// `files`, with the checksums of those below `data` in `catalog`.
    pub fn new(files: Arc<dyn OnDisk>, data: PathBuf, catalog: PathBuf) -> Self {
        Self { files, keeper: Keeper { data, catalog } }
    }

    /// Place of a file, if it is one of the lake.
    fn data_file(&self, location: &Path) -> Result<Option<PathBuf>> {
        let path = self.files.on_disk(location)?;
        Ok(path.starts_with(&self.keeper.data).then_some(path))
    }
}

impl Keeper {
    /// Brings a file to disk and records its checksum.
    async fn keep(&self, path: PathBuf, sum: String) -> Result<()> {
        let catalog = self.catalog.clone();
        let kept = tokio::task::spawn_blocking(move || record(&catalog, &path, &sum)).await;
        let failed = |source: Box<dyn std::error::Error + Send + Sync>| Error::Generic { store: "lake", source };
        kept.map_err(|e| failed(Box::new(e)))?.map_err(|e| failed(Box::new(e)))
    }
}

fn record(catalog: &FilePath, path: &FilePath, sum: &str) -> std::result::Result<(), StoreError> {
    // The catalog will be on disk when it names the file; a power cut must not find the file in memory only.
    File::open(path).and_then(|file| file.sync_all()).map_err(|e| StoreError::io(path, e))?;
    registry::connect(catalog, Access::Write)?
        .execute("INSERT OR REPLACE INTO hollandite_files (path, sha256) VALUES (?, ?)", params![key(path), sum])?;
    Ok(())
}

/// A large file on its way, part by part.
#[derive(Debug)]
struct Upload {
    parts: Box<dyn MultipartUpload>,
    hasher: Sha256,
    path: PathBuf,
    keeper: Keeper,
}

fn hash(hasher: &mut Sha256, payload: &PutPayload) {
    payload.iter().for_each(|bytes| hasher.update(bytes));
}

#[async_trait]
impl MultipartUpload for Upload {
    fn put_part(&mut self, data: PutPayload) -> UploadPart {
        hash(&mut self.hasher, &data);
        self.parts.put_part(data)
    }

    async fn complete(&mut self) -> Result<PutResult> {
        let done = self.parts.complete().await?;
        self.keeper.keep(self.path.clone(), hex(&std::mem::take(&mut self.hasher).finalize())).await?;
        Ok(done)
    }

    async fn abort(&mut self) -> Result<()> {
        self.parts.abort().await
    }
}

impl std::fmt::Display for Summed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.files.fmt(f)
    }
}

#[async_trait]
impl ObjectStore for Summed {
    async fn put_opts(&self, location: &Path, payload: PutPayload, options: PutOptions) -> Result<PutResult> {
        let Some(path) = self.data_file(location)? else {
            return self.files.put_opts(location, payload, options).await;
        };
        let mut hasher = Sha256::new();
        hash(&mut hasher, &payload);
        let done = self.files.put_opts(location, payload, options).await?;
        self.keeper.keep(path, hex(&hasher.finalize())).await?;
        Ok(done)
    }

    async fn put_multipart_opts(
        &self,
        location: &Path,
        options: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        let parts = self.files.put_multipart_opts(location, options).await?;
        Ok(match self.data_file(location)? {
            Some(path) => Box::new(Upload { parts, hasher: Sha256::new(), path, keeper: self.keeper.clone() }),
            None => parts,
        })
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        self.files.get_opts(location, options).await
    }

    async fn get_ranges(&self, location: &Path, ranges: &[Range<u64>]) -> Result<Vec<Bytes>> {
        self.files.get_ranges(location, ranges).await
    }

    fn delete_stream(&self, locations: BoxStream<'static, Result<Path>>) -> BoxStream<'static, Result<Path>> {
        self.files.delete_stream(locations)
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        self.files.list(prefix)
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        self.files.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        self.files.copy_opts(from, to, options).await
    }
}

#[cfg(test)]
mod tests {
    use datafusion::object_store::ObjectStoreExt;

    use super::super::files::file_system;
    use super::*;

    /// Small and large files alike, in folders of any name; and nothing outside.
    #[tokio::test]
    async fn what_lies_in_the_data_folder_has_the_checksum_of_its_bytes() {
        for name in ["plain", "jürgen #1"] {
            let dir = tempfile::tempdir().unwrap();
            let root = dir.path().canonicalize().unwrap().join(name);
            std::fs::create_dir_all(root.join("data")).unwrap();
            let catalog = root.join("catalog.sqlite");
            registry::create(&catalog, "/").unwrap();
            let files = file_system(&root);
            let at = |file: &str| Path::from(root.join(file).to_string_lossy().into_owned());
            files.put(&at("data/small.parquet"), PutPayload::from_static(b"small")).await.unwrap();
            files.put(&at("elsewhere.parquet"), PutPayload::from_static(b"small")).await.unwrap();
            let mut upload = files.put_multipart(&at("data/large.parquet")).await.unwrap();
            for part in ["one", "two"] {
                upload.put_part(PutPayload::from(part)).await.unwrap();
            }
            upload.complete().await.unwrap();
            let connection = registry::connect(&catalog, Access::Read).unwrap();
            let mut statement = connection.prepare("SELECT path, sha256 FROM hollandite_files ORDER BY path").unwrap();
            let kept: Vec<(String, String)> =
                statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap().map(Result::unwrap).collect();
            let names: Vec<&str> = kept.iter().map(|(name, _)| name.as_str()).collect();
            assert_eq!(names, ["large.parquet", "small.parquet"]);
            assert_eq!(std::fs::read(root.join("data/large.parquet")).unwrap(), b"onetwo");
            for (file, sum) in kept {
                assert_eq!(of_file(&root.join("data").join(file)).unwrap(), sum);
            }
        }
    }
}

//! Local files whatever their name.
//!
//! The lake percent-encodes paths (`/home/jürgen` becomes `/home/j%C3%BCrgen`), and object_store's local file system
//! takes what it is given literally. A store in such a folder gets this file system, which decodes first.

use std::path::Path as FilePath;
use std::sync::Arc;

use async_trait::async_trait;
use datafusion::object_store::local::LocalFileSystem;
use datafusion::object_store::path::Path;
use datafusion::object_store::{
    CopyOptions, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore, PutMultipartOptions,
    PutOptions, PutPayload, PutResult, Result,
};
use futures::StreamExt;
use futures::stream::BoxStream;

/// The file system for a store in `dir`.
pub(super) fn file_system(dir: &FilePath) -> Arc<dyn ObjectStore> {
    let plain = dir.to_string_lossy();
    let plain = plain.trim_start_matches('/');
    match Path::from(plain).as_ref() == plain {
        true => Arc::new(LocalFileSystem::new()),
        false => Arc::new(Decoding(LocalFileSystem::new())),
    }
}

#[derive(Debug)]
struct Decoding(LocalFileSystem);

impl std::fmt::Display for Decoding {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

fn decode(path: &Path) -> Result<Path> {
    Ok(Path::from_url_path(path.as_ref())?)
}

#[async_trait]
impl ObjectStore for Decoding {
    async fn put_opts(&self, location: &Path, payload: PutPayload, options: PutOptions) -> Result<PutResult> {
        self.0.put_opts(&decode(location)?, payload, options).await
    }

    async fn put_multipart_opts(
        &self,
        location: &Path,
        options: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        self.0.put_multipart_opts(&decode(location)?, options).await
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        self.0.get_opts(&decode(location)?, options).await
    }

    fn delete_stream(&self, locations: BoxStream<'static, Result<Path>>) -> BoxStream<'static, Result<Path>> {
        self.0.delete_stream(locations.map(|path| decode(&path?)).boxed())
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        match prefix.map(decode).transpose() {
            Ok(prefix) => self.0.list(prefix.as_ref()),
            Err(error) => futures::stream::once(async { Err(error) }).boxed(),
        }
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        self.0.list_with_delimiter(prefix.map(decode).transpose()?.as_ref()).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        self.0.copy_opts(&decode(from)?, &decode(to)?, options).await
    }
}

//! Making and opening a store.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use datafusion::object_store::ObjectStore;
use datafusion_ducklake::{SqliteMetadataProvider, SqliteMetadataWriter};
use rusqlite::{Connection, params};

use super::data_only::data_only;
use super::files;
use super::holder::Waiting;
use super::layout::{CATALOG_FILE, DATA_FOLDER, LOCK_FILE};
use super::predictions::PredictionCache;
use super::registry::{self, Access};
use super::shards;
use super::tables::Shape;
use crate::StoreError;

/// Name of the catalog on a session.
pub const CATALOG: &str = "lake";
/// Name of the schema that holds the tables.
pub const SCHEMA: &str = "main";
/// The table that `init` makes and that imports fill by default.
pub(super) const DEFAULT_TABLE: &str = "tmo";

/// An open store. Cheap to clone; clones share its connections.
#[derive(Debug, Clone)]
pub struct Store {
    pub(super) inner: Arc<Inner>,
    /// Whether sessions over it read its data alone.
    served: bool,
}

#[derive(Debug)]
pub(super) struct Inner {
    pub(super) dir: PathBuf,
    catalog: PathBuf,
    pub(super) provider: Arc<SqliteMetadataProvider>,
    pub(super) writer: Option<Arc<SqliteMetadataWriter>>,
    /// A catalog of our own in the temporary folder, where the store was moved and may not be written to.
    copied: bool,
    pub(super) waiting: Waiting,
    /// The store that this one is the branch of.
    pub(super) main: Option<PathBuf>,
}

impl Drop for Inner {
    fn drop(&mut self) {
        if self.copied {
            let _ = std::fs::remove_file(&self.catalog);
        }
    }
}

impl Store {
    /// Makes a store in `dir`, which must not exist or be empty, with an empty table `tmo`. It appears whole or not at
    /// all: it is built beside `dir` and renamed.
    ///
    /// # Errors
    /// A folder that holds something, or cannot be written.
    pub async fn init(dir: &Path) -> Result<Self, StoreError> {
        let dir = absolute(dir)?;
        let taken = match std::fs::read_dir(&dir) {
            Ok(mut entries) => entries.next().is_some(),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => false,
            Err(error) => return Err(StoreError::io(&dir, error)),
        };
        if taken {
            let message = match dir.join(CATALOG_FILE).exists() {
                true => "a store is here already",
                false => "the folder holds other files; name a new or an empty one",
            };
            return Err(StoreError::Folder { dir, message: message.into() });
        }
        let draft = draft(&dir);
        let built = Self::build(&draft).await;
        // The connections to the draft are closed here, before it gets its name.
        let renamed = built.and_then(|store| {
            drop(store);
            std::fs::rename(&draft, &dir).map_err(|e| StoreError::io(&dir, e))
        });
        if let Err(error) = renamed {
            let _ = std::fs::remove_dir_all(&draft);
            return Err(error);
        }
        Self::open(&dir).await
    }

    /// Makes a store in `dir` itself.
    pub(super) async fn build(dir: &Path) -> Result<Self, StoreError> {
        let data = dir.join(DATA_FOLDER);
        std::fs::create_dir_all(&data).map_err(|e| StoreError::io(&data, e))?;
        let catalog = dir.join(CATALOG_FILE);
        registry::create(&catalog, &directory(&data))?;
        // datafusion-ducklake's own initialisation finds the catalog complete; a newer one adds what it needs.
        SqliteMetadataWriter::new_with_init(&url(&catalog, Access::Write))
            .await
            .map_err(StoreError::lake("making the catalog"))?;
        let store = Self::open(dir).await?;
        store.create_wide_table(DEFAULT_TABLE, &Shape::wide(&[])).await?;
        Ok(store)
    }

    /// Opens the store in `dir`. A store that was moved or copied finds its data again; imports that were killed are
    /// recognised and closed.
    ///
    /// # Errors
    /// No store there, one of a newer version, or one that cannot be read.
    pub async fn open(dir: &Path) -> Result<Self, StoreError> {
        let dir = absolute(dir)?;
        let mut catalog = dir.join(CATALOG_FILE);
        if !catalog.is_file() {
            return Err(StoreError::Missing { dir });
        }
        let mut access = if writable(&dir, &catalog) { Access::Write } else { Access::Read };
        let mut connection = registry::connect(&catalog, access)?;
        check_version(&dir, &mut connection, access)?;
        check_data_path(&dir, &connection)?;
        if access == Access::Write {
            registry::leave_write_ahead_log(&connection)?;
        }

        let data = directory(&dir.join(DATA_FOLDER));
        let mut copied = false;
        if registry::data_path(&connection)? != data {
            if access == Access::Read {
                (catalog, connection) = copy(&connection)?;
                (access, copied) = (Access::Read, true);
            }
            registry::set_data_path(&connection, &data)?;
        }
        drop(connection);

        let provider = SqliteMetadataProvider::new(&url(&catalog, access))
            .await
            .map_err(StoreError::lake("opening the catalog"))?;
        let writer = match access {
            Access::Write => Some(Arc::new(
                SqliteMetadataWriter::new(&url(&catalog, access))
                    .await
                    .map_err(StoreError::lake("opening the catalog"))?,
            )),
            Access::Read => None,
        };
        let main = shards::main_store(&dir)?;
        let store = Self {
            inner: Arc::new(Inner {
                dir,
                catalog,
                provider: Arc::new(provider),
                writer,
                copied,
                waiting: Waiting::default(),
                main,
            }),
            served: false,
        };
        store.recover()?;
        store.move_inlined().await?;
        store.publish().await?;
        Ok(store)
    }

    /// The folder, absolute.
    pub fn dir(&self) -> &Path {
        &self.inner.dir
    }

    /// Whether the store may be written to.
    pub fn is_writable(&self) -> bool {
        self.inner.writer.is_some()
    }

    pub(super) fn data_dir(&self) -> PathBuf {
        self.inner.dir.join(DATA_FOLDER)
    }

    /// The same store as it is served to others: a session over it has no file but those of its data folder, and writes none.
    pub fn served(&self) -> Self {
        Self { served: true, ..self.clone() }
    }

    /// The files of the lake: what is written to them gets its checksum.
    pub(super) fn file_system(&self) -> Arc<dyn ObjectStore> {
        match self.served {
            true => data_only(self.dir(), self.inner.main.as_deref()),
            false => files::file_system(self.dir()),
        }
    }

    /// A connection to the registry and the catalog's own tables.
    pub(super) fn connect(&self) -> Result<Connection, StoreError> {
        registry::connect(&self.inner.catalog, if self.is_writable() { Access::Write } else { Access::Read })
    }

    pub(super) fn writer(&self) -> Result<Arc<SqliteMetadataWriter>, StoreError> {
        self.inner.writer.clone().ok_or_else(|| StoreError::ReadOnly { dir: self.inner.dir.clone() })
    }

    /// Where models and ensembles that were made over this store are kept, a folder each; those of a branch are its store's.
    pub fn models_folder(&self) -> PathBuf {
        self.inner.main.as_deref().unwrap_or(self.dir()).join("models")
    }

    /// Cached predictions of the models that ran on this store.
    ///
    /// # Errors
    /// A catalog that cannot be opened.
    pub fn predictions(&self) -> Result<PredictionCache, StoreError> {
        Ok(PredictionCache::new(self.connect()?, self.is_writable()))
    }
}

/// A name for a folder beside `dir` in which a store is built.
pub(super) fn draft(dir: &Path) -> PathBuf {
    static DRAFTS: AtomicU32 = AtomicU32::new(0);
    let name = dir.file_name().unwrap_or_default().to_string_lossy();
    let number = DRAFTS.fetch_add(1, Ordering::Relaxed);
    dir.with_file_name(format!(".{name}.{}-{number}.new", std::process::id()))
}

fn check_version(dir: &Path, connection: &mut Connection, access: Access) -> Result<(), StoreError> {
    let folder = |message: String| StoreError::Folder { dir: dir.to_owned(), message };
    match registry::version(connection)? {
        Some(version) if version == registry::newest_version() => Ok(()),
        Some(version) if version > registry::newest_version() => {
            Err(folder(format!("the store has layout {version}, made by a newer hollandite; update the program")))
        }
        Some(version) if access == Access::Write => registry::migrate(connection, version),
        Some(version) => Err(folder(format!("the store has the older layout {version} and may not be written to"))),
        None => Err(folder(format!(
            "its {CATALOG_FILE} was not made by hollandite; `hollandite init {}` makes a store of a DuckLake",
            dir.display()
        ))),
    }
}

/// Refuses a catalog whose files are in an object store: to look for them in the store's folder would be to find none.
///
/// # Errors
/// The address, and what to do.
pub(super) fn check_data_path(dir: &Path, connection: &Connection) -> Result<(), StoreError> {
    let path = registry::data_path(connection)?;
    if !is_address(&path) {
        return Ok(());
    }
    let (catalog, data) = (dir.join(CATALOG_FILE), directory(&dir.join(DATA_FOLDER)));
    let message = format!(
        "its files are in the object store {path}, which a store cannot read; copy them to {data} and tell the catalog: \
         sqlite3 {} \"UPDATE ducklake_metadata SET value = '{data}' WHERE key = 'data_path'\"",
        catalog.display()
    );
    Err(StoreError::Folder { dir: dir.to_owned(), message })
}

/// Whether a path is the address of an object store, as `s3://bucket/lake/`. The letter of a drive is no scheme.
fn is_address(path: &str) -> bool {
    path.split_once("://").is_some_and(|(scheme, _)| scheme.len() > 1 && !scheme.eq_ignore_ascii_case("file"))
}

pub(super) fn absolute(dir: &Path) -> Result<PathBuf, StoreError> {
    if is_address(&dir.to_string_lossy()) {
        let message = "a store is a folder, not an address; name one of a file system that this machine sees".into();
        return Err(StoreError::Folder { dir: dir.to_owned(), message });
    }
    // `..` is resolved here, because the lake refuses it in paths.
    match dir.canonicalize() {
        Ok(path) => Ok(path),
        Err(_) => {
            let path = std::path::absolute(dir).map_err(|e| StoreError::io(dir, e))?;
            let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else { return Ok(path) };
            match parent.canonicalize() {
                Ok(parent) => Ok(parent.join(name)),
                Err(_) => Ok(path),
            }
        }
    }
}

fn writable(dir: &Path, catalog: &Path) -> bool {
    // Asking for write access changes nothing in the file and, unlike the permission bits, also answers for a read-only
    // mount. The folder counts too: SQLite writes its journal there.
    let lock = File::options().create(true).append(true).open(dir.join(LOCK_FILE));
    let read_only = |path: &Path| std::fs::metadata(path).is_ok_and(|m| m.permissions().readonly());
    lock.is_ok() && !read_only(catalog)
}

/// The path of a folder, with the `/` that DuckLake expects at its end.
pub(super) fn directory(path: &Path) -> String {
    format!("{}/", path.display())
}

/// sqlx's name for a file: only the characters that end a path in a URL are escaped.
pub(super) fn url(catalog: &Path, access: Access) -> String {
    let mode = match access {
        Access::Read => "ro",
        Access::Write => "rw",
    };
    let path = catalog.to_string_lossy().replace('%', "%25").replace('?', "%3F").replace('#', "%23");
    format!("sqlite:{path}?mode={mode}")
}

/// A private copy of a catalog that may not be written to, so that it can say where its data is now.
fn copy(connection: &Connection) -> Result<(PathBuf, Connection), StoreError> {
    let unique = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).map_or(0, |d| d.as_nanos());
    let path = std::env::temp_dir().join(format!("hollandite-{}-{unique}.sqlite", std::process::id()));
    connection.execute("VACUUM INTO ?", params![path.to_string_lossy()])?;
    let connection = registry::connect(&path, Access::Write)?;
    Ok((path, connection))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A store of one table, and its catalog.
    async fn store(folder: &Path) -> (PathBuf, PathBuf) {
        let dir = absolute(&folder.join("s")).unwrap();
        drop(Store::init(&dir).await.unwrap());
        let catalog = dir.join(CATALOG_FILE);
        (dir, catalog)
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn files_in_an_object_store_are_refused_by_its_address() {
        let folder = tempfile::tempdir().unwrap();
        let (dir, catalog) = store(folder.path()).await;
        let connection = registry::connect(&catalog, Access::Write).unwrap();
        for address in ["s3://bucket/lake/", "GS://bucket/"] {
            registry::set_data_path(&connection, address).unwrap();
            let refused = Store::open(&dir).await.unwrap_err().to_string();
            assert!(refused.contains(address) && refused.contains("copy them to"), "{refused}");
            assert_eq!(registry::data_path(&connection).unwrap(), address, "the catalog is as it was");
        }
        // Nor is it made the store of this program.
        connection.execute_batch("DROP TABLE hollandite_migrations").unwrap();
        assert!(Store::is_lake_of_others(&dir));
        let refused = Store::adopt(&dir).await.unwrap_err().to_string();
        assert!(refused.contains("GS://bucket/") && registry::version(&connection).unwrap().is_none(), "{refused}");
        for elsewhere in ["file:///elsewhere/data/", "/elsewhere/data/"] {
            registry::set_data_path(&connection, elsewhere).unwrap();
            check_data_path(&dir, &connection).unwrap();
        }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn an_address_is_no_folder() {
        for result in [Store::init(Path::new("s3://bucket/s")).await, Store::open(Path::new("s3://bucket/s")).await] {
            let refused = result.unwrap_err().to_string();
            assert!(refused.contains("s3://bucket/s: a store is a folder"), "{refused}");
        }
        assert!(!Path::new("s3:").exists());
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_write_ahead_log_that_another_client_began_is_left() {
        let folder = tempfile::tempdir().unwrap();
        let (dir, catalog) = store(folder.path()).await;
        let mode =
            |sql: &str| -> String { Connection::open(&catalog).unwrap().query_row(sql, [], |row| row.get(0)).unwrap() };
        assert_eq!(mode("PRAGMA journal_mode"), "delete");
        assert_eq!(mode("PRAGMA journal_mode = WAL"), "wal");
        let store = Store::open(&dir).await.unwrap();
        assert_eq!(mode("PRAGMA journal_mode"), "delete");
        assert!(store.verify().await.unwrap().is_clean());
    }
}

//! Making, opening and registering a store.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use arrow::datatypes::SchemaRef;
use datafusion::catalog::CatalogProvider;
use datafusion::execution::object_store::ObjectStoreUrl;
use datafusion::object_store::ObjectStore;
use datafusion::prelude::SessionContext;
use datafusion_ducklake::{DuckLakeCatalog, MetadataProvider, SqliteMetadataProvider, SqliteMetadataWriter};
use rusqlite::{Connection, params};

use super::features::{self, FeatureInfo};
use super::files;
use super::moments::SNAPSHOT_TIME;
use super::overlay::Overlay;
use super::planner::Planner;
use super::predictions::PredictionCache;
use super::registry::{self, Access};
use super::registry_tables;
use super::tables::{self, Shape};
use super::turn::{Turn, Waiting};
use crate::StoreError;

/// Name of the catalog on a session.
pub(super) const CATALOG: &str = "lake";
/// Name of the schema that holds the tables.
pub(super) const SCHEMA: &str = "main";
/// The table that `init` makes and that imports fill unless told otherwise.
pub(super) const DEFAULT_TABLE: &str = "tmo";

pub(super) const CATALOG_FILE: &str = "catalog.sqlite";
pub(super) const DATA_FOLDER: &str = "data";
const LOCK_FILE: &str = "writer.lock";
const FEATURES_LOCK_FILE: &str = "features.lock";

/// An open store. Cheap to clone; clones share its connections.
#[derive(Debug, Clone)]
pub struct Store {
    pub(super) inner: Arc<Inner>,
}

#[derive(Debug)]
pub(super) struct Inner {
    dir: PathBuf,
    catalog: PathBuf,
    pub(super) provider: Arc<SqliteMetadataProvider>,
    writer: Option<Arc<SqliteMetadataWriter>>,
    /// A catalog of our own in the temporary folder, where the store was moved and may not be written to.
    copied: bool,
    pub(super) waiting: Waiting,
}

impl Drop for Inner {
    fn drop(&mut self) {
        if self.copied {
            let _ = std::fs::remove_file(&self.catalog);
        }
    }
}

/// One commit to the lake.
#[derive(Debug, Clone, PartialEq)]
pub struct Snapshot {
    /// Number; `--snapshot N` reads it again.
    pub id: i64,
    /// When, UTC.
    pub time: String,
    /// What, in DuckLake's words (`inserted_into_table:1`).
    pub changes: Option<String>,
    /// The committer's own words.
    pub message: Option<String>,
}

/// A table of the newest snapshot.
#[derive(Debug, Clone, PartialEq)]
pub struct TableInfo {
    /// Name.
    pub name: String,
    /// Rows that a query sees, or `None` where another client holds rows or deletions inside the catalog.
    pub rows: Option<u64>,
    /// Parquet files.
    pub files: u64,
    /// Their size, bytes.
    pub bytes: u64,
}

/// What a store holds.
#[derive(Debug, Clone, PartialEq)]
pub struct Info {
    /// The folder.
    pub dir: PathBuf,
    /// Whether it may be written to.
    pub writable: bool,
    /// Newest snapshot.
    pub snapshot: Option<Snapshot>,
    /// Tables, by name; without those of the features.
    pub tables: Vec<TableInfo>,
    /// Materialised features, by name.
    pub features: Vec<FeatureInfo>,
    /// Records in quarantine.
    pub quarantined: u64,
    /// Cached predictions by model id.
    pub predictions: Vec<(String, u64)>,
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
            Err(error) => return Err(StoreError::io(&dir, &error)),
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
            std::fs::rename(&draft, &dir).map_err(|e| StoreError::io(&dir, &e))
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
        std::fs::create_dir_all(&data).map_err(|e| StoreError::io(&data, &e))?;
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
        let store = Self {
            inner: Arc::new(Inner {
                dir,
                catalog,
                provider: Arc::new(provider),
                writer,
                copied,
                waiting: Waiting::default(),
            }),
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

    /// The files of the lake: what is written to them gets its checksum.
    pub(super) fn file_system(&self) -> Arc<dyn ObjectStore> {
        files::file_system(self.dir())
    }

    /// A connection to the registry and the catalog's own tables.
    pub(super) fn connect(&self) -> Result<Connection, StoreError> {
        registry::connect(&self.inner.catalog, if self.is_writable() { Access::Write } else { Access::Read })
    }

    pub(super) fn writer(&self) -> Result<Arc<SqliteMetadataWriter>, StoreError> {
        self.inner.writer.clone().ok_or_else(|| StoreError::ReadOnly { dir: self.inner.dir.clone() })
    }

    /// Makes the store the default catalog `lake`, schema `main`, of a session: at its newest snapshot, readable and
    /// writable, or fixed at an older one and read-only.
    ///
    /// # Errors
    /// A snapshot that does not exist.
    pub async fn register(&self, ctx: &SessionContext, snapshot: Option<i64>) -> Result<(), StoreError> {
        let catalog = self.catalog(snapshot)?;
        let local = ObjectStoreUrl::local_filesystem();
        ctx.register_object_store(local.as_ref(), self.file_system());
        DuckLakeCatalog::register(ctx, CATALOG, catalog);
        if let Some(lake) = ctx.catalog(CATALOG) {
            ctx.register_catalog(CATALOG, Arc::new(Overlay::new(lake, self.clone(), snapshot, Planner::of(ctx))));
        }
        let state = ctx.state_ref();
        let mut state = state.write();
        let options = state.config_mut().options_mut();
        (options.catalog.default_catalog, options.catalog.default_schema) = (CATALOG.into(), SCHEMA.into());
        // Text read from the lake is in Arrow's view layout. A Parquet file that recorded so could not be read by pandas
        // (lists of views); without the record every reader chooses its own layout.
        options.execution.parquet.skip_arrow_metadata = true;
        Ok(())
    }

    pub(super) fn catalog(&self, snapshot: Option<i64>) -> Result<DuckLakeCatalog, StoreError> {
        let provider = self.inner.provider.clone();
        match (snapshot, &self.inner.writer) {
            (Some(asked), _) => {
                self.check_snapshot(asked)?;
                DuckLakeCatalog::with_snapshot(provider, asked)
            }
            (None, Some(writer)) => DuckLakeCatalog::with_writer(provider, writer.clone()),
            (None, None) => DuckLakeCatalog::new(provider.as_ref().clone()),
        }
        .map_err(StoreError::lake("opening the catalog"))
    }

    /// The catalog at its newest snapshot.
    pub(super) fn catalog_now(&self) -> Result<DuckLakeCatalog, StoreError> {
        self.catalog(None)
    }

    pub(super) fn check_snapshot(&self, asked: i64) -> Result<(), StoreError> {
        let (known, oldest, newest) = self.connect()?.query_row(
            "SELECT count(*) FILTER (WHERE snapshot_id = ?), min(snapshot_id), max(snapshot_id) FROM ducklake_snapshot",
            params![asked],
            |row| Ok((row.get::<_, i64>(0)?, row.get(1)?, row.get(2)?)),
        )?;
        if known == 0 { Err(StoreError::Snapshot { asked, oldest, newest }) } else { Ok(()) }
    }

    /// Newest snapshot.
    pub(super) fn newest_snapshot(&self) -> Result<i64, StoreError> {
        self.inner.provider.get_current_snapshot().map_err(StoreError::lake("reading the newest snapshot"))
    }

    /// Arrow schema of a table at the newest snapshot; `None` where there is no such table.
    pub(super) async fn table_schema(&self, table: &str) -> Result<Option<SchemaRef>, StoreError> {
        self.schema_of(SCHEMA, table).await
    }

    /// Arrow schema of a table of some schema, at the newest snapshot; `None` where there is no such table.
    pub(super) async fn schema_of(&self, schema: &str, table: &str) -> Result<Option<SchemaRef>, StoreError> {
        let doing = "reading a table";
        let schema = self
            .catalog(None)?
            .schema(schema)
            .ok_or_else(|| StoreError::Lake { doing, message: format!("the catalog has no schema {schema}") })?;
        let table = schema.table(table).await.map_err(|e| StoreError::Lake { doing, message: e.to_string() })?;
        Ok(table.map(|table| table.schema()))
    }

    /// Makes an empty table of crystals, with its comments.
    pub(super) async fn create_wide_table(&self, table: &str, shape: &Shape) -> Result<(), StoreError> {
        check_table_name(table)?;
        let comments = shape.columns().map(|column| (column.name.as_str(), column.comment.as_str()));
        self.create_table(table, shape.schema(), comments).await
    }

    /// Makes an empty table, with comments on its columns.
    pub(super) async fn create_table<'a>(
        &self,
        table: &str,
        columns: SchemaRef,
        comments: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Result<(), StoreError> {
        self.make_table(table, &columns, comments)
    }

    /// Puts the comments of the dictionary on the columns of an imported table.
    pub(super) fn comment_imported(&self, table: &str) -> Result<(), StoreError> {
        let columns: Vec<String> = self
            .connect()?
            .prepare(
                "SELECT c.column_name FROM ducklake_column c JOIN ducklake_table t USING (table_id)
                 WHERE t.table_name = ? AND t.end_snapshot IS NULL AND c.end_snapshot IS NULL AND c.parent_column IS NULL",
            )?
            .query_map([table], |row| row.get(0))?
            .collect::<Result<_, _>>()?;
        let comments: Vec<String> = columns.iter().map(|column| tables::comment_on_imported(column)).collect();
        self.comment(table, columns.iter().map(String::as_str).zip(comments.iter().map(String::as_str)))
    }

    /// Puts comments on columns of a table that have none, as DuckLake tags of the snapshot that made the column.
    pub(super) fn comment<'a>(
        &self,
        table: &str,
        comments: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Result<(), StoreError> {
        let mut connection = self.connect()?;
        let transaction = connection.transaction()?;
        for (column, comment) in comments {
            transaction.execute(
                "INSERT INTO ducklake_column_tag (table_id, column_id, begin_snapshot, key, value)
                 SELECT c.table_id, c.column_id, c.begin_snapshot, 'comment', ?
                 FROM ducklake_column c JOIN ducklake_table t USING (table_id)
                 WHERE t.table_name = ? AND t.end_snapshot IS NULL AND c.end_snapshot IS NULL
                   AND c.parent_column IS NULL AND c.column_name = ?
                   AND NOT EXISTS (SELECT 1 FROM ducklake_column_tag g WHERE g.table_id = c.table_id
                       AND g.column_id = c.column_id AND g.key = 'comment' AND g.end_snapshot IS NULL)",
                params![comment, table, column],
            )?;
        }
        Ok(transaction.commit()?)
    }

    /// Where models and ensembles that were made over this store are kept, a folder each.
    pub fn models_folder(&self) -> PathBuf {
        self.dir().join("models")
    }

    /// Cached predictions of the models that ran on this store.
    ///
    /// # Errors
    /// A catalog that cannot be opened.
    pub fn predictions(&self) -> Result<PredictionCache, StoreError> {
        Ok(PredictionCache::new(self.connect()?, self.is_writable()))
    }

    /// Every snapshot, oldest first.
    ///
    /// # Errors
    /// A catalog that cannot be read.
    pub fn snapshots(&self) -> Result<Vec<Snapshot>, StoreError> {
        let connection = self.connect()?;
        let mut statement = connection.prepare(&format!(
            "SELECT snapshot_id, strftime('%Y-%m-%d %H:%M:%S', {SNAPSHOT_TIME}), changes_made, commit_message
             FROM ducklake_snapshot LEFT JOIN ducklake_snapshot_changes USING (snapshot_id) ORDER BY snapshot_id",
        ))?;
        let rows = statement.query_map([], |row| {
            Ok(Snapshot { id: row.get(0)?, time: row.get(1)?, changes: row.get(2)?, message: row.get(3)? })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// What the store holds.
    ///
    /// # Errors
    /// A catalog that cannot be read.
    pub fn info(&self) -> Result<Info, StoreError> {
        let connection = self.connect()?;
        let mut statement = connection.prepare(
            "SELECT t.table_name,
                    (SELECT coalesce(sum(record_count), 0) FROM ducklake_data_file f
                     WHERE f.table_id = t.table_id AND f.end_snapshot IS NULL)
                  - (SELECT coalesce(sum(delete_count), 0) FROM ducklake_delete_file d
                     WHERE d.table_id = t.table_id AND d.end_snapshot IS NULL),
                    (SELECT count(*) FROM ducklake_data_file f
                     WHERE f.table_id = t.table_id AND f.end_snapshot IS NULL),
                    (SELECT coalesce(sum(file_size_bytes), 0) FROM ducklake_data_file f
                     WHERE f.table_id = t.table_id AND f.end_snapshot IS NULL),
                    (SELECT count(*) FROM ducklake_inlined_data_tables i WHERE i.table_id = t.table_id)
                  + (SELECT count(*) FROM sqlite_master WHERE name = 'ducklake_inlined_delete_' || t.table_id)
             FROM ducklake_table t WHERE t.end_snapshot IS NULL AND NOT EXISTS (
                 SELECT 1 FROM hollandite_featurizers f WHERE t.table_name = 'features_' || f.name)
             ORDER BY t.table_name",
        )?;
        let tables = statement
            .query_map([], |row| {
                let inlined: i64 = row.get(4)?;
                Ok(TableInfo {
                    name: row.get(0)?,
                    rows: if inlined == 0 { Some(row.get::<_, i64>(1)?.max(0) as u64) } else { None },
                    files: row.get::<_, i64>(2)? as u64,
                    bytes: row.get::<_, i64>(3)? as u64,
                })
            })?
            .collect::<Result<_, _>>()?;
        let mut statement = connection
            .prepare("SELECT model_id, count(*) FROM hollandite_predictions GROUP BY model_id ORDER BY model_id")?;
        let predictions = statement
            .query_map([], |row| Ok((row.get(0)?, row.get::<_, i64>(1)? as u64)))?
            .collect::<Result<_, _>>()?;
        Ok(Info {
            dir: self.inner.dir.clone(),
            writable: self.is_writable(),
            snapshot: self.snapshots()?.pop(),
            tables,
            features: features::list(&connection)?,
            quarantined: super::quarantine::count(&connection)?,
            predictions,
        })
    }

    /// Takes the writer's turn, waiting for whoever has it, clears away what a killed writer left, and merges small files where
    /// there are many. Released when it is dropped, or by the system when the process ends in whatever way.
    ///
    /// # Errors
    /// A store that may not be written to.
    pub async fn lock(&self) -> Result<Turn, StoreError> {
        let turn = self.turn().await?;
        self.sweep()?;
        self.tidy().await;
        Ok(turn)
    }

    /// As [`Store::lock`], and leaves everything where it lies.
    pub(super) async fn turn(&self) -> Result<Turn, StoreError> {
        self.wait_for(LOCK_FILE).await
    }

    /// Takes the featurizer's turn: whoever has it takes the writer's turn for each of its commits only.
    pub(super) async fn lock_features(&self) -> Result<Turn, StoreError> {
        self.wait_for(FEATURES_LOCK_FILE).await
    }

    /// Takes the writer's turn if nobody has it.
    pub(super) fn try_lock(&self) -> Result<Option<Turn>, StoreError> {
        self.take_at_once(LOCK_FILE)
    }
}

/// A name for a folder beside `dir` in which a store is built.
pub(super) fn draft(dir: &Path) -> PathBuf {
    static DRAFTS: AtomicU32 = AtomicU32::new(0);
    let name = dir.file_name().unwrap_or_default().to_string_lossy();
    let number = DRAFTS.fetch_add(1, Ordering::Relaxed);
    dir.with_file_name(format!(".{name}.{}-{number}.new", std::process::id()))
}

/// Whether a name belongs to the registry or to the materialised features.
pub(super) fn is_reserved(name: &str) -> bool {
    name == features::VIEW || name.starts_with(features::PREFIX) || registry_tables::names().any(|taken| taken == name)
}

pub(super) fn check_table_name(name: &str) -> Result<(), StoreError> {
    let ok = name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
        && !is_reserved(name);
    if ok { Ok(()) } else { Err(StoreError::TableName(name.to_owned())) }
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

pub(super) fn absolute(dir: &Path) -> Result<PathBuf, StoreError> {
    // `..` is resolved here, because the lake refuses it in paths.
    match dir.canonicalize() {
        Ok(path) => Ok(path),
        Err(_) => {
            let path = std::path::absolute(dir).map_err(|e| StoreError::io(dir, &e))?;
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

//! A DuckLake that another client made becomes a store, in place.

use std::path::{Path, PathBuf};

use datafusion_ducklake::SqliteMetadataWriter;
use rusqlite::{Connection, OptionalExtension};

use super::lake::{Store, absolute, check_data_path, directory, url};
use super::layout::{CATALOG_FILE, DATA_FOLDER};
use super::registry::{self, Access};
use super::verify::whole_path;
use crate::StoreError;

impl Store {
    /// Whether `dir` holds a DuckLake that is no store yet.
    pub fn is_lake_of_others(dir: &Path) -> bool {
        let catalog = dir.join(CATALOG_FILE);
        catalog.is_file()
            && registry::connect(&catalog, Access::Read).is_ok_and(|connection| {
                setting(&connection, "version").is_ok_and(|version| version.is_some()) && is_foreign(&connection)
            })
    }

    /// Makes a store of the DuckLake in `dir`, whose catalog is `catalog.sqlite` and whose files are in `data`: tables of the
    /// registry come beside its own. Other clients go on reading and writing it.
    ///
    /// # Errors
    /// A catalog of another version of DuckLake, one whose files are elsewhere (in an object store, too) or are encrypted, or one that
    /// may not be written to.
    pub async fn adopt(dir: &Path) -> Result<Self, StoreError> {
        let dir = absolute(dir)?;
        let refused = |message: String| StoreError::Folder { dir: dir.clone(), message };
        let catalog = dir.join(CATALOG_FILE);
        let mut connection = registry::connect(&catalog, Access::Write)?;
        let version = setting(&connection, "version")?.unwrap_or_default();
        if version != "1.0" {
            return Err(refused(format!(
                "its catalog is of DuckLake {version}; attach it with a client of DuckLake 1.0, which brings it to that version"
            )));
        }
        if setting(&connection, "encrypted")?.is_some_and(|encrypted| encrypted == "true") {
            return Err(refused("its files are encrypted, which a store cannot read".into()));
        }
        let data = dir.join(DATA_FOLDER);
        check_data_path(&dir, &connection)?;
        if let Some(lost) = files(&connection, &data)?.into_iter().find(|file| !file.is_file()) {
            return Err(refused(format!(
                "its catalog names {}, which is not there; the files of a store lie in its folder {DATA_FOLDER}",
                lost.display()
            )));
        }
        std::fs::create_dir_all(&data).map_err(|e| StoreError::io(&data, e))?;
        registry::adopt(&mut connection)?;
        registry::set_data_path(&connection, &directory(&data))?;
        drop(connection);
        SqliteMetadataWriter::new_with_init(&url(&catalog, Access::Write))
            .await
            .map_err(StoreError::lake("adopting the catalog"))?;
        Self::open(&dir).await
    }
}

/// Whether a catalog has no registry of ours.
fn is_foreign(connection: &Connection) -> bool {
    registry::version(connection).is_ok_and(|version| version.is_none())
}

/// A setting of the whole lake.
fn setting(connection: &Connection, key: &str) -> Result<Option<String>, StoreError> {
    let sql = "SELECT value FROM ducklake_metadata WHERE key = ? AND scope IS NULL";
    Ok(connection.query_row(sql, [key], |row| row.get(0)).optional()?)
}

/// The data files of the newest snapshot.
fn files(connection: &Connection, data: &Path) -> Result<Vec<PathBuf>, StoreError> {
    let mut statement = connection.prepare(
        "SELECT s.path, s.path_is_relative, t.path, t.path_is_relative, f.path, f.path_is_relative
         FROM ducklake_data_file f JOIN ducklake_table t USING (table_id) JOIN ducklake_schema s USING (schema_id)
         WHERE f.end_snapshot IS NULL AND t.end_snapshot IS NULL",
    )?;
    let rows = statement.query_map([], |row| whole_path(data, row))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

//! What a killed writer left is cleared away by the next one, which has the writer's turn.
//!
//! Files reach the data folder shortly before their commit, and only in the writer's turn: one that no snapshot names belongs to
//! nobody. The files of other DuckLake clients, which take no turns, are known by their names and stay.

use std::path::Path;

use rusqlite::params;

use super::lake::Store;
use super::sums;
use crate::StoreError;

impl Store {
    /// Clears away what killed writers left; the caller has the writer's turn.
    ///
    /// # Errors
    /// A catalog that cannot be read or written. A file that cannot be removed does no harm and stays.
    pub(super) fn sweep(&self) -> Result<(), StoreError> {
        if !self.is_writable() {
            return Ok(());
        }
        self.forget_reserved()?;
        let connection = self.connect()?;
        for path in self.leftovers(&connection)?.into_iter().filter(|path| is_ours(path)) {
            if std::fs::remove_file(&path).is_ok() {
                connection.execute("DELETE FROM hollandite_files WHERE path = ?", params![sums::key(&path)])?;
            }
        }
        Ok(())
    }
}

/// Whether this program named a file: a UUID and `.parquet`, with a number behind `#` while it is on its way.
fn is_ours(path: &Path) -> bool {
    let name = sums::key(path);
    let whole = name.split_once('#').map_or(name.as_str(), |(whole, _)| whole);
    let Some(stem) = whole.strip_suffix(".parquet") else { return false };
    let groups: Vec<&str> = stem.split('-').collect();
    groups.iter().map(|group| group.len()).eq([8, 4, 4, 4, 12])
        && groups.iter().all(|group| group.bytes().all(|b| b.is_ascii_hexdigit()))
}

#[cfg(test)]
mod tests {
    use super::super::ImportOptions;
    use super::super::lake::DEFAULT_TABLE;
    use super::*;

    const OURS: &str = "0b2a8f70-7b1c-4d1e-9c55-0a1b2c3d4e5f.parquet";

    #[test]
    fn names_tell_whose_a_file_is() {
        let ours = |name: &str| is_ours(&Path::new("/s/data/main/t").join(name));
        assert!(ours(OURS) && ours(&format!("{OURS}#3")));
        for other in ["ducklake-0b2a8f70-7b1c-4d1e-9c55-0a1b2c3d4e5f.parquet", "left.parquet", "notes.txt"] {
            assert!(!ours(other), "{other}");
        }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn the_next_writer_clears_away_files_and_tables_that_no_snapshot_has() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::init(&dir.path().join("s")).await.unwrap();
        let folder = store.data_dir().join("main/tmo");
        std::fs::create_dir_all(&folder).unwrap();
        let (ours, moving, other) = (folder.join(OURS), folder.join(format!("{OURS}#1")), folder.join("other.parquet"));
        for file in [&ours, &moving, &other] {
            std::fs::write(file, "left").unwrap();
        }
        let connection = store.connect().unwrap();
        store.reserve_table("ghost").unwrap();
        connection.execute("INSERT INTO hollandite_files (path, sha256) VALUES (?, 'x')", params![OURS]).unwrap();
        let crystal = dir.path().join("in.jsonl");
        let line = r#"{"id":"a","lattice":[[4,0,0],[0,4,0],[0,0,4]],"species":["Ti","O","O"],"frac_coords":[[0,0,0],[0.5,0.5,0],[0.5,0,0.5]]}"#;
        std::fs::write(&crystal, line).unwrap();
        let summary = store.import(&[crystal], &ImportOptions::default(), &()).await.unwrap();
        assert_eq!(summary.added, 1);
        assert!(!ours.exists() && !moving.exists() && other.exists());
        let names: Vec<String> = store.info(None).unwrap().tables.into_iter().map(|table| table.name).collect();
        assert!(names.contains(&DEFAULT_TABLE.to_owned()) && !names.contains(&"ghost".to_owned()), "{names:?}");
        let report = store.verify().await.unwrap();
        assert!(report.is_clean() && report.checksums == report.files, "{report}");
        assert_eq!(report.leftovers, [other]);

        // A store that is opened does not show it either.
        store.reserve_table("ghost").unwrap();
        let again = Store::open(store.dir()).await.unwrap();
        assert!(!again.has_reserved().unwrap());
    }
}

//! A branch: the store in which a shard works.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, params};

use super::manifest::{self, Manifest, Plan};
use super::{BASE_FILE, MERGED_FILE, PREDICTIONS, RUN_FILE, SHARD_FILE, Shard, is_draft, refused, run_folder};
use crate::StoreError;
use crate::lake::{Store, directory, draft};
use crate::layout::{CATALOG_FILE, DATA_FOLDER};
use crate::registry::{self, Access};
use crate::turn::Turn;
use crate::verify::whole_path;

/// Locked by the process that works on a shard.
const LOCK_FILE: &str = "shard.lock";

/// The branch of a shard, open for its job. No other process works on it while this lives.
#[derive(Debug)]
pub struct Branch {
    store: Store,
    manifest: Manifest,
    _turn: Turn,
}

impl Store {
    /// Opens the branch of a shard, and makes it where the shard has not begun; the first shard begins the run. `command` is the job
    /// with its options: that of every shard.
    ///
    /// # Errors
    /// A name that cannot be one, a run that asks something else or is merged, a shard that another process works on, a store that may
    /// not be written to.
    pub async fn branch(&self, run: &str, shard: Shard, command: &str) -> Result<Branch, StoreError> {
        self.writer()?;
        if !models::is_name(run) || is_draft(Path::new(run)) {
            let message = "a name has letters, digits, '.', '_' and '-' only, 64 at most, and no '.' in front";
            return Err(refused(run, message));
        }
        if self.inner.main.is_some() {
            return Err(refused(
                run,
                "this store is the branch of a shard itself; name the store that it was made from",
            ));
        }
        let plan = self.plan(run, shard, command)?;
        let dir = self.run_folder(run).join(shard.label());
        let manifest = match manifest::read::<Manifest>(&dir.join(SHARD_FILE))? {
            Some(found) => found,
            None => make(self.dir(), &dir, shard, plan)?,
        };
        let manifest = self.follow(&dir, manifest)?;
        let store = Store::open(&dir).await?;
        let Some(turn) = store.take_at_once(LOCK_FILE)? else {
            return Err(refused(run, format!("another process works on shard {shard}")));
        };
        let mut branch = Branch { store, manifest, _turn: turn };
        if branch.manifest.from.is_none() {
            branch.manifest.from = Some(branch.store.newest_snapshot()?);
            branch.write()?;
        }
        Ok(branch)
    }

    /// The plan of a run, which the first of its shards makes.
    fn plan(&self, run: &str, shard: Shard, command: &str) -> Result<Plan, StoreError> {
        let folder = self.run_folder(run);
        if folder.join(MERGED_FILE).is_file() {
            return Err(refused(run, "it is merged already; give another run another name"));
        }
        let known = match manifest::read::<Plan>(&folder.join(RUN_FILE))? {
            Some(known) => known,
            None => self.begin_run(run, shard, command)?,
        };
        let version = env!("CARGO_PKG_VERSION").to_owned();
        let asked = Plan { shards: shard.of(), version, command: command.to_owned(), ..known.clone() };
        match known.difference(&asked) {
            Some(difference) => Err(refused(run, format!("shard {} {difference}", shard.number()))),
            None => Ok(known),
        }
    }

    pub(super) fn begin_run(&self, run: &str, shard: Shard, command: &str) -> Result<Plan, StoreError> {
        let folder = self.run_folder(run);
        let draft = draft(&folder);
        let io = |e: std::io::Error| StoreError::io(&draft, e);
        let _ = std::fs::remove_dir_all(&draft);
        std::fs::create_dir_all(&draft).map_err(io)?;
        let base = draft.join(BASE_FILE);
        self.connect()?.execute("VACUUM INTO ?", params![base.to_string_lossy()])?;
        let (snapshot, snapshot_time, begun) = registry::connect(&base, Access::Read)?.query_row(
            "SELECT snapshot_id, coalesce(snapshot_time, ''), CURRENT_TIMESTAMP FROM ducklake_snapshot
             ORDER BY snapshot_id DESC LIMIT 1",
            [],
            |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
        )?;
        let (version, command) = (env!("CARGO_PKG_VERSION").to_owned(), command.to_owned());
        let plan = Plan { run: run.to_owned(), shards: shard.of(), version, snapshot, snapshot_time, command, begun };
        manifest::write(&draft.join(RUN_FILE), &plan)?;
        if std::fs::rename(&draft, &folder).is_ok() {
            return Ok(plan);
        }
        let _ = std::fs::remove_dir_all(&draft);
        // Another shard was first: its run is as good as ours.
        let first = manifest::read(&folder.join(RUN_FILE))?;
        first.ok_or_else(|| refused(run, format!("{} is there and holds no run; remove it", folder.display())))
    }

    /// Follows a store that was moved, and its branches with it: the files of the store are where it is now.
    fn follow(&self, dir: &Path, mut manifest: Manifest) -> Result<Manifest, StoreError> {
        if manifest.store == self.dir() {
            return Ok(manifest);
        }
        let (old, new) = (directory(&manifest.store.join(DATA_FOLDER)), directory(&self.data_dir()));
        let connection = registry::connect(&dir.join(CATALOG_FILE), Access::Write)?;
        for table in ["data", "delete"] {
            connection.execute(
                &format!(
                    "UPDATE ducklake_{table}_file SET path = ?2 || substr(path, length(?1) + 1)
                     WHERE NOT path_is_relative AND substr(path, 1, length(?1)) = ?1"
                ),
                params![old, new],
            )?;
        }
        manifest.store = self.dir().to_owned();
        manifest::write(&dir.join(SHARD_FILE), &manifest)?;
        Ok(manifest)
    }
}

/// Makes the branch of the store `main` in `dir`, whole or not at all.
///
/// # Errors
/// A folder that cannot be written, a copy of a catalog that cannot be read.
pub(super) fn make(main: &Path, dir: &Path, shard: Shard, plan: Plan) -> Result<Manifest, StoreError> {
    let draft = draft(dir);
    let io = |e: std::io::Error| StoreError::io(&draft, e);
    let _ = std::fs::remove_dir_all(&draft);
    std::fs::create_dir_all(draft.join(DATA_FOLDER)).map_err(io)?;
    let catalog = draft.join(CATALOG_FILE);
    std::fs::copy(run_folder(main, &plan.run).join(BASE_FILE), &catalog).map_err(io)?;
    let mut connection = registry::connect(&catalog, Access::Write)?;
    registry::set_data_path(&connection, &directory(&dir.join(DATA_FOLDER)))?;
    for table in ["data", "delete"] {
        stay(&mut connection, table, &main.join(DATA_FOLDER))?;
    }
    drop(connection);
    let manifest = Manifest {
        plan,
        shard: shard.number(),
        store: main.to_owned(),
        from: None,
        finished: None,
        models: BTreeMap::new(),
        tables: BTreeMap::new(),
        files: BTreeMap::new(),
    };
    manifest::write(&draft.join(SHARD_FILE), &manifest)?;
    if std::fs::rename(&draft, dir).is_err() {
        let _ = std::fs::remove_dir_all(&draft);
        // Another process made it meanwhile.
        let there = manifest::read(&dir.join(SHARD_FILE))?;
        return there.ok_or_else(|| refused(&manifest.plan.run, format!("{} cannot be made", dir.display())));
    }
    Ok(manifest)
}

/// Has the files of a copied catalog stay where they are, below `data`.
fn stay(connection: &mut Connection, kind: &str, data: &Path) -> Result<(), StoreError> {
    let transaction = connection.transaction()?;
    {
        let mut files = transaction.prepare(&format!(
            "SELECT s.path, s.path_is_relative, t.path, t.path_is_relative, f.path, f.path_is_relative, f.{kind}_file_id
             FROM ducklake_{kind}_file f JOIN ducklake_table t USING (table_id) JOIN ducklake_schema s USING (schema_id)
             WHERE f.path_is_relative GROUP BY f.{kind}_file_id"
        ))?;
        let files: Vec<(PathBuf, i64)> =
            files.query_map([], |row| Ok((whole_path(data, row)?, row.get(6)?)))?.collect::<Result<_, _>>()?;
        let mut update = transaction.prepare(&format!(
            "UPDATE ducklake_{kind}_file SET path = ?, path_is_relative = 0 WHERE {kind}_file_id = ?"
        ))?;
        for (path, id) in files {
            update.execute(params![path.to_string_lossy(), id])?;
        }
    }
    Ok(transaction.commit()?)
}

impl Branch {
    /// The store in which the job works.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// What the shard says of itself so far.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// Says that the job has come to its end, having used `models` (name or path, and hash) and written `files` beside the store.
    ///
    /// # Errors
    /// A branch that cannot be read or written.
    pub fn finish(
        mut self,
        models: BTreeMap<String, String>,
        files: BTreeMap<PathBuf, u64>,
    ) -> Result<Manifest, StoreError> {
        let connection = self.store.connect()?;
        self.manifest.tables = written(&connection, self.manifest.from.unwrap_or_default())?;
        let evaluations = self.store.evaluations_since_the_run()?;
        if evaluations > 0 {
            self.manifest.tables.insert(PREDICTIONS.into(), evaluations);
        }
        self.manifest.finished = Some(connection.query_row("SELECT CURRENT_TIMESTAMP", [], |row| row.get(0))?);
        (self.manifest.models, self.manifest.files) = (models, files);
        self.write()?;
        Ok(self.manifest)
    }

    fn write(&self) -> Result<(), StoreError> {
        manifest::write(&self.store.dir().join(SHARD_FILE), &self.manifest)
    }
}

/// The tables that were written to, or made, after a snapshot, and the rows that they got.
fn written(connection: &Connection, from: i64) -> Result<BTreeMap<String, u64>, StoreError> {
    let mut statement = connection.prepare(
        "SELECT t.table_name, coalesce(sum(f.record_count), 0) FROM ducklake_table t
         LEFT JOIN ducklake_data_file f ON f.table_id = t.table_id AND f.end_snapshot IS NULL AND f.begin_snapshot > ?1
         WHERE t.end_snapshot IS NULL AND (t.begin_snapshot > ?1 OR f.data_file_id IS NOT NULL)
         GROUP BY t.table_name",
    )?;
    let rows = statement.query_map([from], |row| Ok((row.get(0)?, row.get::<_, i64>(1)?.unsigned_abs())))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

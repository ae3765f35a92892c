//! A query on several machines: the store lends them a copy of its catalog, each works in a branch of its own, and what they computed is
//! taken back. Only the client opens the catalog of the store itself.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::manifest::Plan;
use super::{RUN_FILE, SHARD_FILE, Shard, branch, is_draft, manifest, refused, run_folder};
use crate::StoreError;
use crate::lake::Store;

/// The place of the copy of a catalog. All machines see the store under the same path.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Lent {
    store: PathBuf,
    run: String,
}

/// What the run of a query is called, before its number. With the point it is in no list of runs.
const PREFIX: &str = ".query-";

impl Store {
    /// Leaves a copy of the catalog in the store's folder, for one query.
    ///
    /// # Errors
    /// A store that may not be written to.
    pub fn lend(&self) -> Result<Lent, StoreError> {
        self.writer()?;
        let unique = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).map_or(0, |d| d.as_nanos());
        let run = format!("{PREFIX}{}-{unique}", std::process::id());
        self.begin_run(&run, Shard::WHOLE, "sql")?;
        Ok(Lent { store: self.dir().to_owned(), run })
    }

    /// Takes over what models answered in the branches, and what took long there; then nothing is left of the copy. `each` is called
    /// with the folder of every branch before. How many predictions the branches made, each for itself.
    ///
    /// # Errors
    /// A branch that cannot be read: the copy stays then.
    pub fn take_back(&self, lent: &Lent, mut each: impl FnMut(&Path)) -> Result<u64, StoreError> {
        let mut predictions = 0;
        for dir in lent.branches() {
            each(&dir);
            predictions += self.take_over(&lent.run, &dir, None)?;
        }
        let folder = self.run_folder(&lent.run);
        std::fs::remove_dir_all(&folder).map_err(|e| StoreError::io(&folder, e))?;
        Ok(predictions)
    }
}

impl Lent {
    /// The folders of its branches, those that are there now.
    pub fn branches(&self) -> Vec<PathBuf> {
        let entries = std::fs::read_dir(run_folder(&self.store, &self.run)).into_iter().flatten().flatten();
        let dirs = entries.map(|entry| entry.path());
        dirs.filter(|dir| !is_draft(dir) && dir.join(SHARD_FILE).is_file()).collect()
    }

    /// The branch of `worker`, opened; it is made at first.
    ///
    /// # Errors
    /// A folder that this machine does not see, a copy by another version of the program, a query that has ended.
    pub async fn branch(&self, worker: &str) -> Result<Store, StoreError> {
        let folder = run_folder(&self.store, &self.run);
        let plan: Plan =
            manifest::read(&folder.join(RUN_FILE))?.ok_or_else(|| StoreError::Missing { dir: folder.clone() })?;
        let here = env!("CARGO_PKG_VERSION");
        if plan.version != here {
            let message = format!("this is version {here} of the program, and the query is by {}", plan.version);
            return Err(refused(&self.run, message));
        }
        let dir = folder.join(worker);
        if manifest::main_store(&dir)?.is_none() {
            branch::make(&self.store, &dir, Shard::WHOLE, plan)?;
        }
        Store::open(&dir).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crystal::ContentHash;

    #[tokio::test(flavor = "multi_thread")]
    async fn what_a_branch_learns_comes_back_and_nothing_is_left() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::init(&dir.path().join("s")).await.unwrap();
        store.predictions().unwrap().put("m", &[(ContentHash(1), -1.0)]).unwrap();
        let lent = store.lend().unwrap();
        let text = serde_json::to_string(&lent).unwrap();
        for (worker, crystal) in [("a", 2), ("b", 3)] {
            let lent: Lent = serde_json::from_str(&text).unwrap();
            let branch = lent.branch(worker).await.unwrap();
            assert_eq!(branch.models_folder(), store.models_folder());
            let cache = branch.predictions().unwrap();
            assert_eq!(cache.get("m", &[ContentHash(1)]).unwrap().len(), 1, "what the store knew is known");
            cache.put("m", &[(ContentHash(crystal), f64::from(crystal as u32))]).unwrap();
        }
        let mut branches = 0;
        assert_eq!(store.take_back(&lent, |_| branches += 1).unwrap(), 2, "what was known is not counted");
        let hashes = [1, 2, 3].map(ContentHash);
        assert_eq!((branches, store.predictions().unwrap().get("m", &hashes).unwrap().len()), (2, 3));
        assert!(std::fs::read_dir(store.dir().join("shards")).unwrap().next().is_none());
        assert!(lent.branch("late").await.is_err(), "the query has ended");
    }
}

//! Where a job works: over the whole store, or in the branch of one shard.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::cli::CliError;
use crate::cli::args::{At, Sharded};
use crate::cli::console::note;
use crate::sql::Session;
use crate::store::{Branch, Shard, Store};

/// A store with a session over it.
pub struct Place {
    pub store: Store,
    pub session: Session,
    branch: Option<(Branch, Shard)>,
}

/// Where the job `command`, all of its options in it, is to work; `None` where its shard is done already.
pub(crate) async fn place(
    store: Option<&Path>,
    at: At,
    sharded: &Sharded,
    command: &str,
) -> Result<Option<Place>, CliError> {
    let part = sharded.part(|name| std::env::var(name).ok())?;
    let Some((run, shard)) = part else {
        let (store, session) = super::session(store, at).await?;
        return Ok(Some(Place { store, session, branch: None }));
    };
    let snapshot = at.snapshot.map(|snapshot| format!(" at snapshot {snapshot}")).unwrap_or_default();
    let branch = super::open(store).await?.branch(&run, shard, &format!("{command}{snapshot}")).await?;
    if branch.manifest().finished.is_some() {
        note(&format!("shard {shard} of run {run} is done already"));
        return Ok(None);
    }
    let store = branch.store().clone();
    super::tell_of_waiting(&store);
    let session = super::session_of(&store, at.snapshot).await?;
    Ok(Some(Place { store, session, branch: Some((branch, shard)) }))
}

impl Place {
    /// The shard, where there is one.
    pub(crate) fn shard(&self) -> Option<Shard> {
        self.branch.as_ref().map(|(_, shard)| *shard)
    }

    /// A condition on the rows, and that they are of the shard.
    pub(crate) fn condition(&self, given: Option<String>) -> Option<String> {
        match (self.shard().map(|shard| shard.condition("structure_hash")), given) {
            (Some(shard), Some(given)) => Some(format!("({given}) AND {shard}")),
            (shard, given) => shard.or(given),
        }
    }

    /// Says that the job is done, and which files it wrote beside the store.
    pub(crate) fn finish(self, files: BTreeMap<PathBuf, u64>) -> Result<(), CliError> {
        let Some((branch, shard)) = self.branch else { return Ok(()) };
        let done = branch.finish(self.session.loaded_models(), files)?;
        let run = &done.plan.run;
        note(&format!("shard {shard} of run {run} is done; when all are: hollandite merge {run}"));
        Ok(())
    }
}

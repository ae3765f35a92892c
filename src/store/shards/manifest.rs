//! What a run and each of its shards say of themselves, as JSON.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::{SHARD_FILE, Shard};
use crate::StoreError;

/// What a run asks: the same in every one of its shards.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// Its name.
    pub run: String,
    /// Shards in all.
    pub shards: u32,
    /// Version of the program.
    pub version: String,
    /// Snapshot of the store that it found.
    pub snapshot: i64,
    /// When that snapshot was made: two stores have the same numbers.
    pub snapshot_time: String,
    /// The command with its options.
    pub command: String,
    /// When it began, UTC.
    pub begun: String,
}

/// What a shard did.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// What all shards ask.
    #[serde(flatten)]
    pub plan: Plan,
    /// Its number, from 1.
    pub shard: u32,
    /// The store that it is a branch of.
    pub store: PathBuf,
    /// The snapshot of the branch before the job; `None` before it has begun.
    pub from: Option<i64>,
    /// When it was finished, UTC; `None` before.
    pub finished: Option<String>,
    /// Models that were used: name or path, and the hash of the content.
    pub models: BTreeMap<String, String>,
    /// Rows that were written, by table.
    pub tables: BTreeMap<String, u64>,
    /// Files that were written, and their rows.
    pub files: BTreeMap<PathBuf, u64>,
}

impl Manifest {
    /// Which shard it is.
    pub(super) fn part(&self) -> Option<Shard> {
        Shard::new(self.shard, self.plan.shards)
    }

    /// Rows in all.
    pub fn rows(&self) -> u64 {
        self.tables.values().chain(self.files.values()).sum()
    }
}

impl Plan {
    /// In what another plan differs, in words that follow "shard 3".
    pub(super) fn difference(&self, other: &Self) -> Option<String> {
        let Self { shards, version, snapshot, snapshot_time, command, .. } = other;
        if self.shards != *shards {
            return Some(format!("is one of {shards}, and the run has {} shards", self.shards));
        }
        if self.version != *version {
            return Some(format!("is by version {version} of the program, and the run by {}", self.version));
        }
        if (self.snapshot, &self.snapshot_time) != (*snapshot, snapshot_time) {
            let of = |snapshot, time: &str| format!("snapshot {snapshot} of {time}");
            let (here, there) = (of(self.snapshot, &self.snapshot_time), of(*snapshot, snapshot_time));
            return Some(format!("begins from {there}, and the run from {here}"));
        }
        (self.command != *command)
            .then(|| format!("asks something else,\n  {command}\nand the run\n  {}", self.command))
    }
}

/// Reads a file of JSON; `None` where there is none.
///
/// # Errors
/// A file that cannot be read, or says something else.
pub(super) fn read<T: DeserializeOwned>(path: &Path) -> Result<Option<T>, StoreError> {
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(e) => return Err(StoreError::io(path, e)),
    };
    serde_json::from_str(&text).map(Some).map_err(|e| StoreError::io(path, e))
}

/// Writes a file of JSON, whole or not at all.
///
/// # Errors
/// A folder that cannot be written to.
pub(super) fn write<T: Serialize>(path: &Path, value: &T) -> Result<(), StoreError> {
    let text = serde_json::to_string_pretty(value).map_err(|e| StoreError::io(path, e))?;
    let io = |e: std::io::Error| StoreError::io(path, e);
    let mut draft = tempfile::NamedTempFile::new_in(path.parent().unwrap_or(Path::new("."))).map_err(io)?;
    std::io::Write::write_all(&mut draft, format!("{text}\n").as_bytes()).map_err(io)?;
    draft.as_file().sync_all().map_err(io)?;
    // Temporary files are for their owner alone; a manifest is for all readers of the store.
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        draft.as_file().set_permissions(std::fs::Permissions::from_mode(0o644)).map_err(io)?;
    }
    draft.persist(path).map(drop).map_err(|e| io(e.error))
}

/// The store that the one in `dir` is a branch of; `None` where it is none.
///
/// # Errors
/// A manifest that cannot be read.
pub(crate) fn main_store(dir: &Path) -> Result<Option<PathBuf>, StoreError> {
    Ok(read::<Manifest>(&dir.join(SHARD_FILE))?.map(|manifest| manifest.store))
}

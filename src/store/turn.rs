//! Whose turn it is to write. The writer locks a lock file and writes into it who it is.

use std::fs::{File, TryLockError};
use std::io::Write;
use std::path::PathBuf;

use super::Store;
use super::holder::{Holder, WaitWatcher};
use super::layout::LOCK_FILE;
use crate::StoreError;

/// Locked by the featurizing process.
const FEATURES_LOCK_FILE: &str = "features.lock";

/// A turn. It ends when this is dropped, or, by the system, when the process ends in any way.
#[derive(Debug)]
pub struct Turn(File);

impl Turn {
    /// What has just been locked.
    fn taken(mut file: File) -> Self {
        // Only for those who wait to read: a turn is one without it.
        let _ = file.set_len(0).and_then(|()| file.write_all(Holder::line().as_bytes()));
        Self(file)
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let _ = self.0.set_len(0);
    }
}

impl Store {
    /// Takes the writer's turn after its holder, clears away what a killed writer left, and merges small files where
    /// there are many. Released when it is dropped, or by the system when the process ends in any way.
    ///
    /// # Errors
    /// A store that may not be written to.
    pub async fn lock(&self) -> Result<Turn, StoreError> {
        let turn = self.turn().await?;
        self.sweep()?;
        self.tidy().await;
        Ok(turn)
    }

    /// As [`Store::lock`], and leaves all files as they are.
    pub(super) async fn turn(&self) -> Result<Turn, StoreError> {
        self.wait_for(LOCK_FILE).await
    }

    /// Takes the featurizer's turn: its holder takes the writer's turn for each of its commits only.
    pub(super) async fn lock_features(&self) -> Result<Turn, StoreError> {
        self.wait_for(FEATURES_LOCK_FILE).await
    }

    /// Takes the writer's turn if it is free.
    pub(super) fn try_lock(&self) -> Result<Option<Turn>, StoreError> {
        self.take_at_once(LOCK_FILE)
    }

    /// Calls `watcher` whenever this store waits for another writer. The first one stays.
    pub fn watch_waiting(&self, watcher: Box<WaitWatcher>) {
        let _ = self.inner.waiting.0.set(watcher);
    }

    /// Takes the turn of a lock file, after its holder.
    pub(super) async fn wait_for(&self, lock: &str) -> Result<Turn, StoreError> {
        let (path, file) = self.lock_file(lock)?;
        let file = match file.try_lock() {
            Ok(()) => return Ok(Turn::taken(file)),
            Err(_) => {
                if let Some(watcher) = self.inner.waiting.0.get() {
                    let line = std::fs::read_to_string(&path).ok();
                    watcher(line.as_deref().and_then(Holder::parse).as_ref());
                }
                file
            }
        };
        // On a thread of its own: the holder may be a task of this very thread.
        let waited = tokio::task::spawn_blocking(move || file.lock().map(|()| file)).await;
        let waited = waited.unwrap_or_else(|e| Err(std::io::Error::other(e)));
        waited.map(Turn::taken).map_err(|e| StoreError::io(path, e))
    }

    /// Takes the turn of a lock file if it is free.
    pub(super) fn take_at_once(&self, lock: &str) -> Result<Option<Turn>, StoreError> {
        let (path, file) = self.lock_file(lock)?;
        match file.try_lock() {
            Ok(()) => Ok(Some(Turn::taken(file))),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(e)) => Err(StoreError::io(path, e)),
        }
    }

    fn lock_file(&self, name: &str) -> Result<(PathBuf, File), StoreError> {
        let path = self.dir().join(name);
        let file = File::options().create(true).append(true).open(&path).map_err(|e| StoreError::io(&path, e))?;
        Ok((path, file))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};
    use std::time::Duration;

    use super::*;

    #[tokio::test(flavor = "multi_thread")]
    async fn the_holder_is_shown_to_who_waits_and_the_turn_passes_on() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::init(&folder.path().join("store")).await.unwrap();
        let holders = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&holders);
        store.watch_waiting(Box::new(move |holder| seen.lock().unwrap().push(holder.cloned())));
        let turn = store.wait_for("writer.lock").await.unwrap();
        assert!(holders.lock().unwrap().is_empty() && store.take_at_once("writer.lock").unwrap().is_none());
        let other = store.clone();
        let waiting = tokio::spawn(async move { other.wait_for("writer.lock").await.map(drop) });
        while holders.lock().unwrap().is_empty() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let holder = holders.lock().unwrap()[0].clone().expect("the holder says who it is");
        assert_eq!(holder.process, std::process::id());
        let program = std::env::current_exe().unwrap();
        assert!(holder.command.contains(&*program.file_name().unwrap().to_string_lossy()), "{holder}");
        assert!(!waiting.is_finished());
        drop(turn);
        waiting.await.unwrap().unwrap();
        assert_eq!(std::fs::read_to_string(folder.path().join("store/writer.lock")).unwrap(), "");
    }
}

//! Whose turn it is to write. The writer locks a lock file and writes into it who it is.

use std::fs::{File, TryLockError};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::Store;
use crate::StoreError;

/// Locked by the writer.
pub(super) const LOCK_FILE: &str = "writer.lock";
/// Locked by the featurizing process.
const FEATURES_LOCK_FILE: &str = "features.lock";

/// Longest command line shown of another process, characters.
const COMMAND: usize = 160;

/// Who has the turn that another waits for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    /// Its process.
    pub process: u32,
    /// For how long it has had the turn.
    pub for_time: Duration,
    /// The command line that started it.
    pub command: String,
}

impl std::fmt::Display for Holder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let seconds = self.for_time.as_secs();
        let time = if seconds < 120 { format!("{seconds} s") } else { format!("{} min", seconds / 60) };
        write!(f, "process {}, which has written for {time}: {}", self.process, self.command)
    }
}

impl Holder {
    /// As a lock file says it.
    fn line() -> String {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        let mut words: Vec<String> = std::env::args_os().map(|word| word.to_string_lossy().into_owned()).collect();
        if let Some(program) = words.first_mut()
            && let Some(name) = Path::new(program.as_str()).file_name()
        {
            *program = name.to_string_lossy().into_owned();
        }
        let command: String = words.join(" ").replace(char::is_control, " ").chars().take(COMMAND).collect();
        format!("{} {now} {command}\n", std::process::id())
    }

    fn parse(line: &str) -> Option<Self> {
        let (process, rest) = line.trim_end().split_once(' ')?;
        let (since, command) = rest.split_once(' ')?;
        let since = UNIX_EPOCH + Duration::from_secs(since.parse().ok()?);
        let for_time = SystemTime::now().duration_since(since).unwrap_or_default();
        Some(Self { process: process.parse().ok()?, for_time, command: command.to_owned() })
    }
}

/// What is said of a wait.
pub fn waiting_for(holder: Option<&Holder>) -> String {
    match holder {
        Some(holder) => format!("waiting for {holder}"),
        None => "waiting for another process that writes to the store".to_owned(),
    }
}

/// Takes the holder that is waited for; `None` where the holder does not say.
pub type WaitWatcher = dyn Fn(Option<&Holder>) + Send + Sync;

/// The watcher of waits.
#[derive(Default)]
pub(super) struct Waiting(OnceLock<Box<WaitWatcher>>);

impl std::fmt::Debug for Waiting {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Waiting")
    }
}

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

    #[test]
    fn a_lock_file_of_other_content_names_no_holder() {
        for line in ["", "1", "x y z", "12 now hollandite"] {
            assert_eq!(Holder::parse(line), None, "{line:?}");
        }
        let holder = Holder::parse(&Holder::line()).unwrap();
        assert!(holder.to_string().starts_with(&format!("process {}, which has written for 0 s", holder.process)));
    }
}

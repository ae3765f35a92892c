//! Who has the turn to write, and who is told that another waits for it.

use std::path::Path;
use std::sync::OnceLock;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

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
    pub(super) fn line() -> String {
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

    /// Who a lock file names; `None` where it says something else.
    pub(super) fn parse(line: &str) -> Option<Self> {
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
pub(super) struct Waiting(pub(super) OnceLock<Box<WaitWatcher>>);

impl std::fmt::Debug for Waiting {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Waiting")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_file_of_other_content_names_no_holder() {
        for line in ["", "1", "x y z", "12 now hollandite"] {
            assert_eq!(Holder::parse(line), None, "{line:?}");
        }
        let holder = Holder::parse(&Holder::line()).unwrap();
        assert!(holder.to_string().starts_with(&format!("process {}, which has written for 0 s", holder.process)));
    }
}

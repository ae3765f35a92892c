//! Results that are longer than the terminal, through `$PAGER`.

use std::io::{Result, Write};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::look;
use crate::cli::bars::BesideBars;
use crate::stop::Stop;

/// The pager that runs, at most one at a time.
static RUNNING: Mutex<Option<Child>> = Mutex::new(None);

fn running() -> MutexGuard<'static, Option<Child>> {
    RUNNING.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Whether a pager has the terminal: a key that stops a query is its own then.
pub(crate) fn is_open() -> bool {
    running().as_mut().is_some_and(|child| matches!(child.try_wait(), Ok(None)))
}

/// Keeps text until it is longer than the terminal, and then hands it to a pager; text that stays shorter is printed.
pub struct Pager {
    kept: Vec<u8>,
    lines: usize,
    /// Lines that the terminal has.
    rows: usize,
    to: Option<ChildStdin>,
    /// Whether there is no pager, and the text is printed as it comes.
    plain: bool,
}

impl Pager {
    pub(crate) fn new() -> Self {
        let rows = look::terminal().map_or(usize::MAX, |(_, rows)| rows);
        Self { kept: Vec::new(), lines: 0, rows, to: None, plain: false }
    }

    fn open(&mut self) -> Result<()> {
        match start() {
            Some(to) => self.to = Some(to),
            None => self.plain = true,
        }
        let kept = std::mem::take(&mut self.kept);
        self.pass(&kept)
    }

    fn pass(&mut self, bytes: &[u8]) -> Result<()> {
        match &mut self.to {
            Some(to) => to.write_all(bytes),
            None => BesideBars(std::io::stdout()).write_all(bytes),
        }
    }
}

/// Starts the pager that the person's settings name, `less` where they name none; `None` where it does not start.
fn start() -> Option<ChildStdin> {
    let named = std::env::var("PAGER").unwrap_or_else(|_| "less".into());
    let mut words = named.split_whitespace();
    let mut command = Command::new(words.next()?);
    command.args(words).stdin(Stdio::piped());
    if std::env::var_os("LESS").is_none() {
        // End at once where it all fits, leave it on the screen, and let long lines run to the right.
        command.env("LESS", "FRSX");
    }
    let mut child = command.spawn().ok()?;
    let to = child.stdin.take();
    *running() = Some(child);
    to
}

impl Write for Pager {
    fn write(&mut self, bytes: &[u8]) -> Result<usize> {
        if self.to.is_some() || self.plain {
            self.pass(bytes)?;
            return Ok(bytes.len());
        }
        self.kept.extend_from_slice(bytes);
        self.lines += bytes.iter().filter(|b| **b == b'\n').count();
        if self.lines >= self.rows {
            self.open()?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> Result<()> {
        Ok(())
    }
}

impl Drop for Pager {
    fn drop(&mut self) {
        let stopped = Stop::current().is_given();
        if self.to.take().is_none() {
            if !stopped {
                // The reader of the terminal is gone where this fails.
                let _ = BesideBars(std::io::stdout()).write_all(&self.kept);
            }
            return;
        }
        // Until the person leaves it. The lock is not held meanwhile: whether a pager is open is asked in between.
        if stopped && let Some(child) = running().as_mut() {
            let _ = child.kill();
        }
        while is_open() {
            std::thread::sleep(std::time::Duration::from_millis(30));
        }
        *running() = None;
    }
}

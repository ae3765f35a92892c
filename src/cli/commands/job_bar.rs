//! What a job shows while it runs: a bar over what it has to do, where that is known, and its words.

use std::sync::Arc;

use crystal::progress::{Done, Progress};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::cli::console::{Console, listener};

/// A bar on stderr, where that is a terminal; a listener of the command gets it too.
pub struct JobBar(ProgressBar, Option<Arc<dyn Console>>);

impl JobBar {
    /// `words`: shown until the job reports progress.
    pub(crate) fn new(words: &'static str) -> Self {
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
        bar.set_message(words);
        Self(bar, listener())
    }

    /// Takes the bar away.
    pub(crate) fn close(&self) {
        self.0.finish_and_clear();
    }
}

impl Progress for JobBar {
    fn step(&self, said: &Done) {
        if let Some(console) = &self.1 {
            console.step(said);
        }
        let Done { done, of, unit, words } = said;
        let template = match (of, *unit) {
            (None, _) => "{spinner} {msg}  {elapsed}",
            (Some(_), "bytes") => "{bar:30} {bytes}/{total_bytes}  {msg}  {elapsed}",
            (Some(_), _) => "{bar:30} {pos}/{len} rows  {per_sec}  {elapsed}, {eta} to go",
        };
        if self.0.length() != *of || of.is_none() {
            self.0.set_style(ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar()));
        }
        if let Some(of) = of {
            self.0.set_length(*of);
        }
        self.0.set_position(*done);
        self.0.set_message(words.clone());
        self.0.tick();
    }
}

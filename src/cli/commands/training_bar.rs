//! The bar of a training on stderr, with lines above it; a listener of the command gets it too.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::cli::console::{Console, listener};
use crate::progress::Done;
use crate::stop::Stop;

/// What a training shows while it runs.
pub struct TrainingBar {
    /// As it is drawn.
    pub bar: ProgressBar,
    /// Whether the training must end.
    pub stop: Stop,
    console: Option<Arc<dyn Console>>,
}

impl TrainingBar {
    /// Drawn by `template`.
    pub(crate) fn new(template: &str) -> Self {
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
        bar.set_style(ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar()));
        bar.enable_steady_tick(Duration::from_millis(500));
        Self { bar, stop: Stop::current(), console: listener() }
    }

    /// So many of the crystals that `prefix` goes over.
    pub(crate) fn crystals(&self, prefix: String, message: String, done: usize, total: usize) {
        if let Some(console) = &self.console {
            let words = format!("{prefix}, {message}");
            console.step(&Done { done: done as u64, of: Some(total as u64), unit: "crystals", words });
        }
        if done <= self.bar.position() as usize {
            self.bar.reset();
        }
        self.bar.set_prefix(prefix);
        self.bar.set_message(message);
        self.bar.set_length(total as u64);
        self.bar.set_position(done as u64);
    }

    /// A line, on a terminal above the bar, elsewhere plainly: an epoch's is the log of a run in the background.
    pub(crate) fn line(&self, text: &str) {
        match &self.console {
            Some(console) => console.note(text),
            None if self.bar.is_hidden() => eprintln!("{text}"),
            None => self.bar.println(text),
        }
    }

    /// Whether the training goes on.
    pub(crate) fn flow(&self) -> ControlFlow<()> {
        if self.stop.is_given() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }

    /// Takes the bar away.
    pub(crate) fn close(&self) {
        self.bar.finish_and_clear();
    }
}

//! What a pass over a table shows while it runs: a bar over the rows it has to do.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::sql::{EvaluateProgress, FeaturizeProgress};

/// Rows done and to do; featurizing counts a row for every feature.
pub struct RowsBar(ProgressBar);

impl RowsBar {
    /// A bar on stderr, where that is a terminal.
    pub fn new() -> Self {
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
        let style = ProgressStyle::with_template("{bar:30} {pos}/{len} rows  {per_sec}  {elapsed}, {eta} to go");
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        Self(bar)
    }

    /// Takes the bar away.
    pub fn close(&self) {
        self.0.finish_and_clear();
    }

    /// Shows how far it is.
    pub fn show(&self, done: u64, total: u64) {
        self.0.set_length(total);
        self.0.set_position(done);
    }
}

impl FeaturizeProgress for RowsBar {
    fn step(&self, done: u64, total: u64) {
        self.show(done, total);
    }
}

impl EvaluateProgress for RowsBar {
    fn step(&self, done: u64, total: u64) {
        self.show(done, total);
    }
}

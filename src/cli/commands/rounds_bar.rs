//! What a batch of relaxations shows while it runs: how many crystals are done, and in which step the others are.

use std::ops::ControlFlow;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::adsorption::Round;

/// Crystals done and to do.
pub struct RoundsBar(ProgressBar);

impl RoundsBar {
    /// A bar on stderr, where that is a terminal; it goes away when the last crystal of a batch is done.
    pub fn new() -> Self {
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
        let style = ProgressStyle::with_template("{bar:30} {pos}/{len} crystals relaxed, {msg}  {elapsed}");
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        Self(bar)
    }

    /// Shows a round.
    pub fn show(&self, round: Round) -> ControlFlow<()> {
        if round.active == 0 {
            self.0.finish_and_clear();
            self.0.reset();
        } else {
            self.0.set_length(round.of as u64);
            self.0.set_position((round.of - round.active) as u64);
            self.0.set_message(format!("step {}", round.step));
        }
        ControlFlow::Continue(())
    }
}

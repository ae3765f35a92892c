//! What a training shows while it runs: a bar over the crystals of an epoch, a line for every epoch with the time that is left,
//! and the learning curve on disk.

use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use indicatif::HumanDuration;

use super::training_bar::TrainingBar;
use crate::models::behind;
use crate::models::train::{Epoch, Observer};
use crate::report::plots;

/// The progress of one training.
pub struct Bar {
    bar: TrainingBar,
    epochs: usize,
    curve: PathBuf,
    unit: String,
    history: Mutex<Vec<Epoch>>,
}

impl Bar {
    /// Of a run of `epochs` whose learning curve is drawn to `curve` after each. `unit`: of the label.
    pub(crate) fn new(epochs: usize, curve: PathBuf, unit: String) -> Self {
        let bar = TrainingBar::new("{prefix} {bar:30} {pos}/{len}  {msg}  {eta} left of the epoch");
        Self { bar, epochs, curve, unit, history: Mutex::default() }
    }

    /// Takes the bar away.
    pub(crate) fn close(&self) {
        self.bar.close();
    }

    fn history(&self) -> MutexGuard<'_, Vec<Epoch>> {
        self.history.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Observer for Bar {
    fn step(&self, epoch: usize, done: usize, total: usize, loss: f64) {
        self.bar.crystals(format!("epoch {epoch}/{}", self.epochs), format!("loss {loss:.4}"), done, total);
    }

    fn epoch(&self, epoch: &Epoch) -> ControlFlow<()> {
        let mut history = self.history();
        history.push(*epoch);
        self.bar.line(&format!(
            "epoch {:4}  loss {:.4}  validation RMSE {:.4} MAE {:.4}{}  learning rate {:.2e}  {:.0} s  at most {} left",
            epoch.epoch,
            epoch.train_loss,
            epoch.validation_rmse,
            epoch.validation_mae,
            behind(&self.unit),
            epoch.learning_rate,
            epoch.seconds,
            HumanDuration(left(&history, self.epochs))
        ));
        // A curve that cannot be drawn now is no reason to lose a training: it is drawn again at the end.
        let _ = plots::learning_curve(&history, &self.unit).save(&self.curve);
        self.bar.flow()
    }

    fn resumed(&self, history: &[Epoch]) {
        *self.history() = history.to_vec();
    }

    fn note(&self, message: &str) {
        self.bar.line(message);
    }
}

/// Time for the epochs that remain, at the pace of the last five.
fn left(history: &[Epoch], epochs: usize) -> Duration {
    let last = &history[history.len().saturating_sub(5)..];
    let pace = last.iter().map(|e| e.seconds).sum::<f64>() / last.len().max(1) as f64;
    let done = history.last().map_or(0, |e| e.epoch);
    Duration::from_secs_f64((pace * epochs.saturating_sub(done) as f64).max(0.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_follows_the_pace_of_the_last_epochs() {
        let epoch = |epoch, seconds| Epoch {
            epoch,
            train_loss: 0.1,
            validation_rmse: 0.2,
            validation_mae: 0.1,
            learning_rate: 1e-3,
            seconds,
        };
        let history: Vec<Epoch> = (1..=10).map(|k| epoch(k, if k <= 5 { 100.0 } else { 2.0 })).collect();
        assert_eq!(left(&history, 30), Duration::from_secs(40));
        assert_eq!(left(&history, 10), Duration::ZERO);
        assert_eq!(left(&[], 30), Duration::ZERO);
    }

    #[test]
    fn the_curve_is_on_disk_after_every_epoch() {
        let folder = tempfile::tempdir().unwrap();
        let bar = Bar::new(3, folder.path().join("learning.svg"), "eV".into());
        let epoch = Epoch {
            epoch: 1,
            train_loss: 0.1,
            validation_rmse: 0.2,
            validation_mae: 0.1,
            learning_rate: 1e-3,
            seconds: 1.0,
        };
        assert!(bar.epoch(&epoch).is_continue());
        let svg = std::fs::read_to_string(folder.path().join("learning.svg")).unwrap();
        assert!(svg.contains("<svg") && svg.contains("validation error, eV\n"), "{svg}");
    }
}

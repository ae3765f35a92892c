//! Trials one after the other: settings are proposed, fitted, pruned where hopeless, and recorded after every epoch, so that a killed study
//! goes on.
//!
//! A study knows nothing of networks: what fits is a function of settings that reports each epoch, and where trials are kept is a
//! [`Journal`].

use std::ops::ControlFlow;

use super::{
    pruning::Pruning,
    search::{Seen, propose},
    space::{Settings, Space},
};
use crate::ModelError;

/// Where a trial stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Not over; its process may have ended.
    Running,
    /// Fitted to its end.
    Done,
    /// Pruned: it would not have become the best.
    Pruned,
    /// Could not be fitted.
    Failed,
}

impl State {
    /// Every state with its name in the store.
    pub const NAMES: [(&'static str, Self); 4] =
        [("running", Self::Running), ("done", Self::Done), ("pruned", Self::Pruned), ("failed", Self::Failed)];

    /// Name in the store.
    pub fn name(self) -> &'static str {
        Self::NAMES.iter().find(|(_, state)| *state == self).map_or("", |(name, _)| name)
    }
}

/// One set of settings and how well it did.
#[derive(Debug, Clone, PartialEq)]
pub struct Trial {
    /// Place in the study, from 1.
    pub number: usize,
    /// What was tried.
    pub settings: Settings,
    /// Where it stands.
    pub state: State,
    /// Validation error of each epoch, eV/atom.
    pub curve: Vec<f64>,
    /// Time spent, seconds.
    pub seconds: f64,
    /// Why it failed.
    pub reason: Option<String>,
}

impl Trial {
    /// The epoch of the lowest error, from 1, and that error; `None` before the first.
    pub fn best(&self) -> Option<(usize, f64)> {
        let numbers = (1..).zip(self.curve.iter().copied()).filter(|(_, error)| error.is_finite());
        numbers.min_by(|a, b| a.1.total_cmp(&b.1))
    }

    /// The lowest error, eV/atom.
    pub fn error(&self) -> Option<f64> {
        self.best().map(|(_, error)| error)
    }
}

/// The best of the trials that were fitted to their end.
pub fn winner(trials: &[Trial]) -> Option<&Trial> {
    let done = trials.iter().filter(|t| t.state == State::Done && t.error().is_some());
    done.min_by(|a, b| a.error().unwrap_or(f64::INFINITY).total_cmp(&b.error().unwrap_or(f64::INFINITY)))
}

/// What is searched, and how.
#[derive(Debug, Clone)]
pub struct Study {
    /// What may be chosen.
    pub space: Space,
    /// Of the proposals.
    pub seed: u64,
    /// Epochs of a trial that is not pruned.
    pub epochs: usize,
    /// When one is.
    pub pruning: Pruning,
}

/// Where the trials of a study are kept.
pub trait Journal: Sync {
    /// Every trial, by number; at most the last is running.
    ///
    /// # Errors
    /// What cannot be read.
    fn trials(&self) -> Result<Vec<Trial>, ModelError>;
    /// Keeps a trial, in place of what was kept of it before.
    ///
    /// # Errors
    /// What cannot be written.
    fn write(&self, trial: &Trial) -> Result<(), ModelError>;
}

/// Called in the course of a study.
pub trait TrialObserver: Sync {
    /// A trial begins, or goes on; `best` is the best of those before.
    fn begins(&self, trial: &Trial, best: Option<&Trial>);
    /// `done` of `total` crystals of an epoch of it have been fitted.
    fn step(&self, epoch: usize, done: usize, total: usize);
    /// An epoch of it is over.
    fn epoch(&self, trial: &Trial);
    /// It is over.
    fn ends(&self, trial: &Trial);
    /// Whether the study should stop at the end of the epoch.
    fn stop(&self) -> bool;
}

/// What a fit reports.
#[derive(Debug, Clone, PartialEq)]
pub enum FitEvent {
    /// It goes on where an earlier process left it: the validation errors of the epochs so far, eV/atom.
    Resumed(Vec<f64>),
    /// One more epoch: validation error, eV/atom, and seconds.
    Epoch(f64, f64),
}

/// Called in the course of a fit, answers whether to go on.
pub type Tell<'a> = &'a mut (dyn FnMut(FitEvent) -> ControlFlow<()> + Send);

/// Trials in a row from the beginning that may fail before the study itself is at fault.
const FAILURES: usize = 3;

impl Study {
    /// Tries until there are `wanted` trials, those of the journal included; returns all of them. `fit` fits the settings of a
    /// trial, going on where an earlier process left it, and ends when `tell` breaks. A training that fails is a failed trial; any other
    /// error ends the study.
    ///
    /// # Errors
    /// Of the journal, of `fit`, or a study whose every trial fails.
    pub fn run(
        &self,
        wanted: usize,
        journal: &dyn Journal,
        watcher: &dyn TrialObserver,
        mut fit: impl FnMut(&Trial, Tell) -> Result<(), ModelError>,
    ) -> Result<Vec<Trial>, ModelError> {
        let mut trials = journal.trials()?;
        while let Some(trial) = self.next(&mut trials, wanted) {
            watcher.begins(&trial, winner(&trials));
            journal.write(&trial)?;
            let (trial, stopped) = self.attempt(trial, &trials, journal, watcher, &mut fit)?;
            if trial.state != State::Running {
                journal.write(&trial)?;
                watcher.ends(&trial);
            }
            trials.push(trial);
            if let Some(last) = trials.last().filter(|_| trials.len() >= FAILURES)
                && trials.iter().all(|t| t.state == State::Failed)
            {
                let reason = last.reason.clone().unwrap_or_default();
                return Err(ModelError::Training(format!("every trial so far failed; the last: {reason}")));
            }
            if stopped {
                break;
            }
        }
        Ok(trials)
    }

    /// The trial to work at: the one that is not over, which is taken off the list, or a new one; `None` where there are
    /// `wanted`, or every setting has been tried.
    fn next(&self, trials: &mut Vec<Trial>, wanted: usize) -> Option<Trial> {
        if let Some(running) = trials.pop_if(|last| last.state == State::Running) {
            return Some(running);
        }
        if trials.len() >= wanted {
            return None;
        }
        let seen: Vec<Seen> = trials.iter().map(|t| (t.settings.clone(), t.error())).collect();
        let settings = propose(&self.space, self.seed, &seen)?;
        let number = trials.len() + 1;
        Some(Trial { number, settings, state: State::Running, curve: Vec::new(), seconds: 0.0, reason: None })
    }

    /// Fits `trial` until it is over, or the study is to stop; whether it is, too.
    fn attempt(
        &self,
        mut trial: Trial,
        before: &[Trial],
        journal: &dyn Journal,
        watcher: &dyn TrialObserver,
        fit: &mut impl FnMut(&Trial, Tell) -> Result<(), ModelError>,
    ) -> Result<(Trial, bool), ModelError> {
        let earlier: Vec<&[f64]> = before.iter().map(|t| t.curve.as_slice()).collect();
        // A process may have died between the verdict and its record.
        let mut pruned = self.pruning.prunes(&trial.curve, self.epochs, &earlier);
        let (mut stopped, mut diverged, mut fault) = (false, false, None);
        if !pruned {
            let begun = trial.clone();
            let fitted = fit(&begun, &mut |event| {
                match event {
                    // The checkpoint counts: a process may have died between it and its record here.
                    FitEvent::Resumed(curve) => trial.curve = curve,
                    FitEvent::Epoch(error, seconds) if !pruned => {
                        trial.curve.push(error);
                        trial.seconds += seconds;
                        watcher.epoch(&trial);
                        fault = journal.write(&trial).err();
                        stopped = watcher.stop();
                        // Weights that are no numbers never become numbers again.
                        diverged = !error.is_finite();
                    }
                    FitEvent::Epoch(..) => {}
                }
                pruned |= self.pruning.prunes(&trial.curve, self.epochs, &earlier);
                let over = pruned || stopped || diverged || fault.is_some();
                if over { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
            });
            match (fault, fitted) {
                (Some(fault), _) => return Err(fault),
                (_, Err(ModelError::Training(reason))) => trial.reason = Some(reason),
                (_, fitted) => fitted?,
            }
        }
        if diverged {
            let epoch = trial.curve.len();
            trial.reason = Some(format!("diverged: the validation error of epoch {epoch} is not a number"));
        }
        trial.state = match trial.reason {
            Some(_) => State::Failed,
            None if pruned => State::Pruned,
            None if stopped && trial.curve.len() < self.epochs => State::Running,
            None => State::Done,
        };
        Ok((trial, stopped))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::super::space::Domain;
    use super::*;

    #[derive(Default)]
    struct Memory(Mutex<Vec<Trial>>);

    impl Journal for Memory {
        fn trials(&self) -> Result<Vec<Trial>, ModelError> {
            Ok(self.0.lock().unwrap().clone())
        }
        fn write(&self, trial: &Trial) -> Result<(), ModelError> {
            let mut trials = self.0.lock().unwrap();
            trials.retain(|t| t.number != trial.number);
            trials.push(trial.clone());
            Ok(())
        }
    }

    /// Stops after so many epochs of all trials.
    struct Patience(AtomicUsize);

    impl TrialObserver for Patience {
        fn begins(&self, _: &Trial, _: Option<&Trial>) {}
        fn step(&self, _: usize, _: usize, _: usize) {}
        fn epoch(&self, _: &Trial) {
            self.0.fetch_sub(1, Ordering::Relaxed);
        }
        fn ends(&self, _: &Trial) {}
        fn stop(&self) -> bool {
            self.0.load(Ordering::Relaxed) == 0
        }
    }

    fn study(pruning: Pruning) -> Study {
        let space = Space::default()
            .with("rate", Domain::Log { low: 1e-4, high: 1e-1 })
            .with("width", Domain::Steps { low: 32, high: 256, step: 32 });
        Study { space, seed: 11, epochs: 27, pruning }
    }

    /// Falls towards a limit that the settings decide. `checkpoint` is how far an earlier process came; the process dies after the
    /// checkpoint of epoch `dies`, before it reports it.
    fn curve(settings: &Settings, tell: Tell, checkpoint: &mut usize, dies: usize) {
        let number = |name: &str| settings[name].number().unwrap();
        let limit = 0.1 + 0.02 * (number("rate") / 3e-3).ln().powi(2) + 0.001 * (number("width") - 160.0).abs();
        let error = |epoch: usize| limit * (1.0 + 2.0 / epoch as f64);
        let _ = tell(FitEvent::Resumed((1..=*checkpoint).map(error).collect()));
        while *checkpoint < 27 {
            *checkpoint += 1;
            if *checkpoint == dies || tell(FitEvent::Epoch(error(*checkpoint), 1.0)).is_break() {
                break;
            }
        }
    }

    fn whole(pruning: Pruning, wanted: usize) -> Vec<Trial> {
        let never = Patience(AtomicUsize::new(usize::MAX));
        let fit = |trial: &Trial, tell: Tell| {
            curve(&trial.settings, tell, &mut 0, 0);
            Ok(())
        };
        study(pruning).run(wanted, &Memory::default(), &never, fit).unwrap()
    }

    #[test]
    fn a_study_that_is_stopped_anywhere_has_the_trials_of_a_whole_one() {
        for pruning in [Pruning::None, Pruning::Median, Pruning::Halving] {
            let expected = whole(pruning, 12);
            assert_eq!(expected.len(), 12);
            let journal = Memory::default();
            let (mut at, mut checkpoint) = (0, 0);
            for pause in 1..500 {
                let watcher = Patience(AtomicUsize::new(1 + pause % 7));
                let fit = |trial: &Trial, tell: Tell| {
                    if trial.number != at {
                        (at, checkpoint) = (trial.number, 0);
                    }
                    let dies = if pause % 3 == 0 { checkpoint + 1 } else { 0 };
                    curve(&trial.settings, tell, &mut checkpoint, dies);
                    if checkpoint == dies { Err(ModelError::io("")("dead")) } else { Ok(()) }
                };
                let _ = study(pruning).run(12, &journal, &watcher, fit);
            }
            let same = |trial: &Trial| (trial.number, trial.settings.clone(), trial.state, trial.curve.clone());
            let found = journal.trials().unwrap();
            assert_eq!(found.iter().map(same).collect::<Vec<_>>(), expected.iter().map(same).collect::<Vec<_>>());
        }
    }

    #[test]
    fn pruning_saves_epochs_and_loses_little() {
        let cost = |trials: &[Trial]| trials.iter().map(|t| t.curve.len()).sum::<usize>();
        let full = whole(Pruning::None, 25);
        assert_eq!(cost(&full), 25 * 27);
        let lowest = winner(&full).unwrap().error().unwrap();
        for (pruning, share) in [(Pruning::Median, 0.95), (Pruning::Halving, 0.9)] {
            let trials = whole(pruning, 25);
            let best = winner(&trials).unwrap();
            assert!((cost(&trials) as f64) < share * 25.0 * 27.0, "{pruning:?}: {}", cost(&trials));
            assert!(best.state == State::Done && best.curve.len() == 27);
            assert!(best.error().unwrap() < 1.15 * lowest, "{pruning:?}: {:?} against {lowest}", best.error());
        }
    }

    #[test]
    fn a_failed_training_is_a_failed_trial_and_nothing_but_failures_is_an_error() {
        let never = || Patience(AtomicUsize::new(usize::MAX));
        let fit = |trial: &Trial, tell: Tell| match trial.number {
            2 => Err(ModelError::Training("too wide".into())),
            3 => {
                let _ = tell(FitEvent::Epoch(f64::NAN, 1.0));
                Ok(())
            }
            _ => {
                curve(&trial.settings, tell, &mut 0, 0);
                Ok(())
            }
        };
        let trials = study(Pruning::Median).run(6, &Memory::default(), &never(), fit).unwrap();
        assert_eq!((trials[1].state, trials[2].state), (State::Failed, State::Failed));
        assert_eq!(trials[1].reason.as_deref(), Some("too wide"));
        assert!(trials[2].reason.as_ref().is_some_and(|r| r.contains("epoch 1")) && trials[0].state == State::Done);

        let journal = Memory::default();
        let fails = |_: &Trial, _: Tell| Err(ModelError::Training("too few crystals".into()));
        let message = study(Pruning::None).run(6, &journal, &never(), fails).unwrap_err().to_string();
        assert!(message.contains("too few crystals") && journal.trials().unwrap().len() == 3, "{message}");
    }
}

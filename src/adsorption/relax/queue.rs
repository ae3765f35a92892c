//! Many relaxations: a few go in lock-step while the others wait, so that the first are done, and can be kept, long before the
//! last.

use std::{collections::VecDeque, ops::ControlFlow};

use super::{RelaxOptions, Relaxed, Run};
use crate::AdsorptionError;
use crystal::Structure;
use models::potential::Potential;

/// Crystals on their way at a time, for each thread: enough that no thread waits long for the largest of a round.
pub(super) const AT_ONCE: usize = 4;

/// How far a batch is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Round {
    /// Rounds before this one; where no crystal has to wait, the steps taken so far.
    pub step: usize,
    /// Relaxations that are not done, as far as is known.
    pub active: usize,
    /// Relaxations of the whole batch, as far as is known.
    pub of: usize,
}

/// Follows a batch of relaxations: remembers how they end, learns how far they are, and may break off. A closure that takes a [`Round`]
/// remembers nothing.
pub trait Follower {
    /// The end of this very relaxation, where it is remembered.
    fn known(&mut self, _start: &Structure, _options: &RelaxOptions) -> Option<Relaxed> {
        None
    }

    /// A relaxation has ended, converged or out of steps.
    fn keep(&mut self, _start: &Structure, _options: &RelaxOptions, _end: &Relaxed) {}

    /// After every round: whether to go on.
    fn round(&mut self, round: Round) -> ControlFlow<()>;
}

impl<F: FnMut(Round) -> ControlFlow<()>> Follower for F {
    fn round(&mut self, round: Round) -> ControlFlow<()> {
        self(round)
    }
}

/// A relaxation to do.
pub(crate) struct Job {
    /// Key of its end.
    pub key: usize,
    /// Where it begins.
    pub structure: Structure,
    /// When it ends.
    pub options: RelaxOptions,
    /// How many jobs its end is expected to bring.
    pub then: usize,
}

/// Does `jobs`, and those that `ended` answers the end of one with: these come first, so that what belongs together is done
/// together.
pub(crate) fn run_all(
    potential: &dyn Potential,
    jobs: Vec<Job>,
    follower: &mut impl Follower,
    mut ended: impl FnMut(usize, Result<Relaxed, AdsorptionError>) -> Vec<Job>,
) -> ControlFlow<()> {
    let mut waiting: VecDeque<Job> = jobs.into();
    let mut on_their_way: Vec<(Job, Run)> = Vec::new();
    let (mut done, mut shown) = (0, None);
    for step in 0.. {
        while on_their_way.len() < AT_ONCE * rayon::current_num_threads()
            && let Some(job) = waiting.pop_front()
        {
            let begun = match follower.known(&job.structure, &job.options) {
                Some(end) => Err(Ok(end)),
                None => Run::new(&job.structure, &job.options).map_err(Err),
            };
            match begun {
                Ok(run) => on_their_way.push((job, run)),
                Err(end) => {
                    done += 1;
                    put_first(&mut waiting, ended(job.key, end));
                }
            }
        }
        if on_their_way.is_empty() {
            break;
        }
        let crystals: Vec<&Structure> = on_their_way.iter().map(|(_, run)| run.structure()).collect();
        let mut answers = potential.single_points(&crystals).into_iter();
        let mut left = Vec::with_capacity(on_their_way.len());
        for (job, mut run) in on_their_way {
            let answer = answers.next().map_or_else(|| Err(unanswered(potential)), |answer| Ok(answer?));
            let Some(end) = run.go_on(answer, &job.options) else {
                left.push((job, run));
                continue;
            };
            if let Ok(end) = &end {
                follower.keep(&job.structure, &job.options, end);
            }
            done += 1;
            put_first(&mut waiting, ended(job.key, end));
        }
        on_their_way = left;
        let jobs = on_their_way.iter().map(|(job, _)| job).chain(&waiting);
        let active = jobs.map(|job| 1 + job.then).sum();
        let round = Round { step, active, of: done + active };
        follower.round(round)?;
        shown = Some(round);
    }
    match shown {
        // What was left was remembered.
        Some(round) if round.active > 0 => follower.round(Round { active: 0, of: done, ..round }),
        _ => ControlFlow::Continue(()),
    }
}

fn put_first(waiting: &mut VecDeque<Job>, jobs: Vec<Job>) {
    jobs.into_iter().rev().for_each(|job| waiting.push_front(job));
}

pub(crate) fn unanswered(potential: &dyn Potential) -> AdsorptionError {
    AdsorptionError::Undefined(format!("{} gave fewer answers than it was asked for", potential.name()))
}

//! How far queries and commands are: kept where their threads leave it, and reported to Python by the waiting thread, so that no
//! worker ever waits for the interpreter.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use hollandite::adsorption::Round;
use hollandite::cli::python;
use hollandite::progress::Done;
use hollandite::sql::{RowsDone, Session};
use pyo3::prelude::*;

/// What was last said of each thing that is under way.
#[derive(Clone, Default)]
pub struct Progress(Arc<Mutex<State>>);

/// What a job is at; it does one thing at a time, and calls it by words that may count.
const JOB: &str = "job";

/// How far a thing is, and what it is called.
#[derive(Clone)]
struct At {
    what: String,
    done: u64,
    of: Option<u64>,
}

#[derive(Default)]
struct State {
    /// By a name that stays while it is under way.
    under_way: BTreeMap<String, At>,
    /// What ended, in its last state, and has not been reported.
    ended: Vec<(String, At)>,
    changed: bool,
    notes: Vec<String>,
}

impl Progress {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set(&self, name: &str, at: At) {
        let mut state = self.state();
        state.under_way.insert(name.to_owned(), at);
        state.changed = true;
    }

    fn end(&self, what: &str) {
        let mut state = self.state();
        if let Some(last) = state.under_way.remove_entry(what) {
            state.ended.push(last);
            state.changed = true;
        }
    }

    /// Listens to a session.
    pub fn watch(&self, session: &Session) {
        let rows = self.clone();
        session.watch_rows(Box::new(move |done: RowsDone<'_>| match done.ended {
            true => rows.end(done.what),
            false => rows.set(done.what, At { what: done.what.to_owned(), done: done.done, of: done.of }),
        }));
        let relaxing = self.clone();
        session.watch(Box::new(move |round: Round| {
            const WHAT: &str = "crystals relaxed";
            match round.active {
                0 => relaxing.end(WHAT),
                active => {
                    let (done, of) = ((round.of - active) as u64, Some(round.of as u64));
                    relaxing.set(WHAT, At { what: WHAT.to_owned(), done, of });
                }
            }
            ControlFlow::Continue(())
        }));
    }

    /// Reports to `listener` what changed: `listener(name, what, done, of)` of each that is or was under way since the last call, however
    /// short, then `listener.ended(name)` of what is no longer; and each remark to `listener.note(line)`.
    pub(crate) fn tell(&self, py: Python<'_>, listener: Option<&Py<PyAny>>) -> PyResult<()> {
        let (under_way, ended, notes) = {
            let mut state = self.state();
            if !std::mem::take(&mut state.changed) && state.notes.is_empty() {
                return Ok(());
            }
            (state.under_way.clone(), std::mem::take(&mut state.ended), std::mem::take(&mut state.notes))
        };
        let Some(listener) = listener else { return Ok(()) };
        for line in notes {
            listener.call_method1(py, "note", (line,))?;
        }
        for (name, At { what, done, of }) in ended {
            listener.call1(py, (&name, what, done, of))?;
            listener.call_method1(py, "ended", (name,))?;
        }
        for (name, At { what, done, of }) in under_way {
            listener.call1(py, (name, what, done, of))?;
        }
        Ok(())
    }

    /// Ends all that is under way.
    pub fn close(&self) {
        let mut state = self.state();
        let under_way = std::mem::take(&mut state.under_way);
        state.changed |= !under_way.is_empty();
        state.ended.extend(under_way);
    }

    /// Keeps remarks, one a line, until they can be reported.
    pub fn note(&self, line: &str) {
        self.state().notes.extend(python::words(line).lines().map(str::to_owned));
    }
}

impl hollandite::progress::Progress for Progress {
    fn step(&self, Done { done, of, unit, words }: &Done) {
        let what = if words.is_empty() { (*unit).to_owned() } else { words.clone() };
        self.set(JOB, At { what, done: *done, of: *of });
    }
}

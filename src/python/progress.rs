//! How far queries and commands are: kept where their threads leave it, and told to Python by the thread that waits for them, so that no
//! worker ever waits for the interpreter.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use hollandite::adsorption::Round;
use hollandite::cli::Console;
use hollandite::progress::Done;
use hollandite::sql::{RowsDone, Session};
use pyo3::prelude::*;

/// What was last said of each thing that is under way.
#[derive(Clone, Default)]
pub struct Progress(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    /// Done and to do, where that is known, by what is done.
    under_way: BTreeMap<String, (u64, Option<u64>)>,
    /// What ended, and has not been told.
    ended: Vec<String>,
    changed: bool,
    printed: String,
    notes: Vec<String>,
}

impl Progress {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set(&self, what: &str, done: u64, of: Option<u64>) {
        let mut state = self.state();
        state.under_way.insert(what.to_owned(), (done, of));
        state.changed = true;
    }

    fn end(&self, what: &str) {
        let mut state = self.state();
        if state.under_way.remove(what).is_some() {
            state.ended.push(what.to_owned());
            state.changed = true;
        }
    }

    /// Listens to a session.
    pub fn watch(&self, session: &Session) {
        let rows = self.clone();
        session.watch_rows(Box::new(move |done: RowsDone<'_>| match done.ended {
            true => rows.end(done.what),
            false => rows.set(done.what, done.done, done.of),
        }));
        let relaxing = self.clone();
        session.watch(Box::new(move |round: Round| {
            const WHAT: &str = "crystals relaxed";
            match round.active {
                0 => relaxing.end(WHAT),
                active => relaxing.set(WHAT, (round.of - active) as u64, Some(round.of as u64)),
            }
            ControlFlow::Continue(())
        }));
    }

    /// Tells `listener` what changed: `listener(what, done, of, ended)` for each, and each remark to `listener.note(line)`.
    pub fn tell(&self, py: Python<'_>, listener: Option<&Py<PyAny>>) -> PyResult<()> {
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
        for what in ended {
            listener.call1(py, (what, 0, py.None(), true))?;
        }
        for (what, (done, of)) in under_way {
            listener.call1(py, (what, done, of, false))?;
        }
        Ok(())
    }

    /// What was printed since the last call.
    pub fn take_printed(&self) -> String {
        std::mem::take(&mut self.state().printed)
    }

    /// Ends all that is under way.
    pub fn close(&self) {
        let mut state = self.state();
        let under_way = std::mem::take(&mut state.under_way);
        state.changed |= !under_way.is_empty();
        state.ended.extend(under_way.into_keys());
    }
}

impl Console for Progress {
    fn print(&self, text: &str) {
        self.state().printed.push_str(text);
    }

    fn note(&self, line: &str) {
        self.state().notes.push(line.to_owned());
    }
}

impl hollandite::progress::Progress for Progress {
    fn step(&self, Done { done, of, unit, words }: &Done) {
        let what = if words.is_empty() { *unit } else { words.as_str() };
        // One job does one thing at a time, and what it is called may count.
        let mut state = self.state();
        let others: Vec<String> = state.under_way.keys().filter(|known| *known != what).cloned().collect();
        for other in others {
            state.under_way.remove(&other);
            state.ended.push(other);
        }
        state.under_way.insert(what.to_owned(), (*done, *of));
        state.changed = true;
    }
}

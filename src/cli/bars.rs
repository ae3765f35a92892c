//! The progress bars of queries on a terminal, together, so that none is drawn over another or over a result.

use std::collections::HashMap;
use std::io::Write;
use std::ops::ControlFlow;
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::adsorption::Round;
use crate::sql::{RowsDone, Session};

static BARS: LazyLock<MultiProgress> = LazyLock::new(|| MultiProgress::with_draw_target(ProgressDrawTarget::stderr()));

/// How long a pass over rows goes on before it gets a bar: most end sooner.
const PATIENCE: Duration = Duration::from_millis(700);

/// Shows on standard error, where that is a terminal, what the queries of a session are at.
pub fn watch(session: &Session) {
    if BARS.is_hidden() {
        return;
    }
    let relaxing = Relaxing::new();
    session.watch(Box::new(move |round| relaxing.show(round)));
    let passes = Passes::default();
    session.watch_rows(Box::new(move |rows| passes.show(rows)));
}

/// A writer whose lines are not mixed with bars.
pub struct BesideBars<W>(pub W);

impl<W: Write> Write for BesideBars<W> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        BARS.suspend(|| self.0.write(bytes))
    }

    fn flush(&mut self) -> std::io::Result<()> {
        BARS.suspend(|| self.0.flush())
    }
}

fn styled(bar: ProgressBar, template: &str) -> ProgressBar {
    bar.set_style(ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar()));
    BARS.add(bar)
}

/// What a batch of relaxations shows while it runs: how many crystals are done, and in which step the others are.
pub struct Relaxing(ProgressBar);

impl Relaxing {
    /// A bar that goes away when the last crystal of a batch is done.
    pub fn new() -> Self {
        Self(styled(ProgressBar::no_length(), "{bar:30} {pos}/{len} crystals relaxed, {msg}  {elapsed}"))
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

/// What passes over rows show while they run.
#[derive(Clone, Default)]
struct Passes(Arc<Mutex<HashMap<String, Shown>>>);

/// A pass, and its bar where it lasts.
struct Shown {
    since: Instant,
    done: u64,
    of: Option<u64>,
    bar: Option<ProgressBar>,
}

impl Passes {
    fn all(&self) -> MutexGuard<'_, HashMap<String, Shown>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn show(&self, rows: RowsDone<'_>) {
        let mut passes = self.all();
        if rows.ended {
            if let Some(bar) = passes.remove(rows.what).and_then(|shown| shown.bar) {
                bar.finish_and_clear();
                BARS.remove(&bar);
            }
            return;
        }
        if let Some(shown) = passes.get_mut(rows.what) {
            shown.done = rows.done;
            if let Some(bar) = &shown.bar {
                bar.set_position(rows.done);
            }
            return;
        }
        let shown = Shown { since: Instant::now(), done: rows.done, of: rows.of, bar: None };
        passes.insert(rows.what.to_owned(), shown);
        // The next word may be a long time coming: a clock of its own gives the pass its bar.
        let (passes, what) = (self.clone(), rows.what.to_owned());
        std::thread::spawn(move || {
            std::thread::sleep(PATIENCE);
            if let Some(shown) = passes.all().get_mut(&what)
                && shown.since.elapsed() >= PATIENCE
            {
                shown.bar.get_or_insert_with(|| bar_of(&what, shown.of, shown.since)).set_position(shown.done);
            }
        });
    }
}

fn bar_of(what: &str, of: Option<u64>, since: Instant) -> ProgressBar {
    let bar = match of {
        Some(of) => {
            styled(ProgressBar::new(of), "{bar:30} {pos}/{len} rows  {per_sec}  {elapsed}, {eta} to go  {wide_msg}")
        }
        None => styled(ProgressBar::no_length(), "{spinner} {pos} rows  {per_sec}  {elapsed}  {wide_msg}"),
    };
    let bar = bar.with_elapsed(since.elapsed()).with_message(what.to_owned());
    bar.enable_steady_tick(Duration::from_millis(250));
    bar
}

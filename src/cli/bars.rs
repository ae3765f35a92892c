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
pub(crate) fn watch(session: &Session) {
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

/// The bars that are drawn, and whether there may be any.
#[derive(Default)]
struct Drawn {
    bars: Vec<ProgressBar>,
    /// Whether the user is typing where bars would be drawn.
    quiet: bool,
}

static DRAWN: Mutex<Drawn> = Mutex::new(Drawn { bars: Vec::new(), quiet: false });

fn drawn() -> MutexGuard<'static, Drawn> {
    DRAWN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Takes every bar away, and lets none come before [`resume`]: what a cancelled query is still at is not drawn over the prompt.
pub(crate) fn silence() {
    let mut drawn = drawn();
    drawn.quiet = true;
    for bar in drawn.bars.drain(..) {
        bar.finish_and_clear();
        BARS.remove(&bar);
    }
}

/// Lets bars come again.
pub(crate) fn resume() {
    drawn().quiet = false;
}

/// A new bar; `None` where there may be none.
fn styled(bar: ProgressBar, template: &str) -> Option<ProgressBar> {
    let mut drawn = drawn();
    if drawn.quiet {
        return None;
    }
    drawn.bars.retain(|bar| !bar.is_finished());
    bar.set_style(ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar()));
    let bar = BARS.add(bar);
    drawn.bars.push(bar.clone());
    Some(bar)
}

/// Takes a bar away.
fn close(bar: &ProgressBar) {
    bar.finish_and_clear();
    BARS.remove(bar);
}

/// What a batch of relaxations shows while it runs: how many crystals are done, and in which step the others are.
#[derive(Default)]
pub struct Relaxing(Mutex<Option<ProgressBar>>);

impl Relaxing {
    /// A bar that goes away when the last crystal of a batch is done.
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// Shows a round.
    pub(crate) fn show(&self, round: Round) -> ControlFlow<()> {
        let mut shown = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if round.active == 0 {
            shown.take().iter().for_each(close);
            return ControlFlow::Continue(());
        }
        if shown.as_ref().is_none_or(ProgressBar::is_finished) {
            let template = "{bar:30} {pos}/{len} crystals relaxed, {msg}  {elapsed}";
            *shown = styled(ProgressBar::no_length(), template);
        }
        if let Some(bar) = shown.as_ref() {
            bar.set_length(round.of as u64);
            bar.set_position((round.of - round.active) as u64);
            bar.set_message(format!("step {}", round.step));
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
            passes.remove(rows.what).and_then(|shown| shown.bar).iter().for_each(close);
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
                && shown.bar.is_none()
                && let Some(bar) = bar_of(&what, shown.of, shown.since)
            {
                bar.set_position(shown.done);
                // Rows that were done before the bar came say nothing of the pace from here on.
                bar.reset_eta();
                shown.bar = Some(bar);
            }
        });
    }
}

fn bar_of(what: &str, of: Option<u64>, since: Instant) -> Option<ProgressBar> {
    let (bar, template) = match of {
        Some(of) => (ProgressBar::new(of), "{bar:30} {pos}/{len} rows  {per_sec}  {elapsed}, {eta} to go  {wide_msg}"),
        None => (ProgressBar::no_length(), "{spinner} {pos} rows  {per_sec}  {elapsed}  {wide_msg}"),
    };
    let bar = styled(bar, template)?.with_elapsed(since.elapsed()).with_message(what.to_owned());
    bar.enable_steady_tick(Duration::from_millis(250));
    Some(bar)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pass(done: u64, ended: bool) -> RowsDone<'static> {
        RowsDone { what: "a slow query", done, of: Some(10), ended }
    }

    /// Not on a terminal, bars are not drawn; that they are there and finished is the same.
    #[test]
    fn no_bar_is_left_or_comes_where_a_person_types() {
        let (passes, relaxing) = (Passes::default(), Relaxing::new());
        let round = |active| Round { step: 3, active, of: 4 };
        let of_pass = || passes.all().get("a slow query").and_then(|shown| shown.bar.clone());
        let of_relaxation = || relaxing.0.lock().unwrap().clone();
        passes.show(pass(1, false));
        assert!(relaxing.show(round(2)).is_continue());
        std::thread::sleep(2 * PATIENCE);
        let before = [of_pass().unwrap(), of_relaxation().unwrap()];
        assert!(before.iter().all(|bar| !bar.is_finished()));
        silence();
        assert!(before.iter().all(ProgressBar::is_finished));
        // What was cancelled goes on for a while, and begins more.
        passes.show(pass(2, false));
        passes.show(RowsDone { what: "another", ..pass(1, false) });
        assert!(relaxing.show(round(1)).is_continue());
        std::thread::sleep(2 * PATIENCE);
        assert!(drawn().bars.is_empty() && of_relaxation().is_none());
        resume();
        assert!(relaxing.show(round(1)).is_continue());
        assert!(!of_relaxation().unwrap().is_finished());
        assert!(relaxing.show(round(0)).is_continue());
        assert!(of_relaxation().is_none() && drawn().bars.iter().all(ProgressBar::is_finished));
        passes.show(pass(10, true));
        assert!(of_pass().is_none());
    }
}

//! The threads on which queries run, and how Python waits for them: without its lock, and ready for Ctrl-C.

use std::future::Future;
use std::sync::OnceLock;
use std::time::Duration;

use hollandite::stop::Stop;
use pyo3::prelude::*;
use tokio::runtime::{Builder, Runtime};
use tokio::task::{JoinError, JoinHandle};
use tokio::time::timeout;

use crate::errors::{ForkError, HollanditeError};

/// How often a waiting thread looks whether Ctrl-C was pressed.
const TICK: Duration = Duration::from_millis(100);
/// How long an interrupted query may take to notice: its threads look between two batches, epochs or crystals.
const GRACE: Duration = Duration::from_secs(5);

/// Threads for the life of the process. They are never ended: an interpreter that waits for them while it ends may wait for ever.
static THREADS: OnceLock<(u32, Runtime)> = OnceLock::new();

fn threads() -> PyResult<&'static Runtime> {
    if THREADS.get().is_none() {
        let runtime = Builder::new_multi_thread()
            .enable_all()
            .thread_name("hollandite")
            .thread_stack_size(hollandite::store::STACK)
            .build();
        let runtime = runtime.map_err(|e| HollanditeError::new_err(format!("cannot start worker threads: {e}")))?;
        // A training would make the pool of the whole process one of a single thread, if it came first.
        rayon::current_num_threads();
        if let Err((_, second)) = THREADS.set((std::process::id(), runtime)) {
            second.shutdown_background();
        }
    }
    let (process, runtime) = THREADS.get().expect("they were set above");
    if *process != std::process::id() {
        return Err(ForkError::new_err(
            "this process was forked from one in which hollandite had started its threads, which a fork leaves behind: start \
             workers with multiprocessing.get_context('spawn') (joblib: backend='loky'; torch: multiprocessing_context='spawn')",
        ));
    }
    Ok(runtime)
}

/// Raises ForkError in a process that was forked from one in which threads of ours run.
///
/// # Errors
/// Such a process: what waits for the threads, or for what they hold, waits for ever.
#[pyfunction]
pub fn not_forked() -> PyResult<()> {
    threads().map(drop)
}

/// Does what `work` makes and waits for it. Ctrl-C ends it, and is raised; so is an error of `meanwhile`, which is called with the
/// interpreter's lock every so often.
pub fn wait<T: Send + 'static, F: Future<Output = T>>(
    py: Python<'_>,
    work: impl FnOnce() -> F + Send + 'static,
    mut meanwhile: impl FnMut(Python<'_>) -> PyResult<()> + Send,
) -> PyResult<T> {
    let runtime = threads()?;
    let stop = Stop::new();
    py.detach(|| {
        let mut task = spawn(runtime, stop.clone(), work);
        runtime.block_on(async {
            loop {
                match timeout(TICK, &mut task).await {
                    Ok(done) => {
                        Python::attach(&mut meanwhile)?;
                        return finished(done).map_err(HollanditeError::new_err);
                    }
                    Err(_) => {
                        // A signal is only handled between two steps of the interpreter.
                        let go_on = Python::attach(|py| {
                            py.run(c"pass", None, None)?;
                            py.check_signals()?;
                            meanwhile(py)
                        });
                        if let Err(interrupted) = go_on {
                            stop.give();
                            // What it holds is free again when the person goes on.
                            let _ = timeout(GRACE, &mut task).await;
                            return Err(interrupted);
                        }
                    }
                }
            }
        })
    })
}

/// [`wait`], with nothing to do meanwhile.
pub fn wait_only<T: Send + 'static, F: Future<Output = T>>(
    py: Python<'_>,
    work: impl FnOnce() -> F + Send + 'static,
) -> PyResult<T> {
    wait(py, work, |_| Ok(()))
}

/// Waits on a thread that is no interpreter's, as that of a driver, until the work is done or `stop` is given.
pub fn wait_elsewhere<T: Send + 'static, F: Future<Output = T>>(
    stop: Stop,
    work: impl FnOnce() -> F + Send + 'static,
) -> Result<T, String> {
    let runtime = threads().map_err(|e| e.to_string())?;
    finished(runtime.block_on(spawn(runtime, stop, work)))
}

/// Work on a thread of its own, which may hold what cannot be sent. It ends with `None` when `stop` is given.
fn spawn<T: Send + 'static, F: Future<Output = T>>(
    runtime: &'static Runtime,
    stop: Stop,
    work: impl FnOnce() -> F + Send + 'static,
) -> JoinHandle<Option<T>> {
    runtime.spawn_blocking(move || {
        runtime.block_on(stop.clone().over(async move {
            tokio::select! {
                done = work() => Some(done),
                () = given(&stop) => None,
            }
        }))
    })
}

/// Returns when the sign is given.
async fn given(stop: &Stop) {
    while !stop.is_given() {
        tokio::time::sleep(TICK / 2).await;
    }
}

fn finished<T>(done: Result<Option<T>, JoinError>) -> Result<T, String> {
    match done {
        Ok(Some(done)) => Ok(done),
        Ok(None) => Err("stopped before it was done".into()),
        Err(failed) => Err(format!("hollandite stopped on a fault of its own: {failed}")),
    }
}

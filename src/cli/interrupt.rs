//! Ctrl-C and `kill` end the program as they always do, after the files that it was writing are cleared away.

use std::sync::atomic::{AtomicBool, Ordering};

/// Whether Ctrl-C is a message to the shell, and not the end.
static OF_THE_SHELL: AtomicBool = AtomicBool::new(false);

/// Whether a server ends itself, and by which signals.
#[cfg(feature = "serve")]
static OF_THE_SERVER: AtomicBool = AtomicBool::new(false);

/// From here on the shell handles Ctrl-C itself.
pub(crate) fn leave_to_the_shell() {
    OF_THE_SHELL.store(true, Ordering::Relaxed);
}

/// From here on the server handles Ctrl-C and `kill` itself; the future ends with the first of them.
#[cfg(all(feature = "serve", unix))]
pub(crate) fn leave_to_the_server() -> std::io::Result<impl Future<Output = ()> + Send> {
    use tokio::signal::unix::{SignalKind, signal};
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    OF_THE_SERVER.store(true, Ordering::Relaxed);
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}

/// From here on the server handles Ctrl-C itself; the future ends with it.
#[cfg(all(feature = "serve", not(unix)))]
pub(crate) fn leave_to_the_server() -> std::io::Result<impl Future<Output = ()> + Send> {
    Ok(async {
        let _ = tokio::signal::ctrl_c().await;
    })
}

/// Begins to listen, on a thread of its own: those of the program may all be busy. Signals that the parent process has it
/// ignore, as `nohup` does, stay ignored.
#[cfg(unix)]
pub(crate) fn watch() {
    use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
    let signals: Vec<i32> = [SIGHUP, SIGINT, SIGTERM].into_iter().filter(|signal| !is_ignored(*signal)).collect();
    // Without a thread signals end the program at once, and a file may be left.
    let _ = std::thread::Builder::new().name("signals".into()).spawn(move || {
        let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else { return };
        runtime.block_on(futures::future::join_all(signals.into_iter().map(handle)));
    });
}

/// Elsewhere the system ends the program.
#[cfg(not(unix))]
pub(crate) fn watch() {}

/// Waits for a signal, and ends the program by it.
#[cfg(unix)]
async fn handle(signal: i32) {
    let Ok(mut stream) = tokio::signal::unix::signal(signal.into()) else { return };
    while stream.recv().await.is_some() {
        if signal == signal_hook::consts::SIGINT && OF_THE_SHELL.load(Ordering::Relaxed) {
            continue;
        }
        #[cfg(feature = "serve")]
        // The next one ends it at once.
        if signal != signal_hook::consts::SIGHUP && OF_THE_SERVER.swap(false, Ordering::Relaxed) {
            continue;
        }
        crate::report::remove_partial_files();
        // The one who started it sees which signal ended it.
        let _ = signal_hook::low_level::emulate_default_handler(signal);
    }
}

/// Whether this process was started with a signal ignored. Where the system does not say, hanging up is left alone.
#[cfg(unix)]
fn is_ignored(signal: i32) -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    match mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()) {
        Some(mask) => mask >> (signal - 1) & 1 == 1,
        None => signal == signal_hook::consts::SIGHUP,
    }
}

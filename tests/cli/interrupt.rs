//! A program that is ended by a signal clears away the file that it was writing, and ends by that signal.

use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::common::program::HOME;

const ENDLESS: &str = "SELECT value AS n, value * 0.5 AS half FROM generate_series(1, 100000000000)";

fn begin(arguments: &[&str]) -> Child {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hollandite"));
    command.env_remove("HOLLANDITE_STORE").env("HOME", HOME.path()).env("XDG_DATA_HOME", HOME.path().join("data"));
    // A group of its own: what the terminal of the tests sends does not reach it.
    command.args(arguments).process_group(0).stdin(Stdio::null()).stdout(Stdio::null()).spawn().unwrap()
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// Whether this process ignores a signal, and what it starts with it: a background job of a shell ignores Ctrl-C.
fn is_ignored(signal: i32) -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:")).unwrap_or("0").trim();
    u64::from_str_radix(mask, 16).unwrap() >> (signal - 1) & 1 == 1
}

#[test]
fn a_file_that_is_not_whole_goes_with_the_program() {
    // The default store is made by the first command.
    crate::common::program::stdout(&["info"]);
    let mut ended = 0;
    for (name, signal) in [("INT", 2), ("TERM", 15)] {
        if is_ignored(signal) {
            continue;
        }
        for (file, arguments) in [("x.csv", ["sql", ENDLESS, "-o"]), ("x.jsonl.gz", ["export", ENDLESS, "--to"])] {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join(file);
            std::fs::write(&path, "old").unwrap();
            let mut child = begin(&[&arguments[..], &[path.to_str().unwrap()]].concat());
            let begun = Instant::now();
            while !names(folder.path()).iter().any(|name| name.ends_with(".partial")) {
                assert!(begun.elapsed() < Duration::from_secs(60), "nothing is written");
                std::thread::sleep(Duration::from_millis(10));
            }
            std::thread::sleep(Duration::from_millis(100));
            assert!(
                Command::new("kill").args([format!("-{name}"), child.id().to_string()]).status().unwrap().success()
            );
            let status = child.wait().unwrap();
            assert_eq!(status.signal(), Some(signal), "{status}");
            assert_eq!(names(folder.path()), [file]);
            assert_eq!(std::fs::read_to_string(&path).unwrap(), "old");
            ended += 1;
        }
    }
    assert!(ended >= 2, "TERM is never ignored");
}

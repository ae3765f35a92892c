//! A test whose data or program is not at hand says so, and `.ci/run` counts it apart from those that passed.

use std::fmt::Display;
use std::io::Write as _;

/// Says that the running test proves nothing here, and why. `HOLLANDITE_SKIPPED` names a file that gets the line too.
pub fn skip(why: impl Display) {
    println!("skipped: {why}");
    if let Some(path) = std::env::var_os("HOLLANDITE_SKIPPED") {
        let line = format!("{} {}: {why}\n", env!("CARGO_CRATE_NAME"), std::thread::current().name().unwrap_or("?"));
        let file = std::fs::OpenOptions::new().create(true).append(true).open(path);
        file.and_then(|mut file| file.write_all(line.as_bytes())).expect("the list of skipped tests can be written");
    }
}

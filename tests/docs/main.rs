//! The documents say what the program does, and the sources are laid out as they claim.

#[path = "../common/mod.rs"]
mod common;

mod dependencies;
mod drift;
mod glossary;
mod lists;
mod literals;
mod readme;
mod stubs;

use std::path::{Path, PathBuf};

/// The Rust files below a folder.
fn files(folder: &Path, into: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, into);
        } else if path.extension().is_some_and(|e| e == "rs") {
            into.push(path);
        }
    }
}

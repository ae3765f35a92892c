//! The documents say what the program does, and the sources are laid out as they claim.

#[path = "../common/mod.rs"]
mod common;

mod drift;
mod glossary;
mod layering;
mod readme;

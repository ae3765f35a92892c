//! The program from outside: its commands, what they print, draw and write, and their errors.

#[path = "../common/mod.rs"]
mod common;

mod adsorption;
mod charges;
mod commands;
mod electrodes;
mod enumerate;
mod generate;
#[cfg(unix)]
mod interrupt;
mod plots;
mod report;
mod shards;
mod shell;
mod webdriver;

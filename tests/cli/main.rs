//! The program from outside: what a person types, what is printed, drawn and written, and what a mistake is answered with.

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

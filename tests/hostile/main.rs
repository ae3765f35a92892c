//! Input that no laboratory makes: crystals, and files. Everything answers or says why it does not; nothing panics or hangs.

#[path = "../common/mod.rs"]
mod common;

mod crystals;
mod files;

//! What a target does with its bytes: they become a file of a given name, every crystal that is read from it is asked what an import and
//! the usual queries ask.

use std::cell::RefCell;
use std::path::{Path, PathBuf};

use crystal::Structure;
use formats::{Input, Reading, parse_structure, to_poscar, vasp};

// The tests' questions name the whole library; here it is these layers.
extern crate self as hollandite;
pub use {crystal, features, formats};

#[path = "../../common/ask.rs"]
mod ask;

/// A folder of this process in memory, where there is one.
fn folder() -> PathBuf {
    let shared = Path::new("/dev/shm");
    let root = if shared.is_dir() { shared.to_path_buf() } else { std::env::temp_dir() };
    root.join(format!("hollandite-fuzz-{}", std::process::id()))
}

/// Calls `read` with a file `name` that holds `data`.
pub fn as_file(name: &str, data: &[u8], read: impl FnOnce(&Path)) {
    thread_local!(static FOLDER: RefCell<Option<PathBuf>> = const { RefCell::new(None) });
    let path = FOLDER.with_borrow_mut(|made| {
        let folder = made.get_or_insert_with(folder);
        std::fs::create_dir_all(&folder).expect("a folder for the file");
        folder.join(name)
    });
    std::fs::write(&path, data).expect("room for the file");
    read(&path);
}

/// Reads a file of crystals.
pub fn crystals(name: &str, data: &[u8]) {
    as_file(name, data, |path| {
        for record in formats::read(&Input::new(path), &Reading::default()) {
            match record {
                Ok(record) => ask(&record.structure),
                Err(rejection) => assert!(!rejection.reason.is_empty()),
            }
        }
    });
}

/// Reads a calculation of VASP.
pub fn calculation(name: &str, data: &[u8]) {
    as_file(name, data, |path| {
        let found = vasp::calculations(path.parent().expect("a file lies in a folder"));
        for calculation in found.into_iter().flatten() {
            if let Some(run) = vasp::read_calculation(&calculation).run {
                assert!(run.energy.is_finite());
                ask(&run.structure);
            }
        }
    });
}

/// What no crystal may make panic. Large ones are read and no more: a fuzzer counts inputs, not atoms.
fn ask(structure: &Structure) {
    assert_eq!(parse_structure(&to_poscar(structure, "again")).expect("what is printed is read"), *structure);
    if structure.len() > 200 {
        return;
    }
    ask::everything(structure);
}

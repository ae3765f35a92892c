//! What the tests that drive the program share: a home of their own, so that no test sees the user's store.

use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use assert_cmd::Command;
use tempfile::TempDir;

/// A folder that stands for the user's home; the default store is made in it on first use.
pub static HOME: LazyLock<TempDir> = LazyLock::new(|| {
    // Statics are not dropped: what is left stays in the build folder.
    tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a temporary folder")
});

/// The program with nothing of the caller's environment that could lead it to another store.
pub fn isolated(command: &mut Command, home: &Path) {
    command.env_remove("HOLLANDITE_STORE").env("HOME", home).env("XDG_DATA_HOME", home.join("data"));
}

/// The program over the default store of [`HOME`], which all tests of one binary share and none changes.
pub fn hollandite(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hollandite"));
    isolated(&mut command, HOME.path());
    command.current_dir(env!("CARGO_MANIFEST_DIR")).args(args);
    command
}

/// Standard output of a run that must succeed.
pub fn stdout(args: &[&str]) -> String {
    let output = hollandite(args).output().expect("the program starts");
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "hollandite {args:?} failed: {error}");
    String::from_utf8(output.stdout).expect("UTF-8")
}

/// An empty store of this test's own.
pub struct Store {
    dir: TempDir,
}

impl Store {
    /// Made by `hollandite init`.
    pub fn new() -> Self {
        let store = Self { dir: tempfile::tempdir().expect("a temporary folder") };
        hollandite(&["init", store.path().to_str().expect("UTF-8")]).assert().success();
        store
    }

    /// Its folder.
    pub fn path(&self) -> PathBuf {
        self.dir.path().join("store")
    }

    /// A file beside it.
    pub fn file(&self, name: &str, text: &str) -> String {
        let path = self.dir.path().join(name);
        std::fs::write(&path, text).expect("a writable folder");
        path.to_str().expect("UTF-8").to_string()
    }

    /// A name beside it.
    pub fn beside(&self, name: &str) -> String {
        self.dir.path().join(name).to_str().expect("UTF-8").to_string()
    }

    /// The program over this store.
    pub fn run(&self, args: &[&str]) -> Command {
        let path = self.path();
        let mut all = vec!["--store", path.to_str().expect("UTF-8")];
        all.extend(args);
        hollandite(&all)
    }

    /// Standard output of a run that must succeed.
    pub fn stdout(&self, args: &[&str]) -> String {
        let output = self.run(args).output().expect("the program starts");
        assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).expect("UTF-8")
    }
}

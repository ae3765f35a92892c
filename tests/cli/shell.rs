//! The shell on a terminal, driven by tests/interop/shell.py through a pseudo-terminal.

#[cfg(unix)]
#[test]
fn ctrl_c_stops_a_query_and_not_the_shell() {
    let python = std::env::var("HOLLANDITE_PYTHON").unwrap_or_else(|_| "python3".into());
    if std::process::Command::new(&python).arg("--version").output().is_err() {
        assert!(std::env::var_os("CI").is_none(), "CI must have Python: {python} does not run");
        crate::common::skip(format_args!("there is no {python} to drive a terminal with"));
        return;
    }
    let home = tempfile::tempdir().unwrap();
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/interop/shell.py");
    let output = std::process::Command::new(python)
        .args([script, env!("CARGO_BIN_EXE_hollandite")])
        .arg(home.path())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

//! The function reference in the README is the one that the program prints. `UPDATE=1 cargo test --test docs_drift` writes it.

const BEGIN: &str = "<!-- functions: begin, written by `UPDATE=1 cargo test --test docs_drift` -->\n";
const END: &str = "<!-- functions: end -->\n";

#[test]
fn the_readme_has_the_reference_that_the_program_prints() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/README.md");
    let readme = std::fs::read_to_string(path).unwrap();
    let (before, rest) = readme.split_once(BEGIN).expect("README.md has the marker where the reference begins");
    let (reference, after) = rest.split_once(END).expect("README.md has the marker where the reference ends");
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_hollandite"))
        .args(["functions", "--format", "markdown"])
        .output();
    let printed = String::from_utf8(output.unwrap().stdout).unwrap();
    let printed = format!("\n{}\n\n", printed.trim());
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(path, format!("{before}{BEGIN}{printed}{END}{after}")).unwrap();
        return;
    }
    assert!(
        reference == printed,
        "the function reference of README.md is out of date: UPDATE=1 cargo test --test docs_drift"
    );
}

#[test]
fn the_readme_names_every_command() {
    let readme = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/README.md")).unwrap();
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_hollandite")).arg("--help").output().unwrap();
    let help = String::from_utf8(output.stdout).unwrap();
    let commands = help.split_once("Commands:\n").unwrap().1;
    for line in commands.lines().take_while(|l| !l.trim().is_empty()) {
        let Some(name) =
            line.strip_prefix("  ").and_then(|l| l.split_whitespace().next()).filter(|_| !line.starts_with("   "))
        else {
            continue;
        };
        let shown = [format!("hollandite {name}"), format!("hollandite --store crystals {name}")];
        assert!(shown.iter().any(|s| readme.contains(s)), "README.md does not show `hollandite {name}`");
    }
}

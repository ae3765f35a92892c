//! Every dependency of a package is used: those of the program in its sources, those of the tests in some test or bench. What
//! is there for another reason stands in the paragraph that begins "Not used by name". Every version of the workspace is
//! one that some package takes.

use std::path::{Path, PathBuf};

use super::files;

/// A dependency, whether it is one of the tests alone, and whether its paragraph says that no code names it.
#[derive(Debug, PartialEq)]
struct Dependency {
    name: String,
    of_tests: bool,
    unnamed: bool,
}

fn dependencies(manifest: &str) -> Vec<Dependency> {
    listed(manifest, &["[dependencies]", "[dev-dependencies]"])
}

fn listed(manifest: &str, sections: &[&str]) -> Vec<Dependency> {
    let (mut section, mut unnamed, mut found) = ("", false, Vec::new());
    for line in manifest.lines() {
        if line.starts_with('[') {
            section = line;
        }
        if line.is_empty() || line.starts_with('[') {
            unnamed = false;
        }
        unnamed |= line.starts_with("# Not used by name");
        let of_tests = section == "[dev-dependencies]";
        if sections.contains(&section)
            && let Some((name, _)) = line.split_once(" = ")
            && !name.starts_with(['#', ' '])
        {
            let name = name.trim_end_matches(".workspace").into();
            found.push(Dependency { name, of_tests, unnamed });
        }
    }
    found
}

/// Whether a file names the crate, and not a module of its own that is called alike.
fn names(source: &str, name: &str) -> bool {
    let name = name.replace('-', "_");
    let outermost = |at: usize| !source[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == ':');
    let own = source.contains(&format!("mod {name};"));
    let passed_on =
        |line: &str| line.starts_with("pub use {") && line.split([' ', ',', '{', '}']).any(|word| word == name);
    !own && source.match_indices(&format!("{name}::")).any(|(at, _)| outermost(at)) || source.lines().any(passed_on)
}

/// The texts of the Rust files below some folders or at some paths, apart.
fn sources(paths: &[PathBuf]) -> Vec<String> {
    let mut all = Vec::new();
    for path in paths {
        if path.is_dir() { files(path, &mut all) } else { all.push(path.clone()) }
    }
    all.iter().map(|path| std::fs::read_to_string(path).unwrap()).collect()
}

/// What is wrong with the dependencies of one package.
fn faults(manifest: &str, program: &[String], tests: &[String]) -> Vec<String> {
    let mut faults = Vec::new();
    for Dependency { name, of_tests, unnamed } in dependencies(manifest) {
        let named = |texts: &[String]| texts.iter().any(|text| names(text, &name));
        match (of_tests, unnamed, named(program), named(tests)) {
            (false, false, false, true) => {
                faults.push(format!("{name} belongs in [dev-dependencies]: only tests name it"))
            }
            (_, false, false, false) => faults.push(format!("{name} is named nowhere")),
            (_, true, true, _) | (_, true, _, true) => faults.push(format!("{name} is used by name")),
            _ => {}
        }
    }
    faults
}

#[test]
fn every_dependency_is_used() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut wrong = Vec::new();
    let mut taken = Vec::new();
    let mut check = |path: &Path, program: Vec<String>, tests: Vec<String>| {
        let manifest = std::fs::read_to_string(path).unwrap();
        taken.extend(dependencies(&manifest).into_iter().map(|d| d.name));
        wrong.extend(
            faults(&manifest, &program, &tests).into_iter().map(|fault| format!("{}: {fault}", path.display())),
        );
    };
    let of = |names: &[&str]| names.iter().map(|name| root.join(name)).collect::<Vec<_>>();
    check(
        &root.join("Cargo.toml"),
        sources(&of(&["src/cli", "src/lib.rs", "src/main.rs", "src/error.rs"])),
        sources(&of(&["tests", "benches"])),
    );
    let mut members = 0;
    for entry in std::fs::read_dir(root.join("src")).unwrap() {
        let folder = entry.unwrap().path();
        let manifest = folder.join("Cargo.toml");
        if manifest.exists() {
            check(&manifest, sources(&[folder]), Vec::new());
            members += 1;
        }
    }
    assert!(members >= 10, "{members} packages below src");
    let manifest = std::fs::read_to_string(root.join("Cargo.toml")).unwrap();
    for Dependency { name, .. } in listed(&manifest, &["[workspace.dependencies]"]) {
        if !taken.contains(&name) {
            wrong.push(format!("the workspace states a version of {name}, which no package takes"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn an_unused_dependency_would_be_caught() {
    let manifest = "[dependencies]\n# One.\na-b.workspace = true\n\n# Not used by name: c.\nc = \"1\"\n\n[dev-dependencies]\nd = { version = \"1\" }\n";
    let of = |name: &str, of_tests, unnamed| Dependency { name: name.into(), of_tests, unnamed };
    assert_eq!(dependencies(manifest), [of("a-b", false, false), of("c", false, true), of("d", true, false)]);
    assert!(names("use a_b::X;", "a-b") && !names("use aa_b::X;", "a-b") && !names("mod kilo; use kilo::X;", "kilo"));
    assert!(!names("use super::kilo::X;", "kilo"));
}

//! Every dependency of Cargo.toml is used: those of the program in src/, those of the tests in some test or bench. What
//! is there for another reason stands in the paragraph that begins "Not used by name".

use std::path::Path;

use super::files;

/// A dependency, whether it is one of the tests alone, and whether its paragraph says that no code names it.
#[derive(Debug, PartialEq)]
struct Dependency {
    name: String,
    of_tests: bool,
    unnamed: bool,
}

fn dependencies(manifest: &str) -> Vec<Dependency> {
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
        if (of_tests || section == "[dependencies]")
            && let Some((name, _)) = line.split_once(" = ")
            && !name.starts_with(['#', ' '])
        {
            found.push(Dependency { name: name.into(), of_tests, unnamed });
        }
    }
    found
}

/// Whether a file names the crate, and not a module of its own that is called alike.
fn names(source: &str, name: &str) -> bool {
    let name = name.replace('-', "_");
    let outermost = |at: usize| !source[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == ':');
    let own = source.contains(&format!("mod {name};"));
    !own && source.match_indices(&format!("{name}::")).any(|(at, _)| outermost(at))
}

/// The texts of the Rust files below some folders.
fn sources(folders: &[&str]) -> Vec<String> {
    let mut all = Vec::new();
    folders.iter().for_each(|folder| files(&Path::new(env!("CARGO_MANIFEST_DIR")).join(folder), &mut all));
    all.iter().map(|path| std::fs::read_to_string(path).unwrap()).collect()
}

#[test]
fn every_dependency_is_used() {
    let manifest = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml")).unwrap();
    let dependencies = dependencies(&manifest);
    assert!(dependencies.iter().filter(|d| !d.of_tests).count() > 20 && dependencies.iter().any(|d| d.of_tests));
    let (program, tests) = (sources(&["src"]), sources(&["tests", "benches"]));
    let mut faults = Vec::new();
    for Dependency { name, of_tests, unnamed } in &dependencies {
        let named = |texts: &[String]| texts.iter().any(|text| names(text, name));
        match (of_tests, unnamed, named(&program), named(&tests)) {
            (false, false, false, true) => {
                faults.push(format!("{name} belongs in [dev-dependencies]: only tests name it"))
            }
            (_, false, false, false) => faults.push(format!("{name} is named nowhere")),
            (_, true, true, _) | (_, true, _, true) => faults.push(format!("{name} is used by name")),
            _ => {}
        }
    }
    assert!(faults.is_empty(), "{faults:#?}");
}

#[test]
fn an_unused_dependency_would_be_caught() {
    let manifest = "[dependencies]\n# One.\na-b = \"1\"\n\n# Not used by name: c.\nc = \"1\"\n\n[dev-dependencies]\nd = { version = \"1\" }\n";
    let of = |name: &str, of_tests, unnamed| Dependency { name: name.into(), of_tests, unnamed };
    assert_eq!(dependencies(manifest), [of("a-b", false, false), of("c", false, true), of("d", true, false)]);
    assert!(names("use a_b::X;", "a-b") && !names("use aa_b::X;", "a-b") && !names("mod kilo; use kilo::X;", "kilo"));
    assert!(!names("use super::kilo::X;", "kilo"));
}

//! What must be entered in a list, or have a case, and compiles without.

use std::path::Path;

use super::files;

#[test]
fn every_network_is_in_the_list() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/models");
    let list = std::fs::read_to_string(folder.join("network.rs")).unwrap();
    let (mut networks, mut missing) = (0, Vec::new());
    for entry in std::fs::read_dir(&folder).unwrap() {
        let file = entry.unwrap().path().join("mod.rs");
        let Ok(text) = std::fs::read_to_string(&file) else { continue };
        for config in text.lines().filter_map(|line| line.strip_prefix("impl Architecture for ")) {
            networks += 1;
            let config = config.trim_end_matches(" {");
            if !list.contains(&format!("::{config},")) {
                missing.push(format!("{config} of {}", file.display()));
            }
        }
    }
    assert!(networks >= 10, "{networks} networks were found");
    assert!(missing.is_empty(), "not in the list of src/models/network.rs: {}", missing.join(", "));
}

#[test]
fn every_format_is_in_the_list() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/formats");
    let list = std::fs::read_to_string(folder.join("format.rs")).unwrap();
    let list = list.split_once("pub static FORMATS").unwrap().1.split_once("];").unwrap().0.to_owned();
    let mut formats = 0;
    for entry in std::fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let file = if path.is_dir() { path.join("mod.rs") } else { path };
        let Ok(text) = std::fs::read_to_string(&file) else { continue };
        for line in text.lines().filter(|line| line.starts_with("pub(super) static ") && line.contains(": Format =")) {
            formats += 1;
            let constant = line.trim_start_matches("pub(super) static ").split(':').next().unwrap();
            assert!(
                list.contains(&format!("&{name}::{constant},")),
                "{constant} of {} is not in FORMATS",
                file.display()
            );
        }
    }
    assert_eq!(formats, list.matches('&').count() - 1, "FORMATS has others");
}

#[test]
fn every_function_is_called_in_a_test() {
    let mut sources = Vec::new();
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    files(&tests, &mut sources);
    sources.extend(std::fs::read_dir(tests.join("slt")).unwrap().map(|entry| entry.unwrap().path()));
    // What is asked of each function alike says nothing of its value.
    sources.retain(|path| !path.starts_with(tests.join("hostile")));
    let text: String = sources.iter().map(|path| std::fs::read_to_string(path).unwrap()).collect();
    let is_called = |name: &str| {
        let call = format!("{name}(");
        let own = |at: usize| !text[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_');
        text.match_indices(&call).any(|(at, _)| own(at))
    };
    let functions = hollandite::sql::functions();
    assert!(functions.len() > 90);
    let missed: Vec<&str> = functions.iter().map(|f| f.name.as_str()).filter(|name| !is_called(name)).collect();
    assert!(missed.is_empty(), "no test calls {}", missed.join(", "));
}

//! Imports go down only. Every `crate::` path under src/ is read; one that names a layer above its own fails the test.

use std::path::Path;

use super::files;

/// Layers from the bottom up. Those of one line do not know each other.
const LAYERS: [&[&str]; 12] = [
    &["error", "stop"],
    &["crystal"],
    &["formats"],
    &["features"],
    &["models"],
    &["adsorption", "stability"],
    &["columns"],
    &["store"],
    &["sql"],
    &["report"],
    &["cluster", "serve"],
    &["cli"],
];

fn height(layer: &str) -> Option<usize> {
    LAYERS.iter().position(|names| names.contains(&layer))
}

/// The upward imports in `source`, a file of `layer`, as "line: layer".
fn upward(layer: &str, source: &str) -> Vec<String> {
    let own = height(layer).unwrap_or_else(|| panic!("layer '{layer}' has no place in tests/docs/layering.rs"));
    let mut found = Vec::new();
    for (number, line) in source.lines().enumerate() {
        if line.trim_start().starts_with("//") {
            continue; // A link in a comment imports nothing.
        }
        for name in named(line) {
            let allowed = name == layer || height(name).is_none_or(|h| h < own);
            // `crate::Name` is a re-export of the root, which only the program itself may lean on.
            let root = name.chars().next().is_some_and(char::is_uppercase);
            if !allowed || root {
                found.push(format!("{}: {name}", number + 1));
            }
        }
    }
    found
}

/// The first segment after each `crate::` of a line, those in `crate::{a, b::c}` one by one.
fn named(line: &str) -> Vec<&str> {
    let word = |text: &str| text.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(text.len());
    let mut names = Vec::new();
    for (at, _) in line.match_indices("crate::") {
        let rest = &line[at + "crate::".len()..];
        let Some(group) = rest.strip_prefix('{') else {
            names.push(&rest[..word(rest)]);
            continue;
        };
        let (mut depth, mut start) = (1, 0);
        for (i, c) in group.char_indices() {
            match c {
                '{' => depth += 1,
                '}' => depth -= 1,
                _ => {}
            }
            if depth == 0 || (depth == 1 && c == ',') {
                let item = group[start..i].trim();
                names.push(&item[..word(item)]);
                start = i + 1;
            }
            if depth == 0 {
                break;
            }
        }
    }
    names.retain(|n| !n.is_empty());
    names
}

#[test]
fn imports_go_down_only() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut all = Vec::new();
    files(&source, &mut all);
    let mut faults = Vec::new();
    for path in all {
        let relative = path.strip_prefix(&source).unwrap();
        let first = relative.components().next().unwrap().as_os_str().to_str().unwrap();
        let layer = first.trim_end_matches(".rs");
        if matches!(layer, "main" | "lib" | "bin") {
            continue; // The roof.
        }
        let text = std::fs::read_to_string(&path).unwrap();
        faults.extend(upward(layer, &text).into_iter().map(|f| format!("src/{}:{f}", relative.display())));
    }
    assert!(faults.is_empty(), "upward imports:\n{}", faults.join("\n"));
}

#[test]
fn an_upward_import_would_be_caught() {
    for source in [
        "use crate::store::Store;",
        "use crate::{crystal::Structure, store::Store};",
        "    let s = crate::sql::Session::open();",
        "pub(crate) use crate::cli::{args, render};",
        "use crate::Error;",
    ] {
        assert_eq!(upward("models", source).len(), 1, "{source}");
    }
    for source in [
        "use crate::crystal::{Element, Structure};",
        "use crate::{crystal::Structure, error::{CrystalError, ModelError}};",
        "//! See [`crate::store::Store`].",
        "use crate::models::graph;",
        "let text = \"crate\";",
    ] {
        assert_eq!(upward("models", source), Vec::<String>::new(), "{source}");
    }
    assert_eq!(upward("stability", "use crate::adsorption::sites;").len(), 1, "neighbours do not know each other");
}

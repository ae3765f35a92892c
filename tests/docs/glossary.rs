//! What a user reads keeps to the words of `queries/GLOSSARY.md`, and so do the comments of the sources.

use std::fs;
use std::path::{Path, PathBuf};

use super::common::program::hollandite;
use super::files;
use super::literals::literals;

/// The words that the glossary's last column names.
fn avoided(glossary: &str) -> Vec<String> {
    let rows = glossary.lines().filter(|line| line.starts_with("| ")).skip(1);
    let cells = rows.filter_map(|row| row.split('|').nth(3));
    cells.flat_map(|cell| cell.split(',')).map(|word| word.trim().to_lowercase()).filter(|w| !w.is_empty()).collect()
}

/// Whether a text has these words, whole, in one line or over the end of one.
fn has(text: &str, words: &str) -> bool {
    let letter = |c: char| c.is_alphanumeric();
    text.match_indices(words).any(|(at, _)| {
        let rest = &text[at + words.len()..];
        let rest = rest.strip_prefix('s').unwrap_or(rest);
        !text[..at].ends_with(letter) && !rest.starts_with(letter)
    })
}

/// The comments of a source that have lines of their own.
fn comments(source: &str) -> String {
    let lines = source.lines().filter_map(|line| line.trim_start().strip_prefix("//"));
    lines.map(|line| line.trim_start_matches(['/', '!']).trim()).collect::<Vec<_>>().join("\n")
}

/// What the documents and the program say, each text with the file that it is in.
fn texts(root: &Path) -> Vec<(PathBuf, String)> {
    let pages = tempfile::tempdir().unwrap();
    hollandite(&["man", "--to", pages.path().to_str().unwrap()]).assert().success();
    let mut paths = vec![root.join("README.md"), root.join("schema/lake.sql")];
    for folder in [root.join("queries"), pages.path().to_owned()] {
        paths.extend(fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()));
    }
    paths.retain(|path| !path.ends_with("GLOSSARY.md"));
    assert!(paths.len() > 40);
    let read = |path: &PathBuf| fs::read_to_string(path).unwrap();
    let mut texts: Vec<_> = paths.into_iter().map(|path| (path.clone(), read(&path))).collect();
    let mut sources = Vec::new();
    files(&root.join("src"), &mut sources);
    // Tests quote what users write.
    let is_test = |path: &Path| path.iter().any(|part| part == "tests" || part == "tests.rs");
    sources.retain(|path| !is_test(path.strip_prefix(root).unwrap()));
    for path in sources {
        let source = read(&path);
        texts.extend(literals(&source).into_iter().map(|text| (path.clone(), text)));
        texts.push((path, comments(&source)));
    }
    assert!(texts.len() > 3000, "{}", texts.len());
    texts
}

#[test]
fn what_a_user_reads_keeps_to_the_glossary() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let words = avoided(&fs::read_to_string(root.join("queries/GLOSSARY.md")).unwrap());
    assert!(words.len() > 10, "{words:?}");
    let mut found = Vec::new();
    for (path, text) in texts(root) {
        let text = text.to_lowercase().replace('\n', " ");
        found.extend(words.iter().filter(|w| has(&text, w)).map(|w| format!("{}: '{w}'", path.display())));
    }
    assert!(found.is_empty(), "words that the glossary replaces: {found:#?}");
}

#[test]
fn a_word_counts_where_it_stands_whole() {
    assert!(has("the guests leave", "guest") && has("a guest.", "guest"));
    assert!(!has("the guesthouse", "guest") && !has("sloped", "slope"));
    assert_eq!(avoided("| word | means | instead of |\n| a | b | c d, e |\n| f | g | |"), ["c d", "e"]);
}

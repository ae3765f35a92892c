//! What a user reads keeps to the words of `queries/GLOSSARY.md`.

use std::fs;
use std::path::Path;

use super::common::program::hollandite;

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

#[test]
fn the_documents_and_the_help_keep_to_the_glossary() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let words = avoided(&fs::read_to_string(root.join("queries/GLOSSARY.md")).unwrap());
    assert!(words.len() > 10, "{words:?}");
    let pages = tempfile::tempdir().unwrap();
    hollandite(&["man", "--to", pages.path().to_str().unwrap()]).assert().success();
    let mut texts = vec![root.join("README.md")];
    for folder in [root.join("queries"), pages.path().to_owned()] {
        texts.extend(fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()));
    }
    texts.retain(|path| !path.ends_with("GLOSSARY.md"));
    assert!(texts.len() > 40);
    let mut found = Vec::new();
    for path in texts {
        let text = fs::read_to_string(&path).unwrap().to_lowercase().replace('\n', " ");
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

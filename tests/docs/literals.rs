//! The string literals of a source: what the program says in its errors, its help and its reference.

/// Every literal outside comments and outside the tests at the end of the file, as it stands there, in one line.
pub fn literals(source: &str) -> Vec<String> {
    let mut rest = source.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
    let mut found = Vec::new();
    while let Some(at) = rest.find(['/', '\'', '"', 'r']) {
        let here = &rest[at..];
        let length = if here.starts_with("//") {
            here.find('\n')
        } else if here.starts_with("/*") {
            here.find("*/").map(|end| end + 2)
        } else if here.starts_with('\'') {
            Some(character(here))
        } else if let Some(opened) = here.strip_prefix('"') {
            let text = &opened[..closing(opened)];
            found.push(unbroken(text));
            Some(text.len() + 2)
        } else {
            raw(here).map_or(Some(1), |(text, length)| {
                found.push(text.replace('\n', " "));
                Some(length)
            })
        };
        rest = &here[length.unwrap_or(here.len())..];
    }
    found
}

/// Length of a character in quotes; 1 for the mark of a lifetime.
fn character(here: &str) -> usize {
    let mut chars = here.char_indices().skip(1);
    match (chars.next(), chars.next()) {
        // The character behind the backslash may be a quote.
        (Some((_, '\\')), Some(_)) => chars.find(|(_, c)| *c == '\'').map_or(here.len(), |(end, _)| end + 1),
        (Some(_), Some((end, '\''))) => end + 1,
        _ => 1,
    }
}

/// Where the quote stands that ends a text.
fn closing(opened: &str) -> usize {
    let mut escaped = false;
    let ends = |c: char| {
        let ends = c == '"' && !escaped;
        escaped = c == '\\' && !escaped;
        ends
    };
    opened.find(ends).expect("a literal ends")
}

/// A raw literal: its text and its whole length.
fn raw(here: &str) -> Option<(&str, usize)> {
    let behind = here.strip_prefix('r')?;
    let opened = behind.trim_start_matches('#');
    let hashes = &behind[..behind.len() - opened.len()];
    let (text, _) = opened.strip_prefix('"')?.split_once(&format!("\"{hashes}"))?;
    Some((text, 3 + 2 * hashes.len() + text.len()))
}

/// A text that goes on behind a backslash at the end of a line.
fn unbroken(text: &str) -> String {
    let mut lines = text.split("\\\n");
    let first = lines.next().unwrap_or_default().to_owned();
    lines.fold(first, |whole, line| whole + line.trim_start()).replace('\n', " ")
}

#[test]
fn literals_are_read_whole_and_comments_are_not() {
    let source = "// \"no\"\nlet a = (\"one \\\n     two\", '\"', '\\'', r#\"a \"b\"\"#);\n\
                  fn f<'a>(x: &'a str) /* \"no\" */ { g(\"\\\"c\\\\\") }\n\
                  #[cfg(test)]\nmod tests {\n    \"no\"\n}\n";
    assert_eq!(literals(source), ["one two", "a \"b\"", "\\\"c\\\\"]);
}

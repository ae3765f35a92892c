//! Where one SQL statement ends: at a `;` that stands outside quotes, quoted names and comments.

/// The statements of `text` without their `;`, empty ones dropped, and what follows the last `;`. A line that starts with `\`
/// where a statement may start is one too.
pub fn split(text: &str) -> (Vec<&str>, &str) {
    let (mut statements, mut start) = (Vec::new(), 0);
    let bytes = text.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        match bytes[at] {
            b';' => {
                statements.push(text[start..at].trim());
                start = at + 1;
                at += 1;
            }
            b'\\' if is_blank(&text[start..at]) => {
                let end = skip_line(bytes, at);
                statements.push(text[at..end].trim());
                (start, at) = (end, end);
            }
            quote @ (b'\'' | b'"') => at = skip_quoted(bytes, at, quote),
            b'-' if bytes[at..].starts_with(b"--") => at = skip_line(bytes, at),
            b'/' if bytes[at..].starts_with(b"/*") => at = skip_comment(bytes, at),
            _ => at += 1,
        }
    }
    statements.retain(|s| !is_blank(s));
    (statements, &text[start..])
}

/// All statements of a script; the last one may lack its `;`.
pub fn all(text: &str) -> Vec<&str> {
    let (mut statements, rest) = split(text);
    if !is_blank(rest) {
        statements.push(rest.trim());
    }
    statements
}

/// What became of the other statements of a script, one of which failed: each takes effect by itself.
pub fn aftermath(statements: &[&str], failed: usize) -> String {
    let took_effect: Vec<String> =
        (0..failed).filter(|&i| changes_something(statements[i])).map(|i| (i + 1).to_string()).collect();
    let before = match took_effect.as_slice() {
        [] => "nothing was changed before it".to_string(),
        [one] => format!("statement {one} took effect and stays"),
        [most @ .., last] => format!("statements {} and {last} took effect and stay", most.join(", ")),
    };
    match statements.len() - failed - 1 {
        0 => before,
        1 => format!("{before}; the one after it was not run"),
        n => format!("{before}; the {n} after it were not run"),
    }
}

/// Whether a statement may change what a store holds.
fn changes_something(statement: &str) -> bool {
    const ASKS: [&str; 10] = ["\\", "select", "with", "values", "table", "explain", "show", "describe", "set", "("];
    let text = lead(statement);
    !ASKS.iter().any(|word| text.get(..word.len()).is_some_and(|start| start.eq_ignore_ascii_case(word)))
}

/// Whether nothing but white space and comments is left.
pub fn is_blank(text: &str) -> bool {
    lead(text).is_empty()
}

/// `text` from its first word on: without white space and comments before it.
pub fn lead(text: &str) -> &str {
    let bytes = text.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        match bytes[at] {
            b'-' if bytes[at..].starts_with(b"--") => at = skip_line(bytes, at),
            b'/' if bytes[at..].starts_with(b"/*") => at = skip_comment(bytes, at),
            c if c.is_ascii_whitespace() => at += 1,
            _ => break,
        }
    }
    &text[at..]
}

/// Past a quoted text; a doubled quote needs no care, it ends one text and starts the next.
fn skip_quoted(bytes: &[u8], at: usize, quote: u8) -> usize {
    bytes[at + 1..].iter().position(|b| *b == quote).map_or(bytes.len(), |n| at + n + 2)
}

fn skip_line(bytes: &[u8], at: usize) -> usize {
    bytes[at..].iter().position(|b| *b == b'\n').map_or(bytes.len(), |n| at + n + 1)
}

/// Past a block comment; SQL's may nest.
fn skip_comment(bytes: &[u8], mut at: usize) -> usize {
    let mut depth = 0;
    while at < bytes.len() {
        if bytes[at..].starts_with(b"/*") {
            (depth, at) = (depth + 1, at + 2);
        } else if bytes[at..].starts_with(b"*/") {
            (depth, at) = (depth - 1, at + 2);
            if depth == 0 {
                return at;
            }
        } else {
            at += 1;
        }
    }
    bytes.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_semicolon_in_quotes_or_comments_ends_nothing() {
        let text = "SELECT ';', 'it''s;' AS \"a;b\" -- no; not here\n/* nor; /* here; */ ; */ ; SELECT 2;\n";
        let (statements, rest) = split(text);
        assert_eq!(statements.len(), 2, "{statements:?}");
        assert_eq!(statements[1], "SELECT 2");
        assert!(is_blank(rest));
    }

    #[test]
    fn an_unfinished_statement_is_the_rest() {
        assert_eq!(split("SELECT 1; SELECT 'a;"), (vec!["SELECT 1"], " SELECT 'a;"));
        assert_eq!(split("SELECT 1 /* ; "), (vec![], "SELECT 1 /* ; "));
        assert_eq!(all("SELECT 1;;\n SELECT 2"), ["SELECT 1", "SELECT 2"]);
        assert!(all(" -- only a comment\n /* and another */ ;").is_empty());
    }

    #[test]
    fn a_command_of_the_shell_is_its_line() {
        assert_eq!(all("\\d tmo\nSELECT 1; \\dt\n"), ["\\d tmo", "SELECT 1", "\\dt"]);
        assert_eq!(all("SELECT E'\\n'"), ["SELECT E'\\n'"]);
        assert_eq!(lead(" -- why\n/* and */ SELECT 1"), "SELECT 1");
        assert_eq!(lead("-- nothing"), "");
    }

    #[test]
    fn what_became_of_the_other_statements() {
        let script = ["CREATE TABLE a AS SELECT 1", "SELECT 1", "insert INTO a VALUES (2)", "SELEC", "DROP TABLE a"];
        assert_eq!(aftermath(&script, 3), "statements 1 and 3 took effect and stay; the one after it was not run");
        assert_eq!(aftermath(&script, 1), "statement 1 took effect and stays; the 3 after it were not run");
        assert_eq!(aftermath(&script, 0), "nothing was changed before it; the 4 after it were not run");
        assert_eq!(aftermath(&["SELECT 1", "SELEC"], 1), "nothing was changed before it");
    }

    #[test]
    fn text_outside_ascii_is_cut_between_characters() {
        assert_eq!(all("SELECT 'Å;é'; SELECT 'ß'"), ["SELECT 'Å;é'", "SELECT 'ß'"]);
    }
}

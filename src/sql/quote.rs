//! Names and texts as statements quote them.

/// A name of a table or column, with any characters.
pub fn quoted_name(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// A text.
pub fn quoted_text(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_within_are_doubled() {
        assert_eq!((quoted_name("a\"b"), quoted_text("it's")), ("\"a\"\"b\"".into(), "'it''s'".into()));
    }
}

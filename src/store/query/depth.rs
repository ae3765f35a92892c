//! How deep a statement may be. The engine walks expressions and plans by functions that call themselves, and takes them apart so: as
//! deep as a chain of operators is long.

use datafusion::sql::sqlparser::dialect::GenericDialect;
use datafusion::sql::sqlparser::keywords::Keyword;
use datafusion::sql::sqlparser::tokenizer::{Token, Tokenizer};

use crate::StoreError;

/// Most words and operators of a statement, as [`depth`] counts them.
const DEEPEST: usize = 5_000;

/// Stack of a thread on which statements are planned, bytes: it is enough for the deepest of them. What is not touched takes no memory.
pub const STACK: usize = 128 << 20;

/// The words and operators of a statement: no plan of it is deeper. Values, commas and parentheses are not counted, as a list is wide and
/// not deep, and the parser bounds parentheses itself.
pub fn depth(text: &str) -> usize {
    let dialect = GenericDialect {};
    // The parser refuses what has no tokens.
    let Ok(tokens) = Tokenizer::new(&dialect, text).tokenize() else { return 0 };
    let mut before = &Token::Comma;
    let mut count = 0;
    for token in tokens.iter().filter(|token| !matches!(token, Token::Whitespace(_))) {
        count += usize::from(deepens(before, token));
        before = token;
    }
    count
}

/// Whether a token may put an expression or a plan into another one.
fn deepens(before: &Token, token: &Token) -> bool {
    match token {
        Token::Word(word) => !matches!(word.keyword, Keyword::NULL | Keyword::TRUE | Keyword::FALSE),
        Token::Number(..) | Token::SingleQuotedString(_) | Token::Placeholder(_) => false,
        Token::Comma | Token::SemiColon | Token::Period | Token::EOF => false,
        Token::LParen | Token::RParen | Token::RBracket | Token::LBrace | Token::RBrace => false,
        // Where a value begins: a list within a list, the sign of a number. Elsewhere an element is taken out of a value, or two are added.
        Token::LBracket | Token::Minus | Token::Plus => {
            !matches!(before, Token::Comma | Token::LParen | Token::LBracket)
        }
        _ => true,
    }
}

/// # Errors
/// A statement that is deeper than any thread has stack for.
pub fn check_depth(text: &str) -> Result<(), StoreError> {
    match depth(text) {
        deep if deep > DEEPEST => Err(StoreError::Statement(format!(
            "the statement has {deep} words and operators, more than {DEEPEST}: its plan would be too deep; put values into a list \
             (IN, VALUES) or a table, or split it"
        ))),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_be_deep_is_counted_and_what_is_wide_is_not() {
        for (text, count) in [
            ("SELECT a1, 'it is - long', \"b c\" FROM t WHERE x>=-1.5", 9),
            ("SELECT 1 WHERE 2 IN (1, -2, NULL, 'x', +3)", 3),
            ("VALUES (1, 'a'), (-2, 'b')", 1),
            ("SELECT [[1, 2], [-3]]", 2),
            ("SELECT a['x'][1]", 4),
            ("SELECT 1 - -1 -- words of a comment", 3),
            ("SELECT 1::int", 3),
            ("", 0),
            ("'open", 0),
        ] {
            assert_eq!(depth(text), count, "{text}");
        }
        for link in ["+1", "::int", "['x']", " UNION SELECT 1", " IS NULL", ", t", " OR true", "||'a'"] {
            assert!(depth(&format!("SELECT 1{}", link.repeat(100))) > 100, "{link}");
            assert!(check_depth(&format!("SELECT 1{}", link.repeat(DEEPEST))).is_err(), "{link}");
        }
        check_depth(&format!("SELECT 1 IN ({}1)", "-1, ".repeat(100_000))).unwrap();
    }
}

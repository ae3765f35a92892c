//! What the server bounds.

use std::time::Duration;

/// Bounds for everybody together and for each request.
#[derive(Debug, Clone, PartialEq)]
pub struct Limits {
    /// Memory of all queries together, bytes. What does not fit is written to temporary files, or refused.
    pub memory: usize,
    /// Temporary files of all queries together, bytes.
    pub spill: u64,
    /// How long planning and computing an answer may take.
    pub timeout: Duration,
    /// Queries that run at a time.
    pub queries: usize,
    /// Queries that wait for their turn; the next one is turned away.
    pub waiting: usize,
    /// Most rows of an answer.
    pub rows: usize,
    /// Longest text of a statement, bytes.
    pub text: usize,
    /// Most words, numbers and signs of a statement. A long chain of operators is as deep as it is long, and so is the stack that
    /// its plan takes.
    pub pieces: usize,
    /// Longest body of a request, bytes.
    pub body: usize,
    /// Most parameters of a statement.
    pub parameters: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            memory: 4 << 30,
            spill: 16 << 30,
            timeout: Duration::from_secs(60),
            queries: 4,
            waiting: 16,
            rows: 1_000_000,
            text: 64 << 10,
            pieces: 10_000,
            body: 1 << 20,
            parameters: 1000,
        }
    }
}

/// What is allowed beyond cheap queries.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Allowed {
    /// Functions that walk along an energy surface, minutes for a row.
    pub relax: bool,
}

/// The words, numbers, texts and signs of a statement.
pub(super) fn pieces(text: &str) -> usize {
    let mut count = 0;
    let mut letters = text.chars();
    let mut in_word = false;
    while let Some(c) = letters.next() {
        let is_word = c.is_alphanumeric() || c == '_';
        count += usize::from(!(c.is_whitespace() || is_word && in_word));
        in_word = is_word;
        if c == '\'' || c == '"' {
            letters.by_ref().find(|end| *end == c);
        }
    }
    count
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_one_piece_and_signs_are_one_each() {
        assert_eq!(pieces("SELECT a1, 'it is - long', \"b c\" FROM t WHERE x>=-1.5"), 16);
        assert_eq!((pieces(""), pieces("((("), pieces("'open")), (0, 3, 1));
    }
}

//! The words of CIF 1.1: headings, data names, and values bare, quoted or between lines that begin with `;`.

use crate::FormatError;

/// What a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// `data_NAME`; the text is NAME.
    Data,
    /// `loop_`.
    Loop,
    /// `save_...`, `global_`, `stop_`: of dictionaries and STAR files.
    Reserved,
    /// `_data_name`.
    Tag,
    /// A value without quotes, which alone may be `?` or `.`.
    Bare,
    /// A value in quotes or a text field.
    Quoted,
}

/// One word of the text.
#[derive(Debug, Clone, Copy)]
pub(super) struct Token<'a> {
    pub kind: Kind,
    pub text: &'a str,
    pub line: usize,
    /// Byte offset of the word.
    pub at: usize,
}

impl<'a> Token<'a> {
    pub fn is_value(&self) -> bool {
        matches!(self.kind, Kind::Bare | Kind::Quoted)
    }

    /// The value, unless it is `?` (unknown), `.` (does not apply) or empty.
    pub fn known(&self) -> Option<&'a str> {
        let absent = self.text.trim().is_empty() || (self.kind == Kind::Bare && matches!(self.text, "?" | "."));
        (!absent).then_some(self.text)
    }
}

/// Reads tokens from `text`, from the byte `at` in the line `line`.
#[derive(Clone)]
pub(super) struct Lexer<'a> {
    pub text: &'a str,
    pub at: usize,
    pub line: usize,
    /// Take a quote that is not closed to end with its line: for values that a crystal does not need.
    pub lenient: bool,
}

impl<'a> Lexer<'a> {
    pub fn new(text: &'a str, at: usize, line: usize) -> Self {
        Self { text, at, line, lenient: false }
    }

    /// An error at a token of this text.
    pub fn error(&self, token: &Token, message: impl Into<String>) -> FormatError {
        self.error_at(token.line, token.at, message)
    }

    fn error_at(&self, line: usize, at: usize, message: impl Into<String>) -> FormatError {
        let before = self.text.get(..at).unwrap_or("");
        let column = before.rsplit('\n').next().unwrap_or("").chars().count() + 1;
        FormatError::syntax(line, column, message)
    }

    /// Past white space and comments.
    fn skip(&mut self) {
        let bytes = self.text.as_bytes();
        while let Some(&c) = bytes.get(self.at) {
            match c {
                b'\n' => self.line += 1,
                b'#' => {
                    self.at += memchr(&bytes[self.at..], |c| c == b'\n' || c == b'\r');
                    continue;
                }
                c if c.is_ascii_whitespace() => {}
                _ => return,
            }
            self.at += 1;
        }
    }

    /// The next token; `None` at the end of the text.
    ///
    /// # Errors
    /// A text field or a quote that is not closed, with its place.
    pub fn next(&mut self) -> Result<Option<Token<'a>>, FormatError> {
        self.skip();
        let (text, bytes, at, line) = (self.text, self.text.as_bytes(), self.at, self.line);
        let Some(&first) = bytes.get(at) else { return Ok(None) };
        let token = |kind, text| Ok(Some(Token { kind, text, line, at }));
        if first == b';' && (at == 0 || matches!(bytes[at - 1], b'\n' | b'\r')) {
            return match text[at + 1..].find("\n;") {
                Some(length) => {
                    let field = &text[at + 1..at + 1 + length];
                    self.line += field.bytes().filter(|c| *c == b'\n').count() + 1;
                    self.at = at + length + 3;
                    token(Kind::Quoted, field.strip_suffix('\r').unwrap_or(field))
                }
                None => Err(self.error_at(
                    line,
                    at,
                    "the text that begins here is not closed; expected a line that begins with ';'",
                )),
            };
        }
        if matches!(first, b'\'' | b'"') {
            // A quote inside the value is a letter unless white space follows: 'O''Neill' and 'a dog's life'.
            let rest = &bytes[at + 1..];
            let ends = |i: usize| rest[i] == first && rest.get(i + 1).is_none_or(u8::is_ascii_whitespace);
            let in_line = memchr(rest, |c| c == b'\n' || c == b'\r');
            let end = (0..in_line).find(|i| ends(*i));
            return match end {
                Some(length) => {
                    self.at = at + length + 2;
                    token(Kind::Quoted, &text[at + 1..at + 1 + length])
                }
                None if self.lenient => {
                    self.at = at + 1 + in_line;
                    token(Kind::Quoted, &text[at + 1..self.at])
                }
                None => {
                    let quote = char::from(first);
                    Err(self.error_at(
                        line,
                        at,
                        format!("the quote is not closed; expected {quote} before the end of the line"),
                    ))
                }
            };
        }
        let length = memchr(&bytes[at..], |c| c.is_ascii_whitespace());
        self.at = at + length;
        let word = &text[at..at + length];
        let heading = |prefix: &str| word.get(..prefix.len()).is_some_and(|head| head.eq_ignore_ascii_case(prefix));
        match first {
            b'_' => token(Kind::Tag, word),
            b'd' | b'D' if heading("data_") => token(Kind::Data, &word[5..]),
            b'l' | b'L' if heading("loop_") && length == 5 => token(Kind::Loop, word),
            b's' | b'S' if heading("save_") || (heading("stop_") && length == 5) => token(Kind::Reserved, word),
            b'g' | b'G' if heading("global_") && length == 7 => token(Kind::Reserved, word),
            _ => token(Kind::Bare, word),
        }
    }

    /// After an error: on to the line of the next `data_` heading.
    pub fn skip_to_heading(&mut self) {
        while let Some(length) = self.text.get(self.at..).and_then(|rest| rest.find('\n')) {
            self.at += length + 1;
            self.line += 1;
            let line = &self.text.as_bytes()[self.at..];
            if line.len() >= 5 && line[..5].eq_ignore_ascii_case(b"data_") {
                return;
            }
        }
        self.at = self.text.len();
    }
}

/// Position of the first byte that `is`, or the length.
fn memchr(bytes: &[u8], is: impl Fn(u8) -> bool) -> usize {
    bytes.iter().position(|&c| is(c)).unwrap_or(bytes.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens(text: &str) -> Result<Vec<(Kind, &str, usize)>, FormatError> {
        let mut lexer = Lexer::new(text, 0, 1);
        let mut found = Vec::new();
        while let Some(token) = lexer.next()? {
            found.push((token.kind, token.text, token.line));
        }
        Ok(found)
    }

    #[test]
    fn every_kind_of_word() {
        let text = "#c 'x\nDATA_a _t 'a dog's life' \"q\" ? .5(1)\r\n_u\n;first\n second\n;\nloop_ _v x;y #z\n";
        assert_eq!(
            tokens(text).unwrap(),
            [
                (Kind::Data, "a", 2),
                (Kind::Tag, "_t", 2),
                (Kind::Quoted, "a dog's life", 2),
                (Kind::Quoted, "q", 2),
                (Kind::Bare, "?", 2),
                (Kind::Bare, ".5(1)", 2),
                (Kind::Tag, "_u", 3),
                (Kind::Quoted, "first\n second", 4),
                (Kind::Loop, "loop_", 7),
                (Kind::Tag, "_v", 7),
                (Kind::Bare, "x;y", 7),
            ]
        );
    }

    #[test]
    fn what_is_not_closed_is_located_where_it_opens() {
        for (text, place) in [("data_a\n_t 'x\n'", (2, 4)), ("data_a\n_t\n;x\n ;", (3, 1)), ("é 'x", (1, 3))] {
            let at = tokens(text).unwrap_err().position().unwrap();
            assert_eq!((at.line, at.column), place, "{text}");
        }
    }

    #[test]
    fn after_an_error_the_next_block_is_found() {
        let mut lexer = Lexer::new("data_a 'x\n1\nData_b 2", 7, 1);
        lexer.skip_to_heading();
        let token = lexer.next().unwrap().unwrap();
        assert_eq!((token.kind, token.text, token.line), (Kind::Data, "b", 3));
    }
}

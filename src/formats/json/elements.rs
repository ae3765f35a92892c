//! The documents of a JSON text, cut apart without reading them: the elements of one array, or values one after the other.

use crate::error::FormatError;

/// Where the cutting stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    at: usize,
    line: usize,
    line_start: usize,
    in_array: bool,
    closed: bool,
}

/// Cuts a text into documents.
pub(super) struct Elements<'a> {
    text: &'a str,
    place: Place,
}

impl<'a> Elements<'a> {
    pub fn new(text: &'a str) -> Self {
        let mut elements =
            Self { text, place: Place { at: 0, line: 1, line_start: 0, in_array: false, closed: false } };
        elements.skip(|_| false);
        if text.as_bytes().get(elements.place.at) == Some(&b'[') {
            elements.place.at += 1;
            elements.place.in_array = true;
        }
        elements
    }

    /// Goes on from a place that [`Self::place`] gave.
    pub fn at(text: &'a str, place: Place) -> Self {
        Self { text, place }
    }

    pub fn place(&self) -> Place {
        self.place
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.place.at).copied()
    }

    fn skip(&mut self, also: impl Fn(u8) -> bool) {
        while let Some(c) = self.peek().filter(|c| c.is_ascii_whitespace() || also(*c)) {
            self.place.at += 1;
            if c == b'\n' {
                self.place.line += 1;
                self.place.line_start = self.place.at;
            }
        }
    }

    fn column(&self) -> usize {
        self.text.get(self.place.line_start..self.place.at).map_or(0, |before| before.chars().count()) + 1
    }

    /// The next document with its line and column. An open document runs to the end of the text, where reading it fails.
    pub fn next(&mut self) -> Option<(&'a str, usize, usize)> {
        let in_array = self.place.in_array;
        self.skip(|c| in_array && c == b',');
        let first = self.peek().filter(|_| !self.place.closed)?;
        if in_array && first == b']' {
            self.place.at += 1;
            self.place.closed = true;
            self.skip(|_| false);
            return None;
        }
        let (start, line, column) = (self.place.at, self.place.line, self.column());
        let (mut depth, mut in_string, mut escaped) = (0_usize, false, false);
        while let Some(c) = self.peek() {
            match c {
                b'\n' => (self.place.line, self.place.line_start) = (self.place.line + 1, self.place.at + 1),
                _ if escaped => escaped = false,
                b'\\' if in_string => escaped = true,
                b'"' => in_string = !in_string,
                _ if in_string => {}
                b'{' | b'[' => depth += 1,
                b'}' | b']' if depth <= 1 => {
                    // The document's own end; a scalar inside an array ends before the array's bracket.
                    self.place.at += usize::from(depth == 1 || !in_array || c == b'}');
                    break;
                }
                b'}' | b']' => depth -= 1,
                b',' if depth == 0 && in_array => break,
                _ => {}
            }
            self.place.at += 1;
        }
        self.text.get(start..self.place.at).map(|element| (element, line, column))
    }

    /// An error where the array is not closed or text follows it.
    pub fn finish(&self) -> Result<(), FormatError> {
        match self.peek() {
            None if self.place.in_array && !self.place.closed => Err(FormatError::syntax(
                self.place.line,
                self.column(),
                "the array is not closed; the file is cut short",
            )),
            Some(_) if self.place.closed => {
                Err(FormatError::syntax(self.place.line, self.column(), "text after the end of the array"))
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(text: &str) -> (Vec<(&str, usize, usize)>, bool) {
        let mut elements = Elements::new(text);
        let found = std::iter::from_fn(|| elements.next()).collect();
        (found, elements.finish().is_ok())
    }

    #[test]
    fn arrays_and_sequences_are_cut_into_documents() {
        assert_eq!(
            cut(" [ {\"a\": [1, \"]\\\"}\"]},\n {} ] "),
            (vec![("{\"a\": [1, \"]\\\"}\"]}", 1, 4), ("{}", 2, 2)], true)
        );
        assert_eq!(cut("{}\n{\"b\":\n1}"), (vec![("{}", 1, 1), ("{\"b\":\n1}", 2, 1)], true));
        assert_eq!(cut("[1, 2]"), (vec![("1", 1, 2), ("2", 1, 5)], true));
        assert_eq!(cut("[]"), (vec![], true));
    }

    #[test]
    fn an_open_end_is_seen() {
        assert_eq!(cut("[{},"), (vec![("{}", 1, 2)], false));
        assert_eq!(cut("[{}] x"), (vec![("{}", 1, 2)], false));
        assert_eq!(cut("[{\"a\": 1"), (vec![("{\"a\": 1", 1, 2)], false));
    }
}

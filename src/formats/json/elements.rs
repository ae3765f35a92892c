//! The documents of a JSON text, cut without reading them: the elements of one array, values one after the other, or what an answer of a
//! server wraps: `{"data": [..], "meta": {..}}` of OPTIMADE and of the Materials Project.
//!
//! By hand: serde_json's stream takes no `data` wrapper, and a mapping or an error needs the text and the line of each document.

use crate::FormatError;

/// Where the cutting stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    at: usize,
    line: usize,
    line_start: usize,
    in_array: bool,
    /// The array is the `data` of an answer.
    wrapped: bool,
    /// The `data` of an answer are one document and no array.
    single: bool,
    closed: bool,
}

/// Cuts a text into documents.
pub(super) struct Elements<'a> {
    text: &'a str,
    place: Place,
}

impl<'a> Elements<'a> {
    pub fn new(text: &'a str) -> Self {
        let mut elements = Self {
            text,
            place: Place {
                at: 0,
                line: 1,
                line_start: 0,
                in_array: false,
                wrapped: false,
                single: false,
                closed: false,
            },
        };
        elements.skip(|_| false);
        if text.as_bytes().get(elements.place.at) == Some(&b'[') {
            elements.place.at += 1;
            elements.place.in_array = true;
        } else if elements.peek() == Some(b'{') {
            elements.unwrap();
        }
        elements
    }

    /// Enters the `data` of an answer. A crystal that has a member of that name is no answer: its data are no array of objects.
    fn unwrap(&mut self) {
        let outside = self.place;
        let (mut depth, mut key, mut entry) = (0_usize, None, None);
        while let Some(c) = self.peek() {
            let start = self.place.at;
            match c {
                b'"' => {
                    self.string();
                    let inside = self.text.get(start + 1..self.place.at.saturating_sub(1));
                    if let (2, Some("attributes"), Some(entry)) = (depth, inside, entry) {
                        self.place = Place { in_array: true, wrapped: true, single: true, ..entry };
                        return;
                    }
                    key = inside.filter(|_| depth == 1 && key.is_none());
                    continue;
                }
                b':' if depth == 1 => {
                    self.place.at += 1;
                    self.skip(|_| false);
                    match (key, self.peek()) {
                        (Some("data"), Some(b'[')) => {
                            self.place.at += 1;
                            self.skip(|_| false);
                            if matches!(self.peek(), Some(b'{' | b']')) {
                                (self.place.in_array, self.place.wrapped) = (true, true);
                                return;
                            }
                            break;
                        }
                        // One entry, as /structures/ID answers, if it turns out to have attributes.
                        (Some("data"), Some(b'{')) => {
                            entry = Some(self.place);
                            continue;
                        }
                        (Some("lattice" | "sites" | "structure" | "attributes"), _) => break,
                        _ => continue,
                    }
                }
                b'{' | b'[' => depth += 1,
                b'}' | b']' if depth <= 1 => break,
                b'}' | b']' => depth -= 1,
                b',' if depth == 1 => (key, entry) = (None, None),
                b'\n' => (self.place.line, self.place.line_start) = (self.place.line + 1, start + 1),
                _ => {}
            }
            self.place.at += 1;
        }
        self.place = outside;
    }

    /// Moves behind a string that begins here.
    fn string(&mut self) {
        let mut escaped = false;
        self.place.at += 1;
        while let Some(c) = self.peek() {
            self.place.at += 1;
            match c {
                b'\n' => (self.place.line, self.place.line_start) = (self.place.line + 1, self.place.at),
                _ if escaped => escaped = false,
                b'\\' => escaped = true,
                b'"' => return,
                _ => {}
            }
        }
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
        self.place.closed = self.place.single;
        self.text.get(start..self.place.at).map(|element| (element, line, column))
    }

    /// Looks behind the last element.
    ///
    /// # Errors
    /// An array that is not closed, or text behind it; behind the data of an answer, an answer that is not closed.
    pub fn finish(&self) -> Result<(), FormatError> {
        if self.place.wrapped && self.place.closed {
            let mut rest = Self::at(self.text, self.place);
            let mut depth = 1_usize;
            while let Some(c) = rest.peek().filter(|_| depth > 0) {
                match c {
                    b'"' => {
                        rest.string();
                        continue;
                    }
                    b'{' | b'[' => depth += 1,
                    b'}' | b']' => depth -= 1,
                    b'\n' => (rest.place.line, rest.place.line_start) = (rest.place.line + 1, rest.place.at + 1),
                    _ => {}
                }
                rest.place.at += 1;
            }
            let message = "the answer is not closed behind its data; the file is cut short";
            return if depth == 0 { Ok(()) } else { Err(FormatError::syntax(rest.place.line, rest.column(), message)) };
        }
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
    fn the_data_of_an_answer_are_its_documents() {
        let answer = "{\"meta\": {\"data\": [1], \"query\": \"\\\"data\\\"\"},\n \"data\" : [{\"a\": 1},\n {}], \"links\": {\"next\": null}}";
        assert_eq!(cut(answer), (vec![("{\"a\": 1}", 2, 12), ("{}", 3, 2)], true));
        assert_eq!(cut("{\"data\": [], \"meta\": {}}"), (vec![], true));
        assert_eq!(cut("{\"data\": [{}], \"meta\": {"), (vec![("{}", 1, 11)], false));
        // What has data of its own is one document.
        for document in
            ["{\"data\": {\"x\": 1}, \"structure\": {}}", "{\"data\": [1, 2]}", "{\"structure\": {}, \"data\": [{}]}"]
        {
            assert_eq!(cut(document), (vec![(document, 1, 1)], true));
        }
    }

    #[test]
    fn an_open_end_is_seen() {
        assert_eq!(cut("[{},"), (vec![("{}", 1, 2)], false));
        assert_eq!(cut("[{}] x"), (vec![("{}", 1, 2)], false));
        assert_eq!(cut("[{\"a\": 1"), (vec![("{\"a\": 1", 1, 2)], false));
    }
}

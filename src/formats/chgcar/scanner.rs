//! Bytes of a volumetric file, lines and long lists of numbers in turn, in a buffer of fixed size.

use std::io::Read;

use super::{
    super::source,
    clip,
    number::{MAX_NUMBER, number},
};
use crate::FormatError;

/// Most values for which room is made before they are seen.
const MAX_RESERVED: usize = 1 << 24;
/// Most bytes of a line that is no row of values.
const MAX_LINE: usize = 1 << 16;
/// Bytes that are read at once.
const CHUNK: usize = 1 << 18;

/// Bytes of a text, numbers and lines in turn.
pub(super) struct Scanner {
    reader: Box<dyn Read + Send>,
    buffer: Vec<u8>,
    /// The bytes that are not yet taken.
    from: usize,
    to: usize,
    /// Line of the byte at `from`, from 1.
    line: usize,
    ended: bool,
}

impl Scanner {
    pub(super) fn new(reader: impl Read + Send + 'static) -> Self {
        Self { reader: Box::new(reader), buffer: vec![0; CHUNK + MAX_LINE], from: 0, to: 0, line: 1, ended: false }
    }

    pub(super) fn error(&self, message: impl Into<String>) -> FormatError {
        FormatError::syntax(self.line, 0, message)
    }

    /// Moves what is left to the front and reads on, once.
    fn fill(&mut self) -> Result<(), FormatError> {
        self.buffer.copy_within(self.from..self.to, 0);
        (self.from, self.to) = (0, self.to - self.from);
        loop {
            match self.reader.read(&mut self.buffer[self.to..]) {
                Ok(0) => self.ended = true,
                Ok(n) => self.to += n,
                Err(e) if e.kind() == std::io::ErrorKind::Interrupted => continue,
                Err(e) => return Err(self.error(source::words(&e))),
            }
            return Ok(());
        }
    }

    /// The next line without its end; `None` behind the last.
    pub(super) fn row(&mut self) -> Result<Option<String>, FormatError> {
        let end = loop {
            let left = &self.buffer[self.from..self.to];
            match left.iter().position(|b| *b == b'\n') {
                Some(end) => break end,
                None if left.len() >= MAX_LINE => {
                    return Err(
                        self.error(format!("the line is longer than {MAX_LINE} bytes; is this a text of lines?"))
                    );
                }
                None if self.ended && left.is_empty() => return Ok(None),
                None if self.ended => break left.len(),
                None => self.fill()?,
            }
        };
        let bytes = &self.buffer[self.from..self.from + end];
        let text = std::str::from_utf8(bytes).map_err(|_| source::not_utf8(bytes, self.line))?.trim_end().to_owned();
        self.from = (self.from + end + 1).min(self.to);
        self.line += 1;
        Ok(Some(text))
    }

    /// The next line that is not blank, with its number.
    pub(super) fn words(&mut self) -> Result<Option<(usize, String)>, FormatError> {
        loop {
            let line = self.line;
            match self.row()? {
                Some(text) if text.trim().is_empty() => {}
                Some(text) => return Ok(Some((line, text))),
                None => return Ok(None),
            }
        }
    }

    /// The next `n` numbers, behind which their last line holds no more than zeros; `of` says of what there are n.
    pub(super) fn numbers(&mut self, n: usize, of: &str) -> Result<Vec<f64>, FormatError> {
        let mut values: Vec<f64> = Vec::with_capacity(n.min(MAX_RESERVED));
        while values.len() < n {
            // A number that begins before `sure` ends in the buffer.
            let sure = if self.ended { self.to } else { self.to.saturating_sub(MAX_NUMBER) };
            let mut at = self.from;
            while at < sure && values.len() < n {
                let byte = self.buffer[at];
                if byte.is_ascii_whitespace() {
                    self.line += usize::from(byte == b'\n');
                    at += 1;
                    continue;
                }
                let Some((value, length)) = number(&self.buffer[at..self.to]) else {
                    let word = self.buffer[at..self.to].iter().take(24).take_while(|b| !b.is_ascii_whitespace());
                    let word: String = word.map(|&b| char::from(b)).collect();
                    let seen = values.len();
                    return Err(self.error(format!("expected value {} of {n} of {of}, found '{word}'", seen + 1)));
                };
                values.push(value);
                at += length;
            }
            self.from = at;
            if values.len() < n {
                if self.ended {
                    let seen = values.len();
                    return Err(self.error(format!("the file ends after {seen} of {n} values of {of}; fetch it again")));
                }
                self.fill()?;
            }
        }
        if self.from == self.to && !self.ended {
            self.fill()?;
        }
        if self.from == self.to {
            // Whole files end with a line's end: digits of this number may be missing.
            return Err(self.error(format!("the file ends within the last of {n} values of {of}; fetch it again")));
        }
        let line = self.line;
        match self.row()? {
            // Scripts that sum files fill the last row up with zeros.
            Some(rest) if rest.split_whitespace().any(|w| number(w.as_bytes()).is_none_or(|(x, _)| x != 0.0)) => {
                let message = format!("more values than the {n} of {of}: '{}' follows the last", clip(rest.trim()));
                Err(FormatError::syntax(line, 0, message))
            }
            _ => Ok(values),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_that_straddle_the_buffer_are_whole() {
        let values: Vec<String> = (0..60_000).map(|i| format!("{:.10E}", f64::from(i).sin())).collect();
        let text = format!("head\n{}\ntail\n", values.join("\n"));
        assert!(text.len() > 3 * CHUNK);
        let mut scanner = Scanner::new(std::io::Cursor::new(text.into_bytes()));
        assert_eq!(scanner.row().unwrap().as_deref(), Some("head"));
        let read = scanner.numbers(values.len(), "a sine").unwrap();
        assert!(read.iter().zip(&values).all(|(x, text)| *x == text.parse::<f64>().unwrap()));
        assert_eq!(scanner.words().unwrap(), Some((60_002, "tail".to_owned())));
        assert_eq!(scanner.row().unwrap(), None);
    }

    #[test]
    fn a_line_without_end_is_refused() {
        let mut scanner = Scanner::new(std::io::repeat(b'x'));
        assert!(scanner.row().unwrap_err().to_string().contains("longer than 65536 bytes"));
    }
}

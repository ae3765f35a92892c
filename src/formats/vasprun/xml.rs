//! A thin pull parser over quick-xml: elements by name, their children and their text, with the line of every fault.

use std::io::{self, BufRead, Read};

use quick_xml::Reader;
use quick_xml::errors::{Error, IllFormedError, SyntaxError};
use quick_xml::events::{BytesStart, Event};
use quick_xml::name::QName;
use sha2::{Digest, Sha256};

use crate::FormatError;
use crate::{source, vasp};
use crystal::ContentHash;

/// An opening tag with the attributes that VASP uses.
pub(super) struct Tag {
    pub tag: String,
    pub name: Option<String>,
    pub param: Option<String>,
}

/// What comes next.
pub(super) enum Item {
    Open(Tag),
    Close,
    Text(String),
}

/// An XML document that is read once, from its beginning to its end.
pub(super) struct Xml {
    reader: Reader<Counted>,
    buffer: Vec<u8>,
}

impl Xml {
    pub fn new(reader: Box<dyn BufRead + Send>) -> Self {
        let mut reader = Reader::from_reader(Counted { reader, lines: 0, hash: Sha256::new() });
        let config = reader.config_mut();
        config.expand_empty_elements = true;
        config.trim_text(true);
        // VASP writes the user's own words (SYSTEM) as they are.
        config.allow_dangling_amp = true;
        Self { reader, buffer: Vec::new() }
    }

    /// The line that is being read, from 1.
    pub fn line(&self) -> usize {
        self.reader.get_ref().lines + 1
    }

    /// A fault in it.
    pub fn error(&self, message: impl Into<String>) -> FormatError {
        FormatError::syntax(self.line(), 0, message)
    }

    /// The next item inside of an element.
    ///
    /// # Errors
    /// Text that is no XML, or that ends inside of the element.
    pub fn next(&mut self, inside: &str) -> Result<Item, FormatError> {
        loop {
            self.buffer.clear();
            let item = match self.reader.read_event_into(&mut self.buffer) {
                Ok(Event::Start(start)) => tag(&start).map(Item::Open),
                Ok(Event::End(_)) => Ok(Item::Close),
                Ok(Event::Text(text)) => Ok(Item::Text(decoded(&text.into_inner()))),
                Ok(Event::Eof) => Err(cut(inside)),
                Ok(_) => continue,
                Err(error) => Err(words(&error, inside)),
            };
            return item.map_err(|message| self.error(message));
        }
    }

    /// Calls `child` for every element inside of the one that was just opened, which it must read to its end.
    ///
    /// # Errors
    /// As [`Self::next`], text between the elements, or what `child` says.
    pub fn children(
        &mut self,
        inside: &str,
        mut child: impl FnMut(&mut Self, Tag) -> Result<(), FormatError>,
    ) -> Result<(), FormatError> {
        loop {
            match self.next(inside)? {
                Item::Open(tag) => child(self, tag)?,
                Item::Close => return Ok(()),
                Item::Text(text) => {
                    let text: String = text.chars().take(40).collect();
                    return Err(self.error(format!("unexpected text '{text}' in <{inside}>")));
                }
            }
        }
    }

    /// The text of the element that was just opened, to its end.
    ///
    /// # Errors
    /// As [`Self::next`], or an element where text should be.
    pub fn text(&mut self, of: &Tag) -> Result<String, FormatError> {
        let mut all = String::new();
        loop {
            match self.next(&of.tag)? {
                Item::Text(text) => all += &text,
                Item::Close => return Ok(all),
                Item::Open(child) => return Err(self.error(format!("<{}> in <{}>, expected text", child.tag, of.tag))),
            }
        }
    }

    /// Passes over the element that was just opened.
    ///
    /// # Errors
    /// Text that is no XML, or that ends inside of the element.
    pub fn skip(&mut self, of: &Tag) -> Result<(), FormatError> {
        let read = self.reader.read_to_end_into(QName(of.tag.as_bytes()), &mut self.buffer);
        read.map(|_| ()).map_err(|error| self.error(words(&error, &of.tag)))
    }

    /// Reads what is left, which must be blank, and returns the hash of the whole.
    ///
    /// # Errors
    /// Anything but white space and comments.
    pub fn finish(mut self) -> Result<ContentHash, FormatError> {
        loop {
            self.buffer.clear();
            match self.reader.read_event_into(&mut self.buffer) {
                Ok(Event::Eof) => break,
                Ok(Event::Comment(_)) => {}
                Ok(Event::Text(text)) if text.iter().all(u8::is_ascii_whitespace) => {}
                Ok(_) => return Err(self.error("text after </modeling>; two files may have been joined")),
                Err(error) => {
                    let message = words(&error, "the file");
                    return Err(self.error(message));
                }
            }
        }
        let counted = self.reader.into_inner();
        Ok(vasp::hash(counted.hash))
    }
}

fn tag(start: &BytesStart) -> Result<Tag, String> {
    let mut tag = Tag { tag: decoded(start.name().as_ref()), name: None, param: None };
    for attribute in start.attributes() {
        let attribute = attribute.map_err(|e| format!("attributes of <{}>: {e}", tag.tag))?;
        let value = || Some(decoded(&attribute.value));
        match attribute.key.as_ref() {
            b"name" => tag.name = value(),
            b"param" => tag.param = value(),
            _ => {}
        }
    }
    Ok(tag)
}

/// VASP announces Latin-1 and writes ASCII, but for the user's own words.
fn decoded(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap_or_else(|_| bytes.iter().map(|b| *b as char).collect())
}

fn cut(inside: &str) -> String {
    let place = if inside == "the file" { "before it begins".to_owned() } else { format!("inside <{inside}>") };
    format!("the file ends {place}: the run was stopped, or the copy cut short; finish the run or copy the file again")
}

/// quick-xml's error as one of ours.
fn words(error: &Error, inside: &str) -> String {
    match error {
        Error::Io(error) => source::words(error),
        Error::Syntax(
            SyntaxError::UnclosedTag
            | SyntaxError::UnclosedDoubleQuotedAttributeValue
            | SyntaxError::UnclosedSingleQuotedAttributeValue,
        )
        | Error::IllFormed(IllFormedError::UnclosedReference) => cut(inside),
        Error::IllFormed(IllFormedError::MissingEndTag(name)) => cut(name),
        Error::IllFormed(IllFormedError::MismatchedEndTag { expected, found }) => {
            format!("</{found}> where </{expected}> should stand; the file is damaged")
        }
        other => format!("{other}; the file is damaged"),
    }
}

/// Bytes that are counted by lines and hashed as they are used.
struct Counted {
    reader: Box<dyn BufRead + Send>,
    lines: usize,
    hash: Sha256,
}

impl Read for Counted {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let n = self.fill_buf()?.read(into)?;
        self.consume(n);
        Ok(n)
    }
}

impl BufRead for Counted {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.reader.fill_buf()
    }

    fn consume(&mut self, n: usize) {
        // The buffer is still filled: nothing is read, nothing can fail.
        if let Ok(bytes) = self.reader.fill_buf() {
            let used = &bytes[..n.min(bytes.len())];
            self.lines += used.iter().filter(|b| **b == b'\n').count();
            self.hash.update(used);
        }
        self.reader.consume(n);
    }
}
